/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oracle.c: checks the state after each call and after each input
 */
#include "internal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_log_watched;

void stop_watching_log(void)
{
	is_log_watched = false;
}

/* --- descriptors and children ------------------------------------------------------------------------------------- */

static bool owned[WORLD_DESCRIPTORS];
static int children, orphans;

int adopt(int fd)
{
	if (fd >= 0) {
		int flags = fcntl(fd, F_GETFL);

		CHECK(flags != -1, "descriptor %d was returned, but is not open", fd);
		if (fd >= WORLD_DESCRIPTORS)
			FAIL("descriptor %d is above the limit", fd);
		owned[fd] = true;
		if (!(flags & O_PATH))
			fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	}
	return fd;
}

void disown(int fd)
{
	if (fd >= 0 && fd < WORLD_DESCRIPTORS)
		owned[fd] = false;
}

bool is_owned(int fd)
{
	return fd >= 0 && fd < WORLD_DESCRIPTORS && owned[fd];
}

/* Files that libFuzzer itself has open while it merges. */
static bool is_fuzzers[WORLD_DESCRIPTORS];

static void leave_to_fuzzer(int fd, void *arg)
{
	(void)arg;
	if (fd < WORLD_DESCRIPTORS)
		is_fuzzers[fd] = true;
}

void note_fuzzers_descriptors(void)
{
	for_each_open(leave_to_fuzzer, NULL);
}

static void nothing_else_is_open(int fd, void *arg)
{
	(void)arg;
	if (fd > 2 && fd < WORLD_DESCRIPTORS && !is_fuzzers[fd]) {
		char what[256];

		name_descriptor(fd, what, sizeof(what));
		FAIL("the library leaked descriptor %d, %s", fd, what);
	}
}

static void give_back_descriptors(void)
{
	for (int fd = 3; fd < WORLD_DESCRIPTORS; fd++) {
		if (!owned[fd])
			continue;
		owned[fd] = false;
		CHECK(close(fd) == 0 || errno != EBADF, "the library closed descriptor %d, which it does not own", fd);
	}
	for_each_open(nothing_else_is_open, NULL);
}

void expect_child(void)
{
	children++;
}

void expect_orphan(void)
{
	orphans++;
}

void child_was_reaped(void)
{
	children--;
}

