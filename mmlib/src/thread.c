/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.c: the functions of mmthread.h
 *
 * They are in C, because those that wait are cancellation points, and mm_thr_once() calls a function of the program: the
 * cancellation of a thread and an exception of C++ pass through their frames, which have nothing to clean up. Those that
 * raise no error are a single jump into the C library.
 */
#include <errno.h>
#include <stddef.h>
#include <time.h>

#include "mmerrno.h"
#include "mmthread.h"

_Static_assert(sizeof(struct mm_timespec) == sizeof(struct timespec), "times are passed to the C library unchanged");

/* Raises the error number that a function of the C library has returned, and returns it. */
#define RAISED(number, ...) raised(number, __func__, __LINE__, __VA_ARGS__)

/* Not inlined, so that the common case of its callers has nothing to save. */
static __attribute__((noinline, cold)) int raised(int number, const char *function, int line, const char *what)
{
	errno = number;
	mm_raise_error_full(number, "mmlib", function, "mmlib/src/thread.c", line, NULL, "%s ; %s", what,
	                    mm_strerror(number));
	return number;
}

/* --- mutexes ------------------------------------------------------------------------------------------------------ */

static int init_mutex(pthread_mutex_t *mutex, int flags)
{
	pthread_mutexattr_t attributes;
	int failure;

	if (!(flags & MM_THR_PSHARED))
		return pthread_mutex_init(mutex, NULL);
	failure = pthread_mutexattr_init(&attributes);
	if (failure != 0)
		return failure;
	failure = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	if (failure == 0)
		failure = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	if (failure == 0)
		failure = pthread_mutex_init(mutex, &attributes);
	pthread_mutexattr_destroy(&attributes);
	return failure;
}

int mm_thr_mutex_init(mm_thr_mutex_t *mutex, int flags)
{
	int failure;

	if (mutex == NULL)
		return RAISED(EFAULT, "cannot initialize a mutex: argument mutex is NULL");
	failure = init_mutex(mutex, flags);
	return failure == 0 ? 0 : RAISED(failure, "cannot initialize a mutex");
}

int mm_thr_mutex_lock(mm_thr_mutex_t *mutex)
{
	return mutex == NULL ? EFAULT : pthread_mutex_lock(mutex);
}

int mm_thr_mutex_trylock(mm_thr_mutex_t *mutex)
{
	return mutex == NULL ? EFAULT : pthread_mutex_trylock(mutex);
}

int mm_thr_mutex_consistent(mm_thr_mutex_t *mutex)
{
	return mutex == NULL ? EFAULT : pthread_mutex_consistent(mutex);
}

int mm_thr_mutex_unlock(mm_thr_mutex_t *mutex)
{
	return mutex == NULL ? EFAULT : pthread_mutex_unlock(mutex);
}

int mm_thr_mutex_deinit(mm_thr_mutex_t *mutex)
{
	return mutex == NULL ? EFAULT : pthread_mutex_destroy(mutex);
}

/* --- condition variables ------------------------------------------------------------------------------------------ */

static int init_cond(pthread_cond_t *cond, int flags)
{
	pthread_condattr_t attributes;
	int failure = pthread_condattr_init(&attributes);

	if (failure != 0)
		return failure;
	if (flags & MM_THR_PSHARED)
		failure = pthread_condattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	if (failure == 0 && (flags & MM_THR_WAIT_MONOTONIC))
		failure = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	if (failure == 0)
		failure = pthread_cond_init(cond, &attributes);
	pthread_condattr_destroy(&attributes);
	return failure;
}

int mm_thr_cond_init(mm_thr_cond_t *cond, int flags)
{
	int failure;

	if (cond == NULL)
		return RAISED(EFAULT, "cannot initialize a condition variable: argument cond is NULL");
	failure = init_cond(cond, flags);
	return failure == 0 ? 0 : RAISED(failure, "cannot initialize a condition variable");
}

int mm_thr_cond_wait(mm_thr_cond_t *cond, mm_thr_mutex_t *mutex)
{
	return cond == NULL || mutex == NULL ? EFAULT : pthread_cond_wait(cond, mutex);
}

int mm_thr_cond_timedwait(mm_thr_cond_t *cond, mm_thr_mutex_t *mutex, const struct mm_timespec *abstime)
{
	if (cond == NULL || mutex == NULL || abstime == NULL)
		return EFAULT;
	return pthread_cond_timedwait(cond, mutex, (const struct timespec *)abstime);
}

int mm_thr_cond_signal(mm_thr_cond_t *cond)
{
	return cond == NULL ? EFAULT : pthread_cond_signal(cond);
}

int mm_thr_cond_broadcast(mm_thr_cond_t *cond)
{
	return cond == NULL ? EFAULT : pthread_cond_broadcast(cond);
}

int mm_thr_cond_deinit(mm_thr_cond_t *cond)
{
	return cond == NULL ? EFAULT : pthread_cond_destroy(cond);
}

/* --- once --------------------------------------------------------------------------------------------------------- */

int mm_thr_once(mm_thr_once_t *once, void (*once_routine)(void))
{
	return once == NULL || once_routine == NULL ? EFAULT : pthread_once(once, once_routine);
}

/* --- threads ------------------------------------------------------------------------------------------------------ */

int mm_thr_create(mm_thread_t *thread, void *(*proc)(void *), void *arg)
{
	int failure;

	if (thread == NULL || proc == NULL)
		return RAISED(EFAULT, thread == NULL ? "cannot create a thread: argument thread is NULL"
		                                     : "cannot create a thread: argument proc is NULL");
	failure = pthread_create(thread, NULL, proc, arg);
	return failure == 0 ? 0 : RAISED(failure, "cannot create a thread");
}

int mm_thr_join(mm_thread_t thread, void **value_ptr)
{
	int failure = pthread_join(thread, value_ptr);

	return failure == 0 ? 0 : RAISED(failure, "cannot join a thread");
}

int mm_thr_detach(mm_thread_t thread)
{
	int failure = pthread_detach(thread);

	return failure == 0 ? 0 : RAISED(failure, "cannot detach a thread");
}

mm_thread_t mm_thr_self(void)
{
	return pthread_self();
}
