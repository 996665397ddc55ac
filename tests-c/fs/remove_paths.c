/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remove_paths.c: the spelling of the path of a removal, and what is removed
 *
 * All tests run as an ordinary user, in a separate root directory, so that no other file can be removed, whatever a
 * path resolves to.
 */
#include "suite.h"

#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <sched.h>
#include <sys/stat.h>

#define EVERYTHING (MM_DT_ANY | MM_RECURSIVE)

/* --- a separate root directory ------------------------------------------------------------------------------------ */

static bool write_proc(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool is_written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return is_written;
}

/* True if the current directory is now the root directory. */
static bool enter_root(void)
{
	char map[32];

	if (geteuid() == 0)
		return chroot(".") == 0 && setgroups(0, NULL) == 0 && setresgid(65534, 65534, 65534) == 0 &&
		       setresuid(65534, 65534, 65534) == 0;
	snprintf(map, sizeof(map), "0 %u 1", geteuid());
	return unshare(CLONE_NEWUSER) == 0 && write_proc("/proc/self/uid_map", map) && chroot(".") == 0;
}

static int run_below_root(void *body)
{
	if (!enter_root())
		return 77;
	(*(void (**)(void))body)();
	return 0;
}

static void below_a_root_of_its_own(void (*body)(void))
{
	int status;

	enter_scratch_directory();
	pid_t child = start_child(run_below_root, &body);

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		printf("# skipped, since chroot is not permitted: spellings of paths\n");
	else
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child ended with status %#x", status);
	leave_scratch_directory();
}

/* --- the tree, and a model of it ---------------------------------------------------------------------------------- */

enum { ROOT, W, X, NODES = 21 };

/* Each node is after its parent. */
static struct node {
	int parent, type;
	const char *name, *target;
	bool exists;
} nodes[NODES] = {
	[ROOT] = {ROOT, MM_DT_DIR, "", NULL, true},
	[W] = {ROOT, MM_DT_DIR, "w", NULL, false},
	[X] = {W, MM_DT_DIR, "x", NULL, false}, /* where the paths begin */
	{W, MM_DT_REG, "keep", NULL, false},
	{X, MM_DT_DIR, "d", NULL, false}, /* 4 */
	{4, MM_DT_REG, "f", NULL, false},
	{4, MM_DT_DIR, "s", NULL, false}, /* 6 */
	{6, MM_DT_REG, "g", NULL, false},
	{6, MM_DT_LNK, "up", "..", false},
	{4, MM_DT_LNK, "l", "s", false},
	{X, MM_DT_DIR, "e", NULL, false},
	{X, MM_DT_REG, "f", NULL, false},
	{X, MM_DT_FIFO, "p", NULL, false},
	{X, MM_DT_LNK, "l", "d", false},
	{X, MM_DT_LNK, "m", "f", false},
	{X, MM_DT_LNK, "n", "nowhere", false},
	{X, MM_DT_LNK, "o", "o", false},
	{X, MM_DT_LNK, "q", "/w/x/d/s", false},
	{X, MM_DT_LNK, "r", "/", false},
	{X, MM_DT_LNK, "t", "d/", false},
	{X, MM_DT_LNK, "u", "d/.", false},
};

static void path_of(int node, char path[64])
{
	if (node == ROOT) {
		strcpy(path, "");
		return;
	}
	path_of(nodes[node].parent, path);
	strcat(strcat(path, "/"), nodes[node].name);
}

/* Creates missing files. */
static void make_tree(void)
{
	char path[64];

	for (int i = 1; i < NODES; i++) {
		if (nodes[i].exists)
			continue;
		nodes[i].exists = true;
		path_of(i, path);
		if (nodes[i].type == MM_DT_DIR)
			ck_assert_int_eq(mkdir(path, 0755), 0);
		else if (nodes[i].type == MM_DT_LNK)
			ck_assert_int_eq(symlink(nodes[i].target, path), 0);
		else
			ck_assert_int_eq(mknod(path, nodes[i].type == MM_DT_FIFO ? S_IFIFO | 0644 : S_IFREG | 0644, 0),
			                 0);
	}
	ck_assert_int_eq(chdir("/w/x"), 0);
}

