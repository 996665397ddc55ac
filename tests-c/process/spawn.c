/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawn.c: executed programs: their arguments, failures and exit status
 */
#include "child.h"

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* A script that is executed as a program, or cannot be. */
static void write_program(const char *path, const char *text, mode_t mode)
{
	write_file(path, text);
	ck_assert_int_eq(chmod(path, mode), 0);
}

START_TEST(program_gets_its_arguments_and_environment)
{
	mm_pid_t pid;

	enter_scratch_directory();
	assert_spawns(&pid, CHILD, 0, NULL, 0, ARGUMENTS("report", "exit", "7", "two words"),
	              ((char *[]){"A=1", "B=", NULL}));
	assert_exits(pid, 7);
	const char *report = read_report("report");

	ck_assert_ptr_nonnull(
		strstr(report, "\narg child\narg report\narg exit\narg 7\narg two words\nenv A=1\nenv B=\nfd 0 "));
	ck_assert_int_eq(reported_number(report, "pid ", 10), pid);
	ck_assert_int_eq(reported_number(report, "ppid ", 10), getpid());

	assert_spawns(&pid, CHILD, -1, NULL, 0, ARGUMENTS("report"), ((char *[]){NULL}));
	assert_exits(pid, 0);
	ck_assert_ptr_null(strstr(read_report("report"), "\nenv "));
	leave_scratch_directory();
}
END_TEST

START_TEST(null_arguments_become_the_path_and_null_environment_is_inherited)
{
	mm_pid_t pid;

	enter_scratch_directory();
	ck_assert_int_eq(setenv("SET_JUST_BEFORE", "yes", 1), 0);
	write_program("script", "#!/bin/sh\necho \"$0 $# $SET_JUST_BEFORE\" >output\n", 0755);
	assert_spawns(&pid, "./script", 0, NULL, 0, NULL, NULL);
	assert_exits(pid, 0);
	ck_assert(has_text("output", "./script 0 yes\n"));
	assert_spawns(NULL, CHILD, 0, NULL, 0, ARGUMENTS("report"), NULL);
	ck_assert_int_eq(mm_wait_process(-1, NULL), 0);
	ck_assert(has_line(read_report("report"), "env SET_JUST_BEFORE=yes"));
	leave_scratch_directory();
}
END_TEST

START_TEST(other_attributes_are_inherited)
{
	mm_pid_t pid;
	char cwd[4096];

	enter_scratch_directory();
	ck_assert_int_eq(setpgid(0, 0), 0);
	umask(027);
	assert_spawns(&pid, CHILD, 0, NULL, 0, ARGUMENTS("report"), NULL);
	assert_exits(pid, 0);
	const char *report = read_report("report");

	ck_assert(has_line(report, "cwd %s", getcwd(cwd, sizeof(cwd))));
	ck_assert(has_line(report, "umask 027"));
	ck_assert(has_line(report, "sid %ld", (long)getsid(0)));
	ck_assert(has_line(report, "pgid %ld", (long)getpid()));
	leave_scratch_directory();
}
END_TEST

START_TEST(success_leaves_errno_and_the_error_state_unchanged)
{
	mm_pid_t pid;

	enter_scratch_directory();
	ck_assert_int_eq(mm_unlink("missing"), -1);
	errno = EBUSY;
	/* A program that is not in the first directory causes no error. */
	ck_assert_int_eq(setenv("PATH", "/nowhere:/bin:/usr/bin", 1), 0);
	assert_spawns(&pid, "true", 0, NULL, 0, NULL, NULL);
	ck_assert_int_eq(errno, EBUSY);
	assert_exits(pid, 0);
	assert_spawns(&pid, "true", 0, NULL, MM_SPAWN_DAEMONIZE, NULL, NULL);
	ck_assert_int_eq(errno, EBUSY);
	assert_spawns(&pid, "/bin/true", 0, NULL, MM_SPAWN_DAEMONIZE, NULL, NULL);
	ck_assert_int_eq(errno, EBUSY);
	ck_assert_int_eq(mm_get_lasterror_number(), ENOENT);
	leave_scratch_directory();
}
END_TEST

