/* SPDX-License-Identifier: Apache-2.0 */
/*
 * argparse.c: the functions of mmargparse.h
 *
 * The parser is in Rust (src/argparse). This file calls the functions of the program, and ends the process: an exception
 * of C++, longjmp() and the cancellation of a thread pass through its frames, which they must not do through those of
 * Rust. The parser therefore returns here for each such call, and continues afterwards.
 */
#include <dirent.h>
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
	(errno = (number), mm_raise_error_full(number, "mmlib", __func__, "mmlib/src/argparse.c", __LINE__, NULL, __VA_ARGS__))

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

int mm_arg_parse(const struct mm_arg_parser *parser, int argc, char *argv[])
{
	struct parse parse = {.parser = parser, .argv = argv, .index = 1};

	if (parser == NULL) {
		RAISE(EFAULT, "cannot parse arguments: argument parser is NULL");
		return MM_ARGPARSE_ERROR;
	}
	while (argv != NULL && parse.argc < argc && argv[parse.argc] != NULL)
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

int mm_arg_optv_parse(int optn, const struct mm_arg_opt *optv, int argc, char *argv[])
{
	struct mm_arg_parser parser = {
		.num_opt = optn,
		.optv = optv,
		.execname = argc > 0 && argv != NULL ? argv[0] : NULL,
	};

	return mm_arg_parse(&parser, argc, argv);
}

int mm_arg_parse_complete(const struct mm_arg_parser *parser, const char *arg)
{
	int state, code;

	if (parser == NULL) {
		RAISE(EFAULT, "cannot complete an argument: argument parser is NULL");
		return MM_ARGPARSE_ERROR;
	}
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	code = mmlib_print_candidates(parser, arg);
	pthread_setcancelstate(state, NULL);
	return end(parser, code);
}

/* --- paths --------------------------------------------------------------------------------------------------------- */

static void close_directory(MM_DIR **directory)
{
	mm_closedir(*directory);
}

static void free_text(char **text)
{
	free(*text);
}

/* The type of a file: its target's, if follow is not 0. MM_DT_UNKNOWN if the file does not exist. */
static int type_of(const char *path, int follow)
{
	struct stat status;

	if ((follow ? stat(path, &status) : lstat(path, &status)) != 0)
		return MM_DT_UNKNOWN;
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

/* A directory whose entries are candidates, and space for the path of one. */
struct search {
	const char *name;
	size_t name_length;
	char *path;
	size_t capacity;
};

/* Returns the path of an entry, NULL if there is not enough memory. */
static const char *path_of(struct search *search, const char *entry)
{
	size_t needed = search->name_length + strlen(entry) + 1;
	char *path;

	if (needed > search->capacity) {
		path = realloc(search->path, needed);
		if (path == NULL)
			return NULL;
		search->path = path;
		search->capacity = needed;
	}
	memcpy(search->path, search->name, search->name_length);
	strcpy(search->path + search->name_length, entry);
	return search->path;
}

static void free_search(struct search *search)
{
	free(search->path);
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
	char *directory;

	if (length == 0)
		return strdup("./");
	while (arg[length] != '\0' && end > 1 && arg[end - 2] == '/')
		end--;
	directory = strndup(arg, end);
	return directory;
}

int mm_arg_complete_path(const char *arg, int type_mask, mm_arg_complete_path_cb cb, void *cb_data)
{
	const struct mm_dirent *entry;
	const char *filter, *path;
	size_t length;
	int type, kind;

	if (arg == NULL)
		return RAISE(EINVAL, "cannot complete a path: argument arg is NULL");
	length = prefix_length(arg);
	filter = arg + length;

	__attribute__((cleanup(free_text))) char *name = directory_of(arg, length);
	if (name == NULL)
		return RAISE(ENOMEM, "cannot complete path \"%s\": out of memory", arg);
	__attribute__((cleanup(free_search))) struct search search = {.name = name, .name_length = strlen(name)};
	__attribute__((cleanup(close_directory))) MM_DIR *directory = mm_opendir(name);
	if (directory == NULL)
		return -1;

	while ((entry = mm_readdir(directory, NULL)) != NULL) {
		if (strncmp(entry->name, filter, strlen(filter)) != 0 || strcmp(entry->name, ".") == 0
		    || strcmp(entry->name, "..") == 0)
			continue;
		type = entry->type;
		path = path_of(&search, entry->name);
		if (path == NULL)
			return RAISE(ENOMEM, "cannot complete path \"%s\": out of memory", arg);
		if (type == MM_DT_UNKNOWN)
			type = type_of(path, 0);
		if (cb != NULL && cb(entry->name, name, type, cb_data) != 1)
			continue;
		kind = type == MM_DT_LNK && !(type_mask & MM_DT_LNK) ? type_of(path, 1) : type;
		if (kind & type_mask)
			printf("%.*s%s%s\n", (int)length, arg, entry->name, kind == MM_DT_DIR ? "/" : "");
	}
	return 0;
}
