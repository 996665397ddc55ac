/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport.h: a transport measured by peers.c: carries messages between a client and a server in two processes
 *
 * The first byte of a message is its kind (defined in peers.c); the other bytes are ignored. Each transport builds a
 * message where its library expects it, so that no message is copied more often than the interface requires. An address
 * is the path of a file in a writable directory, at most 60 bytes; a transport that needs no file uses it as a name.
 */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <stddef.h>

#define MOST_BYTES (1024 * 1024)
/* The most that a datagram socket transfers with the default size of its buffer, as a power of two. */
#define MOST_BYTES_OF_SOCKET (128 * 1024)
/* The capacity of transports with rings in shared memory. */
#define RING_BYTES (4 * MOST_BYTES)

enum verdict {
	NEXT,  /* receive the next message */
	REPLY, /* send one of the same size back, then receive the next */
	LEAVE, /* close the connection */
};

struct transport {
	const char *name;
	size_t most; /* the size of the largest messages, at most MOST_BYTES */

	/*
	 * The server: listens at the address, calls ready(), accepts one client, and calls handle() for each of its
	 * messages until handle() returns LEAVE.
	 */
	void (*serve)(const char *address, void (*ready)(void), enum verdict (*handle)(char kind, size_t size));

	/* The client, one per process. send() blocks while the queue is full, receive() until there is a message. */
	void (*connect)(const char *address);
	void (*send)(char kind, size_t size);
	void (*receive)(size_t size);
};

extern const struct transport transport_raw, transport_mmsysio, transport_ring, transport_ring_copied, transport_qb,
	transport_nng, transport_zmq, transport_dbus;

/* Ends the process if a call failed. */
void must(int is_true, const char *what);

#endif
