/* SPDX-License-Identifier: Apache-2.0 */
/*
 * directory.c: creating, reading and removing directories
 */
#include "suite.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define EVERYTHING (MM_DT_ANY | MM_RECURSIVE)

START_TEST(directories_are_created_with_their_parents)
{
	static const char *const paths[] = {
		"1/2/3/", "a//b///c//", "with space/in it", "new/../x", "dots/./y", "1/2/3", ".", "..", "/"};

	enter_scratch_directory();
	for (int i = 0; i < MM_NELEM(paths); i++) {
		struct mm_stat status;

		errno = EBUSY;
		ck_assert_msg(mm_mkdir(paths[i], MODE_XDEF, MM_RECURSIVE) == 0, "%s: %s", paths[i],
		              mm_get_lasterror_desc());
		ck_assert_int_eq(errno, EBUSY);
		ck_assert_int_eq(mm_mkdir(paths[i], MODE_XDEF, MM_RECURSIVE), 0);
		ck_assert_int_eq(mm_stat(paths[i], &status, 0), 0);
		ck_assert_uint_eq(status.mode & S_IFMT, S_IFDIR);
	}
	assert_fails(mm_mkdir("1", MODE_XDEF, 0), EEXIST);
	assert_fails(mm_mkdir("missing/dir", MODE_XDEF, 0), ENOENT);
	assert_fails(mm_mkdir("", MODE_XDEF, 0), ENOENT);
	assert_fails(mm_mkdir("", MODE_XDEF, MM_RECURSIVE), ENOENT);
	assert_fails_on_bad_memory(mm_mkdir(NULL, MODE_XDEF, 0), EFAULT);
	assert_fails_on_bad_memory(mm_mkdir(NULL, MODE_XDEF, MM_RECURSIVE), EFAULT);
	leave_scratch_directory();
}
END_TEST

START_TEST(existing_files_are_not_replaced_by_directories)
{
	enter_scratch_directory();
	write_file("file", "");
	ck_assert_int_eq(symlink("nowhere", "dangling"), 0);
	ck_assert_int_eq(mkdir("dir", 0755), 0);
	ck_assert_int_eq(symlink("dir", "link"), 0);
	assert_fails(mm_mkdir("file", MODE_XDEF, MM_RECURSIVE), EEXIST);
	assert_fails(mm_mkdir("dangling", MODE_XDEF, MM_RECURSIVE), EEXIST);
	assert_fails(mm_mkdir("file/x/y", MODE_XDEF, MM_RECURSIVE), ENOTDIR);
	ck_assert_int_eq(mm_mkdir("link/x/y", MODE_XDEF, MM_RECURSIVE), 0);
	ck_assert(exists("dir/x/y"));
	leave_scratch_directory();
}
END_TEST

START_TEST(paths_up_to_the_kernel_limit_are_created)
{
	char path[4097] = "";

	enter_scratch_directory();
	while (strlen(path) < 4095)
		strcat(path, strlen(path) % 200 == 199 ? "/" : "d");
	if (path[4094] == '/')
		path[4094] = 'd';
	ck_assert_int_eq(mm_mkdir(path, MODE_XDEF, MM_RECURSIVE), 0);
	strcat(path, "d");
	assert_fails(mm_mkdir(path, MODE_XDEF, MM_RECURSIVE), ENAMETOOLONG);
	path[199] = '\0';
	ck_assert_int_eq(mm_remove(path, EVERYTHING), 0);
	leave_scratch_directory();
}
END_TEST

static int make_trees(void *arg)
{
	(void)arg;
	for (int i = 0; i < 300; i++) {
		char path[64];

		snprintf(path, sizeof(path), "tree-%d/a/b/c/d", i);
		if (mm_mkdir(path, MODE_XDEF, MM_RECURSIVE) != 0)
			return 1;
	}
	return 0;
}

START_TEST(several_processes_can_create_the_same_tree)
{
	pid_t children[4];

	enter_scratch_directory();
	for (int i = 0; i < 4; i++)
		children[i] = start_child(make_trees, NULL);
	for (int i = 0; i < 4; i++)
		assert_child_succeeds(children[i]);
	leave_scratch_directory();
}
END_TEST

