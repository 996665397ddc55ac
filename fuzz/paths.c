/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paths.c: an input is a list of operations on files, executed twice: by the library in one tree, and by system calls
 * in another
 *
 * Each tree is the root directory of its side, so that no path leads out of it. Results and error numbers must agree,
 * and at the end the trees must be equal.
 */
#include "world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_STEPS 32
#define LIBRARY 0
#define SYSTEM 1

static int world, roots[2], directories[2];

static void go_to(int side)
{
	CHECK(fchdir(roots[side]) == 0 && chroot(".") == 0 && fchdir(directories[side]) == 0, "the tree is missing");
}

static int open_directory(const char *path)
{
	return adopt(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

static void keep_directory(int side)
{
	int now = open_directory(".");

	disown(directories[side]);
	close(directories[side]);
	directories[side] = now;
}

static void make_trees(void)
{
	static const char *const names[] = {"0", "1"};

	world_has_changed();
	world = open_directory("/");
	for (int side = 0; side < 2; side++) {
		CHECK(mkdir(names[side], 0777) == 0, "cannot create the tree");
		roots[side] = open_directory(names[side]);
		directories[side] = open_directory(names[side]);
		go_to(side);
		int fd = open("a", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

		CHECK(write(fd, "text", 4) == 4 && close(fd) == 0, "cannot create a file");
		CHECK(mkdir("d", 0755) == 0 && symlink("a", "l") == 0 && symlink("d", "m") == 0,
		      "cannot create the files");
		CHECK(fchdir(world) == 0 && chroot(".") == 0 && chdir("/w") == 0,
		      "cannot return to the previous directory");
	}
}

static char *take_path(struct input *in)
{
	static const char *const parts[] = {"a", "b", "c", "d", "l", "m", "..", ".", "", "e\n", "\xff"};
	char path[6000] = "";
	size_t length = 0;

	if (take_chance(in, 6)) {
		while (length < 40 && in->size > 0 && *in->data != 0)
			path[length++] = (char)take_byte(in);
		take_byte(in);
		return exact_string(path, length);
	}
	if (take_chance(in, 12)) {
		static const unsigned lengths[] = {255, 256, 4095, 4096, 5000};
		unsigned wanted = TAKE_ONE(in, lengths), is_deep = take_below(in, 2);

		while (length < wanted) {
			path[length] = is_deep && length % 100 == 99 ? '/' : 'x';
			length++;
		}
		return exact_string(path, length);
	}
	for (unsigned count = 1 + take_below(in, 4); count > 0; count--) {
		strcat(path, TAKE_ONE(in, parts));
		if (count > 1 || take_chance(in, 8))
			strcat(path, "/");
	}
	return exact_string(path, strlen(path));
}

/* --- the same, twice ---------------------------------------------------------------------------------------------- */

static char *first, *second;
static int flags;
static mode_t mode;
static char texts[2][4096];

static int close_new(int fd)
{
	if (fd < 0)
		return -1;
	ssize_t ignored = write(fd, "new", 3);

	(void)ignored;
	close(fd);
	return 0;
}

static int tell_status(int side, int result, mode_t type, int nlink, off_t size)
{
	if (result == 0 && !S_ISDIR(type))
		snprintf(texts[side], sizeof(texts[side]), "%o %d %lld", type, nlink, (long long)size);
	else if (result == 0)
		snprintf(texts[side], sizeof(texts[side]), "%o %d", type, nlink);
	return result;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void tell_names(int side, char **names, size_t count)
{
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count; i++) {
		strncat(texts[side], names[i], sizeof(texts[side]) - strlen(texts[side]) - 2);
		strcat(texts[side], "|");
		free(names[i]);
	}
}

#define MAX_NAMES 100

static int library_lists(void)
{
	MM_DIR *dir = mm_opendir(first);
	const struct mm_dirent *entry;
	char *names[MAX_NAMES];
	size_t count = 0;
	int status = 0;

	if (dir == NULL)
		return -1;
	while (count < MAX_NAMES && (entry = mm_readdir(dir, &status)) != NULL)
		names[count++] = strdup(entry->name);
	CHECK(status == 0, "a directory could not be read: %s", mm_get_lasterror_desc());
	mm_closedir(dir);
	tell_names(LIBRARY, names, count);
	return 0;
}

static int system_lists(void)
{
	DIR *dir = opendir(first);
	struct dirent *entry;
	char *names[MAX_NAMES];
	size_t count = 0;

	if (dir == NULL)
		return -1;
	while (count < MAX_NAMES && (entry = readdir(dir)) != NULL)
		names[count++] = strdup(entry->d_name);
	closedir(dir);
	tell_names(SYSTEM, names, count);
	return 0;
}

static int library_reads_link(void)
{
	return mm_readlink(first, texts[LIBRARY], sizeof(texts[LIBRARY]));
}

static int system_reads_link(void)
{
	ssize_t length = readlink(first, texts[SYSTEM], sizeof(texts[SYSTEM]) - 1);

	if (length >= 0)
		texts[SYSTEM][length] = '\0';
	return length < 0 ? -1 : 0;
}

static int library_stats(void)
{
	struct mm_stat status;
	int result = mm_stat(first, &status, flags & 1 ? MM_NOFOLLOW : 0);

	return tell_status(LIBRARY, result, status.mode, status.nlink, status.size);
}

static int system_stats(void)
{
	struct stat status;
	int result = flags & 1 ? lstat(first, &status) : stat(first, &status);

	/* The library includes the terminator in the size of a link's target. */
	return tell_status(SYSTEM, result, status.st_mode, (int)status.st_nlink,
	                   status.st_size + S_ISLNK(status.st_mode));
}

static int system_checks_access(void)
{
	int result = access(first, flags & 7);

	if (result != 0 && (errno == ENOENT || errno == EACCES)) {
		result = errno;
		errno = 0;
	}
	return result;
}

static int library_tells_directory(void)
{
	return mm_getcwd(texts[LIBRARY], sizeof(texts[LIBRARY])) == NULL ? -1 : 0;
}

static int system_tells_directory(void)
{
	return getcwd(texts[SYSTEM], sizeof(texts[SYSTEM])) == NULL ? -1 : 0;
}

/* Whether a path ends in . or .., in which case only the content of the directory is removed. */
static bool is_dots(const char *path)
{
	size_t end = strlen(path), start;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/';)
		start--;
	return (end - start == 1 || end - start == 2) && strspn(path + start, ".") >= end - start;
}

/* The state after the removal of a directory if all types may be removed and nothing fails. */
static int remove_tree(const char *path)
{
	struct stat status;
	DIR *dir;
	struct dirent *entry;

	if (lstat(path, &status) != 0)
		return -1;
	if (!S_ISDIR(status.st_mode))
		return unlink(path);
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (chdir(path) == 0 && (dir = opendir(".")) != NULL) {
		while ((entry = readdir(dir)) != NULL) {
			if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
				remove_tree(entry->d_name);
		}
		closedir(dir);
	}
	if (fchdir(here) != 0)
		FAIL("cannot return to the previous directory");
	close(here);
	return is_dots(path) ? 0 : rmdir(path);
}

/* The directories of a path, from the top. */
static int make_directories(const char *path)
{
	char part[6000];
	struct stat status;

	strcpy(part, path);
	for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(part, mode);
		*slash = '/';
	}
	return mkdir(path, mode) == 0 || (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) ? 0 : -1;
}

static int copy_file(const char *from, const char *to)
{
	char buffer[1024];
	ssize_t size;
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	while (in >= 0 && out >= 0 && (size = read(in, buffer, sizeof(buffer))) > 0) {
		if (write(out, buffer, (size_t)size) != size)
			out = -1;
	}
	close(in);
	close(out);
	return in < 0 || out < 0 ? -1 : 0;
}

static int open_flags(void)
{
	static const int choices[] = {O_RDONLY,           O_WRONLY,
	                              O_RDWR | O_CREAT,   O_WRONLY | O_CREAT | O_EXCL,
	                              O_WRONLY | O_TRUNC, O_RDONLY | O_DIRECTORY,
	                              O_RDWR | O_APPEND,  O_RDONLY | O_NOFOLLOW};

	return choices[flags % MM_NELEM(choices)] | O_CLOEXEC;
}

static const struct operation {
	const char *function;
	/* Whether a failure may be partial, with an error number that depends on the order of the calls. */
	bool is_ours_alone;
} operations[] = {
	{"mm_open", false},         {"mm_rename", false},   {"mm_unlink", false}, {"mm_link", false},
	{"mm_symlink", false},      {"mm_readlink", false}, {"mm_stat", false},   {"mm_mkdir", false},
	{"mm_rmdir", false},        {"mm_chdir", false},    {"mm_getcwd", false}, {"mm_opendir", false},
	{"mm_check_access", false}, {"mm_remove", true},    {"mm_mkdir", true},   {"mm_copy", true},
};

static int by_library(unsigned operation)
{
	switch (operation) {
	case 0:
		return close_new(mm_open(first, open_flags(), (int)mode));
	case 1:
		return mm_rename(first, second);
	case 2:
		return mm_unlink(first);
	case 3:
		return mm_link(first, second);
	case 4:
		return mm_symlink(first, second);
	case 5:
		return library_reads_link();
	case 6:
		return library_stats();
	case 7:
		return mm_mkdir(first, (int)mode, 0);
	case 8:
		return mm_rmdir(first);
	case 9:
		return mm_chdir(first);
	case 10:
		return library_tells_directory();
	case 11:
		return library_lists();
	case 12:
		return mm_check_access(first, flags & 7);
	case 13:
		return mm_remove(first, MM_DT_ANY | MM_RECURSIVE | (flags & 1 ? MM_FAILONERROR : 0));
	case 14:
		return mm_mkdir(first, (int)mode, MM_RECURSIVE);
	default:
		return mm_copy(first, second, flags & 1 ? MM_NOCOW : 0, (int)mode);
	}
}

static int by_system(unsigned operation)
{
	switch (operation) {
	case 0:
		return close_new(open(first, open_flags(), mode));
	case 1:
		return rename(first, second);
	case 2:
		return unlink(first);
	case 3:
		return link(first, second);
	case 4:
		return symlink(first, second);
	case 5:
		return system_reads_link();
	case 6:
		return system_stats();
	case 7:
		return mkdir(first, mode);
	case 8:
		return rmdir(first);
	case 9:
		return chdir(first);
	case 10:
		return system_tells_directory();
	case 11:
		return system_lists();
	case 12:
		return system_checks_access();
	case 13:
		return remove_tree(first);
	case 14:
		return make_directories(first);
	default:
		return copy_file(first, second);
	}
}

/* False if the trees may differ from this point on. */
static bool do_twice(unsigned operation)
{
	const struct operation *done = &operations[operation];
	struct call call;

	texts[LIBRARY][0] = texts[SYSTEM][0] = '\0';
	go_to(LIBRARY);
	begin_call(&call, done->function);
	int result = by_library(operation);

	end_call(&call, result == -1);
	int error = result == -1 ? errno : 0;

	if (operation == 9 && result == 0)
		keep_directory(LIBRARY);
	if (done->is_ours_alone && result != 0)
		return false;
	go_to(SYSTEM);
	errno = 0;
	int expected = by_system(operation), expected_error = expected == -1 ? errno : 0;

	if (operation == 9 && expected == 0)
		keep_directory(SYSTEM);
	CHECK(result == expected && error == expected_error,
	      "%s(%s, %s) with %d returned %d, error %d; expected %d, error %d", done->function, first, second, flags,
	      result, error, expected, expected_error);
	CHECK(strcmp(texts[0], texts[1]) == 0, "%s(%s) returned %s; expected %s", done->function, first, texts[0],
	      texts[1]);
	return true;
}

/* Everything below a directory: names, types, modes, contents. */
static void tell_tree(int directory, char *text, size_t size, int depth)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	char *names[MAX_NAMES];
	size_t count = 0;

	if (dir == NULL || depth > 40)
		goto end;
	while (count < MAX_NAMES && (entry = readdir(dir)) != NULL)
		names[count++] = strdup(entry->d_name);
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count; i++) {
		struct stat status;
		char content[64] = "";

		if (strcmp(names[i], ".") != 0 && strcmp(names[i], "..") != 0 &&
		    fstatat(directory, names[i], &status, AT_SYMLINK_NOFOLLOW) == 0) {
			size_t length = strlen(text);
			int file;

			if (S_ISREG(status.st_mode) &&
			    (file = openat(directory, names[i], O_RDONLY | O_CLOEXEC)) >= 0) {
				ssize_t ignored = read(file, content, sizeof(content) - 1);

				(void)ignored;
				close(file);
			} else if (S_ISLNK(status.st_mode)) {
				ssize_t ignored = readlinkat(directory, names[i], content, sizeof(content) - 1);

				(void)ignored;
			}
			snprintf(text + length, size - length, "%*s%s %o %d %s\n", depth, "", names[i], status.st_mode,
			         S_ISDIR(status.st_mode) ? 0 : (int)status.st_size, content);
			if (S_ISDIR(status.st_mode) &&
			    (file = openat(directory, names[i], O_PATH | O_DIRECTORY | O_CLOEXEC)) >= 0) {
				tell_tree(file, text, size, depth + 1);
				close(file);
			}
		}
		free(names[i]);
	}
end:
	if (dir != NULL)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}

static void run(struct input *in)
{
	static const mode_t modes[] = {0644, 0755, 0777, 0600, 01777, 0, 07777};
	static char trees[2][65536];
	bool are_same = true;

	make_trees();
	mode_t mask = umask(022);

	for (int i = 0; i < MAX_STEPS && in->size > 0 && are_same; i++) {
		unsigned operation = take_below(in, MM_NELEM(operations));

		first = take_path(in);
		second = take_path(in);
		flags = take_byte(in);
		mode = TAKE_ONE(in, modes);
		are_same = do_twice(operation);
	}
	umask(mask);
	for (int side = 0; side < 2 && are_same; side++) {
		trees[side][0] = '\0';
		tell_tree(roots[side], trees[side], sizeof(trees[side]), 0);
	}
	CHECK(!are_same || strcmp(trees[0], trees[1]) == 0, "the trees differ:\n%s\nand\n%s", trees[0], trees[1]);
	CHECK(fchdir(world) == 0 && chroot(".") == 0 && chdir("/w") == 0, "cannot return to the previous directory");
}

const struct target target = {NULL, run, NULL};
