/* SPDX-License-Identifier: Apache-2.0 */
/*
 * messages.c: an input is a conversation between an endpoint of the library and a peer that does not use the library
 *
 * The peer sends what the bytes describe, by system calls: datagrams with descriptors and credentials, in control
 * messages of any shape, to a receiver with arbitrary options. The values that the library returns are compared with
 * what was sent.
 */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_STEPS 24
#define MAX_QUEUE 16
#define MAX_FDS 253
/* Not defined by all versions of the headers. */
#define OPTION_PASSPIDFD 76

/* Files to be sent; fstat() distinguishes them. */
#define FILES 4
static int files[FILES];
static ino_t inodes[FILES];

static struct sent {
	size_t size;
	uint8_t first; /* its bytes count up from here */
	int num_fds;
	uint8_t fds[MAX_FDS]; /* entries for files */
} queue[MAX_QUEUE];
static int queued, unread;
static int endpoint, peer;
static bool is_peer_closed, has_credentials, has_pidfd;

static void make_files(void)
{
	for (int i = 0; i < FILES; i++) {
		struct stat status;
		int fds[2];

		CHECK(pipe2(fds, O_CLOEXEC) == 0, "no pipe");
		files[i] = adopt(fds[0]);
		close(fds[1]);
		CHECK(fstat(files[i], &status) == 0, "no file");
		inodes[i] = status.st_ino;
	}
}

/* A pair, or a client and its accepted connection; the endpoint is either side. */
static void connect_them(struct input *in)
{
	int fds[2];

	switch (take_below(in, 3)) {
	case 0:
		CHECK(mm_ipc_connected_pair(fds) == 0, "no pair");
		break;
	default:;
		struct mm_ipc_srv *server = mm_ipc_srv_create("server");

		CHECK(server != NULL, "no server");
		fds[0] = mm_ipc_connect("server");
		fds[1] = mm_ipc_srv_accept(server);
		mm_ipc_srv_destroy(server);
	}
	if (take_chance(in, 2)) {
		int swapped = fds[0];

		fds[0] = fds[1];
		fds[1] = swapped;
	}
	endpoint = adopt(fds[0]);
	peer = adopt(fds[1]);
}

static void fill(uint8_t *bytes, size_t size, uint8_t first)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(first + i);
}

static int take_count(struct input *in)
{
	static const int counts[] = {0, 0, 0, 1, 1, 2, 3, 4, 7, 16, 40, 100, 252, 253};

	return TAKE_ONE(in, counts);
}

static size_t take_length(struct input *in)
{
	static const size_t lengths[] = {0, 1, 2, 3, 7, 8, 64, 255, 1000, 4096, 20000};

	return take_chance(in, 2) ? take_byte(in) : TAKE_ONE(in, lengths);
}

