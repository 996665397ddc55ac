/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connect.c: how soon waiting clients are connected, and the cost of waiting
 *
 * Compares mm_ipc_connect() with two other clients, in turns, for 1 to 4,000 waiting processes. One retries with
 * increasing pauses: 1 ms, doubling up to 100 ms. The other knows more than a client can: it sleeps in read() on a pipe
 * that all clients have inherited and that the server closes when it listens, and then connects. Measures the time from
 * the call of mm_ipc_srv_create() until each client is connected, and the context switches and processor time of all
 * clients during some seconds of waiting. Then measures the cost of the announcement to a server without waiting clients.
 *
 * usage: connect [ROUNDS [SECONDS-OF-WAITING [MOST-CLIENTS]]]
 */
#include "bench.h"

#include <mmlog.h>
#include <mmsysio.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#define MOST_CLIENTS 4000
#define MOST_ROUNDS 101

/* Shared with the clients. */
static struct shared {
	double connected_at[MOST_CLIENTS];
} * shared;

static void sleep_ns(int64_t ns)
{
	struct timespec time = {ns / 1000000000, ns % 1000000000};

	while (nanosleep(&time, &time) == -1)
		;
}

static int connect_with_growing_pause(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	int64_t pause = 1000000;

	strcpy(address.sun_path + 1, name);
	while (connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1) {
		sleep_ns(pause);
		if ((pause *= 2) > 100000000)
			pause = 100000000;
	}
	return fd;
}

/* A pipe of which only the server has the writing end. */
static int pipe_of_server[2];

static int connect_after_end_of_pipe(const char *name)
{
	char byte;

	return read(pipe_of_server[0], &byte, 1) == 0 ? mm_ipc_connect(name) : -1;
}

static int call_kernel_after_end_of_pipe(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char byte;

	if (read(pipe_of_server[0], &byte, 1) != 0)
		return -1;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	strcpy(address.sun_path + 1, name);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? fd : -1;
}

typedef int connector(const char *name);

static struct method {
	const char *title;
	connector *connect;
	/* With more clients, it is measured no longer. */
	int most_clients;
	/* It sleeps without a timeout, so that there is nothing to count. */
	bool is_woken_only;
	double median[MOST_ROUNDS], last[MOST_ROUNDS];
	int64_t switches, cpu_ns;
} methods[] = {
	{.title = "mm_ipc_connect", .connect = mm_ipc_connect, .most_clients = MOST_CLIENTS},
	{.title = "end of a shared pipe, mm_ipc_connect",
         .connect = connect_after_end_of_pipe,
         .most_clients = MOST_CLIENTS,
         .is_woken_only = true},
	{.title = "end of a shared pipe, socket, connect",
         .connect = call_kernel_after_end_of_pipe,
         .most_clients = MOST_CLIENTS,
         .is_woken_only = true},
	{.title = "increasing pauses", .connect = connect_with_growing_pause, .most_clients = 200},
};
enum { METHODS = sizeof(methods) / sizeof(*methods) };

/* Sums of the switches and the processor time of all children, read from /proc so as not to disturb them. */
static void read_usage(const pid_t *children, int count, int64_t *switches, int64_t *cpu_ns)
{
	*switches = *cpu_ns = 0;
	for (int i = 0; i < count; i++) {
		char path[64], line[256];
		unsigned long long value;
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%d/status", (int)children[i]);
		if ((file = fopen(path, "r")) != NULL) {
			while (fgets(line, sizeof(line), file) != NULL)
				if (sscanf(line, "voluntary_ctxt_switches: %llu", &value) == 1 ||
				    sscanf(line, "nonvoluntary_ctxt_switches: %llu", &value) == 1)
					*switches += (int64_t)value;
			fclose(file);
		}
		snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)children[i]);
		if ((file = fopen(path, "r")) != NULL) {
			if (fscanf(file, "%llu", &value) == 1)
				*cpu_ns += (int64_t)value;
			fclose(file);
		}
	}
}

static void be_client(connector *connect, const char *name, int number)
{
	char byte;
	int fd = connect(name);

	shared->connected_at[number] = now_ns();
	/* Runs until the server closes the connection. */
	_exit(fd >= 0 && read(fd, &byte, 1) == 0 ? 0 : 1);
}

