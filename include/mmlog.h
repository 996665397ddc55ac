/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmlog.h: log lines on standard error
 */
#ifndef MMLOG_H
#define MMLOG_H

#include <stdio.h>
#include <stdlib.h>

#include "mmpredefs.h"

/* Levels of a log line, from the gravest. MM_LOG_NONE is below all of them: nothing is printed. */
#define MM_LOG_NONE -1
#define MM_LOG_FATAL 0
#define MM_LOG_ERROR 1
#define MM_LOG_WARN 2
#define MM_LOG_INFO 3
#define MM_LOG_DEBUG 4

/*
 * Lines above this level are left out when the program is compiled: their arguments are not even
 * evaluated. Define it before the inclusion of this header. What remains is filtered when the program
 * runs: see mm_log_set_maxlvl().
 */
#ifndef MM_LOG_MAXLEVEL
#define MM_LOG_MAXLEVEL MM_LOG_DEBUG
#endif

/* What a line that is left out becomes, in front of an expression in parentheses. */
#ifdef __cplusplus
#define MM_LOG_VOID_CAST static_cast<void>
#else
#define MM_LOG_VOID_CAST (void)
#endif

/*
 * mm_log_fatal(fmt, ...), mm_log_error(), mm_log_warn(), mm_log_info(), mm_log_debug(): log a line at that
 * level for MM_LOG_MODULE_NAME. The message is formatted as by printf(). None of them ends the program.
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
 * mm_crash(fmt, ...): log the message at MM_LOG_FATAL together with its place in the source, then abort().
 * It aborts whatever the log levels are, and is removed neither by NDEBUG nor by MM_LOG_MAXLEVEL.
 */
#define mm_crash(...)                                                                      \
	do {                                                                               \
		char mm_crash_text_[256];                                                  \
		snprintf(mm_crash_text_, sizeof(mm_crash_text_), __VA_ARGS__);             \
		mm_log(MM_LOG_FATAL, MM_LOG_MODULE_NAME, "%s (%s() in %s:%i)",             \
		       mm_crash_text_, __func__, __FILE__, __LINE__);                      \
		abort();                                                                   \
	} while (0)

/* mm_check(expr): mm_crash() if expr is false. Always compiled in; expr is evaluated once. */
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
 * @location:   what logs, usually a module name; NULL prints as "(null)"
 * @msg:        format of the message, as of printf(); NULL is an empty message
 *
 * Nothing is printed if @lvl is above the maximum (see mm_log_set_maxlvl()). The line is
 *
 * 	DD/MM/YY HH:MM:SS LEVEL location         : message
 *
 * in local time, LEVEL on 5 columns and location on at least 16. It has at most 256 bytes, its newline
 * included: what is longer is cut. It goes to descriptor 2 by a single write(), without stdio, so lines of
 * several threads and processes do not mix. A failing write loses the line silently, and so does a pipe or
 * socket that is full: logging does not wait for a reader, and raises no SIGPIPE if there is none.
 *
 * If the program has closed descriptor 2, and a function of the library returned that number since (for a
 * file, a connection or anything else), no line is written to it. mm_dup2(), and the program's own dup2() or
 * open(), make it standard error again.
 *
 * errno and the thread's error state are left as they are.
 *
 * A forked child can log, whatever the other threads of its parent were doing: if there were any, its lines
 * have the offset from UTC that was in effect when it was forked.
 *
 * Errors: none
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe: it formats and converts to local time
 * Cancellation: a thread can be cancelled while the line is written
 * Compatibility: differs from mmlib: an over-long @location is cut instead of overrunning a buffer, and a
 *   descriptor 2 that cannot be written no longer overwrites errno and the error state, blocks, or ends the
 *   program.
 */
MMLIB_API void mm_log(int lvl, const char *location, const char *msg, ...);

/**
 * mm_log_set_maxlvl() - set the highest level that is printed
 * @lvl:        MM_LOG_NONE (nothing at all) to MM_LOG_DEBUG (everything)
 *
 * It holds for the whole process, lines of raised errors included. When the library is loaded, or used before
 * by a constructor of another one, the maximum is read from the environment variable MM_LOG_MAXLEVEL: FATAL,
 * ERROR, WARN, INFO or DEBUG. Any other text means MM_LOG_NONE, an unset variable MM_LOG_INFO.
 *
 * Return: the previous maximum. It cannot fail.
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
