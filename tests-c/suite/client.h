/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h: shared by the tests of mm_create_sockclient()
 */
#ifndef CLIENT_H
#define CLIENT_H

#include "loopback.h"

/* Formats a URI; valid until the test ends. */
__attribute__((format(printf, 1, 2))) static inline const char *uri(const char *format, ...)
{
	static char texts[16][256];
	static int number;
	char *text = texts[number++ % MM_NELEM(texts)];
	va_list args;

	va_start(args, format);
	ck_assert_int_lt(vsnprintf(text, sizeof(texts[0]), format, args), sizeof(texts[0]));
	va_end(args);
	return text;
}

static inline const char *host_of(int family)
{
	return family == AF_INET ? "127.0.0.1" : "[::1]";
}

/* Connects, and checks the peer and the socket type; the descriptor is closed. */
static inline void assert_connects_to(const char *text, int type, const struct address *expected)
{
	struct address peer = {.size = sizeof(peer.storage)};
	int fd = mm_create_sockclient(text);

	ck_assert_msg(fd >= 0, "%s: %s", text, mm_get_lasterror_desc());
	ck_assert_int_eq(int_option(fd, SOL_SOCKET, SO_TYPE), type);
	ck_assert_int_eq(mm_getpeername(fd, &peer.any, &peer.size), 0);
	ck_assert_msg(port_of(&peer) == port_of(expected), "%s: connected to port %d, expected %d", text,
	              port_of(&peer), port_of(expected));
	ck_assert_uint_eq(peer.size, expected->size);
	ck_assert_mem_eq(&peer, expected, expected->size);
	ck_assert_int_eq(fcntl(fd, F_GETFD), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	close_all(1, &fd);
}

static inline void assert_connects(const char *text, int family, int type, int port)
{
	struct address expected = loopback(family, port);

	assert_connects_to(text, type, &expected);
}

#endif
