/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frames.h: frames in shared memory, for data that is too large to be copied through the kernel
 *
 * Each end of a connection has a ring of shared memory, in which it builds frames, and sends its file descriptor once.
 * For each frame a message with its position follows; the receiver reads the frame in place. When it has read a quarter
 * of the ring, it sends back the position up to which the space is free. A connection is used by one thread at each end.
 *
 * The receiver maps the memory for reading only. The sender sealed its size, so that it cannot be truncated, which would
 * kill the receiver with SIGBUS; and each position is checked. But the sender can change a frame while it is read: if
 * the processes do not trust each other, copy what must not change between two looks at it.
 */
#ifndef FRAMES_H
#define FRAMES_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* for F_ADD_SEALS */
#endif
#include <mmerrno.h>
#include <mmipc.h>
#include <stdint.h>

/* Frames begin at multiples of a cache line. */
#define FRAMES_ALIGNED(size) (((uint64_t)(size) + 63) & ~(uint64_t)63)
/* Then there is always space for a frame when the receiver has returned what it must. */
#define FRAMES_MAX_SIZE(frames) ((frames)->ring_size / 4)

/* Positions count all bytes since the beginning: modulo the size of the ring, they are offsets in it. */
struct frames_message {
	uint64_t position; /* of a frame; or the end of the space that is free again */
	uint64_t size;     /* of the frame; FRAMES_FREED for space */
};
#define FRAMES_FREED UINT64_MAX

struct frames {
	int fd;
	uint64_t ring_size;
	char *out, *in;                  /* the rings that this end writes and reads */
	uint64_t next, free_end;         /* where the next frame begins, and where the space for frames ends */
	uint64_t read_end, reported_end; /* where the received frames end, and what the peer knows of it */
};

/* Creates the ring of this end. Its size can no longer be changed. */
static inline int frames_create_ring(struct frames *frames)
{
	int memory = mm_anon_shm();

	if (mm_ftruncate(memory, (mm_off_t)frames->ring_size) == 0 &&
	    fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		frames->out = mm_mapfile(memory, 0, frames->ring_size, MM_MAP_RDWR | MM_MAP_SHARED);
	return memory;
}

/* Maps the ring of the peer, if it has the expected size and is sealed. */
static inline int frames_map_ring(struct frames *frames, int memory)
{
	struct mm_stat status;
	int seals = fcntl(memory, F_GET_SEALS);

	if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || mm_fstat(memory, &status) != 0 ||
	    (uint64_t)status.size != frames->ring_size)
		return mm_raise_error(EPROTO, "the peer did not send a sealed ring of the expected size");
	frames->in = mm_mapfile(memory, 0, frames->ring_size, MM_MAP_READ | MM_MAP_SHARED);
	return frames->in != NULL ? 0 : -1;
}

/* Both ends of a connection call this first, with the same size: a multiple of the page size. */
static inline int frames_open(struct frames *frames, int fd, size_t ring_size)
{
	char byte = 0;
	struct iovec iov = {&byte, 1};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1, .num_fds = 1};
	int mine, received = -1, result = -1;

	*frames = (struct frames){.fd = fd, .ring_size = ring_size, .free_end = ring_size};
	mine = frames_create_ring(frames);
	msg.fds = &mine;
	if (frames->out != NULL && mm_ipc_sendmsg(fd, &msg) == 1) {
		msg = (struct mm_ipc_msg){.iov = &iov, .num_iov = 1, .fds = &received, .num_fds_max = 1};
		if (mm_ipc_recvmsg(fd, &msg) >= 0)
			result = frames_map_ring(frames, received);
	}
	mm_close(mine);
	mm_close(received);
	return result;
}

static inline int frames_send_message(struct frames *frames, uint64_t position, uint64_t size)
{
	struct frames_message message = {position, size};
	struct iovec iov = {&message, sizeof(message)};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1};

	return mm_ipc_sendmsg(frames->fd, &msg) == sizeof(message) ? 0 : -1;
}

/* Receives one message. Space that is free again is recorded, and the message has the size FRAMES_FREED. */
static inline int frames_receive_message(struct frames *frames, struct frames_message *message)
{
	struct iovec iov = {message, sizeof(*message)};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1};
	ssize_t size = mm_ipc_recvmsg(frames->fd, &msg);

	if (size < 0)
		return -1;
	if (size != sizeof(*message))
		return mm_raise_error(EPROTO, "the peer sent a message of another size");
	if (message->size != FRAMES_FREED)
		return 0;
	if (message->position > frames->next)
		return mm_raise_error(EPROTO, "the peer returned space that it did not have");
	frames->free_end = message->position + frames->ring_size;
	return 0;
}

/* Returns memory in which to build a frame of at most FRAMES_MAX_SIZE bytes; waits until there is space. */
static inline void *frames_begin(struct frames *frames, size_t size)
{
	uint64_t offset = frames->next % frames->ring_size;
	struct frames_message message;

	if (size > FRAMES_MAX_SIZE(frames)) {
		mm_raise_error(EMSGSIZE, "a frame of %zu bytes is too large", size);
		return NULL;
	}
	/* A frame is not divided: the rest of the ring is skipped. */
	if (offset + size > frames->ring_size) {
		frames->next += frames->ring_size - offset;
		offset = 0;
	}
	while (frames->next + FRAMES_ALIGNED(size) > frames->free_end) {
		if (frames_receive_message(frames, &message) < 0)
			return NULL;
		if (message.size != FRAMES_FREED) {
			mm_raise_error(EPROTO, "the peer sent a frame while this end was sending");
			return NULL;
		}
	}
	return frames->out + offset;
}

/* Sends the frame that was built. */
static inline int frames_send(struct frames *frames, size_t size)
{
	uint64_t position = frames->next;

	frames->next += FRAMES_ALIGNED(size);
	return frames_send_message(frames, position, size);
}

/* Waits for a frame. It is valid until the next call. Returns its size, or -1: EPIPE at the end of the connection. */
static inline ssize_t frames_receive(struct frames *frames, const void **frame)
{
	struct frames_message message;
	uint64_t offset;

	/* The previous frame has been read. */
	if (frames->read_end - frames->reported_end >= frames->ring_size / 4) {
		if (frames_send_message(frames, frames->read_end, FRAMES_FREED) < 0)
			return -1;
		frames->reported_end = frames->read_end;
	}
	do {
		if (frames_receive_message(frames, &message) < 0)
			return -1;
	} while (message.size == FRAMES_FREED);
	offset = message.position % frames->ring_size;
	if (message.position < frames->read_end || message.size > frames->ring_size ||
	    offset + message.size > frames->ring_size)
		return mm_raise_error(EPROTO, "the peer sent a frame that is not in its ring");
	frames->read_end = message.position + FRAMES_ALIGNED(message.size);
	*frame = frames->in + offset;
	return (ssize_t)message.size;
}

/* The sender: waits until the receiver has read all frames and closed the connection. */
static inline int frames_finish(struct frames *frames)
{
	struct frames_message message;

	if (mm_shutdown(frames->fd, SHUT_WR) != 0)
		return -1;
	while (frames_receive_message(frames, &message) == 0)
		;
	return mm_get_lasterror_number() == EPIPE ? 0 : -1;
}

static inline void frames_close(struct frames *frames)
{
	mm_unmap(frames->out);
	mm_unmap(frames->in);
	mm_close(frames->fd);
}

#endif
