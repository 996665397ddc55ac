/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handover.c: mm_ipc_srv_from_fd() and mm_ipc_srv_release(): listening sockets of a predecessor, a parent or a service
 * manager
 */
#include "servers.h"

#include <netinet/in.h>
#include <sys/syscall.h>

/* --- descriptors that are rejected -------------------------------------------------------------------------------- */

static void assert_rejected(int fd, int error)
{
	int flags = fcntl(fd, F_GETFD), status = fcntl(fd, F_GETFL), before = count_open_descriptors();

	assert_fails_with_null(mm_ipc_srv_from_fd(fd), error);
	/* It still belongs to the caller, unchanged. */
	ck_assert_int_eq(fcntl(fd, F_GETFD), flags);
	ck_assert_int_eq(fcntl(fd, F_GETFL), status);
	ck_assert_int_eq(count_open_descriptors(), before);
}

static int make_close_on_exec(int fd)
{
	ck_assert_int_eq(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
	return fd;
}

START_TEST(descriptor_that_is_no_listening_socket_is_rejected_and_unchanged)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fds[2], pipes[2];

	enter_scratch_directory();
	for (int is_cloexec = 0; is_cloexec < 2; is_cloexec++) {
		int listed[20], count = 0;

		listed[count++] = open("/dev/null", O_RDWR);
		ck_assert_int_eq(pipe(pipes), 0);
		listed[count++] = pipes[0];
		listed[count++] = pipes[1];
		listed[count++] = open(".", O_RDONLY | O_DIRECTORY);
		listed[count++] = open(".", O_PATH);
		for (int i = 0; i < count; i++)
			assert_rejected(is_cloexec ? make_close_on_exec(listed[i]) : listed[i],
			                i == 4 ? EBADF : ENOTSOCK);
		close_all(count, listed);

		count = 0;
		ck_assert_int_eq(mm_ipc_connected_pair2(fds, 0), 0);
		listed[count++] = fds[0];
		listed[count++] = fds[1];
		listed[count++] = socket(AF_UNIX, SOCK_SEQPACKET, 0);
		listed[count++] = bind_plainly("not-listening", SOCK_SEQPACKET);
		for (int i = 0; i < 2; i++) {
			listed[count] = bind_plainly(types[i] == SOCK_STREAM ? "stream" : "datagram", types[i]);
			if (types[i] == SOCK_STREAM)
				ck_assert_int_eq(listen(listed[count], 1), 0);
			count++;
		}
		listed[count] = socket(AF_INET, SOCK_STREAM, 0);
		ck_assert_int_eq(bind(listed[count], (struct sockaddr *)&address, sizeof(address)), 0);
		ck_assert_int_eq(listen(listed[count++], 1), 0);
		listed[count++] = socket(AF_INET, SOCK_DGRAM, 0);
		for (int i = 0; i < count; i++)
			assert_rejected(is_cloexec ? make_close_on_exec(listed[i]) : listed[i], EINVAL);
		close_all(count, listed);
		unlink("not-listening");
		unlink("stream");
		unlink("datagram");
	}
	assert_rejected(-1, EBADF);
	assert_rejected(INT32_MIN, EBADF);
	assert_rejected(INT32_MAX, EBADF);
	assert_rejected(fds[0], EBADF);
	leave_scratch_directory();
}
END_TEST

START_TEST(lack_of_descriptors_leaves_the_listener_to_the_caller)
{
	struct rlimit limit, few;
	const char *name = unique_name();
	int listener = listen_at_name(name, 0), before = count_open_descriptors();
	struct mm_ipc_srv *srv = NULL;

	/* Valgrind implements the limit itself. */
	if (is_under_valgrind()) {
		close(listener);
		return;
	}
	getrlimit(RLIMIT_NOFILE, &limit);
	few = limit;
	for (int count = 0; srv == NULL; count++) {
		ck_assert_int_lt(count, 5);
		few.rlim_cur = limit_with_free_numbers(count);
		setrlimit(RLIMIT_NOFILE, &few);
		suite_forget_error();
		srv = mm_ipc_srv_from_fd(listener);
		setrlimit(RLIMIT_NOFILE, &limit);
		if (srv == NULL) {
			ck_assert_int_eq(mm_get_lasterror_number(), EMFILE);
			ck_assert_int_eq(count_open_descriptors(), before);
			ck_assert(!is_cloexec(listener));
		}
	}
	assert_serves(srv, (struct place){name, 0});
	mm_ipc_srv_destroy(srv);
	ck_assert_int_eq(count_open_descriptors(), before - 1);
}
END_TEST

/* --- properties of the descriptor --------------------------------------------------------------------------------- */

