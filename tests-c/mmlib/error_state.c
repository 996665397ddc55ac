/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error_state.c: the functions of libmmlib use the error state, the flags and the log of libmmsysio
 */
#include "stderr.h"

#include <mmdlfcn.h>
#include <mmlib.h>

#define MISSING "/nonexistent/library.so"

/* --- failures and successes of libmmlib --------------------------------------------------------------------------- */

static const void *fail_to_open(void)
{
	return mm_dlopen(MISSING, MM_LD_LAZY);
}

static const void *fail_to_find_a_symbol(void)
{
	mm_dynlib_t *program = mm_dlopen(NULL, MM_LD_LAZY);
	const void *symbol = mm_dlsym(program, "symbol_that_nobody_defines");
	int errno_now = errno;

	mm_dlclose(program);
	errno = errno_now;
	return symbol;
}

static const void *fail_to_get_a_directory(void)
{
	return mm_get_basedir(MM_NUM_DIRTYPE);
}

static const void *fail_to_get_a_path(void)
{
	return mm_path_from_basedir(MM_CONFIG_HOME, NULL);
}

static const void *fail_to_set_a_variable(void)
{
	return mm_setenv("a=b", "value", MM_ENV_OVERWRITE) == -1 ? NULL : "";
}

static const void *fail_to_remove_a_variable(void)
{
	return mm_unsetenv("") == -1 ? NULL : "";
}

static const void *fail_to_allocate(void)
{
	/* So large that the allocator is not called: that of a sanitizer would stop the program. */
	volatile size_t size = SIZE_MAX;

	return _mm_malloca_on_heap(size);
}

static const struct failure {
	const void *(*run)(void);
	const char *function;
	int number;
	const char *part_of_description;
} failures[] = {
	{fail_to_open, "mm_dlopen", ELIBEXEC, MISSING},
	{fail_to_find_a_symbol, "mm_dlsym", MM_ENOTFOUND, "symbol_that_nobody_defines"},
	{fail_to_get_a_directory, "mm_get_basedir", EINVAL, "5"},
	{fail_to_get_a_path, "mm_path_from_basedir", EINVAL, "suffix"},
	{fail_to_set_a_variable, "mm_setenv", EINVAL, "a=b"},
	{fail_to_remove_a_variable, "mm_unsetenv", EINVAL, "\"\""},
	{fail_to_allocate, "_mm_malloca_on_heap", ENOMEM, "bytes"},
};

#define FOR_EACH_FAILURE \
	for (const struct failure *failure = failures; failure < failures + MM_NELEM(failures); failure++)

/* What the functions of mmerrno.h report is the failure. */
static void assert_state_has(const struct failure *failure)
{
	char location[128];

	ck_assert_int_eq(mm_get_lasterror_number(), failure->number);
	ck_assert_str_eq(mm_get_lasterror_module(), "mmlib");
	ck_assert_msg(strstr(mm_get_lasterror_desc(), failure->part_of_description) != NULL, "%s: %s",
	              failure->function, mm_get_lasterror_desc());
	snprintf(location, sizeof(location), "%s() in mmlib/src/", failure->function);
	ck_assert_msg(strncmp(mm_get_lasterror_location(), location, strlen(location)) == 0, "%s: %s",
	              failure->function, mm_get_lasterror_location());
	ck_assert_ptr_nonnull(strchr(mm_get_lasterror_location(), ':'));
	ck_assert_ptr_null(mm_get_lasterror_extid());
}

static void assert_fails_so(const struct failure *failure)
{
	errno = 0;
	const void *result = failure->run();
	int errno_now = errno;

	ck_assert_msg(result == NULL, "%s succeeded", failure->function);
	ck_assert_msg(errno_now == failure->number, "%s: errno %d", failure->function, errno_now);
}

/* Raises another error, with an identifier, which an error of the library replaces. */
static void raise_marker(void)
{
	mm_raise_error_full(EDOM, "marker", "function", "file.c", 1, "identifier", "marker");
}

static void assert_state_has_marker(const char *what)
{
	ck_assert_msg(mm_get_lasterror_number() == EDOM && strcmp(mm_get_lasterror_desc(), "marker") == 0 &&
	                      strcmp(mm_get_lasterror_extid(), "identifier") == 0,
	              "after %s: %s", what, mm_get_lasterror_desc());
}

