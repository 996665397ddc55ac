/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crowd.c: see crowd.h
 */
#include "crowd.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <mmerrno.h>
#include <mmipc.h>
#include <mmlog.h>
#include <mmsysio.h>

struct member {
	_Atomic pid_t pid;
	/* When it began to wait for a server, or 0. */
	_Atomic int64_t waits_since_ms;
	_Atomic uint64_t connections, timeouts;
	int64_t continue_at_ms;
};

/* Shared with the processes. */
static struct crowd {
	int size;
	struct member members[MOST_IN_CROWD];
} * crowd;
static uint64_t kills, stops;

static long futex(_Atomic uint32_t *word, int operation, uint32_t value, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, operation, value, timeout, NULL, 0);
}

void wake_crowd(int server)
{
	if (crowd->size > 0)
		futex(&shared->fates[server].ends, FUTEX_WAKE, INT32_MAX, NULL);
}

_Noreturn static void be_member(struct member *member, uint64_t random)
{
	for (;;) {
		uint64_t what = next_random(&random);
		int server = (int)(what % SERVERS), timeout_ms = what / 8 % 2 ? -1 : (int)(what / 16 % 1000);
		uint32_t ends = shared->fates[server].ends;

		member->waits_since_ms = now_ms();
		int fd = mm_ipc_connect2(shared->names[server], flags_of(server) | MM_IPC_CLOEXEC, timeout_ms);
		int error = mm_get_lasterror_number();

		member->waits_since_ms = 0;
		if (fd >= 0) {
			mm_close(fd);
			member->connections++;
			futex(&shared->fates[server].ends, FUTEX_WAIT, ends, &(struct timespec){.tv_sec = 2});
		} else if (timeout_ms >= 0 && (error == ETIMEDOUT || error == ECONNREFUSED || error == EAGAIN)) {
			member->timeouts++;
		} else {
			fail("a client of the crowd cannot connect: %s", mm_get_lasterror_desc());
		}
	}
}

static void start_member(struct member *member, uint64_t random)
{
	pid_t parent = getpid(), pid;

	member->waits_since_ms = 0;
	member->continue_at_ms = 0;
	pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* A server may ask who it is before the parent continues. */
		member->pid = getpid();
		if (getppid() != parent)
			_exit(1);
		be_member(member, random);
	}
	member->pid = pid;
}

void prepare_crowd(int size)
{
	crowd = mmap(NULL, sizeof(*crowd), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(crowd != MAP_FAILED && size <= MOST_IN_CROWD);
	crowd->size = size;
}

void start_crowd(uint64_t random)
{
	for (int i = 0; i < crowd->size; i++)
		start_member(&crowd->members[i], next_random(&random));
}

static void kill_member(struct member *member)
{
	pid_t pid = member->pid;

	shared->deaths[shared->death_count % DEATHS] = pid;
	shared->death_count++;
	kill(pid, SIGKILL);
	REQUIRE(waitpid(pid, NULL, 0) == pid);
}

bool disturb_crowd(uint64_t *random, int64_t hang_ms)
{
	int64_t now = now_ms();

	for (int i = 0; i < crowd->size; i++) {
		struct member *member = &crowd->members[i];
		int64_t since = member->waits_since_ms;

		if (member->continue_at_ms != 0 && member->continue_at_ms <= now) {
			kill(member->pid, SIGCONT);
			member->continue_at_ms = 0;
			/* The time for which it was stopped does not count. */
			if (since != 0)
				member->waits_since_ms = now;
		} else if (member->continue_at_ms == 0 && since != 0 && now - since > hang_ms) {
			fprintf(stderr, "HANGS: process %d of the crowd\n", (int)member->pid);
			return false;
		}
	}
	for (int count = crowd->size > 0 ? (int)(next_random(random) % 4) : 0; count > 0; count--) {
		struct member *member = &crowd->members[next_random(random) % (uint64_t)crowd->size];

		if (next_random(random) % 2 == 0) {
			kill_member(member);
			kills++;
			start_member(member, next_random(random));
		} else if (member->continue_at_ms == 0) {
			kill(member->pid, SIGSTOP);
			stops++;
			member->continue_at_ms = now + 1 + (int64_t)(next_random(random) % 300);
		}
	}
	return true;
}

void end_crowd(void)
{
	for (int i = 0; i < crowd->size; i++)
		if (crowd->members[i].pid > 0)
			kill_member(&crowd->members[i]);
}

bool is_in_crowd(pid_t pid)
{
	for (int i = 0; i < crowd->size; i++)
		if (crowd->members[i].pid == pid)
			return true;
	return false;
}

void leave_crowd(pid_t pid)
{
	for (int i = 0; i < crowd->size; i++)
		if (crowd->members[i].pid == pid)
			crowd->members[i].pid = 0;
}

void report_crowd(void)
{
	uint64_t connections = 0, timeouts = 0;

	if (crowd->size == 0)
		return;
	for (int i = 0; i < crowd->size; i++) {
		connections += crowd->members[i].connections;
		timeouts += crowd->members[i].timeouts;
	}
	printf("torture: crowd of %d: %llu connections, %llu timeouts, %llu kills, %llu stops\n", crowd->size,
	       (unsigned long long)connections, (unsigned long long)timeouts, (unsigned long long)kills,
	       (unsigned long long)stops);
	if (connections < (uint64_t)crowd->size || kills == 0 || stops == 0) {
		fprintf(stderr, "FAILED: the tested situations occurred too rarely\n");
		shared->failed = true;
	}
}
