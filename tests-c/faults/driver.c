/* SPDX-License-Identifier: Apache-2.0 */
/*
 * driver.c: every exported function x every call that it makes x every errno of that call
 *
 * usage: faults LIBRARIES MAPS ERRORS DOCUMENTED full|short [FUNCTION]
 *
 * LIBRARIES and MAPS are lists separated by commas.
 *
 * Each scenario runs once and is traced. The trace is the table of cases: for each call in it, and for each error of
 * that call, the scenario runs in a new process with that fault, and then once more without. The expected result of a
 * fault is a failure with the error of the call, unless exceptions.h has an entry with a different outcome. The manual
 * page of the function must list the error, unless undocumented.h has an entry: DOCUMENTED is the output of
 * man/errors.py. ERRORS receives each function with each error that it produced. The short form injects one error of
 * each call in turn, into no more than three calls of one function.
 */
#include "scenario.h"
#include "shim.h"

#include <fnmatch.h>
#include <ftw.h>
#include <netdb.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

/* --- expected results --------------------------------------------------------------------------------------------- */

enum outcome {
	FAILS,     /* with the error of the fault, or another error specified by the exception */
	LITTERS,   /* the same, but a name remains that cannot be removed */
	UNCHANGED, /* as without the fault */
	LEAKS,     /* as without the fault, but a resource remains that cannot be released */
	EITHER, /* as without the fault, or fails with the error of the fault or another one, which the exception specifies */
	SKIPPED, /* the error is an answer and not a failure; injecting it would be wrong */
};

static struct exception {
	const char *scenario, *call;
	const int *errors; /* NULL for all */
	enum outcome outcome;
	int number; /* 0 for the error of the fault */
	const char *reason;
	int uses;
} exceptions[] = {
#define ANY NULL
#define ONLY(...) ((const int[]){__VA_ARGS__, 0})
#define EXCEPT(scenario, call, errors, outcome, number, reason) {scenario, call, errors, outcome, number, reason, 0},
#include "exceptions.h"
};

static bool is_among(int error, const int *errors)
{
	for (; errors != NULL && *errors != 0; errors++)
		if (*errors == error)
			return true;
	return errors == NULL;
}

/* The first match is used. The call may include its index among the calls of the same function: close#2. */
static struct exception *exception_for(const char *scenario, const char *call, int number, int error)
{
	char numbered[64];

	snprintf(numbered, sizeof(numbered), "%s#%d", call, number);
	for (size_t i = 0; i < MM_NELEM(exceptions); i++) {
		const char *pattern = exceptions[i].call;

		if (fnmatch(exceptions[i].scenario, scenario, 0) == 0 && is_among(error, exceptions[i].errors) &&
		    fnmatch(pattern, strchr(pattern, '#') != NULL ? numbered : call, 0) == 0)
			return &exceptions[i];
	}
	return NULL;
}

/* --- the documented result ---------------------------------------------------------------------------------------- */

static struct exemption {
	const char *function, *call;
	const int *errors;
	const char *reason;
	int uses;
} exemptions[] = {
#define UNDOCUMENTED(function, call, errors, reason) {function, call, errors, reason, 0},
#include "undocumented.h"
};

#define MOST_DOCUMENTED 2000

static struct {
	char function[64];
	int number; /* 0: other errors, which only the resolver has */
} documented[MOST_DOCUMENTED];
static int documented_count;

static void add_documented(const char *function, int number)
{
	if (documented_count == MOST_DOCUMENTED) {
		fprintf(stderr, "faults: more than %d errors are documented\n", MOST_DOCUMENTED);
		exit(EXIT_FAILURE);
	}
	snprintf(documented[documented_count].function, sizeof(documented[0].function), "%s", function);
	documented[documented_count++].number = number;
}

static void read_documented(const char *path)
{
	char function[64], number[16];
	FILE *file = fopen(path, "r");

	if (file == NULL) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	while (fscanf(file, "%63s %15s", function, number) == 2)
		add_documented(function, strcmp(number, "others") == 0 ? 0 : atoi(number));
	fclose(file);
	if (documented_count == 0) {
		fprintf(stderr, "faults: %s is empty\n", path);
		exit(EXIT_FAILURE);
	}
}

