/* SPDX-License-Identifier: Apache-2.0 */
/*
 * threads.c: spawning with signals and threads, and replacing the process image
 */
#include "child.h"
#include "sandbox.h"

#include <sys/stat.h>

/* --- signals ------------------------------------------------------------------------------------------------------ */

static pid_t own_pid;
static int calls, calls_elsewhere;

static void count_call(int signum)
{
	int saved = errno;

	(void)signum;
	__atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
	/* Not getpid(), whose result could be cached. */
	if ((pid_t)syscall(SYS_getpid) != own_pid)
		__atomic_add_fetch(&calls_elsewhere, 1, __ATOMIC_RELAXED);
	errno = saved;
}

START_TEST(blocked_and_ignored_signals_are_inherited_and_caught_ones_are_reset)
{
	struct sigaction action = {.sa_handler = count_call};
	sigset_t blocked, after;
	mm_pid_t pid;
	int status;

	enter_scratch_directory();
	ck_assert_int_eq(sigaction(SIGTERM, &action, NULL), 0);
	ck_assert_int_eq(sigaction(SIGUSR2, &action, NULL), 0);
	action.sa_handler = SIG_IGN;
	ck_assert_int_eq(sigaction(SIGPIPE, &action, NULL), 0);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR2);
	sigaddset(&blocked, SIGRTMIN);
	ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, &blocked, NULL), 0);

	assert_spawns(&pid, CHILD, 0, NULL, 0, ARGUMENTS("report", "kill", "15"), NULL);
	ck_assert_int_eq(mm_wait_process(pid, &status), 0);
	ck_assert_int_eq(status, MM_WSTATUS_SIGNALED | SIGTERM);
	const char *report = read_report("report");
	unsigned long long mask = 1ULL << (SIGUSR2 - 1) | 1ULL << (SIGRTMIN - 1);

	ck_assert(has_line(report, "SigBlk:\t%016llx", mask));
	ck_assert_int_eq(reported_number(report, "SigIgn:\t", 16) & 1LL << (SIGPIPE - 1), 1LL << (SIGPIPE - 1));
	ck_assert_int_eq(reported_number(report, "SigIgn:\t", 16) & 1LL << (SIGTERM - 1), 0);

	/* The caller's are unchanged, also after a failure. */
	ck_assert_int_eq(mm_spawn(&pid, "./missing", 0, NULL, 0, NULL, NULL), -1);
	ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
	for (int signum = 1; signum < 32; signum++)
		ck_assert_int_eq(sigismember(&after, signum), sigismember(&blocked, signum));
	ck_assert_int_eq(sigaction(SIGTERM, NULL, &action), 0);
	ck_assert(action.sa_handler == count_call);
	leave_scratch_directory();
}
END_TEST

static bool storm_is_over;

/* Signals the whole process group, which includes each child from its creation. */
static void *make_storm(void *arg)
{
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGWINCH);
	pthread_sigmask(SIG_BLOCK, &blocked, NULL);
	while (!__atomic_load_n(&storm_is_over, __ATOMIC_RELAXED)) {
		kill(0, SIGWINCH);
		usleep(50);
	}
	return arg;
}

START_TEST(storm_of_signals_does_not_make_a_started_program_an_error)
{
	/* Its default action is to ignore it, so it ends no program. */
	struct sigaction action = {.sa_handler = count_call};
	int rounds = is_under_valgrind() ? 20 : 300;
	mm_pid_t pid;

	own_pid = getpid();
	ck_assert_int_eq(setpgid(0, 0), 0);
	ck_assert_int_eq(sigaction(SIGWINCH, &action, NULL), 0);
	pthread_t storm = start_thread(make_storm, NULL);

	for (int i = 0; i < rounds; i++) {
		int status, result;

		assert_spawns(&pid, CHILD, 0, NULL, 0, ARGUMENTS("-", "exit", "3"), NULL);
		do
			result = mm_wait_process(pid, &status);
		while (result == -1 && mm_get_lasterror_number() == EINTR);
		ck_assert_int_eq(result, 0);
		ck_assert_int_eq(status, MM_WSTATUS_EXITED | 3);
		assert_fails(mm_spawn(&pid, "./missing", 0, NULL, 0, NULL, NULL), ENOENT);
		assert_spawns(NULL, CHILD, 0, NULL, MM_SPAWN_DAEMONIZE, ARGUMENTS("-"), NULL);
	}
	__atomic_store_n(&storm_is_over, true, __ATOMIC_RELAXED);
	join_thread(storm);
	ck_assert_int_gt(calls, 0);
	/* No child has run the handler, in memory that it shares with the caller. */
	ck_assert_int_eq(calls_elsewhere, 0);
}
END_TEST

