/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.c: mm_copy compared with cp, mm_remove with rm -rf, mm_readdir with readdir
 *
 * Runs them in turns and prints medians and ratios. All files are in a new directory below the current one, which is
 * removed at the end.
 *
 * usage: files [ROUNDS [MEBIBYTES]]
 */
#include "bench.h"

#include <dirent.h>
#include <mmlog.h>
#include <mmsysio.h>
#include <stdint.h>
#include <string.h>

#define MOST_ROUNDS 51

struct contender {
	const char *title;
	void (*run)(void);
	double times[MOST_ROUNDS];
};

/* Runs the contenders in turns, each after prepare(), and compares every second one with the one before it. */
static void contest(const char *title, struct contender *contenders, int count, int rounds, void (*prepare)(void))
{
	double medians[4];

	/* The first round is a warm-up: memory that a virtual machine has not touched yet is slow. */
	for (int round = -1; round < rounds; round++) {
		for (int i = 0; i < count; i++) {
			/*
			 * 0 1 3 2 in the first round, and each time the next of these numbers: within the rounds, each contender
			 * follows each of the others equally often.
			 */
			int turn = i % 2 ? (i + 1) / 2 : count - i / 2;
			struct contender *contender = &contenders[(turn + round + 1) % count];

			prepare();
			double start = now_ns();

			contender->run();
			if (round >= 0)
				contender->times[round] = (now_ns() - start) / 1e6;
		}
	}
	for (int i = 0; i < count; i++)
		medians[i] = median(contenders[i].times, rounds);
	for (int i = 0; i < count; i += 2)
		printf("| %s | %s %.1f ms | %s %.1f ms | %.2f |\n", title, contenders[i].title, medians[i],
		       contenders[i + 1].title, medians[i + 1], medians[i] / medians[i + 1]);
	fflush(stdout);
}

static void remove_copy(void)
{
	unlink("copy");
	/* Data written earlier must not be flushed during the next measurement. */
	sync();
}

static void copy_by_library(void)
{
	require(mm_copy("source", "copy", 0, MODE_DEF) == 0, "mm_copy");
}

static void copy_by_cp(void)
{
	require(system("cp source copy") == 0, "cp");
}

static void copy_anew_by_library(void)
{
	require(mm_copy("source", "copy", MM_NOCOW, MODE_DEF) == 0, "mm_copy");
}

static void copy_anew_by_cp(void)
{
	require(system("cp --reflink=never source copy") == 0, "cp");
}

static void make_tree(void)
{
	char path[64];

	for (int d = 0; d < 1000; d++) {
		snprintf(path, sizeof(path), "tree/%d", d);
		require(mm_mkdir(path, MODE_XDEF, MM_RECURSIVE) == 0, "mm_mkdir");
		for (int f = 0; f < 100; f++) {
			snprintf(path, sizeof(path), "tree/%d/%d", d, f);
			mm_close(mm_open(path, O_WRONLY | O_CREAT, MODE_DEF));
		}
	}
	sync();
}

static void remove_by_library(void)
{
	require(mm_remove("tree", MM_DT_ANY | MM_RECURSIVE) == 0, "mm_remove");
}

static void remove_by_rm(void)
{
	require(system("rm -rf tree") == 0, "rm");
}

static void prepare_nothing(void)
{
}

static void list_by_library(void)
{
	MM_DIR *dir = mm_opendir("list");
	int count = 0, status;

	while (mm_readdir(dir, &status) != NULL)
		count++;
	mm_closedir(dir);
	require(count == 100002, "mm_readdir");
}

static void list_by_libc(void)
{
	DIR *dir = opendir("list");
	int count = 0;

	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	require(count == 100002, "readdir");
}

int main(int argc, char *argv[])
{
	int rounds = argc > 1 ? atoi(argv[1]) : 9;
	int mebibytes = argc > 2 ? atoi(argv[2]) : 1024;
	char scratch[] = "bench-files-XXXXXX", path[64];
	static char block[1 << 20];
	struct contender copies[4] = {{.title = "mm_copy", .run = copy_by_library},
	                              {.title = "cp", .run = copy_by_cp},
	                              {.title = "mm_copy MM_NOCOW", .run = copy_anew_by_library},
	                              {.title = "cp --reflink=never", .run = copy_anew_by_cp}};
	struct contender removals[2] = {{.title = "mm_remove", .run = remove_by_library},
	                                {.title = "rm -rf", .run = remove_by_rm}};
	struct contender lists[2] = {{.title = "mm_readdir", .run = list_by_library},
	                             {.title = "readdir", .run = list_by_libc}};

	if (rounds < 1 || rounds > MOST_ROUNDS || mebibytes < 1)
		return 2;
	require(mkdtemp(scratch) != NULL && mm_chdir(scratch) == 0, "mkdtemp");
	printf("| case | ours | compared with | ratio |\n|---|---|---|---|\n");

	int fd = mm_open("source", O_WRONLY | O_CREAT, MODE_DEF);

	for (int i = 0; i < mebibytes; i++) {
		memset(block, i, sizeof(block));
		require(mm_write(fd, block, sizeof(block)) == sizeof(block), "mm_write");
	}
	mm_close(fd);
	snprintf(path, sizeof(path), "copy of %d MiB", mebibytes);
	contest(path, copies, 4, rounds, remove_copy);
	mm_unlink("source");
	mm_unlink("copy");

	contest("100,000 files in 1,000 directories removed", removals, 2, rounds, make_tree);

	mm_mkdir("list", MODE_XDEF, 0);
	for (int i = 0; i < 100000; i++) {
		snprintf(path, sizeof(path), "list/an entry of the list %d", i);
		mm_close(mm_open(path, O_WRONLY | O_CREAT, MODE_DEF));
	}
	contest("100,000 entries listed", lists, 2, rounds * 2 + 1, prepare_nothing);

	mm_chdir("..");
	mm_remove(scratch, MM_DT_ANY | MM_RECURSIVE);
	return 0;
}
