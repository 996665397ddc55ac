/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile.c: peers that send unexpected data, do not read, or close at the worst moment
 */
#include "endpoints.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#define MOST 253

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

/* A pair, and as many descriptors as a message carries, all of the write end of one pipe. */
struct flood {
	int fds[2];
	int pipe[2];
	int many[MOST];
};

static void open_flood(struct flood *flood)
{
	ck_assert_int_eq(mm_ipc_connected_pair(flood->fds), 0);
	ck_assert_int_eq(pipe2(flood->pipe, O_CLOEXEC | O_NONBLOCK), 0);
	for (int i = 0; i < MOST; i++)
		flood->many[i] = flood->pipe[1];
}

static void close_flood(struct flood *flood)
{
	close_all(2, flood->fds);
	close_all(2, flood->pipe);
}

/* Sends until the queue is full; returns the number of messages. */
static int fill_queue(struct flood *flood, const char *data, int count)
{
	int sent = 0;

	ck_assert_int_eq(fcntl(flood->fds[0], F_SETFL, O_NONBLOCK), 0);
	while (send_with(flood->fds[0], data, flood->many, count) == (ssize_t)strlen(data))
		sent++;
	/* An ordinary user reaches another limit first. */
	ck_assert_msg(errno == EAGAIN || errno == ETOOMANYREFS, "%s", mm_get_lasterror_desc());
	ck_assert_int_gt(sent, 0);
	return sent;
}

/* Descriptors that were sent and are not open in this process exist nowhere. */
static void assert_only_writer(struct flood *flood)
{
	char byte;

	close_all(1, &flood->pipe[1]);
	ck_assert_int_eq(read(flood->pipe[0], &byte, 1), 0);
	flood->pipe[1] = dup(flood->pipe[0]);
}

START_TEST(flood_of_unexpected_descriptors_leaks_none)
{
	struct mm_ipc_msg msg;
	struct flood flood;

	open_flood(&flood);
	int open_before = count_open_descriptors(), sent = fill_queue(&flood, "data", MOST);

	for (int i = 0; i < sent; i++) {
		ck_assert_int_eq(receive_with(flood.fds[1], &msg, NULL, 0), 4);
		ck_assert_int_eq(msg.num_fds, 0);
		ck_assert_int_eq(msg.flags, MSG_CTRUNC);
		ck_assert_int_eq(count_open_descriptors(), open_before);
	}
	assert_only_writer(&flood);
	close_flood(&flood);
}
END_TEST

START_TEST(unread_flood_of_descriptors_ends_with_the_connection)
{
	struct flood flood;

	open_flood(&flood);
	fill_queue(&flood, "data", MOST);
	close_all(1, &flood.fds[1]);
	/* The first call reports that data of ours was left unread. */
	assert_fails(mm_ipc_sendmsg(flood.fds[0], &(struct mm_ipc_msg){0}), ECONNRESET);
	assert_fails(mm_ipc_sendmsg(flood.fds[0], &(struct mm_ipc_msg){0}), EPIPE);
	flood.fds[1] = dup(flood.pipe[0]);
	assert_only_writer(&flood);
	close_flood(&flood);
}
END_TEST

START_TEST(flood_at_the_descriptor_limit_loses_no_data)
{
	struct mm_ipc_msg msg;
	struct flood flood;
	struct rlimit limit, low;
	uint32_t state = 1;
	int received[MOST];

	/* Valgrind implements the limit itself, and lets the kernel install descriptors above it. */
	if (is_under_valgrind())
		return;
	open_flood(&flood);
	int sent = fill_queue(&flood, "data", MOST), open_before = count_open_descriptors();

	getrlimit(RLIMIT_NOFILE, &limit);
	for (int i = 0; i < sent; i++) {
		int slots = i % 2 == 0 ? 0 : (int)(next_random(&state) % 12);

		low = limit;
		low.rlim_cur = limit_with_free_numbers(slots);
		setrlimit(RLIMIT_NOFILE, &low);
		ssize_t size = receive_with(flood.fds[1], &msg, received, MOST);

		setrlimit(RLIMIT_NOFILE, &limit);
		ck_assert_int_eq(size, 4);
		ck_assert_int_eq(msg.num_fds, slots);
		ck_assert_int_eq(msg.flags, MSG_CTRUNC);
		ck_assert_int_eq(count_open_descriptors(), open_before + slots);
		close_all(slots, received);
	}
	assert_only_writer(&flood);
	close_flood(&flood);
}
END_TEST

