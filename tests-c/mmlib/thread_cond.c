/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread_cond.c: condition variables of threads and of processes
 */
#include "codes.h"

/* A condition, and those who wait for it. */
struct gate {
	mm_thr_mutex_t mutex;
	mm_thr_cond_t opened, arrived;
	int open, waiting, passed;
};

static void init_gate(struct gate *gate, int flags)
{
	memset(gate, 0, sizeof(*gate));
	assert_returns(mm_thr_mutex_init(&gate->mutex, flags), 0);
	assert_returns(mm_thr_cond_init(&gate->opened, flags), 0);
	assert_returns(mm_thr_cond_init(&gate->arrived, flags), 0);
}

static void deinit_gate(struct gate *gate)
{
	assert_returns(mm_thr_cond_deinit(&gate->opened), 0);
	assert_returns(mm_thr_cond_deinit(&gate->arrived), 0);
	assert_returns(mm_thr_mutex_deinit(&gate->mutex), 0);
}

/* Passes the gate as soon as it is open. Returns 0 on success. */
static int pass(struct gate *gate)
{
	int result = mm_thr_mutex_lock(&gate->mutex);

	gate->waiting++;
	if (result == 0)
		result = mm_thr_cond_signal(&gate->arrived);
	while (result == 0 && gate->open == 0)
		result = mm_thr_cond_wait(&gate->opened, &gate->mutex);
	gate->open--;
	gate->passed++;
	return mm_thr_mutex_unlock(&gate->mutex) == 0 ? result : -1;
}

static void *pass_in_thread(void *gate)
{
	return (void *)(intptr_t)pass(gate);
}

static int pass_in_child(void *gate)
{
	return pass(gate);
}

/* Waits until so many wait, then lets all pass. */
static void open_gate(struct gate *gate, int count, bool broadcast)
{
	assert_returns(mm_thr_mutex_lock(&gate->mutex), 0);
	while (gate->waiting < count)
		ck_assert_int_eq(mm_thr_cond_wait(&gate->arrived, &gate->mutex), 0);
	ck_assert_int_eq(gate->passed, 0);
	gate->open = count;
	if (broadcast)
		assert_returns(mm_thr_cond_broadcast(&gate->opened), 0);
	for (int i = 0; i < count && !broadcast; i++)
		assert_returns(mm_thr_cond_signal(&gate->opened), 0);
	assert_returns(mm_thr_mutex_unlock(&gate->mutex), 0);
}

enum { COUNT = 5 };

START_TEST(threads_are_woken)
{
	/* Unknown flags are ignored. */
	static const int flags[] = {0, MM_THR_PSHARED, MM_THR_WAIT_MONOTONIC, 0xff};
	pthread_t threads[COUNT];
	struct gate gate;

	for (int i = 0; i < 2 * MM_NELEM(flags); i++) {
		init_gate(&gate, flags[i / 2]);
		for (int n = 0; n < COUNT; n++)
			threads[n] = start_thread(pass_in_thread, &gate);
		open_gate(&gate, COUNT, i % 2);
		for (int n = 0; n < COUNT; n++)
			ck_assert_ptr_null(join_thread(threads[n]));
		ck_assert_int_eq(gate.passed, COUNT);
		deinit_gate(&gate);
	}
}
END_TEST

START_TEST(processes_are_woken)
{
	struct gate *gate = shared_memory(sizeof(*gate));
	pid_t children[COUNT];

	for (int broadcast = 0; broadcast < 2; broadcast++) {
		init_gate(gate, MM_THR_PSHARED | (broadcast ? MM_THR_WAIT_MONOTONIC : 0));
		for (int i = 0; i < COUNT; i++)
			children[i] = start_child(pass_in_child, gate);
		open_gate(gate, COUNT, broadcast);
		for (int i = 0; i < COUNT; i++)
			assert_child_succeeds(children[i]);
		ck_assert_int_eq(gate->passed, COUNT);
		deinit_gate(gate);
	}
	ck_assert_int_eq(mm_unmap(gate), 0);
}
END_TEST

