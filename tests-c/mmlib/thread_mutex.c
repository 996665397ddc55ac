/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread_mutex.c: mutexes of threads and of processes
 */
#include "codes.h"

static void *lock_only(void *mutex)
{
	return (void *)(intptr_t)mm_thr_mutex_lock(mutex);
}

static void *try_lock(void *mutex)
{
	return (void *)(intptr_t)mm_thr_mutex_trylock(mutex);
}

static void *unlock_only(void *mutex)
{
	return (void *)(intptr_t)mm_thr_mutex_unlock(mutex);
}

/* What a call returns in another thread, which then ends. */
static int in_thread(void *(*call)(void *), mm_thr_mutex_t *mutex)
{
	return (int)(intptr_t)join_thread(start_thread(call, mutex));
}

static mm_thr_mutex_t *new_mutex(int flags)
{
	mm_thr_mutex_t *mutex = shared_memory(sizeof(*mutex));

	assert_returns(mm_thr_mutex_init(mutex, flags), 0);
	return mutex;
}

static void release(mm_thr_mutex_t *mutex)
{
	assert_returns(mm_thr_mutex_deinit(mutex), 0);
	ck_assert_int_eq(mm_unmap(mutex), 0);
}

/* --- one process -------------------------------------------------------------------------------------------------- */

static void check_normal_mutex(mm_thr_mutex_t *mutex)
{
	assert_returns(mm_thr_mutex_lock(mutex), 0);
	assert_returns(mm_thr_mutex_trylock(mutex), EBUSY);
	ck_assert_int_eq(in_thread(try_lock, mutex), EBUSY);
	assert_returns(mm_thr_mutex_consistent(mutex), EINVAL);
	assert_returns(mm_thr_mutex_unlock(mutex), 0);
	assert_returns(mm_thr_mutex_trylock(mutex), 0);
	assert_returns(mm_thr_mutex_unlock(mutex), 0);
	assert_returns(mm_thr_mutex_deinit(mutex), 0);
}

START_TEST(normal_mutexes_lock_and_unlock)
{
	/* Unknown flags and those of condition variables are ignored. */
	static const int flags[] = {0, MM_THR_WAIT_MONOTONIC, 0x80, ~MM_THR_PSHARED};
	mm_thr_mutex_t mutex;

	for (int i = 0; i < MM_NELEM(flags); i++) {
		memset(&mutex, 0xff, sizeof(mutex));
		assert_returns(mm_thr_mutex_init(&mutex, flags[i]), 0);
		check_normal_mutex(&mutex);
	}
}
END_TEST

START_TEST(static_and_zero_filled_mutexes_are_normal)
{
	static mm_thr_mutex_t initialized = MM_THR_MUTEX_INITIALIZER, deprecated = MM_THR_MTX_INITIALIZER;
	mm_thr_mutex_t zero;

	memset(&zero, 0, sizeof(zero));
	check_normal_mutex(&initialized);
	check_normal_mutex(&deprecated);
	check_normal_mutex(&zero);
}
END_TEST

START_TEST(normal_mutexes_that_are_locked_cannot_be_released)
{
	mm_thr_mutex_t mutex = MM_THR_MUTEX_INITIALIZER;

	assert_returns(mm_thr_mutex_lock(&mutex), 0);
#ifdef __GLIBC__ /* otherwise undefined */
	if (!is_instrumented())
		assert_returns(mm_thr_mutex_deinit(&mutex), EBUSY);
#endif
	assert_returns(mm_thr_mutex_unlock(&mutex), 0);
	assert_returns(mm_thr_mutex_deinit(&mutex), 0);
}
END_TEST

START_TEST(a_normal_mutex_remains_locked_when_its_owner_ends)
{
	mm_thr_mutex_t mutex = MM_THR_MUTEX_INITIALIZER;

	ck_assert_int_eq(in_thread(lock_only, &mutex), 0);
	assert_returns(mm_thr_mutex_trylock(&mutex), EBUSY);
}
END_TEST

