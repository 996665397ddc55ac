/* SPDX-License-Identifier: Apache-2.0 */
/*
 * epoll_server.c: a server with one event loop: new clients, their messages and signals
 *
 * usage: epoll_server ADDRESS
 *
 * The server sends each message back, after its process ID. SIGTERM or SIGINT ends it. An ADDRESS that contains a slash
 * is a path, to which the server's user and group can connect.
 */
#include <mmerrno.h>
#include <mmipc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

static int loop;

/* The file descriptor identifies the source of an event. */
static int add(int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
}

static void accept_clients(struct mm_ipc_srv *srv)
{
	int fd;

	/* Until no client is waiting: EAGAIN. */
	while ((fd = mm_ipc_srv_accept2(srv, MM_IPC_CLOEXEC | MM_IPC_NONBLOCK, 0)) >= 0)
		if (add(fd) != 0)
			mm_close(fd);
}

static void serve(int fd)
{
	char prefix[32], text[4096];
	struct iovec iov[2] = {{prefix, 0}, {text, sizeof(text)}};
	struct mm_ipc_msg msg = {.iov = &iov[1], .num_iov = 1};
	ssize_t size = mm_ipc_recvmsg(fd, &msg);

	if (size >= 0) {
		iov[0].iov_len = (size_t)snprintf(prefix, sizeof(prefix), "%ld: ", (long)getpid());
		iov[1].iov_len = (size_t)size;
		msg = (struct mm_ipc_msg){.iov = iov, .num_iov = 2};
		size = mm_ipc_sendmsg(fd, &msg);
	}
	/* Also closes the connection of a client that does not read its answers. */
	if (size < 0)
		mm_close(fd);
}

int main(int argc, char *argv[])
{
	struct mm_ipc_srv *srv = NULL;
	struct epoll_event events[16];
	int signals, count, listener, is_over = 0;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	loop = epoll_create1(EPOLL_CLOEXEC);
	if (argc == 2 && strchr(argv[1], '/') != NULL)
		srv = mm_ipc_srv_create2(argv[1], MM_IPC_PATH, 0660);
	else if (argc == 2)
		srv = mm_ipc_srv_create2(argv[1], 0, 0);
	if (srv == NULL)
		return 1;
	listener = mm_ipc_srv_fd(srv);
	if (add(signals) != 0 || add(listener) != 0)
		return 1;
	while (!is_over && (count = epoll_wait(loop, events, 16, -1)) > 0) {
		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == signals)
				is_over = 1;
			else if (events[i].data.fd == listener)
				accept_clients(srv);
			else
				serve(events[i].data.fd);
		}
	}
	mm_ipc_srv_destroy(srv);
	return is_over ? 0 : 1;
}