START_TEST(adopted_descriptor_keeps_its_number_and_whether_it_blocks)
{
	for (int flags = 0; flags <= SOCK_NONBLOCK; flags += SOCK_NONBLOCK) {
		const char *name = unique_name();
		int listener = listen_at_name(name, flags), shared = dup(listener);
		struct mm_ipc_srv *srv = adopt(listener);

		ck_assert_int_eq(mm_ipc_srv_fd(srv), listener);
		ck_assert(is_cloexec(listener));
		ck_assert(!is_cloexec(shared));
		assert_serves(srv, (struct place){name, 0});
		assert_fails(mm_ipc_srv_accept2(srv, 0, 0), EAGAIN);
		assert_fails(mm_ipc_srv_accept2(srv, MM_IPC_NONBLOCK, 20), ETIMEDOUT);
		ck_assert_int_eq(is_nonblocking(shared), flags != 0);
		ck_assert_int_eq(mm_ipc_srv_release(srv), listener);
		ck_assert(is_cloexec(listener));
		ck_assert_int_eq(is_nonblocking(shared), flags != 0);
		close_all(2, (int[]){listener, shared});
	}
}
END_TEST

START_TEST(standard_descriptors_can_be_adopted)
{
	const char *name = unique_name();
	int saved = dup(0), listener = listen_at_name(name, 0);

	ck_assert_int_eq(dup2(listener, 0), 0);
	close(listener);
	struct mm_ipc_srv *srv = adopt(0);

	ck_assert_int_eq(mm_ipc_srv_fd(srv), 0);
	assert_serves(srv, (struct place){name, 0});
	mm_ipc_srv_destroy(srv);
	ck_assert(!is_open(0));
	ck_assert_int_eq(dup2(saved, 0), 0);
	close(saved);
}
END_TEST

