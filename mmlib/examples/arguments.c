/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arguments.c: a program whose arguments are parsed, and completed in bash, by mmargparse.h
 *
 * Options of each kind: a flag, numbers, a text with a callback for its candidates, a file, a directory. What remains
 * are files. The program prints what it was given.
 *
 * To try the completion:
 *     cc arguments.c -o arguments $(pkg-config --cflags --libs mmlib)
 *     . $(pkg-config --variable=bash_completion mmlib)
 *     mmlib_complete arguments
 *     ./arguments --co<TAB>
 */
#include <stdio.h>
#include <string.h>

#include <mmargparse.h>
#include <mmsysio.h>

static struct {
	const char *is_verbose;
	unsigned int count;
	int level;
	long long offset;
	unsigned long long limit;
	const char *color;
	const char *label;
	const char *input;
	const char *directory;
} config = {.color = "auto"};

static const struct mm_arg_opt options[] = {
	{"v|verbose", MM_OPT_NOVAL | MM_OPT_STR, "yes", {.sptr = &config.is_verbose}, "Print more."},
	{"n|count", MM_OPT_NEEDUINT, NULL, {.uiptr = &config.count}, "Run @NUMBER times."},
	{"l|level", MM_OPT_OPTINT, "1", {.iptr = &config.level}, "Set the level."},
	{"offset", MM_OPT_NEEDLLONG, NULL, {.llptr = &config.offset}, "Start at @BYTE."},
	{"limit", MM_OPT_NEEDULLONG, NULL, {.ullptr = &config.limit}, "Stop after @BYTES bytes."},
	{"c|color",
         MM_OPT_OPTSTR,
         "always",
         {.sptr = &config.color},
         "Use colors @WHEN useful: always, auto or never."},
	{"label", MM_OPT_NEEDSTR, NULL, {.sptr = &config.label}, "Print @LABEL first."},
	{"i|input", MM_OPT_NEEDFILE, NULL, {.sptr = &config.input}, "Read from @FILE."},
	{"d|directory", MM_OPT_NEEDDIR, NULL, {.sptr = &config.directory}, "Write the results into @DIRECTORY."},
};

/* Called for each option: for a word to complete, prints candidates; otherwise, checks the value. */
static int check_option(const struct mm_arg_opt *option, union mm_arg_val value, void *data, int state)
{
	static const char *const colors[] = {"always", "auto", "never"};
	int is_color = mm_arg_opt_get_key(option) == 'c';

	(void)data;
	if (!is_color)
		return 0;
	for (int i = 0; i < MM_NELEM(colors); i++) {
		if (state == MM_ARG_OPT_COMPLETION)
			printf("%s\n", colors[i]);
		else if (strcmp(colors[i], value.str) == 0)
			return 0;
	}
	if (state == MM_ARG_OPT_COMPLETION)
		return MM_ARGPARSE_COMPLETE;
	fprintf(stderr, "unknown value of --color: %s\n", value.str);
	return MM_ARGPARSE_ERROR;
}

static const char *text_or_none(const char *text)
{
	return text != NULL ? text : "none";
}

int main(int argc, char *argv[])
{
	int is_completing = mm_arg_is_completing();
	struct mm_arg_parser parser = {
		.flags = is_completing ? MM_ARG_PARSER_COMPLETION : 0,
		.num_opt = MM_NELEM(options),
		.optv = options,
		.doc = "Prints its arguments.",
		.args_doc = "[options] [FILE...]",
		.execname = "arguments",
		.cb = check_option,
	};
	int first = mm_arg_parse(&parser, argc, argv);

	if (is_completing) {
		/* The last argument is a file: the parser completes options and their values. */
		if (first < argc)
			mm_arg_complete_path(argv[argc - 1], MM_DT_REG | MM_DT_DIR, NULL, NULL);
		return 0;
	}
	printf("verbose %s, count %u, level %d, offset %lld, limit %llu\n", text_or_none(config.is_verbose),
	       config.count, config.level, config.offset, config.limit);
	printf("color %s, label %s, input %s, directory %s\n", config.color, text_or_none(config.label),
	       text_or_none(config.input), text_or_none(config.directory));
	for (int i = first; i < argc; i++)
		printf("file %s\n", argv[i]);
	return 0;
}
