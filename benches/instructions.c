/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instructions.c: sends and receives small messages; instructions.py counts the instructions
 *
 * Each message has one buffer of 64 bytes, no descriptors and no capacity for descriptors. The process has one thread,
 * or a second thread that sleeps, in which case the C library makes its calls cancellation points.
 *
 * usage: instructions MESSAGES THREADS
 */
#include "bench.h"

#include <mmsysio.h>
#include <pthread.h>
#include <string.h>

static void *sleep_for_ever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

int main(int argc, char *argv[])
{
	char out[64] = "", in[64];
	struct iovec out_data = {out, sizeof(out)}, in_data = {in, sizeof(in)};
	struct mm_ipc_msg sent = {.iov = &out_data, .num_iov = 1};
	struct mm_ipc_msg received = {.iov = &in_data, .num_iov = 1, .num_fds_max = 0};
	pthread_t thread;
	int ends[2];

	if (argc != 3)
		return 2;
	if (atoi(argv[2]) > 1)
		require(pthread_create(&thread, NULL, sleep_for_ever, NULL) == 0, "pthread_create");
	require(mm_ipc_connected_pair(ends) == 0, "mm_ipc_connected_pair");
	for (int i = atoi(argv[1]); i > 0; i--) {
		require(mm_ipc_sendmsg(ends[0], &sent) == sizeof(out), "mm_ipc_sendmsg");
		require(mm_ipc_recvmsg(ends[1], &received) == sizeof(in), "mm_ipc_recvmsg");
	}
	return 0;
}
