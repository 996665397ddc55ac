/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#define MAX_DESCRIPTORS 8192

static bool open_at_start[MAX_DESCRIPTORS];

/* The process of the test program, and that of the running test: file names contain both. */
static pid_t program, test;

static int read_descriptors(bool open[MAX_DESCRIPTORS])
{
	int count = 0;
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	memset(open, 0, MAX_DESCRIPTORS * sizeof(*open));
	if (dir == NULL)
		return -1;
	while ((entry = readdir(dir)) != NULL) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] == '.' || fd == dirfd(dir) || fd >= MAX_DESCRIPTORS)
			continue;
		open[fd] = true;
		count++;
	}
	closedir(dir);
	return count;
}

int count_open_descriptors(void)
{
	bool open[MAX_DESCRIPTORS];

	return read_descriptors(open);
}

bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

rlim_t limit_with_free_numbers(int count)
{
	rlim_t limit = 0;

	while (count > 0 || is_open((int)limit)) {
		count -= !is_open((int)limit);
		limit++;
	}
	return limit;
}

/* Removes a file or directory with its content; files that cannot be removed remain. */
static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status;
	(void)type;
	(void)where;
	remove(path);
	return 0;
}

static void remove_tree(const char *path)
{
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/*
 * Removes files that tests have left in the shared directories, of the program or of one test. Returns the number of
 * entries, and the path of one.
 */
static int remove_left_files(pid_t of_test, char path[320])
{
	static const char *const shared[] = {"/tmp", "/dev/shm"};
	char prefix[64];
	int count = 0;

	snprintf(prefix, sizeof(prefix), of_test != 0 ? "mmsysio-test-%ld-%ld-" : "mmsysio-test-%ld-", (long)program,
	         (long)of_test);
	for (int i = 0; i < MM_NELEM(shared); i++) {
		DIR *dir = opendir(shared[i]);
		struct dirent *entry;

		while (dir != NULL && (entry = readdir(dir)) != NULL) {
			if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
				continue;
			snprintf(path, 320, "%s/%s", shared[i], entry->d_name);
			remove_tree(path);
			count++;
		}
		if (dir != NULL)
			closedir(dir);
	}
	return count;
}

static void setup(void)
{
	test = getpid();
	mm_log_set_maxlvl(MM_LOG_NONE);
	ck_assert_int_ne(read_descriptors(open_at_start), -1);
}

static void teardown(void)
{
	static bool open[MAX_DESCRIPTORS];
	char left[320];

	ck_assert_int_ne(read_descriptors(open), -1);
	for (int fd = 0; fd < MAX_DESCRIPTORS; fd++) {
		char path[64], target[128] = "";

		if (open[fd] == open_at_start[fd])
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (readlink(path, target, sizeof(target) - 1) == -1)
			strcpy(target, "closed");
		ck_abort_msg("descriptor %d was left open: %s", fd, target);
	}
	ck_assert_msg(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a child process was left behind");
	ck_assert_msg(remove_left_files(test, left) == 0, "%s was left behind", left);
}

/* Whether MMSYSIO_TESTS_WITHOUT_END, a list separated by spaces, has the test: check-ports sets it for emulators. */
static bool has_no_end(const char *suite, const char *test)
{
	const char *list = getenv("MMSYSIO_TESTS_WITHOUT_END");
	char entry[256];

	snprintf(entry, sizeof(entry), " %s:%s ", suite, test);
	return list != NULL && strstr(list, entry) != NULL;
}

int suite_main(const char *file, const TTest *const *tests, int count)
{
	char name[64];
	const char *root = strstr(file, "tests-c/");
	char left[320];
	int failed;

	program = getpid();
	/* Files of a killed process that had the same process id. */
	remove_left_files(0, left);
	snprintf(name, sizeof(name), "%s", root != NULL ? root + strlen("tests-c/") : file);
	name[strcspn(name, ".")] = '\0';

	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	for (int i = 0; i < count; i++) {
		if (!has_no_end(name, tests[i]->name))
			tcase_add_test(tcase, tests[i]);
	}
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	int open_before = count_open_descriptors();

	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	if (count_open_descriptors() != open_before) {
		printf("# the test program left a descriptor open\n");
		failed++;
	}
	/* A test that failed may leave files; one that passes must not, nor exit before teardown() looks for them. */
	if (remove_left_files(0, left) != 0 && failed == 0) {
		printf("# the test program left %s behind\n", left);
		failed++;
	}
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

void suite_forget_error(void)
{
	static const struct mm_error_state none;

	mm_set_errorstate(&none);
}

void suite_assert_error(const char *call, int error)
{
	int errno_now = errno;
	size_t length = strcspn(call, "( ");
	const char *location = mm_get_lasterror_location();
	bool is_in_sources =
		strncmp(location, call, length) == 0 && (strncmp(location + length, "() in src/", 10) == 0 ||
	                                                 strncmp(location + length, "() in mmlib/src/", 16) == 0);

	ck_assert_msg(mm_get_lasterror_number() == error, "%s: error %d (%s), expected %d", call,
	              mm_get_lasterror_number(), mm_get_lasterror_desc(), error);
	ck_assert_msg(errno_now == error, "%s: errno %d, expected %d", call, errno_now, error);
	ck_assert_str_eq(mm_get_lasterror_module(), "mmlib");
	ck_assert_str_ne(mm_get_lasterror_desc(), "");
	ck_assert_msg(is_in_sources, "%s: raised by %s", call, location);
}

const char *unique_name(void)
{
	static int number;
	static char names[16][64];
	char *name = names[number % MM_NELEM(names)];

	snprintf(name, sizeof(names[0]), "mmsysio-test-%ld-%ld-%ld-%d", (long)program, (long)test, (long)getpid(),
	         number++);
	return name;
}

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void sleep_ms(int ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	while (nanosleep(&left, &left) == -1)
		;
}

pid_t start_child(int (*run)(void *), void *arg)
{
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		_exit(run(arg));
	return pid;
}

void assert_child_succeeds(pid_t pid)
{
	int status;
	pid_t ended;

	do
		ended = waitpid(pid, &status, 0);
	while (ended == -1 && errno == EINTR);
	ck_assert_int_eq(ended, pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child ended with status %#x", status);
}

pthread_t start_thread(void *(*run)(void *), void *arg)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, run, arg), 0);
	return thread;
}

void *join_thread(pthread_t thread)
{
	void *result;

	ck_assert_int_eq(pthread_join(thread, &result), 0);
	return result;
}

pid_t thread_id(void)
{
	return (pid_t)syscall(SYS_gettid);
}

void wait_until_asleep(pid_t tid)
{
	char path[64], stat[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)tid);
	for (int asleep = 0; asleep < 3;) {
		FILE *file = fopen(path, "r");

		ck_assert_msg(file != NULL, "thread or process %d has ended", (int)tid);
		stat[fread(stat, 1, sizeof(stat) - 1, file)] = '\0';
		fclose(file);

		const char *state = strrchr(stat, ')');

		asleep = state != NULL && state[1] != '\0' && state[2] == 'S' ? asleep + 1 : 0;
		sleep_ms(5);
	}
}

