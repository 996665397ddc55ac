/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descriptors.c: the descriptors of a program
 */
#include "child.h"
#include "sandbox.h"

#include <sys/resource.h>
#include <sys/stat.h>

/* Descriptors below this limit are checked; the tests use those from FIRST on, the test framework some below it. */
#define NUMBERS 128
#define FIRST 20

static unsigned long long inode_of(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 ? (unsigned long long)status.st_ino : 0;
}

/* Makes fd refer to a new file with that name. */
static void open_as(int fd, const char *path, int flags)
{
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	ck_assert_int_ge(file, 0);
	if (file != fd) {
		ck_assert_int_eq(dup3(file, fd, flags & O_CLOEXEC), fd);
		ck_assert_int_eq(close(file), 0);
	} else {
		ck_assert_int_eq(fcntl(fd, F_SETFD, flags & O_CLOEXEC ? FD_CLOEXEC : 0), 0);
	}
}

/* Spawns the program, and checks that its descriptors refer to these inodes (0: closed), and to no others. */
static void assert_finds(int num_map, const struct mm_remap_fd *map, int flags,
                         const unsigned long long expected[NUMBERS])
{
	mm_pid_t pid;

	assert_spawns(&pid, CHILD, num_map, map, flags, ARGUMENTS("report"), NULL);
	assert_exits(pid, 0);
	const char *report = read_report("report");

	for (int fd = 0; fd < NUMBERS; fd++) {
		char line[64];
		const char *found;

		snprintf(line, sizeof(line), "\nfd %d ", fd);
		found = strstr(report, line);
		unsigned long long inode = found ? strtoull(found + strlen(line), NULL, 10) : 0;

		ck_assert_msg(inode == expected[fd], "the program's descriptor %d is %llu, not %llu", fd, inode,
		              expected[fd]);
	}
}

/* The descriptors below a number, except for those that are close-on-exec. */
static void expect_below(int end, unsigned long long expected[NUMBERS])
{
	memset(expected, 0, NUMBERS * sizeof(*expected));
	for (int fd = 0; fd < end; fd++)
		if (fcntl(fd, F_GETFD) == 0)
			expected[fd] = inode_of(fd);
}

START_TEST(program_has_the_standard_descriptors_and_those_of_the_map)
{
	unsigned long long expected[NUMBERS];
	struct mm_remap_fd map[] = {{23, 27}, {24, 27}, {29, 28}, {28, 28}, {0, 27}};

	enter_scratch_directory();
	open_as(27, "seven", 0);
	open_as(28, "eight", O_CLOEXEC);
	open_as(30, "ten", 0);
	expect_below(3, expected);
	assert_finds(0, NULL, 0, expected);
	assert_finds(-1, map, 0, expected);
	expected[0] = expected[23] = expected[24] = inode_of(27);
	expected[28] = expected[29] = inode_of(28);
	assert_finds(MM_NELEM(map), map, 0, expected);
	ck_assert_int_eq(fcntl(27, F_GETFD), 0);
	ck_assert_int_eq(fcntl(28, F_GETFD), FD_CLOEXEC);
	close_all(3, (int[]){27, 28, 30});
	leave_scratch_directory();
}
END_TEST

START_TEST(descriptors_are_closed_on_request)
{
	unsigned long long expected[NUMBERS];
	struct mm_remap_fd map[] = {{0, -1}, {25, -1}, {27, 27}, {27, -1}, {2, -1}, {2, 28}, {-1, -1}, {-5, -1}};

	enter_scratch_directory();
	open_as(27, "seven", 0);
	open_as(28, "eight", 0);
	expect_below(3, expected);
	expected[0] = 0;
	expected[2] = inode_of(28);
	assert_finds(MM_NELEM(map), map, 0, expected);
	close_all(2, (int[]){27, 28});
	leave_scratch_directory();
}
END_TEST

START_TEST(close_on_exec_standard_descriptor_is_closed_unless_mapped)
{
	unsigned long long expected[NUMBERS];
	int saved = fcntl(1, F_DUPFD_CLOEXEC, 100);

	enter_scratch_directory();
	open_as(1, "output", O_CLOEXEC);
	expect_below(3, expected);
	expected[1] = inode_of(1);
	assert_finds(1, ((struct mm_remap_fd[]){{1, 1}}), 0, expected);
	expected[1] = 0;
	assert_finds(0, NULL, 0, expected);
	expect_below(NUMBERS, expected);
	assert_finds(0, NULL, MM_SPAWN_KEEP_FDS, expected);
	ck_assert_int_eq(dup2(saved, 1), 1);
	ck_assert_int_eq(close(saved), 0);
	leave_scratch_directory();
}
END_TEST

