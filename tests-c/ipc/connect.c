/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connect.c: clients that wait for their server
 */
#include "endpoints.h"
#include "slots.h"

#include <fcntl.h>
#include <limits.h>

#define TIMEOUT_VARIABLE "MMSYSIO_CONNECT_TIMEOUT_MS"

/* Accepts that many clients. Each client sends one byte, which is sent back. */
static void serve(struct mm_ipc_srv *srv, int count)
{
	for (int i = 0; i < count; i++) {
		char byte;
		int served = mm_ipc_srv_accept(srv);

		ck_assert_msg(served >= 0, "%s", mm_get_lasterror_desc());
		ck_assert_int_eq(mm_read(served, &byte, 1), 1);
		ck_assert_int_eq(mm_write(served, &byte, 1), 1);
		close_all(1, &served);
	}
}

/* Runs one client; returns 0 if all of it succeeded. */
static int be_client(void *name)
{
	char byte = 'x';
	int fd = mm_ipc_connect(name);

	if (fd < 0 || mm_write(fd, &byte, 1) != 1 || mm_read(fd, &byte, 1) != 1 || byte != 'x')
		return 1;
	return mm_close(fd) == 0 ? 0 : 1;
}

static void *be_client_in_thread(void *name)
{
	return (void *)(intptr_t)be_client(name);
}

START_TEST(connect_waits_for_a_server)
{
	const char *name = unique_name();
	pid_t child = start_child(be_client, (void *)name);

	wait_until_asleep(child);
	struct mm_ipc_srv *srv = create(name);

	serve(srv, 1);
	assert_child_succeeds(child);
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(connect_of_32_processes_waits_for_a_server)
{
	pid_t children[32];
	const char *name = unique_name();

	for (int i = 0; i < 32; i++)
		children[i] = start_child(be_client, (void *)name);
	wait_until_asleep(children[31]);
	struct mm_ipc_srv *srv = create(name);

	serve(srv, 32);
	for (int i = 0; i < 32; i++)
		assert_child_succeeds(children[i]);
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(connect_of_32_threads_waits_for_a_server)
{
	pthread_t threads[32];
	const char *name = unique_name();

	for (int i = 0; i < 32; i++)
		threads[i] = start_thread(be_client_in_thread, (void *)name);
	sleep_ms(50);
	struct mm_ipc_srv *srv = create(name);

	serve(srv, 32);
	for (int i = 0; i < 32; i++)
		ck_assert_ptr_null(join_thread(threads[i]));
	mm_ipc_srv_destroy(srv);
}
END_TEST

static int create_when_parent_waits(void *name)
{
	wait_until_asleep(getppid());
	struct mm_ipc_srv *srv = create(name);

	serve(srv, 1);
	mm_ipc_srv_destroy(srv);
	return 0;
}

/* Until it is killed. */
static int serve_all(void *srv)
{
	serve(srv, INT_MAX);
	return 0;
}

START_TEST(connect_waits_while_servers_are_created_and_destroyed)
{
	const char *name = unique_name();
	pid_t child = start_child(be_client, (void *)name);

	wait_until_asleep(child);
	for (int i = 0; i < 20; i++)
		mm_ipc_srv_destroy(create(name));
	/* A client that connected to one of those servers fails; a new client must not. */
	pid_t other = start_child(be_client, (void *)name);
	struct mm_ipc_srv *srv = create(name);
	pid_t server = start_child(serve_all, srv);

	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	assert_child_succeeds(other);
	ck_assert_int_eq(kill(server, SIGKILL), 0);
	ck_assert_int_eq(waitpid(server, NULL, 0), server);
	mm_ipc_srv_destroy(srv);
}
END_TEST

static int silent_server(void *name)
{
	execlp("python3", "python3", "-c",
	       "import socket, sys\n"
	       "server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
	       "server.bind(b'\\0' + sys.argv[1].encode().ljust(107, b'\\0'))\n"
	       "server.listen(10)\n"
	       "for i in range(4):\n"
	       "    client, _ = server.accept()\n"
	       "    client.send(client.recv(1))\n",
	       name, (char *)NULL);
	return 127;
}

START_TEST(connect_finds_a_server_that_sends_no_wakeup)
{
	pid_t children[4];
	const char *name = unique_name();

	for (int i = 0; i < 4; i++)
		children[i] = start_child(be_client, (void *)name);
	wait_until_asleep(children[3]);
	pid_t server = start_child(silent_server, (void *)name);

	for (int i = 0; i < 4; i++)
		assert_child_succeeds(children[i]);
	assert_child_succeeds(server);
}
END_TEST

/* Datagram sockets on all slots of a name, so that no client gets one. */
static void occupy(const char *name, int sockets[255])
{
	for (unsigned slot = 0; slot < 255; slot++)
		sockets[slot] = occupy_slot(name, slot);
}

START_TEST(connect_finds_a_server_although_all_slots_are_taken)
{
	static int sockets[255];
	const char *name = unique_name();

	occupy(name, sockets);
	pid_t child = start_child(be_client, (void *)name);

	wait_until_asleep(child);
	struct mm_ipc_srv *srv = create(name);

	serve(srv, 1);
	assert_child_succeeds(child);
	mm_ipc_srv_destroy(srv);
	close_all(255, sockets);
}
END_TEST

/* Sends to the first slot of a name, as fast as possible, until killed. */
static int send_spurious_datagrams(void *name)
{
	struct sockaddr_un address = slot_address(name, 0);
	int sender = socket(AF_UNIX, SOCK_DGRAM, 0);

	for (;;)
		sendto(sender, "", 0, MSG_DONTWAIT, (struct sockaddr *)&address, sizeof(address));
	return 0;
}

START_TEST(spurious_datagrams_neither_busy_nor_break_a_waiting_client)
{
	const char *name = unique_name();
	char path[64], line[128];
	pid_t child = start_child(be_client, (void *)name), sender;
	unsigned long long switches = 0;

	wait_until_asleep(child);
	sender = start_child(send_spurious_datagrams, (void *)name);
	sleep_ms(1000);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)child);
	FILE *status = fopen(path, "r");

	ck_assert_ptr_nonnull(status);
	while (fgets(line, sizeof(line), status) != NULL)
		sscanf(line, "voluntary_ctxt_switches: %llu", &switches);
	fclose(status);
	ck_assert_uint_gt(switches, 0);
	ck_assert_uint_lt(switches, 200);

	struct mm_ipc_srv *srv = create(name);

	serve(srv, 1);
	assert_child_succeeds(child);
	mm_ipc_srv_destroy(srv);
	kill(sender, SIGKILL);
	waitpid(sender, NULL, 0);
}
END_TEST

