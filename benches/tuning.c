/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tuning.c: what a program can do for more throughput: a larger buffer of the socket, and several messages in one call
 *
 * Messages go one way, from one process to another, which does nothing with them. In alternating runs: with the default
 * size of the buffer and with SO_SNDBUF of 512 KiB; by mm_ipc_sendmsg(), and by mm_send_multimsg() and
 * mm_recv_multimsg() with 32 messages each.
 *
 * usage: tuning [ROUNDS]
 */
#include "bench.h"

#include <mmsysio.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_ROUNDS 101
#define BATCH 32
#define MOST_BYTES (128 * 1024)
#define BYTES_OF_BUFFER (512 * 1024)

static char buffer[MOST_BYTES];

/* An alternative, measured beside the line before it. */
static struct way {
	const char *title;
	size_t size;
	bool has_large_buffer, is_batched;
	int count;
	double rates[2][MOST_ROUNDS];
} ways[] = {
	{.title = "mm_ipc_sendmsg", .size = 131072, .count = 3200},
	{.title = "the same, SO_SNDBUF 512 KiB", .size = 131072, .has_large_buffer = true, .count = 3200},
	{.title = "mm_ipc_sendmsg", .size = 16384, .count = 12800},
	{.title = "the same, SO_SNDBUF 512 KiB", .size = 16384, .has_large_buffer = true, .count = 12800},
	{.title = "mm_ipc_sendmsg", .size = 64, .count = 32000},
	{.title = "mm_send_multimsg, 32 messages", .size = 64, .is_batched = true, .count = 32000},
	{.title = "mm_ipc_sendmsg", .size = 1024, .count = 32000},
	{.title = "mm_send_multimsg, 32 messages", .size = 1024, .is_batched = true, .count = 32000},
};
enum { WAYS = sizeof(ways) / sizeof(*ways) };

static void run_on(int processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void transfer_one(int fd, size_t size, bool is_sender)
{
	struct iovec data = {buffer, size};
	struct mm_ipc_msg message = {.iov = &data, .num_iov = 1};
	ssize_t done = is_sender ? mm_ipc_sendmsg(fd, &message) : mm_ipc_recvmsg(fd, &message);

	require(done == (ssize_t)size, "a message");
}

/* What is received has no meaning, so all messages share the buffer. Returns the number of messages. */
static int transfer_batch(int fd, size_t size, bool is_sender)
{
	struct mm_sock_multimsg messages[BATCH] = {{.datalen = 0}};
	struct iovec data = {buffer, size};

	for (int i = 0; i < BATCH; i++) {
		messages[i].msg.msg_iov = &data;
		messages[i].msg.msg_iovlen = 1;
	}
	int done = is_sender ? mm_send_multimsg(fd, BATCH, messages, 0)
	                     : mm_recv_multimsg(fd, BATCH, messages, MSG_WAITFORONE, NULL);

	require(done > 0, "a batch");
	return done;
}

static void transfer_all(const struct way *way, int fd, bool is_sender)
{
	for (int done = 0; done < way->count;) {
		if (way->is_batched) {
			done += transfer_batch(fd, way->size, is_sender);
		} else {
			transfer_one(fd, way->size, is_sender);
			done++;
		}
	}
}

/* Returns the number of messages per second. */
static double measure(const struct way *way, int processor_of_receiver)
{
	int fds[2], bytes = BYTES_OF_BUFFER, status;
	pid_t receiver;
	double start;

	require(mm_ipc_connected_pair(fds) == 0, "mm_ipc_connected_pair");
	if (way->has_large_buffer)
		require(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)) == 0, "SO_SNDBUF");
	fflush(stdout);
	receiver = fork();
	require(receiver >= 0, "fork");
	if (receiver == 0) {
		run_on(processor_of_receiver);
		close(fds[0]);
		transfer_all(way, fds[1], false);
		_exit(0);
	}
	close(fds[1]);
	run_on(0);
	start = now_ns();
	transfer_all(way, fds[0], true);
	require(waitpid(receiver, &status, 0) == receiver && status == 0, "the receiver");
	double seconds = (now_ns() - start) / 1e9;

	close(fds[0]);
	return way->count / seconds;
}

int main(int argc, char *argv[])
{
	int rounds = argc > 1 ? atoi(argv[1]) : 9, processors = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 2 : 1;
	double ratios[MOST_ROUNDS];

	if (rounds < 1 || rounds > MOST_ROUNDS)
		return 2;
	for (int round = 0; round < rounds; round++)
		for (int p = 0; p < processors; p++)
			for (int i = 0; i < WAYS; i++)
				ways[i].rates[p][round] = measure(&ways[i], p);
	printf("| CPUs | bytes | how | messages per second | ratio |\n|---|---|---|---|---|\n");
	for (int p = 0; p < processors; p++) {
		for (int i = 0; i < WAYS; i++) {
			for (int round = 0; round < rounds; round++)
				ratios[round] = ways[i].rates[p][round] / ways[i - i % 2].rates[p][round];
			double ratio = median(ratios, rounds);

			printf("| %d | %zu | %s | %.0f | %.2f |\n", p + 1, ways[i].size, ways[i].title,
			       median(ways[i].rates[p], rounds), ratio);
		}
	}
	return 0;
}
