/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer.c: a client or a server of mixed.c, run with the library of either version
 *
 * usage: peer client VERSION NUMBER TIMEOUTS NAME ROUNDS MESSAGES SEED
 *        peer server VERSION NUMBER
 *
 * It is compiled with the header of version 1.0.0, which is all that both versions have in common.
 */
#include "mixed.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <mmerrno.h>
#include <mmsysio.h>

#define LARGEST 65536

#define REQUIRE(condition)                                                                                             \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			fail("peer.c:%d: not true: %s (%s)", __LINE__, #condition, mm_get_lasterror_desc() ?: "none"); \
	} while (0)

/* The first message of each end. */
struct hello {
	uint64_t seed;
	int32_t messages, pid;
};

/* What is written to a file whose descriptor is sent. */
struct tag {
	uint64_t seed;
	int32_t number, pid;
};

/* The ways to send and receive a message. */
enum way { IPC_MESSAGE, SOCKET_MESSAGE, DATA_ALONE, WAYS };

static bool has_timeouts = true;
static struct report report;
static char out[LARGEST], in[LARGEST + 1];

/*
 * Replaces the C library's poll(), also for the library. Without a timeout, a client whose wakeup is lost never
 * connects. The signal SIGUSR1 takes the place of the timeout; it is blocked everywhere else.
 */
int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	struct timespec timeout = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000L};
	sigset_t none;

	report.polls++;
	if (has_timeouts)
		return ppoll(fds, count, timeout_ms >= 0 ? &timeout : NULL, NULL);
	sigemptyset(&none);
	int ready = ppoll(fds, count, NULL, &none);

	return ready == -1 && errno == EINTR && timeout_ms > 0 ? 0 : ready;
}

static void let_time_run_out(int signum)
{
	(void)signum;
}

static void remove_timeouts(void)
{
	struct sigaction action = {.sa_handler = let_time_run_out};
	sigset_t blocked;

	has_timeouts = false;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	sigaction(SIGUSR1, &action, NULL);
}

static void send_report(enum event event)
{
	report.event = event;
	if (write(REPORTS_FD, &report, sizeof(report)) != sizeof(report))
		_exit(3);
}

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(report.text, sizeof(report.text), format, args);
	va_end(args);
	send_report(FAILED);
	_exit(1);
}

/* Otherwise a test could pass with one version alone. */
static void check_version(enum version version)
{
	bool is_old = dlsym(RTLD_DEFAULT, "mm_ipc_connect2") == NULL;

	if (is_old != (version == OLD))
		fail("this is not the library of the version that was to be tested");
}

/* --- messages ----------------------------------------------------------------------------------------------------- */

/* Every message of a connection has a number, and its data depend on it. */
static size_t fill(char *data, uint64_t seed, int number)
{
	uint64_t state = seed ^ (uint64_t)number << 32;
	size_t size = 1 + next_random(&state) % (number % 8 == 7 ? LARGEST : 512);

	for (size_t i = 0; i < size; i += sizeof(state)) {
		uint64_t word = next_random(&state);

		memcpy(data + i, &word, size - i < sizeof(word) ? size - i : sizeof(word));
	}
	return size;
}

static int create_file(struct tag tag)
{
	int fd = memfd_create("mixed", MFD_CLOEXEC);

	REQUIRE(fd >= 0 && pwrite(fd, &tag, sizeof(tag), 0) == sizeof(tag));
	return fd;
}

static void check_file(int fd, struct tag expected)
{
	struct tag tag = {0};

	REQUIRE(fd >= 0 && pread(fd, &tag, sizeof(tag), 0) == sizeof(tag));
	if (tag.seed != expected.seed || tag.number != expected.number || tag.pid != expected.pid)
		fail("descriptor %d refers to another file", expected.number);
	REQUIRE(mm_close(fd) == 0);
	report.fds++;
}

union control {
	char buffer[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static void send_message(int fd, uint64_t seed, int number)
{
	size_t size = fill(out, seed, number);
	struct iovec iov[2] = {{out, size / 2}, {out + size / 2, size - size / 2}};
	enum way way = (enum way)(number % WAYS);
	int file = way == DATA_ALONE ? -1 : create_file((struct tag){seed, number, getpid()});

	if (way == IPC_MESSAGE) {
		struct mm_ipc_msg msg = {.iov = iov, .num_iov = 2, .fds = &file, .num_fds = 1};

		REQUIRE(mm_ipc_sendmsg(fd, &msg) == (ssize_t)size);
	} else if (way == SOCKET_MESSAGE) {
		union control control = {0};
		struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};

		msg.msg_control = control.buffer;
		msg.msg_controllen = sizeof(control.buffer);
		*CMSG_FIRSTHDR(&msg) = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), &file, sizeof(file));
		REQUIRE(mm_sendmsg(fd, &msg, MSG_NOSIGNAL) == (ssize_t)size);
	} else {
		REQUIRE(mm_send(fd, out, size, MSG_NOSIGNAL) == (ssize_t)size);
	}
	REQUIRE(file == -1 || mm_close(file) == 0);
}