START_TEST(signals_without_waiting_threads_do_nothing)
{
	mm_thr_cond_t cond = MM_THR_COND_INITIALIZER;

	assert_returns(mm_thr_cond_signal(&cond), 0);
	assert_returns(mm_thr_cond_broadcast(&cond), 0);
	assert_returns(mm_thr_cond_deinit(&cond), 0);
}
END_TEST

/* --- timed waits -------------------------------------------------------------------------------------------------- */

static struct mm_timespec in_ms(clockid_t clock, int ms)
{
	struct mm_timespec time;

	ck_assert_int_eq(mm_gettime(clock, &time), 0);
	mm_timeadd_ms(&time, ms);
	return time;
}

/* Waits until a time at which nobody signals the condition. */
static void check_timeout(mm_thr_cond_t *cond, mm_thr_mutex_t *mutex, struct mm_timespec time)
{
	int result;

	suite_forget_error();
	errno = UNTOUCHED;
	do {
		result = mm_thr_cond_timedwait(cond, mutex, &time);
	} while (result == 0);
	ck_assert_int_eq(errno, UNTOUCHED);
	ck_assert_int_eq(result, ETIMEDOUT);
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
	/* The mutex is locked again. */
	assert_returns(mm_thr_mutex_trylock(mutex), EBUSY);
}

START_TEST(timed_waits_end_at_the_time_of_their_clock)
{
	for (int flags = 0; flags <= (MM_THR_PSHARED | MM_THR_WAIT_MONOTONIC); flags++) {
		clockid_t clock = flags & MM_THR_WAIT_MONOTONIC ? MM_CLK_MONOTONIC : MM_CLK_REALTIME;
		struct gate gate;
		int64_t start = now_ms();

		init_gate(&gate, flags);
		assert_returns(mm_thr_mutex_lock(&gate.mutex), 0);
		check_timeout(&gate.opened, &gate.mutex, in_ms(clock, 30));
		/* A millisecond less, since the clocks differ. On a wrong clock, the wait is endless or no wait. */
		ck_assert_int_ge(now_ms() - start, 29);
		assert_returns(mm_thr_mutex_unlock(&gate.mutex), 0);
		deinit_gate(&gate);
	}
}
END_TEST

START_TEST(static_condition_variables_use_the_realtime_clock)
{
	mm_thr_cond_t cond = MM_THR_COND_INITIALIZER;
	mm_thr_mutex_t mutex = MM_THR_MUTEX_INITIALIZER;
	int64_t start = now_ms();

	assert_returns(mm_thr_mutex_lock(&mutex), 0);
	check_timeout(&cond, &mutex, in_ms(MM_CLK_REALTIME, 30));
	ck_assert_int_ge(now_ms() - start, 29);
	assert_returns(mm_thr_mutex_unlock(&mutex), 0);
}
END_TEST

START_TEST(times_in_the_past_end_the_wait_at_once)
{
	static const struct mm_timespec past[] = {{.tv_sec = 0, .tv_nsec = 0},
	                                          {.tv_sec = 1, .tv_nsec = 999999999},
	                                          {.tv_sec = -1, .tv_nsec = 0},
	                                          {.tv_sec = -1000000, .tv_nsec = 5}};
	struct gate gate;

	for (int flags = 0; flags <= (MM_THR_PSHARED | MM_THR_WAIT_MONOTONIC); flags++) {
		init_gate(&gate, flags);
		assert_returns(mm_thr_mutex_lock(&gate.mutex), 0);
		for (int i = 0; i < MM_NELEM(past); i++)
			check_timeout(&gate.opened, &gate.mutex, past[i]);
		assert_returns(mm_thr_mutex_unlock(&gate.mutex), 0);
		deinit_gate(&gate);
	}
}
END_TEST

