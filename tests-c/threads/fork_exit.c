/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork_exit.c: forks while threads are inside the library, and the end of threads
 */
#include "suite.h"

#include <fcntl.h>
#include <sys/prctl.h>

/* --- forks -------------------------------------------------------------------------------------------------------- */

enum { ACCEPT, CONNECT, RECEIVE, SEND, KINDS };

struct inside {
	int kind;
	pid_t tid;
};

static const char *served_name, *awaited_name;
static struct mm_ipc_srv *srv;
static int ends[2];
static char data[1024];

static void *be_inside(void *arg)
{
	struct inside *inside = arg;
	struct iovec iov = {data, sizeof(data)};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1};

	__atomic_store_n(&inside->tid, thread_id(), __ATOMIC_RELEASE);
	switch (inside->kind) {
	case ACCEPT:
		return (void *)(intptr_t)mm_ipc_srv_accept(srv);
	case CONNECT:
		return (void *)(intptr_t)mm_ipc_connect(awaited_name);
	case RECEIVE:
		return (void *)(intptr_t)mm_ipc_recvmsg(ends[0], &msg);
	default:
		return (void *)(intptr_t)mm_ipc_sendmsg(ends[0], &msg);
	}
}

/* Uses all of the library in a child whose parent's other threads were inside it. */
static int use_the_library(void *arg)
{
	const char *name = unique_name();
	char text[8] = "";
	int client, served, shared, status, fds[1];
	mm_pid_t pid;
	struct iovec iov = {text, sizeof(text)};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1, .fds = fds, .num_fds_max = 1};

	(void)arg;
	signal(SIGALRM, SIG_DFL);
	alarm(60);
	struct mm_ipc_srv *own = mm_ipc_srv_create(name);

	if (own == NULL || (client = mm_ipc_connect(name)) < 0 || (served = mm_ipc_srv_accept(own)) < 0)
		return 1;
	msg.num_fds = 1;
	fds[0] = client;
	iov.iov_len = 5;
	if (mm_ipc_sendmsg(client, &msg) != 5 || mm_ipc_recvmsg(served, &msg) != 5 || msg.num_fds != 1)
		return 2;
	/* The inherited server: the parent's threads in it do not exist here. */
	mm_ipc_srv_destroy(srv);
	mm_ipc_srv_destroy(own);
	if (mm_ipc_sendmsg(fds[0], NULL) != -1 || mm_get_lasterror_number() != EINVAL)
		return 3;
	shared = mm_anon_shm();
	if (mm_ftruncate(shared, 1) != 0 || mm_unmap(mm_mapfile(shared, 0, 1, MM_MAP_READ)) != 0)
		return 4;
	if (mm_spawn(&pid, "true", 0, NULL, 0, NULL, NULL) != 0 || mm_wait_process(pid, &status) != 0)
		return 5;
	if (status != MM_WSTATUS_EXITED || mm_spawn(NULL, "true", 0, NULL, MM_SPAWN_DAEMONIZE, NULL, NULL) != 0)
		return 6;
	return mm_close(client) | mm_close(served) | mm_close(fds[0]) | mm_close(shared);
}

START_TEST(child_can_use_the_library_whatever_other_threads_were_inside)
{
	struct inside insides[KINDS * 2];
	pthread_t threads[KINDS * 2];
	int rounds = is_instrumented() ? 3 : 30, full[2], got;

	served_name = unique_name();
	awaited_name = unique_name();
	srv = mm_ipc_srv_create(served_name);
	ck_assert_int_eq(mm_ipc_connected_pair(ends), 0);
	ck_assert_int_eq(mm_ipc_connected_pair(full), 0);
	/* One direction is full, the other empty. */
	while (send(ends[0], data, sizeof(data), MSG_DONTWAIT) > 0)
		;
	for (int i = 0; i < MM_NELEM(threads); i++) {
		pid_t tid;

		insides[i] = (struct inside){.kind = i % KINDS};
		threads[i] = start_thread(be_inside, &insides[i]);
		while ((tid = __atomic_load_n(&insides[i].tid, __ATOMIC_ACQUIRE)) == 0)
			sleep_ms(1);
		wait_until_asleep(tid);
	}
	for (int i = 0; i < rounds; i++)
		assert_child_succeeds(start_child(use_the_library, NULL));

	/* The parent's threads continue undisturbed. */
	struct mm_ipc_srv *awaited = mm_ipc_srv_create(awaited_name);

	for (int i = 0; i < 2; i++) {
		int client = mm_ipc_connect(served_name), served = mm_ipc_srv_accept(awaited);

		ck_assert_int_eq(mm_write(ends[1], "x", 1), 1);
		close_all(2, (int[]){client, served});
	}
	for (int i = 0; i < MM_NELEM(threads); i++) {
		if (i % KINDS == SEND)
			while (recv(ends[1], data, sizeof(data), MSG_DONTWAIT) > 0)
				;
		got = (int)(intptr_t)join_thread(threads[i]);
		ck_assert_int_ge(got, i % KINDS == SEND ? (int)sizeof(data) : 1);
		if (i % KINDS == ACCEPT || i % KINDS == CONNECT)
			close_all(1, &got);
	}
	mm_ipc_srv_destroy(awaited);
	mm_ipc_srv_destroy(srv);
	close_all(2, ends);
	close_all(2, full);
}
END_TEST

