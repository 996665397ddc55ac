/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scenarios_file.c: the banners 'File manipulation' and 'Directory navigation'
 */
#include "scenario.h"

#include <linux/capability.h>
#include <sys/syscall.h>

#define TEXT "some text of some length, which a short result cuts"

void make_file(const char *path, int size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	require(fd >= 0);
	for (int i = 0; i < size; i++)
		require(write(fd, &TEXT[i % 50], 1) == 1);
	close(fd);
}

void make_sparse_file(const char *path, int size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	require(fd >= 0);
	require(pwrite(fd, TEXT, 50, 1 << 20) == 50);
	require(ftruncate(fd, (2 << 20) + size) == 0);
	close(fd);
}

bool have_same_content(const char *path, const char *other)
{
	FILE *files[] = {fopen(path, "r"), fopen(other, "r")};
	int bytes[2];

	require(files[0] != NULL && files[1] != NULL);
	do {
		bytes[0] = getc(files[0]);
		bytes[1] = getc(files[1]);
	} while (bytes[0] == bytes[1] && bytes[0] != EOF);
	fclose(files[0]);
	fclose(files[1]);
	return bytes[0] == bytes[1];
}

bool exists(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

static int opened(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	require(fd >= 0);
	return fd;
}

/* --- descriptors -------------------------------------------------------------------------------------------------- */

static void open_creates(void)
{
	int fd;

	if (TRY(fd, mm_open("new", O_RDWR | O_CREAT | O_EXCL, 0600)))
		require(close(fd) == 0 && exists("new"));
}

static void close_closes(void)
{
	int fd = opened("file"), result;

	if (!TRY(result, mm_close(fd)))
		close(fd);
	require(fcntl(fd, F_GETFD) == -1);
}

static void fsync_stores(void)
{
	int fd = opened("file"), result;

	TRY(result, mm_fsync(fd));
	close(fd);
}

static void read_reads(void)
{
	char text[10];
	ssize_t size;

	make_file("file", 10);
	int fd = opened("file");

	if (TRY(size, mm_read(fd, text, sizeof(text))))
		require((size == 10 || size == 5) && memcmp(text, TEXT, (size_t)size) == 0);
	close(fd);
}

static void write_writes(void)
{
	int fd = opened("file");
	struct stat status;
	ssize_t size;

	if (TRY(size, mm_write(fd, TEXT, 10)))
		require(fstat(fd, &status) == 0 && status.st_size == size);
	close(fd);
}

static void seek_moves(void)
{
	int fd = opened("file");
	mm_off_t offset;

	if (TRY(offset, mm_seek(fd, 7, SEEK_SET)))
		require(offset == 7);
	close(fd);
}

static void ftruncate_cuts(void)
{
	int fd = opened("file"), result;
	struct stat status;

	if (TRY(result, mm_ftruncate(fd, 7)))
		require(fstat(fd, &status) == 0 && status.st_size == 7);
	close(fd);
}

static void isatty_of_a_terminal(void)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY), result;

	require(fd >= 0);
	if (TRY(result, mm_isatty(fd)))
		require(result == 0 || result == 1);
	close(fd);
}

static void dup_duplicates(void)
{
	int fd = opened("file"), copy;

	if (TRY(copy, mm_dup(fd)))
		require(close(copy) == 0);
	close(fd);
}

static void dup2_duplicates(void)
{
	int fd = opened("file"), copy;

	if (TRY(copy, mm_dup2(fd, 200)))
		require(copy == 200 && close(copy) == 0);
	close(fd);
}

static void pipe_makes_two(void)
{
	int fds[2], result;

	if (TRY(result, mm_pipe(fds)))
		require(close(fds[0]) == 0 && close(fds[1]) == 0);
}

/* --- metadata ----------------------------------------------------------------------------------------------------- */

