/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dlfcn.c: dynamic libraries
 */
#include "suite.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <mmdlfcn.h>

#define MODULE PROGRAMS_DIR "/module"
#define INCOMPLETE PROGRAMS_DIR "/incomplete.so"

static mm_dynlib_t *open_library(const char *path, int flags)
{
	suite_forget_error();
	mm_dynlib_t *handle = mm_dlopen(path, flags);

	ck_assert_msg(handle != NULL, "%s", mm_get_lasterror_desc());
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
	return handle;
}

static void *symbol(mm_dynlib_t *handle, const char *name)
{
	suite_forget_error();
	void *address = mm_dlsym(handle, name);

	ck_assert_msg(address != NULL, "%s", mm_get_lasterror_desc());
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
	return address;
}

/* Whether the library is loaded. The C library of musl never unloads. */
static bool is_loaded(const char *path)
{
	void *handle = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);

	if (handle != NULL)
		dlclose(handle);
	return handle != NULL;
}

static void copy_file(const char *from, const char *to)
{
	ck_assert_msg(mm_copy(from, to, 0, 0755) == 0, "%s", mm_get_lasterror_desc());
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

START_TEST(flags_have_the_numbers_of_mmlib)
{
	ck_assert_int_eq(MM_LD_LAZY, 1);
	ck_assert_int_eq(MM_LD_NOW, 2);
	ck_assert_int_eq(MM_LD_APPEND_EXT, 4);
}
END_TEST

START_TEST(library_is_opened_with_and_without_its_extension)
{
	static const int modes[] = {0, MM_LD_LAZY, MM_LD_NOW, ~(MM_LD_LAZY | MM_LD_NOW | MM_LD_APPEND_EXT),
	                            MM_LD_NOW | 0x7ffffff0};

	for (int i = 0; i < MM_NELEM(modes); i++) {
		mm_dynlib_t *handle = open_library(MODULE ".so", modes[i]);
		mm_dynlib_t *same = open_library(MODULE, modes[i] | MM_LD_APPEND_EXT);

		ck_assert_ptr_eq(handle, same);
		mm_dlclose(same);
		mm_dlclose(handle);
	}
}
END_TEST

START_TEST(extension_is_always_appended)
{
	enter_scratch_directory();
	copy_file(MODULE ".so", "library.so.so");
	mm_dlclose(open_library("./library.so", MM_LD_APPEND_EXT));
	assert_fails_with_null(mm_dlopen("./library.so", 0), ELIBEXEC);
	assert_fails_with_null(mm_dlopen("./library", MM_LD_APPEND_EXT), ELIBEXEC);
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), "\"./library.so\""));
	leave_scratch_directory();
}
END_TEST

START_TEST(data_and_functions_are_shared_with_the_library)
{
	mm_dynlib_t *handle = open_library(MODULE, MM_LD_APPEND_EXT);
	int *number = symbol(handle, "module_number");
	const char **text = symbol(handle, "module_text");
	const struct {
		int size;
		int (*add)(int);
	} *functions = symbol(handle, "module_functions");

	ck_assert_int_eq(*number, 42);
	ck_assert_str_eq(*text, "text of the module");
	ck_assert_int_eq(functions->size, 1);
	ck_assert_int_eq(functions->add(8), 50);
	ck_assert_int_eq(*number, 50);
	*number = 1;
	ck_assert_int_eq(functions->add(1), 2);
	mm_dlclose(handle);
}
END_TEST

START_TEST(functions_are_resolved_lazily_unless_now_is_set)
{
	static const int modes[] = {0, MM_LD_LAZY};

	assert_fails_with_null(mm_dlopen(INCOMPLETE, MM_LD_NOW), ELIBEXEC);
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), "function_that_nobody_defines"));
	/* LD_BIND_NOW overrides the mode; valgrind sets it. */
	if (getenv("LD_BIND_NOW") != NULL)
		return;
	for (int i = 0; i < MM_NELEM(modes); i++) {
		mm_dynlib_t *handle = open_library(INCOMPLETE, modes[i]);

		ck_assert_int_eq(*(int *)symbol(handle, "incomplete_number"), 7);
		mm_dlclose(handle);
	}
}
END_TEST

