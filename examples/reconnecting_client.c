/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reconnecting_client.c: a client in an event loop that connects again whenever its server restarts
 *
 * usage: reconnecting_client ADDRESS COUNT [MILLISECONDS]
 *
 * The client sends COUNT questions, one every MILLISECONDS (100), and prints the answers. An ADDRESS that contains a
 * slash is a path. The loop learns from the watch at once when a server has started, without a thread.
 */
#include <mmerrno.h>
#include <mmipc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *address;
static int flags = MM_IPC_CLOEXEC | MM_IPC_NONBLOCK;

/* The watch, and the connection or -1. */
static struct pollfd fds[2] = {{.events = POLLIN}, {.fd = -1, .events = POLLIN}};

/* Returns -1 if it is useless to try again. */
static int try_to_connect(void)
{
	fds[1].fd = mm_ipc_connect2(address, flags, 0);
	if (fds[1].fd < 0)
		return errno == ECONNREFUSED || errno == EAGAIN ? 0 : -1;
	printf("connected\n");
	return 0;
}

static void clear_watch(void)
{
	char unused[4096];

	while (mm_read(fds[0].fd, unused, sizeof(unused)) >= 0)
		;
}

static void disconnect(void)
{
	printf("disconnected\n");
	mm_close(fds[1].fd);
	fds[1].fd = -1;
}

/* Returns the number of answers received. */
static int receive(void)
{
	char text[4096];
	struct iovec iov = {text, sizeof(text)};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1};
	ssize_t size = mm_ipc_recvmsg(fds[1].fd, &msg);

	if (size >= 0)
		printf("received: %.*s\n", (int)size, text);
	else if (errno != EAGAIN)
		disconnect();
	return size >= 0;
}

static void ask(int number)
{
	char text[32];
	struct iovec iov = {text, (size_t)snprintf(text, sizeof(text), "question %d", number)};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1};

	if (mm_ipc_sendmsg(fds[1].fd, &msg) < 0 && errno != EAGAIN)
		disconnect();
}

int main(int argc, char *argv[])
{
	int count = argc >= 3 ? atoi(argv[2]) : -1, pause = argc == 4 ? atoi(argv[3]) : 100, ready;

	if (count < 1 || pause < 1)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	address = argv[1];
	if (strchr(address, '/') != NULL)
		flags |= MM_IPC_PATH;
	/* The watch exists before the first attempt, so that no server is missed. */
	fds[0].fd = mm_ipc_watch(address, flags & MM_IPC_PATH);
	if (fds[0].fd < 0 || try_to_connect() < 0)
		return 1;
	while (count > 0) {
		/* Once a second, it tries to connect without a notification: a server that does not use libmmsysio gives none, and
		 * neither does one whose queue was full. */
		ready = poll(fds, 2, fds[1].fd >= 0 ? pause : 1000);
		if (ready < 0)
			return 1;
		if (fds[0].revents != 0)
			clear_watch();
		if (fds[1].fd >= 0 && fds[1].revents != 0)
			count -= receive();
		else if (fds[1].fd >= 0 && ready == 0)
			ask(count);
		if (fds[1].fd < 0 && try_to_connect() < 0)
			return 1;
	}
	mm_close(fds[1].fd);
	mm_close(fds[0].fd);
	return 0;
}
