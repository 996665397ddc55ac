/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmerrno.h: the error state of a thread
 *
 * When a call of the library fails, it stores the error in the error state of the calling thread: an error
 * number, to which errno is set too, the module that failed, the source location, a description, and
 * optionally an extended identifier for programs that display errors to users. A successful call does not
 * change the error state.
 */
#ifndef MMERRNO_H
#define MMERRNO_H

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "mmpredefs.h"

/* Error numbers that have no errno value. All other error numbers are errno values of the system. */
#define MM_EDISCONNECTED 1000   /* the device has been disconnected */
#define MM_EWRONGSTATE 1003     /* object in wrong state */
#define MM_ENOTFOUND 1005       /* object not found */
#define MM_EBADFMT 1006         /* bad format */
#define MM_ENONAME 1010         /* host name cannot be resolved */

/* Flags of mm_error_set_flags(). */
#define MM_ERROR_IGNORE 0x01    /* a raised error does not change the error state and is not logged */
#define MM_ERROR_NOLOG 0x02     /* a raised error is stored but not logged */
#define MM_ERROR_ALL_ALTERNATE (-1)     /* all bits */
#define MM_ERROR_SET (-1)               /* as flags: set all flags of the mask */
#define MM_ERROR_UNSET 0                /* as flags: clear all flags of the mask */

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A saved error state: see mm_save_errorstate(). It can be copied, and sent to another process on the same
 * machine, even if that process uses mmlib instead of this library.
 */
struct mm_error_state {
	char data[1024];
};

/*
 * mm_raise_error(errnum, fmt, ...): raise an error at this source location; fmt is a printf() format.
 * mm_raise_error_with_extid(errnum, extid, fmt, ...): raise an error with an extended identifier.
 * mm_raise_from_errno(fmt, ...): raise the error in errno; its description is appended.
 *
 * Each is an expression with value -1, so a function can end with "return mm_raise_error(...);".
 */
#define mm_raise_error(errnum, ...)                                                               \
	mm_raise_error_full(errnum, MM_LOG_MODULE_NAME, __func__, __FILE__, __LINE__, NULL, __VA_ARGS__)

#define mm_raise_error_with_extid(errnum, extid, ...)                                             \
	mm_raise_error_full(errnum, MM_LOG_MODULE_NAME, __func__, __FILE__, __LINE__, extid, __VA_ARGS__)

#define mm_raise_from_errno(...)                                                                  \
	mm_raise_from_errno_full(MM_LOG_MODULE_NAME, __func__, __FILE__, __LINE__, NULL, __VA_ARGS__)

/**
 * mm_strerror() - get the description of an error number
 * @errnum:     MM_E* error number of this header, or an errno value
 *
 * errno and the error state are neither used nor changed.
 *
 * Return: the description, never NULL. It must not be modified or freed, and may be overwritten by the next
 *   call of mm_strerror() or strerror() in the same thread. For the error numbers of this header the
 *   description is in English; for others it is that of strerror().
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
 * mm_strerror_r() - copy the description of an error number
 * @errnum:     MM_E* error number of this header, or an errno value
 * @buf:        receives the description; terminated by a null byte unless @buflen is 0
 * @buflen:     size of @buf in bytes
 *
 * Return: 0 if the whole description was stored. Otherwise errno is set, and the result is -1 for an error
 *   number of this header, and for any other number the result of the POSIX strerror_r(), which is a positive
 *   error number.
 *
 * Errors:
 *   ERANGE           the description does not fit into @buf
 *   EINVAL           @errnum is unknown; a description that contains the number is stored
 *   EFAULT           @buf is NULL and @buflen is not 0; the result is -1 for every @errnum
 * Error notes: The error state is not changed, and nothing is logged.
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_strerror_r(int errnum, char *buf, size_t buflen);

/**
 * mm_raise_error_full() - raise an error
 * @errnum:     error number; errno is set to it unless it is 0
 * @module:     module that raises the error; truncated to 31 bytes in the error state; NULL becomes "unknown"
 * @func:       function that raises the error; NULL becomes "unknown"
 * @srcfile:    source file; NULL becomes "unknown"
 * @srcline:    line in @srcfile
 * @extid:      extended identifier, truncated to 63 bytes; NULL for none
 * @desc:       printf() format of the description, which is truncated to 255 bytes
 *
 * Usually called through the macro mm_raise_error(). It replaces the error state of the thread, sets errno
 * and logs a line at level MM_LOG_ERROR; the flags of mm_error_set_flags() can suppress this. If @errnum is
 * 0, the error state is replaced by an error with number 0, and errno is not changed.
 *
 * The arguments may point into the current error state. For example, mm_raise_error(n, "...: %s",
 * mm_get_lasterror_desc()) adds information to the current description.
 *
 * Return: always -1.
 *
 * Errors: none of its own
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe; it does not allocate
 * Cancellation: not a cancellation point, except for the log line
 * Compatibility: differs from mmlib: arguments that point into the error state are read before it changes;
 *   errno equals @errnum after the log line has been written, even if writing it failed.
 */
MMLIB_API int mm_raise_error_full(int errnum, const char *module, const char *func, const char *srcfile,
                                  int srcline, const char *extid, const char *desc, ...);

