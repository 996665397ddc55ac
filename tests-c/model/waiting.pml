/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model of how clients wait for a server (src/ipc/wait.rs), for the model checker spin. check.py runs it.
 *
 * Each process of the model is a loop with one option per system call. An option is one atomic step: the call, and what
 * the process then decides without another call. The steps of different processes are explored in all orders. The names
 * of the states say which call is next.
 *
 * Timeouts are off, so that the model finds each lost wakeup that a timeout would only hide. The exceptions:
 *   - the short pauses of a client that is not settled: it tries again at any later moment
 *   - the polls of a client that has an anchor and no front slot, because others use all of them: it is not settled
 *     either
 *   - POLLS: the polls of clients with an anchor, for servers that announce nothing (ANNOUNCES=0)
 *   - POLLS_1_0: the polls of clients of version 1.0
 *
 * MUTATION_... each select a wrong protocol. check.py verifies that the model finds a violation in each.
 */

#ifndef CLIENTS
#define CLIENTS 3     /* clients of this version */
#endif
#ifndef CLIENTS_1_0
#define CLIENTS_1_0 0 /* clients of version 1.0: they use slots only */
#endif
#ifndef FRONT
#define FRONT 2       /* front slots, and anchors */
#endif
#ifndef BEHIND
#define BEHIND 1      /* slots behind the front slots */
#endif
#ifndef SERVERS
#define SERVERS 1     /* servers, one after the other: each starts and ends at any moment, the last one remains */
#endif
#ifndef ANNOUNCES
#define ANNOUNCES 1   /* 0: the servers are those of mmlib, which announce nothing */
#endif
#ifndef KILLS
#define KILLS 0       /* clients that are killed at any moment */
#endif
#ifndef STOPS
#define STOPS 0       /* clients that are stopped at any moment; they continue when nothing else happens any more */
#endif
/* CONTINUES: they may continue at any moment. SERVER_1_0: the servers are those of version 1.0. FRONT_SLOT_REQUIRED: a
 * variant of the protocol in which an anchor does not listen until its client has a front slot. */

#define SLOTS (FRONT + BEHIND)
#define ALL   (CLIENTS + CLIENTS_1_0)
#define NONE  15
#define RESET 14 /* instead of the number of an anchor */

/* --- The kernel's state of the abstract names --------------------------------------------------------------------- */

mtype = { FREE, BOUND, LISTENING };

bool listening;       /* a server accepts connections */
bool bound[SLOTS];    /* a client has this slot */
bool datagram[SLOTS]; /* a datagram is queued in this slot; more than one have the same effect */
mtype anchor_state[FRONT] = FREE;

/* --- The clients -------------------------------------------------------------------------------------------------- */

/* The next call of a client. RETRY is connect() to the server after the client has registered, WOKEN is the same after
 * a wakeup. DONE: connected, and everything is closed. EARLY_RETRY and LATE_DRAIN: only in mutations. */
mtype = { START, BIND_ANCHOR, BIND_FRONT, CLOSE_OLD, BIND_BEHIND, LISTEN, ATTACH, RETRY, POLL, DRAIN, WOKEN, RELAY,
          CLOSE_ANCHOR, CLOSE_SLOT, CLOSE_LINK, DONE, KILLED, GONE, EARLY_RETRY, LATE_DRAIN };

mtype state[ALL] = START;
byte number[ALL];          /* the slot or anchor that the next call names, if it tries several */
byte tries[ALL];           /* how many it has tried */
byte slot[ALL] = NONE;
byte old_slot[ALL] = NONE; /* while the client moves to a front slot */
byte anchor[ALL] = NONE;
byte link[ALL] = NONE;     /* the anchor to which the client is attached; RESET: that anchor has been closed */
bool notified[ALL];        /* a datagram caused the last wakeup */
bool stopped[ALL];
bool exposed[ALL];         /* the anchor began to listen when the client had no front slot; for the property only */

#define is_1_0(c)   (c >= CLIENTS)
#define in_front(c) (slot[c] < FRONT)

#ifdef MUTATION_SLOT_BEHIND_SUFFICES
#define may_sleep(c) (anchor[c] != NONE && slot[c] != NONE)
#elif defined(MUTATION_ANCHOR_WITHOUT_SLOT)
#define may_sleep(c) (anchor[c] != NONE)
#elif defined(MUTATION_UNSETTLED_SLEEPS)
#define may_sleep(c) true
#else
#define may_sleep(c) (anchor[c] != NONE && in_front(c))
#endif
#define settled(c) (may_sleep(c) || link[c] != NONE || is_1_0(c) && slot[c] != NONE)

