/* SPDX-License-Identifier: Apache-2.0 */
/*
 * private_server.c: serves the user that it runs as, and refuses all others
 *
 * usage: private_server NAME COUNT
 *
 * The server accepts COUNT clients that connect to NAME, then exits. Any process of the network namespace may connect.
 * The server decides by the credentials that the kernel reports for the peer, which the peer cannot forge.
 */
#define _GNU_SOURCE
#include <mmerrno.h>
#include <mmsysio.h>
#include <stdio.h>
#include <stdlib.h>

/* Whether the process that connected had the effective user ID of this process. */
static int is_own_user(int connection)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (mm_getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || size != sizeof(peer))
		return 0;
	if (peer.uid != geteuid())
		printf("refused process %d of user %u\n", (int)peer.pid, (unsigned int)peer.uid);
	return peer.uid == geteuid();
}

int main(int argc, char **argv)
{
	char greeting[] = "welcome";
	struct iovec iov = {greeting, sizeof(greeting) - 1};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1};
	struct mm_ipc_srv *srv = argc == 3 ? mm_ipc_srv_create(argv[1]) : NULL;
	int count = srv != NULL ? atoi(argv[2]) : -1;

	if (srv == NULL)
		return 1;
	while (count-- > 0) {
		int connection = mm_ipc_srv_accept(srv);

		/* Exchange no data with a client before its user is checked. */
		if (connection >= 0 && is_own_user(connection))
			mm_ipc_sendmsg(connection, &msg);
		mm_close(connection);
	}
	mm_ipc_srv_destroy(srv);
	return 0;
}