START_TEST(failures_are_reported_where_children_are_not_waited_for)
{
	struct sigaction action = {.sa_handler = SIG_IGN};
	mm_pid_t pid;

	ck_assert_int_eq(sigaction(SIGCHLD, &action, NULL), 0);
	assert_fails(mm_spawn(&pid, "./missing", 0, NULL, 0, NULL, NULL), ENOENT);
	assert_fails(mm_spawn(&pid, "./missing", 0, NULL, MM_SPAWN_DAEMONIZE, NULL, NULL), ENOENT);
	assert_spawns(NULL, CHILD, 0, NULL, MM_SPAWN_DAEMONIZE, ARGUMENTS("-"), NULL);
	assert_spawns(&pid, CHILD, 0, NULL, 0, ARGUMENTS("-"), NULL);
	assert_fails(mm_wait_process(pid, NULL), ECHILD);
}
END_TEST

/* --- threads ------------------------------------------------------------------------------------------------------ */

static bool is_over;

/* Is inside the allocator, or holds the lock of a stream, nearly all the time. */
static void *allocate(void *arg)
{
	uint32_t random = (uint32_t)(intptr_t)arg;

	while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
		free(malloc(next_random(&random) % 100000));
		fprintf(stderr, "%s", "");
	}
	return NULL;
}

START_TEST(threads_inside_malloc_do_not_block_children)
{
	pthread_t threads[100];
	int count = is_under_valgrind() ? 8 : 100, rounds = is_instrumented() ? 5 : 10;
	mm_pid_t pid;

	for (int i = 0; i < count; i++)
		threads[i] = start_thread(allocate, (void *)(intptr_t)(i + 1));
	for (int i = 0; i < rounds; i++) {
		assert_spawns(&pid, CHILD, 0, NULL, 0, ARGUMENTS("-", "exit", "4"), NULL);
		assert_exits(pid, 4);
		assert_fails(mm_spawn(&pid, "missing", 0, NULL, 0, NULL, NULL), ENOENT);
		assert_spawns(NULL, CHILD, 0, NULL, MM_SPAWN_DAEMONIZE, ARGUMENTS("-"), NULL);
	}
	__atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
	for (int i = 0; i < count; i++)
		join_thread(threads[i]);
}
END_TEST

struct spawner {
	int number, rounds;
};

static void *spawn_in_turns(void *arg)
{
	const struct spawner *spawner = arg;
	char code[16];
	mm_pid_t pid;

	for (int i = 0; i < spawner->rounds; i++) {
		int expected = (spawner->number * 31 + i) % 200, ends[2];
		char byte;

		snprintf(code, sizeof(code), "%d", expected);
		ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
		assert_spawns(&pid, CHILD, 1, ((struct mm_remap_fd[]){{5, ends[1]}}), 0,
		              ARGUMENTS("-", "write", "5", "x", "exit", code), NULL);
		close_all(1, &ends[1]);
		ck_assert_int_eq(mm_read(ends[0], &byte, 1), 1);
		/* End of file: no child of another thread has this pipe open. */
		ck_assert_int_eq(mm_read(ends[0], &byte, 1), 0);
		close_all(1, &ends[0]);
		assert_exits(pid, expected);
		if (i % 10 == 0)
			assert_fails(mm_spawn(&pid, "./missing", 0, NULL, 0, NULL, NULL), ENOENT);
	}
	return NULL;
}

