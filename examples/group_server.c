/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group_server.c: serves the members of one group, and refuses all others
 *
 * usage: group_server PATH COUNT
 *
 * The group is that of the directory of PATH, which must have the set-group-ID bit, so that the socket gets this group:
 *
 *     install -d -m 2755 -g GROUP DIRECTORY
 *
 * The mode of the path is the first check: the kernel lets only the owner and the group connect. The second check, of
 * each connection, also refuses a privileged process that is not in the group. The server greets COUNT clients, then
 * ends.
 */
#include <mmerrno.h>
#include <mmipc.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_GROUPS 65536

/* Whether the process that connected was in a group: by its group ID or by its supplementary groups. */
static int is_member(int connection, gid_t group)
{
	static gid_t groups[MAX_GROUPS];
	socklen_t size = sizeof(groups);
	struct mm_ipc_peer peer;

	if (mm_ipc_get_peer(connection, &peer, sizeof(peer)) != 0 ||
	    mm_getsockopt(connection, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0)
		return 0;
	if (peer.gid == group)
		return 1;
	for (size_t i = 0; i < size / sizeof(*groups); i++)
		if (groups[i] == group)
			return 1;
	printf("refused process %ld of user %ld\n", (long)peer.pid, (long)peer.uid);
	return 0;
}

int main(int argc, char *argv[])
{
	char greeting[] = "welcome";
	struct iovec iov = {greeting, sizeof(greeting) - 1};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1};
	struct mm_ipc_srv *srv = argc == 3 ? mm_ipc_srv_create2(argv[1], MM_IPC_PATH, 0660) : NULL;
	int count = srv != NULL ? atoi(argv[2]) : -1, connection;
	struct mm_stat status;

	if (srv == NULL || mm_stat(argv[1], &status, 0) != 0)
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (count > 0 && (connection = mm_ipc_srv_accept2(srv, MM_IPC_CLOEXEC, -1)) >= 0) {
		/* Exchange no data with a client before its group is checked. */
		if (is_member(connection, (gid_t)status.gid))
			count -= mm_ipc_sendmsg(connection, &msg) > 0;
		mm_close(connection);
	}
	mm_ipc_srv_destroy(srv);
	return count > 0;
}
