/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traffic.h: conversations of clients and servers of which every message can be told right from wrong
 *
 * Both ends compute from the seed of a conversation what the other sends: the size of each message, its bytes, and
 * which descriptors come along. What one end has sent is counted in memory that all processes share, so that its
 * receiver knows, at the end of the stream, whether anything was lost, also if the sender was killed.
 */
#ifndef TRAFFIC_H
#define TRAFFIC_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define SERVERS 4
#define CLIENTS 32
#define WORKERS (SERVERS + CLIENTS)
#define MOST_THREADS 128
#define CONVERSATIONS (1 << 20)
#define DEATHS (1 << 20)

/* STARTING: the place is taken, but does not yet say since when. */
enum phase {
	FREE,
	STARTING,
	WORKING,
	CREATING,
	ACCEPTING,
	DESTROYING,
	CONNECTING,
	SENDING,
	RECEIVING,
	JOINING,
	PAUSING,
	PHASES
};

/* What a thread does, and since when: of the watchdog. */
struct activity {
	_Atomic enum phase phase;
	_Atomic int64_t since_ms;
	_Atomic pid_t tid;
	_Atomic uint32_t conversation;
};

struct counters {
	_Atomic uint64_t conversations, messages, bytes, descriptors, ends, waits, creations;
};

/* A process; its place is given to another when it is killed. The counters go on. */
struct worker {
	_Atomic pid_t pid;
	int64_t continue_at_ms;
	/* How often it has connected to each server only to leave, as far as the server has not noticed yet. */
	_Atomic int32_t quits[SERVERS];
	struct activity activities[MOST_THREADS];
	struct counters counters;
};

/* How often a server's end has begun, and how many ends are not over yet: killed or destroyed. */
struct fate {
	_Atomic uint32_t ends, ending;
};

struct shared {
	uint64_t seed;
	int most_descriptors;
	char names[SERVERS][64];
	_Atomic bool clients_stop, servers_stop, failed;
	struct fate fates[SERVERS];
	struct worker workers[WORKERS];
	_Atomic uint32_t conversations;
	/* Messages of both directions whose sending returned. */
	_Atomic uint32_t sent[CONVERSATIONS][2];
	/* Who was killed. */
	_Atomic uint32_t death_count;
	_Atomic pid_t deaths[DEATHS];
};

extern struct shared *shared;
extern struct worker *this_worker;

int64_t now_ms(void);
uint64_t next_random(uint64_t *state);
uint64_t mix(uint64_t a, uint64_t b);
int count_open_descriptors(void);

/* Reports a failure of the library, and ends the process. */
__attribute__((format(printf, 1, 2), noreturn)) void fail(const char *format, ...);
#define REQUIRE(condition)                                                                             \
	do {                                                                                           \
		if (!(condition))                                                                      \
			fail("%s:%d: not true: %s (errno %d)", __FILE__, __LINE__, #condition, errno); \
	} while (0)

/* Announces what the thread does from now on. */
void begin(enum phase phase);
/* A thread begins and ends with these. */
void enter_thread(void);
void leave_thread(void);

bool was_killed(pid_t pid);

/* One conversation of a client, and of the server's end of one. */
void converse_as_client(uint64_t *random);
void converse_as_server(int server, int fd);

#endif
