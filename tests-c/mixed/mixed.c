/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mixed.c: clients and servers of version 1.0.0 together with those of today
 *
 * usage: mixed PEER OLD_LIBDIR LIBDIR ROUNDS [SEED]
 *
 * Clients of both versions wait for a server of either. The tests, in this order:
 *   messages  one client and one server, in all four combinations: data, descriptors and credentials
 *   waiting   all clients connect after the server was created, also if there are more clients than wakeup slots
 *   killed    the same, after some of the waiting clients were killed
 *   wakeups   poll() has no timeout: a client whose wakeup is lost does not connect, and the test fails
 *   relays    also without timeouts: the server notifies no client; the first client that finds it must notify others
 *
 * This program is not linked with the library. Each peer is a process, killed by the kernel when this one ends.
 */
#include "mixed.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_CLIENTS 600
#define MOST_ROUNDS 10000
#define FRONT_SLOTS 4
#define MS INT64_C(1000000)

#define REQUIRE(condition)                                                                        \
	do {                                                                                      \
		if (!(condition))                                                                 \
			fail("mixed.c:%d: not true: %s (errno %d)", __LINE__, #condition, errno); \
	} while (0)

static const char *const names[VERSIONS] = {"1.0.0", "today"};

/* Only against tests that never end. */
static const int64_t hang_ns = 30000 * MS;

/* A client of 1.0.0 retries every 250 ms, so that a killed client delays others by no more, apart from the load. */
static const int64_t killed_ns = 5000 * MS;

struct server {
	pid_t pid;
	int orders;
};

struct client {
	pid_t pid;
	enum version version;
	bool has_started, has_connected;
	/* What it has counted so far. */
	uint32_t polls, messages, fds;
};

/* Durations of the rounds of one kind. */
struct times {
	double ms[MOST_ROUNDS];
	int count;
};

static const char *peer_path, *libdirs[VERSIONS];
static uint64_t seed, state;
static int reports[2];
static struct server servers[VERSIONS];

/* The clients of the current round or rounds, and what they have reported. */
static struct client clients[MOST_CLIENTS];
static int client_count;
static const char *current_test = "start";
static int current_round;
static int64_t created_ns, last_connected_ns[VERSIONS];
static bool is_created, is_served;

static uint64_t polls[VERSIONS], connections[VERSIONS][VERSIONS], messages, descriptors;
static enum version current_server;

/* --- failures ----------------------------------------------------------------------------------------------------- */

static void kill_all(void)
{
	for (int i = 0; i < client_count; i++)
		if (clients[i].pid > 0)
			kill(clients[i].pid, SIGKILL);
	for (int i = 0; i < VERSIONS; i++)
		if (servers[i].pid > 0)
			kill(servers[i].pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "FAILED: %s, round %d, server of %s, seed %llu: ", current_test, current_round,
	        names[current_server], (unsigned long long)seed);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	kill_all();
	exit(1);
}

/* The state of a process, as in /proc/PID/stat; '?' if it does not exist. */
static char state_of(pid_t pid)
{
	char path[32], text[128], *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return '?';
	ssize_t size = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[size > 0 ? size : 0] = '\0';
	end = strrchr(text, ')');
	return end != NULL && end[1] == ' ' ? end[2] : '?';
}

/* The clients that have not connected. */
__attribute__((noreturn)) static void fail_hanging(int64_t ns)
{
	for (int i = 0; i < client_count; i++)
		if (clients[i].pid > 0 && !clients[i].has_connected)
			fprintf(stderr, "not connected: client %d of %s, process %d, state %c\n", i,
			        names[clients[i].version], (int)clients[i].pid, state_of(clients[i].pid));
	fail("not completed after %lld ms", (long long)(ns / MS));
}

/* --- random numbers ----------------------------------------------------------------------------------------------- */

static int below(int limit)
{
	return (int)(next_random(&state) % (uint64_t)limit);
}

/* Each order of magnitude is equally frequent. */
static int64_t random_delay_ns(int most_bits)
{
	return (int64_t)(next_random(&state) >> (64 - 1 - below(most_bits)));
}

/* --- peers -------------------------------------------------------------------------------------------------------- */

/* Runs a peer with the library of that version. Its descriptors are those of peer.c. */
static pid_t start_peer(enum version version, int orders, char *const *argv)
{
	pid_t parent = getpid(), pid = fork();

	REQUIRE(pid >= 0);
	if (pid == 0) {
		/* Also after exec: if this program is killed, no peer stays. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(3);
		setenv("LD_LIBRARY_PATH", libdirs[version], 1);
		dup2(reports[1], REPORTS_FD);
		if (orders >= 0)
			dup2(orders, ORDERS_FD);
		execv(peer_path, argv);
		_exit(127);
	}
	return pid;
}

static void start_server(enum version version)
{
	char text[VERSIONS][12];
	int fds[2];

	REQUIRE(pipe2(fds, O_CLOEXEC) == 0);
	snprintf(text[0], sizeof(text[0]), "%d", version);
	snprintf(text[1], sizeof(text[1]), "%d", MOST_CLIENTS + (int)version);
	servers[version].pid = start_peer(version, fds[0], (char *[]){"peer", "server", text[0], text[1], NULL});
	servers[version].orders = fds[1];
	close(fds[0]);
}

static void start_client(enum version version, bool has_timeouts, const char *name, int rounds, int message_count)
{
	char text[5][24];

	REQUIRE(client_count < MOST_CLIENTS);
	snprintf(text[0], sizeof(text[0]), "%d", version);
	snprintf(text[1], sizeof(text[1]), "%d", client_count);
	snprintf(text[2], sizeof(text[2]), "%d", rounds);
	snprintf(text[3], sizeof(text[3]), "%d", message_count);
	snprintf(text[4], sizeof(text[4]), "%llu", (unsigned long long)next_random(&state));
	char *argv[] = {"peer",       "client", text[0], text[1], has_timeouts ? "1" : "0",
	                (char *)name, text[2],  text[3], text[4], NULL};

	clients[client_count] = (struct client){.version = version};
	clients[client_count].pid = start_peer(version, -1, argv);
	client_count++;
}

/* Starts clients of both versions in random order. */
static void start_clients(const int counts[VERSIONS], bool has_timeouts, const char *name, int rounds)
{
	int left[VERSIONS] = {counts[OLD], counts[TODAY]};

	while (left[OLD] + left[TODAY] > 0) {
		enum version version = below(left[OLD] + left[TODAY]) < left[OLD] ? OLD : TODAY;

		start_client(version, has_timeouts, name, rounds, 1);
		left[version]--;
	}
}

/* A new name for clients, and that of their first or only round. */
static const char *new_name(void)
{
	static char name[32];
	static int number;

	snprintf(name, sizeof(name), "mixed-%d-%d", (int)getpid(), number++);
	return name;
}

static void send_order(enum version version, const char *name, int round, struct order order)
{
	snprintf(order.name, sizeof(order.name), "%s-%d", name, round);
	current_server = version;
	is_created = is_served = false;
	last_connected_ns[OLD] = last_connected_ns[TODAY] = 0;
	for (int i = 0; i < client_count; i++)
		clients[i].has_connected = false;
	REQUIRE(write(servers[version].orders, &order, sizeof(order)) == sizeof(order));
}

static void order_server(enum version version, const char *name, int round, int count, int64_t delay_ns)
{
	send_order(version, name, round, (struct order){.clients = count, .delay_ns = delay_ns});
}

/* --- reports ------------------------------------------------------------------------------------------------------ */

static void take_report(const struct report *report)
{
	struct client *client = report->peer < MOST_CLIENTS ? &clients[report->peer] : NULL;

	/* One that was killed may have sent it. */
	if (client != NULL && client->pid != report->pid)
		return;
	switch (report->event) {
	case STARTED:
		client->has_started = true;
		break;
	case CONNECTED:
		REQUIRE(!client->has_connected && report->round == current_round);
		client->has_connected = true;
		client->polls = report->polls;
		client->messages = report->messages;
		client->fds = report->fds;
		connections[current_server][client->version]++;
		if (report->at_ns > last_connected_ns[client->version])
			last_connected_ns[client->version] = report->at_ns;
		break;
	case CREATED:
		created_ns = report->at_ns;
		is_created = true;
		break;
	case SERVED:
		is_served = true;
		break;
	case FAILED:
		fail("peer %d (%s): %s", report->peer,
		     names[client != NULL ? (int)client->version : report->peer - MOST_CLIENTS], report->text);
	}
}

static void receive_reports(int64_t deadline_ns, int64_t limit_ns)
{
	struct pollfd entry = {.fd = reports[0], .events = POLLIN};
	struct report report;
	int64_t left_ns = deadline_ns - now_ns();

	if (left_ns <= 0)
		fail_hanging(limit_ns);
	if (poll(&entry, 1, (int)(left_ns / MS) + 1) <= 0)
		return;
	REQUIRE(read(reports[0], &report, sizeof(report)) == sizeof(report));
	take_report(&report);
}

static bool all_have_started(void)
{
	for (int i = 0; i < client_count; i++)
		if (clients[i].pid > 0 && !clients[i].has_started)
			return false;
	return true;
}

/* True if all clients from that number on have connected. */
static bool have_connected(int first)
{
	for (int i = first; i < client_count; i++)
		if (clients[i].pid > 0 && !clients[i].has_connected)
			return false;
	return true;
}

/* Waits until all clients sleep in mm_ipc_connect(). */
static void wait_until_clients_wait(void)
{
	int64_t deadline_ns = now_ns() + hang_ns;

	while (!all_have_started())
		receive_reports(deadline_ns, hang_ns);
	for (int i = 0; i < client_count; i++)
		while (clients[i].pid > 0 && state_of(clients[i].pid) != 'S') {
			if (now_ns() > deadline_ns)
				fail("client %d does not wait", i);
			pause_ns(MS / 5);
		}
}

/* Waits until the server has served all clients. */
static void wait_until_served(int64_t limit_ns)
{
	int64_t deadline_ns = now_ns() + limit_ns;

	while (!is_created || !is_served || !have_connected(0))
		receive_reports(deadline_ns, limit_ns);
}

/* The clients end after their last round. */
static void end_clients(void)
{
	int64_t deadline_ns = now_ns() + hang_ns;

	for (int i = 0; i < client_count; i++) {
		int status = 0;

		if (clients[i].pid < 0)
			continue;
		while (waitpid(clients[i].pid, &status, WNOHANG) == 0) {
			if (now_ns() > deadline_ns)
				fail("client %d does not end", i);
			pause_ns(MS / 5);
		}
		clients[i].pid = -1;
		if (status != 0)
			fail("client %d has ended with status %#x", i, (unsigned)status);
		polls[clients[i].version] += clients[i].polls;
		messages += clients[i].messages;
		descriptors += clients[i].fds;
	}
	client_count = 0;
}

static void kill_client(struct client *client)
{
	REQUIRE(kill(client->pid, SIGKILL) == 0 && waitpid(client->pid, NULL, 0) == client->pid);
	client->pid = -1;
}

/* --- times -------------------------------------------------------------------------------------------------------- */

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The times from the creation of the server to the last client of each version. */
static void record(struct times times[VERSIONS])
{
	for (int i = 0; i < VERSIONS; i++)
		if (last_connected_ns[i] != 0 && times[i].count < MOST_ROUNDS)
			times[i].ms[times[i].count++] = (double)(last_connected_ns[i] - created_ns) / (double)MS;
}

static void print_times(const char *what, enum version server, struct times times[VERSIONS])
{
	for (int i = 0; i < VERSIONS; i++) {
		int count = times[i].count;

		if (count == 0)
			continue;
		qsort(times[i].ms, (size_t)count, sizeof(double), compare_doubles);
		printf("mixed: %s, server of %s: last client of %s after %.2f ms (median of %d), at most %.2f ms\n",
		       what, names[server], names[i], times[i].ms[count / 2], count, times[i].ms[count - 1]);
	}
	fflush(stdout);
}

static struct times times[VERSIONS][VERSIONS];

static void begin_test(const char *name)
{
	current_test = name;
	current_round = 0;
	memset(times, 0, sizeof(times));
}

/* --- tests -------------------------------------------------------------------------------------------------------- */

static void test_messages(int rounds)
{
	begin_test("messages");
	for (int i = 0; i < VERSIONS * VERSIONS; i++) {
		const char *name = new_name();

		start_client((enum version)(i % 2), true, name, rounds, 40);
		for (current_round = 0; current_round < rounds; current_round++) {
			order_server((enum version)(i / 2), name, current_round, 1, random_delay_ns(21));
			wait_until_served(hang_ns);
		}
		end_clients();
	}
	printf("mixed: messages: %llu, with %llu descriptors, received by clients, and as many by servers\n",
	       (unsigned long long)messages, (unsigned long long)descriptors);
	fflush(stdout);
}

/* The server is created after all clients have waited for a while, and the time is measured. */
static void connect_waiting_clients(const int counts[VERSIONS], enum version server, int64_t delay_ns)
{
	const char *name = new_name();

	start_clients(counts, true, name, 1);
	wait_until_clients_wait();
	order_server(server, name, 0, counts[OLD] + counts[TODAY], delay_ns);
	wait_until_served(hang_ns);
	record(times[server]);
	end_clients();
}

/* The server is created while clients start, or before. */
static void connect_starting_clients(const int counts[VERSIONS], enum version server)
{
	const char *name = new_name();
	int count = counts[OLD] + counts[TODAY], first = below(count + 1), left[VERSIONS];

	left[OLD] = counts[OLD];
	left[TODAY] = counts[TODAY];
	for (int i = 0; i <= count; i++) {
		if (i == first)
			order_server(server, name, 0, count, random_delay_ns(23));
		if (i == count)
			break;
		enum version version = below(left[OLD] + left[TODAY]) < left[OLD] ? OLD : TODAY;

		start_client(version, true, name, 1, 1);
		left[version]--;
		if (below(4) == 0)
			pause_ns(random_delay_ns(22));
	}
	wait_until_served(hang_ns);
	end_clients();
}

static void test_waiting(int rounds)
{
	const int many[VERSIONS] = {300, 300};

	begin_test("waiting");
	for (int i = 0; i < rounds; i++) {
		int counts[VERSIONS] = {1 + below(30), 1 + below(30)};
		enum version server = (enum version)below(VERSIONS);

		if (i % 3 == 0)
			connect_starting_clients(counts, server);
		else
			connect_waiting_clients(counts, server, below(100) * MS);
	}
	for (int i = 0; i < VERSIONS; i++)
		print_times("1 to 30 clients of each", (enum version)i, times[i]);

	begin_test("more clients than slots");
	for (int i = 0; i < 3 * VERSIONS; i++)
		connect_waiting_clients(many, (enum version)(i % VERSIONS), (300 + below(200)) * MS);
	for (int i = 0; i < VERSIONS; i++)
		print_times("300 clients of each", (enum version)i, times[i]);
}

static void test_killed(int rounds)
{
	uint64_t kills = 0;

	begin_test("killed");
	for (int i = 0; i < rounds; i++) {
		const char *name = new_name();
		int counts[VERSIONS] = {1 + below(30), 1 + below(30)}, survivors = counts[OLD] + counts[TODAY];
		enum version server = (enum version)below(VERSIONS);

		start_clients(counts, true, name, 1);
		/* Otherwise some are killed while they register. */
		bool are_waiting = below(3) != 0;

		if (are_waiting)
			wait_until_clients_wait();
		/* In half of the rounds mainly those that came first, which are likely to have the front slots. */
		for (int victims = below(survivors), among = below(2) == 0 ? client_count : victims + 1; victims > 0;) {
			struct client *client = &clients[below(among)];

			if (client->pid < 0)
				continue;
			kill_client(client);
			kills++;
			survivors--;
			victims--;
			if (below(3) == 0)
				pause_ns(random_delay_ns(24));
		}
		order_server(server, name, 0, survivors, random_delay_ns(26));
		wait_until_served(killed_ns);
		/* Otherwise it would be the time in which clients start. */
		if (are_waiting)
			record(times[server]);
		end_clients();
	}
	printf("mixed: killed: %llu clients\n", (unsigned long long)kills);
	for (int i = 0; i < VERSIONS; i++)
		print_times("after kills", (enum version)i, times[i]);
}

/* The same clients connect in each round. The server of a round starts while they return from the previous one. */
static void race(const int counts[VERSIONS], int rounds)
{
	const char *name = new_name();

	start_clients(counts, false, name, rounds);
	for (current_round = 0; current_round < rounds; current_round++) {
		enum version server = (enum version)below(VERSIONS);

		/* Sometimes longer than clients take to register and to wait. */
		if (below(16) == 0)
			wait_until_clients_wait();
		order_server(server, name, current_round, counts[OLD] + counts[TODAY], random_delay_ns(25));
		wait_until_served(hang_ns);
		record(times[server]);
	}
	current_round = 0;
	end_clients();
}

static void test_wakeups(int rounds)
{
	static const int counts[][VERSIONS] = {{1, 1}, {1, 3}, {3, 1}, {4, 4}, {2, 30}, {30, 2}, {50, 50}};
	uint64_t polls_before[VERSIONS] = {polls[OLD], polls[TODAY]};

	begin_test("wakeups");
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		race(counts[i], rounds);
	for (int i = 0; i < 5; i++)
		race((int[]){1 + below(50), 1 + below(50)}, rounds);
	for (int i = 0; i < VERSIONS; i++) {
		/* The library must call the poll() of the peer, or the timeouts are still there. */
		if (polls[i] == polls_before[i])
			fail("no client of %s has called poll()", names[i]);
		printf("mixed: wakeups: clients of %s have waited in poll() %llu times, without a timeout\n", names[i],
		       (unsigned long long)(polls[i] - polls_before[i]));
	}
	for (int i = 0; i < VERSIONS; i++)
		print_times("without timeouts", (enum version)i, times[i]);
}

/* A client that finds the server without having been notified notifies all others that have no front slot. */
static void relay(const int counts[VERSIONS], const enum version front[FRONT_SLOTS])
{
	const char *name = new_name();
	int count = FRONT_SLOTS + counts[OLD] + counts[TODAY];
	int64_t deadline_ns = now_ns() + hang_ns;

	/* One after the other, so that these have the front slots. */
	for (int i = 0; i < FRONT_SLOTS; i++) {
		start_client(front[i], false, name, 1, 1);
		wait_until_clients_wait();
	}
	start_clients(counts, false, name, 1);
	wait_until_clients_wait();
	/* Clients that try for a better place pause before. */
	pause_ns(50 * MS);
	send_order((enum version)below(VERSIONS), name, 0, (struct order){.clients = count, .is_silent = true});
	while (!is_created)
		receive_reports(deadline_ns, hang_ns);
	kill(clients[below(FRONT_SLOTS)].pid, SIGUSR1);
	while (!have_connected(FRONT_SLOTS))
		receive_reports(deadline_ns, hang_ns);
	/* Other clients with front slots may have to find the server themselves. */
	for (int i = 0; i < FRONT_SLOTS; i++)
		if (!clients[i].has_connected)
			kill(clients[i].pid, SIGUSR1);
	wait_until_served(hang_ns);
	end_clients();
}

static void test_relays(int rounds)
{
	begin_test("relays");
	for (int i = 0; i < rounds; i++) {
		enum version front[FRONT_SLOTS];

		/* Of one version, the other, or both. */
		for (int slot = 0; slot < FRONT_SLOTS; slot++)
			front[slot] = i % 3 < VERSIONS ? (enum version)(i % 3) : (enum version)below(VERSIONS);
		relay((int[]){1 + below(16), 1 + below(16)}, front);
	}
	printf("mixed: relays: %d rounds\n", rounds);
}

static void end_servers(void)
{
	for (int i = 0; i < VERSIONS; i++) {
		int status;

		close(servers[i].orders);
		REQUIRE(waitpid(servers[i].pid, &status, 0) == servers[i].pid && status == 0);
		servers[i].pid = -1;
	}
	REQUIRE(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
}

int main(int argc, char **argv)
{
	int64_t start_ns = now_ns();

	if (argc < 5 || argc > 6 || atoi(argv[4]) <= 0 || atoi(argv[4]) > MOST_ROUNDS) {
		fputs("usage: mixed PEER OLD_LIBDIR LIBDIR ROUNDS [SEED]\n", stderr);
		return 2;
	}
	int rounds = atoi(argv[4]);

	peer_path = argv[1];
	libdirs[OLD] = argv[2];
	libdirs[TODAY] = argv[3];
	seed = argc > 5 ? strtoull(argv[5], NULL, 10) : (uint64_t)start_ns ^ (uint64_t)getpid() << 40;
	state = seed;
	printf("mixed: seed %llu, %d rounds\n", (unsigned long long)seed, rounds);
	fflush(stdout);
	signal(SIGPIPE, SIG_IGN);
	/* The pipes must not have the numbers that they get in the peers: dup2() would leave their close-on-exec flags. */
	REQUIRE(fcntl(STDERR_FILENO, F_DUPFD, REPORTS_FD) >= 0 && fcntl(STDERR_FILENO, F_DUPFD, ORDERS_FD) >= 0);
	REQUIRE(pipe2(reports, O_CLOEXEC) == 0);
	/* Space for the reports of all clients, so that none waits in write(). It is not needed for correct results. */
	fcntl(reports[1], F_SETPIPE_SZ, 1 << 20);
	for (int i = 0; i < VERSIONS; i++)
		start_server((enum version)i);

	test_messages((rounds + 9) / 10);
	test_waiting(rounds);
	test_killed((rounds + 1) / 2);
	test_wakeups(2 * rounds);
	test_relays((rounds + 1) / 2);

	end_servers();
	for (int i = 0; i < VERSIONS; i++)
		for (int j = 0; j < VERSIONS; j++)
			printf("mixed: %llu connections of clients of %s to servers of %s\n",
			       (unsigned long long)connections[i][j], names[j], names[i]);
	printf("mixed: passed, %.1f s\n", (double)(now_ns() - start_ns) / 1e9);
	return 0;
}
