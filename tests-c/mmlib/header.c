/* SPDX-License-Identifier: Apache-2.0 */
/*
 * header.c: the headers of libmmlib declare the same functions as mmlib's, and their structures have the same layout
 *
 * Every function is declared again here with mmlib's prototype: a difference causes a compile error. The tests check the
 * values of constants.
 */
#include "suite.h"

#include "../abi/layout.h"

#include <mmargparse.h>
#include <mmdlfcn.h>
#include <mmlib.h>
#include <mmprofile.h>
#include <mmthread.h>
#include <strings.h>

#define SAME_TYPE(type, other) LAYOUT(_Generic((type *)NULL, other * : 1, default : 0))

/* mmlib.h */
void *mm_aligned_alloc(size_t alignment, size_t size);
void mm_aligned_free(void *ptr);
void *_mm_malloca_on_heap(size_t size);
void _mm_freea_on_heap(void *ptr);
const char *mm_getenv(const char *name, const char *default_value);
int mm_setenv(const char *name, const char *value, int action);
int mm_unsetenv(const char *name);
char const *const *mm_get_environ(void);
const char *mm_get_basedir(enum mm_known_dir dirtype);
char *mm_path_from_basedir(enum mm_known_dir dirtype, const char *suffix);
int mm_basename(char *dst, const char *path);
int mm_dirname(char *dst, const char *path);
LAYOUT(sizeof(enum mm_known_dir) == 4 && sizeof(enum mm_env_action) == 4);

/* mmthread.h: programs pass the objects to functions of pthread.h too. */
int mm_thr_mutex_init(mm_thr_mutex_t *mutex, int flags);
int mm_thr_mutex_lock(mm_thr_mutex_t *mutex);
int mm_thr_mutex_trylock(mm_thr_mutex_t *mutex);
int mm_thr_mutex_consistent(mm_thr_mutex_t *mutex);
int mm_thr_mutex_unlock(mm_thr_mutex_t *mutex);
int mm_thr_mutex_deinit(mm_thr_mutex_t *mutex);
int mm_thr_cond_init(mm_thr_cond_t *cond, int flags);
int mm_thr_cond_wait(mm_thr_cond_t *cond, mm_thr_mutex_t *mutex);
int mm_thr_cond_timedwait(mm_thr_cond_t *cond, mm_thr_mutex_t *mutex, const struct mm_timespec *abstime);
int mm_thr_cond_signal(mm_thr_cond_t *cond);
int mm_thr_cond_broadcast(mm_thr_cond_t *cond);
int mm_thr_cond_deinit(mm_thr_cond_t *cond);
int mm_thr_once(mm_thr_once_t *once, void (*once_routine)(void));
int mm_thr_create(mm_thread_t *thread, void *(*proc)(void *), void *arg);
int mm_thr_join(mm_thread_t thread, void **value_ptr);
int mm_thr_detach(mm_thread_t thread);
mm_thread_t mm_thr_self(void);
SAME_TYPE(mm_thr_mutex_t, pthread_mutex_t);
SAME_TYPE(mm_thr_cond_t, pthread_cond_t);
SAME_TYPE(mm_thr_once_t, pthread_once_t);
SAME_TYPE(mm_thread_t, pthread_t);

/* mmargparse.h */
int mm_arg_parse(const struct mm_arg_parser *parser, int argc, char *argv[]);
int mm_arg_optv_parse(int optn, const struct mm_arg_opt *optv, int argc, char *argv[]);
int mm_arg_parse_complete(const struct mm_arg_parser *parser, const char *arg);
int mm_arg_complete_path(const char *arg, int type_mask, mm_arg_complete_path_cb cb, void *cb_data);
int mm_arg_is_completing(void);
typedef int (*option_callback)(const struct mm_arg_opt *opt, union mm_arg_val value, void *data, int state);
typedef int (*path_callback)(const char *name, const char *dir, int type, void *data);
SAME_TYPE(mm_arg_callback, option_callback);
SAME_TYPE(mm_arg_complete_path_cb, path_callback);