START_TEST(entries_are_read_with_their_types)
{
	static const char *const names[] = {".", "..", "file", "dir", "link", "fifo", "a\nb", "\xff\xfe"};
	static const int types[] = {MM_DT_DIR, MM_DT_DIR,  MM_DT_REG, MM_DT_DIR,
	                            MM_DT_LNK, MM_DT_FIFO, MM_DT_REG, MM_DT_REG};
	const struct mm_dirent *entry;
	int status = 7;

	enter_scratch_directory();
	write_file("file", "");
	write_file("a\nb", "");
	write_file("\xff\xfe", "");
	ck_assert_int_eq(mkdir("dir", 0755), 0);
	ck_assert_int_eq(symlink("x", "link"), 0);
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	MM_DIR *dir = mm_opendir(".");

	ck_assert_ptr_nonnull(dir);
	for (int pass = 0; pass < 2; pass++) {
		bool seen[MM_NELEM(names)] = {false};

		errno = EBUSY;
		while ((entry = mm_readdir(dir, pass == 0 ? &status : NULL)) != NULL) {
			int i = 0;

			ck_assert_int_eq(status, 0);
			while (i < MM_NELEM(names) && strcmp(entry->name, names[i]) != 0)
				i++;
			ck_assert_int_lt(i, MM_NELEM(names));
			ck_assert(!seen[i]);
			seen[i] = true;
			ck_assert(entry->type == types[i] || entry->type == MM_DT_UNKNOWN);
			ck_assert_int_eq(entry->id, 0);
			ck_assert_uint_ge(entry->reclen, offsetof(struct mm_dirent, name) + strlen(entry->name) + 1);
		}
		for (int i = 0; i < MM_NELEM(names); i++)
			ck_assert(seen[i]);
		ck_assert_ptr_null(mm_readdir(dir, &status));
		ck_assert_int_eq(status, 0);
		ck_assert_int_eq(errno, EBUSY);
		ck_assert_int_eq(mm_get_lasterror_number(), 0);
		mm_rewinddir(dir);
	}
	mm_closedir(dir);
	leave_scratch_directory();
}
END_TEST

START_TEST(read_errors_are_distinguished_from_the_end)
{
	int status = 7;

	enter_scratch_directory();
	int before = count_open_descriptors();
	MM_DIR *dir = mm_opendir(".");
	int fd = 0;

	ck_assert_ptr_nonnull(dir);
	ck_assert_int_eq(count_open_descriptors(), before + 1);
	/* The open directory is replaced by a file that cannot be read as one. */
	for (char path[64], target[256]; fd < 100; fd++) {
		ssize_t length;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		length = readlink(path, target, sizeof(target) - 1);
		if (length > 0 && strncmp(target, "/tmp/mmsysio-test-", 18) == 0)
			break;
	}
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	int other = open("/dev/null", O_RDONLY | O_CLOEXEC);

	dup3(other, fd, O_CLOEXEC);
	close(other);
	assert_fails_with_null(mm_readdir(dir, &status), ENOTDIR);
	ck_assert_int_eq(status, -1);
	mm_closedir(dir);
	leave_scratch_directory();
}
END_TEST

START_TEST(null_and_missing_directories_are_rejected)
{
	int status = 7;

	assert_fails_with_null(mm_opendir(NULL), EFAULT);
	VALGRIND_DISABLE_ERROR_REPORTING;
	assert_fails_with_null(mm_opendir((char *)8), EFAULT);
	VALGRIND_ENABLE_ERROR_REPORTING;
	assert_fails_with_null(mm_opendir("/missing"), ENOENT);
	assert_fails_with_null(mm_opendir(""), ENOENT);
	assert_fails_with_null(mm_opendir("/dev/null"), ENOTDIR);
	assert_fails_with_null(mm_readdir(NULL, &status), EINVAL);
	ck_assert_int_eq(status, -1);
	assert_fails_with_null(mm_readdir(NULL, NULL), EINVAL);
	suite_forget_error();
	mm_rewinddir(NULL);
	suite_assert_error("mm_rewinddir", EINVAL);
	mm_closedir(NULL);
}
END_TEST

