/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.c: calls of the functions for files
 */
#include "calls.h"

#include <errno.h>
#include <fcntl.h>

static void *take_times(struct input *in)
{
	static const long nanoseconds[] = {0, 1, 999999999, 1000000000, -1, UTIME_NOW, UTIME_OMIT, INT64_MAX};
	struct mm_timespec *times = exact_memory(2 * sizeof(*times));

	if (take_chance(in, 8))
		return take_chance(in, 2) ? no_memory() : NULL;
	for (int i = 0; i < 2; i++)
		times[i] = (struct mm_timespec){take_int64(in), TAKE_ONE(in, nanoseconds)};
	return times;
}

void call_mm_open(struct input *in)
{
	static const int flags[] = {
		O_RDONLY,
		O_RDWR | O_CREAT,
		O_WRONLY | O_TRUNC | O_CREAT,
		O_RDWR | O_CREAT | O_EXCL,
		O_WRONLY | O_APPEND,
		O_RDONLY | O_DIRECTORY,
		O_PATH,
		O_RDWR | O_TMPFILE,
		O_RDONLY | O_NOFOLLOW,
	};
	char *path = take_path(in);
	/*
	 * Excludes opens that would block, or that request signals (O_ASYNC): the library is not responsible for these.
	 */
	int oflag = (take_chance(in, 8) ? take_int(in) & ~O_ASYNC : TAKE_ONE(in, flags)) | O_NONBLOCK;

	world_has_changed();
	adopt(CALL(mm_open, path, oflag, take_mode(in)));
}

void call_mm_rename(struct input *in)
{
	char *from = take_path(in), *to = take_path(in);

	world_has_changed();
	CALL(mm_rename, from, to);
}

void call_mm_close(struct input *in)
{
	int fd = any_descriptor(in);

	disown(fd);
	CALL(mm_close, fd);
	if (fd >= 0 && fd <= 2)
		reopen_standard(fd);
}

void call_mm_fsync(struct input *in)
{
	CALL(mm_fsync, any_descriptor(in));
}

void call_mm_read(struct input *in)
{
	int fd = any_descriptor(in);
	size_t size = take_size(in);
	ssize_t result = CALL(mm_read, fd, take_kernels_memory(in, size), size);

	CHECK(result >= -1 && result <= (ssize_t)size, "mm_read returned %zd for %zu bytes", result, size);
}

void call_mm_write(struct input *in)
{
	int fd = any_descriptor(in);
	size_t size = take_size(in);
	ssize_t result = CALL(mm_write, fd, take_kernels_memory(in, size), size);

	CHECK(result >= -1 && result <= (ssize_t)size, "mm_write returned %zd for %zu bytes", result, size);
}

void call_mm_seek(struct input *in)
{
	int fd = any_descriptor(in);
	int64_t offset = take_int64(in);

	CALL(mm_seek, fd, offset, (int)take_below(in, 6) - 1);
}

void call_mm_ftruncate(struct input *in)
{
	int fd = any_descriptor(in);

	CALL(mm_ftruncate, fd, take_int64(in));
}

void call_mm_fstat(struct input *in)
{
	int fd = any_descriptor(in);

	CALL(mm_fstat, fd, take_output(in, sizeof(struct mm_stat)));
}

void call_mm_stat(struct input *in)
{
	char *path = take_path(in);
	void *buffer = take_output(in, sizeof(struct mm_stat));

	CALL(mm_stat, path, buffer, take_flags(in));
}

void call_mm_futimens(struct input *in)
{
	int fd = any_descriptor(in);

	CALL(mm_futimens, fd, take_times(in));
}

void call_mm_utimens(struct input *in)
{
	char *path = take_path(in);
	void *times = take_times(in);

	world_has_changed();
	CALL(mm_utimens, path, times, take_flags(in));
}

void call_mm_check_access(struct input *in)
{
	char *path = take_path(in);
	int result = CALL(mm_check_access, path, take_chance(in, 8) ? take_int(in) : (int)take_below(in, 8));

	CHECK(result == -1 || result == 0 || result == ENOENT || result == EACCES, "mm_check_access returned %d",
	      result);
}

void call_mm_isatty(struct input *in)
{
	CHECK(CALL(mm_isatty, any_descriptor(in)) <= 0, "mm_isatty reported a terminal");
}

void call_mm_dup(struct input *in)
{
	adopt(CALL(mm_dup, any_descriptor(in)));
}

void call_mm_dup2(struct input *in)
{
	int fd = any_descriptor(in), number = any_descriptor(in);

	/* Descriptors that the library keeps internally are not replaced. */
	if (take_chance(in, 3))
		number = 90 + (int)take_below(in, 10);
	else if (take_chance(in, 3))
		number = (int)take_below(in, 3);
	if (number > 2 && !is_owned(number) && fcntl(number, F_GETFD) != -1)
		return;
	if (number == 2)
		stop_watching_log();
	int result = CALL(mm_dup2, fd, number);

	CHECK(result == -1 || result == number, "mm_dup2 to %d returned %d", number, result);
	if (result > 2)
		adopt(result);
}

void call_mm_pipe(struct input *in)
{
	int *fds = take_chance(in, 16) ? take_chance(in, 2) ? no_memory() : NULL : exact_memory(2 * sizeof(*fds));

	if (CALL(mm_pipe, fds) == 0) {
		adopt(fds[0]);
		adopt(fds[1]);
	}
}

void call_mm_unlink(struct input *in)
{
	world_has_changed();
	CALL(mm_unlink, take_path(in));
}

void call_mm_link(struct input *in)
{
	char *from = take_path(in), *to = take_path(in);

	world_has_changed();
	CALL(mm_link, from, to);
}

void call_mm_symlink(struct input *in)
{
	char *from = take_path(in), *to = take_path(in);

	world_has_changed();
	CALL(mm_symlink, from, to);
}

void call_mm_readlink(struct input *in)
{
	char *path = take_path(in);
	size_t size = take_size(in);
	char *buffer = exact_memory(size);
	int result = CALL(mm_readlink, path, buffer, size);

	CHECK(result != 0 || memchr(buffer, '\0', size) != NULL, "mm_readlink did not terminate its result");
}

void call_mm_copy(struct input *in)
{
	char *from = take_path(in), *to = take_path(in);
	int flags = take_flags(in);

	world_has_changed();
	CALL(mm_copy, from, to, flags, take_mode(in));
}

void call_mm_mkdir(struct input *in)
{
	char *path = take_path(in);
	int mode = take_mode(in);

	world_has_changed();
	CALL(mm_mkdir, path, mode, take_flags(in));
}

void call_mm_chdir(struct input *in)
{
	CALL(mm_chdir, take_path(in));
}

void call_mm_getcwd(struct input *in)
{
	size_t size = take_size(in);
	char *buffer = take_output(in, size);
	char *result = CALL_FAILING(NULL, mm_getcwd, buffer, size);

	CHECK(result == NULL || buffer == NULL || result == buffer,
	      "mm_getcwd returned memory other than the caller's");
	CHECK(result == NULL || buffer == NULL || memchr(buffer, '\0', size) != NULL,
	      "mm_getcwd did not terminate its result");
	if (buffer == NULL)
		free(result);
}

void call_mm_rmdir(struct input *in)
{
	world_has_changed();
	CALL(mm_rmdir, take_path(in));
}

void call_mm_remove(struct input *in)
{
	char *path = take_path(in);

	world_has_changed();
	CALL(mm_remove, path, take_flags(in));
}
