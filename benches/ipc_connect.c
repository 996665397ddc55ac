/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipc_connect.c: connections per second, and many simultaneous clients, compared with the underlying system calls
 *
 * First, in one thread: connect, accept, close both ends, in alternating blocks. Then many processes start at the same
 * time; each connects, sends a message and waits for the answer of a server that serves one client at a time. Measures
 * the time until the last client was served, and until the median client received its answer.
 *
 * usage: ipc_connect [TURNS [ROUNDS [CLIENTS]]]
 */
#include "bench.h"

#include <mmsysio.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_TURNS 20001
#define MOST_ROUNDS 101
#define MOST_CLIENTS 10000
#define CONNECTIONS_OF_A_BLOCK 20
/* A run that has not ended by then has failed: the process ends, and with it its children. */
#define SECONDS_OF_ALL 120

static char name[64];
static struct mm_ipc_srv *srv;
static int listener;

static int connect_by_library(void)
{
	return mm_ipc_connect(name);
}

static int accept_by_library(void)
{
	return mm_ipc_srv_accept(srv);
}

static struct sockaddr_un raw_address(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s-raw", name);
	return address;
}

static int connect_by_kernel(void)
{
	struct sockaddr_un address = raw_address();
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? fd : -1;
}

static int accept_by_kernel(void)
{
	return accept(listener, NULL, NULL);
}

static struct contender {
	const char *title;
	int (*connect)(void);
	int (*accept)(void);
	double times[MOST_TURNS], medians[MOST_ROUNDS], lasts[MOST_ROUNDS];
} contenders[2] = {{.title = "mm_ipc", .connect = connect_by_library, .accept = accept_by_library},
                   {.title = "socket, connect, accept", .connect = connect_by_kernel, .accept = accept_by_kernel}};

static void measure_rate(int turns)
{
	static double ratios[MOST_TURNS];
	double ratio, time;

	for (int turn = -20; turn < turns; turn++) {
		for (int i = 0; i < 2; i++) {
			struct contender *contender = &contenders[(turn + i) & 1];
			double start = now_ns();

			for (int n = 0; n < CONNECTIONS_OF_A_BLOCK; n++) {
				int client = contender->connect(), server = contender->accept();

				require(client >= 0 && server >= 0, contender->title);
				close(client);
				close(server);
			}
			if (turn >= 0)
				contender->times[turn] = (now_ns() - start) / CONNECTIONS_OF_A_BLOCK;
		}
	}
	for (int turn = 0; turn < turns; turn++)
		ratios[turn] = contenders[0].times[turn] / contenders[1].times[turn];
	ratio = median(ratios, turns);
	printf("| connect + accept + close | time | per second | ratio of times |\n|---|---|---|---|\n");
	for (int i = 0; i < 2; i++) {
		time = median(contenders[i].times, turns);
		printf("| %s | %.2f us | %.0f | %.3f |\n", contenders[i].title, time / 1e3, 1e9 / time,
		       i == 0 ? ratio : 1);
	}
}

/* The time at which each client received its answer. */
static double *answered_at;

static void be_client(const struct contender *contender, int number, int gate)
{
	char byte = 0;
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	require(read(gate, &byte, 1) == 0, "waiting for the start");
	fd = contender->connect();
	require(fd >= 0 && send(fd, "?", 1, MSG_NOSIGNAL) == 1 && recv(fd, &byte, 1, 0) == 1 && byte == '!',
	        contender->title);
	answered_at[number] = now_ns();
	_exit(0);
}

static void run_storm(struct contender *contender, int clients, int round)
{
	int gate[2];
	double start;

	require(pipe(gate) == 0, "pipe");
	fflush(stdout);
	for (int i = 0; i < clients; i++) {
		pid_t pid = fork();

		require(pid >= 0, "fork");
		if (pid == 0) {
			close(gate[1]);
			be_client(contender, i, gate[0]);
		}
	}
	close(gate[0]);
	/* Lets the clients reach the barrier. */
	usleep(100000);
	start = now_ns();
	close(gate[1]);
	for (int i = 0; i < clients; i++) {
		char byte;
		int fd = contender->accept();

		require(fd >= 0 && recv(fd, &byte, 1, 0) == 1 && send(fd, "!", 1, MSG_NOSIGNAL) == 1, contender->title);
		close(fd);
	}
	for (int i = 0; i < clients; i++) {
		int status;

		require(wait(&status) > 0 && status == 0, "a client");
	}
	for (int i = 0; i < clients; i++)
		answered_at[i] -= start;
	contender->medians[round] = median(answered_at, clients);
	contender->lasts[round] = answered_at[clients - 1];
}

static void measure_storm(int clients, int rounds)
{
	double ratios[MOST_ROUNDS], ratio;

	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < 2; i++)
			run_storm(&contenders[(round + i) & 1], clients, round);
	for (int round = 0; round < rounds; round++)
		ratios[round] = contenders[0].lasts[round] / contenders[1].lasts[round];
	ratio = median(ratios, rounds);
	printf("\n| %d clients at once | median client served after | last after | ratio of the last |\n|---|---|---|---|\n",
	       clients);
	for (int i = 0; i < 2; i++)
		printf("| %s | %.1f ms | %.1f ms | %.2f |\n", contenders[i].title,
		       median(contenders[i].medians, rounds) / 1e6, median(contenders[i].lasts, rounds) / 1e6,
		       i == 0 ? ratio : 1);
}

int main(int argc, char *argv[])
{
	int turns = argc > 1 ? atoi(argv[1]) : 4001;
	int rounds = argc > 2 ? atoi(argv[2]) : 9;
	int clients = argc > 3 ? atoi(argv[3]) : 1000;
	struct sockaddr_un address;

	if (turns < 1 || turns > MOST_TURNS || rounds < 1 || rounds > MOST_ROUNDS || clients < 1 ||
	    clients > MOST_CLIENTS)
		return 2;
	alarm(SECONDS_OF_ALL);
	snprintf(name, sizeof(name), "mmsysio-bench-%ld", (long)getpid());
	require((srv = mm_ipc_srv_create(name)) != NULL, "mm_ipc_srv_create");
	address = raw_address();
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	require(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(listener, 4096) == 0,
	        "listen");
	answered_at =
		mmap(NULL, (size_t)clients * sizeof(double), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	require(answered_at != MAP_FAILED, "mmap");
	measure_rate(turns);
	measure_storm(clients, rounds);
	mm_ipc_srv_destroy(srv);
	return 0;
}
