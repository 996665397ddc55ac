/* SPDX-License-Identifier: Apache-2.0 */
/*
 * argparse.c: the walk over the command line, values, callbacks, help and exit status
 *
 * The model in tests-c/mmlib-model draws tables and command lines at random; this has what a reader wants to see, and
 * what a model cannot: calls of the program that do not return.
 */
#include "output.h"
#include "suite.h"

#include <limits.h>
#include <mmargparse.h>
#include <setjmp.h>
#include <stddef.h>

_Static_assert(sizeof(union mm_arg_val) == 8, "its size is ABI");
#ifdef __LP64__
_Static_assert(sizeof(struct mm_arg_opt) == 40 && offsetof(struct mm_arg_opt, defval) == 16 &&
                       offsetof(struct mm_arg_opt, val) == 24 && offsetof(struct mm_arg_opt, desc) == 32,
               "its layout is ABI");
_Static_assert(sizeof(struct mm_arg_parser) == 56 && offsetof(struct mm_arg_parser, optv) == 8 &&
                       offsetof(struct mm_arg_parser, doc) == 16 && offsetof(struct mm_arg_parser, args_doc) == 24 &&
                       offsetof(struct mm_arg_parser, execname) == 32 &&
                       offsetof(struct mm_arg_parser, cb_data) == 40 && offsetof(struct mm_arg_parser, cb) == 48,
               "its layout is ABI");
#endif

#define HINT "Use -h or --help to display usage.\n"

static const char *text, *flag;
static int number;
static unsigned int natural;
static long long big;
static unsigned long long big_natural;

static const struct mm_arg_opt options[] = {
	{"f|flag", MM_OPT_NOVAL, "set", {.sptr = &flag}, "a flag"},
	{"n|number", MM_OPT_NEEDINT, NULL, {.iptr = &number}, "a @NUM"},
	{"u|natural", MM_OPT_NEEDUINT, NULL, {.uiptr = &natural}, NULL},
	{"l|big", MM_OPT_NEEDLLONG, NULL, {.llptr = &big}, NULL},
	{"big-natural", MM_OPT_NEEDULLONG, NULL, {.ullptr = &big_natural}, NULL},
	{"t|text", MM_OPT_OPTSTR, "default", {.sptr = &text}, NULL},
	{"N", MM_OPT_OPTINT, NULL, {NULL}, NULL},
	{"odd", MM_OPT_NEEDVAL | 0x30, NULL, {NULL}, NULL},
};

#define ARGC(argv) ((int)(sizeof(argv) / sizeof(*(argv))) - 1)
#define PARSE(...)                                                                                                \
	({                                                                                                        \
		char *argv_[] = {__VA_ARGS__, NULL};                                                              \
		parse(&(struct mm_arg_parser){MM_ARG_PARSER_NOEXIT, MM_NELEM(options), options, NULL, NULL, NULL, \
		                              NULL, NULL},                                                        \
		      ARGC(argv_), argv_);                                                                        \
	})

static int parse(const struct mm_arg_parser *parser, int argc, char *argv[])
{
	int result;

	text = flag = NULL;
	number = -77;
	capture_output();
	errno = 0;
	result = mm_arg_parse(parser, argc, argv);
	stop_capturing();
	return result;
}

START_TEST(parsing_ends_at_the_first_argument_that_is_no_option)
{
	ck_assert_int_eq(PARSE("tool"), 1);
	ck_assert_int_eq(PARSE("tool", "word", "-f"), 1);
	ck_assert_int_eq(PARSE("tool", "-f", "word", "-f"), 2);
	ck_assert_int_eq(PARSE("tool", "-f", "-f"), 3);
	ck_assert_int_eq(PARSE("tool", "-"), 1);
	ck_assert_int_eq(PARSE("tool", ""), 1);
	ck_assert_int_eq(PARSE("tool", "-5"), 1);
	ck_assert_int_eq(PARSE("tool", "-\xc3\xa9"), 1);
	ck_assert_int_eq(PARSE("tool", "--", "-f"), 2);
	ck_assert_int_eq(PARSE("tool", "-f", "--"), 3);
	ck_assert_str_eq(written_out, "");
	ck_assert_str_eq(written_err, "");
}
END_TEST

