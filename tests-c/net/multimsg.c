/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multimsg.c: several messages at once
 */
#include "loopback.h"

#include <limits.h>

#define MOST 1024

/* Messages of one buffer each, with an invalid size to be replaced. */
struct batch {
	struct mm_sock_multimsg messages[MOST + 10];
	struct iovec iovs[MOST + 10];
	char data[MOST + 10][8];
};

static struct batch *new_batch(void)
{
	struct batch *batch = calloc(1, sizeof(*batch));

	ck_assert_ptr_nonnull(batch);
	for (int i = 0; i < MOST + 10; i++) {
		batch->iovs[i] = (struct iovec){batch->data[i], sizeof(batch->data[i])};
		batch->messages[i].msg.msg_iov = &batch->iovs[i];
		batch->messages[i].msg.msg_iovlen = 1;
		batch->messages[i].datalen = 7777;
	}
	return batch;
}

START_TEST(several_messages_are_sent_and_received_in_one_call)
{
	FOR_EACH_FAMILY(family) {
		struct batch *out = new_batch(), *in = new_batch();
		int fds[2];

		connect_pair(family, SOCK_DGRAM, fds);
		for (int i = 0; i < 6; i++) {
			out->iovs[i].iov_len = (size_t)i;
			memset(out->data[i], 'a' + i, sizeof(out->data[i]));
			memset(in->data[i], '.', sizeof(in->data[i]));
		}
		ck_assert_int_eq(mm_send_multimsg(fds[0], 6, out->messages, 0), 6);
		ck_assert_int_eq(mm_recv_multimsg(fds[1], 6, in->messages, 0, NULL), 6);
		for (int i = 0; i < 6; i++) {
			ck_assert_uint_eq(out->messages[i].datalen, (unsigned int)i);
			ck_assert_uint_eq(in->messages[i].datalen, (unsigned int)i);
			ck_assert_mem_eq(in->data[i], out->data[i], (size_t)i);
			ck_assert_int_eq(in->data[i][i], '.');
		}
		ck_assert_uint_eq(out->messages[6].datalen, 7777);
		ck_assert_uint_eq(in->messages[6].datalen, 7777);
		close_all(2, fds);
		free(out);
		free(in);
	}
}
END_TEST

START_TEST(each_message_has_its_own_address)
{
	FOR_EACH_FAMILY(family) {
		struct address addresses[2], senders[2], client;
		int servers[2] = {bound_socket(family, SOCK_DGRAM, &addresses[0]),
		                  bound_socket(family, SOCK_DGRAM, &addresses[1])};
		int fd = bound_socket(family, SOCK_DGRAM, &client);
		struct batch *batch = new_batch();

		for (int i = 0; i < 2; i++) {
			batch->messages[i].msg.msg_name = &addresses[i].any;
			batch->messages[i].msg.msg_namelen = addresses[i].size;
			batch->iovs[i].iov_len = (size_t)i + 1;
		}
		ck_assert_int_eq(mm_send_multimsg(fd, 2, batch->messages, 0), 2);
		for (int i = 0; i < 2; i++) {
			batch->messages[i].msg.msg_name = &senders[i].any;
			batch->messages[i].msg.msg_namelen = sizeof(senders[i].storage);
			batch->iovs[i].iov_len = sizeof(batch->data[i]);
			ck_assert_int_eq(mm_recv_multimsg(servers[i], 1, &batch->messages[i], 0, NULL), 1);
			ck_assert_uint_eq(batch->messages[i].datalen, (unsigned int)i + 1);
			ck_assert_uint_eq(batch->messages[i].msg.msg_namelen, client.size);
			ck_assert_mem_eq(&senders[i], &client, client.size);
		}
		close_all(3, (int[]){servers[0], servers[1], fd});
		free(batch);
	}
}
END_TEST

