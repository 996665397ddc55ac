/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traffic.c: see traffic.h
 */
#include "crowd.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <mmerrno.h>
#include <mmipc.h>
#include <mmsysio.h>

#define MOST_BYTES (1 << 18)
#define POOL 8
#define FRESH 4

enum direction { TO_SERVER, TO_CLIENT };
enum mode { BOTH_WAYS, IN_TURN, UPLOAD, DOWNLOAD, ABANDONED, MODES };

/* The first message of each end. */
struct hello {
	uint64_t seed;
	uint32_t conversation;
	pid_t pid;
};

/* The header of a message that is large enough for it. */
struct head {
	uint64_t seed, checksum;
	uint32_t direction, number, size, num_fds;
};

/* The data that can be read from a descriptor. */
struct tag {
	uint64_t seed;
	uint32_t direction, number, position;
};

/* The properties of a message. */
struct shape {
	uint64_t random;
	uint32_t size;
	int num_fds, fresh;
};

/* One end of a conversation. */
struct end {
	int fd;
	uint64_t seed;
	uint32_t conversation;
	enum mode mode;
	uint32_t counts[2], largest;
	enum direction out;
	uint32_t received;
	bool is_over; /* the end of the stream was read */
	int pool[POOL];
	char *out_data, *in_data;
};

struct shared *shared;
struct worker *this_worker;
static _Thread_local struct activity *activity;

int flags_of(int server)
{
	return server % 2 == 0 ? 0 : MM_IPC_PATH;
}

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint64_t mix(uint64_t a, uint64_t b)
{
	a ^= b * 0xd6e8feb86659fd93;
	return next_random(&a);
}

int count_open_descriptors(void)
{
	int count = 0;
	DIR *dir = opendir("/proc/self/fd");

	REQUIRE(dir != NULL);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count - 3; /* two dots, and the directory */
}

void fail(const char *format, ...)
{
	char text[1024];
	int length = snprintf(text, sizeof(text), "FAILED: worker %ld, process %d, thread %d, conversation %u: ",
	                      this_worker ? (long)(this_worker - shared->workers) : -1L, (int)getpid(),
	                      (int)syscall(SYS_gettid), activity ? activity->conversation : 0);
	va_list args;

	va_start(args, format);
	length += vsnprintf(text + length, sizeof(text) - (size_t)length - 1, format, args);
	va_end(args);
	if (length > (int)sizeof(text) - 2)
		length = sizeof(text) - 2;
	text[length++] = '\n';
	if (write(STDERR_FILENO, text, (size_t)length) == -1)
		abort();
	shared->failed = true;
	_exit(1);
}

void begin(enum phase phase)
{
	if (activity == NULL)
		return;
	activity->since_ms = now_ms();
	activity->phase = phase;
}

void enter_thread(void)
{
	for (int i = 0; i < MOST_THREADS; i++) {
		enum phase expected = FREE;

		if (atomic_compare_exchange_strong(&this_worker->activities[i].phase, &expected, STARTING)) {
			activity = &this_worker->activities[i];
			activity->tid = (pid_t)syscall(SYS_gettid);
			activity->conversation = 0;
			begin(WORKING);
			return;
		}
	}
	fail("more threads than the test supports");
}

void leave_thread(void)
{
	activity->phase = FREE;
	activity = NULL;
}

bool was_killed(pid_t pid)
{
	uint32_t count = shared->death_count;

	for (uint32_t i = count; i-- > 0;)
		if (shared->deaths[i % DEATHS] == pid)
			return true;
	return false;
}

/* --- what is sent ------------------------------------------------------------------------------------------------- */

static void plan(struct end *end, uint64_t seed)
{
	uint64_t random = seed;

	end->seed = seed;
	end->mode = next_random(&random) % MODES;
	for (int direction = 0; direction < 2; direction++)
		end->counts[direction] = 2 + next_random(&random) % (next_random(&random) % 8 == 0 ? 400 : 40);
	/*
	 * The minimum is the greeting, and a last message that is not empty: an empty one reads as the end of the
	 * stream.
	 */
	if (end->mode == UPLOAD)
		end->counts[TO_CLIENT] = 2;
	if (end->mode == DOWNLOAD)
		end->counts[TO_SERVER] = 2;
	if (end->mode == IN_TURN)
		end->counts[TO_CLIENT] = end->counts[TO_SERVER];
	/* No client reads what the server sends, so it must fit into the queue. */
	if (end->mode == ABANDONED)
		for (int direction = 0; direction < 2; direction++)
			end->counts[direction] = 2 + end->counts[direction] % 20;
}