inline next(call, first) {
	state[me] = call; number[me] = first; tries[me] = 0
}

/* sendto() an empty datagram. */
inline send(to) {
	datagram[to] = bound[to]
}

inline release_slot(released) {
	bound[released] = false; datagram[released] = false
}

/* The kernel resets the connections of all attached clients. */
inline release_anchor() {
	anchor_state[anchor[me]] = FREE;
	i = 0;
	do
	:: i < ALL ->
		if
		:: link[i] == anchor[me] -> link[i] = RESET
		:: else
		fi;
		i++
	:: else -> break
	od;
	i = 0; anchor[me] = NONE; exposed[me] = false
}

/* --- Registering: an anchor, a slot, then attach ------------------------------------------------------------------ */

inline register() {
	if
	:: is_1_0(me) && in_front(me) -> next(RETRY, 0)
	:: is_1_0(me) && !in_front(me) -> next(BIND_FRONT, 0)
	:: !is_1_0(me) && anchor[me] == NONE -> next(BIND_ANCHOR, 0)
	:: !is_1_0(me) && anchor[me] != NONE -> register_slot()
	fi
}

inline register_slot() {
	if
#ifdef MUTATION_ANCHOR_WITHOUT_SLOT
	:: anchor[me] != NONE -> register_listen()
#elif defined(MUTATION_SLOT_BEHIND_SUFFICES)
	:: anchor[me] != NONE && slot[me] == NONE -> next(BIND_FRONT, anchor[me])
	:: anchor[me] != NONE && slot[me] != NONE -> register_listen()
#elif defined(MUTATION_SLOT_AFTER_RETRY)
	:: anchor[me] != NONE && !in_front(me) -> next(EARLY_RETRY, 0)
	:: anchor[me] != NONE && in_front(me) -> register_listen()
#else
	:: anchor[me] != NONE && !in_front(me) -> next(BIND_FRONT, anchor[me])
	:: anchor[me] != NONE && in_front(me) -> register_listen()
#endif
	:: anchor[me] == NONE && slot[me] == NONE && BEHIND > 0 -> next(BIND_BEHIND, FRONT)
	:: anchor[me] == NONE && !(slot[me] == NONE && BEHIND > 0) -> register_link()
	fi
}

/* An anchor begins to listen only when its client has a front slot, or has found all of them in use. Otherwise a client
 * with a slot behind could attach, and would not be woken if the client with the anchor is stopped before it has bound
 * a front slot: a server finds no client at the front slots, and notifies nobody. */
inline register_listen() {
	if
#ifndef MUTATION_ANCHOR_NEVER_LISTENS
#ifdef FRONT_SLOT_REQUIRED
	:: anchor[me] != NONE && anchor_state[anchor[me]] == BOUND && in_front(me) -> next(LISTEN, 0)
	:: !(anchor[me] != NONE && anchor_state[anchor[me]] == BOUND && in_front(me)) -> register_link()
#else
	:: anchor[me] != NONE && anchor_state[anchor[me]] == BOUND -> next(LISTEN, 0)
	:: !(anchor[me] != NONE && anchor_state[anchor[me]] == BOUND) -> register_link()
#endif
#else
	:: true -> register_link()
#endif
	fi
}

inline register_link() {
	if
	:: !is_1_0(me) && anchor[me] == NONE && link[me] == NONE -> next(ATTACH, 0)
	:: else -> registered()
	fi
}

/* A server that started to listen before the client had registered has not notified it. */
inline registered() {
	if
#ifdef MUTATION_NO_RETRY
	:: settled(me) -> next(POLL, 0)
#endif
#ifdef MUTATION_SLOT_AFTER_RETRY
	:: anchor[me] != NONE && settled(me) -> next(POLL, 0)
#endif
#ifdef MUTATION_ATTACH_WITHOUT_RETRY
	:: link[me] != NONE -> next(POLL, 0)
#endif
	:: else -> next(RETRY, 0)
	fi
}

/* --- Connected: relay, and close everything ----------------------------------------------------------------------- */

/* The server may find no front slot any more, or may be one of mmlib: the client notifies in its place. */
inline connected() {
	if
#ifndef MUTATION_NO_RELAY
	:: !notified[me] && (anchor[me] != NONE || in_front(me)) -> next(RELAY, 0)
#endif
	:: else -> close_next()
	fi
}