/* One server start with that many waiting clients. */
static void run(struct method *method, int clients, int round, double wait_seconds)
{
	static pid_t children[MOST_CLIENTS];
	static int accepted[MOST_CLIENTS];
	static double times[MOST_CLIENTS];
	int64_t switches[2], cpu[2];
	char name[64];

	snprintf(name, sizeof(name), "mmsysio-bench-%ld-%d-%d", (long)getpid(), clients, round);
	if (pipe(pipe_of_server) != 0)
		exit(1);
	for (int i = 0; i < clients; i++) {
		if ((children[i] = fork()) == 0) {
			close(pipe_of_server[1]);
			be_client(method->connect, name, i);
		}
	}
	close(pipe_of_server[0]);
	/* Wait until all clients sleep, then until a random moment of their pauses. */
	sleep_ns(600000000 + (int64_t)clients * 300000 + (int64_t)(random() % 100) * 1000000);
	if (wait_seconds > 0) {
		read_usage(children, clients, &switches[0], &cpu[0]);
		sleep_ns((int64_t)(wait_seconds * 1e9));
		read_usage(children, clients, &switches[1], &cpu[1]);
		method->switches = switches[1] - switches[0];
		method->cpu_ns = cpu[1] - cpu[0];
	}
	double start = now_ns();
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);

	close(pipe_of_server[1]);
	for (int i = 0; i < clients; i++)
		accepted[i] = mm_ipc_srv_accept(srv);
	/* The last client may still be returning from the call. */
	sleep_ns(20000000);
	mm_ipc_srv_destroy(srv);
	for (int i = 0; i < clients; i++) {
		int status;

		mm_close(accepted[i]);
		waitpid(-1, &status, 0);
		if (status != 0) {
			fprintf(stderr, "a client failed\n");
			exit(1);
		}
	}
	for (int i = 0; i < clients; i++)
		times[i] = shared->connected_at[i] - start;
	method->median[round] = median(times, clients);
	method->last[round] = times[clients - 1];
}

static void print_methods(int clients, int rounds, double seconds)
{
	double ratios[METHODS][MOST_ROUNDS];

	for (int m = 0; m < METHODS; m++)
		for (int round = 0; round < rounds; round++)
			ratios[m][round] = methods[m].last[round] / methods[1].last[round];
	for (int m = 0; m < METHODS; m++)
		if (clients <= methods[m].most_clients)
			printf("| %d | %s | %.2f ms | %.2f ms | %.2f | %.2f | %.2f ms |\n", clients, methods[m].title,
			       median(methods[m].median, rounds) / 1e6, median(methods[m].last, rounds) / 1e6,
			       median(ratios[m], rounds), (double)methods[m].switches / clients / seconds,
			       (double)methods[m].cpu_ns / 1e6);
	fflush(stdout);
}

/* The server needs a descriptor for each client. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Median time of mm_ipc_srv_create() without a waiting client, and of the same calls without the announcement. */
static void measure_lone_server(void)
{
	enum { COUNT = 2001 };
	static double ours[COUNT], raw[COUNT], ratios[COUNT];
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "mmsysio-bench-%ld", (long)getpid());
	for (int i = 0; i < COUNT; i++) {
		double start = now_ns();
		struct mm_ipc_srv *srv = mm_ipc_srv_create(address.sun_path + 1);

		ours[i] = now_ns() - start;
		mm_ipc_srv_destroy(srv);
		start = now_ns();
		int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

		bind(fd, (struct sockaddr *)&address, sizeof(address));
		listen(fd, 4096);
		raw[i] = now_ns() - start;
		ratios[i] = ours[i] / raw[i];
		close(fd);
	}
	printf("\n| server without waiting clients | time | ratio |\n|---|---|---|\n");
	printf("| mm_ipc_srv_create | %.1f us | %.2f |\n", median(ours, COUNT) / 1e3, median(ratios, COUNT));
	printf("| socket, bind, listen | %.1f us | 1 |\n", median(raw, COUNT) / 1e3);
}

int main(int argc, char *argv[])
{
	static const int counts[] = {1, 10, 200, 1000, 4000};
	int rounds = argc > 1 ? atoi(argv[1]) : 9;
	double seconds = argc > 2 ? atof(argv[2]) : 10;
	int most = argc > 3 ? atoi(argv[3]) : MOST_CLIENTS;

	if (rounds < 1 || rounds > MOST_ROUNDS)
		rounds = 9;
	raise_descriptor_limit();
	mm_log_set_maxlvl(MM_LOG_NONE);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	printf("Time from calling mm_ipc_srv_create to clients connected, median of up to %d rounds; waiting for %.1f s\n\n",
	       rounds, seconds);
	printf("| clients | method | median | last | ratio of the last to the pipe | wakeups per second and client | "
	       "processor time while waiting |\n");
	printf("|---|---|---|---|---|---|---|\n");
	for (size_t c = 0; c < sizeof(counts) / sizeof(*counts) && counts[c] <= most; c++) {
		/* Many clients take long to start. */
		int turns = counts[c] > 200 && rounds > 5 ? 5 : rounds;

		for (int round = 0; round < turns; round++)
			for (int m = 0; m < METHODS; m++)
				if (counts[c] <= methods[m].most_clients)
					run(&methods[m], counts[c], round,
					    round == 0 && !methods[m].is_woken_only ? seconds : 0);
		print_methods(counts[c], turns, seconds);
	}
	measure_lone_server();
	return 0;
}
