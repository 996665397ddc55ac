/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeouts.c: how late a call returns after its timeout has expired
 *
 * The calls of mmipc.h with a timeout, compared with poll(), in turns: first with the machine as it is, then with two
 * computing processes for each processor. Half of the timeouts are 5 to 24 ms, and half 65 to 84 ms.
 *
 * usage: timeouts [CALLS]
 */
#include "bench.h"

#include <mmipc.h>
#include <mmlog.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define MOST_CALLS 1000
#define BUSY_PROCESSES_PER_CPU 2
#define MOST_BUSY_PROCESSES 256
#define BACKLOG 1

enum { IDLE, BUSY, LOADS };

static char directory[] = "/tmp/bench-timeouts-XXXXXX";
static char no_server[64], full_server[64], path[64];
static struct mm_ipc_srv *srv;

static int wait_in_poll(int timeout)
{
	return poll(NULL, 0, timeout) - 1;
}

static int wait_for_client(int timeout)
{
	return mm_ipc_srv_accept2(srv, MM_IPC_CLOEXEC, timeout);
}

static int wait_for_server(int timeout)
{
	return mm_ipc_connect2(no_server, MM_IPC_CLOEXEC, timeout);
}

static int wait_for_path(int timeout)
{
	return mm_ipc_connect2(path, MM_IPC_CLOEXEC | MM_IPC_PATH, timeout);
}

static int wait_for_queue(int timeout)
{
	return mm_ipc_connect2(full_server, MM_IPC_CLOEXEC, timeout);
}

static struct call {
	const char *title;
	int (*wait)(int timeout);
	double late[LOADS][MOST_CALLS];
} calls[] = {
	{.title = "poll", .wait = wait_in_poll},
	{.title = "mm_ipc_srv_accept2, no client", .wait = wait_for_client},
	{.title = "mm_ipc_connect2, no server", .wait = wait_for_server},
	{.title = "mm_ipc_connect2, no server at a path", .wait = wait_for_path},
	{.title = "mm_ipc_connect2, full queue", .wait = wait_for_queue},
};

#define CALLS ((int)(sizeof(calls) / sizeof(*calls)))

static void measure(int load, int count)
{
	for (int i = 0; i < count; i++) {
		for (int c = 0; c < CALLS; c++) {
			int timeout = (i % 2 ? 5 : 65) + i % 20;
			double start = now_ns();

			require(calls[c].wait(timeout) == -1, "timing out");
			calls[c].late[load][i] = now_ns() - start - timeout * 1e6;
		}
	}
}

/* A server that accepts no client, and whose queue is full. */
static void fill_queue(void)
{
	int listener;

	snprintf(full_server, sizeof(full_server), "mmsysio-bench-full-%ld", (long)getpid());
	require((listener = mm_ipc_srv_release(mm_ipc_srv_create(full_server))) >= 0, "mm_ipc_srv_release");
	require(mm_listen(listener, BACKLOG) == 0, "mm_listen");
	while (mm_ipc_connect2(full_server, MM_IPC_CLOEXEC, 0) >= 0)
		;
	require(errno == EAGAIN, "filling the queue");
}

static int start_load(pid_t *processes)
{
	int count = (int)sysconf(_SC_NPROCESSORS_ONLN) * BUSY_PROCESSES_PER_CPU;

	if (count > MOST_BUSY_PROCESSES)
		count = MOST_BUSY_PROCESSES;
	for (int i = 0; i < count; i++) {
		if ((processes[i] = fork()) == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (volatile unsigned int work = 0;; work++)
				;
		}
	}
	return count;
}

int main(int argc, char *argv[])
{
	int count = argc > 1 ? atoi(argv[1]) : 60, busy;
	pid_t processes[MOST_BUSY_PROCESSES];
	char name[64];

	if (count < 1 || count > MOST_CALLS)
		return 2;
	mm_log_set_maxlvl(MM_LOG_NONE);
	require(mkdtemp(directory) != NULL, "mkdtemp");
	snprintf(path, sizeof(path), "%s/socket", directory);
	snprintf(no_server, sizeof(no_server), "mmsysio-bench-none-%ld", (long)getpid());
	snprintf(name, sizeof(name), "mmsysio-bench-%ld", (long)getpid());
	require((srv = mm_ipc_srv_create(name)) != NULL, "mm_ipc_srv_create");
	fill_queue();
	measure(IDLE, count);
	busy = start_load(processes);
	measure(BUSY, count);
	for (int i = 0; i < busy; i++) {
		kill(processes[i], SIGKILL);
		waitpid(processes[i], NULL, 0);
	}
	mm_rmdir(directory);
	mm_ipc_srv_destroy(srv);
	printf("| late by | median | most | median with load | most with load |\n|---|---|---|---|---|\n");
	for (int c = 0; c < CALLS; c++) {
		printf("| %s |", calls[c].title);
		for (int load = 0; load < LOADS; load++) {
			double middle = median(calls[c].late[load], count);

			printf(" %.2f ms | %.2f ms |", middle / 1e6, calls[c].late[load][count - 1] / 1e6);
		}
		printf("\n");
	}
	return 0;
}
