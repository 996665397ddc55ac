/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.c: mm_ipc_watch()
 */
#include "sandbox.h"
#include "servers.h"

static int watch_at(struct place place)
{
	int fd = mm_ipc_watch(place.address, place.flags);

	ck_assert_msg(fd >= 0, "%s: %s", place.address, mm_get_lasterror_desc());
	return fd;
}

/* As the manual page says. */
static void clear(int watch)
{
	char buffer[4096];

	while (mm_read(watch, buffer, sizeof(buffer)) >= 0)
		;
	ck_assert_int_eq(mm_get_lasterror_number(), EAGAIN);
}

/* Under these conditions a watch is not a timer, so that nothing is spurious. */
static void assert_notices_each_start(struct place place, int watch)
{
	for (int i = 0; i < 10; i++) {
		ck_assert(!is_readable(watch, i == 0 ? 600 : 0));
		struct mm_ipc_srv *srv = create_at(place);

		ck_assert(is_readable(watch, LONG_MS));
		clear(watch);
		ck_assert(!is_readable(watch, 0));
		assert_serves(srv, place);
		mm_ipc_srv_destroy(srv);
		/* Removing the path may be noticed too. */
		clear(watch);
	}
}

START_TEST(watch_is_readable_whenever_a_server_starts)
{
	enter_scratch_directory();
	FOR_EACH_PLACE(place) {
		int watch = watch_at(place);

		assert_notices_each_start(place, watch);
		close_all(1, &watch);
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(watch_is_readable_until_it_is_cleared)
{
	enter_scratch_directory();
	FOR_EACH_PLACE(place) {
		int watch = watch_at(place);

		for (int i = 0; i < 30; i++)
			mm_ipc_srv_destroy(create_at(place));
		for (int i = 0; i < 3; i++)
			ck_assert(is_readable(watch, LONG_MS));
		clear(watch);
		ck_assert(!is_readable(watch, 0));
		close_all(1, &watch);
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(watch_is_close_on_exec_and_nonblocking)
{
	enter_scratch_directory();
	FOR_EACH_PLACE(place) {
		int spare = dup(0), watches[6];

		close(spare);
		/* With names, the last ones are timers. */
		for (int i = 0; i < 6; i++) {
			watches[i] = watch_at(place);
			ck_assert(is_cloexec(watches[i]));
			ck_assert(is_nonblocking(watches[i]));
		}
		ck_assert_int_eq(watches[0], spare);
		close_all(6, watches);
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(watch_does_not_notice_servers_elsewhere)
{
	const char *name = unique_name();
	int watch = watch_at((struct place){name, 0});

	enter_scratch_directory();
	FOR_EACH_PLACE(place)
		mm_ipc_srv_destroy(create_at(place));
	ck_assert(!is_readable(watch, 300));
	close_all(1, &watch);
	leave_scratch_directory();
}
END_TEST

START_TEST(more_watches_than_places_all_notice)
{
	enum { COUNT = 12 };
	int watches[COUNT];

	enter_scratch_directory();
	FOR_EACH_PLACE(place) {
		for (int i = 0; i < COUNT; i++)
			watches[i] = watch_at(place);
		for (int i = 0; i < COUNT; i++)
			clear(watches[i]);
		struct mm_ipc_srv *srv = create_at(place);

		for (int i = 0; i < COUNT; i++)
			ck_assert(is_readable(watches[i], LONG_MS));
		/* Each can be cleared, and does not stay so if it is a timer. */
		for (int i = 0; i < COUNT; i++)
			clear(watches[i]);
		mm_ipc_srv_destroy(srv);
		srv = create_at(place);
		for (int i = 0; i < COUNT; i++)
			ck_assert(is_readable(watches[i], LONG_MS));
		close_all(COUNT, watches);
		/* The places are free again. */
		mm_ipc_srv_destroy(srv);
		watches[0] = watch_at(place);
		assert_notices_each_start(place, watches[0]);
		close_all(1, watches);
	}
	leave_scratch_directory();
}
END_TEST

/* --- reconnecting ------------------------------------------------------------------------------------------------- */

static int serve_one_at_a_random_time(void *arg)
{
	struct place *place = arg;
	uint32_t state = (uint32_t)getpid();

	for (uint32_t spin = next_random(&state) % 300000; spin > 0; spin--)
		__asm__ volatile("");
	struct mm_ipc_srv *srv = create_at(*place);
	int fd = accept2_from(srv, 0);

	ck_assert_int_eq(mm_write(fd, "x", 1), 1);
	mm_ipc_srv_destroy(srv);
	return mm_close(fd);
}

START_TEST(client_that_registers_and_then_tries_loses_no_start)
{
	enter_scratch_directory();
	FOR_EACH_PLACE(place) {
		int watch = -1;
		char byte;

		for (int i = 0; i < (is_instrumented() ? 50 : 500); i++) {
			pid_t server = start_child(serve_one_at_a_random_time, &place);
			int fd;

			/* A new watch for each connection, or the same one for several. */
			if (watch == -1)
				watch = watch_at(place);
			while ((fd = mm_ipc_connect2(place.address, place.flags, 0)) == -1) {
				ck_assert_msg(mm_get_lasterror_number() == ECONNREFUSED, "%s", mm_get_lasterror_desc());
				ck_assert_msg(is_readable(watch, LONG_MS), "round %d: no notification", i);
				clear(watch);
			}
			ck_assert_int_eq(mm_read(fd, &byte, 1), 1);
			close_all(1, &fd);
			assert_child_succeeds(server);
			if (i % 3 == 0) {
				close_all(1, &watch);
				watch = -1;
			}
		}
		if (watch != -1)
			close_all(1, &watch);
	}
	leave_scratch_directory();
}
END_TEST

/* Whether the library's sleeps have no timeout: a lost wakeup then blocks the client until the test times out. */
static bool is_without_timeouts;

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	struct timespec time = {timeout / 1000, timeout % 1000 * 1000000L};

	return ppoll(fds, count, is_without_timeouts || timeout < 0 ? NULL : &time, NULL);
}

static int connect_without_timeouts(void *arg)
{
	struct place *place = arg;
	char byte;

	is_without_timeouts = true;
	int fd = place->flags == 0 ? mm_ipc_connect(place->address) : mm_ipc_connect2(place->address, place->flags, -1);

	return mm_read(fd, &byte, 1) == 1 && mm_close(fd) == 0 ? 0 : 1;
}

START_TEST(watches_keep_no_wakeup_from_waiting_clients)
{
	enter_scratch_directory();
	FOR_EACH_PLACE(place) {
		for (int cleared = 0; cleared < 2; cleared++) {
			int watches[6];
			pid_t clients[3];

			for (int i = 0; i < 6; i++)
				watches[i] = watch_at(place);
			for (int i = 0; i < 3; i++) {
				clients[i] = start_child(connect_without_timeouts, &place);
				wait_until_asleep(clients[i]);
			}
			/* Watches that nobody clears have full queues. */
			if (!cleared && place.flags == 0) {
				struct sockaddr_un address;
				socklen_t size = sizeof(address);
				int sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

				ck_assert_int_eq(getsockname(watches[0], (struct sockaddr *)&address, &size), 0);
				while (sendto(sender, "", 0, 0, (struct sockaddr *)&address, size) == 0)
					;
				ck_assert_int_eq(errno, EAGAIN);
				close(sender);
			}
			struct mm_ipc_srv *srv = create_at(place);

			for (int i = 0; i < 3; i++) {
				int fd = accept2_from(srv, 0);

				ck_assert_int_eq(mm_write(fd, "x", 1), 1);
				close_all(1, &fd);
			}
			for (int i = 0; i < 3; i++)
				assert_child_succeeds(clients[i]);
			for (int i = 0; i < 6; i++)
				ck_assert(is_readable(watches[i], LONG_MS));
			close_all(6, watches);
			mm_ipc_srv_destroy(srv);
		}
	}
	leave_scratch_directory();
}
END_TEST

/* --- paths -------------------------------------------------------------------------------------------------------- */

static int start_server_elsewhere(void *arg)
{
	if (unshare(geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return 77;
	mm_ipc_srv_destroy(create_at(*(struct place *)arg));
	return 0;
}

START_TEST(watch_of_a_path_notices_a_server_of_another_network_namespace)
{
	struct place place = {"socket", MM_IPC_PATH};
	int status;

	enter_scratch_directory();
	int watch = watch_at(place);
	pid_t child = start_child(start_server_elsewhere, &place);

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		printf("# skipped, since no network namespace can be created: a server in another one\n");
	} else {
		ck_assert_int_eq(status, 0);
		ck_assert(is_readable(watch, 0));
	}
	close_all(1, &watch);
	leave_scratch_directory();
}
END_TEST

START_TEST(watch_of_a_path_notices_a_server_that_replaces_a_leftover)
{
	struct place place = {"socket", MM_IPC_PATH};

	enter_scratch_directory();
	close(listen_plainly("socket", 1));
	int watch = watch_at(place);
	struct mm_ipc_srv *srv = create_at(place);

	ck_assert(is_readable(watch, 0));
	mm_ipc_srv_destroy(srv);
	close_all(1, &watch);
	leave_scratch_directory();
}
END_TEST

START_TEST(watch_of_a_path_notices_the_end_of_its_directory)
{
	enter_scratch_directory();
	for (int is_renamed = 0; is_renamed < 2; is_renamed++) {
		ck_assert_int_eq(mkdir("directory", 0700), 0);
		int watch = watch_at((struct place){"directory/socket", MM_IPC_PATH});

		ck_assert_int_eq(is_renamed ? rename("directory", "renamed") : rmdir("directory"), 0);
		ck_assert(is_readable(watch, LONG_MS));
		assert_fails(mm_ipc_connect2("directory/socket", MM_IPC_PATH, 0), ENOENT);
		close_all(1, &watch);
	}
	leave_scratch_directory();
}
END_TEST

static int watch_without_inotify(void *arg)
{
	struct place place = {"socket", MM_IPC_PATH};

	(void)arg;
	forbid(SYS_inotify_init1, SECCOMP_RET_ERRNO | EPERM);
	int watch = watch_at(place);

	ck_assert(is_cloexec(watch) && is_nonblocking(watch));
	/* A timer: it becomes readable again and again, about four times a second. */
	for (int i = 0; i < 4; i++) {
		ck_assert(is_readable(watch, LONG_MS));
		clear(watch);
	}
	struct mm_ipc_srv *srv = create_at(place);

	ck_assert(is_readable(watch, LONG_MS));
	assert_serves(srv, place);
	mm_ipc_srv_destroy(srv);
	return mm_close(watch);
}

START_TEST(watch_without_inotify_is_a_timer)
{
	/* The filter would apply to the tool too. */
	if (is_under_valgrind())
		return;
	enter_scratch_directory();
	assert_child_succeeds(start_child(watch_without_inotify, NULL));
	leave_scratch_directory();
}
END_TEST

START_TEST(timer_does_not_make_an_event_loop_busy)
{
	struct place place = {unique_name(), 0};
	int watches[5], count = 0;

	for (int i = 0; i < 5; i++)
		watches[i] = watch_at(place);
	int64_t end = now_ms() + 1500;

	while (now_ms() < end) {
		if (is_readable(watches[4], 100)) {
			clear(watches[4]);
			count++;
		}
	}
	ck_assert_int_ge(count, 1);
	ck_assert_int_le(count, 7);
	close_all(5, watches);
}
END_TEST

/* --- limits ------------------------------------------------------------------------------------------------------- */

START_TEST(watch_without_a_free_number_is_emfile)
{
	struct rlimit limit, few;

	enter_scratch_directory();
	/* Valgrind keeps some numbers for itself. */
	if (!is_under_valgrind()) {
		getrlimit(RLIMIT_NOFILE, &limit);
		FOR_EACH_PLACE(place) {
			few = limit;
			few.rlim_cur = limit_with_free_numbers(0);
			setrlimit(RLIMIT_NOFILE, &few);
			assert_fails(mm_ipc_watch(place.address, place.flags), EMFILE);
			few.rlim_cur = limit_with_free_numbers(1);
			setrlimit(RLIMIT_NOFILE, &few);
			int watch = watch_at(place);

			setrlimit(RLIMIT_NOFILE, &limit);
			close_all(1, &watch);
		}
	}
	leave_scratch_directory();
}
END_TEST

SUITE(watch_is_readable_whenever_a_server_starts, watch_is_readable_until_it_is_cleared,
      watch_is_close_on_exec_and_nonblocking, watch_does_not_notice_servers_elsewhere,
      more_watches_than_places_all_notice, client_that_registers_and_then_tries_loses_no_start,
      watches_keep_no_wakeup_from_waiting_clients, watch_of_a_path_notices_a_server_of_another_network_namespace,
      watch_of_a_path_notices_a_server_that_replaces_a_leftover, watch_of_a_path_notices_the_end_of_its_directory,
      watch_without_inotify_is_a_timer, timer_does_not_make_an_event_loop_busy, watch_without_a_free_number_is_emfile)
