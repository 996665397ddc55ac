/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scenarios_socket.c: the banner 'Network communication'
 */
#include "scenario.h"
#include "shim.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

static struct sockaddr_in loopback = {.sin_family = AF_INET};
static socklen_t loopback_size = sizeof(loopback);

static int new_socket(int type)
{
	int fd = socket(AF_INET, type, 0);

	require(fd >= 0);
	loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	loopback.sin_port = 0;
	return fd;
}

/* A socket that is bound, and listens if its type permits. */
static int bound_socket(int type)
{
	int fd = new_socket(type);

	require(bind(fd, (struct sockaddr *)&loopback, loopback_size) == 0);
	require(type == SOCK_DGRAM || listen(fd, 5) == 0);
	require(getsockname(fd, (struct sockaddr *)&loopback, &loopback_size) == 0);
	return fd;
}

static int connected_socket(int type)
{
	int fd = socket(AF_INET, type, 0);

	require(fd >= 0 && connect(fd, (struct sockaddr *)&loopback, loopback_size) == 0);
	return fd;
}

/* --- addresses and connections ------------------------------------------------------------------------------------ */

static void socket_creates(void)
{
	int fd;

	if (TRY(fd, mm_socket(AF_INET, SOCK_DGRAM, 0)))
		close(fd);
}

static void bind_binds(void)
{
	int fd = new_socket(SOCK_DGRAM), result;

	TRY(result, mm_bind(fd, (struct sockaddr *)&loopback, loopback_size));
	close(fd);
}

static void getsockname_tells(void)
{
	int fd = bound_socket(SOCK_DGRAM), result;
	struct sockaddr_in name = {0};
	socklen_t size = sizeof(name);

	if (TRY(result, mm_getsockname(fd, (struct sockaddr *)&name, &size)))
		require(name.sin_port == loopback.sin_port);
	close(fd);
}

static void getpeername_tells(void)
{
	int listener = bound_socket(SOCK_DGRAM), fd = connected_socket(SOCK_DGRAM), result;
	struct sockaddr_in name = {0};
	socklen_t size = sizeof(name);

	if (TRY(result, mm_getpeername(fd, (struct sockaddr *)&name, &size)))
		require(name.sin_port == loopback.sin_port);
	close(fd);
	close(listener);
}

static void listen_listens(void)
{
	int fd = new_socket(SOCK_STREAM), result;

	TRY(result, mm_listen(fd, 5));
	close(fd);
}

static void accept_accepts(void)
{
	int listener = bound_socket(SOCK_STREAM), client = connected_socket(SOCK_STREAM), fd;

	if (TRY(fd, mm_accept(listener, NULL, NULL)))
		close(fd);
	close(client);
	close(listener);
}

static void connect_connects(void)
{
	int listener = bound_socket(SOCK_STREAM), fd = socket(AF_INET, SOCK_STREAM, 0), result;

	TRY(result, mm_connect(fd, (struct sockaddr *)&loopback, loopback_size));
	close(fd);
	close(listener);
}

static void shutdown_ends(void)
{
	int listener = bound_socket(SOCK_DGRAM), fd = connected_socket(SOCK_DGRAM), result;

	TRY(result, mm_shutdown(fd, SHUT_RD));
	close(fd);
	close(listener);
}

/* --- options ------------------------------------------------------------------------------------------------------ */

static void setsockopt_of(int name)
{
	int fd = new_socket(SOCK_STREAM), value = 1, result;

	TRY(result, mm_setsockopt(fd, SOL_SOCKET, name, &value, sizeof(value)));
	close(fd);
}

static void setsockopt_of_a_number(void)
{
	setsockopt_of(SO_KEEPALIVE);
}

static void setsockopt_of_a_timeout(void)
{
	setsockopt_of(SO_RCVTIMEO);
}

static void getsockopt_of(int name, socklen_t size)
{
	int fd = new_socket(SOCK_STREAM), result;
	char value[32];

	TRY(result, mm_getsockopt(fd, SOL_SOCKET, name, value, &size));
	close(fd);
}

static void getsockopt_of_a_number(void)
{
	getsockopt_of(SO_TYPE, sizeof(int));
}

static void getsockopt_of_a_timeout(void)
{
	getsockopt_of(SO_RCVTIMEO, sizeof(int));
}

static void getsockopt_with_large_capacity(void)
{
	getsockopt_of(SO_TYPE, 32);
}

/* --- messages ----------------------------------------------------------------------------------------------------- */

static char text[16] = "fifteen letters";
static struct iovec text_buffer = {.iov_base = text, .iov_len = sizeof(text)};
static struct msghdr header = {.msg_iov = &text_buffer, .msg_iovlen = 1};

