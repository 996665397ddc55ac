/* SPDX-License-Identifier: Apache-2.0 */
/*
 * environment.c: environment variables
 */
#include "child.h"

#include <mmlib.h>

#define NAME "MMLIB_TEST_VARIABLE"

extern char **environ;

static void assert_value(const char *name, const char *value)
{
	ck_assert_pstr_eq(getenv(name), value);
	ck_assert_pstr_eq(mm_getenv(name, NULL), value);
}

static void set(const char *name, const char *value, int action)
{
	suite_forget_error();
	ck_assert_msg(mm_setenv(name, value, (enum mm_env_action)action) == 0, "%s", mm_get_lasterror_desc());
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
}

/* Nonsense in place of an action. */
static enum mm_env_action action(int number)
{
	volatile int unknown = number;

	return (enum mm_env_action)unknown;
}

/* The number of entries "name=" in the environment. */
static int count_entries(const char *name)
{
	size_t length = strlen(name);
	int count = 0;

	for (const char *const *entry = mm_get_environ(); *entry != NULL; entry++)
		count += strncmp(*entry, name, length) == 0 && (*entry)[length] == '=';
	return count;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

START_TEST(getenv_returns_the_default_only_for_a_missing_variable)
{
	static const char fallback[] = "fallback";

	unsetenv(NAME);
	suite_forget_error();
	ck_assert_ptr_eq(mm_getenv(NAME, fallback), fallback);
	ck_assert_ptr_null(mm_getenv(NAME, NULL));
	setenv(NAME, "value", 1);
	ck_assert_str_eq(mm_getenv(NAME, fallback), "value");
	ck_assert_ptr_eq(mm_getenv(NAME, fallback), getenv(NAME));
	setenv(NAME, "", 1);
	ck_assert_str_eq(mm_getenv(NAME, fallback), "");
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
}
END_TEST

START_TEST(getenv_returns_the_default_for_a_name_that_no_variable_has)
{
	static const char fallback[] = "fallback";

	suite_forget_error();
	ck_assert_ptr_eq(mm_getenv(NULL, fallback), fallback);
	ck_assert_ptr_null(mm_getenv(NULL, NULL));
	ck_assert_ptr_eq(mm_getenv("", fallback), fallback);
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
}
END_TEST

/* --- setting ------------------------------------------------------------------------------------------------------ */

START_TEST(actions_have_the_numbers_of_mmlib)
{
	ck_assert_int_eq(MM_ENV_PRESERVE, 0);
	ck_assert_int_eq(MM_ENV_OVERWRITE, 1);
	ck_assert_int_eq(MM_ENV_PREPEND, 2);
	ck_assert_int_eq(MM_ENV_APPEND, 3);
	ck_assert_int_eq(MM_ENV_MAX, 4);
	ck_assert_uint_eq(sizeof(enum mm_env_action), 4);
}
END_TEST

START_TEST(action_determines_what_happens_to_an_old_value)
{
	static const struct {
		const char *old, *value;
		int action;
		const char *result;
	} cases[] = {{NULL, "new", MM_ENV_PRESERVE, "new"},
	             {NULL, "new", MM_ENV_OVERWRITE, "new"},
	             {NULL, "new", MM_ENV_PREPEND, "new"},
	             {NULL, "new", MM_ENV_APPEND, "new"},
	             {"old", "new", MM_ENV_PRESERVE, "old"},
	             {"old", "new", MM_ENV_OVERWRITE, "new"},
	             {"old", "new", MM_ENV_PREPEND, "new:old"},
	             {"old", "new", MM_ENV_APPEND, "old:new"},
	             {"", "new", MM_ENV_PRESERVE, ""},
	             {"", "new", MM_ENV_OVERWRITE, "new"},
	             {"", "new", MM_ENV_PREPEND, "new:"},
	             {"", "new", MM_ENV_APPEND, ":new"},
	             {"old", "", MM_ENV_PRESERVE, "old"},
	             {"old", "", MM_ENV_OVERWRITE, ""},
	             {"old", "", MM_ENV_PREPEND, ":old"},
	             {"old", "", MM_ENV_APPEND, "old:"},
	             {"x:", "", MM_ENV_APPEND, "x::"},
	             {"", "", MM_ENV_PREPEND, ":"},
	             {"a:b", "a", MM_ENV_APPEND, "a:b:a"},
	             {"a:b", "a", MM_ENV_PREPEND, "a:a:b"},
	             {NULL, "", MM_ENV_APPEND, ""},
	             {"old", "k=v=w", MM_ENV_APPEND, "old:k=v=w"}};

	for (int i = 0; i < MM_NELEM(cases); i++) {
		unsetenv(NAME);
		if (cases[i].old != NULL)
			setenv(NAME, cases[i].old, 1);
		set(NAME, cases[i].value, cases[i].action);
		assert_value(NAME, cases[i].result);
		ck_assert_int_eq(count_entries(NAME), 1);
	}
}
END_TEST

START_TEST(name_and_value_are_copied)
{
	char name[] = NAME, value[] = "value";

	for (int action = MM_ENV_PRESERVE; action < MM_ENV_MAX; action++) {
		unsetenv(NAME);
		strcpy(name, NAME);
		strcpy(value, "value");
		set(name, value, action);
		memset(name, 'x', strlen(name));
		memset(value, 'x', strlen(value));
		assert_value(NAME, "value");
	}
}
END_TEST

START_TEST(name_need_not_be_an_identifier)
{
	set("mmlib-test variable.1", "value", MM_ENV_APPEND);
	set("mmlib-test variable.1", "value", MM_ENV_APPEND);
	assert_value("mmlib-test variable.1", "value:value");
	ck_assert_int_eq(mm_unsetenv("mmlib-test variable.1"), 0);
	assert_value("mmlib-test variable.1", NULL);
}
END_TEST

START_TEST(values_of_any_length_can_be_joined)
{
	/* With every length around the units of the allocator, a missing byte would be found by valgrind and asan. */
	char *first = malloc(100002), *second = malloc(100002), *joined = malloc(200004);

	for (size_t length = 0; length <= 100001; length = length < 70 ? length + 1 : length * 11) {
		memset(first, 'a', length);
		memset(second, 'b', length);
		first[length] = second[length] = '\0';
		set(NAME, first, MM_ENV_OVERWRITE);
		set(NAME, second, MM_ENV_APPEND);
		sprintf(joined, "%s:%s", first, second);
		assert_value(NAME, joined);
		set(NAME, first, MM_ENV_OVERWRITE);
		set(NAME, second, MM_ENV_PREPEND);
		sprintf(joined, "%s:%s", second, first);
		assert_value(NAME, joined);
	}
	free(first);
	free(second);
	free(joined);
}
END_TEST

START_TEST(value_of_the_variable_itself_can_be_joined)
{
	set(NAME, "value", MM_ENV_OVERWRITE);
	set(NAME, getenv(NAME), MM_ENV_APPEND);
	assert_value(NAME, "value:value");
	set(NAME, getenv(NAME) + 6, MM_ENV_PREPEND);
	assert_value(NAME, "value:value:value");
}
END_TEST

START_TEST(invalid_actions_change_nothing)
{
	static const int invalid[] = {-1, 4, 5, 100, INT32_MIN, INT32_MAX};

	setenv(NAME, "old", 1);
	for (int i = 0; i < MM_NELEM(invalid); i++) {
		assert_fails(mm_setenv(NAME, "new", action(invalid[i])), EINVAL);
		assert_value(NAME, "old");
		/* The action is checked first. */
		assert_fails(mm_setenv(NULL, NULL, action(invalid[i])), EINVAL);
		ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), "action"));
	}
}
END_TEST

