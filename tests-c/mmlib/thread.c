/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.c: threads, and functions that are called once
 */
#include "codes.h"

#include <semaphore.h>

static void *increment(void *arg)
{
	return (char *)arg + 1;
}

/* --- create, join, detach ----------------------------------------------------------------------------------------- */

START_TEST(join_returns_the_exit_value)
{
	char values[2];
	void *value = NULL;
	mm_thread_t thread;

	assert_returns(mm_thr_create(&thread, increment, &values[0]), 0);
	assert_returns(mm_thr_join(thread, &value), 0);
	ck_assert_ptr_eq(value, &values[1]);
	assert_returns(mm_thr_create(&thread, increment, &values[0]), 0);
	assert_returns(mm_thr_join(thread, NULL), 0);
}
END_TEST

static void *exit_early(void *arg)
{
	pthread_exit(arg);
}

START_TEST(threads_may_call_pthread_exit)
{
	mm_thread_t thread;
	void *value = NULL;

	assert_returns(mm_thr_create(&thread, exit_early, &thread), 0);
	assert_returns(mm_thr_join(thread, &value), 0);
	ck_assert_ptr_eq(value, &thread);
}
END_TEST

static mm_thread_t created;

static void *compare_id(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)(mm_thr_self() == created && pthread_self() == created);
}

START_TEST(the_identifier_is_that_of_the_new_thread)
{
	void *value = NULL;

	for (int i = 0; i < 20; i++) {
		assert_returns(mm_thr_create(&created, compare_id, NULL), 0);
		ck_assert(!pthread_equal(created, mm_thr_self()));
		assert_returns(mm_thr_join(created, &value), 0);
		ck_assert_ptr_nonnull(value);
	}
}
END_TEST

static void *error_state(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)(mm_get_lasterror_number() + mm_error_set_flags(0, 0));
}

START_TEST(new_threads_have_an_empty_error_state)
{
	void *value = &value;
	mm_thread_t thread;
	int flags = mm_error_set_flags(MM_ERROR_SET, MM_ERROR_NOLOG);

	mm_raise_error(ENOENT, "an error of this thread");
	ck_assert_int_eq(mm_thr_create(&thread, error_state, NULL), 0);
	ck_assert_int_eq(mm_thr_join(thread, &value), 0);
	ck_assert_ptr_null(value);
	ck_assert_int_eq(mm_get_lasterror_number(), ENOENT);
	mm_error_set_flags(flags, MM_ERROR_NOLOG);
}
END_TEST

static sem_t may_end;

static void *wait_for_permission(void *arg)
{
	while (sem_wait(&may_end) != 0)
		;
	return arg;
}

START_TEST(threads_that_cannot_be_joined_are_errors)
{
	void *value = &may_end;
	mm_thread_t thread;

	ck_assert_int_eq(sem_init(&may_end, 0, 0), 0);
	assert_raises(mm_thr_join(mm_thr_self(), &value), EDEADLK);
	assert_returns(mm_thr_create(&thread, wait_for_permission, NULL), 0);
	assert_returns(mm_thr_detach(thread), 0);
	/* Its identifier is valid until it ends. musl does not detect these errors. */
#ifdef __GLIBC__
	assert_raises(mm_thr_join(thread, &value), EINVAL);
	assert_raises(mm_thr_detach(thread), EINVAL);
#endif
	ck_assert_ptr_eq(value, &may_end);
	ck_assert_int_eq(sem_post(&may_end), 0);
}
END_TEST

START_TEST(null_arguments_of_create_are_errors)
{
	mm_thread_t thread;

	assert_raises(mm_thr_create(NULL, increment, NULL), EFAULT);
	assert_raises(mm_thr_create(&thread, NULL, NULL), EFAULT);
}
END_TEST

static void create_too_many(void)
{
	struct rlimit limit = {1, 1};
	mm_thread_t thread;

	ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &limit), 0);
	assert_raises(mm_thr_create(&thread, increment, NULL), EAGAIN);
}

START_TEST(a_limit_of_threads_is_an_error)
{
	/* valgrind and helgrind create the thread in their own way. */
	if (!is_under_valgrind())
		as_ordinary_user(create_too_many);
}
END_TEST

START_TEST(errors_are_logged_and_can_be_ignored)
{
	collect_lines();
	assert_raises(mm_thr_join(mm_thr_self(), NULL), EDEADLK);
	const char *line = collected();

	ck_assert_msg(strstr(line, "mmlib") != NULL && strstr(line, "mm_thr_join") != NULL, "logged: %s", line);
	suite_forget_error();
	int flags = mm_error_set_flags(MM_ERROR_SET, MM_ERROR_IGNORE);

	errno = 0;
	int result = mm_thr_join(mm_thr_self(), NULL), number = errno;

	ck_assert_int_eq(result, EDEADLK);
	ck_assert_int_eq(number, EDEADLK);
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
	ck_assert_str_eq(collected(), "");
	mm_error_set_flags(flags, MM_ERROR_ALL_ALTERNATE);
	stop_collecting();
}
END_TEST