START_TEST(values_are_stored_in_the_type_of_the_option)
{
	ck_assert_int_eq(PARSE("tool", "-n", "-5", "-u", "0x10", "--big=-9223372036854775808",
	                       "--big-natural=18446744073709551615"),
	                 7);
	ck_assert_int_eq(number, -5);
	ck_assert_uint_eq(natural, 16);
	ck_assert_int_eq(big, LLONG_MIN);
	ck_assert_uint_eq(big_natural, ULLONG_MAX);
	ck_assert_int_eq(PARSE("tool", "-n010", "word"), MM_ARGPARSE_ERROR);
	ck_assert_int_eq(PARSE("tool", "--number=010"), 2);
	ck_assert_int_eq(number, 8);
	ck_assert_int_eq(PARSE("tool", "--number=1", "--number=2"), 3);
	ck_assert_int_eq(number, 2);
}
END_TEST

START_TEST(options_without_a_value_get_the_default)
{
	ck_assert_int_eq(PARSE("tool", "-ft"), 2);
	ck_assert_str_eq(flag, "set");
	ck_assert_str_eq(text, "default");
	ck_assert_int_eq(PARSE("tool", "-t", "given", "word"), 3);
	ck_assert_str_eq(text, "given");
	ck_assert_int_eq(PARSE("tool", "--text", "word"), 2);
	ck_assert_str_eq(text, "default");
	ck_assert_int_eq(PARSE("tool", "--text="), 2);
	ck_assert_str_eq(text, "");
	ck_assert_int_eq(PARSE("tool", "--text=a=b"), 2);
	ck_assert_str_eq(text, "a=b");
}
END_TEST

START_TEST(only_the_form_of_an_option_prevents_a_value)
{
	static char *const values[] = {"-", "--", "-5", "--x", "--Foo", "---a", "", "word"};

	for (int i = 0; i < MM_NELEM(values); i++) {
		ck_assert_int_eq(PARSE("tool", "-t", values[i], "foo"), 3);
		ck_assert_str_eq(text, values[i]);
	}
	ck_assert_int_eq(PARSE("tool", "-t", "--flag"), 3);
	ck_assert_str_eq(text, "default");
	ck_assert_int_eq(PARSE("tool", "-t", "-x"), MM_ARGPARSE_ERROR);
	/* Whatever follows it. */
	ck_assert_int_eq(PARSE("tool", "-t", "-", "Foo"), 3);
	ck_assert_str_eq(text, "-");
}
END_TEST

static void assert_diagnostic(int result, const char *expected)
{
	ck_assert_int_eq(result, MM_ARGPARSE_ERROR);
	ck_assert_str_eq(written_out, "");
	ck_assert(strlen(written_err) > strlen(HINT));
	ck_assert_str_eq(written_err + strlen(written_err) - strlen(HINT), HINT);
	written_err[strlen(written_err) - strlen(HINT)] = '\0';
	ck_assert_str_eq(written_err, expected);
}

START_TEST(diagnostics_name_the_option_and_the_reason)
{
	assert_diagnostic(PARSE("tool", "-x"), "Unsupported option -x\n");
	assert_diagnostic(PARSE("tool", "-n5"), "Option -n|--number needs value.\n");
	assert_diagnostic(PARSE("tool", "--unknown=1"), "Unsupported option --unknown\n");
	assert_diagnostic(PARSE("tool", "--=x"), "Unsupported option --\n");
	assert_diagnostic(PARSE("tool", "---str=x"), "Unsupported option ---str\n");
	assert_diagnostic(PARSE("tool", "--flag="), "Option -f|--flag does not accept any value.\n");
	assert_diagnostic(PARSE("tool", "-nf", "1"), "Option -n|--number needs value.\n");
	assert_diagnostic(PARSE("tool", "--big-natural"), "Option --big-natural needs value.\n");
	assert_diagnostic(
		PARSE("tool", "-N"),
		"Option -N accepting int value type has received an invalid value \"(null)\" (Invalid argument)\n");
}
END_TEST

