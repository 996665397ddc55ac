/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls.h: what the calls of the target "calls" share; there is one file for each banner of the headers
 */
#ifndef CALLS_H
#define CALLS_H

#include "world.h"

#include <sys/uio.h>

/* A call_...() for each exported function: it reads the arguments from the input, calls, and checks the result. */
#define FUNCTION(name) void call_##name(struct input *in);
#include "functions.h"
#undef FUNCTION

/* --- what the library returned, kept for later calls -------------------------------------------------------------- */

/* Objects that are kept of each kind. */
#define KEPT 4

/* Where the next object goes, of whatever kind. */
unsigned next_place(void);

/* At the end of an input. */
void close_directories(void);
void forget_processes(void);
void unmap_all(void);
void destroy_servers(void);
void free_address_lists(void);
void forget_saved_error(void);

/* --- arguments ---------------------------------------------------------------------------------------------------- */

/* A path, NULL, or an address at which the kernel finds nothing. */
char *take_path(struct input *in);
/* One of the names, any bytes, a long name, or NULL. */
char *take_name(struct input *in, const char *const *names, unsigned count);
/* At most size bytes, up to the first that is zero. */
char *take_bytes_as_string(struct input *in, size_t size);
/* The part again and again, in one of the lengths. */
char *take_repeated(struct input *in, const char *part, const unsigned *lengths, unsigned count);

size_t take_size(struct input *in);
int take_mode(struct input *in);
int take_flags(struct input *in);

/* Memory with anything in it. */
void *take_memory(struct input *in, size_t size);
/* For the kernel alone: there may be nothing. */
void *take_kernels_memory(struct input *in, size_t size);
/* For a result: exactly that much memory, or NULL. */
void *take_room(struct input *in, size_t size);
/* Buffers of any sizes, and a count that may be wrong. */
struct iovec *take_iov(struct input *in, int *count);

/* --- calling ------------------------------------------------------------------------------------------------------ */

/* Counts the successes of the function that is called; returns its argument. */
bool was_success(bool has_succeeded);

/* Calls a function whose failure is the number or pointer given, and checks what it leaves. */
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
