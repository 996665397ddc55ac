/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.c: log lines of mmlog.h, and those of raised errors
 */
#include "suite.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <sys/resource.h>
#include <time.h>

static int error_output[2];
static int saved_stderr;

/* Collects the output to descriptor 2 from here on. */
static void collect_stderr(void)
{
	saved_stderr = dup(STDERR_FILENO);
	ck_assert_int_eq(pipe2(error_output, O_NONBLOCK), 0);
	dup2(error_output[1], STDERR_FILENO);
	mm_log_set_maxlvl(MM_LOG_DEBUG);
}

/* Returns the output collected since the last call. */
static char *collected(void)
{
	static char text[8192];
	ssize_t size = read(error_output[0], text, sizeof(text) - 1);

	text[size > 0 ? size : 0] = '\0';
	return text;
}

static void restore_stderr(void)
{
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close_all(2, error_output);
}

/* The line without its timestamp, which must be valid. */
static const char *without_stamp(const char *line)
{
	static const char pattern[] = "dd/dd/dd dd:dd:dd ";

	for (size_t i = 0; i < sizeof(pattern) - 1; i++) {
		if (pattern[i] == 'd')
			ck_assert_msg(line[i] >= '0' && line[i] <= '9', "no timestamp in: %s", line);
		else
			ck_assert_msg(line[i] == pattern[i], "no timestamp in: %s", line);
	}
	return line + sizeof(pattern) - 1;
}

START_TEST(log_line_has_timestamp_level_location_and_message)
{
	collect_stderr();
	mm_log(MM_LOG_WARN, "m", "lvl %d", 2);
	ck_assert_str_eq(without_stamp(collected()), "WARN  m                : lvl 2\n");
	mm_log(MM_LOG_FATAL, "", "x");
	ck_assert_str_eq(without_stamp(collected()), "FATAL                  : x\n");
	mm_log(MM_LOG_ERROR, NULL, "x");
	ck_assert_str_eq(without_stamp(collected()), "ERROR (null)           : x\n");
	mm_log(MM_LOG_DEBUG, "more-than-16-bytes-long", "two\nlines");
	ck_assert_str_eq(without_stamp(collected()), "DEBUG more-than-16-bytes-long : two\nlines\n");
	mm_log(MM_LOG_INFO, "m", NULL);
	ck_assert_str_eq(without_stamp(collected()), "INFO  m                : \n");
	restore_stderr();
}
END_TEST

START_TEST(timestamp_is_local_time)
{
	char expected[2][32];
	time_t now;

	setenv("TZ", "ABC-5:45", 1);
	tzset();
	collect_stderr();
	for (int tries = 0; tries < 3; tries++) {
		now = time(NULL);
		strftime(expected[0], sizeof(expected[0]), "%d/%m/%y %H:%M:%S", localtime(&now));
		mm_log_info("x");
		now = time(NULL);
		strftime(expected[1], sizeof(expected[1]), "%d/%m/%y %H:%M:%S", localtime(&now));

		char *line = collected();

		line[17] = '\0';
		if (strcmp(expected[0], expected[1]) == 0)
			ck_assert_str_eq(line, expected[0]);
	}
	restore_stderr();
}
END_TEST

START_TEST(macros_log_at_their_level_for_the_module)
{
#undef MM_LOG_MODULE_NAME
#define MM_LOG_MODULE_NAME "module"
	collect_stderr();
	mm_log_fatal("%s", "f");
	ck_assert_str_eq(without_stamp(collected()), "FATAL module           : f\n");
	mm_log_error("e");
	ck_assert_str_eq(without_stamp(collected()), "ERROR module           : e\n");
	mm_log_warn("w");
	ck_assert_str_eq(without_stamp(collected()), "WARN  module           : w\n");
	mm_log_info("i");
	ck_assert_str_eq(without_stamp(collected()), "INFO  module           : i\n");
	mm_log_debug("d %d", 1);
	ck_assert_str_eq(without_stamp(collected()), "DEBUG module           : d 1\n");
	restore_stderr();
}
END_TEST

