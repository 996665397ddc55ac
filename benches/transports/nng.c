/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nng.c: nng, protocol pair version 0 over ipc. Messages are built and read in nng's memory, so that none is copied.
 * Queue sizes are set, so that a sender can run ahead of the receiver (by default it cannot).
 */
#include "../transport.h"

#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <stdio.h>

#define QUEUE_LENGTH 128

static nng_socket pair;

static void open_pair(const char *path, char *url, size_t url_size)
{
	must(nng_pair0_open(&pair) == 0, "nng_pair0_open");
	must(nng_socket_set_int(pair, NNG_OPT_SENDBUF, QUEUE_LENGTH) == 0, "nng_socket_set_int");
	must(nng_socket_set_int(pair, NNG_OPT_RECVBUF, QUEUE_LENGTH) == 0, "nng_socket_set_int");
	snprintf(url, url_size, "ipc://%s", path);
}

static size_t receive_one(nng_msg **message)
{
	must(nng_recvmsg(pair, message, 0) == 0, "nng_recvmsg");
	return nng_msg_len(*message);
}

static void serve(const char *path, void (*ready)(void), enum verdict (*handle)(char kind, size_t size))
{
	char url[256];
	enum verdict verdict;

	open_pair(path, url, sizeof(url));
	must(nng_listen(pair, url, NULL, 0) == 0, "nng_listen");
	ready();
	do {
		nng_msg *message;
		size_t size = receive_one(&message);

		/* The received message is sent as the answer, after which nng owns it again. */
		if ((verdict = handle(*(char *)nng_msg_body(message), size)) == REPLY)
			must(nng_sendmsg(pair, message, 0) == 0, "nng_sendmsg");
		else
			nng_msg_free(message);
	} while (verdict != LEAVE);
}

static void connect_to(const char *path)
{
	char url[256];

	open_pair(path, url, sizeof(url));
	must(nng_dial(pair, url, NULL, 0) == 0, "nng_dial");
}

static void send_one(char kind, size_t size)
{
	nng_msg *message;

	must(nng_msg_alloc(&message, size) == 0, "nng_msg_alloc");
	*(char *)nng_msg_body(message) = kind;
	must(nng_sendmsg(pair, message, 0) == 0, "nng_sendmsg");
}

static void receive(size_t size)
{
	nng_msg *message;

	must(receive_one(&message) == size, "nng_recvmsg of a whole message");
	nng_msg_free(message);
}

const struct transport transport_nng = {"nng", MOST_BYTES, serve, connect_to, send_one, receive};
