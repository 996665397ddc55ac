/* SPDX-License-Identifier: Apache-2.0 */
/*
 * basedir.c: base directories
 *
 * A process determines them once, so each case runs in a new process, with an environment of its own.
 */
#include "suite.h"

#include <mmlib.h>
#include <pwd.h>

#define DIRECTORIES MM_NUM_DIRTYPE

/* --- a password database of the tests: libmmlib calls this instead of the C library ------------------------------- */

static struct {
	const char *home;     /* NULL: there is no entry */
	int error;            /* what the call returns, unless 0 */
	size_t needed_buffer; /* smaller ones are refused */
	int blocks_once;      /* the first call waits until `is_released` */
	volatile int is_blocking, is_released;
	volatile int calls, was_cancelable;
	volatile uid_t uid;
} database;

int getpwuid_r(uid_t uid, struct passwd *entry, char *buffer, size_t size, struct passwd **found)
{
	int state;

	*found = NULL;
	__atomic_fetch_add(&database.calls, 1, __ATOMIC_SEQ_CST);
	database.uid = uid;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	pthread_setcancelstate(state, NULL);
	database.was_cancelable = state == PTHREAD_CANCEL_ENABLE;
	if (__atomic_exchange_n(&database.blocks_once, 0, __ATOMIC_SEQ_CST)) {
		database.is_blocking = 1;
		while (!database.is_released)
			sleep_ms(1);
	}
	errno = ENOTTY;
	if (database.error != 0)
		return database.error;
	if (database.home == NULL)
		return 0;
	if (size < database.needed_buffer || size < strlen(database.home) + 1)
		return ERANGE;
	memset(entry, 0, sizeof(*entry));
	strcpy(buffer + size - strlen(database.home) - 1, database.home);
	entry->pw_dir = buffer + size - strlen(database.home) - 1;
	*found = entry;
	return 0;
}

/* --- cases -------------------------------------------------------------------------------------------------------- */

struct env {
	const char *name, *value;
};

/* The paths by type; NULL for a directory that has none, so that the call fails with MM_ENOTFOUND. */
struct expected {
	const char *paths[DIRECTORIES];
};

static void use_environment(const struct env *env)
{
	clearenv();
	for (; env->name != NULL; env++)
		ck_assert_int_eq(setenv(env->name, env->value, 1), 0);
}

static void assert_directories(const struct expected *expected)
{
	for (int type = 0; type < DIRECTORIES; type++) {
		if (expected->paths[type] == NULL) {
			assert_fails_with_null(mm_get_basedir((enum mm_known_dir)type), MM_ENOTFOUND);
			assert_fails_with_null(mm_path_from_basedir((enum mm_known_dir)type, "x"), MM_ENOTFOUND);
			continue;
		}
		suite_forget_error();
		errno = ENOENT;
		const char *path = mm_get_basedir((enum mm_known_dir)type);

		ck_assert_int_eq(errno, ENOENT);
		ck_assert_int_eq(mm_get_lasterror_number(), 0);
		ck_assert_pstr_eq(path, expected->paths[type]);
		ck_assert_ptr_eq(mm_get_basedir((enum mm_known_dir)type), path);
	}
}

struct test_case {
	const struct env *env;
	struct expected expected;
};

static int run_case(void *arg)
{
	const struct test_case *test = arg;

	use_environment(test->env);
	assert_directories(&test->expected);
	return 0;
}

#define ENVIRONMENT(...) ((const struct env[]){__VA_ARGS__, {NULL, NULL}})
#define NO_ENVIRONMENT ((const struct env[]){{NULL, NULL}})

/* The expected paths are in the order of the types: home, data, config, cache, runtime. */
#define assert_case(environment, ...)                                   \
	do {                                                            \
		struct test_case test = {environment, {{__VA_ARGS__}}}; \
		assert_child_succeeds(start_child(run_case, &test));    \
	} while (0)

START_TEST(types_have_the_numbers_of_mmlib)
{
	ck_assert_int_eq(MM_HOME, 0);
	ck_assert_int_eq(MM_DATA_HOME, 1);
	ck_assert_int_eq(MM_CONFIG_HOME, 2);
	ck_assert_int_eq(MM_CACHE_HOME, 3);
	ck_assert_int_eq(MM_RUNTIME_DIR, 4);
	ck_assert_int_eq(MM_NUM_DIRTYPE, 5);
	ck_assert_uint_eq(sizeof(enum mm_known_dir), 4);
}
END_TEST

