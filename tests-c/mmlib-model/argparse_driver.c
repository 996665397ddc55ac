/* SPDX-License-Identifier: Apache-2.0 */
/*
 * argparse_driver.c: runs cases of the argument parser for argparse_model.py, which compares the results with its model
 *
 * Each line of standard input is a case, each line of standard output its result. Both consist of fields with a blank
 * between them. A field is a number, or a string: "~" is NULL, otherwise "=" and the bytes, of which those that are
 * not printable are "%" and two hexadecimal digits. The model describes the fields; read_case() and run_case() read
 * them in the order of the input.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mmargparse.h>
#include <mmerrno.h>
#include <mmsysio.h>

#define MAX_OPTIONS 64
#define MAX_ARGUMENTS 64
#define FILLER 0xA5
#define ERRNO_BEFORE 77

static int messages = STDERR_FILENO;

static void stop(const char *reason)
{
	dprintf(messages, "argparse_driver: %s\n", reason);
	_exit(99);
}

/* --- the report of a case, also written by a child that exits ------------------------------------------------------ */

struct report {
	size_t length;
	char text[1 << 20];
};

static struct report *report;

static void add(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report->length +=
		(size_t)vsnprintf(report->text + report->length, sizeof(report->text) - report->length, format, args);
	va_end(args);
	if (report->length >= sizeof(report->text))
		stop("the report is too long");
}

static void add_bytes(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		add(byte > ' ' && byte < 0x7f && byte != '%' ? "%c" : "%%%02x", byte);
	}
}

static void add_string(const char *string)
{
	if (string == NULL) {
		add(" ~");
		return;
	}
	add(" =");
	add_bytes(string, strlen(string));
}

/* --- reading a case ------------------------------------------------------------------------------------------------ */

static char *rest_of_line;

static char *next_field(void)
{
	char *field = strsep(&rest_of_line, " ");

	if (field == NULL)
		stop("a field is missing");
	return field;
}

static int next_number(void)
{
	return (int)strtol(next_field(), NULL, 10);
}

static int hex_digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Decodes a string into memory of exactly its size, or NULL. */
static char *next_string(void)
{
	char *field = next_field(), *end = field;

	if (*field == '~')
		return NULL;
	for (const char *from = field + 1; *from != '\0'; from++, end++) {
		if (*from == '%') {
			*end = (char)(hex_digit(from[1]) << 4 | hex_digit(from[2]));
			from += 2;
		} else {
			*end = *from;
		}
	}
	char *string = malloc((size_t)(end - field) + 1);

	if (string == NULL)
		stop("no memory");
	memcpy(string, field, (size_t)(end - field));
	string[end - field] = '\0';
	return string;
}

struct slot {
	unsigned char value[8], guard[8];
};

static struct test_case {
	char kind;
	struct mm_arg_parser parser;
	struct mm_arg_opt options[MAX_OPTIONS];
	struct slot slots[MAX_OPTIONS];
	int results[MAX_OPTIONS + 1], completions[MAX_OPTIONS + 1]; /* the last ones are of the option of the parser */
	int num_options, argc, num_arguments;
	char *argv[MAX_ARGUMENTS + 1], *arguments;
	size_t arguments_size;
	bool is_completed;
} now;

/* The arguments are adjacent in memory, as the kernel stores them. */
static void read_arguments(void)
{
	now.argc = next_number();
	now.num_arguments = next_number();
	if (now.num_arguments > MAX_ARGUMENTS)
		stop("too many arguments");
	for (int i = 0; i < now.num_arguments; i++) {
		now.argv[i] = next_string();
		now.arguments_size += now.argv[i] != NULL ? strlen(now.argv[i]) + 1 : 0;
	}
	now.arguments = malloc(now.arguments_size + 1);
	char *end = now.arguments;

	if (end == NULL)
		stop("no memory");
	for (int i = 0; i < now.num_arguments; i++) {
		if (now.argv[i] == NULL)
			continue;
		char *copy = end;

		end = stpcpy(end, now.argv[i]) + 1;
		free(now.argv[i]);
		now.argv[i] = copy;
	}
}

static int log_call(const struct mm_arg_opt *opt, union mm_arg_val value, void *data, int state);

