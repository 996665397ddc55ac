/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traffic.h: conversations of clients and servers in which every message can be verified
 *
 * Both ends compute from the seed of a conversation what the other sends: the size of each message, its bytes, and its
 * descriptors. Sent messages are counted in memory shared by all processes, so that at the end of the stream the
 * receiver can determine whether any were lost, even if the sender was killed.
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
#define MOST_THREADS 4096
#define CONVERSATIONS (1 << 20)
#define DEATHS (1 << 20)

/* STARTING: the entry is in use, but has no start time yet. */
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

/* The current action of a thread, and its start time; read by the watchdog. */
struct activity {
	_Atomic enum phase phase;
	_Atomic int64_t since_ms;
	_Atomic pid_t tid;
	_Atomic uint32_t conversation;
};

struct counters {
	_Atomic uint64_t conversations, messages, bytes, descriptors, ends, waits, creations, races, handovers,
		timeouts, watches;
};

/* A process; its entry is reused when it is killed. The counters continue. */
struct worker {
	_Atomic pid_t pid;
	/* It has a child to which it hands its listener over. */
	_Atomic bool has_helper;
	int64_t continue_at_ms;
	/* How often it has connected to each server only to leave, minus those that the server has noticed. */
	_Atomic int32_t quits[SERVERS];
	struct activity activities[MOST_THREADS];
	struct counters counters;
};

/* How often a server was created, and began to end, and how many ends are not complete: killed or destroyed. */
struct fate {
	_Atomic uint32_t creations, ends, ending;
};

struct shared {
	uint64_t seed;
	int most_descriptors;
	/* The names of the even servers are abstract, those of the others are paths in the directory. */
	char directory[32], names[SERVERS][64];
	/* Handovers require that the children of a killed server can be found. */
	bool has_handovers;
	_Atomic bool clients_stop, servers_stop, failed;
	struct fate fates[SERVERS];
	struct worker workers[WORKERS];
	_Atomic uint32_t conversations;
	/* Messages of both directions whose send call has returned. */
	_Atomic uint32_t sent[CONVERSATIONS][2];
	/* Who was killed. */
	_Atomic uint32_t death_count;
	_Atomic pid_t deaths[DEATHS];
};

extern struct shared *shared;
extern struct worker *this_worker;

/* 0 or MM_IPC_PATH. */
int flags_of(int server);
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

/* Records the current action of the thread. */
void begin(enum phase phase);
/* To be called at the start and the end of a thread. */
void enter_thread(void);
void leave_thread(void);

bool was_killed(pid_t pid);

/* One conversation of a client, and the server's side of one. */
void converse_as_client(uint64_t *random);
void converse_as_server(int server, int fd);

#endif