/* A missing error is reported once, and then treated as documented. */
static bool is_documented(const char *function, int number, const char *call)
{
	bool is_of_resolver = strcmp(call, "getaddrinfo") == 0 || strcmp(call, "getnameinfo") == 0;

	for (int i = 0; i < documented_count; i++)
		if (strcmp(documented[i].function, function) == 0 &&
		    (documented[i].number == number || (documented[i].number == 0 && is_of_resolver)))
			return true;
	for (size_t i = 0; i < MM_NELEM(exemptions); i++) {
		if (fnmatch(exemptions[i].function, function, 0) == 0 && fnmatch(exemptions[i].call, call, 0) == 0 &&
		    is_among(number, exemptions[i].errors)) {
			exemptions[i].uses++;
			return true;
		}
	}
	add_documented(function, number);
	return false;
}

/* --- one run, in a child process ---------------------------------------------------------------------------------- */

/* What the process reports to its parent, and its children report to it. */
static struct {
	struct shim_trace trace;
	bool is_tried, has_failed, has_struck, has_failed_now;
	int number;
	char message[512];
} * report;

static struct {
	const struct scenario *scenario;
	struct shim_trace *trace;
	struct shim_call call;
	int position, error;
	bool is_armed, is_lasting, may_succeed, may_leak, may_litter;
	int expected_failure; /* 0: success */
} run;

static const int signals_of_failures[] = {SIGSEGV, SIGABRT, SIGBUS, SIGILL};

_Noreturn __attribute__((format(printf, 1, 2))) static void give_up(const char *format, ...)
{
	va_list arguments;

	shim_close_window();
	va_start(arguments, format);
	vsnprintf(report->message, sizeof(report->message), format, arguments);
	va_end(arguments);
	_exit(1);
}

void fail(const char *file, int line, const char *what)
{
	give_up("%s:%d: not true: %s (errno %d, %s)", strrchr(file, '/') + 1, line, what, errno,
	        mm_get_lasterror_desc());
}

struct state {
	int held, descriptors, names;
};

static int count_entries(const char *directory)
{
	DIR *dir = opendir(directory);
	int count = 0;

	require(dir != NULL);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static int names_below;

static int count_name(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)path, (void)status, (void)type, (void)where;
	names_below++;
	return 0;
}

static bool has_abstract_name(const char *name)
{
	static char line[512];
	FILE *file = fopen("/proc/net/unix", "r");
	bool found = false;

	while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL)
		found = strstr(line, name) != NULL;
	if (file != NULL)
		fclose(file);
	return found;
}

static char scratch[64];

static void look(struct state *state)
{
	names_below = 0;
	require(nftw(scratch, count_name, 64, FTW_PHYS) == 0);
	state->names = names_below;
	state->held = shim_held();
	state->descriptors = count_entries("/proc/self/fd");
}

static struct state before_call;

void begin_try(void)
{
	static const struct mm_error_state none;

	look(&before_call);
	mm_set_errorstate(&none);
	errno = 0;
	report->is_tried = true;
	shim_set_fault(run.is_armed ? run.position : -1, run.call, run.error, run.is_lasting);
	shim_open_window(run.trace);
}

static bool is_raised_by(const char *function, const char *location)
{
	size_t length = function == NULL ? 0 : strlen(function);

	return length != 0 && strncmp(location, function, length) == 0 &&
	       (strncmp(location + length, "() in src/", 10) == 0 ||
	        strncmp(location + length, "() in mmlib/src/", 16) == 0);
}

/* The failure has the expected error in errno and the error state, and the call left no resource behind. */
static void check_failure(int number, int errno_now)
{
	const char *location = mm_get_lasterror_location(), *function = run.scenario->function;
	struct state now;

	if (mm_get_lasterror_number() != number || errno_now != number)
		give_up("failed with %s, errno %s, expected %s: %s", strerrorname_np(mm_get_lasterror_number()),
		        strerrorname_np(errno_now), strerrorname_np(number), mm_get_lasterror_desc());
	if (!(is_raised_by(function, location) || is_raised_by(run.scenario->raised_by, location)) ||
	    strcmp(mm_get_lasterror_module(), "mmlib") != 0 || mm_get_lasterror_extid() != NULL ||
	    mm_get_lasterror_desc()[0] == '\0')
		give_up("the error state has module %s, location %s", location, mm_get_lasterror_module());
	look(&now);
	if (now.held > before_call.held + run.scenario->keeps + run.may_leak)
		give_up("a failure leaked a resource returned by %s()", shim_last_held());
	if (now.descriptors != before_call.descriptors &&
	    !(run.scenario->may_close && now.descriptors == before_call.descriptors - 1))
		give_up("a failure changed the number of open descriptors from %d to %d", before_call.descriptors,
		        now.descriptors);
	if (now.names != before_call.names && !run.scenario->leaves_names && !run.may_leak &&
	    !(run.may_litter && now.names == before_call.names + 1))
		give_up("a failure changed the number of names from %d to %d", before_call.names, now.names);
	if (has_abstract_name(ipc_name()) && strncmp(function, "mm_ipc_srv_create", 17) == 0)
		give_up("a failure left an abstract socket name");
}

