/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmlib.c: an input is a definition of options with a command line for the argument parser of libmmlib, or arguments of
 * its functions for paths, the environment and base directories
 *
 * What the parser must do with its arguments is checked by tests-c/mmlib-model. Here, no table, text or argument may
 * lead to an access outside of the strings, to a result outside of argv, or to a change of the table or of argv.
 */
#include "world.h"

#include <errno.h>

#include <mmargparse.h>
#include <mmlib.h>

#define MAX_OPTIONS 8
#define MAX_ARGUMENTS 8

/* A string of the input, up to a NUL byte, at the end of accessible memory; or NULL. */
static char *take_string(struct input *in)
{
	char text[512];
	size_t length = 0;

	if (take_chance(in, 16))
		return NULL;
	while (length < sizeof(text) && in->size > 0 && *in->data != 0)
		text[length++] = (char)take_byte(in);
	take_byte(in);
	return exact_string(text, length);
}

static char *take_name(struct input *in)
{
	static const char *const names[] = {"a", "b|bb", "long-name", "h", "help", "f|file", "Z"};

	if (take_chance(in, 3))
		return take_string(in);
	const char *name = TAKE_ONE(in, names);

	return exact_string(name, strlen(name));
}

static char *take_argument(struct input *in)
{
	static const char *const arguments[] = {"-a", "-b", "--bb=",  "--bb=1", "--long-name", "-ab", "--file=",
	                                        "-f", "--", "--help", "-h",     "-",           "",    "--l"};

	if (!take_chance(in, 2))
		return take_string(in);
	const char *argument = TAKE_ONE(in, arguments);

	return exact_string(argument, strlen(argument));
}

static int callback_result;

static int call_back(const struct mm_arg_opt *opt, union mm_arg_val value, void *data, int state)
{
	CHECK(opt != NULL && opt->name != NULL && data == &callback_result, "the callback has other arguments");
	CHECK(state == 0 || state == MM_ARG_OPT_COMPLETION, "the callback has state %d", state);
	/* The text must be accessible. */
	if ((state != 0 || mm_arg_opt_get_type(opt) == MM_OPT_STR) && value.str != NULL)
		printf("%zu\n", strlen(value.str));
	return callback_result;
}

static void parse(struct input *in)
{
	static const int results[] = {0, 0, 0, 1, MM_ARGPARSE_ERROR, MM_ARGPARSE_STOP, MM_ARGPARSE_COMPLETE, -7};
	struct mm_arg_opt *options = exact_memory(sizeof(*options) * MAX_OPTIONS);
	union mm_arg_val *values = exact_memory(sizeof(*values) * MAX_OPTIONS);
	struct mm_arg_opt before[MAX_OPTIONS];
	char *argv[MAX_ARGUMENTS + 1], *argv_before[MAX_ARGUMENTS + 1];
	int num_options = (int)take_below(in, MAX_OPTIONS + 1), argc = (int)take_below(in, MAX_ARGUMENTS + 1);
	bool is_complete = take_chance(in, 8);
	struct mm_arg_parser parser = {
		.flags = MM_ARG_PARSER_NOEXIT | (take_byte(in) & ~MM_ARG_PARSER_NOEXIT),
		.num_opt = num_options,
		.optv = options,
		.doc = take_string(in),
		.args_doc = take_string(in),
		.execname = take_string(in),
		.cb_data = &callback_result,
		.cb = take_chance(in, 2) ? call_back : NULL,
	};

	callback_result = TAKE_ONE(in, results);
	/* The table ends at the end of accessible memory. */
	options += MAX_OPTIONS - num_options;
	parser.optv = options;
	for (int i = 0; i < num_options; i++) {
		struct mm_arg_opt option = {.name = take_name(in), .flags = (int)(take_u32(in) & 0x3F3)};

		option.defval = take_string(in);
		option.desc = take_string(in);
		option.val.iptr = take_chance(in, 4) ? NULL : &values[i].i;
		options[i] = option;
	}
	for (int i = 0; i < argc; i++)
		argv[i] = take_argument(in);
	argv[argc] = NULL;
	if (argc > 0 && argv[0] == NULL)
		argv[0] = exact_string("", 0);
	memcpy(before, options, sizeof(*options) * (size_t)num_options);
	memcpy(argv_before, argv, sizeof(argv));

	if (is_complete) {
		int result = mm_arg_parse_complete(&parser, argv[0]);

		CHECK(result == 0 || result == MM_ARGPARSE_ERROR, "mm_arg_parse_complete returned %d", result);
	} else {
		int result = mm_arg_parse(&parser, argc, argv);

		CHECK(result <= argc, "mm_arg_parse returned %d of %d", result, argc);
		CHECK(result >= MM_ARGPARSE_COMPLETE || result == callback_result, "mm_arg_parse returned %d", result);
	}
	CHECK(memcmp(before, options, sizeof(*options) * (size_t)num_options) == 0, "the table was changed");
	CHECK(memcmp(argv_before, argv, sizeof(*argv) * (size_t)(argc + 1)) == 0, "argv was changed");
}