static struct shape shape_of(const struct end *end, enum direction direction, uint32_t number)
{
	struct shape shape = {.random = mix(end->seed, (uint64_t)direction << 32 | number)};
	uint64_t kind = next_random(&shape.random) % 100, random = next_random(&shape.random);

	if (number == 0)
		return (struct shape){.random = shape.random, .size = sizeof(struct hello)};
	if (kind < 15)
		shape.size = 0;
	else if (kind < 60)
		shape.size = random % 300;
	else if (kind < 85)
		shape.size = random % 8192;
	else if (kind < 95)
		shape.size = random % 65536;
	else if (kind < 99)
		shape.size = random % (end->largest + 1);
	else
		shape.size = end->largest;
	if (end->mode == ABANDONED)
		shape.size %= 1000;

	kind = next_random(&shape.random) % 100;
	random = next_random(&shape.random);
	if (kind >= 97)
		shape.num_fds = shared->most_descriptors;
	else if (kind >= 90)
		shape.num_fds = (int)(random % (uint64_t)(shared->most_descriptors + 1));
	else if (kind >= 50)
		shape.num_fds = (int)(random % 8);
	shape.fresh = (int)(next_random(&shape.random) % (FRESH + 1));
	if (shape.fresh > shape.num_fds)
		shape.fresh = shape.num_fds;
	if (number == end->counts[direction] - 1) {
		shape.size += shape.size == 0;
		shape.num_fds = shape.fresh = 0;
	}
	return shape;
}

static uint64_t checksum(const char *data, size_t size, uint64_t sum)
{
	uint64_t word;

	for (; size >= sizeof(word); size -= sizeof(word), data += sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		sum = (sum ^ word) * 0x9fb21c651e98df25;
		sum ^= sum >> 32;
	}
	word = size;
	memcpy(&word, data, size);
	return (sum ^ word) * 0x9fb21c651e98df25;
}

static void fill(char *data, size_t size, uint64_t random)
{
	for (; size > 0; data += sizeof(random)) {
		uint64_t word = next_random(&random);
		size_t part = size < sizeof(word) ? size : sizeof(word);

		memcpy(data, &word, part);
		size -= part;
	}
}

static struct head head_of(const struct end *end, enum direction direction, uint32_t number, const struct shape *shape)
{
	return (struct head){end->seed, 0, direction, number, shape->size, (uint32_t)shape->num_fds};
}

static void write_data(struct end *end, enum direction direction, uint32_t number, const struct shape *shape)
{
	struct head head = head_of(end, direction, number, shape);

	if (number == 0) {
		struct hello hello = {end->seed, end->conversation, getpid()};

		memcpy(end->out_data, &hello, sizeof(hello));
	} else if (shape->size < sizeof(head)) {
		fill(end->out_data, shape->size, shape->random);
	} else {
		fill(end->out_data + sizeof(head), shape->size - sizeof(head), shape->random);
		head.checksum = checksum(end->out_data + sizeof(head), shape->size - sizeof(head), shape->random);
		memcpy(end->out_data, &head, sizeof(head));
	}
}

static void check_data(struct end *end, enum direction direction, uint32_t number, const struct shape *shape)
{
	struct head head, expected = head_of(end, direction, number, shape);
	char bytes[sizeof(head)];

	if (shape->size < sizeof(head)) {
		fill(bytes, shape->size, shape->random);
		if (memcmp(bytes, end->in_data, shape->size) != 0)
			fail("the bytes of message %u are wrong", number);
		return;
	}
	memcpy(&head, end->in_data, sizeof(head));
	expected.checksum = checksum(end->in_data + sizeof(head), shape->size - sizeof(head), shape->random);
	if (memcmp(&head, &expected, sizeof(head)) != 0)
		fail("message %u of %u bytes is wrong: number %u, %u bytes, %s conversation, %s checksum", number,
		     shape->size, head.number, head.size, head.seed == expected.seed ? "right" : "wrong",
		     head.checksum == expected.checksum ? "right" : "wrong");
}

