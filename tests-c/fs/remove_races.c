/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remove_races.c: removals while the same files are removed or replaced by others
 *
 * The C library functions that the library calls are defined here; they forward to the C library. Before one of the
 * calls the tree is changed: each scenario is repeated for each of the calls.
 */
#include "interpose.h"

#include "suite.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define EVERYTHING (MM_DT_ANY | MM_RECURSIVE)

/* --- the calls ---------------------------------------------------------------------------------------------------- */

static struct {
	bool is_watching;
	int calls, act_at;
	void (*act)(void);
} watch;

static void comes_before(void)
{
	int number = watch.calls;

	if (!watch.is_watching)
		return;
	watch.calls++;
	watch.is_watching = false;
	if (number == watch.act_at)
		watch.act();
	watch.is_watching = true;
}

#define WATCHED(type, name, symbol, parameters, arguments)          \
	type name parameters                                        \
	{                                                           \
		static __typeof__(name) *next;                      \
		int errno_before = errno;                           \
		if (next == NULL)                                   \
			*(void **)&next = dlsym(RTLD_NEXT, symbol); \
		comes_before();                                     \
		errno = errno_before;                               \
		return next arguments;                              \
	}

WATCHED(int, lstat, STATUS_SYMBOL(lstat), (const char *path, struct stat *status), (path, status))
WATCHED(int, fstat, STATUS_SYMBOL(fstat), (int fd, struct stat *status), (fd, status))
WATCHED(int, fstatat, STATUS_SYMBOL(fstatat), (int dir, const char *path, struct stat *status, int flags),
        (dir, path, status, flags))
WATCHED(int, unlink, "unlink", (const char *path), (path))
WATCHED(int, unlinkat, "unlinkat", (int dir, const char *path, int flags), (dir, path, flags))
WATCHED(int, rmdir, "rmdir", (const char *path), (path))
WATCHED(struct dirent *, readdir, OFFSET_SYMBOL(readdir), (DIR * dir), (dir))

#define WATCHED_OPENING(name, symbol, parameters, arguments)        \
	int name parameters                                         \
	{                                                           \
		static __typeof__(name) *next;                      \
		if (next == NULL)                                   \
			*(void **)&next = dlsym(RTLD_NEXT, symbol); \
		comes_before();                                     \
		return next arguments;                              \
	}

/* No file is created by these calls. */
WATCHED_OPENING(open, OFFSET_SYMBOL(open), (const char *path, int flags, ...), (path, flags, 0600))
WATCHED_OPENING(openat, OFFSET_SYMBOL(openat), (int dir, const char *path, int flags, ...), (dir, path, flags, 0600))

/* --- the tree ----------------------------------------------------------------------------------------------------- */

static const char *const directories[] = {"tree", "tree/a", "tree/a/b", "tree/d"};
static const char *const files[] = {"tree/file", "tree/a/file", "tree/a/b/file"};

static void make_tree(void)
{
	for (int i = 0; i < MM_NELEM(directories); i++)
		ck_assert_int_eq(mkdir(directories[i], 0755), 0);
	for (int i = 0; i < MM_NELEM(files); i++)
		ck_assert_int_eq(mknod(files[i], S_IFREG | 0644, 0), 0);
	ck_assert_int_eq(symlink("../outside", "tree/a/link"), 0);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status, (void)type, (void)where;
	return remove(path);
}

