/* SPDX-License-Identifier: Apache-2.0 */
/*
 * argparse_callback.c: callbacks of the parser, and how a parse ends the process
 */
#include "output.h"

#include <mmargparse.h>

#include <setjmp.h>

static const char *str;
static int number;

static const struct mm_arg_opt options[] = {
	{"v|verbose", MM_OPT_NOVAL, NULL, {NULL}, NULL},
	{"s|str", MM_OPT_OPTSTR, "default", {.sptr = &str}, NULL},
	{"i|int", MM_OPT_NEEDINT, NULL, {.iptr = &number}, NULL},
	{"u|uint", MM_OPT_NEEDUINT, NULL, {NULL}, NULL},
	{"l|llong", MM_OPT_NEEDLLONG, NULL, {NULL}, NULL},
	{"L|ullong", MM_OPT_NEEDULLONG, NULL, {NULL}, NULL},
};

static struct mm_arg_parser parser_with(mm_arg_callback cb, void *data)
{
	return (struct mm_arg_parser){.flags = MM_ARG_PARSER_NOEXIT,
	                              .num_opt = MM_NELEM(options),
	                              .optv = options,
	                              .cb = cb,
	                              .cb_data = data};
}

static int parse_with(const struct mm_arg_parser *parser, const char *words)
{
	struct command_line *line = command_line(words);

	return mm_arg_parse(parser, line->argc, line->argv);
}

/* --- what a callback gets and returns ----------------------------------------------------------------------------- */

static char calls[512];

static int record(const struct mm_arg_opt *opt, union mm_arg_val value, void *data, int state)
{
	char *end = calls + strlen(calls);
	size_t size = sizeof(calls) - strlen(calls);

	ck_assert_ptr_eq(data, calls);
	ck_assert_int_eq(state, 0);
	ck_assert(opt >= options && opt < options + MM_NELEM(options));
	switch (mm_arg_opt_get_type(opt)) {
	case MM_OPT_STR:
		snprintf(end, size, "%s=%s ", opt->name, value.str != NULL ? value.str : "NULL");
		break;
	case MM_OPT_INT:
		snprintf(end, size, "%s=%d ", opt->name, value.i);
		/* The value is stored afterwards. */
		ck_assert_int_eq(number, 0);
		break;
	case MM_OPT_UINT:
		snprintf(end, size, "%s=%u ", opt->name, value.ui);
		break;
	case MM_OPT_LLONG:
		snprintf(end, size, "%s=%lld ", opt->name, value.ll);
		break;
	default:
		snprintf(end, size, "%s=%llu ", opt->name, value.ull);
	}
	return 1000;
}

START_TEST(a_callback_gets_each_option_in_order)
{
	struct mm_arg_parser parser = parser_with(record, calls);

	ck_assert_int_eq(parse_with(&parser, "-vs word -s --int=-5 -u 4294967295 -l -6 --ullong=7 -s -- end"), 12);
	ck_assert_str_eq(calls,
	                 "v|verbose=NULL s|str=word s|str=default i|int=-5 u|uint=4294967295 l|llong=-6 L|ullong=7 "
	                 "s|str=-- ");
	ck_assert_str_eq(str, "--");
	ck_assert_int_eq(number, -5);
}
END_TEST

static int copy(const struct mm_arg_opt *opt, union mm_arg_val value, void *data, int state)
{
	(void)opt;
	(void)state;
	memcpy(data, &value, sizeof(value));
	return 0;
}

START_TEST(unused_bytes_of_a_value_are_zero)
{
	union mm_arg_val seen;
	struct mm_arg_parser parser = parser_with(copy, &seen);

	memset(&seen, 0xFF, sizeof(seen));
	ck_assert_int_eq(parse_with(&parser, "-u 1"), 3);
	union mm_arg_val expected = {.ull = 0};

	expected.ui = 1;
	ck_assert_mem_eq(&seen, &expected, sizeof(seen));
}
END_TEST

static int return_code(const struct mm_arg_opt *opt, union mm_arg_val value, void *data, int state)
{
	(void)opt;
	(void)value;
	(void)state;
	errno = EXDEV;
	return *(const int *)data;
}

