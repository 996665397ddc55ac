/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zmq.c: ZeroMQ, sockets of type PAIR over ipc; messages are built and read in ZeroMQ's memory, so that none is copied
 */
#include "../transport.h"

#include <stdio.h>
#include <zmq.h>

static void *context, *pair;

static void open_pair(const char *path, char *url, size_t url_size)
{
	context = zmq_ctx_new();
	must((pair = zmq_socket(context, ZMQ_PAIR)) != NULL, "zmq_socket");
	snprintf(url, url_size, "ipc://%s", path);
}

static size_t receive_one(char *kind)
{
	zmq_msg_t message;
	size_t size;

	zmq_msg_init(&message);
	must(zmq_msg_recv(&message, pair, 0) > 0, "zmq_msg_recv");
	size = zmq_msg_size(&message);
	*kind = *(char *)zmq_msg_data(&message);
	zmq_msg_close(&message);
	return size;
}

static void send_one(char kind, size_t size)
{
	zmq_msg_t message;

	must(zmq_msg_init_size(&message, size) == 0, "zmq_msg_init_size");
	*(char *)zmq_msg_data(&message) = kind;
	must(zmq_msg_send(&message, pair, 0) == (int)size, "zmq_msg_send");
}

static void serve(const char *path, void (*ready)(void), enum verdict (*handle)(char kind, size_t size))
{
	char url[256], kind;
	enum verdict verdict;

	open_pair(path, url, sizeof(url));
	must(zmq_bind(pair, url) == 0, "zmq_bind");
	ready();
	do {
		size_t size = receive_one(&kind);

		if ((verdict = handle(kind, size)) == REPLY)
			send_one(kind, size);
	} while (verdict != LEAVE);
	/* Waits until all messages have been sent. */
	zmq_close(pair);
	zmq_ctx_term(context);
}

static void connect_to(const char *path)
{
	char url[256];

	open_pair(path, url, sizeof(url));
	must(zmq_connect(pair, url) == 0, "zmq_connect");
}

static void receive(size_t size)
{
	char kind;

	must(receive_one(&kind) == size, "zmq_msg_recv of a whole message");
}

const struct transport transport_zmq = {"ZeroMQ", MOST_BYTES, serve, connect_to, send_one, receive};
