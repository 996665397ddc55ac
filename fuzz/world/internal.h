/* SPDX-License-Identifier: Apache-2.0 */
/*
 * internal.h: shared by the files of the world, but not used by targets
 */
#ifndef INTERNAL_H
#define INTERNAL_H

#include "world.h"

/* Ends the fuzzer because one of its own calls failed with errno. */
_Noreturn void die(const char *what);

/* input.c: the blocks of memory for inputs, in order. */
void make_memory(void);
void reuse_memory(void);

/* sandbox.c */
void make_world(void);
void enter_world(void);
void leave_world(void); /* does nothing outside of the world */
void empty_log(void);
void for_each_open(void (*use)(int fd, void *arg), void *arg);
void name_descriptor(int fd, char *name, size_t size);

/* oracle.c */
void note_fuzzers_descriptors(void);
void begin_input(void);
void end_input(void);

#endif