START_TEST(name_is_searched_in_the_path_of_the_caller)
{
	mm_pid_t pid;
	char path[4096];

	enter_scratch_directory();
	ck_assert_int_eq(mkdir("first", 0755) | mkdir("second", 0755), 0);
	write_program("first/prog", "#!/bin/sh\nexit 1\n", 0644);
	write_program("second/prog", "#!/bin/sh\nexit 2\n", 0755);
	write_program("prog", "#!/bin/sh\nexit 3\n", 0755);
	write_file("file", "");

	/*
	 * Directories without permission, missing ones and paths below a file are skipped; the PATH of envp is not
	 * used.
	 */
	setenv("PATH", "first:missing:file:second:", 1);
	assert_spawns(&pid, "prog", 0, NULL, 0, NULL, ((char *[]){"PATH=first", NULL}));
	assert_exits(pid, 2);
	/* An empty element is the current directory. */
	setenv("PATH", "first::second", 1);
	assert_spawns(&pid, "prog", 0, NULL, 0, NULL, NULL);
	assert_exits(pid, 3);
	setenv("PATH", "", 1);
	assert_spawns(&pid, "prog", 0, NULL, 0, NULL, NULL);
	assert_exits(pid, 3);
	/* An element that is too long is skipped. */
	memset(path, 'x', sizeof(path));
	strcpy(path + sizeof(path) - 8, ":second");
	setenv("PATH", path, 1);
	assert_spawns(&pid, "prog", 0, NULL, 0, NULL, NULL);
	assert_exits(pid, 2);

	setenv("PATH", "first:missing", 1);
	assert_fails(mm_spawn(&pid, "prog", 0, NULL, 0, NULL, NULL), EACCES);
	/* The last directory determines the error, as in execvp(); one whose name is too long is ignored. */
	setenv("PATH", "missing:file", 1);
	assert_fails(mm_spawn(&pid, "prog", 0, NULL, 0, NULL, NULL), ENOTDIR);
	assert_fails(mm_spawn(&pid, "prog", 0, NULL, MM_SPAWN_DAEMONIZE, NULL, NULL), ENOTDIR);
	setenv("PATH", "file:missing", 1);
	assert_fails(mm_spawn(&pid, "prog", 0, NULL, 0, NULL, NULL), ENOENT);
	setenv("PATH", "first:missing:file", 1);
	assert_fails(mm_spawn(&pid, "prog", 0, NULL, 0, NULL, NULL), EACCES);
	memcpy(path + sizeof(path) - 8, "/x", 3);
	setenv("PATH", path, 1);
	assert_fails(mm_spawn(&pid, "prog", 0, NULL, 0, NULL, NULL), ENOENT);
	memcpy(path, "file:", 5);
	setenv("PATH", path, 1);
	assert_fails(mm_spawn(&pid, "prog", 0, NULL, 0, NULL, NULL), ENOTDIR);
	unsetenv("PATH");
	assert_fails(mm_spawn(&pid, "prog", 0, NULL, 0, NULL, NULL), ENOENT);
	assert_spawns(&pid, "true", 0, NULL, 0, NULL, NULL);
	assert_exits(pid, 0);
	leave_scratch_directory();
}
END_TEST

