/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon.c: which program a daemon executes: the same as a child, whatever the caller's current directory
 */
#include "child.h"
#include "sandbox.h"

#include <sys/mman.h>
#include <sys/stat.h>

/* A copied program and a script, in the current directory. */
static void copy_program(const char *from, const char *path)
{
	ck_assert_msg(mm_copy(from, path, 0, 0755) == 0, "%s", mm_get_lasterror_desc());
	ck_assert_int_eq(chmod(path, 0755), 0);
}

static void write_script(const char *path, const char *text)
{
	write_file(path, text);
	ck_assert_int_eq(chmod(path, 0755), 0);
}

/* Spawns, and returns all that the program writes to its standard output before it ends. */
static const char *output_of(const char *path, int flags, char *const *argv)
{
	static char outputs[2][4400];
	static int turn;
	char *output = outputs[turn++ % 2];
	int ends[2], size = 0;
	ssize_t got;
	mm_pid_t pid;

	ck_assert_int_eq(mm_pipe(ends), 0);
	assert_spawns(&pid, path, 1, ((struct mm_remap_fd[]){{1, ends[1]}}), flags, argv, NULL);
	close_all(1, &ends[1]);
	while ((got = mm_read(ends[0], output + size, sizeof(outputs[0]) - 1 - (size_t)size)) > 0)
		size += (int)got;
	ck_assert_int_eq(got, 0);
	output[size] = '\0';
	close_all(1, &ends[0]);
	if (!(flags & MM_SPAWN_DAEMONIZE))
		assert_exits(pid, 0);
	return output;
}

static const char *current_directory(void)
{
	static char path[4096];

	ck_assert_ptr_nonnull(getcwd(path, sizeof(path)));
	return path;
}

/* --- names -------------------------------------------------------------------------------------------------------- */

START_TEST(daemon_path_is_absolute_without_resolving_links)
{
	static const char *const relative[] = {"./script",     "script-in/../link", "dir/script",
	                                       "./links/link", ".//link",           "../up"};
	char cwd[4096], path[4200], expected[4300];

	enter_scratch_directory();
	ck_assert_int_eq(mkdir("real", 0755) | mkdir("real/dir", 0755) | mkdir("real/script-in", 0755) |
	                         symlink("real", "work"),
	                 0);
	ck_assert_int_eq(chdir("work"), 0);
	write_script("script", "#!/bin/sh\necho $0\n");
	write_script("dir/script", "#!/bin/sh\necho $0\n");
	ck_assert_int_eq(symlink("script", "link") | symlink(".", "links") | symlink("real/script", "../up"), 0);
	strcpy(cwd, current_directory());
	for (int i = 0; i < MM_NELEM(relative); i++) {
		snprintf(expected, sizeof(expected), "%s\n", relative[i]);
		ck_assert_str_eq(output_of(relative[i], 0, NULL), expected);
		snprintf(expected, sizeof(expected), "%s/%s\n", cwd, relative[i]);
		ck_assert_str_eq(output_of(relative[i], MM_SPAWN_DAEMONIZE, NULL), expected);
		/* An absolute path is the same with and without the flag. */
		snprintf(path, sizeof(path), "%s/%s", cwd, relative[i]);
		ck_assert_str_eq(output_of(path, 0, NULL), expected);
		ck_assert_str_eq(output_of(path, MM_SPAWN_DAEMONIZE, NULL), expected);
	}
	/* The only path that differs from the caller's. */
	ck_assert_str_eq(output_of("/proc/self/cwd/script", 0, NULL), "/proc/self/cwd/script\n");
	assert_fails(mm_spawn(NULL, "/proc/self/cwd/script", 0, NULL, MM_SPAWN_DAEMONIZE, NULL, NULL), ENOENT);
	/* On some systems two leading slashes refer to another directory. */
	ck_assert_int_eq(chdir("/"), 0);
	snprintf(path, sizeof(path), "%s/script", cwd + 1);
	snprintf(expected, sizeof(expected), "%s/script\n", cwd);
	ck_assert_str_eq(output_of(path, MM_SPAWN_DAEMONIZE, NULL), expected);
	leave_scratch_directory();
}
END_TEST

