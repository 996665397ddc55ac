/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model of how clients wait for a server (src/ipc/name_watch.rs), for the model checker spin. check.py runs it.
 *
 * Each process of the model is a loop with one option per system call. An option is one atomic step: the call, and what
 * the process then decides without another call. The steps of different processes are explored in all orders. The names
 * of the states say which call is next.
 *
 * Timeouts are off, so that the model finds each lost wakeup that a timeout would only hide. The exceptions:
 *   - a client that is not settled tries again at any later moment
 *   - POLLS: the polls of clients in front, for servers that announce nothing (ANNOUNCES=0)
 *   - POLLS_1_0: the polls of clients of version 1.0
 *   - CLEARS: those polls after which a client in front clears its anchor
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
#ifndef EXPIRIES
#define EXPIRIES 0    /* calls that end without a server, because of their timeouts, at any moment */
#endif
#ifndef CLEARS
#define CLEARS 0      /* anchors that are cleared at any moment */
#endif
/* CONTINUES: stopped clients may continue at any moment. SERVER_1_0: the servers are those of version 1.0. */

#define SLOTS (FRONT + BEHIND)
#define ALL   (CLIENTS + CLIENTS_1_0)
#define NONE  15
#define RESET 14 /* instead of the number of an anchor */

/* --- The kernel's state of the abstract names --------------------------------------------------------------------- */

mtype = { FREE, BOUND, LISTENING };

bool listening;       /* a server accepts connections */
bool bound[SLOTS];    /* a client has this slot */
bool datagram[SLOTS]; /* a datagram is queued in this slot; more than one have the same effect */
mtype anchor_state[FRONT] = FREE; /* BOUND: connect() is refused, but the name is taken */

/* --- The clients -------------------------------------------------------------------------------------------------- */

/* The next call of a client. RETRY is connect() to the server after the client has tried to settle, WOKEN is the same
 * after a wakeup. EXPIRED: the timeout of the whole call is over. DONE: everything is closed. LATE_DRAIN: only in a
 * mutation. */
mtype = { START, BIND_FRONT, CLOSE_OLD, BIND_ANCHOR, LISTEN, ATTACH, BIND_BEHIND, RETRY, POLL, WOKEN, DRAIN, CLEAR,
          RELAY, EXPIRED, CLOSE_ANCHOR, CLOSE_SLOT, CLOSE_LINK, DONE, KILLED, GONE, LATE_DRAIN };

/* What ended the last sleep. NOTHING: the client has not slept, or has not connected in its first attempt after it. */
mtype = { NOTHING, NOTIFIED, TIMED_OUT };

mtype state[ALL] = START;
mtype woken[ALL] = NOTHING;
byte number[ALL];          /* the slot or anchor that the next call names, if it tries several */
byte tries[ALL];           /* how many it has tried */
byte slot[ALL] = NONE;
byte old_slot[ALL] = NONE; /* while the client moves to a front slot */
byte anchor[ALL] = NONE;
byte link[ALL] = NONE;     /* the anchor to which the client is attached; RESET: that connection has ended */
bool stopped[ALL];

#define is_1_0(c)   (c >= CLIENTS)
#define in_front(c) (slot[c] < FRONT)

#ifdef MUTATION_UNSETTLED_SLEEPS
#define has_all(c) true
#elif defined(MUTATION_ANCHOR_WITHOUT_SLOT)
#define has_all(c) (anchor[c] != NONE || link[c] != NONE)
#elif defined(MUTATION_SLOT_WITHOUT_ANCHOR)
#define has_all(c) (in_front(c) || link[c] != NONE)
#elif defined(MUTATION_SLOT_BEHIND_SUFFICES)
#define has_all(c) (slot[c] != NONE)
#else
#define has_all(c) (in_front(c) && anchor[c] != NONE || !in_front(c) && link[c] != NONE)
#endif
#define settled(c) (is_1_0(c) && slot[c] != NONE || !is_1_0(c) && has_all(c))

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
	i = 0; anchor[me] = NONE
}

/* --- Settling: a front slot and then its anchor, or an attachment and then a slot behind -------------------------- */

inline settle() {
	if
#ifdef MUTATION_ANCHOR_BEFORE_SLOT
	:: !is_1_0(me) && anchor[me] == NONE && link[me] == NONE -> next(BIND_ANCHOR, 0)
	:: !is_1_0(me) && anchor[me] != NONE && !in_front(me) -> next(BIND_FRONT, 0)
#elif defined(MUTATION_ATTACHED_FIRST)
	:: !is_1_0(me) && in_front(me) && anchor[me] == NONE -> next(BIND_ANCHOR, slot[me])
	:: !is_1_0(me) && !in_front(me) && link[me] == NONE -> next(ATTACH, 0)
#else
	:: !is_1_0(me) && in_front(me) && anchor[me] == NONE -> next(BIND_ANCHOR, slot[me])
	:: !is_1_0(me) && !in_front(me) && link[me] == NONE -> next(BIND_FRONT, 0)
#endif
	:: is_1_0(me) && !in_front(me) -> next(BIND_FRONT, 0)
	:: else -> settle_behind()
	fi
}