START_TEST(script_is_run_by_the_shell_only_if_it_was_searched)
{
	mm_pid_t pid;

	enter_scratch_directory();
	write_program("text", "echo \"$0 $*\" >output; exit 5\n", 0755);
	setenv("PATH", ".:/bin", 1);
	assert_spawns(&pid, "text", 0, NULL, 0, ((char *[]){"name", "a", "b c", NULL}), NULL);
	assert_exits(pid, 5);
	ck_assert(has_text("output", "./text a b c\n"));
	assert_spawns(&pid, "text", 0, NULL, 0, NULL, NULL);
	assert_exits(pid, 5);
	ck_assert(has_text("output", "./text \n"));
	/* Not even argv[0]: valgrind does not support that. */
	if (!is_under_valgrind()) {
		assert_spawns(&pid, "text", 0, NULL, 0, ((char *[]){NULL}), NULL);
		assert_exits(pid, 5);
		ck_assert(has_text("output", "./text \n"));
	}
	assert_fails(mm_spawn(&pid, "./text", 0, NULL, 0, NULL, NULL), ENOEXEC);
	leave_scratch_directory();
}
END_TEST

/* Each failure, with and without a daemon: the pid is not stored, and no process remains (checked by the suite). */
static void fail_to_execute(const char *path, int error)
{
	static const int flags[] = {0, MM_SPAWN_KEEP_FDS, MM_SPAWN_DAEMONIZE, MM_SPAWN_DAEMONIZE | MM_SPAWN_KEEP_FDS};

	for (int i = 0; i < MM_NELEM(flags); i++) {
		mm_pid_t pid = -4711;

		assert_fails(mm_spawn(&pid, path, 0, NULL, flags[i], NULL, NULL), error);
		ck_assert_int_eq(pid, -4711);
		ck_assert_msg(strstr(mm_get_lasterror_desc(), "cannot execute"), "%s", mm_get_lasterror_desc());
		assert_fails(mm_wait_process(-1, NULL), ECHILD);
	}
}

START_TEST(each_reason_not_to_execute_is_reported)
{
	char path[5000], cwd[4096];

	enter_scratch_directory();
	setenv("PATH", "/bin:/usr/bin", 1);
	write_program("text", "exit 5\n", 0755);
	write_program("not-executable", "#!/bin/sh\n", 0644);
	ck_assert_int_eq(symlink("loop", "loop"), 0);

	fail_to_execute("./missing", ENOENT);
	fail_to_execute("missing-program-of-that-name", ENOENT);
	fail_to_execute("", ENOENT);
	fail_to_execute("/", EACCES);
	fail_to_execute(".//", EACCES);
	fail_to_execute("./not-executable", EACCES);
	snprintf(path, sizeof(path), "%s/not-executable", getcwd(cwd, sizeof(cwd)));
	fail_to_execute(path, EACCES);
	fail_to_execute("./text", ENOEXEC);
	fail_to_execute("text/x", ENOTDIR);
	fail_to_execute("./loop", ELOOP);
	strcpy(path, "./");
	memset(path + 2, 'x', sizeof(path) - 3);
	path[sizeof(path) - 1] = '\0';
	fail_to_execute(path, ENAMETOOLONG);
	fail_to_execute(path + sizeof(path) - 257, ENAMETOOLONG);
	path[2 + 256] = '\0';
	fail_to_execute(path, ENAMETOOLONG);
	leave_scratch_directory();
}
END_TEST

/* valgrind ends a process whose execve() fails, except for the reasons above, which it checks in advance. */
START_TEST(errors_that_only_the_kernel_detects_are_reported)
{
	const size_t size = 1 << 20;
	mm_pid_t pid;

	if (is_under_valgrind())
		return;
	enter_scratch_directory();
	write_program("no-interpreter", "#!/nowhere/sh\n", 0755);
	fail_to_execute("./no-interpreter", ENOENT);

	int fd = mm_open("open-for-writing", O_WRONLY | O_CREAT, 0755);

	fail_to_execute("./open-for-writing", ETXTBSY);
	close_all(1, &fd);
	assert_fails(mm_spawn(&pid, "/bin/true", 0, NULL, 0, (char *const *)8, NULL), EFAULT);
	assert_fails(mm_spawn(&pid, "/bin/true", 0, NULL, 0, NULL, (char *const *)8), EFAULT);

	char *large = malloc(size);

	memset(large, 'x', size - 1);
	large[size - 1] = '\0';
	assert_fails(mm_spawn(&pid, "/bin/true", 0, NULL, 0, ((char *[]){"true", large, NULL}), NULL), E2BIG);
	free(large);
	leave_scratch_directory();
}
END_TEST

