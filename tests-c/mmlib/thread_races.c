/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread_races.c: plain variables that threads share as mmthread.h permits, for detectors of data races
 *
 * The other tests of threads call functions in ways that a detector reports as errors.
 */
#include "codes.h"

#include <mmprofile.h>

enum { THREADS = 4, ROUNDS = 300 };

static mm_thr_mutex_t mutex;
static mm_thr_cond_t not_empty, not_full;
static long counter;

static void init(int flags)
{
	assert_returns(mm_thr_mutex_init(&mutex, flags), 0);
	assert_returns(mm_thr_cond_init(&not_empty, flags | MM_THR_WAIT_MONOTONIC), 0);
	assert_returns(mm_thr_cond_init(&not_full, flags | MM_THR_WAIT_MONOTONIC), 0);
	counter = 0;
}

static void deinit(void)
{
	assert_returns(mm_thr_cond_deinit(&not_empty), 0);
	assert_returns(mm_thr_cond_deinit(&not_full), 0);
	assert_returns(mm_thr_mutex_deinit(&mutex), 0);
}

static void run_threads(void *(*run)(void *))
{
	mm_thread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(mm_thr_create(&threads[i], run, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(mm_thr_join(threads[i], NULL), 0);
}

static void *count(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		if (mm_thr_mutex_trylock(&mutex) != 0)
			ck_assert_int_eq(mm_thr_mutex_lock(&mutex), 0);
		counter++;
		ck_assert_int_eq(mm_thr_mutex_unlock(&mutex), 0);
	}
	return arg;
}

START_TEST(mutexes_protect_variables)
{
	for (int flags = 0; flags <= MM_THR_PSHARED; flags++) {
		init(flags);
		run_threads(count);
		ck_assert_int_eq(counter, THREADS * ROUNDS);
		deinit();
	}
}
END_TEST

/* A queue of one element. */
static int element;
static long long sum;

static void *produce(void *arg)
{
	for (int i = 1; i <= ROUNDS; i++) {
		ck_assert_int_eq(mm_thr_mutex_lock(&mutex), 0);
		while (element != 0)
			ck_assert_int_eq(mm_thr_cond_wait(&not_full, &mutex), 0);
		element = i;
		ck_assert_int_eq(mm_thr_cond_signal(&not_empty), 0);
		ck_assert_int_eq(mm_thr_mutex_unlock(&mutex), 0);
	}
	return arg;
}

START_TEST(condition_variables_pass_values)
{
	struct mm_timespec time;
	mm_thread_t thread;

	for (int flags = 0; flags <= MM_THR_PSHARED; flags++) {
		init(flags);
		sum = 0;
		element = 0;
		ck_assert_int_eq(mm_gettime(MM_CLK_MONOTONIC, &time), 0);
		mm_timeadd_ms(&time, 1000000);
		ck_assert_int_eq(mm_thr_create(&thread, produce, NULL), 0);
		for (int i = 0; i < ROUNDS; i++) {
			ck_assert_int_eq(mm_thr_mutex_lock(&mutex), 0);
			while (element == 0)
				ck_assert_int_eq(mm_thr_cond_timedwait(&not_empty, &mutex, &time), 0);
			sum += element;
			element = 0;
			ck_assert_int_eq(mm_thr_cond_broadcast(&not_full), 0);
			ck_assert_int_eq(mm_thr_mutex_unlock(&mutex), 0);
		}
		ck_assert_int_eq(mm_thr_join(thread, NULL), 0);
		ck_assert_int_eq(sum, ROUNDS * (ROUNDS + 1) / 2);
		deinit();
	}
}
END_TEST

static void *measure(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		ck_assert_int_eq(mm_thr_mutex_lock(&mutex), 0);
		mm_tic();
		mm_toc();
		mm_toc_label("label");
		counter += mm_profile_get_data(1, PROF_MAX) >= 0;
		ck_assert_int_eq(mm_thr_mutex_unlock(&mutex), 0);
	}
	return arg;
}

START_TEST(profiling_calls_are_serialized_by_a_mutex)
{
	init(0);
	mm_profile_reset(0);
	run_threads(measure);
	ck_assert_int_eq(counter, THREADS * ROUNDS);
	deinit();
}
END_TEST

START_TEST(threads_see_what_was_written_before_their_creation)
{
	mm_thread_t thread;

	for (int i = 0; i < 10; i++) {
		init(0);
		counter = i;
		ck_assert_int_eq(mm_thr_create(&thread, count, NULL), 0);
		ck_assert_int_eq(mm_thr_join(thread, NULL), 0);
		ck_assert_int_eq(counter, i + ROUNDS);
		deinit();
	}
}
END_TEST

SUITE(mutexes_protect_variables, condition_variables_pass_values, profiling_calls_are_serialized_by_a_mutex,
      threads_see_what_was_written_before_their_creation)
