/* SPDX-License-Identifier: Apache-2.0 */
/*
 * raw.c: the minimum that a program can do with a SEQPACKET socket and still detect a truncated message
 */
#include "../transport.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char buffer[MOST_BYTES];
static int fd;

static int open_socket(struct sockaddr_un *address, const char *name)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	strncpy(address->sun_path + 1, name, sizeof(address->sun_path) - 2);
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

static size_t receive_one(void)
{
	struct iovec data = {buffer, sizeof(buffer)};
	struct msghdr header = {.msg_iov = &data, .msg_iovlen = 1};
	ssize_t size = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);

	must(size > 0 && !(header.msg_flags & MSG_TRUNC), "recvmsg");
	return (size_t)size;
}

static void send_one(char kind, size_t size)
{
	buffer[0] = kind;
	must(send(fd, buffer, size, MSG_NOSIGNAL) == (ssize_t)size, "send");
}

static void serve(const char *name, void (*ready)(void), enum verdict (*handle)(char kind, size_t size))
{
	struct sockaddr_un address;
	int listener = open_socket(&address, name);
	enum verdict verdict;

	must(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0, "bind");
	must(listen(listener, 1) == 0, "listen");
	ready();
	must((fd = accept(listener, NULL, NULL)) >= 0, "accept");
	do {
		size_t size = receive_one();

		if ((verdict = handle(buffer[0], size)) == REPLY)
			send_one(buffer[0], size);
	} while (verdict != LEAVE);
}

static void connect_to(const char *name)
{
	struct sockaddr_un address;

	fd = open_socket(&address, name);
	must(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "connect");
}

static void receive(size_t size)
{
	must(receive_one() == size, "recvmsg of a whole message");
}

const struct transport transport_raw = {"send + recvmsg", MOST_BYTES_OF_SOCKET, serve, connect_to, send_one, receive};