START_TEST(lazy_and_now_exclude_each_other)
{
	static const char *const paths[] = {NULL, "", MODULE ".so", "/nonexistent"};

	for (int i = 0; i < MM_NELEM(paths); i++) {
		assert_fails_with_null(mm_dlopen(paths[i], MM_LD_LAZY | MM_LD_NOW), EINVAL);
		assert_fails_with_null(mm_dlopen(paths[i], MM_LD_LAZY | MM_LD_NOW | MM_LD_APPEND_EXT), EINVAL);
		assert_fails_with_null(mm_dlopen(paths[i], -1), EINVAL);
	}
	ck_assert(!is_loaded(MODULE ".so"));
}
END_TEST

START_TEST(null_and_empty_path_open_the_main_program)
{
	static const int flags[] = {0, MM_LD_LAZY, MM_LD_NOW, MM_LD_APPEND_EXT, MM_LD_NOW | MM_LD_APPEND_EXT};
	void *program = dlopen(NULL, RTLD_LAZY);

	for (int i = 0; i < MM_NELEM(flags); i++) {
		mm_dynlib_t *handle = open_library(NULL, flags[i]);

		ck_assert_ptr_eq(handle, program);
		ck_assert_ptr_eq(symbol(handle, "mm_dl_fileext"), dlsym(program, "mm_dl_fileext"));
		ck_assert_ptr_nonnull(symbol(handle, "malloc"));
		mm_dlclose(handle);
	}
	mm_dlclose(open_library(NULL, 0));
	dlclose(program);
#ifdef __GLIBC__
	program = dlopen("", RTLD_LAZY);
	mm_dynlib_t *handle = open_library("", 0);

	ck_assert_ptr_eq(handle, program);
	mm_dlclose(handle);
	dlclose(program);
#endif
	/* With the extension, it is the file ".so". */
	assert_fails_with_null(mm_dlopen("", MM_LD_APPEND_EXT), ELIBEXEC);
}
END_TEST

START_TEST(symbols_of_a_library_are_local)
{
	mm_dynlib_t *handle = open_library(MODULE ".so", MM_LD_NOW), *program = open_library(NULL, 0);

	ck_assert_ptr_null(dlsym(RTLD_DEFAULT, "module_number"));
	assert_fails_with_null(mm_dlsym(program, "module_number"), MM_ENOTFOUND);
	mm_dlclose(program);
	mm_dlclose(handle);
}
END_TEST

START_TEST(what_is_not_a_library_cannot_be_opened)
{
	static const char *const paths[] = {"./missing.so",        "missing-without-slash.so", "./text.so",
	                                    "./empty.so",          "./directory.so",           "./missing/library.so",
	                                    "./text.so/library.so"};
	char expected[1024];

	enter_scratch_directory();
	write_file("text.so",
	           "this is not an ELF file, but it is longer than the header of one: 0123456789 0123456789\n");
	write_file("empty.so", "");
	ck_assert_int_eq(mm_mkdir("directory.so", 0777, 0), 0);
	for (int i = 0; i < MM_NELEM(paths); i++) {
		char without_extension[64];

		ck_assert_ptr_null(dlopen(paths[i], RTLD_LAZY));
		snprintf(expected, sizeof(expected), "%s", dlerror());
		assert_fails_with_null(mm_dlopen(paths[i], 0), ELIBEXEC);
		ck_assert_msg(strstr(mm_get_lasterror_desc(), expected) != NULL, "%s", mm_get_lasterror_desc());
		ck_assert_msg(strstr(mm_get_lasterror_desc(), paths[i]) != NULL, "%s", mm_get_lasterror_desc());
		/* The message has been consumed. */
		ck_assert_ptr_null(dlerror());

		snprintf(without_extension, sizeof(without_extension), "%.*s", (int)strlen(paths[i]) - 3, paths[i]);
		assert_fails_with_null(mm_dlopen(without_extension, MM_LD_NOW | MM_LD_APPEND_EXT), ELIBEXEC);
		ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), paths[i]));
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(paths_of_any_length_and_content_are_reported_on_one_line)
{
	static char path[100001];

	memset(path, 'x', sizeof(path) - 1);
	for (size_t length = 1; length < sizeof(path); length = length < 400 ? length + 37 : length * 7) {
		char last = path[length];

		path[length] = '\0';
		path[0] = '/';
		assert_fails_with_null(mm_dlopen(path, 0), ELIBEXEC);
		assert_fails_with_null(mm_dlopen(path, MM_LD_APPEND_EXT), ELIBEXEC);
		path[length] = last;
	}
	assert_fails_with_null(mm_dlopen("./two\nlines\x1b[2J\xff%s%n", 0), ELIBEXEC);
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), "two\\nlines"));
	for (const char *byte = mm_get_lasterror_desc(); *byte != '\0'; byte++)
		ck_assert_int_ge((unsigned char)*byte, ' ');
}
END_TEST

