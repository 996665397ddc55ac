/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmargparse.h: parsing of the command line
 *
 * A program describes its options in a table of struct mm_arg_opt, and passes it to mm_arg_parse(). The built-in option
 * "h|help" follows the table. Diagnostics are written to stderr, and help and candidates to stdout, as text through
 * stdio. They are not errors in the sense of mmerrno.h: only mm_arg_complete_path(), and NULL arguments, set the error
 * state.
 */
#ifndef MMARGPARSE_H
#define MMARGPARSE_H

#include <stddef.h>

#include "mmpredefs.h"

/* Flags of an option: whether it has a value. */
#define MM_OPT_NOVAL 0x00   /* it has none */
#define MM_OPT_OPTVAL 0x01  /* it may have one */
#define MM_OPT_NEEDVAL 0x02 /* it must have one */
#define MM_OPT_REQMASK 0x03 /* mask of these */

/* Flags of an option: the type of its value, and so of the variable that receives it. */
#define MM_OPT_STR 0x00      /* string */
#define MM_OPT_INT 0x10      /* int */
#define MM_OPT_LLONG 0x20    /* long long */
#define MM_OPT_UINT 0x90     /* unsigned int */
#define MM_OPT_ULLONG 0xA0   /* unsigned long long */
#define MM_OPT_TYPEMASK 0xF0 /* mask of these */

/* Flags of an option: paths that complete its value. */
#define MM_OPT_FILEPATH 0x100 /* files and directories */
#define MM_OPT_DIRPATH 0x200  /* directories */

/* Combinations of these. */
#define MM_OPT_OPTSTR (MM_OPT_OPTVAL | MM_OPT_STR)
#define MM_OPT_NEEDSTR (MM_OPT_NEEDVAL | MM_OPT_STR)
#define MM_OPT_OPTINT (MM_OPT_OPTVAL | MM_OPT_INT)
#define MM_OPT_NEEDINT (MM_OPT_NEEDVAL | MM_OPT_INT)
#define MM_OPT_OPTUINT (MM_OPT_OPTVAL | MM_OPT_UINT)
#define MM_OPT_NEEDUINT (MM_OPT_NEEDVAL | MM_OPT_UINT)
#define MM_OPT_OPTLLONG (MM_OPT_OPTVAL | MM_OPT_LLONG)
#define MM_OPT_NEEDLLONG (MM_OPT_NEEDVAL | MM_OPT_LLONG)
#define MM_OPT_OPTULLONG (MM_OPT_OPTVAL | MM_OPT_ULLONG)
#define MM_OPT_NEEDULLONG (MM_OPT_NEEDVAL | MM_OPT_ULLONG)
#define MM_OPT_OPTFILE (MM_OPT_OPTVAL | MM_OPT_FILEPATH)
#define MM_OPT_NEEDFILE (MM_OPT_NEEDVAL | MM_OPT_FILEPATH)
#define MM_OPT_OPTDIR (MM_OPT_OPTVAL | MM_OPT_DIRPATH)
#define MM_OPT_NEEDDIR (MM_OPT_NEEDVAL | MM_OPT_DIRPATH)

/* State that is passed to the callback: the value is to be completed. It is 0 in a normal call. */
#define MM_ARG_OPT_COMPLETION 0x1

/* Flags of a parser. */
#define MM_ARG_PARSER_NOEXIT 0x1     /* return a negative code instead of ending the process */
#define MM_ARG_PARSER_COMPLETION 0x2 /* complete the last argument */

/* Results of a parse, and of a callback that ends it. */
#define MM_ARGPARSE_ERROR -1    /* an option is invalid */
#define MM_ARGPARSE_STOP -2     /* the program need not do anything: the help has been printed */
#define MM_ARGPARSE_COMPLETE -3 /* the candidates have been printed */

/** The value of an option. The type of the option says which member is meaningful; other bytes are zero. */
union mm_arg_val {
	/** MM_OPT_STR: a string of the command line or of the table. */
	const char *str;
	/** MM_OPT_INT. */
	int i;
	/** MM_OPT_LLONG. */
	long long ll;
	/** MM_OPT_UINT. */
	unsigned int ui;
	/** MM_OPT_ULLONG. */
	unsigned long long ull;
};

/** An option. */
struct mm_arg_opt {
	/** "c", "long-name" or "c|long-name": c is a letter; a long name has two or more of the bytes a-z, 0-9 and -. */
	const char *name;
	/** One flag for each of: whether it has a value, the type of the value, and its completion. */
	int flags;
	/** Value if the command line has none, also for MM_OPT_NOVAL; may be NULL for MM_OPT_STR. */
	const char *defval;
	/** Variable that receives the value; NULL for none. */
	union {
		const char **sptr;
		int *iptr;
		long long *llptr;
		unsigned int *uiptr;
		unsigned long long *ullptr;
	} val;
	/** Text of the help; NULL for none. The value is called as the first word "@NAME" in it. */
	const char *desc;
};

