/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paths_races.c: servers that are created at one path at the same time, and servers that are killed
 */
#include "servers.h"

#include <sys/mman.h>
#include <sys/syscall.h>

static struct place place = {"socket", MM_IPC_PATH};

enum { RACERS = 8 };

/* What the processes of a round share. */
struct round {
	int started, reported, may_end;
	/* 0: the process has created a server; otherwise the error. */
	int errors[RACERS];
};

static struct round *shared;

static int load(int *number)
{
	return __atomic_load_n(number, __ATOMIC_ACQUIRE);
}

static void wait_for(int *number, int value)
{
	while (load(number) < value)
		sched_yield();
}

static int race(void *arg)
{
	int number = (int)(intptr_t)arg;

	__atomic_fetch_add(&shared->started, 1, __ATOMIC_ACQ_REL);
	wait_for(&shared->started, RACERS);
	struct mm_ipc_srv *srv = mm_ipc_srv_create2("socket", MM_IPC_PATH, 0600);

	shared->errors[number] = srv != NULL ? 0 : mm_get_lasterror_number();
	__atomic_fetch_add(&shared->reported, 1, __ATOMIC_ACQ_REL);
	wait_for(&shared->may_end, 1);
	if (srv != NULL && load(&shared->may_end) == 2)
		raise(SIGKILL);
	if (srv != NULL)
		mm_ipc_srv_destroy(srv);
	return 0;
}

static void *share(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(memory, MAP_FAILED);
	return memory;
}

START_TEST(exactly_one_of_several_servers_gets_the_path)
{
	shared = share(sizeof(*shared));
	enter_scratch_directory();
	for (int round = 0; round < (is_instrumented() ? 10 : 100); round++) {
		/* Every second one leaves its socket behind. */
		bool is_killed = round % 2 == 0;
		pid_t children[RACERS];
		int winners = 0, status;

		memset(shared, 0, sizeof(*shared));
		for (int i = 0; i < RACERS; i++)
			children[i] = start_child(race, (void *)(intptr_t)i);
		wait_for(&shared->reported, RACERS);
		for (int i = 0; i < RACERS; i++) {
			winners += shared->errors[i] == 0;
			ck_assert_msg(shared->errors[i] == 0 || shared->errors[i] == EADDRINUSE, "round %d: %s", round,
			              strerror(shared->errors[i]));
		}
		ck_assert_int_eq(winners, 1);
		int client = connect_path("socket");

		ck_assert_int_eq(count_names("."), 1);
		__atomic_store_n(&shared->may_end, is_killed ? 2 : 1, __ATOMIC_RELEASE);
		for (int i = 0; i < RACERS; i++) {
			ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
			ck_assert_int_eq(status, is_killed && shared->errors[i] == 0 ? SIGKILL : 0);
		}
		ck_assert_int_eq(count_names("."), is_killed);
		close_all(1, &client);
	}
	munmap(shared, sizeof(*shared));
	unlink("socket");
	leave_scratch_directory();
}
END_TEST

/* Creates and destroys servers, and checks that the path is that of the own server while it exists. */
static int create_and_destroy(void *count)
{
	for (int i = 0; i < *(int *)count;) {
		suite_forget_error();
		struct mm_ipc_srv *srv = mm_ipc_srv_create2("socket", MM_IPC_PATH, 0600);

		if (srv == NULL) {
			ck_assert_msg(mm_get_lasterror_number() == EADDRINUSE, "%s", mm_get_lasterror_desc());
			sched_yield();
			continue;
		}
		for (int k = 0; k < 3; k++) {
			int client = mm_ipc_connect2("socket", MM_IPC_PATH, 0);

			ck_assert_msg(client >= 0, "the path was removed: %s", mm_get_lasterror_desc());
			int served = mm_ipc_srv_accept2(srv, 0, 0);

			ck_assert_msg(served >= 0, "the path is that of another server");
			close_all(2, (int[]){client, served});
		}
		mm_ipc_srv_destroy(srv);
		i++;
	}
	return 0;
}

START_TEST(destroy_never_removes_the_path_of_a_successor)
{
	int count = is_instrumented() ? 20 : 200;
	pid_t children[4];

	enter_scratch_directory();
	for (int i = 0; i < 4; i++)
		children[i] = start_child(create_and_destroy, &count);
	for (int i = 0; i < 4; i++)
		assert_child_succeeds(children[i]);
	ck_assert_int_eq(count_names("."), 0);
	leave_scratch_directory();
}
END_TEST

