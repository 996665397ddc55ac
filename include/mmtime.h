/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmtime.h: points in time
 */
#ifndef MMTIME_H
#define MMTIME_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "mmpredefs.h"

/* Units in a second. */
#ifndef MM_NO_SHORT_NAMES
#ifndef NS_IN_SEC
#define NS_IN_SEC 1000000000
#endif
#ifndef US_IN_SEC
#define US_IN_SEC 1000000
#endif
#ifndef MS_IN_SEC
#define MS_IN_SEC 1000
#endif
#endif

/* Clocks. Any other clock id of the system may be used as well. */
#define MM_CLK_REALTIME CLOCK_REALTIME                  /* wall clock: can jump */
#define MM_CLK_MONOTONIC CLOCK_MONOTONIC                /* never jumps, slewed by NTP */
#define MM_CLK_CPU_PROCESS CLOCK_PROCESS_CPUTIME_ID     /* CPU time of all threads */
#define MM_CLK_CPU_THREAD CLOCK_THREAD_CPUTIME_ID       /* CPU time of the calling thread */
#ifdef CLOCK_MONOTONIC_RAW
#define MM_CLK_MONOTONIC_RAW CLOCK_MONOTONIC_RAW        /* hardware time, not slewed */
#else
#define MM_CLK_MONOTONIC_RAW CLOCK_MONOTONIC
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A point in time, or a duration. Same layout as struct timespec. */
struct mm_timespec {
	time_t tv_sec;  /* whole seconds */
	long tv_nsec;   /* nanoseconds, 0 to 999999999 */
};

/**
 * mm_gettime() - tell what a clock shows
 * @clock_id:   MM_CLK_REALTIME, MM_CLK_MONOTONIC..., or another clock of the system
 * @ts:         receives the time
 *
 * Return: 0 on success; -1 on failure, and the error state is set.
 *
 * Errors:
 *   EINVAL           there is no such clock
 *   EFAULT           @ts is NULL
 *
 * Thread safety: MT-Safe
 * Signal safety: async-signal-safe if it succeeds: a failure is logged
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: NULL does not crash.
 */
MMLIB_API int mm_gettime(clockid_t clock_id, struct mm_timespec *ts);

/**
 * mm_getres() - tell the resolution of a clock
 * @clock_id:   as for mm_gettime()
 * @res:        receives it; NULL to ask only whether there is such a clock
 *
 * Return: 0 on success; -1 on failure, and the error state is set.
 *
 * Errors:
 *   EINVAL           there is no such clock
 *
 * Thread safety: MT-Safe
 * Signal safety: async-signal-safe if it succeeds: a failure is logged
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_getres(clockid_t clock_id, struct mm_timespec *res);

/**
 * mm_nanosleep() - sleep until a clock shows a time
 * @clock_id:   as for mm_gettime(), but not every clock can be waited for
 * @ts:         the time, an absolute one; if it is over, returns at once
 *
 * Return: 0, never early; on failure -1, and the error state is set.
 *
 * Errors:
 *   EINTR            the call was interrupted by a signal handler: to sleep on, call again with the same @ts
 *   EINVAL           there is no such clock, or it is MM_CLK_CPU_THREAD; or @ts is no time
 *   EOPNOTSUPP       the clock cannot be waited for, as MM_CLK_MONOTONIC_RAW
 *   EFAULT           @ts is NULL or cannot be read
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_nanosleep(clockid_t clock_id, const struct mm_timespec *ts);

/**
 * mm_relative_sleep_ms() - sleep for a number of milliseconds
 * @duration_ms: how long; if it is not positive, returns at once
 *
 * Return: 0, when at least that time is over; on failure -1, and the error state is set.
 *
 * Errors:
 *   EINTR            the call was interrupted by a signal handler; the remaining time is not reported
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: differs from mmlib: a large negative number is no error, and no number overflows.
 */
MMLIB_API int mm_relative_sleep_ms(int64_t duration_ms);

/**
 * mm_relative_sleep_us() - sleep for a number of microseconds
 * @duration_us: how long; if it is not positive, returns at once
 *
 * Return: 0, when at least that time is over; on failure -1, and the error state is set.
 *
 * Errors:
 *   EINTR            the call was interrupted by a signal handler; the remaining time is not reported
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: differs from mmlib: a large negative number is no error, and no number overflows.
 */
MMLIB_API int mm_relative_sleep_us(int64_t duration_us);

/**
 * mm_relative_sleep_ns() - sleep for a number of nanoseconds
 * @duration_ns: how long; if it is not positive, returns at once
 *
 * Return: 0, when at least that time is over; on failure -1, and the error state is set.
 *
 * Errors:
 *   EINTR            the call was interrupted by a signal handler; the remaining time is not reported
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: differs from mmlib: a large negative number is no error, and no number overflows.
 */
MMLIB_API int mm_relative_sleep_ns(int64_t duration_ns);

/*
 * mm_timediff_ns(), mm_timediff_us(), mm_timediff_ms(): the time from orig to ts in that unit. The part below a second is
 * divided by itself, toward zero, so the result may differ by one from the exact difference cut off. They do not look
 * for overflows.
 */
static inline int64_t mm_timediff_ns(const struct mm_timespec *ts, const struct mm_timespec *orig)
{
	int64_t seconds = ts->tv_sec - orig->tv_sec;

	return seconds * 1000000000 + (ts->tv_nsec - orig->tv_nsec);
}

static inline int64_t mm_timediff_us(const struct mm_timespec *ts, const struct mm_timespec *orig)
{
	int64_t seconds = ts->tv_sec - orig->tv_sec;

	return seconds * 1000000 + (ts->tv_nsec - orig->tv_nsec) / 1000;
}

static inline int64_t mm_timediff_ms(const struct mm_timespec *ts, const struct mm_timespec *orig)
{
	int64_t seconds = ts->tv_sec - orig->tv_sec;

	return seconds * 1000 + (ts->tv_nsec - orig->tv_nsec) / 1000000;
}

/*
 * mm_timeadd_ns(), mm_timeadd_us(), mm_timeadd_ms(): adds dt, which may be negative, in that unit to ts. A time with its
 * nanoseconds in range stays so. They do not look for overflows.
 */
static inline void mm_timeadd_ns(struct mm_timespec *ts, int64_t dt)
{
	ts->tv_sec += dt / 1000000000;
	ts->tv_nsec += dt % 1000000000;
	if (ts->tv_nsec >= 1000000000) {
		ts->tv_nsec -= 1000000000;
		ts->tv_sec++;
	} else if (ts->tv_nsec < 0) {
		ts->tv_nsec += 1000000000;
		ts->tv_sec--;
	}
}

static inline void mm_timeadd_us(struct mm_timespec *ts, int64_t dt)
{
	ts->tv_sec += dt / 1000000;
	mm_timeadd_ns(ts, dt % 1000000 * 1000);
}

static inline void mm_timeadd_ms(struct mm_timespec *ts, int64_t dt)
{
	ts->tv_sec += dt / 1000;
	mm_timeadd_ns(ts, dt % 1000 * 1000000);
}

#ifdef __cplusplus
}
#endif

#endif /* MMTIME_H */
