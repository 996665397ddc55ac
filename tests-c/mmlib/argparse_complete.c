/* SPDX-License-Identifier: Apache-2.0 */
/*
 * argparse_complete.c: candidates for options, values and paths
 */
#include "output.h"
#include "suite.h"

#include <fcntl.h>
#include <mmargparse.h>
#include <setjmp.h>
#include <sys/stat.h>

static const char *text;
static int number;

static const struct mm_arg_opt options[] = {
	{"f|flag", MM_OPT_NOVAL, NULL, {NULL}, NULL},
	{"n|number", MM_OPT_NEEDINT, NULL, {.iptr = &number}, NULL},
	{"file", MM_OPT_OPTFILE, NULL, {.sptr = &text}, NULL},
	{"d|dir", MM_OPT_NEEDDIR, NULL, {.sptr = &text}, NULL},
	{"t", MM_OPT_OPTSTR, NULL, {.sptr = &text}, NULL},
};

static mm_arg_callback callback;

#define ALL_SHORT "-f\n-n\n-d\n-t\n-h\n"
#define ALL_LONG "--flag\n--number=\n--file=\n--file\n--dir=\n--help\n"

/* Parses a command line whose last argument is to be completed. */
static int complete(int argc, char *argv[])
{
	struct mm_arg_parser parser = {.flags = MM_ARG_PARSER_NOEXIT | MM_ARG_PARSER_COMPLETION,
	                               .num_opt = MM_NELEM(options),
	                               .optv = options,
	                               .cb_data = &number,
	                               .cb = callback};
	int result;

	text = NULL;
	number = -77;
	capture_output();
	result = mm_arg_parse(&parser, argc, argv);
	stop_capturing();
	return result;
}

#define COMPLETE(...)                                                   \
	({                                                              \
		char *argv_[] = {"tool", __VA_ARGS__};                  \
		complete((int)(sizeof(argv_) / sizeof(*argv_)), argv_); \
	})

#define assert_candidates(expected, ...)                                       \
	do {                                                                   \
		ck_assert_int_eq(COMPLETE(__VA_ARGS__), MM_ARGPARSE_COMPLETE); \
		ck_assert_str_eq(written_out, expected);                       \
		ck_assert_str_eq(written_err, "");                             \
	} while (0)

START_TEST(options_are_completed)
{
	assert_candidates(ALL_SHORT ALL_LONG, "-");
	assert_candidates(ALL_LONG, "--");
	assert_candidates("--flag\n--file=\n--file\n", "--f");
	assert_candidates("--help\n", "--he");
	assert_candidates("", "--nothing");
	assert_candidates("", "---");
	assert_candidates("-fnh\n", "-fnh");
	assert_candidates("", "-fx");
}
END_TEST

START_TEST(other_words_are_left_to_the_program)
{
	ck_assert_int_eq(COMPLETE(""), 1);
	ck_assert_int_eq(COMPLETE("-f", "wo"), 2);
	ck_assert_int_eq(COMPLETE("-5"), 1);
	ck_assert_int_eq(COMPLETE("--", "-"), 2);
	ck_assert_int_eq(COMPLETE("word", "-"), 1);
	ck_assert_str_eq(written_out, "");
}
END_TEST

START_TEST(a_value_without_paths_completes_itself)
{
	assert_candidates("5\n", "--number=5");
	assert_candidates("\n", "--number=");
	assert_candidates("word\n", "-t", "word");
	assert_candidates("-\n", "-t", "-");
	assert_candidates("--\n", "-t", "--");
	assert_candidates("x\n", "--flag=x");
	assert_candidates("x\n", "--help=x");
	assert_candidates("", "--unknown=x");
	assert_candidates("--number=\n", "-t", "--nu");
	ck_assert_int_eq(number, -77);
}
END_TEST

START_TEST(arguments_before_the_word_are_parsed)
{
	assert_candidates("--dir=\n", "-n", "5", "--help", "--di");
	ck_assert_int_eq(number, 5);
	ck_assert_int_eq(COMPLETE("-n", "x", "--di"), MM_ARGPARSE_ERROR);
	ck_assert_str_eq(written_out, "");
	ck_assert_ptr_nonnull(strstr(written_err, "invalid value \"x\""));
}
END_TEST

