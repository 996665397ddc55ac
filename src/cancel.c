/*
 * cancel.c: the C half of src/sys/cancel.rs
 *
 * pthread_cleanup_push() is a macro, so only C can use it. No unwinding of C++ is asked for: the C library comes back here
 * by a jump, whatever it does with the frames below.
 */
#include <pthread.h>

__attribute__((visibility("hidden"))) void mmsysio_run_with_cleanup(void (*run)(void *), void (*clean_up)(void *),
                                                                    void *arg);

/* Runs run(arg); if the thread is cancelled meanwhile, clean_up(arg) is the last that the library does in it. */
void mmsysio_run_with_cleanup(void (*run)(void *), void (*clean_up)(void *), void *arg)
{
	pthread_cleanup_push(clean_up, arg);
	run(arg);
	pthread_cleanup_pop(0);
}
