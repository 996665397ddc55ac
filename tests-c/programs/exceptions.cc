// SPDX-License-Identifier: Apache-2.0
//
// exceptions.cc: a program in C++ whose callbacks throw exceptions, call longjmp(), or end their thread
//
// usage: exceptions DIRECTORY, which contains entries
//
// Each test counts the descriptors that are open before and after it, and the destructors that ran.

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <semaphore.h>
#include <stdexcept>
#include <string>
#include <unistd.h>

#include <mmargparse.h>
#include <mmthread.h>

static int failures;

#define CHECK(condition)                                                                      \
	do {                                                                                  \
		if (!(condition)) {                                                           \
			std::fprintf(stderr, "line %d: %s is false\n", __LINE__, #condition); \
			failures++;                                                           \
		}                                                                             \
	} while (0)

static int destroyed;

struct Guard {
	~Guard()
	{
		destroyed++;
	}
};

static int count_descriptors()
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(directory) != nullptr)
		count++;
	closedir(directory);
	return count;
}

// Whether a call throws that exception, and destroys an object of its caller.
template <typename Call> static bool throws(const char *text, Call call)
{
	int before = destroyed;

	try {
		Guard guard;
		call();
	} catch (const std::runtime_error &error) {
		return std::strcmp(error.what(), text) == 0 && destroyed > before;
	}
	return false;
}

// --- once ------------------------------------------------------------------------------------------------------------

static int routine_calls;

static void failing_routine()
{
	if (++routine_calls < 3)
		throw std::runtime_error("once");
}

static void test_once()
{
	mm_thr_once_t once = MM_THR_ONCE_INIT;

	routine_calls = 0;
	CHECK(throws("once", [&] { mm_thr_once(&once, failing_routine); }));
	CHECK(throws("once", [&] { mm_thr_once(&once, failing_routine); }));
	CHECK(mm_thr_once(&once, failing_routine) == 0);
	CHECK(mm_thr_once(&once, failing_routine) == 0);
	CHECK(routine_calls == 3);
}

static sem_t started;

static void waiting_routine()
{
	Guard guard;

	sem_post(&started);
	for (;;)
		pause();
}

static void *wait_in_routine(void *once)
{
	Guard guard;

	mm_thr_once(static_cast<mm_thr_once_t *>(once), waiting_routine);
	return nullptr;
}

// Cancels the thread, in which two guards exist.
static void check_cancellation(mm_thread_t thread)
{
	int before = destroyed;
	void *value = nullptr;

	CHECK(pthread_cancel(thread) == 0);
	CHECK(mm_thr_join(thread, &value) == 0);
	CHECK(value == PTHREAD_CANCELED);
	CHECK(destroyed == before + 2);
}

static void test_cancelled_once()
{
	mm_thr_once_t once = MM_THR_ONCE_INIT;
	mm_thread_t thread;

	CHECK(mm_thr_create(&thread, wait_in_routine, &once) == 0);
	while (sem_wait(&started) != 0)
		;
	check_cancellation(thread);
	routine_calls = 2;
	CHECK(mm_thr_once(&once, failing_routine) == 0);
	CHECK(routine_calls == 3);
}

static mm_thr_mutex_t mutex = MM_THR_MUTEX_INITIALIZER;
static mm_thr_cond_t cond = MM_THR_COND_INITIALIZER;

struct Lock : Guard {
	Lock()
	{
		mm_thr_mutex_lock(&mutex);
	}
	~Lock()
	{
		mm_thr_mutex_unlock(&mutex);
	}
};

static void *wait_for_condition(void *)
{
	Guard guard;
	Lock lock;

	sem_post(&started);
	for (;;)
		mm_thr_cond_wait(&cond, &mutex);
	return nullptr;
}

static void *wait_for_thread(void *thread)
{
	Guard outer, inner;

	sem_post(&started);
	mm_thr_join(*static_cast<mm_thread_t *>(thread), nullptr);
	return nullptr;
}

