/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmtime.h: clocks, sleeping and time arithmetic
 */
#ifndef MMTIME_H
#define MMTIME_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "mmpredefs.h"

/* Number of units in a second. */
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

/* Clocks. Any other clock ID of the system can be used too. */
#define MM_CLK_REALTIME CLOCK_REALTIME                  /* time of day: can jump */
#define MM_CLK_MONOTONIC CLOCK_MONOTONIC                /* never jumps, slewed by NTP */
#define MM_CLK_CPU_PROCESS CLOCK_PROCESS_CPUTIME_ID     /* CPU time of the process */
#define MM_CLK_CPU_THREAD CLOCK_THREAD_CPUTIME_ID       /* CPU time of the calling thread */
#ifdef CLOCK_MONOTONIC_RAW
#define MM_CLK_MONOTONIC_RAW CLOCK_MONOTONIC_RAW        /* hardware time, not slewed */
#else
#define MM_CLK_MONOTONIC_RAW CLOCK_MONOTONIC
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A point in time, or a duration. It has the layout of struct timespec. */
struct mm_timespec {
	time_t tv_sec;  /* whole seconds */
#if !defined(__LP64__) && defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	int : 8 * (sizeof(time_t) - sizeof(long));
#endif
	long tv_nsec;   /* nanoseconds, 0 to 999999999 */
#if !defined(__LP64__) && defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	int : 8 * (sizeof(time_t) - sizeof(long)); /* as in struct timespec, if time_t has 64 bits on a 32-bit machine */
#endif
};

/**
 * mm_gettime() - get the time of a clock
 * @clock_id:   MM_CLK_REALTIME, MM_CLK_MONOTONIC..., or another clock of the system
 * @ts:         receives the time
 *
 * Return: 0 on success; -1 on failure, and the error state is set.
 *
 * Errors:
 *   EINVAL           @clock_id is not a valid clock
 *   EFAULT           @ts is NULL
 *
 * Thread safety: MT-Safe
 * Signal safety: async-signal-safe if it succeeds; a failure is logged
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: NULL does not crash.
 */
MMLIB_API int mm_gettime(clockid_t clock_id, struct mm_timespec *ts);

/**
 * mm_getres() - get the resolution of a clock
 * @clock_id:   as for mm_gettime()
 * @res:        receives the resolution; NULL to test only whether the clock exists
 *
 * Return: 0 on success; -1 on failure, and the error state is set.
 *
 * Errors:
 *   EINVAL           @clock_id is not a valid clock
 *
 * Thread safety: MT-Safe
 * Signal safety: async-signal-safe if it succeeds; a failure is logged
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_getres(clockid_t clock_id, struct mm_timespec *res);

/**
 * mm_nanosleep() - sleep until a clock reaches a time
 * @clock_id:   as for mm_gettime(); not every clock supports sleeping
 * @ts:         absolute time; if it has already passed, the call returns at once
 *
 * Return: 0 when the time has been reached; -1 on failure, and the error state is set.
 *
 * Errors:
 *   EINTR            the call was interrupted by a signal handler; to continue sleeping, call again with the same @ts
 *   EINVAL           @clock_id is not a valid clock, or is MM_CLK_CPU_THREAD; or @ts is not a valid time
 *   EOPNOTSUPP       the clock does not support sleeping, for example MM_CLK_MONOTONIC_RAW
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
 * @duration_ms: time to sleep; if it is not positive, the call returns at once
 *
 * Return: 0 when at least that time has passed; -1 on failure, and the error state is set.
 *
 * Errors:
 *   EINTR            the call was interrupted by a signal handler; the remaining time is not reported
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: differs from mmlib: a large negative number is not an error, and no number overflows.
 */
MMLIB_API int mm_relative_sleep_ms(int64_t duration_ms);

/**
 * mm_relative_sleep_us() - sleep for a number of microseconds
 * @duration_us: time to sleep; if it is not positive, the call returns at once
 *
 * Return: 0 when at least that time has passed; -1 on failure, and the error state is set.
 *
 * Errors:
 *   EINTR            the call was interrupted by a signal handler; the remaining time is not reported
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: differs from mmlib: a large negative number is not an error, and no number overflows.
 */
MMLIB_API int mm_relative_sleep_us(int64_t duration_us);

/**
 * mm_relative_sleep_ns() - sleep for a number of nanoseconds
 * @duration_ns: time to sleep; if it is not positive, the call returns at once
 *
 * Return: 0 when at least that time has passed; -1 on failure, and the error state is set.
 *
 * Errors:
 *   EINTR            the call was interrupted by a signal handler; the remaining time is not reported
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: differs from mmlib: a large negative number is not an error, and no number overflows.
 */
MMLIB_API int mm_relative_sleep_ns(int64_t duration_ns);

/*
 * mm_timediff_ns(), mm_timediff_us(), mm_timediff_ms(): return the time from orig to ts in the unit in the name. The
 * difference of the nanoseconds is converted separately and rounded toward zero, so the result may differ by one from
 * the truncated exact difference. Overflows are not detected.
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
 * mm_timeadd_ns(), mm_timeadd_us(), mm_timeadd_ms(): add dt in the unit in the name to ts; dt may be negative. If
 * tv_nsec is in the range 0 to 999999999, it remains in that range. Overflows are not detected.
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
