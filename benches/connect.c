/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connect.c: how soon waiting clients are connected, and the cost of waiting
 *
 * Compares mm_ipc_connect() with a client that retries with increasing pauses (1 ms, doubling up to 100 ms), in turns,
 * for 1, 10 and 200 waiting processes. Measures the time from the return of mm_ipc_srv_create() until each client is
 * connected, and the context switches and processor time of all clients during some seconds of waiting. Then measures
 * the cost of the announcement to a server without waiting clients.
 *
 * usage: connect [ROUNDS [SECONDS-OF-WAITING]]
 */
#include "bench.h"

#include <mmlog.h>
#include <mmsysio.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/un.h>
#include <sys/wait.h>

#define MOST_CLIENTS 200
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

typedef int connector(const char *name);

static struct method {
	const char *title;
	connector *connect;
	double median[MOST_ROUNDS], last[MOST_ROUNDS];
	int64_t switches, cpu_ns;
} methods[2] = {{.title = "mm_ipc_connect", .connect = mm_ipc_connect},
                {.title = "increasing pauses", .connect = connect_with_growing_pause}};

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
	pid_t children[MOST_CLIENTS];
	int accepted[MOST_CLIENTS];
	double times[MOST_CLIENTS];
	int64_t switches[2], cpu[2];
	char name[64];

	snprintf(name, sizeof(name), "mmsysio-bench-%ld-%d-%d", (long)getpid(), clients, round);
	for (int i = 0; i < clients; i++)
		if ((children[i] = fork()) == 0)
			be_client(method->connect, name, i);
	/* Wait until all clients sleep, then until a random moment of their pauses. */
	sleep_ns(600000000 + (int64_t)(random() % 100) * 1000000);
	if (wait_seconds > 0) {
		read_usage(children, clients, &switches[0], &cpu[0]);
		sleep_ns((int64_t)(wait_seconds * 1e9));
		read_usage(children, clients, &switches[1], &cpu[1]);
		method->switches = switches[1] - switches[0];
		method->cpu_ns = cpu[1] - cpu[0];
	}
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);
	double start = now_ns();

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

/* Median time of mm_ipc_srv_create() without a waiting client, and of the same calls without the announcement. */
static void measure_lone_server(void)
{
	enum { COUNT = 2001 };
	static double ours[COUNT], raw[COUNT];
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
		close(fd);
	}
	printf("\nServer without waiting clients: mm_ipc_srv_create %.1f us, socket+bind+listen %.1f us\n",
	       median(ours, COUNT) / 1e3, median(raw, COUNT) / 1e3);
}

int main(int argc, char *argv[])
{
	static const int counts[] = {1, 10, 200};
	int rounds = argc > 1 ? atoi(argv[1]) : 9;
	double seconds = argc > 2 ? atof(argv[2]) : 5;

	if (rounds < 1 || rounds > MOST_ROUNDS)
		rounds = 9;
	mm_log_set_maxlvl(MM_LOG_NONE);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	printf("Time from mm_ipc_srv_create returning to clients connected, median of %d rounds; waiting for %.1f s\n\n",
	       rounds, seconds);
	printf("| clients | method | median | last | switches while waiting | processor time while waiting |\n");
	printf("|---|---|---|---|---|---|\n");
	for (size_t c = 0; c < sizeof(counts) / sizeof(*counts); c++) {
		for (int round = 0; round < rounds; round++)
			for (int m = 0; m < 2; m++)
				run(&methods[m], counts[c], round, round == 0 ? seconds : 0);
		for (int m = 0; m < 2; m++)
			printf("| %d | %s | %.2f ms | %.2f ms | %lld | %.2f ms |\n", counts[c], methods[m].title,
			       median(methods[m].median, rounds) / 1e6, median(methods[m].last, rounds) / 1e6,
			       (long long)methods[m].switches, (double)methods[m].cpu_ns / 1e6);
	}
	measure_lone_server();
	return 0;
}
