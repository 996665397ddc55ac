/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmthread.h: threads, mutexes and condition variables
 *
 * All functions return 0 on success and a positive error number on failure, never -1. mm_thr_mutex_init(),
 * mm_thr_cond_init(), mm_thr_create(), mm_thr_join() and mm_thr_detach() also store the error in the error state of the
 * thread (see mmerrno.h), log it, and set errno. The others change neither the error state nor errno, since their
 * numbers are results that a program expects, such as EBUSY or ETIMEDOUT.
 *
 * The types are those of pthread.h, so an object may also be used with the functions of POSIX threads.
 */
#ifndef MMTHREAD_H
#define MMTHREAD_H

#include <errno.h>
#include <pthread.h>

#include "mmpredefs.h"
#include "mmtime.h"

/* Flag of mm_thr_mutex_init() and mm_thr_cond_init(): the object can be used by all processes that map it. */
#define MM_THR_PSHARED 0x1

/* Flag of mm_thr_cond_init(): timed waits use MM_CLK_MONOTONIC instead of MM_CLK_REALTIME. */
#define MM_THR_WAIT_MONOTONIC 0x2

/* Initial values of static objects, which are not shared between processes. */
#define MM_THR_MUTEX_INITIALIZER PTHREAD_MUTEX_INITIALIZER /* mutex */
#define MM_THR_COND_INITIALIZER PTHREAD_COND_INITIALIZER   /* condition variable */
#define MM_THR_ONCE_INIT PTHREAD_ONCE_INIT                 /* object of mm_thr_once() */

/* Deprecated name of MM_THR_MUTEX_INITIALIZER. */
#define MM_THR_MTX_INITIALIZER MM_THR_MUTEX_INITIALIZER

/* A mutex. */
typedef pthread_mutex_t mm_thr_mutex_t;

/* A condition variable. */
typedef pthread_cond_t mm_thr_cond_t;

/* The object of mm_thr_once(). */
typedef pthread_once_t mm_thr_once_t;

/* The identifier of a thread. */
typedef pthread_t mm_thread_t;

