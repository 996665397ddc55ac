/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credentials.c: mm_ipc_get_peer() and mm_ipc_get_peer_pidfd()
 */
#include "servers.h"

#include <netinet/in.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

static struct mm_ipc_peer peer_of(int fd)
{
	struct mm_ipc_peer peer;

	memset(&peer, 0xee, sizeof(peer));
	ck_assert_msg(mm_ipc_get_peer(fd, &peer, sizeof(peer)) == 0, "%s", mm_get_lasterror_desc());
	return peer;
}

static void assert_peer(int fd, pid_t pid, uid_t uid, gid_t gid)
{
	struct mm_ipc_peer peer = peer_of(fd);

	ck_assert_int_eq(peer.pid, pid);
	ck_assert_uint_eq(peer.uid, uid);
	ck_assert_uint_eq(peer.gid, gid);
}

static void become_nobody(void)
{
	if (geteuid() == 0)
		ck_assert(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0);
}

/* The user of the test. */
static struct mm_ipc_peer creator;

/* A process that connects, or that serves one client, as another user if possible. Ends when its peer does. */
static int connect_as_nobody(void *arg)
{
	char byte;

	become_nobody();
	int fd = connect_at(*(struct place *)arg, 0);

	assert_peer(fd, creator.pid, creator.uid, creator.gid);
	ck_assert_int_eq(mm_write(fd, "x", 1), 1);
	ck_assert_int_eq(mm_read(fd, &byte, 1), 0);
	return mm_close(fd);
}

static int serve_as_nobody(void *arg)
{
	char byte;

	become_nobody();
	struct mm_ipc_srv *srv = create_at(*(struct place *)arg);

	int fd = accept2_from(srv, 0);

	ck_assert_int_eq(mm_read(fd, &byte, 1), 0);
	mm_ipc_srv_destroy(srv);
	return mm_close(fd);
}