START_TEST(invalid_nanoseconds_are_rejected)
{
	struct mm_timespec time = in_ms(MM_CLK_REALTIME, 100000);
	struct gate gate;

	init_gate(&gate, 0);
	assert_returns(mm_thr_mutex_lock(&gate.mutex), 0);
	time.tv_nsec = -1;
	assert_returns(mm_thr_cond_timedwait(&gate.opened, &gate.mutex, &time), EINVAL);
	time.tv_nsec = 1000000000;
	assert_returns(mm_thr_cond_timedwait(&gate.opened, &gate.mutex, &time), EINVAL);
	assert_returns(mm_thr_mutex_trylock(&gate.mutex), EBUSY);
	assert_returns(mm_thr_mutex_unlock(&gate.mutex), 0);
	deinit_gate(&gate);
}
END_TEST

static void *open_later(void *arg)
{
	struct gate *gate = arg;

	ck_assert_int_eq(mm_thr_mutex_lock(&gate->mutex), 0);
	gate->open = 1;
	ck_assert_int_eq(mm_thr_cond_signal(&gate->opened), 0);
	ck_assert_int_eq(mm_thr_mutex_unlock(&gate->mutex), 0);
	return NULL;
}

START_TEST(a_signal_ends_a_timed_wait)
{
	struct mm_timespec time = in_ms(MM_CLK_MONOTONIC, 1000000);
	struct gate gate;

	init_gate(&gate, MM_THR_WAIT_MONOTONIC);
	assert_returns(mm_thr_mutex_lock(&gate.mutex), 0);
	pthread_t thread = start_thread(open_later, &gate);

	while (gate.open == 0)
		assert_returns(mm_thr_cond_timedwait(&gate.opened, &gate.mutex, &time), 0);
	assert_returns(mm_thr_mutex_unlock(&gate.mutex), 0);
	join_thread(thread);
	deinit_gate(&gate);
}
END_TEST

/* --- robust mutexes, cancellation, invalid arguments -------------------------------------------------------------- */

START_TEST(waiting_requires_the_shared_mutex)
{
	struct mm_timespec past = {0, 0};
	struct gate gate;

	init_gate(&gate, MM_THR_PSHARED);
	assert_returns(mm_thr_cond_wait(&gate.opened, &gate.mutex), EPERM);
	assert_returns(mm_thr_cond_timedwait(&gate.opened, &gate.mutex, &past), EPERM);
	deinit_gate(&gate);
}
END_TEST

/* Wakes a thread, and ends with the lock. */
static void *open_and_end(void *arg)
{
	struct gate *gate = arg;

	ck_assert_int_eq(mm_thr_mutex_lock(&gate->mutex), 0);
	gate->open = 1;
	ck_assert_int_eq(mm_thr_cond_signal(&gate->opened), 0);
	return NULL;
}

START_TEST(a_wait_reports_that_the_owner_of_the_mutex_ended)
{
	struct gate gate;
	int result = 0;

	init_gate(&gate, MM_THR_PSHARED);
	assert_returns(mm_thr_mutex_lock(&gate.mutex), 0);
	pthread_t thread = start_thread(open_and_end, &gate);

	while (gate.open == 0 && result == 0)
		result = mm_thr_cond_wait(&gate.opened, &gate.mutex);
	ck_assert_int_eq(result, EOWNERDEAD);
	assert_returns(mm_thr_mutex_trylock(&gate.mutex), EBUSY);
	assert_returns(mm_thr_mutex_consistent(&gate.mutex), 0);
	assert_returns(mm_thr_mutex_unlock(&gate.mutex), 0);
	join_thread(thread);
	deinit_gate(&gate);
}
END_TEST

static void unlock(void *mutex)
{
	ck_assert_int_eq(mm_thr_mutex_unlock(mutex), 0);
}

static bool is_timed;

static void *wait_for_cancellation(void *arg)
{
	struct mm_timespec time = in_ms(MM_CLK_REALTIME, 1000000);
	struct gate *gate = arg;

	ck_assert_int_eq(mm_thr_mutex_lock(&gate->mutex), 0);
	gate->waiting = 1;
	pthread_cleanup_push(unlock, &gate->mutex);
	while (gate->waiting == 1) {
		if (is_timed)
			mm_thr_cond_timedwait(&gate->opened, &gate->mutex, &time);
		else
			mm_thr_cond_wait(&gate->opened, &gate->mutex);
	}
	pthread_cleanup_pop(1);
	return NULL;
}

