/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.c: calls of the functions for the error state and the log
 */
#include "calls.h"

#include <errno.h>
#include <stdarg.h>

void call_mm_strerror(struct input *in)
{
	CHECK(mm_strerror(take_chance(in, 2) ? take_int(in) : 1000 + take_byte(in)) != NULL,
	      "mm_strerror returned NULL");
	was_success(true);
}

void call_mm_strerror_r(struct input *in)
{
	int number = take_chance(in, 2) ? take_int(in) : 1000 + take_byte(in);
	size_t size = take_size(in);
	char *buffer = take_output(in, size);
	int result = mm_strerror_r(number, buffer, size);

	CHECK(buffer == NULL || size == 0 || memchr(buffer, '\0', size) != NULL,
	      "mm_strerror_r did not terminate its result");
	was_success(result == 0);
}

/* The strings of an error raised by the program. */
struct report {
	int number, line;
	char *module, *function, *file, *identifier, *text;
};

static struct report take_report(struct input *in)
{
	struct report report = {.number = take_int(in), .line = take_int(in)};

	for (char **string = &report.module; string <= &report.text; string++) {
		static const unsigned lengths[] = {31, 32, 63, 64, 255, 256, 300, 3000};
		unsigned kind = take_below(in, 4);

		*string = kind == 0   ? NULL
		          : kind == 1 ? take_repeated(in, "text\n", lengths, MM_NELEM(lengths))
		                      : take_bytes_as_string(in, 1 + take_below(in, 40));
	}
	return report;
}

static void check_raised(int result, int number, int flags)
{
	CHECK(result == -1, "raising an error returned %d", result);
	was_success(true);
	if (!(flags & MM_ERROR_IGNORE)) {
		CHECK(mm_get_lasterror_number() == number, "error %d was raised, but the error state has %d", number,
		      mm_get_lasterror_number());
		CHECK(number == 0 || errno == number, "error %d was raised, but errno is %d", number, errno);
	}
}

void call_mm_raise_error_full(struct input *in)
{
	struct report report = take_report(in);
	int flags = mm_error_set_flags(0, 0);

	check_raised(mm_raise_error_full(report.number, report.module, report.function, report.file, report.line,
	                                 report.identifier, report.text == NULL ? NULL : "%s%m", report.text),
	             report.number, flags);
}

static int raise_by_list(const struct report *report, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int result = mm_raise_error_vfull(report->number, report->module, report->function, report->file, report->line,
	                                  report->identifier, format, args);

	va_end(args);
	return result;
}

void call_mm_raise_error_vfull(struct input *in)
{
	struct report report = take_report(in);
	int flags = mm_error_set_flags(0, 0);

	check_raised(raise_by_list(&report, "%s %d", report.text, report.line), report.number, flags);
}

void call_mm_raise_from_errno_full(struct input *in)
{
	struct report report = take_report(in);
	int flags = mm_error_set_flags(0, 0);

	errno = report.number;
	check_raised(mm_raise_from_errno_full(report.module, report.function, report.file, report.line,
	                                      report.identifier, report.text == NULL ? NULL : "%.300s", report.text),
	             report.number, flags);
}

void call_mm_error_set_flags(struct input *in)
{
	int flags = take_int(in), mask = take_int(in), before = mm_error_set_flags(0, 0);

	CHECK(mm_error_set_flags(flags, mask) == before, "the returned flags are not the previous flags");
	CHECK(mm_error_set_flags(0, 0) == ((flags & mask) | (before & ~mask)), "the flags are not those that were set");
	was_success(true);
}

static struct mm_error_state saved_state;

void forget_saved_error(void)
{
	memset(&saved_state, 0, sizeof(saved_state));
}

void call_mm_save_errorstate(struct input *in)
{
	struct mm_error_state *buffer = take_output(in, sizeof(*buffer));

	if (CALL(mm_save_errorstate, buffer) == 0)
		saved_state = *buffer;
}

void call_mm_set_errorstate(struct input *in)
{
	struct mm_error_state *state = exact_memory(sizeof(*state));

	*state = saved_state;
	if (take_chance(in, 2)) {
		for (size_t i = 0; i < sizeof(state->data) && in->size > 0; i++)
			state->data[take_u32(in) % sizeof(state->data)] = (char)take_byte(in);
	}
	if (take_chance(in, 16)) {
		CALL(mm_set_errorstate, NULL);
		return;
	}
	was_success(mm_set_errorstate(state) == 0);
	CHECK(strlen(mm_get_lasterror_desc()) < 256 && strlen(mm_get_lasterror_location()) < 256,
	      "a string is not terminated");
}

void call_mm_print_lasterror(struct input *in)
{
	char *text = take_bytes_as_string(in, 32);

	if (take_chance(in, 4))
		mm_print_lasterror(NULL);
	else
		mm_print_lasterror("%s %d", text, 1);
	was_success(true);
}

void call_mm_get_lasterror_number(struct input *in)
{
	(void)in;
	mm_get_lasterror_number();
	was_success(true);
}

static void check_text(const char *text, size_t size)
{
	CHECK(text != NULL && strnlen(text, size) < size, "a string of the last error is not terminated");
	was_success(true);
}

void call_mm_get_lasterror_desc(struct input *in)
{
	(void)in;
	check_text(mm_get_lasterror_desc(), 256);
}

void call_mm_get_lasterror_location(struct input *in)
{
	(void)in;
	check_text(mm_get_lasterror_location(), 256);
}

void call_mm_get_lasterror_extid(struct input *in)
{
	(void)in;
	const char *identifier = mm_get_lasterror_extid();

	CHECK(identifier == NULL || identifier[0] != '\0', "an empty identifier is not NULL");
	check_text(identifier == NULL ? "" : identifier, 64);
}

void call_mm_get_lasterror_module(struct input *in)
{
	(void)in;
	check_text(mm_get_lasterror_module(), 32);
}

void call_mm_log(struct input *in)
{
	struct report report = take_report(in);
	struct mm_error_state before, after;
	int level = take_chance(in, 4) ? take_int(in) : (int)take_below(in, 6) - 1;

	mm_save_errorstate(&before);
	errno = 12345;
	mm_log(level, report.module, report.text == NULL ? NULL : "%s", report.text);
	CHECK(errno == 12345, "mm_log changed errno to %d", errno);
	mm_save_errorstate(&after);
	CHECK(memcmp(&before, &after, sizeof(after)) == 0, "mm_log changed the error state");
	was_success(true);
}

void call_mm_log_set_maxlvl(struct input *in)
{
	mm_log_set_maxlvl(take_chance(in, 2) ? take_int(in) : (int)take_below(in, 6) - 1);
	was_success(true);
}