START_TEST(parse_complete_lists_options)
{
	struct mm_arg_parser parser = {.flags = MM_ARG_PARSER_NOEXIT, .num_opt = MM_NELEM(options), .optv = options};
	static const struct {
		const char *word, *expected;
	} cases[] = {
		{NULL, ""},
		{"", ALL_SHORT ALL_LONG},
		{"-", ALL_SHORT ALL_LONG},
		{"--n", "--number=\n"},
		{"--n=", ""},
		{"--file=", ""},
		{"-fn", "-fn\n"},
		{"-5", ""},
		{"word", ""},
		{"--", ALL_LONG},
		{"-x", ""},
	};

	for (int i = 0; i < MM_NELEM(cases); i++) {
		capture_output();
		ck_assert_int_eq(mm_arg_parse_complete(&parser, cases[i].word), 0);
		stop_capturing();
		ck_assert_str_eq(written_out, cases[i].expected);
	}
	parser.optv = &(struct mm_arg_opt){.name = "1"};
	parser.num_opt = 1;
	capture_output();
	ck_assert_int_eq(mm_arg_parse_complete(&parser, "-"), MM_ARGPARSE_ERROR);
	stop_capturing();
	ck_assert_str_eq(written_err, "invalid short or long name for option 1\nUse -h or --help to display usage.\n");
}
END_TEST

/* --- callbacks ---------------------------------------------------------------------------------------------------- */

static int result_of_callback;

static int propose(const struct mm_arg_opt *opt, union mm_arg_val value, void *data, int state)
{
	ck_assert_ptr_eq(data, &number);
	if (state == 0)
		return 0;
	ck_assert_int_eq(state, MM_ARG_OPT_COMPLETION);
	printf("%s:%s\n", opt->name, value.str);
	return result_of_callback;
}

START_TEST(callback_completes_a_value_of_any_type)
{
	callback = propose;
	result_of_callback = MM_ARGPARSE_COMPLETE;
	assert_candidates("n|number:5x\n", "--number=5x");
	assert_candidates("n|number:\n", "-n", "");
	assert_candidates("h|help:x\n", "--help=x");
	result_of_callback = 0;
	assert_candidates("n|number:5x\n5x\n", "--number=5x");
	assert_candidates("n|number:x\nx\n", "-n", "5", "-fn", "x");
	ck_assert_int_eq(number, 5);
	result_of_callback = 7;
	assert_candidates("t:x\n", "-t", "x");
}
END_TEST

/* --- paths -------------------------------------------------------------------------------------------------------- */

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The order of a directory is not defined. */
static const char *sorted(char *lines)
{
	static char result[sizeof(written_out)];
	char *line[64], *save = NULL;
	size_t count = 0;

	*result = '\0';
	for (char *next = strtok_r(lines, "\n", &save); next != NULL; next = strtok_r(NULL, "\n", &save))
		line[count++] = next;
	qsort(line, count, sizeof(*line), compare_lines);
	for (size_t i = 0; i < count; i++)
		strcat(strcat(result, line[i]), " ");
	return result;
}

static void create_tree(void)
{
	enter_scratch_directory();
	ck_assert_int_eq(mkdir("adir", 0777) + mkdir("adir/inner", 0777) + mkdir("bdir", 0777), 0);
	write_file("afile", "");
	write_file(".hidden", "");
	write_file("adir/file", "");
	write_file("adir/a file", "");
	ck_assert_int_eq(symlink("afile", "alink") + symlink("adir", "adirlink") + symlink("nothing", "adangling"), 0);
}

static const char *paths(const char *arg, int mask, mm_arg_complete_path_cb cb)
{
	capture_output();
	ck_assert_int_eq(mm_arg_complete_path(arg, mask, cb, &number), 0);
	stop_capturing();
	return sorted(written_out);
}

START_TEST(paths_are_completed_by_type)
{
	create_tree();
	ck_assert_str_eq(paths("a", MM_DT_REG, NULL), "afile alink ");
	ck_assert_str_eq(paths("a", MM_DT_DIR, NULL), "adir/ adirlink/ ");
	ck_assert_str_eq(paths("a", MM_DT_REG | MM_DT_DIR, NULL), "adir/ adirlink/ afile alink ");
	ck_assert_str_eq(paths("a", MM_DT_LNK, NULL), "adangling adirlink alink ");
	ck_assert_str_eq(paths("", MM_DT_REG, NULL), ".hidden afile alink ");
	ck_assert_str_eq(paths("A", MM_DT_ANY, NULL), "");
	ck_assert_str_eq(paths("a", 0, NULL), "");
	leave_scratch_directory();
}
END_TEST

START_TEST(paths_begin_as_the_word_does)
{
	create_tree();
	ck_assert_str_eq(paths("adir/", MM_DT_ANY, NULL), "adir/a file adir/file adir/inner/ ");
	ck_assert_str_eq(paths("adir//f", MM_DT_ANY, NULL), "adir//file ");
	ck_assert_str_eq(paths("./adir/../adir/i", MM_DT_ANY, NULL), "./adir/../adir/inner/ ");
	ck_assert_str_eq(paths("/et", MM_DT_DIR, NULL), "/etc/ ");
	ck_assert_str_eq(paths("//et", MM_DT_DIR, NULL), "//etc/ ");
	leave_scratch_directory();
}
END_TEST

static char seen[1024];