START_TEST(defaults_are_below_home)
{
	assert_case(ENVIRONMENT({"HOME", "/h"}), "/h", "/h/.local/share", "/h/.config", "/h/.cache", "/tmp/self");
	assert_case(ENVIRONMENT({"USERPROFILE", "/u"}), "/u", "/u/.local/share", "/u/.config", "/u/.cache",
	            "/tmp/self");
	assert_case(ENVIRONMENT({"USERPROFILE", "/u"}, {"HOME", "/h"}), "/h", "/h/.local/share", "/h/.config",
	            "/h/.cache", "/tmp/self");
}
END_TEST

START_TEST(runtime_directory_has_its_own_default)
{
	assert_case(ENVIRONMENT({"HOME", "/h"}, {"TEMP", "/t"}), "/h", "/h/.local/share", "/h/.config", "/h/.cache",
	            "/t/self");
	assert_case(ENVIRONMENT({"HOME", "/h"}, {"USERNAME", "me"}), "/h", "/h/.local/share", "/h/.config", "/h/.cache",
	            "/tmp/me");
	assert_case(ENVIRONMENT({"HOME", "/h"}, {"USERNAME", ""}, {"TEMP", ""}), "/h", "/h/.local/share", "/h/.config",
	            "/h/.cache", "/");
}
END_TEST

START_TEST(xdg_variables_replace_the_defaults)
{
	assert_case(ENVIRONMENT({"HOME", "/h"}, {"XDG_DATA_HOME", "/d"}, {"XDG_CONFIG_HOME", "/c"},
	                        {"XDG_CACHE_HOME", "/k"}, {"XDG_RUNTIME_DIR", "/r"}, {"TEMP", "/t"},
	                        {"USERNAME", "me"}),
	            "/h", "/d", "/c", "/k", "/r");
	/* Values are used as they are. */
	assert_case(ENVIRONMENT({"HOME", "home/"}, {"XDG_CONFIG_HOME", "relative"}, {"XDG_RUNTIME_DIR", "/r//"}),
	            "home/", "home//.local/share", "relative", "home//.cache", "/r//");
}
END_TEST

START_TEST(empty_xdg_variables_count_as_unset)
{
	assert_case(ENVIRONMENT({"HOME", "/h"}, {"XDG_DATA_HOME", ""}, {"XDG_CONFIG_HOME", ""}, {"XDG_CACHE_HOME", ""},
	                        {"XDG_RUNTIME_DIR", ""}),
	            "/h", "/h/.local/share", "/h/.config", "/h/.cache", "/tmp/self");
}
END_TEST

START_TEST(empty_home_counts_as_set)
{
	database.home = "/entry";
	assert_case(ENVIRONMENT({"HOME", ""}, {"USERPROFILE", "/u"}), "", "/.local/share", "/.config", "/.cache",
	            "/tmp/self");
}
END_TEST

START_TEST(long_values_are_not_truncated)
{
	static char home[100001], config[100010];

	memset(home, 'h', sizeof(home) - 1);
	snprintf(config, sizeof(config), "%s/.config", home);
	assert_case(ENVIRONMENT({"HOME", home}, {"XDG_DATA_HOME", "/d"}, {"XDG_CACHE_HOME", "/k"}), home, "/d", config,
	            "/k", "/tmp/self");
}
END_TEST

/* --- the password database ---------------------------------------------------------------------------------------- */

START_TEST(home_comes_from_the_password_entry_of_the_real_user)
{
	database.home = "/entry";
	assert_case(NO_ENVIRONMENT, "/entry", "/entry/.local/share", "/entry/.config", "/entry/.cache", "/tmp/self");
	assert_case(ENVIRONMENT({"XDG_CACHE_HOME", "/k"}), "/entry", "/entry/.local/share", "/entry/.config", "/k",
	            "/tmp/self");
}
END_TEST

static int look_at_the_call(void *arg)
{
	use_environment(NO_ENVIRONMENT);
	/* The real and the effective user differ, if the test may do that. */
	if (geteuid() == 0)
		ck_assert_int_eq(setresuid(4321, 0, 0), 0);
	ck_assert_str_eq(mm_get_basedir(MM_HOME), "/entry");
	ck_assert_int_eq(database.calls, 1);
	ck_assert_uint_eq(database.uid, getuid());
	ck_assert_int_eq(database.was_cancelable, 0);
	/* Later calls do not ask again, and the thread can be cancelled again. */
	ck_assert_ptr_nonnull(mm_get_basedir(MM_DATA_HOME));
	ck_assert_int_eq(database.calls, 1);
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
	ck_assert_int_eq(state, PTHREAD_CANCEL_ENABLE);
	(void)arg;
	return 0;
}

