/* SPDX-License-Identifier: Apache-2.0 */
/*
 * large_files.c: files above 4 GiB, and times after 2038
 */
#include "suite.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Not a multiple of 2^32: bits that are lost would not go unnoticed. */
static const mm_off_t far = ((mm_off_t)9 << 30) + ((mm_off_t)3 << 16);

static int make_far_file(const char *name)
{
	int fd = mm_open(name, O_RDWR | O_CREAT, MODE_DEF);

	ck_assert_int_ge(fd, 0);
	ck_assert(mm_seek(fd, far, SEEK_SET) == far);
	ck_assert_int_eq(mm_write(fd, "far away", 8), 8);
	return fd;
}

static void assert_far_text(const char *name)
{
	char text[9] = "";
	int fd = mm_open(name, O_RDONLY, 0);

	ck_assert(mm_seek(fd, -8, SEEK_END) == far);
	ck_assert_int_eq(mm_read(fd, text, 8), 8);
	ck_assert_str_eq(text, "far away");
	close_all(1, &fd);
}

START_TEST(status_of_a_file_above_4_gib_has_its_size)
{
	struct mm_stat status, same;
	struct stat system;

	enter_scratch_directory();
	int fd = make_far_file("file");

	ck_assert_int_eq(mm_fstat(fd, &status), 0);
	ck_assert(status.size == far + 8);
	ck_assert_int_eq(mm_stat("file", &same, 0), 0);
	ck_assert(same.size == far + 8);
	ck_assert_int_eq(fstat(fd, &system), 0);
	ck_assert(mm_ino_equal(status.ino, system.st_ino) && mm_ino_equal(same.ino, system.st_ino));
	ck_assert(status.dev == system.st_dev);
	ck_assert_uint_eq(status.nblocks, (size_t)system.st_blocks);
	close_all(1, &fd);
	leave_scratch_directory();
}
END_TEST

START_TEST(file_above_4_gib_is_copied_with_its_holes)
{
	static const int flags[] = {0, MM_NOCOW};
	struct mm_stat status;

	enter_scratch_directory();
	int fd = make_far_file("file");

	close_all(1, &fd);
	for (int i = 0; i < MM_NELEM(flags); i++) {
		ck_assert_int_eq(mm_copy("file", "copy", flags[i], MODE_DEF), 0);
		ck_assert_int_eq(mm_stat("copy", &status, 0), 0);
		ck_assert(status.size == far + 8);
		ck_assert_uint_lt(status.nblocks, 1000);
		assert_far_text("copy");
		ck_assert_int_eq(mm_unlink("copy"), 0);
	}
	ck_assert_int_eq(mm_rename("file", "other"), 0);
	assert_far_text("other");
	ck_assert_int_eq(mm_mkdir("directory", MODE_XDEF, 0), 0);
	ck_assert_int_eq(mm_rename("other", "directory/file"), 0);
	ck_assert_int_eq(mm_remove("directory", MM_DT_ANY | MM_RECURSIVE), 0);
	leave_scratch_directory();
}
END_TEST

START_TEST(part_beyond_4_gib_is_mapped)
{
	enter_scratch_directory();
	int fd = make_far_file("file");
	char *map = mm_mapfile(fd, far, 8, MM_MAP_RDWR | MM_MAP_SHARED);

	ck_assert_ptr_nonnull(map);
	ck_assert_mem_eq(map, "far away", 8);
	memcpy(map, "FAR", 3);
	ck_assert_int_eq(mm_unmap(map), 0);
	close_all(1, &fd);
	fd = mm_open("file", O_RDONLY, 0);

	char text[9] = "";

	ck_assert(mm_seek(fd, far, SEEK_SET) == far);
	ck_assert_int_eq(mm_read(fd, text, 8), 8);
	ck_assert_str_eq(text, "FAR away");
	close_all(1, &fd);
	leave_scratch_directory();
}
END_TEST

START_TEST(file_without_o_largefile_is_read_beyond_4_gib_by_a_program)
{
	/* open() in mm_open() must ask for large files: otherwise, the kernel of a 32-bit program refuses them. */
	enter_scratch_directory();
	int fd = make_far_file("file");

	close_all(1, &fd);
	fd = mm_open("file", O_RDWR | O_TRUNC, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(mm_ftruncate(fd, far), 0);
	ck_assert(mm_seek(fd, 0, SEEK_END) == far);
	ck_assert_int_eq(mm_write(fd, "far away", 8), 8);
	close_all(1, &fd);
	assert_far_text("file");
	leave_scratch_directory();
}
END_TEST

static const int64_t late = ((int64_t)1 << 32) + 12345; /* in the year 2106 */

/* Sets the time of last modification without the library; the kernel's structure has 64 bits on every machine. */
static bool set_late_time(int fd)
{
	int64_t times[2][2] = {{late, 0}, {late, 0}};
#ifdef SYS_utimensat_time64
	long result = syscall(SYS_utimensat_time64, fd, NULL, times, 0);
#else
	long result = syscall(SYS_utimensat, fd, NULL, times, 0);
#endif

	if (result == -1)
		ck_assert_int_eq(errno, ENOSYS); /* a 32-bit kernel before Linux 5.1 */
	return result == 0;
}

START_TEST(times_after_2038_are_reported_or_are_an_error)
{
	struct mm_stat status;

	enter_scratch_directory();
	int fd = mm_open("file", O_RDWR | O_CREAT, MODE_DEF);

	if (set_late_time(fd)) {
		if (sizeof(time_t) == 8) {
			ck_assert_int_eq(mm_fstat(fd, &status), 0);
			ck_assert(status.mtime == (time_t)late && status.atime == (time_t)late);
			ck_assert_int_eq(mm_stat("file", &status, 0), 0);
			ck_assert(status.mtime == (time_t)late && status.atime == (time_t)late);
		} else {
			assert_fails(mm_fstat(fd, &status), EOVERFLOW);
			assert_fails(mm_stat("file", &status, 0), EOVERFLOW);
		}
		/* Functions that need no time are not affected. */
		ck_assert_int_eq(mm_check_access("file", R_OK), 0);
	}
	close_all(1, &fd);
	ck_assert_int_eq(mm_unlink("file"), 0);
	leave_scratch_directory();
}
END_TEST

START_TEST(times_after_2038_can_be_set)
{
	struct mm_timespec times[2] = {{.tv_sec = (time_t)late}, {.tv_sec = (time_t)(late + 1), .tv_nsec = 7}};
	struct mm_stat status;

	enter_scratch_directory();
	int fd = mm_open("file", O_RDWR | O_CREAT, MODE_DEF);

	for (int i = 0; i < 2 && sizeof(time_t) == 8; i++) {
		ck_assert_int_eq(i == 0 ? mm_futimens(fd, times) : mm_utimens("file", times, 0), 0);
		ck_assert_int_eq(mm_stat("file", &status, 0), 0);
		ck_assert(status.atime == times[0].tv_sec);
		ck_assert(status.mtime == times[1].tv_sec);
		times[0].tv_sec += 100;
		times[1].tv_sec += 100;
	}
	close_all(1, &fd);
	leave_scratch_directory();
}
END_TEST

SUITE(status_of_a_file_above_4_gib_has_its_size, file_above_4_gib_is_copied_with_its_holes, part_beyond_4_gib_is_mapped,
      file_without_o_largefile_is_read_beyond_4_gib_by_a_program, times_after_2038_are_reported_or_are_an_error,
      times_after_2038_can_be_set)