#ifdef __cplusplus
extern "C" {
#endif

/**
 * mm_thr_mutex_init() - initialize a mutex
 * @mutex:      memory of the mutex
 * @flags:      0, or MM_THR_PSHARED; other bits are ignored
 *
 * Without flags, the mutex is the same as one that is initialized with MM_THR_MUTEX_INITIALIZER: a normal mutex, for
 * the threads of this process. A thread that locks it twice waits forever. It need not be released by
 * mm_thr_mutex_deinit() before its memory is.
 *
 * With MM_THR_PSHARED, it may be in memory that several processes map, and it is robust: if a thread or a process
 * ends while it holds the mutex, the next that locks it gets EOWNERDEAD (see mm_thr_mutex_lock()).
 *
 * Return: 0 on success; an error number on failure, and the error state is set.
 *
 * Errors:
 *   EFAULT           @mutex is NULL
 *   ENOMEM           not enough memory
 *   EAGAIN           the system lacks another resource
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: NULL does not crash.
 */
MMLIB_API int mm_thr_mutex_init(mm_thr_mutex_t *mutex, int flags);

/**
 * mm_thr_mutex_lock() - lock a mutex
 * @mutex:      mutex
 *
 * If another thread holds the mutex, the call waits.
 *
 * EOWNERDEAD means that the thread locks the mutex, whose previous owner has ended while it held it. The data that the
 * mutex protects may be inconsistent. The thread repairs the data, and calls mm_thr_mutex_consistent() before it unlocks
 * the mutex.
 *
 * Return: 0 on success; an error number on failure. The error state is not changed.
 *
 * Errors:
 *   EOWNERDEAD       the mutex is locked, but its previous owner ended while it held it (only with MM_THR_PSHARED)
 *   ENOTRECOVERABLE  after EOWNERDEAD, the mutex was unlocked without a call of mm_thr_mutex_consistent(); it can
 *                    only be released with mm_thr_mutex_deinit()
 *   EINVAL           the mutex was released with mm_thr_mutex_deinit()
 *   EFAULT           @mutex is NULL
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: NULL does not crash.
 */
MMLIB_API int mm_thr_mutex_lock(mm_thr_mutex_t *mutex);

/**
 * mm_thr_mutex_trylock() - lock a mutex that no thread holds
 * @mutex:      mutex
 *
 * EOWNERDEAD means that the mutex is locked, as for mm_thr_mutex_lock().
 *
 * After ENOTRECOVERABLE, later calls of mm_thr_mutex_lock() may wait forever, because some versions of glibc leave the mutex
 * locked.
 *
 * Return: 0 on success; an error number on failure. The error state is not changed.
 *
 * Errors:
 *   EBUSY            a thread holds the mutex; it may be the calling thread
 *   EOWNERDEAD       the mutex is locked, but its previous owner ended while it held it (only with MM_THR_PSHARED)
 *   ENOTRECOVERABLE  as for mm_thr_mutex_lock()
 *   EINVAL           the mutex was released with mm_thr_mutex_deinit()
 *   EFAULT           @mutex is NULL
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: NULL does not crash.
 */
MMLIB_API int mm_thr_mutex_trylock(mm_thr_mutex_t *mutex);

/**
 * mm_thr_mutex_consistent() - declare the data of a robust mutex consistent
 * @mutex:      mutex
 *
 * A thread that got EOWNERDEAD calls this after it has repaired the data that the mutex protects. The mutex is then a
 * usual one again, and still locked.
 *
 * Return: 0 on success; an error number on failure. The error state is not changed.
 *
 * Errors:
 *   EINVAL           the mutex was not initialized with MM_THR_PSHARED, or it is not in the state after EOWNERDEAD
 *   EFAULT           @mutex is NULL
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: NULL does not crash.
 */
MMLIB_API int mm_thr_mutex_consistent(mm_thr_mutex_t *mutex);

/**
 * mm_thr_mutex_unlock() - unlock a mutex
 * @mutex:      mutex
 *
 * A mutex without MM_THR_PSHARED must be held by the calling thread; this is not checked.
 *
 * Return: 0 on success; an error number on failure. The error state is not changed.
 *
 * Errors:
 *   EPERM            the mutex was initialized with MM_THR_PSHARED, and the calling thread does not hold it
 *   EFAULT           @mutex is NULL
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: NULL does not crash.
 */
MMLIB_API int mm_thr_mutex_unlock(mm_thr_mutex_t *mutex);

/**
 * mm_thr_mutex_deinit() - release a mutex
 * @mutex:      mutex
 *
 * The mutex can be initialized again after the call. No thread must hold a mutex that was initialized with
 * MM_THR_PSHARED; this is not checked.
 *
 * Return: 0 on success; an error number on failure. The error state is not changed.
 *
 * Errors:
 *   EBUSY            a thread holds the mutex
 *   EFAULT           @mutex is NULL
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: NULL does not crash.
 */
MMLIB_API int mm_thr_mutex_deinit(mm_thr_mutex_t *mutex);

/**
 * mm_thr_cond_init() - initialize a condition variable
 * @cond:       memory of the condition variable
 * @flags:      a bitwise OR of any of MM_THR_PSHARED (several processes may map and use it, with a mutex that has
 *              this flag too) and MM_THR_WAIT_MONOTONIC (the time of mm_thr_cond_timedwait() is that of
 *              MM_CLK_MONOTONIC, not of MM_CLK_REALTIME); other bits are ignored
 *
 * Without flags, it is the same as one that is initialized with MM_THR_COND_INITIALIZER.
 *
 * Return: 0 on success; an error number on failure, and the error state is set.
 *
 * Errors:
 *   EFAULT           @cond is NULL
 *   ENOMEM           not enough memory
 *   EAGAIN           the system lacks another resource
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: NULL does not crash.
 */
MMLIB_API int mm_thr_cond_init(mm_thr_cond_t *cond, int flags);

/**
 * mm_thr_cond_wait() - wait for a condition variable
 * @cond:       condition variable
 * @mutex:      mutex that the calling thread holds
 *
 * The thread must hold the mutex. The call unlocks it and waits as one step, and locks it again before it returns.
 * It may return although no thread has signalled the condition variable, so the thread must test its condition again.
 *
 * Return: 0 on success; an error number on failure. The error state is not changed.
 *
 * Errors:
 *   EOWNERDEAD       the mutex is locked again, but its previous owner ended while it held it (see mm_thr_mutex_lock())
 *   ENOTRECOVERABLE  the mutex cannot be locked again (see mm_thr_mutex_lock())
 *   EPERM            the mutex was initialized with MM_THR_PSHARED, and the calling thread does not hold it
 *   EFAULT           @cond or @mutex is NULL
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point; the mutex is locked again before the cleanup handlers of the thread are
 *   called
 * Compatibility: differs from mmlib: NULL does not crash.
 */
MMLIB_API int mm_thr_cond_wait(mm_thr_cond_t *cond, mm_thr_mutex_t *mutex);

/**
 * mm_thr_cond_timedwait() - wait for a condition variable until a time
 * @cond:       condition variable
 * @mutex:      mutex that the calling thread holds
 * @abstime:    time at which the call returns at the latest, on the clock of the condition variable (see
 *              mm_thr_cond_init())
 *
 * The thread must hold the mutex. The call unlocks it and waits as one step, and locks it again before it returns.
 * It may return although no thread has signalled the condition variable, so the thread must test its condition again.
 *
 * Return: 0 on success; an error number on failure. The error state is not changed.
 *
 * Errors:
 *   ETIMEDOUT        the time has come; the mutex is locked again
 *   EOWNERDEAD       the mutex is locked again, but its previous owner ended while it held it (see mm_thr_mutex_lock())
 *   ENOTRECOVERABLE  the mutex cannot be locked again (see mm_thr_mutex_lock())
 *   EPERM            the mutex was initialized with MM_THR_PSHARED, and the calling thread does not hold it
 *   EINVAL           the nanoseconds of @abstime are not in the range 0 to 999999999; the mutex was not unlocked
 *   EFAULT           @cond, @mutex or @abstime is NULL
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point; the mutex is locked again before the cleanup handlers of the thread are
 *   called
 * Compatibility: differs from mmlib: NULL does not crash.
 */
MMLIB_API int mm_thr_cond_timedwait(mm_thr_cond_t *cond, mm_thr_mutex_t *mutex, const struct mm_timespec *abstime);

/**
 * mm_thr_cond_signal() - wake one thread that waits for a condition variable
 * @cond:       condition variable
 *
 * If no thread waits, nothing happens. The calling thread need not hold the mutex.
 *
 * Return: 0 on success; an error number on failure. The error state is not changed.
 *
 * Errors:
 *   EFAULT           @cond is NULL
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: NULL does not crash.
 */
MMLIB_API int mm_thr_cond_signal(mm_thr_cond_t *cond);

/**
 * mm_thr_cond_broadcast() - wake all threads that wait for a condition variable
 * @cond:       condition variable
 *
 * If no thread waits, nothing happens. The calling thread need not hold the mutex.
 *
 * Return: 0 on success; an error number on failure. The error state is not changed.
 *
 * Errors:
 *   EFAULT           @cond is NULL
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: NULL does not crash.
 */
MMLIB_API int mm_thr_cond_broadcast(mm_thr_cond_t *cond);

/**
 * mm_thr_cond_deinit() - release a condition variable
 * @cond:       condition variable
 *
 * No thread must wait for it, except threads that have already been woken: the call waits for these.
 *
 * Return: 0 on success; an error number on failure. The error state is not changed.
 *
 * Errors:
 *   EFAULT           @cond is NULL
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: NULL does not crash.
 */
MMLIB_API int mm_thr_cond_deinit(mm_thr_cond_t *cond);

/**
 * mm_thr_once() - call a function once
 * @once:       object whose initial value is MM_THR_ONCE_INIT
 * @once_routine: function to be called
 *
 * The first call for @once calls @once_routine. All other calls, in any thread, return after it has finished, without a
 * call. If the routine does not return, because its thread is cancelled or it throws an exception of C++, the object is
 * as it was, and the next call calls the routine again.
 *
 * Return: 0 on success; an error number on failure. The error state is not changed.
 *
 * Errors:
 *   EFAULT           @once or @once_routine is NULL
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point, but a thread may be cancelled in @once_routine
 * Compatibility: differs from mmlib: NULL does not crash.
 */
MMLIB_API int mm_thr_once(mm_thr_once_t *once, void (*once_routine)(void));

/**
 * mm_thr_create() - create a thread
 * @thread:     receives the identifier of the thread, before @proc is called
 * @proc:       function that the thread calls; its result is the exit value of the thread
 * @arg:        argument of @proc
 *
 * The thread is joinable: mm_thr_join() or mm_thr_detach() must be called for it. Its error state is empty, and it has no
 * flags of mm_error_set_flags(). @proc may end it with pthread_exit().
 *
 * After a failure, the value of *@thread is undefined.
 *
 * Return: 0 on success; an error number on failure, and the error state is set.
 *
 * Errors:
 *   EAGAIN           the limit on the number of threads has been reached, or not enough memory
 *   EFAULT           @thread or @proc is NULL
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: NULL does not crash.
 */
MMLIB_API int mm_thr_create(mm_thread_t *thread, void *(*proc)(void *), void *arg);

/**
 * mm_thr_join() - wait for the end of a thread, and release it
 * @thread:     joinable thread
 * @value_ptr:  receives the exit value of the thread, PTHREAD_CANCELED if it was cancelled; may be NULL
 *
 * The identifier is invalid after the call. If the calling thread is cancelled in it, @thread remains joinable.
 *
 * Return: 0 on success; an error number on failure, and the error state is set.
 *
 * Errors:
 *   EDEADLK          @thread is the calling thread, or waits for it in mm_thr_join()
 *   EINVAL           @thread is detached, or another thread waits for it
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_thr_join(mm_thread_t thread, void **value_ptr);

/**
 * mm_thr_detach() - release a thread when it ends
 * @thread:     joinable thread
 *
 * Nobody can join the thread any more.
 *
 * Return: 0 on success; an error number on failure, and the error state is set.
 *
 * Errors:
 *   EINVAL           @thread is already detached
 *   ESRCH            no such thread exists
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_thr_detach(mm_thread_t thread);

/**
 * mm_thr_self() - get the identifier of the calling thread
 *
 * Return: the identifier. The call cannot fail.
 *
 * Errors: none
 *
 * Thread safety: MT-Safe
 * Signal safety: async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API mm_thread_t mm_thr_self(void);

#ifdef __cplusplus
}
#endif

#endif /* MMTHREAD_H */
