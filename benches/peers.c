/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peers.c: messages between two processes through this library, bare system calls and other libraries
 *
 * Latency: a client sends a message and waits for an answer of the same size. Throughput: a client sends as fast as it
 * can to a server that discards each message (fast), or computes for some time on each (slow). Each is measured with
 * both processes on one processor and with each on its own. In every round each transport has a turn, with new
 * processes and a new connection. The results are medians over the rounds; a ratio is the median of the ratios of the
 * rounds.
 *
 * No turn waits indefinitely: a turn that takes too long is stopped, and its measurements are missing in the tables.
 *
 * usage: peers TSV [ROUNDS [MILLISECONDS]]
 */
#include "bench.h"
#include "transport.h"

#include <math.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_ROUNDS 101
#define SECONDS_OF_A_TURN 10
/* On a busy machine fewer rounds than requested are run, so that time is left for the other benchmarks. */
#define SECONDS_OF_ALL 240
#define SLOW_READER_NS 10000

static const struct transport *const transports[] = {&transport_raw,         &transport_mmsysio, &transport_ring,
                                                     &transport_ring_copied, &transport_qb,      &transport_nng,
                                                     &transport_zmq,         &transport_dbus};
static const size_t sizes[] = {64, 1024, 16384, 131072, MOST_BYTES};

/* Their positions in the list. */
enum { RAW, OURS, QB = 4 };
enum { LATENCY, FAST, SLOW, KINDS };
enum { ONE, TWO, PLACEMENTS };

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))
#define TRANSPORTS COUNT(transports)
#define SIZES COUNT(sizes)

static const char *const kinds[KINDS] = {"latency", "fast reader", "slow reader"};
static const char *const placements[PLACEMENTS] = {"one CPU", "two CPUs"};

/* First bytes of messages. */
enum { PING = 1, DATA, END_OF_DATA, BYE };

/* Shared by client, server and the process that started them. Latency in ns, throughput in messages per second. */
static struct shared {
	double values[PLACEMENTS][KINDS][COUNT(sizes)][COUNT(transports)][MOST_ROUNDS];
	/* The server's measurement: it starts with the first message received at warm_until or later. */
	double warm_until, window, rate;
	int is_slow;
	atomic_int is_over;
} * shared;

static int processors[PLACEMENTS];
static int ready_pipe[2];
static char name_of_this_process[64];

void must(int is_true, const char *what)
{
	if (!is_true) {
		fprintf(stderr, "%s: %s failed\n", name_of_this_process, what);
		_exit(1);
	}
}

/* --- the server --------------------------------------------------------------------------------------------------- */

static void say_ready(void)
{
	must(write(ready_pipe[1], "", 1) == 1, "write");
}

/* Simulates the processing of a message by computing. */
static double compute_until(double deadline)
{
	double now;

	do
		now = now_ns();
	while (now < deadline);
	return now;
}

static double first_at;
static long count;

/* Reads the clock as rarely as possible. */
static void count_message(size_t size)
{
	double now;

	if (atomic_load_explicit(&shared->is_over, memory_order_relaxed))
		return;
	if (shared->is_slow)
		now = compute_until(now_ns() + SLOW_READER_NS);
	else if (count % (size <= 1024 ? 16 : 1) == 0)
		now = now_ns();
	else
		now = 0;
	if (count > 0) {
		count++;
		if (now - first_at >= shared->window) {
			shared->rate = (double)(count - 1) / (now - first_at) * 1e9;
			atomic_store_explicit(&shared->is_over, 1, memory_order_release);
		}
	} else if (now >= shared->warm_until) {
		first_at = now;
		count = 1;
	}
}

static enum verdict handle(char kind, size_t size)
{
	if (kind == BYE)
		return LEAVE;
	if (kind == DATA) {
		count_message(size);
		return NEXT;
	}
	if (kind == END_OF_DATA)
		count = 0;
	return REPLY;
}

/* --- the client --------------------------------------------------------------------------------------------------- */

static double measure_latency(const struct transport *transport, size_t size, double window)
{
	double start = 0, warm_until = now_ns() + window / 5, now;
	long trips = 0;

	do {
		for (int i = 0; i < 8; i++) {
			transport->send(PING, size);
			transport->receive(size);
		}
		now = now_ns();
		if (start > 0)
			trips += 8;
		else if (now >= warm_until)
			start = now;
	} while (start == 0 || now - start < window);
	return (now - start) / (double)trips;
}