START_TEST(waiting_uses_no_processor_time)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv;
	char path[64], line[128];
	unsigned long long before = 0, after = 0;
	pid_t child = start_child(be_client, (void *)name);

	/* Longer than the time in which the timeouts grow to their maximum. */
	sleep_ms(800);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)child);
	for (int i = 0; i < 2; i++) {
		FILE *status = fopen(path, "r");

		ck_assert_ptr_nonnull(status);
		while (fgets(line, sizeof(line), status) != NULL)
			sscanf(line, "voluntary_ctxt_switches: %llu", i == 0 ? &before : &after);
		fclose(status);
		sleep_ms(i == 0 ? 1000 : 0);
	}
	ck_assert_uint_gt(before, 0);
	ck_assert_uint_le(after - before, 6);
	srv = create(name);
	serve(srv, 1);
	assert_child_succeeds(child);
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(successful_wait_leaves_errno_unchanged)
{
	const char *name = unique_name();
	pid_t server = start_child(create_when_parent_waits, (void *)name);
	char byte = 'x';

	errno = EBUSY;
	int fd = mm_ipc_connect(name);

	ck_assert_int_eq(errno, EBUSY);
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
	ck_assert_int_eq(mm_write(fd, &byte, 1), 1);
	ck_assert_int_eq(mm_read(fd, &byte, 1), 1);
	assert_child_succeeds(server);
	close_all(1, &fd);
}
END_TEST

START_TEST(connect_returns_the_lowest_descriptor_also_after_a_wait)
{
	const char *name = unique_name();
	pid_t server = start_child(create_when_parent_waits, (void *)name);
	int spare = dup(0);
	int other = dup(0);
	char byte = 'x';

	close(spare);
	int fd = mm_ipc_connect(name);

	ck_assert_int_eq(fd, spare);
	ck_assert_int_eq(mm_write(fd, &byte, 1), 1);
	ck_assert_int_eq(mm_read(fd, &byte, 1), 1);
	assert_child_succeeds(server);
	close_all(2, (int[]){fd, other});
}
END_TEST

START_TEST(connect_with_timeout_zero_fails_immediately)
{
	setenv(TIMEOUT_VARIABLE, "0", 1);
	assert_fails(mm_ipc_connect(unique_name()), ECONNREFUSED);
}
END_TEST

START_TEST(connect_fails_when_its_timeout_expires)
{
	setenv(TIMEOUT_VARIABLE, "300", 1);
	int64_t start = now_ms();

	assert_fails(mm_ipc_connect(unique_name()), ETIMEDOUT);
	int64_t waited = now_ms() - start;

	ck_assert_int_ge(waited, 299);
	ck_assert_int_lt(waited, 10000);
	assert_fails(mm_ipc_connect(unique_name()), ETIMEDOUT);
}
END_TEST

