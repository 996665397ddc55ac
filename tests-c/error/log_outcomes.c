/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_outcomes.c: which failures are logged: only those that a program does not expect
 */
#include "endpoints.h"
#include "stderr.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

/* The call fails with that error, and no line is logged. */
#define assert_fails_silently(call, error)         \
	do {                                       \
		assert_fails(call, error);         \
		ck_assert_str_eq(collected(), ""); \
	} while (0)

#define assert_fails_loudly(call, error)                                     \
	do {                                                                 \
		assert_fails(call, error);                                   \
		ck_assert_ptr_nonnull(strstr(collected(), " ERROR mmlib ")); \
	} while (0)

START_TEST(call_that_would_block_is_not_logged)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int ends[2], ready[2], fd;
	char byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct mm_sock_multimsg multi = {.msg = msg};

	collect_lines();
	ck_assert_int_eq(mm_ipc_connected_pair(ends), 0);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	assert_fails_silently(mm_ipc_recvmsg(ends[0], one_byte_message(NULL, 0)), EAGAIN);
	assert_fails_silently(mm_ipc_recvmsg(ends[0], one_byte_message(&fd, 1)), EAGAIN);
	assert_fails_silently(mm_read(ends[0], &byte, 1), EAGAIN);
	assert_fails_silently(mm_recv(ends[0], &byte, 1, 0), EAGAIN);
	assert_fails_silently(mm_recvmsg(ends[0], &msg, 0), EAGAIN);
	assert_fails_silently(mm_recv_multimsg(ends[0], 1, &multi, 0, NULL), EAGAIN);
	while (send(ends[0], "x", 1, 0) == 1)
		;
	assert_fails_silently(mm_ipc_sendmsg(ends[0], one_byte_message(NULL, 0)), EAGAIN);
	assert_fails_silently(mm_write(ends[0], "x", 1), EAGAIN);
	assert_fails_silently(mm_send(ends[0], "x", 1, 0), EAGAIN);
	assert_fails_silently(mm_sendmsg(ends[0], &msg, 0), EAGAIN);
	assert_fails_silently(mm_send_multimsg(ends[0], 1, &multi, 0), EAGAIN);

	/* A timeout is treated in the same way. */
	int milliseconds = 1;

	ck_assert_int_eq(mm_setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &milliseconds, sizeof(milliseconds)), 0);
	while (recv(ends[1], &byte, 1, MSG_DONTWAIT) == 1)
		;
	assert_fails_silently(mm_ipc_recvmsg(ends[1], one_byte_message(NULL, 0)), EAGAIN);
	close_all(2, ends);

	ck_assert_int_eq(mm_pipe(ready), 0);
	fcntl(ready[0], F_SETFL, O_NONBLOCK);
	assert_fails_silently(mm_read(ready[0], &byte, 1), EAGAIN);
	close_all(2, ready);

	int listener = mm_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	ck_assert_int_eq(mm_bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(mm_listen(listener, 1), 0);
	assert_fails_silently(mm_accept(listener, NULL, NULL), EAGAIN);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	fd = mm_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (mm_connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1)
		ck_assert_int_eq(mm_get_lasterror_number(), EINPROGRESS);
	ck_assert_str_eq(collected(), "");
	close_all(2, (int[]){fd, listener});
	stop_collecting();
}
END_TEST

START_TEST(end_of_stream_is_not_logged)
{
	int ends[2], fd;

	collect_lines();
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(mm_ipc_connected_pair(ends), 0);
		close(ends[1]);
		assert_fails_silently(mm_ipc_recvmsg(ends[0], one_byte_message(i == 0 ? NULL : &fd, i)), EPIPE);
		/* Sending to a closed peer is logged. */
		assert_fails_loudly(mm_ipc_sendmsg(ends[0], one_byte_message(NULL, 0)), EPIPE);
		close_all(1, ends);
	}
	stop_collecting();
}
END_TEST

static void interrupt(int signal)
{
	(void)signal;
}

START_TEST(interrupted_call_is_not_logged)
{
	struct sigaction action = {.sa_handler = interrupt};
	int ends[2];
	char byte;
	struct pollfd none = {.fd = -1};

	collect_lines();
	sigaction(SIGUSR1, &action, NULL);
	ck_assert_int_eq(mm_ipc_connected_pair(ends), 0);
	pthread_t interrupter = start_interrupting();

	assert_fails(mm_ipc_recvmsg(ends[0], one_byte_message(NULL, 0)), EINTR);
	assert_fails(mm_read(ends[0], &byte, 1), EINTR);
	assert_fails(mm_poll(&none, 1, 60000), EINTR);
	assert_fails(mm_relative_sleep_ms(60000), EINTR);
	assert_fails(mm_ipc_connect(unique_name()), EINTR);
	stop_interrupting(interrupter);
	ck_assert_str_eq(collected(), "");
	close_all(2, ends);
	stop_collecting();
}
END_TEST

static void exceed_process_limit(void)
{
	struct rlimit none = {0, 0};
	mm_pid_t pid;

	collect_lines();
	setrlimit(RLIMIT_NPROC, &none);
	assert_fails_loudly(mm_spawn(&pid, "/bin/true", 0, NULL, 0, NULL, NULL), EAGAIN);
	stop_collecting();
}

START_TEST(eagain_of_a_call_that_never_waits_is_logged)
{
	if (is_under_valgrind())
		return;
	as_ordinary_user(exceed_process_limit);
}
END_TEST

START_TEST(other_failures_are_logged)
{
	collect_lines();
	assert_fails_loudly(mm_ipc_recvmsg(-1, one_byte_message(NULL, 0)), EBADF);
	assert_fails_loudly(mm_ipc_sendmsg(-1, one_byte_message(NULL, 0)), EBADF);
	assert_fails_loudly(mm_read(-1, NULL, 0), EBADF);
	assert_fails_loudly(mm_accept(-1, NULL, NULL), EBADF);
	/* An error raised by the program is logged whatever its number. */
	mm_raise_error(EAGAIN, "of the program");
	ck_assert_ptr_nonnull(strstr(collected(), "of the program"));
	mm_raise_error(EINTR, "of the program");
	ck_assert_ptr_nonnull(strstr(collected(), "of the program"));
	stop_collecting();
}
END_TEST

SUITE(call_that_would_block_is_not_logged, end_of_stream_is_not_logged, interrupted_call_is_not_logged,
      eagain_of_a_call_that_never_waits_is_logged, other_failures_are_logged)
