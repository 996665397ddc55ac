/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.c: connecting to the host and port of a URI
 */
#include "client.h"

#include <net/if.h>
#include <sys/resource.h>

START_TEST(stream_is_connected_to_its_server)
{
	FOR_EACH_FAMILY(family) {
		struct address address;
		int listener = listening_socket(family, 5, &address);
		char text[8];
		int fds[2];

		fds[0] = mm_create_sockclient(uri("tcp://%s:%d", host_of(family), port_of(&address)));
		ck_assert_int_ge(fds[0], 0);
		fds[1] = mm_accept(listener, NULL, NULL);
		ck_assert_int_eq(mm_send(fds[0], "hello", 5, 0), 5);
		ck_assert_int_eq(mm_recv(fds[1], text, sizeof(text), 0), 5);
		close_all(2, fds);
		assert_connects(uri("tcp://%s:%d/path", host_of(family), port_of(&address)), family, SOCK_STREAM,
		                port_of(&address));
		close_all(1, &listener);
	}
}
END_TEST

START_TEST(datagram_socket_is_connected_without_a_handshake)
{
	FOR_EACH_FAMILY(family) {
		struct address address;
		int silent = silent_socket(family, &address), server = bound_socket(family, SOCK_DGRAM, &address), fd;
		char byte;

		assert_connects(uri("udp://%s:9", host_of(family)), family, SOCK_DGRAM, 9);
		fd = mm_create_sockclient(uri("udp://%s:%d", host_of(family), port_of(&address)));
		ck_assert_int_eq(mm_send(fd, "x", 1, 0), 1);
		ck_assert_int_eq(mm_recv(server, &byte, 1, 0), 1);
		close_all(3, (int[]){silent, server, fd});
	}
}
END_TEST

START_TEST(service_determines_the_type_and_the_port)
{
	resolve_by_files();

	struct servent *service = find_service(false, true);

	FOR_EACH_FAMILY(family) {
		assert_connects(uri("%s://%s", service->s_name, host_of(family)), family, SOCK_DGRAM,
		                ntohs((uint16_t)service->s_port));
		assert_connects(uri("%s://%s/path", service->s_name, host_of(family)), family, SOCK_DGRAM,
		                ntohs((uint16_t)service->s_port));
	}
}
END_TEST

START_TEST(port_of_the_uri_overrides_that_of_the_service)
{
	resolve_by_files();

	struct servent *stream = find_service(true, false);

	FOR_EACH_FAMILY(family) {
		struct address address;
		int listener = listening_socket(family, 5, &address);

		assert_connects(uri("%s://%s:%d", stream->s_name, host_of(family), port_of(&address)), family,
		                SOCK_STREAM, port_of(&address));
		close_all(1, &listener);
	}
	struct servent *datagram = find_service(false, true);

	assert_connects(uri("%s://127.0.0.1:10", datagram->s_name), AF_INET, SOCK_DGRAM, 10);
	assert_connects(uri("%s://127.0.0.1:65535", datagram->s_name), AF_INET, SOCK_DGRAM, 65535);
	/* These are not ports. */
	static const char *const ports[] = {":", ":0", ":-4", ":name", ":-99999999999999999999", "/:10"};

	for (int i = 0; i < MM_NELEM(ports); i++)
		assert_connects(uri("%s://127.0.0.1%s", datagram->s_name, ports[i]), AF_INET, SOCK_DGRAM,
		                ntohs((uint16_t)datagram->s_port));
}
END_TEST

START_TEST(ports_are_parsed_like_c_integers)
{
	static const struct {
		const char *text;
		int port;
	} ports[] = {{"99", 99},     {"010", 8},       {"0x50", 80},      {"0X50", 80},    {" 99", 99},
	             {"\t\n99", 99}, {"+99", 99},      {"99junk", 99},    {"99/p", 99},    {"99?a@b", 99},
	             {"99#a@b", 99}, {"65535", 65535}, {"0xffff", 65535}, {"00000012", 10}};

	for (int i = 0; i < MM_NELEM(ports); i++)
		assert_connects(uri("udp://127.0.0.1:%s", ports[i].text), AF_INET, SOCK_DGRAM, ports[i].port);
}
END_TEST

