/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.c: frames in shared memory, by examples/frames.h: built in place, and copied into the ring once
 */
#include "../../examples/frames.h"
#include "../transport.h"

#include <string.h>

static char buffer[MOST_BYTES];
static struct frames frames;

static size_t receive_one(char *kind)
{
	const void *frame = NULL;
	ssize_t size = frames_receive(&frames, &frame);

	must(size > 0, "frames_receive");
	*kind = *(const char *)frame;
	return (size_t)size;
}

static void send_built(char kind, size_t size)
{
	char *frame = frames_begin(&frames, size);

	must(frame != NULL, "frames_begin");
	frame[0] = kind;
	must(frames_send(&frames, size) == 0, "frames_send");
}

static void send_copied(char kind, size_t size)
{
	char *frame = frames_begin(&frames, size);

	must(frame != NULL, "frames_begin");
	buffer[0] = kind;
	memcpy(frame, buffer, size);
	must(frames_send(&frames, size) == 0, "frames_send");
}

static void serve(const char *address, void (*ready)(void), enum verdict (*handle)(char kind, size_t size),
                  void (*send)(char kind, size_t size))
{
	struct mm_ipc_srv *srv = mm_ipc_srv_create2(address, 0, 0);
	enum verdict verdict;
	int fd;

	must(srv != NULL, "mm_ipc_srv_create2");
	ready();
	must((fd = mm_ipc_srv_accept2(srv, MM_IPC_CLOEXEC, -1)) >= 0, "mm_ipc_srv_accept2");
	must(frames_open(&frames, fd, RING_BYTES) == 0, "frames_open");
	do {
		char kind;
		size_t size = receive_one(&kind);

		if ((verdict = handle(kind, size)) == REPLY)
			send(kind, size);
	} while (verdict != LEAVE);
	mm_ipc_srv_destroy(srv);
}

static void serve_built(const char *address, void (*ready)(void), enum verdict (*handle)(char kind, size_t size))
{
	serve(address, ready, handle, send_built);
}

static void serve_copied(const char *address, void (*ready)(void), enum verdict (*handle)(char kind, size_t size))
{
	serve(address, ready, handle, send_copied);
}

static void connect_to(const char *address)
{
	int fd = mm_ipc_connect2(address, MM_IPC_CLOEXEC, -1);

	must(fd >= 0 && frames_open(&frames, fd, RING_BYTES) == 0, "mm_ipc_connect2 or frames_open");
}

static void receive(size_t size)
{
	char kind;

	must(receive_one(&kind) == size, "frames_receive of a whole frame");
}

const struct transport transport_ring = {
	"shared-memory ring (examples)", MOST_BYTES, serve_built, connect_to, send_built, receive};
const struct transport transport_ring_copied = {
	"the same, data copied into it", MOST_BYTES, serve_copied, connect_to, send_copied, receive};
