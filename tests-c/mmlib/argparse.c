/* SPDX-License-Identifier: Apache-2.0 */
/*
 * argparse.c: parsing a command line
 */
#include "output.h"

#include <mmargparse.h>

#include <limits.h>
#include <stddef.h>

#define USAGE "Use -h or --help to display usage.\n"

static struct {
	const char *flag, *str, *opt, *file;
	int i;
	unsigned int ui;
	long long ll;
	unsigned long long ull;
} values;

static const struct mm_arg_opt options[] = {
	{"v|verbose", MM_OPT_NOVAL, "on", {.sptr = &values.flag}, NULL},
	{"s|str", MM_OPT_NEEDSTR, NULL, {.sptr = &values.str}, NULL},
	{"o|opt", MM_OPT_OPTSTR, "default", {.sptr = &values.opt}, NULL},
	{"i|int", MM_OPT_NEEDINT, NULL, {.iptr = &values.i}, NULL},
	{"I|oint", MM_OPT_OPTINT, "-3", {.iptr = &values.i}, NULL},
	{"u|uint", MM_OPT_NEEDUINT, NULL, {.uiptr = &values.ui}, NULL},
	{"l|llong", MM_OPT_NEEDLLONG, NULL, {.llptr = &values.ll}, NULL},
	{"L|ullong", MM_OPT_NEEDULLONG, NULL, {.ullptr = &values.ull}, NULL},
	{"n", MM_OPT_OPTINT, NULL, {NULL}, NULL},
	{"only-long", MM_OPT_NEEDSTR | MM_OPT_FILEPATH, NULL, {.sptr = &values.file}, NULL},
	{"x", 0x30 | MM_OPT_NEEDVAL, NULL, {NULL}, NULL},
};

#define NUM_OPTIONS MM_NELEM(options)

static struct mm_arg_parser parser(void)
{
	return (struct mm_arg_parser){.flags = MM_ARG_PARSER_NOEXIT, .num_opt = NUM_OPTIONS, .optv = options};
}

static int parse_with(const struct mm_arg_parser *parser, const char *words)
{
	struct command_line *line = command_line(words);

	capture();
	int result = mm_arg_parse(parser, line->argc, line->argv);
	int errno_of_parse = errno;

	end_capture();
	errno = errno_of_parse;
	return result;
}

static int parse(const char *words)
{
	struct mm_arg_parser p = parser();

	memset(&values, 0, sizeof(values));
	return parse_with(&p, words);
}

static void assert_parses(const char *words, int result)
{
	ck_assert_msg(parse(words) == result && captured_out[0] == '\0' && captured_err[0] == '\0', "%s: %s%s", words,
	              captured_out, captured_err);
}

static void assert_error(const char *words, const char *message)
{
	char expected[512];

	snprintf(expected, sizeof(expected), "%s\n%s", message, USAGE);
	ck_assert_msg(parse(words) == MM_ARGPARSE_ERROR, "%s", words);
	ck_assert_str_eq(captured_err, expected);
	ck_assert_str_eq(captured_out, "");
}

