/* SPDX-License-Identifier: Apache-2.0 */
/*
 * argparse.c: the functions of mmargparse.h
 *
 * The parser is in Rust (src/argparse). This file calls the functions of the program, and ends the process: an exception
 * of C++, longjmp() and the cancellation of a thread pass through its frames, which they must not do through those of
 * Rust. The parser therefore returns here for each such call, and continues afterwards.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mmargparse.h"
#include "mmerrno.h"
#include "mmsysio.h"

#define HIDDEN __attribute__((visibility("hidden")))

#define RAISE(number, ...) \
	(errno = (number), \
	 mm_raise_error_full(number, "mmlib", __func__, "mmlib/src/argparse.c", __LINE__, NULL, __VA_ARGS__))

/* --- the parser ---------------------------------------------------------------------------------------------------- */

/* The state of a parse: see src/argparse/parse.rs. */
struct parse {
	const struct mm_arg_parser *parser;
	char **argv;
	int argc;
	int index;
	int letter;
	int phase;
	/* What the parser returns, and the result of a call of the program. */
	int result;
	/* The arguments of a call. */
	int state;
	const struct mm_arg_opt *option;
	union mm_arg_val value;
};

enum action { DONE, CALL, COMPLETE_PATH };

HIDDEN extern const size_t mmlib_parse_size;
HIDDEN int mmlib_parse_step(struct parse *parse);
HIDDEN int mmlib_print_candidates(const struct mm_arg_parser *parser, const char *arg);
HIDDEN void mmlib_path_not_completed(const char *arg);

const size_t mmlib_parse_size = sizeof(struct parse);

/* The parser writes to stdio streams, where a thread can be cancelled. */
static int step(struct parse *parse)
{
	int state, action;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	action = mmlib_parse_step(parse);
	pthread_setcancelstate(state, NULL);
	return action;
}

/* Ends a parse by a negative code, as the flags of the parser say. */
static int end(const struct mm_arg_parser *parser, int code)
{
	if (code < 0 && !(parser->flags & MM_ARG_PARSER_NOEXIT))
		exit(code == MM_ARGPARSE_ERROR ? EXIT_FAILURE : EXIT_SUCCESS);
	return code;
}

/* Returns 0; MM_ARGPARSE_ERROR if an argument of the public function is NULL, and the error has been raised. */
static int check_arguments(const char *function, const struct mm_arg_parser *parser, int argc, char *argv[])
{
	const char *name = "argv";

	if (parser == NULL)
		name = "parser";
	else if (parser->optv == NULL && parser->num_opt > 0)
		name = "optv";
	else if (argv != NULL || argc <= 1)
		return 0;
	errno = EFAULT;
	mm_raise_error_full(EFAULT, "mmlib", function, "mmlib/src/argparse.c", __LINE__, NULL,
	                    "cannot parse the command line: %s is NULL", name);
	return MM_ARGPARSE_ERROR;
}

static int parse_arguments(const struct mm_arg_parser *parser, int argc, char *argv[])
{
	struct parse parse = {.parser = parser, .argv = argv, .index = 1};

	/* The name of the program is not looked at. */
	parse.argc = argc < 1 ? 0 : 1;
	while (parse.argc < argc && argv[parse.argc] != NULL)
		parse.argc++;
	for (;;) {
		switch (step(&parse)) {
		case CALL:
			parse.result = parser->cb(parse.option, parse.value, parser->cb_data, parse.state);
			break;
		case COMPLETE_PATH:
			mm_arg_complete_path(parse.value.str, parse.result, NULL, NULL);
			break;
		default:
			return end(parser, parse.result);
		}
	}
}

int mm_arg_parse(const struct mm_arg_parser *parser, int argc, char *argv[])
{
	if (check_arguments(__func__, parser, argc, argv) != 0)
		return MM_ARGPARSE_ERROR;
	return parse_arguments(parser, argc, argv);
}

int mm_arg_optv_parse(int optn, const struct mm_arg_opt *optv, int argc, char *argv[])
{
	struct mm_arg_parser parser = {
		.num_opt = optn,
		.optv = optv,
		.execname = argc > 0 && argv != NULL ? argv[0] : NULL,
	};

	if (check_arguments(__func__, &parser, argc, argv) != 0)
		return MM_ARGPARSE_ERROR;
	return parse_arguments(&parser, argc, argv);
}

int mm_arg_parse_complete(const struct mm_arg_parser *parser, const char *arg)
{
	int state, code;

	if (check_arguments(__func__, parser, 0, NULL) != 0)
		return MM_ARGPARSE_ERROR;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	code = mmlib_print_candidates(parser, arg);
	pthread_setcancelstate(state, NULL);
	return end(parser, code);
}

/* --- paths --------------------------------------------------------------------------------------------------------- */

