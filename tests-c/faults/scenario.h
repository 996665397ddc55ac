/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scenario.h: the definition of a fault injection scenario
 *
 * A scenario does its setup, calls one exported function in TRY(), and releases everything, whether the call succeeded
 * or not. driver.c runs it repeatedly, each time with the failure of a different call.
 */
#ifndef SCENARIO_H
#define SCENARIO_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mmerrno.h>
#include <mmipc.h>
#include <mmlog.h>
#include <mmsysio.h>

struct scenario {
	const char *function, *mode;
	void (*run)(void);
	/* The number of resources that the library keeps for later calls, and the reason. */
	int keeps;
	const char *reason;
	/*
	 * The failure that is the result of the scenario without a fault, 0 if it succeeds; or one that some systems
	 * return.
	 */
	int ends_with, may_lack;
	/* The function that may raise the error instead, which the tested function calls. */
	const char *raised_by;
	/* A failure may leave names behind, as documented. */
	bool leaves_names;
	/* The descriptor argument is closed even if the call fails. */
	bool may_close;
};

extern const struct scenario file_scenarios[], directory_scenarios[], process_scenarios[], map_scenarios[],
	ipc_scenarios[], mmipc_scenarios[], socket_scenarios[], error_scenarios[], time_scenarios[], mmlib_scenarios[];

/* The tested call: true if it succeeded. All calls before and after it must succeed. */
#define TRY(result, call) (begin_try(), (result) = (call), end_try((result) == -1))
#define TRY_POINTER(result, call) (begin_try(), (result) = (call), end_try((result) == NULL))
#define TRY_VOID(call) (begin_try(), (call), end_try(false))

void begin_try(void);
bool end_try(bool has_failed);

#define require(condition) ((condition) ? (void)0 : fail(__FILE__, __LINE__, #condition))
_Noreturn void fail(const char *file, int line, const char *what);

/* The exit status of the process that called mm_execv(): 99 if it returned. */
void require_end_of_exec(int code);

/* A unique IPC name. */
const char *ipc_name(void);
/* A file with that many bytes of text, and one with a hole before them. */
void make_file(const char *path, int size);
void make_sparse_file(const char *path, int size);
bool have_same_content(const char *path, const char *other);
bool exists(const char *path);

#endif
