/* SPDX-License-Identifier: Apache-2.0 */
/*
 * python.c: streams and datagrams, with an independent peer
 */
#include "loopback.h"

static const struct kind {
	int family, type;
	const char *family_name, *type_name;
} kinds[] = {{AF_INET, SOCK_STREAM, "inet", "stream"},
             {AF_INET, SOCK_DGRAM, "inet", "datagram"},
             {AF_INET6, SOCK_STREAM, "inet6", "stream"},
             {AF_INET6, SOCK_DGRAM, "inet6", "datagram"}};

static char *const peer = SOURCE_DIR "/tests-c/net/peer.py";

/* Reads single bytes up to and including the end of a line; returns its length. */
static size_t receive_line(int fd, char *line, size_t capacity)
{
	size_t length = 0;

	do {
		ck_assert_uint_lt(length, capacity);
		ck_assert_int_eq(mm_read(fd, &line[length], 1), 1);
	} while (line[length++] != '\n');
	return length;
}

static void reverse(char *data, size_t length)
{
	for (size_t i = 0; i < length / 2; i++) {
		char byte = data[i];

		data[i] = data[length - 1 - i];
		data[length - 1 - i] = byte;
	}
}

/* A server in Python, and the port that it printed. */
static mm_pid_t start_server(const struct kind *kind, int *port)
{
	char *argv[] = {"python3", peer, "server", (char *)kind->family_name, (char *)kind->type_name, NULL},
	     text[16] = "";
	mm_pid_t pid;
	int ends[2];

	ck_assert_int_eq(mm_pipe(ends), 0);
	ck_assert_int_eq(mm_spawn(&pid, "python3", 1, &(struct mm_remap_fd){1, ends[1]}, 0, argv, NULL), 0);
	close_all(1, &ends[1]);
	receive_line(ends[0], text, sizeof(text));
	close_all(1, &ends[0]);
	*port = atoi(text);
	ck_assert_int_gt(*port, 0);
	return pid;
}

static mm_pid_t start_client(const struct kind *kind, int port)
{
	char port_text[16];
	char *argv[] = {"python3", peer, "client", (char *)kind->family_name, (char *)kind->type_name, port_text, NULL};
	mm_pid_t pid;

	snprintf(port_text, sizeof(port_text), "%d", port);
	ck_assert_int_eq(mm_spawn(&pid, "python3", 0, NULL, 0, argv, NULL), 0);
	return pid;
}

static void assert_succeeds(mm_pid_t pid)
{
	int status;

	ck_assert_int_eq(mm_wait_process(pid, &status), 0);
	ck_assert_int_eq(status, MM_WSTATUS_EXITED);
}

static void ask(const struct kind *kind, int fd)
{
	char answer[64];

	if (kind->type == SOCK_STREAM) {
		struct iovec parts[] = {{"hel", 3}, {"lo\n", 3}};
		struct msghdr msg = {.msg_iov = parts, .msg_iovlen = 2};

		ck_assert_int_eq(mm_sendmsg(fd, &msg, MSG_NOSIGNAL), 6);
		ck_assert_uint_eq(receive_line(fd, answer, sizeof(answer)), 6);
		ck_assert_mem_eq(answer, "olleh\n", 6);
		ck_assert_int_eq(mm_shutdown(fd, SHUT_WR), 0);
		ck_assert_int_eq(mm_recv(fd, answer, sizeof(answer), 0), 0);
		return;
	}
	ck_assert_int_eq(mm_send(fd, "hello", 5, 0), 5);
	ck_assert_int_eq(mm_recv(fd, answer, sizeof(answer), 0), 5);
	ck_assert_mem_eq(answer, "olleh", 5);
	ck_assert_int_eq(mm_send(fd, NULL, 0, 0), 0);
	ck_assert_int_eq(mm_recv(fd, answer, sizeof(answer), 0), 0);
}

START_TEST(client_communicates_with_a_python_server)
{
	for (int i = 0; i < MM_NELEM(kinds); i++) {
		const struct kind *kind = &kinds[i];
		char uri[64];
		int port;

		if (!has_family(kind->family))
			continue;
		mm_pid_t server = start_server(kind, &port);
		bool is_v4 = kind->family == AF_INET;

		snprintf(uri, sizeof(uri), "%s://%s:%d", kind->type == SOCK_STREAM ? "tcp" : "udp",
		         is_v4 ? "127.0.0.1" : "[::1]", port);
		int fd = mm_create_sockclient(uri);

		ck_assert_msg(fd >= 0, "%s: %s", uri, mm_get_lasterror_desc());
		ask(kind, fd);
		close_all(1, &fd);
		assert_succeeds(server);
	}
}
END_TEST

/* Sends each line back reversed, until the end of the stream. */
static void answer_stream(int listener)
{
	static char line[9000];
	int fd = mm_accept(listener, NULL, NULL);
	struct mm_pollfd waiting = {.fd = fd, .events = POLLIN};

	ck_assert_int_ge(fd, 0);
	while (mm_poll(&waiting, 1, 20000) == 1 && mm_recv(fd, line, 1, MSG_PEEK) == 1) {
		size_t length = receive_line(fd, line, sizeof(line));

		reverse(line, length - 1);
		ck_assert_int_eq(mm_send(fd, line, length, MSG_NOSIGNAL), length);
	}
	close_all(1, &fd);
}

/* Sends each datagram back reversed, until an empty one. */
static void answer_datagrams(int fd)
{
	static char data[9000];
	ssize_t length;

	do {
		struct sockaddr_storage sender;
		struct iovec iov = {data, sizeof(data)};
		struct msghdr msg = {
			.msg_iov = &iov, .msg_iovlen = 1, .msg_name = &sender, .msg_namelen = sizeof(sender)};

		length = mm_recvmsg(fd, &msg, 0);
		ck_assert_int_ge(length, 0);
		reverse(data, (size_t)length);
		iov.iov_len = (size_t)length;
		ck_assert_int_eq(mm_sendmsg(fd, &msg, 0), length);
	} while (length > 0);
}

START_TEST(server_communicates_with_a_python_client)
{
	for (int i = 0; i < MM_NELEM(kinds); i++) {
		const struct kind *kind = &kinds[i];
		bool is_stream = kind->type == SOCK_STREAM;
		struct address address;

		if (!has_family(kind->family))
			continue;
		int fd = is_stream ? listening_socket(kind->family, 1, &address)
		                   : bound_socket(kind->family, SOCK_DGRAM, &address);
		mm_pid_t client = start_client(kind, port_of(&address));

		if (is_stream)
			answer_stream(fd);
		else
			answer_datagrams(fd);
		close_all(1, &fd);
		assert_succeeds(client);
	}
}
END_TEST

SUITE(client_communicates_with_a_python_server, server_communicates_with_a_python_client)