START_TEST(connect_fails_when_its_timeout_expires_at_a_full_queue)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0), waiting;
	const char *name = unique_name();

	strcpy(address.sun_path + 1, name);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(listener, 0), 0);
	setenv(TIMEOUT_VARIABLE, "300", 1);
	waiting = mm_ipc_connect(name);
	ck_assert_int_ge(waiting, 0);

	int64_t start = now_ms();

	assert_fails(mm_ipc_connect(name), ETIMEDOUT);
	ck_assert_int_ge(now_ms() - start, 299);
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), "queue of pending connections is full"));

	/* The connection is blocking, and has no timeout. */
	struct timeval timeout;
	socklen_t size = sizeof(timeout);

	ck_assert_int_eq(getsockopt(waiting, SOL_SOCKET, SO_SNDTIMEO, &timeout, &size), 0);
	ck_assert_int_eq(timeout.tv_sec, 0);
	ck_assert_int_eq(timeout.tv_usec, 0);
	ck_assert_int_eq(fcntl(waiting, F_GETFL) & O_NONBLOCK, 0);
	close_all(2, (int[]){waiting, listener});
}
END_TEST

/* A server like mmlib's, whose queue for one connection is full. */
static int full_listener(const char *name, int *waiting)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	strcpy(address.sun_path + 1, name);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(listener, 0), 0);
	*waiting = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	ck_assert_int_eq(connect(*waiting, (struct sockaddr *)&address, sizeof(address)), 0);
	return listener;
}

START_TEST(connect_with_timeout_zero_fails_immediately_at_a_full_queue)
{
	const char *name = unique_name();
	int waiting, listener = full_listener(name, &waiting), open_before = count_open_descriptors();

	setenv(TIMEOUT_VARIABLE, "0", 1);
	int64_t start = now_ms();

	assert_fails(mm_ipc_connect(name), EAGAIN);
	ck_assert_int_lt(now_ms() - start, 10000);
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), "queue of pending connections is full"));
	ck_assert_int_eq(count_open_descriptors(), open_before);
	close_all(2, (int[]){waiting, listener});
}
END_TEST

START_TEST(connect_with_a_timeout_gets_the_place_that_becomes_free_in_a_full_queue)
{
	const char *name = unique_name();
	int waiting, listener = full_listener(name, &waiting);

	setenv(TIMEOUT_VARIABLE, "60000", 1);
	pid_t child = start_child(be_client, (void *)name);

	sleep_ms(100);
	int first = accept(listener, NULL, NULL), second = accept(listener, NULL, NULL);
	char byte;

	ck_assert_int_eq(read(second, &byte, 1), 1);
	ck_assert_int_eq(write(second, &byte, 1), 1);
	assert_child_succeeds(child);
	close_all(4, (int[]){waiting, listener, first, second});
}
END_TEST

/* --- stopped and continued ---------------------------------------------------------------------------------------- */

/* A client that is stopped and continued, without a signal handler, keeps waiting until it is served. */
static void stop_and_continue(pid_t child)
{
	sleep_ms(100);
	for (int i = 0; i < 5; i++) {
		kill(child, SIGSTOP);
		sleep_ms(10);
		kill(child, SIGCONT);
		sleep_ms(10);
	}
	ck_assert_int_eq(waitpid(child, NULL, WNOHANG), 0);
}

START_TEST(client_that_is_stopped_and_continued_keeps_waiting)
{
	static const char *const timeouts[] = {NULL, "60000"};

	for (size_t i = 0; i < MM_NELEM(timeouts); i++) {
		const char *name = unique_name();

		if (timeouts[i] != NULL)
			setenv(TIMEOUT_VARIABLE, timeouts[i], 1);
		/* For a server that does not listen yet. */
		pid_t child = start_child(be_client, (void *)name);

		stop_and_continue(child);
		struct mm_ipc_srv *srv = create(name);

		serve(srv, 1);
		assert_child_succeeds(child);
		mm_ipc_srv_destroy(srv);

		/* At a full queue. */
		int waiting, listener = full_listener(name, &waiting);
		char byte;

		child = start_child(be_client, (void *)name);
		stop_and_continue(child);
		int first = accept(listener, NULL, NULL), second = accept(listener, NULL, NULL);

		ck_assert_int_eq(read(second, &byte, 1), 1);
		ck_assert_int_eq(write(second, &byte, 1), 1);
		assert_child_succeeds(child);
		close_all(4, (int[]){waiting, listener, first, second});
	}
}
END_TEST