START_TEST(server_sees_its_client)
{
	creator = (struct mm_ipc_peer){getpid(), geteuid(), getegid()};
	enter_scratch_directory();
	FOR_EACH_PLACE(place) {
		struct mm_ipc_srv *srv = mm_ipc_srv_create2(place.address, place.flags, place.flags == 0 ? 0 : 0666);
		pid_t client = start_child(connect_as_nobody, &place);
		int served = accept2_from(srv, 0);
		bool is_root = geteuid() == 0;
		char byte;

		ck_assert_ptr_nonnull(srv);
		ck_assert_int_eq(mm_read(served, &byte, 1), 1);
		assert_peer(served, client, is_root ? NOBODY : geteuid(), is_root ? NOBODY : getegid());
		close_all(1, &served);
		assert_child_succeeds(client);
		mm_ipc_srv_destroy(srv);
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(client_sees_its_server)
{
	enter_scratch_directory();
	FOR_EACH_PLACE(place) {
		pid_t server = start_child(serve_as_nobody, &place);
		int client = connect_at(place, 0);
		bool is_root = geteuid() == 0;

		assert_peer(client, server, is_root ? NOBODY : geteuid(), is_root ? NOBODY : getegid());
		close_all(1, &client);
		assert_child_succeeds(server);
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(pair_sees_the_process_that_created_it)
{
	int fds[2];

	ck_assert_int_eq(mm_ipc_connected_pair2(fds, 0), 0);
	assert_peer(fds[0], getpid(), geteuid(), getegid());
	assert_peer(fds[1], getpid(), geteuid(), getegid());
	/* Also in another process. */
	pid_t parent = getpid(), child = fork();

	if (child == 0) {
		assert_peer(fds[0], parent, geteuid(), getegid());
		_exit(0);
	}
	assert_child_succeeds(child);
	close_all(2, fds);
}
END_TEST

START_TEST(credentials_are_those_of_the_time_of_the_connect)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);
	uid_t uid = geteuid();
	gid_t gid = getegid();
	pid_t child = fork();

	if (child == 0) {
		/* The process passes nothing on, changes its user and ends. */
		connect_to(name);
		become_nobody();
		_exit(0);
	}
	assert_child_succeeds(child);
	int served = accept2_from(srv, 0);

	assert_peer(served, child, uid, gid);
	close_all(1, &served);
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(size_limits_what_is_stored)
{
	struct {
		struct mm_ipc_peer peer;
		unsigned char rest[100];
	} known, stored;
	int fds[2];

	ck_assert_int_eq(mm_ipc_connected_pair2(fds, 0), 0);
	memset(&known, 0, sizeof(known));
	known.peer = peer_of(fds[0]);
	for (size_t size = 1; size <= sizeof(stored); size++) {
		unsigned char *bytes = (unsigned char *)&stored;

		memset(&stored, 0xee, sizeof(stored));
		ck_assert_int_eq(mm_ipc_get_peer(fds[0], &stored.peer, size), 0);
		/* A larger structure has 0 in the fields that this version does not know. */
		ck_assert_mem_eq(&stored, &known, size);
		for (size_t i = size; i < sizeof(stored); i++)
			ck_assert_uint_eq(bytes[i], 0xee);
	}
	close_all(2, fds);
}
END_TEST

START_TEST(invalid_arguments_are_rejected)
{
	struct mm_ipc_peer peer, untouched;
	int fds[2];

	memset(&peer, 0xee, sizeof(peer));
	untouched = peer;
	ck_assert_int_eq(mm_ipc_connected_pair2(fds, 0), 0);
	assert_fails(mm_ipc_get_peer(fds[0], NULL, sizeof(peer)), EFAULT);
	assert_fails(mm_ipc_get_peer(fds[0], NULL, 0), EFAULT);
	assert_fails(mm_ipc_get_peer(fds[0], &peer, 0), EINVAL);
	close_all(2, fds);
	ck_assert_mem_eq(&peer, &untouched, sizeof(peer));
}
END_TEST

static void assert_no_peer(int fd, int error)
{
	struct mm_ipc_peer peer, untouched;

	memset(&peer, 0xee, sizeof(peer));
	untouched = peer;
	assert_fails(mm_ipc_get_peer(fd, &peer, sizeof(peer)), error);
	assert_fails(mm_ipc_get_peer_pidfd(fd), error);
	ck_assert_mem_eq(&peer, &untouched, sizeof(peer));
}

START_TEST(descriptors_without_a_peer_are_rejected)
{
	const char *name = unique_name();
	int null = open("/dev/null", O_RDWR), closed = dup(null);
	int unconnected = socket(AF_UNIX, SOCK_SEQPACKET, 0), datagrams = socket(AF_UNIX, SOCK_DGRAM, 0);
	int tcp = socket(AF_INET, SOCK_STREAM, 0), connected = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	struct mm_ipc_srv *srv = create(name);

	close(closed);
	assert_no_peer(closed, EBADF);
	assert_no_peer(-1, EBADF);
	assert_no_peer(INT32_MIN, EBADF);
	assert_no_peer(null, ENOTSOCK);
	assert_no_peer(unconnected, ENOTCONN);
	assert_no_peer(datagrams, ENOTCONN);
	assert_no_peer(tcp, ENOTCONN);
	ck_assert_int_eq(bind(tcp, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(tcp, 1), 0);
	ck_assert_int_eq(getsockname(tcp, (struct sockaddr *)&address, &size), 0);
	ck_assert_int_eq(connect(connected, (struct sockaddr *)&address, size), 0);
	assert_no_peer(connected, ENOTCONN);
	/* A listener is not connected, although the kernel has recorded its process. */
	assert_no_peer(mm_ipc_srv_fd(srv), ENOTCONN);
	close_all(5, (int[]){null, unconnected, datagrams, tcp, connected});
	mm_ipc_srv_destroy(srv);
}
END_TEST

/* --- process file descriptors ------------------------------------------------------------------------------------- */

/* Whether the kernel supports SO_PEERPIDFD: since Linux 6.5. Only on an older one may the function fail with this. */
static bool has_peer_pidfd(int fd)
{
	struct utsname kernel;
	int major = 0, minor = 0;

	uname(&kernel);
	sscanf(kernel.release, "%d.%d", &major, &minor);
	if (major > 6 || (major == 6 && minor >= 5))
		return true;
	assert_fails(mm_ipc_get_peer_pidfd(fd), ENOPROTOOPT);
	printf("# skipped, since Linux %s is older than 6.5: process file descriptors of peers\n", kernel.release);
	return false;
}

/* The process id in /proc/self/fdinfo. */
static pid_t pid_of_pidfd(int pidfd)
{
	char path[64], line[128];
	int pid = 0;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	FILE *info = fopen(path, "r");

	ck_assert_ptr_nonnull(info);
	while (fgets(line, sizeof(line), info) != NULL)
		sscanf(line, "Pid: %d", &pid);
	fclose(info);
	return pid;
}

static int connect_and_wait(void *arg)
{
	char byte;
	int fd = connect_at(*(struct place *)arg, 0);

	mm_read(fd, &byte, 1);
	pause();
	return 1;
}

START_TEST(pidfd_refers_to_the_peer)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);
	struct place place = {name, 0};
	pid_t child = start_child(connect_and_wait, &place);
	int served = accept2_from(srv, 0), pidfd, status;

	if (has_peer_pidfd(served)) {
		pidfd = mm_ipc_get_peer_pidfd(served);
		ck_assert_msg(pidfd >= 0, "%s", mm_get_lasterror_desc());
		ck_assert(is_cloexec(pidfd));
		ck_assert_int_eq(pid_of_pidfd(pidfd), child);
		ck_assert(!is_readable(pidfd, 0));
		/* It can be signalled, and reports the end of the process. Valgrind does not support the former. */
		if (is_under_valgrind())
			ck_assert_int_eq(kill(child, SIGKILL), 0);
		else
			ck_assert_int_eq(syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0), 0);
		ck_assert(is_readable(pidfd, LONG_MS));
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_int_eq(WTERMSIG(status), SIGKILL);
		if (!is_under_valgrind()) {
			ck_assert_int_eq(syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0), -1);
			ck_assert_int_eq(errno, ESRCH);
		}
		close_all(1, &pidfd);
		/* After the process has ended and was waited for, both are possible. */
		suite_forget_error();
		pidfd = mm_ipc_get_peer_pidfd(served);
		if (pidfd == -1)
			ck_assert(mm_get_lasterror_number() == ESRCH || mm_get_lasterror_number() == EINVAL);
		else
			close_all(1, &pidfd);
	} else {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	close_all(1, &served);
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(pidfd_of_a_server_refers_to_the_process_that_listens)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);
	int client = connect_to(name), pidfd;

	if (has_peer_pidfd(client)) {
		pidfd = mm_ipc_get_peer_pidfd(client);
		ck_assert_int_ge(pidfd, 0);
		ck_assert_int_eq(pid_of_pidfd(pidfd), getpid());
		close_all(1, &pidfd);
	}
	close_all(1, &client);
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(pidfd_without_a_free_number_is_emfile)
{
	struct rlimit limit, none;
	int fds[2];

	ck_assert_int_eq(mm_ipc_connected_pair2(fds, 0), 0);
	if (has_peer_pidfd(fds[0])) {
		getrlimit(RLIMIT_NOFILE, &limit);
		none = limit;
		none.rlim_cur = limit_with_free_numbers(0);
		setrlimit(RLIMIT_NOFILE, &none);
		/* Valgrind keeps some numbers for itself. */
		if (!is_under_valgrind())
			assert_fails(mm_ipc_get_peer_pidfd(fds[0]), EMFILE);
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	close_all(2, fds);
}
END_TEST

SUITE(server_sees_its_client, client_sees_its_server, pair_sees_the_process_that_created_it,
      credentials_are_those_of_the_time_of_the_connect, size_limits_what_is_stored, invalid_arguments_are_rejected,
      descriptors_without_a_peer_are_rejected, pidfd_refers_to_the_peer,
      pidfd_of_a_server_refers_to_the_process_that_listens, pidfd_without_a_free_number_is_emfile)
