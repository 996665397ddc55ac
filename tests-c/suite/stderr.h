/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stderr.h: captures standard error for a test of log lines, which the suite disables
 */
#ifndef STDERR_H
#define STDERR_H

#include "suite.h"

#include <fcntl.h>

static int saved_stderr;

static inline void save_stderr(void)
{
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100);
	mm_log_set_maxlvl(MM_LOG_DEBUG);
}

static inline void restore_stderr(void)
{
	mm_log_set_maxlvl(MM_LOG_NONE);
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
}

static int lines[2];

static inline void collect_lines(void)
{
	save_stderr();
	ck_assert_int_eq(pipe2(lines, O_NONBLOCK | O_CLOEXEC), 0);
	dup2(lines[1], STDERR_FILENO);
}

static inline void stop_collecting(void)
{
	restore_stderr();
	close_all(2, lines);
}

static inline const char *collected(void)
{
	static char text[4096];
	ssize_t size = read(lines[0], text, sizeof(text) - 1);

	text[size > 0 ? size : 0] = '\0';
	return text;
}

#endif