/* Each member follows the one before it, with the padding of the machine. */
enum { POINTER = sizeof(void *), PAIR = 2 * sizeof(int) };
LAYOUT(sizeof(union mm_arg_val) == sizeof(long long) &&
       _Alignof(union mm_arg_val) == _Alignof(union { long long ll; }));
LAYOUT(sizeof(struct mm_arg_opt) == 5 * POINTER);
AT(mm_arg_opt, name, 0);
AT(mm_arg_opt, flags, POINTER);
AT(mm_arg_opt, defval, 2 * POINTER);
AT(mm_arg_opt, val, 3 * POINTER);
AT(mm_arg_opt, desc, 4 * POINTER);
LAYOUT(sizeof(struct mm_arg_parser) == PAIR + 6 * POINTER);
AT(mm_arg_parser, flags, 0);
AT(mm_arg_parser, num_opt, sizeof(int));
AT(mm_arg_parser, optv, PAIR);
AT(mm_arg_parser, doc, PAIR + POINTER);
AT(mm_arg_parser, args_doc, PAIR + 2 * POINTER);
AT(mm_arg_parser, execname, PAIR + 3 * POINTER);
AT(mm_arg_parser, cb_data, PAIR + 4 * POINTER);
AT(mm_arg_parser, cb, PAIR + 5 * POINTER);

/* mmdlfcn.h */
mm_dynlib_t *mm_dlopen(const char *path, int flags);
void mm_dlclose(mm_dynlib_t *handle);
void *mm_dlsym(mm_dynlib_t *handle, const char *symbol);
const char *mm_dl_fileext(void);
SAME_TYPE(mm_dynlib_t, struct mm_dynlib);

/* mmprofile.h */
void mm_tic(void);
void mm_toc(void);
void mm_toc_label(const char *label);
int mm_profile_print(int mask, int fd);
void mm_profile_reset(int reset_flags);
int64_t mm_profile_get_data(int measure_point, int type);

START_TEST(constants_of_memory_environment_and_directories_match_mmlib)
{
	ck_assert_int_eq(MM_STACK_ALLOC_THRESHOLD, 2048);
#ifdef __BIGGEST_ALIGNMENT__
	ck_assert_int_eq(MM_STK_ALIGN, __BIGGEST_ALIGNMENT__);
#else
	ck_assert_int_eq(MM_STK_ALIGN, 16);
#endif
	ck_assert_int_eq(MM_HOME, 0);
	ck_assert_int_eq(MM_DATA_HOME, 1);
	ck_assert_int_eq(MM_CONFIG_HOME, 2);
	ck_assert_int_eq(MM_CACHE_HOME, 3);
	ck_assert_int_eq(MM_RUNTIME_DIR, 4);
	ck_assert_int_eq(MM_NUM_DIRTYPE, 5);
	ck_assert_int_eq(MM_ENV_PRESERVE, 0);
	ck_assert_int_eq(MM_ENV_OVERWRITE, 1);
	ck_assert_int_eq(MM_ENV_PREPEND, 2);
	ck_assert_int_eq(MM_ENV_APPEND, 3);
	ck_assert_int_eq(MM_ENV_MAX, 4);
	ck_assert_ptr_eq(mm_strcasecmp, strcasecmp);
}
END_TEST

START_TEST(constants_of_threads_match_mmlib)
{
	static const mm_thr_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, current = MM_THR_MUTEX_INITIALIZER,
				    deprecated = MM_THR_MTX_INITIALIZER;
	static const mm_thr_cond_t cond = PTHREAD_COND_INITIALIZER, initialised = MM_THR_COND_INITIALIZER;

	ck_assert_int_eq(MM_THR_PSHARED, 1);
	ck_assert_int_eq(MM_THR_WAIT_MONOTONIC, 2);
	ck_assert_int_eq(MM_THR_ONCE_INIT, PTHREAD_ONCE_INIT);
	ck_assert_mem_eq(&current, &mutex, sizeof(mutex));
	ck_assert_mem_eq(&deprecated, &mutex, sizeof(mutex));
	ck_assert_mem_eq(&initialised, &cond, sizeof(cond));
}
END_TEST

