/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socket.c: calls of the functions for sockets, and of mm_poll()
 */
#include "calls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/un.h>

static struct addrinfo *address_lists[KEPT];

void free_address_lists(void)
{
	for (int i = 0; i < KEPT; i++) {
		mm_freeaddrinfo(address_lists[i]);
		address_lists[i] = NULL;
	}
}

/* --- arguments ---------------------------------------------------------------------------------------------------- */

/* An address of this machine only. */
static struct sockaddr *take_address(struct input *in, socklen_t *size)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	uint16_t port = htons(take_chance(in, 4) ? 9 : 0);
	const void *address = &v4;
	void *copy;

	v4.sin_addr.s_addr = htonl(take_chance(in, 4) ? INADDR_ANY : INADDR_LOOPBACK);
	v4.sin_port = v6.sin6_port = port;
	*size = sizeof(v4);
	switch (take_below(in, 6)) {
	default:
		break;
	case 2:
		address = &v6;
		*size = sizeof(v6);
		break;
	case 3:
		snprintf(local.sun_path, sizeof(local.sun_path), "s%u", take_below(in, 4));
		world_has_changed();
		address = &local;
		*size = sizeof(local);
		break;
	case 4:
		snprintf(local.sun_path + 1, sizeof(local.sun_path) - 1, "abstract%u", take_below(in, 4));
		address = &local;
		*size = sizeof(local);
		break;
	case 5:
		v4.sin_family = take_byte(in);
		break;
	}
	if (take_chance(in, 8))
		*size = take_below(in, *size + 1);
	copy = exact_memory(*size);
	memcpy(copy, address, *size);
	switch (take_below(in, 24)) {
	case 22:
		return no_memory();
	case 23:
		return NULL;
	}
	return copy;
}

/* A buffer for an address: the kernel does not write beyond the size that it is given. */
static struct sockaddr *take_address_buffer(struct input *in, socklen_t **size)
{
	static const socklen_t sizes[] = {128, 0, 1, 2, 16, 28, 110, 111};
	socklen_t capacity = TAKE_ONE(in, sizes);

	*size = exact_memory(sizeof(**size));
	**size = take_chance(in, 12) ? (socklen_t)-1 : capacity;
	if (take_chance(in, 12))
		*size = take_chance(in, 2) ? no_memory() : NULL;
	return take_chance(in, 12) ? no_memory() : take_chance(in, 12) ? NULL : exact_memory(capacity);
}

/* Control data: descriptors or arbitrary bytes, in messages whose lengths may be wrong. */
static void set_control(struct input *in, struct msghdr *msg)
{
	size_t size = CMSG_SPACE(4 * sizeof(int)) + CMSG_SPACE(12);
	uint8_t *control = exact_memory(size);
	struct cmsghdr *cmsg = (struct cmsghdr *)control;
	int fds[4];
	int count = (int)take_below(in, 5);

	memset(control, 0, size);
	for (int i = 0; i < count; i++)
		fds[i] = any_descriptor(in);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fds, (size_t)count * sizeof(int));
	msg->msg_control = control;
	msg->msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
	if (take_chance(in, 4)) {
		cmsg->cmsg_type = take_below(in, 6);
		cmsg->cmsg_len = take_byte(in);
		msg->msg_controllen = take_byte(in) % (size + 1);
	}
	if (take_chance(in, 16))
		msg->msg_control = take_chance(in, 2) ? no_memory() : NULL;
}

static void set_control_capacity(struct input *in, struct msghdr *msg)
{
	msg->msg_controllen = take_byte(in);
	msg->msg_control = exact_memory(msg->msg_controllen + 7);
	msg->msg_control = (void *)((uintptr_t)msg->msg_control & ~(uintptr_t)7);
}

static void take_header(struct input *in, struct msghdr *msg, bool is_received)
{
	socklen_t size;
	int count;

	memset(msg, 0, sizeof(*msg));
	msg->msg_iov = take_iov(in, &count);
	msg->msg_iovlen = (size_t)count;
	if (take_chance(in, 2)) {
		msg->msg_name = take_address(in, &size);
		msg->msg_namelen = size;
	}
	if (take_chance(in, 2))
		(is_received ? set_control_capacity : set_control)(in, msg);
}