static void reap_children(void)
{
	for (;;) {
		pid_t pid = waitpid(-1, NULL, 0);

		if (pid < 0 && errno == ECHILD)
			break;
		if (pid > 0)
			children--;
	}
	CHECK(children <= 0 && children >= -orphans, "%d children %s", abs(children),
	      children < 0 ? "were left behind" : "are missing");
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

void begin_call(struct call *call, const char *function)
{
	call->function = function;
	call->flags = mm_error_set_flags(0, 0);
	call->is_log_watched = is_log_watched;
	call->log_size = is_log_watched ? log_size() : 0;
	mm_save_errorstate(&call->before);
	errno = 0;
}

static void is_printable(const struct call *call, const char *what, const char *text)
{
	for (; *text != '\0'; text++)
		CHECK(!iscntrl((unsigned char)*text), "%s: control character %#x in the %s", call->function, *text,
		      what);
}

/* Failures that are recorded without a log line: an interruption, a call that would block, the end of a stream. */
static bool is_expected(const struct call *call, int number)
{
	static const char *const waiting[] = {
		"mm_open",        "mm_read",          "mm_write",         "mm_accept",
		"mm_connect",     "mm_send",          "mm_recv",          "mm_sendmsg",
		"mm_recvmsg",     "mm_send_multimsg", "mm_recv_multimsg", "mm_ipc_connect",
		"mm_ipc_sendmsg", "mm_ipc_recvmsg",   "mm_ipc_connect2",  "mm_ipc_srv_accept2"};

	if (number == EINTR)
		return true;
	if (number == EPIPE)
		return strcmp(call->function, "mm_ipc_recvmsg") == 0;
	if (number == ECONNREFUSED || number == ETIMEDOUT)
		return strcmp(call->function, "mm_ipc_connect2") == 0 ||
		       strcmp(call->function, "mm_ipc_srv_accept2") == 0;
	if (number != EAGAIN && number != EINPROGRESS && number != EALREADY)
		return false;
	for (size_t i = 0; i < MM_NELEM(waiting); i++)
		if (strcmp(call->function, waiting[i]) == 0)
			return true;
	return false;
}

static void is_line(const struct call *call, const char *line)
{
	int day, month, year, hour, minute, second, header = 0;

	is_printable(call, "log", line);
	CHECK(sscanf(line, "%2d/%2d/%2d %2d:%2d:%2d ERROR mmlib            : %n", &day, &month, &year, &hour, &minute,
	             &second, &header) == 6 &&
	              header == 43,
	      "%s logged %s", call->function, line);
}

/* One line, or one for each address of a host. */
static void is_logged(const struct call *call, int number)
{
	static int max_level_known = MM_LOG_INFO;
	char text[4096];
	size_t length = read_log(call->log_size, text, sizeof(text));
	int lines = 0;

	max_level_known = mm_log_set_maxlvl(MM_LOG_NONE);
	mm_log_set_maxlvl(max_level_known);
	if (call->flags & MM_ERROR_NOLOG || max_level_known < MM_LOG_ERROR || is_expected(call, number)) {
		CHECK(length == 0, "%s logged a line although logging is disabled", call->function);
		return;
	}
	CHECK(length > 0 && text[length - 1] == '\n', "%s logged %zu bytes: %s", call->function, length, text);
	CHECK(memchr(text, '\0', length) == NULL, "%s logged a NUL byte", call->function);
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		CHECK(strlen(line) < 256, "%s logged a line of %zu bytes", call->function, strlen(line));
		is_line(call, line);
		lines++;
	}
	CHECK(lines == 1 || strcmp(call->function, "mm_create_sockclient") == 0, "%s logged %d lines", call->function,
	      lines);
}

void end_call(struct call *call, bool has_failed)
{
	int number = errno;
	struct mm_error_state after;

	if (has_failed && !(call->flags & MM_ERROR_IGNORE)) {
		const char *location = mm_get_lasterror_location();
		size_t length = strlen(call->function);

		CHECK(number != 0, "%s failed without an error number", call->function);
		CHECK(number == mm_get_lasterror_number(), "%s failed with errno %d, but error %d", call->function,
		      number, mm_get_lasterror_number());
		CHECK(strncmp(location, call->function, length) == 0 && strncmp(location + length, "() in ", 6) == 0,
		      "the error of %s has location %s", call->function, location);
		CHECK(strcmp(mm_get_lasterror_module(), "mmlib") == 0, "the error of %s has module %s", call->function,
		      mm_get_lasterror_module());
		CHECK(mm_get_lasterror_extid() == NULL, "%s set an extended identifier", call->function);
		CHECK(mm_get_lasterror_desc()[0] != '\0', "%s failed without a description", call->function);
		is_printable(call, "description", mm_get_lasterror_desc());
		is_printable(call, "location", location);
		if (call->is_log_watched && is_log_watched)
			is_logged(call, number);
		return;
	}
	mm_save_errorstate(&after);
	CHECK(memcmp(&call->before, &after, sizeof(after)) == 0, "%s changed the error state, but %s: %s",
	      call->function, has_failed ? "errors are ignored" : "it succeeded", mm_get_lasterror_desc());
	CHECK(!call->is_log_watched || !is_log_watched || log_size() == call->log_size, "%s logged without an error",
	      call->function);
	errno = number;
}

/* --- inputs ------------------------------------------------------------------------------------------------------- */

void begin_input(void)
{
	static const struct mm_error_state no_error;

	children = orphans = 0;
	is_log_watched = true;
	mm_log_set_maxlvl(MM_LOG_INFO);
	mm_set_errorstate(&no_error);
	empty_log();
}

void end_input(void)
{
	give_back_descriptors();
	reap_children();
}
