/* SPDX-License-Identifier: Apache-2.0 */
/*
 * time.c: clocks, sleeping and the arithmetic of mmtime.h
 */
#include "suite.h"

#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

START_TEST(clocks_return_the_time)
{
	static const clockid_t clocks[] = {MM_CLK_REALTIME, MM_CLK_MONOTONIC, MM_CLK_CPU_PROCESS, MM_CLK_CPU_THREAD,
	                                   MM_CLK_MONOTONIC_RAW};
	struct mm_timespec now, later, resolution;

	for (int i = 0; i < MM_NELEM(clocks); i++) {
		ck_assert_int_eq(mm_getres(clocks[i], &resolution), 0);
		ck_assert(resolution.tv_sec > 0 || resolution.tv_nsec > 0);
		ck_assert_int_eq(mm_getres(clocks[i], NULL), 0);
		ck_assert_int_eq(mm_gettime(clocks[i], &now), 0);
		ck_assert_int_eq(mm_gettime(clocks[i], &later), 0);
		if (clocks[i] != MM_CLK_REALTIME)
			ck_assert_int_ge(mm_timediff_ns(&later, &now), 0);
	}
	ck_assert_int_eq(mm_gettime(MM_CLK_REALTIME, &now), 0);
	ck_assert_int_le(llabs((long long)(now.tv_sec - time(NULL))), 2);
	assert_fails(mm_gettime(42, &now), EINVAL);
	assert_fails(mm_getres(42, &now), EINVAL);
	assert_fails(mm_getres(42, NULL), EINVAL);
	assert_fails(mm_gettime(MM_CLK_MONOTONIC, NULL), EFAULT);
	assert_fails(mm_gettime(42, NULL), EINVAL);
}
END_TEST

START_TEST(absolute_sleep_is_never_too_short)
{
	static const clockid_t clocks[] = {MM_CLK_REALTIME, MM_CLK_MONOTONIC};
	struct mm_timespec until, now;

	for (int i = 0; i < MM_NELEM(clocks); i++) {
		ck_assert_int_eq(mm_gettime(clocks[i], &until), 0);
		mm_timeadd_ms(&until, 30);
		ck_assert_int_eq(mm_nanosleep(clocks[i], &until), 0);
		ck_assert_int_eq(mm_gettime(clocks[i], &now), 0);
		ck_assert_int_ge(mm_timediff_ns(&now, &until), 0);
		/* A time in the past. */
		ck_assert_int_eq(mm_nanosleep(clocks[i], &until), 0);
	}
	assert_fails(mm_nanosleep(42, &until), EINVAL);
	assert_fails(mm_nanosleep(MM_CLK_CPU_THREAD, &until), EINVAL);
	until.tv_nsec = 1000000000;
	assert_fails(mm_nanosleep(MM_CLK_MONOTONIC, &until), EINVAL);
	until.tv_nsec = 0;
	until.tv_sec = -1;
	assert_fails(mm_nanosleep(MM_CLK_MONOTONIC, &until), EINVAL);
	assert_fails_on_bad_memory(mm_nanosleep(MM_CLK_MONOTONIC, NULL), EFAULT);
}
END_TEST

START_TEST(raw_clock_cannot_be_waited_for)
{
	struct mm_timespec until = {1, 0};

	assert_fails(mm_nanosleep(MM_CLK_MONOTONIC_RAW, &until), EOPNOTSUPP);
}
END_TEST

START_TEST(relative_sleep_is_never_too_short)
{
	struct mm_timespec start, end;

	mm_gettime(MM_CLK_MONOTONIC, &start);
	ck_assert_int_eq(mm_relative_sleep_ms(20), 0);
	ck_assert_int_eq(mm_relative_sleep_us(20000), 0);
	ck_assert_int_eq(mm_relative_sleep_ns(20000000), 0);
	mm_gettime(MM_CLK_MONOTONIC, &end);
	ck_assert_int_ge(mm_timediff_ms(&end, &start), 60);
	ck_assert_int_eq(mm_relative_sleep_ms(0), 0);
	ck_assert_int_eq(mm_relative_sleep_ms(-1), 0);
	ck_assert_int_eq(mm_relative_sleep_ms(INT64_MIN), 0);
	ck_assert_int_eq(mm_relative_sleep_us(INT64_MIN), 0);
	ck_assert_int_eq(mm_relative_sleep_ns(INT64_MIN), 0);
}
END_TEST

START_TEST(sleep_is_interrupted_by_a_signal)
{
	struct mm_timespec until;
	pthread_t interrupter = start_interrupting();

	mm_gettime(MM_CLK_MONOTONIC, &until);
	until.tv_sec += 1000;
	assert_fails(mm_nanosleep(MM_CLK_MONOTONIC, &until), EINTR);
	assert_fails(mm_relative_sleep_ms(1000000), EINTR);
	assert_fails(mm_relative_sleep_us(INT64_MAX), EINTR);
	assert_fails(mm_relative_sleep_ns(INT64_MAX), EINTR);
	assert_fails(mm_relative_sleep_ms(INT64_MAX), EINTR);
	stop_interrupting(interrupter);
}
END_TEST

