/* SPDX-License-Identifier: Apache-2.0 */
/*
 * variadic.c: the functions that take "..." or a va_list
 *
 * The C library formats the text; everything else is done in Rust.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mmerrno.h"
#include "mmlog.h"

#define HIDDEN __attribute__((visibility("hidden")))

/* With JUMPS, src/capi/jumps.rs defines the public names, which jump to functions with these names. */
#ifdef JUMPS
#define ENTRY_POINT(name) HIDDEN mmsysio_##name
#else
#define ENTRY_POINT(name) name
#endif

/* The size of a description and of a log line. */
#define TEXT_SIZE 256

/* Defined in Rust. */
HIDDEN int mmsysio_raise(int errnum, const char *module, const char *func, const char *srcfile, int srcline,
                         const char *extid, const char *desc);
HIDDEN int mmsysio_log_is_enabled(int lvl);
HIDDEN void mmsysio_log_line(int lvl, const char *location, const char *msg);

/* Formats into text, truncated to its size. If fmt is NULL or formatting fails, text is empty. */
static void format(char text[TEXT_SIZE], const char *fmt, va_list args)
{
	if (fmt == NULL || vsnprintf(text, TEXT_SIZE, fmt, args) < 0)
		text[0] = '\0';
}

static int is_ignoring_errors(void)
{
	return mm_error_set_flags(0, 0) & MM_ERROR_IGNORE;
}

static int format_and_raise(int errnum, const char *module, const char *func, const char *srcfile, int srcline,
                            const char *extid, const char *desc, va_list args)
{
	char text[TEXT_SIZE];
	int errno_at_entry = errno;

	if (is_ignoring_errors())
		return -1;

	format(text, desc, args);
	errno = errno_at_entry;
	return mmsysio_raise(errnum, module, func, srcfile, srcline, extid, text);
}

int ENTRY_POINT(mm_raise_error_vfull)(int errnum, const char *module, const char *func, const char *srcfile,
                                      int srcline, const char *extid, const char *desc, va_list args)
{
	return format_and_raise(errnum, module, func, srcfile, srcline, extid, desc, args);
}

int ENTRY_POINT(mm_raise_error_full)(int errnum, const char *module, const char *func, const char *srcfile, int srcline,
                                     const char *extid, const char *desc, ...)
{
	va_list args;

	va_start(args, desc);
	format_and_raise(errnum, module, func, srcfile, srcline, extid, desc, args);
	va_end(args);
	return -1;
}

int ENTRY_POINT(mm_raise_from_errno_full)(const char *module, const char *func, const char *srcfile, int srcline,
                                          const char *extid, const char *desc_fmt, ...)
{
	char text[TEXT_SIZE];
	int errnum = errno;
	va_list args;

	if (is_ignoring_errors())
		return -1;

	va_start(args, desc_fmt);
	format(text, desc_fmt, args);
	va_end(args);

	size_t length = strlen(text);
	snprintf(text + length, sizeof(text) - length, " ; %s", strerror(errnum));
	errno = errnum;
	return mmsysio_raise(errnum, module, func, srcfile, srcline, extid, text);
}

void ENTRY_POINT(mm_print_lasterror)(const char *info, ...)
{
	if (info != NULL) {
		va_list args;

		va_start(args, info);
		vprintf(info, args);
		va_end(args);
		putchar('\n');
	}

	int errno_now = errno;
	int number = mm_get_lasterror_number();
	const char *extid = mm_get_lasterror_extid();

	if (number == 0 && errno_now == 0) {
		printf("No error found in the state\n");
	} else if (number == 0) {
		printf("Error only found in errno: %i, %s\n", errno_now, mm_strerror(errno_now));
	} else {
		/* "extented_id" is the spelling of mmlib. Programs may depend on it. */
		printf("Last error reported:\n"
		       "\terrnum=%i : %s\n"
		       "\tmodule: %s\n"
		       "\tlocation: %s\n"
		       "\tdescription: %s\n"
		       "\textented_id: %s\n",
		       number, mm_strerror(number), mm_get_lasterror_module(), mm_get_lasterror_location(),
		       mm_get_lasterror_desc(), extid != NULL ? extid : "");
	}
}

void ENTRY_POINT(mm_log)(int lvl, const char *location, const char *msg, ...)
{
	char text[TEXT_SIZE];
	int errno_at_entry = errno;
	va_list args;

	if (!mmsysio_log_is_enabled(lvl))
		return;

	va_start(args, msg);
	format(text, msg, args);
	va_end(args);

	mmsysio_log_line(lvl, location, text);
	errno = errno_at_entry;
}