static void *create_and_destroy_in_thread(void *count)
{
	create_and_destroy(count);
	return NULL;
}

START_TEST(threads_of_one_process_exclude_each_other)
{
	int count = is_instrumented() ? 20 : 200;
	pthread_t threads[4];

	enter_scratch_directory();
	for (int i = 0; i < 4; i++)
		threads[i] = start_thread(create_and_destroy_in_thread, &count);
	for (int i = 0; i < 4; i++)
		join_thread(threads[i]);
	ck_assert_int_eq(count_names("."), 0);
	leave_scratch_directory();
}
END_TEST

static int create_and_destroy_until_killed(void *arg)
{
	(void)arg;
	while (true) {
		struct mm_ipc_srv *srv = mm_ipc_srv_create2("socket", MM_IPC_PATH, 0600);

		ck_assert_msg(srv != NULL, "%s", mm_get_lasterror_desc());
		mm_ipc_srv_destroy(srv);
	}
	return 0;
}

START_TEST(server_can_be_created_whenever_another_one_was_killed)
{
	uint32_t state = 1;
	int status;

	enter_scratch_directory();
	for (int i = 0; i < (is_instrumented() ? 20 : 300); i++) {
		pid_t child = start_child(create_and_destroy_until_killed, NULL);

		/* Between two of its system calls, or in one. */
		for (uint32_t spin = next_random(&state) % 1000000; spin > 0; spin--)
			__asm__ volatile("");
		kill(child, SIGKILL);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_int_eq(status, SIGKILL);
		int64_t start = now_ms();
		struct mm_ipc_srv *srv = create_path("socket", 0600);

		/* Neither did it have to wait for a lock that nobody has. */
		ck_assert_int_lt(now_ms() - start, 4000);
		ck_assert_int_eq(count_names("."), 1);
		assert_serves_path(srv, "socket");
		mm_ipc_srv_destroy(srv);
		ck_assert_int_eq(count_names("."), 0);
	}
	leave_scratch_directory();
}
END_TEST

/* --- another user ------------------------------------------------------------------------------------------------- */

static int *must_end;

/* Tries to connect to every name in the directory, as fast as possible. */
static void attack(void)
{
	unsigned long attempts = 0;

	while (!load(must_end)) {
		DIR *dir = opendir(".");
		struct dirent *entry;

		while ((entry = readdir(dir)) != NULL) {
			struct stat status;
			int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
			struct sockaddr_un address = {.sun_family = AF_UNIX};

			snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", entry->d_name);
			ck_assert_msg(connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1,
			              "connected to %s", address.sun_path);
			attempts += errno == EACCES;
			if (lstat("socket", &status) == 0)
				ck_assert_msg(status.st_mode == (S_IFSOCK | 0600) && status.st_uid == 0,
				              "the path had mode 0%o", status.st_mode);
			close(fd);
		}
		closedir(dir);
	}
	ck_assert_msg(attempts > 0, "no attempt met a socket");
}

static int run_attack(void *arg)
{
	(void)arg;
	as_ordinary_user(attack);
	return 0;
}

START_TEST(no_user_can_connect_before_the_mode_applies)
{
	enter_scratch_directory();
	if (is_root("an attack by another user")) {
		must_end = share(sizeof(*must_end));
		*must_end = 0;
		pid_t child = start_child(run_attack, NULL);
		int64_t end = now_ms() + 2000;

		umask(0);
		while (now_ms() < end) {
			struct mm_ipc_srv *srv = create_path("socket", 0600);

			ck_assert_msg(!is_readable(mm_ipc_srv_fd(srv), 1), "another user has connected");
			mm_ipc_srv_destroy(srv);
		}
		/* So that the other process has certainly met a socket. */
		struct mm_ipc_srv *srv = create_path("socket", 0600);

		sleep_ms(1000);
		__atomic_store_n(must_end, 1, __ATOMIC_RELEASE);
		assert_child_succeeds(child);
		mm_ipc_srv_destroy(srv);
		munmap(must_end, sizeof(*must_end));
	}
	leave_scratch_directory();
}
END_TEST

