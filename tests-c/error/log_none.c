/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_none.c: a program that is compiled without log lines
 */
#define MM_LOG_MAXLEVEL MM_LOG_NONE
#include "suite.h"

#include <setjmp.h>

static sigjmp_buf after_abort;

static void leave_abort(int signum)
{
	siglongjmp(after_abort, signum);
}

static void crash(void)
{
	mm_crash("bad %s", "thing");
}

static void check_falsely(void)
{
	int a = 5;

	mm_check(a == 4);
}

/* The output to standard error until the program would have ended. */
static const char *printed_by_abort_of(void (*run)(void))
{
	struct sigaction action = {.sa_handler = leave_abort};
	static char text[1024];
	int fds[2], saved = dup(STDERR_FILENO);

	ck_assert_int_eq(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	mm_log_set_maxlvl(MM_LOG_INFO);
	sigaction(SIGABRT, &action, NULL);
	if (sigsetjmp(after_abort, 1) == 0) {
		run();
		ck_abort_msg("not aborted");
	}
	dup2(saved, STDERR_FILENO);
	close_all(2, (const int[]){saved, fds[1]});
	ssize_t size = read(fds[0], text, sizeof(text) - 1);

	ck_assert_int_ge(size, 0);
	text[size] = '\0';
	close_all(1, fds);
	return text;
}

START_TEST(crash_prints_its_reason)
{
	const char *text = printed_by_abort_of(crash);

	ck_assert_msg(strstr(text, " FATAL ") != NULL, "%s", text);
	ck_assert_msg(strstr(text, "bad thing (crash() in tests-c/error/log_none.c:") != NULL, "%s", text);
}
END_TEST

START_TEST(false_check_prints_its_reason)
{
	const char *text = printed_by_abort_of(check_falsely);

	ck_assert_msg(strstr(text, "mm_check(a == 4) failed.  (check_falsely() in tests-c/error/log_none.c:") != NULL,
	              "%s", text);
}
END_TEST

static void print_all(void)
{
	mm_log_fatal("x");
	mm_log_error("x");
	mm_log_warn("x");
	mm_log_info("x");
	mm_log_debug("x");
	abort();
}

START_TEST(log_lines_are_omitted)
{
	ck_assert_str_eq(printed_by_abort_of(print_all), "");
}
END_TEST

/* As in mmlib, the macro takes no argument: a program can put it before any expression. */
static int count;

START_TEST(void_cast_is_a_cast)
{
	MM_LOG_VOID_CAST count++;
	MM_LOG_VOID_CAST(count++);
	ck_assert_int_eq(count, 2);
	ck_assert_str_eq(MM_STRINGIFY(MM_LOG_VOID_CAST), "(void)");
}
END_TEST

SUITE(crash_prints_its_reason, false_check_prints_its_reason, log_lines_are_omitted, void_cast_is_a_cast)