START_TEST(the_layouts_are_those_of_mmlib)
{
#if UINTPTR_MAX == UINT64_MAX
	ck_assert_int_eq(sizeof(union mm_arg_val), 8);
	ck_assert_int_eq(sizeof(struct mm_arg_opt), 40);
	ck_assert_int_eq(offsetof(struct mm_arg_opt, name), 0);
	ck_assert_int_eq(offsetof(struct mm_arg_opt, flags), 8);
	ck_assert_int_eq(offsetof(struct mm_arg_opt, defval), 16);
	ck_assert_int_eq(offsetof(struct mm_arg_opt, val), 24);
	ck_assert_int_eq(offsetof(struct mm_arg_opt, desc), 32);
	ck_assert_int_eq(sizeof(struct mm_arg_parser), 56);
	ck_assert_int_eq(offsetof(struct mm_arg_parser, num_opt), 4);
	ck_assert_int_eq(offsetof(struct mm_arg_parser, optv), 8);
	ck_assert_int_eq(offsetof(struct mm_arg_parser, doc), 16);
	ck_assert_int_eq(offsetof(struct mm_arg_parser, args_doc), 24);
	ck_assert_int_eq(offsetof(struct mm_arg_parser, execname), 32);
	ck_assert_int_eq(offsetof(struct mm_arg_parser, cb_data), 40);
	ck_assert_int_eq(offsetof(struct mm_arg_parser, cb), 48);
#endif
	static const int constants[][2] = {
		{MM_OPT_NOVAL, 0},
		{MM_OPT_OPTVAL, 1},
		{MM_OPT_NEEDVAL, 2},
		{MM_OPT_REQMASK, 3},
		{MM_OPT_STR, 0},
		{MM_OPT_INT, 0x10},
		{MM_OPT_LLONG, 0x20},
		{MM_OPT_UINT, 0x90},
		{MM_OPT_ULLONG, 0xA0},
		{MM_OPT_TYPEMASK, 0xF0},
		{MM_OPT_FILEPATH, 0x100},
		{MM_OPT_DIRPATH, 0x200},
		{MM_OPT_OPTSTR, 0x01},
		{MM_OPT_NEEDSTR, 0x02},
		{MM_OPT_OPTINT, 0x11},
		{MM_OPT_NEEDINT, 0x12},
		{MM_OPT_OPTLLONG, 0x21},
		{MM_OPT_NEEDLLONG, 0x22},
		{MM_OPT_OPTUINT, 0x91},
		{MM_OPT_NEEDUINT, 0x92},
		{MM_OPT_OPTULLONG, 0xA1},
		{MM_OPT_NEEDULLONG, 0xA2},
		{MM_OPT_OPTFILE, 0x101},
		{MM_OPT_NEEDFILE, 0x102},
		{MM_OPT_OPTDIR, 0x201},
		{MM_OPT_NEEDDIR, 0x202},
		{MM_ARG_OPT_COMPLETION, 1},
		{MM_ARGPARSE_ERROR, -1},
		{MM_ARGPARSE_STOP, -2},
		{MM_ARGPARSE_COMPLETE, -3},
		{MM_ARG_PARSER_NOEXIT, 1},
		{MM_ARG_PARSER_COMPLETION, 2},
	};

	for (int i = 0; i < MM_NELEM(constants); i++)
		ck_assert_int_eq(constants[i][0], constants[i][1]);
}
END_TEST

START_TEST(helpers_return_key_name_and_type)
{
	static const struct mm_arg_opt both = {"k|key-name", MM_OPT_NEEDULLONG | MM_OPT_DIRPATH, NULL, {NULL}, NULL};
	static const struct mm_arg_opt key = {.name = "K", .flags = MM_OPT_OPTINT};
	static const struct mm_arg_opt name = {.name = "name"};

	ck_assert_int_eq(mm_arg_opt_get_key(&both), 'k');
	ck_assert_str_eq(mm_arg_opt_get_name(&both), "key-name");
	ck_assert_int_eq(mm_arg_opt_get_type(&both), MM_OPT_ULLONG);
	ck_assert_int_eq(mm_arg_opt_get_key(&key), 'K');
	ck_assert_ptr_null(mm_arg_opt_get_name(&key));
	ck_assert_int_eq(mm_arg_opt_get_type(&key), MM_OPT_INT);
	ck_assert_int_eq(mm_arg_opt_get_key(&name), 0);
	ck_assert_str_eq(mm_arg_opt_get_name(&name), "name");
	ck_assert_int_eq(mm_arg_opt_get_type(&name), MM_OPT_STR);
}
END_TEST

START_TEST(options_end_at_the_first_other_argument)
{
	assert_parses("", 1);
	assert_parses("word -v", 1);
	ck_assert_ptr_null(values.flag);
	assert_parses("'' -v", 1);
	assert_parses("-v word", 2);
	assert_parses("-v", 2);
	ck_assert_str_eq(values.flag, "on");
	assert_parses("-", 1);
	assert_parses("- -v", 1);
	assert_parses("-5", 1);
	assert_parses("-\xc3\xa9", 1);
	assert_parses("-=", 1);
	assert_parses("--", 2);
	assert_parses("-- -v", 2);
	ck_assert_ptr_null(values.flag);
	assert_parses("-v -- word", 3);
	assert_parses("-v --verbose -vv", 4);
}
END_TEST