START_TEST(negative_number_of_messages_is_rejected)
{
	struct batch *batch = new_batch();
	int fds[2];

	connect_pair(AF_INET, SOCK_DGRAM, fds);
	assert_fails(mm_send_multimsg(fds[0], -1, batch->messages, 0), EINVAL);
	assert_fails(mm_send_multimsg(fds[0], INT_MIN, batch->messages, 0), EINVAL);
	/* No message was sent, and a queued message is not received. */
	assert_fails(mm_recv(fds[1], batch->data, 1, MSG_DONTWAIT), EAGAIN);
	ck_assert_int_eq(mm_send(fds[0], "x", 1, 0), 1);
	assert_fails(mm_recv_multimsg(fds[1], -1, batch->messages, 0, NULL), EINVAL);
	assert_fails(mm_recv_multimsg(fds[1], INT_MIN, batch->messages, 0, NULL), EINVAL);
	ck_assert_int_eq(mm_recv(fds[1], batch->data, 1, MSG_DONTWAIT), 1);
	close_all(2, fds);
	free(batch);
}
END_TEST

START_TEST(zero_messages_return_zero)
{
	int fds[2];

	connect_pair(AF_INET, SOCK_DGRAM, fds);
	ck_assert_int_eq(mm_send_multimsg(fds[0], 0, NULL, 0), 0);
	ck_assert_int_eq(mm_recv_multimsg(fds[0], 0, NULL, 0, NULL), 0);
	close_all(2, fds);
}
END_TEST

/* Discards the queued messages, and returns their number. */
static int drain(int fd)
{
	char byte;
	int count = 0;

	while (mm_recv(fd, &byte, 1, MSG_DONTWAIT) >= 0)
		count++;
	ck_assert_int_eq(mm_get_lasterror_number(), EAGAIN);
	return count;
}

/* Receives as many single messages as may be sent. */
static void *receive_many(void *arg)
{
	char byte;

	for (int i = 0; i < MOST; i++)
		ck_assert_int_eq(mm_recv(*(int *)arg, &byte, 1, 0), 1);
	return NULL;
}

START_TEST(more_than_1024_messages_are_sent_as_1024)
{
	static const int counts[] = {MOST, MOST + 10, INT_MAX};
	struct batch *batch = new_batch();
	int fds[2];

	ck_assert_int_eq(mm_ipc_connected_pair(fds), 0);
	for (int i = 0; i < MM_NELEM(counts); i++) {
		pthread_t thread = start_thread(receive_many, &fds[1]);

		ck_assert_int_eq(mm_send_multimsg(fds[0], counts[i], batch->messages, 0), MOST);
		join_thread(thread);
		ck_assert_int_eq(drain(fds[1]), 0);
		ck_assert_uint_eq(batch->messages[MOST - 1].datalen, 8);
		ck_assert_uint_eq(batch->messages[MOST].datalen, 7777);
	}
	close_all(2, fds);
	free(batch);
}
END_TEST

/* Sends single messages until enough are queued. */
static void *send_many(void *arg)
{
	for (int i = 0; i < MOST + 2; i++)
		ck_assert_int_eq(mm_send(*(int *)arg, "x", 1, 0), 1);
	return NULL;
}

START_TEST(more_than_1024_messages_are_received_as_1024)
{
	struct batch *batch = new_batch();
	int fds[2];

	ck_assert_int_eq(mm_ipc_connected_pair(fds), 0);

	pthread_t thread = start_thread(send_many, &fds[0]);

	ck_assert_int_eq(mm_recv_multimsg(fds[1], MOST + 10, batch->messages, 0, NULL), MOST);
	ck_assert_uint_eq(batch->messages[MOST - 1].datalen, 1);
	ck_assert_uint_eq(batch->messages[MOST].datalen, 7777);
	join_thread(thread);
	ck_assert_int_eq(drain(fds[1]), 2);
	close_all(2, fds);
	free(batch);
}
END_TEST