START_TEST(destroy_closes_only_its_own_copy)
{
	enter_scratch_directory();
	FOR_EACH_PLACE(place) {
		struct mm_ipc_srv *srv = create_at(place), *other;
		int listener = mm_ipc_srv_release(srv), copy = dup(listener), waiting;

		srv = adopt(listener);
		other = adopt(copy);
		waiting = connect_at(place, 0);
		mm_ipc_srv_destroy(srv);
		ck_assert(!is_open(listener));
		/* The client still waits, and others can connect. */
		int served = accept2_from(other, 0);

		assert_connected(waiting, served);
		assert_serves(other, place);
		if (place.flags == MM_IPC_PATH)
			ck_assert(exists(place.address));
		mm_ipc_srv_destroy(other);
		if (place.flags == MM_IPC_PATH)
			ck_assert(exists(place.address));
		assert_fails(mm_ipc_connect2(place.address, place.flags, 0), ECONNREFUSED);
		close_all(2, (int[]){waiting, served});
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(released_descriptor_is_close_on_exec_and_nonblocking)
{
	enter_scratch_directory();
	FOR_EACH_PLACE(place) {
		int before = count_open_descriptors();
		struct mm_ipc_srv *srv = create_at(place);
		int known = mm_ipc_srv_fd(srv), client = connect_at(place, 0), listener = mm_ipc_srv_release(srv);

		ck_assert_int_eq(listener, known);
		ck_assert(is_cloexec(listener));
		ck_assert(is_nonblocking(listener));
		/* Nothing but the listener and the client is left. */
		ck_assert_int_eq(count_open_descriptors(), before + 2);
		int served = accept(listener, NULL, NULL);

		assert_connected(client, served);
		close_all(3, (int[]){listener, client, served});
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(release_is_ebusy_while_a_thread_accepts_and_works_afterwards)
{
	for (int is_adopted = 0; is_adopted < 2; is_adopted++) {
		const char *name = unique_name();
		struct waiter waiters[2] = {
			{.srv = is_adopted ? adopt(listen_at_name(name, 0)) : create(name), .timeout_ms = -1},
			{.timeout_ms = LONG_MS}};
		struct mm_ipc_srv *srv = waiters[1].srv = waiters[0].srv;
		int known = mm_ipc_srv_fd(srv);

		for (int i = 0; i < 2; i++) {
			pthread_t thread = start_waiter(&waiters[i]);

			for (int k = 0; k < 3; k++)
				assert_fails(mm_ipc_srv_release(srv), EBUSY);
			int client = connect_to(name);

			join_thread(thread);
			assert_connected(client, waiters[i].result);
			close_all(2, (int[]){client, waiters[i].result});
		}
		assert_serves(srv, (struct place){name, 0});
		ck_assert_int_eq(mm_ipc_srv_release(srv), known);
		close_all(1, &known);
	}
}
END_TEST

/* --- handover to a successor -------------------------------------------------------------------------------------- */

enum { CLIENTS = 20, CONNECTIONS = 25 };

/* A client of a program that does not wait: one refused connection is a failure. */
static int connect_without_waiting(void *arg)
{
	struct place *place = arg;
	char byte;

	for (int i = 0; i < CONNECTIONS; i++) {
		int fd = mm_ipc_connect2(place->address, place->flags, 0);

		/* A full queue would be EAGAIN; nothing else may happen. */
		if (fd < 0 && mm_get_lasterror_number() == EAGAIN) {
			i--;
			sleep_ms(1);
			continue;
		}
		ck_assert_msg(fd >= 0, "%s", mm_get_lasterror_desc());
		ck_assert_msg(mm_read(fd, &byte, 1) == 1, "the connection was lost");
		close_all(1, &fd);
	}
	return 0;
}

/* A generation: receives the listener, serves some clients, and sends the listener to its successor. */
static int serve_as_successor(int from, int to, int count)
{
	int listener, fd;
	struct mm_ipc_msg msg;

	ck_assert_int_eq(receive_with(from, &msg, &listener, 1), 1);
	ck_assert_int_eq(msg.num_fds, 1);
	struct mm_ipc_srv *srv = adopt(listener);

	for (int i = 0; i < count; i++) {
		fd = accept2_from(srv, MM_IPC_CLOEXEC);
		ck_assert_int_eq(mm_write(fd, "x", 1), 1);
		close_all(1, &fd);
	}
	listener = mm_ipc_srv_release(srv);
	ck_assert_msg(listener >= 0, "%s", mm_get_lasterror_desc());
	ck_assert_int_eq(send_with(to, "x", &listener, 1), 1);
	close_all(1, &listener);
	return 0;
}

START_TEST(restart_refuses_none_of_20_clients)
{
	enum { GENERATIONS = CLIENTS * CONNECTIONS / 50 };

	enter_scratch_directory();
	FOR_EACH_PLACE(place) {
		int channels[GENERATIONS + 1][2], listener;
		pid_t clients[CLIENTS], successors[GENERATIONS];
		struct mm_ipc_srv *srv = create_at(place);
		struct mm_ipc_msg msg;

		for (int i = 0; i <= GENERATIONS; i++)
			ck_assert_int_eq(mm_ipc_connected_pair2(channels[i], MM_IPC_CLOEXEC), 0);
		/* The first server ends without having served any client. */
		listener = mm_ipc_srv_release(srv);
		ck_assert_int_ge(listener, 0);
		ck_assert_int_eq(send_with(channels[0][0], "x", &listener, 1), 1);
		close_all(1, &listener);
		for (int i = 0; i < CLIENTS; i++)
			clients[i] = start_child(connect_without_waiting, &place);
		for (int i = 0; i < GENERATIONS; i++) {
			successors[i] = fork();
			if (successors[i] == 0)
				_exit(serve_as_successor(channels[i][1], channels[i + 1][0], 50));
		}
		for (int i = 0; i < CLIENTS; i++)
			assert_child_succeeds(clients[i]);
		for (int i = 0; i < GENERATIONS; i++)
			assert_child_succeeds(successors[i]);
		/* The last one has sent it back. */
		ck_assert_int_eq(receive_with(channels[GENERATIONS][1], &msg, &listener, 1), 1);
		srv = adopt(listener);
		assert_serves(srv, place);
		mm_ipc_srv_destroy(srv);
		for (int i = 0; i <= GENERATIONS; i++)
			close_all(2, channels[i]);
	}
	leave_scratch_directory();
}
END_TEST

static int serve_two_and_destroy(void *srv)
{
	for (int i = 0; i < 2; i++) {
		int fd = accept2_from(srv, 0);

		ck_assert_int_eq(mm_write(fd, "x", 1), 1);
		close_all(1, &fd);
	}
	mm_ipc_srv_destroy(srv);
	return 0;
}

START_TEST(workers_that_adopt_one_listener_share_its_clients)
{
	enter_scratch_directory();
	FOR_EACH_PLACE(place) {
		int listener = mm_ipc_srv_release(create_at(place)), fds[8];
		pid_t workers[4];
		char byte;

		for (int i = 0; i < 4; i++) {
			workers[i] = fork();
			if (workers[i] == 0)
				_exit(serve_two_and_destroy(adopt(listener)));
		}
		for (int i = 0; i < 8; i++)
			fds[i] = connect_at(place, 0);
		for (int i = 0; i < 8; i++)
			ck_assert_int_eq(mm_read(fds[i], &byte, 1), 1);
		for (int i = 0; i < 4; i++)
			assert_child_succeeds(workers[i]);
		close_all(8, fds);
		/* The parent can still serve. */
		struct mm_ipc_srv *srv = adopt(listener);

		assert_serves(srv, place);
		mm_ipc_srv_destroy(srv);
	}
	leave_scratch_directory();
}
END_TEST

/* --- service managers --------------------------------------------------------------------------------------------- */

/* This program, started by the service manager with the listener as descriptor 3. No test runs, so it cannot assert. */
static int serve_activated(void)
{
	const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	int status = 1;

	if (count == NULL || strcmp(count, "1") != 0 || pid == NULL || atoi(pid) != getpid())
		return 2;
	struct mm_ipc_srv *srv = mm_ipc_srv_from_fd(3);

	if (srv == NULL)
		return 3;
	int fd = mm_ipc_srv_accept2(srv, MM_IPC_CLOEXEC, LONG_MS);

	if (fd >= 0 && fcntl(3, F_GETFD) == FD_CLOEXEC && mm_write(fd, "activated", 9) == 9 && mm_close(fd) == 0)
		status = 0;
	mm_ipc_srv_destroy(srv);
	return status;
}

MM_CONSTRUCTOR(activated)
{
	if (getenv("LISTEN_FDS") != NULL && getenv("MMSYSIO_TEST_ACTIVATED") != NULL)
		_exit(serve_activated());
}

static int run_service_manager(void *path)
{
	char self[4096] = "";

	ck_assert_int_gt(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
	setenv("MMSYSIO_TEST_ACTIVATED", "1", 1);
	/* It writes what it does there. */
	dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
	execlp("systemd-socket-activate", "systemd-socket-activate", "--seqpacket", "-E", "MMSYSIO_TEST_ACTIVATED",
	       "-E", "LD_LIBRARY_PATH", "-l", path, self, (char *)NULL);
	return errno == ENOENT ? 77 : 1;
}

START_TEST(server_is_activated_by_a_service_manager)
{
	char path[4096], text[16];
	int status, fd;

	enter_scratch_directory();
	ck_assert_ptr_nonnull(getcwd(path, sizeof(path) - 10));
	strcat(path, "/socket");
	pid_t manager = start_child(run_service_manager, path);

	do {
		fd = mm_ipc_connect2(path, MM_IPC_PATH, 100);
		if (waitpid(manager, &status, fd >= 0 ? 0 : WNOHANG) == manager)
			break;
	} while (fd == -1);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		printf("# skipped, since systemd-socket-activate is not installed: a service manager\n");
	} else {
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(status, 0);
		ck_assert_int_eq(mm_read(fd, text, sizeof(text)), 9);
		ck_assert_mem_eq(text, "activated", 9);
		close_all(1, &fd);
	}
	leave_scratch_directory();
}
END_TEST

/* Like a service manager: the socket exists before the program, which inherits it as descriptor 3. */
static int run_activated(void *listener)
{
	char self[4096] = "", pid[16];

	ck_assert_int_gt(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PID", pid, 1);
	setenv("MMSYSIO_TEST_ACTIVATED", "1", 1);
	/* This may replace the descriptor through which assertions are reported. */
	if (*(int *)listener == 3 ? fcntl(3, F_SETFD, 0) != 0 : dup2(*(int *)listener, 3) != 3)
		return 1;
	execl(self, self, (char *)NULL);
	return 1;
}

START_TEST(executed_program_serves_on_an_inherited_listener)
{
	char text[16];

	enter_scratch_directory();
	for (int is_plain = 0; is_plain < 2; is_plain++) {
		int listener = is_plain ? listen_plainly("plain", 8) : mm_ipc_srv_release(create_path("socket", 0600));
		struct place place = {is_plain ? "plain" : "socket", MM_IPC_PATH};
		int client = connect_at(place, 0);
		pid_t child = start_child(run_activated, &listener);

		ck_assert_int_eq(mm_read(client, text, sizeof(text)), 9);
		assert_child_succeeds(child);
		close_all(2, (int[]){client, listener});
	}
	leave_scratch_directory();
}
END_TEST

SUITE(descriptor_that_is_no_listening_socket_is_rejected_and_unchanged,
      lack_of_descriptors_leaves_the_listener_to_the_caller, adopted_descriptor_keeps_its_number_and_whether_it_blocks,
      standard_descriptors_can_be_adopted, destroy_closes_only_its_own_copy,
      released_descriptor_is_close_on_exec_and_nonblocking,
      release_is_ebusy_while_a_thread_accepts_and_works_afterwards, restart_refuses_none_of_20_clients,
      workers_that_adopt_one_listener_share_its_clients, server_is_activated_by_a_service_manager,
      executed_program_serves_on_an_inherited_listener)