START_TEST(flags_of_options_match_mmlib)
{
	static const int flags[][2] = {
		{MM_OPT_NOVAL, 0},        {MM_OPT_OPTVAL, 1},        {MM_OPT_NEEDVAL, 2},     {MM_OPT_REQMASK, 3},
		{MM_OPT_FILEPATH, 0x100}, {MM_OPT_DIRPATH, 0x200},   {MM_OPT_STR, 0},         {MM_OPT_INT, 0x10},
		{MM_OPT_LLONG, 0x20},     {MM_OPT_UINT, 0x90},       {MM_OPT_ULLONG, 0xA0},   {MM_OPT_TYPEMASK, 0xF0},
		{MM_OPT_OPTSTR, 1},       {MM_OPT_NEEDSTR, 2},       {MM_OPT_OPTINT, 0x11},   {MM_OPT_NEEDINT, 0x12},
		{MM_OPT_OPTLLONG, 0x21},  {MM_OPT_NEEDLLONG, 0x22},  {MM_OPT_OPTUINT, 0x91},  {MM_OPT_NEEDUINT, 0x92},
		{MM_OPT_OPTULLONG, 0xA1}, {MM_OPT_NEEDULLONG, 0xA2}, {MM_OPT_OPTFILE, 0x101}, {MM_OPT_NEEDFILE, 0x102},
		{MM_OPT_OPTDIR, 0x201},   {MM_OPT_NEEDDIR, 0x202},
	};

	for (int i = 0; i < MM_NELEM(flags); i++)
		ck_assert_msg(flags[i][0] == flags[i][1], "flag %d is %#x, not %#x", i, (unsigned int)flags[i][0],
		              (unsigned int)flags[i][1]);
}
END_TEST

START_TEST(other_constants_of_the_argument_parser_match_mmlib)
{
	ck_assert_int_eq(MM_ARG_OPT_COMPLETION, 1);
	ck_assert_int_eq(MM_ARGPARSE_ERROR, -1);
	ck_assert_int_eq(MM_ARGPARSE_STOP, -2);
	ck_assert_int_eq(MM_ARGPARSE_COMPLETE, -3);
	ck_assert_int_eq(MM_ARG_PARSER_NOEXIT, 1);
	ck_assert_int_eq(MM_ARG_PARSER_COMPLETION, 2);
}
END_TEST

START_TEST(constants_of_dynamic_libraries_and_profiling_match_mmlib)
{
	ck_assert_int_eq(MM_LD_LAZY, 1);
	ck_assert_int_eq(MM_LD_NOW, 2);
	ck_assert_int_eq(MM_LD_APPEND_EXT, 4);
	ck_assert_int_eq(PROF_CURR, 1);
	ck_assert_int_eq(PROF_MIN, 2);
	ck_assert_int_eq(PROF_MAX, 4);
	ck_assert_int_eq(PROF_MEAN, 8);
	ck_assert_int_eq(PROF_MEDIAN, 0x10);
	ck_assert_int_eq(PROF_DEFAULT, 0x1E);
	ck_assert_int_eq(PROF_FORCE_NSEC, 0x100);
	ck_assert_int_eq(PROF_FORCE_USEC, 0x200);
	ck_assert_int_eq(PROF_FORCE_MSEC, 0x300);
	ck_assert_int_eq(PROF_FORCE_SEC, 0x400);
	ck_assert_int_eq(PROF_RESET_CPUCLOCK, 1);
	ck_assert_int_eq(PROF_RESET_KEEPLABEL, 2);
}
END_TEST

SUITE(constants_of_memory_environment_and_directories_match_mmlib, constants_of_threads_match_mmlib,
      flags_of_options_match_mmlib, other_constants_of_the_argument_parser_match_mmlib,
      constants_of_dynamic_libraries_and_profiling_match_mmlib)