static void fstat_tells(void)
{
	int fd = opened("file"), result;
	struct mm_stat status = {.size = 77};

	if (TRY(result, mm_fstat(fd, &status)))
		require(status.size == 0);
	else
		require(status.size == 77);
	close(fd);
}

static void stat_with(int flags)
{
	struct mm_stat status = {.size = 77};
	int result;

	make_file("file", 5);
	if (TRY(result, mm_stat("file", &status, flags)))
		require(status.size == 5);
	else
		require(status.size == 77);
}

static void stat_follows(void)
{
	stat_with(0);
}

static void stat_of_a_link(void)
{
	stat_with(MM_NOFOLLOW);
}

static void futimens_sets(void)
{
	int fd = opened("file"), result;

	TRY(result, mm_futimens(fd, NULL));
	close(fd);
}

static void utimens_sets(void)
{
	int result;

	make_file("file", 1);
	TRY(result, mm_utimens("file", NULL, 0));
}

static void check_access_asks(void)
{
	int result;

	make_file("file", 1);
	TRY(result, mm_check_access("file", R_OK));
}

/* --- names -------------------------------------------------------------------------------------------------------- */

static void rename_renames(void)
{
	int result;

	make_file("old", 1);
	bool done = TRY(result, mm_rename("old", "new"));

	require(exists("new") == done && exists("old") == !done);
}

static void unlink_removes(void)
{
	int result;

	make_file("file", 1);
	bool done = TRY(result, mm_unlink("file"));

	require(done == !exists("file"));
}

static void link_links(void)
{
	int result;

	make_file("file", 1);
	bool done = TRY(result, mm_link("file", "new"));

	require(done == exists("new"));
}

static void symlink_links(void)
{
	int result;

	bool done = TRY(result, mm_symlink("target", "new"));

	require(done == exists("new"));
}

static void readlink_reads(void)
{
	char target[64];
	int result;

	require(symlink("target", "link") == 0);
	if (TRY(result, mm_readlink("link", target, sizeof(target))))
		require(strcmp(target, "target") == 0);
}

/* --- copies ------------------------------------------------------------------------------------------------------- */

static void copy_with(int flags)
{
	int result;

	if (TRY(result, mm_copy("file", "copy", flags, 0600)))
		require(have_same_content("file", "copy"));
}

static void copy_in_the_kernel(void)
{
	make_file("file", 100);
	copy_with(0);
}

static void copy_by_reading(void)
{
	make_file("file", 100);
	copy_with(MM_NOCOW);
}

static void copy_with_holes(void)
{
	make_sparse_file("file", 100);
	copy_with(0);
}

static void copy_with_holes_by_reading(void)
{
	make_sparse_file("file", 100);
	copy_with(MM_NOCOW);
}

static void copy_shared(void)
{
	make_file("file", 100);
	copy_with(MM_FORCECOW);
}

/* A write clears the special bits, unless the process may set them for files of other users. */
static void copy_with_special_bits(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	struct stat status;
	int result;

	require(syscall(SYS_capget, &header, data) == 0);
	data[0].effective &= ~(1u << CAP_FSETID);
	require(syscall(SYS_capset, &header, data) == 0);
	make_file("file", 100);
	if (TRY(result, mm_copy("file", "copy", MM_NOCOW, 06700)))
		require(have_same_content("file", "copy") && stat("copy", &status) == 0 &&
		        (status.st_mode & 07777) == 06700);
}

static void copy_of_a_link(void)
{
	int result;

	require(symlink("target", "file") == 0);
	bool done = TRY(result, mm_copy("file", "copy", MM_NOFOLLOW, 0600));

	require(done == exists("copy"));
}

/* Longer than the initial buffer for it. */
static void copy_of_a_long_link(void)
{
	char target[1000];
	int result;

	memset(target, 'x', sizeof(target));
	target[sizeof(target) - 1] = '\0';
	require(symlink(target, "file") == 0);
	bool done = TRY(result, mm_copy("file", "copy", MM_NOFOLLOW, 0600));

	require(done == exists("copy"));
}

