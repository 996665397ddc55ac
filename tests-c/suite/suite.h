/* SPDX-License-Identifier: Apache-2.0 */
/*
 * suite.h: shared by all test programs of libmmsysio
 *
 * A program defines its tests with START_TEST, names them after the tested behaviour, and ends in SUITE(). Each test
 * runs in a separate process, with a timeout, and also fails if it leaves a descriptor, a child, or a file: a scratch
 * directory, or an object with a unique_name(). Log lines are disabled.
 */
#ifndef SUITE_H
#define SUITE_H

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else /* not on every architecture */
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_DISABLE_ERROR_REPORTING (void)0
#define VALGRIND_ENABLE_ERROR_REPORTING (void)0
#endif

#include <mmerrno.h>
#include <mmlog.h>
#include <mmsysio.h>

/* The end of a test program: runs the tests, prints TAP. */
#define SUITE(...)                                                   \
	int main(void)                                               \
	{                                                            \
		const TTest *const tests[] = {__VA_ARGS__};          \
		return suite_main(__FILE__, tests, MM_NELEM(tests)); \
	}

int suite_main(const char *file, const TTest *const *tests, int count);

/*
 * The call must fail with that error, in errno and in the error state, raised by the function that is called. An
 * assertion may change errno: the first one of a thread allocates memory.
 */
#define assert_fails(call, error)                                                         \
	do {                                                                              \
		suite_forget_error();                                                     \
		int suite_result = (int)(call), suite_errno = errno;                      \
		ck_assert_msg(suite_result == -1, "%s returned %d", #call, suite_result); \
		errno = suite_errno;                                                      \
		suite_assert_error(#call, error);                                         \
	} while (0)

/*
 * The same for a call with an invalid address that the kernel must detect; skipped under valgrind, which reports it
 * first.
 */
#define assert_fails_on_bad_memory(call, error)   \
	do {                                      \
		VALGRIND_DISABLE_ERROR_REPORTING; \
		assert_fails(call, error);        \
		VALGRIND_ENABLE_ERROR_REPORTING;  \
	} while (0)

/* The same for a function that returns a pointer. */
#define assert_fails_with_null(call, error)                                                 \
	do {                                                                                \
		suite_forget_error();                                                       \
		const void *suite_result = (call);                                          \
		int suite_errno = errno;                                                    \
		ck_assert_msg(suite_result == NULL, "%s returned %p", #call, suite_result); \
		errno = suite_errno;                                                        \
		suite_assert_error(#call, error);                                           \
	} while (0)

void suite_forget_error(void);
void suite_assert_error(const char *call, int error);

/* A name that no other test and no other run uses: it contains the process id. Valid until the test ends. */
const char *unique_name(void);

/* Milliseconds of a monotonic clock. */
int64_t now_ms(void);
void sleep_ms(int ms);

/* Runs a function in a child process; its result is the exit status. Failed assertions in it also fail the test. */
pid_t start_child(int (*run)(void *), void *arg);
void assert_child_succeeds(pid_t pid);

/* A thread, and what it returns. */
pthread_t start_thread(void *(*run)(void *), void *arg);
void *join_thread(pthread_t thread);

/* Waits until a thread or process (by its kernel id) sleeps in the kernel. */
void wait_until_asleep(pid_t tid);
pid_t thread_id(void);

/*
 * Sends SIGUSR1, which is caught, to the calling thread until stopped: a single one could arrive too early to interrupt
 * it.
 */
pthread_t start_interrupting(void);
void stop_interrupting(pthread_t interrupter);

/* Creates a directory and makes it the current one; the other function removes it with its content. */
void enter_scratch_directory(void);
void leave_scratch_directory(void);

/* Runs a test's body as an ordinary user, to whom permissions apply, even if the tests run as root. */
void as_ordinary_user(void (*body)(void));

/* Creates a file with that text; checks whether a file has that text. */
void write_file(const char *path, const char *text);
bool has_text(const char *path, const char *text);
bool exists(const char *path);

/* Number of open descriptors, and whether one is open. */
int count_open_descriptors(void);
bool is_open(int fd);

/* The RLIMIT_NOFILE below which exactly that many descriptors are free. */
rlim_t limit_with_free_numbers(int count);

/* Closes fd with mm_close() and checks the result. */
void close_all(int count, const int *fds);

size_t page_size(void);

/* Pseudo-random numbers, the same in every run. */
uint32_t next_random(uint32_t *state);

/* True under valgrind, which has its own limits, and slow code; and with a sanitizer, which is slow. */
bool is_under_valgrind(void);
bool is_instrumented(void);

/*
 * True under helgrind, which tracks every byte that a system call refers to, and runs out of memory if that is the
 * whole address space.
 */
bool is_under_helgrind(void);

#endif
