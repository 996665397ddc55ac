/* SPDX-License-Identifier: Apache-2.0 */
/*
 * footprint.c: the start-up cost of the library in a program that does nothing
 *
 * Starts two programs in turns that differ only in whether they are linked with the library, and waits until they end.
 * Prints the median times as tab-separated values: milliseconds with the library, without it, and the median of the
 * ratios.
 *
 * usage: footprint WITH WITHOUT [ROUNDS]
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#define MOST_ROUNDS 10001

extern char **environ;

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double run(char *program)
{
	char *arguments[] = {program, NULL};
	double start = now_ms();
	int status;
	pid_t pid;

	if (posix_spawn(&pid, program, NULL, NULL, arguments, environ) != 0 || waitpid(pid, &status, 0) != pid ||
	    status != 0) {
		fprintf(stderr, "%s failed\n", program);
		exit(1);
	}
	return now_ms() - start;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), compare);
	return values[count / 2];
}

int main(int argc, char *argv[])
{
	static double times[2][MOST_ROUNDS], ratios[MOST_ROUNDS];
	int rounds = argc > 3 ? atoi(argv[3]) : 2001;

	if (argc < 3 || rounds < 1 || rounds > MOST_ROUNDS)
		return 2;
	for (int round = -10; round < rounds; round++)
		for (int i = 0; i < 2; i++) {
			int which = (round + i) & 1;
			double time = run(argv[1 + which]);

			if (round >= 0)
				times[which][round] = time;
		}
	for (int round = 0; round < rounds; round++)
		ratios[round] = times[0][round] / times[1][round];
	printf("%.4f\t%.4f\t%.3f\n", median(times[0], rounds), median(times[1], rounds), median(ratios, rounds));
	return 0;
}
