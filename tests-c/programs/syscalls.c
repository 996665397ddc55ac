/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syscalls.c: performs one operation between two marks in the output of strace
 *
 * usage: syscalls messages|descriptors|sockets|connect|accept|create|destroy|spawn|wait|map|unmap
 *        syscalls name_OPERATION|path_OPERATION|peer_OPERATION
 * The operations are those that MARKED() names.
 */
#include <errno.h>
#include <mmipc.h>
#include <mmsysio.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define REQUIRE(condition)                                           \
	do {                                                         \
		if (!(condition)) {                                  \
			fprintf(stderr, "failed: %s\n", #condition); \
			exit(1);                                     \
		}                                                    \
	} while (0)

static void mark(const char *name)
{
	REQUIRE(chdir(name) == -1);
}

static void exchange(int count, int num_fds)
{
	char data[64] = "";
	int ends[2], received;
	struct iovec iov = {data, sizeof(data)};
	struct mm_ipc_msg out = {.iov = &iov, .num_iov = 1, .fds = &ends[0], .num_fds = num_fds};
	struct mm_ipc_msg in = {.iov = &iov, .num_iov = 1, .fds = &received, .num_fds_max = 1};

	REQUIRE(mm_ipc_connected_pair(ends) == 0);
	mark("begin");
	for (int i = 0; i < count; i++) {
		REQUIRE(mm_ipc_sendmsg(ends[0], &out) == sizeof(data));
		REQUIRE(mm_ipc_recvmsg(ends[1], &in) == sizeof(data));
		REQUIRE(in.num_fds == num_fds);
		if (num_fds == 1)
			REQUIRE(mm_close(received) == 0);
	}
	mark("end");
}

static void mark_if(bool wanted, const char *name)
{
	if (wanted)
		mark(name);
}

static void spawn_and_map(const char *what)
{
	bool spawns = strcmp(what, "spawn") == 0, waits = strcmp(what, "wait") == 0;
	bool maps = strcmp(what, "map") == 0, unmaps = strcmp(what, "unmap") == 0;
	void *memory;
	mm_pid_t pid;

	/* The first call does more. */
	for (int i = 0; i < 2; i++) {
		mark_if(spawns && i == 1, "begin");
		REQUIRE(mm_spawn(&pid, "/bin/true", 0, NULL, 0, NULL, NULL) == 0);
		mark_if(spawns && i == 1, "end");
		mark_if(waits && i == 1, "begin");
		REQUIRE(mm_wait_process(pid, NULL) == 0);
		mark_if(waits && i == 1, "end");
	}
	int fd = mm_anon_shm();

	for (int i = 0; i < 2; i++) {
		mark_if(maps && i == 1, "begin");
		REQUIRE((memory = mm_mapfile(fd, 0, 4096, MM_MAP_READ)) != NULL);
		mark_if(maps && i == 1, "end");
		mark_if(unmaps && i == 1, "begin");
		REQUIRE(mm_unmap(memory) == 0);
		mark_if(unmaps && i == 1, "end");
	}
}

/* All functions on the path of messages over the network. */
static void exchange_datagrams(int count)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	char data[64] = "";
	struct iovec iov = {data, sizeof(data)};
	struct mm_sock_multimsg message = {.msg = {.msg_iov = &iov, .msg_iovlen = 1}};
	/* Connected to itself. */
	int fd = mm_socket(AF_INET, SOCK_DGRAM, 0);

	REQUIRE(mm_bind(fd, (struct sockaddr *)&address, size) == 0);
	REQUIRE(mm_getsockname(fd, (struct sockaddr *)&address, &size) == 0);
	REQUIRE(mm_connect(fd, (struct sockaddr *)&address, size) == 0);
	mark("begin");
	for (int i = 0; i < count; i++) {
		REQUIRE(mm_send(fd, data, sizeof(data), 0) == sizeof(data));
		REQUIRE(mm_recv(fd, data, sizeof(data), 0) == sizeof(data));
		REQUIRE(mm_sendmsg(fd, &message.msg, 0) == sizeof(data));
		REQUIRE(mm_recvmsg(fd, &message.msg, 0) == sizeof(data));
		REQUIRE(mm_send_multimsg(fd, 1, &message, 0) == 1);
		REQUIRE(mm_recv_multimsg(fd, 1, &message, 0, NULL) == 1);
	}
	mark("end");
}

/* The mark is made if the operation is the requested one. The call is repeated without marks, if it can be. */
#define MARKED(operation, call)                                 \
	do {                                                    \
		mark_if(strcmp(what, operation) == 0, "begin"); \
		REQUIRE(call);                                  \
		mark_if(strcmp(what, operation) == 0, "end");   \
	} while (0)

static void connect_somehow(const char *what, const char *addr, int flags)
{
	MARKED("connect2", mm_ipc_connect2(addr, flags, -1) >= 0);
	MARKED("connect2_non_blocking", mm_ipc_connect2(addr, flags | MM_IPC_NONBLOCK, 10000) >= 0);
	MARKED("connect2_at_once", mm_ipc_connect2(addr, flags | MM_IPC_CLOEXEC, 0) >= 0);
	MARKED("connect2_in_time", mm_ipc_connect2(addr, flags, 10000) >= 0);
}

