/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shim.h: control over the calls that libmmsysio makes
 *
 * The shim stands between the library and the C library: it puts a function of its own in place of each that the
 * library imports, in the library's own table of imports alone. So the test program, the C library itself and the tail
 * calls of the library cannot be mistaken for each other.
 */
#ifndef SHIM_H
#define SHIM_H

#include <stdbool.h>
#include <stddef.h>

/* Beside errno values, what a call can be made to do: half of what it was asked for, or to fail without a number. */
enum { FAULT_SHORT = -1000, FAULT_NO_ERRNO };

/* One call that was made while the window was open: a function, and of syscall() the number. */
struct shim_call {
	short function, number;
};

#define SHIM_MAX_CALLS 8192

/* In memory that parent and child share. */
struct shim_trace {
	int count;
	struct shim_call calls[SHIM_MAX_CALLS];
};

/* Puts the shim in place. Names what the library imports and no table knows: their number must be 0. */
int shim_install(const char *library);

const char *shim_name(struct shim_call call);
/* What the call can fail with, 0 at the end. */
const int *shim_errors(struct shim_call call);
bool shim_is_allocation(struct shim_call call);

/* The position of the call that fails, from 0, none if negative, and which it must be; with what; and whether all allocations
 * do from then on. */
void shim_set_fault(int position, struct shim_call call, int error, bool is_lasting);
/* The calls between these two are counted, and written to the trace if there is one. */
void shim_open_window(struct shim_trace *trace);
void shim_close_window(void);
/* Whether the fault has come about. */
bool shim_has_struck(void);

/* Whether getaddrinfo() gives each address twice: a host with several addresses, whatever the system's files have. */
void shim_double_addresses(bool is_doubled);

/* What the library holds: allocations, maps, streams, lists of addresses. */
int shim_held(void);
/* The function that gave the last of it. */
const char *shim_last_held(void);

/* Remembers that a scenario makes that call; and the number of functions that none does, which are named. */
void shim_note_use(struct shim_call call);
int shim_tell_unused(void);

#endif
