/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receive_races.c: descriptors that are closed, and possibly reused, while a receive waits on them
 */
#include "suite.h"

#include <fcntl.h>
#include <sys/socket.h>

struct receiver {
	int fd;
	bool has_capacity;
	pid_t tid;
	ssize_t result;
	int error;
};

static void *receive_in_thread(void *arg)
{
	struct receiver *receiver = arg;
	char byte;
	int fd;
	struct iovec iov = {&byte, 1};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1, .fds = &fd, .num_fds_max = receiver->has_capacity};

	__atomic_store_n(&receiver->tid, thread_id(), __ATOMIC_RELEASE);
	receiver->result = mm_ipc_recvmsg(receiver->fd, &msg);
	receiver->error = mm_get_lasterror_number();
	return NULL;
}

static pthread_t start_receiver(struct receiver *receiver)
{
	pthread_t thread = start_thread(receive_in_thread, receiver);
	pid_t tid;

	while ((tid = __atomic_load_n(&receiver->tid, __ATOMIC_ACQUIRE)) == 0)
		sleep_ms(1);
	wait_until_asleep(tid);
	return thread;
}

/* The object that is opened at a descriptor that was closed. */
static void take_number(int how, int number, int *others)
{
	int ends[2] = {-1, -1};

	others[0] = others[1] = -1;
	switch (how) {
	case 0: /* nothing */
		return;
	case 1:
		ck_assert_int_eq(mm_ipc_connected_pair(ends), 0);
		break;
	case 2:
		ends[0] = mm_open("/dev/null", O_RDWR, 0);
		break;
	case 3:
		ck_assert_int_eq(mm_pipe(ends), 0);
		break;
	case 4:
		ends[0] = open("/dev/null", O_RDWR);
		break;
	case 5:
		ck_assert_int_eq(pipe(ends), 0);
		break;
	}
	ck_assert_int_eq(ends[0], number);
	memcpy(others, ends, sizeof(ends));
}

START_TEST(receive_on_a_closed_descriptor_never_succeeds)
{
	/* mm_close() for any new object; close() for an object that is evidently not the connection. */
	for (int round = 0; round < 2 * 2 * 6; round++) {
		bool by_library = round & 1;
		struct receiver receiver = {.has_capacity = round & 2};
		int how = round / 4, ends[2], others[2];

		ck_assert_int_eq(mm_ipc_connected_pair(ends), 0);
		receiver.fd = ends[0];
		pthread_t thread = start_receiver(&receiver);

		if (by_library)
			mm_close(ends[0]);
		else
			close(ends[0]);
		take_number(how, ends[0], others);
		close(ends[1]);
		join_thread(thread);
		ck_assert_msg(receiver.result == -1, "round %d: %zd", round, receiver.result);
		ck_assert_msg(receiver.error == EBADF || receiver.error == EPIPE, "round %d: %d", round,
		              receiver.error);
		close_all(2, others);
	}
}
END_TEST

START_TEST(receive_after_a_reset_reads_nothing_from_another_connection)
{
	for (int round = 0; round < 4; round++) {
		bool by_library = round & 1;
		struct receiver receiver = {.has_capacity = round & 2};
		int ends[2], others[2];
		char byte;

		ck_assert_int_eq(mm_ipc_connected_pair(ends), 0);
		receiver.fd = ends[0];
		pthread_t thread = start_receiver(&receiver);

		/* The peer closes without reading this: the receive gets ECONNRESET. */
		ck_assert_int_eq(send(ends[0], "x", 1, 0), 1);
		if (by_library)
			mm_close(ends[0]);
		else
			close(ends[0]);
		ck_assert_int_eq(mm_ipc_connected_pair(others), 0);
		ck_assert_int_eq(others[0], ends[0]);
		ck_assert_int_eq(send(others[1], "y", 1, 0), 1);
		close(ends[1]);
		join_thread(thread);
		ck_assert_int_eq(receiver.result, -1);
		ck_assert_int_eq(receiver.error, ECONNRESET);
		/* The message sent to the other connection is still queued. */
		ck_assert_int_eq(recv(others[0], &byte, 1, MSG_DONTWAIT), 1);
		close_all(2, others);
	}
}
END_TEST

START_TEST(empty_datagram_is_received_while_other_descriptors_are_opened_and_closed)
{
	for (int round = 0; round < 2; round++) {
		struct receiver receiver = {.has_capacity = round};
		int ends[2], others[2];

		ck_assert_int_eq(mm_ipc_connected_pair(ends), 0);
		receiver.fd = ends[0];
		pthread_t thread = start_receiver(&receiver);

		for (int i = 0; i < 300; i++) {
			ck_assert_int_eq(mm_pipe(others), 0);
			close_all(2, others);
		}
		/* Also a descriptor that shares the entry of its history: 256 higher. */
		int above = fcntl(ends[0], F_DUPFD, ends[0] + 256);

		mm_close(above);
		ck_assert_int_eq(send(ends[1], "", 0, 0), 0);
		join_thread(thread);
		ck_assert_int_eq(receiver.result, 0);
		close_all(2, ends);
	}
}
END_TEST

SUITE(receive_on_a_closed_descriptor_never_succeeds, receive_after_a_reset_reads_nothing_from_another_connection,
      empty_datagram_is_received_while_other_descriptors_are_opened_and_closed)
