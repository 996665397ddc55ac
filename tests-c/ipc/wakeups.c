/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wakeups.c: a new server wakes every waiting client
 *
 * The library sleeps with a timeout, after which it retries. Here poll() has no timeout: a lost wakeup blocks the
 * client until the test times out.
 */
#include "slots.h"

#include <fcntl.h>
#include <mmipc.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* Replaces the C library's poll(), also for the library. A signal takes the place of the timeout. */
int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	int ready = ppoll(fds, count, NULL, NULL);

	return ready == -1 && errno == EINTR && timeout > 0 ? 0 : ready;
}

struct rounds {
	const char *name;
	int count;
};

static void name_round(char name[64], const struct rounds *rounds, int round)
{
	snprintf(name, 64, "%s-%d", rounds->name, round);
}

/* Connects in every round; the server confirms each connection. */
static int connect_in_each_round(void *arg)
{
	const struct rounds *rounds = arg;
	char name[64], byte;

	for (int round = 0; round < rounds->count; round++) {
		name_round(name, rounds, round);
		int fd = mm_ipc_connect(name);

		if (fd < 0 || mm_read(fd, &byte, 1) != 1 || mm_close(fd) != 0)
			return 1;
	}
	return 0;
}

static void serve_clients(struct mm_ipc_srv *srv, int count)
{
	ck_assert_msg(srv != NULL, "%s", mm_get_lasterror_desc());
	for (int i = 0; i < count; i++) {
		int fd = mm_ipc_srv_accept(srv);

		ck_assert_msg(fd >= 0, "%s", mm_get_lasterror_desc());
		ck_assert_int_eq(mm_write(fd, "x", 1), 1);
		ck_assert_int_eq(mm_close(fd), 0);
	}
}

/* In each round a server is created at a random time relative to its clients. */
static void race(int clients, int count)
{
	struct rounds rounds = {unique_name(), count};
	uint32_t state = (uint32_t)clients * 2654435761u;
	pid_t children[64];
	char name[64];

	for (int i = 0; i < clients; i++)
		children[i] = start_child(connect_in_each_round, &rounds);
	for (int round = 0; round < rounds.count; round++) {
		for (uint32_t spin = next_random(&state) % 4096; spin > 0; spin--)
			__asm__ volatile("");
		if (next_random(&state) % 4 == 0)
			sched_yield();
		name_round(name, &rounds, round);
		struct mm_ipc_srv *srv = mm_ipc_srv_create(name);

		serve_clients(srv, clients);
		mm_ipc_srv_destroy(srv);
	}
	for (int i = 0; i < clients; i++)
		assert_child_succeeds(children[i]);
}

START_TEST(no_wakeup_is_lost_in_10000_rounds_of_4_clients)
{
	race(4, is_under_valgrind() ? 200 : 10000);
}
END_TEST

START_TEST(no_wakeup_is_lost_in_rounds_of_1_client)
{
	race(1, is_under_valgrind() ? 200 : 2000);
}
END_TEST

START_TEST(no_wakeup_is_lost_in_rounds_of_30_clients)
{
	race(30, is_under_valgrind() ? 10 : 500);
}
END_TEST

static void start_sleepers(const struct rounds *rounds, pid_t *children, int count)
{
	for (int i = 0; i < count; i++)
		children[i] = start_child(connect_in_each_round, (void *)rounds);
	for (int i = 0; i < count; i++)
		wait_until_asleep(children[i]);
}

START_TEST(clients_of_other_names_are_not_woken)
{
	struct rounds one = {unique_name(), 1}, other = {unique_name(), 1};
	pid_t first, second;
	char name[64];

	start_sleepers(&one, &first, 1);
	start_sleepers(&other, &second, 1);
	name_round(name, &one, 0);
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);

	serve_clients(srv, 1);
	mm_ipc_srv_destroy(srv);
	assert_child_succeeds(first);
	ck_assert_int_eq(waitpid(second, NULL, WNOHANG), 0);
	name_round(name, &other, 0);
	srv = mm_ipc_srv_create(name);
	serve_clients(srv, 1);
	mm_ipc_srv_destroy(srv);
	assert_child_succeeds(second);
}
END_TEST