static void remove_path(const char *path)
{
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- changes by others -------------------------------------------------------------------------------------------- */

/* The path on which the event operates. */
static const char *victim;

static void remove_victim(void)
{
	remove_path(victim);
}

static void remove_tree_by_library(void)
{
	if (exists("tree"))
		ck_assert_int_eq(mm_remove("tree", EVERYTHING | MM_FAILONERROR), 0);
}

static int taken_away;

static bool take_victim_away(void)
{
	char aside[32];

	snprintf(aside, sizeof(aside), "aside/%d", taken_away);
	if (rename(victim, aside) != 0)
		return false;
	taken_away++;
	return true;
}

static void become_file(void)
{
	if (take_victim_away())
		write_file(victim, "");
}

static void become_link(void)
{
	if (take_victim_away())
		ck_assert_int_eq(symlink(strchr(victim, '/') ? "../outside" : "outside", victim), 0);
}

static void become_empty_directory(void)
{
	if (take_victim_away())
		ck_assert_int_eq(mkdir(victim, 0755), 0);
}

static void become_full_directory(void)
{
	char path[64];

	if (!take_victim_away())
		return;
	snprintf(path, sizeof(path), "%s/new", victim);
	ck_assert_int_eq(mkdir(victim, 0755), 0);
	write_file(path, "");
}

static void do_nothing(void)
{
}

/* The number of calls of an undisturbed removal. */
static int count_calls(void)
{
	make_tree();
	watch.act = do_nothing;
	watch.calls = 0;
	watch.is_watching = true;
	int result = mm_remove("tree", EVERYTHING);

	watch.is_watching = false;
	ck_assert_int_eq(result, 0);
	ck_assert_int_gt(watch.calls, 20);
	return watch.calls;
}

/* Before each call, or every other one. */
static void remove_while(void (*act)(void), bool may_stay, int first, int step)
{
	int calls = count_calls();

	for (watch.act_at = first; watch.act_at < calls; watch.act_at += is_instrumented() ? 8 : step) {
		make_tree();
		ck_assert_int_eq(mkdir("aside", 0755), 0);
		suite_forget_error();
		watch.act = act;
		watch.calls = 0;
		watch.is_watching = true;
		int result = mm_remove("tree", watch.act_at / 2 % 2 == 0 ? EVERYTHING | MM_FAILONERROR : EVERYTHING);

		watch.is_watching = false;
		int error = mm_get_lasterror_number();

		if (result == 0)
			ck_assert_msg(!exists("tree") && error == 0, "%s, call %d: the tree remains", victim,
			              watch.act_at);
		else if (watch.act_at == 0 && !exists("tree")) /* It need not have existed. */
			ck_assert_int_eq(error, ENOENT);
		else
			ck_assert_msg(may_stay && error == ENOTEMPTY, "%s, call %d: %s", victim, watch.act_at,
			              mm_get_lasterror_desc());
		ck_assert(has_text("outside/kept", "kept"));
		remove_path("tree");
		remove_path("aside");
	}
}

static void remove_while_each_may(void (*act)(void), bool may_stay)
{
	static const char *const victims[] = {"tree", "tree/a", "tree/a/b", "tree/a/file", "tree/a/b/file"};

	for (int i = 0; i < MM_NELEM(victims); i++) {
		victim = victims[i];
		remove_while(act, may_stay, i % 2, 2);
	}
}

static void enter_directory_with_outside(void)
{
	enter_scratch_directory();
	ck_assert_int_eq(mkdir("outside", 0755), 0);
	write_file("outside/kept", "kept");
}

START_TEST(files_removed_by_others_before_any_call_count_as_removed)
{
	enter_directory_with_outside();
	remove_while_each_may(remove_victim, false);
	leave_scratch_directory();
}
END_TEST

START_TEST(second_removal_before_any_call_does_not_disturb_the_first)
{
	enter_directory_with_outside();
	victim = "tree";
	remove_while(remove_tree_by_library, false, 0, 1);
	leave_scratch_directory();
}
END_TEST

/* Some filesystems list only what existed when the directory was opened. */
static bool lists_new_entries(void)
{
	DIR *dir = opendir("outside");
	struct dirent *entry;
	bool is_listed = false;

	ck_assert_int_eq(mknod("outside/new", S_IFREG | 0644, 0), 0);
	while ((entry = readdir(dir)) != NULL)
		is_listed |= strcmp(entry->d_name, "new") == 0;
	closedir(dir);
	remove_path("outside/new");
	return is_listed;
}

START_TEST(files_that_change_their_type_before_any_call_are_removed)
{
	enter_directory_with_outside();
	bool may_stay = !lists_new_entries();

	remove_while_each_may(become_file, may_stay);
	remove_while_each_may(become_link, may_stay);
	remove_while_each_may(become_empty_directory, may_stay);
	/* If the emptied directory has been replaced by another, the new one is not examined. */
	remove_while_each_may(become_full_directory, true);
	leave_scratch_directory();
}
END_TEST

START_TEST(replacement_of_an_excluded_type_is_kept)
{
	enter_directory_with_outside();
	victim = "tree/a/b";
	int calls = count_calls();

	watch.act = become_link;
	for (watch.act_at = 0; watch.act_at < calls; watch.act_at += is_instrumented() ? 7 : 1) {
		make_tree();
		ck_assert_int_eq(mkdir("aside", 0755), 0);
		int taken_before = taken_away;

		watch.calls = 0;
		watch.is_watching = true;
		mm_remove("tree", EVERYTHING & ~MM_DT_LNK);
		watch.is_watching = false;
		/* The new link exists if there was a directory to replace. */
		ck_assert_int_eq(exists("tree/a/b"), taken_away > taken_before);
		ck_assert(exists("tree/a/link"));
		ck_assert(has_text("outside/kept", "kept"));
		remove_path("tree");
		remove_path("aside");
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(files_and_empty_directories_may_be_removed_by_others)
{
	enter_scratch_directory();
	for (int is_directory = 0; is_directory < 2; is_directory++) {
		for (int flags = 0; flags < 3; flags++) {
			victim = "thing";
			watch.act = remove_victim;
			watch.act_at = 1;
			if (is_directory)
				ck_assert_int_eq(mkdir(victim, 0755), 0);
			else
				write_file(victim, "");
			watch.calls = 0;
			watch.is_watching = true;
			int recursive = flags > 0 ? MM_RECURSIVE : 0, fail_on_error = flags > 1 ? MM_FAILONERROR : 0;
			int result = mm_remove(victim, MM_DT_ANY | recursive | fail_on_error);

			watch.is_watching = false;
			ck_assert_int_eq(result, 0);
			ck_assert(!exists(victim));
			assert_fails(mm_remove(victim, EVERYTHING), ENOENT);
		}
	}
	leave_scratch_directory();
}
END_TEST

/* --- concurrently ------------------------------------------------------------------------------------------------- */

#define REMOVERS 4

static pthread_barrier_t *barrier;

static void wait_for_others(void)
{
	pthread_barrier_wait(barrier);
}

/* All have seen the tree before the first of them continues. */
static int remove_with_others(void *flags)
{
	watch.act = wait_for_others;
	watch.act_at = 1;
	watch.calls = 0;
	watch.is_watching = true;
	return mm_remove("tree", *(int *)flags) == 0 && !exists("tree") ? 0 : 1;
}

START_TEST(several_removals_of_one_tree_all_succeed)
{
	int flags[] = {EVERYTHING | MM_FAILONERROR, EVERYTHING}, rounds = is_instrumented() ? 2 : 10;
	pthread_barrierattr_t attributes;
	pid_t removers[REMOVERS];

	enter_scratch_directory();
	barrier = mmap(NULL, sizeof(*barrier), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(barrier, MAP_FAILED);
	pthread_barrierattr_init(&attributes);
	pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	ck_assert_int_eq(pthread_barrier_init(barrier, &attributes, REMOVERS), 0);
	for (int round = 0; round < rounds; round++) {
		make_tree();
		for (int i = 0; i < 8; i++) {
			char path[64];

			/* Deeper than the number of directories kept open. */
			snprintf(path, sizeof(path), "tree/%d/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9", i);
			ck_assert_int_eq(mm_mkdir(path, MODE_XDEF, MM_RECURSIVE), 0);
		}
		for (int i = 0; i < REMOVERS; i++)
			removers[i] = start_child(remove_with_others, &flags[round % 2]);
		for (int i = 0; i < REMOVERS; i++)
			assert_child_succeeds(removers[i]);
	}
	pthread_barrier_destroy(barrier);
	munmap(barrier, sizeof(*barrier));
	leave_scratch_directory();
}
END_TEST

/* --- the reported error ------------------------------------------------------------------------------------------- */

static void assert_reported(const char *text, int error)
{
	const char *message = mm_get_lasterror_desc();

	ck_assert_int_eq(mm_get_lasterror_number(), error);
	ck_assert_msg(strstr(message, text) != NULL, "\"%s\" does not contain \"%s\"", message, text);
	ck_assert_msg(strstr(message, strerror(error)) != NULL, "\"%s\" contains no reason", message);
}

static void meet_a_file_that_stays(void)
{
	char path[1024] = "tree";

	ck_assert_int_eq(mm_mkdir("tree/a/closed", MODE_XDEF, MM_RECURSIVE), 0);
	write_file("tree/a/closed/file", "");
	ck_assert_int_eq(chmod("tree/a/closed", 0555), 0);
	ck_assert_int_eq(mm_remove("tree", EVERYTHING | MM_FAILONERROR), -1);
	assert_reported("\"tree/a/closed/file\"", EACCES);
	/* Removing the directory itself fails, and the first failure gives the reason. */
	ck_assert_int_eq(mm_remove("tree", EVERYTHING), -1);
	assert_reported("\"tree\": \"tree/a/closed/file\" could not be removed (Permission denied)", ENOTEMPTY);
	ck_assert_int_eq(mm_remove("tree//", EVERYTHING | MM_FAILONERROR), -1);
	assert_reported("\"tree/a/closed/file\"", EACCES);
	ck_assert_int_eq(mm_chdir("tree"), 0);
	ck_assert_int_eq(mm_remove(".", EVERYTHING | MM_FAILONERROR), -1);
	assert_reported("\"./a/closed/file\"", EACCES);
	ck_assert_int_eq(mm_chdir("a"), 0);
	ck_assert_int_eq(mm_remove("..", EVERYTHING | MM_FAILONERROR), -1);
	assert_reported("\"../a/closed/file\"", EACCES);
	ck_assert_int_eq(mm_chdir("../.."), 0);
	/* A directory that cannot be opened, and is not empty. */
	ck_assert_int_eq(chmod("tree/a/closed", 0), 0);
	ck_assert_int_eq(mm_remove("tree", EVERYTHING | MM_FAILONERROR), -1);
	assert_reported("\"tree/a/closed\"", EACCES);
	ck_assert_int_eq(chmod("tree/a/closed", 0755), 0);
	/* A directory with a file that must not be removed. */
	ck_assert_int_eq(mm_remove("tree", (EVERYTHING & ~MM_DT_REG) | MM_FAILONERROR), -1);
	assert_reported("\"tree/a/closed\"", ENOTEMPTY);
	ck_assert_int_eq(mm_remove("tree", EVERYTHING), 0);
	/* Of a path that does not fit, the end is shown. */
	for (int i = 0; i < 30; i++)
		strcat(path, "/a long name");
	ck_assert_int_eq(mm_mkdir(path, MODE_XDEF, MM_RECURSIVE), 0);
	strcat(path, "/file");
	write_file(path, "");
	*strrchr(path, '/') = '\0';
	ck_assert_int_eq(chmod(path, 0555), 0);
	ck_assert_int_eq(mm_remove("tree", EVERYTHING | MM_FAILONERROR), -1);
	assert_reported("/a long name/a long name/file\"", EACCES);
	ck_assert_int_eq(mm_remove("tree", EVERYTHING), -1);
	assert_reported("/a long name/a long name/file\"", ENOTEMPTY);
	ck_assert_int_eq(chmod(path, 0755), 0);
	ck_assert_int_eq(mm_remove("tree", EVERYTHING), 0);
}

START_TEST(message_names_the_file_that_could_not_be_removed)
{
	enter_scratch_directory();
	as_ordinary_user(meet_a_file_that_stays);
	leave_scratch_directory();
}
END_TEST

SUITE(files_removed_by_others_before_any_call_count_as_removed,
      second_removal_before_any_call_does_not_disturb_the_first,
      files_that_change_their_type_before_any_call_are_removed, replacement_of_an_excluded_type_is_kept,
      files_and_empty_directories_may_be_removed_by_others, several_removals_of_one_tree_all_succeed,
      message_names_the_file_that_could_not_be_removed)