START_TEST(cancelled_waits_hold_the_mutex_in_cleanup_handlers)
{
	struct gate gate;

	for (int i = 0; i < 4; i++) {
		init_gate(&gate, i / 2 == 0 ? 0 : MM_THR_PSHARED);
		is_timed = i % 2;
		pthread_t thread = start_thread(wait_for_cancellation, &gate);

		for (int waiting = 0; waiting == 0;) {
			ck_assert_int_eq(mm_thr_mutex_lock(&gate.mutex), 0);
			waiting = gate.waiting;
			ck_assert_int_eq(mm_thr_mutex_unlock(&gate.mutex), 0);
			sched_yield();
		}
		ck_assert_int_eq(pthread_cancel(thread), 0);
		ck_assert_ptr_eq(join_thread(thread), PTHREAD_CANCELED);
		assert_returns(mm_thr_mutex_trylock(&gate.mutex), 0);
		assert_returns(mm_thr_mutex_unlock(&gate.mutex), 0);
		deinit_gate(&gate);
	}
}
END_TEST

START_TEST(null_arguments_are_errors)
{
	mm_thr_cond_t cond = MM_THR_COND_INITIALIZER;
	mm_thr_mutex_t mutex = MM_THR_MUTEX_INITIALIZER;
	struct mm_timespec past = {0, 0};

	assert_raises(mm_thr_cond_init(NULL, MM_THR_PSHARED), EFAULT);
	assert_returns(mm_thr_cond_signal(NULL), EFAULT);
	assert_returns(mm_thr_cond_broadcast(NULL), EFAULT);
	assert_returns(mm_thr_cond_deinit(NULL), EFAULT);
	assert_returns(mm_thr_mutex_lock(&mutex), 0);
	assert_returns(mm_thr_cond_wait(NULL, &mutex), EFAULT);
	assert_returns(mm_thr_cond_wait(&cond, NULL), EFAULT);
	assert_returns(mm_thr_cond_timedwait(NULL, &mutex, &past), EFAULT);
	assert_returns(mm_thr_cond_timedwait(&cond, NULL, &past), EFAULT);
	assert_returns(mm_thr_cond_timedwait(&cond, &mutex, NULL), EFAULT);
	assert_returns(mm_thr_mutex_trylock(&mutex), EBUSY);
	assert_returns(mm_thr_mutex_unlock(&mutex), 0);
}
END_TEST

START_TEST(timeouts_are_not_logged)
{
	mm_thr_cond_t cond = MM_THR_COND_INITIALIZER;
	mm_thr_mutex_t mutex = MM_THR_MUTEX_INITIALIZER;
	struct mm_timespec past = {0, 0}, invalid = {0, -1};

	collect_lines();
	assert_returns(mm_thr_mutex_lock(&mutex), 0);
	check_timeout(&cond, &mutex, past);
	assert_returns(mm_thr_cond_timedwait(&cond, &mutex, &invalid), EINVAL);
	assert_returns(mm_thr_mutex_unlock(&mutex), 0);
	ck_assert_str_eq(collected(), "");
	stop_collecting();
}
END_TEST

SUITE(threads_are_woken, processes_are_woken, signals_without_waiting_threads_do_nothing,
      timed_waits_end_at_the_time_of_their_clock, static_condition_variables_use_the_realtime_clock,
      times_in_the_past_end_the_wait_at_once, invalid_nanoseconds_are_rejected, a_signal_ends_a_timed_wait,
      waiting_requires_the_shared_mutex, a_wait_reports_that_the_owner_of_the_mutex_ended,
      cancelled_waits_hold_the_mutex_in_cleanup_handlers, null_arguments_are_errors, timeouts_are_not_logged)