START_TEST(argc_can_be_nonsense)
{
	struct mm_arg_parser p = parser();
	char *argv[] = {"program", "-v", NULL, "-q"};

	ck_assert_int_eq(mm_arg_parse(&p, 0, argv), 0);
	ck_assert_int_eq(mm_arg_parse(&p, -1, argv), 0);
	ck_assert_int_eq(mm_arg_parse(&p, INT_MIN, NULL), 0);
	ck_assert_int_eq(mm_arg_parse(&p, 0, NULL), 0);
	ck_assert_int_eq(mm_arg_parse(&p, 1, NULL), 1);
	/* NULL ends the arguments. */
	ck_assert_int_eq(mm_arg_parse(&p, 4, argv), 2);
	ck_assert_int_eq(mm_arg_parse(&p, INT_MAX, argv), 2);
	argv[1] = "-o";
	ck_assert_int_eq(mm_arg_parse(&p, 4, argv), 2);
	ck_assert_str_eq(values.opt, "default");
	argv[1] = "--";
	ck_assert_int_eq(mm_arg_parse(&p, 4, argv), 2);
	argv[1] = NULL;
	ck_assert_int_eq(mm_arg_parse(&p, 4, argv), 1);
	ck_assert_int_eq(mm_arg_optv_parse(NUM_OPTIONS, options, 0, NULL), 0);
	ck_assert_int_eq(mm_arg_optv_parse(-1, NULL, 1, NULL), 1);
	ck_assert_int_eq(mm_arg_optv_parse(NUM_OPTIONS, options, 0, (char *[]){NULL}), 0);
}
END_TEST

START_TEST(null_is_efault)
{
	struct mm_arg_parser p = parser();
	char *argv[] = {"program", "-v", NULL};

	assert_fails(mm_arg_parse(NULL, 2, argv), EFAULT);
	assert_fails(mm_arg_parse(&p, 2, NULL), EFAULT);
	assert_fails(mm_arg_optv_parse(1, NULL, 2, argv), EFAULT);
	assert_fails(mm_arg_optv_parse(1, options, 2, NULL), EFAULT);
	assert_fails(mm_arg_parse_complete(NULL, "-"), EFAULT);
	p.optv = NULL;
	assert_fails(mm_arg_parse(&p, 1, argv), EFAULT);
	assert_fails(mm_arg_parse_complete(&p, NULL), EFAULT);
	p.num_opt = -1;
	ck_assert_int_eq(mm_arg_parse(&p, 1, argv), 1);
}
END_TEST

START_TEST(a_letter_takes_the_next_word)
{
	assert_parses("-s word more", 3);
	ck_assert_str_eq(values.str, "word");
	assert_parses("-vs word", 3);
	ck_assert_str_eq(values.flag, "on");
	ck_assert_str_eq(values.str, "word");
	assert_parses("-s \xc3\xa9t\xc3\xa9", 3);
	ck_assert_str_eq(values.str, "\xc3\xa9t\xc3\xa9");
	assert_parses("-s ''", 3);
	ck_assert_str_eq(values.str, "");
	assert_parses("-o word", 3);
	ck_assert_str_eq(values.opt, "word");
	/* Only the last letter has a value. */
	assert_parses("-ov word", 2);
	ck_assert_str_eq(values.opt, "default");
	assert_parses("-o", 2);
	ck_assert_str_eq(values.opt, "default");
	assert_parses("-o -v", 3);
	ck_assert_str_eq(values.opt, "default");
	ck_assert_str_eq(values.flag, "on");
	assert_parses("-s one -s two", 5);
	ck_assert_str_eq(values.str, "two");
	assert_error("-sv word", "Option -s|--str needs value.");
	assert_error("-i5", "Option -i|--int needs value.");
	assert_error("-o5", "Unsupported option -5");
}
END_TEST

START_TEST(a_word_that_is_not_written_like_an_option_is_a_value)
{
	static const char *const taken[] = {"-5", "--", "--x", "--x=1", "--Foo", "---a", "-", "-\xc3\xa9", "--=a"};
	static const char *const not_taken[] = {"-v", "--foo", "--foo=1", "-q"};
	char words[64];

	for (int i = 0; i < MM_NELEM(taken); i++) {
		snprintf(words, sizeof(words), "-s %s", taken[i]);
		assert_parses(words, 3);
		ck_assert_str_eq(values.str, taken[i]);
	}
	for (int i = 0; i < MM_NELEM(not_taken); i++) {
		snprintf(words, sizeof(words), "-s %s", not_taken[i]);
		assert_error(words, "Option -s|--str needs value.");
	}
	/* mmlib looked at the word after "-". */
	assert_parses("-s - foo", 3);
	assert_parses("-s - Foo", 3);
	assert_parses("-s - -", 3);
	ck_assert_str_eq(values.str, "-");
}
END_TEST

