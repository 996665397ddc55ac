/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport.h: what peers.c measures: a way to carry messages between a client and a server in two processes
 *
 * The first byte of a message says what it is (peers.c knows the values); the rest is not looked at. Each transport
 * builds a message where its library wants it, so none is copied more often than its interface asks for. An address
 * is a path in a directory that can be written, at most 60 bytes; who needs no file takes it as a name.
 */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <stddef.h>

#define MOST_BYTES (128 * 1024)

enum verdict {
	NEXT,  /* receive the next message */
	REPLY, /* send one of the same size back, then receive the next */
	LEAVE, /* hang up */
};

struct transport {
	const char *name;

	/*
	 * The server: listens to the address, calls ready(), lets one client connect, and calls handle() for each of its
	 * messages until that says LEAVE.
	 */
	void (*serve)(const char *address, void (*ready)(void), enum verdict (*handle)(char kind, size_t size));

	/* The client, one in a process. send() blocks while there is no room, receive() until there is a message. */
	void (*connect)(const char *address);
	void (*send)(char kind, size_t size);
	void (*receive)(size_t size);
};

extern const struct transport transport_raw, transport_mmsysio, transport_qb, transport_nng, transport_zmq,
	transport_dbus;

/* Ends the process if something failed. */
void must(int is_true, const char *what);

#endif
