/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instructions.c: sends and receives small messages; instructions.py counts the instructions
 *
 * Each message has 64 bytes. The process has one thread, or a second thread that sleeps, in which case the C library
 * makes its calls cancellation points. KIND is
 *
 *   stack       one buffer in an array on the stack, no descriptors and no capacity for descriptors
 *   static      the same with a static array
 *   buffers     8 buffers
 *   descriptor  one buffer, one descriptor
 *
 * usage: instructions MESSAGES THREADS KIND
 */
#include "bench.h"

#include <mmsysio.h>
#include <pthread.h>
#include <string.h>

#define MOST_BUFFERS 8

static struct iovec static_out[MOST_BUFFERS], static_in[MOST_BUFFERS];

static void *sleep_for_ever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void divide(struct iovec *array, int count, char *data, size_t size)
{
	for (int i = 0; i < count; i++)
		array[i] = (struct iovec){data + (size_t)i * size / (size_t)count, size / (size_t)count};
}

int main(int argc, char *argv[])
{
	char out[64] = "", in[64];
	struct iovec stack_out[MOST_BUFFERS], stack_in[MOST_BUFFERS];
	struct mm_ipc_msg sent = {.iov = stack_out, .num_iov = 1}, received = {.iov = stack_in, .num_iov = 1};
	int fd_sent = STDERR_FILENO, fd_received, ends[2];
	pthread_t thread;

	if (argc != 4)
		return 2;
	if (strcmp(argv[3], "static") == 0) {
		sent.iov = static_out;
		received.iov = static_in;
	} else if (strcmp(argv[3], "buffers") == 0) {
		sent.num_iov = received.num_iov = MOST_BUFFERS;
	} else if (strcmp(argv[3], "descriptor") == 0) {
		sent.fds = &fd_sent;
		received.fds = &fd_received;
		sent.num_fds = received.num_fds_max = 1;
	} else if (strcmp(argv[3], "stack") != 0) {
		return 2;
	}
	divide(sent.iov, sent.num_iov, out, sizeof(out));
	divide(received.iov, received.num_iov, in, sizeof(in));
	if (atoi(argv[2]) > 1)
		require(pthread_create(&thread, NULL, sleep_for_ever, NULL) == 0, "pthread_create");
	require(mm_ipc_connected_pair(ends) == 0, "mm_ipc_connected_pair");
	for (int i = atoi(argv[1]); i > 0; i--) {
		require(mm_ipc_sendmsg(ends[0], &sent) == sizeof(out), "mm_ipc_sendmsg");
		require(mm_ipc_recvmsg(ends[1], &received) == sizeof(in), "mm_ipc_recvmsg");
		if (received.num_fds == 1)
			close(fd_received);
	}
	return 0;
}
