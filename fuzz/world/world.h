/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world.h: what every fuzz target shares
 *
 * A target defines WORLD_TARGET(run): run() is called for each input, in a world of its own: a root directory in memory
 * that is made anew, a network of loopback alone, a bounded number of descriptors. When run() returns, everything that
 * the library handed out is given back; a descriptor or a child that is still there then was lost by the library.
 *
 * FAIL() reports what is wrong with the library as a crash, and so keeps the input.
 */
#ifndef WORLD_H
#define WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <mmerrno.h>
#include <mmlog.h>
#include <mmsysio.h>

/* The bytes of an input, taken from its front; zeros when there are no more. */
struct input {
	const uint8_t *data;
	size_t size;
};

uint8_t take_byte(struct input *in);
uint32_t take_u32(struct input *in);
uint64_t take_u64(struct input *in);
/* 0 to limit - 1. */
unsigned take_below(struct input *in, unsigned limit);
bool take_chance(struct input *in, unsigned one_in);
/* One of an array. */
#define TAKE_ONE(in, array) ((array)[take_below(in, MM_NELEM(array))])
/* Numbers that are often at the edge of what is allowed. */
int take_int(struct input *in);
int64_t take_int64(struct input *in);

/*
 * Memory that ends where memory ends: one byte more, read or written, is a crash. It lasts until the input ends.
 */
void *exact_memory(size_t size);
char *exact_string(const void *bytes, size_t size);
/* An address at which the kernel finds nothing. */
void *no_memory(void);

/* Descriptors: those that the target owns, of which all are non-blocking. */
int adopt(int fd);   /* takes ownership of fd, if it is not negative; gives it back */
void disown(int fd); /* it was closed, or given away */
bool is_owned(int fd);
int owned_descriptor(struct input *in); /* one of them, -1 if there is none */
int any_descriptor(struct input *in);   /* or one that is not open, or 0 or 1 */
int count_open(void);                   /* by the kernel's count */
int lowest_free_descriptor(void);
#define WORLD_DESCRIPTORS 128 /* RLIMIT_NOFILE */

void reopen_standard(int fd); /* one of 0, 1 and 2 that was closed */

/* Children: those that the target must wait for. */
void expect_child(void);
void expect_orphan(void); /* it may be there for a moment, and would be init's elsewhere */
void child_was_reaped(void);

/* The files of the world were changed: make them anew for the next input. */
void world_has_changed(void);

/*
 * Around each call of the library. end_call() checks, as its contract has it everywhere: a failure has a number, in
 * errno and in the error state, the name of the function that failed, and one line in the log without control
 * characters; a success leaves the error state alone.
 */
struct call {
	const char *function;
	int flags;
	bool is_log_watched;
	long log_size;
	struct mm_error_state before;
};
void begin_call(struct call *call, const char *function);
void end_call(struct call *call, bool has_failed);

/* The log of the world: what was written to descriptor 2. */
long log_size(void);
size_t read_log(long from, char *text, size_t size);
/* The program redirects descriptor 2, or chose what the log says: it is not looked at until the input ends. */
void stop_watching_log(void);
/* What was written to descriptor 1, through stdio included; forgets it. */
size_t read_output(char *text, size_t size);

_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define FAIL(...) fail(__VA_ARGS__)
#define CHECK(condition, ...)              \
	do {                               \
		if (!(condition))          \
			FAIL(__VA_ARGS__); \
	} while (0)

/* The target. start(), if any, runs once, outside of the world; finish() when all inputs were run. */
struct target {
	void (*start)(void);
	void (*run)(struct input *in);
	void (*finish)(void);
};
extern const struct target target;

/* Whether the code at that address counts for the fuzzer, and whether this input has run it. */
bool is_instrumented(const void *function);
bool was_run(const void *function);

#endif