static void read_case(char kind)
{
	now = (struct test_case){.kind = kind};
	now.parser.flags = next_number();
	now.parser.execname = next_string();
	now.parser.doc = next_string();
	now.parser.args_doc = next_string();
	now.parser.cb = next_number() ? log_call : NULL;
	now.parser.cb_data = &now;
	now.completions[MAX_OPTIONS] = next_number();
	now.parser.num_opt = next_number();
	now.num_options = now.parser.num_opt > 0 ? now.parser.num_opt : 0;
	if (now.num_options > MAX_OPTIONS)
		stop("too many options");
	for (int i = 0; i < now.num_options; i++) {
		struct mm_arg_opt *option = &now.options[i];

		memset(&now.slots[i], FILLER, sizeof(now.slots[i]));
		option->name = next_string();
		option->flags = next_number();
		option->defval = next_string();
		option->desc = next_string();
		if (next_number())
			option->val.iptr = (int *)(void *)now.slots[i].value;
		now.results[i] = next_number();
		now.completions[i] = next_number();
	}
	now.parser.optv = now.num_options > 0 ? now.options : NULL;
	read_arguments();
}

static void free_case(void)
{
	for (int i = 0; i < now.num_options; i++) {
		free((char *)now.options[i].name);
		free((char *)now.options[i].defval);
		free((char *)now.options[i].desc);
	}
	free((char *)now.parser.execname);
	free((char *)now.parser.doc);
	free((char *)now.parser.args_doc);
	free(now.arguments);
}

/* --- values -------------------------------------------------------------------------------------------------------- */

/* Adds a string, which must be one of the case and not a copy. */
static void add_own_string(const char *string, const char *defval)
{
	bool is_argument = string >= now.arguments && string < now.arguments + now.arguments_size;

	add_string(string);
	if (string != NULL && string != defval && !is_argument)
		add("(copied)");
}

/* Adds the member of a type; returns its size. */
static size_t add_value(const struct mm_arg_opt *option, const union mm_arg_val *value, int type)
{
	switch (type) {
	case MM_OPT_STR:
		add_own_string(value->str, option->defval);
		return sizeof(value->str);
	case MM_OPT_INT:
		add(" %d", value->i);
		return sizeof(value->i);
	case MM_OPT_UINT:
		add(" %u", value->ui);
		return sizeof(value->ui);
	case MM_OPT_LLONG:
		add(" %lld", value->ll);
		return sizeof(value->ll);
	case MM_OPT_ULLONG:
		add(" %llu", value->ull);
		return sizeof(value->ull);
	default:
		add(" unknown-type");
		return sizeof(*value);
	}
}

static bool is_filled(const unsigned char *from, const unsigned char *end, unsigned char byte)
{
	while (from < end && *from == byte)
		from++;
	return from == end;
}

static int log_call(const struct mm_arg_opt *opt, union mm_arg_val value, void *data, int state)
{
	bool is_users = opt >= now.options && opt < now.options + now.num_options, is_completing = state != 0;
	int index = is_users ? (int)(opt - now.options) : MAX_OPTIONS;
	const unsigned char *bytes = (const unsigned char *)&value;

	add(" call %d %d", is_users ? index : -1, state);
	size_t size = add_value(opt, &value, is_completing ? MM_OPT_STR : mm_arg_opt_get_type(opt));

	if (!is_filled(bytes + size, bytes + sizeof(value), 0))
		add("(dirty)");
	if (data != &now)
		add("(data)");
	if (!is_completing)
		return now.results[index];
	if (now.completions[index] != 0)
		printf("from-callback\n");
	return now.completions[index];
}

static void add_stored(void)
{
	for (int i = 0; i < now.num_options; i++) {
		const struct slot *slot = &now.slots[i];
		const unsigned char *end = (const unsigned char *)(slot + 1);
		union mm_arg_val value;
		size_t size = 0;

		if (is_filled(slot->value, end, FILLER))
			continue;
		memcpy(&value, slot->value, sizeof(value));
		add(" stored %d", i);
		size = add_value(&now.options[i], &value, mm_arg_opt_get_type(&now.options[i]));
		if (!is_filled(slot->value + size, end, FILLER))
			add("(overrun)");
	}
}