START_TEST(password_database_is_asked_once_and_without_cancellation)
{
	database.home = "/entry";
	assert_child_succeeds(start_child(look_at_the_call, NULL));
}
END_TEST

static int count_calls_with_home(void *arg)
{
	use_environment(ENVIRONMENT({"HOME", "/h"}));
	ck_assert_str_eq(mm_get_basedir(MM_HOME), "/h");
	ck_assert_int_eq(database.calls, 0);
	(void)arg;
	return 0;
}

START_TEST(password_database_is_not_asked_if_home_is_set)
{
	database.home = "/entry";
	assert_child_succeeds(start_child(count_calls_with_home, NULL));
}
END_TEST

START_TEST(long_password_entries_are_read)
{
	static const size_t sizes[] = {0, 1024, 1025, 5000, 100000, 1000000};

	database.home = "/entry";
	for (int i = 0; i < MM_NELEM(sizes); i++) {
		database.needed_buffer = sizes[i];
		assert_case(NO_ENVIRONMENT, "/entry", "/entry/.local/share", "/entry/.config", "/entry/.cache",
		            "/tmp/self");
	}
}
END_TEST

START_TEST(without_home_only_the_directories_below_it_are_missing)
{
	static const int errors[] = {0, ENOENT, EIO, EMFILE, ENFILE, ERANGE, EINTR, ESRCH};

	for (int i = 0; i < MM_NELEM(errors); i++) {
		database.error = errors[i];
		assert_case(NO_ENVIRONMENT, NULL, NULL, NULL, NULL, "/tmp/self");
		assert_case(ENVIRONMENT({"XDG_CONFIG_HOME", "/c"}, {"XDG_DATA_HOME", ""}, {"XDG_RUNTIME_DIR", "/r"}),
		            NULL, NULL, "/c", NULL, "/r");
	}
}
END_TEST

static int find_home_later(void *error)
{
	const char *runtime;

	use_environment(ENVIRONMENT({"XDG_CACHE_HOME", "/k"}));
	database.error = *(int *)error;
	assert_fails_with_null(mm_get_basedir(MM_HOME), MM_ENOTFOUND);
	assert_fails_with_null(mm_get_basedir(MM_DATA_HOME), MM_ENOTFOUND);
	runtime = mm_get_basedir(MM_RUNTIME_DIR);
	ck_assert_str_eq(runtime, "/tmp/self");
	database.error = 0;
	setenv("XDG_CACHE_HOME", "/other", 1);
	setenv("XDG_RUNTIME_DIR", "/other", 1);
	/* What was found does not change. */
	assert_directories(&(struct expected){{"/entry", "/entry/.local/share", "/entry/.config", "/k", "/tmp/self"}});
	ck_assert_ptr_eq(mm_get_basedir(MM_RUNTIME_DIR), runtime);
	return 0;
}

START_TEST(missing_home_is_not_final)
{
	static const int errors[] = {EIO, EMFILE, ENFILE, EINTR, ENOENT};

	database.home = "/entry";
	for (int i = 0; i < MM_NELEM(errors); i++)
		assert_child_succeeds(start_child(find_home_later, (void *)(uintptr_t)&errors[i]));
}
END_TEST

static int run_out_of_memory(void *arg)
{
	use_environment(NO_ENVIRONMENT);
	database.error = ENOMEM;
	assert_fails_with_null(mm_get_basedir(MM_HOME), ENOMEM);
	assert_fails_with_null(mm_get_basedir(MM_RUNTIME_DIR), ENOMEM);
	assert_fails_with_null(mm_path_from_basedir(MM_HOME, "x"), ENOMEM);
	/* Nothing has been determined. */
	database.error = 0;
	assert_directories(
		&(struct expected){{"/entry", "/entry/.local/share", "/entry/.config", "/entry/.cache", "/tmp/self"}});
	(void)arg;
	return 0;
}

START_TEST(lack_of_memory_is_not_final)
{
	database.home = "/entry";
	assert_child_succeeds(start_child(run_out_of_memory, NULL));
}
END_TEST

/* --- once --------------------------------------------------------------------------------------------------------- */