START_TEST(invalid_arguments_are_rejected)
{
	static const struct mm_remap_fd map[] = {{1, 1}};
	mm_pid_t pid = -4711;

	assert_fails(mm_spawn(&pid, NULL, 0, NULL, 0, NULL, NULL), EINVAL);
	assert_fails(mm_spawn(&pid, NULL, 0, NULL, 0x8, NULL, NULL), EINVAL);
	assert_fails(mm_spawn(&pid, "/bin/true", 0, NULL, 0x8, NULL, NULL), EINVAL);
	assert_fails(mm_spawn(&pid, "/bin/true", 0, NULL, 0x4 | MM_SPAWN_DAEMONIZE, NULL, NULL), EINVAL);
	assert_fails(mm_spawn(&pid, "/bin/true", 1, NULL, 0, NULL, NULL), EINVAL);
	assert_fails(mm_spawn(&pid, "/bin/true", 1, NULL, MM_SPAWN_DAEMONIZE, NULL, NULL), EINVAL);
	assert_fails(mm_execv(NULL, 0, NULL, 0, NULL, NULL), EINVAL);
	assert_fails(mm_execv("/bin/true", 0, NULL, MM_SPAWN_DAEMONIZE, NULL, NULL), EINVAL);
	assert_fails(mm_execv("/bin/true", 0, NULL, 0x8, NULL, NULL), EINVAL);
	assert_fails(mm_execv("/bin/true", 1, NULL, 0, NULL, NULL), EINVAL);
	ck_assert_int_eq(pid, -4711);

	/* A map whose size is 0 is not accessed. */
	assert_spawns(&pid, "/bin/true", 1, NULL, MM_SPAWN_KEEP_FDS, NULL, NULL);
	assert_exits(pid, 0);
	assert_spawns(&pid, "/bin/true", -1, map, 0, NULL, NULL);
	assert_exits(pid, 0);
	assert_spawns(&pid, "/bin/true", INT32_MIN, NULL, 0, NULL, NULL);
	assert_exits(pid, 0);
}
END_TEST

START_TEST(exit_status_contains_code_or_signal)
{
	static const int codes[] = {0, 1, 2, 3, 15, 16, 127, 128, 255};
	static const int signals[] = {SIGSEGV, SIGILL, SIGFPE, SIGTERM, SIGABRT, SIGINT, SIGKILL};
	struct rlimit core = {0, 0};
	char number[16];
	mm_pid_t pid;
	int status;

	ck_assert_int_eq(getrlimit(RLIMIT_CORE, &core), 0);
	core.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_CORE, &core), 0);
	for (int i = 0; i < MM_NELEM(codes); i++) {
		snprintf(number, sizeof(number), "%d", codes[i]);
		assert_spawns(&pid, CHILD, 0, NULL, 0, ARGUMENTS("-", "exit", number), NULL);
		assert_exits(pid, codes[i]);
	}
	for (int i = 0; i < MM_NELEM(signals); i++) {
		snprintf(number, sizeof(number), "%d", signals[i]);
		assert_spawns(&pid, CHILD, 0, NULL, 0, ARGUMENTS("-", "kill", number), NULL);
		ck_assert_int_eq(mm_wait_process(pid, &status), 0);
		ck_assert_int_eq(status, MM_WSTATUS_SIGNALED | signals[i]);
		ck_assert_int_eq(status & MM_WSTATUS_CODEMASK, signals[i]);
		status = -4711;
		assert_fails(mm_wait_process(pid, &status), ECHILD);
		ck_assert_int_eq(status, -4711);
	}
	assert_fails(mm_wait_process(1, NULL), ECHILD);
	assert_fails(mm_wait_process(INT32_MIN, NULL), ESRCH);
}
END_TEST