START_TEST(relative_search_path_directories_are_relative_to_the_caller)
{
	char expected[4300];

	enter_scratch_directory();
	ck_assert_int_eq(mkdir("bin", 0755), 0);
	write_script("bin/program", "#!/bin/sh\necho $0\n");
	write_script("program", "#!/bin/sh\necho $0\n");
	write_script("text", "echo $0 $1\n");
	setenv("PATH", "bin:/bin", 1);
	ck_assert_str_eq(output_of("program", 0, NULL), "bin/program\n");
	snprintf(expected, sizeof(expected), "%s/bin/program\n", current_directory());
	ck_assert_str_eq(output_of("program", MM_SPAWN_DAEMONIZE, NULL), expected);
	snprintf(expected, sizeof(expected), "%s/program\n", current_directory());
	setenv("PATH", "", 1);
	ck_assert_str_eq(output_of("program", MM_SPAWN_DAEMONIZE, NULL), expected);
	setenv("PATH", "/nowhere::bin", 1);
	ck_assert_str_eq(output_of("program", MM_SPAWN_DAEMONIZE, NULL), expected);
	/* Run by the shell, which gets its path. */
	snprintf(expected, sizeof(expected), "%s/./text argument\n", current_directory());
	setenv("PATH", ".", 1);
	ck_assert_str_eq(output_of("text", MM_SPAWN_DAEMONIZE, ((char *[]){"name", "argument", NULL})), expected);
	leave_scratch_directory();
}
END_TEST

START_TEST(executable_of_proc_is_executed_although_it_was_removed)
{
	char path[64], *argv[] = {"echo", "ran", NULL};
	int removed, memory;

	enter_scratch_directory();
	copy_program("/bin/echo", "program");
	removed = mm_open("program", O_RDONLY, 0);
	ck_assert_int_eq(unlink("program"), 0);
	copy_program("/bin/echo", "program");
	memory = memfd_create("program", 0);
	char *from = mm_mapfile(removed, 0, 1 << 20, MM_MAP_READ);
	struct stat status;

	ck_assert(from != NULL && fstat(removed, &status) == 0);
	ck_assert_int_eq(mm_write(memory, from, (size_t)status.st_size), status.st_size);
	ck_assert_int_eq(mm_unmap(from), 0);
	for (int i = 0; i < 2; i++) {
		int fd = i == 0 ? removed : memory;

		/* The program does not inherit the descriptor itself. */
		for (int flags = 0; flags <= MM_SPAWN_DAEMONIZE; flags += MM_SPAWN_DAEMONIZE) {
			snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
			ck_assert_str_eq(output_of(path, flags, argv), "ran\n");
			snprintf(path, sizeof(path), "/proc/%ld/fd/%d", (long)getpid(), fd);
			ck_assert_str_eq(output_of(path, flags, argv), "ran\n");
			snprintf(path, sizeof(path), "/dev/fd/%d", fd);
			ck_assert_str_eq(output_of(path, flags, argv), "ran\n");
		}
	}
	close_all(2, (int[]){removed, memory});
	leave_scratch_directory();
}
END_TEST

START_TEST(replaced_program_can_execute_itself)
{
	char program[4200], output[4200];

	enter_scratch_directory();
	snprintf(program, sizeof(program), "%s/program", current_directory());
	snprintf(output, sizeof(output), "%s/output", current_directory());
	copy_program(PROGRAMS_DIR "/daemonize", program);
	/* The end of file is read when the daemon ends. */
	ck_assert_str_eq(output_of(program, 0, ((char *[]){program, output, NULL})), "");
	ck_assert(!exists("program") && has_text("output", "daemon\n"));
	leave_scratch_directory();
}
END_TEST

/* --- directories without a path ----------------------------------------------------------------------------------- */

static char report_path[4096 + 16];

/* The absolute path of a program that the user of the test can execute. */
static const char *absolute_child = CHILD;

/* valgrind joins the descriptor of execveat() and the relative path into one path. */
#define RETURN_UNDER_VALGRIND            \
	do {                             \
		if (is_under_valgrind()) \
			return;          \
	} while (0)