START_TEST(a_negative_result_ends_the_parse)
{
	static const int codes[] = {MM_ARGPARSE_ERROR, MM_ARGPARSE_STOP, MM_ARGPARSE_COMPLETE, -7, INT32_MIN};

	for (int i = 0; i < MM_NELEM(codes); i++) {
		struct mm_arg_parser parser = parser_with(return_code, (void *)&codes[i]);

		str = NULL;
		capture();
		int result = parse_with(&parser, "-s word -q");
		int errno_of_callback = errno;

		end_capture();
		ck_assert_int_eq(result, codes[i]);
		ck_assert_int_eq(errno_of_callback, EXDEV);
		ck_assert_ptr_null(str);
		ck_assert_str_eq(captured_out, "");
		ck_assert_str_eq(captured_err, i == 0 ? "Use -h or --help to display usage.\n" : "");
	}
}
END_TEST

/* --- the end of the process --------------------------------------------------------------------------------------- */

#define RETURNED 55

static int parse_and_return(void *arg)
{
	const char *words = arg;
	int code = -7;
	struct mm_arg_parser parser = parser_with(words[0] == '!' ? return_code : NULL, &code);

	parser.flags = words[0] == '?' ? MM_ARG_PARSER_COMPLETION : 0;
	printf("unflushed ");
	parse_with(&parser, words + strspn(words, "!?"));
	return RETURNED;
}

static int parse_options(void *arg)
{
	struct command_line *line = command_line(arg);

	printf("unflushed ");
	mm_arg_optv_parse(MM_NELEM(options), options, line->argc, line->argv);
	return RETURNED;
}

static int parse_wrong_options(void *arg)
{
	static const struct mm_arg_opt wrong = {.name = "1"};
	struct mm_arg_parser parser = {.num_opt = 1, .optv = &wrong};

	mm_arg_parse_complete(&parser, arg);
	return RETURNED;
}

static void assert_exits(int (*run)(void *), const char *words, int status)
{
	int wait_status = captured_status_of(run, (void *)words);

	ck_assert_msg(WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == status, "%s: %#x", words, wait_status);
	/* exit() has flushed the stream. */
	if (status != RETURNED)
		ck_assert_int_eq(strncmp(captured_out, "unflushed ", 10), 0);
}

START_TEST(a_parse_exits_with_a_status)
{
	static const struct {
		const char *words;
		int status;
	} cases[] = {{"-q", 1},         {"-i x", 1},      {"-i", 1},      {"-h", 0},
	             {"--help", 0},     {"! -v", 0},      {"? -", 0},     {"? --str=x", 0},
	             {"? -q --str", 1}, {"-v", RETURNED}, {"", RETURNED}, {"? word", RETURNED}};

	for (int i = 0; i < MM_NELEM(cases); i++)
		assert_exits(parse_and_return, cases[i].words, cases[i].status);
	for (int i = 0; i < 5; i++)
		assert_exits(parse_options, cases[i].words, cases[i].status);
	assert_exits(parse_options, "-v -s word", RETURNED);
	ck_assert_int_eq(captured_status_of(parse_wrong_options, "-"), 1 << 8);
	ck_assert_str_eq(captured_err, "invalid short or long name for option 1\nUse -h or --help to display usage.\n");
}
END_TEST

START_TEST(a_parse_of_options_takes_the_program_name_from_argv)
{
	captured_status_of(parse_options, "-h");
	ck_assert_int_eq(strncmp(captured_out, "unflushed Usage:\n  program [options] args...\n\nOptions:\n", 55), 0);
	ck_assert_int_eq(setenv("MMLIB_CMD_COMPLETION", "1", 1), 0);
	captured_status_of(parse_options, "-q");
	ck_assert_str_eq(captured_err, "Unsupported option -q\nUse -h or --help to display usage.\n");
	ck_assert_int_eq(mm_arg_optv_parse(-5, NULL, 2, (char *[]){"program", "word"}), 1);
}
END_TEST

/* --- callbacks that do not return --------------------------------------------------------------------------------- */