START_TEST(message_that_cannot_be_sent_ends_the_batch)
{
	static char large[70000];
	struct batch *batch = new_batch();
	int fds[2];

	connect_pair(AF_INET, SOCK_DGRAM, fds);
	batch->iovs[2] = (struct iovec){large, sizeof(large)};
	ck_assert_int_eq(mm_send_multimsg(fds[0], 5, batch->messages, 0), 2);
	ck_assert_uint_eq(batch->messages[1].datalen, 8);
	ck_assert_uint_eq(batch->messages[2].datalen, 7777);
	assert_fails(mm_send_multimsg(fds[0], 3, batch->messages + 2, 0), EMSGSIZE);
	ck_assert_uint_eq(batch->messages[2].datalen, 7777);
	ck_assert_int_eq(drain(fds[1]), 2);
	close_all(2, fds);
	free(batch);
}
END_TEST

START_TEST(receive_waits_as_its_flags_specify)
{
	struct batch *batch = new_batch();
	int fds[2];

	connect_pair(AF_INET, SOCK_DGRAM, fds);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(mm_send(fds[0], "x", 1, 0), 1);
	ck_assert_int_eq(mm_recv_multimsg(fds[1], 5, batch->messages, MSG_WAITFORONE, NULL), 2);
	assert_fails(mm_recv_multimsg(fds[1], 5, batch->messages, MSG_DONTWAIT, NULL), EAGAIN);
	ck_assert_int_eq(mm_send(fds[0], "x", 1, 0), 1);
	ck_assert_int_eq(mm_recv_multimsg(fds[1], 5, batch->messages, MSG_DONTWAIT, NULL), 1);
	set_int_option(fds[1], SOL_SOCKET, SO_RCVTIMEO, 30);
	assert_fails(mm_recv_multimsg(fds[1], 5, batch->messages, MSG_WAITFORONE, NULL), EAGAIN);
	ck_assert_int_eq(mm_send(fds[0], "x", 1, 0), 1);
	ck_assert_int_eq(mm_recv_multimsg(fds[1], 5, batch->messages, 0, NULL), 1);
	close_all(2, fds);
	free(batch);
}
END_TEST

START_TEST(timeout_is_checked_after_each_message)
{
	struct batch *batch = new_batch();
	struct mm_timespec none = {0, 0}, long_time = {.tv_sec = 1000}, wrong[] = {{0, 1000000000}, {-1, 0}, {0, -1}};
	int fds[2];

	connect_pair(AF_INET, SOCK_DGRAM, fds);
	for (int i = 0; i < MM_NELEM(wrong); i++)
		assert_fails(mm_recv_multimsg(fds[1], 2, batch->messages, 0, &wrong[i]), EINVAL);
	/* No time is left after the first. */
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(mm_send(fds[0], "x", 1, 0), 1);
	ck_assert_int_eq(mm_recv_multimsg(fds[1], 2, batch->messages, 0, &none), 1);
	/* The remaining time is returned. */
	ck_assert_int_eq(mm_recv_multimsg(fds[1], 2, batch->messages, 0, &long_time), 2);
	ck_assert_int_lt(long_time.tv_sec, 1000);
	ck_assert_int_ge(long_time.tv_sec, 900);
	/*
	 * If no message arrives, only the timeout of the socket ends the wait, and the remaining time is not returned.
	 */
	set_int_option(fds[1], SOL_SOCKET, SO_RCVTIMEO, 30);
	long_time = (struct mm_timespec){.tv_sec = 1000};
	assert_fails(mm_recv_multimsg(fds[1], 2, batch->messages, 0, &long_time), EAGAIN);
	ck_assert_int_eq(long_time.tv_sec, 1000);
	close_all(2, fds);
	free(batch);
}
END_TEST