static double measure_throughput(const struct transport *transport, size_t size, double window, int is_slow)
{
	shared->warm_until = now_ns() + window / 5;
	shared->window = window;
	shared->is_slow = is_slow;
	atomic_store_explicit(&shared->is_over, 0, memory_order_release);
	while (!atomic_load_explicit(&shared->is_over, memory_order_acquire))
		transport->send(DATA, size);
	/* All queued messages are received before the next measurement. */
	transport->send(END_OF_DATA, sizes[0]);
	transport->receive(sizes[0]);
	return shared->rate;
}

static void be_client(const struct transport *transport, const char *address, int placement, int t, int round,
                      double window)
{
	char byte;

	/* The end of file is also read if the server dies. */
	must(read(ready_pipe[0], &byte, 1) == 1, "waiting for the server");
	transport->connect(address);
	for (int s = 0; s < SIZES && sizes[s] <= transport->most; s++)
		for (int kind = 0; kind < KINDS; kind++)
			shared->values[placement][kind][s][t][round] =
				kind == LATENCY ? measure_latency(transport, sizes[s], window)
						: measure_throughput(transport, sizes[s], window, kind == SLOW);
	transport->send(BYE, sizes[0]);
}

/* --- turns -------------------------------------------------------------------------------------------------------- */

static void run_on(int processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	must(sched_setaffinity(0, sizeof(set), &set) == 0, "sched_setaffinity");
}

static void begin_process(const char *role, const char *transport, int processor)
{
	snprintf(name_of_this_process, sizeof(name_of_this_process), "%s of %s", role, transport);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	run_on(processor);
}