/* The daemon has the same environment as every daemon, and no descriptors except those of the map. */
static void assert_daemon_runs(const char *path, int flags)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), ends[2];
	struct mm_remap_fd map[] = {{fd, fd}, {fd + 1, 1}, {fd + 2, fd}, {fd + 3, 1}, {fd + 4, fd}};
	const char *report;
	struct stat null, output;
	char byte;

	ck_assert(fstat(fd, &null) == 0 && fstat(1, &output) == 0);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	/* The map contains the next descriptors that would be assigned. */
	ck_assert(ends[0] == fd + 1 && ends[1] == fd + 2 && !is_open(fd + 3));
	map[2].parent_fd = ends[1];
	errno = EBUSY;
	assert_spawns(NULL, path, MM_NELEM(map), map, MM_SPAWN_DAEMONIZE | flags, ARGUMENTS(report_path), NULL);
	ck_assert_int_eq(errno, EBUSY);
	close_all(1, &ends[1]);
	if (flags & MM_SPAWN_KEEP_FDS)
		while (!exists(report_path) || strstr(read_report(report_path), "\nfd 2 ") == NULL)
			sleep_ms(5);
	else
		ck_assert_int_eq(mm_read(ends[0], &byte, 1), 0);
	report = read_report(report_path);
	ck_assert(has_line(report, "cwd /") && has_line(report, "umask 000"));
	if (!(flags & MM_SPAWN_KEEP_FDS)) {
		ck_assert(has_line(report, "fd %d %llu", fd, (unsigned long long)null.st_ino));
		ck_assert(has_line(report, "fd %d %llu", fd + 1, (unsigned long long)output.st_ino));
		for (int other = 3; other < 128; other++) {
			char line[32];

			snprintf(line, sizeof(line), "\nfd %d ", other);
			ck_assert_msg((strstr(report, line) != NULL) == (other >= fd && other <= fd + 4), "%s", line);
		}
	}
	ck_assert_int_eq(mm_unlink(report_path), 0);
	close_all(2, (int[]){fd, ends[0]});
}

/* Programs that can be executed from a current directory without a path. "child" and "text" are in it. */
static void assert_daemons_run_from_here(const char *child, const char *script, const char *text)
{
	char path[4096];

	assert_daemon_runs(child, 0);
	assert_daemon_runs(child, MM_SPAWN_KEEP_FDS);
	assert_daemon_runs(absolute_child, 0);
	snprintf(path, sizeof(path), "/nowhere:%.*s", (int)(strrchr(child, '/') - child), child);
	setenv("PATH", path, 1);
	assert_daemon_runs(strrchr(child, '/') + 1, 0);
	/* An interpreter could not open them. */
	assert_fails(mm_spawn(NULL, script, 0, NULL, MM_SPAWN_DAEMONIZE, NULL, NULL), ENOENT);
	assert_fails(mm_spawn(NULL, text, 0, NULL, MM_SPAWN_DAEMONIZE, NULL, NULL), ENOEXEC);
	assert_fails(mm_spawn(NULL, strrchr(text, '/') + 1, 0, NULL, MM_SPAWN_DAEMONIZE, NULL, NULL), ENOEXEC);
	assert_fails(mm_spawn(NULL, "./missing", 0, NULL, MM_SPAWN_DAEMONIZE, NULL, NULL), ENOENT);
	assert_fails(mm_spawn(NULL, "missing", 0, NULL, MM_SPAWN_DAEMONIZE, NULL, NULL), ENOENT);
	int unused = dup(1);

	close_all(1, &unused);
	assert_fails(mm_spawn(NULL, child, 1, ((struct mm_remap_fd[]){{1, unused}}), MM_SPAWN_DAEMONIZE, ARGUMENTS("-"),
	                      NULL),
	             EBADF);
	assert_fails(mm_wait_process(-1, NULL), ECHILD);
}

static void prepare_programs(void)
{
	copy_program(CHILD, "child");
	write_script("script", "#!/bin/sh\nexit 1\n");
	write_script("text", "exit 1\n");
}

START_TEST(daemon_is_found_in_a_directory_whose_path_is_too_long)
{
	char name[256], last[256], *top;
	struct rlimit limit, low;

	RETURN_UNDER_VALGRIND;
	enter_scratch_directory();
	top = getcwd(NULL, 0);
	snprintf(report_path, sizeof(report_path), "%s/report", top);
	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	/* The directory has a path, but that of the program is too long. */
	for (int i = 0; i < 15; i++)
		ck_assert_int_eq(mkdir(name, 0755) | chdir(name), 0);
	snprintf(last, 4092 - strlen(current_directory()), "%s", name);
	ck_assert_int_eq(mkdir(last, 0755) | chdir(last), 0);
	ck_assert_int_eq(strlen(current_directory()), 4092);
	prepare_programs();
	assert_daemons_run_from_here("./child", "./script", "./text");
	/* The path of this directory is too long, too. */
	ck_assert_int_eq(mkdir(name, 0755) | chdir(name), 0);
	prepare_programs();
	assert_daemons_run_from_here("./child", "./script", "./text");

	/* It requires a free descriptor. */
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = limit;
	low.rlim_cur = limit_with_free_numbers(0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_fails(mm_spawn(NULL, "./child", 0, NULL, MM_SPAWN_DAEMONIZE, ARGUMENTS("-"), NULL), EMFILE);
	assert_fails(mm_wait_process(-1, NULL), ECHILD);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);

	ck_assert_int_eq(chdir(top), 0);
	free(top);
	ck_assert_int_eq(mm_remove(name, MM_DT_ANY | MM_RECURSIVE | MM_FAILONERROR), 0);
	leave_scratch_directory();
}
END_TEST

