/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paths_hidden.c: descriptors that a client uses internally while it waits for a path
 */
#include "servers.h"

/* The descriptors that have been opened since the first call. */
static int list_new(int fds[20])
{
	static bool was_open[200], is_known;
	int count = 0;

	for (int fd = 0; fd < 200; fd++) {
		if (!is_known)
			was_open[fd] = is_open(fd);
		else if (is_open(fd) && !was_open[fd] && count < 20)
			fds[count++] = fd;
	}
	is_known = true;
	return count;
}

/* A path that is too long for a socket address, so that a client keeps its directory. */
static const char *long_path(void)
{
	static char path[300];

	memset(path, 'd', 100);
	path[100] = '\0';
	ck_assert(mkdir(path, 0700) == 0 || errno == EEXIST);
	strcat(path, "/socket-with-a-long-name");
	return path;
}

START_TEST(internal_descriptors_are_close_on_exec_and_not_inherited)
{
	int fds[20];

	enter_scratch_directory();
	list_new(fds);
	for (int is_long = 0; is_long < 2; is_long++) {
		struct waiter waiter = {.place = {is_long ? long_path() : "socket", MM_IPC_PATH}, .timeout_ms = -1};
		pthread_t thread = start_waiter(&waiter);
		int count = list_new(fds);

		ck_assert_int_ge(count, 1);
		for (int i = 0; i < count; i++) {
			ck_assert_int_gt(fds[i], 2);
			ck_assert(is_cloexec(fds[i]));
		}
		pid_t child = fork();

		if (child == 0)
			_exit(list_new(fds));
		assert_child_succeeds(child);
		struct mm_ipc_srv *srv = create_path(waiter.place.address, 0600);

		join_thread(thread);
		close_all(2, (int[]){waiter.result, accept2_from(srv, 0)});
		mm_ipc_srv_destroy(srv);
		ck_assert_int_eq(list_new(fds), 0);
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(waiting_client_neither_reads_nor_closes_a_reused_descriptor)
{
	int fds[20], pipes[2], mine, count;
	char byte, other[310];

	enter_scratch_directory();
	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
	list_new(fds);
	for (int is_long = is_instrumented(); is_long < 2; is_long++) {
		for (int has_data = 0; has_data < 2; has_data++) {
			struct waiter waiter = {.place = {is_long ? long_path() : "socket", MM_IPC_PATH},
			                        .timeout_ms = -1};
			pthread_t thread = start_waiter(&waiter);

			/* The program replaces all descriptors that it does not know. */
			count = list_new(fds);
			if (has_data)
				ck_assert_int_eq(write(pipes[1], "x", 1), 1);
			for (int i = 0; i < count; i++)
				ck_assert_int_eq(dup2(pipes[0], fds[i]), fds[i]);
			mine = fds[0];
			/* An event ends its sleep. */
			snprintf(other, sizeof(other), "%s2", waiter.place.address);
			write_file(other, "");
			sleep_ms(300);
			struct mm_ipc_srv *srv = create_path(waiter.place.address, 0600);

			join_thread(thread);
			ck_assert_int_ge(waiter.result, 0);
			for (int i = 0; i < count; i++)
				ck_assert(is_open(fds[i]));
			if (has_data)
				ck_assert_int_eq(read(mine, &byte, 1), 1);
			close_all(count, fds);
			close_all(2, (int[]){waiter.result, accept2_from(srv, 0)});
			mm_ipc_srv_destroy(srv);
		}
	}
	close_all(2, pipes);
	leave_scratch_directory();
}
END_TEST

SUITE(internal_descriptors_are_close_on_exec_and_not_inherited,
      waiting_client_neither_reads_nor_closes_a_reused_descriptor)
