/* SPDX-License-Identifier: Apache-2.0 */
/*
 * time.c: calls of the functions for clocks and sleeping, with times in the past
 */
#include "calls.h"

static clockid_t take_clock(struct input *in)
{
	static const clockid_t clocks[] = {
		MM_CLK_REALTIME, MM_CLK_MONOTONIC, MM_CLK_CPU_PROCESS, MM_CLK_MONOTONIC_RAW, -1, 1000, INT32_MIN};

	return TAKE_ONE(in, clocks);
}

void call_mm_gettime(struct input *in)
{
	clockid_t clock = take_clock(in);

	CALL(mm_gettime, clock, take_output(in, sizeof(struct mm_timespec)));
}

void call_mm_getres(struct input *in)
{
	clockid_t clock = take_clock(in);

	CALL(mm_getres, clock, take_output(in, sizeof(struct mm_timespec)));
}

/* Times in the past. */
void call_mm_nanosleep(struct input *in)
{
	static const struct mm_timespec times[] = {
		{0, 0}, {0, 1}, {-1, 0}, {INT64_MIN, 0}, {0, -1}, {INT64_MAX, 1000000000}, {1, INT64_MIN}};
	clockid_t clock = take_clock(in);
	struct mm_timespec *time = take_output(in, sizeof(*time));

	if (time != NULL)
		*time = TAKE_ONE(in, times);
	CALL(mm_nanosleep, clock, time);
}

static int64_t take_short_time(struct input *in)
{
	static const int64_t times[] = {0, -1, INT64_MIN, -1000000000, -1000000};

	return TAKE_ONE(in, times);
}

void call_mm_relative_sleep_ms(struct input *in)
{
	CALL(mm_relative_sleep_ms, take_short_time(in));
}

void call_mm_relative_sleep_us(struct input *in)
{
	CALL(mm_relative_sleep_us, take_short_time(in));
}

void call_mm_relative_sleep_ns(struct input *in)
{
	CALL(mm_relative_sleep_ns, take_chance(in, 4) ? 50 : take_short_time(in));
}