START_TEST(end_of_stream_fills_the_remaining_messages)
{
	struct batch *batch = new_batch();
	int fds[2];

	ck_assert_int_eq(mm_ipc_connected_pair(fds), 0);
	ck_assert_int_eq(mm_send(fds[0], "xy", 2, 0), 2);
	close_all(1, &fds[0]);
	ck_assert_int_eq(mm_recv_multimsg(fds[1], 3, batch->messages, 0, NULL), 3);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(batch->messages[i].datalen, i == 0 ? 2 : 0);
	close_all(1, &fds[1]);
	free(batch);
}
END_TEST

START_TEST(failure_after_the_first_message_is_reported_by_the_next_call)
{
	static struct iovec too_many[1025];
	struct batch *batch = new_batch();
	int fds[2];

	connect_pair(AF_INET, SOCK_DGRAM, fds);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(mm_send(fds[0], "x", 1, 0), 1);
	batch->messages[1].msg.msg_iov = too_many;
	batch->messages[1].msg.msg_iovlen = MM_NELEM(too_many);
	ck_assert_int_eq(mm_recv_multimsg(fds[1], 3, batch->messages, 0, NULL), 1);
	assert_fails(mm_recv_multimsg(fds[1], 1, batch->messages, 0, NULL), EMSGSIZE);
	ck_assert_int_eq(mm_recv_multimsg(fds[1], 1, batch->messages, 0, NULL), 1);
	ck_assert_int_eq(drain(fds[1]), 1);
	close_all(2, fds);
	free(batch);
}
END_TEST

START_TEST(pending_socket_error_is_reported_first)
{
	struct batch *batch = new_batch();
	int fds[2];

	connect_pair(AF_INET, SOCK_DGRAM, fds);
	close_all(1, &fds[0]);
	ck_assert_int_eq(mm_send(fds[1], "x", 1, 0), 1);
	assert_fails(mm_recv_multimsg(fds[1], 2, batch->messages, 0, NULL), ECONNREFUSED);
	assert_fails(mm_recv_multimsg(fds[1], 2, batch->messages, MSG_DONTWAIT, NULL), EAGAIN);
	close_all(1, &fds[1]);
	free(batch);
}
END_TEST

START_TEST(invalid_message_addresses_are_efault)
{
	struct batch *batch = new_batch();
	char byte;
	int fds[2];

	connect_pair(AF_INET, SOCK_DGRAM, fds);
	for (int i = 0; i < 2; i++) {
		batch->iovs[0].iov_base = nowhere(i);
		assert_fails_on_bad_memory(mm_send_multimsg(fds[0], 1, batch->messages, 0), EFAULT);
		ck_assert_int_eq(mm_send(fds[0], "x", 1, 0), 1);
		assert_fails_on_bad_memory(mm_recv_multimsg(fds[1], 1, batch->messages, 0, NULL), EFAULT);
		/* Instrumentation accesses the messages itself. */
		if (is_instrumented())
			continue;
		assert_fails(mm_send_multimsg(fds[0], 1, nowhere(i), 0), EFAULT);
		ck_assert_int_eq(mm_send(fds[0], "x", 1, 0), 1);
		assert_fails(mm_recv_multimsg(fds[1], 1, nowhere(i), 0, NULL), EFAULT);
		if (i == 1)
			assert_fails(mm_recv_multimsg(fds[1], 1, batch->messages, 0, nowhere(i)), EFAULT);
		ck_assert_int_eq(mm_recv(fds[1], &byte, 1, 0), 1);
	}
	close_all(2, fds);
	free(batch);
}
END_TEST

SUITE(several_messages_are_sent_and_received_in_one_call, each_message_has_its_own_address,
      negative_number_of_messages_is_rejected, zero_messages_return_zero, more_than_1024_messages_are_sent_as_1024,
      more_than_1024_messages_are_received_as_1024, message_that_cannot_be_sent_ends_the_batch,
      receive_waits_as_its_flags_specify, timeout_is_checked_after_each_message,
      end_of_stream_fills_the_remaining_messages, failure_after_the_first_message_is_reported_by_the_next_call,
      pending_socket_error_is_reported_first, invalid_message_addresses_are_efault)
