/* SPDX-License-Identifier: Apache-2.0 */
/*
 * argparse_complete.c: completion of options and pathnames
 */
#include "output.h"

#include <mmargparse.h>

#include <limits.h>
#include <setjmp.h>
#include <sys/stat.h>

#define ALL "-v\n-s\n-o\n-f\n-d\n-h\n"
#define ALL_LONG "--verbose\n--str=\n--opt=\n--opt\n--file=\n--dir=\n--dir\n--only-long\n--help\n"

static const char *str, *file;

static const struct mm_arg_opt options[] = {
	{"v|verbose", MM_OPT_NOVAL, "on", {NULL}, NULL},       {"s|str", MM_OPT_NEEDSTR, NULL, {.sptr = &str}, NULL},
	{"o|opt", MM_OPT_OPTINT, "1", {NULL}, NULL},           {"f|file", MM_OPT_NEEDFILE, NULL, {.sptr = &file}, NULL},
	{"d|dir", MM_OPT_OPTDIR, NULL, {.sptr = &file}, NULL}, {"only-long", MM_OPT_NOVAL, NULL, {NULL}, NULL},
};

static struct mm_arg_parser parser(void)
{
	return (struct mm_arg_parser){.flags = MM_ARG_PARSER_NOEXIT | MM_ARG_PARSER_COMPLETION,
	                              .num_opt = MM_NELEM(options),
	                              .optv = options};
}

static int complete_with(const struct mm_arg_parser *p, const char *words)
{
	struct command_line *line = command_line(words);

	capture();
	int result = mm_arg_parse(p, line->argc, line->argv);

	end_capture();
	return result;
}

