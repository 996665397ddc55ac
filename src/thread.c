/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.c: thread features that stable Rust lacks: thread-local variables, weak references, and cleanup handlers
 */
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h> /* defines __GLIBC__ */

#define HIDDEN __attribute__((visibility("hidden")))

/* --- the errors of a thread: see src/rt/thread_errors.rs ---------------------------------------------------------- */

/* A constant. */
struct text {
	const char *start;
	size_t length;
};

struct errors {
	/* The last error, in the layout of mmlib. */
	int flags;
	int number;
	char extid[64];
	char module[32];
	char location[256];
	char description[256];
	/* What the text of the last error is made of, until somebody asks for it. */
	int is_unformatted;
	struct text function;
	const void *source;
	struct text what;
	size_t numbers[3];
	/* The error that has not been raised yet. */
	int next_number;
	int next_is_logged;
	const void *next_source;
	struct text next_what;
	size_t next_numbers[3];
	int next_length;
	char next_description[256];
};

static _Thread_local struct errors errors;

HIDDEN struct errors *mmsysio_thread_errors(void);
HIDDEN extern const size_t mmsysio_thread_errors_size;

const size_t mmsysio_thread_errors_size = sizeof(struct errors);

struct errors *mmsysio_thread_errors(void)
{
	return &errors;
}

/* --- the number of threads: see src/os/local_time.rs -------------------------------------------------------------- */

#ifdef __GLIBC__
/* Since glibc 2.32. */
extern char __libc_single_threaded __attribute__((weak));
#endif

HIDDEN int mmsysio_has_one_thread(void);

/* Returns whether the calling thread is known to be the only one, 0 if the C library does not report it. */
int mmsysio_has_one_thread(void)
{
#ifdef __GLIBC__
	return &__libc_single_threaded != NULL && __libc_single_threaded != 0;
#else
	/* The caller needs this because of a lock in the C library. musl releases that lock in a forked child. */
	return 1;
#endif
}

/* --- cancellation: see src/os/cancel.rs --------------------------------------------------------------------------- */

HIDDEN void mmsysio_run_with_cleanup(void (*run)(void *), void (*clean_up)(void *), void *arg);
HIDDEN void mmsysio_publish(const void *object);

/* Calls run(arg). If the thread is cancelled in it, clean_up(arg) is called. */
void mmsysio_run_with_cleanup(void (*run)(void *), void (*clean_up)(void *), void *arg)
{
	pthread_cleanup_push(clean_up, arg);
	run(arg);
	pthread_cleanup_pop(0);
}

/* The Rust compiler cannot see this function, so it must store all changes to the object before the call. */
void mmsysio_publish(const void *object)
{
	(void)object;
}