/* The peer sends a datagram with descriptors in one or two control messages, and optionally with its credentials. */
static void peer_sends(struct input *in)
{
	static uint8_t bytes[20000];
	_Alignas(struct cmsghdr) static char
		control[2 * CMSG_SPACE(MAX_FDS * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
	struct sent sent = {.size = take_length(in), .first = take_byte(in), .num_fds = take_count(in)};
	struct iovec iov = {bytes, sent.size};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control};
	int split = take_chance(in, 3) ? (int)take_below(in, (unsigned)sent.num_fds + 1) : sent.num_fds;
	struct cmsghdr *cmsg = (struct cmsghdr *)control;

	if (queued == MAX_QUEUE || is_peer_closed)
		return;
	memset(control, 0, sizeof(control));
	fill(bytes, sent.size, sent.first);
	for (int i = 0; i < sent.num_fds; i++)
		sent.fds[i] = i < 8 ? (uint8_t)take_below(in, FILES) : sent.fds[i % 8];
	if (take_chance(in, 6)) {
		struct ucred own = {getpid(), geteuid(), getegid()};

		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_CREDENTIALS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(own));
		memcpy(CMSG_DATA(cmsg), &own, sizeof(own));
		cmsg = (struct cmsghdr *)((char *)cmsg + CMSG_SPACE(sizeof(own)));
	}
	for (int from = 0, to = split; from < sent.num_fds; from = to, to = sent.num_fds) {
		int fds[MAX_FDS];

		for (int i = from; i < to; i++)
			fds[i - from] = files[sent.fds[i]];
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN((size_t)(to - from) * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, (size_t)(to - from) * sizeof(int));
		cmsg = (struct cmsghdr *)((char *)cmsg + CMSG_SPACE((size_t)(to - from) * sizeof(int)));
		if (to == from && from == 0 && split == 0)
			split = sent.num_fds;
	}
	msg.msg_controllen = (size_t)((char *)cmsg - control);
	if (msg.msg_controllen == 0)
		msg.msg_control = NULL;
	if (sendmsg(peer, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		queue[queued++] = sent;
}

/* Control data that is not a message, or has a wrong length: the outcome in the kernel is not predicted. */
static void peer_sends_anything(struct input *in)
{
	_Alignas(struct cmsghdr) uint8_t control[96] = {0};
	struct msghdr msg = {.msg_control = control, .msg_controllen = take_below(in, sizeof(control) + 1)};
	struct cmsghdr *cmsg = (struct cmsghdr *)control;
	int fd = files[0];

	cmsg->cmsg_len = take_byte(in);
	cmsg->cmsg_level = take_chance(in, 4) ? (int)take_u32(in) : SOL_SOCKET;
	cmsg->cmsg_type = (int)take_below(in, 5);
	for (size_t i = sizeof(*cmsg); i + sizeof(fd) <= sizeof(control); i += sizeof(fd))
		memcpy(control + i, &fd, sizeof(fd));
	if (queued < MAX_QUEUE && !is_peer_closed && sendmsg(peer, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		queue[queued++] = (struct sent){.num_fds = -1};
}

static void set_option(struct input *in)
{
	int value = (int)take_below(in, 2);

	/* Messages that are already queued were sent with the old options. */
	if (queued > 0)
		return;
	if (take_chance(in, 2)) {
		if (setsockopt(endpoint, SOL_SOCKET, OPTION_PASSPIDFD, &value, sizeof(value)) == 0)
			has_pidfd = value;
	} else if (setsockopt(endpoint, SOL_SOCKET, SO_PASSCRED, &value, sizeof(value)) == 0) {
		has_credentials = value;
	}
}

static void check_descriptors(const struct mm_ipc_msg *msg, const struct sent *sent)
{
	for (int i = 0; i < msg->num_fds; i++) {
		struct stat status;

		CHECK(fstat(msg->fds[i], &status) == 0, "received descriptor %d is not open", msg->fds[i]);
		CHECK(fcntl(msg->fds[i], F_GETFD) == FD_CLOEXEC, "a received descriptor is not close-on-exec");
		CHECK(sent->num_fds < 0 || (i < sent->num_fds && status.st_ino == inodes[sent->fds[i]]),
		      "descriptor %d of %d is not the one that was sent", i, sent->num_fds);
		for (int j = 0; j < i; j++)
			CHECK(msg->fds[j] != msg->fds[i], "one descriptor was returned twice");
	}
	for (int i = 0; i < msg->num_fds; i++)
		close(msg->fds[i]);
}

static void check_received(const struct mm_ipc_msg *msg, const struct iovec *iov, ssize_t result,
                           const struct sent *sent, size_t capacity, int max, int free_numbers)
{
	size_t expected = sent->size < capacity ? sent->size : capacity, at = 0;
	int fitting = max < 0 ? 0 : max;

	if (fitting > free_numbers)
		fitting = free_numbers;
	if (fitting > sent->num_fds)
		fitting = sent->num_fds;
	CHECK(result == (ssize_t)expected, "received %zd bytes: %zu sent, buffer of %zu", result, sent->size, capacity);
	CHECK(!(msg->flags & MSG_TRUNC) == (sent->size <= capacity), "flags %#x for %zu bytes, buffer of %zu",
	      msg->flags, sent->size, capacity);
	CHECK((msg->flags & ~(MSG_TRUNC | MSG_CTRUNC)) == 0, "flags %#x", msg->flags);
	for (int i = 0; i < msg->num_iov; i++) {
		const uint8_t *bytes = iov[i].iov_base;

		for (size_t j = 0; j < iov[i].iov_len; j++, at++)
			CHECK(bytes[j] == (at < expected ? (uint8_t)(sent->first + at) : 0xee),
			      "byte %zu of %zu is wrong", at, expected);
	}
	CHECK(msg->num_fds >= 0 && msg->num_fds <= (max > 0 ? max : 0), "%d descriptors, capacity %d", msg->num_fds,
	      max);
	if (sent->num_fds >= 0) {
		bool is_alone = !has_credentials && !has_pidfd;

		/* Credentials use part of the capacity. */
		CHECK(msg->num_fds == fitting || (!is_alone && msg->num_fds < fitting),
		      "received %d descriptors: %d sent, %d fit", msg->num_fds, sent->num_fds, fitting);
		CHECK(msg->num_fds == sent->num_fds || msg->flags & MSG_CTRUNC,
		      "received %d of %d descriptors, but the flag is not set", msg->num_fds, sent->num_fds);
		CHECK(!is_alone || msg->num_fds < sent->num_fds || !(msg->flags & MSG_CTRUNC),
		      "received all of %d descriptors, but the flag is set", sent->num_fds);
	}
}

static void endpoint_receives(struct input *in)
{
	static const int counts[] = {0, 1, 2, 3, 4, 16, 100, 252, 253, 254, INT32_MAX, -1, INT32_MIN};
	struct mm_ipc_msg *msg = exact_memory(sizeof(*msg));
	int max = TAKE_ONE(in, counts), num_buffers = (int)take_below(in, 4),
	    places = max < 0         ? 0
	             : max < MAX_FDS ? max
	                             : MAX_FDS;
	struct iovec *iov = exact_memory((size_t)num_buffers * sizeof(*iov));
	struct call call;
	size_t capacity = 0;
	int free_numbers;

	memset(msg, 0xa5, sizeof(*msg));
	for (int i = 0; i < num_buffers; i++) {
		size_t size = take_length(in);

		iov[i] = (struct iovec){exact_memory(size), size};
		memset(iov[i].iov_base, 0xee, size);
		capacity += size;
	}
	msg->iov = iov;
	msg->num_iov = num_buffers;
	msg->fds = exact_memory((size_t)places * sizeof(int));
	memset(msg->fds, 0xdd, (size_t)places * sizeof(int));
	msg->num_fds_max = max;
	struct mm_ipc_msg before = *msg;

	free_numbers = WORLD_DESCRIPTORS - count_open();
	begin_call(&call, "mm_ipc_recvmsg");
	ssize_t result = mm_ipc_recvmsg(endpoint, msg);

	end_call(&call, result == -1);
	int error = errno;

	if (result == -1) {
		CHECK(memcmp(&before, msg, sizeof(before)) == 0, "a failure changed the message");
		/* The peer's last message may be an empty datagram, which is read as the end of the stream, once. */
		bool may_be_end = queued > 0 && queue[0].size == 0 && queue[0].num_fds <= 0;

		if (may_be_end && is_peer_closed && (error == EPIPE || error == ECONNRESET)) {
			memmove(queue, queue + 1, (size_t)--queued * sizeof(*queue));
			return;
		}
		CHECK(queued == 0, "error %d, but %d messages are queued", error, queued);
		CHECK(is_peer_closed ? error == EPIPE || (error == ECONNRESET && unread > 0) : error == EAGAIN,
		      "error %d for an empty queue", error);
		if (error == ECONNRESET)
			unread = 0;
		return;
	}
	CHECK(queued > 0, "received %zd bytes from an empty queue", result);
	CHECK(msg->iov == before.iov && msg->fds == before.fds && msg->num_iov == before.num_iov &&
	              msg->num_fds_max == max && msg->reserved == before.reserved,
	      "the data of the message is wrong");
	check_received(msg, iov, result, &queue[0], capacity, max, free_numbers);
	for (int i = msg->num_fds; i < places; i++)
		CHECK(msg->fds[i] == (int)0xdddddddd ||
		              (i < queue[0].num_fds || queue[0].num_fds < 0 || has_pidfd || has_credentials),
		      "element %d after %d descriptors was written", i, msg->num_fds);
	check_descriptors(msg, &queue[0]);
	memmove(queue, queue + 1, (size_t)--queued * sizeof(*queue));
}

/* The other direction: the peer must receive exactly what the library sends. */
static void endpoint_sends(struct input *in)
{
	static uint8_t received[70000];
	_Alignas(struct cmsghdr) static char control[CMSG_SPACE(MAX_FDS * sizeof(int))];
	struct mm_ipc_msg *msg = exact_memory(sizeof(*msg));
	int num_buffers = (int)take_below(in, 4);
	struct iovec *iov = exact_memory((size_t)num_buffers * sizeof(*iov)), whole = {received, sizeof(received)};
	struct msghdr header = {
		.msg_iov = &whole, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	uint8_t first = take_byte(in), next = first;
	struct call call;
	size_t size = 0;

	memset(msg, 0xa5, sizeof(*msg));
	for (int i = 0; i < num_buffers; i++) {
		size_t length = take_length(in);

		iov[i] = (struct iovec){exact_memory(length), length};
		fill(iov[i].iov_base, length, next);
		next = (uint8_t)(next + length);
		size += length;
	}
	msg->iov = iov;
	msg->num_iov = num_buffers;
	msg->num_fds = take_count(in);
	msg->fds = exact_memory((size_t)msg->num_fds * sizeof(int));
	for (int i = 0; i < msg->num_fds; i++)
		msg->fds[i] = files[i % FILES];
	begin_call(&call, "mm_ipc_sendmsg");
	ssize_t result = mm_ipc_sendmsg(endpoint, msg);

	end_call(&call, result == -1);
	int error = errno;

	if (is_peer_closed) {
		CHECK(result == -1 && (error == EPIPE || error == ECONNRESET),
		      "sending to a closed peer returned %zd, %d", result, error);
		if (error == ECONNRESET)
			unread = 0;
		return;
	}
	CHECK(result == (ssize_t)size || (result == -1 && error == EAGAIN), "sending %zu bytes returned %zd, %d", size,
	      result, error);
	if (result == -1)
		return;
	if (take_chance(in, 3)) {
		unread++;
		return;
	}
	for (; unread > 0; unread--) {
		struct msghdr earlier = {.msg_iov = &whole, .msg_iovlen = 1};

		CHECK(recvmsg(peer, &earlier, MSG_DONTWAIT) >= 0, "an earlier message is missing");
	}
	ssize_t arrived = recvmsg(peer, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	CHECK(arrived == (ssize_t)size, "%zd of %zu bytes arrived", arrived, size);
	for (size_t i = 0; i < size; i++)
		CHECK(received[i] == (uint8_t)(first + i), "byte %zu of %zu arrived wrong", i, size);
	int count = 0;

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header); cmsg != NULL; cmsg = CMSG_NXTHDR(&header, cmsg)) {
		for (size_t i = 0; cmsg->cmsg_type == SCM_RIGHTS && CMSG_LEN((i + 1) * sizeof(int)) <= cmsg->cmsg_len;
		     i++, count++) {
			struct stat status;
			int fd;

			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
			CHECK(fstat(fd, &status) == 0 && status.st_ino == inodes[count % FILES],
			      "descriptor %d arrived wrong", count);
			close(fd);
		}
	}
	CHECK(count == msg->num_fds || header.msg_flags & MSG_CTRUNC, "%d of %d descriptors arrived", count,
	      msg->num_fds);
}

static void run(struct input *in)
{
	queued = unread = 0;
	is_peer_closed = has_credentials = has_pidfd = false;
	make_files();
	connect_them(in);
	for (int i = 0; i < MAX_STEPS && in->size > 0; i++) {
		switch (take_below(in, 10)) {
		case 0:
		case 1:
		case 2:
			peer_sends(in);
			break;
		case 3:
			peer_sends_anything(in);
			break;
		case 4:
			set_option(in);
			break;
		case 5:
		case 6:
			endpoint_sends(in);
			break;
		case 7:
			if (take_chance(in, 4) && !is_peer_closed) {
				disown(peer);
				close(peer);
				is_peer_closed = true;
			}
			break;
		default:
			endpoint_receives(in);
		}
	}
	while (queued > 0)
		endpoint_receives(&(struct input){NULL, 0});
}

const struct target target = {NULL, run, NULL};
