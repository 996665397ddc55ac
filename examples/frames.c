/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frames.c: transfers large frames through shared memory, with frames.h
 *
 * usage: frames receive NAME
 *        frames send NAME COUNT
 *
 * The sender builds COUNT images in the shared memory, and the receiver reads them there. Both print a checksum.
 */
#include "frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RING_SIZE (4 << 20)
#define IMAGE_SIZE 1000000

static uint64_t checksum(uint64_t sum, const unsigned char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		sum = (sum ^ data[i]) * 0x100000001b3;
	return sum;
}

static int send_images(int connection, int count)
{
	struct frames frames;
	uint64_t sum = 0;
	int failed = frames_open(&frames, connection, RING_SIZE) != 0;

	for (int i = 0; !failed && i < count; i++) {
		/* Each image has another size. */
		size_t size = IMAGE_SIZE - (size_t)(i % 7) * 12345;
		unsigned char *image = frames_begin(&frames, size);

		if (image == NULL) {
			failed = 1;
			break;
		}
		memset(image, i, size);
		sum = checksum(sum, image, size);
		failed = frames_send(&frames, size) != 0;
	}
	failed = failed || frames_finish(&frames) != 0;
	frames_close(&frames);
	if (!failed)
		printf("sent %d images, checksum %016llx\n", count, (unsigned long long)sum);
	return failed;
}

static int receive_images(int connection)
{
	struct frames frames;
	const void *image = NULL;
	uint64_t sum = 0;
	ssize_t size;
	int count = 0, is_end = 0;

	if (frames_open(&frames, connection, RING_SIZE) == 0) {
		for (; (size = frames_receive(&frames, &image)) >= 0; count++)
			sum = checksum(sum, image, (size_t)size);
		is_end = mm_get_lasterror_number() == EPIPE;
	}
	frames_close(&frames);
	if (!is_end)
		return 1;
	printf("received %d images, checksum %016llx\n", count, (unsigned long long)sum);
	return 0;
}

int main(int argc, char *argv[])
{
	struct mm_ipc_srv *srv;
	int connection;

	if (argc == 4 && strcmp(argv[1], "send") == 0) {
		connection = mm_ipc_connect2(argv[2], MM_IPC_CLOEXEC, 10000);
		return connection < 0 || send_images(connection, atoi(argv[3])) != 0;
	}
	if (argc != 3 || strcmp(argv[1], "receive") != 0)
		return 2;
	srv = mm_ipc_srv_create2(argv[2], 0, 0);
	if (srv == NULL)
		return 1;
	connection = mm_ipc_srv_accept2(srv, MM_IPC_CLOEXEC, 10000);
	mm_ipc_srv_destroy(srv);
	return connection < 0 || receive_images(connection) != 0;
}
