/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scenarios_process.c: the banners 'Process spawning' and 'Memory mapping'
 */
#include "scenario.h"

#include <signal.h>
#include <sys/mman.h>

#define PROGRAM "/bin/true"
#define NAME_OF_PROGRAM "true"

/* --- processes ---------------------------------------------------------------------------------------------------- */

static void spawn_with(const char *program, int num_map, const struct mm_remap_fd *map, int flags)
{
	mm_pid_t pid = -77;
	int result, status;

	if (!TRY(result, mm_spawn(&pid, program, num_map, map, flags, NULL, NULL))) {
		require(pid == -77);
		/* The parent of a daemon does not wait for it; the driver, as subreaper, does. */
		if (flags & MM_SPAWN_DAEMONIZE)
			while (waitpid(-1, &status, 0) > 0)
				require(WIFEXITED(status) && WEXITSTATUS(status) == 127);
		require(waitpid(-1, &status, 0) == -1);
		return;
	}
	require(waitpid(flags & MM_SPAWN_DAEMONIZE ? -1 : pid, &status, 0) > 0 && WIFEXITED(status));
	/* If a shell is executed to run it, the failure is that of the shell. */
	require(WEXITSTATUS(status) == 0 || strchr(program, '/') == NULL);
	require(waitpid(-1, &status, 0) == -1);
}

static void spawn_by_path(void)
{
	spawn_with(PROGRAM, 0, NULL, 0);
}

/* A shell that cannot run the program prints a message. */
static void search(void)
{
	int nowhere = open("/dev/null", O_WRONLY);

	require(setenv("PATH", "/nowhere:/bin:/usr/bin", 1) == 0);
	require(nowhere >= 0 && dup2(nowhere, STDERR_FILENO) == STDERR_FILENO && close(nowhere) == 0);
}

static void spawn_searched(void)
{
	search();
	spawn_with(NAME_OF_PROGRAM, 0, NULL, 0);
}

static void spawn_redirected(void)
{
	static const struct mm_remap_fd map[] = {
		{.child_fd = 5, .parent_fd = 1}, {.child_fd = 2, .parent_fd = 2}, {.child_fd = 0, .parent_fd = -1}};

	spawn_with(PROGRAM, MM_NELEM(map), map, 0);
}

static void spawn_keeping_descriptors(void)
{
	spawn_with(PROGRAM, 0, NULL, MM_SPAWN_KEEP_FDS);
}

static void spawn_daemon(void)
{
	spawn_with(PROGRAM, 0, NULL, MM_SPAWN_DAEMONIZE);
}

static void spawn_daemon_searched(void)
{
	search();
	spawn_with(NAME_OF_PROGRAM, 0, NULL, MM_SPAWN_DAEMONIZE | MM_SPAWN_KEEP_FDS);
}

static void spawn_daemon_relative(void)
{
	require(chdir("/bin") == 0);
	spawn_with("./true", 0, NULL, MM_SPAWN_DAEMONIZE);
}

/* The current directory has no path. */
static void spawn_daemon_removed(void)
{
	require(mkdir("gone", 0700) == 0 && chdir("gone") == 0 && rmdir("../gone") == 0);
	spawn_with("../../../bin/true", 0, NULL, MM_SPAWN_DAEMONIZE);
	require(chdir("..") == 0);
}

