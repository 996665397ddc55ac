/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipc_thread.c: mm_ipc_sendmsg and mm_ipc_recvmsg compared with the underlying system calls, in one thread
 *
 * A message is sent through a connected pair and received, in blocks that alternate between the contenders. There are
 * two baselines: send() and recvmsg() with the control buffer that the library provides for the same num_fds_max, the
 * minimum for a receiver of descriptors; and sendmsg() and recvmsg() with a control buffer, the usual code. Prints the
 * median over the blocks of each, and the median of the ratios within a turn.
 *
 * usage: ipc_thread [TURNS]
 */
#include "bench.h"

#include <mmsysio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_TURNS 20001
#define MOST_BYTES (128 * 1024)
#define MOST_SEGMENTS 8
#define MOST_DESCRIPTORS 253

static char out[MOST_BYTES], in[MOST_BYTES];
static struct iovec out_data[MOST_SEGMENTS], in_data[MOST_SEGMENTS];
static int num_buffers, descriptors, fds_sent[MOST_DESCRIPTORS], fds_received[MOST_DESCRIPTORS];
static ssize_t size;
static int ends[2];

static void close_received(int count)
{
	require(count == descriptors, "receiving the descriptors");
	for (int i = 0; i < count; i++)
		close(fds_received[i]);
}

static void exchange_by_library(void)
{
	struct mm_ipc_msg sent = {.iov = out_data, .num_iov = num_buffers, .fds = fds_sent, .num_fds = descriptors};
	struct mm_ipc_msg received = {
		.iov = in_data, .num_iov = num_buffers, .fds = fds_received, .num_fds_max = descriptors};

	require(mm_ipc_sendmsg(ends[0], &sent) == size, "mm_ipc_sendmsg");
	require(mm_ipc_recvmsg(ends[1], &received) == size, "mm_ipc_recvmsg");
	close_received(received.num_fds);
}

static union {
	char bytes[CMSG_SPACE(MOST_DESCRIPTORS * sizeof(int))];
	struct cmsghdr align;
} control;

static void send_header(void)
{
	struct msghdr header = {.msg_iov = out_data, .msg_iovlen = (size_t)num_buffers};

	if (descriptors > 0) {
		header.msg_control = control.bytes;
		header.msg_controllen = CMSG_SPACE((size_t)descriptors * sizeof(int));
		struct cmsghdr *first = CMSG_FIRSTHDR(&header);

		first->cmsg_level = SOL_SOCKET;
		first->cmsg_type = SCM_RIGHTS;
		first->cmsg_len = CMSG_LEN((size_t)descriptors * sizeof(int));
		memcpy(CMSG_DATA(first), fds_sent, (size_t)descriptors * sizeof(int));
	}
	require(sendmsg(ends[0], &header, MSG_NOSIGNAL) == size, "sendmsg");
}

static void receive_header(size_t control_size)
{
	struct msghdr header = {.msg_iov = in_data, .msg_iovlen = (size_t)num_buffers};
	int count = 0;

	if (control_size > 0) {
		header.msg_control = control.bytes;
		header.msg_controllen = control_size;
	}
	require(recvmsg(ends[1], &header, MSG_CMSG_CLOEXEC) == size, "recvmsg");
	struct cmsghdr *first = CMSG_FIRSTHDR(&header);

	if (first != NULL) {
		count = (int)((first->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds_received, CMSG_DATA(first), (size_t)count * sizeof(int));
	}
	close_received(count);
}

/* The same capacity as the library's: no control buffer for no descriptors. */
static size_t control_capacity(void)
{
	return descriptors > 0 ? CMSG_LEN((size_t)descriptors * sizeof(int)) : 0;
}

static void exchange_by_least_calls(void)
{
	if (descriptors > 0 || num_buffers > 1)
		send_header();
	else
		require(send(ends[0], out, (size_t)size, MSG_NOSIGNAL) == size, "send");
	receive_header(control_capacity());
}

static void exchange_by_usual_calls(void)
{
	send_header();
	receive_header(sizeof(control.bytes));
}

enum { OURS, LEAST, USUAL, CONTENDERS };

static struct contender {
	void (*exchange)(void);
	double times[MOST_TURNS];
} contenders[CONTENDERS] = {{.exchange = exchange_by_library},
                            {.exchange = exchange_by_least_calls},
                            {.exchange = exchange_by_usual_calls}};

static double ratio_to(int other, int turns)
{
	static double ratios[MOST_TURNS];

	for (int i = 0; i < turns; i++)
		ratios[i] = contenders[OURS].times[i] / contenders[other].times[i];
	return median(ratios, turns);
}

static void contest(int bytes, int buffers_wanted, int descriptors_wanted, int turns)
{
	int messages = bytes > 16384 || descriptors_wanted > 1 ? 4 : 40;
	double to_least, to_usual;

	size = bytes;
	num_buffers = buffers_wanted;
	descriptors = descriptors_wanted;
	for (int i = 0; i < num_buffers; i++) {
		out_data[i] = (struct iovec){out + i * bytes / num_buffers, (size_t)(bytes / num_buffers)};
		in_data[i] = (struct iovec){in + i * bytes / num_buffers, (size_t)(bytes / num_buffers)};
	}
	/* The first turns are a warm-up. Each contender follows each of the others. */
	for (int turn = -turns / 20 - 1; turn < turns; turn++) {
		for (int i = 0; i < CONTENDERS; i++) {
			int place = turn & 1 ? CONTENDERS - 1 - i : i;
			struct contender *contender = &contenders[(place + turn + CONTENDERS * turns) % CONTENDERS];
			double start = now_ns();

			for (int message = 0; message < messages; message++)
				contender->exchange();
			if (turn >= 0)
				contender->times[turn] = (now_ns() - start) / messages;
		}
	}
	/* Sorting for the median loses the order, so the ratios are computed first. */
	to_least = ratio_to(LEAST, turns);
	to_usual = ratio_to(USUAL, turns);
	printf("| %d | %d | %d | %.0f ns | %.0f ns | %.0f ns | %.3f | %.3f |\n", bytes, num_buffers, descriptors,
	       median(contenders[OURS].times, turns), median(contenders[LEAST].times, turns),
	       median(contenders[USUAL].times, turns), to_least, to_usual);
	fflush(stdout);
}

int main(int argc, char *argv[])
{
	static const int sizes[] = {64, 1024, 16384, MOST_BYTES};
	int turns = argc > 1 ? atoi(argv[1]) : 8001;

	if (turns < 1 || turns > MOST_TURNS)
		return 2;
	require(mm_ipc_connected_pair(ends) == 0, "mm_ipc_connected_pair");
	for (int i = 0; i < MOST_DESCRIPTORS; i++)
		fds_sent[i] = STDERR_FILENO;
	printf("| bytes | buffers | descriptors | mm_ipc | least: send + recvmsg | "
	       "usual: sendmsg + recvmsg, control buffer | ours to least | ours to usual |\n"
	       "|---|---|---|---|---|---|---|---|\n");
	for (int s = 0; s < 4; s++) {
		contest(sizes[s], 1, 0, sizes[s] > 16384 ? turns / 2 + 1 : turns);
		contest(sizes[s], MOST_SEGMENTS, 0, sizes[s] > 16384 ? turns / 2 + 1 : turns);
	}
	contest(64, 1, 1, turns / 2 + 1);
	contest(64, 1, MOST_DESCRIPTORS, turns / 4 + 1);
	return 0;
}
