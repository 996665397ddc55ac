/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output.h: what a function writes to standard output and standard error
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "suite.h"

#include <sys/mman.h>

static char written_out[8192], written_err[8192];
static int real_out = -1, real_err, captured_out, captured_err;

static inline void capture_output(void)
{
	fflush(stdout);
	real_out = dup(STDOUT_FILENO);
	real_err = dup(STDERR_FILENO);
	captured_out = memfd_create("out", MFD_CLOEXEC);
	captured_err = memfd_create("err", MFD_CLOEXEC);
	ck_assert_int_ge(captured_err, 0);
	dup2(captured_out, STDOUT_FILENO);
	dup2(captured_err, STDERR_FILENO);
}

static inline void read_captured(int fd, char *text)
{
	ssize_t size = pread(fd, text, sizeof(written_out) - 1, 0);

	text[size < 0 ? 0 : size] = '\0';
	close(fd);
}

/* Sets written_out and written_err. errno is preserved. */
static inline void stop_capturing(void)
{
	int errno_now = errno;

	fflush(stdout);
	dup2(real_out, STDOUT_FILENO);
	dup2(real_err, STDERR_FILENO);
	close(real_out);
	close(real_err);
	read_captured(captured_out, written_out);
	read_captured(captured_err, written_err);
	errno = errno_now;
}

#endif
