/*
 * log_effects.c: a log line has no effect but the line
 */
#include "suite.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

/* Tests of the log want lines, which the suite turns off. */
static int saved_stderr;

static void save_stderr(void)
{
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100);
	mm_log_set_maxlvl(MM_LOG_DEBUG);
}

static void restore_stderr(void)
{
	mm_log_set_maxlvl(MM_LOG_NONE);
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
}

static void fail_and_log(void)
{
	assert_fails(mm_open("/nonexistent", O_RDONLY, 0), ENOENT);
	mm_log_error("a line of the program");
}

/* --- signals and waits --------------------------------------------------------------------------------------------------- */

/* Makes the write end of a pipe, or one end of a connection, descriptor 2; its other end is returned. */
static int break_stderr(int type)
{
	int ends[2];

	ck_assert_int_eq(type == 0 ? pipe(ends) : socketpair(AF_UNIX, type, 0, ends), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	return ends[0];
}

START_TEST(a_line_for_a_reader_that_is_gone_raises_no_signal)
{
	static const int types[] = {0, SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};

	save_stderr();
	for (size_t i = 0; i < MM_NELEM(types); i++) {
		/* SIGPIPE has its default action, which ends the test. */
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

START_TEST(a_sigpipe_of_the_program_stays_pending_and_none_is_added)
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

START_TEST(a_line_does_not_wait_for_a_reader)
{
	static const int types[] = {0, SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};

	save_stderr();
	for (size_t i = 0; i < MM_NELEM(types); i++) {
		int reader = break_stderr(types[i]);

		/* More than a pipe and a socket hold. The time-out of the test ends a wait. */
		for (int k = 0; k < 4000; k++)
			mm_log_error("%0200d", k);
		fail_and_log();

		/* What is there consists of whole lines. */
		char text[512];
		ssize_t size = read(reader, text, sizeof(text));

		ck_assert_int_ge(size, 200);
		ck_assert_ptr_nonnull(memchr(text, '\n', (size_t)size));
		close(reader);
	}
	restore_stderr();
}
END_TEST

/* --- expected outcomes --------------------------------------------------------------------------------------------------- */

static int lines[2];

static void collect_lines(void)
{
	save_stderr();
	ck_assert_int_eq(pipe2(lines, O_NONBLOCK | O_CLOEXEC), 0);
	dup2(lines[1], STDERR_FILENO);
}

static void stop_collecting(void)
{
	restore_stderr();
	close_all(2, lines);
}

static const char *collected(void)
{
	static char text[4096];
	ssize_t size = read(lines[0], text, sizeof(text) - 1);

	text[size > 0 ? size : 0] = '\0';
	return text;
}

/* The call fails with that error, and no line is logged. */
#define assert_fails_silently(call, error)                                      \
	do {                                                                    \
		assert_fails(call, error);                                      \
		ck_assert_str_eq(collected(), "");                              \
	} while (0)

#define assert_fails_loudly(call, error)                                        \
	do {                                                                    \
		assert_fails(call, error);                                      \
		ck_assert_ptr_nonnull(strstr(collected(), " ERROR mmlib "));    \
	} while (0)

/* A message of one byte, with capacity for that many descriptors. */
static struct mm_ipc_msg *message(int *fds, int max)
{
	static char byte;
	static struct iovec iov = {&byte, 1};
	static struct mm_ipc_msg msg;

	msg = (struct mm_ipc_msg){.iov = &iov, .num_iov = 1, .fds = fds, .num_fds_max = max};
	return &msg;
}

START_TEST(a_call_that_would_wait_is_not_logged)
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
	assert_fails_silently(mm_ipc_recvmsg(ends[0], message(NULL, 0)), EAGAIN);
	assert_fails_silently(mm_ipc_recvmsg(ends[0], message(&fd, 1)), EAGAIN);
	assert_fails_silently(mm_read(ends[0], &byte, 1), EAGAIN);
	assert_fails_silently(mm_recv(ends[0], &byte, 1, 0), EAGAIN);
	assert_fails_silently(mm_recvmsg(ends[0], &msg, 0), EAGAIN);
	assert_fails_silently(mm_recv_multimsg(ends[0], 1, &multi, 0, NULL), EAGAIN);
	while (send(ends[0], "x", 1, 0) == 1)
		;
	assert_fails_silently(mm_ipc_sendmsg(ends[0], message(NULL, 0)), EAGAIN);
	assert_fails_silently(mm_write(ends[0], "x", 1), EAGAIN);
	assert_fails_silently(mm_send(ends[0], "x", 1, 0), EAGAIN);
	assert_fails_silently(mm_sendmsg(ends[0], &msg, 0), EAGAIN);
	assert_fails_silently(mm_send_multimsg(ends[0], 1, &multi, 0), EAGAIN);

	/* A time-out is the same. */
	int milliseconds = 1;

	ck_assert_int_eq(mm_setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &milliseconds, sizeof(milliseconds)), 0);
	while (recv(ends[1], &byte, 1, MSG_DONTWAIT) == 1)
		;
	assert_fails_silently(mm_ipc_recvmsg(ends[1], message(NULL, 0)), EAGAIN);
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

START_TEST(the_end_of_a_stream_is_not_logged)
{
	int ends[2], fd;

	collect_lines();
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(mm_ipc_connected_pair(ends), 0);
		close(ends[1]);
		assert_fails_silently(mm_ipc_recvmsg(ends[0], message(i == 0 ? NULL : &fd, i)), EPIPE);
		/* To send to nobody is a failure. */
		assert_fails_loudly(mm_ipc_sendmsg(ends[0], message(NULL, 0)), EPIPE);
		close_all(1, ends);
	}
	stop_collecting();
}
END_TEST

static void interrupt(int signal)
{
	(void)signal;
}

START_TEST(an_interrupted_call_is_not_logged)
{
	struct sigaction action = {.sa_handler = interrupt};
	int ends[2];
	char byte;
	struct pollfd none = {.fd = -1};

	collect_lines();
	sigaction(SIGUSR1, &action, NULL);
	ck_assert_int_eq(mm_ipc_connected_pair(ends), 0);
	pthread_t interrupter = start_interrupting();

	assert_fails(mm_ipc_recvmsg(ends[0], message(NULL, 0)), EINTR);
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
	assert_fails_loudly(mm_ipc_recvmsg(-1, message(NULL, 0)), EBADF);
	assert_fails_loudly(mm_ipc_sendmsg(-1, message(NULL, 0)), EBADF);
	assert_fails_loudly(mm_read(-1, NULL, 0), EBADF);
	assert_fails_loudly(mm_accept(-1, NULL, NULL), EBADF);
	/* Of whatever number, as the program wants it. */
	mm_raise_error(EAGAIN, "of the program");
	ck_assert_ptr_nonnull(strstr(collected(), "of the program"));
	mm_raise_error(EINTR, "of the program");
	ck_assert_ptr_nonnull(strstr(collected(), "of the program"));
	stop_collecting();
}
END_TEST

/* --- descriptor 2 that is not standard error ----------------------------------------------------------------------------- */

/* The other end of what a way returns, from which a line that was written to it could be read; or -1. */
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

/* Every way in which the library returns a descriptor. */
static int by_open(void) { return mm_open("file", O_RDWR | O_CREAT, 0600); }
static int by_socket(void) { return mm_socket(AF_UNIX, SOCK_DGRAM, 0); }
static int by_dup(void) { return mm_dup(saved_stderr); }
static int by_shared_memory(void) { return mm_anon_shm(); }

static int by_named_memory(void)
{
	const char *name = unique_name();
	int fd = mm_shm_open(name, O_RDWR | O_CREAT, 0600);

	mm_shm_unlink(name);
	return fd;
}

/* The second of two descriptors gets number 2 if the first can get 0. */
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

	ck_assert_int_eq(mm_ipc_recvmsg(passing[0], message(&fd, 1)), 1);
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
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};

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