START_TEST(children_of_many_threads_leave_nothing_behind)
{
	struct spawner spawners[8];
	pthread_t threads[8];
	int before = count_open_descriptors();

	for (int i = 0; i < 8; i++) {
		spawners[i] = (struct spawner){i, is_under_valgrind() ? 6 : 125};
		threads[i] = start_thread(spawn_in_turns, &spawners[i]);
	}
	for (int i = 0; i < 8; i++)
		join_thread(threads[i]);
	ck_assert_int_eq(count_open_descriptors(), before);
	assert_fails(mm_wait_process(-1, NULL), ECHILD);
}
END_TEST

static void *write_until_over(void *fd)
{
	while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED))
		ck_assert_int_eq(mm_write((int)(intptr_t)fd, "x", 1), 1);
	return NULL;
}

/* A tool that tracks descriptors must not confuse those of a child with the caller's. */
START_TEST(child_closes_descriptors_that_other_threads_use)
{
	const struct mm_remap_fd map[] = {{40, -1}, {41, 40}, {41, 1}, {40, 1}, {40, -1}};
	mm_pid_t pid;
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	ck_assert_int_eq(dup2(null, 40), 40);
	ck_assert_int_eq(dup2(null, 41), 41);
	pthread_t writers[] = {start_thread(write_until_over, (void *)40), start_thread(write_until_over, (void *)41)};

	for (int i = 0; i < (is_under_valgrind() ? 5 : 100); i++) {
		assert_spawns(&pid, CHILD, 3, map + 2, 0, ARGUMENTS("-"), NULL);
		assert_exits(pid, 0);
		assert_spawns(NULL, CHILD, 3, map + 2, MM_SPAWN_DAEMONIZE, ARGUMENTS("-"), NULL);
		assert_fails(mm_spawn(&pid, CHILD, 2, map, 0, ARGUMENTS("-"), NULL), EBADF);
		assert_fails(mm_spawn(&pid, "./missing", 3, map + 2, 0, NULL, NULL), ENOENT);
	}
	__atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
	join_thread(writers[0]);
	join_thread(writers[1]);
	close_all(3, (int[]){null, 40, 41});
}
END_TEST

struct cancelled {
	int result, daemon, failure, execution, state_after;
	mm_pid_t pid;
};

/* Between the cancellation and the end, no cancellation point is called, except possibly by the library. */
static void *spawn_while_cancelled(void *arg)
{
	struct cancelled *cancelled = arg;
	const struct mm_remap_fd map[] = {{30, -1}, {31, -1}};

	/* So that directories are opened, in the children and here. */
	forbid(SYS_close_range, SECCOMP_RET_ERRNO | ENOSYS);
	pthread_cancel(pthread_self());
	cancelled->result = mm_spawn(&cancelled->pid, CHILD, 2, map, 0, ARGUMENTS("-", "exit", "6"), NULL);
	cancelled->daemon = mm_spawn(NULL, CHILD, 0, NULL, MM_SPAWN_DAEMONIZE, ARGUMENTS("-"), NULL);
	cancelled->failure = mm_spawn(NULL, "./missing", 0, NULL, 0, NULL, NULL);
	cancelled->execution = mm_execv("./missing", 2, map, 0, NULL, NULL);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelled->state_after);
	return NULL;
}

START_TEST(thread_is_not_cancelled_while_it_spawns)
{
	struct cancelled cancelled = {.state_after = -1};

	ck_assert_ptr_null(join_thread(start_thread(spawn_while_cancelled, &cancelled)));
	ck_assert_int_eq(cancelled.result, 0);
	ck_assert_int_eq(cancelled.daemon, 0);
	ck_assert_int_eq(cancelled.failure, -1);
	ck_assert_int_eq(cancelled.execution, -1);
	ck_assert_int_eq(cancelled.state_after, PTHREAD_CANCEL_ENABLE);
	assert_exits(cancelled.pid, 6);
}
END_TEST