START_TEST(killed_client_does_not_prevent_the_wakeup_of_others)
{
	struct rounds rounds = {unique_name(), 1};
	pid_t children[8];
	char name[64];

	start_sleepers(&rounds, children, 8);
	for (int i = 0; i < 3; i++) {
		kill(children[i], SIGKILL);
		ck_assert_int_eq(waitpid(children[i], NULL, 0), children[i]);
	}
	name_round(name, &rounds, 0);
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);

	serve_clients(srv, 5);
	mm_ipc_srv_destroy(srv);
	for (int i = 3; i < 8; i++)
		assert_child_succeeds(children[i]);
}
END_TEST

START_TEST(stopped_client_does_not_prevent_the_wakeup_of_others)
{
	struct rounds rounds = {unique_name(), 1};
	pid_t children[16];
	char name[64];

	start_sleepers(&rounds, children, 16);
	/* The client in the first slot. */
	kill(children[0], SIGSTOP);
	name_round(name, &rounds, 0);
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);

	serve_clients(srv, 15);
	kill(children[0], SIGCONT);
	serve_clients(srv, 1);
	mm_ipc_srv_destroy(srv);
	for (int i = 0; i < 16; i++)
		assert_child_succeeds(children[i]);
}
END_TEST

static void let_time_run_out(int signum)
{
	(void)signum;
}

/* A server that sends no wakeup, like mmlib's. */
static int listen_silently(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	strcpy(address.sun_path + 1, name);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(listener, 32), 0);
	return listener;
}

static void serve_silently(int listener, int count)
{
	for (int i = 0; i < count; i++) {
		int fd = accept(listener, NULL, NULL);

		ck_assert_int_eq(mm_write(fd, "x", 1), 1);
		close_all(1, &fd);
	}
}

START_TEST(client_that_finds_the_server_after_a_timeout_wakes_the_others)
{
	struct sigaction action = {.sa_handler = let_time_run_out};
	struct rounds rounds = {unique_name(), 1};
	pid_t children[12];
	char name[64];

	ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
	/* One after the other, so that the first has an anchor. */
	for (int i = 0; i < 12; i++)
		start_sleepers(&rounds, &children[i], 1);
	name_round(name, &rounds, 0);
	int listener = listen_silently(name);

	kill(children[0], SIGUSR1);
	serve_silently(listener, 12);
	for (int i = 0; i < 12; i++)
		assert_child_succeeds(children[i]);
	close_all(1, &listener);
}
END_TEST

START_TEST(attached_client_that_finds_the_server_after_a_timeout_wakes_the_others)
{
	struct sigaction action = {.sa_handler = let_time_run_out};
	struct rounds rounds = {unique_name(), 1};
	pid_t children[12];
	char name[64];

	ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
	for (int i = 0; i < 12; i++)
		start_sleepers(&rounds, &children[i], 1);
	/* The clients that poll. */
	for (int i = 0; i < 4; i++)
		kill(children[i], SIGSTOP);
	name_round(name, &rounds, 0);
	int listener = listen_silently(name);

	kill(children[7], SIGUSR1);
	serve_silently(listener, 8);
	for (int i = 4; i < 12; i++)
		assert_child_succeeds(children[i]);
	for (int i = 0; i < 4; i++)
		kill(children[i], SIGCONT);
	serve_silently(listener, 4);
	for (int i = 0; i < 4; i++)
		assert_child_succeeds(children[i]);
	close_all(1, &listener);
}
END_TEST

START_TEST(clients_that_remain_are_woken_when_all_in_front_have_been_killed)
{
	struct rounds rounds = {unique_name(), 1};
	pid_t children[12];
	char name[64];

	for (int i = 0; i < 12; i++)
		start_sleepers(&rounds, &children[i], 1);
	for (int i = 0; i < 8; i++) {
		kill(children[i], SIGKILL);
		ck_assert_int_eq(waitpid(children[i], NULL, 0), children[i]);
	}
	name_round(name, &rounds, 0);
	/* The front slots were free, so the others notice it themselves. */
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);

	serve_clients(srv, 4);
	mm_ipc_srv_destroy(srv);
	for (int i = 8; i < 12; i++)
		assert_child_succeeds(children[i]);
}
END_TEST