static void assert_candidates(const char *words, const char *candidates)
{
	struct mm_arg_parser p = parser();

	ck_assert_msg(complete_with(&p, words) == MM_ARGPARSE_COMPLETE, "%s", words);
	ck_assert_msg(strcmp(captured_out, candidates) == 0, "%s: %s", words, captured_out);
	ck_assert_str_eq(captured_err, "");
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The order of a directory is not known, so the lines are sorted. */
static const char *sorted(char *text)
{
	static char result[4096];
	char *lines[64], *line;
	size_t count = 0;

	while ((line = strsep(&text, "\n")) != NULL && line[0] != '\0')
		lines[count++] = line;
	qsort(lines, count, sizeof(lines[0]), compare_lines);
	result[0] = '\0';
	for (size_t i = 0; i < count; i++)
		snprintf(result + strlen(result), sizeof(result) - strlen(result), "%s ", lines[i]);
	return result;
}

/* --- options ------------------------------------------------------------------------------------------------------ */

START_TEST(the_last_word_is_completed_as_an_option)
{
	assert_candidates("-", ALL ALL_LONG);
	assert_candidates("--", ALL_LONG);
	assert_candidates("-v --", ALL_LONG);
	assert_candidates("--o", "--opt=\n--opt\n--only-long\n");
	assert_candidates("--opt", "--opt=\n--opt\n");
	assert_candidates("--help", "--help\n");
	assert_candidates("--x", "");
	assert_candidates("--Help", "");
	assert_candidates("---", "");
	assert_candidates("-vs", "-vs\n");
	assert_candidates("-vh", "-vh\n");
	assert_candidates("-vq", "");
	assert_candidates("-q", "");
	assert_candidates("-v5", "");
	/* A word that is written like an option is not a value. */
	assert_candidates("-o -v", "-v\n");
	assert_candidates("-o --ver", "--verbose\n");
}
END_TEST

START_TEST(other_words_are_left_to_the_program)
{
	static const char *const words[] = {"word",  "''",          "-5",   "-v ''",  "-v word",
	                                    "-v -=", "-s value ''", "-- -", "word --"};
	static const int results[] = {1, 1, 1, 2, 2, 2, 3, 2, 1};
	struct mm_arg_parser p = parser();

	for (int i = 0; i < MM_NELEM(words); i++) {
		ck_assert_int_eq(complete_with(&p, words[i]), results[i]);
		ck_assert_str_eq(captured_out, "");
	}
	ck_assert_int_eq(complete_with(&p, ""), 1);
	ck_assert_int_eq(mm_arg_parse(&p, 0, NULL), 0);
	/* NULL ends the arguments. */
	capture();
	int result = mm_arg_parse(&p, 3, (char *[]){"program", "--ver", NULL});

	end_capture();
	ck_assert_int_eq(result, MM_ARGPARSE_COMPLETE);
	ck_assert_str_eq(captured_out, "--verbose\n");
}
END_TEST

START_TEST(values_are_completed_to_themselves)
{
	str = NULL;
	assert_candidates("--str=text", "text\n");
	assert_candidates("--str=", "\n");
	assert_candidates("--str=a=b", "a=b\n");
	assert_candidates("-s text", "text\n");
	assert_candidates("-vs text", "text\n");
	assert_candidates("-s ''", "\n");
	assert_candidates("-s -", "-\n");
	assert_candidates("-s --", "--\n");
	assert_candidates("-s -5", "-5\n");
	assert_candidates("-s --x", "--x\n");
	/* Without conversion. */
	assert_candidates("-o x", "x\n");
	assert_candidates("--opt=x", "x\n");
	/* Even if the option has no value. */
	assert_candidates("--verbose=x", "x\n");
	assert_candidates("--help=x", "x\n");
	assert_candidates("--unknown=x", "");
	assert_candidates("--ver=x", "");
	ck_assert_ptr_null(str);
}
END_TEST

START_TEST(earlier_words_are_parsed)
{
	struct mm_arg_parser p = parser();

	assert_candidates("-s value -h --help -vh -", ALL ALL_LONG);
	ck_assert_str_eq(str, "value");
	ck_assert_int_eq(complete_with(&p, "-q -"), MM_ARGPARSE_ERROR);
	ck_assert_str_eq(captured_out, "");
	ck_assert_str_eq(captured_err, "Unsupported option -q\nUse -h or --help to display usage.\n");
	ck_assert_int_eq(complete_with(&p, "--str --"), MM_ARGPARSE_ERROR);
	ck_assert_int_eq(complete_with(&p, "-o x -"), MM_ARGPARSE_ERROR);
}
END_TEST

static char call[256];

static int describe(const struct mm_arg_opt *opt, union mm_arg_val value, void *data, int state)
{
	if (state == 0)
		return 0;
	ck_assert_int_eq(state, MM_ARG_OPT_COMPLETION);
	snprintf(call, sizeof(call), "%s(%d):%s", opt->name, opt >= options && opt < options + MM_NELEM(options),
	         value.str);
	if (*(int *)data != 0)
		printf("own\n");
	return *(int *)data;
}

START_TEST(the_callback_completes_a_value)
{
	int result;
	struct mm_arg_parser p = parser();

	p.cb = describe;
	p.cb_data = &result;
	for (int i = 0; i < 4; i++) {
		result = (int[]){MM_ARGPARSE_COMPLETE, 0, 1, MM_ARGPARSE_ERROR}[i];
		const char *expected = result == 0 ? "te\n" : "own\n";

		ck_assert_int_eq(complete_with(&p, "-v --str=te"), MM_ARGPARSE_COMPLETE);
		ck_assert_str_eq(captured_out, expected);
		ck_assert_str_eq(captured_err, "");
		ck_assert_str_eq(call, "s|str(1):te");
		ck_assert_int_eq(complete_with(&p, "-vo te"), MM_ARGPARSE_COMPLETE);
		ck_assert_str_eq(captured_out, expected);
		ck_assert_str_eq(call, "o|opt(1):te");
		ck_assert_int_eq(complete_with(&p, "--help=te"), MM_ARGPARSE_COMPLETE);
		ck_assert_str_eq(captured_out, expected);
		ck_assert_str_eq(call, "h|help(0):te");
	}
	call[0] = '\0';
	complete_with(&p, "--str");
	ck_assert_str_eq(call, "");
}
END_TEST

START_TEST(a_word_is_completed_without_a_parse)
{
	static const struct {
		const char *word, *candidates;
	} cases[] = {{NULL, ""},
	             {"", ALL ALL_LONG},
	             {"-", ALL ALL_LONG},
	             {"--", ALL_LONG},
	             {"--ver", "--verbose\n"},
	             {"--str=x", ""},
	             {"-sv", "-sv\n"},
	             {"-q", ""},
	             {"word", ""},
	             {"-5", ""},
	             {"--opt", "--opt=\n--opt\n"}};

	for (int i = 0; i < MM_NELEM(cases); i++) {
		struct mm_arg_parser p = parser();

		p.flags = i % 2;
		capture();
		int result = mm_arg_parse_complete(&p, cases[i].word);

		end_capture();
		ck_assert_int_eq(result, 0);
		ck_assert_str_eq(captured_out, cases[i].candidates);
	}
}
END_TEST

START_TEST(replaced_forms_of_the_help_are_not_candidates)
{
	static const struct mm_arg_opt replaced[] = {{.name = "h|host"}, {.name = "help"}};
	struct mm_arg_parser p = parser();

	p.optv = replaced;
	p.num_opt = 2;
	complete_with(&p, "-");
	ck_assert_str_eq(captured_out, "-h\n--host\n--help\n");
	p.num_opt = 1;
	complete_with(&p, "-");
	ck_assert_str_eq(captured_out, "-h\n--host\n--help\n");
	p.optv = replaced + 1;
	complete_with(&p, "-");
	ck_assert_str_eq(captured_out, "-h\n--help\n");
}
END_TEST

static int is_completing(void *arg)
{
	if (arg != NULL)
		setenv("MMLIB_CMD_COMPLETION", arg, 1);
	int first = mm_arg_is_completing();

	/* The first answer remains. */
	if (arg == NULL)
		setenv("MMLIB_CMD_COMPLETION", "yes", 1);
	else
		unsetenv("MMLIB_CMD_COMPLETION");
	return first * 2 + mm_arg_is_completing();
}

START_TEST(completion_is_requested_by_a_variable)
{
	unsetenv("MMLIB_CMD_COMPLETION");
	ck_assert_int_eq(captured_status_of(is_completing, NULL), 0);
	ck_assert_int_eq(captured_status_of(is_completing, "yes"), 3 << 8);
	ck_assert_int_eq(captured_status_of(is_completing, ""), 3 << 8);
}
END_TEST

/* --- pathnames ---------------------------------------------------------------------------------------------------- */

static void make_tree(void)
{
	enter_scratch_directory();
	ck_assert_int_eq(mkdir("adir", 0777) | mkdir("adir/sub", 0777) | mkdir("bdir", 0777), 0);
	write_file("afile", "");
	write_file(".hidden", "");
	write_file("adir/file", "");
	ck_assert_int_eq(symlink("adir", "ldir") | symlink("afile", "lfile") | symlink("missing", "ldead"), 0);
	ck_assert_int_eq(mkfifo("fifo", 0666), 0);
}

static int complete_path(const char *word, int mask, mm_arg_complete_path_cb cb, void *data)
{
	capture();
	int result = mm_arg_complete_path(word, mask, cb, data);

	end_capture();
	return result;
}

static void assert_paths(const char *word, int mask, const char *candidates)
{
	ck_assert_int_eq(complete_path(word, mask, NULL, NULL), 0);
	const char *found = sorted(captured_out);

	ck_assert_msg(strcmp(found, candidates) == 0, "%s: %s", word, found);
	ck_assert_str_eq(captured_err, "");
}

START_TEST(files_of_the_wanted_types_are_candidates)
{
	make_tree();
	assert_paths("", MM_DT_REG | MM_DT_DIR, ".hidden adir/ afile bdir/ ldir/ lfile ");
	assert_paths("", MM_DT_DIR, "adir/ bdir/ ldir/ ");
	assert_paths("", MM_DT_REG, ".hidden afile lfile ");
	assert_paths("", MM_DT_FIFO, "fifo ");
	assert_paths("", MM_DT_LNK, "ldead ldir lfile ");
	assert_paths("", MM_DT_ANY, ".hidden adir/ afile bdir/ fifo ldead ldir lfile ");
	assert_paths("", MM_DT_SOCK | MM_DT_CHR | MM_DT_BLK, "");
	assert_paths("", 0, "");
	assert_paths("a", MM_DT_ANY, "adir/ afile ");
	assert_paths("A", MM_DT_ANY, "");
	assert_paths(".", MM_DT_ANY, ".hidden ");
	assert_paths("..", MM_DT_ANY, "");
	leave_scratch_directory();
}
END_TEST

START_TEST(candidates_begin_with_the_word)
{
	make_tree();
	assert_paths("adir/", MM_DT_ANY, "adir/file adir/sub/ ");
	assert_paths("adir/s", MM_DT_ANY, "adir/sub/ ");
	assert_paths("adir//f", MM_DT_ANY, "adir//file ");
	assert_paths("adir//", MM_DT_REG, "adir//file ");
	assert_paths("./a", MM_DT_ANY, "./adir/ ./afile ");
	assert_paths("./adir/../b", MM_DT_ANY, "./adir/../bdir/ ");
	assert_paths("ldir/f", MM_DT_ANY, "ldir/file ");
	assert_paths("adir/sub/", MM_DT_ANY, "");
	assert_paths("/de", MM_DT_DIR, "/dev/ ");
	assert_paths("//de", MM_DT_DIR, "//dev/ ");
	leave_scratch_directory();
}
END_TEST

START_TEST(a_directory_that_cannot_be_opened_is_an_error)
{
	static char deep[2 * PATH_MAX];

	make_tree();
	ck_assert_int_eq(mm_arg_complete_path("missing/x", MM_DT_ANY, NULL, NULL), -1);
	ck_assert_int_eq(mm_get_lasterror_number(), ENOENT);
	ck_assert_int_eq(mm_arg_complete_path("afile/", MM_DT_ANY, NULL, NULL), -1);
	ck_assert_int_eq(mm_get_lasterror_number(), ENOTDIR);
	memset(deep, 'x', sizeof(deep) - 1);
	memset(deep + PATH_MAX, '/', 1);
	ck_assert_int_eq(mm_arg_complete_path(deep, MM_DT_ANY, NULL, NULL), -1);
	ck_assert_int_eq(mm_get_lasterror_number(), ENAMETOOLONG);
	assert_fails(mm_arg_complete_path(NULL, MM_DT_ANY, NULL, NULL), EINVAL);
	/* Only the directory is opened, not what the user has typed. */
	memset(deep, '/', sizeof(deep) - 1);
	memcpy(deep, "adir", 4);
	deep[sizeof(deep) - 2] = 's';
	ck_assert_int_eq(complete_path(deep, MM_DT_ANY, NULL, NULL), 0);
	ck_assert_int_eq(strlen(captured_out), strlen(deep) + 4);
	leave_scratch_directory();
}
END_TEST

START_TEST(options_of_files_and_directories_complete_pathnames)
{
	struct mm_arg_parser p = parser();

	make_tree();
	file = "untouched";
	for (int i = 0; i < 4; i++) {
		static const char *const words[] = {"-f a", "--file=a", "-d a", "--dir=a"};

		ck_assert_int_eq(complete_with(&p, words[i]), MM_ARGPARSE_COMPLETE);
		ck_assert_str_eq(sorted(captured_out), i < 2 ? "adir/ afile " : "adir/ ");
	}
	ck_assert_int_eq(complete_with(&p, "-f ''"), MM_ARGPARSE_COMPLETE);
	ck_assert_str_eq(sorted(captured_out), ".hidden adir/ afile bdir/ ldir/ lfile ");
	ck_assert_int_eq(complete_with(&p, "--file="), MM_ARGPARSE_COMPLETE);
	ck_assert_str_eq(sorted(captured_out), ".hidden adir/ afile bdir/ ldir/ lfile ");
	ck_assert_int_eq(complete_with(&p, "-f none"), MM_ARGPARSE_COMPLETE);
	ck_assert_str_eq(captured_out, "");
	ck_assert_int_eq(complete_with(&p, "-f missing/x"), MM_ARGPARSE_COMPLETE);
	ck_assert_str_eq(captured_out, "");
	ck_assert_int_eq(mm_get_lasterror_number(), ENOENT);
	ck_assert_str_eq(file, "untouched");
	leave_scratch_directory();
}
END_TEST

struct filter {
	const char *name, *dir;
	int type, result, calls;
};

static int select_name(const char *name, const char *dir, int type, void *data)
{
	struct filter *filter = data;

	filter->calls++;
	ck_assert_str_eq(dir, filter->dir);
	if (strcmp(name, filter->name) != 0)
		return 0;
	ck_assert_int_eq(type, filter->type);
	return filter->result;
}

START_TEST(a_callback_selects_candidates)
{
	static const struct {
		const char *word, *dir, *name;
		int type, result, calls;
		const char *candidates;
	} cases[] = {
		{"", "./", "afile", MM_DT_REG, 1, 8, "afile "},
		{"l", "./", "ldir", MM_DT_LNK, 1, 3, "ldir/ "},
		{"l", "./", "ldead", MM_DT_LNK, 1, 3, ""},
		{"adir/", "adir/", "sub", MM_DT_DIR, 1, 2, "adir/sub/ "},
		{"adir//s", "adir/", "sub", MM_DT_DIR, 1, 1, "adir//sub/ "},
		{"adir//", "adir//", "sub", MM_DT_DIR, 1, 2, "adir//sub/ "},
		{"/dev", "/", "dev", MM_DT_DIR, 1, 1, "/dev/ "},
		{"//dev", "/", "dev", MM_DT_DIR, 1, 1, "//dev/ "},
		{"", "./", "afile", MM_DT_REG, 2, 8, ""},
		{"", "./", "afile", MM_DT_REG, -1, 8, ""},
		/* Files of other types are asked for too. */
		{"f", "./", "fifo", MM_DT_FIFO, 1, 1, ""},
	};

	make_tree();
	for (int i = 0; i < MM_NELEM(cases); i++) {
		struct filter filter = {cases[i].name, cases[i].dir, cases[i].type, cases[i].result, 0};

		ck_assert_int_eq(complete_path(cases[i].word, MM_DT_REG | MM_DT_DIR, select_name, &filter), 0);
		ck_assert_int_eq(filter.calls, cases[i].calls);
		ck_assert_str_eq(sorted(captured_out), cases[i].candidates);
	}
	leave_scratch_directory();
}
END_TEST

static jmp_buf target;

static int leave(const char *name, const char *dir, int type, void *data)
{
	(void)name;
	(void)dir;
	(void)type;
	if (data == NULL)
		longjmp(target, 1);
	if (data == target)
		pthread_exit(data);
	pthread_cancel(pthread_self());
	pthread_testcancel();
	return 1;
}

static void *complete_in_thread(void *data)
{
	mm_arg_complete_path("", MM_DT_ANY, leave, data);
	return NULL;
}

START_TEST(no_descriptor_is_open_while_a_callback_runs)
{
	int descriptors = count_open_descriptors();

	/* The memory for the names is lost, as mm_arg_complete_path(3) says. */
	if (is_under_valgrind() || is_instrumented())
		return;
	make_tree();
	ck_assert_ptr_eq(join_thread(start_thread(complete_in_thread, target)), target);
	ck_assert_ptr_eq(join_thread(start_thread(complete_in_thread, call)), PTHREAD_CANCELED);
	if (setjmp(target) == 0)
		ck_abort_msg("returned %d", mm_arg_complete_path("", MM_DT_ANY, leave, NULL));
	ck_assert_int_eq(count_open_descriptors(), descriptors);
	leave_scratch_directory();
}
END_TEST

START_TEST(success_does_not_change_errno)
{
	make_tree();
	ck_assert_int_eq(symlink("nothing", "dangling"), 0);
	errno = ENOTTY;
	int result = mm_arg_complete_path("dangling", MM_DT_REG, NULL, NULL);
	int errno_afterwards = errno;

	ck_assert_int_eq(result, 0);
	ck_assert_int_eq(errno_afterwards, ENOTTY);
	leave_scratch_directory();
}
END_TEST

START_TEST(a_large_directory_is_read_completely)
{
	char name[256];
	int lines = 0;

	enter_scratch_directory();
	memset(name, 'x', sizeof(name));
	for (int i = 0; i < 300; i++) {
		snprintf(name + 3 + i % 200, 20, "%d", i);
		write_file(name, "");
		memset(name, 'x', sizeof(name));
	}
	FILE *out = tmpfile();
	int saved = (fflush(stdout), dup(STDOUT_FILENO));

	dup2(fileno(out), STDOUT_FILENO);
	int result = mm_arg_complete_path("xxx", MM_DT_REG, NULL, NULL);

	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(out);
	while (fgets(name, sizeof(name), out) != NULL)
		lines++;
	fclose(out);
	ck_assert_int_eq(result, 0);
	ck_assert_int_eq(lines, 300);
	leave_scratch_directory();
}
END_TEST

SUITE(the_last_word_is_completed_as_an_option, other_words_are_left_to_the_program, values_are_completed_to_themselves,
      earlier_words_are_parsed, the_callback_completes_a_value, a_word_is_completed_without_a_parse,
      replaced_forms_of_the_help_are_not_candidates, completion_is_requested_by_a_variable,
      files_of_the_wanted_types_are_candidates, candidates_begin_with_the_word,
      a_directory_that_cannot_be_opened_is_an_error, options_of_files_and_directories_complete_pathnames,
      a_callback_selects_candidates, no_descriptor_is_open_while_a_callback_runs, success_does_not_change_errno,
      a_large_directory_is_read_completely)