static int entries;

static int count_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)path, (void)status, (void)type, (void)where;
	entries++;
	return 0;
}

/* The tree matches the model, and contains nothing else. */
static void assert_tree_is_that_of_the_model(const char *path, int flags)
{
	int expected = 0;
	char name[64];

	for (int i = 0; i < NODES; i++) {
		path_of(i, name);
		expected += nodes[i].exists;
		if (exists(i == ROOT ? "/" : name) != nodes[i].exists)
			ck_abort_msg("mm_remove(\"%s\", %#x): %s is %s", path, flags, name,
			             nodes[i].exists ? "gone" : "left");
	}
	entries = 0;
	ck_assert_int_eq(nftw("/", count_entry, 16, FTW_PHYS), 0);
	ck_assert_msg(entries == expected, "mm_remove(\"%s\", %#x): %d entries, not %d", path, flags, entries,
	              expected);
}

/* --- expected results --------------------------------------------------------------------------------------------- */

static int child_of(int directory, const char *name, size_t length)
{
	for (int i = 1; i < NODES; i++)
		if (nodes[i].exists && nodes[i].parent == directory && strlen(nodes[i].name) == length &&
		    memcmp(nodes[i].name, name, length) == 0)
			return i;
	return -ENOENT;
}

/*
 * The node that a path resolves to, or a negative error. A link at the end is followed if a slash follows, or if
 * requested.
 */
static int resolve(int directory, const char *path, bool is_followed, int depth)
{
	if (*path == '\0')
		return -ENOENT;
	if (depth > 40)
		return -ELOOP;
	if (*path == '/')
		directory = ROOT;
	for (int node = directory;; directory = node) {
		path += strspn(path, "/");
		size_t length = strcspn(path, "/");

		if (length == 0)
			return directory;
		if (nodes[directory].type != MM_DT_DIR)
			return -ENOTDIR;
		if (length == 1 && path[0] == '.')
			node = directory;
		else if (length == 2 && path[0] == '.' && path[1] == '.')
			node = nodes[directory].parent;
		else
			node = child_of(directory, path, length);
		if (node < 0)
			return node;
		path += length;
		if (nodes[node].type == MM_DT_LNK && (*path != '\0' || is_followed))
			node = resolve(nodes[node].parent, nodes[node].target, true, depth + 1);
		if (node < 0)
			return node;
		if (*path == '\0')
			return node;
		if (nodes[node].type != MM_DT_DIR)
			return -ENOTDIR;
	}
}

static bool is_empty(int directory)
{
	for (int i = 1; i < NODES; i++)
		if (nodes[i].exists && nodes[i].parent == directory)
			return false;
	return true;
}

/* Removes the permitted entries of a directory: true if all directories in it whose removal is permitted are gone. */
static bool empty(int directory, int flags)
{
	bool is_well = true;

	for (int i = 1; i < NODES; i++) {
		if (!nodes[i].exists || nodes[i].parent != directory || i == ROOT || (nodes[i].type & flags) == 0)
			continue;
		if (nodes[i].type == MM_DT_DIR) {
			is_well &= empty(i, flags);
			is_well &= is_empty(i);
			nodes[i].exists = !is_empty(i);
		} else {
			nodes[i].exists = false;
		}
	}
	return is_well;
}

