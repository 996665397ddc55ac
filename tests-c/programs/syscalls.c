/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syscalls.c: performs one operation between two marks in the output of strace
 *
 * usage: syscalls messages|descriptors|sockets|connect|accept|create|destroy|spawn|wait|map|unmap
 */
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

int main(int argc, char *argv[])
{
	const char *what = argc > 1 ? argv[1] : "";
	struct mm_ipc_srv *srv;
	char name[64];

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