/* Descriptors received as control data belong to the program. */
static void adopt_received(struct msghdr *msg)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg != NULL; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET || (cmsg->cmsg_type != SCM_RIGHTS && cmsg->cmsg_type != 4))
			continue;
		for (size_t i = 0; CMSG_LEN((i + 1) * sizeof(int)) <= cmsg->cmsg_len; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
			adopt(fd);
		}
	}
}

/* --- the calls ---------------------------------------------------------------------------------------------------- */

void call_mm_socket(struct input *in)
{
	/* Excludes families and protocols for which the kernel would load a module. */
	static const int domains[] = {AF_INET, AF_UNIX, AF_INET6, AF_UNSPEC, -1, 1000};
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM | SOCK_CLOEXEC, 0, -1, 100};
	static const int protocols[] = {0, 0, 0, IPPROTO_TCP, IPPROTO_UDP, -1};
	int domain = TAKE_ONE(in, domains), type = TAKE_ONE(in, types);

	if (domain == AF_INET || domain == AF_INET6)
		type = type == SOCK_SEQPACKET ? SOCK_DGRAM : type;
	adopt(CALL(mm_socket, domain, type, TAKE_ONE(in, protocols)));
}

void call_mm_bind(struct input *in)
{
	socklen_t size;
	int fd = any_descriptor(in);
	struct sockaddr *address = take_address(in, &size);

	CALL(mm_bind, fd, address, size);
}

void call_mm_getsockname(struct input *in)
{
	socklen_t *size;
	int fd = any_descriptor(in);
	struct sockaddr *buffer = take_address_buffer(in, &size);

	CALL(mm_getsockname, fd, buffer, size);
}

void call_mm_getpeername(struct input *in)
{
	socklen_t *size;
	int fd = any_descriptor(in);
	struct sockaddr *buffer = take_address_buffer(in, &size);

	CALL(mm_getpeername, fd, buffer, size);
}

void call_mm_listen(struct input *in)
{
	int fd = any_descriptor(in);

	CALL(mm_listen, fd, take_int(in));
}

void call_mm_accept(struct input *in)
{
	socklen_t *size;
	int fd = any_descriptor(in);
	struct sockaddr *buffer = take_address_buffer(in, &size);

	if (take_chance(in, 2))
		buffer = NULL;
	adopt(CALL(mm_accept, fd, buffer, size));
}

void call_mm_connect(struct input *in)
{
	socklen_t size;
	int fd = any_descriptor(in);
	struct sockaddr *address = take_address(in, &size);

	CALL(mm_connect, fd, address, size);
}

/* Excludes options that make close() block, load a module or let the kernel allocate much memory. */
static void take_option(struct input *in, int *level, int *name)
{
	static const int levels[] = {SOL_SOCKET, SOL_SOCKET,   SOL_SOCKET, IPPROTO_TCP,
	                             IPPROTO_IP, IPPROTO_IPV6, -1,         12345};
	static const int waits_or_loads[] = {TCP_CONGESTION, 31 /* TCP_ULP */};

	*level = TAKE_ONE(in, levels);
	*name = take_chance(in, 4) ? (take_chance(in, 2) ? SO_RCVTIMEO : SO_SNDTIMEO) : (int)take_below(in, 36);
	if (*level == SOL_SOCKET && *name == SO_LINGER)
		*name = SO_REUSEADDR;
	if (*level == IPPROTO_TCP && (*name == waits_or_loads[0] || *name == waits_or_loads[1]))
		*name = TCP_NODELAY;
}

static bool is_timeout(int level, int name)
{
	return level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO);
}

void call_mm_setsockopt(struct input *in)
{
	int fd = any_descriptor(in), level, name;
	socklen_t size = (socklen_t)take_size(in);

	take_option(in, &level, &name);
	if (take_chance(in, 2))
		size = sizeof(int);
	void *value = is_timeout(level, name) ? take_chance(in, 8) ? NULL : take_memory(in, size)
	                                      : take_kernels_memory(in, size);

	CALL(mm_setsockopt, fd, level, name, value, size);
}

/* The result of getsockopt() in libc.c: the same is expected for all options but the timeouts. */
int libc_getsockopt(int fd, int level, int name, void *value, socklen_t *size);