START_TEST(lines_above_the_maximum_level_are_not_printed)
{
	collect_stderr();
	ck_assert_int_eq(mm_log_set_maxlvl(MM_LOG_WARN), MM_LOG_DEBUG);
	mm_log(MM_LOG_INFO, "m", "no");
	ck_assert_str_eq(collected(), "");
	mm_log(MM_LOG_WARN, "m", "yes");
	ck_assert_ptr_nonnull(strstr(collected(), "yes"));
	ck_assert_int_eq(mm_log_set_maxlvl(MM_LOG_NONE), MM_LOG_WARN);
	mm_log(MM_LOG_FATAL, "m", "no");
	mm_raise_error(EIO, "no");
	ck_assert_str_eq(collected(), "");
	mm_log_set_maxlvl(1000);
	mm_log(MM_LOG_NONE, "m", "no");
	mm_log(MM_LOG_DEBUG + 1, "m", "no");
	mm_log(1000, "m", "no");
	ck_assert_str_eq(collected(), "");
	restore_stderr();
}
END_TEST

START_TEST(log_line_has_at_most_256_bytes)
{
	char text[1000];

	memset(text, 'z', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	collect_stderr();
	mm_log(MM_LOG_WARN, "module", "%s", text);
	const char *line = collected();

	ck_assert_uint_eq(strlen(line), 256);
	ck_assert_uint_eq(strspn(strchr(line, 'z'), "z"), 212);
	ck_assert_int_eq(line[255], '\n');

	/* Lengths around which the original overruns a buffer. */
	for (int length = 200; length < 300; length++) {
		text[length] = '\0';
		mm_log(MM_LOG_WARN, text, "message");
		text[length] = 'z';
		line = collected();
		ck_assert_uint_eq(strlen(line), length >= 255 - 34 ? 256 : length + 35);
		ck_assert_int_eq(line[strlen(line) - 1], '\n');
	}
	restore_stderr();
}
END_TEST

START_TEST(message_that_cannot_be_formatted_is_empty)
{
	static const wchar_t invalid[] = {(wchar_t)0x110000, 0};

	collect_stderr();
	mm_log(MM_LOG_INFO, "m", "lost %ls", invalid);
	ck_assert_str_eq(without_stamp(collected()), "INFO  m                : \n");
	restore_stderr();
}
END_TEST

START_TEST(log_line_is_written_by_one_call)
{
	int packets[2];
	char text[512];

	/* A packet socket preserves the boundaries of writes. */
	ck_assert_int_eq(mm_ipc_connected_pair(packets), 0);
	collect_stderr();
	dup2(packets[1], STDERR_FILENO);
	mm_log(MM_LOG_INFO, "m", "%0200d", 1);
	ck_assert_int_eq(mm_read(packets[0], text, sizeof(text)), 244);
	restore_stderr();
	close_all(2, packets);
}
END_TEST

START_TEST(raised_error_is_logged_unless_flagged)
{
	collect_stderr();
	mm_raise_error_full(EIO, "a-module-name-of-more-than-31-bytes", "func", "file.c", 3, NULL, "what %d", 1);
	ck_assert_str_eq(without_stamp(collected()),
	                 "ERROR a-module-name-of-more-than-31-bytes : what 1 (func() in file.c:3)\n");
	mm_error_set_flags(MM_ERROR_SET, MM_ERROR_NOLOG);
	mm_raise_error(EIO, "no");
	ck_assert_str_eq(collected(), "");
	ck_assert_int_eq(mm_get_lasterror_number(), EIO);
	mm_error_set_flags(MM_ERROR_UNSET, MM_ERROR_NOLOG);
	mm_error_set_flags(MM_ERROR_SET, MM_ERROR_IGNORE);
	mm_raise_error(EIO, "no");
	ck_assert_str_eq(collected(), "");
	mm_log(MM_LOG_INFO, "m", "direct lines are printed all the same");
	ck_assert_str_ne(collected(), "");
	restore_stderr();
}
END_TEST

START_TEST(errors_of_the_library_are_logged_as_mmlib)
{
	collect_stderr();
	mm_ipc_connect(NULL);
	const char *line = without_stamp(collected());

	ck_assert_msg(strncmp(line, "ERROR mmlib            : ", 25) == 0, "%s", line);
	ck_assert_msg(strstr(line, " (mm_ipc_connect() in src/") != NULL, "%s", line);
	restore_stderr();
}
END_TEST

START_TEST(address_cannot_forge_a_log_line)
{
	static const char address[] = "x\n01/01/26 00:00:00 FATAL mmlib            : forged\x1b[2J \xff";
	char text[200];

	snprintf(text, sizeof(text), "%s%0100d", address, 0);
	collect_stderr();
	mm_ipc_srv_create(text);
	const char *line = collected();

	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
	ck_assert_ptr_null(strchr(line, '\x1b'));
	ck_assert_ptr_null(strchr(line, '\xff'));
	ck_assert_ptr_nonnull(strstr(line, "forged"));
	restore_stderr();
}
END_TEST

START_TEST(closed_stderr_changes_neither_errno_nor_the_error_state)
{
	int saved = dup(STDERR_FILENO);

	mm_log_set_maxlvl(MM_LOG_DEBUG);
	close(STDERR_FILENO);
	errno = EBUSY;
	mm_log(MM_LOG_INFO, "m", "lost");
	ck_assert_int_eq(errno, EBUSY);
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
	mm_raise_error(ENOENT, "raised");
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_str_eq(mm_get_lasterror_desc(), "raised");
	errno = EBUSY;
	mm_raise_error(0, "raised");
	ck_assert_int_eq(errno, EBUSY);
	mm_ipc_srv_accept(NULL);
	ck_assert_int_eq(errno, EINVAL);
	dup2(saved, STDERR_FILENO);
	close(saved);
}
END_TEST

START_TEST(full_stderr_drops_the_line_without_blocking)
{
	char text[4096] = "";

	collect_stderr();
	fcntl(error_output[1], F_SETFL, O_NONBLOCK);
	while (write(error_output[1], text, sizeof(text)) > 0)
		;
	errno = EBUSY;
	mm_log(MM_LOG_INFO, "m", "lost");
	ck_assert_int_eq(errno, EBUSY);
	restore_stderr();
}
END_TEST

static sigjmp_buf after_abort;

static void leave_abort(int signum)
{
	siglongjmp(after_abort, signum);
}

static const char *crashed_with;

static void crash(void)
{
	const char *msg = "a variable called msg";

	mm_crash("bad %s", msg);
}

static void check_falsely(void)
{
	int a = 5, b = 3;

	mm_check(a == 5);
	mm_check(a % b == 1);
}

static void assert_aborts(void (*run)(void), const char *expected)
{
	struct sigaction action = {.sa_handler = leave_abort};

	sigaction(SIGABRT, &action, NULL);
	if (sigsetjmp(after_abort, 1) == 0) {
		run();
		ck_abort_msg("not aborted");
	}
	crashed_with = collected();
	ck_assert_msg(strstr(crashed_with, expected) != NULL, "%s", crashed_with);
}

START_TEST(crash_and_check_log_and_abort)
{
	collect_stderr();
	assert_aborts(crash, "bad a variable called msg (crash() in tests-c/error/log.c:");
	assert_aborts(check_falsely, "mm_check(a % b == 1) failed.  (check_falsely() in tests-c/error/log.c:");
	mm_log_set_maxlvl(MM_LOG_NONE);
	assert_aborts(crash, "");
	restore_stderr();
}
END_TEST

/* Runs a copy of this program with that question and that value of the variable; returns its exit status. */
static int answer_at_start(const char *question, const char *value)
{
	int status;
	char program[4096];

	/* execl() would execute valgrind if it is running. valgrind 3.24 writes more bytes than it returns. */
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);

	ck_assert_int_gt(length, 0);
	program[length] = '\0';
	pid_t pid = fork();

	if (pid == 0) {
		if (value != NULL)
			setenv("MM_LOG_MAXLEVEL", value, 1);
		else
			unsetenv("MM_LOG_MAXLEVEL");
		execl(program, program, question, (char *)NULL);
		_exit(100);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status) - 50;
}

