/* SPDX-License-Identifier: Apache-2.0 */
/*
 * waiters.c: many clients wait for a server; some are killed or stopped at any moment; no wakeup may be lost
 *
 * usage: waiters ROUNDS MOST-CLIENTS [SEED]
 *
 * The library sleeps with a timeout, after which it tries again: this hides a lost wakeup. Here poll() has no timeout in
 * the clients, so that a lost wakeup blocks a client for ever.
 *
 * In each round, clients wait for a new name. Before, while or after a server is created, some clients are killed. Others
 * are stopped. Sometimes the first server is killed while it announces itself. In some rounds, the slots behind the front
 * slots are taken, so that clients can only attach to others. Each client that lives and is not stopped must connect
 * before the stopped ones continue; if there are no slots, a stopped client may delay those that are attached to it.
 */
#include "slot_address.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <mmerrno.h>
#include <mmipc.h>
#include <mmlog.h>
#include <mmsysio.h>

#define MOST_CLIENTS 4000
/* With more clients, some may find no slot. */
#define MOST_WITH_SLOTS 100
/* A client that has not connected by then has lost its wakeup. */
#define HANG_MS 20000

static bool has_no_timeout;

/* Replaces the C library's poll(), also for the library. */
int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	struct timespec time = {timeout / 1000, timeout % 1000 * 1000000L};

	return ppoll(fds, count, has_no_timeout || timeout < 0 ? NULL : &time, NULL);
}

#define REQUIRE(condition) require(condition, #condition, __LINE__)

static void require(bool holds, const char *condition, int line)
{
	if (!holds) {
		fprintf(stderr, "waiters.c:%d: %s failed: %s\n", line, condition, strerror(errno));
		exit(2);
	}
}

static uint64_t random_state;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static bool one_in(unsigned count)
{
	return next_random() % count == 0;
}

static int64_t now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void pause_us(long us)
{
	nanosleep(&(struct timespec){us / 1000000, us % 1000000 * 1000}, NULL);
}

static void pause_a_random_time(void)
{
	switch (next_random() % 4) {
	case 0:
		break;
	case 1:
		for (uint64_t spin = next_random() % 20000; spin > 0; spin--)
			__asm__ volatile("");
		break;
	case 2:
		sched_yield();
		break;
	default:
		pause_us((long)(next_random() % 2000));
	}
}

/* --- clients ------------------------------------------------------------------------------------------------------ */

struct client {
	pid_t pid;
	bool is_stopped, has_connected;
};

static struct client clients[MOST_CLIENTS];
static int client_count;
static char base[48];

static void name_round(char name[64], int round)
{
	snprintf(name, 64, "%s-%d", base, round);
}

/* Connects once in each round; the server confirms the connection. */
_Noreturn static void be_client(int round)
{
	has_no_timeout = true;
	for (;; round++) {
		char name[64], byte;

		name_round(name, round);
		int fd = mm_ipc_connect(name);

		if (fd < 0) {
			fprintf(stderr, "a client failed: %s\n", mm_get_lasterror_desc());
			_exit(1);
		}
		/* The server of an earlier round may have been killed before it has confirmed. */
		if (mm_read(fd, &byte, 1) != 1)
			round--;
		mm_close(fd);
	}
}

static void start_client(struct client *client, int round)
{
	pid_t parent = getpid();

	*client = (struct client){.pid = fork()};
	REQUIRE(client->pid >= 0);
	if (client->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		/* The slots that this process occupies. */
		syscall(SYS_close_range, 3, ~0U, 0);
		be_client(round);
	}
}

static void kill_client(struct client *client)
{
	kill(client->pid, SIGKILL);
	REQUIRE(waitpid(client->pid, NULL, 0) == client->pid);
	client->pid = 0;
}

static struct client *find_client(pid_t pid)
{
	for (int i = 0; i < client_count; i++)
		if (clients[i].pid == pid)
			return &clients[i];
	return NULL;
}

static uint64_t kills, stops;

/* At most a part of them: the more there are, the more remain. */
static void kill_some(void)
{
	int most = one_in(4) ? client_count : 1 + client_count / 8;

	for (int count = (int)(next_random() % (uint64_t)(most + 1)); count > 0; count--) {
		struct client *client = &clients[next_random() % (uint64_t)client_count];

		if (client->pid != 0 && !client->has_connected) {
			kill_client(client);
			kills++;
		}
		if (one_in(8))
			pause_a_random_time();
	}
}

static int stop_some(void)
{
	int count = (int)(next_random() % (uint64_t)(1 + client_count / 3)), stopped = 0;

	for (; count > 0; count--) {
		struct client *client = &clients[next_random() % (uint64_t)client_count];

		if (client->pid != 0 && !client->is_stopped) {
			kill(client->pid, SIGSTOP);
			client->is_stopped = true;
			stopped++;
		}
	}
	return stopped;
}

static void continue_all(void)
{
	for (int i = 0; i < client_count; i++) {
		if (clients[i].is_stopped && clients[i].pid != 0)
			kill(clients[i].pid, SIGCONT);
		clients[i].is_stopped = false;
	}
}

/* --- slots -------------------------------------------------------------------------------------------------------- */

/* Takes the slots behind the front slots, whose names never change. Returns their number. */
static int occupy_slots(const char *name, int *sockets)
{
	int count = 0;

	for (unsigned slot = FRONT_SLOTS; slot < SLOTS; slot++) {
		struct sockaddr_un address = slot_address(name, slot);

		sockets[count] = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		/* A client may be faster. */
		if (bind(sockets[count], (struct sockaddr *)&address, sizeof(address)) == 0)
			count++;
		else
			close(sockets[count]);
	}
	return count;
}

