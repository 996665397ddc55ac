/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loopback.h: shared by the tests of sockets: addresses of this machine, and pairs of connected sockets
 *
 * All ports are assigned by the kernel.
 */
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include "suite.h"

#include <arpa/inet.h>
#include <fcntl.h>
#ifdef __GLIBC__
#include <nss.h>
#endif

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_storage storage;
	};
	socklen_t size;
};

/* The address of this machine, also as text. */
static inline struct address loopback(int family, int port)
{
	struct address address;

	memset(&address, 0, sizeof(address));
	address.any.sa_family = (sa_family_t)family;
	if (family == AF_INET) {
		address.v4.sin_port = htons((uint16_t)port);
		address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		address.size = sizeof(address.v4);
	} else {
		address.v6.sin6_port = htons((uint16_t)port);
		address.v6.sin6_addr = in6addr_loopback;
		address.size = sizeof(address.v6);
	}
	return address;
}

static inline const char *loopback_text(int family)
{
	return family == AF_INET ? "127.0.0.1" : "::1";
}

static inline int port_of(const struct address *address)
{
	return ntohs(address->any.sa_family == AF_INET ? address->v4.sin_port : address->v6.sin6_port);
}

/* Whether the machine supports that family: IPv6 may be disabled. */
static inline bool has_family(int family)
{
	struct address address = loopback(family, 0);
	int fd = socket(family, SOCK_DGRAM, 0);
	bool is_there = fd != -1 && bind(fd, &address.any, address.size) == 0;

	if (fd != -1)
		close(fd);
	return is_there;
}

/* A loop over the families that the machine supports, which always include IPv4. */
#define FOR_EACH_FAMILY(family)                                                            \
	for (int family = AF_INET; family != 0; family = family == AF_INET ? AF_INET6 : 0) \
		if (family == AF_INET || has_family(family))

/* A socket bound to an address that the kernel assigns, which is returned. */
static inline int bound_socket(int family, int type, struct address *address)
{
	int fd = mm_socket(family, type, 0);

	*address = loopback(family, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(mm_bind(fd, &address->any, address->size), 0);
	ck_assert_int_eq(mm_getsockname(fd, &address->any, &address->size), 0);
	ck_assert_int_ne(port_of(address), 0);
	return fd;
}

static inline int listening_socket(int family, int backlog, struct address *address)
{
	int fd = bound_socket(family, SOCK_STREAM, address);

	ck_assert_int_eq(mm_listen(fd, backlog), 0);
	return fd;
}

/* Two sockets that are connected to each other, streams or datagrams. */
static inline void connect_pair(int family, int type, int fds[2])
{
	struct address first, second;

	if (type == SOCK_STREAM) {
		int listener = listening_socket(family, 1, &first);

		fds[1] = mm_socket(family, type, 0);
		ck_assert_int_eq(mm_connect(fds[1], &first.any, first.size), 0);
		fds[0] = mm_accept(listener, NULL, NULL);
		ck_assert_int_ge(fds[0], 0);
		close_all(1, &listener);
		return;
	}
	fds[0] = bound_socket(family, type, &first);
	fds[1] = bound_socket(family, type, &second);
	ck_assert_int_eq(mm_connect(fds[0], &second.any, second.size), 0);
	ck_assert_int_eq(mm_connect(fds[1], &first.any, first.size), 0);
}

/* A port without a listener: it is bound, so that no other process can get it. */
static inline int silent_socket(int family, struct address *address)
{
	return bound_socket(family, SOCK_STREAM, address);
}

/* Makes a bound socket listen and fills its queue: connecting to it blocks. */
static inline void fill_queue(int listener, const struct address *address, int clients[2])
{
	ck_assert_int_eq(mm_listen(listener, 0), 0);
	clients[0] = mm_socket(address->any.sa_family, SOCK_STREAM, 0);
	ck_assert_int_eq(mm_connect(clients[0], &address->any, address->size), 0);
	/* It may be queued as well. */
	clients[1] = mm_socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	mm_connect(clients[1], &address->any, address->size);
}

/* Creates such a listener, at any port. */
static inline int full_listener(int family, struct address *address, int clients[2])
{
	int listener = bound_socket(family, SOCK_STREAM, address);

	fill_queue(listener, address, clients);
	return listener;
}

static inline void set_nonblocking(int fd)
{
	ck_assert_int_eq(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
}

static inline void set_int_option(int fd, int level, int option, int value)
{
	ck_assert_int_eq(mm_setsockopt(fd, level, option, &value, sizeof(value)), 0);
}

static inline int int_option(int fd, int level, int option)
{
	int value = -77;
	socklen_t size = sizeof(value);

	ck_assert_int_eq(mm_getsockopt(fd, level, option, &value, &size), 0);
	ck_assert_uint_eq(size, sizeof(value));
	return value;
}

/* Waits for the requested events, or an error; at least one must occur. */
static inline int wait_for(int fd, int events)
{
	struct mm_pollfd entry = {.fd = fd, .events = (short)events};

	ck_assert_int_eq(mm_poll(&entry, 1, 20000), 1);
	return entry.revents;
}

/* Makes this process resolve names only through its files, so that no name server is queried. musl cannot do that. */
static inline void resolve_by_files(void)
{
#ifdef __GLIBC__
	ck_assert_int_eq(__nss_configure_lookup("hosts", "files"), 0);
	ck_assert_int_eq(__nss_configure_lookup("services", "files"), 0);
#endif
}

/* A host that is in no file. */
#define UNKNOWN_HOST "no-such-host.invalid"

/*
 * A service in the system's file that exists only over these protocols, and whose name is a valid scheme. The file is
 * in package netbase. getservent() of musl does not read it.
 */
static inline struct servent *find_service(bool over_tcp, bool over_udp)
{
	static struct servent found;
	static char name[32];
	char line[256];
	FILE *file = fopen("/etc/services", "r");

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		size_t length = strspn(line, "abcdefghijklmnopqrstuvwxyz");

		if (length == 0 || length >= sizeof(name) || strchr(" \t", line[length]) == NULL)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)length, line);
		if ((getservbyname(name, "tcp") != NULL) == over_tcp &&
		    (getservbyname(name, "udp") != NULL) == over_udp) {
			found = (struct servent){.s_name = name,
			                         .s_port = getservbyname(name, over_tcp ? "tcp" : "udp")->s_port};
			fclose(file);
			return &found;
		}
	}
	if (file != NULL)
		fclose(file);
	ck_abort_msg("/etc/services has no service over %s", !over_udp ? "tcp only" : !over_tcp ? "udp only" : "both");
	return NULL;
}

/* Invalid pointers; volatile, so that the compiler does not detect them. */
static inline void *nowhere(int which)
{
	void *volatile pointers[] = {NULL, (void *)8};

	return pointers[which];
}

#endif