static void receive_message(int fd, uint64_t seed, int number, pid_t sender)
{
	size_t size = fill(out, seed, number);
	struct iovec iov[2] = {{in, 100}, {in + 100, sizeof(in) - 100}};
	enum way way = (enum way)(number % WAYS);
	int file = -1;

	memset(in, 0, size);
	if (way == IPC_MESSAGE) {
		struct mm_ipc_msg msg = {.iov = iov, .num_iov = 2, .fds = &file, .num_fds_max = 1};

		REQUIRE(mm_ipc_recvmsg(fd, &msg) == (ssize_t)size);
		REQUIRE(msg.num_fds == 1 && msg.flags == 0);
	} else if (way == SOCKET_MESSAGE) {
		union control control = {0};
		struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};

		msg.msg_control = control.buffer;
		msg.msg_controllen = sizeof(control.buffer);
		REQUIRE(mm_recvmsg(fd, &msg, MSG_CMSG_CLOEXEC) == (ssize_t)size);
		struct cmsghdr *header = CMSG_FIRSTHDR(&msg);

		REQUIRE(header != NULL && header->cmsg_type == SCM_RIGHTS);
		memcpy(&file, CMSG_DATA(header), sizeof(file));
	} else {
		REQUIRE(mm_recv(fd, in, sizeof(in), 0) == (ssize_t)size);
	}
	if (memcmp(in, out, size) != 0)
		fail("message %d has changed", number);
	if (way != DATA_ALONE)
		check_file(file, (struct tag){seed, number, sender});
	report.messages++;
}

static void check_credentials(int fd, pid_t pid)
{
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);

	REQUIRE(mm_getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0);
	if (peer.pid != pid || peer.uid != geteuid() || peer.gid != getegid())
		fail("the peer is process %d of user %d, expected process %d", peer.pid, (int)peer.uid, pid);
}

/* --- clients and servers ------------------------------------------------------------------------------------------ */

static void converse_as_client(int fd, uint64_t seed, int messages)
{
	struct hello hello = {seed, messages, getpid()}, answer;

	REQUIRE(mm_send(fd, &hello, sizeof(hello), 0) == sizeof(hello));
	REQUIRE(mm_recv(fd, &answer, sizeof(answer), 0) == sizeof(answer));
	check_credentials(fd, answer.pid);
	for (int i = 0; i < messages; i++) {
		send_message(fd, seed, i);
		receive_message(fd, ~seed, i, answer.pid);
	}
}

static void converse_as_server(int fd)
{
	struct hello hello, answer;

	REQUIRE(mm_recv(fd, &hello, sizeof(hello), 0) == sizeof(hello));
	answer = (struct hello){hello.seed, hello.messages, getpid()};
	REQUIRE(mm_send(fd, &answer, sizeof(answer), 0) == sizeof(answer));
	check_credentials(fd, hello.pid);
	for (int i = 0; i < hello.messages; i++) {
		receive_message(fd, hello.seed, i, hello.pid);
		send_message(fd, ~hello.seed, i);
	}
}

static int run_client(char **argv)
{
	int rounds = atoi(argv[1]), messages = atoi(argv[2]);
	uint64_t seed = strtoull(argv[3], NULL, 10);
	char name[64];

	send_report(STARTED);
	for (report.round = 0; report.round < rounds; report.round++) {
		snprintf(name, sizeof(name), "%s-%d", argv[0], report.round);
		int fd = mm_ipc_connect(name);

		report.at_ns = now_ns();
		REQUIRE(fd >= 0);
		converse_as_client(fd, next_random(&seed), messages);
		REQUIRE(mm_close(fd) == 0);
		send_report(CONNECTED);
	}
	return 0;
}

static void delay(int64_t ns)
{
	const int64_t until_ns = now_ns() + ns;

	/* A sleep is too inaccurate for short delays. */
	if (ns > 100000)
		pause_ns(ns - 100000);
	while (now_ns() < until_ns)
		;
}

/* A server that notifies no client, like mmlib's. */
static int listen_silently(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path + 1, name, strlen(name));
	REQUIRE(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(listener, 4096) == 0);
	return listener;
}

static int run_server(void)
{
	struct order order;

	while (read(ORDERS_FD, &order, sizeof(order)) == sizeof(order)) {
		delay(order.delay_ns);
		report.at_ns = now_ns();
		struct mm_ipc_srv *srv = order.is_silent ? NULL : mm_ipc_srv_create(order.name);
		int listener = order.is_silent ? listen_silently(order.name) : -1;

		REQUIRE(srv != NULL || listener >= 0);
		send_report(CREATED);
		for (int i = 0; i < order.clients; i++) {
			int fd = order.is_silent ? accept(listener, NULL, NULL) : mm_ipc_srv_accept(srv);

			REQUIRE(fd >= 0);
			converse_as_server(fd);
			REQUIRE(mm_close(fd) == 0);
		}
		mm_ipc_srv_destroy(srv);
		if (order.is_silent)
			close(listener);
		send_report(SERVED);
	}
	return 0;
}

int main(int argc, char **argv)
{
	bool is_client = argc == 9 && strcmp(argv[1], "client") == 0;

	if (!is_client && (argc != 4 || strcmp(argv[1], "server") != 0)) {
		fputs("usage: peer client|server ..., by mixed\n", stderr);
		return 2;
	}
	report.pid = getpid();
	report.peer = atoi(argv[3]);
	check_version((enum version)atoi(argv[2]));
	if (!is_client)
		return run_server();
	if (atoi(argv[4]) == 0)
		remove_timeouts();
	return run_client(argv + 5);
}
