/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipc_errors.c: the cost of a failing call
 *
 * mm_ipc_recvmsg() on a descriptor that is not open (EBADF), and on a non-blocking one without a message (EAGAIN, which is
 * never logged), compared with recvmsg(), which only sets errno: with the error raised and logged to /dev/null; raised
 * with logging disabled for the thread (MM_ERROR_NOLOG) or for the process (the maximum level); and ignored
 * (MM_ERROR_IGNORE). Runs in alternating blocks; prints medians.
 *
 * usage: ipc_errors [TURNS]
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <mmlog.h>
#include <mmsysio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_TURNS 20001
#define CALLS_OF_A_BLOCK 20
#define CLOSED 1000
#define EMPTY 1001

static char in[64];
static struct iovec data = {in, sizeof(in)};

static void fail_by_kernel(int fd, int error)
{
	struct msghdr header = {.msg_iov = &data, .msg_iovlen = 1};

	require(recvmsg(fd, &header, MSG_CMSG_CLOEXEC) == -1 && errno == error, "recvmsg does not fail as expected");
}

static void fail_by_library(int fd, int error)
{
	struct mm_ipc_msg message = {.iov = &data, .num_iov = 1};

	require(mm_ipc_recvmsg(fd, &message) == -1 && errno == error, "mm_ipc_recvmsg does not fail as expected");
}

static struct contender {
	const char *title;
	void (*fail)(int fd, int error);
	int level, flags;
	double times[MOST_TURNS];
} contenders[] = {
	{.title = "recvmsg, errno", .fail = fail_by_kernel, .level = MM_LOG_NONE},
	{.title = "mm_ipc_recvmsg, ignored (MM_ERROR_IGNORE)",
         .fail = fail_by_library,
         .level = MM_LOG_ERROR,
         .flags = MM_ERROR_IGNORE},
	{.title = "mm_ipc_recvmsg, raised, not logged (MM_ERROR_NOLOG)",
         .fail = fail_by_library,
         .level = MM_LOG_ERROR,
         .flags = MM_ERROR_NOLOG},
	{.title = "mm_ipc_recvmsg, raised, not logged (level MM_LOG_NONE)",
         .fail = fail_by_library,
         .level = MM_LOG_NONE},
	{.title = "mm_ipc_recvmsg, raised, logged to /dev/null (EAGAIN: not logged)",
         .fail = fail_by_library,
         .level = MM_LOG_ERROR},
};
enum { CONTENDERS = sizeof(contenders) / sizeof(*contenders) };

static double run_block(const struct contender *contender, int fd, int error)
{
	double start;

	mm_log_set_maxlvl(contender->level);
	mm_error_set_flags(contender->flags, MM_ERROR_IGNORE | MM_ERROR_NOLOG);
	start = now_ns();
	for (int i = 0; i < CALLS_OF_A_BLOCK; i++)
		contender->fail(fd, error);
	return (now_ns() - start) / CALLS_OF_A_BLOCK;
}

static void measure(int fd, int error, const char *title, int turns)
{
	double base = 0;

	for (int turn = -100; turn < turns; turn++) {
		for (int i = 0; i < CONTENDERS; i++) {
			struct contender *contender = &contenders[(turn + 100 + i) % CONTENDERS];
			double time = run_block(contender, fd, error);

			if (turn >= 0)
				contender->times[turn] = time;
		}
	}
	printf("| failing call (%s) | median | ratio |\n|---|---|---|\n", title);
	for (int i = 0; i < CONTENDERS; i++) {
		double middle = median(contenders[i].times, turns);

		if (i == 0)
			base = middle;
		printf("| %s | %.0f ns | %.2f |\n", contenders[i].title, middle, middle / base);
	}
}

int main(int argc, char *argv[])
{
	int turns = argc > 1 ? atoi(argv[1]) : 2001, pair[2];

	if (turns < 1 || turns > MOST_TURNS)
		return 2;
	/* The destination of the log lines. Errors of the benchmark are reported by the exit status. */
	require(dup2(open("/dev/null", O_WRONLY), STDERR_FILENO) >= 0, "dup2");
	require(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair) == 0 && dup2(pair[0], EMPTY) == EMPTY,
	        "socketpair");
	measure(CLOSED, EBADF, "EBADF", turns);
	printf("\n");
	measure(EMPTY, EAGAIN, "EAGAIN", turns);
	return 0;
}
