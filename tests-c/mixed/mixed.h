/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mixed.h: shared by the driver mixed.c and its child processes, peer.c
 */
#ifndef MIXED_H
#define MIXED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* Descriptors of a peer: pipes to the driver and, for servers, from it. */
#define REPORTS_FD 3
#define ORDERS_FD 4

enum version { OLD, TODAY, VERSIONS };

enum event {
	STARTED,   /* a client: its next call is mm_ipc_connect() */
	CONNECTED, /* a client: it has connected, and exchanged all messages */
	CREATED,   /* a server: it listens */
	SERVED,    /* a server: all clients were served, and the server is destroyed */
	FAILED
};

/* Smaller than PIPE_BUF, so that it is written as a whole. */
struct report {
	enum event event;
	int peer, round;
	pid_t pid;
	uint32_t polls, messages, fds;
	/* When mm_ipc_connect() returned, or mm_ipc_srv_create() was called. */
	int64_t at_ns;
	char text[96];
};

struct order {
	char name[64];
	int64_t delay_ns;
	int clients;
	/* Not created by the library: no client is notified. */
	bool is_silent;
};

static inline int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline void pause_ns(int64_t ns)
{
	struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

	nanosleep(&time, NULL);
}

static inline uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

#endif
