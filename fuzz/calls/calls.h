/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls.h: shared by the files of the target "calls"; there is one file for each section of the headers
 */
#ifndef CALLS_H
#define CALLS_H

#include "world.h"

#include <sys/uio.h>

/*
 * A call_...() for each exported function: reads the arguments from the input, calls the function, and checks the
 * result.
 */
#define FUNCTION(name) void call_##name(struct input *in);
#include "functions.h"
#undef FUNCTION

/* --- objects that the library returned, kept for later calls ------------------------------------------------------ */

/* Number of objects kept of each kind. */
#define KEPT 4

/* The index of the next object, of any kind. */
unsigned next_place(void);

extern struct mm_ipc_srv *servers[KEPT];

/* Called at the end of an input. */
void close_directories(void);
void forget_processes(void);
void unmap_all(void);
void destroy_servers(void);
void free_address_lists(void);
void forget_saved_error(void);

/* --- arguments ---------------------------------------------------------------------------------------------------- */

/* A path, NULL, or an invalid address. */
char *take_path(struct input *in);
/* One of the names, arbitrary bytes, a long name, or NULL. */
char *take_name(struct input *in, const char *const *names, unsigned count);
/* At most size bytes, up to the first NUL byte. */
char *take_bytes_as_string(struct input *in, size_t size);
/* The part repeated up to one of the lengths. */
char *take_repeated(struct input *in, const char *part, const unsigned *lengths, unsigned count);

/* A name of a server. */
char *take_ipc_name(struct input *in);

size_t take_size(struct input *in);
int take_mode(struct input *in);
int take_flags(struct input *in);

/* Memory with arbitrary content. */
void *take_memory(struct input *in, size_t size);
/* An argument that only the kernel accesses: it may be an invalid address. */
void *take_kernels_memory(struct input *in, size_t size);
/* Memory for a result: exactly that size, or NULL. */
void *take_output(struct input *in, size_t size);
/* Buffers of arbitrary sizes, and a count that may be wrong. */
struct iovec *take_iov(struct input *in, int *count);

/* --- calling ------------------------------------------------------------------------------------------------------ */

/* While this is on, a signal handler interrupts calls that wait. */
void interrupt_waits(bool is_on);

/* Counts the successes of the current function; returns its argument. */
bool was_success(bool has_succeeded);

/* Calls a function that reports failure by the given number or pointer, and checks the state after it. */
#define CALL_FAILING(failure, function, ...)                     \
	({                                                       \
		struct call call;                                \
		begin_call(&call, #function);                    \
		__auto_type call_result = function(__VA_ARGS__); \
		end_call(&call, call_result == (failure));       \
		was_success(call_result != (failure));           \
		call_result;                                     \
	})
#define CALL(function, ...) CALL_FAILING(-1, function, __VA_ARGS__)
#define CALL_VOID(function, ...)              \
	do {                                  \
		struct call call;             \
		begin_call(&call, #function); \
		function(__VA_ARGS__);        \
		end_call(&call, false);       \
		was_success(true);            \
	} while (0)

#endif