START_TEST(invalid_values_set_errno)
{
	static const struct {
		char *argument;
		int error;
		const char *type;
	} cases[] = {
		{"--number=", EINVAL, "int"},
		{"--number=x", EINVAL, "int"},
		{"--number=5 ", EINVAL, "int"},
		{"--number= ", EINVAL, "int"},
		{"--number=2147483648", ERANGE, "int"},
		{"--number=-2147483649", ERANGE, "int"},
		{"--number=99999999999999999999", ERANGE, "int"},
		{"--number=99999999999999999999x", EINVAL, "int"},
		{"--natural=-1", ERANGE, "unsigned int"},
		{"--natural=4294967296", ERANGE, "unsigned int"},
		{"--big=9223372036854775808", ERANGE, "long long"},
		{"--big-natural=-0", ERANGE, "unsigned long long"},
		{"--big-natural= -1", ERANGE, "unsigned long long"},
		{"--big-natural=18446744073709551616", ERANGE, "unsigned long long"},
		{"--odd=1", EINVAL, "unknown"},
	};
	char expected[256];

	for (int i = 0; i < MM_NELEM(cases); i++) {
		char *argument = cases[i].argument;
		int result = PARSE("tool", argument);

		ck_assert_int_eq(errno, cases[i].error);
		ck_assert_int_eq(result, MM_ARGPARSE_ERROR);
		snprintf(expected, sizeof(expected), "%s value type has received an invalid value \"%s\" (%s)\n" HINT,
		         cases[i].type, strchr(argument, '=') + 1,
		         cases[i].error == EINVAL ? "Invalid argument" : "Numerical result out of range");
		ck_assert_msg(strstr(written_err, expected) != NULL, "%s: %s", argument, written_err);
	}
	ck_assert_int_eq(number, -77);
	ck_assert_int_eq(PARSE("tool", "--natural=-0", "--number=5"), 3);
	ck_assert_int_eq(errno, 0);
}
END_TEST

START_TEST(help_is_printed_as_mmlib_prints_it)
{
	static const struct mm_arg_opt table[] = {
		{"n|count", MM_OPT_NEEDUINT, NULL, {NULL}, "Run @NUM times."},
		{"quiet", MM_OPT_NOVAL, NULL, {NULL}, "No output"},
		{"o|output",
	         MM_OPT_OPTSTR,
	         NULL,
	         {NULL},
	         "Write the result to @FILE, which is replaced when it exists already."},
		{"size-of-the-cache", MM_OPT_NEEDINT, NULL, {NULL}, NULL},
		{"k", MM_OPT_NOVAL, NULL, {NULL}, NULL},
	};
	static const char expected[] =
		"Usage:\n"
		"  tool [options] FILE\n"
		"  tool --list\n"
		"\n"
		"Does the work.\n"
		"\n"
		"\n"
		"Options:\n"
		"  -n NUM, --count=NUM         Run NUM times. NUM must be a non negative\n"
		"                              integer.\n"
		"  --quiet                     No output\n"
		"  -o [FILE], --output[=FILE]  Write the result to FILE, which is replaced when\n"
		"                              it exists already.\n"
		"  --size-of-the-cache=VALUE   VALUE must be an integer.\n"
		"  -k                          \n"
		"  -h, --help                  print this message and exit\n";
	struct mm_arg_parser parser = {MM_ARG_PARSER_NOEXIT,     MM_NELEM(table), table, "Does the work.",
	                               "[options] FILE\n--list", "tool",          NULL,  NULL};
	char *requests[] = {"-h", "--help", "-kh", "--help=foo"};

	for (int i = 0; i < MM_NELEM(requests); i++) {
		char *argv[] = {"tool", requests[i], "--unknown", NULL};

		ck_assert_int_eq(parse(&parser, 3, argv), MM_ARGPARSE_STOP);
		ck_assert_str_eq(written_out, expected);
		ck_assert_str_eq(written_err, "");
	}
}
END_TEST

START_TEST(help_of_any_length_is_printed)
{
	static char name[5001], description[20001];
	struct mm_arg_opt table[] = {{name, MM_OPT_NEEDINT, NULL, {NULL}, description}};
	struct mm_arg_parser parser = {MM_ARG_PARSER_NOEXIT, 1, table, NULL, NULL, NULL, NULL, NULL};
	char *argv[] = {"tool", "-h", NULL};

	memset(name, 'a', sizeof(name) - 1);
	memset(description, 'b', sizeof(description) - 1);
	ck_assert_int_eq(parse(&parser, 2, argv), MM_ARGPARSE_STOP);
	ck_assert(strstr(written_out, "args...\n\nOptions:\n  --aaa") != NULL);
}
END_TEST

START_TEST(options_replace_the_forms_of_the_built_in_one)
{
	static const struct mm_arg_opt table[] = {{"h|host", MM_OPT_NEEDSTR, NULL, {.sptr = &text}, NULL}};
	struct mm_arg_parser parser = {MM_ARG_PARSER_NOEXIT, 1, table, NULL, NULL, NULL, NULL, NULL};
	char *argv[] = {"tool", "-h", "example", "--help", NULL};

	ck_assert_int_eq(parse(&parser, 4, argv), MM_ARGPARSE_STOP);
	ck_assert_str_eq(text, "example");
	ck_assert(strstr(written_out, "\n  -h VALUE, --host=VALUE      \n  --help ") != NULL);
}
END_TEST

