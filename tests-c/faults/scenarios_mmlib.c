/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scenarios_mmlib.c: the functions of libmmlib
 */
#include "scenario.h"

#include <mmargparse.h>
#include <mmdlfcn.h>
#include <mmlib.h>
#include <mmprofile.h>
#include <mmthread.h>
#include <time.h>

/* Functions that return an error number, which they also raise. */
#define TRY_CODE(result, call) (begin_try(), (result) = (call), end_try((result) != 0))

/* --- memory ------------------------------------------------------------------------------------------------------- */

static void allocate_aligned(void)
{
	void *block;

	if (TRY_POINTER(block, mm_aligned_alloc(64, 100)))
		mm_aligned_free(block);
}

static void free_aligned(void)
{
	void *block = mm_aligned_alloc(64, 100);

	TRY_VOID(mm_aligned_free(block));
}

static void allocate_on_heap(void)
{
	void *block;

	if (TRY_POINTER(block, _mm_malloca_on_heap(5000)))
		_mm_freea_on_heap(block);
}

static void free_on_heap(void)
{
	void *block = _mm_malloca_on_heap(5000);

	TRY_VOID(_mm_freea_on_heap(block));
}

/* --- the environment ---------------------------------------------------------------------------------------------- */

#define NAME "MMLIB_FAULTS"

static void get_variable(void)
{
	TRY_VOID((mm_getenv("PATH", NULL), mm_getenv(NAME, NULL)));
}

static void set_variable(enum mm_env_action action, const char *old, const char *expected)
{
	int result;

	require(setenv(NAME, old, 1) == 0);
	if (TRY(result, mm_setenv(NAME, "new", action)))
		require(strcmp(getenv(NAME), expected) == 0);
	else
		require(strcmp(getenv(NAME), old) == 0);
}

static void overwrite_variable(void)
{
	set_variable(MM_ENV_OVERWRITE, "old", "new");
}

static void append_to_variable(void)
{
	set_variable(MM_ENV_APPEND, "old", "old:new");
}

static void unset_variable(void)
{
	int result;

	require(setenv(NAME, "value", 1) == 0);
	if (TRY(result, mm_unsetenv(NAME)))
		require(getenv(NAME) == NULL);
}

static void get_environment(void)
{
	TRY_VOID(mm_get_environ());
}

/* --- base directories --------------------------------------------------------------------------------------------- */

static void use_variables(const char *home, const char *cache)
{
	unsetenv("USERPROFILE");
	require(home == NULL ? unsetenv("HOME") == 0 : setenv("HOME", home, 1) == 0);
	require(cache == NULL ? unsetenv("XDG_CACHE_HOME") == 0 : setenv("XDG_CACHE_HOME", cache, 1) == 0);
}

static void get_directory(void)
{
	const char *path;

	use_variables("/h", "/k");
	if (TRY_POINTER(path, mm_get_basedir(MM_CONFIG_HOME)))
		require(strcmp(path, "/h/.config") == 0);
}

static void get_directory_of_user(void)
{
	const char *path;

	use_variables(NULL, NULL);
	if (TRY_POINTER(path, mm_get_basedir(MM_HOME)))
		require(path[0] != '\0');
}

static void get_path(void)
{
	char *path;

	use_variables("/h", NULL);
	if (TRY_POINTER(path, mm_path_from_basedir(MM_CACHE_HOME, "x"))) {
		require(strcmp(path, "/h/.cache/x") == 0);
		/* As free(), but the driver is notified. */
		mm_aligned_free(path);
	}
}

/* --- paths -------------------------------------------------------------------------------------------------------- */

static void split_path(void)
{
	char dst[16];

	TRY_VOID((mm_basename(dst, "/a/b"), mm_dirname(dst, "/a/b")));
}

/* --- dynamic libraries -------------------------------------------------------------------------------------------- */

#define MODULE PROGRAMS_DIR "/module"