/*
 * An ordinary user may have as many descriptors in flight as the limit of open descriptors, over all of the user's
 * processes. Therefore a unique user is used.
 */
static int flood_until_refused(void *arg)
{
	enum { LIMIT = 200 };
	struct flood flood;
	struct rlimit limit = {LIMIT, LIMIT};
	struct mm_ipc_msg msg;
	int received[50], sent = 0;
	ssize_t size = 0;

	(void)arg;
	if (geteuid() == 0)
		ck_assert(setgroups(0, NULL) == 0 && setresgid(61357, 61357, 61357) == 0 &&
		          setresuid(61357, 61357, 61357) == 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	open_flood(&flood);
	ck_assert_int_eq(fcntl(flood.fds[1], F_SETFL, O_NONBLOCK), 0);
	for (; sent < 100 && size >= 0; sent += size >= 0)
		size = send_with(flood.fds[0], "data", flood.many, 50);
	ck_assert_int_eq(size, -1);
	msg = (struct mm_ipc_msg){.fds = flood.many, .num_fds = 1};
	assert_fails(mm_ipc_sendmsg(flood.fds[0], &msg), ETOOMANYREFS);
	/* The limit can be exceeded by one message, not by many. */
	ck_assert_int_le(sent, LIMIT / 50 + 2);
	/* Messages without descriptors can still be sent, and those with descriptors as soon as one was received. */
	ck_assert_int_eq(send_with(flood.fds[0], "last", NULL, 0), 4);
	for (int i = 0; i < sent; i++) {
		ck_assert_int_eq(receive_with(flood.fds[1], &msg, received, 50), 4);
		ck_assert_int_eq(msg.num_fds, 50);
		close_all(50, received);
	}
	ck_assert_int_eq(send_with(flood.fds[0], "data", flood.many, 1), 4);
	/* A rejected message was not sent in part. */
	ck_assert_int_eq(receive_with(flood.fds[1], &msg, received, 50), 4);
	ck_assert_int_eq(msg.num_fds, 0);
	ck_assert_int_eq(receive_with(flood.fds[1], &msg, received, 50), 4);
	ck_assert_int_eq(msg.num_fds, 1);
	close_all(1, received);
	ck_assert_int_eq(receive_with(flood.fds[1], &msg, received, 50), -1);
	ck_assert_int_eq(errno, EAGAIN);
	close_flood(&flood);
	return 0;
}

START_TEST(ordinary_user_cannot_flood_without_limit)
{
	/* Valgrind leaves the real limit at its maximum. */
	if (is_under_valgrind())
		return;
	assert_child_succeeds(start_child(flood_until_refused, NULL));
}
END_TEST

START_TEST(empty_datagrams_with_descriptors_are_all_messages)
{
	static const int capacities[] = {0, 1, 2, 7, MOST};
	struct mm_ipc_msg msg;
	struct flood flood;
	int received[MOST];

	open_flood(&flood);
	int sent = fill_queue(&flood, "", 7);

	/* Also after the peer has closed. */
	close_all(1, &flood.fds[0]);
	int open_before = count_open_descriptors();

	for (int i = 0; i < sent; i++) {
		int capacity = capacities[i % (int)MM_NELEM(capacities)], expected = capacity < 7 ? capacity : 7;

		ck_assert_int_eq(receive_with(flood.fds[1], &msg, received, capacity), 0);
		ck_assert_int_eq(msg.num_fds, expected);
		ck_assert_int_eq(msg.flags, expected < 7 ? MSG_CTRUNC : 0);
		ck_assert_int_eq(count_open_descriptors(), open_before + expected);
		close_all(expected, received);
	}
	ck_assert_int_eq(receive_with(flood.fds[1], &msg, received, MOST), -1);
	ck_assert_int_eq(errno, EPIPE);
	flood.fds[0] = dup(flood.pipe[0]);
	assert_only_writer(&flood);
	close_flood(&flood);
}
END_TEST

/* The application has requested credentials, and a pidfd of each message's sender, from the kernel. */
static bool request_ancillary_data(int fd)
{
	int on = 1;

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof(on)), 0);
	if (setsockopt(fd, SOL_SOCKET, SO_PASSPIDFD, &on, sizeof(on)) == 0)
		return true;
	ck_assert_int_eq(errno, ENOPROTOOPT); /* older than Linux 6.5 */
	return false;
}

