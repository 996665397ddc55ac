/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_fork.c: servers of which forked processes have a copy
 */
#include "child.h"
#include "endpoints.h"

#include <sys/socket.h>
#include <sys/un.h>

static int dispose_of_copy(void *srv)
{
	mm_ipc_srv_destroy(srv);
	return 0;
}

START_TEST(forked_child_that_destroys_its_copy_does_not_stop_the_server)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);

	assert_child_succeeds(start_child(dispose_of_copy, srv));
	int client = connect_to(name);
	int served = accept_from(srv);

	assert_connected(client, served);
	close_all(2, (int[]){client, served});
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(no_kind_of_fork_lets_a_child_stop_the_server_of_its_parent)
{
	pid_t (*const kinds[])(void) = {fork, _Fork, fork_by_clone};

	/* valgrind does not support a fork that bypasses the C library. */
	for (size_t i = 0; i < (is_under_valgrind() ? 2 : MM_NELEM(kinds)); i++) {
		const char *name = unique_name();
		struct mm_ipc_srv *srv = create(name);
		pid_t child = kinds[i]();
		int status;

		if (child == 0) {
			mm_ipc_srv_destroy(srv);
			/* A server that the child has created itself belongs to it. */
			srv = mm_ipc_srv_create("mmsysio-test-of-a-raw-child");
			mm_ipc_srv_destroy(srv);
			_exit(srv == NULL);
		}
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_int_eq(status, 0);
		int client = connect_to(name);
		int served = accept_from(srv);

		assert_connected(client, served);
		close_all(2, (int[]){client, served});
		mm_ipc_srv_destroy(srv);
	}
}
END_TEST

/* A client like mmlib's, which does not wait. */
static void assert_refused(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	strcpy(address.sun_path + 1, name);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	close(fd);
}

START_TEST(destroyed_server_rejects_clients_while_a_forked_child_has_a_copy)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);
	pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(0);
	}
	mm_ipc_srv_destroy(srv);
	assert_refused(name);
	/* The name is free when the last copy is closed. */
	suite_forget_error();
	ck_assert_ptr_null(mm_ipc_srv_create(name));
	ck_assert_int_eq(mm_get_lasterror_number(), EADDRINUSE);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	mm_ipc_srv_destroy(create(name));
}
END_TEST

/* Like a daemon: the process that creates the server ends, and its child serves. */
static int daemon_pipe[2];

/* Until the other end of a pipe is closed. */
static void wait_for_end(int fd)
{
	char byte;

	ck_assert_int_eq(read(fd, &byte, 1), 0);
}

static void create_and_leave(const char *name)
{
	struct mm_ipc_srv *srv = create(name);
	int ready[2];

	/* Another child, which also has a copy and does nothing. */
	if (fork() == 0) {
		wait_for_end(daemon_pipe[0]);
		_exit(0);
	}
	ck_assert_int_eq(pipe(ready), 0);
	if (fork() == 0) {
		close(ready[1]);
		/* The creator ends when this function returns, and is then waited for or not. */
		wait_for_end(ready[0]);
		sleep_ms(200);
		int served = mm_ipc_srv_accept(srv);

		mm_write(served, "x", 1);
		mm_ipc_srv_destroy(srv);
		mm_write(served, "y", 1);
		wait_for_end(daemon_pipe[0]);
		_exit(0);
	}
	_exit(0);
}

START_TEST(child_of_a_terminated_creator_stops_the_server_for_all)
{
	for (int is_reaped = 0; is_reaped < 2; is_reaped++) {
		const char *name = unique_name();
		char byte;

		ck_assert_int_eq(pipe(daemon_pipe), 0);
		pid_t creator = fork();

		if (creator == 0) {
			close(daemon_pipe[1]);
			create_and_leave(name);
		}
		close(daemon_pipe[0]);
		if (is_reaped)
			ck_assert_int_eq(waitpid(creator, NULL, 0), creator);
		int client = mm_ipc_connect(name);

		ck_assert_int_eq(mm_read(client, &byte, 1), 1);
		ck_assert_int_eq(mm_read(client, &byte, 1), 1);
		ck_assert_int_eq(byte, 'y');
		/*
		 * Although the idle child has a copy: if the server were not stopped, this client would wait
		 * indefinitely.
		 */
		assert_refused(name);
		close_all(2, (int[]){client, daemon_pipe[1]});
		if (!is_reaped)
			ck_assert_int_eq(waitpid(creator, NULL, 0), creator);
	}
}
END_TEST

static int serve_one(void *srv)
{
	int served = mm_ipc_srv_accept(srv);
	char text[8];
	ssize_t size = mm_read(served, text, sizeof(text));

	mm_ipc_srv_destroy(srv);
	return mm_write(served, text, size) == size && mm_close(served) == 0 ? 0 : 1;
}

START_TEST(forked_child_can_serve_after_its_parent_destroyed_the_server)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);
	pid_t child = start_child(serve_one, srv);
	int client = connect_to(name);
	char text[8];

	ck_assert_int_eq(mm_write(client, "hello", 5), 5);
	ck_assert_int_eq(mm_read(client, text, sizeof(text)), 5);
	assert_child_succeeds(child);
	mm_ipc_srv_destroy(srv);
	close_all(1, &client);
}
END_TEST

static int dispose_and_report(void *srv)
{
	int before = count_open_descriptors();

	mm_ipc_srv_destroy(srv);
	return before - count_open_descriptors() == 1 ? 0 : 1;
}

START_TEST(child_forked_during_a_blocked_accept_releases_its_copy_completely)
{
	const char *name = unique_name();
	struct acceptor acceptor = {.srv = create(name)};
	pthread_t thread = start_acceptor(&acceptor);

	assert_child_succeeds(start_child(dispose_and_report, acceptor.srv));
	int client = connect_to(name);

	join_thread(thread);
	assert_connected(client, acceptor.result);
	close_all(2, (int[]){client, acceptor.result});
	mm_ipc_srv_destroy(acceptor.srv);
}
END_TEST

static int accept_and_destroy_in_child(void *srv)
{
	struct acceptor acceptor = {.srv = srv};
	pthread_t thread = start_acceptor(&acceptor);

	mm_ipc_srv_destroy(srv);
	join_thread(thread);
	return acceptor.error == ECANCELED ? 0 : 1;
}

START_TEST(destroy_releases_threads_of_a_forked_child_blocked_in_accept)
{
	struct mm_ipc_srv *srv = create(unique_name());

	assert_child_succeeds(start_child(accept_and_destroy_in_child, srv));
	mm_ipc_srv_destroy(srv);
}
END_TEST

SUITE(forked_child_that_destroys_its_copy_does_not_stop_the_server,
      no_kind_of_fork_lets_a_child_stop_the_server_of_its_parent,
      destroyed_server_rejects_clients_while_a_forked_child_has_a_copy,
      child_of_a_terminated_creator_stops_the_server_for_all,
      forked_child_can_serve_after_its_parent_destroyed_the_server,
      child_forked_during_a_blocked_accept_releases_its_copy_completely,
      destroy_releases_threads_of_a_forked_child_blocked_in_accept)
