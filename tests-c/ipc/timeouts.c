/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeouts.c: the timeouts of mm_ipc_srv_accept2() and mm_ipc_connect2(), and signal handlers
 *
 * Upper bounds are generous, because the machine may be busy.
 */
#include "servers.h"

#include <sys/syscall.h>
#include <time.h>

enum { LATE_MS = 20000 };

#define assert_takes(min, call)                                                                \
	do {                                                                                   \
		int64_t start = now_ms(), taken;                                               \
                                                                                               \
		call;                                                                          \
		taken = now_ms() - start;                                                      \
		ck_assert_msg(taken >= (min) && taken < (min) + LATE_MS, "%d ms", (int)taken); \
	} while (0)

/* Milliseconds of now_ms() are truncated. */
#define assert_times_out_after(ms, call) assert_takes((ms)-1, assert_fails(call, ETIMEDOUT))

START_TEST(accept_waits_for_its_timeout)
{
	static const int timeouts[] = {1, 2, 10, 99, 300};
	struct mm_ipc_srv *srv = create(unique_name());

	for (int i = 0; i < MM_NELEM(timeouts); i++)
		assert_times_out_after(timeouts[i], mm_ipc_srv_accept2(srv, MM_IPC_NONBLOCK, timeouts[i]));
	assert_takes(0, assert_fails(mm_ipc_srv_accept2(srv, 0, 0), EAGAIN));
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(accept_of_an_adopted_listener_waits_for_its_timeout)
{
	static const int timeouts[] = {1, 2, 10, 99, 300};
	const char *name = unique_name();
	struct sockaddr_un address = name_address(name);

	for (int is_nonblocking = 0; is_nonblocking < 2; is_nonblocking++) {
		int listener = socket(AF_UNIX, SOCK_SEQPACKET | (is_nonblocking ? SOCK_NONBLOCK : 0), 0);

		ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
		ck_assert_int_eq(listen(listener, 4), 0);
		struct mm_ipc_srv *srv = adopt(listener);

		for (int i = 0; i < MM_NELEM(timeouts); i++)
			assert_times_out_after(timeouts[i], mm_ipc_srv_accept2(srv, 0, timeouts[i]));
		assert_takes(0, assert_fails(mm_ipc_srv_accept2(srv, 0, 0), EAGAIN));
		assert_serves(srv, (struct place){name, 0});
		mm_ipc_srv_destroy(srv);
	}
}
END_TEST

START_TEST(connect_waits_for_its_timeout)
{
	static const int timeouts[] = {1, 2, 10, 99, 300};

	enter_scratch_directory();
	FOR_EACH_PLACE(place) {
		for (int i = 0; i < MM_NELEM(timeouts); i++)
			assert_times_out_after(
				timeouts[i],
				mm_ipc_connect2(place.address, place.flags | MM_IPC_NONBLOCK, timeouts[i]));
		assert_takes(0, assert_fails(mm_ipc_connect2(place.address, place.flags, 0), ECONNREFUSED));
	}
	/* A leftover, and a file of another type. */
	close(listen_plainly("leftover", 1));
	write_file("file", "");
	assert_times_out_after(50, mm_ipc_connect2("leftover", MM_IPC_PATH, 50));
	assert_times_out_after(50, mm_ipc_connect2("file", MM_IPC_PATH, 50));
	assert_fails(mm_ipc_connect2("leftover", MM_IPC_PATH, 0), ECONNREFUSED);
	assert_fails(mm_ipc_connect2("file", MM_IPC_PATH, 0), ECONNREFUSED);
	leave_scratch_directory();
}
END_TEST

START_TEST(connect_waits_for_its_timeout_at_a_full_queue)
{
	enter_scratch_directory();
	FOR_EACH_PLACE(place) {
		struct sockaddr_un address =
			place.flags == 0 ? name_address(place.address) : path_address(place.address);
		int clients[64], listener, count = listen_with_full_queue(&address, &listener, clients);

		for (int flags = 0; flags <= MM_IPC_NONBLOCK; flags += MM_IPC_NONBLOCK) {
			assert_takes(0, assert_fails(mm_ipc_connect2(place.address, place.flags | flags, 0), EAGAIN));
			assert_times_out_after(50, mm_ipc_connect2(place.address, place.flags | flags, 50));
			ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), "queue of pending connections is full"));
		}
		close_all(count, clients);
		close_all(1, &listener);
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(longest_timeout_is_not_shortened)
{
	/* The largest int must neither overflow nor count as "without limit". */
	const char *name = unique_name();
	struct waiter server = {.srv = create(name), .timeout_ms = INT32_MAX};
	pthread_t thread = start_waiter(&server);

	int client = mm_ipc_connect2(name, 0, INT32_MAX);

	ck_assert_int_ge(client, 0);
	join_thread(thread);
	ck_assert_int_ge(server.result, 0);
	close_all(2, (int[]){client, server.result});
	mm_ipc_srv_destroy(server.srv);
}
END_TEST

