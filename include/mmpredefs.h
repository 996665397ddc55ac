/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmpredefs.h: macros shared by the headers of libmmsysio
 */
#ifndef MMPREDEFS_H
#define MMPREDEFS_H

/* Prefix of every public prototype. It is empty unless the program defines it, for example as an attribute. */
#ifndef MMLIB_API
#define MMLIB_API
#endif

/*
 * Module name with which a program raises errors and logs lines. It can be defined or redefined anywhere in a
 * source file: the macros that use it expand it at the point of their use. The default is PACKAGE_NAME, if the
 * configuration of the program defines that macro.
 */
#ifndef MM_LOG_MODULE_NAME
#ifdef PACKAGE_NAME
#define MM_LOG_MODULE_NAME PACKAGE_NAME
#else
#define MM_LOG_MODULE_NAME "unknown"
#endif
#endif

/* MM_XSTRINGIFY(x) is x as a string literal; MM_STRINGIFY(x) is the macro expansion of x as a string literal. */
#define MM_XSTRINGIFY(x) #x
#define MM_STRINGIFY(x) MM_XSTRINGIFY(x)

#if defined(__GNUC__) || defined(__clang__)

/* Function header of a constructor or destructor, which runs when the program or library is loaded or unloaded. */
#define MM_CONSTRUCTOR(name) static void __attribute__((constructor)) name##_ctor(void)
#define MM_DESTRUCTOR(name) static void __attribute__((destructor)) name##_dtor(void)

#define MM_DEPRECATED __attribute__((deprecated))

#else /* no GNU attributes */

#define MM_DEPRECATED

#endif

/*
 * Names that may conflict with those of a program. No header of libmmsysio uses them. A definition that precedes the
 * inclusion of this header is kept. A program that defines one of them later must define MM_NO_SHORT_NAMES first: this
 * omits these macros, and NS_IN_SEC, US_IN_SEC and MS_IN_SEC of mmtime.h.
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

/* Number of elements of an array, as an int. The argument must not be a pointer. */
#ifdef __cplusplus
#define MM_NELEM(array) (static_cast<int>(sizeof(array) / sizeof((array)[0])))
#else
#define MM_NELEM(array) ((int)(sizeof(array) / sizeof((array)[0])))
#endif

/* True if value is a power of two or zero. */
#define MM_IS_POW2(value) (((value) & ((value) - 1)) == 0)

/* Nominal page size; sysconf(_SC_PAGESIZE) returns the real one. */
#ifndef MM_PAGESZ
#define MM_PAGESZ 0x1000
#endif

#endif /* MMPREDEFS_H */
