/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_mmipc.c: the functions of mmipc.h for which a system call is denied
 *
 * Each function then succeeds in another way, or fails with the error of the sandbox, which its page lists. It never
 * hangs, and leaves no file descriptor open. Filters cannot be removed, so every case runs in a child process.
 */
#include "suite.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <mmipc.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static const long denied[] = {
	SYS_inotify_init1,
	SYS_inotify_add_watch,
	SYS_timerfd_create,
	SYS_timerfd_settime,
	SYS_flock,
	SYS_renameat2,
	SYS_linkat,
	SYS_fchmod,
	SYS_fchmodat,
	SYS_getsockopt,
	SYS_fcntl,
	SYS_ppoll,
	SYS_clock_nanosleep,
	SYS_clock_gettime,
	SYS_accept4,
	SYS_socketpair,
	SYS_bind,
	SYS_listen,
	SYS_connect,
	SYS_socket,
	SYS_sendto,
	SYS_recvfrom,
	SYS_shutdown,
	SYS_fstat,
	SYS_unlinkat,
#ifdef SYS_renameat
	SYS_renameat,
#endif
#ifdef SYS_newfstatat
	SYS_newfstatat,
#endif
#ifdef SYS_statx
	SYS_statx,
#endif
#ifdef SYS_lstat
	SYS_lstat,
	SYS_stat,
#endif
#ifdef SYS_accept
	SYS_accept,
#endif
#ifdef SYS_poll
	SYS_poll,
#endif
#ifdef SYS_chmod
	SYS_chmod,
#endif
#ifdef SYS_nanosleep
	SYS_nanosleep,
#endif
};

static const char *server_name;

/* What a case uses. It is created before the calls are denied. */
static struct {
	struct mm_ipc_srv *named, *at_path;
	int listener, pair[2];
} given;

static long call_denied;
static int error;

