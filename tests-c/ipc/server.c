/*
 * server.c: servers, their names and their end
 */
#include "suite.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/un.h>

static struct mm_ipc_srv *create(const char *name)
{
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);

	ck_assert_msg(srv != NULL, "%s: %s", name, mm_get_lasterror_desc());
	return srv;
}

static int connect_to(const char *name)
{
	int fd = mm_ipc_connect(name);

	ck_assert_msg(fd >= 0, "%s: %s", name, mm_get_lasterror_desc());
	return fd;
}

static int accept_from(struct mm_ipc_srv *srv)
{
	int fd = mm_ipc_srv_accept(srv);

	ck_assert_msg(fd >= 0, "%s", mm_get_lasterror_desc());
	return fd;
}

/* Both ends of a connection must talk to each other. */
static void assert_connected(int a, int b)
{
	char answer[8];

	ck_assert_int_eq(mm_write(a, "ping", 4), 4);
	ck_assert_int_eq(mm_read(b, answer, sizeof(answer)), 4);
	ck_assert_int_eq(mm_write(b, "pong!", 5), 5);
	ck_assert_int_eq(mm_read(a, answer, sizeof(answer)), 5);
}

START_TEST(a_client_and_a_server_are_connected)
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

START_TEST(a_name_that_is_taken_is_refused)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);

	assert_fails_with_null(mm_ipc_srv_create(name), EADDRINUSE);
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(a_name_is_free_again_right_after_destroy)
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

START_TEST(a_name_is_free_again_while_accepted_connections_live)
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

START_TEST(names_have_up_to_107_bytes_of_any_kind)
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

	/* The last byte counts. */
	strcpy(other, longest);
	other[106] = 'o';
	struct mm_ipc_srv *first = create(longest), *second = create(other);

	mm_ipc_srv_destroy(first);
	mm_ipc_srv_destroy(second);
}
END_TEST

START_TEST(a_name_that_is_too_long_is_refused)
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

START_TEST(null_is_refused_or_does_nothing)
{
	assert_fails_with_null(mm_ipc_srv_create(NULL), EINVAL);
	assert_fails(mm_ipc_srv_accept(NULL), EINVAL);
	errno = EBUSY;
	mm_ipc_srv_destroy(NULL);
	ck_assert_int_eq(errno, EBUSY);
}
END_TEST

START_TEST(destroy_leaves_errno_and_the_error_state_alone)
{
	struct mm_ipc_srv *srv = create(unique_name());

	mm_raise_error(ENOENT, "kept");
	errno = EBUSY;
	mm_ipc_srv_destroy(srv);
	ck_assert_int_eq(errno, EBUSY);
	ck_assert_str_eq(mm_get_lasterror_desc(), "kept");
}
END_TEST

START_TEST(destroy_drops_pending_connections)
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

START_TEST(accept_returns_the_lowest_number)
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

START_TEST(the_listener_is_not_inherited_by_a_program)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);
	pid_t child = fork();

	if (child == 0) {
		execlp("sleep", "sleep", "60", (char *)NULL);
		_exit(127);
	}
	/* The program runs once the child no longer is this program. */
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

static int dispose_of_copy(void *srv)
{
	mm_ipc_srv_destroy(srv);
	return 0;
}

START_TEST(a_forked_child_that_destroys_its_copy_does_not_stop_the_server)
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

