/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.c: servers, their names and their destruction
 */
#include "endpoints.h"

#include <fcntl.h>
#include <sys/resource.h>

START_TEST(client_and_server_are_connected)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);
	int client = connect_to(name);
	int served = accept_from(srv);

	assert_connected(client, served);
	close_all(2, (int[]){client, served});
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(name_in_use_is_rejected)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);

	assert_fails_with_null(mm_ipc_srv_create(name), EADDRINUSE);
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(name_is_free_immediately_after_destroy)
{
	const char *name = unique_name();

	for (int i = 0; i < 100; i++) {
		struct mm_ipc_srv *srv = create(name);
		int client = connect_to(name);

		mm_ipc_srv_destroy(srv);
		close_all(1, &client);
	}
}
END_TEST

START_TEST(name_is_free_while_accepted_connections_exist)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);
	int client = connect_to(name);
	int served = accept_from(srv);

	mm_ipc_srv_destroy(srv);
	srv = create(name);
	assert_connected(client, served);
	assert_connected(served, client);
	mm_ipc_srv_destroy(srv);
	close_all(2, (int[]){client, served});
}
END_TEST

START_TEST(names_have_up_to_107_arbitrary_bytes)
{
	char longest[108], other[108];
	const char *names[] = {"", "with space and / and \\", "\n\x01\x7f", "\xff\xfe\x80", longest};

	memset(longest, 'n', sizeof(longest));
	snprintf(longest, 40, "%s", unique_name());
	longest[strlen(longest)] = '-';
	longest[107] = '\0';
	for (size_t i = 0; i < MM_NELEM(names); i++) {
		struct mm_ipc_srv *srv = create(names[i]);
		int client = connect_to(names[i]);
		int served = accept_from(srv);

		assert_connected(client, served);
		close_all(2, (int[]){client, served});
		mm_ipc_srv_destroy(srv);
	}

	/* The last byte is significant. */
	strcpy(other, longest);
	other[106] = 'o';
	struct mm_ipc_srv *first = create(longest), *second = create(other);

	mm_ipc_srv_destroy(first);
	mm_ipc_srv_destroy(second);
}
END_TEST

START_TEST(name_that_is_too_long_is_rejected)
{
	static const size_t lengths[] = {108, 109, 256, 4096, 1 << 20};

	for (size_t i = 0; i < MM_NELEM(lengths); i++) {
		char *name = malloc(lengths[i] + 1);

		memset(name, 'n', lengths[i]);
		name[lengths[i]] = '\0';
		assert_fails_with_null(mm_ipc_srv_create(name), ENAMETOOLONG);
		free(name);
	}
}
END_TEST

START_TEST(null_is_rejected_or_ignored)
{
	assert_fails_with_null(mm_ipc_srv_create(NULL), EINVAL);
	assert_fails(mm_ipc_srv_accept(NULL), EINVAL);
	errno = EBUSY;
	mm_ipc_srv_destroy(NULL);
	ck_assert_int_eq(errno, EBUSY);
}
END_TEST

START_TEST(destroy_leaves_errno_and_the_error_state_unchanged)
{
	struct mm_ipc_srv *srv = create(unique_name());

	mm_raise_error(ENOENT, "kept");
	errno = EBUSY;
	mm_ipc_srv_destroy(srv);
	ck_assert_int_eq(errno, EBUSY);
	ck_assert_str_eq(mm_get_lasterror_desc(), "kept");
}
END_TEST

START_TEST(destroy_resets_pending_connections)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);
	int clients[3];
	char byte = 0;

	for (int i = 0; i < 3; i++)
		clients[i] = connect_to(name);
	ck_assert_int_eq(mm_write(clients[2], "x", 1), 1);
	mm_ipc_srv_destroy(srv);
	for (int i = 0; i < 3; i++) {
		struct iovec iov = {&byte, 1};
		struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1};

		assert_fails(mm_ipc_recvmsg(clients[i], &msg), ECONNRESET);
		assert_fails(mm_ipc_sendmsg(clients[i], &msg), EPIPE);
	}
	close_all(3, clients);
}
END_TEST