static void make_pair(int fds[2])
{
	require(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
	require(send(fds[1], text, sizeof(text), 0) == sizeof(text));
}

static void close_pair(const int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

#define MESSAGE_SCENARIO(name, call)                   \
	static void name(void)                         \
	{                                              \
		ssize_t size;                          \
		int fds[2];                            \
		make_pair(fds);                        \
		if (TRY(size, call))                   \
			require(size == sizeof(text)); \
		close_pair(fds);                       \
	}

MESSAGE_SCENARIO(send_sends, mm_send(fds[0], text, sizeof(text), 0))
MESSAGE_SCENARIO(recv_receives, mm_recv(fds[0], text, sizeof(text), 0))
MESSAGE_SCENARIO(sendmsg_sends, mm_sendmsg(fds[0], &header, 0))
MESSAGE_SCENARIO(recvmsg_receives, mm_recvmsg(fds[0], &header, 0))

static void send_multimsg_sends(void)
{
	struct mm_sock_multimsg messages[2] = {{.msg = header}, {.msg = header}};
	int fds[2], count;

	make_pair(fds);
	if (TRY(count, mm_send_multimsg(fds[0], 2, messages, 0)))
		require(count == 2);
	close_pair(fds);
}

static void recv_multimsg_receives(void)
{
	struct mm_sock_multimsg messages[1] = {{.msg = header}};
	int fds[2], count;

	make_pair(fds);
	if (TRY(count, mm_recv_multimsg(fds[0], 1, messages, 0, NULL)))
		require(count == 1);
	close_pair(fds);
}

static void poll_waits(void)
{
	struct mm_pollfd entry = {.events = POLLIN};
	int fds[2], count;

	make_pair(fds);
	entry.fd = fds[0];
	if (TRY(count, mm_poll(&entry, 1, 0)))
		require(count == 1);
	close_pair(fds);
}

/* --- names -------------------------------------------------------------------------------------------------------- */

static void getaddrinfo_resolves(void)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, *list;
	int result;

	if (TRY(result, mm_getaddrinfo("127.0.0.1", "9", &hints, &list)))
		mm_freeaddrinfo(list);
}

static void getnameinfo_tells(void)
{
	char host[64];
	int result;

	close(new_socket(SOCK_DGRAM));
	if (TRY(result, mm_getnameinfo((struct sockaddr *)&loopback, loopback_size, host, sizeof(host), NULL, 0,
	                               NI_NUMERICHOST)))
		require(strcmp(host, "127.0.0.1") == 0);
}

static void freeaddrinfo_releases(void)
{
	struct addrinfo *list;

	require(mm_getaddrinfo("127.0.0.1", NULL, NULL, &list) == 0);
	TRY_VOID(mm_freeaddrinfo(list));
}

static void sockclient_of(const char *scheme, int type)
{
	int listener = bound_socket(type), fd;
	char uri[64];

	snprintf(uri, sizeof(uri), "%s://127.0.0.1:%d/", scheme, ntohs(loopback.sin_port));
	if (TRY(fd, mm_create_sockclient(uri)))
		close(fd);
	close(listener);
}

static void sockclient_of_a_stream(void)
{
	sockclient_of("tcp", SOCK_STREAM);
}

static void sockclient_of_datagrams(void)
{
	sockclient_of("udp", SOCK_DGRAM);
}

/* Several addresses: if the first refuses, the second may accept. */
static void sockclient_of_a_service(void)
{
	shim_double_addresses(true);
	sockclient_of("domain", SOCK_STREAM);
	shim_double_addresses(false);
}

/* One address of a service that also has datagrams: no datagram socket hides a failure. */
static void sockclient_of_a_stream_service(void)
{
	sockclient_of("domain", SOCK_STREAM);
}

const struct scenario socket_scenarios[] = {
	{"mm_socket", "datagrams", socket_creates},
	{"mm_bind", "loopback", bind_binds},
	{"mm_getsockname", "loopback", getsockname_tells},
	{"mm_getpeername", "loopback", getpeername_tells},
	{"mm_listen", "stream", listen_listens},
	{"mm_accept", "stream", accept_accepts},
	{"mm_connect", "stream", connect_connects},
	{"mm_shutdown", "datagrams", shutdown_ends},
	{"mm_setsockopt", "number", setsockopt_of_a_number},
	{"mm_setsockopt", "timeout", setsockopt_of_a_timeout},
	{"mm_getsockopt", "number", getsockopt_of_a_number},
	{"mm_getsockopt", "timeout", getsockopt_of_a_timeout},
	{"mm_getsockopt", "large_capacity", getsockopt_with_large_capacity},
	{"mm_send", "datagram", send_sends},
	{"mm_recv", "datagram", recv_receives},
	{"mm_sendmsg", "datagram", sendmsg_sends},
	{"mm_recvmsg", "datagram", recvmsg_receives},
	{"mm_send_multimsg", "two", send_multimsg_sends},
	{"mm_recv_multimsg", "one", recv_multimsg_receives},
	{"mm_poll", "datagram", poll_waits},
	{"mm_getaddrinfo", "number", getaddrinfo_resolves},
	{"mm_getnameinfo", "number", getnameinfo_tells},
	{"mm_freeaddrinfo", "list", freeaddrinfo_releases},
	{"mm_create_sockclient", "tcp", sockclient_of_a_stream},
	{"mm_create_sockclient", "udp", sockclient_of_datagrams},
	{"mm_create_sockclient", "service", sockclient_of_a_service},
	{"mm_create_sockclient", "one_address", sockclient_of_a_stream_service},
	{NULL},
};