START_TEST(released_mutexes_can_be_initialized_again)
{
	mm_thr_mutex_t mutex = MM_THR_MUTEX_INITIALIZER;

	for (int i = 0; i < 3; i++) {
		assert_returns(mm_thr_mutex_deinit(&mutex), 0);
		assert_returns(mm_thr_mutex_init(&mutex, i % 2 == 0 ? MM_THR_PSHARED : 0), 0);
		assert_returns(mm_thr_mutex_lock(&mutex), 0);
		assert_returns(mm_thr_mutex_unlock(&mutex), 0);
	}
	assert_returns(mm_thr_mutex_deinit(&mutex), 0);
}
END_TEST

START_TEST(null_mutexes_are_errors)
{
	assert_raises(mm_thr_mutex_init(NULL, 0), EFAULT);
	assert_raises(mm_thr_mutex_init(NULL, MM_THR_PSHARED), EFAULT);
	assert_returns(mm_thr_mutex_lock(NULL), EFAULT);
	assert_returns(mm_thr_mutex_trylock(NULL), EFAULT);
	assert_returns(mm_thr_mutex_consistent(NULL), EFAULT);
	assert_returns(mm_thr_mutex_unlock(NULL), EFAULT);
	assert_returns(mm_thr_mutex_deinit(NULL), EFAULT);
}
END_TEST

enum { THREADS = 8 };
static const int rounds = 2000;
static mm_thr_mutex_t *contended;
static volatile long counter;

static void *count(void *arg)
{
	(void)arg;
	for (int i = 0; i < rounds; i++) {
		ck_assert_int_eq(mm_thr_mutex_lock(contended), 0);
		counter = counter + 1;
		ck_assert_int_eq(mm_thr_mutex_unlock(contended), 0);
	}
	return NULL;
}

START_TEST(threads_exclude_each_other)
{
	pthread_t threads[THREADS];

	for (int flags = 0; flags <= MM_THR_PSHARED; flags++) {
		contended = new_mutex(flags);
		counter = 0;
		for (int i = 0; i < THREADS; i++)
			threads[i] = start_thread(count, NULL);
		for (int i = 0; i < THREADS; i++)
			join_thread(threads[i]);
		ck_assert_int_eq(counter, THREADS * rounds);
		release(contended);
	}
}
END_TEST

/* --- shared mutexes ----------------------------------------------------------------------------------------------- */

START_TEST(shared_mutexes_lock_and_unlock)
{
	mm_thr_mutex_t *mutex = new_mutex(MM_THR_PSHARED);

	assert_returns(mm_thr_mutex_lock(mutex), 0);
	assert_returns(mm_thr_mutex_trylock(mutex), EBUSY);
	ck_assert_int_eq(in_thread(try_lock, mutex), EBUSY);
	assert_returns(mm_thr_mutex_consistent(mutex), EINVAL);
	assert_returns(mm_thr_mutex_unlock(mutex), 0);
	assert_returns(mm_thr_mutex_consistent(mutex), EINVAL);
	release(mutex);
}
END_TEST

START_TEST(only_the_owner_unlocks_a_shared_mutex)
{
	mm_thr_mutex_t *mutex = new_mutex(MM_THR_PSHARED);

	assert_returns(mm_thr_mutex_unlock(mutex), EPERM);
	assert_returns(mm_thr_mutex_lock(mutex), 0);
	ck_assert_int_eq(in_thread(unlock_only, mutex), EPERM);
	assert_returns(mm_thr_mutex_trylock(mutex), EBUSY);
	assert_returns(mm_thr_mutex_unlock(mutex), 0);
	release(mutex);
}
END_TEST