static int change_environment(void *arg)
{
	const char *before[DIRECTORIES];

	use_environment(ENVIRONMENT({"HOME", "/h"}));
	ck_assert_str_eq(mm_get_basedir(MM_CACHE_HOME), "/h/.cache");
	for (int type = 0; type < DIRECTORIES; type++)
		before[type] = mm_get_basedir((enum mm_known_dir)type);
	use_environment(ENVIRONMENT({"HOME", "/other"}, {"XDG_CONFIG_HOME", "/c"}, {"XDG_RUNTIME_DIR", "/r"}));
	for (int type = 0; type < DIRECTORIES; type++)
		ck_assert_ptr_eq(mm_get_basedir((enum mm_known_dir)type), before[type]);
	assert_directories(&(struct expected){{"/h", "/h/.local/share", "/h/.config", "/h/.cache", "/tmp/self"}});
	(void)arg;
	return 0;
}

START_TEST(first_call_determines_all_directories)
{
	assert_child_succeeds(start_child(change_environment, NULL));
}
END_TEST

static int fail_first(void *arg)
{
	use_environment(ENVIRONMENT({"HOME", "/first"}));
	for (int type = -3; type < 10; type++) {
		if (type >= 0 && type < DIRECTORIES)
			continue;
		volatile int unknown = type;

		assert_fails_with_null(mm_get_basedir((enum mm_known_dir)unknown), EINVAL);
		assert_fails_with_null(mm_path_from_basedir((enum mm_known_dir)unknown, "x"), EINVAL);
	}
	assert_fails_with_null(mm_path_from_basedir(MM_HOME, NULL), EINVAL);
	setenv("HOME", "/second", 1);
	ck_assert_str_eq(mm_get_basedir(MM_HOME), "/second");
	(void)arg;
	return 0;
}

START_TEST(invalid_arguments_determine_nothing)
{
	assert_child_succeeds(start_child(fail_first, NULL));
}
END_TEST

#define THREADS 16

static pthread_barrier_t start;

static void *get_all(void *paths)
{
	pthread_barrier_wait(&start);
	for (int type = 0; type < DIRECTORIES; type++)
		((const char **)paths)[type] = mm_get_basedir((enum mm_known_dir)type);
	return NULL;
}

