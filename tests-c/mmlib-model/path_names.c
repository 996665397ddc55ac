/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path_names.c: mm_basename() and mm_dirname() of every short string over '/', '.' and 'a', compared with a model and
 * with the functions of libgen.h
 *
 * The model works on the components of the path, the library on its bytes. libgen.h differs in one case: glibc keeps
 * two slashes at the beginning of a result that consists of slashes, as POSIX permits; mm_dirname() reduces them.
 */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmlib.h>

#define LONGEST 10

typedef int function(char *dst, const char *path);

static void fail(const char *function, const char *path, const char *found, const char *expected)
{
	fprintf(stderr, "%s(\"%s\") is \"%s\", not \"%s\"\n", function, path, found, expected);
	exit(1);
}

/* The start and end of the last component, which are equal if there is none. */
static void last_component(const char *path, size_t *start, size_t *end)
{
	int is_inside = 0;

	*start = *end = 0;
	for (size_t i = 0; path[i] != '\0'; i++) {
		if (path[i] != '/' && !is_inside)
			*start = i;
		if (path[i] != '/')
			*end = i + 1;
		is_inside = path[i] != '/';
	}
}

static void model(const char *path, char *base, char *directory)
{
	size_t start, end;

	last_component(path, &start, &end);
	if (start == end) {
		strcpy(base, path[0] == '/' ? "/" : ".");
		strcpy(directory, base);
		return;
	}
	sprintf(base, "%.*s", (int)(end - start), path + start);

	/* What precedes the component, without the slashes at its end. */
	char before[LONGEST + 1];

	sprintf(before, "%.*s", (int)start, path);
	last_component(before, &start, &end);
	if (end > 0)
		sprintf(directory, "%.*s", (int)end, before);
	else
		strcpy(directory, before[0] == '/' ? "/" : ".");
}

/* Calls the function with each relation between the result and the path. */
static void check(const char *name, function *function, const char *path, const char *expected)
{
	char result[2 * LONGEST + 4], guarded[LONGEST + 3];
	size_t length = strlen(path), size = length + 1 < 2 ? 2 : length + 1;

	memset(guarded, '#', sizeof(guarded));
	if (function(guarded, path) != (int)strlen(expected) || strcmp(guarded, expected) != 0)
		fail(name, path, guarded, expected);
	if (guarded[size] != '#')
		fail(name, path, "written beyond the end", expected);
	if (function(NULL, path) != (int)strlen(expected))
		fail(name, path, "of another length without a result", expected);
	for (size_t offset = 0; offset <= length + 1; offset++) {
		/* The path starts after the result, and then before it. */
		strcpy(result + offset, path);
		if (function(result, result + offset) != (int)strlen(expected) || strcmp(result, expected) != 0)
			fail(name, path, result, expected);
		strcpy(result, path);
		if (function(result + offset, result) != (int)strlen(expected) ||
		    strcmp(result + offset, expected) != 0)
			fail(name, path, result + offset, expected);
	}
}

static void check_path(const char *path)
{
	char base[LONGEST + 2], directory[LONGEST + 2], copy[LONGEST + 1];

	model(path, base, directory);
	check("mm_basename", mm_basename, path, base);
	check("mm_dirname", mm_dirname, path, directory);

	strcpy(copy, path);
	const char *system = basename(copy);

	if (strcmp(system, base) != 0)
		fail("basename of libgen.h", path, system, base);
	strcpy(copy, path);
	system = dirname(copy);
	if (strcmp(system, directory) != 0 && (strcmp(system, "//") != 0 || strcmp(directory, "/") != 0))
		fail("dirname of libgen.h", path, system, directory);
}

int main(void)
{
	static const char bytes[] = "/.a";
	char path[LONGEST + 1];
	long count = 0;

	for (int length = 0; length <= LONGEST; length++) {
		long combinations = 1;

		for (int i = 0; i < length; i++)
			combinations *= 3;
		for (long number = 0; number < combinations; number++, count++) {
			long rest = number;

			for (int i = 0; i < length; i++, rest /= 3)
				path[i] = bytes[rest % 3];
			path[length] = '\0';
			check_path(path);
		}
	}
	printf("path names: all %ld strings of up to %d bytes are as predicted\n", count, LONGEST);
	return 0;
}