START_TEST(a_long_option_has_its_value_after_an_equals_sign)
{
	assert_parses("--str=word more", 2);
	ck_assert_str_eq(values.str, "word");
	assert_parses("--str=", 2);
	ck_assert_str_eq(values.str, "");
	assert_parses("--str=a=b", 2);
	ck_assert_str_eq(values.str, "a=b");
	assert_parses("--opt word", 2);
	ck_assert_str_eq(values.opt, "default");
	assert_parses("--opt=word", 2);
	ck_assert_str_eq(values.opt, "word");
	assert_parses("--only-long=/f", 2);
	ck_assert_str_eq(values.file, "/f");
	assert_error("--int 5", "Option -i|--int needs value.");
	assert_error("--only-long", "Option --only-long needs value.");
	assert_error("--verbose=1", "Option -v|--verbose does not accept any value.");
	assert_error("--verbose=", "Option -v|--verbose does not accept any value.");
}
END_TEST

START_TEST(unknown_options_are_errors)
{
	assert_error("-q", "Unsupported option -q");
	assert_error("-vq", "Unsupported option -q");
	assert_error("-V", "Unsupported option -V");
	assert_error("-v\xe9", "Unsupported option -\xe9");
	assert_error("--unknown", "Unsupported option --unknown");
	assert_error("--unknown=value", "Unsupported option --unknown");
	assert_error("--verb", "Unsupported option --verb");
	assert_error("--verbosee", "Unsupported option --verbosee");
	assert_error("--Verbose", "Unsupported option --Verbose");
	assert_error("--v", "Unsupported option --v");
	assert_error("--=x", "Unsupported option --");
	assert_error("---str=x", "Unsupported option ---str");
	assert_error("-v-", "Unsupported option --");
	assert_error("-v|", "Unsupported option -|");
	/* Values of earlier options remain. */
	assert_error("-s word -q", "Unsupported option -q");
	ck_assert_str_eq(values.str, "word");
}
END_TEST

START_TEST(integers_have_the_prefixes_of_c)
{
	assert_parses("--int=010", 2);
	ck_assert_int_eq(values.i, 8);
	assert_parses("-i 0x1f", 3);
	ck_assert_int_eq(values.i, 31);
	assert_parses("-i -5", 3);
	ck_assert_int_eq(values.i, -5);
	assert_parses("--int=+7", 2);
	ck_assert_int_eq(values.i, 7);
	assert_parses("--int=\t7", 2);
	ck_assert_int_eq(values.i, 7);
	assert_parses("-I", 2);
	ck_assert_int_eq(values.i, -3);
	assert_parses("--oint", 2);
	ck_assert_int_eq(values.i, -3);
}
END_TEST

START_TEST(integers_reach_the_limits_of_their_type)
{
	char words[64];

	snprintf(words, sizeof(words), "--int=%d", INT_MIN);
	assert_parses(words, 2);
	ck_assert_int_eq(values.i, INT_MIN);
	snprintf(words, sizeof(words), "--uint=%u", UINT_MAX);
	assert_parses(words, 2);
	ck_assert_uint_eq(values.ui, UINT_MAX);
	assert_parses("--uint=-0", 2);
	ck_assert_uint_eq(values.ui, 0);
	snprintf(words, sizeof(words), "--llong=%lld", LLONG_MIN);
	assert_parses(words, 2);
	ck_assert(values.ll == LLONG_MIN);
	snprintf(words, sizeof(words), "--llong=%lld", LLONG_MAX);
	assert_parses(words, 2);
	ck_assert(values.ll == LLONG_MAX);
	snprintf(words, sizeof(words), "--ullong=%llu", ULLONG_MAX);
	assert_parses(words, 2);
	ck_assert(values.ull == ULLONG_MAX);
}
END_TEST

