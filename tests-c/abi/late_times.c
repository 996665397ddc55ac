/* SPDX-License-Identifier: Apache-2.0 */
/*
 * late_times.c: the layout of structures and the arithmetic of mmtime.h, for a program in which time_t has 64 bits
 *
 * It calls no function that takes a time, since the library may have been built with another time_t.
 */
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS
#ifndef __LP64__
#define _FILE_OFFSET_BITS 64
#define _TIME_BITS 64
#endif
#include "suite.h"

#include "layout.h"

_Static_assert(sizeof(time_t) == 8, "the C library has 64-bit times");

START_TEST(arithmetic_works_beyond_2038)
{
	struct mm_timespec late = {.tv_sec = (time_t)1 << 33, .tv_nsec = 999999999}, early = {-5, 0};

	ck_assert(mm_timediff_ms(&late, &early) == (((int64_t)1 << 33) + 5) * 1000 + 999);
	ck_assert(mm_timediff_us(&late, &early) == (((int64_t)1 << 33) + 5) * 1000000 + 999999);
	ck_assert(mm_timediff_ns(&late, &early) == (((int64_t)1 << 33) + 5) * 1000000000 + 999999999);
	mm_timeadd_ms(&late, 1);
	ck_assert(late.tv_sec == ((time_t)1 << 33) + 1 && late.tv_nsec == 999999);
	mm_timeadd_ms(&early, INT64_C(4294967296000));
	ck_assert(early.tv_sec == ((time_t)1 << 32) - 5 && early.tv_nsec == 0);
}
END_TEST

SUITE(arithmetic_works_beyond_2038)