/** Function that a parser calls for each option, or to complete a value: see mm_arg_parse(). */
typedef int (*mm_arg_callback)(const struct mm_arg_opt *opt, union mm_arg_val value, void *data, int state);

/** Function that mm_arg_complete_path() calls for each entry of the directory: see there. */
typedef int (*mm_arg_complete_path_cb)(const char *name, const char *dir, int type, void *data);

/** A parser. */
struct mm_arg_parser {
	/** A bitwise OR of any of MM_ARG_PARSER_NOEXIT and MM_ARG_PARSER_COMPLETION. */
	int flags;
	/** Number of options. */
	int num_opt;
	/** Options; may be NULL if their number is 0. */
	const struct mm_arg_opt *optv;
	/** Description of the program for the help; may be NULL. */
	const char *doc;
	/** Forms of the command line, one a line, without the name of the program; NULL for "[options] args...". */
	const char *args_doc;
	/** Name of the program for the help; NULL for "PROGRAM". */
	const char *execname;
	/** Argument of the callback. */
	void *cb_data;
	/** Callback; may be NULL. */
	mm_arg_callback cb;
};

/**
 * mm_arg_opt_get_key() - get the letter of an option
 * @opt:        option
 *
 * Return: the letter; 0 if the option has only a long name.
 */
static inline int mm_arg_opt_get_key(const struct mm_arg_opt *opt)
{
	return opt->name[1] == '|' || opt->name[1] == '\0' ? opt->name[0] : 0;
}

/**
 * mm_arg_opt_get_name() - get the long name of an option
 * @opt:        option
 *
 * Return: the name, which is a part of @opt->name; NULL if the option has only a letter.
 */
static inline const char *mm_arg_opt_get_name(const struct mm_arg_opt *opt)
{
	if (opt->name[1] == '|')
		return opt->name + 2;
	return opt->name[1] == '\0' ? NULL : opt->name;
}

/**
 * mm_arg_opt_get_type() - get the type of the value of an option
 * @opt:        option
 *
 * Return: MM_OPT_STR, MM_OPT_INT, MM_OPT_LLONG, MM_OPT_UINT or MM_OPT_ULLONG.
 */
static inline int mm_arg_opt_get_type(const struct mm_arg_opt *opt)
{
	return opt->flags & MM_OPT_TYPEMASK;
}