/* The type of a file: its target's, if follow is not 0. MM_DT_UNKNOWN if the file does not exist; errno is preserved. */
static int type_of(const char *path, int follow)
{
	int initial_errno = errno;
	struct stat status;

	if ((follow ? stat(path, &status) : lstat(path, &status)) != 0) {
		errno = initial_errno;
		return MM_DT_UNKNOWN;
	}
	switch (status.st_mode & S_IFMT) {
	case S_IFREG:
		return MM_DT_REG;
	case S_IFDIR:
		return MM_DT_DIR;
	case S_IFLNK:
		return MM_DT_LNK;
	case S_IFIFO:
		return MM_DT_FIFO;
	case S_IFSOCK:
		return MM_DT_SOCK;
	case S_IFCHR:
		return MM_DT_CHR;
	case S_IFBLK:
		return MM_DT_BLK;
	default:
		return MM_DT_UNKNOWN;
	}
}

/* Returns the part of arg that precedes the name of the entry: up to and including its last slash. */
static size_t prefix_length(const char *arg)
{
	const char *slash = strrchr(arg, '/');

	return slash == NULL ? 0 : (size_t)(slash - arg) + 1;
}

/* Returns the name of the directory, which ends in a slash. Only one slash precedes a name that is to be completed. */
static char *directory_of(const char *arg, size_t length)
{
	size_t end = length;

	if (length == 0)
		return strdup("./");
	while (arg[length] != '\0' && end > 1 && arg[end - 2] == '/')
		end--;
	return strndup(arg, end);
}

/* An entry that may be a candidate. */
struct candidate {
	struct candidate *next;
	int type;
	/* The directory, and the name of the entry after it. */
	char path[];
};

static void free_candidates(struct candidate *candidate)
{
	struct candidate *next;

	for (; candidate != NULL; candidate = next) {
		next = candidate->next;
		free(candidate);
	}
}

/*
 * Reads the entries whose names begin with the filter. Returns 0, or -1 if there is not enough memory. A failure to read
 * the directory to its end is not reported, so it must not become the last error.
 */
static int read_candidates(MM_DIR *directory, const char *name, const char *filter, struct candidate **first)
{
	size_t name_length = strlen(name), filter_length = strlen(filter), length;
	const struct mm_dirent *entry;
	struct candidate *candidate, **last = first;
	int flags = mm_error_set_flags(MM_ERROR_SET, MM_ERROR_IGNORE), result = 0, initial_errno = errno;

	while ((entry = mm_readdir(directory, NULL)) != NULL) {
		if (strncmp(entry->name, filter, filter_length) != 0 || strcmp(entry->name, ".") == 0 ||
		    strcmp(entry->name, "..") == 0)
			continue;
		length = strlen(entry->name);
		candidate = malloc(sizeof(*candidate) + name_length + length + 1);
		if (candidate == NULL) {
			result = -1;
			break;
		}
		candidate->next = NULL;
		memcpy(candidate->path, name, name_length);
		memcpy(candidate->path + name_length, entry->name, length + 1);
		candidate->type = entry->type == MM_DT_UNKNOWN ? type_of(candidate->path, 0) : entry->type;
		*last = candidate;
		last = &candidate->next;
	}
	mm_error_set_flags(flags, MM_ERROR_IGNORE);
	errno = initial_errno;
	return result;
}

/*
 * The directory is closed before the program is called, which need not return. What leaks then is memory: releasing it
 * would need a frame with a cleanup, and with it the library of the unwinder in each process.
 */
int mm_arg_complete_path(const char *arg, int type_mask, mm_arg_complete_path_cb cb, void *cb_data)
{
	struct candidate *first = NULL;
	const char *entry;
	size_t length, name_length;
	MM_DIR *directory;
	char *name;
	int kind, failure, state;

	if (arg == NULL)
		return RAISE(EINVAL, "cannot complete a path: argument arg is NULL");
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	length = prefix_length(arg);
	name = directory_of(arg, length);
	directory = name == NULL ? NULL : mm_opendir(name);
	failure = directory == NULL ? -1 : read_candidates(directory, name, arg + length, &first);
	if (directory != NULL)
		mm_closedir(directory);
	if (failure != 0) {
		if (name == NULL || directory != NULL)
			mmlib_path_not_completed(arg);
		free_candidates(first);
		free(name);
		pthread_setcancelstate(state, NULL);
		return -1;
	}
	pthread_setcancelstate(state, NULL);

	name_length = strlen(name);
	for (struct candidate *candidate = first; candidate != NULL; candidate = candidate->next) {
		entry = candidate->path + name_length;
		if (cb != NULL && cb(entry, name, candidate->type, cb_data) != 1)
			continue;
		kind = candidate->type;
		if (kind == MM_DT_LNK && !(type_mask & MM_DT_LNK))
			kind = type_of(candidate->path, 1);
		if (kind & type_mask)
			printf("%.*s%s%s\n", (int)length, arg, entry, kind == MM_DT_DIR ? "/" : "");
	}
	free_candidates(first);
	free(name);
	return 0;
}
