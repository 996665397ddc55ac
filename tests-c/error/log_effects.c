/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_effects.c: writing a log line has no side effects
 */
#include "endpoints.h"
#include "stderr.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static void fail_and_log(void)
{
	assert_fails(mm_open("/nonexistent", O_RDONLY, 0), ENOENT);
	mm_log_error("a line of the program");
}

/* --- signals and waits -------------------------------------------------------------------------------------------- */

/* Makes the write end of a pipe, or one end of a connection, descriptor 2; returns the other end. */
static int break_stderr(int type)
{
	int ends[2];

	ck_assert_int_eq(type == 0 ? pipe(ends) : socketpair(AF_UNIX, type, 0, ends), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	return ends[0];
}

START_TEST(log_line_to_a_closed_reader_raises_no_signal)
{
	static const int types[] = {0, SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};

	save_stderr();
	for (size_t i = 0; i < MM_NELEM(types); i++) {
		/* SIGPIPE has its default action, which would end the test. */
		close(break_stderr(types[i]));
		fail_and_log();
	}
	restore_stderr();
}
END_TEST

static volatile sig_atomic_t sigpipes;

static void count_sigpipe(int signal)
{
	(void)signal;
	sigpipes++;
}

START_TEST(pending_sigpipe_of_the_program_stays_pending_and_none_is_added)
{
	sigset_t sigpipe, pending, mask;

	save_stderr();
	signal(SIGPIPE, count_sigpipe);
	close(break_stderr(0));
	fail_and_log();
	ck_assert_int_eq(sigpipes, 0);

	sigemptyset(&sigpipe);
	sigaddset(&sigpipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &sigpipe, NULL);
	fail_and_log();
	sigpending(&pending);
	ck_assert_int_eq(sigismember(&pending, SIGPIPE), 0);

	raise(SIGPIPE);
	fail_and_log();
	sigpending(&pending);
	ck_assert_int_eq(sigismember(&pending, SIGPIPE), 1);
	pthread_sigmask(SIG_UNBLOCK, &sigpipe, &mask);
	ck_assert_int_eq(sigismember(&mask, SIGPIPE), 1);
	ck_assert_int_eq(sigpipes, 1);
	restore_stderr();
}
END_TEST

START_TEST(log_line_does_not_wait_for_a_reader)
{
	static const int types[] = {0, SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};

	save_stderr();
	for (size_t i = 0; i < MM_NELEM(types); i++) {
		int reader = break_stderr(types[i]);

		/*
		 * More than a pipe and a socket can hold. If the library blocked, the timeout of the test would end it.
		 */
		for (int k = 0; k < 4000; k++)
			mm_log_error("%0200d", k);
		fail_and_log();

		/* The reader receives only whole lines. */
		char text[512];
		ssize_t size = read(reader, text, sizeof(text));

		ck_assert_int_ge(size, 200);
		ck_assert_ptr_nonnull(memchr(text, '\n', (size_t)size));
		close(reader);
	}
	restore_stderr();
}
END_TEST

/* --- descriptor 2 that is not standard error ---------------------------------------------------------------------- */

/* The other end of the returned descriptor, from which a log line written to it could be read; or -1. */
static int other_end;

/* A listening socket with a client that waits to be accepted. */
static int served_socket(void)
{
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(address);

	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	other_end = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(other_end, (struct sockaddr *)&address, size), 0);
	return listener;
}

/* Every function with which the library returns a descriptor. */
static int by_open(void)
{
	return mm_open("file", O_RDWR | O_CREAT, 0600);
}
static int by_socket(void)
{
	return mm_socket(AF_UNIX, SOCK_DGRAM, 0);
}
static int by_dup(void)
{
	return mm_dup(saved_stderr);
}
static int by_shared_memory(void)
{
	return mm_anon_shm();
}

static int by_named_memory(void)
{
	const char *name = unique_name();
	int fd = mm_shm_open(name, O_RDWR | O_CREAT, 0600);

	mm_shm_unlink(name);
	return fd;
}

/* The second of two descriptors can be 2 if 0 is free for the first. */
static int by_pipe(void)
{
	int ends[2];

	close(STDIN_FILENO);
	ck_assert_int_eq(mm_pipe(ends), 0);
	other_end = ends[0];
	return ends[1];
}

static int by_pair(void)
{
	int ends[2];

	close(STDIN_FILENO);
	ck_assert_int_eq(mm_ipc_connected_pair(ends), 0);
	other_end = ends[0];
	return ends[1];
}

static int by_accept(void)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD, 0), listener = served_socket();

	close(fd);
	return mm_accept(listener, NULL, NULL);
}

static struct mm_ipc_srv *srv;
static const char *srv_name;

static int by_ipc_accept(void)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD, 0);

	other_end = mm_ipc_connect(srv_name);
	close(fd);
	return mm_ipc_srv_accept(srv);
}

static int by_ipc_connect(void)
{
	int fd = mm_ipc_connect(srv_name);

	other_end = mm_ipc_srv_accept(srv);
	return fd;
}