START_TEST(accept_returns_the_lowest_descriptor)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);
	int client = connect_to(name);
	int spare = dup(0);
	int other = dup(0);

	close(spare);
	ck_assert_int_eq(accept_from(srv), spare);
	close_all(3, (int[]){client, spare, other});
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(accepted_descriptors_are_inheritable_and_blocking)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);
	int client = connect_to(name);
	int served = accept_from(srv);

	ck_assert_int_eq(fcntl(served, F_GETFD), 0);
	ck_assert_int_eq(fcntl(served, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fcntl(client, F_GETFD), 0);
	ck_assert_int_eq(fcntl(client, F_GETFL) & O_NONBLOCK, 0);
	close_all(2, (int[]){client, served});
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(listener_is_not_inherited_by_a_program)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);
	pid_t child = fork();

	if (child == 0) {
		execlp("sleep", "sleep", "60", (char *)NULL);
		_exit(127);
	}
	/* execve() has replaced the process image once the child's /proc entry shows another program. */
	char exe[64], self[256] = "", target[256] = "";

	ck_assert_int_gt(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
	snprintf(exe, sizeof(exe), "/proc/%d/exe", (int)child);
	do {
		memset(target, 0, sizeof(target));
		ck_assert_int_gt(readlink(exe, target, sizeof(target) - 1), 0);
		sleep_ms(1);
	} while (strstr(target, "sleep") == NULL);
	mm_ipc_srv_destroy(srv);
	srv = create(name);
	mm_ipc_srv_destroy(srv);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}
END_TEST

START_TEST(destroy_releases_threads_blocked_in_accept)
{
	struct acceptor acceptors[4] = {{0}};
	pthread_t threads[4];
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);

	for (int i = 0; i < 4; i++) {
		acceptors[i].srv = srv;
		threads[i] = start_acceptor(&acceptors[i]);
	}
	mm_ipc_srv_destroy(srv);
	for (int i = 0; i < 4; i++) {
		join_thread(threads[i]);
		ck_assert_int_eq(acceptors[i].result, -1);
		ck_assert_int_eq(acceptors[i].error, ECANCELED);
		ck_assert_ptr_nonnull(strstr(acceptors[i].location, "mm_ipc_srv_accept() in "));
	}
	/* When the last of them has returned, the name is free. */
	srv = create(name);
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(accept_is_interrupted_by_a_signal)
{
	struct mm_ipc_srv *srv = create(unique_name());
	pthread_t interrupter = start_interrupting();

	assert_fails(mm_ipc_srv_accept(srv), EINTR);
	stop_interrupting(interrupter);
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(accept_without_a_free_descriptor_is_emfile_and_keeps_the_connection)
{
	struct rlimit limit, none;
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);
	int client = connect_to(name);

	getrlimit(RLIMIT_NOFILE, &limit);
	none = limit;
	none.rlim_cur = (rlim_t)dup(0);
	close((int)none.rlim_cur);
	setrlimit(RLIMIT_NOFILE, &none);
	assert_fails_with_null(mm_ipc_srv_create(unique_name()), EMFILE);
	assert_fails(mm_ipc_connect(name), EMFILE);
	/*
	 * Valgrind implements the limit itself: it lets the kernel accept and then closes the descriptor, and does not
	 * limit pairs.
	 */
	if (!is_under_valgrind()) {
		assert_fails(mm_ipc_srv_accept(srv), EMFILE);
		assert_fails(mm_ipc_connected_pair((int[2]){0}), EMFILE);
	}
	setrlimit(RLIMIT_NOFILE, &limit);

	int served = accept_from(srv);

	assert_connected(client, served);
	close_all(2, (int[]){client, served});
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(thousands_of_connections_can_wait)
{
	enum { COUNT = 1000 };
	static int clients[COUNT];
	struct rlimit limit;
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);
	int count;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (count = 0; count < COUNT && (rlim_t)count + 64 < limit.rlim_cur; count++)
		clients[count] = connect_to(name);
	ck_assert_int_gt(count, 6);
	for (int i = 0; i < count; i++) {
		int served = accept_from(srv);

		assert_connected(clients[i], served);
		close_all(2, (int[]){clients[i], served});
	}
	mm_ipc_srv_destroy(srv);
}
END_TEST

SUITE(client_and_server_are_connected, name_in_use_is_rejected, name_is_free_immediately_after_destroy,
      name_is_free_while_accepted_connections_exist, names_have_up_to_107_arbitrary_bytes,
      name_that_is_too_long_is_rejected, null_is_rejected_or_ignored,
      destroy_leaves_errno_and_the_error_state_unchanged, destroy_resets_pending_connections,
      accept_returns_the_lowest_descriptor, accepted_descriptors_are_inheritable_and_blocking,
      listener_is_not_inherited_by_a_program, destroy_releases_threads_blocked_in_accept,
      accept_is_interrupted_by_a_signal, accept_without_a_free_descriptor_is_emfile_and_keeps_the_connection,
      thousands_of_connections_can_wait)
