/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sockets.c: mm_send and mm_recv compared with the C library's functions
 *
 * One thread sends and receives through a pair of sockets connected over loopback, in blocks that alternate between the
 * library and the C library. Prints the median time of a message, and the ratio.
 *
 * usage: sockets [BLOCKS]
 */
#include "bench.h"

#include <arpa/inet.h>
#include <mmsysio.h>
#include <stdint.h>
#include <string.h>

#define MOST_BLOCKS 100001
#define MESSAGES_OF_A_BLOCK 40

static char data[1 << 16];
static int ends[2];

static void exchange_by_library(size_t size)
{
	require(mm_send(ends[0], data, size, MSG_NOSIGNAL) == (ssize_t)size, "mm_send");
	require(mm_recv(ends[1], data, size, MSG_WAITALL) == (ssize_t)size, "mm_recv");
}

static void exchange_by_libc(size_t size)
{
	require(send(ends[0], data, size, MSG_NOSIGNAL) == (ssize_t)size, "send");
	require(recv(ends[1], data, size, MSG_WAITALL) == (ssize_t)size, "recv");
}

static struct contender {
	void (*exchange)(size_t size);
	double times[MOST_BLOCKS];
} contenders[2] = {{.exchange = exchange_by_library}, {.exchange = exchange_by_libc}};

static void contest(const char *protocol, size_t size, int blocks)
{
	/* The first blocks are a warm-up. The two alternate in starting a turn. */
	for (int block = -100; block < blocks; block++) {
		for (int i = 0; i < 2; i++) {
			struct contender *contender = &contenders[(block + i) & 1];
			double start = now_ns();

			for (int message = 0; message < MESSAGES_OF_A_BLOCK; message++)
				contender->exchange(size);
			if (block >= 0)
				contender->times[block] = (now_ns() - start) / MESSAGES_OF_A_BLOCK;
		}
	}
	double ours = median(contenders[0].times, blocks), raw = median(contenders[1].times, blocks);

	printf("| %s, %zu bytes | %.0f ns | %.0f ns | %.3f |\n", protocol, size, ours, raw, ours / raw);
	fflush(stdout);
}

/* Two sockets that are connected to each other. */
static void connect_ends(int type)
{
	struct sockaddr_in address[2] = {{.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(address[0]);
	int listener = mm_socket(AF_INET, type, 0);

	require(mm_bind(listener, (struct sockaddr *)&address[0], size) == 0, "mm_bind");
	require(mm_getsockname(listener, (struct sockaddr *)&address[0], &size) == 0, "mm_getsockname");
	ends[0] = mm_socket(AF_INET, type, 0);
	if (type == SOCK_STREAM)
		require(mm_listen(listener, 1) == 0, "mm_listen");
	require(mm_connect(ends[0], (struct sockaddr *)&address[0], size) == 0, "mm_connect");
	if (type == SOCK_STREAM) {
		int one = 1;

		ends[1] = mm_accept(listener, NULL, NULL);
		require(mm_setsockopt(ends[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0, "mm_setsockopt");
		mm_close(listener);
	} else {
		ends[1] = listener;
		require(mm_getsockname(ends[0], (struct sockaddr *)&address[1], &size) == 0, "mm_getsockname");
		require(mm_connect(ends[1], (struct sockaddr *)&address[1], size) == 0, "mm_connect");
	}
}

int main(int argc, char *argv[])
{
	static const size_t sizes[] = {64, 1024, 16384};
	static const struct {
		int type;
		const char *title;
	} protocols[] = {{SOCK_STREAM, "TCP"}, {SOCK_DGRAM, "UDP"}};
	int blocks = argc > 1 ? atoi(argv[1]) : 5001;

	if (blocks < 1 || blocks > MOST_BLOCKS)
		return 2;
	printf("| sent and received | mm_send + mm_recv | send + recv | ratio |\n|---|---|---|---|\n");
	for (int p = 0; p < 2; p++) {
		connect_ends(protocols[p].type);
		for (int s = 0; s < 3; s++)
			contest(protocols[p].title, sizes[s], blocks);
		mm_close(ends[0]);
		mm_close(ends[1]);
	}
	return 0;
}
