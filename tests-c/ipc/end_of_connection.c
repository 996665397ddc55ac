/* SPDX-License-Identifier: Apache-2.0 */
/*
 * end_of_connection.c: the end of a connection, and messages sent before it
 */
#include "endpoints.h"

#include <sys/socket.h>

START_TEST(end_of_stream_is_epipe)
{
	int fds[2], flags;
	char text[8];

	connect_pair(fds);
	send_bytes(fds[0], "last", 4);
	close_all(1, &fds[0]);
	ck_assert_int_eq(receive_bytes(fds[1], text, sizeof(text), &flags), 4);
	for (int i = 0; i < 3; i++) {
		struct iovec iov = {text, sizeof(text)};
		struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1, .num_fds = 77, .flags = 88};

		errno = ENOENT;
		assert_fails(mm_ipc_recvmsg(fds[1], &msg), EPIPE);
		ck_assert_int_eq(msg.num_fds, 77);
		ck_assert_int_eq(msg.flags, 88);
	}
	close_all(1, &fds[1]);

	connect_pair(fds);
	ck_assert_int_eq(shutdown(fds[0], SHUT_WR), 0);
	struct iovec iov = {text, sizeof(text)};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1};

	assert_fails(mm_ipc_recvmsg(fds[1], &msg), EPIPE);
	close_all(2, fds);
}
END_TEST

START_TEST(messages_sent_before_the_peer_closed_are_received)
{
	struct iovec iov;
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1};
	int fds[2], flags;
	char text[8];

	/* The peer leaves data of ours unread: the kernel reports ECONNRESET before the messages that the peer sent. */
	connect_pair(fds);
	send_bytes(fds[1], "unread", 6);
	send_bytes(fds[0], "m1", 2);
	send_bytes(fds[0], "m2", 2);
	close_all(1, &fds[0]);
	ck_assert_int_eq(receive_bytes(fds[1], text, sizeof(text), &flags), 2);
	ck_assert_mem_eq(text, "m1", 2);
	ck_assert_int_eq(receive_bytes(fds[1], text, sizeof(text), &flags), 2);
	ck_assert_mem_eq(text, "m2", 2);
	iov = (struct iovec){text, sizeof(text)};
	assert_fails(mm_ipc_recvmsg(fds[1], &msg), EPIPE);
	close_all(1, &fds[1]);

	/* If it sent nothing, the report is the only result. */
	connect_pair(fds);
	send_bytes(fds[1], "unread", 6);
	close_all(1, &fds[0]);
	assert_fails(mm_ipc_recvmsg(fds[1], &msg), ECONNRESET);
	assert_fails(mm_ipc_recvmsg(fds[1], &msg), EPIPE);
	close_all(1, &fds[1]);
}
END_TEST

/* A message after an empty datagram proves that it is not the end of the stream, although the peer has closed. */
START_TEST(empty_datagram_before_others_is_not_the_end_of_stream)
{
	struct iovec iov;
	struct mm_ipc_msg none = {.num_iov = 0}, msg = {.iov = &iov, .num_iov = 1};
	int fds[2], flags, brought;
	char text[8];

	for (int unread = 0; unread < 2; unread++) {
		connect_pair(fds);
		if (unread)
			send_bytes(fds[1], "unread", 6);
		for (int i = 0; i < 3; i++)
			ck_assert_int_eq(mm_ipc_sendmsg(fds[0], &none), 0);
		send_bytes(fds[0], "xyz", 3);
		close_all(1, &fds[0]);
		for (int i = 0; i < 3; i++)
			ck_assert_int_eq(receive_bytes(fds[1], text, sizeof(text), &flags), 0);
		ck_assert_int_eq(receive_bytes(fds[1], text, sizeof(text), &flags), 3);
		iov = (struct iovec){text, sizeof(text)};
		assert_fails(mm_ipc_recvmsg(fds[1], &msg), EPIPE);
		close_all(1, &fds[1]);
	}

	/* Descriptors prove it as well. */
	connect_pair(fds);
	ck_assert_int_eq(mm_ipc_sendmsg(fds[0], &none), 0);
	ck_assert_int_eq(mm_ipc_sendmsg(fds[0], &(struct mm_ipc_msg){.fds = &fds[1], .num_fds = 1}), 0);
	close_all(1, &fds[0]);
	ck_assert_int_eq(receive_bytes(fds[1], text, sizeof(text), &flags), 0);
	msg = (struct mm_ipc_msg){.fds = &brought, .num_fds_max = 1};
	ck_assert_int_eq(mm_ipc_recvmsg(fds[1], &msg), 0);
	ck_assert_int_eq(msg.num_fds, 1);
	close_all(2, (int[]){brought, fds[1]});
}
END_TEST

START_TEST(sending_to_a_closed_peer_is_epipe_without_a_signal)
{
	struct iovec iov = {"x", 1};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1};
	struct iovec two[2] = {{"x", 1}, {"y", 1}};
	struct mm_ipc_msg gathered = {.iov = two, .num_iov = 2};
	int fds[2];

	signal(SIGPIPE, SIG_DFL);
	connect_pair(fds);
	close_all(1, &fds[0]);
	assert_fails(mm_ipc_sendmsg(fds[1], &msg), EPIPE);
	assert_fails(mm_ipc_sendmsg(fds[1], &gathered), EPIPE);
	assert_fails(mm_write(fds[1], "x", 1), EPIPE);
	close_all(1, &fds[1]);

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	close_all(1, &fds[0]);
	assert_fails(mm_ipc_sendmsg(fds[1], &msg), EPIPE);
	assert_fails(mm_ipc_sendmsg(fds[1], &gathered), EPIPE);
	close_all(1, &fds[1]);
}
END_TEST

SUITE(end_of_stream_is_epipe, messages_sent_before_the_peer_closed_are_received,
      empty_datagram_before_others_is_not_the_end_of_stream, sending_to_a_closed_peer_is_epipe_without_a_signal)