static void name(struct input *in)
{
	bool is_directory = take_chance(in, 2), is_in_place = take_chance(in, 2);
	int (*function)(char *, const char *) = is_directory ? mm_dirname : mm_basename;
	char *path = take_string(in);
	size_t size = path == NULL ? 2 : strlen(path) + 1;
	char *result = is_in_place && size >= 2 && path != NULL ? path : exact_memory(size < 2 ? 2 : size);
	int length = function(NULL, path), written = function(result, path);

	CHECK(length == written && (size_t)length == strlen(result), "a result of length %d and %d: %s", length,
	      written, result);
	CHECK(length > 0, "an empty name");
	CHECK(is_directory || length == 1 || strchr(result, '/') == NULL, "a base name with a slash: %s", result);
	CHECK(length == 1 || result[length - 1] != '/', "a name that ends in a slash: %s", result);
}

static int accept_some(const char *name, const char *dir, int type, void *data)
{
	CHECK(dir[strlen(dir) - 1] == '/' && type != 0 && data == &callback_result, "wrong arguments of the callback");
	return name[0] % 3;
}

static void complete_path(struct input *in)
{
	int mask = take_byte(in);
	mm_arg_complete_path_cb callback = take_chance(in, 2) ? accept_some : NULL;
	char *path = take_string(in);
	struct call call;

	begin_call(&call, "mm_arg_complete_path");
	int result = mm_arg_complete_path(path, mask, callback, &callback_result);
	int number = errno;

	/* A directory that cannot be opened may be reported by the function that opens it. */
	if (result != 0 && strncmp(mm_get_lasterror_location(), "mm_opendir(", 11) == 0)
		call.function = "mm_opendir";
	errno = number;
	end_call(&call, result != 0);
}

/* Sets and reads a variable; values do not collide with those that the process needs. */
static void set_variable(struct input *in)
{
	static const char *const names[] = {"FUZZ-1", "FUZZ-1", "FUZZ-2", "", "FUZZ=1", NULL};
	const char *name = TAKE_ONE(in, names);
	int action = take_chance(in, 8) ? take_int(in) : (int)take_below(in, 4);
	char *value = take_string(in);
	const char *old = name == NULL ? NULL : getenv(name);
	char expected[2048] = "";
	struct call call;

	if (value != NULL && (old == NULL || action != MM_ENV_PRESERVE))
		snprintf(expected, sizeof(expected), "%s%s%s", old != NULL && action == MM_ENV_APPEND ? old : value,
		         old != NULL && action >= MM_ENV_PREPEND ? ":" : "",
		         old == NULL || action < MM_ENV_PREPEND ? ""
		         : action == MM_ENV_APPEND              ? value
		                                                : old);
	else if (old != NULL)
		snprintf(expected, sizeof(expected), "%s", old);
	bool is_wrong =
		action < 0 || action > MM_ENV_APPEND || name == NULL || *name == '\0' || strchr(name, '=') != NULL;

	begin_call(&call, "mm_setenv");
	int result = mm_setenv(name, value, action);
	int number = errno;

	end_call(&call, result != 0);
	CHECK(result == (is_wrong || value == NULL ? -1 : 0), "mm_setenv(%s, %s, %d) returned %d", name, value, action,
	      result);
	CHECK(!is_wrong || value == NULL || number == EINVAL, "mm_setenv(%s, %s, %d) failed with %d", name, value,
	      action, number);
	CHECK(result != 0 || strcmp(mm_getenv(name, "unset"), expected) == 0, "%s is %s, not %s", name,
	      mm_getenv(name, "unset"), expected);
}

static void change_environment(struct input *in)
{
	for (int steps = 0; steps < 3; steps++)
		set_variable(in);
	CHECK(mm_unsetenv("FUZZ-1") == 0 && mm_unsetenv("FUZZ-2") == 0, "a variable cannot be removed");
	CHECK(mm_getenv("FUZZ-1", NULL) == NULL && mm_getenv("FUZZ-2", NULL) == NULL, "a variable was not removed");
}

static void base_directory(struct input *in)
{
	int type = take_chance(in, 8) ? take_int(in) : (int)take_below(in, 5);
	char *suffix = take_string(in);
	struct call call;

	begin_call(&call, "mm_path_from_basedir");
	char *path = mm_path_from_basedir((enum mm_known_dir)type, suffix);

	end_call(&call, path == NULL);
	if (path == NULL)
		return;
	const char *base = mm_get_basedir((enum mm_known_dir)type);
	size_t length = base == NULL ? 0 : strlen(base);

	CHECK(base != NULL && strncmp(path, base, length) == 0 && path[length] == '/' &&
	              strcmp(path + length + 1, suffix) == 0,
	      "the path is %s", path);
	free(path);
}

static void run(struct input *in)
{
	switch (take_below(in, 12)) {
	case 0:
		name(in);
		break;
	case 1:
		complete_path(in);
		break;
	case 2:
		change_environment(in);
		break;
	case 3:
		base_directory(in);
		break;
	default:
		/* Standard error also has the messages of the parser, which are not log lines. */
		stop_watching_log();
		parse(in);
	}
}

static void start(void)
{
	CHECK(is_instrumented((const void *)mm_arg_parse), "libmmlib was built without coverage");
}

const struct target target = {.start = start, .run = run};
