/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paths_wait.c: clients that wait for a server at a path
 */
#include "sandbox.h"
#include "servers.h"

#include <sys/inotify.h>

static struct place place = {"socket", MM_IPC_PATH};

/* A client process. The server confirms the connection. */
static int be_client(void *path)
{
	char byte;
	int fd = mm_ipc_connect2(path, MM_IPC_PATH, -1);

	ck_assert_msg(fd >= 0, "%s", mm_get_lasterror_desc());
	return mm_read(fd, &byte, 1) == 1 && mm_close(fd) == 0 ? 0 : 1;
}

static void serve_clients(struct mm_ipc_srv *srv, int count)
{
	for (int i = 0; i < count; i++) {
		int fd = accept2_from(srv, 0);

		ck_assert_int_eq(mm_write(fd, "x", 1), 1);
		close_all(1, &fd);
	}
}

static void serve_plainly(int listener, int count)
{
	for (int i = 0; i < count; i++) {
		ck_assert(is_readable(listener, LONG_MS));
		int fd = accept(listener, NULL, NULL);

		ck_assert_int_eq(write(fd, "x", 1), 1);
		close(fd);
	}
}

static pid_t start_waiting(const char *path)
{
	pid_t child = start_child(be_client, (void *)path);

	wait_until_asleep(child);
	return child;
}

/* The client sleeps until something happens in the directory: it does not poll. */
static void assert_does_not_poll(pid_t client)
{
	unsigned long before = count_sleeps(client);

	sleep_ms(1500);
	ck_assert_uint_le(count_sleeps(client) - before, 1);
}

START_TEST(waiting_client_is_woken_without_polling)
{
	enter_scratch_directory();
	pid_t child = start_waiting("socket");

	assert_does_not_poll(child);
	struct mm_ipc_srv *srv = create_path("socket", 0600);

	serve_clients(srv, 1);
	assert_child_succeeds(child);
	mm_ipc_srv_destroy(srv);
	leave_scratch_directory();
}
END_TEST

START_TEST(client_does_not_poll_at_a_leftover)
{
	enter_scratch_directory();
	close(listen_plainly("socket", 1));
	pid_t child = start_waiting("socket");

	sleep_ms(1200);
	assert_does_not_poll(child);
	struct mm_ipc_srv *srv = create_path("socket", 0600);

	serve_clients(srv, 1);
	assert_child_succeeds(child);
	mm_ipc_srv_destroy(srv);
	leave_scratch_directory();
}
END_TEST

START_TEST(many_clients_are_woken)
{
	pid_t children[32];

	enter_scratch_directory();
	for (int i = 0; i < 32; i++)
		children[i] = start_child(be_client, "socket");
	wait_until_asleep(children[31]);
	struct mm_ipc_srv *srv = create_path("socket", 0600);

	serve_clients(srv, 32);
	for (int i = 0; i < 32; i++)
		assert_child_succeeds(children[i]);
	mm_ipc_srv_destroy(srv);
	leave_scratch_directory();
}
END_TEST

