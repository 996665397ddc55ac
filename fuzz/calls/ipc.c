/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipc.c: calls of the functions for IPC
 */
#include "calls.h"

#include <fcntl.h>
#include <sys/socket.h>

struct mm_ipc_srv *servers[KEPT];

void destroy_servers(void)
{
	for (int i = 0; i < KEPT; i++) {
		mm_ipc_srv_destroy(servers[i]);
		servers[i] = NULL;
	}
}

char *take_ipc_name(struct input *in)
{
	static const char *const names[] = {"one", "two", "", "li\nne\033[1m", "\xff"};

	return take_name(in, names, MM_NELEM(names));
}

void call_mm_ipc_srv_create(struct input *in)
{
	struct mm_ipc_srv **place = &servers[next_place()];
	int is_listening = 0;
	socklen_t size = sizeof(is_listening);

	mm_ipc_srv_destroy(*place);
	int listener = lowest_free_descriptor();
	*place = CALL_FAILING(NULL, mm_ipc_srv_create, take_ipc_name(in));
	if (*place != NULL)
		CHECK(getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) == 0 && is_listening,
		      "no listener at descriptor %d", listener);
}

void call_mm_ipc_srv_destroy(struct input *in)
{
	struct mm_ipc_srv **place = &servers[take_below(in, KEPT)];

	CALL_VOID(mm_ipc_srv_destroy, *place);
	*place = NULL;
}

void call_mm_ipc_srv_accept(struct input *in)
{
	interrupt_waits(true);
	int fd = CALL(mm_ipc_srv_accept, servers[take_below(in, KEPT)]);

	interrupt_waits(false);
	adopt(fd);
}

void call_mm_ipc_connect(struct input *in)
{
	adopt(CALL(mm_ipc_connect, take_ipc_name(in)));
}

void call_mm_ipc_connected_pair(struct input *in)
{
	int *fds = take_chance(in, 16) ? take_chance(in, 2) ? no_memory() : NULL : exact_memory(2 * sizeof(*fds));

	if (CALL(mm_ipc_connected_pair, fds) == 0) {
		adopt(fds[0]);
		adopt(fds[1]);
	}
}

/* The library itself reads the iovec array of a message, but not the buffers. */
static struct iovec *take_ipc_iov(struct input *in, int *count)
{
	struct iovec *iov = take_iov(in, count);

	return iov == no_memory() ? NULL : iov;
}

void call_mm_ipc_sendmsg(struct input *in)
{
	static const int counts[] = {-1, INT32_MIN, 254, INT32_MAX};
	struct mm_ipc_msg *msg = exact_memory(sizeof(*msg));
	int fd = any_descriptor(in);

	memset(msg, 0xa5, sizeof(*msg));
	msg->iov = take_ipc_iov(in, &msg->num_iov);
	msg->num_fds = take_chance(in, 16) ? 253 : (int)take_below(in, 5);
	/* 254 of them are readable. */
	msg->fds = exact_memory((msg->num_fds > 4 ? 254 : (size_t)msg->num_fds) * sizeof(int));
	for (int i = 0; i < msg->num_fds; i++)
		msg->fds[i] = i < 4 ? any_descriptor(in) : msg->fds[0];
	if (msg->num_fds > 4 && take_chance(in, 2)) {
		msg->num_fds = TAKE_ONE(in, counts);
		if (msg->num_fds == INT32_MAX)
			msg->fds = NULL;
	}
	if (take_chance(in, 32))
		msg->fds = NULL;
	CALL(mm_ipc_sendmsg, fd, take_chance(in, 32) ? NULL : msg);
}

void call_mm_ipc_recvmsg(struct input *in)
{
	static const int counts[] = {0, 1, 2, 3, 4, 16, 253, 254, INT32_MAX, -1, INT32_MIN};
	struct mm_ipc_msg *msg = exact_memory(sizeof(*msg));
	int fd = any_descriptor(in), max = TAKE_ONE(in, counts);

	memset(msg, 0xa5, sizeof(*msg));
	msg->iov = take_ipc_iov(in, &msg->num_iov);
	msg->num_fds_max = max;
	/* No message carries more than 253 descriptors. */
	msg->fds = exact_memory((size_t)(max < 0 ? 0 : max < 253 ? max : 253) * sizeof(int));
	if (take_chance(in, 16))
		msg->fds = NULL;
	if (CALL(mm_ipc_recvmsg, fd, msg) >= 0) {
		CHECK(msg->num_fds >= 0 && msg->num_fds <= (max < 0 ? 0 : max),
		      "mm_ipc_recvmsg returned %d descriptors, capacity %d", msg->num_fds, max);
		CHECK((msg->flags & ~(MSG_TRUNC | MSG_CTRUNC)) == 0, "mm_ipc_recvmsg returned flags %#x", msg->flags);
		for (int i = 0; i < msg->num_fds; i++) {
			adopt(msg->fds[i]);
			CHECK(fcntl(msg->fds[i], F_GETFD) == FD_CLOEXEC, "a received descriptor is not close-on-exec");
		}
	}
}