void call_mm_getsockopt(struct input *in)
{
	int fd = any_descriptor(in), level, name;
	socklen_t capacity = (socklen_t)take_size(in) % 1024, *size = exact_memory(sizeof(*size));

	take_option(in, &level, &name);
	if (take_chance(in, 2) || is_timeout(level, name))
		capacity = take_below(in, 17);
	*size = take_chance(in, 12) && !is_timeout(level, name) ? (socklen_t)-1 : capacity;

	/* Some options read the buffer that they write to. */
	void *value = take_chance(in, 12) ? NULL : take_memory(in, capacity);
	bool has_size = !take_chance(in, 12), is_compared = has_size && !is_timeout(level, name);
	void *other_value = value != NULL ? exact_memory(capacity) : NULL;
	socklen_t other_size = *size;
	int expected = 0, expected_errno = 0;

	if (is_compared) {
		if (value != NULL)
			memcpy(other_value, value, capacity);
		expected = libc_getsockopt(fd, level, name, other_value, &other_size);
		expected_errno = errno;
	}
	int result = CALL(mm_getsockopt, fd, level, name, value, has_size ? size : NULL);

	if (!is_compared)
		return;
	CHECK(result == expected && *size == other_size && (result == 0 || errno == expected_errno),
	      "option %d of level %d: %d, error %d, size %d; getsockopt %d, error %d, size %d", name, level, result,
	      errno, (int)*size, expected, expected_errno, (int)other_size);
}

void call_mm_shutdown(struct input *in)
{
	int fd = any_descriptor(in);

	CALL(mm_shutdown, fd, (int)take_below(in, 5) - 1);
}

static int take_message_flags(struct input *in)
{
	return take_chance(in, 4) ? take_int(in) | MSG_DONTWAIT : MSG_DONTWAIT | MSG_NOSIGNAL;
}

void call_mm_send(struct input *in)
{
	int fd = any_descriptor(in);
	size_t size = take_size(in);
	void *memory = take_kernels_memory(in, size);

	CALL(mm_send, fd, memory, size, take_message_flags(in));
}

void call_mm_recv(struct input *in)
{
	int fd = any_descriptor(in);
	size_t size = take_size(in);
	void *memory = take_kernels_memory(in, size);

	CALL(mm_recv, fd, memory, size, take_message_flags(in));
}

void call_mm_sendmsg(struct input *in)
{
	struct msghdr *msg = exact_memory(sizeof(*msg));
	int fd = any_descriptor(in);

	take_header(in, msg, false);
	CALL(mm_sendmsg, fd, take_chance(in, 32) ? no_memory() : msg, take_message_flags(in));
}

void call_mm_recvmsg(struct input *in)
{
	struct msghdr *msg = exact_memory(sizeof(*msg));
	int fd = any_descriptor(in);

	take_header(in, msg, true);
	if (CALL(mm_recvmsg, fd, msg, take_message_flags(in)) >= 0)
		adopt_received(msg);
}

static struct mm_sock_multimsg *take_headers(struct input *in, int *count, bool is_received)
{
	struct mm_sock_multimsg *messages;

	*count = (int)take_below(in, 4);
	messages = exact_memory((size_t)*count * sizeof(*messages));
	for (int i = 0; i < *count; i++)
		take_header(in, &messages[i].msg, is_received);
	return messages;
}

void call_mm_send_multimsg(struct input *in)
{
	int fd = any_descriptor(in), count;
	struct mm_sock_multimsg *messages = take_headers(in, &count, false);

	if (take_chance(in, 12)) {
		count = take_chance(in, 2) ? -1 : INT32_MIN;
		messages = take_chance(in, 2) ? NULL : messages;
	}
	int sent = CALL(mm_send_multimsg, fd, count, messages, take_message_flags(in));

	CHECK(sent <= (count < 0 ? -1 : count), "mm_send_multimsg sent %d of %d", sent, count);
}

