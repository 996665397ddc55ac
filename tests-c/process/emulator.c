/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emulator.c: spawning under an emulator that replaces vfork() by fork(): mm_spawn() must still report all failures
 *
 * This program defines the functions of the C library that the library calls. Each makes the call only after a delay,
 * so that the parent always looks too early.
 */
#include "child.h"

#include <sys/stat.h>

#define DELAY_MS 50

static bool is_killed_before_execve, is_setpgid_denied;

/* The names in glibc and in musl. */
int __clone(int (*run)(void *), void *stack, int flags, void *argument, ...);
int clone(int (*run)(void *), void *stack, int flags, void *argument, ...);

int __clone(int (*run)(void *), void *stack, int flags, void *argument, ...)
{
	pid_t child = fork_by_clone();

	(void)stack, (void)flags;
	if (child == 0)
		_exit(run(argument));
	return child;
}

int clone(int (*run)(void *), void *stack, int flags, void *argument, ...)
{
	return __clone(run, stack, flags, argument);
}

int execve(const char *path, char *const argv[], char *const envp[])
{
	sleep_ms(DELAY_MS);
	if (is_killed_before_execve)
		kill(getpid(), SIGKILL); /* raise() of musl would use the TID of the parent */
	return (int)syscall(SYS_execve, path, argv, envp);
}

/* mm_spawn() uses it to see whether the child has executed the program. */
int setpgid(pid_t process, pid_t group)
{
	sleep_ms(DELAY_MS);
	if (is_setpgid_denied) {
		errno = EPERM;
		return -1;
	}
	return (int)syscall(SYS_setpgid, process, group);
}

static void spawn_fails(const char *path, int error)
{
	mm_pid_t pid;

	assert_fails(mm_spawn(&pid, path, 0, NULL, 0, NULL, NULL), error);
	assert_fails(mm_spawn(NULL, path, 0, NULL, MM_SPAWN_DAEMONIZE, NULL, NULL), error);
}

/* The program runs for longer than the test may take. mm_spawn() must not wait for its end. */
static void assert_runs(const char *path, char *const *argv)
{
	mm_pid_t pid;
	int status = 0;

	assert_spawns(&pid, path, 0, NULL, 0, argv, NULL);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(mm_wait_process(pid, &status), 0);
	ck_assert_int_eq(status, MM_WSTATUS_SIGNALED | SIGKILL);
}

START_TEST(failures_of_execve_are_reported)
{
	enter_scratch_directory();
	write_file("text", "neither a program nor a script");
	write_file("not-executable", "#!/bin/sh\n");
	write_file("without-interpreter", "#!/no/such/interpreter\n");
	ck_assert_int_eq(chmod("text", 0755) | chmod("without-interpreter", 0755), 0);
	spawn_fails("/no/such/program", ENOENT);
	spawn_fails("no-such-program-in-the-search-path", ENOENT);
	spawn_fails("./text", ENOEXEC);
	spawn_fails("./not-executable", EACCES);
	/* valgrind cannot return from this call. */
	if (!is_under_valgrind())
		spawn_fails("./without-interpreter", ENOENT);
	spawn_fails("/", EACCES);
	leave_scratch_directory();
}
END_TEST

START_TEST(failures_are_reported_if_children_are_reaped_automatically)
{
	signal(SIGCHLD, SIG_IGN);
	spawn_fails("/no/such/program", ENOENT);
}
END_TEST

START_TEST(program_and_daemon_are_executed)
{
	int ends[2];
	mm_pid_t pid;
	char text[8] = "";

	assert_spawns(&pid, "sh", 0, NULL, 0, ((char *[]){"sh", "-c", "exit 7", NULL}), NULL);
	assert_exits(pid, 7);
	ck_assert_int_eq(mm_pipe(ends), 0);
	assert_spawns(NULL, "sh", 1, ((struct mm_remap_fd[]){{1, ends[1]}}), MM_SPAWN_DAEMONIZE,
	              ((char *[]){"sh", "-c", "echo run", NULL}), NULL);
	close_all(1, &ends[1]);
	ck_assert_int_eq(mm_read(ends[0], text, sizeof(text)), 4);
	ck_assert_str_eq(text, "run\n");
	ck_assert_int_eq(mm_read(ends[0], text, sizeof(text)), 0);
	close_all(1, &ends[0]);
}
END_TEST

START_TEST(spawn_returns_while_the_program_runs)
{
	assert_runs("sleep", (char *[]){"sleep", "1000", NULL});
}
END_TEST

START_TEST(spawn_returns_if_the_program_creates_a_session)
{
	char *argv[] = {"setsid", "cat", NULL};
	int input[2], output[2];
	char byte;

	assert_runs("setsid", (char *[]){"setsid", "sleep", "1000", NULL});

	/* The daemon runs until its input ends. */
	ck_assert_int_eq(mm_pipe(input) | mm_pipe(output), 0);
	assert_spawns(NULL, "setsid", 2, ((struct mm_remap_fd[]){{0, input[0]}, {1, output[1]}}), MM_SPAWN_DAEMONIZE,
	              argv, NULL);
	close_all(3, ((int[]){input[0], output[1], input[1]}));
	ck_assert_int_eq(mm_read(output[0], &byte, 1), 0);
	close_all(1, &output[0]);
}
END_TEST

START_TEST(spawn_returns_in_a_sandbox_that_denies_setpgid)
{
	is_setpgid_denied = true;
	assert_runs("sleep", (char *[]){"sleep", "1000", NULL});
}
END_TEST

START_TEST(child_that_is_killed_before_execve_can_be_waited_for)
{
	is_killed_before_execve = true;
	assert_runs("sleep", (char *[]){"sleep", "1000", NULL});
}
END_TEST

SUITE(failures_of_execve_are_reported, failures_are_reported_if_children_are_reaped_automatically,
      program_and_daemon_are_executed, spawn_returns_while_the_program_runs,
      spawn_returns_if_the_program_creates_a_session, spawn_returns_in_a_sandbox_that_denies_setpgid,
      child_that_is_killed_before_execve_can_be_waited_for)