bool end_try(bool has_failed)
{
	int errno_now = errno;

	shim_close_window();
	report->has_failed_now = has_failed;
	if (run.is_armed || run.position < 0) {
		report->has_failed = has_failed;
		report->has_struck = shim_has_struck();
		report->number = has_failed ? mm_get_lasterror_number() : 0;
	}
	if (!has_failed && mm_get_lasterror_number() != 0 && strncmp(run.scenario->function, "mm_raise", 8) != 0)
		give_up("succeeded, but raised an error: %s", mm_get_lasterror_desc());
	if (!run.is_armed || !shim_has_struck()) {
		int base = run.scenario->ends_with;

		if (has_failed && (base == 0 || errno_now != base) && errno_now != run.scenario->may_lack)
			give_up("failed without a fault: %s", mm_get_lasterror_desc());
		if (!has_failed && base != 0)
			give_up("succeeded without a fault, expected failure %s", strerrorname_np(base));
		if (has_failed)
			check_failure(errno_now, errno_now);
		return !has_failed;
	}
	if (has_failed && run.expected_failure == 0)
		give_up("failed with %s, expected success: %s", strerrorname_np(errno_now), mm_get_lasterror_desc());
	if (!has_failed && run.expected_failure != 0 && !run.may_succeed)
		give_up("succeeded, expected failure %s", strerrorname_np(run.expected_failure));
	if (has_failed && run.may_succeed && errno_now == run.scenario->ends_with)
		check_failure(errno_now, errno_now);
	else if (has_failed)
		check_failure(run.expected_failure, errno_now);
	return !has_failed;
}

void require_end_of_exec(int code)
{
	if (report->message[0] != '\0')
		_exit(1);
	require(code == (report->has_failed_now ? 99 : 0));
	report->has_failed_now = false;
}

const char *ipc_name(void)
{
	static char name[64];

	/* The driver's process id, also in children. */
	if (name[0] == '\0')
		snprintf(name, sizeof(name), "mmsysio-faults-%ld", (long)getpid());
	return name;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status, (void)type;
	return where->level == 0 ? 0 : remove(path);
}

static void run_once(bool is_armed)
{
	static int held_at_start = -1;
	struct state before, after;
	int status;

	run.is_armed = is_armed;
	look(&before);
	if (held_at_start < 0)
		held_at_start = before.held;
	run.scenario->run();
	require(report->is_tried);
	while (waitpid(-1, &status, 0) > 0)
		;
	require(chdir(scratch) == 0 && nftw(scratch, remove_entry, 64, FTW_DEPTH | FTW_PHYS) == 0);
	look(&after);
	if (after.descriptors != before.descriptors)
		give_up("%d descriptors were open before, now %d", before.descriptors, after.descriptors);
	if (after.held > held_at_start + run.scenario->keeps + run.may_leak)
		give_up("a resource returned by %s() was leaked", shim_last_held());
	if (has_abstract_name(ipc_name()))
		give_up("the abstract socket name is still in use");
}