static void deny(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call_denied, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {MM_NELEM(filter), filter};

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/* This needs none of the calls that are denied. */
static int count_open(void)
{
	int count = 0;

	for (int fd = 0; fd < 64; fd++) {
		int copy = dup(fd);

		if (copy != -1) {
			count++;
			close(copy);
		}
	}
	return count;
}

/* Each function returns true if it succeeded. Before it returns, it releases what it got. */

static bool closed(int fd)
{
	return fd >= 0 && close(fd) == 0;
}

static bool destroyed(struct mm_ipc_srv *srv)
{
	if (srv == NULL)
		return false;
	mm_ipc_srv_destroy(srv);
	return true;
}

static bool create_name(void)
{
	return destroyed(mm_ipc_srv_create2(unique_name(), 0, 0));
}

static bool create_path(void)
{
	return destroyed(mm_ipc_srv_create2("new", MM_IPC_PATH, 0600));
}

static bool create_path_with_all_permissions(void)
{
	umask(077);
	return destroyed(mm_ipc_srv_create2("open", MM_IPC_PATH, 0666));
}

static bool replace_leftover(void)
{
	return destroyed(mm_ipc_srv_create2("leftover", MM_IPC_PATH, 0600));
}

static bool adopt(void)
{
	int fd = dup(given.listener), failure;
	bool is_adopted = destroyed(mm_ipc_srv_from_fd(fd));

	/* After a failure, the caller still owns it. */
	failure = errno;
	if (!is_adopted)
		ck_assert_int_eq(close(fd), 0);
	errno = failure;
	return is_adopted;
}

static bool release(void)
{
	int fd = mm_ipc_srv_release(given.named);

	if (fd == -1)
		return false;
	given.named = NULL;
	return close(fd) == 0;
}

static bool get_descriptor(void)
{
	return mm_ipc_srv_fd(given.named) >= 0;
}

static bool accept_name(void)
{
	return closed(mm_ipc_srv_accept2(given.named, MM_IPC_CLOEXEC, -1));
}

static bool accept_path(void)
{
	return closed(mm_ipc_srv_accept2(given.at_path, 0, 0));
}

static bool accept_path_in_time(void)
{
	return closed(mm_ipc_srv_accept2(given.at_path, MM_IPC_NONBLOCK, 5000));
}

/* The successful result is a timeout. */
static bool time_out_accepting(void)
{
	if (!closed(mm_ipc_srv_accept2(given.at_path, 0, 0)))
		return false;
	return mm_ipc_srv_accept2(given.at_path, 0, 30) == -1 && errno == ETIMEDOUT;
}

static bool connect_name(void)
{
	return closed(mm_ipc_connect2(server_name, 0, -1));
}

static bool connect_path(void)
{
	return closed(mm_ipc_connect2("path", MM_IPC_PATH, 5000));
}

static bool time_out_connecting(void)
{
	return mm_ipc_connect2("missing", MM_IPC_PATH, 30) == -1 && errno == ETIMEDOUT;
}

static bool wait_for_path(void)
{
	return closed(mm_ipc_connect2("later", MM_IPC_PATH, 20000));
}

static bool wait_for_name(void)
{
	char name[80];

	snprintf(name, sizeof(name), "%s-later", server_name);
	return closed(mm_ipc_connect2(name, 0, 20000));
}

/* The watch is readable, also if a timer replaces the notification. */
static bool becomes_readable(int fd)
{
	char events[4096];

	if (fd == -1)
		return false;
	/* Without poll() and nanosleep(), which may be denied. */
	int64_t until = now_ms() + 20000;

	while (read(fd, events, sizeof(events)) == -1 && errno == EAGAIN) {
		ck_assert_msg(now_ms() < until, "without system call %ld, a watch is not readable", call_denied);
		sched_yield();
	}
	return close(fd) == 0;
}

static bool watch_path(void)
{
	return becomes_readable(mm_ipc_watch("later", MM_IPC_PATH));
}

static bool watch_name(void)
{
	return closed(mm_ipc_watch(server_name, 0));
}

static bool connect_pair(void)
{
	int fds[2];

	return mm_ipc_connected_pair2(fds, MM_IPC_CLOEXEC) == 0 && close(fds[0]) == 0 && close(fds[1]) == 0;
}

static bool get_peer(void)
{
	struct mm_ipc_peer peer;

	return mm_ipc_get_peer(given.pair[0], &peer, sizeof(peer)) == 0 && peer.pid == getppid();
}

static bool get_pidfd(void)
{
	int fd = mm_ipc_get_peer_pidfd(given.pair[0]);

	return fd == -1 ? errno == ENOPROTOOPT : close(fd) == 0;
}

static const struct operation {
	const char *name;
	bool (*run)(void);
	/* A server starts while it waits. */
	bool needs_server;
} operations[] = {
	{"mm_ipc_srv_create2(name)", create_name, false},
	{"mm_ipc_srv_create2(path)", create_path, false},
	{"mm_ipc_srv_create2(path), umask", create_path_with_all_permissions, false},
	{"mm_ipc_srv_create2(leftover)", replace_leftover, false},
	{"mm_ipc_srv_from_fd", adopt, false},
	{"mm_ipc_srv_release", release, false},
	{"mm_ipc_srv_fd", get_descriptor, false},
	{"mm_ipc_srv_accept2(-1)", accept_name, false},
	{"mm_ipc_srv_accept2(0)", accept_path, false},
	{"mm_ipc_srv_accept2(5000)", accept_path_in_time, false},
	{"mm_ipc_srv_accept2(30)", time_out_accepting, false},
	{"mm_ipc_connect2(name)", connect_name, false},
	{"mm_ipc_connect2(path)", connect_path, false},
	{"mm_ipc_connect2(missing)", time_out_connecting, false},
	{"mm_ipc_connect2(path), later", wait_for_path, true},
	{"mm_ipc_connect2(name), later", wait_for_name, true},
	{"mm_ipc_watch(path)", watch_path, true},
	{"mm_ipc_watch(name)", watch_name, false},
	{"mm_ipc_connected_pair2", connect_pair, false},
	{"mm_ipc_get_peer", get_peer, false},
	{"mm_ipc_get_peer_pidfd", get_pidfd, false},
};

static void make_leftover(void)
{
	int fd = mm_ipc_srv_release(mm_ipc_srv_create2("leftover", MM_IPC_PATH, 0600));

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(close(fd), 0);
}

static void prepare(void)
{
	given.named = mm_ipc_srv_create2(server_name = unique_name(), 0, 0);
	given.at_path = mm_ipc_srv_create2("path", MM_IPC_PATH, 0600);
	make_leftover();
	given.listener = mm_ipc_srv_release(mm_ipc_srv_create2(unique_name(), 0, 0));
	ck_assert_int_eq(mm_ipc_connected_pair2(given.pair, 0), 0);
}

/* One client waits to be accepted. */
static void connect_client(struct mm_ipc_srv *srv, const char *addr, int flags)
{
	int fd;

	while ((fd = mm_ipc_srv_accept2(srv, 0, 0)) != -1)
		ck_assert_int_eq(close(fd), 0);
	ck_assert_int_ge(mm_ipc_connect2(addr, flags, 0), 0);
}

static int perform(void *operation)
{
	const struct operation *this = operation;

	connect_client(given.named, server_name, 0);
	connect_client(given.at_path, "path", MM_IPC_PATH);
	deny();
	int before = count_open();
	bool has_released = given.named == NULL;
	bool has_succeeded = this->run();
	int failure = errno, after = count_open();

	has_released = given.named == NULL && !has_released;
	ck_assert_msg(after == before - has_released, "%s without system call %ld: %d descriptors, then %d", this->name,
	              call_denied, before, after);
	/* If connect() is not permitted, somebody may listen. */
	if (call_denied == SYS_connect && this->run == replace_leftover && failure == EADDRINUSE)
		failure = error;
	ck_assert_msg(has_succeeded || (call_denied != -1 && failure == error),
	              "%s without system call %ld, error %d: errno %d, %s", this->name, call_denied, error, failure,
	              mm_get_lasterror_desc());
	return 0;
}

/* Again and again, because a watch may begin when the server has started. */
static int serve_again_and_again(void *name)
{
	char other[80];

	snprintf(other, sizeof(other), "%s-later", (char *)name);
	for (;;) {
		sleep_ms(20);
		struct mm_ipc_srv *path = mm_ipc_srv_create2("later", MM_IPC_PATH, 0600);
		struct mm_ipc_srv *srv = mm_ipc_srv_create2(other, 0, 0);

		ck_assert_ptr_nonnull(path);
		ck_assert_ptr_nonnull(srv);
		sleep_ms(20);
		mm_ipc_srv_destroy(srv);
		mm_ipc_srv_destroy(path);
	}
}

static void run_all(void)
{
	for (size_t i = 0; i < MM_NELEM(operations); i++) {
		pid_t server = -1;

		if (operations[i].needs_server)
			server = start_child(serve_again_and_again, (void *)server_name);
		assert_child_succeeds(start_child(perform, (void *)&operations[i]));
		if (server != -1) {
			kill(server, SIGKILL);
			waitpid(server, NULL, 0);
		}
		if (!exists("leftover"))
			make_leftover();
	}
}

static void test_with(int number)
{
	/* Valgrind would make these calls for its own purposes, and with AddressSanitizer one error is enough. */
	if (is_under_valgrind() || (is_instrumented() && number != EPERM))
		return;
	enter_scratch_directory();
	prepare();
	error = number;
	/* -1: no call is denied, and everything succeeds. */
	call_denied = -1;
	run_all();
	for (size_t i = 0; i < MM_NELEM(denied); i++) {
		call_denied = denied[i];
		run_all();
	}
	mm_ipc_srv_destroy(given.named);
	mm_ipc_srv_destroy(given.at_path);
	close_all(1, &given.listener);
	close_all(2, given.pair);
	leave_scratch_directory();
}

START_TEST(functions_work_or_fail_if_calls_are_not_permitted)
{
	test_with(EPERM);
}
END_TEST

START_TEST(functions_work_or_fail_if_calls_do_not_exist)
{
	test_with(ENOSYS);
}
END_TEST

START_TEST(functions_work_or_fail_if_calls_are_denied)
{
	test_with(EACCES);
}
END_TEST

SUITE(functions_work_or_fail_if_calls_are_not_permitted, functions_work_or_fail_if_calls_do_not_exist,
      functions_work_or_fail_if_calls_are_denied)