static void test_cancelled_waits()
{
	mm_thread_t waiter, joiner;

	CHECK(mm_thr_create(&waiter, wait_for_condition, nullptr) == 0);
	CHECK(mm_thr_create(&joiner, wait_for_thread, &waiter) == 0);
	for (int i = 0; i < 2; i++)
		while (sem_wait(&started) != 0)
			;
	check_cancellation(joiner);
	check_cancellation(waiter);
	CHECK(mm_thr_mutex_trylock(&mutex) == 0);
	CHECK(mm_thr_mutex_unlock(&mutex) == 0);
}

// --- the argument parser ---------------------------------------------------------------------------------------------

static std::jmp_buf jump;

static int option(const mm_arg_opt *, mm_arg_val value, void *data, int)
{
	if (data == nullptr)
		throw std::runtime_error(value.str);
	if (data == &jump)
		std::longjmp(jump, 1);
	sem_post(&started);
	for (;;)
		pause();
}

static mm_arg_opt options[1];
static mm_arg_parser parser;

static int parse(void *data)
{
	static char program[] = "program", argument[] = "--name=value", *arguments[] = {program, argument, nullptr};

	options[0].name = "n|name";
	options[0].flags = MM_OPT_NEEDSTR;
	options[0].desc = "an option";
	parser.flags = MM_ARG_PARSER_NOEXIT;
	parser.num_opt = 1;
	parser.optv = options;
	parser.execname = "program";
	parser.cb = option;
	parser.cb_data = data;
	return mm_arg_parse(&parser, 2, arguments);
}

static void *parse_in_thread(void *data)
{
	Guard outer, inner;

	parse(data);
	return nullptr;
}

static void test_parser()
{
	mm_thread_t thread;
	int other = 0;

	CHECK(throws("value", [] { parse(nullptr); }));
	if (setjmp(jump) == 0) {
		parse(&jump);
		CHECK(false);
	}
	CHECK(mm_thr_create(&thread, parse_in_thread, &other) == 0);
	while (sem_wait(&started) != 0)
		;
	check_cancellation(thread);
}

// --- completion of paths ---------------------------------------------------------------------------------------------

static int entry(const char *name, const char *, int, void *data)
{
	if (data == nullptr)
		throw std::runtime_error(name);
	if (data == &jump)
		std::longjmp(jump, 1);
	sem_post(&started);
	for (;;)
		pause();
}

static std::string prefix;

static void *complete_in_thread(void *data)
{
	Guard outer, inner;

	mm_arg_complete_path(prefix.c_str(), 0xff, entry, data);
	return nullptr;
}

static void test_completion()
{
	mm_thread_t thread;
	int other = 0;

	for (int i = 0; i < 20; i++)
		CHECK(throws("entry", [] { mm_arg_complete_path(prefix.c_str(), 0xff, entry, nullptr); }));
	if (setjmp(jump) == 0) {
		mm_arg_complete_path(prefix.c_str(), 0xff, entry, &jump);
		CHECK(false);
	}
	CHECK(mm_thr_create(&thread, complete_in_thread, &other) == 0);
	while (sem_wait(&started) != 0)
		;
	check_cancellation(thread);
}

// --- exceptions of a thread ------------------------------------------------------------------------------------------

static void *catch_in_thread(void *result)
{
	*static_cast<bool *>(result) = throws("thread", [] { throw std::runtime_error("thread"); });
	return nullptr;
}

static void test_thread()
{
	mm_thread_t thread;
	bool result = false;

	CHECK(mm_thr_create(&thread, catch_in_thread, &result) == 0);
	CHECK(mm_thr_join(thread, nullptr) == 0);
	CHECK(result);
}

int main(int argc, char *argv[])
{
	static const struct {
		const char *name;
		void (*run)();
	} tests[] = {{"once", test_once},
	             {"cancelled once", test_cancelled_once},
	             {"cancelled waits", test_cancelled_waits},
	             {"parser", test_parser},
	             {"completion", test_completion},
	             {"thread", test_thread}};

	if (argc != 2 || sem_init(&started, 0, 0) != 0)
		return 2;
	prefix = std::string(argv[1]) + "/ent";
	for (const auto &test : tests) {
		int descriptors = count_descriptors(), before = failures;

		test.run();
		CHECK(count_descriptors() == descriptors);
		if (failures != before)
			std::fprintf(stderr, "%s: failed\n", test.name);
	}
	return failures == 0 ? 0 : 1;
}