START_TEST(differences_divide_only_the_nanoseconds)
{
	static const struct {
		struct mm_timespec ts, orig;
		int64_t ns, us, ms;
	} cases[] = {
		{{100, 499999000}, {42, 500000000}, 57999999000, 57999999, 58000},
		{{1, 0}, {0, 999}, 999999001, 1000000, 1000},
		{{0, 0}, {0, 0}, 0, 0, 0},
		{{-1, 999999999}, {0, 0}, -1, -1, -1},
		{{10, 5000000}, {10, 0}, 5000000, 5000, 5},
	};

	for (int i = 0; i < MM_NELEM(cases); i++) {
		ck_assert_int_eq(mm_timediff_ns(&cases[i].ts, &cases[i].orig), cases[i].ns);
		if (i != 3) {
			ck_assert_int_eq(mm_timediff_us(&cases[i].ts, &cases[i].orig), cases[i].us);
			ck_assert_int_eq(mm_timediff_ms(&cases[i].ts, &cases[i].orig), cases[i].ms);
			ck_assert_int_eq(mm_timediff_us(&cases[i].orig, &cases[i].ts), -cases[i].us);
			ck_assert_int_eq(mm_timediff_ms(&cases[i].orig, &cases[i].ts), -cases[i].ms);
		}
		ck_assert_int_eq(mm_timediff_ns(&cases[i].orig, &cases[i].ts), -cases[i].ns);
	}
}
END_TEST

static void assert_time(struct mm_timespec ts, time_t sec, long nsec)
{
	ck_assert_int_eq(ts.tv_sec, sec);
	ck_assert_int_eq(ts.tv_nsec, nsec);
}

START_TEST(additions_carry_in_both_directions)
{
	struct mm_timespec ts = {0, 0};

	mm_timeadd_ns(&ts, -1);
	assert_time(ts, -1, 999999999);
	mm_timeadd_ns(&ts, 1);
	assert_time(ts, 0, 0);
	mm_timeadd_us(&ts, 2500000);
	assert_time(ts, 2, 500000000);
	mm_timeadd_us(&ts, -600000);
	assert_time(ts, 1, 900000000);
	mm_timeadd_ms(&ts, 100);
	assert_time(ts, 2, 0);
	mm_timeadd_ms(&ts, -5001);
	assert_time(ts, -4, 999000000);
	mm_timeadd_ns(&ts, 3000000000);
	assert_time(ts, -1, 999000000);
}
END_TEST

static void ignore_signal(int number)
{
	(void)number;
}

START_TEST(sleep_until_a_time_after_2038_does_not_end)
{
	struct mm_timespec until;

	if (sizeof(time_t) == 8) {
		/* The kernel would sleep for a century: a signal ends that. */
		struct sigaction action = {.sa_handler = ignore_signal};
		struct itimerval soon = {.it_interval.tv_usec = 50000, .it_value.tv_usec = 50000}, never = {0};

		ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
		ck_assert_int_eq(mm_gettime(MM_CLK_REALTIME, &until), 0);
		until.tv_sec += (time_t)((int64_t)1 << 32);
		ck_assert_int_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
		assert_fails(mm_nanosleep(MM_CLK_REALTIME, &until), EINTR);
		assert_fails(mm_relative_sleep_ms(INT64_C(1) << 42), EINTR);
		ck_assert_int_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
	}
}
END_TEST

START_TEST(invalid_address_of_a_time_is_efault)
{
	size_t size = page_size();
	char *page = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* Not accessible, or beginning on the page before. */
	char *const wrong[] = {(char *)8, page + size, page + size - sizeof(struct mm_timespec) / 2,
	                       (char *)UINTPTR_MAX};

	ck_assert_ptr_ne(page, MAP_FAILED);
	memset(page, 0, size);
	ck_assert_int_eq(mprotect(page + size, size, PROT_NONE), 0);
	for (int i = 0; i < MM_NELEM(wrong); i++) {
		assert_fails_on_bad_memory(mm_nanosleep(MM_CLK_MONOTONIC, (struct mm_timespec *)wrong[i]), EFAULT);
		assert_fails_on_bad_memory(mm_utimens("/tmp", (struct mm_timespec *)wrong[i], 0), EFAULT);
		assert_fails_on_bad_memory(mm_futimens(0, (struct mm_timespec *)wrong[i]), EFAULT);
	}
	/* At the very end of the page, it is valid. */
	ck_assert_int_eq(mm_nanosleep(MM_CLK_MONOTONIC, (struct mm_timespec *)(page + size) - 1), 0);
	ck_assert_int_eq(munmap(page, 2 * size), 0);
}
END_TEST

SUITE(clocks_return_the_time, absolute_sleep_is_never_too_short, raw_clock_cannot_be_waited_for,
      relative_sleep_is_never_too_short, sleep_is_interrupted_by_a_signal, differences_divide_only_the_nanoseconds,
      additions_carry_in_both_directions, sleep_until_a_time_after_2038_does_not_end,
      invalid_address_of_a_time_is_efault)