/* Whether log lines reach that file. */
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

	/* The program redirects it by calls of its own. */
	int file = open("lines", O_RDWR | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_eq(dup2(file, STDERR_FILENO), STDERR_FILENO);
	ck_assert_msg(is_written_to(file), "%s", way->name);
	mm_ipc_srv_destroy(srv);
	restore_stderr();
	return 0;
}

START_TEST(no_line_is_written_into_what_the_library_returned)
{
	enter_scratch_directory();
	/* Each in a process of its own, which leaves its descriptors to the kernel. */
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

/* --- forked children ----------------------------------------------------------------------------------------------------- */

static volatile bool stops;

/* Keeps the lock of the C library's time zone busy, as any program may. */
static void *ask_for_the_time(void *arg)
{
	(void)arg;
	while (!stops) {
		time_t now = time(NULL);
		struct tm time;

		localtime_r(&now, &time);
	}
	return NULL;
}

static pid_t fork_by_clone(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

/* A child made in that way logs, and ends in time. */
static void assert_child_logs(pid_t (*make)(void))
{
	pid_t child = make();

	if (child == 0) {
		mm_open("/nonexistent", O_RDONLY, 0);
		_exit(mm_get_lasterror_number() == ENOENT ? 0 : 1);
	}
	int64_t start = now_ms();
	int status;

	while (waitpid(child, &status, WNOHANG) == 0) {
		ck_assert_msg(now_ms() - start < 20000, "a child hangs in a log line");
		usleep(20);
	}
	ck_assert_int_eq(status, 0);
}

START_TEST(a_child_forked_beside_threads_that_ask_for_the_time_can_log)
{
	pthread_t threads[2];

	/* It does not know the lock of the C library. */
	if (is_under_helgrind())
		return;
	int null = open("/dev/null", O_WRONLY), rounds = is_instrumented() ? 20 : 300;

	save_stderr();
	dup2(null, STDERR_FILENO);
	for (int i = 0; i < 2; i++)
		threads[i] = start_thread(ask_for_the_time, NULL);
	/* A raw clone() calls no handler: its child knows of the fork if the parent has logged before. */
	mm_log_error("a line");
	for (int i = 0; i < rounds; i++) {
		assert_child_logs(fork);
		if (!is_under_valgrind())
			assert_child_logs(fork_by_clone);
	}
	stops = true;
	for (int i = 0; i < 2; i++)
		join_thread(threads[i]);
	close(null);
	restore_stderr();
}
END_TEST

static void *wait_for_the_end(void *arg)
{
	while (!stops)
		sleep_ms(1);
	return arg;
}

/* The difference in minutes between the stamp of the next line and UTC, rounded. */
static int offset_of_stamp(void)
{
	struct tm stamp = {0};
	const char *end = strptime(collected(), "%d/%m/%y %H:%M:%S ", &stamp);

	ck_assert_ptr_nonnull(end);
	return (int)((timegm(&stamp) - time(NULL) + 30 + 86400 * 2) / 60) - 2880;
}

static void assert_offset_in_child(pid_t (*make)(void), int expected)
{
	pid_t child = make();
	int status;

	if (child == 0) {
		mm_log_error("a line");
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(offset_of_stamp(), expected);
}

static int check_stamps_of_children(void *logs_first)
{
	setenv("TZ", "<+0545>-5:45", 1);
	tzset();
	collect_lines();
	if (logs_first != NULL) {
		mm_log_error("a line");
		ck_assert_int_eq(offset_of_stamp(), 345);
	}
	pthread_t thread = start_thread(wait_for_the_end, NULL);

	assert_offset_in_child(fork, 345);
	if (logs_first != NULL && !is_under_valgrind())
		assert_offset_in_child(fork_by_clone, 345);
	stops = true;
	join_thread(thread);
	stop_collecting();
	return 0;
}

START_TEST(the_stamps_of_forked_children_are_the_local_time)
{
	assert_child_succeeds(start_child(check_stamps_of_children, NULL));
	assert_child_succeeds(start_child(check_stamps_of_children, ""));
}
END_TEST

static int check_stamps_of_daemon(void *arg)
{
	/* A child of a program with one thread asks the C library by itself: it lives for long. */
	setenv("TZ", "UTC", 1);
	tzset();
	collect_lines();
	mm_log_error("a line");
	ck_assert_int_eq(offset_of_stamp(), 0);
	pid_t child = fork();
	int status;

	if (child == 0) {
		setenv("TZ", "<-0330>3:30", 1);
		tzset();
		mm_log_error("a line");
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(offset_of_stamp(), -210);
	stop_collecting();
	(void)arg;
	return 0;
}

START_TEST(a_daemon_follows_its_time_zone)
{
	assert_child_succeeds(start_child(check_stamps_of_daemon, NULL));
}
END_TEST

SUITE(a_line_for_a_reader_that_is_gone_raises_no_signal, a_sigpipe_of_the_program_stays_pending_and_none_is_added,
      a_line_does_not_wait_for_a_reader, a_call_that_would_wait_is_not_logged, the_end_of_a_stream_is_not_logged,
      an_interrupted_call_is_not_logged, eagain_of_a_call_that_never_waits_is_logged, other_failures_are_logged,
      no_line_is_written_into_what_the_library_returned, mm_dup2_and_mm_close_make_descriptor_2_standard_error_again,
      a_child_forked_beside_threads_that_ask_for_the_time_can_log, the_stamps_of_forked_children_are_the_local_time,
      a_daemon_follows_its_time_zone)
