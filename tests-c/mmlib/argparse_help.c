/* SPDX-License-Identifier: Apache-2.0 */
/*
 * argparse_help.c: the help text
 */
#include "output.h"

#include <mmargparse.h>

#define BLANKS_30 "                              "
#define X10 "xxxxxxxxxx"
#define X50 X10 X10 X10 X10 X10
#define USAGE "Usage:\n  PROGRAM [options] args...\n\nOptions:\n"
#define HELP "  -h, --help                  print this message and exit\n"

/* Each case is expected in full: programs and manual pages contain such texts. */
static void assert_help(const struct mm_arg_parser *parser, const char *expected)
{
	struct mm_arg_parser p = *parser;
	struct command_line *line = command_line("--help");

	p.flags = MM_ARG_PARSER_NOEXIT;
	capture();
	int result = mm_arg_parse(&p, line->argc, line->argv);

	end_capture();
	ck_assert_int_eq(result, MM_ARGPARSE_STOP);
	ck_assert_str_eq(captured_out, expected);
	ck_assert_str_eq(captured_err, "");
}

/* The text of one option. */
static void assert_option(const char *name, int flags, const char *desc, const char *expected)
{
	struct mm_arg_opt option = {name, flags, NULL, {NULL}, desc};
	struct mm_arg_parser p = {.num_opt = 1, .optv = &option};
	char text[4096];

	ck_assert_int_lt(snprintf(text, sizeof(text), USAGE "%s" HELP, expected), (int)sizeof(text));
	assert_help(&p, text);
}

START_TEST(the_text_has_usage_description_and_options)
{
	static const struct mm_arg_opt options[] = {
		{"n|count", MM_OPT_NEEDUINT, NULL, {NULL}, "Run @NUM times."},
		{"quiet", MM_OPT_NOVAL, "1", {NULL}, "No output"},
		{"o|output",
	         MM_OPT_OPTSTR,
	         NULL,
	         {NULL},
	         "Write the result to @FILE, which is replaced when it exists already."},
		{"size-of-the-cache", MM_OPT_NEEDINT, NULL, {NULL}, NULL},
		{"k", MM_OPT_NOVAL, NULL, {NULL}, NULL},
	};
	struct mm_arg_parser parser = {.num_opt = 5,
	                               .optv = options,
	                               .doc = "Does the work.",
	                               .args_doc = "[options] FILE\n--list",
	                               .execname = "tool"};

	assert_help(&parser,
	            "Usage:\n"
	            "  tool [options] FILE\n"
	            "  tool --list\n"
	            "\n"
	            "Does the work.\n"
	            "\n"
	            "\n"
	            "Options:\n"
	            "  -n NUM, --count=NUM         Run NUM times. NUM must be a non negative\n" BLANKS_30 "integer.\n"
	            "  --quiet                     No output\n"
	            "  -o [FILE], --output[=FILE]  Write the result to FILE, which is replaced when\n" BLANKS_30
	            "it exists already.\n"
	            "  --size-of-the-cache=VALUE   VALUE must be an integer.\n"
	            "  -k                          \n" HELP);
}
END_TEST

START_TEST(the_usage_has_a_line_for_each_form)
{
	static const struct {
		const char *args_doc, *lines;
	} cases[] = {
		{NULL, "  PROGRAM [options] args...\n"},
		{"", ""},
		{"a", "  PROGRAM a\n"},
		{"a\n", "  PROGRAM a\n"},
		{"a\n\n\nb", "  PROGRAM a\n  PROGRAM b\n"},
		{"\na", "  PROGRAM \n  PROGRAM a\n"},
		{"\n", "  PROGRAM \n"},
	};
	char expected[256];

	for (int i = 0; i < MM_NELEM(cases); i++) {
		struct mm_arg_parser parser = {.args_doc = cases[i].args_doc};

		snprintf(expected, sizeof(expected), "Usage:\n%s\nOptions:\n" HELP, cases[i].lines);
		assert_help(&parser, expected);
	}
}
END_TEST

