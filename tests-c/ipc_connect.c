/*
 * ipc_connect.c: clients that wait for their server
 */
#include "suite.h"

#include <sys/socket.h>
#include <sys/un.h>

#define TIMEOUT_VARIABLE "MMSYSIO_CONNECT_TIMEOUT_MS"

static struct mm_ipc_srv *create(const char *name)
{
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);

	ck_assert_msg(srv != NULL, "%s: %s", name, mm_get_lasterror_desc());
	return srv;
}

/* Accepts that many clients, each of which sends one byte and gets it back. */
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

/* A client's whole life; 0 if all of it worked. */
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

START_TEST(connect_returns_the_lowest_number_also_after_a_wait)
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

START_TEST(connect_without_patience_fails_at_once)
{
	setenv(TIMEOUT_VARIABLE, "0", 1);
	assert_fails(mm_ipc_connect(unique_name()), ECONNREFUSED);
}
END_TEST

START_TEST(connect_gives_up_when_its_time_is_over)
{
	setenv(TIMEOUT_VARIABLE, "300", 1);
	int64_t start = now_ms();

	assert_fails(mm_ipc_connect(unique_name()), ETIMEDOUT);
	int64_t waited = now_ms() - start;

	ck_assert_int_ge(waited, 299);
	if (!is_instrumented())
		ck_assert_int_lt(waited, 350);
	assert_fails(mm_ipc_connect(unique_name()), ETIMEDOUT);
}
END_TEST

START_TEST(connect_gives_up_when_its_time_is_over_before_a_full_queue)
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
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), "accepts no connection"));

	/* The time-out must not stay with the connection that was made. */
	struct timeval timeout;
	socklen_t size = sizeof(timeout);

	ck_assert_int_eq(getsockopt(waiting, SOL_SOCKET, SO_SNDTIMEO, &timeout, &size), 0);
	ck_assert_int_eq(timeout.tv_sec, 0);
	ck_assert_int_eq(timeout.tv_usec, 0);
	close_all(2, (int[]){waiting, listener});
}
END_TEST

START_TEST(connect_in_time_is_not_disturbed_by_the_limit)
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

START_TEST(a_limit_that_is_no_number_is_reported_and_ignored)
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

START_TEST(a_waiting_connect_is_interrupted_by_a_signal)
{
	pthread_t interrupter = start_interrupting();

	assert_fails(mm_ipc_connect(unique_name()), EINTR);
	stop_interrupting(interrupter);
}
END_TEST

START_TEST(connect_reaches_a_server_before_it_accepts)
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

START_TEST(connect_refuses_names_that_are_too_long)
{
	char name[301];

	memset(name, 'n', sizeof(name));
	for (int length = 108; length <= 300; length += 192) {
		name[length] = '\0';
		assert_fails(mm_ipc_connect(name), ENAMETOOLONG);
		name[length] = 'n';
	}
	/* Not even if a server has the name's first 107 bytes. */
	name[107] = '\0';
	struct mm_ipc_srv *srv = create(name);

	name[107] = 'n';
	name[108] = '\0';
	assert_fails(mm_ipc_connect(name), ENAMETOOLONG);
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(connect_refuses_null)
{
	assert_fails(mm_ipc_connect(NULL), EINVAL);
}
END_TEST

SUITE(connect_waits_for_a_server, connect_of_32_processes_waits_for_a_server, connect_of_32_threads_waits_for_a_server,
      connect_returns_the_lowest_number_also_after_a_wait, connect_without_patience_fails_at_once,
      connect_gives_up_when_its_time_is_over, connect_gives_up_when_its_time_is_over_before_a_full_queue,
      connect_in_time_is_not_disturbed_by_the_limit, a_limit_that_is_no_number_is_reported_and_ignored,
      a_waiting_connect_is_interrupted_by_a_signal, connect_reaches_a_server_before_it_accepts,
      connect_refuses_names_that_are_too_long, connect_refuses_null)