/* Every way to make a process that has a copy of everything. */
static pid_t fork_by_clone(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

START_TEST(no_kind_of_fork_makes_a_child_stop_the_server_of_its_parent)
{
	pid_t (*const kinds[])(void) = {fork, _Fork, fork_by_clone};

	/* valgrind does not know a fork that the C library does not know. */
	for (size_t i = 0; i < (is_under_valgrind() ? 2 : MM_NELEM(kinds)); i++) {
		const char *name = unique_name();
		struct mm_ipc_srv *srv = create(name);
		pid_t child = kinds[i]();
		int status;

		if (child == 0) {
			mm_ipc_srv_destroy(srv);
			/* And one that it has created itself is its own. */
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

/* A client of mmlib's, which does not wait. */
static void assert_refused(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	strcpy(address.sun_path + 1, name);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	close(fd);
}

START_TEST(a_destroyed_server_refuses_clients_while_a_forked_child_has_a_copy)
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

/* What a daemon does: the process that creates the server ends, and its child serves. */
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

	/* Another child, which has a copy too and does nothing. */
	if (fork() == 0) {
		wait_for_end(daemon_pipe[0]);
		_exit(0);
	}
	ck_assert_int_eq(pipe(ready), 0);
	if (fork() == 0) {
		close(ready[1]);
		/* The creator ends when this does, and is then waited for or not. */
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

START_TEST(a_child_whose_creator_is_gone_stops_the_server_for_all)
{
	/* Where there is no pidfd_open(), as in valgrind, a process that was not waited for counts as there. */
	for (int is_reaped = is_under_valgrind(); is_reaped < 2; is_reaped++) {
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
		/* Though the idle child has a copy: without a stop, this client would wait for ever. */
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

START_TEST(a_forked_child_can_serve_after_its_parent_gave_the_server_up)
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

struct acceptor {
	struct mm_ipc_srv *srv;
	pid_t tid;
	int result;
	int error;
	char location[256];
};

static void *accept_in_thread(void *arg)
{
	struct acceptor *acceptor = arg;

	__atomic_store_n(&acceptor->tid, thread_id(), __ATOMIC_RELEASE);
	acceptor->result = mm_ipc_srv_accept(acceptor->srv);
	acceptor->error = mm_get_lasterror_number();
	strcpy(acceptor->location, mm_get_lasterror_location());
	return NULL;
}

static pthread_t start_acceptor(struct acceptor *acceptor)
{
	pthread_t thread = start_thread(accept_in_thread, acceptor);
	pid_t tid;

	while ((tid = __atomic_load_n(&acceptor->tid, __ATOMIC_ACQUIRE)) == 0)
		sleep_ms(1);
	wait_until_asleep(tid);
	return thread;
}

START_TEST(destroy_releases_threads_inside_accept)
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
	/* With the last of them the name is free. */
	srv = create(name);
	mm_ipc_srv_destroy(srv);
}
END_TEST

static int dispose_and_report(void *srv)
{
	int before = count_open_descriptors();

	mm_ipc_srv_destroy(srv);
	return before - count_open_descriptors() == 1 ? 0 : 1;
}

START_TEST(a_child_forked_beside_a_blocked_accept_gives_its_copy_up_whole)
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

START_TEST(destroy_releases_threads_inside_accept_of_a_forked_child)
{
	struct mm_ipc_srv *srv = create(unique_name());

	assert_child_succeeds(start_child(accept_and_destroy_in_child, srv));
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

START_TEST(no_number_free_gives_emfile_and_keeps_the_connection)
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
	/* Valgrind keeps the limit itself: it lets the kernel accept and closes what came, and forgets about pairs. */
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

START_TEST(thousands_of_connections_may_wait)
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

SUITE(a_client_and_a_server_are_connected, a_name_that_is_taken_is_refused, a_name_is_free_again_right_after_destroy,
      a_name_is_free_again_while_accepted_connections_live, names_have_up_to_107_bytes_of_any_kind,
      a_name_that_is_too_long_is_refused, null_is_refused_or_does_nothing,
      destroy_leaves_errno_and_the_error_state_alone, destroy_drops_pending_connections,
      accept_returns_the_lowest_number, accepted_descriptors_are_inheritable_and_blocking,
      the_listener_is_not_inherited_by_a_program, a_forked_child_that_destroys_its_copy_does_not_stop_the_server,
      no_kind_of_fork_makes_a_child_stop_the_server_of_its_parent,
      a_destroyed_server_refuses_clients_while_a_forked_child_has_a_copy,
      a_child_whose_creator_is_gone_stops_the_server_for_all,
      a_forked_child_can_serve_after_its_parent_gave_the_server_up, destroy_releases_threads_inside_accept,
      a_child_forked_beside_a_blocked_accept_gives_its_copy_up_whole,
      destroy_releases_threads_inside_accept_of_a_forked_child, accept_is_interrupted_by_a_signal,
      no_number_free_gives_emfile_and_keeps_the_connection, thousands_of_connections_may_wait)