/* --- directories -------------------------------------------------------------------------------------------------- */

static void mkdir_makes(void)
{
	int result;

	bool done = TRY(result, mm_mkdir("new", 0700, 0));

	require(done == exists("new"));
}

static void mkdir_makes_parents(void)
{
	int result;

	if (TRY(result, mm_mkdir("a/b/c", 0700, MM_RECURSIVE)))
		require(exists("a/b/c"));
}

static void mkdir_finds(void)
{
	int result;

	require(mkdir("a", 0700) == 0);
	TRY(result, mm_mkdir("a", 0700, MM_RECURSIVE));
}

static void chdir_changes(void)
{
	int result;

	require(mkdir("a", 0700) == 0);
	if (TRY(result, mm_chdir("a")))
		require(chdir("..") == 0);
}

static void getcwd_into_a_buffer(void)
{
	char buffer[4096], *path;

	if (TRY_POINTER(path, mm_getcwd(buffer, sizeof(buffer))))
		require(path == buffer);
}

static void getcwd_allocates(void)
{
	char *path;

	TRY_POINTER(path, mm_getcwd(NULL, 0));
	free(path);
}

static void rmdir_removes(void)
{
	int result;

	require(mkdir("a", 0700) == 0);
	bool done = TRY(result, mm_rmdir("a"));

	require(done == !exists("a"));
}

static void remove_of_a_file(void)
{
	int result;

	make_file("file", 1);
	bool done = TRY(result, mm_remove("file", MM_DT_ANY));

	require(done == !exists("file"));
}

static void remove_of_a_directory(void)
{
	int result;

	require(mkdir("a", 0700) == 0);
	bool done = TRY(result, mm_remove("a", MM_DT_ANY));

	require(done == !exists("a"));
}

static void remove_tree_with(int flags)
{
	int result;

	require(mkdir("a", 0700) == 0 && mkdir("a/b", 0700) == 0 && mkdir("a/c", 0700) == 0);
	make_file("a/file", 1);
	make_file("a/b/file", 1);
	bool done = TRY(result, mm_remove("a", MM_DT_ANY | MM_RECURSIVE | flags));

	require(done == !exists("a"));
}

static void remove_of_a_tree(void)
{
	remove_tree_with(0);
}

static void remove_of_a_tree_or_fail(void)
{
	remove_tree_with(MM_FAILONERROR);
}

static void remove_with_a_slash(void)
{
	int result;

	require(mkdir("a", 0700) == 0);
	make_file("a/file", 1);
	bool done = TRY(result, mm_remove("a//", MM_DT_ANY | MM_RECURSIVE | MM_FAILONERROR));

	require(done == !exists("a"));
}

static void remove_of_the_content(void)
{
	int result;

	require(mkdir("a", 0700) == 0 && chdir("a") == 0);
	make_file("file", 1);
	bool done = TRY(result, mm_remove(".", MM_DT_ANY | MM_RECURSIVE | MM_FAILONERROR));

	require(chdir("..") == 0 && done == !exists("a/file") && exists("a"));
}

/* Deeper than the number of directories kept open. */
static void remove_of_a_deep_tree(void)
{
	char path[256] = "a";
	int result;

	for (int depth = 0; depth < 20; depth++) {
		require(mkdir(path, 0700) == 0);
		strcat(path, "/a");
	}
	bool done = TRY(result, mm_remove("a", MM_DT_ANY | MM_RECURSIVE | MM_FAILONERROR));

	require(done == !exists("a"));
}