static int call_concurrently(void *arg)
{
	static const char *paths[THREADS][DIRECTORIES];
	pthread_t threads[THREADS];

	use_environment(NO_ENVIRONMENT);
	pthread_barrier_init(&start, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		threads[i] = start_thread(get_all, paths[i]);
	for (int i = 0; i < THREADS; i++)
		join_thread(threads[i]);
	for (int i = 1; i < THREADS; i++)
		ck_assert_mem_eq(paths[i], paths[0], sizeof(paths[0]));
	ck_assert_str_eq(paths[0][MM_HOME], "/entry");
	(void)arg;
	return 0;
}

START_TEST(concurrent_first_calls_return_the_same_pointers)
{
	database.home = "/entry";
	for (int i = 0; i < 20; i++)
		assert_child_succeeds(start_child(call_concurrently, NULL));
}
END_TEST

static int assert_home(void *home)
{
	ck_assert_str_eq(mm_get_basedir(MM_HOME), home);
	return 0;
}

static void *get_home(void *arg)
{
	(void)arg;
	return (void *)(uintptr_t)mm_get_basedir(MM_HOME);
}

static int fork_during_the_first_call(void *arg)
{
	use_environment(NO_ENVIRONMENT);
	database.blocks_once = 1;
	pthread_t thread = start_thread(get_home, NULL);

	while (!database.is_blocking)
		sleep_ms(1);
	alarm(60);
	assert_child_succeeds(start_child(assert_home, "/entry"));
	/* Nor do other threads wait. */
	const char *home = mm_get_basedir(MM_HOME);

	ck_assert_str_eq(home, "/entry");
	database.is_released = 1;
	ck_assert_ptr_eq(join_thread(thread), home);
	(void)arg;
	return 0;
}

START_TEST(fork_during_the_first_call_leaves_no_lock)
{
	/* It would report the memory that the waiting thread uses, which the child of the fork has no more. */
	if (is_under_valgrind())
		return;
	database.home = "/entry";
	assert_child_succeeds(start_child(fork_during_the_first_call, NULL));
}
END_TEST

static int fork_after_the_first_call(void *arg)
{
	use_environment(ENVIRONMENT({"HOME", "/h"}));
	ck_assert_str_eq(mm_get_basedir(MM_HOME), "/h");
	setenv("HOME", "/other", 1);
	assert_child_succeeds(start_child(assert_home, "/h"));
	(void)arg;
	return 0;
}

START_TEST(children_inherit_the_directories)
{
	assert_child_succeeds(start_child(fork_after_the_first_call, NULL));
}
END_TEST

static void use_at_exit(void)
{
	const char *home = mm_get_basedir(MM_HOME);

	_exit(home != NULL && strcmp(home, "/h") == 0 ? 0 : 1);
}

/* After the exit handlers, and after the destructors of libraries that were loaded later. */
static bool is_exit_tested;

__attribute__((destructor)) static void use_in_destructor(void)
{
	if (is_exit_tested)
		use_at_exit();
}

START_TEST(directories_exist_until_the_process_ends)
{
	for (int is_in_destructor = 0; is_in_destructor < 2; is_in_destructor++) {
		pid_t pid = fork();

		if (pid == 0) {
			use_environment(ENVIRONMENT({"HOME", "/h"}));
			if (mm_get_basedir(MM_CACHE_HOME) == NULL)
				_exit(2);
			is_exit_tested = is_in_destructor;
			if (!is_in_destructor)
				atexit(use_at_exit);
			exit(3);
		}
		assert_child_succeeds(pid);
	}
}
END_TEST

/* --- paths below -------------------------------------------------------------------------------------------------- */

static int append_suffixes(void *arg)
{
	static const struct {
		enum mm_known_dir type;
		const char *suffix, *path;
	} cases[] = {{MM_HOME, "a", "/h/a"},
	             {MM_HOME, "a/b/c", "/h/a/b/c"},
	             {MM_HOME, "", "/h/"},
	             {MM_HOME, "/x", "/h//x"},
	             {MM_CONFIG_HOME, "program/settings", "/h/.config/program/settings"},
	             {MM_DATA_HOME, "x/", "/h/.local/share/x/"},
	             {MM_RUNTIME_DIR, "../x", "/tmp/self/../x"},
	             {MM_CACHE_HOME, "\xff\n", "/h/.cache/\xff\n"}};

	use_environment(ENVIRONMENT({"HOME", "/h"}));
	for (int i = 0; i < MM_NELEM(cases); i++) {
		suite_forget_error();
		errno = ENOENT;
		char *path = mm_path_from_basedir(cases[i].type, cases[i].suffix);

		ck_assert_int_eq(errno, ENOENT);
		ck_assert_int_eq(mm_get_lasterror_number(), 0);
		ck_assert_pstr_eq(path, cases[i].path);
		free(path);
	}
	/* Each call returns a new block. */
	char *first = mm_path_from_basedir(MM_HOME, "a"), *second = mm_path_from_basedir(MM_HOME, "a");

	ck_assert_ptr_ne(first, second);
	first[1] = 'x';
	ck_assert_str_eq(second, "/h/a");
	ck_assert_str_eq(mm_get_basedir(MM_HOME), "/h");
	free(first);
	free(second);
	(void)arg;
	return 0;
}

START_TEST(path_is_the_directory_and_a_slash_and_the_suffix)
{
	assert_child_succeeds(start_child(append_suffixes, NULL));
}
END_TEST

START_TEST(null_suffix_is_invalid)
{
	volatile int unknown = 100;

	assert_fails_with_null(mm_path_from_basedir(MM_HOME, NULL), EINVAL);
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), "suffix"));
	/* It is checked before the type. */
	assert_fails_with_null(mm_path_from_basedir((enum mm_known_dir)unknown, NULL), EINVAL);
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), "suffix"));
}
END_TEST

SUITE(types_have_the_numbers_of_mmlib, defaults_are_below_home, runtime_directory_has_its_own_default,
      xdg_variables_replace_the_defaults, empty_xdg_variables_count_as_unset, empty_home_counts_as_set,
      long_values_are_not_truncated, home_comes_from_the_password_entry_of_the_real_user,
      password_database_is_asked_once_and_without_cancellation, password_database_is_not_asked_if_home_is_set,
      long_password_entries_are_read, without_home_only_the_directories_below_it_are_missing, missing_home_is_not_final,
      lack_of_memory_is_not_final, first_call_determines_all_directories, invalid_arguments_determine_nothing,
      concurrent_first_calls_return_the_same_pointers, fork_during_the_first_call_leaves_no_lock,
      children_inherit_the_directories, directories_exist_until_the_process_ends,
      path_is_the_directory_and_a_slash_and_the_suffix, null_suffix_is_invalid)