static void open_library(const char *path, int flags)
{
	mm_dynlib_t *handle;

	if (TRY_POINTER(handle, mm_dlopen(path, flags)))
		mm_dlclose(handle);
}

static void open_program(void)
{
	open_library(NULL, 0);
}

static void open_with_extension(void)
{
	open_library(MODULE, MM_LD_NOW | MM_LD_APPEND_EXT);
}

static void open_nothing(void)
{
	open_library("/nonexistent/library.so", MM_LD_LAZY);
}

static void find_symbol(void)
{
	mm_dynlib_t *handle = mm_dlopen(MODULE ".so", 0);
	void *symbol;

	require(handle != NULL);
	TRY_POINTER(symbol, mm_dlsym(handle, "module_number"));
	mm_dlclose(handle);
}

static void close_library(void)
{
	mm_dynlib_t *handle = mm_dlopen(MODULE ".so", 0);

	require(handle != NULL);
	TRY_VOID(mm_dlclose(handle));
}

static void get_extension(void)
{
	TRY_VOID(mm_dl_fileext());
}

/* --- threads ------------------------------------------------------------------------------------------------------ */

static void init_mutex(int flags)
{
	mm_thr_mutex_t mutex;
	int result;

	if (TRY_CODE(result, mm_thr_mutex_init(&mutex, flags)))
		require(mm_thr_mutex_deinit(&mutex) == 0);
}

static void init_private_mutex(void)
{
	init_mutex(0);
}

static void init_shared_mutex(void)
{
	init_mutex(MM_THR_PSHARED);
}

/* Functions that return what the C library returns, and raise nothing. */
static void use_mutex(void)
{
	mm_thr_mutex_t mutex = MM_THR_MUTEX_INITIALIZER;

	TRY_VOID((mm_thr_mutex_lock(&mutex), mm_thr_mutex_trylock(&mutex), mm_thr_mutex_consistent(&mutex),
	          mm_thr_mutex_unlock(&mutex), mm_thr_mutex_deinit(&mutex)));
}

static void init_cond(void)
{
	mm_thr_cond_t cond;
	int result;

	if (TRY_CODE(result, mm_thr_cond_init(&cond, MM_THR_PSHARED | MM_THR_WAIT_MONOTONIC)))
		require(mm_thr_cond_deinit(&cond) == 0);
}

static mm_thr_cond_t cond = MM_THR_COND_INITIALIZER;
static mm_thr_mutex_t mutex = MM_THR_MUTEX_INITIALIZER;
static bool is_signalled;