/* --- ancillary data ----------------------------------------------------------------------------------------------- */

static int open_memory(const struct tag *tag)
{
	int fd = memfd_create("torture", MFD_CLOEXEC);

	REQUIRE(fd >= 0 && write(fd, tag, sizeof(*tag)) == sizeof(*tag));
	return fd;
}

/* Its kind depends on its position; the end that provides the tag is closed. */
static int open_fresh(const struct tag *tag)
{
	int ends[2];

	switch (tag->position % 3) {
	case 0:
		REQUIRE(pipe2(ends, O_CLOEXEC) == 0 && write(ends[1], tag, sizeof(*tag)) == sizeof(*tag));
		break;
	case 1:
		return open_memory(tag);
	default:
		REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
		REQUIRE(write(ends[1], tag, sizeof(*tag)) == sizeof(*tag));
	}
	close(ends[1]);
	return ends[0];
}

static struct tag tag_at(const struct end *end, enum direction direction, uint32_t number, const struct shape *shape,
                         int position)
{
	if (position < shape->fresh)
		return (struct tag){end->seed, direction, number, (uint32_t)position};
	return (struct tag){end->seed, direction, UINT32_MAX, mix(shape->random, (uint64_t)position) % POOL};
}

static void open_descriptors(struct end *end, enum direction direction, uint32_t number, const struct shape *shape,
                             int *fds)
{
	for (int i = 0; i < shape->num_fds; i++) {
		struct tag tag = tag_at(end, direction, number, shape, i);

		fds[i] = i < shape->fresh ? open_fresh(&tag) : end->pool[tag.position];
	}
}

static void check_descriptors(struct end *end, enum direction direction, uint32_t number, const struct shape *shape,
                              const int *fds)
{
	for (int i = 0; i < shape->num_fds; i++) {
		struct tag tag, expected = tag_at(end, direction, number, shape, i);
		ssize_t size;

		memset(&tag, 0, sizeof(tag));
		if (i < shape->fresh && i % 3 != 1)
			size = read(fds[i], &tag, sizeof(tag));
		else
			size = pread(fds[i], &tag, sizeof(tag), 0);
		if (size != sizeof(tag) || tag.seed != expected.seed || tag.direction != expected.direction ||
		    tag.number != expected.number || tag.position != expected.position)
			fail("message %u: descriptor %d of %d is wrong (%zd bytes, number %u, position %u)", number, i,
			     shape->num_fds, size, tag.number, tag.position);
		if (mm_close(fds[i]) != 0)
			fail("message %u: descriptor %d cannot be closed", number, i);
	}
}

/* --- sending and receiving ---------------------------------------------------------------------------------------- */

/* The data in several buffers. */
static int cut(char *data, size_t size, uint64_t random, struct iovec iov[4])
{
	int count = 1 + (int)(random % 4);

	for (int i = 0; i < count; i++) {
		size_t part = i == count - 1 ? size : size / 4;

		iov[i] = (struct iovec){data, part};
		data += part;
		size -= part;
	}
	return count;
}

/* False if the peer has closed. */
static bool send_message(struct end *end, uint32_t number)
{
	struct shape shape = shape_of(end, end->out, number);
	int fds[256];
	struct iovec iov[4];
	struct mm_ipc_msg msg = {.iov = iov, .fds = fds, .num_fds = shape.num_fds};
	ssize_t sent;

	write_data(end, end->out, number, &shape);
	msg.num_iov = cut(end->out_data, shape.size, shape.random, iov);
	open_descriptors(end, end->out, number, &shape, fds);
	begin(SENDING);
	do
		sent = mm_ipc_sendmsg(end->fd, &msg);
	while (sent == -1 && (errno == ETOOMANYREFS || errno == ENOBUFS) && sched_yield() == 0);
	int error = errno;

	begin(WORKING);
	for (int i = 0; i < shape.fresh; i++)
		close(fds[i]);
	if (sent == (ssize_t)shape.size) {
		atomic_fetch_add(&shared->sent[end->conversation % CONVERSATIONS][end->out], 1);
		return true;
	}
	if (sent != -1 || (error != EPIPE && error != ECONNRESET))
		fail("sending message %u of %u bytes returned %zd, error %d: %s", number, shape.size, sent, error,
		     mm_get_lasterror_desc());
	return false;
}