/* A tree with all types of files. */
static void make_tree(void)
{
	ck_assert_int_eq(mm_mkdir("tree/a/b/c", MODE_XDEF, MM_RECURSIVE), 0);
	ck_assert_int_eq(mm_mkdir("tree/d", MODE_XDEF, 0), 0);
	write_file("tree/file", "");
	write_file("tree/a/file", "");
	write_file("tree/a/b/new\nline", "");
	write_file("tree/a/b/c/\xff", "");
	ck_assert_int_eq(symlink("../outside", "tree/link"), 0);
	ck_assert_int_eq(symlink("nowhere", "tree/a/dangling"), 0);
	ck_assert_int_eq(mkfifo("tree/d/fifo", 0600), 0);
}

START_TEST(tree_is_removed_and_symbolic_links_are_not_followed)
{
	static const int flags[] = {EVERYTHING, EVERYTHING | MM_FAILONERROR};

	enter_scratch_directory();
	ck_assert_int_eq(mkdir("outside", 0755), 0);
	write_file("outside/kept", "kept");
	for (int i = 0; i < MM_NELEM(flags); i++) {
		make_tree();
		errno = EBUSY;
		ck_assert_msg(mm_remove("tree", flags[i]) == 0, "%s", mm_get_lasterror_desc());
		ck_assert_int_eq(errno, EBUSY);
		ck_assert_int_eq(mm_get_lasterror_number(), 0);
		ck_assert(!exists("tree"));
	}
	ck_assert(has_text("outside/kept", "kept"));
	ck_assert_int_eq(symlink("outside", "link"), 0);
	ck_assert_int_eq(mm_remove("link", EVERYTHING), 0);
	ck_assert(has_text("outside/kept", "kept"));
	leave_scratch_directory();
}
END_TEST