START_TEST(invalid_integers_are_errors)
{
	static const struct {
		const char *words, *type, *value;
		int error;
	} cases[] = {
		{"--int=", "int", "", EINVAL},
		{"--int=x", "int", "x", EINVAL},
		{"--int=1x", "int", "1x", EINVAL},
		{"--int=\t", "int", "\t", EINVAL},
		{"--int=1\t", "int", "1\t", EINVAL},
		{"--int=08", "int", "08", EINVAL},
		{"-i 0b1", "int", "0b1", EINVAL},
		{"-i 2147483648", "int", "2147483648", ERANGE},
		{"-i -2147483649", "int", "-2147483649", ERANGE},
		{"-i 99999999999999999999", "int", "99999999999999999999", ERANGE},
		{"-i 99999999999999999999x", "int", "99999999999999999999x", EINVAL},
		{"-u -1", "unsigned int", "-1", ERANGE},
		{"-u 4294967296", "unsigned int", "4294967296", ERANGE},
		{"-l 9223372036854775808", "long long", "9223372036854775808", ERANGE},
		{"-l 1.5", "long long", "1.5", EINVAL},
		{"-L 18446744073709551616", "unsigned long long", "18446744073709551616", ERANGE},
		{"-L -0", "unsigned long long", "-0", ERANGE},
		{"--ullong=\t-1", "unsigned long long", "\t-1", ERANGE},
		{"-x 1", "unknown", "1", EINVAL},
		{"-n", "int", "(null)", EINVAL},
	};

	for (int i = 0; i < MM_NELEM(cases); i++) {
		static const char *const names[] = {"i|--int", "u|--uint", "l|--llong", "L|--ullong", "x", "n"};
		static const char letters[] = "iulLxn";
		/* "--ullong" begins with "-u" as "--uint" does. */
		int letter =
			strncmp(cases[i].words, "--ul", 4) == 0 ? 'L' : cases[i].words[strspn(cases[i].words, "-")];
		char message[256];

		snprintf(message, sizeof(message),
		         "Option -%s accepting %s value type has received an invalid value \"%s\" (%s)",
		         names[strchr(letters, letter) - letters], cases[i].type, cases[i].value,
		         strerror(cases[i].error));
		errno = 0;
		parse(cases[i].words);
		ck_assert_int_eq(errno, cases[i].error);
		assert_error(cases[i].words, message);
		ck_assert(values.i == 0 && values.ui == 0 && values.ll == 0 && values.ull == 0);
	}
}
END_TEST

START_TEST(errno_and_the_error_state_do_not_change)
{
	static const char *const words[] = {"-i 5 --llong=8 -s x", "-q", "--help", "-s", "word"};

	mm_raise_error(ENOANO, "an earlier error");
	for (int i = 0; i < MM_NELEM(words); i++) {
		errno = EXDEV;
		parse(words[i]);
		ck_assert_int_eq(errno, EXDEV);
		ck_assert_int_eq(mm_get_lasterror_number(), ENOANO);
	}
	parse("-i x");
	ck_assert_int_eq(mm_get_lasterror_number(), ENOANO);
}
END_TEST

START_TEST(help_stops_the_parse)
{
	static const char start[] = "Usage:\n  PROGRAM [options] args...\n\nOptions:\n  -v, --verbose  ";
	static const char *const words[] = {"-h",         "--help",       "-vh",     "-hq",
	                                    "--help=foo", "-v --help -q", "-h word", "-hh"};

	for (int i = 0; i < MM_NELEM(words); i++) {
		ck_assert_int_eq(parse(words[i]), MM_ARGPARSE_STOP);
		ck_assert_str_eq(captured_err, "");
		ck_assert_int_eq(strncmp(captured_out, start, strlen(start)), 0);
	}
	ck_assert_int_eq(parse("-s -h"), MM_ARGPARSE_ERROR);
	ck_assert_int_eq(parse("-s x -q -h"), MM_ARGPARSE_ERROR);
	ck_assert_int_eq(parse("-s x word -h"), 3);
	ck_assert_str_eq(captured_out, "");
}
END_TEST

START_TEST(an_option_of_the_program_replaces_help)
{
	const char *key = NULL, *name = NULL;
	struct mm_arg_opt replaced[] = {{"h", MM_OPT_NOVAL, "key", {.sptr = &key}, NULL},
	                                {"x|help", MM_OPT_OPTVAL, "name", {.sptr = &name}, NULL}};
	struct mm_arg_parser p = {.flags = MM_ARG_PARSER_NOEXIT, .num_opt = 2, .optv = replaced};

	ck_assert_int_eq(parse_with(&p, "-h --help word"), 3);
	ck_assert_str_eq(captured_out, "");
	ck_assert_str_eq(key, "key");
	ck_assert_str_eq(name, "name");
	p.num_opt = 1;
	ck_assert_int_eq(parse_with(&p, "-h --help"), MM_ARGPARSE_STOP);
}
END_TEST

