/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_limits.c: files at their limits: the largest offsets, RLIMIT_FSIZE, immutable files
 */
#include "suite.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

START_TEST(offset_above_the_maximum_is_an_error)
{
	/*
	 * Memory has addresses up to 2^64; lseek() indicates that such a negative result is valid by leaving errno
	 * unchanged.
	 */
	static const uint64_t offsets[] = {(uint64_t)1 << 63, 0xffffffffff600000, 0xffffffffffffe000};
	int fd = mm_open("/proc/self/mem", O_RDONLY, 0);

	ck_assert_int_ge(fd, 0);
	/* The system call of 32-bit machines returns the lower half of the offset, or success if that is 0. */
	for (int i = sizeof(long) == 8 ? 0 : 1; i < MM_NELEM(offsets); i++) {
		assert_fails(mm_seek(fd, (mm_off_t)offsets[i], SEEK_SET), EOVERFLOW);
		errno = EBUSY;
		ck_assert_int_eq(mm_seek(fd, 4096, SEEK_SET), 4096);
		ck_assert_int_eq(errno, EBUSY);
	}
	ck_assert_int_eq(mm_seek(fd, INT64_MAX, SEEK_SET), INT64_MAX);
	if (sizeof(long) == 8) {
		assert_fails(mm_seek(fd, 1, SEEK_CUR), EOVERFLOW);
		assert_fails(mm_seek(fd, 0, SEEK_CUR), EOVERFLOW);
	}
	close_all(1, &fd);
	/* A call that fails for another reason leaves it unchanged. */
	assert_fails(mm_seek(fd, 0, SEEK_SET), EBADF);
	enter_scratch_directory();
	fd = mm_open("file", O_RDWR | O_CREAT, 0600);
	assert_fails(mm_seek(fd, -1, SEEK_SET), EINVAL);
	assert_fails(mm_seek(fd, INT64_MIN, SEEK_SET), EINVAL);
	assert_fails(mm_seek(fd, 0, 77), EINVAL);
	assert_fails(mm_seek(fd, 0, SEEK_DATA), ENXIO);
	close_all(1, &fd);
	leave_scratch_directory();
}
END_TEST

enum { LIMIT = 1000 };

/* From here on the test framework cannot record failures. */
static int open_limited(void)
{
	struct rlimit limit = {LIMIT, LIMIT}, no_core = {0, 0};
	int fd;

	write_file("file", "");
	fd = mm_open("file", O_RDWR, 0);
	if (setrlimit(RLIMIT_CORE, &no_core) == -1 || setrlimit(RLIMIT_FSIZE, &limit) == -1)
		return -1;
	return fd;
}

static bool is_too_large(long result)
{
	return result == -1 && errno == EFBIG && mm_get_lasterror_number() == EFBIG;
}

static int fail_at_the_limit(void *arg)
{
	char data[2 * LIMIT] = "";
	int fd = open_limited();

	(void)arg;
	signal(SIGXFSZ, SIG_IGN);
	if (mm_write(fd, data, sizeof(data)) != LIMIT)
		return 1;
	if (!is_too_large(mm_write(fd, data, 1)))
		return 2;
	if (!is_too_large(mm_ftruncate(fd, LIMIT + 1)))
		return 3;
	return mm_ftruncate(fd, LIMIT) | mm_close(fd);
}

static int write_at_the_limit(void *arg)
{
	char data[LIMIT] = "";
	int fd = open_limited();

	(void)arg;
	return mm_write(fd, data, sizeof(data)) != LIMIT || mm_write(fd, data, 1) == -1;
}

static int grow_beyond_the_limit(void *arg)
{
	(void)arg;
	return mm_ftruncate(open_limited(), LIMIT + 1) == -1;
}

static void assert_ends_by_signal(pid_t pid, int signum)
{
	int status;

	ck_assert_int_eq(mm_wait_process(pid, &status), 0);
	ck_assert_int_eq(status, MM_WSTATUS_SIGNALED | signum);
}

START_TEST(file_size_limit_sends_a_signal_as_documented)
{
	enter_scratch_directory();
	assert_child_succeeds(start_child(fail_at_the_limit, NULL));
	assert_ends_by_signal(start_child(write_at_the_limit, NULL), SIGXFSZ);
	assert_ends_by_signal(start_child(grow_beyond_the_limit, NULL), SIGXFSZ);
	leave_scratch_directory();
}
END_TEST

START_TEST(immutable_file_is_not_writable_for_any_user)
{
	int fd, flags = 0, immutable;

	enter_scratch_directory();
	write_file("file", "text");
	fd = mm_open("file", O_RDONLY, 0);
	ck_assert_int_ge(fd, 0);
	immutable = ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 ? flags | FS_IMMUTABLE_FL : 0;
	/* If the filesystem supports it and the user may. */
	if (immutable != 0 && ioctl(fd, FS_IOC_SETFLAGS, &immutable) == 0) {
		ck_assert_int_eq(mm_check_access("file", R_OK), 0);
		assert_fails(mm_check_access("file", W_OK), EPERM);
		ck_assert_int_eq(ioctl(fd, FS_IOC_SETFLAGS, &flags), 0);
	}
	ck_assert_int_eq(mm_check_access("file", W_OK), 0);
	close_all(1, &fd);
	leave_scratch_directory();
}
END_TEST

START_TEST(invalid_buffers_and_numbers_are_rejected)
{
	struct rlimit limit;

	VALGRIND_DISABLE_ERROR_REPORTING;
	assert_fails_with_null(mm_getcwd((char *)8, 4096), EFAULT);
	VALGRIND_ENABLE_ERROR_REPORTING;
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_fails(mm_dup2(0, (int)limit.rlim_cur), EBADF);
	assert_fails(mm_dup2(0, -1), EBADF);
}
END_TEST

SUITE(offset_above_the_maximum_is_an_error, file_size_limit_sends_a_signal_as_documented,
      immutable_file_is_not_writable_for_any_user, invalid_buffers_and_numbers_are_rejected)
