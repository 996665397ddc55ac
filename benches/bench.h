/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench.h: helpers of the benchmarks: a clock, a median, and an exit on failure
 */
#ifndef BENCH_H
#define BENCH_H

#include <mmerrno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static inline int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts the values. */
static inline double median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), compare_doubles);
	return values[count / 2];
}

static inline void require(int is_true, const char *what)
{
	if (!is_true) {
		fprintf(stderr, "%s failed: %s\n", what, mm_get_lasterror_desc());
		exit(1);
	}
}

#endif
