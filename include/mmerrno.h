/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmerrno.h: the error state of a thread
 *
 * Every failing call of the library describes its failure in a record that belongs to the calling thread: a
 * number (that errno gets as well), the module that failed, the place in its source, a sentence, and
 * possibly an extended identifier for programs that show errors to people. A success never touches it.
 */
#ifndef MMERRNO_H
#define MMERRNO_H

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "mmpredefs.h"

/* Errors that no errno value describes. All others are the system's. */
#define MM_EDISCONNECTED 1000   /* the device has been disconnected */
#define MM_EWRONGSTATE 1003     /* object in wrong state */
#define MM_ENOTFOUND 1005       /* object not found */
#define MM_EBADFMT 1006         /* bad format */
#define MM_ENONAME 1010         /* host name cannot be resolved */

/* Flags of mm_error_set_flags(). */
#define MM_ERROR_IGNORE 0x01    /* a raised error changes no error state and prints nothing */
#define MM_ERROR_NOLOG 0x02     /* a raised error is stored but not logged */
#define MM_ERROR_ALL_ALTERNATE (-1)     /* all bits */
#define MM_ERROR_SET (-1)               /* as flags: set those of the mask */
#define MM_ERROR_UNSET 0                /* as flags: clear those of the mask */

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A saved error state: see mm_save_errorstate(). It may be copied, and sent to another process of the same
 * machine, which may use mmlib instead of this library.
 */
struct mm_error_state {
	char data[1024];
};

/*
 * mm_raise_error(errnum, fmt, ...): raise an error from here, described by a message formatted as by printf().
 * mm_raise_error_with_extid(errnum, extid, fmt, ...): the same with an extended identifier.
 * mm_raise_from_errno(fmt, ...): the same with the number and text of errno.
 *
 * Each is an expression of value -1, so that a function may end with "return mm_raise_error(...);".
 */
#define mm_raise_error(errnum, ...)                                                               \
	mm_raise_error_full(errnum, MM_LOG_MODULE_NAME, __func__, __FILE__, __LINE__, NULL, __VA_ARGS__)

#define mm_raise_error_with_extid(errnum, extid, ...)                                             \
	mm_raise_error_full(errnum, MM_LOG_MODULE_NAME, __func__, __FILE__, __LINE__, extid, __VA_ARGS__)

#define mm_raise_from_errno(...)                                                                  \
	mm_raise_from_errno_full(MM_LOG_MODULE_NAME, __func__, __FILE__, __LINE__, NULL, __VA_ARGS__)

/**
 * mm_strerror() - text of an error number
 * @errnum:     a number of this header, or an errno value
 *
 * Neither errno nor the error state is used.
 *
 * Return: the text, never NULL. It must not be modified or freed, and may change at the thread's next call of
 *   mm_strerror() or strerror(). The texts of this header are in English; the others are strerror()'s.
 *
 * Errors: none
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API const char *mm_strerror(int errnum);

/**
 * mm_strerror_r() - copy the text of an error number
 * @errnum:     a number of this header, or an errno value
 * @buf:        receives the text, always terminated if @buflen is not 0
 * @buflen:     size of @buf in bytes
 *
 * Return: 0 if the whole text was stored. Otherwise errno is set: for a number of this header, -1 is
 *   returned; for any other number what the POSIX strerror_r() returns, which is the error number itself.
 *
 * Errors:
 *   ERANGE           the text does not fit
 *   EINVAL           the number is unknown; a text with the number in it is stored
 *   EFAULT           @buf is NULL, and @buflen is not 0; -1 is returned for every number
 * Error notes: The error state is not touched, and nothing is logged.
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_strerror_r(int errnum, char *buf, size_t buflen);

/**
 * mm_raise_error_full() - raise an error
 * @errnum:     error number, which errno gets too unless it is 0
 * @module:     what raises; cut to 31 bytes in the state; NULL becomes "unknown"
 * @func:       function that raises; NULL becomes "unknown"
 * @srcfile:    source file; NULL becomes "unknown"
 * @srcline:    line in @srcfile
 * @extid:      extended identifier, cut to 63 bytes; NULL for none
 * @desc:       format of the description, as of printf(); the result is cut to 255 bytes
 *
 * Usually called through the macro mm_raise_error(). Replaces the thread's error state, sets errno and logs a
 * line at level MM_LOG_ERROR, subject to the flags of mm_error_set_flags(). Raising the number 0 replaces the
 * state too, by an error numbered 0, and leaves errno alone. The strings may be those of the current error
 * state, so mm_raise_error(n, "...: %s", mm_get_lasterror_desc()) adds to what is known.
 *
 * Return: always -1.
 *
 * Errors: none of its own
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe; it does not allocate
 * Cancellation: not a cancellation point, except for the log line
 * Compatibility: differs from mmlib: arguments that point into the error state are read before it changes,
 *   and errno still equals @errnum after the log line was written, also if writing it failed.
 */
MMLIB_API int mm_raise_error_full(int errnum, const char *module, const char *func, const char *srcfile,
                                  int srcline, const char *extid, const char *desc, ...);

/**
 * mm_raise_error_vfull() - mm_raise_error_full() with a va_list
 * @errnum:     as in mm_raise_error_full()
 * @module:     as in mm_raise_error_full()
 * @func:       as in mm_raise_error_full()
 * @srcfile:    as in mm_raise_error_full()
 * @srcline:    as in mm_raise_error_full()
 * @extid:      as in mm_raise_error_full()
 * @desc:       as in mm_raise_error_full()
 * @args:       arguments of @desc; the caller calls va_end() on it
 *
 * Return: always -1.
 *
 * Errors: none of its own
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point, except for the log line
 * Compatibility: as mmlib
 */