START_TEST(the_description_of_the_program_is_wrapped)
{
	static const char start[] = "Usage:\n\n";
	static const struct {
		const char *doc, *lines;
	} cases[] = {
		{"", "\n"},
		{"a\n  b\n\nc\n", "a\nb\n\nc\n"},
		{"  a", "  a\n"},
		{X50 " " X10 X10 X10, X50 "\n" X10 X10 X10 "\n"},
		{X50 X10 X10 X10 " y", X50 X10 X10 X10 "\ny\n"},
		{X50 " " X10 X10 "xxxxxxxxx", X50 "\n" X10 X10 "xxxxxxxxx\n"},
		{X50 " " X10 X10 "xxxxxxxx", X50 " " X10 X10 "xxxxxxxx\n"},
		{X50 X50, X50 X10 X10 X10 "\n" X10 X10 "\n"},
		{X50 "   " X50, X50 "  \n" X50 "\n"},
	};
	char expected[512];

	for (int i = 0; i < MM_NELEM(cases); i++) {
		struct mm_arg_parser parser = {.args_doc = "", .doc = cases[i].doc};

		snprintf(expected, sizeof(expected), "%s%s\n\nOptions:\n" HELP, start, cases[i].lines);
		assert_help(&parser, expected);
	}
}
END_TEST

START_TEST(a_synopsis_shows_the_requirement)
{
	assert_option("c", MM_OPT_NOVAL, "Text", "  -c                          Text\n");
	assert_option("c", MM_OPT_NEEDVAL, "Text", "  -c VALUE                    Text\n");
	assert_option("c", MM_OPT_OPTVAL, "Text", "  -c [VALUE]                  Text\n");
	assert_option("c", 3, "Text", "  -c [VALUE]                  Text\n");
	assert_option("name", MM_OPT_NOVAL, "Text", "  --name                      Text\n");
	assert_option("name", MM_OPT_NEEDVAL, "Text", "  --name=VALUE                Text\n");
	assert_option("name", MM_OPT_OPTVAL, "Text", "  --name[=VALUE]              Text\n");
	assert_option("c|name", MM_OPT_NOVAL, "@N of it", "  -c, --name                  N of it\n");
	assert_option("c|name", MM_OPT_NEEDVAL, "@N of it", "  -c N, --name=N              N of it\n");
	assert_option("c|name", MM_OPT_OPTVAL, "@N of it", "  -c [N], --name[=N]          N of it\n");
}
END_TEST

START_TEST(a_synopsis_of_30_bytes_has_its_own_line)
{
	assert_option("c|name-of-21-bytes-----", MM_OPT_NOVAL, "Text", "  -c, --name-of-21-bytes----- Text\n");
	assert_option("c|name-of-22-bytes------", MM_OPT_NOVAL, "Text",
	              "  -c, --name-of-22-bytes------\n" BLANKS_30 "Text\n");
	assert_option("c|name-of-22-bytes------", MM_OPT_NOVAL, NULL,
	              "  -c, --name-of-22-bytes------\n" BLANKS_30 "\n");
	/* mmlib had 64 bytes for it. */
	assert_option("c|a-name-of-thirty-one-bytes-here", MM_OPT_OPTVAL, "@FIFTEEN-BYTES-N it",
	              "  -c [FIFTEEN-BYTES-N], --a-name-of-thirty-one-bytes-here[=FIFTEEN-BYTES-N]\n" BLANKS_30
	              "FIFTEEN-BYTES-N it\n");
}
END_TEST

START_TEST(the_type_is_described_unless_it_is_a_string)
{
	assert_option("c", MM_OPT_NEEDINT, NULL, "  -c VALUE                    VALUE must be an integer.\n");
	assert_option("c", MM_OPT_NEEDINT, "", "  -c VALUE                    VALUE must be an integer.\n");
	assert_option("c", MM_OPT_OPTLLONG, "@N.", "  -c [N]                      N. N must be an integer.\n");
	assert_option("c", MM_OPT_NEEDUINT, "A.",
	              "  -c VALUE                    A. VALUE must be a non negative integer.\n");
	assert_option("c", MM_OPT_NEEDULLONG, NULL,
	              "  -c VALUE                    VALUE must be a non negative integer.\n");
	assert_option("c", 0x30 | MM_OPT_NEEDVAL, NULL, "  -c VALUE                    VALUE must be an integer.\n");
	assert_option("c", MM_OPT_INT, "@N.", "  -c                          N.\n");
}
END_TEST

