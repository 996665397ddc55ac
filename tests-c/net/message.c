/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.c: sending and receiving, over the network and through IPC endpoints
 */
#include "loopback.h"

#include <limits.h>

/*
 * The call must succeed until the buffer is full, which a stream may report several times, and then fail with that
 * error.
 */
#define assert_fails_at_last(call, error)         \
	do {                                      \
		suite_forget_error();             \
		while ((call) > 0)                \
			;                         \
		suite_assert_error(#call, error); \
	} while (0)

static volatile sig_atomic_t broken_pipes;

static void count_broken_pipe(int signum)
{
	(void)signum;
	broken_pipes++;
}

START_TEST(bytes_are_received_as_sent)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
	static char data[8192], result[8193];

	FOR_EACH_FAMILY(family) {
		for (int t = 0; t < MM_NELEM(types); t++) {
			uint32_t state = 7;
			int fds[2];

			connect_pair(family, types[t], fds);
			for (int i = 0; i < 200; i++) {
				size_t size = 1 + next_random(&state) % sizeof(data);

				memset(data, i, size);
				memset(result, ~i, sizeof(result));
				ck_assert_int_eq(mm_send(fds[i & 1], data, size, 0), (ssize_t)size);
				/* A stream must be told how many bytes to wait for. */
				ck_assert_int_eq(mm_recv(fds[!(i & 1)], result,
				                         types[t] == SOCK_STREAM ? size : sizeof(result), MSG_WAITALL),
				                 (ssize_t)size);
				ck_assert_mem_eq(result, data, size);
				ck_assert_int_eq(result[size], (char)~i);
			}
			close_all(2, fds);
		}
	}
}
END_TEST

START_TEST(stream_receive_returns_available_data)
{
	int fds[2];
	char text[8];

	connect_pair(AF_INET, SOCK_STREAM, fds);
	ck_assert_int_eq(mm_send(fds[0], "hello", 5, 0), 5);
	ck_assert_int_eq(mm_recv(fds[1], text, 2, MSG_PEEK), 2);
	ck_assert_int_eq(mm_recv(fds[1], text, 2, 0), 2);
	ck_assert_mem_eq(text, "he", 2);
	ck_assert_int_eq(mm_recv(fds[1], text, sizeof(text), 0), 3);
	ck_assert_mem_eq(text, "llo", 3);
	close_all(1, &fds[0]);
	ck_assert_int_eq(mm_recv(fds[1], text, sizeof(text), 0), 0);
	ck_assert_int_eq(mm_recv(fds[1], text, sizeof(text), 0), 0);
	close_all(1, &fds[1]);
}
END_TEST

START_TEST(read_and_write_act_as_receive_and_send)
{
	int fds[2];
	char text[8];

	connect_pair(AF_INET, SOCK_DGRAM, fds);
	ck_assert_int_eq(mm_write(fds[0], "hello", 5), 5);
	ck_assert_int_eq(mm_recv(fds[1], text, sizeof(text), 0), 5);
	ck_assert_int_eq(mm_send(fds[1], "hi", 2, 0), 2);
	ck_assert_int_eq(mm_read(fds[0], text, sizeof(text)), 2);
	close_all(2, fds);
}
END_TEST

START_TEST(datagram_is_truncated_and_can_report_its_size)
{
	int fds[2];
	char text[3] = "";

	connect_pair(AF_INET, SOCK_DGRAM, fds);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(mm_send(fds[0], "hello", 5, 0), 5);
	ck_assert_int_eq(mm_recv(fds[1], text, 2, 0), 2);
	ck_assert_int_eq(mm_recv(fds[1], text, 2, MSG_TRUNC), 5);
	ck_assert_str_eq(text, "he");

	struct iovec iov = {text, 2};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	ck_assert_int_eq(mm_recvmsg(fds[1], &msg, 0), 2);
	ck_assert_int_eq(msg.msg_flags, MSG_TRUNC);
	close_all(2, fds);
}
END_TEST