/* The mutex was locked by a thread or process that has ended. */
static void check_recovery(mm_thr_mutex_t *mutex, bool try)
{
	if (try)
		assert_returns(mm_thr_mutex_trylock(mutex), EOWNERDEAD);
	else
		assert_returns(mm_thr_mutex_lock(mutex), EOWNERDEAD);
	/* The mutex is locked. */
	ck_assert_int_eq(in_thread(try_lock, mutex), EBUSY);
	assert_returns(mm_thr_mutex_consistent(mutex), 0);
	assert_returns(mm_thr_mutex_consistent(mutex), EINVAL);
	ck_assert_int_eq(in_thread(try_lock, mutex), EBUSY);
	assert_returns(mm_thr_mutex_unlock(mutex), 0);
	assert_returns(mm_thr_mutex_lock(mutex), 0);
	assert_returns(mm_thr_mutex_unlock(mutex), 0);
}

START_TEST(the_next_owner_learns_that_a_thread_ended_with_the_lock)
{
	mm_thr_mutex_t *mutex = new_mutex(MM_THR_PSHARED);

	for (int try = 0; try < 2; try++) {
		ck_assert_int_eq(in_thread(lock_only, mutex), 0);
		check_recovery(mutex, try);
	}
	release(mutex);
}
END_TEST

static int lock_in_child(void *mutex)
{
	return mm_thr_mutex_lock(mutex);
}

static int die_with_lock(void *mutex)
{
	if (mm_thr_mutex_lock(mutex) == 0)
		raise(SIGKILL);
	return 1;
}

START_TEST(the_next_owner_learns_that_a_process_ended_with_the_lock)
{
	mm_thr_mutex_t *mutex = new_mutex(MM_THR_PSHARED);
	int status;

	assert_child_succeeds(start_child(lock_in_child, mutex));
	check_recovery(mutex, false);
	pid_t pid = start_child(die_with_lock, mutex);

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	check_recovery(mutex, true);
	release(mutex);
}
END_TEST

START_TEST(a_mutex_that_is_not_made_consistent_is_not_recoverable)
{
	mm_thr_mutex_t *mutex = new_mutex(MM_THR_PSHARED);

	ck_assert_int_eq(in_thread(lock_only, mutex), 0);
	assert_returns(mm_thr_mutex_lock(mutex), EOWNERDEAD);
	assert_returns(mm_thr_mutex_unlock(mutex), 0);
	for (int i = 0; i < 2; i++) {
		assert_returns(mm_thr_mutex_lock(mutex), ENOTRECOVERABLE);
		ck_assert_int_eq(in_thread(lock_only, mutex), ENOTRECOVERABLE);
	}
	/* Once, and last: glibc then leaves the mutex locked. */
	assert_returns(mm_thr_mutex_trylock(mutex), ENOTRECOVERABLE);
	assert_returns(mm_thr_mutex_deinit(mutex), 0);
	assert_returns(mm_thr_mutex_init(mutex, MM_THR_PSHARED), 0);
	assert_returns(mm_thr_mutex_lock(mutex), 0);
	assert_returns(mm_thr_mutex_unlock(mutex), 0);
	release(mutex);
}
END_TEST

struct shared_count {
	mm_thr_mutex_t mutex;
	long value;
	int deaths;
	int recoveries;
};

/* Counts, and dies once with the lock. */
static int count_in_child(void *arg)
{
	struct shared_count *shared = arg;

	for (int i = 0; i < 500; i++) {
		int result = mm_thr_mutex_lock(&shared->mutex);

		if (result == EOWNERDEAD) {
			shared->recoveries++;
			result = mm_thr_mutex_consistent(&shared->mutex);
		}
		if (result != 0)
			return 1;
		shared->value++;
		if (i == 250 && shared->deaths == 0) {
			shared->deaths++;
			raise(SIGKILL);
		}
		if (mm_thr_mutex_unlock(&shared->mutex) != 0)
			return 2;
	}
	return 0;
}