/* --- rounds ------------------------------------------------------------------------------------------------------- */

/* A server that is killed at any moment, perhaps before it has announced itself to all clients. */
static void start_and_kill_server(const char *name)
{
	pid_t pid = fork();

	REQUIRE(pid >= 0);
	if (pid == 0) {
		mm_ipc_srv_create(name);
		for (;;)
			pause();
	}
	pause_us((long)(next_random() % 1500));
	kill(pid, SIGKILL);
	REQUIRE(waitpid(pid, NULL, 0) == pid);
}

static bool is_served(const struct client *client, bool with_stopped)
{
	return client->pid == 0 || client->has_connected || (client->is_stopped && !with_stopped);
}

static bool are_all_served(bool with_stopped)
{
	for (int i = 0; i < client_count; i++)
		if (!is_served(&clients[i], with_stopped))
			return false;
	return true;
}

static void report_hang(int round, bool has_slots)
{
	fprintf(stderr, "round %d%s: clients have not been woken:\n", round, has_slots ? "" : ", without slots");
	for (int i = 0; i < client_count; i++)
		if (!is_served(&clients[i], false))
			fprintf(stderr, "  %d\n", (int)clients[i].pid);
}

/* Serves clients until all have connected. False: one does not. The clients that have connected stay connected. */
static bool serve(struct mm_ipc_srv *srv, int *connections, int *connection_count, bool with_stopped)
{
	int64_t until = now_ms() + HANG_MS;

	while (!are_all_served(with_stopped)) {
		int fd = mm_ipc_srv_accept2(srv, MM_IPC_CLOEXEC, 1000);
		struct ucred peer;
		socklen_t size = sizeof(peer);

		if (fd >= 0) {
			REQUIRE(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0);
			struct client *client = find_client(peer.pid);

			/* It may have been killed. */
			if (client != NULL)
				client->has_connected = true;
			connections[(*connection_count)++] = fd;
		} else if (now_ms() > until) {
			return false;
		}
	}
	return true;
}

/* Returns false if a wakeup was lost. */
static bool run_round(int round)
{
	static int connections[MOST_CLIENTS * 2], sockets[SLOTS];
	int connection_count = 0, socket_count = 0;
	bool is_occupied = one_in(3), has_slots = !is_occupied && client_count <= MOST_WITH_SLOTS,
	     has_stops = one_in(2), good;
	char name[64];

	name_round(name, round);
	if (is_occupied)
		socket_count = occupy_slots(name, sockets);
	/* Those that remain from the previous round come here by themselves. */
	for (int i = 0; i < client_count; i++) {
		clients[i].has_connected = false;
		if (clients[i].pid == 0)
			start_client(&clients[i], round);
	}
	pause_a_random_time();
	if (one_in(4))
		pause_us(1000 + client_count * 100);
	if (has_stops)
		stops += (uint64_t)stop_some();
	if (one_in(2))
		kill_some();
	if (one_in(8))
		start_and_kill_server(name);
	pause_a_random_time();
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);

	REQUIRE(srv != NULL);
	if (one_in(4))
		kill_some();
	/* Without slots, a stopped client delays those that are attached to it. */
	good = has_slots ? serve(srv, connections, &connection_count, false) : true;
	if (good) {
		continue_all();
		good = serve(srv, connections, &connection_count, true);
	}
	if (!good)
		report_hang(round, has_slots);
	for (int i = 0; i < connection_count; i++) {
		mm_write(connections[i], "x", 1);
		mm_close(connections[i]);
	}
	mm_ipc_srv_destroy(srv);
	for (int i = 0; i < socket_count; i++)
		close(sockets[i]);
	return good;
}

int main(int argc, char *argv[])
{
	int rounds = argc > 1 ? atoi(argv[1]) : 0, most = argc > 2 ? atoi(argv[2]) : 0;
	uint64_t seed = argc > 3 && *argv[3] != '\0' ? strtoull(argv[3], NULL, 0)
	                                             : (uint64_t)getpid() << 20 ^ (uint64_t)now_ms();
	int64_t start = now_ms();
	struct rlimit limit;
	int round = 0;

	if (argc < 3 || rounds < 1 || most < 1 || most > MOST_CLIENTS) {
		fprintf(stderr, "usage: waiters ROUNDS MOST-CLIENTS [SEED]\n");
		return 2;
	}
	REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = limit.rlim_max;
	REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	random_state = seed | 1;
	printf("waiters: %d rounds of up to %d clients, seed %#llx\n", rounds, most, (unsigned long long)seed);
	fflush(stdout);
	mm_log_set_maxlvl(MM_LOG_NONE);
	snprintf(base, sizeof(base), "mmsysio-waiters-%ld", (long)getpid());
	client_count = most;
	bool good = true;

	while (good && round < rounds)
		good = run_round(round++);
	for (int i = 0; i < client_count; i++)
		if (clients[i].pid != 0)
			kill_client(&clients[i]);
	printf("waiters: %d rounds, %llu kills, %llu stops, %.1f s: %s\n", round, (unsigned long long)kills,
	       (unsigned long long)stops, (double)(now_ms() - start) / 1000, good ? "no wakeup was lost" : "FAILED");
	return good ? 0 : 1;
}