MMLIB_API int mm_raise_error_vfull(int errnum, const char *module, const char *func, const char *srcfile,
                                   int srcline, const char *extid, const char *desc, va_list args);

/**
 * mm_raise_from_errno_full() - raise the error that errno holds
 * @module:     as in mm_raise_error_full()
 * @func:       as in mm_raise_error_full()
 * @srcfile:    as in mm_raise_error_full()
 * @srcline:    as in mm_raise_error_full()
 * @extid:      as in mm_raise_error_full()
 * @desc_fmt:   format of the description, as of printf()
 *
 * Usually called through the macro mm_raise_from_errno(). The description is the formatted message, " ; " and
 * strerror(errno).
 *
 * Return: always -1.
 *
 * Errors: none of its own
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point, except for the log line
 * Compatibility: differs from mmlib: the message is formatted before the text of errno is joined to it, so a
 *   long format is no longer cut in the middle of a conversion, nor a percent sign in that text interpreted.
 */
MMLIB_API int mm_raise_from_errno_full(const char *module, const char *func, const char *srcfile, int srcline,
                                       const char *extid, const char *desc_fmt, ...);

/**
 * mm_error_set_flags() - change what raising an error does in the calling thread
 * @flags:      values of the flags that @mask names: MM_ERROR_SET, MM_ERROR_UNSET, or flags saved before
 * @mask:       the flags to change: MM_ERROR_IGNORE, MM_ERROR_NOLOG, or both
 *
 * A thread starts with no flag. A flag acts on raised errors only: mm_log() and mm_set_errorstate() do not look
 * at them.
 *
 * With MM_ERROR_IGNORE, a failing function of the library sets errno to the number of its error and does nothing
 * else: no description is formatted. The functions mm_raise_*() leave errno alone as well. To silence a part of
 * a program:
 *
 * 	int flags = mm_error_set_flags(MM_ERROR_SET, MM_ERROR_NOLOG);
 * 	...
 * 	mm_error_set_flags(flags, MM_ERROR_NOLOG);
 *
 * Return: all the flags as they were before. It cannot fail.
 *
 * Errors: none
 *
 * Thread safety: MT-Safe
 * Signal safety: async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: with MM_ERROR_IGNORE, errno is the number of the error also where the
 *   library itself found the error, or called other functions after the failure.
 */
MMLIB_API int mm_error_set_flags(int flags, int mask);

/**
 * mm_save_errorstate() - copy the thread's error state
 * @state:      receives the copy, the thread's flags included; all 1024 bytes are written
 *
 * Return: 0 on success; -1 on failure, and the error state is set.
 *
 * Errors:
 *   EFAULT           @state is NULL
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: the unused bytes of @state are zeroed, and NULL does not crash.
 */
MMLIB_API int mm_save_errorstate(struct mm_error_state *state);

/**
 * mm_set_errorstate() - replace the thread's error state by a saved one
 * @state:      a state filled by mm_save_errorstate(), possibly by another thread or process
 *
 * The flags of the saving thread come with it. errno gets the number of the restored error: 0 if there was
 * none. Nothing is logged.
 *
 * Return: 0 on success; -1 on failure, and the error state is set.
 *
 * Errors:
 *   EFAULT           @state is NULL
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: each string of @state is terminated at the end of its field, whatever
 *   bytes came in, and NULL does not crash.
 */
MMLIB_API int mm_set_errorstate(const struct mm_error_state *state);

/**
 * mm_print_lasterror() - print the thread's error state on stdout
 * @info:       NULL, or the format of a line to print first, as of printf()
 *
 * The report goes through stdio, so that it appears in order with what the program prints itself. If the state
 * holds no error but errno does, that is printed instead.
 *
 * The state is not changed.
 *
 * Errors: none
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: a thread can be cancelled while the report is written
 * Compatibility: as mmlib
 */
MMLIB_API void mm_print_lasterror(const char *info, ...);

/**
 * mm_get_lasterror_number() - number of the thread's last error
 *
 * Return: the number, 0 if no error was raised.
 *
 * Errors: none
 *
 * Thread safety: MT-Safe
 * Signal safety: async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_get_lasterror_number(void);

/**
 * mm_get_lasterror_desc() - description of the thread's last error
 *
 * Return: the description, "" if no error was raised. The string belongs to the thread: it is valid until the
 *   thread ends, and changes when it raises or restores an error.
 *
 * Errors: none
 *
 * Thread safety: MT-Safe
 * Signal safety: async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API const char *mm_get_lasterror_desc(void);

/**
 * mm_get_lasterror_location() - where the thread's last error was raised
 *
 * Return: "function() in file:line", "" if no error was raised. It lives as that of mm_get_lasterror_desc().
 *
 * Errors: none
 *
 * Thread safety: MT-Safe
 * Signal safety: async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API const char *mm_get_lasterror_location(void);

/**
 * mm_get_lasterror_extid() - extended identifier of the thread's last error
 *
 * Return: the identifier, NULL if the error has none. It lives as that of mm_get_lasterror_desc().
 *
 * Errors: none
 *
 * Thread safety: MT-Safe
 * Signal safety: async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API const char *mm_get_lasterror_extid(void);

/**
 * mm_get_lasterror_module() - module that raised the thread's last error
 *
 * Return: the module, "mmlib" for errors of this library, "" if no error was raised. It lives as that of
 *   mm_get_lasterror_desc().
 *
 * Errors: none
 *
 * Thread safety: MT-Safe
 * Signal safety: async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API const char *mm_get_lasterror_module(void);

#ifdef __cplusplus
}
#endif

#endif /* MMERRNO_H */
