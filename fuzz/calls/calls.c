/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls.c: an input is a sequence of calls of all functions that the library exports, with all kinds of arguments that
 * the contract allows: also NULL, numbers at the limits, and invalid addresses where the kernel checks them
 *
 * The byte that begins a call is the index of the function in src/mmsysio.map. The order of that file never changes, so
 * inputs keep their meaning when a function is added. A name in the map without a call_...() in this directory causes a
 * link error.
 */
#include "calls.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

/* Calls of one input. */
#define MAX_CALLS 40

/* Numbers of calls and of successful calls, by the index of the function. */
static unsigned long called[128], succeeded[128];
static unsigned current;

static unsigned next_kept;

unsigned next_place(void)
{
	return next_kept++ % KEPT;
}

bool was_success(bool has_succeeded)
{
	succeeded[current] += has_succeeded;
	return has_succeeded;
}

static const struct function {
	const char *name;
	const void *code;
	void (*call)(struct input *in);
} functions[] = {
#define FUNCTION(name) {#name, (const void *)name, call_##name},
#include "functions.h"
#undef FUNCTION
};

/* The C functions to which the entry points jump, unless they are the entry points: see src/variadic.c. */
#define JUMPS(X)                \
	X(mm_raise_error_full)  \
	X(mm_raise_error_vfull) \
	X(mm_raise_from_errno_full) X(mm_print_lasterror) X(mm_log)
#define DECLARED(name) extern char mmsysio_##name[] __attribute__((weak));
JUMPS(DECLARED)

static const void *code_of(const struct function *function)
{
#define RETURNED(name)                                                      \
	if (function->code == (const void *)name && mmsysio_##name != NULL) \
		return mmsysio_##name;
	JUMPS(RETURNED)
	return function->code;
}

/* --- calls that wait ------------------------------------------------------------------------------------------------ */

static timer_t interrupter;

static void do_nothing(int number)
{
	(void)number;
}

static void make_interrupter(void)
{
	struct sigaction action = {.sa_handler = do_nothing};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};

	CHECK(sigaction(SIGRTMIN, &action, NULL) == 0 && timer_create(CLOCK_MONOTONIC, &event, &interrupter) == 0,
	      "there is no timer");
}

/* The signal is sent again and again: the first one may be too early. */
void interrupt_waits(bool is_on)
{
	static const struct timespec period = {.tv_nsec = 1000000}, off;
	struct itimerspec times = {is_on ? period : off, is_on ? period : off};

	timer_settime(interrupter, 0, &times, NULL);
}

static void start(void)
{
	make_interrupter();
	_Static_assert(MM_NELEM(functions) <= 128, "one byte must suffice for the function");
	for (int i = 0; i < MM_NELEM(functions); i++)
		CHECK(is_instrumented(code_of(&functions[i])), "%s was built without coverage", functions[i].name);
}

static void run(struct input *in)
{
	next_kept = 0;
	for (int calls = 0; calls < MAX_CALLS && in->size > 0;) {
		current = take_byte(in) % 128;
		if (current >= MM_NELEM(functions))
			continue;
		calls++;
		called[current]++;
		functions[current].call(in);
	}
	mm_error_set_flags(MM_ERROR_IGNORE, MM_ERROR_IGNORE);
	close_directories();
	forget_processes();
	unmap_all();
	destroy_servers();
	free_address_lists();
	forget_saved_error();
}

/* For the replay of the corpus, which must try every function. */
static void finish(void)
{
	bool is_complete = true;

	if (getenv("FUZZ_CALLS_ALL") == NULL)
		return;
	for (int i = 0; i < MM_NELEM(functions); i++) {
		if (called[i] == 0 || succeeded[i] == 0) {
			fprintf(stderr, "fuzz: %s %s in the corpus\n", functions[i].name,
			        called[i] == 0 ? "is never called" : "never succeeds");
			is_complete = false;
		}
	}
	if (!is_complete)
		_exit(1);
	fprintf(stderr, "fuzz: all of %d functions are called in the corpus\n", MM_NELEM(functions));
}

const struct target target = {start, run, finish};