START_TEST(core_dump_flag_is_not_in_the_status)
{
	struct rlimit core;
	mm_pid_t pid;
	int status;

	enter_scratch_directory();
	ck_assert_int_eq(getrlimit(RLIMIT_CORE, &core), 0);
	core.rlim_cur = core.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_CORE, &core), 0);
	assert_spawns(&pid, CHILD, 0, NULL, 0, ARGUMENTS("-", "kill", "6"), NULL);
	ck_assert_int_eq(mm_wait_process(pid, &status), 0);
	ck_assert_int_eq(status, MM_WSTATUS_SIGNALED | SIGABRT);
	leave_scratch_directory();
}
END_TEST

static void *kill_soon(void *pid)
{
	sleep_ms(100);
	kill(*(pid_t *)pid, SIGKILL);
	return NULL;
}

static int stop(void *arg)
{
	(void)arg;
	ck_assert_int_eq(ptrace(PTRACE_TRACEME, 0, NULL, NULL), 0);
	return raise(SIGSTOP);
}

START_TEST(stopped_processes_are_not_reported_as_ended)
{
	/* For a traced process, waitpid() reports the stop; it remains stopped until it is killed. */
	pid_t pid = start_child(stop, NULL);
	pthread_t killer = start_thread(kill_soon, &pid);
	int status;

	ck_assert_int_eq(mm_wait_process(pid, &status), 0);
	ck_assert_int_eq(status, MM_WSTATUS_SIGNALED | SIGKILL);
	join_thread(killer);
}
END_TEST

START_TEST(wait_can_be_interrupted)
{
	mm_pid_t pid;
	int ends[2];

	ck_assert_int_eq(mm_pipe(ends), 0);
	assert_spawns(&pid, CHILD, 1, ((struct mm_remap_fd[]){{0, ends[0]}}), 0, ARGUMENTS("-", "read", "0"), NULL);
	pthread_t interrupter = start_interrupting();

	assert_fails(mm_wait_process(pid, NULL), EINTR);
	stop_interrupting(interrupter);
	close_all(2, ends);
	assert_exits(pid, 0);
}
END_TEST

START_TEST(daemon_is_detached)
{
	static const char *const paths[] = {CHILD, "child", "./link"};
	char report_path[128], cwd[64];

	enter_scratch_directory();
	ck_assert_ptr_nonnull(getcwd(cwd, sizeof(cwd)));
	snprintf(report_path, sizeof(report_path), "%s/report", cwd);
	ck_assert_int_eq(symlink(CHILD, "link"), 0);
	setenv("PATH", PROGRAMS_DIR, 1);
	umask(027);
	for (int i = 0; i < MM_NELEM(paths); i++) {
		mm_pid_t pid = -4711;
		int ends[2];
		char byte;

		ck_assert_int_eq(mm_pipe(ends), 0);
		assert_spawns(&pid, paths[i], 1, ((struct mm_remap_fd[]){{1, ends[1]}}), MM_SPAWN_DAEMONIZE,
		              ARGUMENTS(report_path), NULL);
		ck_assert_int_eq(pid, -4711);
		assert_fails(mm_wait_process(-1, NULL), ECHILD);
		/* No other process has the pipe open: the end of file is read when the daemon ends. */
		close_all(1, &ends[1]);
		ck_assert_int_eq(mm_read(ends[0], &byte, 1), 0);
		close_all(1, &ends[0]);

		const char *report = read_report(report_path);

		ck_assert(has_line(report, "cwd /"));
		ck_assert(has_line(report, "umask 000"));
		ck_assert_int_ne(reported_number(report, "ppid ", 10), getpid());
		ck_assert_int_ne(reported_number(report, "sid ", 10), getsid(0));
		/* It is not a session leader, so that it cannot acquire a controlling terminal by accident. */
		ck_assert_int_ne(reported_number(report, "sid ", 10), reported_number(report, "pid ", 10));
		ck_assert_int_eq(mm_unlink(report_path), 0);
	}
	/* Relative directories of PATH are not relative to the daemon's directory. */
	setenv("PATH", "bin", 1);
	assert_fails(mm_spawn(NULL, "true", 0, NULL, MM_SPAWN_DAEMONIZE, NULL, NULL), ENOENT);
	umask(022);
	leave_scratch_directory();
}
END_TEST