START_TEST(empty_datagram_has_the_address_of_its_sender)
{
	FOR_EACH_FAMILY(family) {
		struct address server, client, sender;
		int fds[2] = {bound_socket(family, SOCK_DGRAM, &server), bound_socket(family, SOCK_DGRAM, &client)};
		struct msghdr msg = {.msg_name = &sender.any, .msg_namelen = sizeof(sender.storage), .msg_flags = -1};
		char byte;

		ck_assert_int_eq(mm_connect(fds[1], &server.any, server.size), 0);
		ck_assert_int_eq(mm_send(fds[1], NULL, 0, 0), 0);
		ck_assert_int_eq(mm_recvmsg(fds[0], &msg, 0), 0);
		ck_assert_int_eq(msg.msg_flags, 0);
		ck_assert_uint_eq(msg.msg_namelen, client.size);
		ck_assert_mem_eq(&sender, &client, client.size);

		/* The answer uses that address. */
		struct iovec iov = {"x", 1};

		msg = (struct msghdr){
			.msg_name = &sender.any, .msg_namelen = client.size, .msg_iov = &iov, .msg_iovlen = 1};
		ck_assert_int_eq(mm_sendmsg(fds[0], &msg, 0), 1);
		ck_assert_int_eq(mm_recv(fds[1], &byte, 1, 0), 1);
		close_all(2, fds);
	}
}
END_TEST

START_TEST(buffers_are_gathered_and_scattered)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
	static char data[8192], result[8192];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7);
	FOR_EACH_FAMILY(family) {
		for (int t = 0; t < MM_NELEM(types); t++) {
			uint32_t state = 3;
			int fds[2];

			connect_pair(family, types[t], fds);
			for (int round = 0; round < 50; round++) {
				struct iovec out[8], in[8];
				size_t sizes[2] = {0, 0};

				/* Some of the buffers are empty. */
				for (int i = 0; i < 8; i++) {
					out[i] = (struct iovec){data + sizes[0], next_random(&state) % 4
					                                                 ? next_random(&state) % 1000
					                                                 : 0};
					in[i] = (struct iovec){result + sizes[1], i == 7 ? sizeof(result) - sizes[1]
					                                                 : next_random(&state) % 1000};
					sizes[0] += out[i].iov_len;
					sizes[1] += in[i].iov_len;
				}
				struct msghdr msg = {.msg_iov = out, .msg_iovlen = 8};

				memset(result, 0, sizeof(result));
				ck_assert_int_eq(mm_sendmsg(fds[0], &msg, 0), (ssize_t)sizes[0]);
				if (types[t] == SOCK_STREAM && sizes[0] == 0)
					continue;
				msg.msg_iov = in;
				ck_assert_int_eq(mm_recvmsg(fds[1], &msg, 0), (ssize_t)sizes[0]);
				ck_assert_mem_eq(result, data, sizes[0]);
			}
			close_all(2, fds);
		}
	}
}
END_TEST

START_TEST(messages_and_buffer_counts_have_a_maximum)
{
	static char data[70000];
	static struct iovec iov[1025];
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 1025};
	int fds[2];

	connect_pair(AF_INET, SOCK_DGRAM, fds);
	assert_fails(mm_send(fds[0], data, sizeof(data), 0), EMSGSIZE);
	assert_fails(mm_sendmsg(fds[0], &msg, 0), EMSGSIZE);
	assert_fails(mm_recvmsg(fds[0], &msg, MSG_DONTWAIT), EMSGSIZE);
	close_all(2, fds);
}
END_TEST

START_TEST(out_of_band_data_is_received_with_its_flag)
{
	int fds[2];
	char byte = 0;

	connect_pair(AF_INET, SOCK_STREAM, fds);
	assert_fails(mm_recv(fds[1], &byte, 1, MSG_OOB), EINVAL);
	ck_assert_int_eq(mm_send(fds[0], "!", 1, MSG_OOB), 1);
	ck_assert_int_eq(wait_for(fds[1], POLLPRI), POLLPRI);
	ck_assert_int_eq(mm_recv(fds[1], &byte, 1, MSG_OOB), 1);
	ck_assert_int_eq(byte, '!');
	close_all(2, fds);
}
END_TEST

