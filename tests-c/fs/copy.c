/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy.c: copies of files and symbolic links
 */
#include "suite.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* A file of that many pseudo-random bytes. */
static void write_random_file(const char *path, size_t size)
{
	uint32_t state = 12345;
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	for (size_t i = 0; i < size; i += 4) {
		uint32_t word = next_random(&state);

		fwrite(&word, 1, size - i < 4 ? size - i : 4, file);
	}
	ck_assert_int_eq(fclose(file), 0);
}

static void assert_same_content(const char *a, const char *b)
{
	char command[200];

	/* Through a pipe, since cmp would rely on the size that the file reports. */
	snprintf(command, sizeof(command), "cat '%s' | cmp -s - '%s'", a, b);
	ck_assert_int_eq(system(command), 0);
}

START_TEST(copy_has_the_content_of_the_source)
{
	static const size_t sizes[] = {0, 1, 4095, 4096, 1000003, 3 << 20};
	static const int flags[] = {0, MM_NOCOW, MM_NOFOLLOW, MM_NOFOLLOW | MM_NOCOW};

	enter_scratch_directory();
	umask(022);
	for (int s = 0; s < MM_NELEM(sizes); s++) {
		write_random_file("source", sizes[s]);
		ck_assert_int_eq(chmod("source", 0600), 0);
		for (int f = 0; f < MM_NELEM(flags); f++) {
			struct mm_stat source, copy;

			errno = EBUSY;
			ck_assert_int_eq(mm_copy("source", "copy", flags[f], MODE_XDEF), 0);
			ck_assert_int_eq(errno, EBUSY);
			assert_same_content("source", "copy");
			ck_assert_int_eq(mm_stat("source", &source, 0), 0);
			ck_assert_int_eq(mm_stat("copy", &copy, 0), 0);
			ck_assert(!mm_ino_equal(source.ino, copy.ino));
			ck_assert_int_eq(copy.nlink, 1);
			ck_assert_uint_eq(copy.mode & 07777, 0755);
			ck_assert_int_eq(mm_unlink("copy"), 0);
		}
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(holes_are_preserved)
{
	static const int flags[] = {0, MM_NOCOW};
	struct mm_stat status;

	enter_scratch_directory();
	int fd = mm_open("sparse", O_RDWR | O_CREAT, MODE_DEF);

	for (int i = 1; i < 4; i++) {
		mm_seek(fd, (mm_off_t)i << 31, SEEK_SET);
		ck_assert_int_eq(mm_write(fd, "data", 4), 4);
	}
	ck_assert_int_eq(mm_ftruncate(fd, (mm_off_t)9 << 30), 0);
	close_all(1, &fd);
	for (int f = 0; f < MM_NELEM(flags); f++) {
		char text[4];

		ck_assert_int_eq(mm_copy("sparse", "copy", flags[f], MODE_DEF), 0);
		ck_assert_int_eq(mm_stat("copy", &status, 0), 0);
		ck_assert_int_eq(status.size, (mm_off_t)9 << 30);
		ck_assert_uint_lt(status.nblocks, 10000);
		fd = mm_open("copy", O_RDONLY, 0);
		for (int i = 1; i < 4; i++) {
			mm_seek(fd, (mm_off_t)i << 31, SEEK_SET);
			ck_assert_int_eq(mm_read(fd, text, 4), 4);
			ck_assert_mem_eq(text, "data", 4);
		}
		mm_seek(fd, (mm_off_t)3 << 30, SEEK_SET);
		ck_assert_int_eq(mm_read(fd, text, 4), 4);
		ck_assert_mem_eq(text, "\0\0\0\0", 4);
		close_all(1, &fd);
		ck_assert_int_eq(mm_unlink("copy"), 0);
	}
	/* Only a hole. */
	fd = mm_open("hole", O_RDWR | O_CREAT, MODE_DEF);
	ck_assert_int_eq(mm_ftruncate(fd, 1 << 30), 0);
	close_all(1, &fd);
	ck_assert_int_eq(mm_copy("hole", "copy", 0, MODE_DEF), 0);
	ck_assert_int_eq(mm_stat("copy", &status, 0), 0);
	ck_assert_int_eq(status.size, 1 << 30);
	ck_assert_uint_lt(status.nblocks, 100);
	leave_scratch_directory();
}
END_TEST

START_TEST(files_that_report_size_zero_are_copied_completely)
{
	enter_scratch_directory();
	ck_assert_int_eq(mm_copy("/proc/self/mountinfo", "copy", 0, MODE_DEF), 0);
	assert_same_content("/proc/self/mountinfo", "copy");
	ck_assert(exists("copy") && !has_text("copy", ""));
	leave_scratch_directory();
}
END_TEST

START_TEST(symbolic_links_are_followed_or_copied)
{
	char target[2100], long_target[2100];

	enter_scratch_directory();
	write_file("file", "text");
	ck_assert_int_eq(symlink("file", "link"), 0);
	ck_assert_int_eq(symlink("nowhere", "dangling"), 0);
	memset(long_target, 'x', sizeof(long_target) - 1);
	long_target[sizeof(long_target) - 1] = '\0';
	ck_assert_int_eq(symlink(long_target, "long"), 0);

	ck_assert_int_eq(mm_copy("link", "copy", 0, MODE_DEF), 0);
	ck_assert_int_eq(mm_readlink("copy", target, sizeof(target)), -1);
	ck_assert(has_text("copy", "text"));
	errno = EBUSY;
	ck_assert_int_eq(mm_copy("link", "link2", MM_NOFOLLOW, 0), 0);
	ck_assert_int_eq(errno, EBUSY);
	ck_assert_int_eq(mm_readlink("link2", target, sizeof(target)), 0);
	ck_assert_str_eq(target, "file");
	ck_assert_int_eq(mm_copy("dangling", "dangling2", MM_NOFOLLOW, 0), 0);
	ck_assert_int_eq(mm_readlink("dangling2", target, sizeof(target)), 0);
	ck_assert_str_eq(target, "nowhere");
	ck_assert_int_eq(mm_copy("long", "long2", MM_NOFOLLOW, 0), 0);
	ck_assert_int_eq(mm_readlink("long2", target, sizeof(target)), 0);
	ck_assert_str_eq(target, long_target);
	/* A symbolic link that reports size zero. */
	ck_assert_int_eq(mm_copy("/proc/self/cwd", "cwd", MM_NOFOLLOW, 0), 0);
	ck_assert_int_eq(mm_readlink("cwd", target, sizeof(target)), 0);
	ck_assert_int_eq(target[0], '/');
	assert_fails(mm_copy("dangling", "x", 0, 0), ENOENT);
	assert_fails(mm_copy("link", "file", MM_NOFOLLOW, 0), EEXIST);
	leave_scratch_directory();
}
END_TEST

START_TEST(failed_copies_leave_nothing_behind)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};

	enter_scratch_directory();
	write_file("file", "text");
	write_file("other", "kept");
	ck_assert_int_eq(symlink("nowhere", "dangling"), 0);
	ck_assert_int_eq(symlink("loop", "loop"), 0);
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_fails(mm_copy("file", "other", 0, MODE_DEF), EEXIST);
	assert_fails(mm_copy("file", "file", 0, MODE_DEF), EEXIST);
	assert_fails(mm_copy("file", "dangling", 0, MODE_DEF), EEXIST);
	ck_assert(has_text("other", "kept"));
	ck_assert(has_text("file", "text"));
	ck_assert(!exists("nowhere"));
	assert_fails(mm_copy("missing", "copy", 0, MODE_DEF), ENOENT);
	assert_fails(mm_copy(".", "copy", 0, MODE_DEF), EISDIR);
	assert_fails(mm_copy("/dev/zero", "copy", 0, MODE_DEF), EINVAL);
	assert_fails(mm_copy("/dev/zero", "copy", MM_NOCOW, MODE_DEF), EINVAL);
	assert_fails(mm_copy("socket", "copy", 0, MODE_DEF), EINVAL);
	assert_fails(mm_copy("loop", "copy", 0, MODE_DEF), ELOOP);
	assert_fails(mm_copy("file", "missing/copy", 0, MODE_DEF), ENOENT);
	assert_fails(mm_copy("file", "copy", 1, MODE_DEF), EINVAL);
	assert_fails(mm_copy("file", "copy", MM_NOCOW | MM_FORCECOW, MODE_DEF), EINVAL);
	assert_fails_on_bad_memory(mm_copy(NULL, "copy", 0, MODE_DEF), EFAULT);
	assert_fails_on_bad_memory(mm_copy("file", NULL, 0, MODE_DEF), EFAULT);
	ck_assert(!exists("copy"));
	close_all(1, &listener);
	leave_scratch_directory();
}
END_TEST