static int only_files(const char *name, const char *dir, int type, void *data)
{
	char line[128];

	ck_assert_ptr_eq(data, &number);
	snprintf(line, sizeof(line), "%s%s:%x\n", dir, name, (unsigned)type);
	strcat(seen, line);
	return strstr(name, "file") != NULL ? 1 : (int)strlen(name) + 1;
}

START_TEST(callback_decides_about_each_path)
{
	create_tree();
	ck_assert_str_eq(paths("adir//", MM_DT_ANY, only_files), "adir//a file adir//file ");
	ck_assert_str_eq(sorted(seen), "adir//a file:20 adir//file:20 adir//inner:10 ");
	*seen = '\0';
	ck_assert_str_eq(paths("adir//f", MM_DT_ANY, only_files), "adir//file ");
	ck_assert_str_eq(sorted(seen), "adir/file:20 ");
	*seen = '\0';
	ck_assert_str_eq(paths("al", MM_DT_ANY, only_files), "");
	ck_assert_str_eq(seen, "./alink:40\n");
	leave_scratch_directory();
}
END_TEST

START_TEST(file_options_complete_paths)
{
	create_tree();
	ck_assert_int_eq(COMPLETE("--file=adir/f"), MM_ARGPARSE_COMPLETE);
	ck_assert_str_eq(written_out, "adir/file\n");
	ck_assert_int_eq(COMPLETE("-d", "a"), MM_ARGPARSE_COMPLETE);
	ck_assert_str_eq(sorted(written_out), "adir/ adirlink/ ");
	ck_assert_int_eq(COMPLETE("--dir=zzz"), MM_ARGPARSE_COMPLETE);
	ck_assert_str_eq(written_out, "");
	ck_assert_ptr_null(text);
	leave_scratch_directory();
}
END_TEST

START_TEST(a_directory_that_cannot_be_read_is_an_error)
{
	create_tree();
	suite_forget_error();
	ck_assert_int_eq(mm_arg_complete_path("nothing/x", MM_DT_ANY, NULL, NULL), -1);
	ck_assert_int_eq(mm_get_lasterror_number(), ENOENT);
	ck_assert_int_eq(mm_arg_complete_path("afile/x", MM_DT_ANY, NULL, NULL), -1);
	ck_assert_int_eq(mm_get_lasterror_number(), ENOTDIR);
	ck_assert_int_eq(errno, ENOTDIR);
	assert_fails(mm_arg_complete_path(NULL, MM_DT_ANY, NULL, NULL), EINVAL);
	leave_scratch_directory();
}
END_TEST

static jmp_buf back;

static int leave(const char *name, const char *dir, int type, void *data)
{
	(void)name, (void)dir, (void)type;
	if (data == &back)
		longjmp(back, 1);
	pthread_exit(data);
}

/* The sanitizer that reports leaks, if the program contains it. */
void __lsan_disable(void) __attribute__((weak));

/* The names leak, as mm_arg_complete_path(3) says; see also valgrind.supp. */
static void *complete_and_leave(void *data)
{
	if (__lsan_disable != NULL)
		__lsan_disable();
	mm_arg_complete_path("a", MM_DT_ANY, leave, data);
	return NULL;
}

START_TEST(callback_that_does_not_return_leaves_no_descriptor)
{
	int before;

	create_tree();
	before = count_open_descriptors();
	if (setjmp(back) == 0)
		complete_and_leave(&back);
	ck_assert_ptr_eq(join_thread(start_thread(complete_and_leave, &number)), &number);
	ck_assert_int_eq(count_open_descriptors(), before);
	leave_scratch_directory();
}
END_TEST

START_TEST(the_environment_is_read_once)
{
	unsetenv("MMLIB_CMD_COMPLETION");
	ck_assert_int_eq(mm_arg_is_completing(), 0);
	setenv("MMLIB_CMD_COMPLETION", "yes", 1);
	ck_assert_int_eq(mm_arg_is_completing(), 0);
}
END_TEST

START_TEST(an_empty_variable_is_set)
{
	setenv("MMLIB_CMD_COMPLETION", "", 1);
	ck_assert_int_eq(mm_arg_is_completing(), 1);
	unsetenv("MMLIB_CMD_COMPLETION");
	ck_assert_int_eq(mm_arg_is_completing(), 1);
}
END_TEST

SUITE(options_are_completed, other_words_are_left_to_the_program, a_value_without_paths_completes_itself,
      arguments_before_the_word_are_parsed, parse_complete_lists_options, callback_completes_a_value_of_any_type,
      paths_are_completed_by_type, paths_begin_as_the_word_does, callback_decides_about_each_path,
      file_options_complete_paths, a_directory_that_cannot_be_read_is_an_error,
      callback_that_does_not_return_leaves_no_descriptor, the_environment_is_read_once, an_empty_variable_is_set)