static int maximum_at_start(const char *value)
{
	return answer_at_start("--print-maximum", value);
}

/* Whether the program was started with that argument. Constructors have no arguments with musl. */
static bool is_asked(const char *question)
{
	char line[4200];
	int fd = open("/proc/self/cmdline", O_RDONLY);
	ssize_t size = read(fd, line, sizeof(line) - 1);
	size_t length = strlen(question) + 1;

	close(fd);
	return size > (ssize_t)length && memcmp(line + size - length, question, length) == 0;
}

__attribute__((constructor)) static void answer_with_maximum(void)
{
	if (is_asked("--print-maximum")) {
		setenv("MM_LOG_MAXLEVEL", "DEBUG", 1);
		_exit(50 + mm_log_set_maxlvl(MM_LOG_NONE));
	}
}

/* musl does not support functions that run before constructors. */
#ifdef __GLIBC__

/*
 * Runs before the constructors of all libraries, including the C library's. mmlib.sh has a constructor that runs later.
 */
__attribute__((no_sanitize("address", "undefined"))) static void use_early(int argc, char **argv, char **envp)
{
	(void)envp;
	if (argc == 2 && strcmp(argv[1], "--log-early") == 0)
		mm_log(MM_LOG_DEBUG, "m", "not printed");
	if (argc == 2 && strcmp(argv[1], "--set-early") == 0)
		mm_log_set_maxlvl(MM_LOG_WARN);
}

