/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.c: calls of the functions for processes
 */
#include "calls.h"

#include <errno.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

/* Programs that an input may start. */
#define MAX_SPAWNS 3
static int spawns;

static mm_pid_t processes[KEPT];

void forget_processes(void)
{
	spawns = 0;
	memset(processes, 0, sizeof(processes));
}

static char *take_program(struct input *in)
{
	static const char *const programs[] = {"/bin/true", "true", "/w/a", "a", "d",
	                                       "nothing",   "",     "l",    "f", "../bin/true"};

	return take_name(in, programs, MM_NELEM(programs));
}

static char **take_strings(struct input *in)
{
	size_t count = take_below(in, 4);
	char **strings = exact_memory((count + 1) * sizeof(*strings));

	if (take_chance(in, 4))
		return NULL;
	for (size_t i = 0; i < count; i++)
		strings[i] = take_bytes_as_string(in, 16);
	strings[count] = NULL;
	return strings;
}

static struct mm_remap_fd *take_remaps(struct input *in, int *count)
{
	struct mm_remap_fd *map = exact_memory((size_t)(*count = (int)take_below(in, 6)) * sizeof(*map));

	for (int i = 0; i < *count; i++) {
		map[i].child_fd = take_chance(in, 8) ? take_int(in) : (int)take_below(in, 12);
		map[i].parent_fd = take_chance(in, 4) ? -1 : any_descriptor(in);
	}
	if (take_chance(in, 12)) {
		*count = take_chance(in, 2) ? -1 : *count;
		return NULL;
	}
	return map;
}

void call_mm_spawn(struct input *in)
{
	char *path = take_program(in);
	int count, flags = take_chance(in, 8) ? take_int(in) : (int)take_below(in, 4);
	struct mm_remap_fd *map = take_remaps(in, &count);
	char **argv = take_strings(in), **envp = take_strings(in);
	mm_pid_t *pid = take_output(in, sizeof(*pid));

	if (spawns++ >= MAX_SPAWNS)
		return;
	if (CALL(mm_spawn, pid, path, count, map, flags, argv, envp) == 0) {
		/* As the subreaper, this process also receives a daemon whose parent has ended. */
		expect_child();
		if (!(flags & MM_SPAWN_DAEMONIZE) && pid != NULL)
			processes[next_place()] = *pid;
	} else if (flags & MM_SPAWN_DAEMONIZE) {
		expect_orphan();
	}
}

struct execution {
	char *path;
	int count, flags;
	struct mm_remap_fd *map;
	char **argv, **envp;
	bool has_returned;
	int error;
};

/*
 * Runs in a process that shares our memory, as between vfork() and execve(), so the fuzzer sees the code that runs
 * there.
 */
static int execute(void *arg)
{
	struct execution *execution = arg;

	mm_execv(execution->path, execution->count, execution->map, execution->flags, execution->argv, execution->envp);
	execution->error = errno;
	execution->has_returned = true;
	_exit(0);
}

void call_mm_execv(struct input *in)
{
	static _Alignas(16) char stack[262144];
	struct execution execution = {.path = take_program(in)};
	struct call call;

	execution.flags = take_chance(in, 8) ? take_int(in) : 2 * (int)take_below(in, 2);
	execution.map = take_remaps(in, &execution.count);
	execution.argv = take_strings(in);
	execution.envp = take_strings(in);
	if (spawns++ >= MAX_SPAWNS)
		return;
	begin_call(&call, "mm_execv");
	/* Its descriptor 2 may already be a different one. */
	call.is_log_watched = false;
	CHECK(clone(execute, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, &execution) > 0, "clone failed");
	expect_child();
	errno = execution.error;
	end_call(&call, execution.has_returned);
	was_success(!execution.has_returned);
}

void call_mm_wait_process(struct input *in)
{
	static const mm_pid_t others[] = {-1, 0, INT32_MAX, INT32_MIN, -INT32_MAX};
	mm_pid_t pid = take_chance(in, 3) ? TAKE_ONE(in, others) : processes[take_below(in, KEPT)];
	int *status = take_output(in, sizeof(*status));

	if (CALL(mm_wait_process, pid, status) == 0) {
		child_was_reaped();
		CHECK(status == NULL || *status & (MM_WSTATUS_EXITED | MM_WSTATUS_SIGNALED),
		      "mm_wait_process returned status %#x", *status);
	}
}