/* From the last slot to the first. A client at a front slot does not relay when it is notified. It must therefore be
 * notified after all those behind: the client that relays may be stopped before it has completed. Version 1.0 relays to
 * the slots behind, in ascending order. */
#ifdef MUTATION_RELAY_ASCENDING
#define relay_to(step) (is_1_0(me) -> FRONT + step : step)
#else
#define relay_to(step) (is_1_0(me) -> FRONT + step : SLOTS - 1 - step)
#endif
#define relay_steps (is_1_0(me) -> BEHIND : SLOTS)

/* The anchor is closed before the slot. A client that is stopped between the two must not have attached clients any
 * more, because the next server finds its slot free. */
inline close_next() {
	if
#ifdef MUTATION_SLOT_CLOSED_FIRST
	:: slot[me] != NONE -> next(CLOSE_SLOT, 0)
	:: slot[me] == NONE && anchor[me] != NONE -> next(CLOSE_ANCHOR, 0)
#elif defined(MUTATION_ANCHOR_NOT_CLOSED)
	:: slot[me] != NONE -> next(CLOSE_SLOT, 0)
#else
	:: anchor[me] != NONE -> next(CLOSE_ANCHOR, 0)
	:: anchor[me] == NONE && slot[me] != NONE -> next(CLOSE_SLOT, 0)
#endif
	:: else ->
		if
		:: link[me] != NONE -> next(CLOSE_LINK, 0)
		:: else -> next(DONE, 0); notified[me] = false
		fi
	fi
}

/* --- A client ----------------------------------------------------------------------------------------------------- */

#define has_datagram(c) (slot[c] != NONE && datagram[slot[c]])
#ifdef MUTATION_SLOT_NOT_POLLED
#define is_notified(c) (has_datagram(c) && link[c] == NONE)
#else
#define is_notified(c) has_datagram(c)
#endif
#ifdef MUTATION_END_IGNORED
#define is_reset(c) false
#else
#define is_reset(c) (link[c] == RESET)
#endif

/* Clients of the same version are equal, so that it suffices to let them start in one order. */
#define may_start(c) (c == 0 || is_1_0(c) || state[c - 1] != START)