START_TEST(invalid_names_in_the_table_are_errors)
{
	static const char *const names[] = {"1", "x|",  "x|y",  "xy|z", "A|Bc",    "a|b_c",
	                                    "-", "|ab", "a|2b", "a||b", "\xc3\xa9"};
	struct mm_arg_opt table[] = {{"ok", 0, NULL, {NULL}, NULL}, {NULL, 0, NULL, {NULL}, NULL}};
	struct mm_arg_parser parser = {MM_ARG_PARSER_NOEXIT, 2, table, NULL, NULL, NULL, NULL, NULL};
	char expected[128], *argv[] = {"tool", NULL};

	for (int i = 0; i < MM_NELEM(names); i++) {
		table[1].name = names[i];
		snprintf(expected, sizeof(expected), "invalid short or long name for option %s\n", names[i]);
		assert_diagnostic(parse(&parser, 1, argv), expected);
	}
	table[1].name = "";
	assert_diagnostic(parse(&parser, 1, argv), "name in mm_arg_opt must be set\n");
	table[1].name = NULL;
	assert_diagnostic(parse(&parser, 1, argv), "name in mm_arg_opt must be set\n");
	parser.num_opt = -1;
	ck_assert_int_eq(parse(&parser, 1, argv), 1);
	parser.num_opt = 5;
	parser.optv = NULL;
	ck_assert_int_eq(parse(&parser, 1, argv), 1);
}
END_TEST

START_TEST(null_is_an_error_or_ends_the_arguments)
{
	struct mm_arg_parser parser = {MM_ARG_PARSER_NOEXIT, MM_NELEM(options), options, NULL, NULL, NULL, NULL, NULL};
	char *argv[] = {"tool", "-f", NULL, "-x", NULL}, *empty[] = {NULL};

	ck_assert_int_eq(parse(&parser, 4, argv), 2);
	ck_assert_int_eq(parse(&parser, 0, empty), 0);
	ck_assert_int_eq(parse(&parser, -3, argv), 0);
	ck_assert_int_eq(parse(&parser, 3, empty), 0);
	ck_assert_int_eq(parse(&parser, 3, NULL), 0);
	assert_fails(mm_arg_parse(NULL, 1, argv), EFAULT);
	assert_fails(mm_arg_parse_complete(NULL, "-"), EFAULT);
	ck_assert_int_eq(mm_arg_optv_parse(-1, NULL, 0, NULL), 0);
}
END_TEST

/* --- callbacks ---------------------------------------------------------------------------------------------------- */

static char calls[256];
static int answer;

static int record(const struct mm_arg_opt *opt, union mm_arg_val value, void *data, int state)
{
	char shown[64];

	ck_assert_ptr_eq(data, calls);
	ck_assert_int_eq(state, 0);
	if (mm_arg_opt_get_type(opt) == MM_OPT_INT)
		snprintf(shown, sizeof(shown), "%s=%d;", opt->name, value.i);
	else
		snprintf(shown, sizeof(shown), "%s=%s;", opt->name, value.str);
	strcat(calls, shown);
	return answer;
}

static const struct mm_arg_parser recording = {
	.flags = MM_ARG_PARSER_NOEXIT, .num_opt = MM_NELEM(options), .optv = options, .cb_data = calls, .cb = record};

START_TEST(callback_sees_each_option_before_it_is_stored)
{
	char *argv[] = {"tool", "-fn", "5", "--text=x", "-h", NULL};

	ck_assert_int_eq(parse(&recording, 5, argv), MM_ARGPARSE_STOP);
	ck_assert_str_eq(calls, "f|flag=set;n|number=5;t|text=x;");
	ck_assert_str_eq(text, "x");
	answer = 1;
	ck_assert_int_eq(parse(&recording, 4, argv), 4);
	ck_assert_int_eq(number, 5);
}
END_TEST

START_TEST(negative_result_of_the_callback_ends_the_parse)
{
	char *argv[] = {"tool", "-n", "5", "-f", NULL};

	for (answer = -1; answer >= -7; answer--) {
		*calls = '\0';
		ck_assert_int_eq(parse(&recording, 4, argv), answer);
		ck_assert_str_eq(calls, "n|number=5;");
		ck_assert_int_eq(number, -77);
		ck_assert_str_eq(written_err, answer == -1 ? HINT : "");
	}
}
END_TEST

static jmp_buf back;

static int jump(const struct mm_arg_opt *opt, union mm_arg_val value, void *data, int state)
{
	(void)opt, (void)value, (void)data, (void)state;
	longjmp(back, 5);
}

