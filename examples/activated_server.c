/* SPDX-License-Identifier: Apache-2.0 */
/*
 * activated_server.c: a server that a service manager starts when a client connects
 *
 * usage: activated_server, with the environment of sd_listen_fds(3)
 *
 * The socket unit has ListenSequentialPacket= with a path. To try it without a unit:
 *
 *     systemd-socket-activate --seqpacket --listen=/tmp/example ./activated_server
 *
 * The server greets each client. It ends if no client connects for a second; the service manager keeps the socket, and
 * starts it again for the next client.
 */
#include <mmerrno.h>
#include <mmipc.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_FD 3
#define IDLE_MS 1000

/* The only socket that was passed to this process, or -1. */
static int passed_socket(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");

	if (pid == NULL || count == NULL || atol(pid) != (long)getpid() || atoi(count) != 1)
		return -1;
	/* Programs that this one executes must not take the variables for theirs. */
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	return FIRST_FD;
}

int main(void)
{
	int listener = passed_socket(), connection;
	struct mm_ipc_srv *srv;
	char greeting[64];
	struct iovec iov = {greeting, 0};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1};

	if (listener < 0) {
		fprintf(stderr, "activated_server: no socket was passed\n");
		return 2;
	}
	srv = mm_ipc_srv_from_fd(listener);
	if (srv == NULL)
		return 1;
	iov.iov_len = (size_t)snprintf(greeting, sizeof(greeting), "welcome from process %ld", (long)getpid());
	while ((connection = mm_ipc_srv_accept2(srv, MM_IPC_CLOEXEC, IDLE_MS)) >= 0) {
		mm_ipc_sendmsg(connection, &msg);
		mm_close(connection);
	}
	connection = errno;
	/* Closes this copy of the socket only. */
	mm_ipc_srv_destroy(srv);
	return connection == ETIMEDOUT ? 0 : 1;
}