/* On success the call does not return: the result is the exit status of the program. */
static void exec_with(const char *program, int num_map, const struct mm_remap_fd *map, int flags)
{
	int status, result;
	pid_t pid = fork();

	require(pid != -1);
	if (pid == 0) {
		TRY(result, mm_execv(program, num_map, map, flags, NULL, NULL));
		_exit(99);
	}
	require(waitpid(pid, &status, 0) == pid);
	require_end_of_exec(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void execv_by_path(void)
{
	exec_with(PROGRAM, 0, NULL, MM_SPAWN_KEEP_FDS);
}

static void execv_searched(void)
{
	search();
	exec_with(NAME_OF_PROGRAM, 0, NULL, MM_SPAWN_KEEP_FDS);
}

static void execv_redirected(void)
{
	static const struct mm_remap_fd map[] = {
		{.child_fd = 5, .parent_fd = 1}, {.child_fd = 2, .parent_fd = 2}, {.child_fd = 0, .parent_fd = -1}};

	exec_with(PROGRAM, MM_NELEM(map), map, 0);
}

static void wait_for_a_child(void)
{
	int status = -77, result;
	pid_t pid = fork();

	require(pid != -1);
	if (pid == 0)
		_exit(7);
	if (TRY(result, mm_wait_process(pid, &status)))
		require(status == (MM_WSTATUS_EXITED | 7));
	else
		require(status == -77 && waitpid(pid, &status, 0) == pid);
}

const struct scenario process_scenarios[] = {
	{"mm_spawn", "path", spawn_by_path},
	{"mm_spawn", "searched", spawn_searched},
	{"mm_spawn", "redirected", spawn_redirected},
	{"mm_spawn", "keep_fds", spawn_keeping_descriptors},
	{"mm_spawn", "daemon", spawn_daemon},
	{"mm_spawn", "daemon_searched", spawn_daemon_searched},
	{"mm_spawn", "daemon_relative", spawn_daemon_relative},
	{"mm_spawn", "daemon_removed", spawn_daemon_removed},
	{"mm_execv", "path", execv_by_path},
	{"mm_execv", "searched", execv_searched},
	{"mm_execv", "redirected", execv_redirected},
	{"mm_wait_process", "child", wait_for_a_child},
	{NULL},
};

/* --- maps --------------------------------------------------------------------------------------------------------- */

static int memory_file(void)
{
	int fd = memfd_create("faults", MFD_CLOEXEC);

	require(fd >= 0 && ftruncate(fd, 4096) == 0);
	return fd;
}

static void mapfile_maps(void)
{
	int fd = memory_file();
	char *memory;

	if (TRY_POINTER(memory, mm_mapfile(fd, 0, 4096, MM_MAP_RDWR | MM_MAP_SHARED))) {
		memory[0] = 1;
		require(mm_unmap(memory) == 0);
	}
	close(fd);
}

static void unmap_unmaps(void)
{
	int fd = memory_file(), result;
	char *memory = mm_mapfile(fd, 0, 4096, MM_MAP_RDWR | MM_MAP_SHARED);

	require(memory != NULL);
	close(fd);
	if (!TRY(result, mm_unmap(memory))) {
		memory[0] = 1;
		require(mm_unmap(memory) == 0);
	}
}

static const char *shared_name(void)
{
	static char name[64];

	snprintf(name, sizeof(name), "/mmsysio-faults-%ld", (long)getpid());
	return name;
}

static void shm_open_creates(void)
{
	int fd;

	if (TRY(fd, mm_shm_open(shared_name(), O_RDWR | O_CREAT | O_EXCL, 0600)))
		require(close(fd) == 0 && shm_unlink(shared_name()) == 0);
	require(shm_unlink(shared_name()) == -1);
}

static void anon_shm_creates(void)
{
	int fd;

	if (TRY(fd, mm_anon_shm()))
		close(fd);
}

static void shm_unlink_removes(void)
{
	int fd = shm_open(shared_name(), O_RDWR | O_CREAT, 0600), result;

	require(fd >= 0);
	close(fd);
	bool done = TRY(result, mm_shm_unlink(shared_name()));

	require(done == (shm_unlink(shared_name()) == -1));
}

#define TABLE_OF_MAPS "the table of live maps keeps its memory"

const struct scenario map_scenarios[] = {
	{"mm_mapfile", "shared", mapfile_maps, .keeps = 1, .reason = TABLE_OF_MAPS},
	{"mm_unmap", "shared", unmap_unmaps, .keeps = 1, .reason = TABLE_OF_MAPS},
	{"mm_shm_open", "creates", shm_open_creates},
	{"mm_anon_shm", "creates", anon_shm_creates},
	{"mm_shm_unlink", "name", shm_unlink_removes},
	{NULL},
};