/**
 * mm_raise_error_vfull() - raise an error, with the arguments in a va_list
 * @errnum:     as for mm_raise_error_full()
 * @module:     as for mm_raise_error_full()
 * @func:       as for mm_raise_error_full()
 * @srcfile:    as for mm_raise_error_full()
 * @srcline:    as for mm_raise_error_full()
 * @extid:      as for mm_raise_error_full()
 * @desc:       as for mm_raise_error_full()
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
 * mm_raise_from_errno_full() - raise the error in errno
 * @module:     as for mm_raise_error_full()
 * @func:       as for mm_raise_error_full()
 * @srcfile:    as for mm_raise_error_full()
 * @srcline:    as for mm_raise_error_full()
 * @extid:      as for mm_raise_error_full()
 * @desc_fmt:   printf() format of the description
 *
 * Usually called through the macro mm_raise_from_errno(). The description consists of the formatted message,
 * " ; " and strerror(errno).
 *
 * Return: always -1.
 *
 * Errors: none of its own
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point, except for the log line
 * Compatibility: differs from mmlib: the message is formatted before the description of errno is appended. So
 *   a long format is not truncated inside a conversion, and a percent sign in the description of errno is not
 *   interpreted.
 */
MMLIB_API int mm_raise_from_errno_full(const char *module, const char *func, const char *srcfile, int srcline,
                                       const char *extid, const char *desc_fmt, ...);

/**
 * mm_error_set_flags() - control how the calling thread raises errors
 * @flags:      values of the flags in @mask: MM_ERROR_SET, MM_ERROR_UNSET, or flags returned by an earlier
 *              call
 * @mask:       flags to change: MM_ERROR_IGNORE, MM_ERROR_NOLOG, or both
 *
 * All flags of a new thread are clear. The flags only affect the raising of errors, not mm_log() and
 * mm_set_errorstate().
 *
 * With MM_ERROR_IGNORE, a library function that fails only sets errno to its error number; it formats no
 * description. The functions mm_raise_*() do not change errno either. To suppress the log lines of a part of
 * a program:
 *
 * 	int flags = mm_error_set_flags(MM_ERROR_SET, MM_ERROR_NOLOG);
 * 	...
 * 	mm_error_set_flags(flags, MM_ERROR_NOLOG);
 *
 * Return: the previous value of all flags. The call cannot fail.
 *
 * Errors: none
 *
 * Thread safety: MT-Safe
 * Signal safety: async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: with MM_ERROR_IGNORE, errno is the error number even if the library
 *   itself detected the error, or called other functions after the failure.
 */
MMLIB_API int mm_error_set_flags(int flags, int mask);

/**
 * mm_save_errorstate() - copy the error state of the thread
 * @state:      receives the copy, including the flags of the thread; all 1024 bytes are written
 *
 * Return: 0 on success; -1 on failure, and the error state is set.
 *
 * Errors:
 *   EFAULT           @state is NULL
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: the unused bytes of @state are set to 0, and NULL does not crash.
 */
MMLIB_API int mm_save_errorstate(struct mm_error_state *state);

/**
 * mm_set_errorstate() - restore a saved error state in the calling thread
 * @state:      state stored by mm_save_errorstate(), possibly in another thread or process
 *
 * The flags of the thread that saved the state are restored too. errno is set to the number of the restored
 * error, or to 0 if the state contains no error. Nothing is logged.
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
 *   bytes the field contains, and NULL does not crash.
 */
MMLIB_API int mm_set_errorstate(const struct mm_error_state *state);

/**
 * mm_print_lasterror() - print the error state of the thread to stdout
 * @info:       NULL, or the printf() format of a line to print first
 *
 * The report is written through stdio, so it appears in the right order with other output of the program. If
 * the error state contains no error but errno is not 0, errno is printed instead.
 *
 * The error state is not changed.
 *
 * Errors: none
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: a thread can be cancelled while the report is being written
 * Compatibility: as mmlib
 */
MMLIB_API void mm_print_lasterror(const char *info, ...);

/**
 * mm_get_lasterror_number() - get the number of the thread's last error
 *
 * Return: the error number; 0 if no error has been raised.
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
 * mm_get_lasterror_desc() - get the description of the thread's last error
 *
 * Return: the description; "" if no error has been raised. The string belongs to the thread: it is valid
 *   until the thread terminates. It changes when the thread raises or restores an error, or asks for the text of
 *   a later one.
 *
 * Errors: none
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe, because the text may be made by the call
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API const char *mm_get_lasterror_desc(void);

/**
 * mm_get_lasterror_location() - get the source location of the thread's last error
 *
 * Return: "function() in file:line"; "" if no error has been raised. The string is valid as long as that of
 *   mm_get_lasterror_desc().
 *
 * Errors: none
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe, because the text may be made by the call
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API const char *mm_get_lasterror_location(void);

/**
 * mm_get_lasterror_extid() - get the extended identifier of the thread's last error
 *
 * Return: the identifier; NULL if the error has none. The string is valid as long as that of
 *   mm_get_lasterror_desc().
 *
 * Errors: none
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe, because the text may be made by the call
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API const char *mm_get_lasterror_extid(void);

/**
 * mm_get_lasterror_module() - get the module that raised the thread's last error
 *
 * Return: the module name, which is "mmlib" for errors of this library; "" if no error has been raised. The
 *   string is valid as long as that of mm_get_lasterror_desc().
 *
 * Errors: none
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe, because the text may be made by the call
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API const char *mm_get_lasterror_module(void);

#ifdef __cplusplus
}
#endif

#endif /* MMERRNO_H */