static char scratch[64];

void enter_scratch_directory(void)
{
	snprintf(scratch, sizeof(scratch), "/tmp/mmsysio-test-%ld-%ld-XXXXXX", (long)program, (long)test);
	ck_assert_ptr_nonnull(mkdtemp(scratch));
	ck_assert_int_eq(chmod(scratch, 0777), 0);
	ck_assert_int_eq(chdir(scratch), 0);
}

void leave_scratch_directory(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	remove_tree(scratch);
	ck_assert_msg(!exists(scratch), "cannot remove %s", scratch);
}

static int run_as_ordinary_user(void *body)
{
	if (geteuid() == 0)
		ck_assert(setgroups(0, NULL) == 0 && setresgid(65534, 65534, 65534) == 0 &&
		          setresuid(65534, 65534, 65534) == 0);
	(*(void (**)(void))body)();
	return 0;
}

void as_ordinary_user(void (*body)(void))
{
	assert_child_succeeds(start_child(run_as_ordinary_user, &body));
}

void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

bool has_text(const char *path, const char *text)
{
	char content[4096] = "";
	FILE *file = fopen(path, "r");

	ck_assert_ptr_nonnull(file);
	content[fread(content, 1, sizeof(content) - 1, file)] = '\0';
	fclose(file);
	return strcmp(content, text) == 0;
}

bool exists(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

static void do_nothing(int signum)
{
	(void)signum;
}

static pthread_t interrupted;
static bool is_interrupting;

static void *interrupt(void *arg)
{
	while (__atomic_load_n(&is_interrupting, __ATOMIC_RELAXED)) {
		sleep_ms(20);
		pthread_kill(interrupted, SIGUSR1);
	}
	return arg;
}

pthread_t start_interrupting(void)
{
	/* Without SA_RESTART. */
	struct sigaction action = {.sa_handler = do_nothing};

	ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
	interrupted = pthread_self();
	__atomic_store_n(&is_interrupting, true, __ATOMIC_RELAXED);
	return start_thread(interrupt, NULL);
}

void stop_interrupting(pthread_t interrupter)
{
	__atomic_store_n(&is_interrupting, false, __ATOMIC_RELAXED);
	join_thread(interrupter);
}

void close_all(int count, const int *fds)
{
	for (int i = 0; i < count; i++)
		ck_assert_int_eq(mm_close(fds[i]), 0);
}

size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

bool is_under_valgrind(void)
{
	return RUNNING_ON_VALGRIND != 0;
}

bool is_instrumented(void)
{
#ifdef __SANITIZE_ADDRESS__
	return true;
#else
	return is_under_valgrind();
#endif
}

bool is_under_helgrind(void)
{
	/* valgrind does not indicate which of its tools runs; `make check-threads` does. */
	return is_under_valgrind() && getenv("MMSYSIO_TEST_HELGRIND") != NULL;
}