START_TEST(reflink_flags_share_the_data_or_fail_but_never_copy)
{
	enter_scratch_directory();
	write_file("file", "text");
	int result = mm_copy("file", "copy", MM_FORCECOW, MODE_DEF);

	if (result == 0) {
		ck_assert(has_text("copy", "text"));
	} else {
		int error = mm_get_lasterror_number();

		ck_assert(error == EOPNOTSUPP || error == EXDEV || error == EINVAL || error == ENOTTY);
		ck_assert(!exists("copy"));
	}
	/* Content that the kernel generates on reading is never shared. */
	ck_assert_int_eq(mm_copy("/proc/self/status", "status", MM_FORCECOW, MODE_DEF), -1);
	ck_assert(!exists("status"));
	leave_scratch_directory();
}
END_TEST

static void *copy_again_and_again(void *arg)
{
	int *failures = arg;

	for (int i = 0; i < 20; i++) {
		if (mm_copy("source", "copy", MM_NOCOW, MODE_DEF) != 0 || mm_unlink("copy") != 0)
			++*failures;
	}
	return NULL;
}

START_TEST(signal_does_not_interrupt_a_copy)
{
	int failures = 0;

	enter_scratch_directory();
	write_random_file("source", 3 << 20);
	pthread_t interrupter = start_interrupting();

	copy_again_and_again(&failures);
	stop_interrupting(interrupter);
	ck_assert_int_eq(failures, 0);
	leave_scratch_directory();
}
END_TEST

/* Limits the file size, so that the copy fails in the middle, as on a full device. */
static void copy_beyond_the_limit(void)
{
	struct rlimit limit = {1 << 20, 1 << 20};

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_fails(mm_copy("source", "copy", 0, MODE_DEF), EFBIG);
	ck_assert(!exists("copy"));
	assert_fails(mm_copy("source", "copy", MM_NOCOW, MODE_DEF), EFBIG);
	ck_assert(!exists("copy"));
}

START_TEST(copy_that_does_not_fit_is_removed)
{
	enter_scratch_directory();
	write_random_file("source", 3 << 20);
	as_ordinary_user(copy_beyond_the_limit);
	leave_scratch_directory();
}
END_TEST

SUITE(copy_has_the_content_of_the_source, holes_are_preserved, files_that_report_size_zero_are_copied_completely,
      symbolic_links_are_followed_or_copied, failed_copies_leave_nothing_behind,
      reflink_flags_share_the_data_or_fail_but_never_copy, signal_does_not_interrupt_a_copy,
      copy_that_does_not_fit_is_removed)
