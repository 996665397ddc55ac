/* SPDX-License-Identifier: Apache-2.0 */
/*
 * full_queue.c: more clients than the queue of a server can hold
 */
#include "endpoints.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

/* More clients than the queue can hold: those that find it full are blocked in connect, each in a thread. */
struct crowd {
	const char *name;
	int blocked, each;
	int fds[64][32];
};

struct member {
	struct crowd *crowd;
	int number;
};

static void *connect_member(void *arg)
{
	struct member *member = arg;

	for (int i = 0; i < member->crowd->each; i++) {
		int fd = mm_ipc_connect(member->crowd->name);

		ck_assert_msg(fd >= 0, "%s", mm_get_lasterror_desc());
		ck_assert_int_eq(send_with(fd, "late", NULL, 0), 4);
		member->crowd->fds[member->number][i] = fd;
	}
	return NULL;
}

/* As many as can connect without waiting. */
static int fill_backlog(const char *name, int *fds, int most)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int count = 0;

	strcpy(address.sun_path + 1, name);
	for (; count < most; count++) {
		fds[count] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		ck_assert_int_ge(fds[count], 0);
		if (connect(fds[count], (struct sockaddr *)&address, sizeof(address)) == -1) {
			ck_assert_int_eq(errno, EAGAIN);
			close_all(1, &fds[count]);
			break;
		}
		ck_assert_int_eq(send_with(fds[count], "soon", NULL, 0), 4);
	}
	return count;
}

static void serve_crowd(struct mm_ipc_srv *srv, int count, const char *text)
{
	struct mm_ipc_msg msg;

	for (int i = 0; i < count; i++) {
		int fd = mm_ipc_srv_accept(srv);

		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(receive_with(fd, &msg, NULL, 0), 4);
		if (text != NULL)
			ck_assert_mem_eq(msg.iov->iov_base, text, 4);
		close_all(1, &fd);
	}
}

static struct crowd crowd;
static struct member members[64];

static void gather(pthread_t *threads, const char *name, int blocked, int each)
{
	crowd = (struct crowd){.name = name, .blocked = blocked, .each = each};
	for (int i = 0; i < blocked; i++) {
		members[i] = (struct member){&crowd, i};
		threads[i] = start_thread(connect_member, &members[i]);
	}
}

static void disperse(pthread_t *threads)
{
	for (int i = 0; i < crowd.blocked; i++) {
		join_thread(threads[i]);
		close_all(crowd.each, crowd.fds[i]);
	}
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int most_connections(int wanted)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur > (rlim_t)wanted + 200 ? wanted : (int)limit.rlim_cur - 200;
}

/* Valgrind supports no more than 500 threads, and has a small table of descriptors, so fewer clients are used there. */
START_TEST(thousands_of_connections_beyond_the_queue_are_all_served)
{
	static int fds[5000];
	pthread_t threads[64];
	const char *name = unique_name();
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);

	raise_descriptor_limit();
	int most = most_connections(is_under_valgrind() ? 600 : 5000);
	int each = most < 5000 ? 2 : 14, blocked = is_under_valgrind() ? 8 : 64;
	/* Including those blocked in connect: 5,000, of which no more than net.core.somaxconn + 1 are in the queue. */
	int pending = fill_backlog(name, fds, most - blocked * each);

	ck_assert_int_gt(pending, 6);
	gather(threads, name, blocked, each);
	sleep_ms(50);
	serve_crowd(srv, pending, "soon");
	serve_crowd(srv, blocked * each, "late");
	disperse(threads);
	close_all(pending, fds);
	mm_ipc_srv_destroy(srv);
}
END_TEST

/*
 * Destroying the server resets the connections in the queue; clients blocked at the full queue wait for the next
 * server.
 */
START_TEST(clients_blocked_at_a_full_queue_wait_for_the_next_server)
{
	static int fds[5000];
	pthread_t threads[64];
	struct mm_ipc_msg msg;
	const char *name = unique_name();
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);

	raise_descriptor_limit();
	int pending = fill_backlog(name, fds, most_connections(5000) - 64);

	gather(threads, name, is_under_valgrind() ? 8 : 64, 1);
	sleep_ms(50);
	mm_ipc_srv_destroy(srv);
	for (int i = 0; i < pending; i++) {
		ck_assert_int_eq(fcntl(fds[i], F_SETFL, 0), 0);
		ck_assert_int_eq(receive_with(fds[i], &msg, NULL, 0), -1);
		ck_assert_int_eq(errno, ECONNRESET);
	}
	srv = mm_ipc_srv_create(name);
	ck_assert_ptr_nonnull(srv);
	serve_crowd(srv, crowd.blocked, "late");
	disperse(threads);
	close_all(pending, fds);
	mm_ipc_srv_destroy(srv);
}
END_TEST

SUITE(thousands_of_connections_beyond_the_queue_are_all_served,
      clients_blocked_at_a_full_queue_wait_for_the_next_server)