START_TEST(value_names_end_where_no_name_byte_follows)
{
	assert_option("c", MM_OPT_NEEDVAL, "mail user@HOST, see @HOST-A. @HOST-A is @HOST",
	              "  -c HOST-A                   mail user@HOST, see HOST-A. HOST-A is @HOST\n");
	assert_option("c", MM_OPT_NEEDVAL, "@FILE", "  -c FILE                     FILE\n");
	assert_option("c", MM_OPT_NEEDVAL, "@N.", "  -c N                        N.\n");
	assert_option("c", MM_OPT_NEEDVAL, "@name", "  -c VALUE                    @name\n");
	assert_option("c", MM_OPT_NEEDVAL, "@A1B x", "  -c A                        A1B x\n");
	assert_option("c", MM_OPT_NEEDVAL, "@ @@ @_B", "  -c _B                       @ @@ _B\n");
	assert_option("c", MM_OPT_NEEDVAL, "@ABCDEFGHIJKLMNOP @ABCDEFGHIJKLMNO",
	              "  -c ABCDEFGHIJKLMNO          @ABCDEFGHIJKLMNOP ABCDEFGHIJKLMNO\n");
	assert_option("c", MM_OPT_NEEDVAL, "\xc3\xa9@A",
	              "  -c A                        \xc3\xa9"
	              "A\n");
}
END_TEST

START_TEST(a_long_description_is_not_truncated)
{
	static char desc[8192], expected[16384];

	memset(desc, 'x', sizeof(desc) - 1);
	char *end = expected + sprintf(expected, "  -c                          ");

	for (size_t left = sizeof(desc) - 1, width; left > 0; left -= width) {
		width = left < 50 ? left : 50;
		end += sprintf(end, "%.*s\n%s", (int)width, desc, left > 50 ? BLANKS_30 : "");
	}
	struct mm_arg_opt option = {"c", MM_OPT_NOVAL, NULL, {NULL}, desc};
	struct mm_arg_parser parser = {.flags = MM_ARG_PARSER_NOEXIT, .num_opt = 1, .optv = &option};
	struct command_line *line = command_line("-h");

	capture();
	mm_arg_parse(&parser, line->argc, line->argv);
	end_capture();
	char *text = strstr(captured_out, "  -c ");

	ck_assert_ptr_nonnull(text);
	ck_assert_str_eq(text + strlen(expected), HELP);
	ck_assert_int_eq(strncmp(text, expected, strlen(expected)), 0);
}
END_TEST

START_TEST(forms_that_the_program_replaces_are_not_listed)
{
	static const struct mm_arg_opt options[] = {{"h", MM_OPT_NOVAL, NULL, {NULL}, "Host"},
	                                            {"x|help", MM_OPT_NOVAL, NULL, {NULL}, "Other"}};
	struct mm_arg_parser parser = {.flags = MM_ARG_PARSER_NOEXIT, .num_opt = 1, .optv = options};

	assert_help(&parser, USAGE "  -h                          Host\n"
	                           "  --help                      print this message and exit\n");
	parser.optv = options + 1;
	struct command_line *line = command_line("-h");

	capture();
	int result = mm_arg_parse(&parser, line->argc, line->argv);

	end_capture();
	ck_assert_int_eq(result, MM_ARGPARSE_STOP);
	ck_assert_str_eq(captured_out, USAGE "  -x, --help                  Other\n"
	                                     "  -h                          print this message and exit\n");
}
END_TEST

START_TEST(the_text_follows_what_the_program_has_printed)
{
	struct mm_arg_parser parser = {.flags = MM_ARG_PARSER_NOEXIT, .args_doc = ""};
	struct command_line *line = command_line("-h");

	capture();
	printf("before\n");
	mm_arg_parse(&parser, line->argc, line->argv);
	printf("after\n");
	end_capture();
	ck_assert_str_eq(captured_out, "before\nUsage:\n\nOptions:\n" HELP "after\n");
}
END_TEST

SUITE(the_text_has_usage_description_and_options, the_usage_has_a_line_for_each_form,
      the_description_of_the_program_is_wrapped, a_synopsis_shows_the_requirement,
      a_synopsis_of_30_bytes_has_its_own_line, the_type_is_described_unless_it_is_a_string,
      value_names_end_where_no_name_byte_follows, a_long_description_is_not_truncated,
      forms_that_the_program_replaces_are_not_listed, the_text_follows_what_the_program_has_printed)