START_TEST(map_elements_apply_in_order)
{
	unsigned long long expected[NUMBERS];
	struct mm_remap_fd chain[] = {{1, 27}, {2, 1}}, swap[] = {{27, 28}, {28, 27}};

	enter_scratch_directory();
	open_as(27, "seven", 0);
	open_as(28, "eight", 0);
	expect_below(3, expected);
	expected[1] = expected[2] = inode_of(27);
	assert_finds(2, chain, 0, expected);
	expect_below(3, expected);
	expected[27] = expected[28] = inode_of(28);
	assert_finds(2, swap, 0, expected);
	close_all(2, (int[]){27, 28});
	leave_scratch_directory();
}
END_TEST

START_TEST(kept_descriptors_keep_their_numbers)
{
	unsigned long long expected[NUMBERS];

	enter_scratch_directory();
	open_as(27, "seven", 0);
	open_as(28, "eight", O_CLOEXEC);
	expect_below(NUMBERS, expected);
	ck_assert_uint_ne(expected[27], 0);
	ck_assert_uint_eq(expected[28], 0);
	assert_finds(1, ((struct mm_remap_fd[]){{23, 12345}}), MM_SPAWN_KEEP_FDS, expected);
	close_all(2, (int[]){27, 28});
	leave_scratch_directory();
}
END_TEST

START_TEST(invalid_maps_fail_before_the_program_runs)
{
	static const struct mm_remap_fd bad[][2] = {{{0, 0}, {25, 32}},
	                                            {{0, 0}, {-2, 1}},
	                                            {{0, 0}, {1 << 30, 1}},
	                                            {{0, 0}, {25, -2}},
	                                            {{27, -1}, {25, 27}}};
	mm_pid_t pid = -4711;

	enter_scratch_directory();
	open_as(27, "seven", 0);
	for (int i = 0; i < MM_NELEM(bad); i++) {
		assert_fails(mm_spawn(&pid, CHILD, 2, bad[i], 0, ARGUMENTS("report"), NULL), EBADF);
		assert_fails(mm_spawn(&pid, CHILD, 2, bad[i], MM_SPAWN_DAEMONIZE, ARGUMENTS("report"), NULL), EBADF);
	}
	ck_assert_int_eq(pid, -4711);
	ck_assert(!exists("report"));
	mm_spawn(&pid, CHILD, 2, bad[0], 0, NULL, NULL);
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), "descriptor 32"));
	close_all(1, (int[]){27});
	leave_scratch_directory();
}
END_TEST

START_TEST(no_free_descriptor_is_needed)
{
	struct rlimit limit, low;
	mm_pid_t pid;
	int fds[64], count = 0;

	enter_scratch_directory();
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = limit;
	low.rlim_cur = 32;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	while ((fds[count] = dup(0)) != -1)
		count++;
	ck_assert_int_eq(errno, EMFILE);
	assert_spawns(&pid, CHILD, 0, NULL, 0, ARGUMENTS("report"), NULL);
	assert_exits(pid, 0);
	assert_fails(mm_spawn(&pid, "./missing", 0, NULL, 0, NULL, NULL), ENOENT);
	assert_spawns(NULL, CHILD, 0, NULL, MM_SPAWN_DAEMONIZE, ARGUMENTS("-"), NULL);
	close_all(count, fds);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	leave_scratch_directory();
}
END_TEST

/* In a child process: the suite reads directories to find leaked descriptors. */
static int find_without_the_kernels_help(void *arg)
{
	unsigned long long expected[NUMBERS];

	(void)arg;
	for (int fd = FIRST; fd < NUMBERS; fd++)
		if (!is_open(fd))
			open_as(fd, "file", 0);
	/*
	 * At first the kernel closes the descriptors; then the list of open ones must be read; then neither is
	 * possible.
	 */
	for (int round = 0; round < 3; round++) {
		if (round == 1)
			forbid(SYS_close_range, SECCOMP_RET_ERRNO | ENOSYS);
		if (round == 2)
			forbid(SYS_getdents64, SECCOMP_RET_ERRNO | ENOSYS);
		expect_below(3, expected);
		expected[25] = inode_of(100);
		assert_finds(1, ((struct mm_remap_fd[]){{25, 100}}), 0, expected);
	}
	return 0;
}

START_TEST(descriptors_are_closed_without_kernel_support)
{
	enter_scratch_directory();
	assert_child_succeeds(start_child(find_without_the_kernels_help, NULL));
	leave_scratch_directory();
}
END_TEST

/* What old kernels, sandboxes and chroot() environments lack. */
static void forbid_help(bool with_select)
{
	forbid(SYS_close_range, SECCOMP_RET_ERRNO | ENOSYS);
	forbid(SYS_getdents64, SECCOMP_RET_ERRNO | ENOSYS);
	if (with_select)
		return;
#ifdef SYS_select
	forbid(SYS_select, SECCOMP_RET_ERRNO | EPERM);
#endif
	forbid(SYS_pselect6, SECCOMP_RET_ERRNO | EPERM);
}

