/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawn.c: mm_spawn compared with posix_spawn and with fork and exec
 *
 * Each executes /bin/true and waits for it, in turns; from a small process and from a process with much memory in use.
 * Prints medians, and the ratios to that of posix_spawn.
 *
 * usage: spawn [ROUNDS [MEBIBYTES]]
 */
#include "bench.h"

#include <mmlog.h>
#include <mmsysio.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define MOST_ROUNDS 10001

extern char **environ;

static char *const arguments[] = {"true", NULL};

static void spawn_by_library(void)
{
	mm_pid_t pid;

	require(mm_spawn(&pid, "/bin/true", 0, NULL, 0, arguments, NULL) == 0, "mm_spawn");
	require(mm_wait_process(pid, NULL) == 0, "mm_wait_process");
}

static void spawn_by_libc(void)
{
	pid_t pid;

	require(posix_spawn(&pid, "/bin/true", NULL, NULL, arguments, environ) == 0, "posix_spawn");
	require(waitpid(pid, NULL, 0) == pid, "waitpid");
}

static void fork_and_execute(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		execv("/bin/true", arguments);
		_exit(127);
	}
	require(waitpid(pid, NULL, 0) == pid, "waitpid");
}

static struct contender {
	const char *title;
	void (*run)(void);
	double times[MOST_ROUNDS];
} contenders[] = {{.title = "mm_spawn + mm_wait_process", .run = spawn_by_library},
                  {.title = "posix_spawn + waitpid", .run = spawn_by_libc},
                  {.title = "fork + execv + waitpid", .run = fork_and_execute}};

#define CONTENDERS 3

static void contest(const char *title, int rounds)
{
	double medians[CONTENDERS];

	/* The first rounds are a warm-up. The order rotates, so that each method follows each of the others. */
	for (int round = -2; round < rounds; round++) {
		for (int i = 0; i < CONTENDERS; i++) {
			int turn = round % 2 ? CONTENDERS - 1 - i : i;
			struct contender *contender = &contenders[(turn + round + 2) % CONTENDERS];

			/* The after-effects of an earlier fork(), mainly pages to be copied, are not measured. */
			contender->run();
			double start = now_ns();

			contender->run();
			if (round >= 0)
				contender->times[round] = (now_ns() - start) / 1e3;
		}
	}
	for (int i = 0; i < CONTENDERS; i++)
		medians[i] = median(contenders[i].times, rounds);
	for (int i = 0; i < CONTENDERS; i++)
		printf("| %s | %s | %.0f us | %.2f |\n", title, contenders[i].title, medians[i],
		       medians[i] / medians[1]);
	fflush(stdout);
}

int main(int argc, char *argv[])
{
	int rounds = argc > 1 ? atoi(argv[1]) : 1001;
	int mebibytes = argc > 2 ? atoi(argv[2]) : 2048;
	char title[64];

	if (rounds < 1 || rounds > MOST_ROUNDS || mebibytes < 1)
		return 2;
	printf("| from | method | median | ratio to posix_spawn |\n|---|---|---|---|\n");
	contest("a small process", rounds);

	size_t size = (size_t)mebibytes << 20;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	require(memory != MAP_FAILED, "mmap");
	/* Pages of the normal size, like most memory of most programs. */
	madvise(memory, size, MADV_NOHUGEPAGE);
	memset(memory, 1, size);
	snprintf(title, sizeof(title), "a process with %d MiB in use", mebibytes);
	contest(title, rounds / 10 + 1);
	munmap(memory, size);
	return 0;
}
