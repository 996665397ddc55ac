/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmpredefs.h: macros shared by the headers of libmmsysio
 */
#ifndef MMPREDEFS_H
#define MMPREDEFS_H

/* Prefix of every public prototype. Empty on Linux; define it beforehand to put attributes there. */
#ifndef MMLIB_API
#define MMLIB_API
#endif

/*
 * Name under which a program raises errors and logs. Define or redefine it anywhere in a source file:
 * the macros that use it look it up where they are used. A program whose configuration defines
 * PACKAGE_NAME gets that name without doing anything.
 */
#ifndef MM_LOG_MODULE_NAME
#ifdef PACKAGE_NAME
#define MM_LOG_MODULE_NAME PACKAGE_NAME
#else
#define MM_LOG_MODULE_NAME "unknown"
#endif
#endif

/* MM_XSTRINGIFY(x) is the text of x as written; MM_STRINGIFY(x) the text of what x expands to. */
#define MM_XSTRINGIFY(x) #x
#define MM_STRINGIFY(x) MM_XSTRINGIFY(x)

#if defined(__GNUC__) || defined(__clang__)

/* Head of a function that runs when the program or library is loaded, or unloaded. */
#define MM_CONSTRUCTOR(name) static void __attribute__((constructor)) name##_ctor(void)
#define MM_DESTRUCTOR(name) static void __attribute__((destructor)) name##_dtor(void)

#define MM_DEPRECATED __attribute__((deprecated))

#else /* no GNU attributes */

#define MM_DEPRECATED

#endif

/*
 * Names that a program may have as well. A definition that comes before the inclusion of this header is kept: no header
 * of libmmsysio uses them. A program with definitions that come later defines MM_NO_SHORT_NAMES before, which leaves out
 * these, and NS_IN_SEC, US_IN_SEC and MS_IN_SEC of mmtime.h.
 */
#ifndef MM_NO_SHORT_NAMES

#if defined(__GNUC__) || defined(__clang__)
#ifndef LIKELY
#define LIKELY(x) __builtin_expect(!!(x), 1)
#endif
#ifndef UNLIKELY
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#endif
#ifndef NOINLINE
#define NOINLINE __attribute__((noinline))
#endif
#ifndef NONNULL
#define NONNULL __attribute__((nonnull))
#endif
#ifndef NONNULL_ARGS
#define NONNULL_ARGS(...) __attribute__((nonnull(__VA_ARGS__)))
#endif
#else
#ifndef LIKELY
#define LIKELY(x) (x)
#endif
#ifndef UNLIKELY
#define UNLIKELY(x) (x)
#endif
#ifndef NOINLINE
#define NOINLINE
#endif
#ifndef NONNULL
#define NONNULL
#endif
#ifndef NONNULL_ARGS
#define NONNULL_ARGS(...)
#endif
#endif

#endif /* MM_NO_SHORT_NAMES */

/* Number of elements of an array, as int. Not for a pointer. */
#ifdef __cplusplus
#define MM_NELEM(array) (static_cast<int>(sizeof(array) / sizeof((array)[0])))
#else
#define MM_NELEM(array) ((int)(sizeof(array) / sizeof((array)[0])))
#endif

/* True if value is a power of two, or zero. */
#define MM_IS_POW2(value) (((value) & ((value) - 1)) == 0)

/* A page size to count with; sysconf(_SC_PAGESIZE) gives the real one. */
#ifndef MM_PAGESZ
#define MM_PAGESZ 0x1000
#endif

#endif /* MMPREDEFS_H */