static void *signal_cond(void *arg)
{
	pthread_mutex_lock(&mutex);
	is_signalled = true;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void use_cond(void)
{
	struct mm_timespec past = {.tv_sec = 1};
	pthread_t thread;

	is_signalled = false;
	require(pthread_mutex_lock(&mutex) == 0 && pthread_create(&thread, NULL, signal_cond, NULL) == 0);
	begin_try();
	while (!is_signalled)
		mm_thr_cond_wait(&cond, &mutex);
	mm_thr_cond_timedwait(&cond, &mutex, &past);
	mm_thr_cond_signal(&cond);
	mm_thr_cond_broadcast(&cond);
	mm_thr_cond_deinit(&cond);
	end_try(false);
	require(pthread_mutex_unlock(&mutex) == 0 && pthread_join(thread, NULL) == 0);
}

static void do_nothing(void)
{
}

static void call_once(void)
{
	mm_thr_once_t once = MM_THR_ONCE_INIT;

	TRY_VOID(mm_thr_once(&once, do_nothing));
}

static void *return_argument(void *arg)
{
	return arg;
}

static void create_thread(void)
{
	mm_thread_t thread;
	int result;

	if (TRY_CODE(result, mm_thr_create(&thread, return_argument, NULL)))
		require(pthread_join(thread, NULL) == 0);
}

static void join_thread(void)
{
	pthread_t thread;
	int result;

	require(pthread_create(&thread, NULL, return_argument, NULL) == 0);
	if (!TRY_CODE(result, mm_thr_join(thread, NULL)))
		require(pthread_join(thread, NULL) == 0);
}

static void detach_thread(void)
{
	pthread_t thread;
	int result;

	require(pthread_create(&thread, NULL, return_argument, NULL) == 0);
	if (!TRY_CODE(result, mm_thr_detach(thread)))
		require(pthread_join(thread, NULL) == 0);
}

static void get_thread(void)
{
	TRY_VOID(mm_thr_self());
}

/* --- output ------------------------------------------------------------------------------------------------------- */

/* What is printed is discarded. Both streams are the same for the functions. */
static int copies[2];

static void discard_output(void)
{
	int nowhere = open("/dev/null", O_WRONLY);

	for (int i = 0; i < 2; i++) {
		copies[i] = dup(i + 1);
		require(nowhere >= 0 && copies[i] >= 0 && dup2(nowhere, i + 1) == i + 1);
	}
	require(close(nowhere) == 0);
}

static void restore_output(void)
{
	fflush(stdout);
	fflush(stderr);
	for (int i = 0; i < 2; i++)
		require(dup2(copies[i], i + 1) == i + 1 && close(copies[i]) == 0);
}

/* --- profiling ---------------------------------------------------------------------------------------------------- */

static void measure(void)
{
	mm_profile_reset(PROF_RESET_CPUCLOCK);
	TRY_VOID((mm_tic(), mm_toc(), mm_toc_label("label"), mm_tic(), mm_profile_get_data(1, PROF_MEAN)));
}

static void reset_profile(void)
{
	TRY_VOID(mm_profile_reset(0));
}

static void print_profile(void)
{
	int fd, result;

	mm_profile_reset(0);
	mm_tic();
	mm_toc_label("label");
	mm_tic();
	fd = open("profile", O_WRONLY | O_CREAT | O_TRUNC, 0666);
	require(fd >= 0);
	TRY(result, mm_profile_print(PROF_DEFAULT, fd));
	require(close(fd) == 0);
}

/* --- arguments ---------------------------------------------------------------------------------------------------- */

static void parse(int flags, int argc, char **argv)
{
	static const char *text;
	static int number;
	static const struct mm_arg_opt options[] = {
		{"n|number", MM_OPT_NEEDINT, "3", {.iptr = &number}, "a number @NUM of things"},
		{"text", MM_OPT_OPTSTR, "default", {.sptr = &text}, "a text"},
		{"file", MM_OPT_NEEDFILE, NULL, {.sptr = &text}, "a file"},
	};
	struct mm_arg_parser parser = {
		.flags = MM_ARG_PARSER_NOEXIT | flags,
		.optv = options,
		.num_opt = MM_NELEM(options),
		.doc = "A description.",
		.execname = "program",
	};

	discard_output();
	TRY_VOID((errno = 0, mm_arg_parse(&parser, argc, argv), mm_arg_parse_complete(&parser, "--")));
	restore_output();
}

static void parse_values(void)
{
	parse(0, 4, (char *[]){"program", "-n", "5", "--text=x", NULL});
}

static void parse_bad_value(void)
{
	parse(0, 3, (char *[]){"program", "-n", "five", NULL});
}

static void print_help(void)
{
	parse(0, 2, (char *[]){"program", "--help", NULL});
}

static void complete_value(void)
{
	make_file("file", 10);
	parse(MM_ARG_PARSER_COMPLETION, 3, (char *[]){"program", "--file", "f", NULL});
}

static void parse_options(void)
{
	TRY_VOID(mm_arg_optv_parse(0, NULL, 2, (char *[]){"program", "word", NULL}));
}

static void complete_path(const char *path)
{
	int result;

	make_file("file", 10);
	require(symlink("file", "flink") == 0);
	discard_output();
	TRY(result, mm_arg_complete_path(path, MM_DT_REG, NULL, NULL));
	restore_output();
}

static void complete_name(void)
{
	complete_path("f");
}

static void complete_name_in_directory(void)
{
	complete_path("./f");
}

static void ask_for_completion(void)
{
	TRY_VOID(mm_arg_is_completing());
}

/* The five paths, and the memory in which each is published. */
#define KEEPS_DIRECTORIES .keeps = 10, .reason = "the base directories, which are valid until the process ends"

const struct scenario mmlib_scenarios[] = {
	{"mm_aligned_alloc", "block", allocate_aligned},
	{"mm_aligned_free", "block", free_aligned},
	{"_mm_malloca_on_heap", "block", allocate_on_heap},
	{"_mm_freea_on_heap", "block", free_on_heap},
	{"mm_getenv", "both", get_variable},
	{"mm_setenv", "overwrite", overwrite_variable},
	{"mm_setenv", "append", append_to_variable},
	{"mm_unsetenv", "exists", unset_variable},
	{"mm_get_environ", "all", get_environment},
	{"mm_get_basedir", "variables", get_directory, KEEPS_DIRECTORIES},
	{"mm_get_basedir", "user", get_directory_of_user, .may_lack = MM_ENOTFOUND, KEEPS_DIRECTORIES},
	{"mm_path_from_basedir", "variables", get_path, KEEPS_DIRECTORIES},
	{"mm_basename", "both", split_path},
	{"mm_dirname", "both", split_path},
	{"mm_dlopen", "program", open_program},
	{"mm_dlopen", "extension", open_with_extension},
	{"mm_dlopen", "nothing", open_nothing, .ends_with = ELIBEXEC},
	{"mm_dlsym", "data", find_symbol},
	{"mm_dlclose", "library", close_library},
	{"mm_dl_fileext", "text", get_extension},
	{"mm_thr_mutex_init", "private", init_private_mutex},
	{"mm_thr_mutex_init", "shared", init_shared_mutex},
	{"mm_thr_mutex_lock", "all", use_mutex},
	{"mm_thr_mutex_trylock", "all", use_mutex},
	{"mm_thr_mutex_consistent", "all", use_mutex},
	{"mm_thr_mutex_unlock", "all", use_mutex},
	{"mm_thr_mutex_deinit", "all", use_mutex},
	{"mm_thr_cond_init", "shared", init_cond},
	{"mm_thr_cond_wait", "all", use_cond},
	{"mm_thr_cond_timedwait", "all", use_cond},
	{"mm_thr_cond_signal", "all", use_cond},
	{"mm_thr_cond_broadcast", "all", use_cond},
	{"mm_thr_cond_deinit", "all", use_cond},
	{"mm_thr_once", "routine", call_once},
	{"mm_thr_create", "thread", create_thread},
	{"mm_thr_join", "thread", join_thread},
	{"mm_thr_detach", "thread", detach_thread},
	{"mm_thr_self", "thread", get_thread},
	{"mm_arg_parse", "values", parse_values},
	{"mm_arg_parse", "bad", parse_bad_value},
	{"mm_arg_parse", "help", print_help},
	{"mm_arg_parse", "complete", complete_value},
	{"mm_arg_optv_parse", "word", parse_options},
	{"mm_arg_parse_complete", "options", print_help},
	{"mm_arg_complete_path", "name", complete_name, .raised_by = "mm_opendir"},
	{"mm_arg_complete_path", "directory", complete_name_in_directory, .raised_by = "mm_opendir"},
	{"mm_arg_is_completing", "flag", ask_for_completion},
	{"mm_tic", "all", measure},
	{"mm_toc", "all", measure},
	{"mm_toc_label", "all", measure},
	{"mm_profile_reset", "clock", reset_profile},
	{"mm_profile_get_data", "all", measure},
	{"mm_profile_print", "table", print_profile, .raised_by = "mm_write"},
	{NULL},
};
