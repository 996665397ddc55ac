/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.c: what Rust cannot say of threads: thread-local variables, a weak reference, and cleanup handlers
 */
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h> /* defines __GLIBC__ */

#define HIDDEN __attribute__((visibility("hidden")))

/* --- the errors of a thread: see src/rt/thread_errors.rs ---------------------------------------------------------- */

struct errors {
	/* The last error, in the layout of mmlib. */
	int flags;
	int number;
	char extid[64];
	char module[32];
	char location[256];
	char description[256];
	/* The next one. */
	int next_number;
	int next_is_logged;
	const void *next_location;
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

/* Whether the calling thread is known to be the only one; 0 if the C library does not say. */
int mmsysio_has_one_thread(void)
{
#ifdef __GLIBC__
	return &__libc_single_threaded != NULL && __libc_single_threaded != 0;
#else
	/* The caller asks because of a lock, which musl itself releases in a forked child. */
	return 1;
#endif
}

/* --- cancellation: see src/os/cancel.rs --------------------------------------------------------------------------- */

HIDDEN void mmsysio_run_with_cleanup(void (*run)(void *), void (*clean_up)(void *), void *arg);
HIDDEN void mmsysio_publish(const void *object);

/* Calls run(arg); if the thread is cancelled in it, clean_up(arg) is the last that the library does in the thread. */
void mmsysio_run_with_cleanup(void (*run)(void *), void (*clean_up)(void *), void *arg)
{
	pthread_cleanup_push(clean_up, arg);
	run(arg);
	pthread_cleanup_pop(0);
}

/* The compiler of Rust does not know that this does nothing: it must have stored all changes of the object. */
void mmsysio_publish(const void *object)
{
	(void)object;
}