static int passing[2];

static int by_ipc_message(void)
{
	int fd = -1;

	ck_assert_int_eq(mm_ipc_recvmsg(passing[0], one_byte_message(&fd, 1)), 1);
	return fd;
}

static int received_in(const struct msghdr *msg)
{
	int fd;

	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(msg)), sizeof(fd));
	return fd;
}

static int by_message(void)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};

	ck_assert_int_eq(mm_recvmsg(passing[0], &msg, 0), 1);
	return received_in(&msg);
}

static int by_messages(void)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {&byte, 1};
	struct mm_sock_multimsg multi = {
		.msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)}};

	ck_assert_int_eq(mm_recv_multimsg(passing[0], 1, &multi, 0, NULL), 1);
	return received_in(&multi.msg);
}

static const struct way {
	const char *name;
	int (*get)(void);
} ways[] = {
	{"mm_open", by_open},
	{"mm_socket", by_socket},
	{"mm_dup", by_dup},
	{"mm_anon_shm", by_shared_memory},
	{"mm_shm_open", by_named_memory},
	{"mm_pipe", by_pipe},
	{"mm_ipc_connected_pair", by_pair},
	{"mm_accept", by_accept},
	{"mm_ipc_srv_accept", by_ipc_accept},
	{"mm_ipc_connect", by_ipc_connect},
	{"mm_ipc_recvmsg", by_ipc_message},
	{"mm_recvmsg", by_message},
	{"mm_recv_multimsg", by_messages},
};

static off_t size_of(int fd)
{
	struct stat status;

	ck_assert_int_eq(fstat(fd, &status), 0);
	return status.st_size;
}

/* Whether log lines are written to that file. */
static bool is_written_to(int file)
{
	off_t size = size_of(file);

	fail_and_log();
	return size_of(file) > size;
}

static int log_into(void *arg)
{
	const struct way *way = arg;
	struct iovec iov = {"x", 1};
	int memory = mm_anon_shm(), waiting = 0;
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1, .fds = &memory, .num_fds = 1};

	save_stderr();
	ck_assert_int_eq(mm_ipc_connected_pair(passing), 0);
	ck_assert_int_eq(mm_ipc_sendmsg(passing[1], &msg), 1);
	srv_name = unique_name();
	srv = mm_ipc_srv_create(srv_name);
	other_end = -1;
	close(STDERR_FILENO);
	int fd = way->get();

	ck_assert_msg(fd == STDERR_FILENO, "%s gave %d: %s", way->name, fd, mm_get_lasterror_desc());
	ck_assert_msg(!is_written_to(fd), "%s", way->name);
	if (other_end >= 0) {
		ck_assert_int_eq(ioctl(other_end, FIONREAD, &waiting), 0);
		ck_assert_msg(waiting == 0, "%s: %d bytes", way->name, waiting);
	}

	/* The program redirects descriptor 2 by its own calls. */
	int file = open("lines", O_RDWR | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_eq(dup2(file, STDERR_FILENO), STDERR_FILENO);
	ck_assert_msg(is_written_to(file), "%s", way->name);
	mm_ipc_srv_destroy(srv);
	restore_stderr();
	return 0;
}

START_TEST(no_log_line_is_written_to_a_descriptor_that_the_library_returned)
{
	enter_scratch_directory();
	/* Each case runs in a child process, at whose end the kernel closes the descriptors. */
	for (size_t i = 0; i < MM_NELEM(ways); i++)
		assert_child_succeeds(start_child(log_into, (void *)&ways[i]));
	leave_scratch_directory();
}
END_TEST

START_TEST(mm_dup2_and_mm_close_make_descriptor_2_standard_error_again)
{
	enter_scratch_directory();
	save_stderr();
	int file = open("lines", O_RDWR | O_CREAT | O_TRUNC, 0600);

	close(STDERR_FILENO);
	ck_assert_int_eq(mm_dup(file), STDERR_FILENO);
	ck_assert(!is_written_to(file));
	ck_assert_int_eq(mm_dup2(file, STDERR_FILENO), STDERR_FILENO);
	ck_assert(is_written_to(file));

	close(STDERR_FILENO);
	ck_assert_int_eq(mm_dup(file), STDERR_FILENO);
	ck_assert(!is_written_to(file));
	ck_assert_int_eq(mm_close(STDERR_FILENO), 0);
	ck_assert_int_eq(open("lines", O_RDWR | O_APPEND), STDERR_FILENO);
	ck_assert(is_written_to(file));
	close(file);
	restore_stderr();
	leave_scratch_directory();
}
END_TEST

SUITE(log_line_to_a_closed_reader_raises_no_signal, pending_sigpipe_of_the_program_stays_pending_and_none_is_added,
      log_line_does_not_wait_for_a_reader, no_log_line_is_written_to_a_descriptor_that_the_library_returned,
      mm_dup2_and_mm_close_make_descriptor_2_standard_error_again)