START_TEST(port_0_has_no_listener)
{
	struct address peer = {.size = sizeof(peer.storage)};
	int fd = mm_create_sockclient("udp://127.0.0.1:0");

	ck_assert_int_ge(fd, 0);
	assert_fails(mm_getpeername(fd, &peer.any, &peer.size), ENOTCONN);
	close_all(1, &fd);
	assert_fails(mm_create_sockclient("tcp://127.0.0.1:0"), ECONNREFUSED);
	/* Octal digits end at the 8. */
	assert_fails(mm_create_sockclient("tcp://127.0.0.1:08"), ECONNREFUSED);
}
END_TEST

START_TEST(invalid_uris_are_rejected)
{
	static const char *const texts[] = {
		/* No scheme, or no host. */
		NULL, "", "127.0.0.1", "://127.0.0.1", "UDP://127.0.0.1:9", " udp://127.0.0.1:9", "u2://127.0.0.1:9",
		"udp:/127.0.0.1:9", "udp//127.0.0.1:9", "udp://", "udp://:9", "udp:///9", "udp://::1", "tcp://::1:9",
		/* No port where one is required, or a negative one. */
		"tcp://127.0.0.1", "udp://127.0.0.1", "tcp://127.0.0.1:", "tcp://127.0.0.1:x", "udp://127.0.0.1/p:99",
		"udp://127.0.0.1:-9", "udp://127.0.0.1:- 9", "udp://[::1]",
		/* Ports out of range. */
		"udp://127.0.0.1:65536", "udp://127.0.0.1:70000", "udp://127.0.0.1:0x10000",
		"udp://127.0.0.1:4294967297", "udp://127.0.0.1:99999999999999999999", "http://127.0.0.1:65536",
		/* Brackets around something other than an address. */
		"udp://[]:9", "udp://[::1:9", "udp://[::1]9", "udp://[::1].:9", "udp://[127.0.0.1]:9",
		"udp://[localhost]:9",
		/* User information. */
		"udp://user@127.0.0.1:9", "udp://user:secret@127.0.0.1:9", "udp://@127.0.0.1:9", "udp://user@[::1]:9",
		"udp://[::1]@127.0.0.1:9", "udp://127.0.0.1:9@127.0.0.1:9", "user:secret@127.0.0.1"};

	for (int i = 0; i < MM_NELEM(texts); i++) {
		suite_forget_error();
		ck_assert_msg(mm_create_sockclient(texts[i]) == -1, "%s connects", texts[i]);
		ck_assert_msg(mm_get_lasterror_number() == EINVAL, "%s: %s", texts[i], mm_get_lasterror_desc());
		ck_assert_int_eq(errno, EINVAL);
		/* A password must not be logged. */
		ck_assert_ptr_null(strstr(mm_get_lasterror_desc(), "secret"));
	}
}
END_TEST

START_TEST(unknown_hosts_and_services_are_reported)
{
	resolve_by_files();
	assert_fails(mm_create_sockclient("dummy://127.0.0.1"), MM_ENOTFOUND);
	assert_fails(mm_create_sockclient("udp://" UNKNOWN_HOST ":9"), MM_ENONAME);
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), UNKNOWN_HOST));
	assert_fails(mm_create_sockclient("udp://[1:2]:9"), MM_ENONAME);
	assert_fails(mm_create_sockclient("udp://[::1%no-such-zone]:9"), MM_ENONAME);
	/* Host names in brackets are not resolved. */
	assert_fails(mm_create_sockclient("udp://[localhost:]:9"), MM_ENONAME);
}
END_TEST

START_TEST(uris_may_have_any_length)
{
	static const size_t sizes[] = {15, 16, 17, 200, 2047, 2048, 5000, 100000};

	resolve_by_files();
	for (int i = 0; i < MM_NELEM(sizes); i++) {
		size_t size = sizes[i];
		char *text = malloc(size + 64);

		ck_assert_ptr_nonnull(text);
		memset(text, 'x', size);
		strcpy(text + size, "://127.0.0.1:9");
		assert_fails(mm_create_sockclient(text), MM_ENOTFOUND);
		text[size] = '\0';
		assert_fails(mm_create_sockclient(text), EINVAL);
		memcpy(text, "tcp://", 6);
		assert_fails(mm_create_sockclient(text), EINVAL);
		strcpy(text + size, ":9");
		assert_fails(mm_create_sockclient(text), MM_ENONAME);
		if (size > 18) {
			memcpy(text, "udp://127.0.0.1:9/", 18);
			assert_connects(text, AF_INET, SOCK_DGRAM, 9);
		}
		free(text);
	}
}
END_TEST