START_TEST(requested_ancillary_data_leaks_no_descriptor)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);
	struct mm_ipc_msg msg;
	struct flood flood;
	int received[MOST];

	open_flood(&flood);
	close_all(2, flood.fds);
	flood.fds[0] = mm_ipc_connect(name);
	flood.fds[1] = mm_ipc_srv_accept(srv);
	request_ancillary_data(flood.fds[0]);
	request_ancillary_data(flood.fds[1]);
	int open_before = count_open_descriptors();

	for (int sent = 0; sent <= 12; sent += 3) {
		for (int capacity = 0; capacity <= 48; capacity++) {
			int from = capacity % 2;

			ck_assert_int_eq(send_with(flood.fds[from], "data", flood.many, sent), 4);
			ck_assert_int_eq(receive_with(flood.fds[!from], &msg, received, capacity), 4);
			ck_assert_int_le(msg.num_fds, capacity < sent ? capacity : sent);
			/*
			 * All descriptors are received, or the loss is reported; with capacity for all ancillary data,
			 * all are received.
			 */
			ck_assert(msg.num_fds == sent || msg.flags == MSG_CTRUNC);
			if (capacity >= 40)
				ck_assert_int_eq(msg.num_fds, sent);
			ck_assert_int_eq(count_open_descriptors(), open_before + msg.num_fds);
			for (int i = 0; i < msg.num_fds; i++)
				ck_assert(fcntl(received[i], F_GETFL) == fcntl(flood.pipe[1], F_GETFL));
			close_all(msg.num_fds, received);
		}
	}
	mm_ipc_srv_destroy(srv);
	close_flood(&flood);
}
END_TEST

START_TEST(requested_ancillary_data_without_a_free_descriptor_does_no_harm)
{
	struct mm_ipc_msg msg;
	struct flood flood;
	struct rlimit limit, low;
	int received[MOST];

	if (is_under_valgrind())
		return;
	open_flood(&flood);
	request_ancillary_data(flood.fds[1]);
	int open_before = count_open_descriptors();

	getrlimit(RLIMIT_NOFILE, &limit);
	for (int slots = 0; slots < 5; slots++) {
		ck_assert_int_eq(send_with(flood.fds[0], "data", flood.many, 3), 4);
		low = limit;
		low.rlim_cur = limit_with_free_numbers(slots);
		setrlimit(RLIMIT_NOFILE, &low);
		ssize_t size = receive_with(flood.fds[1], &msg, received, MOST);

		setrlimit(RLIMIT_NOFILE, &limit);
		ck_assert_int_eq(size, 4);
		ck_assert_int_eq(msg.num_fds, slots < 3 ? slots : 3);
		ck_assert_int_eq(count_open_descriptors(), open_before + msg.num_fds);
		close_all(msg.num_fds, received);
	}
	close_flood(&flood);
}
END_TEST

/* A peer that does nothing until it is killed. */
static int hold_without_reading(void *fd)
{
	/* It must not keep other inherited descriptors. */
	close(((int *)fd)[0]);
	for (;;)
		pause();
	return 0;
}

static void *kill_when_the_sender_sleeps(void *arg)
{
	pid_t *pids = arg;

	wait_until_asleep(pids[1]);
	kill(pids[0], SIGKILL);
	return NULL;
}

