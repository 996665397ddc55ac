/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak.c: after millions of messages the process must not have grown
 *
 * usage: soak MESSAGES [SEED]
 *
 * Sizes and numbers of descriptors are random, as are the sizes and capacities of the receiver: for each message it is
 * known what must be received, and what is truncated. Failing calls, servers and connections are mixed in; half of the
 * servers listen at a path. Descriptors, allocated memory and resident memory are measured a hundred times, and must
 * stay as they were after the first hundredth.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <mmerrno.h>
#include <mmipc.h>
#include <mmlog.h>
#include <mmsysio.h>

#define MOST 253
#define POOL 8
#define LARGEST 65536
#define BATCH 24
#define CHECKS 100

/* Pages that the kernel counts late. A leak of one byte per message amounts to that much even in the short form. */
#define SLACK_KB 192

#define REQUIRE(condition)                          \
	do {                                        \
		if (!(condition))                   \
			fail(__LINE__, #condition); \
	} while (0)

struct message {
	size_t size;
	int num_fds, first, fd_capacity;
	size_t capacity;
};

/* Values that must not grow. */
struct footprint {
	int descriptors;
	size_t allocated, mapped;
	long resident_kb, virtual_kb;
};

static uint64_t seed, state, message_count;
static uint64_t descriptors_sent, descriptors_received, cut_data, cut_descriptors, empty, failures, connections;
static int pool[POOL];
static ino_t pool_inodes[POOL];
static char out[LARGEST], in[LARGEST];

__attribute__((noreturn)) static void fail(int line, const char *condition)
{
	fprintf(stderr, "FAILED: soak.c:%d: not true: %s (errno %d, last error: %s), message %llu, seed %llu\n", line,
	        condition, errno, mm_get_lasterror_desc(), (unsigned long long)message_count, (unsigned long long)seed);
	exit(1);
}

static uint64_t next_random(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint32_t below(uint32_t limit)
{
	return (uint32_t)(next_random() >> 32) % limit;
}

static int count_open_descriptors(void)
{
	int count = 0;
	DIR *dir = opendir("/proc/self/fd");

	REQUIRE(dir != NULL);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count - 3;
}

static struct footprint measure(void)
{
	struct footprint now = {.descriptors = count_open_descriptors()};
	struct mallinfo2 info = mallinfo2();
	char line[256];
	FILE *file = fopen("/proc/self/status", "re");

	now.allocated = info.uordblks;
	now.mapped = info.hblkhd;
	REQUIRE(file != NULL);
	while (fgets(line, sizeof(line), file) != NULL) {
		sscanf(line, "VmRSS: %ld", &now.resident_kb);
		sscanf(line, "VmSize: %ld", &now.virtual_kb);
	}
	fclose(file);
	REQUIRE(now.resident_kb > 0 && now.virtual_kb > 0);
	return now;
}

static void print(const char *when, const struct footprint *now)
{
	printf("soak: %s: %d descriptors, %zu bytes allocated, VmRSS %ld kB, VmSize %ld kB\n", when, now->descriptors,
	       now->allocated + now->mapped, now->resident_kb, now->virtual_kb);
}

static void compare(const struct footprint *before, const struct footprint *now)
{
	if (now->descriptors == before->descriptors && now->allocated == before->allocated &&
	    now->mapped == before->mapped && now->virtual_kb == before->virtual_kb &&
	    now->resident_kb <= before->resident_kb + SLACK_KB)
		return;
	print("before", before);
	print("now", now);
	fprintf(stderr, "FAILED: the process has grown, after %llu messages, seed %llu\n",
	        (unsigned long long)message_count, (unsigned long long)seed);
	exit(1);
}

static struct message draw(void)
{
	struct message message = {.first = (int)below(POOL)};
	uint32_t kind = below(100);

	message.size = kind < 15 ? 0 : kind < 90 ? below(512) : kind < 99 ? below(4096) : below(LARGEST);
	kind = below(100);
	message.num_fds = kind < 50   ? 0
	                  : kind < 92 ? 1 + (int)below(4)
	                  : kind < 99 ? (int)below(32)
	                              : (int)below(MOST + 1);
	kind = below(100);
	message.capacity = kind < 60 ? LARGEST : below((uint32_t)message.size + 2);
	kind = below(100);
	message.fd_capacity = kind < 50   ? MOST
	                      : kind < 55 ? -(int)below(1000)
	                                  : (int)below((uint32_t)message.num_fds + 2);
	return message;
}

static int divide(char *data, size_t size, struct iovec iov[3])
{
	int count = 1 + (int)below(3);

	for (int i = 0; i < count; i++) {
		size_t part = i == count - 1 ? size : below((uint32_t)size + 1);

		iov[i] = (struct iovec){data, part};
		data += part;
		size -= part;
	}
	return count;
}

static bool send_message(int fd, const struct message *message)
{
	int fds[MOST];
	struct iovec iov[3];
	struct mm_ipc_msg msg = {.iov = iov, .fds = fds, .num_fds = message->num_fds};

	msg.num_iov = divide(out, message->size, iov);
	for (int i = 0; i < message->num_fds; i++)
		fds[i] = pool[(message->first + i) % POOL];
	if (message->size > 0)
		out[0] = (char)message->first;
	ssize_t sent = mm_ipc_sendmsg(fd, &msg);

	if (sent == -1 && (errno == EAGAIN || errno == ETOOMANYREFS)) {
		failures++;
		return false;
	}
	REQUIRE(sent == (ssize_t)message->size);
	message_count++;
	descriptors_sent += (uint64_t)message->num_fds;
	return true;
}

static void receive_message(int fd, const struct message *message)
{
	int capacity = message->fd_capacity < 0 ? 0 : message->fd_capacity, fds[MOST + 1];
	int expected_fds = message->num_fds < capacity ? message->num_fds : capacity;
	size_t expected = message->size < message->capacity ? message->size : message->capacity;
	int flags = (expected < message->size ? MSG_TRUNC : 0) | (expected_fds < message->num_fds ? MSG_CTRUNC : 0);
	struct iovec iov[3];
	struct mm_ipc_msg msg = {.iov = iov, .fds = fds, .num_fds_max = message->fd_capacity, .num_fds = 77};

	msg.num_iov = divide(in, message->capacity, iov);
	fds[expected_fds] = 4711;
	REQUIRE(mm_ipc_recvmsg(fd, &msg) == (ssize_t)expected);
	REQUIRE(msg.flags == flags);
	REQUIRE(msg.num_fds == expected_fds);
	REQUIRE(fds[expected_fds] == 4711);
	if (expected > 0)
		REQUIRE(in[0] == (char)message->first && memcmp(in + 1, out + 1, expected - 1) == 0);
	for (int i = 0; i < expected_fds; i++) {
		struct stat status;

		/* Checking the first and the last descriptor detects a shift; all are closed. */
		if (i == 0 || i == expected_fds - 1)
			REQUIRE(fstat(fds[i], &status) == 0 &&
			        status.st_ino == pool_inodes[(message->first + i) % POOL]);
		REQUIRE(mm_close(fds[i]) == 0);
	}
	descriptors_received += (uint64_t)expected_fds;
	cut_data += (flags & MSG_TRUNC) != 0;
	cut_descriptors += (flags & MSG_CTRUNC) != 0;
	empty += message->size == 0;
}

/* Failing calls must not leak either. */
static void fail_on_purpose(const int ends[2])
{
	static int fds[MOST + 1];
	struct iovec iov = {out, sizeof(out)};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1, .fds = fds, .num_fds_max = MOST};

	REQUIRE(mm_ipc_recvmsg(ends[1], &msg) == -1 && errno == EAGAIN);
	msg.num_fds = MOST + 1;
	REQUIRE(mm_ipc_sendmsg(ends[0], &msg) == -1 && errno == EINVAL);
	for (int i = 0; i < MOST; i++)
		fds[i] = i == MOST - 1 ? -1 : pool[0];
	msg.num_fds = MOST;
	REQUIRE(mm_ipc_sendmsg(ends[0], &msg) == -1 && errno == EBADF);
	msg.num_fds = 1;
	msg.num_iov = -1;
	REQUIRE(mm_ipc_sendmsg(ends[0], &msg) == -1 && errno == EMSGSIZE);
	failures += 4;
}

/* Both directions of a connection, alternating; at the end its queue is not empty. */
static void talk(int ends[2], uint64_t most)
{
	struct message batch[BATCH];

	for (int i = 0; i < 2; i++)
		REQUIRE(fcntl(ends[i], F_SETFL, O_NONBLOCK) == 0);
	for (uint64_t until = message_count + most; message_count < until;) {
		int from = (int)below(2), count = 1 + (int)below(BATCH), sent = 0;

		for (int i = 0; i < count; i++) {
			batch[sent] = draw();
			if (!send_message(ends[from], &batch[sent]))
				break;
			sent++;
		}
		for (int i = 0; i < sent; i++)
			receive_message(ends[!from], &batch[i]);
		if (below(64) == 0)
			fail_on_purpose(ends);
	}
	for (int i = 0; i < 3; i++)
		send_message(ends[0], &(struct message){.size = 10, .num_fds = 3});
	REQUIRE(mm_close(ends[1]) == 0);
	REQUIRE(mm_ipc_sendmsg(ends[0], &(struct mm_ipc_msg){0}) == -1 && (errno == ECONNRESET || errno == EPIPE));
	REQUIRE(mm_ipc_recvmsg(ends[0], &(struct mm_ipc_msg){0}) == -1 && errno == EPIPE);
	REQUIRE(mm_close(ends[0]) == 0);
	connections++;
	failures += 2;
}

static char directory[] = "/tmp/mmsysio-soak-XXXXXX", path[64];

/* All kinds of calls that connect and accept; and some that fail. */
static void connect_and_accept(struct mm_ipc_srv *srv, const char *addr, int flags, int ends[2])
{
	static const int timeouts[] = {-1, 0, 1000};
	struct mm_ipc_peer peer;
	int pidfd;

	if (flags == 0 && below(2) == 0)
		ends[0] = mm_ipc_connect(addr);
	else
		ends[0] = mm_ipc_connect2(addr, flags, timeouts[below(3)]);
	if (below(2) == 0)
		ends[1] = mm_ipc_srv_accept(srv);
	else
		ends[1] = mm_ipc_srv_accept2(srv, 0, timeouts[below(3)]);
	REQUIRE(ends[0] >= 0 && ends[1] >= 0);
	REQUIRE(mm_ipc_get_peer(ends[1], &peer, sizeof(peer)) == 0 && peer.pid == getpid());
	pidfd = mm_ipc_get_peer_pidfd(ends[0]);
	REQUIRE(pidfd >= 0 ? mm_close(pidfd) == 0 : errno == ENOPROTOOPT);
	REQUIRE(mm_ipc_srv_accept2(srv, 0, 0) == -1 && errno == EAGAIN);
	failures++;
}

/* A client waits for a server that does not exist, in both ways. */
static void wait_in_vain(const char *addr, int flags)
{
	int watch = mm_ipc_watch(addr, flags);
	char events[256];

	REQUIRE(watch >= 0 && mm_read(watch, events, sizeof(events)) == -1 && errno == EAGAIN);
	REQUIRE(mm_ipc_connect2(addr, flags, 0) == -1 && errno == ECONNREFUSED);
	REQUIRE(mm_ipc_connect2(addr, flags, 1) == -1 && errno == ETIMEDOUT);
	REQUIRE(mm_close(watch) == 0);
	failures += 3;
}

/* A server, several clients of it, and one client that is never accepted. */
static void serve(uint64_t most, int flags, bool is_handed_over, bool is_waited_for)
{
	char name[64];
	int ends[2], count = 1 + (int)below(4);
	const char *addr = flags != 0 ? path : name;
	mode_t mode = flags != 0 ? 0600 : 0;

	snprintf(name, sizeof(name), "mmsysio-soak-%d", (int)getpid());
	if (is_waited_for)
		wait_in_vain(addr, flags);
	struct mm_ipc_srv *srv =
		flags == 0 && below(2) == 0 ? mm_ipc_srv_create(name) : mm_ipc_srv_create2(addr, flags, mode);

	REQUIRE(srv != NULL);
	REQUIRE(mm_ipc_srv_create2(addr, flags, mode) == NULL && errno == EADDRINUSE);
	if (is_handed_over) {
		int fd = mm_ipc_srv_release(srv);

		REQUIRE(fd >= 0 && (srv = mm_ipc_srv_from_fd(fd)) != NULL);
	}
	for (int i = 0; i < count; i++) {
		if (below(4) == 0)
			REQUIRE((below(2) == 0 ? mm_ipc_connected_pair(ends) : mm_ipc_connected_pair2(ends, 0)) == 0);
		else
			connect_and_accept(srv, addr, flags, ends);
		talk(ends, most / (uint64_t)count);
	}
	ends[0] = mm_ipc_connect2(addr, flags, -1);
	REQUIRE(ends[0] >= 0);
	mm_ipc_srv_destroy(srv);
	REQUIRE(mm_ipc_recvmsg(ends[0], &(struct mm_ipc_msg){0}) == -1 && errno == ECONNRESET);
	REQUIRE(mm_close(ends[0]) == 0);
	/* A listener that was handed over leaves its path, which the next server replaces. */
	REQUIRE(access(path, F_OK) == (flags != 0 && is_handed_over ? 0 : -1));
	if (flags != 0 && is_handed_over)
		mm_ipc_srv_destroy(mm_ipc_srv_create2(path, MM_IPC_PATH, 0600));
	failures += 2;
}

static void serve_at_random(void)
{
	uint64_t most = 200 + below(2000);
	int flags = below(2) == 0 ? MM_IPC_PATH : 0;
	bool is_handed_over = below(8) == 0, is_waited_for = below(16) == 0;

	serve(most, flags, is_handed_over, is_waited_for);
}

/* Each kind of server once, so that what is allocated only once is allocated before the first measurement. */
static void serve_in_every_way(void)
{
	for (int flags = 0; flags <= MM_IPC_PATH; flags += MM_IPC_PATH) {
		for (int is_handed_over = 0; is_handed_over < 2; is_handed_over++)
			serve(100, flags, is_handed_over, true);
	}
}

static void prepare(void)
{
	mm_log_set_maxlvl(MM_LOG_NONE);
	REQUIRE(mkdtemp(directory) != NULL);
	snprintf(path, sizeof(path), "%s/server", directory);
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (char)next_random();
	memset(in, 1, sizeof(in));
	for (int i = 0; i < POOL; i++) {
		struct stat status;

		pool[i] = memfd_create("soak", MFD_CLOEXEC);
		REQUIRE(pool[i] >= 0 && fstat(pool[i], &status) == 0);
		pool_inodes[i] = status.st_ino;
	}
}

int main(int argc, char *argv[])
{
	uint64_t wanted = argc > 1 ? strtoull(argv[1], NULL, 0) : 10000000, check = 0;
	struct footprint start = {0}, now = {0};
	time_t begun = time(NULL);

	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)begun ^ (uint64_t)getpid() << 32;
	state = seed;
	printf("soak: seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	prepare();
	serve_in_every_way();
	while (message_count < wanted) {
		serve_at_random();
		while (message_count >= (check + 1) * wanted / CHECKS) {
			check++;
			/* Memory freed by the measurement stays in the thread's cache, which counts as allocated. */
			for (int i = 0; check == 1 && i < 4; i++)
				start = measure();
			now = measure();
			compare(&start, &now);
		}
	}
	/* No server has left a file. */
	REQUIRE(rmdir(directory) == 0);
	printf("soak: %llu messages in %ld s, %llu of them empty; %llu of %llu descriptors received\n",
	       (unsigned long long)message_count, (long)(time(NULL) - begun), (unsigned long long)empty,
	       (unsigned long long)descriptors_received, (unsigned long long)descriptors_sent);
	printf("soak: data cut off %llu times, descriptors %llu times; %llu connections, %llu calls that failed\n",
	       (unsigned long long)cut_data, (unsigned long long)cut_descriptors, (unsigned long long)connections,
	       (unsigned long long)failures);
	print("after the first hundredth", &start);
	print("at the end", &now);
	return 0;
}
