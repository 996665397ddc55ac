/* SPDX-License-Identifier: Apache-2.0 */
/*
 * formats.c: an input is a printf format with its arguments, and a function that raises, prints or logs with it
 *
 * The format comes from the program, which must pass matching arguments. Everything else is arbitrary: results of any
 * length, invalid multibyte text, strings at the end of mapped memory. The stored and logged text must be what the C
 * library's printf() produces, truncated as documented.
 */
#include "world.h"

#include <errno.h>
#include <locale.h>
#include <unistd.h>
#include <wchar.h>

#define TEXT 256

/* --- arguments ---------------------------------------------------------------------------------------------------- */

/* Types of arguments. A variadic function needs the number of arguments of each type at compile time. */
enum { INT, LONG, DOUBLE, POINTER };
#define ARGUMENTS 3

union argument {
	int i;
	long long l;
	double d;
	const void *p;
};

static union argument arguments[ARGUMENTS];
static int types[ARGUMENTS], used;

#define VALUE_0(n) arguments[n].i
#define VALUE_1(n) arguments[n].l
#define VALUE_2(n) arguments[n].d
#define VALUE_3(n) arguments[n].p
#define CASE(call, a, b, c)                                              \
	case a + 4 * b + 16 * c:                                         \
		result = call(VALUE_##a(0), VALUE_##b(1), VALUE_##c(2)); \
		break;
#define CASES_2(call, b, c) CASE(call, 0, b, c) CASE(call, 1, b, c) CASE(call, 2, b, c) CASE(call, 3, b, c)
#define CASES_1(call, c) CASES_2(call, 0, c) CASES_2(call, 1, c) CASES_2(call, 2, c) CASES_2(call, 3, c)
/* Calls the macro with the three arguments, each of its type. */
#define WITH_ARGUMENTS(call)                                       \
	({                                                         \
		int result = 0;                                    \
		switch (types[0] + 4 * types[1] + 16 * types[2]) { \
			CASES_1(call, 0)                           \
			CASES_1(call, 1)                           \
			CASES_1(call, 2)                           \
			CASES_1(call, 3)                           \
		}                                                  \
		result;                                            \
	})

static char format[2048];
static size_t format_length;

static void append(const char *text)
{
	size_t length = strlen(text);

	if (format_length + length < sizeof(format)) {
		memcpy(format + format_length, text, length + 1);
		format_length += length;
	}
}

static union argument *next_argument(int type)
{
	types[used] = type;
	return &arguments[used++];
}

static void append_number(struct input *in, unsigned limit)
{
	char text[16];
	unsigned number = take_u32(in) % limit;

	snprintf(text, sizeof(text), "%u", number);
	append(text);
}

/* A string at the end of mapped memory; without a terminator if a precision limits its length. */
static const char *take_string(struct input *in, int precision)
{
	char bytes[600];
	size_t length = 0, wanted = take_chance(in, 4) ? 300 + take_byte(in) : take_below(in, 40);

	while (length < wanted && in->size > 0) {
		uint8_t byte = take_byte(in);

		bytes[length++] = (char)(byte != 0 ? byte : 'z');
	}
	while (wanted >= 300 && length < wanted)
		bytes[length++] = 'y';
	if (precision >= 0 && (size_t)precision <= length)
		return memcpy(exact_memory((size_t)precision), bytes, (size_t)precision);
	return exact_string(bytes, length);
}

static const wchar_t *take_wide_string(struct input *in)
{
	size_t length = take_below(in, 20);
	wchar_t *string = exact_memory((length + 1) * sizeof(*string));

	for (size_t i = 0; i < length; i++)
		string[i] = take_chance(in, 8) ? (wchar_t)take_u32(in) : (wchar_t)(1 + take_byte(in));
	string[length] = L'\0';
	return string;
}

static void append_conversion(struct input *in)
{
	static const char *const flags[] = {"", "", "-", "+", " ", "#", "0", "'", "-#", "+0"};
	static const double doubles[] = {0.0, -1.5, 1e308, 5e-324, 1e22, 123456.789};
	static const char int_conversions[] = "dixXuoc", double_conversions[] = "feEgGaA";
	char conversion[4] = "";
	int precision = -1;

	if (take_chance(in, 12)) {
		append("%m");
		return;
	}
	append("%");
	append(TAKE_ONE(in, flags));
	if (take_chance(in, 3)) {
		append_number(in, 700);
	} else if (take_chance(in, 6) && used + 1 < ARGUMENTS) {
		append("*");
		next_argument(INT)->i = (int)(take_u32(in) % 1400) - 700;
	}
	if (take_chance(in, 3)) {
		precision = take_byte(in);
		char text[16];

		snprintf(text, sizeof(text), ".%d", precision);
		append(text);
	}
	switch (take_below(in, 6)) {
	case 0:
		append(take_chance(in, 3) ? "hh" : take_chance(in, 3) ? "h" : "");
		conversion[0] = int_conversions[take_below(in, 6)];
		next_argument(INT)->i = take_int(in);
		break;
	case 1:
		append("ll");
		conversion[0] = int_conversions[take_below(in, 6)];
		next_argument(LONG)->l = take_int64(in);
		break;
	case 2:
		conversion[0] = double_conversions[take_below(in, 7)];
		next_argument(DOUBLE)->d = TAKE_ONE(in, doubles);
		break;
	case 3:
		append(take_chance(in, 2) ? "l" : "");
		conversion[0] = 'c';
		next_argument(INT)->i = take_chance(in, 2) ? take_byte(in) : take_int(in);
		break;
	case 4:
		append("l");
		conversion[0] = 's';
		next_argument(POINTER)->p = take_wide_string(in);
		break;
	default:
		conversion[0] = 's';
		next_argument(POINTER)->p = take_string(in, precision);
	}
	append(conversion);
}

static void take_format(struct input *in)
{
	format_length = 0;
	format[0] = '\0';
	used = 0;
	for (int i = 0; i < ARGUMENTS; i++) {
		types[i] = INT;
		arguments[i].l = 0;
	}
	for (int i = 0; i < 6 && in->size > 0; i++) {
		if (take_chance(in, 2) && used < ARGUMENTS) {
			append_conversion(in);
			continue;
		}
		for (unsigned count = take_chance(in, 8) ? 300 : take_below(in, 20); count > 0; count--) {
			char literal[3] = {(char)take_byte(in), '\0', '\0'};

			if (literal[0] == '%')
				literal[1] = '%';
			append(literal[0] == '\0' ? "-" : literal);
		}
	}
}

/* --- the expected result ------------------------------------------------------------------------------------------ */

static int number, line, caller_errno, level;
static const char *module, *function, *file, *identifier, *fmt;

static char expected_text[8192], expected_location[TEXT];
static int expected_length;

static const char *or_unknown(const char *string)
{
	return string != NULL ? string : "unknown";
}

static void expect(void)
{
#define FORMAT(...) snprintf(expected_text, sizeof(expected_text), fmt, __VA_ARGS__)
	errno = caller_errno;
	expected_length = fmt == NULL ? -1 : WITH_ARGUMENTS(FORMAT);
	if (expected_length < 0)
		expected_text[0] = '\0';
	snprintf(expected_location, sizeof(expected_location), "%.255s() in %.255s:%d", or_unknown(function),
	         or_unknown(file), line);
}

static void is_cut(const char *what, const char *found, const char *expected, size_t size)
{
	size_t length = strlen(expected) < size ? strlen(expected) : size - 1;

	CHECK(strlen(found) == length && memcmp(found, expected, length) == 0, "the %s is %s, not %.*s", what, found,
	      (int)length, expected);
}

/* The single line that was logged. Its first 18 bytes are the time. */
static void is_logged(long from, const char *level_name, const char *who, const char *message)
{
	char log[1024], expected[20000];
	size_t length = read_log(from, log, sizeof(log));

	snprintf(expected, sizeof(expected), "DD/MM/YY HH:MM:SS %-5s %-16.255s : %s", level_name, who, message);
	if (strlen(expected) > 255)
		expected[255] = '\0';
	strcat(expected, "\n");
	CHECK(length == strlen(expected), "%zu bytes were logged, not %zu: %s", length, strlen(expected), log);
	CHECK(memcmp(log + 18, expected + 18, length - 18) == 0, "the log contains %s, not %s", log, expected);
}

static void check_raised(int result, int expected_number, long log_before, int flags,
                         const struct mm_error_state *before)
{
	struct mm_error_state after;
	char message[600];

	CHECK(result == -1, "raising returned %d", result);
	if (flags & MM_ERROR_IGNORE) {
		mm_save_errorstate(&after);
		CHECK(memcmp(before, &after, sizeof(after)) == 0 && log_size() == log_before,
		      "an ignored error changed the error state");
		return;
	}
	CHECK(errno == (expected_number != 0 ? expected_number : caller_errno), "errno is %d", errno);
	CHECK(mm_get_lasterror_number() == expected_number, "the error number is %d", mm_get_lasterror_number());
	is_cut("description", mm_get_lasterror_desc(), expected_text, TEXT);
	is_cut("location", mm_get_lasterror_location(), expected_location, TEXT);
	is_cut("module", mm_get_lasterror_module(), or_unknown(module), 32);
	is_cut("identifier", mm_get_lasterror_extid() != NULL ? mm_get_lasterror_extid() : "",
	       identifier != NULL ? identifier : "", 64);
	snprintf(message, sizeof(message), "%s (%s)", mm_get_lasterror_desc(), expected_location);
	if (flags & MM_ERROR_NOLOG)
		CHECK(log_size() == log_before, "an error was logged in spite of MM_ERROR_NOLOG");
	else
		is_logged(log_before, "ERROR", or_unknown(module), message);
}

static int raise_by_list(const char *desc, ...)
{
	va_list args;

	va_start(args, desc);
	int result = mm_raise_error_vfull(number, module, function, file, line, identifier, desc, args);

	va_end(args);
	return result;
}

static void raise_and_check(unsigned kind, int flags)
{
	struct mm_error_state before;
	long log_before = log_size();
	int result;

	mm_error_set_flags(flags, MM_ERROR_IGNORE | MM_ERROR_NOLOG);
	mm_save_errorstate(&before);
	errno = caller_errno;
	if (kind == 0) {
#define RAISE(...) mm_raise_error_full(number, module, function, file, line, identifier, fmt, __VA_ARGS__)
		result = WITH_ARGUMENTS(RAISE);
	} else if (kind == 1) {
#define RAISE_BY_LIST(...) raise_by_list(fmt, __VA_ARGS__)
		result = WITH_ARGUMENTS(RAISE_BY_LIST);
	} else {
#define RAISE_FROM_ERRNO(...) mm_raise_from_errno_full(module, function, file, line, identifier, fmt, __VA_ARGS__)
		result = WITH_ARGUMENTS(RAISE_FROM_ERRNO);
		int error = errno;

		/* The formatted text is truncated before the message of errno is appended. */
		if (strlen(expected_text) > TEXT - 1)
			expected_text[TEXT - 1] = '\0';
		snprintf(expected_text + strlen(expected_text), 300, " ; %s", strerror(caller_errno));
		errno = error;
	}
	check_raised(result, kind == 2 ? caller_errno : number, log_before, flags, &before);
}

static void print_and_check(void)
{
	static char output[16384], expected[16384];

	read_output(output, sizeof(output));
	raise_by_list("%s", expected_text);
	errno = caller_errno;
#define PRINT(...) (mm_print_lasterror(fmt, __VA_ARGS__), 0)
	WITH_ARGUMENTS(PRINT);
	size_t length = read_output(output, sizeof(output));

	clearerr(stdout);
	if (fmt != NULL && expected_length < 0)
		return;
	int at = fmt == NULL ? 0 : snprintf(expected, sizeof(expected), "%s\n", expected_text);

	/* A NUL byte printed by %c ends our expected text, but not the printed one. */
	if (fmt != NULL && (size_t)expected_length != strlen(expected_text))
		return;
	if (number != 0) {
		snprintf(expected + at, sizeof(expected) - (size_t)at,
		         "Last error reported:\n\terrnum=%d : %s\n\tmodule: %s\n\tlocation: %s\n\tdescription: "
		         "%s\n\textented_id: %s\n",
		         number, mm_strerror(number), mm_get_lasterror_module(), mm_get_lasterror_location(),
		         mm_get_lasterror_desc(), mm_get_lasterror_extid() != NULL ? mm_get_lasterror_extid() : "");
		CHECK(length == strlen(expected) && strcmp(output, expected) == 0, "%s was printed, not %s", output,
		      expected);
	}
}

static void log_and_check(void)
{
	static const char *const names[] = {"FATAL", "ERROR", "WARN", "INFO", "DEBUG"};
	long before = log_size();

	errno = caller_errno;
#define LOG(...) (mm_log(level, module, fmt, __VA_ARGS__), 0)
	WITH_ARGUMENTS(LOG);
	CHECK(errno == caller_errno, "mm_log changed errno to %d", errno);
	if (level < 0 || level > MM_LOG_INFO) {
		CHECK(log_size() == before, "level %d was logged", level);
		return;
	}
	if (strlen(expected_text) > TEXT - 1)
		expected_text[TEXT - 1] = '\0';
	is_logged(before, names[level], module != NULL ? module : "(null)", expected_text);
}

static const char *take_name(struct input *in)
{
	return take_chance(in, 6) ? NULL : take_string(in, -1);
}

static void run(struct input *in)
{
	static locale_t utf8;
	unsigned kind = take_below(in, 5);
	int flags = take_chance(in, 4) ? (int)take_below(in, 4) : 0;

	if (utf8 == NULL)
		utf8 = newlocale(LC_ALL_MASK, "C.UTF-8", NULL);
	uselocale(take_chance(in, 2) && utf8 != NULL ? utf8 : LC_GLOBAL_LOCALE);
	number = take_int(in);
	line = take_int(in);
	caller_errno = (int)take_below(in, 140);
	level = take_chance(in, 4) ? take_int(in) : (int)take_below(in, 6) - 1;
	module = take_name(in);
	function = take_name(in);
	file = take_name(in);
	identifier = take_name(in);
	take_format(in);
	fmt = take_chance(in, 32) ? NULL : exact_string(format, format_length);
	expect();
	if (kind < 3)
		raise_and_check(kind, flags);
	else if (kind == 3)
		print_and_check();
	else
		log_and_check();
	uselocale(LC_GLOBAL_LOCALE);
}

const struct target target = {NULL, run, NULL};