static void set_limit(rlim_t limit)
{
	struct rlimit both = {limit, limit};

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &both), 0);
}

/* Whether a program has the descriptor: otherwise it cannot write to it. */
static void assert_is_closed_in_program(int fd)
{
	char number[16];
	mm_pid_t pid;
	int64_t start = now_ms();

	snprintf(number, sizeof(number), "%d", fd);
	ck_assert_int_eq(fcntl(fd, F_GETFD), 0);
	assert_spawns(&pid, CHILD, 0, NULL, 0, ARGUMENTS("-", "write", number, "leaked"), NULL);
	assert_exits(pid, 125);
	assert_spawns(&pid, CHILD, 0, NULL, MM_SPAWN_KEEP_FDS, ARGUMENTS("-", "write", number, ""), NULL);
	assert_exits(pid, 0);
	/* At most a million descriptors. */
	ck_assert_int_lt(now_ms() - start, 60000);
}

struct heights {
	rlim_t limit;
	int fd;
	bool with_select;
};

static int close_above_a_limit(void *arg)
{
	const struct heights *heights = arg;
	struct rlimit limit = {1 << 20, 1 << 20};
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	/* If the limit permits it. */
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1) {
		getrlimit(RLIMIT_NOFILE, &limit);
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (dup2(fd, heights->fd) == -1)
		return 0;
	if (heights->limit < limit.rlim_max)
		set_limit(heights->limit);
	forbid_help(heights->with_select);
	assert_is_closed_in_program(heights->fd);
	return 0;
}

START_TEST(descriptors_above_a_lowered_limit_are_closed)
{
	static const struct heights heights[] = {{64, 63, true},
	                                         {64, 64, true},
	                                         {64, 65, true},
	                                         {8, 100, true},
	                                         {64, 500, true},
	                                         {64, 1023, true},
	                                         {1024, 1024, true},
	                                         {64, 20000, true},
	                                         {64, 65535, true},
	                                         {64, 65536, true},
	                                         {64, 70000, true},
	                                         {64, 300000, true},
	                                         {64, 1048575, true},
	                                         {64, 500, false},
	                                         {64, 70000, false},
	                                         {64, 1048575, false},
	                                         {RLIM_INFINITY, 500, true},
	                                         {RLIM_INFINITY, 500, false}};

	/* valgrind uses the highest descriptors itself, and keeps them. */
	for (int i = 0; i < MM_NELEM(heights) && !is_under_valgrind(); i++)
		assert_child_succeeds(start_child(close_above_a_limit, (void *)&heights[i]));
}
END_TEST

/* As root, with a limit of a billion. */
static int close_below_a_huge_limit(void *arg)
{
	const rlim_t huge = 1 << 30;
	struct rlimit limit = {huge, huge};
	char before[32] = "";
	int fd = open("/proc/sys/fs/nr_open", O_RDWR | O_CLOEXEC), null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)arg;
	if (fd == -1 || read(fd, before, sizeof(before) - 1) <= 0)
		return 0;
	if (strtoul(before, NULL, 10) < huge && pwrite(fd, "1073741824", 10, 0) == -1)
		return 0;
	int result = setrlimit(RLIMIT_NOFILE, &limit);

	ck_assert_int_eq(pwrite(fd, before, strlen(before), 0), strlen(before));
	ck_assert_int_eq(close(fd), 0);
	if (result == -1)
		return 0;
	ck_assert_int_eq(dup2(null, 500), 500);
	forbid_help(true);
	assert_is_closed_in_program(500);
	return 0;
}

START_TEST(limit_of_a_billion_descriptors_does_not_take_minutes)
{
	if (!is_under_valgrind())
		assert_child_succeeds(start_child(close_below_a_huge_limit, NULL));
}
END_TEST

START_TEST(child_that_ends_before_it_can_execute_is_an_error)
{
	mm_pid_t pid = -4711;

	/* Only the library calls it, in the child. */
	forbid(SYS_close_range, SECCOMP_RET_KILL_PROCESS);
	assert_fails(mm_spawn(&pid, CHILD, 0, NULL, 0, ARGUMENTS("-"), NULL), EIO);
	ck_assert_int_eq(pid, -4711);
	assert_fails(mm_spawn(&pid, CHILD, 0, NULL, MM_SPAWN_DAEMONIZE, ARGUMENTS("-"), NULL), EIO);
	assert_spawns(&pid, CHILD, 0, NULL, MM_SPAWN_KEEP_FDS, ARGUMENTS("-"), NULL);
	assert_exits(pid, 0);
}
END_TEST

/* --- random maps and a model -------------------------------------------------------------------------------------- */

#define MODELLED 18

