/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_forks.c: log lines of forked children, and their timestamps
 */
#include "child.h"
#include "stderr.h"

#include <time.h>

static volatile bool stops;

/* Keeps the C library's time zone lock busy, as any program may. */
static void *ask_for_the_time(void *arg)
{
	(void)arg;
	while (!stops) {
		time_t now = time(NULL);
		struct tm time;

		localtime_r(&now, &time);
	}
	return NULL;
}

/* A child created in that way logs, and ends in time. */
static void assert_child_logs(pid_t (*make)(void))
{
	pid_t child = make();

	if (child == 0) {
		mm_open("/nonexistent", O_RDONLY, 0);
		_exit(mm_get_lasterror_number() == ENOENT ? 0 : 1);
	}
	int64_t start = now_ms();
	int status;

	while (waitpid(child, &status, WNOHANG) == 0) {
		ck_assert_msg(now_ms() - start < 20000, "a child hangs in a log line");
		usleep(20);
	}
	ck_assert_int_eq(status, 0);
}

START_TEST(child_forked_while_threads_convert_times_can_log)
{
	pthread_t threads[2];

	/* The sanitizer does not handle the C library's lock. */
	if (is_under_helgrind())
		return;
	int null = open("/dev/null", O_WRONLY), rounds = is_instrumented() ? 20 : 300;

	save_stderr();
	dup2(null, STDERR_FILENO);
	for (int i = 0; i < 2; i++)
		threads[i] = start_thread(ask_for_the_time, NULL);
	/* A raw clone() calls no fork handler: its child detects the fork only if the parent has logged before. */
	mm_log_error("a line");
	for (int i = 0; i < rounds; i++) {
		assert_child_logs(fork);
		if (!is_under_valgrind())
			assert_child_logs(fork_by_clone);
	}
	stops = true;
	for (int i = 0; i < 2; i++)
		join_thread(threads[i]);
	close(null);
	restore_stderr();
}
END_TEST

static void *wait_for_the_end(void *arg)
{
	while (!stops)
		sleep_ms(1);
	return arg;
}

/* The difference in minutes between the timestamp of the next line and UTC, rounded. */
static int offset_of_stamp(void)
{
	struct tm stamp = {0};
	const char *end = strptime(collected(), "%d/%m/%y %H:%M:%S ", &stamp);

	ck_assert_ptr_nonnull(end);
	return (int)((timegm(&stamp) - time(NULL) + 30 + 86400 * 2) / 60) - 2880;
}

static void assert_offset_in_child(pid_t (*make)(void), int expected)
{
	pid_t child = make();
	int status;

	if (child == 0) {
		mm_log_error("a line");
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(offset_of_stamp(), expected);
}

static int check_stamps_of_children(void *logs_first)
{
	setenv("TZ", "<+0545>-5:45", 1);
	tzset();
	collect_lines();
	if (logs_first != NULL) {
		mm_log_error("a line");
		ck_assert_int_eq(offset_of_stamp(), 345);
	}
	pthread_t thread = start_thread(wait_for_the_end, NULL);

	assert_offset_in_child(fork, 345);
	if (logs_first != NULL && !is_under_valgrind())
		assert_offset_in_child(fork_by_clone, 345);
	stops = true;
	join_thread(thread);
	stop_collecting();
	return 0;
}

START_TEST(timestamps_of_forked_children_are_local_time)
{
	assert_child_succeeds(start_child(check_stamps_of_children, NULL));
	assert_child_succeeds(start_child(check_stamps_of_children, ""));
}
END_TEST

static int check_stamps_of_daemon(void *arg)
{
	/* A child of a single-threaded program, which may be long-lived, asks the C library itself. */
	setenv("TZ", "UTC", 1);
	tzset();
	collect_lines();
	mm_log_error("a line");
	ck_assert_int_eq(offset_of_stamp(), 0);
	pid_t child = fork();
	int status;

	if (child == 0) {
		setenv("TZ", "<-0330>3:30", 1);
		tzset();
		mm_log_error("a line");
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(offset_of_stamp(), -210);
	stop_collecting();
	(void)arg;
	return 0;
}

START_TEST(daemon_follows_its_time_zone)
{
	assert_child_succeeds(start_child(check_stamps_of_daemon, NULL));
}
END_TEST

SUITE(child_forked_while_threads_convert_times_can_log, timestamps_of_forked_children_are_local_time,
      daemon_follows_its_time_zone)