__attribute__((section(".preinit_array"), used)) static void (*const early)(int, char **, char **) = use_early;

__attribute__((constructor)) static void answer_after_early_use(void)
{
	if (is_asked("--set-early") || is_asked("--log-early"))
		_exit(50 + mm_log_set_maxlvl(MM_LOG_NONE));
}

START_TEST(maximum_level_set_before_the_library_is_initialized_is_kept)
{
	ck_assert_int_eq(answer_at_start("--set-early", "DEBUG"), MM_LOG_WARN);
	ck_assert_int_eq(answer_at_start("--set-early", NULL), MM_LOG_WARN);
}
END_TEST

START_TEST(maximum_level_is_read_again_if_there_was_no_environment)
{
	ck_assert_int_eq(answer_at_start("--log-early", "FATAL"), MM_LOG_FATAL);
	ck_assert_int_eq(answer_at_start("--log-early", "DEBUG"), MM_LOG_DEBUG);
}
END_TEST

#define EARLY_TESTS                                                    \
	, maximum_level_set_before_the_library_is_initialized_is_kept, \
		maximum_level_is_read_again_if_there_was_no_environment
#else
#define EARLY_TESTS
#endif

START_TEST(any_number_can_be_the_maximum_level)
{
	mm_log_set_maxlvl(INT_MIN);
	ck_assert_int_lt(mm_log_set_maxlvl(INT_MAX), MM_LOG_NONE);
	ck_assert_int_eq(mm_log_set_maxlvl(MM_LOG_NONE), INT_MAX);
}
END_TEST

START_TEST(maximum_level_is_read_from_the_environment_at_load_time)
{
	ck_assert_int_eq(maximum_at_start(NULL), MM_LOG_INFO);
	ck_assert_int_eq(maximum_at_start("FATAL"), MM_LOG_FATAL);
	ck_assert_int_eq(maximum_at_start("ERROR"), MM_LOG_ERROR);
	ck_assert_int_eq(maximum_at_start("WARN"), MM_LOG_WARN);
	ck_assert_int_eq(maximum_at_start("INFO"), MM_LOG_INFO);
	ck_assert_int_eq(maximum_at_start("DEBUG"), MM_LOG_DEBUG);
	ck_assert_int_eq(maximum_at_start("NONE"), MM_LOG_NONE);
	ck_assert_int_eq(maximum_at_start(""), MM_LOG_NONE);
	ck_assert_int_eq(maximum_at_start("debug"), MM_LOG_NONE);
	ck_assert_int_eq(maximum_at_start("2"), MM_LOG_NONE);
}
END_TEST

SUITE(log_line_has_timestamp_level_location_and_message, timestamp_is_local_time,
      macros_log_at_their_level_for_the_module, lines_above_the_maximum_level_are_not_printed,
      log_line_has_at_most_256_bytes, message_that_cannot_be_formatted_is_empty, log_line_is_written_by_one_call,
      raised_error_is_logged_unless_flagged, errors_of_the_library_are_logged_as_mmlib, address_cannot_forge_a_log_line,
      closed_stderr_changes_neither_errno_nor_the_error_state, full_stderr_drops_the_line_without_blocking,
      crash_and_check_log_and_abort, maximum_level_is_read_from_the_environment_at_load_time,
      any_number_can_be_the_maximum_level EARLY_TESTS)
