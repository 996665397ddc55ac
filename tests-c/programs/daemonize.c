/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemonize.c: a program that is removed while it runs, and executes itself again as a daemon
 *
 * usage: daemonize OUTPUT
 *
 * The daemon writes its name to OUTPUT. Its descriptor 1 is a pipe that is open until it ends.
 */
#include <mmsysio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char *argv[])
{
	char *again[] = {"daemon", argv[1], NULL};
	FILE *output;

	if (argc != 2)
		return 2;
	if (strcmp(argv[0], "daemon") != 0)
		return unlink(argv[0]) == 0 &&
		                       mm_spawn(NULL, "/proc/self/exe", 0, NULL, MM_SPAWN_DAEMONIZE, again, NULL) == 0
		               ? 0
		               : 1;
	output = fopen(argv[1], "w");
	if (output == NULL)
		return 1;
	fprintf(output, "%s\n", argv[0]);
	return fclose(output);
}