/* Waits for a limited time for the end of file of a pipe that the client has open. */
static int await_end(pid_t server, pid_t client, int alive, const char *name, int placement)
{
	struct pollfd end = {.fd = alive, .events = POLLIN};
	int status;

	if (poll(&end, 1, SECONDS_OF_A_TURN * 1000) == 0) {
		fprintf(stderr, "%s on %s was stopped after %d s\n", name, placements[placement], SECONDS_OF_A_TURN);
		kill(client, SIGKILL);
	}
	waitpid(client, &status, 0);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Reports whether all measurements were made. */
static int take_turn(const char *directory, int placement, int t, int round, double window)
{
	const struct transport *transport = transports[t];
	char address[128];
	int alive[2], is_whole;
	pid_t server, client;

	snprintf(address, sizeof(address), "%s/%d-%d-%d", directory, placement, t, round);
	must(pipe(ready_pipe) == 0 && pipe(alive) == 0, "pipe");
	if ((server = fork()) == 0) {
		close(ready_pipe[0]);
		close(alive[0]);
		close(alive[1]);
		begin_process("server", transport->name, processors[0]);
		transport->serve(address, say_ready, handle);
		_exit(0);
	}
	close(ready_pipe[1]);
	if ((client = fork()) == 0) {
		close(alive[0]);
		begin_process("client", transport->name, processors[placement]);
		be_client(transport, address, placement, t, round, window);
		/* After the time that the library itself needs: some libraries send from a thread. */
		for (char byte; read(ready_pipe[0], &byte, 1) > 0;)
			;
		_exit(0);
	}
	close(ready_pipe[0]);
	close(alive[1]);
	is_whole = await_end(server, client, alive[0], transport->name, placement);
	close(alive[0]);
	unlink(address);
	return is_whole;
}

static int find_processors(void)
{
	cpu_set_t set;
	int found = 0;

	must(sched_getaffinity(0, sizeof(set), &set) == 0, "sched_getaffinity");
	for (int i = 0; i < CPU_SETSIZE && found < PLACEMENTS; i++)
		if (CPU_ISSET(i, &set))
			processors[found++] = i;
	return found;
}

/* --- tables ------------------------------------------------------------------------------------------------------- */

/* Median of the rounds that were measured, or NAN. */
static double median_of(const double *values, int rounds)
{
	double measured[MOST_ROUNDS];
	int count = 0;

	for (int i = 0; i < rounds; i++)
		if (!isnan(values[i]))
			measured[count++] = values[i];
	return count > 0 ? median(measured, count) : NAN;
}

static double ratio_of(const double *values, const double *base, int rounds)
{
	double ratios[MOST_ROUNDS];

	for (int i = 0; i < rounds; i++)
		ratios[i] = values[i] / base[i];
	return median_of(ratios, rounds);
}

static void print_cell(int kind, size_t size, double value, double to_raw)
{
	if (isnan(value))
		printf(" -");
	else if (kind == LATENCY)
		printf(" %.2f us", value / 1e3);
	else
		printf(" %.0f k/s, %.0f MiB/s", value / 1e3, value * (double)size / (1 << 20));
	if (isnan(to_raw))
		printf(" |");
	else
		printf(" (%.2f) |", to_raw);
}

static void print_tables(FILE *tsv, int placements_measured, int rounds)
{
	fprintf(tsv,
	        "kind\tcpus\tbytes\ttransport\tmedian\tleast\tmost\tunit\tratio to raw\tratio to ours\tratio to libqb\n");
	for (int kind = 0; kind < KINDS; kind++) {
		for (int p = 0; p < placements_measured; p++) {
			printf("\n| %s, %s |", kinds[kind], placements[p]);
			for (int s = 0; s < SIZES; s++)
				printf(" %zu bytes |", sizes[s]);
			printf("\n|---|");
			for (int s = 0; s < SIZES; s++)
				printf("---|");
			printf("\n");
			for (int t = 0; t < TRANSPORTS; t++) {
				printf("| %s |", transports[t]->name);
				for (int s = 0; s < SIZES; s++) {
					double(*all)[MOST_ROUNDS] = shared->values[p][kind][s];
					double value = median_of(all[t], rounds), least = NAN, most = NAN;
					double to_raw = ratio_of(all[t], all[RAW], rounds);

					for (int i = 0; i < rounds; i++) {
						least = fmin(least, all[t][i]);
						most = fmax(most, all[t][i]);
					}
					print_cell(kind, sizes[s], value, to_raw);
					fprintf(tsv, "%s\t%s\t%zu\t%s\t%.1f\t%.1f\t%.1f\t%s\t%.3f\t%.3f\t%.3f\n",
					        kinds[kind], placements[p], sizes[s], transports[t]->name, value, least,
					        most, kind == LATENCY ? "ns" : "messages/s", to_raw,
					        ratio_of(all[t], all[OURS], rounds), ratio_of(all[t], all[QB], rounds));
				}
				printf("\n");
			}
		}
	}
}

int main(int argc, char *argv[])
{
	char directory[] = "/tmp/bench-peers-XXXXXX";
	int rounds = argc > 2 ? atoi(argv[2]) : 20, round;
	double deadline = now_ns() + SECONDS_OF_ALL * 1e9;
	double window = (argc > 3 ? atof(argv[3]) : 30) * 1e6;
	int placements_measured = find_processors();
	int has_failed[PLACEMENTS][TRANSPORTS] = {{0}};
	FILE *tsv;

	snprintf(name_of_this_process, sizeof(name_of_this_process), "peers");
	if (argc < 2 || rounds < 1 || rounds > MOST_ROUNDS || window <= 0)
		return 2;
	must((tsv = fopen(argv[1], "w")) != NULL, "opening the file of results");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(shared != MAP_FAILED, "mmap");
	for (double *value = (double *)shared->values; value < (double *)(&shared->values + 1); value++)
		*value = NAN;
	must(mkdtemp(directory) != NULL, "mkdtemp");
	for (round = 0; round < rounds && now_ns() < deadline; round++) {
		for (int p = 0; p < placements_measured; p++) {
			for (int i = 0; i < TRANSPORTS; i++) {
				/* The order rotates, so that each transport follows each of the others. */
				int t = (round % 2 ? TRANSPORTS - 1 - i + round : i + round) % TRANSPORTS;

				/* A transport that failed would take a lot of time in every round. */
				if (!has_failed[p][t])
					has_failed[p][t] = !take_turn(directory, p, t, round, window);
			}
		}
	}
	rmdir(directory);
	rounds = round;
	printf("Median of %d rounds of %.0f ms; in brackets the ratio to bare system calls. The slow reader computes for "
	       "%d us on each message.\n",
	       rounds, window / 1e6, SLOW_READER_NS / 1000);
	print_tables(tsv, placements_measured, rounds);
	return fclose(tsv) == 0 ? 0 : 1;
}
