/* SPDX-License-Identifier: Apache-2.0 */
/*
 * python.c: the protocol, tested with an independent peer
 */
#include "suite.h"

#include <fcntl.h>

static pid_t start_python(const char *role, const char *name)
{
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		execlp("python3", "python3", SOURCE_DIR "/tests-c/ipc/peer.py", role, name, (char *)NULL);
		_exit(127);
	}
	return pid;
}

/* The counterpart of peer.py. */
static void talk(int fd)
{
	char path[] = "/tmp/mmsysio-test-XXXXXX", data[16], content[32];
	struct iovec out[2] = {{"hel", 3}, {"lo", 2}}, in = {data, sizeof(data)};
	int file = mkstemp(path), received = -1;
	struct mm_ipc_msg msg = {.iov = out, .num_iov = 2, .fds = &file, .num_fds = 1};

	unlink(path);
	ck_assert_int_eq(mm_write(file, "content of a file", 17), 17);
	ck_assert_int_eq(mm_ipc_sendmsg(fd, &msg), 5);

	msg = (struct mm_ipc_msg){.iov = &in, .num_iov = 1, .fds = &received, .num_fds_max = 1};
	ck_assert_int_eq(mm_ipc_recvmsg(fd, &msg), 5);
	ck_assert_mem_eq(data, "olleh", 5);
	ck_assert_int_eq(msg.num_fds, 1);
	ck_assert_int_eq(msg.flags, 0);
	ck_assert_int_eq(mm_read(received, content, sizeof(content)), 17);
	ck_assert_mem_eq(content, "content of a file", 17);

	ck_assert_int_eq(mm_ipc_recvmsg(fd, &msg), 0);
	ck_assert_int_eq(msg.flags, 0);
	ck_assert_int_eq(mm_ipc_recvmsg(fd, &msg), sizeof(data));
	ck_assert_int_eq(msg.flags, MSG_TRUNC);
	ck_assert_int_eq(mm_write(fd, "bye", 3), 3);
	ck_assert_int_eq(mm_ipc_recvmsg(fd, &msg), -1);
	ck_assert_int_eq(mm_get_lasterror_number(), EPIPE);
	close_all(2, (int[]){file, received});
}

START_TEST(client_communicates_with_a_python_server_that_starts_later)
{
	const char *name = unique_name();
	pid_t server = start_python("server", name);
	int fd = mm_ipc_connect(name);

	ck_assert_int_ge(fd, 0);
	talk(fd);
	close_all(1, &fd);
	assert_child_succeeds(server);
}
END_TEST

START_TEST(server_communicates_with_a_python_client)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);
	pid_t client = start_python("client", name);
	int fd = mm_ipc_srv_accept(srv);

	ck_assert_int_ge(fd, 0);
	talk(fd);
	close_all(1, &fd);
	mm_ipc_srv_destroy(srv);
	assert_child_succeeds(client);
}
END_TEST

SUITE(client_communicates_with_a_python_server_that_starts_later, server_communicates_with_a_python_client)