/* --- closing ------------------------------------------------------------------------------------------------------ */

START_TEST(handles_are_those_of_dlopen)
{
	mm_dynlib_t *handle = open_library(MODULE ".so", MM_LD_LAZY);
	void *own = dlopen(MODULE ".so", RTLD_LAZY);

	ck_assert_ptr_eq(handle, own);
	ck_assert_ptr_eq(symbol(own, "module_number"), dlsym(handle, "module_number"));
	mm_dlclose(own);
	ck_assert_int_eq(dlclose(handle), 0);
#ifdef __GLIBC__
	ck_assert(!is_loaded(MODULE ".so"));
#endif
}
END_TEST

START_TEST(library_is_unloaded_by_the_last_close)
{
	int is_unloaded = 0;
	mm_dynlib_t *handle = open_library(MODULE ".so", 0);

	ck_assert_ptr_eq(open_library(MODULE ".so", 0), handle);
	ck_assert_ptr_eq(open_library(MODULE, MM_LD_APPEND_EXT), handle);
	*(int **)symbol(handle, "module_unloaded") = &is_unloaded;
	suite_forget_error();
	mm_dlclose(handle);
	mm_dlclose(handle);
	ck_assert(is_loaded(MODULE ".so"));
	ck_assert_int_eq(is_unloaded, 0);
	mm_dlclose(handle);
#ifdef __GLIBC__
	ck_assert(!is_loaded(MODULE ".so"));
	ck_assert_int_eq(is_unloaded, 1);
#endif
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
}
END_TEST

START_TEST(close_accepts_null)
{
	suite_forget_error();
	errno = ENOENT;
	mm_dlclose(NULL);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
}
END_TEST

/* --- symbols ------------------------------------------------------------------------------------------------------ */

START_TEST(null_handle_or_symbol_is_invalid)
{
	mm_dynlib_t *handle = open_library(MODULE ".so", 0);

	assert_fails_with_null(mm_dlsym(NULL, "module_number"), EINVAL);
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), "handle"));
	assert_fails_with_null(mm_dlsym(handle, NULL), EINVAL);
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), "symbol"));
	assert_fails_with_null(mm_dlsym(NULL, NULL), EINVAL);
	mm_dlclose(handle);
}
END_TEST

START_TEST(unknown_symbols_are_not_found)
{
	static const char *const names[] = {"module_nothing", "", "module_number ", "add_to_number", "a\nb"};
	mm_dynlib_t *handle = open_library(MODULE ".so", 0);

	for (int i = 0; i < MM_NELEM(names); i++) {
		assert_fails_with_null(mm_dlsym(handle, names[i]), MM_ENOTFOUND);
		ck_assert_ptr_null(strchr(mm_get_lasterror_desc(), '\n'));
		ck_assert_ptr_null(dlerror());
	}
	assert_fails_with_null(mm_dlsym(handle, "module_nothing"), MM_ENOTFOUND);
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), "\"module_nothing\""));
	mm_dlclose(handle);
}
END_TEST

