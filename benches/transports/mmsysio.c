/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmsysio.c: this library; one buffer, no descriptors, no capacity for descriptors
 */
#include "../transport.h"

#include <mmsysio.h>

static char buffer[MOST_BYTES];
static int fd;

static size_t receive_one(void)
{
	struct iovec data = {buffer, sizeof(buffer)};
	struct mm_ipc_msg message = {.iov = &data, .num_iov = 1};
	ssize_t size = mm_ipc_recvmsg(fd, &message);

	must(size > 0, "mm_ipc_recvmsg");
	return (size_t)size;
}

static void send_one(char kind, size_t size)
{
	struct iovec data = {buffer, size};
	struct mm_ipc_msg message = {.iov = &data, .num_iov = 1};

	buffer[0] = kind;
	must(mm_ipc_sendmsg(fd, &message) == (ssize_t)size, "mm_ipc_sendmsg");
}

static void serve(const char *address, void (*ready)(void), enum verdict (*handle)(char kind, size_t size))
{
	struct mm_ipc_srv *srv = mm_ipc_srv_create(address);
	enum verdict verdict;

	must(srv != NULL, "mm_ipc_srv_create");
	ready();
	must((fd = mm_ipc_srv_accept(srv)) >= 0, "mm_ipc_srv_accept");
	do {
		size_t size = receive_one();

		if ((verdict = handle(buffer[0], size)) == REPLY)
			send_one(buffer[0], size);
	} while (verdict != LEAVE);
	mm_ipc_srv_destroy(srv);
}

static void connect_to(const char *address)
{
	must((fd = mm_ipc_connect(address)) >= 0, "mm_ipc_connect");
}

static void receive(size_t size)
{
	must(receive_one() == size, "mm_ipc_recvmsg of a whole message");
}

const struct transport transport_mmsysio = {"mm_ipc", MOST_BYTES_OF_SOCKET, serve, connect_to, send_one, receive};