/* --- tests -------------------------------------------------------------------------------------------------------- */

START_TEST(failure_is_the_last_error)
{
	FOR_EACH_FAILURE
	{
		raise_marker();
		assert_fails_so(failure);
		assert_state_has(failure);
	}
}
END_TEST

START_TEST(both_libraries_have_one_state)
{
	FOR_EACH_FAILURE
	{
		assert_fails_so(failure);
		assert_state_has(failure);
		assert_fails(mm_unlink("/nonexistent/file"), ENOENT);
		assert_fails_so(failure);
		assert_state_has(failure);
	}
}
END_TEST

START_TEST(success_does_not_change_the_state)
{
	char dst[16];

	/* The first calls, which determine the directories, too. */
	clearenv();
	setenv("HOME", "/h", 1);
	raise_marker();
	errno = 0;
#define assert_keeps_state(call)                \
	do {                                    \
		ck_assert(call);                \
		assert_state_has_marker(#call); \
	} while (0)
	assert_keeps_state(mm_get_basedir(MM_CACHE_HOME) != NULL);
	char *path = mm_path_from_basedir(MM_HOME, "x");

	assert_keeps_state(path != NULL);
	free(path);
	void *block = mm_aligned_alloc(64, 100);

	assert_keeps_state(block != NULL);
	mm_aligned_free(block);
	block = mm_malloca(5000);
	assert_keeps_state(block != NULL);
	mm_freea(block);
	assert_keeps_state(mm_malloca(50) != NULL);
	for (int action = MM_ENV_PRESERVE; action < MM_ENV_MAX; action++)
		assert_keeps_state(mm_setenv("MMLIB_TEST", "x", (enum mm_env_action)action) == 0);
	assert_keeps_state(mm_getenv("MMLIB_TEST", NULL) != NULL);
	assert_keeps_state(mm_getenv(NULL, NULL) == NULL);
	assert_keeps_state(mm_unsetenv("MMLIB_TEST") == 0);
	assert_keeps_state(mm_unsetenv("MMLIB_TEST") == 0);
	assert_keeps_state(mm_get_environ() != NULL);
	assert_keeps_state(mm_basename(dst, "/a/b") == 1);
	assert_keeps_state(mm_dirname(dst, NULL) == 1);
	mm_dynlib_t *program = mm_dlopen(NULL, 0);

	assert_keeps_state(program != NULL);
	assert_keeps_state(mm_dlsym(program, "malloc") != NULL);
	mm_dlclose(program);
	mm_dlclose(NULL);
	assert_keeps_state(mm_dl_fileext() != NULL);
}
END_TEST

START_TEST(failure_is_logged_once)
{
	collect_lines();
	FOR_EACH_FAILURE
	{
		assert_fails_so(failure);
		const char *line = collected();

		ck_assert_msg(strstr(line, "ERROR") != NULL && strstr(line, "mmlib") != NULL, "%s", line);
		ck_assert_msg(strstr(line, failure->function) != NULL, "%s", line);
		ck_assert_msg(strstr(line, failure->part_of_description) != NULL, "%s", line);
		ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
	}
	stop_collecting();
}
END_TEST

START_TEST(nolog_and_maximum_level_suppress_the_log_line)
{
	collect_lines();
	mm_error_set_flags(MM_ERROR_SET, MM_ERROR_NOLOG);
	FOR_EACH_FAILURE
	{
		assert_fails_so(failure);
		assert_state_has(failure);
		ck_assert_str_eq(collected(), "");
	}
	mm_error_set_flags(MM_ERROR_UNSET, MM_ERROR_NOLOG);
	mm_log_set_maxlvl(MM_LOG_FATAL);
	FOR_EACH_FAILURE
	{
		assert_fails_so(failure);
		assert_state_has(failure);
		ck_assert_str_eq(collected(), "");
	}
	mm_log_set_maxlvl(MM_LOG_ERROR);
	assert_fails_so(&failures[0]);
	ck_assert_str_ne(collected(), "");
	stop_collecting();
}
END_TEST

START_TEST(ignored_errors_only_set_errno)
{
	collect_lines();
	mm_error_set_flags(MM_ERROR_SET, MM_ERROR_NOLOG);
	raise_marker();
	mm_error_set_flags(MM_ERROR_SET, MM_ERROR_IGNORE);
	mm_error_set_flags(MM_ERROR_UNSET, MM_ERROR_NOLOG);
	FOR_EACH_FAILURE
	{
		assert_fails_so(failure);
		assert_state_has_marker(failure->function);
		ck_assert_str_eq(collected(), "");
	}
	mm_error_set_flags(MM_ERROR_UNSET, MM_ERROR_IGNORE);
	assert_fails_so(&failures[0]);
	assert_state_has(&failures[0]);
	stop_collecting();
}
END_TEST

static int fail_in_child(void *arg)
{
	const struct failure *failure = arg;

	/* The child has inherited the state. */
	assert_state_has_marker("fork");
	assert_fails_so(failure);
	assert_state_has(failure);
	return 0;
}

START_TEST(children_inherit_a_copy_of_the_state)
{
	FOR_EACH_FAILURE
	{
		raise_marker();
		assert_child_succeeds(start_child(fail_in_child, (void *)(uintptr_t)failure));
		assert_state_has_marker(failure->function);
	}
}
END_TEST

struct message {
	const struct failure *failure;
	int fds[2];
};

static int send_state(void *arg)
{
	const struct message *message = arg;
	struct mm_error_state state;

	assert_fails_so(message->failure);
	ck_assert_int_eq(mm_save_errorstate(&state), 0);
	ck_assert_int_eq(write(message->fds[1], &state, sizeof(state)), (ssize_t)sizeof(state));
	return 0;
}

START_TEST(state_is_restored_from_another_process)
{
	FOR_EACH_FAILURE
	{
		struct message message = {.failure = failure};
		struct mm_error_state state, before;

		ck_assert_int_eq(pipe(message.fds), 0);
		assert_child_succeeds(start_child(send_state, &message));
		ck_assert_int_eq(read(message.fds[0], &state, sizeof(state)), (ssize_t)sizeof(state));
		raise_marker();
		ck_assert_int_eq(mm_save_errorstate(&before), 0);
		ck_assert_int_eq(mm_set_errorstate(&state), 0);
		assert_state_has(failure);
		ck_assert_int_eq(mm_set_errorstate(&before), 0);
		assert_state_has_marker("the restoration");
		close_all(2, message.fds);
	}
}
END_TEST

static pthread_barrier_t barrier;

static void *fail_in_thread(void *arg)
{
	const struct failure *failure = arg;

	ck_assert_int_eq(mm_get_lasterror_number(), 0);
	for (int i = 0; i < 100; i++) {
		assert_fails_so(failure);
		pthread_barrier_wait(&barrier);
		assert_state_has(failure);
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

START_TEST(threads_have_separate_states)
{
	pthread_t threads[MM_NELEM(failures)];

	raise_marker();
	pthread_barrier_init(&barrier, NULL, MM_NELEM(failures));
	FOR_EACH_FAILURE
	threads[failure - failures] = start_thread(fail_in_thread, (void *)(uintptr_t)failure);
	for (int i = 0; i < MM_NELEM(threads); i++)
		join_thread(threads[i]);
	assert_state_has_marker("failures of other threads");
	pthread_barrier_destroy(&barrier);
}
END_TEST

static void *ignore_errors(void *arg)
{
	(void)arg;
	mm_error_set_flags(MM_ERROR_SET, MM_ERROR_IGNORE);
	assert_fails_so(&failures[0]);
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
	return NULL;
}

START_TEST(flags_are_those_of_the_thread)
{
	join_thread(start_thread(ignore_errors, NULL));
	assert_fails_so(&failures[0]);
	assert_state_has(&failures[0]);
}
END_TEST

SUITE(failure_is_the_last_error, both_libraries_have_one_state, success_does_not_change_the_state,
      failure_is_logged_once, nolog_and_maximum_level_suppress_the_log_line, ignored_errors_only_set_errno,
      children_inherit_a_copy_of_the_state, state_is_restored_from_another_process, threads_have_separate_states,
      flags_are_those_of_the_thread)