START_TEST(symbol_at_null_is_not_found)
{
	mm_dynlib_t *handle = open_library(MODULE ".so", 0);

	/* The message of an earlier failure is not that of the symbol. */
	ck_assert_ptr_null(dlopen("/nonexistent-library", RTLD_LAZY));
	assert_fails_with_null(mm_dlsym(handle, "module_null"), MM_ENOTFOUND);
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), "module_null"));
	ck_assert_ptr_null(strstr(mm_get_lasterror_desc(), "nonexistent-library"));
	mm_dlclose(handle);
}
END_TEST

START_TEST(symbols_of_dependencies_are_found)
{
	mm_dynlib_t *handle = open_library(MODULE ".so", 0);

	ck_assert_ptr_eq(symbol(handle, "getenv"), dlsym(handle, "getenv"));
	mm_dlclose(handle);
}
END_TEST

START_TEST(extension_is_so)
{
	ck_assert_str_eq(mm_dl_fileext(), ".so");
	ck_assert_ptr_eq(mm_dl_fileext(), mm_dl_fileext());
}
END_TEST

/* --- constructors and threads ------------------------------------------------------------------------------------- */

static void *open_module(void *path)
{
	return mm_dlopen(path, strcmp(path, MODULE) == 0 ? MM_LD_APPEND_EXT : 0);
}

static int end_thread_in_constructor(void *path)
{
	setenv("MODULE_ENDS_THREAD", "1", 1);
	alarm(60);
	int *number = join_thread(start_thread(open_module, path));

	/* The value is that of the constructor: the address of a variable of the library, which stays loaded. */
	ck_assert_int_eq(*number, 42);
	return 0;
}

START_TEST(constructor_can_end_the_thread)
{
	/* At exit, it calls a function of the C library that needs the dynamic linker, which the thread has locked. */
	if (is_under_valgrind())
		return;
	assert_child_succeeds(start_child(end_thread_in_constructor, MODULE ".so"));
	assert_child_succeeds(start_child(end_thread_in_constructor, MODULE));
}
END_TEST

static void *open_and_close(void *arg)
{
	for (int i = 0; i < 200; i++) {
		mm_dynlib_t *handle = mm_dlopen(MODULE, MM_LD_APPEND_EXT);
		char name[32], path[64];

		if (handle == NULL || mm_dlsym(handle, "module_functions") == NULL)
			return "cannot open";
		snprintf(name, sizeof(name), "nothing_of_%p", arg);
		snprintf(path, sizeof(path), "/nonexistent-%p", arg);
		if (mm_dlsym(handle, name) != NULL || strstr(mm_get_lasterror_desc(), name) == NULL)
			return "another thread's symbol";
		if (mm_dlopen(path, 0) != NULL || strstr(mm_get_lasterror_desc(), path) == NULL)
			return "another thread's path";
		mm_dlclose(handle);
	}
	return NULL;
}

START_TEST(threads_open_and_close_concurrently)
{
	pthread_t threads[4];

	for (int i = 0; i < MM_NELEM(threads); i++)
		threads[i] = start_thread(open_and_close, &threads[i]);
	for (int i = 0; i < MM_NELEM(threads); i++)
		ck_assert_pstr_eq(join_thread(threads[i]), NULL);
}
END_TEST

SUITE(flags_have_the_numbers_of_mmlib, library_is_opened_with_and_without_its_extension, extension_is_always_appended,
      data_and_functions_are_shared_with_the_library, functions_are_resolved_lazily_unless_now_is_set,
      lazy_and_now_exclude_each_other, null_and_empty_path_open_the_main_program, symbols_of_a_library_are_local,
      what_is_not_a_library_cannot_be_opened, paths_of_any_length_and_content_are_reported_on_one_line,
      handles_are_those_of_dlopen, library_is_unloaded_by_the_last_close, close_accepts_null,
      null_handle_or_symbol_is_invalid, unknown_symbols_are_not_found, symbol_at_null_is_not_found,
      symbols_of_dependencies_are_found, extension_is_so, constructor_can_end_the_thread,
      threads_open_and_close_concurrently)