/* --- cancellation ------------------------------------------------------------------------------------------------- */

static volatile pid_t joiner_id;

static void *join_other(void *thread)
{
	void *value;

	joiner_id = thread_id();
	mm_thr_join(*(mm_thread_t *)thread, &value);
	return NULL;
}

START_TEST(a_cancelled_join_leaves_the_thread_joinable)
{
	mm_thread_t thread, joiner;
	void *value = NULL;

	ck_assert_int_eq(sem_init(&may_end, 0, 0), 0);
	assert_returns(mm_thr_create(&thread, wait_for_permission, &may_end), 0);
	assert_returns(mm_thr_create(&joiner, join_other, &thread), 0);
	while (joiner_id == 0)
		sched_yield();
	wait_until_asleep(joiner_id);
	ck_assert_int_eq(pthread_cancel(joiner), 0);
	assert_returns(mm_thr_join(joiner, &value), 0);
	ck_assert_ptr_eq(value, PTHREAD_CANCELED);
	ck_assert_int_eq(sem_post(&may_end), 0);
	assert_returns(mm_thr_join(thread, &value), 0);
	ck_assert_ptr_eq(value, &may_end);
}
END_TEST

/* --- once --------------------------------------------------------------------------------------------------------- */

static int calls;

static void slow_routine(void)
{
	sleep_ms(20);
	calls++;
}

static mm_thr_once_t once = MM_THR_ONCE_INIT;

static void *call_once(void *arg)
{
	(void)arg;
	int result = mm_thr_once(&once, slow_routine);

	/* It has finished, in any thread that called it. */
	return (void *)(intptr_t)(result == 0 && calls == 1);
}

START_TEST(concurrent_calls_run_the_routine_once)
{
	mm_thread_t threads[8];
	void *value;

	for (int i = 0; i < MM_NELEM(threads); i++)
		assert_returns(mm_thr_create(&threads[i], call_once, NULL), 0);
	for (int i = 0; i < MM_NELEM(threads); i++) {
		assert_returns(mm_thr_join(threads[i], &value), 0);
		ck_assert_ptr_nonnull(value);
	}
	assert_returns(mm_thr_once(&once, slow_routine), 0);
	ck_assert_int_eq(calls, 1);
}
END_TEST

static sem_t started;

static void endless_routine(void)
{
	sem_post(&started);
	for (;;)
		pause();
}

static void *call_endless(void *arg)
{
	mm_thr_once(arg, endless_routine);
	return NULL;
}

START_TEST(a_cancelled_routine_is_called_again)
{
	mm_thr_once_t object = MM_THR_ONCE_INIT;
	mm_thread_t thread;
	void *value = NULL;

	ck_assert_int_eq(sem_init(&started, 0, 0), 0);
	assert_returns(mm_thr_create(&thread, call_endless, &object), 0);
	while (sem_wait(&started) != 0)
		;
	ck_assert_int_eq(pthread_cancel(thread), 0);
	assert_returns(mm_thr_join(thread, &value), 0);
	ck_assert_ptr_eq(value, PTHREAD_CANCELED);
	calls = 0;
	assert_returns(mm_thr_once(&object, slow_routine), 0);
	assert_returns(mm_thr_once(&object, slow_routine), 0);
	ck_assert_int_eq(calls, 1);
}
END_TEST

START_TEST(null_arguments_of_once_are_errors)
{
	mm_thr_once_t object = MM_THR_ONCE_INIT;

	calls = 0;
	assert_returns(mm_thr_once(NULL, slow_routine), EFAULT);
	assert_returns(mm_thr_once(&object, NULL), EFAULT);
	assert_returns(mm_thr_once(&object, slow_routine), 0);
	ck_assert_int_eq(calls, 1);
}
END_TEST

SUITE(join_returns_the_exit_value, threads_may_call_pthread_exit, the_identifier_is_that_of_the_new_thread,
      new_threads_have_an_empty_error_state, threads_that_cannot_be_joined_are_errors,
      null_arguments_of_create_are_errors, a_limit_of_threads_is_an_error, errors_are_logged_and_can_be_ignored,
      a_cancelled_join_leaves_the_thread_joinable, concurrent_calls_run_the_routine_once,
      a_cancelled_routine_is_called_again, null_arguments_of_once_are_errors)
