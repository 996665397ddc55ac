/*
 * threads.c: the C half of src/sys/local_time.rs
 *
 * A weak reference, which stable Rust does not have: the variable is in glibc from 2.32 on.
 */
#include <stdlib.h> /* defines __GLIBC__ */

__attribute__((visibility("hidden"))) int mmsysio_has_one_thread(void);

#ifdef __GLIBC__
extern char __libc_single_threaded __attribute__((weak));
#endif

/* Whether the calling thread is known to be the only one; 0 if the C library does not say. */
int mmsysio_has_one_thread(void)
{
#ifdef __GLIBC__
	return &__libc_single_threaded != NULL && __libc_single_threaded != 0;
#else
	/* Used for a lock that musl itself frees in a forked child. */
	return 1;
#endif
}
