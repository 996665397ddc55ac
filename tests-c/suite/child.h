/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child.h: shared by the tests of processes: the program programs/child.c and its report
 */
#ifndef CHILD_H
#define CHILD_H

#include "suite.h"

#include <sys/syscall.h>

/* Path of the program. */
#define CHILD PROGRAMS_DIR "/child"

/* Arguments for it. */
#define ARGUMENTS(...) ((char *[]){"child", __VA_ARGS__, NULL})

/* Waits for a process, which must exit with that code. */
static inline void assert_exits(mm_pid_t pid, int code)
{
	int status = -1;

	ck_assert_msg(mm_wait_process(pid, &status) == 0, "%s", mm_get_lasterror_desc());
	ck_assert_int_eq(status, MM_WSTATUS_EXITED | code);
}

#define assert_spawns(...) ck_assert_msg(mm_spawn(__VA_ARGS__) == 0, "%s", mm_get_lasterror_desc())

/* The report of a program that has ended. Valid until the next one is read. */
static inline const char *read_report(const char *path)
{
	static char report[1 << 16];
	FILE *file = fopen(path, "r");

	ck_assert_msg(file != NULL, "missing report %s", path);
	report[0] = '\n';
	report[1 + fread(report + 1, 1, sizeof(report) - 2, file)] = '\0';
	fclose(file);
	return report;
}

__attribute__((format(printf, 2, 3))) static inline bool has_line(const char *report, const char *format, ...)
{
	char line[4300] = "\n";
	va_list args;

	va_start(args, format);
	vsnprintf(line + 1, sizeof(line) - 2, format, args);
	va_end(args);
	strcat(line, "\n");
	return strstr(report, line) != NULL;
}

/* The number after a word in the report. */
static inline long long reported_number(const char *report, const char *word, int base)
{
	char start[32];

	snprintf(start, sizeof(start), "\n%s", word);
	const char *line = strstr(report, start);

	ck_assert_msg(line != NULL, "the report has no %s", word);
	return (long long)strtoull(line + strlen(start), NULL, base);
}

/* A fork that bypasses the C library: no handler of pthread_atfork() is called. */
static inline pid_t fork_by_clone(void)
{
#ifdef __s390__ /* there the stack is the first argument */
	return (pid_t)syscall(SYS_clone, 0, SIGCHLD, 0, 0, 0);
#else
	return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
#endif
}

#endif