START_TEST(sender_is_released_when_the_peer_that_never_reads_is_killed)
{
	static char data[4096];
	struct iovec iov = {data, sizeof(data)};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1};
	int fds[2], sent = 0;

	ck_assert_int_eq(mm_ipc_connected_pair(fds), 0);
	pid_t pids[2] = {start_child(hold_without_reading, fds), thread_id()};

	close_all(1, &fds[1]);
	pthread_t killer = start_thread(kill_when_the_sender_sleeps, pids);

	while (mm_ipc_sendmsg(fds[0], &msg) == sizeof(data))
		sent++;
	ck_assert_int_eq(mm_get_lasterror_number(), ECONNRESET);
	/* The memory that the peer can make this process use is bounded. */
	ck_assert_int_lt(sent, 1000);
	assert_fails(mm_ipc_sendmsg(fds[0], &msg), EPIPE);
	join_thread(killer);
	ck_assert_int_eq(waitpid(pids[0], NULL, 0), pids[0]);
	close_all(1, &fds[0]);
}
END_TEST

START_TEST(send_to_a_peer_that_never_reads_ends_with_the_timeout)
{
	struct timeval timeout = {.tv_usec = 20000};
	struct flood flood;

	open_flood(&flood);
	ck_assert_int_eq(setsockopt(flood.fds[0], SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)), 0);
	while (send_with(flood.fds[0], "data", NULL, 0) == 4)
		;
	ck_assert_int_eq(mm_get_lasterror_number(), EAGAIN);
	struct mm_ipc_msg msg = {.fds = flood.many, .num_fds = 2};

	assert_fails(mm_ipc_sendmsg(flood.fds[0], &msg), EAGAIN);
	close_flood(&flood);
}
END_TEST

/* A socket created without the library. */
static int connect_raw(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path + 1, name);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

struct dying {
	const char *name;
	int messages;
};

static int connect_and_die(void *arg)
{
	const struct dying *dying = arg;
	int fd = connect_raw(dying->name), pipe_end[2];

	ck_assert_int_eq(pipe(pipe_end), 0);
	for (int i = 0; i < dying->messages; i++)
		ck_assert_int_eq(send_with(fd, "data", &pipe_end[0], 1), 4);
	return raise(SIGKILL);
}

START_TEST(client_that_dies_before_it_is_accepted_delays_no_other)
{
	enum { COUNT = 30 };
	const char *name = unique_name();
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);
	struct mm_ipc_msg msg;
	int received[4];

	for (int i = 0; i < COUNT; i++) {
		struct dying dying = {name, i % 3};
		pid_t pid = start_child(connect_and_die, &dying);

		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	}
	int living = connect_raw(name);

	ck_assert_int_eq(send_with(living, "live", NULL, 0), 4);
	for (int i = 0; i < COUNT; i++) {
		int fd = mm_ipc_srv_accept(srv);

		ck_assert_int_ge(fd, 0);
		/* Sending to it fails, without affecting the server. */
		if (i % 2 == 0)
			ck_assert_int_eq(send_with(fd, "hello", NULL, 0), -1);
		for (int k = 0; k < i % 3; k++) {
			ck_assert_int_eq(receive_with(fd, &msg, received, 4), 4);
			ck_assert_int_eq(msg.num_fds, 1);
			close_all(1, received);
		}
		ck_assert_int_eq(receive_with(fd, &msg, received, 4), -1);
		ck_assert_int_eq(mm_get_lasterror_number(), EPIPE);
		close_all(1, &fd);
	}
	int fd = mm_ipc_srv_accept(srv);

	ck_assert_int_eq(receive_with(fd, &msg, received, 4), 4);
	mm_ipc_srv_destroy(srv);
	close_all(2, (int[]){fd, living});
}
END_TEST

SUITE(flood_of_unexpected_descriptors_leaks_none, unread_flood_of_descriptors_ends_with_the_connection,
      flood_at_the_descriptor_limit_loses_no_data, ordinary_user_cannot_flood_without_limit,
      empty_datagrams_with_descriptors_are_all_messages, requested_ancillary_data_leaks_no_descriptor,
      requested_ancillary_data_without_a_free_descriptor_does_no_harm,
      sender_is_released_when_the_peer_that_never_reads_is_killed,
      send_to_a_peer_that_never_reads_ends_with_the_timeout, client_that_dies_before_it_is_accepted_delays_no_other)
