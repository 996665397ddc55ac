/* SPDX-License-Identifier: Apache-2.0 */
/*
 * security.c: the credentials of the peer, and privileged programs that must ignore the environment
 */
#include "privileged.h"
#include "suite.h"

#include <sys/socket.h>
#include <sys/stat.h>

enum { NOBODY = 65534 };

static bool is_root(const char *what)
{
	if (geteuid() != 0)
		printf("# skipped, since it requires root: %s\n", what);
	return geteuid() == 0;
}

/* --- two users ---------------------------------------------------------------------------------------------------- */

static const char *name;

static void assert_welcome(bool expected)
{
	char text[16];
	struct iovec iov = {text, sizeof(text)};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1};
	int client = mm_ipc_connect(name);

	ck_assert_int_ge(client, 0);
	ck_assert_int_eq(mm_ipc_recvmsg(client, &msg), expected ? 7 : -1);
	close_all(1, &client);
}

static void assert_refused(void)
{
	assert_welcome(false);
}

START_TEST(example_serves_its_own_user_and_no_other)
{
	char *const argv[] = {"private_server", (char *)(name = unique_name()),
	                      is_root("another user's client") ? "3" : "2", NULL};
	mm_pid_t pid;
	int status;

	ck_assert_int_eq(mm_spawn(&pid, PROGRAMS_DIR "/../examples/private_server", 0, NULL, 0, argv, NULL), 0);
	assert_welcome(true);
	if (geteuid() == 0)
		as_ordinary_user(assert_refused);
	assert_welcome(true);
	ck_assert_int_eq(mm_wait_process(pid, &status), 0);
	ck_assert_int_eq(status, MM_WSTATUS_EXITED);
}
END_TEST

static struct ucred peer_of(int connection)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	ck_assert_int_eq(mm_getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size), 0);
	ck_assert_int_eq(size, sizeof(peer));
	return peer;
}

static void serve_one(void)
{
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);
	int served;
	char byte;

	ck_assert_ptr_nonnull(srv);
	served = mm_ipc_srv_accept(srv);
	ck_assert_int_eq(peer_of(served).uid, 0);
	/* Until the client has checked the credentials. */
	ck_assert_int_eq(mm_read(served, &byte, 1), 1);
	close_all(1, &served);
	mm_ipc_srv_destroy(srv);
}

static int serve_one_as_nobody(void *arg)
{
	(void)arg;
	as_ordinary_user(serve_one);
	return 0;
}

START_TEST(client_can_detect_a_server_of_another_user)
{
	if (!is_root("a server of another user"))
		return;
	name = unique_name();
	pid_t child = start_child(serve_one_as_nobody, NULL);
	int client = mm_ipc_connect(name);
	struct ucred peer = peer_of(client);

	ck_assert_int_eq(peer.uid, NOBODY);
	ck_assert_int_eq(peer.gid, NOBODY);
	ck_assert_int_eq(mm_write(client, "x", 1), 1);
	close_all(1, &client);
	assert_child_succeeds(child);
}
END_TEST

/* --- the environment ---------------------------------------------------------------------------------------------- */

static int exit_code;

static void run_copy(void)
{
	char *const argv[] = {"copy", NULL}, *const envp[] = {"MM_LOG_MAXLEVEL=FATAL", "MMSYSIO_CONNECT_TIMEOUT_MS=0",
	                                                      NULL};
	mm_pid_t pid;
	int status;

	ck_assert_int_eq(mm_spawn(&pid, "./copy", 0, NULL, 0, argv, envp), 0);
	ck_assert_int_eq(mm_wait_process(pid, &status), 0);
	ck_assert_msg((status & ~MM_WSTATUS_CODEMASK) == MM_WSTATUS_EXITED, "status %#x", status);
	exit_code = status & MM_WSTATUS_CODEMASK;
}

static int run_copy_as_nobody(void *arg)
{
	(void)arg;
	ck_assert_int_eq(setresgid(NOBODY, NOBODY, NOBODY), 0);
	ck_assert_int_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
	run_copy();
	return exit_code;
}

START_TEST(environment_of_a_set_user_id_program_is_ignored)
{
	int status;

	enter_scratch_directory();
	ck_assert_int_eq(mm_copy(PROGRAMS_DIR "/privileged", "copy", 0, 0755), 0);
	run_copy();
	ck_assert_int_eq(exit_code, USES_LOG_LEVEL | USES_TIMEOUT);
	if (is_root("a set-user-ID program")) {
		ck_assert_int_eq(chmod("copy", 04755), 0);
		ck_assert_int_ne(waitpid(start_child(run_copy_as_nobody, NULL), &status, 0), -1);
		ck_assert(WIFEXITED(status));
		if (WEXITSTATUS(status) == (USES_LOG_LEVEL | USES_TIMEOUT))
			printf("# skipped, since /tmp is mounted with nosuid: a set-user-ID program\n");
		else
			ck_assert_int_eq(WEXITSTATUS(status), HAS_PRIVILEGES);
	}
	leave_scratch_directory();
}
END_TEST

SUITE(example_serves_its_own_user_and_no_other, client_can_detect_a_server_of_another_user,
      environment_of_a_set_user_id_program_is_ignored)