/* All servers have the same address. */
static void serve(const char *what, const char *addr, int flags)
{
	mode_t mode = flags != 0 ? 0600 : 0;
	struct mm_ipc_srv *srv;
	int fd;

	/* One-time initialisation is complete. */
	mm_ipc_srv_destroy(mm_ipc_srv_create2(addr, flags, mode));
	MARKED("connect2_refused", mm_ipc_connect2(addr, flags, 0) == -1 && errno == ECONNREFUSED);
	MARKED("watch", (fd = mm_ipc_watch(addr, flags)) >= 0);
	REQUIRE(mm_close(fd) == 0);
	MARKED("create2", (srv = mm_ipc_srv_create2(addr, flags, mode)) != NULL);
	connect_somehow(what, addr, flags);
	MARKED("accept2", mm_ipc_srv_accept2(srv, MM_IPC_CLOEXEC, -1) >= 0);
	MARKED("accept2_first", mm_ipc_srv_accept2(srv, MM_IPC_CLOEXEC, 0) >= 0);
	MARKED("accept2_at_once", mm_ipc_srv_accept2(srv, MM_IPC_CLOEXEC, 0) >= 0);
	MARKED("accept2_in_time", mm_ipc_srv_accept2(srv, MM_IPC_NONBLOCK, 10000) >= 0);
	MARKED("accept2_none", mm_ipc_srv_accept2(srv, 0, 0) == -1 && errno == EAGAIN);
	MARKED("fd", (fd = mm_ipc_srv_fd(srv)) >= 0);
	MARKED("release", mm_ipc_srv_release(srv) == fd);
	MARKED("from_fd", (srv = mm_ipc_srv_from_fd(fd)) != NULL);
	connect_somehow("", addr, flags);
	MARKED("adopted_accept2", mm_ipc_srv_accept2(srv, MM_IPC_CLOEXEC, -1) >= 0);
	mark_if(strcmp(what, "adopted_destroy2") == 0, "begin");
	mm_ipc_srv_destroy(srv);
	mark_if(strcmp(what, "adopted_destroy2") == 0, "end");
	MARKED("leftover_create2", (srv = mm_ipc_srv_create2(addr, flags, mode)) != NULL);
	mark_if(strcmp(what, "destroy2") == 0, "begin");
	mm_ipc_srv_destroy(srv);
	mark_if(strcmp(what, "destroy2") == 0, "end");
}

static void examine_peers(const char *what)
{
	struct mm_ipc_peer peer;
	int fds[2];

	MARKED("pair2", mm_ipc_connected_pair2(fds, MM_IPC_CLOEXEC | MM_IPC_NONBLOCK) == 0);
	MARKED("peer", mm_ipc_get_peer(fds[0], &peer, sizeof(peer)) == 0);
	MARKED("pidfd", mm_ipc_get_peer_pidfd(fds[0]) >= 0 || errno == ENOPROTOOPT);
}

int main(int argc, char *argv[])
{
	const char *what = argc > 1 ? argv[1] : "";
	struct mm_ipc_srv *srv;
	char name[64];

	if (strncmp(what, "path_", 5) == 0) {
		char directory[] = "/tmp/mmsysio-syscalls-XXXXXX";

		REQUIRE(mkdtemp(directory) != NULL);
		snprintf(name, sizeof(name), "%s/s", directory);
		serve(what + 5, name, MM_IPC_PATH);
		REQUIRE(rmdir(directory) == 0);
		return 0;
	}
	if (strncmp(what, "peer_", 5) == 0) {
		examine_peers(what + 5);
		return 0;
	}
	if (strncmp(what, "name_", 5) == 0) {
		snprintf(name, sizeof(name), "mmsysio-syscalls-%ld", (long)getpid());
		serve(what + 5, name, 0);
		return 0;
	}

	if (strcmp(what, "spawn") == 0 || strcmp(what, "wait") == 0 || strstr(what, "map") != NULL) {
		spawn_and_map(what);
		return 0;
	}

	if (strcmp(what, "messages") == 0) {
		exchange(1000, 0);
		return 0;
	}
	if (strcmp(what, "descriptors") == 0) {
		exchange(100, 1);
		return 0;
	}
	if (strcmp(what, "sockets") == 0) {
		exchange_datagrams(100);
		return 0;
	}
	snprintf(name, sizeof(name), "mmsysio-syscalls-%ld", (long)getpid());
	/* One-time initialisation is complete. */
	mm_ipc_srv_destroy(mm_ipc_srv_create(name));
	if (strcmp(what, "create") == 0)
		mark("begin");
	srv = mm_ipc_srv_create(name);
	if (strcmp(what, "create") == 0)
		mark("end");
	REQUIRE(srv != NULL);
	if (strcmp(what, "connect") == 0)
		mark("begin");
	REQUIRE(mm_ipc_connect(name) >= 0);
	if (strcmp(what, "connect") == 0)
		mark("end");
	if (strcmp(what, "accept") == 0)
		mark("begin");
	REQUIRE(mm_ipc_srv_accept(srv) >= 0);
	if (strcmp(what, "accept") == 0)
		mark("end");
	if (strcmp(what, "destroy") == 0)
		mark("begin");
	mm_ipc_srv_destroy(srv);
	if (strcmp(what, "destroy") == 0)
		mark("end");
	return 0;
}