inline settle_behind() {
	if
	:: slot[me] == NONE && BEHIND > 0 -> next(BIND_BEHIND, FRONT)
	:: else -> settle_ends()
	fi
}

/* The client has bound a front slot. Its anchor has the same number. */
inline settle_anchor() {
	if
	:: !is_1_0(me) && anchor[me] == NONE -> next(BIND_ANCHOR, slot[me])
	:: else -> settle_ends()
	fi
}

/* A server that started to listen before the client was settled has not notified it. */
inline settle_ends() {
	if
#ifdef MUTATION_NO_RETRY
	:: settled(me) -> next(POLL, 0)
#endif
#ifdef MUTATION_IN_FRONT_WITHOUT_RETRY
	:: anchor[me] != NONE -> next(POLL, 0)
#endif
#ifdef MUTATION_ATTACHED_WITHOUT_RETRY
	:: link[me] != NONE -> next(POLL, 0)
#endif
	:: else -> next(RETRY, 0)
	fi
}

/* --- Connected: relay, and close everything ----------------------------------------------------------------------- */

/* The server may find no front slot any more, or may be one of mmlib: the client notifies in its place. */
#ifdef MUTATION_NO_RELAY
#define relays(c) false
#elif defined(MUTATION_RELAY_ONLY_AFTER_TIMEOUT)
#define relays(c) (woken[c] == TIMED_OUT)
#else
#define relays(c) (woken[c] == TIMED_OUT || woken[c] == NOTHING && in_front(c))
#endif

inline connected() {
	if
	:: relays(me) -> next(RELAY, 0)
	:: else -> close_next()
	fi;
	woken[me] = NOTHING
}

/* From the last slot to the first. A client in front does not relay when it is notified. It must therefore be notified
 * after all those behind: the client that relays may be stopped before it has completed. Version 1.0 relays to the
 * slots behind, in ascending order. */
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
		:: else -> next(DONE, 0)
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
		:: else -> settle()
		fi }

	/* Settle. */
	:: d_step { state[me] == BIND_FRONT ->
		if
		:: !bound[number[me]] ->
			bound[number[me]] = true; old_slot[me] = slot[me]; slot[me] = number[me];
			if
			:: old_slot[me] != NONE -> next(CLOSE_OLD, 0)
			:: else -> settle_anchor()
			fi
		:: else ->
			number[me]++;
			if
#ifdef MUTATION_ATTACHED_FIRST
			:: number[me] == FRONT -> settle_behind()
#else
			:: number[me] == FRONT && !is_1_0(me) && anchor[me] == NONE -> next(ATTACH, 0)
			:: number[me] == FRONT && !(!is_1_0(me) && anchor[me] == NONE) -> settle_behind()
#endif
			:: else
			fi
		fi }
	:: d_step { state[me] == CLOSE_OLD -> release_slot(old_slot[me]); old_slot[me] = NONE; settle_anchor() }
	/* The anchor of a previous owner that was killed may still be open. */
	:: d_step { state[me] == BIND_ANCHOR ->
		if
		:: anchor_state[number[me]] == FREE ->
			anchor_state[number[me]] = BOUND; anchor[me] = number[me];
#ifdef MUTATION_ANCHOR_NEVER_LISTENS
			settle_ends()
#else
			next(LISTEN, 0)
#endif
#ifdef MUTATION_ANCHOR_BEFORE_SLOT
		:: anchor_state[number[me]] != FREE && number[me] < FRONT - 1 -> number[me]++
		:: anchor_state[number[me]] != FREE && number[me] == FRONT - 1 -> next(ATTACH, 0)
#elif defined(MUTATION_ANCHOR_WITHOUT_SLOT)
		:: anchor_state[number[me]] != FREE && number[me] < FRONT - 1 -> number[me]++
		:: anchor_state[number[me]] != FREE && number[me] == FRONT - 1 -> settle_behind()
#else
		:: else -> settle_ends()
#endif
		fi }
	:: d_step { state[me] == LISTEN ->
		anchor_state[anchor[me]] = LISTENING;
#ifdef MUTATION_ANCHOR_BEFORE_SLOT
		settle()
#else
		settle_behind()
#endif
		}
	:: atomic { state[me] == ATTACH -> /* The thread ID selects the first anchor: any. */
		if
		:: tries[me] == 0 -> select(i : 0 .. FRONT - 1); number[me] = i; i = 0
		:: else
		fi;
		if
		:: anchor_state[number[me]] == LISTENING -> link[me] = number[me]; settle_behind()
		:: else ->
			number[me] = (number[me] + 1) % FRONT; tries[me]++;
			if
#ifdef MUTATION_ATTACHED_FIRST
			:: tries[me] == FRONT -> next(BIND_FRONT, 0)
#elif defined(MUTATION_ANCHOR_WITHOUT_SLOT)
			:: tries[me] == FRONT -> next(BIND_ANCHOR, 0)
#else
			:: tries[me] == FRONT -> settle_behind()
#endif
			:: else
			fi
		fi }
	:: d_step { state[me] == BIND_BEHIND ->
		if
		:: !bound[number[me]] -> bound[number[me]] = true; slot[me] = number[me]; settle_ends()
		:: else ->
			number[me]++;
			if
			:: number[me] == SLOTS -> settle_ends()
			:: else
			fi
		fi }
	:: d_step { state[me] == RETRY ->
		if
		:: listening -> connected()
		:: else ->
			woken[me] = NOTHING;
			if
#ifdef MUTATION_DRAINED_AFTER_RETRY
			:: settled(me) && slot[me] != NONE -> next(LATE_DRAIN, 0)
#endif
			:: else -> next(POLL, 0)
			fi
		fi }

	/* Sleep. When a connection has ended, its descriptor is closed in the same step: no other process depends on it. */
	:: d_step { state[me] == POLL && (is_notified(me) || is_reset(me)) ->
		woken[me] = NOTIFIED;
		if
#ifdef MUTATION_NOT_SETTLED_AFTER_END
		:: is_reset(me) -> link[me] = RESET - 1
#else
		:: is_reset(me) -> link[me] = NONE
#endif
		:: else
		fi;
		if
		:: is_1_0(me) -> next(DRAIN, 0)
		:: else -> next(WOKEN, 0)
		fi }
	/* A client that is not settled tries again after a short pause, and later after a sleep. */
	:: d_step { state[me] == POLL && !settled(me) -> settle() }
	:: d_step { state[me] == POLL && !settled(me) && !is_1_0(me) -> woken[me] = TIMED_OUT; settle() }
