/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shim.h: control over the calls that libmmsysio and libmmlib make
 *
 * The shim intercepts calls between a library and the C library: it replaces each imported function by its own in the
 * library's import table only. Therefore calls of the test program, internal calls of the C library and tail calls of
 * the library cannot be confused.
 */
#ifndef SHIM_H
#define SHIM_H

#include <stdbool.h>
#include <stddef.h>

/* Besides errno values, how a call can be made to fail: with half of the requested size, or without an error number. */
enum { FAULT_SHORT = -1000, FAULT_NO_ERRNO };

/* One call that was made while recording was active: a function, and for syscall() the number. */
struct shim_call {
	short function, number;
};

#define SHIM_MAX_CALLS 8192

/* In memory shared by parent and child. */
struct shim_trace {
	int count;
	struct shim_call calls[SHIM_MAX_CALLS];
};

/* Installs the shim. Prints the imports of the library that no table contains: their number must be 0. */
int shim_install(const char *library);

const char *shim_name(struct shim_call call);
/* The errors of the call, ended by 0. */
const int *shim_errors(struct shim_call call);
bool shim_is_allocation(struct shim_call call);

/*
 * The index of the call that fails, from 0, none if negative, and which call it must be; the error; and whether all
 * later allocations fail.
 */
void shim_set_fault(int position, struct shim_call call, int error, bool is_lasting);
/* The calls between these two are counted, and written to the trace if one is set. */
void shim_open_window(struct shim_trace *trace);
void shim_close_window(void);
/* Whether the fault was injected. */
bool shim_has_struck(void);

/*
 * Whether getaddrinfo() returns each address twice: a host with several addresses, independent of the system's files.
 */
void shim_double_addresses(bool is_doubled);

/* Whether renameat2() fails with flags, as on a file system that does not support them. */
void shim_refuse_renameat2(bool is_refused);

/* The resources that the library has: allocations, maps, streams, lists of addresses. */
int shim_held(void);
/* The function that returned the latest of them. */
const char *shim_last_held(void);

/*
 * Records that a scenario makes that call; and returns the number of functions that no scenario calls, which are
 * printed.
 */
void shim_note_use(struct shim_call call);
int shim_tell_unused(void);

#endif