START_TEST(one_process_of_many_recovers_the_lock_of_a_dead_one)
{
	enum { CHILDREN = 6 };
	struct shared_count *shared = shared_memory(sizeof(*shared));
	pid_t children[CHILDREN];
	int killed = 0, status;

	assert_returns(mm_thr_mutex_init(&shared->mutex, MM_THR_PSHARED), 0);
	for (int i = 0; i < CHILDREN; i++)
		children[i] = start_child(count_in_child, shared);
	for (int i = 0; i < CHILDREN; i++) {
		ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
		killed += WIFSIGNALED(status);
		ck_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	}
	ck_assert_int_eq(killed, 1);
	/* If the process that died was the last one, nobody has recovered the mutex yet. */
	if (shared->recoveries == 0)
		check_recovery(&shared->mutex, false);
	else
		ck_assert_int_eq(shared->recoveries, 1);
	ck_assert_int_eq(shared->value, (CHILDREN - 1) * 500 + 251);
	assert_returns(mm_thr_mutex_deinit(&shared->mutex), 0);
	ck_assert_int_eq(mm_unmap(shared), 0);
}
END_TEST

START_TEST(mutexes_work_with_the_functions_of_posix)
{
	mm_thr_mutex_t mutex;

	assert_returns(mm_thr_mutex_init(&mutex, MM_THR_PSHARED), 0);
	ck_assert_int_eq(pthread_mutex_lock(&mutex), 0);
	assert_returns(mm_thr_mutex_trylock(&mutex), EBUSY);
	assert_returns(mm_thr_mutex_unlock(&mutex), 0);
	assert_returns(mm_thr_mutex_lock(&mutex), 0);
	ck_assert_int_eq(pthread_mutex_trylock(&mutex), EBUSY);
	ck_assert_int_eq(pthread_mutex_unlock(&mutex), 0);
	ck_assert_int_eq(pthread_mutex_destroy(&mutex), 0);
}
END_TEST

START_TEST(results_of_mutexes_are_not_logged)
{
	mm_thr_mutex_t mutex;

	collect_lines();
	assert_returns(mm_thr_mutex_init(&mutex, MM_THR_PSHARED), 0);
	assert_returns(mm_thr_mutex_unlock(&mutex), EPERM);
	assert_returns(mm_thr_mutex_consistent(&mutex), EINVAL);
	assert_returns(mm_thr_mutex_lock(NULL), EFAULT);
	ck_assert_int_eq(in_thread(lock_only, &mutex), 0);
	assert_returns(mm_thr_mutex_lock(&mutex), EOWNERDEAD);
	assert_returns(mm_thr_mutex_unlock(&mutex), 0);
	assert_returns(mm_thr_mutex_lock(&mutex), ENOTRECOVERABLE);
	ck_assert_str_eq(collected(), "");
	assert_raises(mm_thr_mutex_init(NULL, 0), EFAULT);
	ck_assert_ptr_nonnull(strstr(collected(), "argument mutex is NULL"));
	stop_collecting();
	assert_returns(mm_thr_mutex_deinit(&mutex), 0);
}
END_TEST

SUITE(normal_mutexes_lock_and_unlock, static_and_zero_filled_mutexes_are_normal,
      normal_mutexes_that_are_locked_cannot_be_released, a_normal_mutex_remains_locked_when_its_owner_ends,
      released_mutexes_can_be_initialized_again, null_mutexes_are_errors, threads_exclude_each_other,
      shared_mutexes_lock_and_unlock, only_the_owner_unlocks_a_shared_mutex,
      the_next_owner_learns_that_a_thread_ended_with_the_lock, the_next_owner_learns_that_a_process_ended_with_the_lock,
      a_mutex_that_is_not_made_consistent_is_not_recoverable, one_process_of_many_recovers_the_lock_of_a_dead_one,
      mutexes_work_with_the_functions_of_posix, results_of_mutexes_are_not_logged)