START_TEST(ipv6_address_may_have_a_zone)
{
	unsigned int zone = if_nametoindex("lo");
	const char *const zones[] = {"lo", "25lo", uri("%u", zone)};

	if (!has_family(AF_INET6))
		return;
	ck_assert_uint_ne(zone, 0);
	/* With %25 for the %, as in RFC 6874; but a number is the index of an interface as it is. */
	for (int i = 0; i < MM_NELEM(zones); i++) {
		struct address peer = {.size = sizeof(peer.storage)};

		suite_forget_error();

		int fd = mm_create_sockclient(uri("udp://[fe80::1%%%s]:9", zones[i]));

		/* There may be no route to it; the address was parsed then. */
		if (fd == -1) {
			ck_assert_int_ne(mm_get_lasterror_number(), MM_ENONAME);
			ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), uri("[fe80::1%%%u]:9", zone)));
			continue;
		}
		ck_assert_int_eq(mm_getpeername(fd, &peer.any, &peer.size), 0);
		ck_assert_uint_eq(peer.v6.sin6_scope_id, zone);
		close_all(1, &fd);
	}
	static const struct {
		const char *zone;
		unsigned int index;
	} numbers[] = {{"%25", 25}, {"%253", 253}, {"%2525", 2525}};

	for (int i = 0; i < MM_NELEM(numbers); i++) {
		suite_forget_error();
		ck_assert_int_eq(mm_create_sockclient(uri("tcp://[fe80::1%s]:9", numbers[i].zone)), -1);
		ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), uri("[fe80::1%%%u]:9", numbers[i].index)));
	}
	assert_fails(mm_create_sockclient("udp://[::1%]:9"), MM_ENONAME);
	assert_fails(mm_create_sockclient("udp://[fe80::1%25no-such-zone]:9"), MM_ENONAME);
	assert_fails(mm_create_sockclient("udp://[fe80::1%2525lo]:9"), MM_ENONAME);
}
END_TEST

START_TEST(other_percent_escapes_are_not_decoded)
{
	resolve_by_files();
	assert_fails(mm_create_sockclient("udp://127%2e0.0.1:9"), MM_ENONAME);
	assert_fails(mm_create_sockclient("udp://[%3a:1]:9"), MM_ENONAME);
	assert_fails(mm_create_sockclient("udp://[fe80::1%25l%6f]:9"), MM_ENONAME);
	assert_fails(mm_create_sockclient("udp://127.0.0.1%3a9"), EINVAL);
}
END_TEST

START_TEST(refused_connection_reports_the_address)
{
	FOR_EACH_FAMILY(family) {
		struct address address;
		int silent = silent_socket(family, &address);

		assert_fails(mm_create_sockclient(uri("tcp://%s:%d", host_of(family), port_of(&address))),
		             ECONNREFUSED);
		ck_assert_ptr_nonnull(
			strstr(mm_get_lasterror_desc(), uri("%s:%d", host_of(family), port_of(&address))));
		close_all(1, &silent);
	}
}
END_TEST

START_TEST(missing_free_descriptor_is_an_error)
{
	struct rlimit before, none;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){0, before.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_fails(mm_create_sockclient("udp://127.0.0.1:9"), EMFILE);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}
END_TEST

START_TEST(signal_ends_the_wait_for_the_only_address)
{
	struct address address;
	int clients[2], listener = full_listener(AF_INET, &address, clients);
	const char *text = uri("tcp://127.0.0.1:%d", port_of(&address));
	pthread_t interrupter = start_interrupting();

	assert_fails(mm_create_sockclient(text), EINTR);
	stop_interrupting(interrupter);
	close_all(3, (int[]){listener, clients[0], clients[1]});
}
END_TEST

SUITE(stream_is_connected_to_its_server, datagram_socket_is_connected_without_a_handshake,
      service_determines_the_type_and_the_port, port_of_the_uri_overrides_that_of_the_service,
      ports_are_parsed_like_c_integers, port_0_has_no_listener, invalid_uris_are_rejected,
      unknown_hosts_and_services_are_reported, uris_may_have_any_length, ipv6_address_may_have_a_zone,
      other_percent_escapes_are_not_decoded, refused_connection_reports_the_address,
      missing_free_descriptor_is_an_error, signal_ends_the_wait_for_the_only_address)