/* Daemons become children of this process, so that all of them are waited for. */
static void run_scenario(void)
{
	struct sigaction ignored = {.sa_handler = SIG_IGN};

	setpgid(0, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigaction(SIGPIPE, &ignored, NULL);
	mm_log_set_maxlvl(MM_LOG_NONE);
	require(chdir(scratch) == 0);
	run_once(run.position >= 0);
	run.trace = NULL;
	if (run.position >= 0)
		run_once(false);
	_exit(0);
}

/* True if it exited successfully, and in time. */
static bool is_well(void)
{
	static const struct timespec limit = {.tv_sec = 20};
	sigset_t child_ends;
	int status = 0;

	report->trace.count = 0;
	report->is_tried = report->has_failed = report->has_struck = false;
	report->message[0] = '\0';
	fflush(stdout);

	/* Removes the files left by a run that failed. */
	nftw(scratch, remove_entry, 64, FTW_DEPTH | FTW_PHYS);

	pid_t pid = fork();

	if (pid == 0)
		run_scenario();
	sigemptyset(&child_ends);
	sigaddset(&child_ends, SIGCHLD);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (sigtimedwait(&child_ends, NULL, &limit) == -1 && errno == EAGAIN) {
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			snprintf(report->message, sizeof(report->message), "hangs");
			break;
		}
	}
	for (size_t i = 0; i < MM_NELEM(signals_of_failures); i++)
		if (WIFSIGNALED(status) && WTERMSIG(status) == signals_of_failures[i])
			snprintf(report->message, sizeof(report->message), "was killed by SIG%s",
			         sigabbrev_np(WTERMSIG(status)));
	return report->message[0] == '\0' && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

static struct {
	int scenarios, calls, passed, failed, unreached;
} total;
static bool is_short;
static FILE *errors_given;

static const char *name_of(int error)
{
	static char number[16];

	if (error == FAULT_SHORT)
		return "a short result";
	if (error == FAULT_NO_ERRNO)
		return "no errno";
	snprintf(number, sizeof(number), "%d", error);
	return error > 0 && strerrorname_np(error) != NULL ? strerrorname_np(error) : number;
}

/* The failure of the scenario that has run must be documented. */
static void check_documented(const char *call)
{
	const char *function = run.scenario->function;

	if (report->has_failed && !is_documented(function, report->number, call)) {
		printf("not ok: %s: fails with %s, after %s(), which its page does not list\n", function,
		       name_of(report->number), call);
		total.failed++;
	}
}

/* The error state contains errno values, also for the resolver's errors. */
static int number_returned_for(int error)
{
	static const int numbers[][2] = {
		{-9, EADDRNOTAVAIL},        {EAI_AGAIN, EAGAIN},
		{EAI_BADFLAGS, EINVAL},     {EAI_FAIL, EIO},
		{EAI_FAMILY, EAFNOSUPPORT}, {EAI_MEMORY, ENOMEM},
		{EAI_NODATA, MM_ENONAME},   {EAI_NONAME, MM_ENONAME},
		{EAI_OVERFLOW, EOVERFLOW},  {EAI_SERVICE, MM_ENOTFOUND},
		{EAI_SOCKTYPE, EPROTOTYPE}, {FAULT_NO_ERRNO, EIO},
	};

	for (size_t i = 0; i < MM_NELEM(numbers); i++)
		if (numbers[i][0] == error)
			return numbers[i][1];
	return error;
}

/* Without a fault, the scenario fails with the error base, or succeeds if base is 0. */
static void run_case(const char *name, struct shim_call call, int nth, int position, int error, bool is_lasting,
                     int base)
{
	struct exception *exception = exception_for(name, shim_name(call), nth, error);
	enum outcome outcome = exception != NULL ? exception->outcome : FAILS;

	run.position = position;
	run.call = call;
	run.error = error;
	run.is_lasting = is_lasting;
	run.trace = NULL;
	if (exception != NULL)
		exception->uses++;
	if (outcome == SKIPPED)
		return;
	run.may_succeed = outcome == EITHER;
	run.may_leak = outcome == LEAKS;
	run.may_litter = outcome == LITTERS;
	if (outcome == UNCHANGED || outcome == LEAKS || error == FAULT_SHORT)
		run.expected_failure = base;
	else
		run.expected_failure =
			exception != NULL && exception->number != 0 ? exception->number : number_returned_for(error);

	if (is_well()) {
		total.passed++;
		if (report->has_failed && report->has_struck)
			fprintf(errors_given, "%s %d %s %s\n", run.scenario->function, report->number,
			        report->number < 1000 ? strerrorname_np(report->number) : "", shim_name(call));
		check_documented(shim_name(call));
	} else {
		total.failed++;
		printf("not ok: %s: call %d, %s(), %s with %s: %s\n", name, position, shim_name(call),
		       is_lasting ? "and all after it," : "fails", name_of(error), report->message);
	}
	total.unreached += !report->has_struck;
}

static void run_cases(const struct scenario *scenario)
{
	static struct shim_trace trace;
	static int turn;
	char name[128];
	int base;

	snprintf(name, sizeof(name), "%s/%s", scenario->function, scenario->mode);
	run.scenario = scenario;
	run.position = -1;
	run.trace = &report->trace;
	total.scenarios++;
	if (!is_well()) {
		printf("not ok: %s: %s\n", name, report->message);
		total.failed++;
		return;
	}
	total.passed++;
	check_documented("no fault");
	trace = report->trace;
	base = report->number;
	for (int i = 0; i < trace.count; i++) {
		const int *errors = shim_errors(trace.calls[i]);
		int count = 0, nth = 0;

		shim_note_use(trace.calls[i]);
		for (int k = 0; k <= i; k++)
			nth += strcmp(shim_name(trace.calls[k]), shim_name(trace.calls[i])) == 0;
		/* Repeated calls, such as one for each signal, behave alike. */
		if (is_short && nth > 3)
			continue;
		while (errors[count] != 0)
			count++;
		for (int k = 0; k < count; k++)
			if (!is_short || k == turn % count)
				run_case(name, trace.calls[i], nth, i, errors[k], false, base);
		if (shim_is_allocation(trace.calls[i]))
			run_case(name, trace.calls[i], nth, i, ENOMEM, true, base);
		turn++;
	}
	total.calls += trace.count;
}

/* Each exported name has a scenario. */
static void check_names(const char *map, const struct scenario *const *groups)
{
	char line[256], name[128];
	FILE *file = fopen(map, "r");

	if (file == NULL) {
		perror(map);
		exit(EXIT_FAILURE);
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		bool found = false;

		char end;

		if (sscanf(line, " %100[a-z0-9_]%c", name, &end) != 2 || end != ';' || strstr(name, "mm_") == NULL)
			continue;
		for (int i = 0; groups[i] != NULL; i++)
			for (const struct scenario *s = groups[i]; s->function != NULL; s++)
				found |= strcmp(s->function, name) == 0;
		if (!found) {
			printf("not ok: %s: has no scenario\n", name);
			total.failed++;
		}
	}
	fclose(file);
}

int main(int argc, char **argv)
{
	static const struct scenario *const groups[] = {
		file_scenarios,
		directory_scenarios,
		process_scenarios,
		map_scenarios,
		ipc_scenarios,
		mmipc_scenarios,
		socket_scenarios,
		error_scenarios,
		time_scenarios,
		mmlib_scenarios,
		NULL,
	};
	sigset_t child_ends;

	if (argc < 6 || (errors_given = fopen(argv[3], "w")) == NULL) {
		fprintf(stderr, "usage: faults LIBRARIES MAPS ERRORS DOCUMENTED full|short [FUNCTION]\n");
		return 2;
	}
	read_documented(argv[4]);
	is_short = strcmp(argv[5], "short") == 0;
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	strcpy(scratch, "/tmp/mmsysio-faults-XXXXXX");
	if (report == MAP_FAILED || mkdtemp(scratch) == NULL) {
		perror("faults");
		return EXIT_FAILURE;
	}
	ipc_name();
	for (char *library = strtok(argv[1], ","); library != NULL; library = strtok(NULL, ","))
		total.failed += shim_install(library);
	for (char *map = strtok(argv[2], ","); map != NULL; map = strtok(NULL, ","))
		check_names(map, groups);
	sigemptyset(&child_ends);
	sigaddset(&child_ends, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child_ends, NULL);
	for (int i = 0; groups[i] != NULL; i++)
		for (const struct scenario *s = groups[i]; s->function != NULL; s++)
			if (argc <= 6 || fnmatch(argv[6], s->function, 0) == 0)
				run_cases(s);
	for (size_t i = 0; i < MM_NELEM(exceptions) && argc <= 6 && !is_short; i++) {
		if (exceptions[i].uses == 0) {
			printf("not ok: exception of %s, %s(): not needed\n", exceptions[i].scenario,
			       exceptions[i].call);
			total.failed++;
		}
	}
	for (size_t i = 0; i < MM_NELEM(exemptions) && argc <= 6 && !is_short; i++) {
		if (exemptions[i].uses == 0) {
			printf("not ok: undocumented error of %s, %s(): not needed\n", exemptions[i].function,
			       exemptions[i].call);
			total.failed++;
		}
	}
	if (argc <= 6)
		total.failed += shim_tell_unused();
	nftw(scratch, remove_entry, 64, FTW_DEPTH | FTW_PHYS);
	rmdir(scratch);
	fclose(errors_given);
	printf("%d scenarios made %d calls; %d passed, %d failed (%d faults were not reached)\n", total.scenarios,
	       total.calls, total.passed, total.failed, total.unreached);
	return total.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