proctype client(byte me) provided (!stopped[me])
{
	byte i;
	do
	:: d_step { state[me] == START && may_start(me) ->
		if
		:: listening -> next(DONE, 0)
		:: else -> register()
		fi }

	/* Register. */
	:: d_step { state[me] == BIND_ANCHOR ->
		if
		:: anchor_state[number[me]] == FREE ->
			anchor_state[number[me]] = BOUND; anchor[me] = number[me];
#ifdef MUTATION_LISTEN_BEFORE_SLOT
			next(LISTEN, 0)
#else
			register_slot()
#endif
		:: else ->
			number[me]++;
			if
			:: number[me] == FRONT -> register_slot()
			:: else
			fi
		fi }
#ifdef MUTATION_SLOT_AFTER_RETRY
	:: d_step { state[me] == EARLY_RETRY ->
		if
		:: listening -> connected()
		:: else -> next(BIND_FRONT, anchor[me])
		fi }
#endif
	:: d_step { state[me] == BIND_FRONT ->
		if
		:: !bound[number[me]] ->
			bound[number[me]] = true; old_slot[me] = slot[me]; slot[me] = number[me];
			if
			:: old_slot[me] != NONE -> next(CLOSE_OLD, 0)
			:: else -> register_listen()
			fi
		:: else ->
			number[me] = (number[me] + 1) % FRONT; tries[me]++;
			if
			:: tries[me] == FRONT && slot[me] == NONE && BEHIND > 0 -> next(BIND_BEHIND, FRONT)
			:: tries[me] == FRONT && !(slot[me] == NONE && BEHIND > 0) -> register_listen()
			:: else
			fi
		fi }
	:: d_step { state[me] == CLOSE_OLD -> release_slot(old_slot[me]); old_slot[me] = NONE; register_listen() }
	:: d_step { state[me] == BIND_BEHIND ->
		if
		:: !bound[number[me]] -> bound[number[me]] = true; slot[me] = number[me]; register_listen()
		:: else ->
			number[me]++;
			if
			:: number[me] == SLOTS -> register_listen()
			:: else
			fi
		fi }
	:: d_step { state[me] == LISTEN ->
		anchor_state[anchor[me]] = LISTENING;
#ifdef MUTATION_LISTEN_BEFORE_SLOT
		register_slot()
#else
		exposed[me] = !in_front(me);
		register_link()
#endif
		}
	:: atomic { state[me] == ATTACH -> /* The thread ID selects the first anchor: any. */
		if
		:: tries[me] == 0 -> select(i : 0 .. FRONT - 1); number[me] = i; i = 0
		:: else
		fi;
		if
		:: anchor_state[number[me]] == LISTENING -> link[me] = number[me]; registered()
		:: else ->
			number[me] = (number[me] + 1) % FRONT; tries[me]++;
			if
			:: tries[me] == FRONT -> registered()
			:: else
			fi
		fi }
	:: d_step { state[me] == RETRY ->
		if
		:: listening -> connected()
#ifdef MUTATION_DRAINED_AFTER_RETRY
		:: !listening && settled(me) && slot[me] != NONE -> next(LATE_DRAIN, 0)
		:: !listening && settled(me) && slot[me] == NONE -> next(POLL, 0)
#else
		:: !listening && settled(me) -> next(POLL, 0)
#endif
		:: !listening && !settled(me) -> register() /* after a short pause */
		fi }

	/* Sleep. When a connection has ended, its descriptor is closed in the same step: no other process depends on it. */
	:: d_step { state[me] == POLL && (is_notified(me) || is_reset(me)) ->
#ifdef MUTATION_NO_REGISTER_AFTER_END
		if
		:: is_reset(me) -> link[me] = RESET - 1
		:: else
		fi;
#else
		if
		:: is_reset(me) -> link[me] = NONE
		:: else
		fi;
#endif
		if
		:: is_notified(me) -> next(DRAIN, 0)
		:: else -> next(WOKEN, 0)
		fi }
#if defined(POLLS) && !defined(MUTATION_NO_POLLS)
	:: d_step { state[me] == POLL && anchor[me] != NONE -> next(RETRY, 0) }
#endif
#ifdef POLLS_1_0
	:: d_step { state[me] == POLL && is_1_0(me) -> register() }
#endif
	:: d_step { state[me] == DRAIN ->
#ifndef MUTATION_DRAINED_AFTER_RETRY
		datagram[slot[me]] = false;
#endif
		notified[me] = true; next(WOKEN, 0) }
#ifdef MUTATION_DRAINED_AFTER_RETRY
	:: d_step { state[me] == LATE_DRAIN -> datagram[slot[me]] = false; next(POLL, 0) }
#endif
	:: d_step { state[me] == WOKEN ->
		if
		:: listening -> connected()
		:: else ->
			notified[me] = false;
			/* After a pause. */
			if
			:: settled(me) -> next(RETRY, 0)
			:: else -> register()
			fi
		fi }

	/* Connected. */
	:: d_step { state[me] == RELAY ->
		if
		:: number[me] < relay_steps -> send(relay_to(number[me])); number[me]++
		:: else
		fi;
		if
		:: number[me] == relay_steps -> close_next()
		:: else
		fi }
	:: d_step { state[me] == CLOSE_ANCHOR -> release_anchor(); close_next() }
	:: d_step { state[me] == CLOSE_SLOT -> release_slot(slot[me]); slot[me] = NONE; close_next() }
	:: d_step { state[me] == CLOSE_LINK -> link[me] = NONE; close_next() }

	/* Killed: the kernel closes the descriptors one by one. Any order is possible. */
	:: d_step { state[me] == KILLED && slot[me] != NONE -> release_slot(slot[me]); slot[me] = NONE }
	:: d_step { state[me] == KILLED && old_slot[me] != NONE -> release_slot(old_slot[me]); old_slot[me] = NONE }
	:: d_step { state[me] == KILLED && anchor[me] != NONE -> release_anchor() }
	:: d_step { state[me] == KILLED && slot[me] == NONE && old_slot[me] == NONE && anchor[me] == NONE ->
		link[me] = NONE; state[me] = GONE }
	od
}

/* --- The servers -------------------------------------------------------------------------------------------------- */

#if SERVERS > 0
#define END 100 /* The announcement is complete. */

/* position: the front slots are probed, then all slots are notified. A server of 1.0 probes by sending. A server may
 * end, or be killed, at any moment, also during its announcement. */