void call_mm_recv_multimsg(struct input *in)
{
	int fd = any_descriptor(in), count;
	struct mm_sock_multimsg *messages = take_headers(in, &count, true);
	struct mm_timespec *timeout = NULL;

	if (take_chance(in, 3)) {
		timeout = exact_memory(sizeof(*timeout));
		*timeout = (struct mm_timespec){take_int64(in), take_int64(in)};
	}
	if (take_chance(in, 12))
		count = take_chance(in, 2) ? -1 : INT32_MIN;
	int received = CALL(mm_recv_multimsg, fd, count, messages, take_message_flags(in), timeout);

	CHECK(received <= (count < 0 ? -1 : count), "mm_recv_multimsg received %d of %d", received, count);
	for (int i = 0; i < received; i++)
		adopt_received(&messages[i].msg);
}

void call_mm_getaddrinfo(struct input *in)
{
	static const char *const hosts[] = {"localhost", "127.0.0.1", "::1", "six",    "two",
	                                    "nowhere",   "",          "1",   "::1%lo", "\xc3\xa9"};
	static const char *const services[] = {"http", "80", "ntp", "0", "99999", "-1", "", "none", "ltftp"};
	static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6, AF_UNIX, -1};
	char *host = take_name(in, hosts, MM_NELEM(hosts)), *service = take_name(in, services, MM_NELEM(services));
	struct addrinfo *hints = take_output(in, sizeof(*hints)), **result = exact_memory(sizeof(*result));

	if (hints != NULL) {
		memset(hints, 0, sizeof(*hints));
		hints->ai_family = TAKE_ONE(in, families);
		hints->ai_socktype = (int)take_below(in, 6);
		hints->ai_protocol = take_chance(in, 4) ? take_byte(in) : 0;
		hints->ai_flags = take_chance(in, 2) ? (int)(take_u32(in) & 0x7ff) : 0;
	}
	if (take_chance(in, 32))
		result = NULL;
	if (CALL(mm_getaddrinfo, host, service, hints, result) == 0) {
		struct addrinfo **place = &address_lists[next_place()];

		mm_freeaddrinfo(*place);
		*place = *result;
	}
}

void call_mm_getnameinfo(struct input *in)
{
	socklen_t size, host_size = (socklen_t)take_size(in), service_size = (socklen_t)take_size(in);
	struct sockaddr *address = take_address(in, &size);
	char *host = take_chance(in, 8) ? NULL : exact_memory(host_size);
	char *service = take_chance(in, 8) ? NULL : exact_memory(service_size);
	int flags = take_chance(in, 8) ? take_int(in) : (int)take_below(in, 32);

	/* With NI_IDN, glibc 2.36 itself leaks a name that does not fit. */
	flags &= ~NI_IDN;
	if (address == no_memory())
		address = NULL;
	if (CALL(mm_getnameinfo, address, size, host, host_size, service, service_size, flags) == 0) {
		CHECK(host == NULL || host_size == 0 || memchr(host, '\0', host_size) != NULL,
		      "the host is not terminated");
		CHECK(service == NULL || service_size == 0 || memchr(service, '\0', service_size) != NULL,
		      "the service is not terminated");
	}
}

void call_mm_freeaddrinfo(struct input *in)
{
	struct addrinfo **place = &address_lists[take_below(in, KEPT)];

	CALL_VOID(mm_freeaddrinfo, *place);
	*place = NULL;
}

void call_mm_create_sockclient(struct input *in)
{
	static const char *const uris[] = {
		"udp://127.0.0.1:9",
		"tcp://127.0.0.1:9",
		"ntp://localhost",
		"http://[::1]:80/x",
		"tcp://host",
		"udp://[::1]:0x9",
		"none://two:1",
		"udp://six:010?",
		"://",
		"udp://a@b:9",
		"udp://127.0.0.1:65536",
		"udp://[::1%lo]:1",
	};

	adopt(CALL(mm_create_sockclient, take_name(in, uris, MM_NELEM(uris))));
}

void call_mm_poll(struct input *in)
{
	int count = (int)take_below(in, 6);
	struct mm_pollfd *fds = exact_memory((size_t)count * sizeof(*fds));

	for (int i = 0; i < count; i++)
		fds[i] = (struct mm_pollfd){any_descriptor(in), (short)take_u32(in), 0};
	if (take_chance(in, 12))
		fds = count > 0 && take_chance(in, 2) ? no_memory() : NULL;
	if (take_chance(in, 12))
		count = take_chance(in, 2) ? -1 : INT32_MIN;
	CALL(mm_poll, fds, count, (int)take_below(in, 2));
}
