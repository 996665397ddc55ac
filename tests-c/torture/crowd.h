/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crowd.h: many more clients than slots, which wait for the servers of the torture test
 *
 * When a server ends, all clients of the crowd that have chosen it begin to wait for its successor. They only connect.
 * Some are killed and replaced, or stopped for a while.
 */
#ifndef CROWD_H
#define CROWD_H

#include "traffic.h"

#define MOST_IN_CROWD 4000

/* To be called before any other process is created. */
void prepare_crowd(int size);
/* Creates the processes. */
void start_crowd(uint64_t random);
/* To be called again and again: kills, stops and continues some. Returns false if one waits for more than hang_ms. */
bool disturb_crowd(uint64_t *random, int64_t hang_ms);
/* Kills all, and reaps them. */
void end_crowd(void);
/* Whether a process belongs to the crowd or did, and therefore need not say who it is. */
bool is_in_crowd(pid_t pid);
/* To be called when a process has ended that may have been one of the crowd. */
void leave_crowd(pid_t pid);
/* To be called when a server ends. */
void wake_crowd(int server);
void report_crowd(void);

#endif