active proctype server()
{
	byte servers = 1, position;
	bool found;
	do
#ifdef MUTATION_PROBE_BEFORE_LISTEN
#define may_probe !listening
	:: d_step { !listening && position >= FRONT -> listening = true }
#else
#define may_probe listening
	:: d_step { !listening -> listening = true; position = (ANNOUNCES -> 0 : END) }
#endif
	:: d_step { may_probe && position < FRONT ->
#ifdef MUTATION_FRONT_SLOT_SKIPPED
		found = found || position + 1 < FRONT && bound[position];
#else
		found = found || bound[position];
#endif
#ifdef SERVER_1_0
		send(position);
#endif
		position++;
		if
		:: position == FRONT && !found -> position = END
#ifdef SERVER_1_0
		:: position == FRONT && found -> position = 2 * FRONT
#endif
#ifdef MUTATION_ONLY_BEHIND_NOTIFIED
		:: position == FRONT && found -> position = 2 * FRONT
#endif
		:: else
		fi;
		found = found && position < FRONT }
	:: d_step { listening && FRONT <= position && position < FRONT + SLOTS ->
		send(position - FRONT);
		position++;
		if
		:: position == FRONT + SLOTS -> position = END
#ifdef MUTATION_ENDS_AT_FREE_SLOT
		:: !bound[position - 1 - FRONT] -> position = END
#endif
#ifdef MUTATION_ONLY_FRONT_NOTIFIED
		:: position == 2 * FRONT -> position = END
#endif
		:: else
		fi }
	:: d_step { listening && servers < SERVERS -> listening = false; servers++; position = 0; found = false }
	od
}
#endif

/* --- Kills and stops ---------------------------------------------------------------------------------------------- */

#if KILLS + STOPS > 0
#define is_waiting(c) (state[c] != START && state[c] != DONE && state[c] != KILLED && state[c] != GONE)

/* A signal to a client that does not wait has no effect: so fewer kills and stops are explored as well. */
active proctype signals()
{
	byte kills = KILLS, stops = STOPS, last = NONE, c;
	do
	:: atomic { kills > 0 ->
		kills--;
		select(c : 0 .. ALL - 1);
		if
		:: is_waiting(c) ->
			state[c] = KILLED; number[c] = 0; tries[c] = 0; notified[c] = false; stopped[c] = false
		:: else
		fi;
		c = 0 }
	:: atomic { stops > 0 ->
		stops--;
		select(c : 0 .. ALL - 1);
		if
		:: is_waiting(c) ->
			stopped[c] = true;
#ifdef CONTINUES
			last = c
#endif
		:: else
		fi;
		c = 0 }
#ifdef CONTINUES
	/* SIGCONT at any moment to the client that was stopped last. */
	:: d_step { last != NONE -> stopped[last] = false; last = NONE }
#endif
	od
}
#endif

/* --- The properties ----------------------------------------------------------------------------------------------- */

#if SERVERS > 0
#define is_over(c) (state[c] == DONE || state[c] == GONE)

/* Whether client c may have to wait until client other continues: c is attached to it, and has no slot; or the anchor
 * began to listen without a front slot, since others used all of them. */
#define depends(c, other) (stopped[other] && link[c] != NONE && anchor[other] == link[c] && \
                           (slot[c] == NONE || exposed[other]))

/* Nothing else can happen: the last server listens and has completed its announcement. All clients must have connected,
 * except those that are stopped or depend on one. When these continue, the rest must connect as well. */
active proctype monitor()
{
	byte c, other;
	bool excused;
	timeout ->
	d_step {
		do
		:: c < ALL ->
			excused = false; other = 0;
			do
			:: other < ALL -> excused = excused || depends(c, other); other++
			:: else -> break
			od;
			assert(is_over(c) || stopped[c] || excused);
			c++
		:: else -> break
		od;
		c = 0;
		do
		:: c < ALL -> stopped[c] = false; c++
		:: else -> break
		od;
		c = 0; other = 0; excused = false
	};
	timeout ->
	d_step {
		do
		:: c < ALL -> assert(is_over(c)); c++
		:: else -> break
		od
	}
}
#else
/* No server: from some moment on, all clients must be settled. */
#define rests(c) (settled(c) || state[c] == GONE)
#if CLIENTS == 3
#define all_rest (rests(0) && rests(1) && rests(2))
#else
#define all_rest (rests(0) && rests(1) && rests(2) && rests(3))
#endif
ltl settles { <> [] all_rest }
#endif

init
{
	atomic {
		byte c;
		for (c : 0 .. ALL - 1) {
			run client(c)
		}
	}
}
