/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world.h: shared by all fuzz targets
 *
 * A target defines WORLD_TARGET(run). run() is called for each input in a new world: a fresh root directory in memory,
 * a network namespace with loopback only, a limited number of descriptors. run() must release everything that the
 * library returned to it; a descriptor or a child that exists after it returned was leaked by the library.
 *
 * FAIL() reports a failure of the library as a crash, so that libFuzzer keeps the input.
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
#include <mmipc.h>
#include <mmlog.h>
#include <mmsysio.h>

/* The bytes of an input, consumed from the front; zeros after its end. */
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
/* One element of an array. */
#define TAKE_ONE(in, array) ((array)[take_below(in, MM_NELEM(array))])
/* Numbers that are often at the limits of the allowed range. */
int take_int(struct input *in);
int64_t take_int64(struct input *in);

/*
 * Memory followed by an inaccessible page: reading or writing one byte beyond it crashes. Valid until the input ends.
 */
void *exact_memory(size_t size);
char *exact_string(const void *bytes, size_t size);
/* An invalid address. */
void *no_memory(void);

/* Descriptors owned by the target, all of which are non-blocking. */
int adopt(int fd);   /* takes ownership of fd, unless it is negative; returns fd */
void disown(int fd); /* it was closed, or its ownership was passed on */
bool is_owned(int fd);
int owned_descriptor(struct input *in); /* one of them, -1 if there is none */
int any_descriptor(struct input *in);   /* an owned one, one that is not open, or 0 or 1 */
int count_open(void);                   /* as counted by the kernel */
int lowest_free_descriptor(void);
#define WORLD_DESCRIPTORS 128 /* RLIMIT_NOFILE */

void reopen_standard(int fd); /* one of 0, 1 and 2 that was closed */

/* Children that the target must wait for. */
void expect_child(void);
void expect_orphan(void); /* it may exist for a moment, and would elsewhere be reparented to init */
void child_was_reaped(void);

/* The files of the world were changed and must be created anew for the next input. */
void world_has_changed(void);

/*
 * To be called around each call of the library. end_call() checks the general contract: a failure sets errno and the
 * error state to the same number, names the function that failed, and logs one line without control characters; a
 * success leaves the error state unchanged.
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

/* The log of the world: all output to descriptor 2. */
long log_size(void);
size_t read_log(long from, char *text, size_t size);
/* The program redirects descriptor 2, or controls the content of the log: it is not checked until the input ends. */
void stop_watching_log(void);
/* Returns the output to descriptor 1, including stdio's, and clears it. */
size_t read_output(char *text, size_t size);

_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define FAIL(...) fail(__VA_ARGS__)
#define CHECK(condition, ...)              \
	do {                               \
		if (!(condition))          \
			FAIL(__VA_ARGS__); \
	} while (0)

/* The target. start(), if defined, runs once, outside of the world; finish() runs after all inputs. */
struct target {
	void (*start)(void);
	void (*run)(struct input *in);
	void (*finish)(void);
};
extern const struct target target;

/* Whether the code at that address is instrumented, and whether this input has executed it. */
bool is_instrumented(const void *function);
bool was_run(const void *function);

#endif