/* Receives the next message of any kind; -1 at the end of the stream. */
static ssize_t receive_any(struct end *end, uint64_t random, struct mm_ipc_msg *msg, int *fds)
{
	struct iovec iov[4];

	*msg = (struct mm_ipc_msg){.iov = iov, .fds = fds, .num_fds_max = 253};
	msg->num_iov = cut(end->in_data, MOST_BYTES, random, iov);
	begin(RECEIVING);
	ssize_t size = mm_ipc_recvmsg(end->fd, msg);
	int error = errno;

	begin(WORKING);
	if (size >= 0)
		return size;
	if (error != EPIPE && error != ECONNRESET)
		fail("receiving failed with error %d: %s", error, mm_get_lasterror_desc());
	end->is_over = true;
	this_worker->counters.ends++;
	return -1;
}

/* Receives the next message, and checks it; false at the end of the stream. */
static bool receive_message(struct end *end)
{
	enum direction in = end->out == TO_SERVER ? TO_CLIENT : TO_SERVER;
	struct shape shape = shape_of(end, in, end->received);
	struct mm_ipc_msg msg;
	int fds[256];
	ssize_t size = receive_any(end, shape.random >> 7, &msg, fds);

	if (size == -1)
		return false;
	if (end->received >= end->counts[in])
		fail("received more messages than were sent");
	if (size != (ssize_t)shape.size || msg.num_fds != shape.num_fds || msg.flags != 0)
		fail("message %u has %zd bytes and %d descriptors, flags %#x, expected %u and %d", end->received, size,
		     msg.num_fds, (unsigned)msg.flags, shape.size, shape.num_fds);
	check_data(end, in, end->received, &shape);
	check_descriptors(end, in, end->received, &shape, fds);
	end->received++;
	this_worker->counters.messages++;
	this_worker->counters.bytes += (uint64_t)size;
	this_worker->counters.descriptors += (uint64_t)shape.num_fds;
	return true;
}

static void receive_all(struct end *end)
{
	while (end->received < end->counts[!end->out] && receive_message(end))
		;
}

/* Receives all remaining messages, up to the end of the stream. */
static void receive_until_end(struct end *end)
{
	while (!end->is_over && receive_message(end))
		;
}

static bool send_all(struct end *end)
{
	for (uint32_t number = 1; number < end->counts[end->out]; number++)
		if (!send_message(end, number))
			return false;
	return true;
}

static void *send_all_in_thread(void *arg)
{
	enter_thread();
	activity->conversation = ((struct end *)arg)->conversation;
	send_all(arg);
	leave_thread();
	return NULL;
}

static void exchange(struct end *end)
{
	bool is_client = end->out == TO_SERVER;
	pthread_t sender;

	switch (end->mode) {
	case BOTH_WAYS:
		REQUIRE(pthread_create(&sender, NULL, send_all_in_thread, end) == 0);
		receive_all(end);
		begin(JOINING);
		REQUIRE(pthread_join(sender, NULL) == 0);
		begin(WORKING);
		break;
	case IN_TURN:
		for (uint32_t number = 1; number < end->counts[TO_SERVER]; number++) {
			if (is_client && !send_message(end, number))
				break;
			if (!receive_message(end))
				break;
			if (!is_client && !send_message(end, number))
				break;
		}
		break;
	case UPLOAD:
	case DOWNLOAD:
		if (is_client == (end->mode == UPLOAD)) {
			send_all(end);
			receive_all(end);
		} else {
			receive_all(end);
			send_all(end);
		}
		break;
	default:
		send_all(end);
	}
}

/*
 * No message may be lost when the peer has closed. Exception: empty messages without descriptors, sent last, cannot be
 * distinguished from the end of the stream; nor can two of them before an empty one with descriptors.
 */
static void check_that_nothing_is_lost(struct end *end)
{
	uint32_t sent = shared->sent[end->conversation % CONVERSATIONS][!end->out];

	for (uint32_t number = end->received; number < sent; number++) {
		struct shape shape = shape_of(end, !end->out, number);

		if (shape.size != 0 || (shape.num_fds != 0 && number < end->received + 2))
			fail("the stream ended after %u messages, but %u were sent, of which number %u is not empty",
			     end->received, sent, number);
	}
}