START_TEST(invalid_names_are_refused)
{
	static const char *const invalid[] = {NULL, "", "=", "a=b", NAME "=", "=" NAME};

	setenv(NAME, "old", 1);
	for (int i = 0; i < MM_NELEM(invalid); i++) {
		for (int number = MM_ENV_PRESERVE; number < MM_ENV_MAX; number++)
			assert_fails(mm_setenv(invalid[i], "new", action(number)), EINVAL);
		assert_fails(mm_unsetenv(invalid[i]), EINVAL);
	}
	/* Here the C library finds an "a=b". */
	putenv((char[]){"a=b=c"});
	for (int number = MM_ENV_PRESERVE; number < MM_ENV_MAX; number++)
		assert_fails(mm_setenv("a=b", "new", action(number)), EINVAL);
	unsetenv("a");
	assert_value(NAME, "old");
	ck_assert_int_eq(count_entries(NAME), 1);
}
END_TEST

START_TEST(null_value_is_refused)
{
	for (int number = MM_ENV_PRESERVE; number < MM_ENV_MAX; number++) {
		unsetenv(NAME);
		assert_fails(mm_setenv(NAME, NULL, action(number)), EFAULT);
		assert_value(NAME, NULL);
		setenv(NAME, "old", 1);
		assert_fails(mm_setenv(NAME, NULL, action(number)), EFAULT);
		assert_value(NAME, "old");
	}
}
END_TEST

