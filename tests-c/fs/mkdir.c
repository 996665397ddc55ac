/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mkdir.c: creating directories with their parents where other files are in the way
 */
#include "sandbox.h"

#include <sys/stat.h>

static bool is_directory(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* mkdir() as the C library calls it. */
static void forbid_mkdir(int error)
{
#ifdef SYS_mkdir
	forbid(SYS_mkdir, SECCOMP_RET_ERRNO | (unsigned)error);
#endif
	forbid(SYS_mkdirat, SECCOMP_RET_ERRNO | (unsigned)error);
}

static int make_where_mkdir_fails(void *arg)
{
	static const char *const existing[] = {
		"dir", "dir/", "dir/sub", "./dir/../dir/sub//", "link", "link/", "link/sub", ".", "/", ".."};
	int error = *(const int *)arg;

	forbid_mkdir(error);
	errno = EBUSY;
	for (int i = 0; i < MM_NELEM(existing); i++)
		ck_assert_msg(mm_mkdir(existing[i], MODE_XDEF, MM_RECURSIVE) == 0, "%s, errno %d: %s", existing[i],
		              error, mm_get_lasterror_desc());
	ck_assert_int_eq(errno, EBUSY);
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
	/* The first error is kept for paths that do not exist or are not directories, and without the flag. */
	assert_fails(mm_mkdir("dir/missing", MODE_XDEF, MM_RECURSIVE), error);
	assert_fails(mm_mkdir("missing/missing", MODE_XDEF, MM_RECURSIVE), error);
	assert_fails(mm_mkdir("file", MODE_XDEF, MM_RECURSIVE), error);
	assert_fails(mm_mkdir("dangling", MODE_XDEF, MM_RECURSIVE), error);
	assert_fails(mm_mkdir("dir", MODE_XDEF, 0), error);
	return 0;
}

START_TEST(existing_directory_is_success_whatever_mkdir_returns)
{
	static const int errors[] = {EPERM, EACCES, EROFS, ENOSYS, ENOENT, ENOSPC, EDQUOT, EMLINK, EIO};

	enter_scratch_directory();
	ck_assert_int_eq(mm_mkdir("dir/sub", MODE_XDEF, MM_RECURSIVE), 0);
	ck_assert_int_eq(symlink("dir", "link") | symlink("nowhere", "dangling"), 0);
	write_file("file", "");
	for (int i = 0; i < MM_NELEM(errors); i++)
		assert_child_succeeds(start_child(make_where_mkdir_fails, (void *)&errors[i]));
	ck_assert(!exists("missing") && !exists("dir/missing"));
	leave_scratch_directory();
}
END_TEST

/* A path into a separate filesystem, the only writable one. */
static int make_below_read_only(void *arg)
{
	(void)arg;
	if (!enter_private_mounts())
		return 0;
	ck_assert_int_eq(mm_mkdir("fixed/tmpfs", MODE_XDEF, MM_RECURSIVE), 0);
	ck_assert_int_eq(mount("none", "fixed", "tmpfs", 0, NULL), 0);
	ck_assert_int_eq(mm_mkdir("fixed/a/b", MODE_XDEF, MM_RECURSIVE), 0);
	ck_assert_int_eq(mm_mkdir("fixed/free", MODE_XDEF, MM_RECURSIVE), 0);
	ck_assert_int_eq(mount("none", "fixed/free", "tmpfs", 0, NULL), 0);
	ck_assert_int_eq(mount("none", "fixed", "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
	errno = EBUSY;
	ck_assert_int_eq(mm_mkdir("fixed", MODE_XDEF, MM_RECURSIVE), 0);
	ck_assert_int_eq(mm_mkdir("fixed/a/b/", MODE_XDEF, MM_RECURSIVE), 0);
	ck_assert_int_eq(mm_mkdir("fixed/free/x/y/z", MODE_XDEF, MM_RECURSIVE), 0);
	ck_assert_int_eq(errno, EBUSY);
	ck_assert(is_directory("fixed/free/x/y/z"));
	assert_fails(mm_mkdir("fixed/a/c", MODE_XDEF, MM_RECURSIVE), EROFS);
	assert_fails(mm_mkdir("fixed/a/c/d", MODE_XDEF, MM_RECURSIVE), EROFS);
	return 0;
}

START_TEST(existing_directories_of_a_read_only_filesystem_are_accepted)
{
	enter_scratch_directory();
	assert_child_succeeds(start_child(make_below_read_only, NULL));
	leave_scratch_directory();
}
END_TEST

static void make_where_nothing_may_be_made(void)
{
	ck_assert_int_eq(mm_mkdir("closed", MODE_XDEF, MM_RECURSIVE), 0);
	ck_assert_int_eq(mm_mkdir("closed/dir", MODE_XDEF, MM_RECURSIVE), 0);
	ck_assert_int_eq(mm_mkdir("/usr/bin", MODE_XDEF, MM_RECURSIVE), 0);
	ck_assert_int_eq(mm_mkdir("closed/dir/open/x/y", MODE_XDEF, MM_RECURSIVE), 0);
	assert_fails(mm_mkdir("closed/other", MODE_XDEF, MM_RECURSIVE), EACCES);
	assert_fails(mm_mkdir("closed/other/x", MODE_XDEF, MM_RECURSIVE), EACCES);
	assert_fails(mm_mkdir("unsearchable/dir", MODE_XDEF, MM_RECURSIVE), EACCES);
	assert_fails(mm_mkdir("unsearchable/dir/x", MODE_XDEF, MM_RECURSIVE), EACCES);
}

START_TEST(parent_directories_need_not_be_writable)
{
	enter_scratch_directory();
	ck_assert_int_eq(mm_mkdir("closed/dir/open", MODE_XDEF, MM_RECURSIVE), 0);
	ck_assert_int_eq(mm_mkdir("unsearchable/dir", MODE_XDEF, MM_RECURSIVE), 0);
	ck_assert_int_eq(chmod("closed/dir/open", 0777) | chmod("closed/dir", 0555) | chmod("closed", 0555) |
	                         chmod("unsearchable", 0666),
	                 0);
	as_ordinary_user(make_where_nothing_may_be_made);
	ck_assert_int_eq(chmod("closed/dir", 0755) | chmod("closed", 0755) | chmod("unsearchable", 0755), 0);
	leave_scratch_directory();
}
END_TEST

START_TEST(dangling_links_are_distinguished)
{
	enter_scratch_directory();
	ck_assert_int_eq(
		symlink("nowhere", "dangling") | symlink("loop", "loop") | symlink("..", "up") | mkdir("dir", 0755), 0);
	ck_assert_int_eq(symlink("../later/target", "dir/later"), 0);
	write_file("file", "");
	/* The link itself has the name; below it a directory is missing. */
	assert_fails(mm_mkdir("dangling", MODE_XDEF, MM_RECURSIVE), EEXIST);
	assert_fails(mm_mkdir("dangling/x", MODE_XDEF, MM_RECURSIVE), ENOENT);
	assert_fails(mm_mkdir("dangling/x/y/z/", MODE_XDEF, MM_RECURSIVE), ENOENT);
	assert_fails(mm_mkdir("dir/later/x", MODE_XDEF, MM_RECURSIVE), ENOENT);
	assert_fails(mm_mkdir("loop/x", MODE_XDEF, MM_RECURSIVE), ELOOP);
	assert_fails(mm_mkdir("file/x", MODE_XDEF, MM_RECURSIVE), ENOTDIR);
	assert_fails(mm_mkdir("file/x/y", MODE_XDEF, MM_RECURSIVE), ENOTDIR);
	assert_fails(mm_mkdir("missing/../file/x", MODE_XDEF, MM_RECURSIVE), ENOTDIR);
	assert_fails(mm_mkdir("file", MODE_XDEF, MM_RECURSIVE), EEXIST);
	ck_assert(!exists("nowhere") && !exists("later"));
	ck_assert_int_eq(mm_mkdir("later/target/x", MODE_XDEF, MM_RECURSIVE), 0);
	ck_assert_int_eq(mm_mkdir("dir/later/x/y", MODE_XDEF, MM_RECURSIVE), 0);
	ck_assert(is_directory("later/target/x/y"));
	leave_scratch_directory();
}
END_TEST

/* --- random paths and a model ------------------------------------------------------------------------------------- */

/* The same by system calls and stat() only: each component from the left. */
static int make_by_hand(const char *path)
{
	char prefix[256];

	for (size_t end = 1; end <= strlen(path); end++) {
		bool is_last = path[end + strspn(path + end, "/")] == '\0';
		struct stat status;
		int error;

		if (path[end] != '/' && path[end] != '\0')
			continue;
		memcpy(prefix, path, end);
		prefix[end] = '\0';
		if (mkdir(prefix, 0755) == 0)
			continue;
		error = errno;
		if (stat(prefix, &status) == -1)
			return error == EEXIST && is_last && errno == ENOENT ? EEXIST : errno;
		if (!S_ISDIR(status.st_mode))
			return path[end] == '\0' ? error : ENOTDIR;
	}
	return 0;
}

static void compare_with_model(uint32_t *random)
{
	static const char *const components[] = {"a", "b", "c", ".", "..", "file", "dangling", "link", "loop", ""};
	char path[200] = "t";
	int count = 1 + (int)(next_random(random) % 7), expected, depth = 1;

	for (int i = 0; i < count; i++) {
		const char *component = components[next_random(random) % MM_NELEM(components)];

		/* Paths must not leave the directory of this test. */
		if (strcmp(component, "..") == 0 && --depth < 0)
			return;
		depth += strcmp(component, "..") != 0 && strcmp(component, ".") != 0 && component[0] != '\0';
		strcat(path, "/");
		strcat(path, component);
	}
	/* The model creates one tree, the library the other. */
	for (int by_library = 0; by_library < 2; by_library++) {
		mm_remove("t", MM_DT_ANY | MM_RECURSIVE);
		ck_assert_int_eq(mkdir("t", 0755) | mkdir("t/a", 0755) | symlink("a", "t/link") |
		                         symlink("no", "t/dangling") | symlink("loop", "t/loop") |
		                         symlink("../dangling", "t/a/dangling"),
		                 0);
		write_file("t/file", "");
		write_file("t/a/file", "");
		if (!by_library) {
			expected = make_by_hand(path);
		} else if (expected == 0) {
			ck_assert_msg(mm_mkdir(path, 0755, MM_RECURSIVE) == 0, "%s: %s", path, mm_get_lasterror_desc());
			ck_assert_msg(is_directory(path), "%s", path);
		} else {
			suite_forget_error();
			ck_assert_msg(mm_mkdir(path, 0755, MM_RECURSIVE) == -1 && errno == expected, "%s: %s, not %s",
			              path, mm_get_lasterror_desc(), strerror(expected));
		}
	}
}

START_TEST(random_paths_match_a_model)
{
	uint32_t random = 4711;

	enter_scratch_directory();
	for (int i = 0; i < (is_instrumented() ? 500 : 5000); i++)
		compare_with_model(&random);
	leave_scratch_directory();
}
END_TEST

SUITE(existing_directory_is_success_whatever_mkdir_returns, existing_directories_of_a_read_only_filesystem_are_accepted,
      parent_directories_need_not_be_writable, dangling_links_are_distinguished, random_paths_match_a_model)