START_TEST(clients_without_slots_are_woken)
{
	struct rounds rounds = {unique_name(), 1};
	pid_t children[40];
	int strangers[251];
	char name[64];

	name_round(name, &rounds, 0);
	for (unsigned slot = 4; slot < 255; slot++)
		strangers[slot - 4] = occupy_slot(name, slot);
	start_sleepers(&rounds, children, 40);
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);

	serve_clients(srv, 40);
	mm_ipc_srv_destroy(srv);
	for (int i = 0; i < 40; i++)
		assert_child_succeeds(children[i]);
	close_all(251, strangers);
}
END_TEST

START_TEST(stopped_client_delays_only_those_attached_to_it)
{
	struct rounds rounds = {unique_name(), 1};
	pid_t children[41];
	int strangers[251];
	char name[64];

	name_round(name, &rounds, 0);
	for (unsigned slot = 4; slot < 255; slot++)
		strangers[slot - 4] = occupy_slot(name, slot);
	for (int i = 0; i < 41; i++)
		start_sleepers(&rounds, &children[i], 1);
	/* It has the first of four anchors. The thread IDs determine to which one the others are attached. */
	kill(children[0], SIGSTOP);
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);
	struct pollfd entry = {mm_ipc_srv_fd(srv), POLLIN, 0};
	int served = 0;

	for (; ppoll(&entry, 1, &(struct timespec){1, 0}, NULL) > 0; served++)
		serve_clients(srv, 1);
	ck_assert_int_ge(served, 3);
	kill(children[0], SIGCONT);
	serve_clients(srv, 41 - served);
	mm_ipc_srv_destroy(srv);
	for (int i = 0; i < 41; i++)
		assert_child_succeeds(children[i]);
	close_all(251, strangers);
}
END_TEST

START_TEST(client_of_another_user_is_woken)
{
	struct rounds rounds = {unique_name(), 1};
	char name[64];
	pid_t child = fork();

	if (child == 0) {
		/* Root can become any user; an ordinary user already is one. */
		if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
			_exit(2);
		_exit(connect_in_each_round(&rounds));
	}
	wait_until_asleep(child);
	name_round(name, &rounds, 0);
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);

	serve_clients(srv, 1);
	mm_ipc_srv_destroy(srv);
	assert_child_succeeds(child);
}
END_TEST

START_TEST(watches_leave_a_front_slot_to_clients)
{
	struct rounds rounds = {unique_name(), 1};
	pid_t children[10];
	int watches[4];
	char name[64];

	name_round(name, &rounds, 0);
	/* The last one is a timer. */
	for (int i = 0; i < 4; i++)
		watches[i] = mm_ipc_watch(name, 0);
	start_sleepers(&rounds, children, 10);
	struct sockaddr_un anchor = slot_address(name, 0);
	int attached = socket(AF_UNIX, SOCK_STREAM, 0);

	/* A watch has no anchor. */
	ck_assert_int_eq(connect(attached, (struct sockaddr *)&anchor, sizeof(anchor)), 0);
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);

	serve_clients(srv, 10);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(recv(watches[i], NULL, 0, MSG_DONTWAIT), 0);
	mm_ipc_srv_destroy(srv);
	for (int i = 0; i < 10; i++)
		assert_child_succeeds(children[i]);
	close_all(4, watches);
	close_all(1, &attached);
}
END_TEST

static void *connect_in_thread(void *name)
{
	char byte;
	int fd = mm_ipc_connect(name);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(mm_read(fd, &byte, 1), 1);
	ck_assert_int_eq(mm_close(fd), 0);
	return NULL;
}