/* --- daemons ------------------------------------------------------------------------------------------------------ */

/* The first child of a thread, once it has one. */
static pid_t child_of(pid_t pid, pid_t tid)
{
	char path[64], text[32] = "";

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)tid);
	while (atoi(text) == 0) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd == -1 || read(fd, text, sizeof(text) - 1) == -1)
			return -1;
		close(fd);
	}
	return atoi(text);
}

/* Kills the child of the main thread as soon as that child has a child. */
static void *kill_intermediate(void *arg)
{
	pid_t intermediate = child_of(getpid(), getpid());
	pid_t daemon = child_of(intermediate, intermediate);

	*(pid_t *)arg = daemon;
	return (void *)(intptr_t)(daemon > 0 && kill(intermediate, SIGKILL) == 0);
}

START_TEST(daemon_leaves_the_memory_of_a_caller_whose_intermediate_process_was_killed)
{
	enum { DIRECTORIES = 30000 };
	static const char directory[] = "/nowhere-at-all:";
	char *path = calloc(DIRECTORIES, sizeof(directory) - 1);
	pid_t daemon = 0, first;
	int status;

	/* Under valgrind no children share memory, and not every kernel is configured to list children. */
	if (is_under_valgrind() || access("/proc/thread-self/children", R_OK) != 0) {
		free(path);
		return;
	}
	/* The first child determines whether children can share memory. */
	ck_assert_int_eq(mm_spawn(&first, "true", 0, NULL, 0, NULL, NULL), 0);
	ck_assert_int_eq(mm_wait_process(first, NULL), 0);
	/* It takes a while to detect that the program is in no directory. */
	for (int i = 0; i < DIRECTORIES; i++)
		memcpy(path + i * (sizeof(directory) - 1), directory, sizeof(directory) - 1);
	path[DIRECTORIES * (sizeof(directory) - 1) - 1] = '\0';
	setenv("PATH", path, 1);
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	pthread_t killer = start_thread(kill_intermediate, &daemon);

	/* The result is known and was reported. */
	assert_fails(mm_spawn(NULL, "missing", 0, NULL, MM_SPAWN_DAEMONIZE, NULL, NULL), ENOENT);
	ck_assert_ptr_nonnull(join_thread(killer));
	ck_assert_int_eq(waitpid(daemon, &status, 0), daemon);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 127, "the daemon ended with status %#x", status);
	free(path);
}
END_TEST

/* --- ends --------------------------------------------------------------------------------------------------------- */

/* Memory of the process in KiB. */
static long resident(void)
{
	char text[128] = "";
	long pages = 0;
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

	ck_assert_int_gt(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	ck_assert_int_eq(sscanf(text, "%*d %ld", &pages), 1);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void *use_the_error_state(void *arg)
{
	struct mm_error_state state;

	mm_close(-2);
	mm_save_errorstate(&state);
	mm_raise_error_with_extid(ENOENT, "id", "thread %p", arg);
	mm_set_errorstate(&state);
	return (void *)(intptr_t)mm_get_lasterror_number();
}

static void run_threads(long count)
{
	while (count-- > 0)
		ck_assert_int_eq((int)(intptr_t)join_thread(start_thread(use_the_error_state, NULL)), EBADF);
}

START_TEST(threads_that_used_the_error_state_leak_nothing)
{
	const char *wanted = getenv("MMSYSIO_TEST_THREADS");
	long count = is_instrumented() ? 300 : wanted != NULL ? atol(wanted) : 20000;
	int before = count_open_descriptors();

	run_threads(count / 10);
	long resident_before = resident();

	run_threads(count);
	printf("# %ld threads have ended; memory grew by %ld KiB\n", count, resident() - resident_before);
	/* Less than one byte per thread for a million threads, and less than a record per thread for a thousand. */
	if (!is_instrumented())
		ck_assert_int_lt(resident() - resident_before, 512);
	ck_assert_int_eq(count_open_descriptors(), before);
}
END_TEST

#define LOADER PROGRAMS_DIR "/loader"

START_TEST(library_can_be_loaded_and_unloaded_a_thousand_times)
{
	mm_pid_t pid;
	int status;

	ck_assert_int_eq(mm_spawn(&pid, LOADER, 0, NULL, 0, ((char *[]){LOADER, "1000", NULL}), NULL), 0);
	ck_assert_int_eq(mm_wait_process(pid, &status), 0);
	ck_assert_int_eq(status, MM_WSTATUS_EXITED);
}
END_TEST

SUITE(child_can_use_the_library_whatever_other_threads_were_inside,
      daemon_leaves_the_memory_of_a_caller_whose_intermediate_process_was_killed,
      threads_that_used_the_error_state_leak_nothing, library_can_be_loaded_and_unloaded_a_thousand_times)
