/* SPDX-License-Identifier: Apache-2.0 */
/*
 * private_server.c: serves its own user, and refuses all others
 *
 * Usage: private_server NAME COUNT. Answers COUNT clients that connect to NAME, and ends. Anybody who is in the network
 * namespace may connect: what the kernel tells of the peer, which the peer cannot change, decides.
 */
#define _GNU_SOURCE
#include <mmerrno.h>
#include <mmsysio.h>
#include <stdio.h>
#include <stdlib.h>

/* Whether the process that connected did so as the user that this one runs as. */
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

		/* Nothing is read from, or sent to, a client before it is known. */
		if (connection >= 0 && is_own_user(connection))
			mm_ipc_sendmsg(connection, &msg);
		mm_close(connection);
	}
	mm_ipc_srv_destroy(srv);
	return 0;
}