static void open_end(struct end *end, int fd, enum direction out)
{
	int size;
	socklen_t length = sizeof(size);

	REQUIRE(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length) == 0);
	*end = (struct end){.fd = fd, .out = out, .largest = (uint32_t)size - 32};
	if (end->largest > MOST_BYTES)
		end->largest = MOST_BYTES;
	end->out_data = malloc(MOST_BYTES);
	end->in_data = malloc(MOST_BYTES);
	REQUIRE(end->out_data != NULL && end->in_data != NULL);
}

static void open_pool(struct end *end)
{
	for (uint32_t i = 0; i < POOL; i++)
		end->pool[i] = open_memory(&(struct tag){end->seed, end->out, UINT32_MAX, i});
}

static void close_end(struct end *end)
{
	for (int i = 0; end->pool[0] != 0 && i < POOL; i++)
		close(end->pool[i]);
	free(end->out_data);
	free(end->in_data);
	if (mm_close(end->fd) != 0)
		fail("an endpoint cannot be closed");
}

/*
 * True if that client has connected to the server only to leave: decrements the number of such connections that the
 * server has not noticed.
 */
static bool has_quit(int server, pid_t pid)
{
	for (int i = SERVERS; i < WORKERS; i++) {
		_Atomic int32_t *quits = &shared->workers[i].quits[server];
		int32_t left = *quits;

		if (shared->workers[i].pid != pid)
			continue;
		/* Never below 0: the client may have been killed, and its successor continues counting from there. */
		while (left > 0)
			if (atomic_compare_exchange_weak(quits, &left, left - 1))
				return true;
	}
	return false;
}

void converse_as_server(int server, int fd)
{
	struct mm_ipc_peer peer;
	struct mm_ipc_msg msg;
	struct hello hello;
	struct end end;
	int fds[256];

	REQUIRE(mm_ipc_get_peer(fd, &peer, sizeof(peer)) == 0);
	open_end(&end, fd, TO_CLIENT);
	ssize_t size = receive_any(&end, 0, &msg, fds);

	if (size == -1) {
		if (!is_in_crowd(peer.pid) && !has_quit(server, peer.pid) && !was_killed(peer.pid))
			fail("process %d has not sent a greeting, and was not killed", (int)peer.pid);
		close_end(&end);
		return;
	}
	memcpy(&hello, end.in_data, sizeof(hello));
	if (size != sizeof(hello) || msg.num_fds != 0 || hello.pid != peer.pid)
		fail("invalid greeting of %zd bytes and %d descriptors", size, msg.num_fds);
	plan(&end, hello.seed);
	end.received = 1;
	end.conversation = hello.conversation;
	activity->conversation = hello.conversation;
	open_pool(&end);
	if (send_message(&end, 0))
		exchange(&end);
	if (end.mode == ABANDONED || end.received < end.counts[TO_SERVER]) {
		receive_until_end(&end);
		check_that_nothing_is_lost(&end);
		if (!was_killed(peer.pid) && end.received < end.counts[TO_SERVER])
			fail("the stream ended after %u of %u messages, and process %d was not killed", end.received,
			     end.counts[TO_SERVER], (int)peer.pid);
	}
	close_end(&end);
}

/* A watch that is a timer is readable four times a second. */
static const int watch_ms = 1000;

/*
 * Waits until a watch is readable. It must be if a server has been created after an attempt to connect has failed: a
 * server that was created before it would have accepted that connection, or has ended.
 */
static void wait_for_server(int server, struct pollfd *watch)
{
	_Atomic uint32_t *creations = &shared->fates[server].creations;
	uint32_t before = *creations;
	int ready;

	do {
		uint32_t now = *creations;

		begin(CONNECTING);
		ready = poll(watch, 1, watch_ms);
		if (ready == 0 && now != before)
			fail("server %d was created, but its watch is not readable", server);
	} while (ready == 0);
	REQUIRE(ready == 1 && watch->revents == POLLIN);
}