/* The standard descriptors, which are not changed, and some of the tests' own; -1 and -2 keep their meaning. */
static int descriptor(int number)
{
	return number < 3 ? number : FIRST + number - 3;
}

struct model {
	unsigned long long inodes[MODELLED];
	bool is_close_on_exec[MODELLED];
};

struct element {
	int child, parent;
};

/* The descriptors after the map was applied, or the error. */
static int apply(struct model *model, int num_map, const struct element *map)
{
	for (int i = 3; i < MODELLED; i++)
		model->is_close_on_exec[i] = true;
	for (int i = 0; i < num_map; i++) {
		int child = map[i].child, parent = map[i].parent;

		if (child == parent) {
			if (child >= 0)
				model->is_close_on_exec[child] = false;
		} else if (parent == -1) {
			if (child >= 0)
				model->inodes[child] = 0;
		} else if (parent < 0 || model->inodes[parent] == 0 || child < 0) {
			return EBADF;
		} else {
			model->inodes[child] = model->inodes[parent];
			model->is_close_on_exec[child] = false;
		}
	}
	return 0;
}

/* The map has no effect on the caller: its descriptors are unchanged, and nothing was written to its files. */
static void assert_descriptors_are(const struct model *model)
{
	struct stat status;

	for (int i = 0; i < MODELLED; i++) {
		int fd = descriptor(i);

		ck_assert_uint_eq(inode_of(fd), model->inodes[i]);
		if (model->inodes[i] == 0)
			continue;
		ck_assert_int_eq(fcntl(fd, F_GETFD) == FD_CLOEXEC, model->is_close_on_exec[i]);
		if (i >= 3)
			ck_assert(fstat(fd, &status) == 0 && status.st_size == 0);
	}
}

static void spawn_random(uint32_t *random)
{
	struct model before = {0}, model;
	struct element elements[12];
	struct mm_remap_fd map[12];
	unsigned long long expected[NUMBERS];
	int num_map = (int)(next_random(random) % MM_NELEM(map));
	int flags = next_random(random) % 8 == 0 ? MM_SPAWN_KEEP_FDS : 0;
	bool is_missing = next_random(random) % 4 == 0;

	for (int i = 0; i < MODELLED; i++) {
		char path[16];
		int fd = descriptor(i);

		if (i >= 3) {
			snprintf(path, sizeof(path), "file%d", i);
			close(fd);
			if (next_random(random) % 3 == 0)
				continue;
			open_as(fd, path, next_random(random) % 2 ? O_CLOEXEC : 0);
		}
		before.inodes[i] = inode_of(fd);
		before.is_close_on_exec[i] = fcntl(fd, F_GETFD) == FD_CLOEXEC;
	}
	for (int i = 0; i < num_map; i++) {
		elements[i].child = (int)(next_random(random) % (MODELLED + 1)) - 1;
		elements[i].parent = (int)(next_random(random) % (MODELLED + 2)) - 2;
		map[i].child_fd = descriptor(elements[i].child);
		map[i].parent_fd = descriptor(elements[i].parent);
	}
	model = before;

	int error = flags & MM_SPAWN_KEEP_FDS ? 0 : apply(&model, num_map, elements);

	if (error == 0 && is_missing)
		error = ENOENT;
	if (error != 0) {
		mm_pid_t pid;

		assert_fails(mm_spawn(&pid, is_missing ? "./missing" : CHILD, num_map, map, flags, NULL, NULL), error);
	} else {
		expect_below(flags & MM_SPAWN_KEEP_FDS ? FIRST : 3, expected);
		for (int i = 0; i < MODELLED; i++)
			expected[descriptor(i)] = model.is_close_on_exec[i] ? 0 : model.inodes[i];
		assert_finds(num_map, map, flags, expected);
	}
	assert_descriptors_are(&before);
}

START_TEST(random_maps_match_a_model)
{
	int cases = is_instrumented() ? 300 : 2000;
	uint32_t random = 4711;

	enter_scratch_directory();
	for (int i = 0; i < cases; i++)
		spawn_random(&random);
	for (int i = 3; i < MODELLED; i++)
		close(descriptor(i));
	leave_scratch_directory();
}
END_TEST

SUITE(program_has_the_standard_descriptors_and_those_of_the_map, descriptors_are_closed_on_request,
      close_on_exec_standard_descriptor_is_closed_unless_mapped, map_elements_apply_in_order,
      kept_descriptors_keep_their_numbers, invalid_maps_fail_before_the_program_runs, no_free_descriptor_is_needed,
      descriptors_are_closed_without_kernel_support, descriptors_above_a_lowered_limit_are_closed,
      limit_of_a_billion_descriptors_does_not_take_minutes, child_that_ends_before_it_can_execute_is_an_error,
      random_maps_match_a_model)