START_TEST(description_has_the_name_on_one_line)
{
	assert_fails(mm_setenv("two\nlines=", "value", MM_ENV_OVERWRITE), EINVAL);
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), "two\\nlines="));
	ck_assert_ptr_null(strchr(mm_get_lasterror_desc(), '\n'));
}
END_TEST

/* --- removing ----------------------------------------------------------------------------------------------------- */

START_TEST(unsetenv_removes_a_variable)
{
	setenv(NAME, "value", 1);
	suite_forget_error();
	ck_assert_int_eq(mm_unsetenv(NAME), 0);
	assert_value(NAME, NULL);
	ck_assert_int_eq(count_entries(NAME), 0);
	/* The variable need not exist. */
	ck_assert_int_eq(mm_unsetenv(NAME), 0);
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
}
END_TEST

/* --- the array ---------------------------------------------------------------------------------------------------- */

START_TEST(get_environ_returns_the_live_array)
{
	ck_assert_ptr_eq(mm_get_environ(), environ);
	for (int i = 0; i < 200; i++) {
		char name[32];

		snprintf(name, sizeof(name), NAME "-%d", i);
		set(name, "value", MM_ENV_PRESERVE);
		ck_assert_ptr_eq(mm_get_environ(), environ);
		ck_assert_int_eq(count_entries(name), 1);
	}
	for (int i = 0; i < 200; i += 3) {
		char name[32];

		snprintf(name, sizeof(name), NAME "-%d", i);
		ck_assert_int_eq(mm_unsetenv(name), 0);
		ck_assert_int_eq(count_entries(name), 0);
	}
	ck_assert_str_eq(mm_getenv(NAME "-1", ""), "value");
}
END_TEST

START_TEST(environment_can_be_empty)
{
	clearenv();
	suite_forget_error();
	ck_assert(mm_get_environ() == NULL || mm_get_environ()[0] == NULL);
	ck_assert_ptr_null(mm_getenv("PATH", NULL));
	ck_assert_int_eq(mm_unsetenv(NAME), 0);
	set(NAME, "value", MM_ENV_APPEND);
	assert_value(NAME, "value");
	ck_assert_str_eq(mm_get_environ()[0], NAME "=value");
	ck_assert_ptr_null(mm_get_environ()[1]);
}
END_TEST

START_TEST(spawned_programs_inherit_what_was_set)
{
	char *arguments[] = {"sh", "-c", "test \"$" NAME "\" = first:second", NULL};
	mm_pid_t pid;

	set(NAME, "second", MM_ENV_OVERWRITE);
	set(NAME, "first", MM_ENV_PREPEND);
	assert_spawns(&pid, "/bin/sh", 0, NULL, 0, arguments, NULL);
	assert_exits(pid, 0);
}
END_TEST

SUITE(getenv_returns_the_default_only_for_a_missing_variable,
      getenv_returns_the_default_for_a_name_that_no_variable_has, actions_have_the_numbers_of_mmlib,
      action_determines_what_happens_to_an_old_value, name_and_value_are_copied, name_need_not_be_an_identifier,
      values_of_any_length_can_be_joined, value_of_the_variable_itself_can_be_joined, invalid_actions_change_nothing,
      invalid_names_are_refused, null_value_is_refused, description_has_the_name_on_one_line,
      unsetenv_removes_a_variable, get_environ_returns_the_live_array, environment_can_be_empty,
      spawned_programs_inherit_what_was_set)
