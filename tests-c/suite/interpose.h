/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interpose.h: for tests that define functions of the C library which the library calls; to be included first
 *
 * On 32-bit machines, the library calls the functions for large files, and those with 64-bit times if time_t has 64
 * bits. The headers give a definition of stat() the right name if they are asked for large files. Elsewhere, the
 * library calls stat(), and the headers must not rename it.
 */
#ifndef INTERPOSE_H
#define INTERPOSE_H

#undef _FILE_OFFSET_BITS
#ifdef __LP64__
#undef _TIME_BITS
#else
#define _FILE_OFFSET_BITS 64
#endif

#include <features.h>

/* The names of the symbols for functions that take offsets, and for those that store a struct stat. */
#if defined(__LP64__) || !defined(__GLIBC__)
#define OFFSET_SYMBOL(name) #name
#define STATUS_SYMBOL(name) #name
#elif defined(__USE_TIME64_REDIRECTS)
#define OFFSET_SYMBOL(name) #name "64"
#define STATUS_SYMBOL(name) "__" #name "64_time64"
#else
#define OFFSET_SYMBOL(name) #name "64"
#define STATUS_SYMBOL(name) #name "64"
#endif

#endif
