/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endpoints.h: shared by the tests of IPC: servers, connections and messages
 */
#ifndef ENDPOINTS_H
#define ENDPOINTS_H

#include "suite.h"

static inline struct mm_ipc_srv *create(const char *name)
{
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);

	ck_assert_msg(srv != NULL, "%s: %s", name, mm_get_lasterror_desc());
	return srv;
}

static inline int connect_to(const char *name)
{
	int fd = mm_ipc_connect(name);

	ck_assert_msg(fd >= 0, "%s: %s", name, mm_get_lasterror_desc());
	return fd;
}

static inline int accept_from(struct mm_ipc_srv *srv)
{
	int fd = mm_ipc_srv_accept(srv);

	ck_assert_msg(fd >= 0, "%s", mm_get_lasterror_desc());
	return fd;
}

/* A thread inside mm_ipc_srv_accept(). */
struct acceptor {
	struct mm_ipc_srv *srv;
	pid_t tid;
	int result;
	int error;
	char location[256];
};

static inline void *accept_in_thread(void *arg)
{
	struct acceptor *acceptor = arg;

	__atomic_store_n(&acceptor->tid, thread_id(), __ATOMIC_RELEASE);
	acceptor->result = mm_ipc_srv_accept(acceptor->srv);
	acceptor->error = mm_get_lasterror_number();
	strcpy(acceptor->location, mm_get_lasterror_location());
	return NULL;
}

static inline pthread_t start_acceptor(struct acceptor *acceptor)
{
	pthread_t thread = start_thread(accept_in_thread, acceptor);
	pid_t tid;

	while ((tid = __atomic_load_n(&acceptor->tid, __ATOMIC_ACQUIRE)) == 0)
		sleep_ms(1);
	wait_until_asleep(tid);
	return thread;
}

/* Checks that both ends of a connection can send and receive. */
static inline void assert_connected(int a, int b)
{
	char answer[8];

	ck_assert_int_eq(mm_write(a, "ping", 4), 4);
	ck_assert_int_eq(mm_read(b, answer, sizeof(answer)), 4);
	ck_assert_int_eq(mm_write(b, "pong!", 5), 5);
	ck_assert_int_eq(mm_read(a, answer, sizeof(answer)), 5);
}

static inline void connect_pair(int fds[2])
{
	ck_assert_int_eq(mm_ipc_connected_pair(fds), 0);
}

static inline ssize_t send_bytes(int fd, const void *data, size_t size)
{
	struct iovec iov = {(void *)data, size};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1};

	return mm_ipc_sendmsg(fd, &msg);
}

/* Receives into one buffer; the fields that every receive sets have invalid values before. */
static inline ssize_t receive_bytes(int fd, void *data, size_t size, int *flags)
{
	struct iovec iov = {data, size};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1, .num_fds = 77, .flags = 0x5555};
	ssize_t received = mm_ipc_recvmsg(fd, &msg);

	if (received >= 0)
		ck_assert_int_eq(msg.num_fds, 0);
	*flags = msg.flags;
	return received;
}

/* The same with descriptors; the results are stored in the message. */
static inline ssize_t send_with(int fd, const char *data, int *fds, int count)
{
	struct iovec iov = {(char *)data, strlen(data)};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1, .fds = fds, .num_fds = count};

	return mm_ipc_sendmsg(fd, &msg);
}

static inline ssize_t receive_with(int fd, struct mm_ipc_msg *msg, int *fds, int capacity)
{
	static char data[16];
	static struct iovec iov = {data, sizeof(data)};

	*msg = (struct mm_ipc_msg){.iov = &iov, .num_iov = 1, .fds = fds, .num_fds_max = capacity};
	msg->num_fds = 77;
	msg->flags = 88;
	return mm_ipc_recvmsg(fd, msg);
}

/* A message of one byte, with capacity for that many descriptors. */
static inline struct mm_ipc_msg *one_byte_message(int *fds, int max)
{
	static char byte;
	static struct iovec iov = {&byte, 1};
	static struct mm_ipc_msg msg;

	msg = (struct mm_ipc_msg){.iov = &iov, .num_iov = 1, .fds = fds, .num_fds_max = max};
	return &msg;
}

#endif