/* --- running a case ------------------------------------------------------------------------------------------------ */

static void add_end(const char *how, int value)
{
	int number = errno;

	add_stored();
	add(" end %s %d %d %d", how, value, number, mm_get_lasterror_number());
}

static void at_exit(void)
{
	add_end("exit", 0);
}

static int log_path(const char *name, const char *dir, int type, void *data)
{
	const int mode = *(const int *)data;

	add(" path");
	add_string(name);
	add_string(dir);
	add(" %d", type);
	return mode == 4 ? strchr(name, 'a') != NULL : mode - 1;
}

static struct mm_error_state no_error;

static void forget_errors(void)
{
	mm_set_errorstate(&no_error);
	errno = ERRNO_BEFORE;
}

static int call(void)
{
	int result;

	forget_errors();
	switch (now.kind) {
	case 'p':
		result = mm_arg_parse(&now.parser, now.argc, now.argv);
		break;
	case 'o':
		result = mm_arg_optv_parse(now.parser.num_opt, now.parser.optv, now.argc, now.argv);
		break;
	default:
		result = mm_arg_parse_complete(&now.parser, now.argv[0]);
	}
	return result;
}

static void run_in_child(void)
{
	int status = 0;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		if (atexit(at_exit) != 0)
			stop("atexit failed");
		int result = call();

		add_end("return", result);
		fflush(NULL);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		stop("cannot run a child");
	add(" status %d", WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status));
}

static void run_path(void)
{
	char *arg = next_string();
	int mask = 0, mode;

	static const struct {
		char letter;
		int type;
	} types[] = {{'r', MM_DT_REG}, {'d', MM_DT_DIR}, {'l', MM_DT_LNK}, {'f', MM_DT_FIFO}};
	const char *letters = next_field();

	for (int i = 0; i < MM_NELEM(types); i++)
		if (strchr(letters, types[i].letter) != NULL)
			mask |= types[i].type;
	mode = next_number();
	forget_errors();
	int result = mm_arg_complete_path(arg, mask, mode > 0 ? log_path : NULL, &mode);

	add(" end return %d %d %d", result, errno, mm_get_lasterror_number());
	free(arg);
}

static void run_case(void)
{
	char kind = *next_field();

	if (kind == 'f') {
		run_path();
		return;
	}
	read_case(kind);
	if (kind == 'o' || !(now.parser.flags & MM_ARG_PARSER_NOEXIT))
		run_in_child();
	else
		add_end("return", call());
	free_case();
}

/* Adds what was written to a file since the last call. */
static void add_output(const char *name, int fd)
{
	char bytes[4096];
	ssize_t length;
	off_t offset = 0;

	add(" %s =", name);
	while ((length = pread(fd, bytes, sizeof(bytes), offset)) > 0) {
		add_bytes(bytes, (size_t)length);
		offset += length;
	}
	if (length < 0 || ftruncate(fd, 0) != 0)
		stop("cannot read the output");
}

static int redirect(int fd)
{
	FILE *file = tmpfile();

	if (file == NULL || dup2(fileno(file), fd) < 0 || fcntl(fd, F_SETFL, O_APPEND) != 0)
		stop("cannot redirect the output");
	fclose(file);
	return fd;
}

int main(void)
{
	int results = dup(STDOUT_FILENO);

	messages = dup(STDERR_FILENO);
	mm_error_set_flags(MM_ERROR_SET, MM_ERROR_NOLOG);
	mm_save_errorstate(&no_error);
	char *line = NULL;
	size_t size = 0;
	ssize_t length;

	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (results < 0 || messages < 0 || report == MAP_FAILED)
		stop("cannot start");
	redirect(STDOUT_FILENO);
	redirect(STDERR_FILENO);
	while ((length = getline(&line, &size, stdin)) > 0) {
		line[length - 1] = '\0';
		rest_of_line = line;
		report->length = 0;
		run_case();
		fflush(NULL);
		add_output("out", STDOUT_FILENO);
		add_output("err", STDERR_FILENO);
		add("\n");
		for (size_t done = 0; done < report->length;) {
			ssize_t count = write(results, report->text + done, report->length - done);

			if (count <= 0)
				_exit(99);
			done += (size_t)count;
		}
	}
	free(line);
	return 0;
}
