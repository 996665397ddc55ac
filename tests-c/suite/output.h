/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output.h: captures what a test writes to stdout and stderr, and makes command lines
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "suite.h"

#include <fcntl.h>

/* What was written between capture() and end_capture(). */
static char captured_out[32768], captured_err[32768];

static struct {
	FILE *file;
	int saved;
} captured_streams[2];

static inline void capture(void)
{
	fflush(NULL);
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		int i = fd - STDOUT_FILENO;

		captured_streams[i].file = tmpfile();
		ck_assert_ptr_nonnull(captured_streams[i].file);
		captured_streams[i].saved = fcntl(fd, F_DUPFD_CLOEXEC, 100);
		ck_assert_int_ge(captured_streams[i].saved, 0);
		dup2(fileno(captured_streams[i].file), fd);
	}
}

static inline void end_capture(void)
{
	char *texts[] = {captured_out, captured_err};

	fflush(NULL);
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		int i = fd - STDOUT_FILENO;

		dup2(captured_streams[i].saved, fd);
		close(captured_streams[i].saved);
		rewind(captured_streams[i].file);
		texts[i][fread(texts[i], 1, sizeof(captured_out) - 1, captured_streams[i].file)] = '\0';
		fclose(captured_streams[i].file);
	}
}

/* Runs a function in a child process, captures its output, and returns its wait status. */
static inline int captured_status_of(int (*run)(void *), void *arg)
{
	int status;

	capture();
	pid_t pid = start_child(run, arg);

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	end_capture();
	return status;
}

/* A command line of words, which are separated by blanks; '' is an empty word. */
struct command_line {
	int argc;
	char *argv[32];
	char text[256];
};

static inline struct command_line *command_line(const char *words)
{
	static struct command_line line;
	char *rest = line.text;

	line.argc = 0;
	line.argv[line.argc++] = "program";
	ck_assert_int_lt(snprintf(line.text, sizeof(line.text), "%s", words), (int)sizeof(line.text));
	for (char *word; (word = strsep(&rest, " ")) != NULL;) {
		ck_assert_int_lt(line.argc, 31);
		if (word[0] != '\0')
			line.argv[line.argc++] = strcmp(word, "''") == 0 ? "" : word;
	}
	line.argv[line.argc] = NULL;
	return &line;
}

#endif