START_TEST(callback_may_jump_out_of_the_parse)
{
	struct mm_arg_parser parser = {MM_ARG_PARSER_NOEXIT, MM_NELEM(options), options, NULL, NULL, NULL, NULL, jump};
	char *argv[] = {"tool", "-f", NULL};

	if (setjmp(back) == 0)
		ck_abort_msg("the parse returned %d", mm_arg_parse(&parser, 2, argv));
}
END_TEST

static int end_thread(const struct mm_arg_opt *opt, union mm_arg_val value, void *data, int state)
{
	(void)opt, (void)value, (void)state;
	if (data != NULL)
		pthread_exit(data);
	pthread_cancel(pthread_self());
	pthread_testcancel();
	return 0;
}

/* It has no array or structure on the stack: for the address sanitizer, one would exist after the end of the thread. */
static void *parse_in_thread(void *data)
{
	static struct mm_arg_parser parser = {
		MM_ARG_PARSER_NOEXIT, MM_NELEM(options), options, NULL, NULL, NULL, NULL, end_thread};
	static char *argv[] = {"tool", "-f", NULL};

	parser.cb_data = data;

	mm_arg_parse(&parser, 2, argv);
	return &number;
}

START_TEST(callback_may_end_the_thread)
{
	ck_assert_ptr_eq(join_thread(start_thread(parse_in_thread, &flag)), &flag);
	ck_assert_ptr_eq(join_thread(start_thread(parse_in_thread, NULL)), PTHREAD_CANCELED);
}
END_TEST

/* --- exit status -------------------------------------------------------------------------------------------------- */

static void say_goodbye(void)
{
	_exit(42);
}

static int exit_status(const struct mm_arg_parser *parser, char *argument, int has_handler)
{
	char *argv[] = {"tool", argument, NULL};
	int status;
	pid_t pid;

	capture_output();
	pid = fork();
	if (pid == 0) {
		if (has_handler)
			atexit(say_goodbye);
		if (parser != NULL)
			mm_arg_parse(parser, 2, argv);
		else
			mm_arg_optv_parse(MM_NELEM(options), options, 2, argv);
		_exit(99);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	stop_capturing();
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(errors_exit_with_1_and_everything_else_with_0)
{
	struct mm_arg_parser parser = recording;

	parser.flags = 0;
	ck_assert_int_eq(exit_status(&parser, "-x", 0), 1);
	ck_assert_int_eq(exit_status(&parser, "-h", 0), 0);
	for (answer = -1; answer >= -7; answer--)
		ck_assert_int_eq(exit_status(&parser, "-f", 0), answer == -1 ? 1 : 0);
	ck_assert_int_eq(exit_status(&parser, "-x", 1), 42);
	ck_assert_int_eq(exit_status(NULL, "-x", 0), 1);
	ck_assert_int_eq(exit_status(NULL, "-h", 0), 0);
	ck_assert(strncmp(written_out, "Usage:\n  tool [options] args...\n", 32) == 0);
	ck_assert_int_eq(exit_status(NULL, "-f", 0), 99);
}
END_TEST

START_TEST(helpers_read_the_name_and_the_type)
{
	ck_assert_int_eq(mm_arg_opt_get_key(&options[0]), 'f');
	ck_assert_str_eq(mm_arg_opt_get_name(&options[0]), "flag");
	ck_assert_int_eq(mm_arg_opt_get_key(&options[4]), 0);
	ck_assert_str_eq(mm_arg_opt_get_name(&options[4]), "big-natural");
	ck_assert_int_eq(mm_arg_opt_get_key(&options[6]), 'N');
	ck_assert_ptr_null(mm_arg_opt_get_name(&options[6]));
	ck_assert_int_eq(mm_arg_opt_get_type(&options[4]), MM_OPT_ULLONG);
}
END_TEST

SUITE(parsing_ends_at_the_first_argument_that_is_no_option, values_are_stored_in_the_type_of_the_option,
      options_without_a_value_get_the_default, only_the_form_of_an_option_prevents_a_value,
      diagnostics_name_the_option_and_the_reason, invalid_values_set_errno, help_is_printed_as_mmlib_prints_it,
      help_of_any_length_is_printed, options_replace_the_forms_of_the_built_in_one,
      invalid_names_in_the_table_are_errors, null_is_an_error_or_ends_the_arguments,
      callback_sees_each_option_before_it_is_stored, negative_result_of_the_callback_ends_the_parse,
      callback_may_jump_out_of_the_parse, callback_may_end_the_thread, errors_exit_with_1_and_everything_else_with_0,
      helpers_read_the_name_and_the_type)