static jmp_buf target;

static int jump(const struct mm_arg_opt *opt, union mm_arg_val value, void *data, int state)
{
	(void)opt;
	(void)value;
	(void)data;
	(void)state;
	longjmp(target, 1);
}

START_TEST(a_callback_can_jump_out_of_the_parse)
{
	struct mm_arg_parser parser = parser_with(jump, NULL);
	int cancel_state;

	for (volatile int i = 0; i < 3; i++) {
		parser.flags = i == 2 ? MM_ARG_PARSER_COMPLETION : 0;
		if (setjmp(target) == 0)
			ck_abort_msg("returned %d", parse_with(&parser, i == 0 ? "-v" : "--str=x"));
		pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &cancel_state);
		ck_assert_int_eq(cancel_state, PTHREAD_CANCEL_ENABLE);
	}
	parser.cb = NULL;
	ck_assert_int_eq(parse_with(&parser, "-v word"), 2);
}
END_TEST

static int end_thread(const struct mm_arg_opt *opt, union mm_arg_val value, void *data, int state)
{
	(void)opt;
	(void)value;
	(void)state;
	if (data != NULL)
		pthread_exit(data);
	pthread_cancel(pthread_self());
	pthread_testcancel();
	return 0;
}

/* The address sanitizer does not see that the frame ends. */
__attribute__((no_sanitize_address)) static void *parse_in_thread(void *data)
{
	struct mm_arg_parser parser = parser_with(end_thread, data);
	struct command_line *line = command_line("-s word");

	ck_abort_msg("returned %d", mm_arg_parse(&parser, line->argc, line->argv));
	return NULL;
}

START_TEST(a_callback_can_end_its_thread)
{
	ck_assert_ptr_eq(join_thread(start_thread(parse_in_thread, calls)), calls);
	ck_assert_ptr_eq(join_thread(start_thread(parse_in_thread, NULL)), PTHREAD_CANCELED);
}
END_TEST

static void *parse_cancelled(void *words)
{
	struct mm_arg_parser parser = parser_with(NULL, NULL);
	/* An assertion is a cancellation point. */
	struct command_line *line = command_line(words);

	pthread_cancel(pthread_self());
	mm_arg_parse(&parser, line->argc, line->argv);
	/* Not cancelled by the output. */
	number++;
	pthread_testcancel();
	return NULL;
}

START_TEST(output_is_not_a_cancellation_point)
{
	capture();
	void *results[] = {join_thread(start_thread(parse_cancelled, "--help")),
	                   join_thread(start_thread(parse_cancelled, "-q"))};

	end_capture();
	ck_assert(results[0] == PTHREAD_CANCELED && results[1] == PTHREAD_CANCELED);
	ck_assert_int_eq(number, 2);
	ck_assert_ptr_nonnull(strstr(captured_out, "print this message and exit\n"));
	ck_assert_str_eq(captured_err, "Unsupported option -q\nUse -h or --help to display usage.\n");
}
END_TEST

static int parse_again(const struct mm_arg_opt *opt, union mm_arg_val value, void *data, int state)
{
	struct mm_arg_parser inner = parser_with(NULL, NULL);

	(void)opt;
	(void)value;
	(void)state;
	*(int *)data = mm_arg_parse(&inner, 3, (char *[]){"inner", "-i", "8"});
	return 0;
}

START_TEST(a_callback_can_parse)
{
	int inner = 0;
	struct mm_arg_parser parser = parser_with(parse_again, &inner);

	ck_assert_int_eq(parse_with(&parser, "-s word -v end"), 4);
	ck_assert_int_eq(inner, 3);
	ck_assert_int_eq(number, 8);
	ck_assert_str_eq(str, "word");
}
END_TEST

SUITE(a_callback_gets_each_option_in_order, unused_bytes_of_a_value_are_zero, a_negative_result_ends_the_parse,
      a_parse_exits_with_a_status, a_parse_of_options_takes_the_program_name_from_argv,
      a_callback_can_jump_out_of_the_parse, a_callback_can_end_its_thread, output_is_not_a_cancellation_point,
      a_callback_can_parse)