/* --- a program without the library -------------------------------------------------------------------------------- */

/* A program that binds whenever the path is free, and checks that its own socket then stays there. */
static int serve_plainly_until_told(void *arg)
{
	struct sockaddr_un address = path_address("socket");
	int lost = 0;

	(void)arg;
	while (!load(must_end)) {
		int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

		if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 4) == 0) {
			for (int k = 0; k < 20; k++) {
				int client = connect_plainly(&address), served = accept(fd, NULL, NULL);

				lost += served == -1;
				close(client);
				close(served);
			}
		}
		/* It leaves its socket behind. */
		close(fd);
		sched_yield();
	}
	ck_assert_msg(lost == 0, "%d connections did not reach the server", lost);
	return 0;
}

START_TEST(server_of_another_program_is_never_removed)
{
	enter_scratch_directory();
	must_end = share(sizeof(*must_end));
	*must_end = 0;
	pid_t child = start_child(serve_plainly_until_told, NULL);
	int64_t end = now_ms() + 2000;
	int created = 0, in_use = 0;

	while (now_ms() < end || created == 0 || in_use == 0) {
		suite_forget_error();
		struct mm_ipc_srv *srv = mm_ipc_srv_create2("socket", MM_IPC_PATH, 0600);

		if (srv != NULL) {
			created++;
			assert_serves(srv, place);
			mm_ipc_srv_destroy(srv);
		} else {
			ck_assert_msg(mm_get_lasterror_number() == EADDRINUSE, "%s", mm_get_lasterror_desc());
			in_use++;
		}
	}
	__atomic_store_n(must_end, 1, __ATOMIC_RELEASE);
	assert_child_succeeds(child);
	munmap(must_end, sizeof(*must_end));
	leave_scratch_directory();
}
END_TEST

/* Called in place of the next listen() of the library. */
static __thread void (*before_listening)(void);

int listen(int fd, int backlog)
{
	void (*call)(void) = before_listening;

	before_listening = NULL;
	if (call != NULL)
		call();
	return (int)syscall(SYS_listen, fd, backlog);
}

static int plain = -1;

static void put_socket(void)
{
	unlink("socket");
	plain = listen_plainly("socket", 4);
}

static void put_file(void)
{
	unlink("socket");
	write_file("socket", "content");
}

START_TEST(what_appears_at_the_path_at_the_last_moment_is_not_replaced)
{
	struct sockaddr_un address = path_address("socket");

	enter_scratch_directory();
	for (int has_leftover = 0; has_leftover < 2; has_leftover++) {
		for (int is_file = 0; is_file < 2; is_file++) {
			if (has_leftover)
				close(listen_plainly("socket", 1));
			before_listening = is_file ? put_file : put_socket;
			assert_fails_with_null(mm_ipc_srv_create2("socket", MM_IPC_PATH, 0600), EADDRINUSE);
			ck_assert_int_eq(count_names("."), 1);
			if (is_file) {
				ck_assert(has_text("socket", "content"));
			} else {
				int client = connect_plainly(&address), served = accept(plain, NULL, NULL);

				ck_assert_int_ge(client, 0);
				assert_connected(client, served);
				close_all(3, (int[]){client, served, plain});
			}
			unlink("socket");
		}
	}
	leave_scratch_directory();
}
END_TEST

static void remove_leftover(void)
{
	unlink("socket");
}

START_TEST(leftover_may_be_removed_at_the_last_moment)
{
	enter_scratch_directory();
	close(listen_plainly("socket", 1));
	before_listening = remove_leftover;
	struct mm_ipc_srv *srv = create_path("socket", 0600);

	ck_assert_int_eq(count_names("."), 1);
	assert_serves_path(srv, "socket");
	mm_ipc_srv_destroy(srv);
	ck_assert_int_eq(count_names("."), 0);
	leave_scratch_directory();
}
END_TEST

SUITE(exactly_one_of_several_servers_gets_the_path, destroy_never_removes_the_path_of_a_successor,
      threads_of_one_process_exclude_each_other, server_can_be_created_whenever_another_one_was_killed,
      no_user_can_connect_before_the_mode_applies, server_of_another_program_is_never_removed,
      what_appears_at_the_path_at_the_last_moment_is_not_replaced, leftover_may_be_removed_at_the_last_moment)