/* The documented result: 0, or the error. The model is changed to the expected tree. */
static int remove_from_model(const char *path, int flags)
{
	char name[64];
	size_t length = strlen(strcpy(name, path));

	while (length > 0 && name[length - 1] == '/')
		name[--length] = '\0';
	const char *last = strrchr(name, '/') != NULL ? strrchr(name, '/') + 1 : name;
	bool is_dots = strcmp(last, ".") == 0 || strcmp(last, "..") == 0;
	bool is_content_only = is_dots && strcmp(path, last) == 0;

	if (*path == '\0')
		return ENOENT;
	if (length == 0)
		return EBUSY;
	int node = resolve(X, name, false, 0);

	if (is_dots && !is_content_only)
		return resolve(X, path, false, 0) < 0 ? -resolve(X, path, false, 0) : EINVAL;
	if (node < 0)
		return -node;
	if (strlen(path) > length && nodes[node].type != MM_DT_DIR)
		return ENOTDIR;
	if ((nodes[node].type & flags) == 0)
		return EPERM;
	if (nodes[node].type != MM_DT_DIR) {
		nodes[node].exists = false;
		return 0;
	}
	if ((flags & MM_RECURSIVE) == 0) {
		if (is_content_only && strcmp(path, ".") == 0)
			return EINVAL;
		if (!is_empty(node))
			return ENOTEMPTY;
		nodes[node].exists = false;
		return 0;
	}
	bool is_well = empty(node, flags);

	if (is_content_only)
		return is_well || (flags & MM_FAILONERROR) == 0 ? 0 : ENOTEMPTY;
	if (!is_empty(node))
		return ENOTEMPTY;
	nodes[node].exists = false;
	return 0;
}

static void assert_removes_as_the_model(const char *path, int flags)
{
	int expected = remove_from_model(path, flags), result, error;

	suite_forget_error();
	result = mm_remove(path, flags);
	error = errno;
	ck_assert_msg((result == 0) == (expected == 0) && (result == 0 || error == expected),
	              "mm_remove(\"%s\", %#x) returned %d, %s, expected %s", path, flags, result,
	              result == 0 ? "" : strerror(error), strerror(expected));
	ck_assert_int_eq(mm_get_lasterror_number(), expected);
	assert_tree_is_that_of_the_model(path, flags);
}

/* --- the documented spellings ------------------------------------------------------------------------------------- */

static const int all_flags[] = {EVERYTHING, EVERYTHING | MM_FAILONERROR, MM_DT_ANY, MM_DT_DIR,
                                MM_DT_LNK,  MM_DT_REG | MM_RECURSIVE,    0};

static void remove_by_each_spelling(void)
{
	static const char *const names[] = {"d",   "e",       "f",   "p",   "l",   "m",      "n",
	                                    "o",   "q",       "r",   "t",   "u",   "d/s",    "d/l",
	                                    "l/s", "missing", "f/g", "n/g", "o/g", "../x/d", "/w/x/d"};
	static const char *const ends[] = {"", "/", "///", "/.", "/..", "/./", "/../", "//.//"};
	static const char *const others[] = {"",    "/",    "//",    ".",    "..", "./",  "../",    ".//",
	                                     "./.", "../.", "../..", "./..", "/.", "/..", "/../..", "//../"};
	char path[64];

	for (int n = 0; n < MM_NELEM(names); n++) {
		for (int e = 0; e < MM_NELEM(ends); e++) {
			for (int f = 0; f < MM_NELEM(all_flags); f++) {
				make_tree();
				snprintf(path, sizeof(path), "%s%s", names[n], ends[e]);
				assert_removes_as_the_model(path, all_flags[f]);
			}
		}
	}
	for (int o = 0; o < MM_NELEM(others); o++) {
		for (int f = 0; f < MM_NELEM(all_flags); f++) {
			make_tree();
			assert_removes_as_the_model(others[o], all_flags[f]);
		}
	}
}

START_TEST(each_spelling_of_a_path_removes_what_is_documented)
{
	below_a_root_of_its_own(remove_by_each_spelling);
}
END_TEST