#if defined(POLLS) && !defined(MUTATION_NO_POLLS)
	:: d_step { state[me] == POLL && anchor[me] != NONE -> woken[me] = TIMED_OUT; next(RETRY, 0) }
#endif
#ifdef POLLS_1_0
	:: d_step { state[me] == POLL && is_1_0(me) -> settle() }
#endif
	:: d_step { state[me] == WOKEN ->
		if
		:: listening -> connected()
		:: else ->
			woken[me] = NOTHING;
			/* After a pause. */
			if
			:: is_1_0(me) -> next(RETRY, 0)
			:: !is_1_0(me) && slot[me] != NONE -> next(DRAIN, 0)
			:: !is_1_0(me) && slot[me] == NONE -> settle()
			fi
		fi }
	/* Version 1.0 discards the datagrams before it connects. */
	:: d_step { state[me] == DRAIN ->
#ifndef MUTATION_DRAINED_AFTER_RETRY
		datagram[slot[me]] = false;
#endif
		if
		:: is_1_0(me) -> next(WOKEN, 0)
		:: else -> settle()
		fi }
#ifdef MUTATION_DRAINED_AFTER_RETRY
	:: d_step { state[me] == LATE_DRAIN -> datagram[slot[me]] = false; next(POLL, 0) }
#endif

#if CLEARS > 0
	/* Each step accepts and closes a connection. A client that attaches in the meantime is reset as well. The number of
	 * steps is limited, in the code by the length of the queue, because clients that are reset attach again. */
	:: d_step { state[me] == CLEAR ->
		i = 0;
		do
		:: i < ALL && link[i] != anchor[me] -> i++
		:: else -> break
		od;
		if
		:: i < ALL -> link[i] = RESET; number[me]++
		:: else
		fi;
		if
		:: i == ALL || number[me] == ALL ->
#ifdef MUTATION_CLEAR_STOPS_LISTENING
			anchor_state[anchor[me]] = BOUND;
#endif
			next(RETRY, 0)
		:: else
		fi;
		i = 0 }
#endif

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
#if EXPIRIES > 0
	:: d_step { state[me] == EXPIRED -> close_next() }
#endif
	:: d_step { state[me] == CLOSE_ANCHOR -> release_anchor(); close_next() }
	:: d_step { state[me] == CLOSE_SLOT -> release_slot(slot[me]); slot[me] = NONE; close_next() }
	:: d_step { state[me] == CLOSE_LINK -> link[me] = NONE; close_next() }