START_TEST(connect_at_a_full_queue_is_interrupted_by_a_signal_handler)
{
	static const char *const timeouts[] = {"60000", NULL};
	const char *name = unique_name();
	int waiting, listener = full_listener(name, &waiting);

	/* The environment is read once per process, so a child sets it. */
	for (size_t i = 0; i < MM_NELEM(timeouts); i++) {
		pid_t child = fork();
		int status;

		if (child == 0) {
			if (timeouts[i] != NULL)
				setenv(TIMEOUT_VARIABLE, timeouts[i], 1);
			pthread_t interrupter = start_interrupting();
			bool is_interrupted = mm_ipc_connect(name) == -1 && errno == EINTR;

			stop_interrupting(interrupter);
			_exit(is_interrupted ? 0 : 1);
		}
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_int_eq(status, 0);
	}
	close_all(2, (int[]){waiting, listener});
}
END_TEST

START_TEST(timeout_does_not_affect_a_connect_that_succeeds_in_time)
{
	const char *name = unique_name();

	setenv(TIMEOUT_VARIABLE, "30000", 1);
	pid_t child = start_child(be_client, (void *)name);

	wait_until_asleep(child);
	struct mm_ipc_srv *srv = create(name);

	serve(srv, 1);
	assert_child_succeeds(child);
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(timeout_that_is_not_a_number_is_reported_and_ignored)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);
	int log_pipe[2], saved = dup(STDERR_FILENO);
	char line[512] = "";

	setenv(TIMEOUT_VARIABLE, "soon", 1);
	ck_assert_int_eq(pipe(log_pipe), 0);
	dup2(log_pipe[1], STDERR_FILENO);
	mm_log_set_maxlvl(MM_LOG_WARN);
	int fd = mm_ipc_connect(name);

	dup2(saved, STDERR_FILENO);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_gt(read(log_pipe[0], line, sizeof(line) - 1), 0);
	ck_assert_ptr_nonnull(strstr(line, "WARN  mmlib "));
	ck_assert_ptr_nonnull(strstr(line, TIMEOUT_VARIABLE));
	ck_assert_ptr_nonnull(strstr(line, "\"soon\""));
	close_all(4, (int[]){fd, saved, log_pipe[0], log_pipe[1]});
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(waiting_connect_is_interrupted_by_a_signal)
{
	pthread_t interrupter = start_interrupting();

	assert_fails(mm_ipc_connect(unique_name()), EINTR);
	stop_interrupting(interrupter);
}
END_TEST

START_TEST(connect_succeeds_before_the_server_accepts)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);
	int client = mm_ipc_connect(name);
	char text[8];

	ck_assert_int_eq(mm_write(client, "early", 5), 5);
	close_all(1, &client);
	int served = mm_ipc_srv_accept(srv);

	ck_assert_int_eq(mm_read(served, text, sizeof(text)), 5);
	ck_assert_int_eq(mm_read(served, text, sizeof(text)), 0);
	close_all(1, &served);
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(connect_rejects_names_that_are_too_long)
{
	char name[301];

	memset(name, 'n', sizeof(name));
	for (int length = 108; length <= 300; length += 192) {
		name[length] = '\0';
		assert_fails(mm_ipc_connect(name), ENAMETOOLONG);
		name[length] = 'n';
	}
	/* Not even if a server has the first 107 bytes as its name. */
	name[107] = '\0';
	struct mm_ipc_srv *srv = create(name);

	name[107] = 'n';
	name[108] = '\0';
	assert_fails(mm_ipc_connect(name), ENAMETOOLONG);
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(connect_rejects_null)
{
	assert_fails(mm_ipc_connect(NULL), EINVAL);
}
END_TEST

SUITE(connect_waits_for_a_server, connect_of_32_processes_waits_for_a_server, connect_of_32_threads_waits_for_a_server,
      connect_waits_while_servers_are_created_and_destroyed, connect_finds_a_server_that_sends_no_wakeup,
      connect_finds_a_server_although_all_slots_are_taken, spurious_datagrams_neither_busy_nor_break_a_waiting_client,
      waiting_uses_no_processor_time, successful_wait_leaves_errno_unchanged,
      connect_returns_the_lowest_descriptor_also_after_a_wait, connect_with_timeout_zero_fails_immediately,
      connect_fails_when_its_timeout_expires, connect_fails_when_its_timeout_expires_at_a_full_queue,
      connect_with_timeout_zero_fails_immediately_at_a_full_queue,
      connect_with_a_timeout_gets_the_place_that_becomes_free_in_a_full_queue,
      client_that_is_stopped_and_continued_keeps_waiting, connect_at_a_full_queue_is_interrupted_by_a_signal_handler,
      timeout_does_not_affect_a_connect_that_succeeds_in_time, timeout_that_is_not_a_number_is_reported_and_ignored,
      waiting_connect_is_interrupted_by_a_signal, connect_succeeds_before_the_server_accepts,
      connect_rejects_names_that_are_too_long, connect_rejects_null)