#ifdef __cplusplus
extern "C" {
#endif

/**
 * mm_arg_parse() - parse the options of a command line
 * @parser:     options and texts of the program
 * @argc:       number of arguments, including the name of the program
 * @argv:       arguments; a NULL element ends them
 *
 * The options precede the other arguments: parsing ends at the first argument that is not an option, or after "--". "-"
 * alone is not an option. Short options can be combined ("-ab"). The value of a short option is the next argument, unless
 * this has the form of an option; only the last of combined options can have one. The value of a long option follows an
 * equals sign ("--name=value"). Long names cannot be abbreviated. The first option of the table that has the letter or
 * name is used.
 *
 * A value is converted to the type of the option: integers as by strtoll() with base 0. Then the callback is called with
 * the option, the value, @parser->cb_data and state 0, and may reject it by a negative code. Then the value is stored in
 * the variable of the option.
 *
 * An invalid option, and a callback that returns MM_ARGPARSE_ERROR, end the process with status 1, after a diagnostic.
 * --help prints the help, and ends it with status 0, as any other negative code of a callback does. With
 * MM_ARG_PARSER_NOEXIT, the code is returned instead.
 *
 * With MM_ARG_PARSER_COMPLETION, which a program sets if mm_arg_is_completing() returns 1, the last argument is a word that
 * the user has typed in part. If it is an option or the value of one, its candidates are printed, one a line, and the
 * code is MM_ARGPARSE_COMPLETE. A value is completed by the callback, with state MM_ARG_OPT_COMPLETION and the word in
 * value.str, whatever the type. The callback prints candidates and returns MM_ARGPARSE_COMPLETE, or 0 to have the value
 * completed by the flags of the option.
 *
 * The callback may throw an exception of C++, call longjmp(), or end the thread.
 *
 * Return: the index of the first argument that is not an option, @argc if all are options; with MM_ARG_PARSER_NOEXIT,
 *   MM_ARGPARSE_ERROR, MM_ARGPARSE_STOP, MM_ARGPARSE_COMPLETE, or the negative result of the callback. A diagnostic of a
 *   value leaves EINVAL or ERANGE in errno.
 *
 * Errors:
 *   EFAULT           @parser is NULL; or @parser->optv is NULL and @parser->num_opt greater than 0; or @argv is NULL and
 *                    @argc greater than 1. The result is MM_ARGPARSE_ERROR, whatever the flags
 *
 * Thread safety: MT-Safe, but output of several threads is interleaved
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point, but a thread may be cancelled in the callback
 * Compatibility: differs from mmlib: "-" is always accepted as a value; names and long texts in the help are always
 *   printed correctly; the built-in option is not listed where an option of the table replaces it; NULL does not crash.
 */
MMLIB_API int mm_arg_parse(const struct mm_arg_parser *parser, int argc, char *argv[]);

/**
 * mm_arg_optv_parse() - parse the options of a command line, without further texts
 * @optn:       number of options
 * @optv:       options; may be NULL if @optn is 0
 * @argc:       number of arguments, including the name of the program
 * @argv:       arguments; a NULL element ends them
 *
 * This is mm_arg_parse() with a parser that has no flags, no callback and no texts, and whose name is @argv[0]. Errors and
 * --help end the process.
 *
 * Return: the index of the first argument that is not an option, @argc if all are options; -1 on failure, and the error
 *   state is set.
 *
 * Errors:
 *   EFAULT           @optv is NULL and @optn greater than 0; or @argv is NULL and @argc greater than 1
 *
 * Thread safety: MT-Safe, but output of several threads is interleaved
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: see mm_arg_parse().
 */
MMLIB_API int mm_arg_optv_parse(int optn, const struct mm_arg_opt *optv, int argc, char *argv[]);

/**
 * mm_arg_parse_complete() - print the options that complete a word
 * @parser:     options of the program
 * @arg:        word that the user has typed in part
 *
 * If @arg is empty or "-", all options are printed, one a line; if it begins with two dashes, the long options that begin
 * with it; if it is a combination of short options that exist, the word itself. Otherwise, nothing is printed.
 *
 * Return: 0. If the name of an option in the table is invalid, the process ends with status 1 after a diagnostic, or with
 *   MM_ARG_PARSER_NOEXIT, the result is MM_ARGPARSE_ERROR.
 *
 * Errors:
 *   EFAULT           @parser is NULL; or @parser->optv is NULL and @parser->num_opt greater than 0. The result is
 *                    MM_ARGPARSE_ERROR, whatever the flags
 *
 * Thread safety: MT-Safe, but output of several threads is interleaved
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: the built-in option is not listed where an option of the table replaces it; NULL does
 *   not crash.
 */
MMLIB_API int mm_arg_parse_complete(const struct mm_arg_parser *parser, const char *arg);

/**
 * mm_arg_complete_path() - print the paths that complete a word
 * @arg:        beginning of a path
 * @type_mask:  types of the files: a bitwise OR of MM_DT_REG, MM_DT_DIR and other values of mmsysio.h
 * @cb:         function that decides whether an entry is a candidate; NULL to accept all
 * @cb_data:    argument of @cb
 *
 * The entries of the directory whose names begin with what follows the last slash of @arg are printed, one a line, after
 * the directory as in @arg. A slash follows the path of a directory. "." and ".." are not printed.
 *
 * @cb is called with the name of the entry, the directory (with a slash at its end; "./" if @arg has none), the type of
 * the entry, and @cb_data. It returns 1 to accept the entry. The target of a symbolic link decides about it, unless
 * @type_mask includes MM_DT_LNK; @cb gets MM_DT_LNK. @cb may throw an exception of C++, call longjmp() or end the thread:
 * no file descriptor is open at that time, but the names that have been read are not released.
 *
 * Return: 0, also if no entry matches, or if the directory cannot be read to its end; -1 on failure, and the error state is
 *   set.
 *
 * Errors:
 *   EINVAL           @arg is NULL
 *   ENOMEM           not enough memory
 *   as mm_opendir()
 *
 * Thread safety: MT-Safe, but output of several threads is interleaved
 * Signal safety: not async-signal-safe
 * Cancellation: a thread can be cancelled while candidates are written, and in @cb
 * Compatibility: differs from mmlib: the paths begin with @arg; symbolic links, and files of filesystems that do not
 *   report types, are candidates.
 */
MMLIB_API int mm_arg_complete_path(const char *arg, int type_mask, mm_arg_complete_path_cb cb, void *cb_data);

/**
 * mm_arg_is_completing() - get whether the program is to complete its command line
 *
 * A shell sets the environment variable MMLIB_CMD_COMPLETION, and executes the command line, to get the candidates for its
 * last word. The first call reads the variable; later changes have no effect.
 *
 * Return: 1 if the variable is set, even if it is empty; 0 if not. The call cannot fail.
 *
 * Errors: none
 *
 * Thread safety: MT-Safe, if no thread changes the environment during the first call
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_arg_is_completing(void);

#ifdef __cplusplus
}
#endif

#endif /* MMARGPARSE_H */