#if KILLS > 0
	/* Killed: the kernel closes the descriptors one by one. Any order is possible. */
	:: d_step { state[me] == KILLED && slot[me] != NONE -> release_slot(slot[me]); slot[me] = NONE }
	:: d_step { state[me] == KILLED && old_slot[me] != NONE -> release_slot(old_slot[me]); old_slot[me] = NONE }
	:: d_step { state[me] == KILLED && anchor[me] != NONE -> release_anchor() }
	:: d_step { state[me] == KILLED && slot[me] == NONE && old_slot[me] == NONE && anchor[me] == NONE ->
		link[me] = NONE; state[me] = GONE }
#endif
	od
}

/* --- The servers -------------------------------------------------------------------------------------------------- */

#if SERVERS > 0
#define END 100 /* The announcement is complete. */

/* position: the front slots are probed up to the first that is taken, then all slots are notified. A server of 1.0
 * probes all of them, by sending. A server may end, or be killed, at any moment, also during its announcement. */
active proctype server()
{
	byte servers = 1, position;
#ifdef SERVER_1_0
	bool found;
#endif
	do
#ifdef MUTATION_PROBE_BEFORE_LISTEN
#define may_probe !listening
	:: d_step { !listening && position >= FRONT -> listening = true }
#else
#define may_probe listening
	:: d_step { !listening -> listening = true; position = (ANNOUNCES -> 0 : END) }
#endif
#ifdef SERVER_1_0
	:: d_step { may_probe && position < FRONT ->
		found = found || bound[position];
		send(position);
		position++;
		if
		:: position == FRONT -> position = (found -> 2 * FRONT : END); found = false
		:: else
		fi }
#else
	:: d_step { may_probe && position < FRONT ->
		if
#ifdef MUTATION_FRONT_SLOT_SKIPPED
		:: bound[position] && position < FRONT - 1 -> position = FRONT
#elif defined(MUTATION_ONLY_BEHIND_NOTIFIED)
		:: bound[position] -> position = 2 * FRONT
#else
		:: bound[position] -> position = FRONT
#endif
		:: else ->
			position++;
			if
			:: position == FRONT -> position = END
			:: else
			fi
		fi }
#endif
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
	:: d_step { listening && servers < SERVERS -> listening = false; servers++; position = 0;
#ifdef SERVER_1_0
		found = false
#endif
		}
	od
}
#endif

/* --- What happens to clients at any moment ------------------------------------------------------------------------ */

#if KILLS + STOPS + EXPIRIES + CLEARS > 0
#define is_waiting(c) (state[c] != START && state[c] != DONE && state[c] != KILLED && state[c] != GONE)

/* An event that does not apply to the client has no effect: so fewer events are explored as well. */
active proctype events()
{
	byte kills = KILLS, stops = STOPS, expiries = EXPIRIES, clears = CLEARS, last = NONE, c;
	do
#if KILLS > 0
	:: atomic { kills > 0 ->
		kills--;
		select(c : 0 .. ALL - 1);
		if
		:: is_waiting(c) ->
			state[c] = KILLED; number[c] = 0; tries[c] = 0; woken[c] = NOTHING; stopped[c] = false
		:: else
		fi;
		c = 0 }
#endif
#if STOPS > 0
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
	/* SIGCONT at any moment, or never, to the client that was stopped last. */
	:: d_step { last != NONE -> stopped[last] = false; last = NONE }
	:: d_step { last != NONE -> last = NONE }
#endif
#endif
#if EXPIRIES > 0
	:: atomic { expiries > 0 ->
		expiries--;
		select(c : 0 .. ALL - 1);
		if
		:: state[c] == POLL || state[c] == DRAIN -> state[c] = EXPIRED
		:: else
		fi;
		c = 0 }
#endif
#if CLEARS > 0
	:: atomic { clears > 0 ->
		clears--;
		select(c : 0 .. ALL - 1);
		if
		:: state[c] == POLL && anchor[c] != NONE -> state[c] = CLEAR; woken[c] = TIMED_OUT
		:: else
		fi;
		c = 0 }
#endif
	od
}
#endif

/* --- The properties ----------------------------------------------------------------------------------------------- */

#if SERVERS > 0
#define is_over(c) (state[c] == DONE || state[c] == GONE)

/* Whether client c may have to wait until client other continues: it is attached to that one, and has no slot by which
 * a server could notify it. The end of the anchor alone wakes it, and a stopped client does not close its anchor. */
#define depends(c, other) (stopped[other] && link[c] != NONE && anchor[other] == link[c] && slot[c] == NONE)

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