START_TEST(accept_without_limit_waits_for_a_late_client)
{
	const char *name = unique_name();
	struct waiter server = {.srv = create(name), .timeout_ms = -1};
	pthread_t thread = start_waiter(&server);

	sleep_ms(300);
	int client = connect_to(name);

	join_thread(thread);
	ck_assert_int_ge(server.result, 0);
	close_all(2, (int[]){client, server.result});
	mm_ipc_srv_destroy(server.srv);
}
END_TEST

START_TEST(environment_bounds_only_mm_ipc_connect)
{
	const char *name = unique_name();

	setenv("MMSYSIO_CONNECT_TIMEOUT_MS", "0", 1);
	assert_fails(mm_ipc_connect(name), ECONNREFUSED);
	assert_times_out_after(100, mm_ipc_connect2(name, 0, 100));

	struct waiter client = {.place = {name, 0}, .timeout_ms = -1};
	pthread_t thread = start_waiter(&client);
	struct mm_ipc_srv *srv = create(name);

	join_thread(thread);
	ck_assert_int_ge(client.result, 0);
	close_all(2, (int[]){client.result, accept2_from(srv, 0)});
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(signal_handler_interrupts_every_wait)
{
	const char *name = unique_name();
	struct sockaddr_un address = name_address(unique_name());
	int clients[64], listener, count = listen_with_full_queue(&address, &listener, clients);
	struct mm_ipc_srv *created = create(name), *adopted = adopt(listener);
	pthread_t interrupter = start_interrupting();

	enter_scratch_directory();
	assert_fails(mm_ipc_srv_accept2(created, 0, -1), EINTR);
	assert_fails(mm_ipc_srv_accept2(created, 0, LONG_MS), EINTR);
	FOR_EACH_PLACE(place) {
		assert_fails(mm_ipc_connect2(place.address, place.flags, -1), EINTR);
		assert_fails(mm_ipc_connect2(place.address, place.flags, LONG_MS), EINTR);
		assert_fails(mm_ipc_connect2(place.address, place.flags | MM_IPC_NONBLOCK, -1), EINTR);
	}
	for (int flags = 0; flags <= MM_IPC_NONBLOCK; flags += MM_IPC_NONBLOCK) {
		assert_fails(mm_ipc_connect2(address.sun_path + 1, flags, -1), EINTR);
		assert_fails(mm_ipc_connect2(address.sun_path + 1, flags, LONG_MS), EINTR);
	}
	for (int fd; (fd = mm_ipc_srv_accept2(adopted, 0, 0)) != -1;)
		close(fd);
	assert_fails(mm_ipc_srv_accept2(adopted, 0, -1), EINTR);
	assert_fails(mm_ipc_srv_accept2(adopted, 0, LONG_MS), EINTR);
	stop_interrupting(interrupter);
	close_all(count, clients);
	mm_ipc_srv_destroy(created);
	mm_ipc_srv_destroy(adopted);
	leave_scratch_directory();
}
END_TEST

/* Continues with what is left of the time after each EINTR, as a caller can. */
static void accept_until_timeout(struct mm_ipc_srv *srv, int64_t end)
{
	int result, interruptions = 0;

	do {
		int64_t left = end - now_ms();

		result = mm_ipc_srv_accept2(srv, 0, left > 0 ? (int)left : 0);
		interruptions += mm_get_lasterror_number() == EINTR;
	} while (result == -1 && mm_get_lasterror_number() == EINTR);
	ck_assert_int_eq(result, -1);
	ck_assert(mm_get_lasterror_number() == ETIMEDOUT || mm_get_lasterror_number() == EAGAIN);
	ck_assert_int_ge(interruptions, 2);
}

START_TEST(interrupted_caller_can_continue_with_the_time_that_is_left)
{
	struct mm_ipc_srv *srv = create(unique_name());
	pthread_t interrupter = start_interrupting();

	assert_takes(999, accept_until_timeout(srv, now_ms() + 1000));
	stop_interrupting(interrupter);
	mm_ipc_srv_destroy(srv);
}
END_TEST

static volatile sig_atomic_t handled;

static void count_signal(int signum)
{
	(void)signum;
	handled++;
}

static void *send_signals_for_a_moment(void *arg)
{
	for (int i = 0; i < 20; i++) {
		sleep_ms(10);
		pthread_kill(*(pthread_t *)arg, SIGUSR2);
	}
	return NULL;
}

START_TEST(ignored_signals_and_stops_neither_interrupt_nor_prolong_a_wait)
{
	pthread_t self = pthread_self();
	struct mm_ipc_srv *srv = create(unique_name());

	enter_scratch_directory();
	ck_assert_ptr_ne(signal(SIGUSR2, SIG_IGN), SIG_ERR);
	for (int i = 0; i < 2; i++) {
		pthread_t thread = start_thread(send_signals_for_a_moment, &self);

		if (i == 0)
			assert_times_out_after(400, mm_ipc_srv_accept2(srv, 0, 400));
		else
			assert_times_out_after(400, mm_ipc_connect2("socket", MM_IPC_PATH, 400));
		join_thread(thread);
	}
	mm_ipc_srv_destroy(srv);
	leave_scratch_directory();
}
END_TEST

static int time_out_in_each_wait(void *arg)
{
	struct mm_ipc_srv *srv = create(unique_name());

	(void)arg;
	FOR_EACH_PLACE(place) {
		assert_fails(mm_ipc_connect2(place.address, place.flags, 1500), ETIMEDOUT);
	}
	assert_fails(mm_ipc_srv_accept2(srv, 0, 1500), ETIMEDOUT);
	mm_ipc_srv_destroy(srv);
	return 0;
}

START_TEST(stopped_and_continued_process_keeps_waiting)
{
	enter_scratch_directory();
	pid_t child = start_child(time_out_in_each_wait, NULL);
	int status;

	while (waitpid(child, &status, WNOHANG) == 0) {
		kill(child, SIGSTOP);
		sleep_ms(20);
		kill(child, SIGCONT);
		sleep_ms(60);
	}
	ck_assert_int_eq(status, 0);
	leave_scratch_directory();
}
END_TEST

START_TEST(handler_with_sa_restart_ends_a_wait_too)
{
	struct sigaction action = {.sa_handler = count_signal, .sa_flags = SA_RESTART};
	pthread_t self = pthread_self();
	struct mm_ipc_srv *srv = create(unique_name());

	ck_assert_int_eq(sigaction(SIGUSR2, &action, NULL), 0);
	pthread_t thread = start_thread(send_signals_for_a_moment, &self);

	/* poll() is not restarted. */
	assert_fails(mm_ipc_srv_accept2(srv, 0, LONG_MS), EINTR);
	join_thread(thread);
	ck_assert_int_gt(handled, 0);
	mm_ipc_srv_destroy(srv);
}
END_TEST

/* The wall clock of a time namespace cannot be set; as root in a container, that of the machine must not be. */
static int64_t wall_clock_offset;

/* The library's calls are redirected here: only the monotonic clock is right. */
int clock_gettime(clockid_t clock, struct timespec *time)
{
	long number = SYS_clock_gettime;

#ifdef SYS_clock_gettime64
	if (sizeof(time->tv_sec) > sizeof(long))
		number = SYS_clock_gettime64;
#endif
	int result = (int)syscall(number, clock, time);

	if (clock != CLOCK_MONOTONIC)
		time->tv_sec += __atomic_add_fetch(&wall_clock_offset, 3600, __ATOMIC_RELAXED);
	return result;
}

START_TEST(changes_of_the_wall_clock_have_no_influence)
{
	struct mm_ipc_srv *srv = create(unique_name());
	struct timespec first, second;

	/* The wall clock jumps. */
	clock_gettime(CLOCK_REALTIME, &first);
	clock_gettime(CLOCK_REALTIME, &second);
	ck_assert_int_ge(second.tv_sec - first.tv_sec, 3600);
	assert_times_out_after(200, mm_ipc_srv_accept2(srv, 0, 200));
	assert_times_out_after(200, mm_ipc_connect2(unique_name(), 0, 200));
	mm_ipc_srv_destroy(srv);
}
END_TEST

SUITE(accept_waits_for_its_timeout, accept_of_an_adopted_listener_waits_for_its_timeout, connect_waits_for_its_timeout,
      connect_waits_for_its_timeout_at_a_full_queue, longest_timeout_is_not_shortened,
      accept_without_limit_waits_for_a_late_client, environment_bounds_only_mm_ipc_connect,
      signal_handler_interrupts_every_wait, interrupted_caller_can_continue_with_the_time_that_is_left,
      ignored_signals_and_stops_neither_interrupt_nor_prolong_a_wait, stopped_and_continued_process_keeps_waiting,
      handler_with_sa_restart_ends_a_wait_too, changes_of_the_wall_clock_have_no_influence)