START_TEST(daemon_is_found_from_a_removed_directory)
{
	RETURN_UNDER_VALGRIND;
	enter_scratch_directory();
	snprintf(report_path, sizeof(report_path), "%s/report", current_directory());
	prepare_programs();
	ck_assert_int_eq(mkdir("gone", 0755) | chdir("gone") | rmdir("../gone"), 0);
	assert_daemons_run_from_here("../child", "../script", "../text");
	ck_assert_int_eq(chdir(".."), 0);
	leave_scratch_directory();
}
END_TEST

static int run_outside_of_the_root(void *arg)
{
	(void)arg;
	if (!enter_private_mounts())
		return 0;
	ck_assert_int_eq(mount("none", "mounted", "tmpfs", 0, NULL) | chdir("mounted"), 0);
	prepare_programs();
	/* The names in it do not exist any more. */
	ck_assert_int_eq(umount2(".", MNT_DETACH), 0);
	assert_daemons_run_from_here("./child", "./script", "./text");
	return 0;
}

static int run_below_another_mount(void *arg)
{
	const char *cwd = current_directory();

	(void)arg;
	if (!enter_private_mounts())
		return 0;
	ck_assert_int_eq(chdir("mounted"), 0);
	prepare_programs();
	/* The path of the directory resolves to a different directory, which contains programs of the same names. */
	ck_assert_int_eq(mount("none", cwd, "tmpfs", 0, NULL), 0);
	snprintf(report_path, sizeof(report_path), "%s/report", cwd);
	char path[4200];

	snprintf(path, sizeof(path), "%s/mounted", cwd);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	strcat(path, "/child");
	copy_program("/bin/false", path);
	assert_daemons_run_from_here("./child", "./script", "./text");
	return 0;
}

START_TEST(daemon_is_found_in_an_unreachable_directory)
{
	RETURN_UNDER_VALGRIND;
	enter_scratch_directory();
	snprintf(report_path, sizeof(report_path), "%s/report", current_directory());
	ck_assert_int_eq(mkdir("mounted", 0755), 0);
	assert_child_succeeds(start_child(run_outside_of_the_root, NULL));
	assert_child_succeeds(start_child(run_below_another_mount, NULL));
	leave_scratch_directory();
}
END_TEST

static void run_below_a_closed_directory(void)
{
	assert_daemons_run_from_here("./child", "./script", "./text");
}

START_TEST(daemon_is_found_in_a_directory_whose_path_is_not_searchable)
{
	RETURN_UNDER_VALGRIND;
	enter_scratch_directory();
	snprintf(report_path, sizeof(report_path), "%s/report", current_directory());
	/* The sources may be in a directory that only root can search. */
	static char copy[4096 + 16];

	snprintf(copy, sizeof(copy), "%s/copy", current_directory());
	copy_program(CHILD, copy);
	absolute_child = copy;
	ck_assert_int_eq(mm_mkdir("closed/dir", 0755, MM_RECURSIVE) | chdir("closed/dir"), 0);
	prepare_programs();
	ck_assert_int_eq(chmod("..", 0700), 0);
	/* If the user who runs the tests owns it, more must be changed. */
	if (geteuid() != 0)
		ck_assert_int_eq(chmod("..", 0600), 0);
	as_ordinary_user(run_below_a_closed_directory);
	ck_assert_int_eq(chmod("..", 0755), 0);
	leave_scratch_directory();
}
END_TEST

SUITE(daemon_path_is_absolute_without_resolving_links, relative_search_path_directories_are_relative_to_the_caller,
      executable_of_proc_is_executed_although_it_was_removed, replaced_program_can_execute_itself,
      daemon_is_found_in_a_directory_whose_path_is_too_long, daemon_is_found_from_a_removed_directory,
      daemon_is_found_in_an_unreachable_directory, daemon_is_found_in_a_directory_whose_path_is_not_searchable)
