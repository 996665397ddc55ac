/*
 * mmtime.h: points in time
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef MMTIME_H
#define MMTIME_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "mmpredefs.h"

/* Units in a second. */
#ifndef NS_IN_SEC
#define NS_IN_SEC 1000000000
#endif
#ifndef US_IN_SEC
#define US_IN_SEC 1000000
#endif
#ifndef MS_IN_SEC
#define MS_IN_SEC 1000
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

#ifdef __cplusplus
}
#endif

#endif /* MMTIME_H */