/* Returns a connection, or -1 after an unexpected error. */
static int connect_by_watch(int server, int flags)
{
	struct pollfd watch = {.fd = mm_ipc_watch(shared->names[server], flags_of(server)), .events = POLLIN};
	char events[4096];
	int fd;

	REQUIRE(watch.fd >= 0);
	while ((fd = mm_ipc_connect2(shared->names[server], flags, 0)) == -1) {
		if (errno == EAGAIN) {
			/* The queue is full, which is not watched. */
			nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
			continue;
		}
		if (errno != ECONNREFUSED)
			break;
		this_worker->counters.watches++;
		wait_for_server(server, &watch);
		while (mm_read(watch.fd, events, sizeof(events)) >= 0)
			;
		REQUIRE(errno == EAGAIN);
	}
	int error = errno;

	close(watch.fd);
	errno = error;
	return fd;
}

static int connect_with_timeout(int server, int flags, int timeout_ms)
{
	for (;;) {
		int64_t start = now_ms();
		int fd = mm_ipc_connect2(shared->names[server], flags, timeout_ms);

		if (fd != -1 || errno != ETIMEDOUT)
			return fd;
		/* The start may have been up to a millisecond later. */
		if (now_ms() - start < timeout_ms - 1)
			fail("connecting timed out after %lld of %d ms", (long long)(now_ms() - start), timeout_ms);
		this_worker->counters.timeouts++;
	}
}

static int connect_somehow(int server, uint64_t random)
{
	int flags = flags_of(server) | (random & 1 ? MM_IPC_CLOEXEC : 0), fd;

	switch (random / 2 % 4) {
	case 0:
		fd = connect_with_timeout(server, flags, 1 + (int)(random / 8 % 200));
		break;
	case 1:
		fd = connect_by_watch(server, flags);
		break;
	case 2:
		if (flags_of(server) == 0) {
			flags = 0;
			fd = mm_ipc_connect(shared->names[server]);
			break;
		}
		/* fall through */
	default:
		fd = mm_ipc_connect2(shared->names[server], flags, -1);
	}
	if (fd >= 0)
		REQUIRE((fcntl(fd, F_GETFD) != 0) == ((flags & MM_IPC_CLOEXEC) != 0) &&
		        (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0);
	return fd;
}

void converse_as_client(uint64_t *random)
{
	uint64_t seed = next_random(random);
	int server = (int)(next_random(random) % SERVERS);
	struct fate *fate = &shared->fates[server];
	bool quits = next_random(random) % 32 == 0;
	struct mm_ipc_msg msg;
	struct hello hello;
	struct end end;
	int fds[256];

	if (quits)
		this_worker->quits[server]++;
	uint32_t ends = fate->ends;
	bool is_ending = fate->ending > 0;

	begin(CONNECTING);
	int64_t start = now_ms();
	int fd = connect_somehow(server, next_random(random));

	begin(WORKING);
	if (fd < 0)
		fail("connecting failed: %s", mm_get_lasterror_desc());
	this_worker->counters.waits += now_ms() - start > 1;
	if (quits) {
		mm_close(fd);
		return;
	}
	open_end(&end, fd, TO_SERVER);
	plan(&end, seed);
	end.conversation = shared->conversations++;
	activity->conversation = end.conversation;
	shared->sent[end.conversation % CONVERSATIONS][0] = shared->sent[end.conversation % CONVERSATIONS][1] = 0;
	open_pool(&end);
	if (!send_message(&end, 0)) {
		/* The end of the stream confirms the rest. */
	} else if (end.mode == ABANDONED) {
		/* None of its messages may be lost, although it closes without reading: the server checks this. */
		send_all(&end);
		close_end(&end);
		this_worker->counters.conversations++;
		return;
	}
	if (receive_any(&end, 0, &msg, fds) == -1) {
		check_that_nothing_is_lost(&end);
		if (fate->ends == ends && !is_ending)
			fail("server %d sent no greeting, and did not end", server);
		close_end(&end);
		return;
	}
	memcpy(&hello, end.in_data, sizeof(hello));
	if (hello.seed != seed || hello.conversation != end.conversation || msg.num_fds != 0)
		fail("invalid greeting of server %d", server);
	end.received = 1;
	exchange(&end);
	if (end.received == end.counts[TO_CLIENT])
		this_worker->counters.conversations++;
	/* The server closes first: only then must the end of the stream be read. */
	receive_until_end(&end);
	check_that_nothing_is_lost(&end);
	if (end.received < end.counts[TO_CLIENT] && !was_killed(hello.pid))
		fail("the stream ended after %u of %u messages, and server process %d was not killed", end.received,
		     end.counts[TO_CLIENT], (int)hello.pid);
	close_end(&end);
}