/* --- replacing the process image ---------------------------------------------------------------------------------- */

static int execute(void *arg)
{
	const struct mm_remap_fd map[] = {{40, 1}, {2, -1}};

	(void)arg;
	mm_execv(CHILD, 2, map, 0, ARGUMENTS("report", "exit", "42"), ((char *[]){"A=1", NULL}));
	return 1;
}

START_TEST(execv_replaces_the_process_image)
{
	enter_scratch_directory();
	pid_t pid = start_child(execute, NULL);

	assert_exits(pid, 42);
	const char *report = read_report("report");

	ck_assert_int_eq(reported_number(report, "pid ", 10), pid);
	ck_assert_ptr_nonnull(strstr(report, "\narg 42\nenv A=1\nfd 0 "));
	ck_assert_ptr_nonnull(strstr(report, "\nfd 40 "));
	ck_assert_ptr_null(strstr(report, "\nfd 2 "));
	ck_assert_ptr_null(strstr(report, "\nfd 3 "));
	leave_scratch_directory();
}
END_TEST

static int execute_kept(void *arg)
{
	(void)arg;
	ck_assert_int_eq(dup2(0, 40), 40);
	setenv("PATH", PROGRAMS_DIR, 1);
	mm_execv("child", 1, NULL, MM_SPAWN_KEEP_FDS, ARGUMENTS("report"), NULL);
	return 1;
}

START_TEST(execv_can_keep_descriptors)
{
	enter_scratch_directory();
	assert_exits(start_child(execute_kept, NULL), 0);
	const char *report = read_report("report");

	ck_assert_ptr_nonnull(strstr(report, "\nfd 40 "));
	ck_assert(has_line(report, "env PATH=" PROGRAMS_DIR));
	leave_scratch_directory();
}
END_TEST

static int execute_among_threads(void *arg)
{
	start_thread(allocate, (void *)1);
	start_thread(allocate, (void *)2);
	sleep_ms(10);
	return execute(arg);
}

START_TEST(execv_works_beside_other_threads)
{
	enter_scratch_directory();
	assert_exits(start_child(execute_among_threads, NULL), 42);
	leave_scratch_directory();
}
END_TEST

static int fail_to_execute(void *arg)
{
	const struct mm_remap_fd map[] = {{40, 1}, {41, 99}, {42, 1}};
	int fd = mm_open("file", O_WRONLY | O_CREAT, MODE_DEF);

	(void)arg;
	ck_assert_int_eq(fcntl(fd, F_SETFD, 0), 0);
	assert_fails(mm_execv("./missing", 0, NULL, MM_SPAWN_KEEP_FDS, NULL, NULL), ENOENT);
	assert_fails(mm_execv("missing", 0, NULL, MM_SPAWN_KEEP_FDS, NULL, NULL), ENOENT);
	assert_fails(mm_execv(".", 0, NULL, MM_SPAWN_KEEP_FDS, NULL, NULL), EACCES);
	ck_assert_int_eq(fcntl(fd, F_GETFD), 0);
	/* Changes made before the failure remain, as documented. */
	assert_fails(mm_execv(CHILD, 3, map, 0, NULL, NULL), EBADF);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert(is_open(40) && !is_open(41) && !is_open(42));
	return 0;
}

START_TEST(execv_failure_is_reported)
{
	enter_scratch_directory();
	assert_child_succeeds(start_child(fail_to_execute, NULL));
	leave_scratch_directory();
}
END_TEST

SUITE(blocked_and_ignored_signals_are_inherited_and_caught_ones_are_reset,
      storm_of_signals_does_not_make_a_started_program_an_error,
      failures_are_reported_where_children_are_not_waited_for, threads_inside_malloc_do_not_block_children,
      children_of_many_threads_leave_nothing_behind, child_closes_descriptors_that_other_threads_use,
      thread_is_not_cancelled_while_it_spawns, execv_replaces_the_process_image, execv_can_keep_descriptors,
      execv_works_beside_other_threads, execv_failure_is_reported)