const struct scenario file_scenarios[] = {
	{"mm_open", "creates", open_creates},
	{"mm_close", "file", close_closes, .may_close = true},
	{"mm_fsync", "file", fsync_stores},
	{"mm_read", "file", read_reads},
	{"mm_write", "file", write_writes},
	{"mm_seek", "file", seek_moves},
	{"mm_ftruncate", "file", ftruncate_cuts},
	{"mm_isatty", "terminal", isatty_of_a_terminal},
	{"mm_dup", "file", dup_duplicates},
	{"mm_dup2", "file", dup2_duplicates},
	{"mm_pipe", "pipe", pipe_makes_two},
	{"mm_fstat", "file", fstat_tells},
	{"mm_stat", "follows", stat_follows},
	{"mm_stat", "link", stat_of_a_link},
	{"mm_futimens", "now", futimens_sets},
	{"mm_utimens", "now", utimens_sets},
	{"mm_check_access", "file", check_access_asks},
	{"mm_rename", "file", rename_renames},
	{"mm_unlink", "file", unlink_removes},
	{"mm_link", "file", link_links},
	{"mm_symlink", "new", symlink_links},
	{"mm_readlink", "link", readlink_reads},
	{"mm_copy", "kernel", copy_in_the_kernel},
	{"mm_copy", "reading", copy_by_reading},
	{"mm_copy", "holes", copy_with_holes},
	{"mm_copy", "holes_reading", copy_with_holes_by_reading},
	{"mm_copy", "shared", copy_shared, .may_lack = EOPNOTSUPP},
	{"mm_copy", "mode", copy_with_special_bits},
	{"mm_copy", "link", copy_of_a_link},
	{"mm_copy", "long_link", copy_of_a_long_link},
	{"mm_mkdir", "one", mkdir_makes},
	{"mm_mkdir", "parents", mkdir_makes_parents, .leaves_names = true},
	{"mm_mkdir", "exists", mkdir_finds},
	{"mm_chdir", "directory", chdir_changes},
	{"mm_getcwd", "buffer", getcwd_into_a_buffer},
	{"mm_getcwd", "allocates", getcwd_allocates},
	{"mm_rmdir", "directory", rmdir_removes},
	{"mm_remove", "file", remove_of_a_file},
	{"mm_remove", "directory", remove_of_a_directory},
	{"mm_remove", "tree", remove_of_a_tree, .leaves_names = true},
	{"mm_remove", "tree_or_fail", remove_of_a_tree_or_fail, .leaves_names = true},
	{"mm_remove", "deep_or_fail", remove_of_a_deep_tree, .leaves_names = true},
	{"mm_remove", "slash_or_fail", remove_with_a_slash, .leaves_names = true},
	{"mm_remove", "content_or_fail", remove_of_the_content, .leaves_names = true},
	{NULL},
};

/* --- streams of entries ------------------------------------------------------------------------------------------- */

static MM_DIR *opened_directory(void)
{
	MM_DIR *dir = mm_opendir(".");

	require(dir != NULL);
	return dir;
}

static void opendir_opens(void)
{
	MM_DIR *dir;

	if (TRY_POINTER(dir, mm_opendir(".")))
		mm_closedir(dir);
}

static void closedir_closes(void)
{
	MM_DIR *dir = opened_directory();

	require(mm_readdir(dir, NULL) != NULL);
	TRY_VOID(mm_closedir(dir));
}

static void rewinddir_goes_back(void)
{
	MM_DIR *dir = opened_directory();

	require(mm_readdir(dir, NULL) != NULL);
	TRY_VOID(mm_rewinddir(dir));
	require(mm_readdir(dir, NULL) != NULL);
	mm_closedir(dir);
}

static void readdir_reads(void)
{
	MM_DIR *dir = opened_directory();
	int status = 77;

	begin_try();
	const struct mm_dirent *entry = mm_readdir(dir, &status);
	if (end_try(status == -1))
		require(entry != NULL && entry->name[0] == '.');
	else
		require(entry == NULL);
	mm_closedir(dir);
}

const struct scenario directory_scenarios[] = {
	{"mm_opendir", "directory", opendir_opens},
	{"mm_closedir", "directory", closedir_closes},
	{"mm_rewinddir", "directory", rewinddir_goes_back},
	{"mm_readdir", "first", readdir_reads},
	{NULL},
};
