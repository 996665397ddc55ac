/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uris.c: an input is a URI for mm_create_sockclient(), in an environment where a few ports have a listener
 *
 * This file implements the documented rules for URIs a second time, in C: the URIs that they reject must be rejected,
 * and a returned socket must be connected to the port of the URI and have the type that the URI specifies.
 */
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

static void listen_to(int family, uint16_t port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = adopt(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)), yes = 1;

	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (family == AF_INET6 && fd < 0)
		return;
	const struct sockaddr *address = family == AF_INET ? (const void *)&v4 : (const void *)&v6;

	CHECK(bind(fd, address, family == AF_INET ? sizeof(v4) : sizeof(v6)) == 0 && listen(fd, 8) == 0, "no listener");
}

/* Whether the URI is rejected before any lookup; stores its port, -1 if it has none. */
static bool is_refused(const char *uri, long long *port)
{
	const char *scheme = uri, *authority, *end;
	bool is_raw;

	*port = -1;
	uri += strspn(uri, "abcdefghijklmnopqrstuvwxyz");
	size_t length = (size_t)(uri - scheme);

	if (length == 0 || strncmp(uri, "://", 3) != 0)
		return true;
	authority = uri + 3;
	if (memchr(authority, '@', strcspn(authority, "/?#")) != NULL)
		return true;
	if (*authority == '[') {
		size_t limit = strcspn(authority, "/?#");

		end = memchr(authority, ']', limit);
		if (end == NULL || memchr(authority, ':', (size_t)(end - authority)) == NULL)
			return true;
		end++;
		if ((size_t)(end - authority) < limit && *end != ':')
			return true;
	} else {
		end = authority + strcspn(authority, "/:");
		if (end == authority)
			return true;
	}
	bool has_port = false;

	if (*end == ':') {
		char *behind;
		long long number = strtoll(end + 1, &behind, 0);

		has_port = behind != end + 1;
		if (has_port && number > 65535)
			return true;
		if (has_port)
			*port = number;
	}
	is_raw = length == 3 && (strncmp(scheme, "tcp", 3) == 0 || strncmp(scheme, "udp", 3) == 0);
	return is_raw && (!has_port || *port < 0);
}

static void run(struct input *in)
{
	char text[1024];
	size_t length = 0;
	long long port;
	struct call call;

	listen_to(AF_INET, 80);
	listen_to(AF_INET6, 80);
	listen_to(AF_INET, 4242);
	while (length < sizeof(text) - 1 && in->size > 0)
		text[length++] = (char)take_byte(in);
	text[length] = '\0';
	const char *uri = exact_string(text, strlen(text));
	bool is_to_be_refused = is_refused(uri, &port);

	begin_call(&call, "mm_create_sockclient");
	int fd = mm_create_sockclient(uri);

	end_call(&call, fd == -1);
	CHECK(!is_to_be_refused || (fd == -1 && errno == EINVAL), "an invalid URI returned %d, error %d: %s", fd, errno,
	      uri);
	if (fd == -1)
		return;
	struct sockaddr_in6 peer;
	socklen_t size = sizeof(peer);
	int type = 0;

	adopt(fd);
	/* The kernel reports no peer for a datagram socket that is connected to port 0. */
	if (port == 0 && strncmp(uri, "udp:", 4) == 0)
		return;
	CHECK(getpeername(fd, (struct sockaddr *)&peer, &size) == 0, "the socket is not connected: %s", uri);
	CHECK(port <= 0 || ntohs(peer.sin6_port) == port, "port %d instead of %lld: %s", ntohs(peer.sin6_port), port,
	      uri);
	size = sizeof(type);
	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
	CHECK(strncmp(uri, "tcp:", 4) != 0 || type == SOCK_STREAM, "tcp gave type %d", type);
	CHECK(strncmp(uri, "udp:", 4) != 0 || type == SOCK_DGRAM, "udp gave type %d", type);

	/* A service that exists over TCP never results in a datagram socket. */
	size_t length_of_scheme = strcspn(uri, ":");
	char *scheme = strndup(uri, length_of_scheme);

	CHECK(type == SOCK_STREAM || scheme == NULL || strcmp(scheme, "udp") == 0 ||
	              getservbyname(scheme, "tcp") == NULL,
	      "a service over TCP gave type %d: %s", type, uri);
	free(scheme);
}

const struct target target = {NULL, run, NULL};