START_TEST(threads_of_one_process_are_woken)
{
	pthread_t threads[8];
	const char *name = unique_name();

	for (int i = 0; i < 8; i++)
		threads[i] = start_thread(connect_in_thread, (void *)name);
	sleep_ms(50);
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);

	serve_clients(srv, 8);
	for (int i = 0; i < 8; i++)
		join_thread(threads[i]);
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(foreign_sockets_in_front_slots_do_not_prevent_the_wakeup)
{
	struct rounds rounds = {unique_name(), 1};
	pid_t children[8];
	int strangers[4];
	char name[64];

	/* Sockets on the front slots that accept datagrams from their own peer only. */
	name_round(name, &rounds, 0);
	for (unsigned slot = 0; slot < 4; slot++) {
		struct sockaddr_un address = slot_address(name, slot);

		strangers[slot] = occupy_slot(name, slot);
		ck_assert_int_eq(connect(strangers[slot], (struct sockaddr *)&address, sizeof(address)), 0);
	}
	start_sleepers(&rounds, children, 8);
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);

	serve_clients(srv, 8);
	mm_ipc_srv_destroy(srv);
	for (int i = 0; i < 8; i++)
		assert_child_succeeds(children[i]);
	close_all(4, strangers);
}
END_TEST

/* Landlock: abstract sockets outside of the sandbox can be neither connected to nor sent datagrams. Linux 6.12. */
static bool enter_landlock(void)
{
	struct {
		uint64_t files, ports, scopes;
	} rules = {0, 0, 1};
	const long create_ruleset = 444, restrict_self = 446;
	int ruleset = (int)syscall(create_ruleset, &rules, sizeof(rules), 0);

	if (ruleset == -1)
		return false;
	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(syscall(restrict_self, ruleset, 0), 0);
	close(ruleset);
	return true;
}

static struct rounds *sandboxed_rounds;

/*
 * A server, and clients in the same sandbox. The clients outside have the slots in front of these, and cannot be woken
 * from here.
 */
static int serve_in_landlock(void *arg)
{
	pid_t children[4];
	char name[64];

	(void)arg;
	if (!enter_landlock())
		return 0;
	start_sleepers(sandboxed_rounds, children, 4);
	name_round(name, sandboxed_rounds, 0);
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);

	/* Its own clients connect at once: no timeout expires here. */
	serve_clients(srv, 4);
	for (int i = 0; i < 4; i++)
		assert_child_succeeds(children[i]);
	mm_ipc_srv_destroy(srv);
	return 0;
}

START_TEST(server_in_a_sandbox_wakes_the_clients_that_it_can_reach)
{
	struct rounds rounds = {unique_name(), 1};
	pid_t outside[4];

	/* The clients in front. */
	for (int i = 0; i < 4; i++)
		start_sleepers(&rounds, &outside[i], 1);
	sandboxed_rounds = &rounds;
	assert_child_succeeds(start_child(serve_in_landlock, NULL));
	for (int i = 0; i < 4; i++) {
		kill(outside[i], SIGKILL);
		waitpid(outside[i], NULL, 0);
	}
}
END_TEST

static int be_refused_in_landlock(void *name)
{
	if (!enter_landlock())
		return 0;
	assert_fails(mm_ipc_connect(name), EPERM);
	return 0;
}

START_TEST(client_in_a_sandbox_is_woken_and_rejected_by_a_server_outside)
{
	const char *name = unique_name();
	pid_t child = start_child(be_refused_in_landlock, (void *)name);

	sleep_ms(50);
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);

	assert_child_succeeds(child);
	mm_ipc_srv_destroy(srv);
}
END_TEST

SUITE(no_wakeup_is_lost_in_10000_rounds_of_4_clients, no_wakeup_is_lost_in_rounds_of_1_client,
      no_wakeup_is_lost_in_rounds_of_30_clients, clients_of_other_names_are_not_woken,
      killed_client_does_not_prevent_the_wakeup_of_others, stopped_client_does_not_prevent_the_wakeup_of_others,
      client_that_finds_the_server_after_a_timeout_wakes_the_others,
      attached_client_that_finds_the_server_after_a_timeout_wakes_the_others,
      clients_that_remain_are_woken_when_all_in_front_have_been_killed, clients_without_slots_are_woken,
      stopped_client_delays_only_those_attached_to_it, foreign_sockets_in_front_slots_do_not_prevent_the_wakeup,
      server_in_a_sandbox_wakes_the_clients_that_it_can_reach,
      client_in_a_sandbox_is_woken_and_rejected_by_a_server_outside, client_of_another_user_is_woken,
      watches_leave_a_front_slot_to_clients, threads_of_one_process_are_woken)
