/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path.c: components of paths
 */
#include "suite.h"

#include <mmlib.h>

static const struct {
	const char *path, *base, *directory;
} cases[] = {
	{"/a/b", "b", "/a"},
	{"/a/b//", "b", "/a"},
	{"/a", "a", "/"},
	{"/a/", "a", "/"},
	{"//a", "a", "/"},
	{"a", "a", "."},
	{"a/", "a", "."},
	{"a//", "a", "."},
	{"/", "/", "/"},
	{"//", "/", "/"},
	{"///", "/", "/"},
	{".", ".", "."},
	{"./", ".", "."},
	{"..", "..", "."},
	{"../", "..", "."},
	{"a//b", "b", "a"},
	{"//a//b//", "b", "//a"},
	{"./a", "a", "."},
	{"a/..", "..", "a"},
	{"/.", ".", "/"},
	{"/..", "..", "/"},
	{"a\\b", "a\\b", "."},
	{"", ".", "."},
	{"/a/b/c", "c", "/a/b"},
	{"a/b/", "b", "a"},
	{"//a/b", "b", "//a"},
	{"..//..", "..", ".."},
	{" ", " ", "."},
	{"\xff/\xfe", "\xfe", "\xff"},
	{"abc/def", "def", "abc"},
};

typedef int component_function(char *dst, const char *path);

static component_function *const functions[] = {mm_basename, mm_dirname};

static const char *expected(int function, int i)
{
	return function == 0 ? cases[i].base : cases[i].directory;
}

#define FOR_EACH_CASE                                                      \
	for (int function = 0; function < MM_NELEM(functions); function++) \
		for (int i = 0; i < MM_NELEM(cases); i++)

/* The size of a buffer that suffices for every component of a path. */
static size_t sufficient(const char *path)
{
	return strlen(path) < 1 ? 2 : strlen(path) + 1;
}

START_TEST(component_is_stored_with_its_terminator)
{
	FOR_EACH_CASE
	{
		const char *result = expected(function, i);
		char source[64], *dst = malloc(sufficient(cases[i].path));

		strcpy(source, cases[i].path);
		memset(dst, '#', sufficient(cases[i].path));
		suite_forget_error();
		errno = ENOENT;
		int length = functions[function](dst, source);

		ck_assert_int_eq(errno, ENOENT);
		ck_assert_int_eq(mm_get_lasterror_number(), 0);
		ck_assert_msg(strcmp(dst, result) == 0, "%s: %s, expected %s", source, dst, result);
		ck_assert_int_eq(length, (int)strlen(result));
		/* The path does not change, nor does what follows the terminator. */
		ck_assert_str_eq(source, cases[i].path);
		for (size_t k = strlen(result) + 1; k < sufficient(cases[i].path); k++)
			ck_assert_int_eq(dst[k], '#');
		free(dst);
	}
}
END_TEST

START_TEST(length_is_returned_without_a_buffer)
{
	FOR_EACH_CASE
	ck_assert_int_eq(functions[function](NULL, cases[i].path), (int)strlen(expected(function, i)));
}
END_TEST

START_TEST(buffer_can_be_the_path)
{
	FOR_EACH_CASE
	{
		char *path = malloc(sufficient(cases[i].path));

		strcpy(path, cases[i].path);
		ck_assert_int_eq(functions[function](path, path), (int)strlen(expected(function, i)));
		ck_assert_str_eq(path, expected(function, i));
		free(path);
	}
}
END_TEST

START_TEST(buffer_can_overlap_the_path)
{
	FOR_EACH_CASE
	{
		for (int distance = -12; distance <= 12; distance++) {
			char memory[64], *path = memory + 20;

			memset(memory, '#', sizeof(memory));
			strcpy(path, cases[i].path);
			int length = functions[function](path + distance, path);

			ck_assert_int_eq(length, (int)strlen(expected(function, i)));
			ck_assert_msg(strcmp(path + distance, expected(function, i)) == 0, "%s at %d: %s",
			              cases[i].path, distance, path + distance);
		}
	}
}
END_TEST

START_TEST(path_without_a_component_is_a_dot)
{
	static const char *const paths[] = {NULL, ""};

	for (int function = 0; function < MM_NELEM(functions); function++) {
		for (int i = 0; i < MM_NELEM(paths); i++) {
			char dst[3] = "##";

			ck_assert_int_eq(functions[function](dst, paths[i]), 1);
			ck_assert_str_eq(dst, ".");
			ck_assert_int_eq(functions[function](NULL, paths[i]), 1);
		}
	}
}
END_TEST

START_TEST(paths_can_be_longer_than_path_max)
{
	size_t length = 1 << 20;
	char *path = malloc(length + 1), *dst = malloc(length + 1);

	memset(path, 'a', length);
	path[length] = '\0';
	ck_assert_int_eq(mm_basename(dst, path), (int)length);
	ck_assert_str_eq(dst, path);
	ck_assert_int_eq(mm_dirname(dst, path), 1);
	path[length / 2] = '/';
	ck_assert_int_eq(mm_basename(dst, path), (int)(length / 2) - 1);
	ck_assert_int_eq(mm_dirname(dst, path), (int)(length / 2));
	memset(path, '/', length);
	ck_assert_int_eq(mm_basename(dst, path), 1);
	ck_assert_int_eq(mm_dirname(dst, path), 1);
	free(path);
	free(dst);
}
END_TEST

START_TEST(dirname_and_basename_name_the_same_file)
{
	uint32_t random = 1;

	for (int i = 0; i < 20000; i++) {
		char path[12] = "", base[12], directory[12];
		uint32_t length = 1 + next_random(&random) % (sizeof(path) - 1);

		for (uint32_t k = 0; k < length; k++)
			path[k] = "/a.b/"[next_random(&random) % 5];
		int base_length = mm_basename(base, path), directory_length = mm_dirname(directory, path);

		ck_assert_int_eq(base_length, (int)strlen(base));
		ck_assert_int_eq(directory_length, (int)strlen(directory));
		/* Both are idempotent on a component, and neither ends in a slash, except the root. */
		ck_assert_msg(strcmp(base, "/") == 0 || strchr(base, '/') == NULL, "%s: %s", path, base);
		ck_assert_msg(strcmp(directory, "/") == 0 || directory[directory_length - 1] != '/', "%s: %s", path,
		              directory);
		/* The directory is a prefix of the path, and the base its last part, except for "." and a lone root. */
		if (strcmp(directory, ".") != 0 || path[0] == '.')
			ck_assert_msg(strncmp(path, directory, (size_t)directory_length) == 0, "%s: %s", path,
			              directory);
		ck_assert_msg(strstr(path, base) != NULL, "%s: %s", path, base);
		ck_assert_msg((directory[0] == '/') == (path[0] == '/'), "%s: %s", path, directory);
	}
}
END_TEST

START_TEST(strcasecmp_orders_by_lower_case)
{
	ck_assert_int_eq(mm_strcasecmp("Hello", "hELLO"), 0);
	ck_assert_int_lt(mm_strcasecmp("a", "B"), 0);
	ck_assert_int_gt(mm_strcasecmp("b", "A"), 0);
	/* '_' is between the upper-case and the lower-case letters. */
	ck_assert_int_lt(mm_strcasecmp("_", "A"), 0);
}
END_TEST

SUITE(component_is_stored_with_its_terminator, length_is_returned_without_a_buffer, buffer_can_be_the_path,
      buffer_can_overlap_the_path, path_without_a_component_is_a_dot, paths_can_be_longer_than_path_max,
      dirname_and_basename_name_the_same_file, strcasecmp_orders_by_lower_case)