START_TEST(broken_stream_raises_a_signal_unless_suppressed)
{
	struct sigaction action = {.sa_handler = count_broken_pipe};
	struct iovec iov = {"x", 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct mm_sock_multimsg multimsg = {.msg = msg};
	int fds[2];

	ck_assert_int_eq(sigaction(SIGPIPE, &action, NULL), 0);
	connect_pair(AF_INET, SOCK_STREAM, fds);
	ck_assert_int_eq(mm_shutdown(fds[0], SHUT_WR), 0);
	assert_fails(mm_send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	assert_fails(mm_sendmsg(fds[0], &msg, MSG_NOSIGNAL), EPIPE);
	assert_fails(mm_send_multimsg(fds[0], 1, &multimsg, MSG_NOSIGNAL), EPIPE);
	ck_assert_int_eq(broken_pipes, 0);
	assert_fails(mm_send(fds[0], "x", 1, 0), EPIPE);
	ck_assert_int_eq(broken_pipes, 1);
	assert_fails(mm_sendmsg(fds[0], &msg, 0), EPIPE);
	ck_assert_int_eq(broken_pipes, 2);
	assert_fails(mm_send_multimsg(fds[0], 1, &multimsg, 0), EPIPE);
	ck_assert_int_eq(broken_pipes, 3);
	close_all(2, fds);
	fds[0] = mm_socket(AF_INET, SOCK_STREAM, 0);
	assert_fails(mm_send(fds[0], "x", 1, 0), EPIPE);
	ck_assert_int_eq(broken_pipes, 4);
	close_all(1, fds);
}
END_TEST

START_TEST(reset_connection_is_reported_once)
{
	FOR_EACH_FAMILY(family) {
		/* With a linger time of zero, close() resets the connection. */
		struct linger none = {.l_onoff = 1};
		int fds[2];
		char byte;

		connect_pair(family, SOCK_STREAM, fds);
		ck_assert_int_eq(mm_setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &none, sizeof(none)), 0);
		close_all(1, &fds[0]);
		ck_assert_int_ne(wait_for(fds[1], POLLIN) & POLLHUP, 0);
		assert_fails(mm_recv(fds[1], &byte, 1, 0), ECONNRESET);
		ck_assert_int_eq(mm_recv(fds[1], &byte, 1, 0), 0);
		assert_fails(mm_send(fds[1], "x", 1, MSG_NOSIGNAL), EPIPE);
		close_all(1, &fds[1]);
	}
}
END_TEST

START_TEST(peer_that_closes_with_unread_data_resets)
{
	int fds[2];
	char byte;

	connect_pair(AF_INET, SOCK_STREAM, fds);
	ck_assert_int_eq(mm_send(fds[1], "unread", 6, 0), 6);
	wait_for(fds[0], POLLIN);
	close_all(1, &fds[0]);
	assert_fails(mm_recv(fds[1], &byte, 1, 0), ECONNRESET);
	close_all(1, &fds[1]);
}
END_TEST

START_TEST(datagram_without_a_receiver_is_reported_by_the_next_call)
{
	FOR_EACH_FAMILY(family) {
		int fds[2];
		char byte;

		connect_pair(family, SOCK_DGRAM, fds);
		close_all(1, &fds[0]);
		ck_assert_int_eq(mm_send(fds[1], "x", 1, 0), 1);
		assert_fails(mm_recv(fds[1], &byte, 1, 0), ECONNREFUSED);
		ck_assert_int_eq(mm_send(fds[1], "x", 1, 0), 1);
		wait_for(fds[1], POLLIN);
		assert_fails(mm_send(fds[1], "x", 1, 0), ECONNREFUSED);
		close_all(1, &fds[1]);
	}
}
END_TEST

START_TEST(non_blocking_calls_fail_without_data_or_buffer_space)
{
	static char data[1 << 16];
	struct iovec iov = {data, sizeof(data)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct mm_sock_multimsg multimsg = {.msg = msg};
	int fds[2];

	connect_pair(AF_INET, SOCK_STREAM, fds);
	assert_fails(mm_recv(fds[0], data, sizeof(data), MSG_DONTWAIT), EAGAIN);
	assert_fails(mm_recvmsg(fds[0], &msg, MSG_DONTWAIT), EAGAIN);
	assert_fails(mm_recv_multimsg(fds[0], 1, &multimsg, MSG_DONTWAIT, NULL), EAGAIN);
	set_nonblocking(fds[0]);
	assert_fails(mm_recv(fds[0], data, sizeof(data), 0), EAGAIN);
	assert_fails_at_last(mm_send(fds[0], data, sizeof(data), 0), EAGAIN);
	assert_fails_at_last(mm_sendmsg(fds[0], &msg, 0), EAGAIN);
	assert_fails_at_last(mm_send_multimsg(fds[0], 1, &multimsg, 0), EAGAIN);
	close_all(2, fds);
}
END_TEST

START_TEST(signal_interrupts_the_wait_for_data_and_for_buffer_space)
{
	static char data[1 << 16];
	struct iovec iov = {data, sizeof(data)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct mm_sock_multimsg multimsg = {.msg = msg};
	struct mm_pollfd polled;
	int fds[2];

	connect_pair(AF_INET, SOCK_STREAM, fds);
	polled = (struct mm_pollfd){.fd = fds[0], .events = POLLIN};

	pthread_t interrupter = start_interrupting();

	assert_fails(mm_recv(fds[0], data, 1, 0), EINTR);
	assert_fails(mm_recvmsg(fds[0], &msg, 0), EINTR);
	assert_fails(mm_recv_multimsg(fds[0], 1, &multimsg, 0, NULL), EINTR);
	assert_fails(mm_poll(&polled, 1, -1), EINTR);
	assert_fails_at_last(mm_send(fds[0], data, sizeof(data), 0), EINTR);
	assert_fails_at_last(mm_sendmsg(fds[0], &msg, 0), EINTR);
	assert_fails_at_last(mm_send_multimsg(fds[0], 1, &multimsg, 0), EINTR);
	stop_interrupting(interrupter);
	close_all(2, fds);
}
END_TEST

START_TEST(unconnected_sockets_neither_send_nor_receive)
{
	struct iovec iov = {"x", 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	int stream = mm_socket(AF_INET, SOCK_STREAM, 0), datagram = mm_socket(AF_INET, SOCK_DGRAM, 0);
	char byte;

	assert_fails(mm_recv(stream, &byte, 1, 0), ENOTCONN);
	assert_fails(mm_recvmsg(stream, &msg, 0), ENOTCONN);
	assert_fails(mm_send(datagram, "x", 1, 0), EDESTADDRREQ);
	assert_fails(mm_sendmsg(datagram, &msg, 0), EDESTADDRREQ);
	close_all(2, (int[]){stream, datagram});
}
END_TEST

START_TEST(invalid_addresses_are_efault)
{
	char byte;
	int fds[2];

	connect_pair(AF_INET, SOCK_DGRAM, fds);
	for (int i = 0; i < 2; i++) {
		struct iovec iov = {nowhere(i), 1};
		struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

		assert_fails_on_bad_memory(mm_send(fds[0], nowhere(i), 1, 0), EFAULT);
		ck_assert_int_eq(mm_send(fds[0], "x", 1, 0), 1);
		assert_fails_on_bad_memory(mm_recv(fds[1], nowhere(i), 1, 0), EFAULT);
		assert_fails_on_bad_memory(mm_sendmsg(fds[0], &msg, 0), EFAULT);
		ck_assert_int_eq(mm_send(fds[0], "x", 1, 0), 1);
		assert_fails_on_bad_memory(mm_recvmsg(fds[1], &msg, 0), EFAULT);
		/* Instrumentation accesses the message itself. */
		if (is_instrumented())
			continue;
		assert_fails(mm_sendmsg(fds[0], nowhere(i), 0), EFAULT);
		ck_assert_int_eq(mm_send(fds[0], "x", 1, 0), 1);
		assert_fails(mm_recvmsg(fds[1], nowhere(i), 0), EFAULT);
		ck_assert_int_eq(mm_recv(fds[1], &byte, 1, 0), 1);
	}
	assert_fails(mm_recv(fds[1], &byte, 1, MSG_DONTWAIT), EAGAIN);
	close_all(2, fds);
}
END_TEST

/* Sends a descriptor, and receives it with those flags. */
static int pass_descriptor(const int fds[2], int passed, int flags)
{
	union {
		struct cmsghdr header;
		char buffer[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	char byte = 'x';
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	int received;

	memcpy(CMSG_DATA(&control.header), &passed, sizeof(passed));
	ck_assert_int_eq(mm_sendmsg(fds[0], &msg, 0), 1);
	memset(&control, 0, sizeof(control));
	ck_assert_int_eq(mm_recvmsg(fds[1], &msg, flags), 1);
	ck_assert_uint_eq(control.header.cmsg_len, CMSG_LEN(sizeof(int)));
	memcpy(&received, CMSG_DATA(&control.header), sizeof(received));
	return received;
}

START_TEST(received_descriptors_follow_the_flags)
{
	int fds[2], received;

	ck_assert_int_eq(mm_ipc_connected_pair(fds), 0);
	received = pass_descriptor(fds, STDIN_FILENO, 0);
	ck_assert_int_eq(fcntl(received, F_GETFD), 0);
	close_all(1, &received);
	received = pass_descriptor(fds, STDIN_FILENO, MSG_CMSG_CLOEXEC);
	ck_assert_int_eq(fcntl(received, F_GETFD), FD_CLOEXEC);
	close_all(3, (int[]){received, fds[0], fds[1]});
}
END_TEST

START_TEST(ipc_endpoints_are_sockets)
{
	int fds[2];
	char text[8];

	ck_assert_int_eq(mm_ipc_connected_pair(fds), 0);
	ck_assert_int_eq(mm_send(fds[0], "hello", 5, 0), 5);
	ck_assert_int_eq(mm_send(fds[0], NULL, 0, 0), 0);
	ck_assert_int_eq(wait_for(fds[1], POLLIN | POLLOUT), POLLIN | POLLOUT);
	ck_assert_int_eq(mm_recv(fds[1], text, 2, MSG_PEEK | MSG_TRUNC), 5);
	ck_assert_int_eq(mm_recv(fds[1], text, sizeof(text), 0), 5);
	ck_assert_mem_eq(text, "hello", 5);
	ck_assert_int_eq(mm_recv(fds[1], text, sizeof(text), 0), 0);
	assert_fails(mm_recv(fds[1], text, sizeof(text), MSG_DONTWAIT), EAGAIN);
	ck_assert_int_eq(int_option(fds[0], SOL_SOCKET, SO_TYPE), SOCK_SEQPACKET);
	ck_assert_int_eq(int_option(fds[0], SOL_SOCKET, SO_DOMAIN), AF_UNIX);
	set_int_option(fds[1], SOL_SOCKET, SO_RCVTIMEO, 40);
	ck_assert_int_ge(int_option(fds[1], SOL_SOCKET, SO_RCVTIMEO), 40);
	assert_fails(mm_recv(fds[1], text, sizeof(text), 0), EAGAIN);

	ck_assert_int_eq(mm_shutdown(fds[0], SHUT_WR), 0);
	ck_assert_int_eq(wait_for(fds[1], POLLIN | POLLRDHUP), POLLIN | POLLRDHUP);
	ck_assert_int_eq(mm_recv(fds[1], text, sizeof(text), 0), 0);
	/* Without a signal, which would end the test. */
	assert_fails(mm_send(fds[0], "x", 1, 0), EPIPE);
	ck_assert_int_eq(mm_send(fds[1], "back", 4, 0), 4);
	ck_assert_int_eq(mm_recv(fds[0], text, sizeof(text), 0), 4);
	close_all(1, &fds[0]);
	ck_assert_int_ne(wait_for(fds[1], POLLIN) & POLLHUP, 0);
	assert_fails(mm_send(fds[1], "x", 1, 0), EPIPE);
	close_all(1, &fds[1]);
}
END_TEST

START_TEST(accepted_ipc_endpoint_is_a_socket)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);
	int client = mm_ipc_connect(name), server = mm_ipc_srv_accept(srv);
	struct ucred peer;
	socklen_t size = sizeof(peer);
	char text[8];

	ck_assert_int_eq(mm_send(client, "hi", 2, 0), 2);
	ck_assert_int_eq(mm_recv(server, text, sizeof(text), 0), 2);
	ck_assert_int_eq(mm_getsockopt(server, SOL_SOCKET, SO_PEERCRED, &peer, &size), 0);
	ck_assert_uint_eq(size, sizeof(peer));
	ck_assert_int_eq(peer.pid, getpid());
	ck_assert_int_eq(mm_shutdown(server, SHUT_RDWR), 0);
	ck_assert_int_eq(mm_recv(client, text, sizeof(text), 0), 0);
	mm_ipc_srv_destroy(srv);
	close_all(2, (int[]){client, server});
}
END_TEST

START_TEST(poll_reports_the_events_of_sockets)
{
	FOR_EACH_FAMILY(family) {
		struct address address;
		int listener = listening_socket(family, 1, &address);
		int datagram = bound_socket(family, SOCK_DGRAM, &address);
		struct mm_pollfd polled[3] = {{.fd = listener, .events = POLLIN | POLLOUT, .revents = 7},
		                              {.fd = datagram, .events = POLLIN | POLLOUT, .revents = 7},
		                              {.fd = -5, .events = POLLIN, .revents = 7}};

		ck_assert_int_eq(mm_poll(polled, 3, 0), 1);
		ck_assert_int_eq(polled[0].revents, 0);
		ck_assert_int_eq(polled[1].revents, POLLOUT);
		ck_assert_int_eq(polled[2].revents, 0);

		int client = mm_socket(family, SOCK_STREAM, 0);

		address.size = sizeof(address.storage);
		ck_assert_int_eq(mm_getsockname(listener, &address.any, &address.size), 0);
		ck_assert_int_eq(mm_connect(client, &address.any, address.size), 0);
		ck_assert_int_eq(wait_for(listener, POLLIN), POLLIN);
		close_all(3, (int[]){listener, datagram, client});
		polled[0].fd = polled[1].fd = listener;
		ck_assert_int_eq(mm_poll(polled, 2, -1), 2);
		ck_assert_int_eq(polled[1].revents, POLLNVAL);
	}
}
END_TEST

SUITE(bytes_are_received_as_sent, stream_receive_returns_available_data, read_and_write_act_as_receive_and_send,
      datagram_is_truncated_and_can_report_its_size, empty_datagram_has_the_address_of_its_sender,
      buffers_are_gathered_and_scattered, messages_and_buffer_counts_have_a_maximum,
      out_of_band_data_is_received_with_its_flag, broken_stream_raises_a_signal_unless_suppressed,
      reset_connection_is_reported_once, peer_that_closes_with_unread_data_resets,
      datagram_without_a_receiver_is_reported_by_the_next_call, non_blocking_calls_fail_without_data_or_buffer_space,
      signal_interrupts_the_wait_for_data_and_for_buffer_space, unconnected_sockets_neither_send_nor_receive,
      invalid_addresses_are_efault, received_descriptors_follow_the_flags, ipc_endpoints_are_sockets,
      accepted_ipc_endpoint_is_a_socket, poll_reports_the_events_of_sockets)
