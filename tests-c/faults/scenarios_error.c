/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scenarios_error.c: mmerrno.h, mmlog.h and mmtime.h
 */
#include "scenario.h"

#include <stdarg.h>
#include <time.h>

/* Log lines and reports are discarded. */
static int redirected(int fd)
{
	int copy = dup(fd), nowhere = open("/dev/null", O_WRONLY);

	require(copy >= 0 && nowhere >= 0 && dup2(nowhere, fd) == fd && close(nowhere) == 0);
	return copy;
}

static void restore(int fd, int copy)
{
	require(dup2(copy, fd) == fd && close(copy) == 0);
}

/* --- the error state ---------------------------------------------------------------------------------------------- */

/* Raising always succeeds, whatever call fails: the state contains the number. */
#define RAISE_SCENARIO(name, call)                                               \
	static void name(void)                                                   \
	{                                                                        \
		int copy = redirected(STDERR_FILENO);                            \
		mm_log_set_maxlvl(MM_LOG_ERROR);                                 \
		TRY_VOID(call);                                                  \
		require(errno == ENOENT && mm_get_lasterror_number() == ENOENT); \
		mm_log_set_maxlvl(MM_LOG_NONE);                                  \
		restore(STDERR_FILENO, copy);                                    \
	}

__attribute__((format(printf, 1, 2))) static int raise_with_list(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	int result = mm_raise_error_vfull(ENOENT, "module", "function", "file", 1, NULL, format, arguments);
	va_end(arguments);
	return result;
}

RAISE_SCENARIO(raise_error, mm_raise_error_full(ENOENT, "module", "function", "file", 1, "id", "text %d", 1))
RAISE_SCENARIO(raise_error_with_list, raise_with_list("text %d", 1))
RAISE_SCENARIO(raise_from_errno,
               (errno = ENOENT, mm_raise_from_errno_full("module", "function", "file", 1, "id", "text %d", 1)))

static void set_flags(void)
{
	TRY_VOID(mm_error_set_flags(0, 0));
}

static void save_state(void)
{
	struct mm_error_state state;
	int result;

	TRY(result, mm_save_errorstate(&state));
}

static void set_state(void)
{
	struct mm_error_state state;
	int result;

	require(mm_save_errorstate(&state) == 0);
	memset(&state, 0, sizeof(state));
	TRY(result, mm_set_errorstate(&state));
}

static void print_state(void)
{
	int copy = redirected(STDOUT_FILENO);

	TRY_VOID((mm_print_lasterror("info %d", 1), errno = ENOENT, mm_print_lasterror(NULL)));
	fflush(stdout);
	restore(STDOUT_FILENO, copy);
}

static void get_state(void)
{
	TRY_VOID((mm_get_lasterror_number(), mm_get_lasterror_desc(), mm_get_lasterror_location(),
	          mm_get_lasterror_extid(), mm_get_lasterror_module()));
}

static void text_of_a_number(void)
{
	const char *text;

	if (TRY_POINTER(text, mm_strerror(ENOENT)))
		require(text[0] != '\0');
}

/* It reports failure by its return value. */
static void copied_text_of_a_number(void)
{
	char text[64] = "";
	int result;

	TRY_VOID(result = mm_strerror_r(ENOENT, text, sizeof(text)));
	require(result == 0 || result == EINVAL || result == ERANGE);
}

static void log_a_line(void)
{
	int copy = redirected(STDERR_FILENO);

	mm_log_set_maxlvl(MM_LOG_DEBUG);
	TRY_VOID(mm_log(MM_LOG_INFO, "place", "text %d", 1));
	require(errno == 0);
	mm_log_set_maxlvl(MM_LOG_NONE);
	restore(STDERR_FILENO, copy);
}

static void log_a_line_to_a_pipe(void)
{
	int copy = dup(STDERR_FILENO), ends[2];

	require(copy >= 0 && pipe(ends) == 0 && dup2(ends[1], STDERR_FILENO) >= 0);
	mm_log_set_maxlvl(MM_LOG_DEBUG);
	TRY_VOID(mm_log(MM_LOG_INFO, "place", "text %d", 1));

	mm_log_set_maxlvl(MM_LOG_NONE);
	restore(STDERR_FILENO, copy);
	close(ends[0]);
	close(ends[1]);
}

/* The error is that of the call, even if its line cannot be logged. */
static void log_a_failure(void)
{
	int copy = redirected(STDERR_FILENO), result;

	mm_log_set_maxlvl(MM_LOG_ERROR);
	TRY(result, mm_unlink("nothing"));
	mm_log_set_maxlvl(MM_LOG_NONE);
	restore(STDERR_FILENO, copy);
}

static void set_maximum(void)
{
	TRY_VOID(mm_log_set_maxlvl(MM_LOG_NONE));
}

const struct scenario error_scenarios[] = {
	{"mm_strerror", "errno", text_of_a_number},
	{"mm_strerror_r", "errno", copied_text_of_a_number},
	{"mm_raise_error_full", "logged", raise_error},
	{"mm_raise_error_vfull", "logged", raise_error_with_list},
	{"mm_raise_from_errno_full", "logged", raise_from_errno},
	{"mm_error_set_flags", "none", set_flags},
	{"mm_save_errorstate", "state", save_state},
	{"mm_set_errorstate", "state", set_state},
	{"mm_print_lasterror", "none", print_state},
	{"mm_get_lasterror_number", "all", get_state},
	{"mm_get_lasterror_desc", "all", get_state},
	{"mm_get_lasterror_location", "all", get_state},
	{"mm_get_lasterror_extid", "all", get_state},
	{"mm_get_lasterror_module", "all", get_state},
	{"mm_log", "line", log_a_line},
	{"mm_log", "pipe", log_a_line_to_a_pipe},
	{"mm_unlink", "logged", log_a_failure, .ends_with = ENOENT},
	{"mm_log_set_maxlvl", "none", set_maximum},
	{NULL},
};

/* --- time --------------------------------------------------------------------------------------------------------- */

static void gettime_tells(void)
{
	struct mm_timespec time;
	int result;

	TRY(result, mm_gettime(CLOCK_MONOTONIC, &time));
}

static void getres_tells(void)
{
	struct mm_timespec time;
	int result;

	TRY(result, mm_getres(CLOCK_MONOTONIC, &time));
}

static void nanosleep_sleeps(void)
{
	struct mm_timespec time = {0};
	int result;

	TRY(result, mm_nanosleep(CLOCK_MONOTONIC, &time));
}

static void sleep_in_ms(void)
{
	int result;

	TRY(result, mm_relative_sleep_ms(1));
}

static void sleep_in_us(void)
{
	int result;

	TRY(result, mm_relative_sleep_us(1));
}

static void sleep_in_ns(void)
{
	int result;

	TRY(result, mm_relative_sleep_ns(1));
}

const struct scenario time_scenarios[] = {
	{"mm_gettime", "monotonic", gettime_tells},
	{"mm_getres", "monotonic", getres_tells},
	{"mm_nanosleep", "past", nanosleep_sleeps},
	{"mm_relative_sleep_ms", "one", sleep_in_ms},
	{"mm_relative_sleep_us", "one", sleep_in_us},
	{"mm_relative_sleep_ns", "one", sleep_in_ns},
	{NULL},
};