START_TEST(no_wakeup_is_lost_while_servers_start_at_random_times)
{
	uint32_t state = 1;

	enter_scratch_directory();
	for (int i = 0; i < (is_instrumented() ? 50 : 500); i++) {
		pid_t child = start_child(be_client, "socket");

		for (uint32_t spin = next_random(&state) % 200000; spin > 0; spin--)
			__asm__ volatile("");
		struct mm_ipc_srv *srv = create_path("socket", 0600);

		serve_clients(srv, 1);
		assert_child_succeeds(child);
		mm_ipc_srv_destroy(srv);
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(other_files_in_the_directory_do_not_disturb_a_client)
{
	char name[300];

	enter_scratch_directory();
	pid_t child = start_waiting("socket");

	/* More events than one read returns, and if it is fast enough, than the kernel queues. */
	for (int i = 0; i < (is_instrumented() ? 2000 : 20000); i++) {
		snprintf(name, sizeof(name), "%0*d", i % 200 + 1, i);
		ck_assert_int_eq(mkdir(name, 0700), 0);
		ck_assert_int_eq(rmdir(name), 0);
	}
	struct mm_ipc_srv *other = create_path("socket2", 0600);

	wait_until_asleep(child);
	ck_assert_int_eq(waitpid(child, NULL, WNOHANG), 0);
	struct mm_ipc_srv *srv = create_path("socket", 0600);

	serve_clients(srv, 1);
	assert_child_succeeds(child);
	mm_ipc_srv_destroy(srv);
	mm_ipc_srv_destroy(other);
	leave_scratch_directory();
}
END_TEST

START_TEST(client_keeps_waiting_while_servers_come_and_go)
{
	enter_scratch_directory();
	struct waiter waiter = {.place = place, .timeout_ms = -1};
	pthread_t thread = start_waiter(&waiter);
	char byte;

	/* The connection to one of these is reset if the client was fast enough. */
	for (int i = 0; i < 50; i++)
		mm_ipc_srv_destroy(create_path("socket", 0600));
	struct mm_ipc_srv *srv = create_path("socket", 0600);

	join_thread(thread);
	ck_assert_int_ge(waiter.result, 0);
	int served = mm_ipc_srv_accept2(srv, 0, 0);

	if (served >= 0) {
		assert_connected(waiter.result, served);
		close_all(1, &served);
	} else {
		ck_assert_int_eq(mm_read(waiter.result, &byte, 1), -1);
	}
	close_all(1, &waiter.result);
	mm_ipc_srv_destroy(srv);
	leave_scratch_directory();
}
END_TEST

/* --- other servers ------------------------------------------------------------------------------------------------ */

START_TEST(server_that_binds_and_listens_later_is_found)
{
	static const int delays[] = {0, 100, 1200};

	enter_scratch_directory();
	for (int i = 0; i < MM_NELEM(delays); i++) {
		pid_t early = start_waiting("socket");
		int listener = bind_plainly("socket", SOCK_SEQPACKET);

		sleep_ms(delays[i]);
		/* Of one client, the wait begins when the socket is bound already. */
		pid_t late = start_waiting("socket");

		sleep_ms(delays[i]);
		ck_assert_int_eq(listen(listener, 8), 0);
		serve_plainly(listener, 2);
		assert_child_succeeds(early);
		assert_child_succeeds(late);
		close(listener);
		unlink("socket");
	}
	leave_scratch_directory();
}
END_TEST

static int python_server(void *path)
{
	execlp("python3", "python3", "-c",
	       "import socket, sys\n"
	       "server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
	       "server.bind(sys.argv[1])\n"
	       "server.listen(10)\n"
	       "client, _ = server.accept()\n"
	       "client.send(b'x')\n",
	       path, (char *)NULL);
	return 127;
}

START_TEST(server_in_python_is_found)
{
	enter_scratch_directory();
	pid_t child = start_waiting("socket"), server = start_child(python_server, "socket");

	assert_child_succeeds(child);
	assert_child_succeeds(server);
	leave_scratch_directory();
}
END_TEST

START_TEST(server_behind_a_symbolic_link_is_found)
{
	enter_scratch_directory();
	ck_assert_int_eq(mkdir("elsewhere", 0700), 0);
	ck_assert_int_eq(symlink("elsewhere/socket", "link"), 0);
	pid_t child = start_waiting("link");

	sleep_ms(1500);
	struct mm_ipc_srv *srv = create_path("elsewhere/socket", 0600);

	serve_clients(srv, 1);
	assert_child_succeeds(child);
	mm_ipc_srv_destroy(srv);
	leave_scratch_directory();
}
END_TEST

static int serve_in_sandbox(void *number)
{
	forbid(*(long *)number, SECCOMP_RET_ERRNO | EPERM);
	for (int i = 0; i < 2; i++) {
		/* Without a file at the path, and with a leftover. */
		if (i == 1)
			close(listen_plainly("socket", 1));
		pid_t child = start_waiting("socket");
		struct mm_ipc_srv *srv = create_path("socket", 0640);
		struct stat status;

		ck_assert_int_eq(stat("socket", &status), 0);
		ck_assert_uint_eq(status.st_mode, S_IFSOCK | 0640);
		assert_fails_with_null(mm_ipc_srv_create2("socket", MM_IPC_PATH, 0600), EADDRINUSE);
		serve_clients(srv, 1);
		assert_child_succeeds(child);
		mm_ipc_srv_destroy(srv);
		ck_assert_int_eq(count_names("."), 0);
	}
	return 0;
}

START_TEST(server_without_renameat2_wakes_clients)
{
	long number = SYS_renameat2;

	/* The filter would apply to the tool too. */
	if (is_under_valgrind())
		return;
	enter_scratch_directory();
	assert_child_succeeds(start_child(serve_in_sandbox, &number));
	leave_scratch_directory();
}
END_TEST

/* --- without notifications ---------------------------------------------------------------------------------------- */

static int wait_without_inotify(void *arg)
{
	forbid(SYS_inotify_init1, SECCOMP_RET_ERRNO | *(unsigned *)arg);
	return be_client("socket");
}

START_TEST(client_that_may_not_use_inotify_finds_its_server)
{
	static const unsigned errors[] = {EPERM, ENOSYS, EACCES, EMFILE};

	if (is_under_valgrind())
		return;
	enter_scratch_directory();
	for (int i = 0; i < MM_NELEM(errors); i++) {
		pid_t child = start_child(wait_without_inotify, (void *)&errors[i]);

		sleep_ms(300);
		unsigned long before = count_sleeps(child);

		sleep_ms(1000);
		/* It polls, but is not busy. */
		ck_assert_uint_le(count_sleeps(child) - before, 8);
		struct mm_ipc_srv *srv = create_path("socket", 0600);

		serve_clients(srv, 1);
		assert_child_succeeds(child);
		mm_ipc_srv_destroy(srv);
	}
	leave_scratch_directory();
}
END_TEST

/* In a user namespace of its own, the limit of which is 0. */
static int wait_with_too_many_instances(void *ready)
{
	char byte = 'n';

	if (unshare(CLONE_NEWUSER) == 0) {
		write_proc_file("/proc/self/setgroups", "deny");
		write_proc_file("/proc/self/uid_map", geteuid() == 0 ? "0 0 1" : "0 65534 1");
		int limit = open("/proc/sys/user/max_inotify_instances", O_WRONLY);

		if (limit >= 0 && write(limit, "0", 1) == 1 && inotify_init1(IN_CLOEXEC) == -1 && errno == EMFILE)
			byte = 'y';
	}
	ck_assert_int_eq(write(*(int *)ready, &byte, 1), 1);
	return byte == 'y' ? be_client("socket") : 0;
}

START_TEST(client_of_a_user_with_too_many_inotify_instances_finds_its_server)
{
	int ready[2];
	char byte;

	enter_scratch_directory();
	ck_assert_int_eq(pipe(ready), 0);
	pid_t child = start_child(wait_with_too_many_instances, &ready[1]);

	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	if (byte == 'y') {
		wait_until_asleep(child);
		struct mm_ipc_srv *srv = create_path("socket", 0666);

		serve_clients(srv, 1);
		mm_ipc_srv_destroy(srv);
	} else {
		printf("# skipped, since no user namespace can be created: the limit of inotify instances\n");
	}
	assert_child_succeeds(child);
	close_all(2, ready);
	leave_scratch_directory();
}
END_TEST

static void wait_in_unreadable_directory(void)
{
	ck_assert_int_eq(be_client("searchable/socket"), 0);
}

static int run_wait_in_unreadable_directory(void *arg)
{
	(void)arg;
	as_ordinary_user(wait_in_unreadable_directory);
	return 0;
}

START_TEST(client_that_may_only_search_the_directory_finds_its_server)
{
	enter_scratch_directory();
	ck_assert_int_eq(mkdir("searchable", 0700), 0);
	ck_assert_int_eq(chmod("searchable", 0711), 0);
	if (is_root("a directory of another user")) {
		pid_t child = start_child(run_wait_in_unreadable_directory, NULL);

		sleep_ms(300);
		struct mm_ipc_srv *srv = create_path("searchable/socket", 0666);

		serve_clients(srv, 1);
		assert_child_succeeds(child);
		mm_ipc_srv_destroy(srv);
	}
	leave_scratch_directory();
}
END_TEST

/* --- namespaces --------------------------------------------------------------------------------------------------- */

/* False if the process may not create a network namespace. */
static bool enter_other_network(void)
{
	return unshare(geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) == 0;
}

static int wait_in_other_network(void *arg)
{
	(void)arg;
	return enter_other_network() ? be_client("socket") : 77;
}

static int serve_in_other_network(void *arg)
{
	(void)arg;
	if (!enter_other_network())
		return 77;
	struct mm_ipc_srv *srv = create_path("socket", 0600);

	serve_clients(srv, 1);
	mm_ipc_srv_destroy(srv);
	return 0;
}

static void assert_child_succeeds_unless_forbidden(pid_t child)
{
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		printf("# skipped, since no network namespace can be created: a peer in another one\n");
	else
		ck_assert_int_eq(WEXITSTATUS(status), 0);
}

static bool may_enter_other_network(void)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(enter_other_network() ? 0 : 1);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return status == 0;
}

START_TEST(peers_in_different_network_namespaces_find_each_other_without_polling)
{
	enter_scratch_directory();
	if (may_enter_other_network()) {
		pid_t child = start_child(wait_in_other_network, NULL);

		/* Longer than it takes to create the namespace. */
		sleep_ms(1000);
		wait_until_asleep(child);
		assert_does_not_poll(child);
		struct mm_ipc_srv *srv = create_path("socket", 0600);

		serve_clients(srv, 1);
		assert_child_succeeds(child);
		mm_ipc_srv_destroy(srv);

		child = start_waiting("socket");
		pid_t server = start_child(serve_in_other_network, NULL);

		assert_child_succeeds(child);
		assert_child_succeeds(server);
	} else {
		printf("# skipped, since no network namespace can be created: a peer in another one\n");
	}
	leave_scratch_directory();
}
END_TEST

static int find_server_in_use(void *arg)
{
	(void)arg;
	if (!enter_other_network())
		return 77;
	assert_fails_with_null(mm_ipc_srv_create2("socket", MM_IPC_PATH, 0600), EADDRINUSE);
	return 0;
}

START_TEST(server_of_another_network_namespace_is_not_replaced)
{
	enter_scratch_directory();
	struct mm_ipc_srv *srv = create_path("socket", 0600);

	assert_child_succeeds_unless_forbidden(start_child(find_server_in_use, NULL));
	assert_serves_path(srv, "socket");
	mm_ipc_srv_destroy(srv);
	leave_scratch_directory();
}
END_TEST

/* --- the directory changes ---------------------------------------------------------------------------------------- */

START_TEST(wait_ends_when_the_directory_is_removed_or_renamed)
{
	enter_scratch_directory();
	for (int is_renamed = 0; is_renamed < 2; is_renamed++) {
		ck_assert_int_eq(mkdir("directory", 0700), 0);
		struct waiter waiter = {.place = {"directory/socket", MM_IPC_PATH},
		                        .timeout_ms = is_renamed ? LONG_MS : -1};
		pthread_t thread = start_waiter(&waiter);

		ck_assert_int_eq(is_renamed ? rename("directory", "renamed") : rmdir("directory"), 0);
		join_thread(thread);
		ck_assert_int_eq(waiter.result, -1);
		ck_assert_int_eq(waiter.error, ENOENT);
	}
	leave_scratch_directory();
}
END_TEST

static void assert_continues_in_other_directory(const char *path)
{
	ck_assert_int_eq(mkdir("directory", 0700), 0);
	ck_assert_int_eq(mkdir("new", 0700), 0);
	struct waiter waiter = {.place = {path, MM_IPC_PATH}, .timeout_ms = -1};
	pthread_t thread = start_waiter(&waiter);

	/* At no time there is no directory. */
	ck_assert_int_eq(syscall(SYS_renameat2, AT_FDCWD, "new", AT_FDCWD, "directory", 2 /* RENAME_EXCHANGE */), 0);
	wait_until_asleep(waiter.tid);
	struct mm_ipc_srv *srv = create_path("directory/socket", 0600);

	join_thread(thread);
	ck_assert_int_ge(waiter.result, 0);
	close_all(2, (int[]){waiter.result, accept2_from(srv, 0)});
	mm_ipc_srv_destroy(srv);
	ck_assert_int_eq(rmdir("directory"), 0);
	ck_assert_int_eq(rmdir("new"), 0);
}

START_TEST(wait_continues_in_a_directory_that_replaces_the_other)
{
	char longer[160] = "directory/";

	while (strlen(longer) < 120)
		strcat(longer, "./");
	strcat(longer, "socket");
	enter_scratch_directory();
	assert_continues_in_other_directory("directory/socket");
	assert_continues_in_other_directory(longer);
	leave_scratch_directory();
}
END_TEST

START_TEST(wait_continues_in_the_directory_to_which_a_link_leads_later)
{
	/* The wait is long, and no other code runs than in the test before. */
	if (is_instrumented())
		return;
	enter_scratch_directory();
	ck_assert_int_eq(mkdir("one", 0700), 0);
	ck_assert_int_eq(mkdir("two", 0700), 0);
	ck_assert_int_eq(symlink("one", "link"), 0);
	ck_assert_int_eq(symlink("two", "new"), 0);
	struct waiter waiter = {.place = {"link/socket", MM_IPC_PATH}, .timeout_ms = LONG_MS};
	pthread_t thread = start_waiter(&waiter);

	/* The kernel reports nothing: the client looks from time to time. */
	ck_assert_int_eq(rename("new", "link"), 0);
	struct mm_ipc_srv *srv = create_path("two/socket", 0600);

	join_thread(thread);
	ck_assert_int_ge(waiter.result, 0);
	close_all(2, (int[]){waiter.result, accept2_from(srv, 0)});
	mm_ipc_srv_destroy(srv);
	leave_scratch_directory();
}
END_TEST

static void wait_for_forbidden_server(void)
{
	assert_fails(mm_ipc_connect2("socket", MM_IPC_PATH, -1), EACCES);
}

static int run_wait_for_forbidden_server(void *arg)
{
	(void)arg;
	as_ordinary_user(wait_for_forbidden_server);
	return 0;
}

START_TEST(wait_ends_when_a_server_appears_to_which_the_user_may_not_connect)
{
	enter_scratch_directory();
	if (is_root("a server of another user")) {
		pid_t child = start_child(run_wait_for_forbidden_server, NULL);

		sleep_ms(300);
		struct mm_ipc_srv *srv = create_path("socket", 0660);

		assert_child_succeeds(child);
		ck_assert(!is_readable(mm_ipc_srv_fd(srv), 0));
		mm_ipc_srv_destroy(srv);
	}
	leave_scratch_directory();
}
END_TEST

SUITE(waiting_client_is_woken_without_polling, client_does_not_poll_at_a_leftover, many_clients_are_woken,
      no_wakeup_is_lost_while_servers_start_at_random_times, other_files_in_the_directory_do_not_disturb_a_client,
      client_keeps_waiting_while_servers_come_and_go, server_that_binds_and_listens_later_is_found,
      server_in_python_is_found, server_behind_a_symbolic_link_is_found, server_without_renameat2_wakes_clients,
      client_that_may_not_use_inotify_finds_its_server,
      client_of_a_user_with_too_many_inotify_instances_finds_its_server,
      client_that_may_only_search_the_directory_finds_its_server,
      peers_in_different_network_namespaces_find_each_other_without_polling,
      server_of_another_network_namespace_is_not_replaced, wait_ends_when_the_directory_is_removed_or_renamed,
      wait_continues_in_a_directory_that_replaces_the_other,
      wait_continues_in_the_directory_to_which_a_link_leads_later,
      wait_ends_when_a_server_appears_to_which_the_user_may_not_connect)
