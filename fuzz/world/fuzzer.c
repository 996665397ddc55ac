/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzzer.c: where libFuzzer calls us, what it sees of the library, and what it reports
 */
#include "internal.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);
void __asan_on_error(void);

/* Seconds after which an input is a hang. */
#define HANGS_AFTER 10

/* --- what the fuzzer sees of the library -------------------------------------------------------------------------- */

/* The tables that the compilers' pass leaves: a counter for each edge, and beside it the address of its code. */
extern uint8_t __start___sancov_cntrs[], __stop___sancov_cntrs[];
extern const uintptr_t __start___sancov_pcs[], __stop___sancov_pcs[];

static ptrdiff_t counter_of(const void *function)
{
	ptrdiff_t count = __stop___sancov_cntrs - __start___sancov_cntrs;

	CHECK(__stop___sancov_pcs - __start___sancov_pcs == 2 * count, "counters and addresses do not match");
	for (ptrdiff_t i = 0; i < count; i++) {
		if (__start___sancov_pcs[2 * i] == (uintptr_t)function)
			return i;
	}
	return -1;
}

bool is_instrumented(const void *function)
{
	return counter_of(function) >= 0;
}

bool was_run(const void *function)
{
	ptrdiff_t counter = counter_of(function);

	return counter >= 0 && __start___sancov_cntrs[counter] != 0;
}

/* --- failures ----------------------------------------------------------------------------------------------------- */

void fail(const char *format, ...)
{
	va_list args;

	leave_world();
	fputs("fuzz: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

const char *__asan_default_options(void)
{
	/* It takes a string with a precision for a terminated one. */
	return "allocator_may_return_null=1:detect_leaks=1:handle_abort=0:check_printf=0";
}

/* A report is read, and its input kept, outside. */
void __asan_on_error(void)
{
	leave_world();
}

static const int FATAL[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGINT, SIGTERM};
static struct sigaction fuzzers_own[MM_NELEM(FATAL)];

/* A signal that killed a child, which shares our memory until it executes a program. */
static volatile sig_atomic_t childs_signal;
static pid_t own_pid;

static void report_outside(int number, siginfo_t *info, void *context)
{
	int saved_errno = errno;

	if (syscall(SYS_getpid) != own_pid) {
		childs_signal = number;
		_exit(1);
	}
	leave_world();
	for (int i = 0; i < MM_NELEM(FATAL); i++) {
		if (FATAL[i] != number)
			continue;
		sigaction(number, &fuzzers_own[i], NULL);
		errno = saved_errno;
		if (fuzzers_own[i].sa_flags & SA_SIGINFO)
			fuzzers_own[i].sa_sigaction(number, info, context);
		else
			raise(number);
	}
}

static void report_hang(int number)
{
	(void)number;
	FAIL("the input hangs");
}

static void catch_failures(void)
{
	struct sigaction action = {.sa_sigaction = report_outside, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
	struct sigaction hang = {.sa_handler = report_hang};

	for (int i = 0; i < MM_NELEM(FATAL); i++)
		sigaction(FATAL[i], &action, &fuzzers_own[i]);
	sigaction(SIGVTALRM, &hang, NULL);
	/* A file that is too large is an error of the call. */
	signal(SIGXFSZ, SIG_IGN);
}

static timer_t hang_timer;

static void watch_for_hang(bool is_running)
{
	struct itimerspec time = {.it_value.tv_sec = is_running ? HANGS_AFTER : 0};

	timer_settime(hang_timer, 0, &time, NULL);
}

/* --- an input ----------------------------------------------------------------------------------------------------- */

/* A symbolizer that runs while an input does would look like a lost child with lost descriptors. */
static void change_arguments(int *argc, char ***argv)
{
	static char no_functions[] = "-print_funcs=0";
	char **changed = calloc((size_t)*argc + 2, sizeof(*changed));

	if (changed == NULL)
		die("changing the arguments");
	changed[0] = (*argv)[0];
	changed[1] = no_functions;
	memcpy(changed + 2, *argv + 1, ((size_t)*argc - 1) * sizeof(*changed));
	*argv = changed;
	++*argc;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct sigevent hang = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGVTALRM};

	change_arguments(argc, argv);
	/* What we inherited would look lost. */
	syscall(SYS_close_range, 3, ~0U, 0);
	setenv("MMSYSIO_CONNECT_TIMEOUT_MS", "0", 1);
	unsetenv("MM_LOG_MAXLEVEL");
	setenv("PATH", "/bin:d", 1);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	make_world();
	make_memory();
	if (timer_create(CLOCK_MONOTONIC, &hang, &hang_timer) != 0)
		die("making a timer");
	CHECK(is_instrumented((const void *)mm_open), "the library was built without coverage");
	if (target.start != NULL)
		target.start();
	if (target.finish != NULL)
		atexit(target.finish);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_ready;
	struct input in = {data, size};
	char output[8192];

	if (!is_ready) {
		own_pid = getpid();
		note_fuzzers_descriptors();
		catch_failures();
		is_ready = true;
	}
	reuse_memory();
	begin_input();
	watch_for_hang(true);
	enter_world();
	target.run(&in);
	end_input();
	CHECK(childs_signal == 0, "a child died of signal %d before it executed its program", childs_signal);
	read_output(output, sizeof(output));
	watch_for_hang(false);
	leave_world();
	return 0;
}