START_TEST(the_first_of_equal_options_is_used)
{
	const char *first = NULL, *second = NULL;
	struct mm_arg_opt equal[] = {{"a|same", MM_OPT_NOVAL, "1", {.sptr = &first}, NULL},
	                             {"a|other", MM_OPT_NOVAL, "2", {.sptr = &second}, NULL},
	                             {"same", MM_OPT_NEEDVAL, "3", {.sptr = &second}, NULL}};
	struct mm_arg_parser p = {.flags = MM_ARG_PARSER_NOEXIT, .num_opt = 3, .optv = equal};

	ck_assert_int_eq(parse_with(&p, "-a --same"), 3);
	ck_assert_str_eq(first, "1");
	ck_assert_ptr_null(second);
	ck_assert_int_eq(parse_with(&p, "--other"), 2);
	ck_assert_str_eq(second, "2");
}
END_TEST

START_TEST(values_are_optional_with_both_bits)
{
	const char *value = "untouched";
	struct mm_arg_opt both = {"b|both", 3, NULL, {.sptr = &value}, NULL};
	struct mm_arg_parser p = {.flags = MM_ARG_PARSER_NOEXIT, .num_opt = 1, .optv = &both};

	ck_assert_int_eq(parse_with(&p, "-b"), 2);
	ck_assert_ptr_null(value);
	ck_assert_int_eq(parse_with(&p, "-b x"), 3);
	ck_assert_str_eq(value, "x");
	ck_assert_int_eq(parse_with(&p, "--both=y"), 2);
	ck_assert_str_eq(value, "y");
}
END_TEST

START_TEST(an_invalid_name_is_an_error_in_any_position)
{
	static const char *const wrong[] = {"1",   "x|",   "x|y",  "xy|z", "A|Bc", "a|b_c",      "-",
	                                    "|ab", "a|2b", "a||b", "Ab",   "\xe9", "a|b\xc3\xa9"};
	static const char *const good[] = {"ab", "x|yz", "ab-", "Z", "z|a0-"};
	struct mm_arg_opt two[] = {{"v", 0, NULL, {NULL}, NULL}, {NULL, 0, NULL, {NULL}, NULL}};
	struct mm_arg_parser p = {.flags = MM_ARG_PARSER_NOEXIT, .num_opt = 2, .optv = two};
	char expected[256];

	for (int i = 0; i < MM_NELEM(wrong); i++) {
		two[1].name = wrong[i];
		snprintf(expected, sizeof(expected), "invalid short or long name for option %s\n" USAGE, wrong[i]);
		/* Even if the command line has no option, or help is requested. */
		ck_assert_int_eq(parse_with(&p, ""), MM_ARGPARSE_ERROR);
		ck_assert_str_eq(captured_err, expected);
		ck_assert_int_eq(parse_with(&p, "-h"), MM_ARGPARSE_ERROR);
		ck_assert_str_eq(captured_err, expected);
		ck_assert_str_eq(captured_out, "");
		capture();
		int result = mm_arg_parse_complete(&p, "-");
		end_capture();
		ck_assert_int_eq(result, MM_ARGPARSE_ERROR);
		ck_assert_str_eq(captured_err, expected);
		ck_assert_str_eq(captured_out, "");
	}
	for (int i = 0; i < 2; i++) {
		two[1].name = i == 0 ? NULL : "";
		ck_assert_int_eq(parse_with(&p, "-v"), MM_ARGPARSE_ERROR);
		ck_assert_str_eq(captured_err, "name in mm_arg_opt must be set\n" USAGE);
	}
	for (int i = 0; i < MM_NELEM(good); i++) {
		two[1].name = good[i];
		ck_assert_int_eq(parse_with(&p, "-v"), 2);
		ck_assert_str_eq(captured_err, "");
	}
}
END_TEST

SUITE(the_layouts_are_those_of_mmlib, helpers_return_key_name_and_type, options_end_at_the_first_other_argument,
      argc_can_be_nonsense, null_is_efault, a_letter_takes_the_next_word,
      a_word_that_is_not_written_like_an_option_is_a_value, a_long_option_has_its_value_after_an_equals_sign,
      unknown_options_are_errors, integers_have_the_prefixes_of_c, integers_reach_the_limits_of_their_type,
      invalid_integers_are_errors, errno_and_the_error_state_do_not_change, help_stops_the_parse,
      an_option_of_the_program_replaces_help, the_first_of_equal_options_is_used, values_are_optional_with_both_bits,
      an_invalid_name_is_an_error_in_any_position)