/* The same without the model. */
static void remove_by_refused_spellings(void)
{
	static const struct {
		const char *path;
		int error;
	} refused[] = {
		{"l/", ENOTDIR},  {"l//", ENOTDIR}, {"m/", ENOTDIR},      {"n/", ENOTDIR},       {"o/", ENOTDIR},
		{"q/", ENOTDIR},  {"r/", ENOTDIR},  {"f/", ENOTDIR},      {"p/", ENOTDIR},       {"./", EINVAL},
		{"../", EINVAL},  {"d/.", EINVAL},  {"d/..", EINVAL},     {"d/./", EINVAL},      {"l/.", EINVAL},
		{"l/..", EINVAL}, {"../.", EINVAL}, {"../..", EINVAL},    {"q/..", EINVAL},      {"/", EBUSY},
		{"//", EBUSY},    {"/.", EINVAL},   {"/..", EINVAL},      {"r/.", EINVAL},       {"f/.", ENOTDIR},
		{"n/.", ENOENT},  {"o/.", ELOOP},   {"missing/", ENOENT}, {"missing/.", ENOENT}, {"", ENOENT},
	};

	make_tree();
	for (int i = 0; i < MM_NELEM(refused); i++) {
		for (int f = 0; f < 3; f++)
			assert_fails(mm_remove(refused[i].path, all_flags[f]), refused[i].error);
		assert_tree_is_that_of_the_model(refused[i].path, 0);
	}
}

START_TEST(rejected_path_removes_nothing)
{
	below_a_root_of_its_own(remove_by_refused_spellings);
}
END_TEST

/* Through a link inside the directory, or from a current directory inside it. */
static void remove_the_way_to_a_directory(void)
{
	static const char *const ways[][2] = {{"r/w", "/w"},     {"r/w/", "/w"},   {"../../w", "/w"},
	                                      {"r/w/x", "/w/x"}, {"../x", "/w/x"}, {"q/../../d", "/w/x/d"}};
	char path[64];

	for (int i = 0; i < MM_NELEM(ways); i++) {
		for (int f = 0; f < 2; f++) {
			make_tree();
			ck_assert_msg(mm_remove(ways[i][0], all_flags[f]) == 0, "%s: %s", ways[i][0],
			              mm_get_lasterror_desc());
			ck_assert_msg(!exists(ways[i][1]), "%s remains", ways[i][0]);
			for (int n = 1; n < NODES; n++) {
				path_of(n, path);
				nodes[n].exists = strncmp(path, ways[i][1], strlen(ways[i][1])) != 0;
			}
			assert_tree_is_that_of_the_model(ways[i][0], all_flags[f]);
		}
	}
}

START_TEST(directory_is_removed_although_the_path_to_it_is_removed_first)
{
	below_a_root_of_its_own(remove_the_way_to_a_directory);
}
END_TEST

/* --- random paths ------------------------------------------------------------------------------------------------- */

static void remove_at_random(void)
{
	static const char *const parts[] = {"d", "d", "s", "e",  "f", "g", "p",    "l",       "l", "m",  "n",  "o", "q",
	                                    "r", "t", "u", "up", "w", "x", "keep", "missing", ".", "..", "..", "."};
	static const int types[] = {MM_DT_REG, MM_DT_LNK, MM_DT_DIR, MM_DT_FIFO};
	int rounds = is_instrumented() ? 300 : 3000;
	uint32_t random = 2711;

	for (int round = 0; round < rounds; round++) {
		char path[64] = "";
		int flags = MM_DT_ANY;

		if (next_random(&random) % 5 == 0)
			strcat(path, "/");
		for (int count = 1 + (int)(next_random(&random) % 4); count > 0; count--) {
			strcat(path, parts[next_random(&random) % MM_NELEM(parts)]);
			if (count > 1 || next_random(&random) % 3 == 0)
				strcat(path, next_random(&random) % 8 == 0 ? "//" : "/");
		}
		if (next_random(&random) % 3 == 0)
			flags &= ~types[next_random(&random) % MM_NELEM(types)];
		if (next_random(&random) % 4 != 0)
			flags |= MM_RECURSIVE;
		/* What remains after the first failure depends on the order of the entries. */
		if (next_random(&random) % 3 == 0 && (flags & MM_DT_ANY) == MM_DT_ANY)
			flags |= MM_FAILONERROR;
		make_tree();
		assert_removes_as_the_model(path, flags);
	}
}

START_TEST(random_paths_remove_what_the_model_predicts)
{
	below_a_root_of_its_own(remove_at_random);
}
END_TEST

SUITE(each_spelling_of_a_path_removes_what_is_documented, rejected_path_removes_nothing,
      directory_is_removed_although_the_path_to_it_is_removed_first, random_paths_remove_what_the_model_predicts)