START_TEST(only_the_requested_types_are_removed)
{
	enter_scratch_directory();
	write_file("file", "");
	assert_fails(mm_remove("file", 0), EPERM);
	assert_fails(mm_remove("file", MM_DT_DIR | MM_DT_LNK | MM_RECURSIVE), EPERM);
	ck_assert_int_eq(mm_remove("file", MM_DT_REG), 0);
	ck_assert_int_eq(mkdir("empty", 0755), 0);
	assert_fails(mm_remove("empty", MM_DT_REG), EPERM);
	ck_assert_int_eq(mm_remove("empty", MM_DT_DIR), 0);
	assert_fails(mm_remove("missing", EVERYTHING), ENOENT);
	assert_fails_on_bad_memory(mm_remove(NULL, EVERYTHING), EFAULT);

	make_tree();
	assert_fails(mm_remove("tree", MM_DT_ANY), ENOTEMPTY);
	assert_fails(mm_remove("tree", MM_DT_DIR | MM_DT_REG | MM_RECURSIVE), ENOTEMPTY);
	/* Files of another type remain, with the directories that lead to them. */
	ck_assert(exists("tree/link") && exists("tree/a/dangling") && exists("tree/d/fifo"));
	ck_assert(!exists("tree/a/b") && !exists("tree/file") && !exists("tree/a/file"));
	ck_assert_int_eq(mm_chdir("tree"), 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(mm_remove(".", MM_DT_REG | MM_DT_DIR | MM_RECURSIVE), 0);
	ck_assert(exists("a/dangling"));
	assert_fails(mm_remove(".", MM_DT_REG | MM_DT_DIR | MM_RECURSIVE | MM_FAILONERROR), ENOTEMPTY);
	ck_assert_int_eq(mm_remove(".", EVERYTHING | MM_FAILONERROR), 0);
	ck_assert(!exists("a"));
	leave_scratch_directory();
}
END_TEST

static void meet_closed_directories(void)
{
	/* Failures inside are ignored, and the removal of the directory itself reports the error. */
	assert_fails(mm_remove("tree", EVERYTHING), ENOTEMPTY);
	ck_assert(!exists("tree/free") && exists("tree/read-only/file"));
	assert_fails(mm_remove("tree", EVERYTHING | MM_FAILONERROR), EACCES);
	ck_assert_int_eq(mm_chdir("tree"), 0);
	assert_fails(mm_remove(".", EVERYTHING | MM_FAILONERROR), EACCES);
	ck_assert_int_eq(mm_remove(".", EVERYTHING), 0);
	ck_assert_int_eq(chmod("read-only", 0755), 0);
	ck_assert_int_eq(mm_chdir(".."), 0);
	/* Empty, although this cannot be verified. */
	ck_assert_int_eq(mkdir("tree/unreadable", 0), 0);
	ck_assert_int_eq(mm_remove("tree", EVERYTHING | MM_FAILONERROR), 0);
	ck_assert_int_eq(mkdir("unreadable", 0), 0);
	ck_assert_int_eq(mm_remove("unreadable", EVERYTHING), 0);
}

static void make_closed_directories(void)
{
	ck_assert_int_eq(mm_mkdir("tree/read-only", MODE_XDEF, MM_RECURSIVE), 0);
	ck_assert_int_eq(mm_mkdir("tree/free/a", MODE_XDEF, MM_RECURSIVE), 0);
	write_file("tree/read-only/file", "");
	write_file("tree/free/file", "");
	ck_assert_int_eq(chmod("tree/read-only", 0555), 0);
	meet_closed_directories();
}

START_TEST(directories_that_cannot_be_emptied_are_reported)
{
	enter_scratch_directory();
	as_ordinary_user(make_closed_directories);
	leave_scratch_directory();
}
END_TEST

START_TEST(tree_of_10000_levels_is_removed_with_few_descriptors)
{
	int levels = is_instrumented() ? 2000 : 10000;
	struct rlimit limit;

	enter_scratch_directory();
	char *top = mm_getcwd(NULL, 0);

	for (int i = 0; i < levels; i++) {
		ck_assert_int_eq(mkdir("d", 0755), 0);
		if (i % 100 == 0) {
			ck_assert_int_eq(mkdir("other", 0755), 0);
			write_file("file", "");
		}
		ck_assert_int_eq(chdir("d"), 0);
	}
	ck_assert_int_eq(chdir(top), 0);
	free(top);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = 40;
	setrlimit(RLIMIT_NOFILE, &limit);
	ck_assert_msg(mm_remove("d", EVERYTHING | MM_FAILONERROR) == 0, "%s", mm_get_lasterror_desc());
	ck_assert(!exists("d"));
	leave_scratch_directory();
}
END_TEST

/* Replaces a directory by a link to one that must not be removed, and back, until killed. */
static int exchange(void *arg)
{
	(void)arg;
	for (;;) {
		if (rename("tree/victim", "aside") == 0) {
			if (symlink("../outside", "tree/victim") == 0)
				unlink("tree/victim");
			if (rename("aside", "tree/victim") != 0)
				return 1;
		}
	}
}

START_TEST(removal_cannot_be_redirected_by_symbolic_links)
{
	enter_scratch_directory();
	ck_assert_int_eq(mkdir("outside", 0755), 0);
	write_file("outside/kept", "kept");
	for (int round = 0; round < 100; round++) {
		ck_assert_int_eq(mm_mkdir("tree/victim/deep", MODE_XDEF, MM_RECURSIVE), 0);
		write_file("tree/victim/file", "");
		pid_t child = start_child(exchange, NULL);

		for (int i = 0; i < 20; i++)
			mm_remove("tree", EVERYTHING);
		kill(child, SIGKILL);
		ck_assert_int_eq(waitpid(child, NULL, 0), child);
		mm_remove("aside", EVERYTHING);
		ck_assert(has_text("outside/kept", "kept"));
		if (exists("tree"))
			ck_assert_int_eq(mm_remove("tree", EVERYTHING), 0);
	}
	leave_scratch_directory();
}
END_TEST

SUITE(directories_are_created_with_their_parents, existing_files_are_not_replaced_by_directories,
      paths_up_to_the_kernel_limit_are_created, several_processes_can_create_the_same_tree,
      entries_are_read_with_their_types, read_errors_are_distinguished_from_the_end,
      null_and_missing_directories_are_rejected, tree_is_removed_and_symbolic_links_are_not_followed,
      only_the_requested_types_are_removed, directories_that_cannot_be_emptied_are_reported,
      tree_of_10000_levels_is_removed_with_few_descriptors, removal_cannot_be_redirected_by_symbolic_links)
