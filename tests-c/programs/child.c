/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child.c: a program that reports its attributes, and ends as requested
 *
 * usage: child REPORT [exit CODE | kill SIGNAL | read FD | write FD TEXT | poke FD TEXT]...
 *
 * REPORT is the name of a file to be written, or "-". The commands are executed in order: read waits for the end of
 * file of a descriptor, poke writes to a map of it.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_DESCRIPTORS 128

extern char **environ;

static unsigned long long inodes[MOST_DESCRIPTORS];

static void look_at_descriptors(void)
{
	struct stat status;

	for (int fd = 0; fd < MOST_DESCRIPTORS; fd++)
		if (fstat(fd, &status) == 0)
			inodes[fd] = (unsigned long long)status.st_ino;
}

static void report_signals(FILE *report)
{
	char line[256];
	FILE *status = fopen("/proc/self/status", "r");

	while (status != NULL && fgets(line, sizeof(line), status) != NULL)
		if (strncmp(line, "SigBlk:", 7) == 0 || strncmp(line, "SigIgn:", 7) == 0)
			fputs(line, report);
	if (status != NULL)
		fclose(status);
}

static void write_report(const char *path, int argc, char *argv[])
{
	FILE *report = fopen(path, "w");
	char cwd[4096] = "";
	mode_t mask = umask(0);

	if (report == NULL || getcwd(cwd, sizeof(cwd)) == NULL)
		exit(126);
	fprintf(report, "pid %ld\nppid %ld\nsid %ld\npgid %ld\n", (long)getpid(), (long)getppid(), (long)getsid(0),
	        (long)getpgid(0));
	fprintf(report, "cwd %s\numask %03o\n", cwd, (unsigned)mask);
	report_signals(report);
	for (int i = 0; i < argc; i++)
		fprintf(report, "arg %s\n", argv[i]);
	for (int i = 0; environ[i] != NULL; i++)
		fprintf(report, "env %s\n", environ[i]);
	for (int fd = 0; fd < MOST_DESCRIPTORS; fd++)
		if (inodes[fd] != 0)
			fprintf(report, "fd %d %llu\n", fd, inodes[fd]);
	if (fclose(report) != 0)
		exit(126);
}

static void poke(int fd, const char *text)
{
	char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		exit(125);
	strcpy(memory, text);
}

int main(int argc, char *argv[])
{
	look_at_descriptors();
	if (argc > 1 && strcmp(argv[1], "-") != 0)
		write_report(argv[1], argc, argv);
	for (int i = 2; i + 1 < argc; i += 2) {
		int number = atoi(argv[i + 1]);
		char byte;

		if (strcmp(argv[i], "exit") == 0) {
			return number;
		} else if (strcmp(argv[i], "kill") == 0) {
			raise(number);
		} else if (strcmp(argv[i], "read") == 0) {
			while (read(number, &byte, 1) > 0)
				;
		} else if (strcmp(argv[i], "write") == 0 && i + 2 < argc) {
			const char *text = argv[++i + 1];

			if (write(number, text, strlen(text)) != (ssize_t)strlen(text))
				return 125;
		} else if (strcmp(argv[i], "poke") == 0 && i + 2 < argc) {
			poke(number, argv[++i + 1]);
		} else {
			return 124;
		}
	}
	return 0;
}
