/* SPDX-License-Identifier: Apache-2.0 */
/*
 * empty.c: does nothing; with an argument, prints its private memory in KiB first
 *
 * Compiled twice, with the library and without it.
 */
#include <stdio.h>

int main(int argc, char *argv[])
{
	char line[256];
	long sum = 0, value;
	FILE *file;

	(void)argv;
	if (argc == 1)
		return 0;
	if ((file = fopen("/proc/self/smaps_rollup", "r")) == NULL)
		return 1;
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "Private_Clean: %ld", &value) == 1 || sscanf(line, "Private_Dirty: %ld", &value) == 1)
			sum += value;
	fclose(file);
	printf("%ld\n", sum);
	return 0;
}
