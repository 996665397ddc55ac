/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmlog.h: log lines on standard error
 */
#ifndef MMLOG_H
#define MMLOG_H

#include <stdio.h>
#include <stdlib.h>

#include "mmpredefs.h"

/* Log levels, the most severe first. MM_LOG_NONE, as the maximum level, prints nothing. */
#define MM_LOG_NONE -1
#define MM_LOG_FATAL 0
#define MM_LOG_ERROR 1
#define MM_LOG_WARN 2
#define MM_LOG_INFO 3
#define MM_LOG_DEBUG 4

/*
 * Log lines above this level are removed at compile time, and their arguments are not evaluated. A program
 * defines the macro before it includes this header. The remaining lines are filtered at run time: see
 * mm_log_set_maxlvl().
 */
#ifndef MM_LOG_MAXLEVEL
#define MM_LOG_MAXLEVEL MM_LOG_DEBUG
#endif

/* Prefix of the parenthesized expression that replaces a removed log line. */
#ifdef __cplusplus
#define MM_LOG_VOID_CAST static_cast<void>
#else
#define MM_LOG_VOID_CAST (void)
#endif

/*
 * mm_log_fatal(fmt, ...), mm_log_error(), mm_log_warn(), mm_log_info(), mm_log_debug(): log a line at the level
 * in the name, with MM_LOG_MODULE_NAME as its location. fmt is a printf() format. None of them terminates the
 * program.
 */
#if MM_LOG_MAXLEVEL >= MM_LOG_FATAL
#define mm_log_fatal(...) mm_log(MM_LOG_FATAL, MM_LOG_MODULE_NAME, __VA_ARGS__)
#else
#define mm_log_fatal(...) MM_LOG_VOID_CAST(0)
#endif

#if MM_LOG_MAXLEVEL >= MM_LOG_ERROR
#define mm_log_error(...) mm_log(MM_LOG_ERROR, MM_LOG_MODULE_NAME, __VA_ARGS__)
#else
#define mm_log_error(...) MM_LOG_VOID_CAST(0)
#endif

#if MM_LOG_MAXLEVEL >= MM_LOG_WARN
#define mm_log_warn(...) mm_log(MM_LOG_WARN, MM_LOG_MODULE_NAME, __VA_ARGS__)
#else
#define mm_log_warn(...) MM_LOG_VOID_CAST(0)
#endif

#if MM_LOG_MAXLEVEL >= MM_LOG_INFO
#define mm_log_info(...) mm_log(MM_LOG_INFO, MM_LOG_MODULE_NAME, __VA_ARGS__)
#else
#define mm_log_info(...) MM_LOG_VOID_CAST(0)
#endif

#if MM_LOG_MAXLEVEL >= MM_LOG_DEBUG
#define mm_log_debug(...) mm_log(MM_LOG_DEBUG, MM_LOG_MODULE_NAME, __VA_ARGS__)
#else
#define mm_log_debug(...) MM_LOG_VOID_CAST(0)
#endif

/*
 * mm_crash(fmt, ...): log the message and its source location at level MM_LOG_FATAL, then call abort().
 * It aborts at any log level. Neither NDEBUG nor MM_LOG_MAXLEVEL removes it.
 */
#define mm_crash(...)                                                                      \
	do {                                                                               \
		char mm_crash_text_[256];                                                  \
		snprintf(mm_crash_text_, sizeof(mm_crash_text_), __VA_ARGS__);             \
		mm_log(MM_LOG_FATAL, MM_LOG_MODULE_NAME, "%s (%s() in %s:%i)",             \
		       mm_crash_text_, __func__, __FILE__, __LINE__);                      \
		abort();                                                                   \
	} while (0)

/* mm_check(expr): call mm_crash() if expr is false. It is never removed; expr is evaluated once. */
#define mm_check(expr)                                                                     \
	do {                                                                               \
		if (!(expr))                                                               \
			mm_crash("%s", "mm_check(" #expr ") failed. ");                    \
	} while (0)

#ifdef __cplusplus
extern "C" {
#endif

/**
 * mm_log() - write a log line to standard error
 * @lvl:        MM_LOG_FATAL to MM_LOG_DEBUG; any other value prints nothing
 * @location:   origin of the line, usually a module name; NULL is printed as "(null)"
 * @msg:        printf() format of the message; NULL is an empty message
 *
 * Nothing is printed if @lvl is greater than the maximum level (see mm_log_set_maxlvl()). The line has the
 * form
 *
 * 	DD/MM/YY HH:MM:SS LEVEL location         : message
 *
 * in local time. LEVEL is padded to 5 columns, location to 16. A line of more than 256 bytes, including its
 * newline, is truncated. It is written to file descriptor 2 by a single write() and without stdio, so lines
 * of several threads and processes are not interleaved. If the write fails, the line is lost without notice.
 * A line is also lost if file descriptor 2 is a pipe or socket that is full: logging does not block, and does
 * not raise SIGPIPE if there is no reader.
 *
 * If the program has closed file descriptor 2, and a function of the library has since returned this number
 * for a file, a connection or another object, no line is written to that object. File descriptor 2 becomes
 * standard error again by mm_dup2(), or by a dup2() or open() of the program.
 *
 * errno and the error state of the thread are not changed.
 *
 * The child of a fork() can log, whatever the other threads of its parent were doing. If the parent had other
 * threads, the child uses the offset from UTC that was in effect at the time of the fork().
 *
 * Errors: none
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe, because it formats the message and converts the time to local time
 * Cancellation: a thread can be cancelled while the line is being written
 * Compatibility: differs from mmlib: a @location that is too long is truncated instead of overrunning a
 *   buffer; if file descriptor 2 cannot be written, errno and the error state are not changed, and the call
 *   neither blocks nor terminates the program.
 */
MMLIB_API void mm_log(int lvl, const char *location, const char *msg, ...);

/**
 * mm_log_set_maxlvl() - set the maximum level of printed log lines
 * @lvl:        MM_LOG_NONE (print nothing) to MM_LOG_DEBUG (print everything)
 *
 * The maximum applies to the whole process, and also to the log lines of raised errors. Its initial value
 * comes from the environment variable MM_LOG_MAXLEVEL: FATAL, ERROR, WARN, INFO or DEBUG. Any other value
 * means MM_LOG_NONE; if the variable is not set, the maximum is MM_LOG_INFO. The variable is read when the
 * library is loaded, or earlier if a constructor of another library uses it before.
 *
 * Return: the previous maximum. The call cannot fail.
 *
 * Errors: none
 *
 * Thread safety: MT-Safe
 * Signal safety: async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_log_set_maxlvl(int lvl);

#ifdef __cplusplus
}
#endif

#endif /* MMLOG_H */
