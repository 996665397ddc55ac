/* SPDX-License-Identifier: Apache-2.0 */
/*
 * small_files.c: a program for which off_t has the size of a long can use files of any size
 *
 * It is compiled without _FILE_OFFSET_BITS, also on 32-bit machines. It uses no times, since time_t may have another
 * size than for the library.
 */
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS
#include "suite.h"

#include "layout.h"

#include <fcntl.h>

_Static_assert(sizeof(off_t) == sizeof(long), "this is about the default of the C library");

START_TEST(offsets_beyond_4_gib_are_used_whatever_off_t_is)
{
	const mm_off_t far = ((mm_off_t)5 << 30) + 7;
	char text[5] = "";

	enter_scratch_directory();
	int fd = mm_open("file", O_RDWR | O_CREAT, MODE_DEF);

	ck_assert_int_ge(fd, 0);
	ck_assert(mm_seek(fd, far, SEEK_SET) == far);
	ck_assert_int_eq(mm_write(fd, "text", 4), 4);
	ck_assert(mm_seek(fd, 0, SEEK_CUR) == far + 4);
	ck_assert(mm_seek(fd, -4, SEEK_END) == far);
	ck_assert_int_eq(mm_read(fd, text, 4), 4);
	ck_assert_str_eq(text, "text");
	ck_assert_int_eq(mm_ftruncate(fd, far + 2), 0);
	ck_assert(mm_seek(fd, 0, SEEK_END) == far + 2);
	close_all(1, &fd);
	leave_scratch_directory();
}
END_TEST

SUITE(offsets_beyond_4_gib_are_used_whatever_off_t_is)