static void spawn_beyond_the_limit(void)
{
	struct rlimit limit = {1, 1};
	mm_pid_t pid = -4711;

	ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &limit), 0);
	assert_fails(mm_spawn(&pid, "/bin/true", 0, NULL, 0, NULL, NULL), EAGAIN);
	assert_fails(mm_spawn(&pid, "/bin/true", 0, NULL, MM_SPAWN_DAEMONIZE, NULL, NULL), EAGAIN);
	ck_assert_int_eq(pid, -4711);
}

START_TEST(exceeded_process_limit_of_a_user_is_reported)
{
	as_ordinary_user(spawn_beyond_the_limit);
}
END_TEST

static void count_exit(void)
{
	mm_write(1, "exit", 4);
}

static int spawn_with_pending_output(void *arg)
{
	mm_pid_t pid;
	int fd = mm_open("output", O_WRONLY | O_CREAT | O_APPEND, MODE_DEF);

	(void)arg;
	ck_assert_int_eq(mm_dup2(fd, 1), 1);
	ck_assert_int_eq(atexit(count_exit), 0);
	printf("pending\n");
	ck_assert_int_eq(mm_spawn(&pid, "./missing", 0, NULL, 0, NULL, NULL), -1);
	ck_assert_int_eq(mm_spawn(&pid, "./missing", 0, NULL, MM_SPAWN_DAEMONIZE, NULL, NULL), -1);
	ck_assert_int_eq(mm_spawn(&pid, "/bin/true", 0, NULL, MM_SPAWN_DAEMONIZE, NULL, NULL), 0);
	ck_assert_int_eq(fflush(stdout), 0);
	return 0;
}

START_TEST(buffered_output_of_the_caller_is_written_once)
{
	enter_scratch_directory();
	assert_child_succeeds(start_child(spawn_with_pending_output, NULL));
	/* valgrind flushes the streams of a process however it ends. */
	if (!is_under_valgrind())
		ck_assert(has_text("output", "pending\n"));
	leave_scratch_directory();
}
END_TEST

START_TEST(ignored_error_is_only_returned)
{
	mm_pid_t pid;
	unsigned before = (unsigned)mm_error_set_flags(MM_ERROR_SET, MM_ERROR_IGNORE);

	suite_forget_error();
	mm_error_set_flags(MM_ERROR_SET, MM_ERROR_IGNORE);
	ck_assert_int_eq(mm_spawn(&pid, "./missing", 0, NULL, 0, NULL, NULL), -1);
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
	mm_error_set_flags((int)before, MM_ERROR_IGNORE);
}
END_TEST

SUITE(program_gets_its_arguments_and_environment, null_arguments_become_the_path_and_null_environment_is_inherited,
      other_attributes_are_inherited, success_leaves_errno_and_the_error_state_unchanged,
      name_is_searched_in_the_path_of_the_caller, script_is_run_by_the_shell_only_if_it_was_searched,
      each_reason_not_to_execute_is_reported, errors_that_only_the_kernel_detects_are_reported,
      invalid_arguments_are_rejected, exit_status_contains_code_or_signal, core_dump_flag_is_not_in_the_status,
      stopped_processes_are_not_reported_as_ended, wait_can_be_interrupted, daemon_is_detached,
      exceeded_process_limit_of_a_user_is_reported, buffered_output_of_the_caller_is_written_once,
      ignored_error_is_only_returned)
