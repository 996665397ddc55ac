/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socket.c: sockets, their addresses and their connections
 */
#include "loopback.h"

#include <limits.h>
#include <sys/resource.h>
#include <sys/un.h>

/* Prevents further descriptors from being opened. */
static void exhaust_descriptors(struct rlimit *before)
{
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, before), 0);

	int lowest_free = dup(0);

	close(lowest_free);

	struct rlimit limit = {(rlim_t)lowest_free, before->rlim_max};

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void allow_descriptors(const struct rlimit *before)
{
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, before), 0);
}

START_TEST(socket_has_the_requested_properties)
{
	int lowest = dup(0);

	close(lowest);
	FOR_EACH_FAMILY(family) {
		int fd = mm_socket(family, SOCK_STREAM, IPPROTO_TCP);

		ck_assert_int_eq(fd, lowest);
		ck_assert_int_eq(int_option(fd, SOL_SOCKET, SO_DOMAIN), family);
		ck_assert_int_eq(int_option(fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
		ck_assert_int_eq(int_option(fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
		ck_assert_int_eq(fcntl(fd, F_GETFD), 0);
		ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
		close_all(1, &fd);

		fd = mm_socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
		ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
		close_all(1, &fd);
	}
}
END_TEST

START_TEST(unsupported_socket_is_rejected)
{
	struct rlimit before;

	assert_fails(mm_socket(-1, SOCK_STREAM, 0), EAFNOSUPPORT);
	assert_fails(mm_socket(AF_INET, 99, 0), EINVAL);
	assert_fails(mm_socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
	exhaust_descriptors(&before);
	assert_fails(mm_socket(AF_INET, SOCK_STREAM, 0), EMFILE);
	allow_descriptors(&before);
}
END_TEST

static void open_raw_socket(void)
{
	assert_fails(mm_socket(AF_INET, SOCK_RAW, IPPROTO_TCP), EPERM);
}

START_TEST(raw_sockets_require_privileges)
{
	as_ordinary_user(open_raw_socket);
}
END_TEST

START_TEST(address_that_does_not_fit_is_truncated_and_its_size_returned)
{
	FOR_EACH_FAMILY(family) {
		struct address whole, cut;
		int fd = bound_socket(family, SOCK_STREAM, &whole);

		memset(&cut, 0xAA, sizeof(cut));
		cut.size = 4;
		ck_assert_int_eq(mm_getsockname(fd, &cut.any, &cut.size), 0);
		ck_assert_uint_eq(cut.size, whole.size);
		ck_assert_mem_eq(&cut, &whole, 4);
		ck_assert_uint_eq(((unsigned char *)&cut)[4], 0xAA);
		cut.size = 0;
		ck_assert_int_eq(mm_getsockname(fd, &cut.any, &cut.size), 0);
		ck_assert_uint_eq(cut.size, whole.size);
		close_all(1, &fd);
	}
}
END_TEST

START_TEST(address_can_be_bound_once)
{
	FOR_EACH_FAMILY(family) {
		struct address address;
		int first = bound_socket(family, SOCK_STREAM, &address);
		int second = mm_socket(family, SOCK_STREAM, 0);

		assert_fails(mm_bind(second, &address.any, address.size), EADDRINUSE);
		assert_fails(mm_bind(first, &address.any, address.size), EINVAL);
		assert_fails(mm_bind(second, &address.any, 3), EINVAL);
		for (int i = 0; i < 2; i++)
			assert_fails_on_bad_memory(mm_bind(second, nowhere(i), sizeof(struct sockaddr_in)), EFAULT);
		close_all(2, (int[]){first, second});
	}
}
END_TEST

START_TEST(address_of_another_machine_cannot_be_bound)
{
	struct address address = loopback(AF_INET, 0);
	int fd = mm_socket(AF_INET, SOCK_STREAM, 0);

	/* Reserved for documentation. */
	address.v4.sin_addr.s_addr = inet_addr("198.51.100.1");
	assert_fails(mm_bind(fd, &address.any, address.size), EADDRNOTAVAIL);
	address.any.sa_family = AF_APPLETALK;
	assert_fails(mm_bind(fd, &address.any, address.size), EAFNOSUPPORT);
	close_all(1, &fd);
}
END_TEST

START_TEST(connection_reports_both_of_its_addresses)
{
	FOR_EACH_FAMILY(family) {
		struct address server, client, returned;
		int listener = listening_socket(family, 5, &server);
		int fds[2] = {bound_socket(family, SOCK_STREAM, &client)};

		ck_assert_int_eq(mm_connect(fds[0], &server.any, server.size), 0);
		returned.size = sizeof(returned.storage);
		fds[1] = mm_accept(listener, &returned.any, &returned.size);
		ck_assert_int_ge(fds[1], 0);
		ck_assert_uint_eq(returned.size, client.size);
		ck_assert_mem_eq(&returned, &client, client.size);
		returned.size = sizeof(returned.storage);
		ck_assert_int_eq(mm_getpeername(fds[1], &returned.any, &returned.size), 0);
		ck_assert_uint_eq(returned.size, client.size);
		ck_assert_mem_eq(&returned, &client, client.size);
		returned.size = sizeof(returned.storage);
		ck_assert_int_eq(mm_getpeername(fds[0], &returned.any, &returned.size), 0);
		ck_assert_uint_eq(returned.size, server.size);
		ck_assert_mem_eq(&returned, &server, server.size);
		close_all(3, (int[]){listener, fds[0], fds[1]});
	}
}
END_TEST

START_TEST(accepted_socket_is_blocking_and_inheritable)
{
	struct address address;
	int listener = listening_socket(AF_INET, 5, &address), client = mm_socket(AF_INET, SOCK_STREAM, 0), fd;

	set_nonblocking(listener);
	assert_fails(mm_accept(listener, NULL, NULL), EAGAIN);
	ck_assert_int_eq(mm_connect(client, &address.any, address.size), 0);
	wait_for(listener, POLLIN);
	fd = mm_accept(listener, NULL, NULL);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), 0);
	close_all(3, (int[]){listener, client, fd});
}
END_TEST

START_TEST(connection_that_cannot_be_accepted_without_a_free_descriptor_stays_pending)
{
	struct address address;
	struct rlimit before;
	int listener = listening_socket(AF_INET, 5, &address), client = mm_socket(AF_INET, SOCK_STREAM, 0), fd;

	ck_assert_int_eq(mm_connect(client, &address.any, address.size), 0);
	exhaust_descriptors(&before);
	/* valgrind reserves descriptors itself, and would accept and drop the connection. */
	if (!is_under_valgrind())
		assert_fails(mm_accept(listener, NULL, NULL), EMFILE);
	allow_descriptors(&before);
	fd = mm_accept(listener, NULL, NULL);
	ck_assert_int_ge(fd, 0);
	close_all(3, (int[]){listener, client, fd});
}
END_TEST

START_TEST(only_listening_sockets_accept)
{
	struct address address;
	int stream = bound_socket(AF_INET, SOCK_STREAM, &address),
	    datagram = bound_socket(AF_INET, SOCK_DGRAM, &address);

	assert_fails(mm_accept(stream, NULL, NULL), EINVAL);
	assert_fails(mm_accept(datagram, NULL, NULL), EOPNOTSUPP);
	assert_fails(mm_listen(datagram, 5), EOPNOTSUPP);
	close_all(2, (int[]){stream, datagram});
}
END_TEST

START_TEST(accept_with_invalid_address_size_leaves_no_descriptor)
{
	struct address address;
	int listener = listening_socket(AF_INET, 5, &address), client = mm_socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(mm_connect(client, &address.any, address.size), 0);
	assert_fails_on_bad_memory(mm_accept(listener, &address.any, nowhere(0)), EFAULT);
	close_all(2, (int[]){listener, client});
}
END_TEST

START_TEST(accept_waits_until_its_timeout_or_a_signal)
{
	struct address address;
	int listener = listening_socket(AF_INET, 5, &address);
	pthread_t interrupter = start_interrupting();

	assert_fails(mm_accept(listener, NULL, NULL), EINTR);
	stop_interrupting(interrupter);
	set_int_option(listener, SOL_SOCKET, SO_RCVTIMEO, 50);
	assert_fails(mm_accept(listener, NULL, NULL), EAGAIN);
	close_all(1, &listener);
}
END_TEST

START_TEST(any_backlog_accepts_a_connection)
{
	static const int backlogs[] = {INT_MIN, -1, 0, 1, INT_MAX};

	for (int i = 0; i < MM_NELEM(backlogs); i++) {
		struct address address;
		int listener = listening_socket(AF_INET, backlogs[i], &address);
		int fds[2] = {mm_socket(AF_INET, SOCK_STREAM, 0)};

		ck_assert_int_eq(mm_connect(fds[0], &address.any, address.size), 0);
		fds[1] = mm_accept(listener, NULL, NULL);
		ck_assert_int_ge(fds[1], 0);
		close_all(3, (int[]){listener, fds[0], fds[1]});
	}
}
END_TEST

START_TEST(socket_that_listens_without_an_address_gets_a_port)
{
	struct address address = {.size = sizeof(address.storage)};
	int fd = mm_socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(mm_listen(fd, 1), 0);
	ck_assert_int_eq(mm_getsockname(fd, &address.any, &address.size), 0);
	ck_assert_int_ne(port_of(&address), 0);
	close_all(1, &fd);
}
END_TEST

START_TEST(connect_without_a_listener_is_refused)
{
	FOR_EACH_FAMILY(family) {
		struct address address;
		int silent = silent_socket(family, &address), fd = mm_socket(family, SOCK_STREAM, 0);

		assert_fails(mm_connect(fd, &address.any, address.size), ECONNREFUSED);
		assert_fails(mm_connect(fd, &address.any, 3), EINVAL);
		assert_fails(mm_connect(fd, nowhere(0), 0), EINVAL);
		for (int i = 0; i < 2; i++)
			assert_fails_on_bad_memory(mm_connect(fd, nowhere(i), address.size), EFAULT);
		address.any.sa_family = AF_APPLETALK;
		assert_fails(mm_connect(fd, &address.any, address.size), EAFNOSUPPORT);
		close_all(2, (int[]){silent, fd});
	}
}
END_TEST

START_TEST(connected_stream_cannot_be_connected_again)
{
	struct address address;
	int fds[2], listener = listening_socket(AF_INET, 1, &address);

	connect_pair(AF_INET, SOCK_STREAM, fds);
	assert_fails(mm_connect(fds[0], &address.any, address.size), EISCONN);
	close_all(3, (int[]){listener, fds[0], fds[1]});
}
END_TEST

START_TEST(non_blocking_connect_completes_in_the_background)
{
	struct address address;
	int listener = listening_socket(AF_INET, 1, &address);
	int fd = mm_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_fails(mm_connect(fd, &address.any, address.size), EINPROGRESS);
	ck_assert_int_eq(wait_for(fd, POLLOUT), POLLOUT);
	ck_assert_int_eq(int_option(fd, SOL_SOCKET, SO_ERROR), 0);
	close_all(2, (int[]){listener, fd});

	int silent = silent_socket(AF_INET, &address);

	fd = mm_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_fails(mm_connect(fd, &address.any, address.size), EINPROGRESS);
	ck_assert_int_ne(wait_for(fd, POLLOUT) & POLLERR, 0);
	ck_assert_int_eq(int_option(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	close_all(2, (int[]){silent, fd});
}
END_TEST

START_TEST(connect_continues_after_a_signal_or_its_timeout)
{
	struct address address;
	int clients[2], listener = full_listener(AF_INET, &address, clients);
	int fd = mm_socket(AF_INET, SOCK_STREAM, 0);
	pthread_t interrupter = start_interrupting();

	assert_fails(mm_connect(fd, &address.any, address.size), EINTR);
	stop_interrupting(interrupter);
	set_int_option(fd, SOL_SOCKET, SO_SNDTIMEO, 50);
	assert_fails(mm_connect(fd, &address.any, address.size), EALREADY);
	close_all(1, &fd);
	fd = mm_socket(AF_INET, SOCK_STREAM, 0);
	set_int_option(fd, SOL_SOCKET, SO_SNDTIMEO, 50);
	assert_fails(mm_connect(fd, &address.any, address.size), EINPROGRESS);
	set_nonblocking(fd);
	assert_fails(mm_connect(fd, &address.any, address.size), EALREADY);
	close_all(4, (int[]){fd, listener, clients[0], clients[1]});
}
END_TEST

START_TEST(datagram_socket_changes_its_peer_and_disconnects)
{
	FOR_EACH_FAMILY(family) {
		struct address peers[2], returned;
		struct sockaddr none = {.sa_family = AF_UNSPEC};
		int servers[2] = {bound_socket(family, SOCK_DGRAM, &peers[0]),
		                  bound_socket(family, SOCK_DGRAM, &peers[1])};
		int fd = mm_socket(family, SOCK_DGRAM, 0);
		char byte;

		for (int i = 0; i < 2; i++) {
			ck_assert_int_eq(mm_connect(fd, &peers[i].any, peers[i].size), 0);
			returned.size = sizeof(returned.storage);
			ck_assert_int_eq(mm_getpeername(fd, &returned.any, &returned.size), 0);
			ck_assert_int_eq(port_of(&returned), port_of(&peers[i]));
			ck_assert_int_eq(mm_send(fd, "x", 1, 0), 1);
			ck_assert_int_eq(mm_recv(servers[i], &byte, 1, 0), 1);
		}
		ck_assert_int_eq(mm_connect(fd, &none, sizeof(none)), 0);
		assert_fails(mm_getpeername(fd, &returned.any, &returned.size), ENOTCONN);
		assert_fails(mm_send(fd, "x", 1, 0), EDESTADDRREQ);
		close_all(3, (int[]){servers[0], servers[1], fd});
	}
}
END_TEST

START_TEST(each_direction_is_shut_down_separately)
{
	FOR_EACH_FAMILY(family) {
		int fds[2];
		char text[8];

		connect_pair(family, SOCK_STREAM, fds);
		ck_assert_int_eq(mm_send(fds[0], "bye", 3, 0), 3);
		ck_assert_int_eq(mm_shutdown(fds[0], SHUT_WR), 0);
		ck_assert_int_eq(mm_recv(fds[1], text, sizeof(text), MSG_WAITALL), 3);
		ck_assert_int_eq(mm_recv(fds[1], text, sizeof(text), 0), 0);
		ck_assert_int_eq(mm_send(fds[1], "still", 5, 0), 5);
		ck_assert_int_eq(mm_recv(fds[0], text, sizeof(text), 0), 5);
		assert_fails(mm_send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
		ck_assert_int_eq(mm_shutdown(fds[0], SHUT_RD), 0);
		ck_assert_int_eq(mm_recv(fds[0], text, sizeof(text), 0), 0);
		close_all(2, fds);
	}
}
END_TEST

START_TEST(unconnected_socket_cannot_be_shut_down)
{
	struct address address;
	int fd = bound_socket(AF_INET, SOCK_STREAM, &address), fds[2];

	assert_fails(mm_shutdown(fd, SHUT_RDWR), ENOTCONN);
	assert_fails(mm_getpeername(fd, &address.any, &address.size), ENOTCONN);
	connect_pair(AF_INET, SOCK_STREAM, fds);
	assert_fails(mm_shutdown(fds[0], 3), EINVAL);
	assert_fails(mm_shutdown(fds[0], -1), EINVAL);
	close_all(3, (int[]){fd, fds[0], fds[1]});
}
END_TEST

struct waiting {
	int fd;
	pid_t tid;
	ssize_t result;
};

static void *receive(void *arg)
{
	struct waiting *waiting = arg;
	char byte;

	__atomic_store_n(&waiting->tid, thread_id(), __ATOMIC_RELEASE);
	waiting->result = mm_recv(waiting->fd, &byte, 1, 0);
	return NULL;
}

START_TEST(shutdown_releases_a_blocked_receive)
{
	int fds[2];

	connect_pair(AF_INET, SOCK_STREAM, fds);

	struct waiting waiting = {.fd = fds[0], .result = -2};
	pthread_t thread = start_thread(receive, &waiting);

	while (__atomic_load_n(&waiting.tid, __ATOMIC_ACQUIRE) == 0)
		sleep_ms(1);
	wait_until_asleep(waiting.tid);
	ck_assert_int_eq(mm_shutdown(fds[0], SHUT_RDWR), 0);
	join_thread(thread);
	ck_assert_int_eq(waiting.result, 0);
	close_all(2, fds);
}
END_TEST

/* Every function for sockets, with a descriptor that is closed or not a socket. */
static void assert_all_fail(int fd, int error)
{
	struct address address = loopback(AF_INET, 1);
	struct iovec iov = {&address, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct mm_sock_multimsg multimsg = {.msg = msg};
	int value = 1;
	socklen_t size = sizeof(value);

	assert_fails(mm_bind(fd, &address.any, address.size), error);
	assert_fails(mm_getsockname(fd, &address.any, &address.size), error);
	assert_fails(mm_getpeername(fd, &address.any, &address.size), error);
	assert_fails(mm_listen(fd, 1), error);
	assert_fails(mm_accept(fd, &address.any, &address.size), error);
	assert_fails(mm_connect(fd, &address.any, address.size), error);
	assert_fails(mm_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, size), error);
	assert_fails(mm_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &value, size), error);
	assert_fails(mm_getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size), error);
	assert_fails(mm_getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &value, &size), error);
	/* Errors of the descriptor are reported first. */
	assert_fails(mm_getsockopt(fd, SOL_SOCKET, SO_TYPE, NULL, &size), error);
	assert_fails(mm_getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, NULL, &size), error);
	assert_fails(mm_shutdown(fd, SHUT_RD), error);
	assert_fails(mm_send(fd, "x", 1, 0), error);
	assert_fails(mm_recv(fd, &value, 1, 0), error);
	assert_fails(mm_sendmsg(fd, &msg, 0), error);
	assert_fails(mm_recvmsg(fd, &msg, 0), error);
	assert_fails(mm_send_multimsg(fd, 1, &multimsg, 0), error);
	assert_fails(mm_recv_multimsg(fd, 1, &multimsg, 0, NULL), error);
	ck_assert_uint_eq(size, sizeof(value));
}

START_TEST(closed_descriptors_and_other_files_are_rejected)
{
	int closed = mm_socket(AF_INET, SOCK_DGRAM, 0), file = mm_open("/dev/null", O_RDWR, 0), pipes[2];

	ck_assert_int_eq(mm_pipe(pipes), 0);
	close_all(1, &closed);
	assert_all_fail(closed, EBADF);
	assert_all_fail(-1, EBADF);
	assert_all_fail(file, ENOTSOCK);
	assert_all_fail(pipes[0], ENOTSOCK);
	close_all(3, (int[]){file, pipes[0], pipes[1]});
}
END_TEST

START_TEST(invalid_addresses_for_results_are_efault)
{
	struct address address = {.size = sizeof(address.storage)};
	int fds[2];

	connect_pair(AF_INET, SOCK_STREAM, fds);
	for (int i = 0; i < 2; i++) {
		assert_fails_on_bad_memory(mm_getsockname(fds[0], nowhere(i), &address.size), EFAULT);
		assert_fails_on_bad_memory(mm_getpeername(fds[0], nowhere(i), &address.size), EFAULT);
		/* The sanitizer accesses the size itself. */
		if (i > 0 && is_instrumented())
			continue;
		assert_fails_on_bad_memory(mm_getsockname(fds[0], &address.any, nowhere(i)), EFAULT);
		assert_fails_on_bad_memory(mm_getpeername(fds[0], &address.any, nowhere(i)), EFAULT);
	}
	close_all(2, fds);
}
END_TEST

START_TEST(success_leaves_the_error_state_unchanged)
{
	struct address address;
	int fds[2], listener = listening_socket(AF_INET, 1, &address);

	mm_raise_error(MM_EBADFMT, "before");
	connect_pair(AF_INET, SOCK_STREAM, fds);
	ck_assert_int_eq(mm_send(fds[0], "x", 1, 0), 1);
	ck_assert_int_eq(mm_shutdown(fds[0], SHUT_WR), 0);
	close_all(3, (int[]){listener, fds[0], fds[1]});
	ck_assert_int_eq(mm_get_lasterror_number(), MM_EBADFMT);
	ck_assert_str_eq(mm_get_lasterror_desc(), "before");
	ck_assert_int_eq(errno, MM_EBADFMT);
}
END_TEST

SUITE(socket_has_the_requested_properties, unsupported_socket_is_rejected, raw_sockets_require_privileges,
      address_that_does_not_fit_is_truncated_and_its_size_returned, address_can_be_bound_once,
      address_of_another_machine_cannot_be_bound, connection_reports_both_of_its_addresses,
      accepted_socket_is_blocking_and_inheritable,
      connection_that_cannot_be_accepted_without_a_free_descriptor_stays_pending, only_listening_sockets_accept,
      accept_with_invalid_address_size_leaves_no_descriptor, accept_waits_until_its_timeout_or_a_signal,
      any_backlog_accepts_a_connection, socket_that_listens_without_an_address_gets_a_port,
      connect_without_a_listener_is_refused, connected_stream_cannot_be_connected_again,
      non_blocking_connect_completes_in_the_background, connect_continues_after_a_signal_or_its_timeout,
      datagram_socket_changes_its_peer_and_disconnects, each_direction_is_shut_down_separately,
      unconnected_socket_cannot_be_shut_down, shutdown_releases_a_blocked_receive,
      closed_descriptors_and_other_files_are_rejected, invalid_addresses_for_results_are_efault,
      success_leaves_the_error_state_unchanged)
