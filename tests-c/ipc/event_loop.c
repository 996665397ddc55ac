/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_loop.c: mm_ipc_srv_fd() and mm_ipc_srv_accept2() in event loops and in several threads
 */
#include "child.h"
#include "servers.h"

#include <sys/epoll.h>

static int fd_of(struct mm_ipc_srv *srv)
{
	int fd = mm_ipc_srv_fd(srv);

	ck_assert_msg(fd >= 0, "%s", mm_get_lasterror_desc());
	return fd;
}

static void assert_empty(struct mm_ipc_srv *srv)
{
	assert_fails(mm_ipc_srv_accept2(srv, 0, 0), EAGAIN);
	ck_assert(!is_readable(fd_of(srv), 0));
}

START_TEST(listener_is_readable_exactly_while_a_client_waits)
{
	enter_scratch_directory();
	FOR_EACH_PLACE(place) {
		struct mm_ipc_srv *srv = create_at(place);
		int fd = fd_of(srv), clients[3], served[3];

		ck_assert_int_eq(fd_of(srv), fd);
		assert_empty(srv);
		for (int i = 0; i < 3; i++)
			clients[i] = connect_at(place, 0);
		for (int i = 0; i < 3; i++) {
			ck_assert(is_readable(fd, 0));
			served[i] = mm_ipc_srv_accept2(srv, 0, 0);
			assert_connected(clients[i], served[i]);
		}
		assert_empty(srv);
		close_all(3, clients);
		close_all(3, served);
		mm_ipc_srv_destroy(srv);
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(listener_is_close_on_exec_and_above_the_standard_streams)
{
	enter_scratch_directory();
	FOR_EACH_PLACE(place) {
		struct mm_ipc_srv *srv = create_at(place);

		ck_assert_int_gt(fd_of(srv), 2);
		ck_assert(is_cloexec(fd_of(srv)));
		mm_ipc_srv_destroy(srv);
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(srv_fd_does_not_change_whether_accept_waits)
{
	const char *name = unique_name();
	struct acceptor acceptor = {.srv = create(name)};
	int fd = fd_of(acceptor.srv);
	pthread_t thread = start_acceptor(&acceptor);

	ck_assert(is_nonblocking(fd));
	int client = connect_to(name);

	join_thread(thread);
	assert_connected(client, acceptor.result);
	ck_assert(!is_nonblocking(acceptor.result));
	close_all(2, (int[]){client, acceptor.result});
	mm_ipc_srv_destroy(acceptor.srv);
}
END_TEST

START_TEST(srv_fd_of_a_closed_listener_is_ebadf)
{
	struct mm_ipc_srv *srv = create(unique_name());
	int fd = fd_of(srv), null;

	close(fd);
	assert_fails(mm_ipc_srv_fd(srv), EBADF);
	assert_fails(mm_ipc_srv_accept2(srv, 0, 0), EBADF);
	assert_fails(mm_ipc_srv_accept2(srv, 0, -1), EBADF);
	assert_fails(mm_ipc_srv_release(srv), EBADF);
	null = open("/dev/null", O_RDWR);
	ck_assert_int_eq(null, fd);
	assert_fails(mm_ipc_srv_fd(srv), EBADF);
	assert_fails(mm_ipc_srv_accept2(srv, 0, 0), EBADF);
	assert_fails(mm_ipc_srv_release(srv), EBADF);
	ck_assert(!is_nonblocking(null));
	mm_ipc_srv_destroy(srv);
	close_all(1, &null);
}
END_TEST

START_TEST(client_that_has_left_neither_blocks_nor_hides_another)
{
	enter_scratch_directory();
	FOR_EACH_PLACE(place) {
		struct mm_ipc_srv *srv = create_at(place);
		int gone = connect_at(place, 0), present, served;
		char byte;

		close_all(1, &gone);
		present = connect_at(place, 0);
		ck_assert(is_readable(fd_of(srv), 0));
		/* The kernel returns the connection of a client that has left; reading from it is the end of file. */
		served = mm_ipc_srv_accept2(srv, MM_IPC_NONBLOCK, 0);
		if (served != -1) {
			ck_assert_int_eq(mm_read(served, &byte, 1), 0);
			close_all(1, &served);
		}
		served = mm_ipc_srv_accept2(srv, 0, 0);
		assert_connected(present, served);
		assert_empty(srv);
		close_all(2, (int[]){present, served});
		mm_ipc_srv_destroy(srv);
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(client_that_was_accepted_by_another_is_eagain)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);
	int client = connect_to(name), other;

	ck_assert(is_readable(fd_of(srv), 0));
	other = accept(fd_of(srv), NULL, NULL);
	ck_assert_int_ge(other, 0);
	assert_fails(mm_ipc_srv_accept2(srv, 0, 0), EAGAIN);
	assert_fails(mm_ipc_srv_accept2(srv, 0, 30), ETIMEDOUT);
	close_all(2, (int[]){client, other});
	mm_ipc_srv_destroy(srv);
}
END_TEST

/* --- epoll -------------------------------------------------------------------------------------------------------- */

/* Also for children, in which it is not a leak. */
static struct mm_ipc_srv *shared;

enum { CLIENTS = 200 };

/* Connects that many times, each at a random moment. */
static int connect_often(void *arg)
{
	struct place *place = arg;
	uint32_t state = (uint32_t)getpid() | 1;
	char byte;

	for (int i = 0; i < CLIENTS / 4; i++) {
		for (uint32_t spin = next_random(&state) % 20000; spin > 0; spin--)
			__asm__ volatile("");
		int fd = connect_at(*place, 0);

		if (mm_read(fd, &byte, 1) != 1)
			return 1;
		close_all(1, &fd);
	}
	return 0;
}

static int accept_all(struct mm_ipc_srv *srv, int at_most)
{
	int count = 0;

	while (count < at_most) {
		int fd = mm_ipc_srv_accept2(srv, MM_IPC_CLOEXEC, 0);

		if (fd == -1) {
			ck_assert_int_eq(mm_get_lasterror_number(), EAGAIN);
			break;
		}
		ck_assert_int_eq(mm_write(fd, "x", 1), 1);
		close_all(1, &fd);
		count++;
	}
	return count;
}

static void serve_by_epoll(uint32_t events, int at_most)
{
	enter_scratch_directory();
	FOR_EACH_PLACE(place) {
		shared = create_at(place);
		struct epoll_event event = {.events = events};
		int epoll = epoll_create1(EPOLL_CLOEXEC), served = 0;
		pid_t children[4];

		ck_assert_int_eq(epoll_ctl(epoll, EPOLL_CTL_ADD, fd_of(shared), &event), 0);
		for (int i = 0; i < 4; i++)
			children[i] = start_child(connect_often, &place);
		while (served < CLIENTS) {
			/* A lost event would be a timeout. */
			ck_assert_int_eq(epoll_wait(epoll, &event, 1, LONG_MS), 1);
			served += accept_all(shared, at_most);
		}
		assert_empty(shared);
		for (int i = 0; i < 4; i++)
			assert_child_succeeds(children[i]);
		close_all(1, &epoll);
		mm_ipc_srv_destroy(shared);
	}
	leave_scratch_directory();
}

START_TEST(level_triggered_epoll_loses_no_client)
{
	serve_by_epoll(EPOLLIN, 1);
}
END_TEST

START_TEST(edge_triggered_epoll_loses_no_client_that_is_accepted_until_eagain)
{
	serve_by_epoll(EPOLLIN | EPOLLET, CLIENTS);
}
END_TEST

START_TEST(destroyed_server_is_reported_to_its_event_loop)
{
	struct mm_ipc_srv *srv = create(unique_name());
	int copy = dup(fd_of(srv));
	struct pollfd entry = {.fd = copy, .events = POLLIN};

	mm_ipc_srv_destroy(srv);
	ck_assert_int_eq(poll(&entry, 1, LONG_MS), 1);
	close_all(1, &copy);
}
END_TEST

/* --- threads ------------------------------------------------------------------------------------------------------ */

enum { THREADS = 8 };

/* Of several threads in accept2(), one gets the only client, and the others time out. */
static void share_one_client(struct mm_ipc_srv *srv, struct place place)
{
	struct waiter waiters[THREADS];
	pthread_t threads[THREADS];
	int client, served = -1, timed_out = 0;

	for (int i = 0; i < THREADS; i++) {
		waiters[i] = (struct waiter){.srv = srv, .timeout_ms = (is_instrumented() ? 4000 : 1500) + 10 * i};
		threads[i] = start_waiter(&waiters[i]);
	}
	sleep_ms(300);
	client = connect_at(place, 0);
	for (int i = 0; i < THREADS; i++) {
		join_thread(threads[i]);
		if (waiters[i].result == -1) {
			ck_assert_int_eq(waiters[i].error, ETIMEDOUT);
			timed_out++;
		} else {
			served = waiters[i].result;
		}
	}
	ck_assert_int_eq(timed_out, THREADS - 1);
	assert_connected(client, served);
	close_all(2, (int[]){client, served});
}

START_TEST(one_of_several_threads_gets_the_only_client_and_the_others_time_out)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);

	share_one_client(srv, (struct place){name, 0});
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(threads_of_an_adopted_server_that_is_blocking_time_out_too)
{
	const char *name = unique_name();
	int listener = listen_at_name(name, 0);
	struct mm_ipc_srv *srv = adopt(listener);

	for (int i = 0; i < (is_instrumented() ? 1 : 3); i++)
		share_one_client(srv, (struct place){name, 0});
	ck_assert(!is_nonblocking(listener));
	mm_ipc_srv_destroy(srv);
}
END_TEST

static int accepted;

/*
 * Serves until it is cancelled, and never returns. The address sanitizer would still guard its variables after the
 * thread has ended.
 */
__attribute__((no_sanitize_address)) static void *serve_until_cancelled(void *arg)
{
	int timeout = *(int *)arg;
	struct pollfd entry = {.fd = mm_ipc_srv_fd(shared), .events = POLLIN};

	while (true) {
		int fd = mm_ipc_srv_accept2(shared, 0, timeout);

		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
		if (fd >= 0) {
			ck_assert_int_eq(mm_write(fd, "x", 1), 1);
			close_all(1, &fd);
			__atomic_fetch_add(&accepted, 1, __ATOMIC_RELAXED);
		} else {
			ck_assert_int_eq(mm_get_lasterror_number(), timeout == 0 ? EAGAIN : ETIMEDOUT);
		}
		pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
		if (fd < 0 && timeout == 0)
			poll(&entry, 1, -1);
	}
}

static void serve_in_threads(const char *name)
{
	int timeouts[THREADS] = {-1, -1, 0, 1, 3, 10, LONG_MS, 50};
	struct place place = {name, 0};
	pthread_t threads[THREADS];

	accepted = 0;
	for (int i = 0; i < THREADS; i++)
		threads[i] = start_thread(serve_until_cancelled, &timeouts[i]);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(connect_often(&place), 0);
	while (__atomic_load_n(&accepted, __ATOMIC_RELAXED) < CLIENTS)
		sleep_ms(1);
	for (int i = 0; i < THREADS; i++)
		pthread_cancel(threads[i]);
	for (int i = 0; i < THREADS; i++)
		ck_assert_ptr_eq(join_thread(threads[i]), PTHREAD_CANCELED);
	ck_assert_int_eq(accepted, CLIENTS);
	/* Not even a cancelled thread keeps others from accepting. */
	assert_serves(shared, place);
	mm_ipc_srv_destroy(shared);
}

START_TEST(threads_with_different_timeouts_serve_each_client_once)
{
	const char *name = unique_name();

	shared = create(name);
	serve_in_threads(name);
	for (int flags = 0; flags <= SOCK_NONBLOCK; flags += SOCK_NONBLOCK) {
		shared = adopt(listen_at_name(name, flags));
		serve_in_threads(name);
	}
}
END_TEST

/* --- destruction -------------------------------------------------------------------------------------------------- */

static void assert_destroy_cancels(struct mm_ipc_srv *srv)
{
	struct waiter waiters[4];
	pthread_t threads[4];

	for (int i = 0; i < 4; i++) {
		waiters[i] = (struct waiter){.srv = srv, .timeout_ms = i % 2 ? -1 : LONG_MS};
		threads[i] = start_waiter(&waiters[i]);
	}
	int64_t start = now_ms();

	mm_ipc_srv_destroy(srv);
	for (int i = 0; i < 4; i++) {
		join_thread(threads[i]);
		ck_assert_int_eq(waiters[i].result, -1);
		ck_assert_int_eq(waiters[i].error, ECANCELED);
	}
	ck_assert_int_lt(now_ms() - start, LONG_MS / 2);
}

static int run_destroy_in_child(void *srv)
{
	assert_destroy_cancels(srv);
	return 0;
}

START_TEST(destroy_cancels_waiting_threads)
{
	enter_scratch_directory();
	FOR_EACH_PLACE(place) {
		assert_destroy_cancels(create_at(place));
		/* The address is free. */
		mm_ipc_srv_destroy(create_at(place));
	}
	assert_destroy_cancels(adopt(listen_at_name(unique_name(), 0)));
	assert_destroy_cancels(adopt(listen_at_name(unique_name(), SOCK_NONBLOCK)));
	leave_scratch_directory();
}
END_TEST

START_TEST(destroy_in_a_forked_child_cancels_its_threads_and_not_those_of_its_parent)
{
	const char *names[2] = {unique_name(), unique_name()};

	for (int flags = 0; flags <= SOCK_NONBLOCK; flags += SOCK_NONBLOCK) {
		struct waiter waiter = {.srv = adopt(listen_at_name(names[flags != 0], flags)), .timeout_ms = -1};
		pthread_t thread = start_waiter(&waiter);

		assert_child_succeeds(start_child(run_destroy_in_child, waiter.srv));
		/* The thread of the parent still waits, and asleep. */
		wait_until_asleep(waiter.tid);
		int client = connect_to(names[flags != 0]);

		join_thread(thread);
		assert_connected(client, waiter.result);
		close_all(2, (int[]){client, waiter.result});
		assert_serves(waiter.srv, (struct place){names[flags != 0], 0});
		mm_ipc_srv_destroy(waiter.srv);
	}
}
END_TEST

static int destroy_copy(void *srv)
{
	mm_ipc_srv_destroy(srv);
	return 0;
}

START_TEST(forked_child_that_destroys_its_copy_stops_no_server)
{
	enter_scratch_directory();
	FOR_EACH_PLACE(place) {
		struct mm_ipc_srv *srv = create_at(place);

		assert_child_succeeds(start_child(destroy_copy, srv));
		assert_serves(srv, place);
		mm_ipc_srv_destroy(srv);
	}
	leave_scratch_directory();
}
END_TEST

static int serve_in_child(void *srv)
{
	int fd = mm_ipc_srv_accept2(srv, 0, LONG_MS);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(mm_write(fd, "x", 1), 1);
	close_all(1, &fd);
	mm_ipc_srv_destroy(srv);
	return 0;
}

START_TEST(forked_child_serves_beside_its_parent)
{
	const char *name = unique_name();

	for (int is_adopted = 0; is_adopted < 2; is_adopted++) {
		struct mm_ipc_srv *srv = is_adopted ? adopt(listen_at_name(name, 0)) : create(name);
		char byte;

		for (int i = 0; i < 3; i++) {
			pid_t child = start_child(serve_in_child, srv);
			int client = connect_to(name);

			ck_assert_int_eq(mm_read(client, &byte, 1), 1);
			assert_child_succeeds(child);
			close_all(1, &client);
		}
		assert_serves(srv, (struct place){name, 0});
		mm_ipc_srv_destroy(srv);
	}
}
END_TEST

/* In an event loop, EAGAIN would make it busy: the listener is readable for ever. */
static int be_stopped_by_parent(void *srv)
{
	while (!is_readable(mm_ipc_srv_fd(srv), LONG_MS))
		;
	assert_fails(mm_ipc_srv_accept2(srv, 0, 0), ECANCELED);
	assert_fails(mm_ipc_srv_accept2(srv, 0, LONG_MS), ECANCELED);
	assert_fails(mm_ipc_srv_accept2(srv, 0, -1), ECANCELED);
	mm_ipc_srv_destroy(srv);
	return 0;
}

START_TEST(copy_of_a_server_that_its_creator_has_destroyed_fails_to_accept)
{
	struct mm_ipc_srv *srv = create(unique_name());
	pid_t child = start_child(be_stopped_by_parent, srv);

	wait_until_asleep(child);
	mm_ipc_srv_destroy(srv);
	assert_child_succeeds(child);
}
END_TEST

/* --- limits ------------------------------------------------------------------------------------------------------- */

START_TEST(accept_without_a_free_number_is_emfile_and_keeps_the_client)
{
	struct rlimit limit, none;
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);
	int client = connect_to(name), served;

	/* Valgrind implements the limit itself: it lets the kernel accept and then closes the descriptor. */
	if (!is_under_valgrind()) {
		getrlimit(RLIMIT_NOFILE, &limit);
		none = limit;
		none.rlim_cur = limit_with_free_numbers(0);
		setrlimit(RLIMIT_NOFILE, &none);
		assert_fails(mm_ipc_srv_accept2(srv, 0, 0), EMFILE);
		assert_fails(mm_ipc_srv_accept2(srv, MM_IPC_CLOEXEC, -1), EMFILE);
		assert_fails(mm_ipc_srv_accept2(srv, 0, 1000), EMFILE);
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	ck_assert(is_readable(fd_of(srv), 0));
	served = mm_ipc_srv_accept2(srv, 0, 0);
	assert_connected(client, served);
	close_all(2, (int[]){client, served});
	mm_ipc_srv_destroy(srv);
}
END_TEST

SUITE(listener_is_readable_exactly_while_a_client_waits, listener_is_close_on_exec_and_above_the_standard_streams,
      srv_fd_does_not_change_whether_accept_waits, srv_fd_of_a_closed_listener_is_ebadf,
      client_that_has_left_neither_blocks_nor_hides_another, client_that_was_accepted_by_another_is_eagain,
      level_triggered_epoll_loses_no_client, edge_triggered_epoll_loses_no_client_that_is_accepted_until_eagain,
      destroyed_server_is_reported_to_its_event_loop,
      one_of_several_threads_gets_the_only_client_and_the_others_time_out,
      threads_of_an_adopted_server_that_is_blocking_time_out_too,
      threads_with_different_timeouts_serve_each_client_once, destroy_cancels_waiting_threads,
      destroy_in_a_forked_child_cancels_its_threads_and_not_those_of_its_parent,
      forked_child_that_destroys_its_copy_stops_no_server, forked_child_serves_beside_its_parent,
      copy_of_a_server_that_its_creator_has_destroyed_fails_to_accept,
      accept_without_a_free_number_is_emfile_and_keeps_the_client)
