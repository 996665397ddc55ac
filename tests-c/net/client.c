/*
 * client.c: connecting to what a URI names
 */
#include "loopback.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>

/* Formats a URI; it lives until the test ends. */
__attribute__((format(printf, 1, 2))) static const char *uri(const char *format, ...)
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

static const char *host_of(int family)
{
	return family == AF_INET ? "127.0.0.1" : "[::1]";
}

/* Connects, and checks to whom and how; the descriptor is closed. */
static void assert_connects_to(const char *text, int type, const struct address *expected)
{
	struct address peer = {.size = sizeof(peer.room)};
	int fd = mm_create_sockclient(text);

	ck_assert_msg(fd >= 0, "%s: %s", text, mm_get_lasterror_desc());
	ck_assert_int_eq(int_option(fd, SOL_SOCKET, SO_TYPE), type);
	ck_assert_int_eq(mm_getpeername(fd, &peer.any, &peer.size), 0);
	ck_assert_msg(port_of(&peer) == port_of(expected), "%s: connected to port %d, not %d", text, port_of(&peer),
	              port_of(expected));
	ck_assert_uint_eq(peer.size, expected->size);
	ck_assert_mem_eq(&peer, expected, expected->size);
	ck_assert_int_eq(fcntl(fd, F_GETFD), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	close_all(1, &fd);
}

static void assert_connects(const char *text, int family, int type, int port)
{
	struct address expected = loopback(family, port);

	assert_connects_to(text, type, &expected);
}

/*
 * A network of this test's own, with hosts of several addresses and services of each kind, their ports included. It
 * takes namespaces of the kernel: false if they cannot be had. leave_own_network() ends it.
 */
#define BOTH_PORT 4433
#define TCP_PORT 4434
#define UDP_PORT 4435

static bool write_setting(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool is_written = fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd != -1)
		close(fd);
	return is_written;
}

static bool take_namespaces(void)
{
	char map[32];

	snprintf(map, sizeof(map), "0 %ld 1", (long)geteuid());
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) == -1 &&
	    (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) == -1 || !write_setting("/proc/self/uid_map", map)))
		return false;
	return mount("", "/", "", MS_REC | MS_PRIVATE, "") == 0 && mount("hosts", "/etc/hosts", "", MS_BIND, "") == 0 &&
	       mount("services", "/etc/services", "", MS_BIND, "") == 0;
}

static bool enter_own_network(void)
{
	struct ifreq up = {.ifr_name = "lo", .ifr_flags = IFF_UP};

	enter_scratch_directory();
	write_file("hosts", "::1 many\n127.0.0.1 many\n127.0.0.2 many\n127.0.0.3 many\n"
	                    "127.0.0.1 halfway\n127.255.255.255 halfway\n");
	write_file("services", "both 4433/tcp\nboth 4433/udp\nstream 4434/tcp\ndatagram 4435/udp\n");
	if (!take_namespaces()) {
		printf("# skipped, since there are no namespaces: %s\n", strerror(errno));
		leave_scratch_directory();
		return false;
	}
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &up), 0);
	ck_assert_int_eq(close(fd), 0);
	resolve_by_files();
	return true;
}

static void leave_own_network(void)
{
	leave_scratch_directory();
}

/* The address that is tried first, or last, of a host. Which it is, the resolver decides. */
static struct address address_of(const char *host, bool is_last, int port)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list, *entry;
	struct address address;

	ck_assert_int_eq(mm_getaddrinfo(host, uri("%d", port), &hints, &list), 0);
	ck_assert_msg(list->ai_next != NULL, "host %s has one address", host);
	for (entry = list; is_last && entry->ai_next != NULL;)
		entry = entry->ai_next;
	memset(&address, 0, sizeof(address));
	memcpy(&address, entry->ai_addr, entry->ai_addrlen);
	address.size = entry->ai_addrlen;
	mm_freeaddrinfo(list);
	return address;
}

/* A socket with that address, which listens unless it has datagrams. */
static int serve(int type, const struct address *address)
{
	int fd = mm_socket(address->any.sa_family, type, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(mm_bind(fd, &address->any, address->size), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(mm_listen(fd, 5), 0);
	return fd;
}

START_TEST(a_stream_is_connected_to_its_server)
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

START_TEST(a_datagram_socket_is_connected_without_asking)
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

START_TEST(a_service_tells_the_type_and_the_port)
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

START_TEST(the_port_of_a_uri_goes_before_that_of_the_service)
{
	resolve_by_files();

	struct servent *stream = find_service(true, false);

	FOR_EACH_FAMILY(family) {
		struct address address;
		int listener = listening_socket(family, 5, &address);

		assert_connects(uri("%s://%s:%d", stream->s_name, host_of(family), port_of(&address)), family, SOCK_STREAM,
		                port_of(&address));
		close_all(1, &listener);
	}
	struct servent *datagram = find_service(false, true);

	assert_connects(uri("%s://127.0.0.1:10", datagram->s_name), AF_INET, SOCK_DGRAM, 10);
	assert_connects(uri("%s://127.0.0.1:65535", datagram->s_name), AF_INET, SOCK_DGRAM, 65535);
	/* These are none. */
	static const char *const ports[] = {":", ":0", ":-4", ":name", ":-99999999999999999999", "/:10"};

	for (int i = 0; i < MM_NELEM(ports); i++)
		assert_connects(uri("%s://127.0.0.1%s", datagram->s_name, ports[i]), AF_INET, SOCK_DGRAM,
		                ntohs((uint16_t)datagram->s_port));
}
END_TEST

START_TEST(ports_are_numbers_of_c)
{
	static const struct {
		const char *text;
		int port;
	} ports[] = {{"99", 99},      {"010", 8},       {"0x50", 80}, {"0X50", 80},   {" 99", 99},      {"\t\n99", 99},
	             {"+99", 99},     {"99junk", 99},   {"99/p", 99}, {"99?a@b", 99}, {"99#a@b", 99},   {"65535", 65535},
	             {"0xffff", 65535}, {"00000012", 10}};

	for (int i = 0; i < MM_NELEM(ports); i++)
		assert_connects(uri("udp://127.0.0.1:%s", ports[i].text), AF_INET, SOCK_DGRAM, ports[i].port);
}
END_TEST

START_TEST(nobody_listens_to_port_0)
{
	struct address peer = {.size = sizeof(peer.room)};
	int fd = mm_create_sockclient("udp://127.0.0.1:0");

	ck_assert_int_ge(fd, 0);
	assert_fails(mm_getpeername(fd, &peer.any, &peer.size), ENOTCONN);
	close_all(1, &fd);
	assert_fails(mm_create_sockclient("tcp://127.0.0.1:0"), ECONNREFUSED);
	/* Octal digits end at the 8. */
	assert_fails(mm_create_sockclient("tcp://127.0.0.1:08"), ECONNREFUSED);
}
END_TEST

START_TEST(uris_that_cannot_be_understood_are_refused)
{
	static const char *const texts[] = {
		/* No scheme, or no host. */
		NULL, "", "127.0.0.1", "://127.0.0.1", "UDP://127.0.0.1:9", " udp://127.0.0.1:9", "u2://127.0.0.1:9",
		"udp:/127.0.0.1:9", "udp//127.0.0.1:9", "udp://", "udp://:9", "udp:///9", "udp://::1", "tcp://::1:9",
		/* No port where one is needed, or a negative one. */
		"tcp://127.0.0.1", "udp://127.0.0.1", "tcp://127.0.0.1:", "tcp://127.0.0.1:x", "udp://127.0.0.1/p:99",
		"udp://127.0.0.1:-9", "udp://127.0.0.1:- 9", "udp://[::1]",
		/* Ports that do not exist. */
		"udp://127.0.0.1:65536", "udp://127.0.0.1:70000", "udp://127.0.0.1:0x10000", "udp://127.0.0.1:4294967297",
		"udp://127.0.0.1:99999999999999999999", "http://127.0.0.1:65536",
		/* Brackets around something else. */
		"udp://[]:9", "udp://[::1:9", "udp://[::1]9", "udp://[::1].:9", "udp://[127.0.0.1]:9", "udp://[localhost]:9",
		/* User information. */
		"udp://user@127.0.0.1:9", "udp://user:secret@127.0.0.1:9", "udp://@127.0.0.1:9", "udp://user@[::1]:9",
		"udp://[::1]@127.0.0.1:9", "udp://127.0.0.1:9@127.0.0.1:9", "user:secret@127.0.0.1"};

	for (int i = 0; i < MM_NELEM(texts); i++) {
		suite_forget_error();
		ck_assert_msg(mm_create_sockclient(texts[i]) == -1, "%s connects", texts[i]);
		ck_assert_msg(mm_get_lasterror_number() == EINVAL, "%s: %s", texts[i], mm_get_lasterror_desc());
		ck_assert_int_eq(errno, EINVAL);
		/* A password is nothing for a log. */
		ck_assert_ptr_null(strstr(mm_get_lasterror_desc(), "secret"));
	}
}
END_TEST

START_TEST(what_is_not_known_is_told)
{
	resolve_by_files();
	assert_fails(mm_create_sockclient("dummy://127.0.0.1"), MM_ENOTFOUND);
	assert_fails(mm_create_sockclient("udp://" UNKNOWN_HOST ":9"), MM_ENONAME);
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), UNKNOWN_HOST));
	assert_fails(mm_create_sockclient("udp://[1:2]:9"), MM_ENONAME);
	assert_fails(mm_create_sockclient("udp://[::1%no-such-zone]:9"), MM_ENONAME);
	/* Names of hosts are not looked for between brackets. */
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

START_TEST(an_address_of_ipv6_may_have_a_zone)
{
	unsigned int zone = if_nametoindex("lo");
	const char *const zones[] = {"lo", "25lo", uri("%u", zone)};

	if (!has_family(AF_INET6))
		return;
	ck_assert_uint_ne(zone, 0);
	/* With %25 for the %, as RFC 6874 has it; but a number is the index of an interface as it stands. */
	for (int i = 0; i < MM_NELEM(zones); i++) {
		struct address peer = {.size = sizeof(peer.room)};

		suite_forget_error();

		int fd = mm_create_sockclient(uri("udp://[fe80::1%%%s]:9", zones[i]));

		/* There may be no way to it; it was understood then. */
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

START_TEST(a_refused_connection_tells_the_address)
{
	FOR_EACH_FAMILY(family) {
		struct address address;
		int silent = silent_socket(family, &address);

		assert_fails(mm_create_sockclient(uri("tcp://%s:%d", host_of(family), port_of(&address))), ECONNREFUSED);
		ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), uri("%s:%d", host_of(family), port_of(&address))));
		close_all(1, &silent);
	}
}
END_TEST

/* What a call logs. Nothing can wait here: a pipe has room for a few lines. */
static int connect_and_read_log(const char *text, char *log, size_t size)
{
	int pipe[2], saved = dup(STDERR_FILENO), fd;
	ssize_t length;

	ck_assert_int_eq(mm_pipe(pipe), 0);
	set_nonblocking(pipe[0]);
	ck_assert_int_eq(dup2(pipe[1], STDERR_FILENO), STDERR_FILENO);
	mm_log_set_maxlvl(MM_LOG_DEBUG);
	fd = mm_create_sockclient(text);
	mm_log_set_maxlvl(MM_LOG_NONE);
	ck_assert_int_eq(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	length = read(pipe[0], log, size - 1);
	log[length < 0 ? 0 : length] = '\0';
	close_all(3, (int[]){pipe[0], pipe[1], saved});
	return fd;
}

START_TEST(an_address_that_refuses_is_not_mentioned_if_another_takes_the_connection)
{
	char log[4096];

	if (!enter_own_network())
		return;

	struct address last = address_of("many", true, TCP_PORT);
	int listener = serve(SOCK_STREAM, &last);

	mm_raise_error(MM_EBADFMT, "before");
	errno = ENOTTY;

	int fd = connect_and_read_log("stream://many", log, sizeof(log));

	ck_assert_int_ge(fd, 0);
	ck_assert_str_eq(log, "");
	ck_assert_int_eq(mm_get_lasterror_number(), MM_EBADFMT);
	ck_assert_str_eq(mm_get_lasterror_desc(), "before");
	close_all(2, (int[]){fd, listener});
	leave_own_network();
}
END_TEST

/* Checks that the log has a line for each address, in the order of the resolver, and returns how many. */
static int assert_a_line_for_each_address(char *log)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	char host[64];
	int count = 0;

	ck_assert_int_eq(mm_getaddrinfo("many", uri("%d", TCP_PORT), &hints, &list), 0);
	for (struct addrinfo *entry = list; entry != NULL; entry = entry->ai_next, count++) {
		char *line = strsep(&log, "\n");

		ck_assert_int_eq(mm_getnameinfo(entry->ai_addr, entry->ai_addrlen, host, sizeof(host), NULL, 0,
		                                NI_NUMERICHOST), 0);
		ck_assert_msg(log != NULL && strstr(line, " ERROR mmlib ") != NULL, "no line for %s", host);
		ck_assert_msg(strstr(line, host) != NULL, "not of %s: %s", host, line);
		ck_assert_msg(strstr(line, " (mm_create_sockclient() in src/") != NULL, "%s", line);
	}
	ck_assert_str_eq(log, "");
	mm_freeaddrinfo(list);
	return count;
}

START_TEST(refusals_of_all_addresses_are_logged_in_order)
{
	char log[4096];

	if (!enter_own_network())
		return;

	struct address last = address_of("many", true, TCP_PORT);

	errno = 0;
	ck_assert_int_eq(connect_and_read_log("stream://many", log, sizeof(log)), -1);
	ck_assert_int_eq(mm_get_lasterror_number(), ECONNREFUSED);
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), uri(":%d", TCP_PORT)));
	if (last.any.sa_family == AF_INET)
		ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), inet_ntoa(last.v4.sin_addr)));
	ck_assert_int_ge(assert_a_line_for_each_address(log), 3);

	/* The last address has an error of its own. */
	ck_assert_int_eq(connect_and_read_log("tcp://halfway:9", log, sizeof(log)), -1);
	ck_assert_int_eq(mm_get_lasterror_number(), ENETUNREACH);
	ck_assert_ptr_nonnull(strstr(log, strerror(ECONNREFUSED)));
	ck_assert_ptr_nonnull(strstr(log, strerror(ENETUNREACH)));

	mm_error_set_flags(MM_ERROR_SET, MM_ERROR_NOLOG);
	ck_assert_int_eq(connect_and_read_log("stream://many", log, sizeof(log)), -1);
	ck_assert_str_eq(log, "");
	mm_error_set_flags(MM_ERROR_SET, MM_ERROR_IGNORE);
	ck_assert_int_eq(connect_and_read_log("tcp://halfway:9", log, sizeof(log)), -1);
	ck_assert_str_eq(log, "");
	ck_assert_int_eq(mm_get_lasterror_number(), ECONNREFUSED);
	leave_own_network();
}
END_TEST

START_TEST(a_success_after_a_refusal_leaves_errno_alone)
{
	if (!enter_own_network())
		return;

	struct address last = address_of("many", true, TCP_PORT);
	int listener = serve(SOCK_STREAM, &last);

	errno = ENOTTY;

	int fd = mm_create_sockclient("stream://many");

	ck_assert_int_eq(errno, ENOTTY);
	close_all(2, (int[]){listener, fd});
	leave_own_network();
}
END_TEST

START_TEST(streams_are_tried_before_datagrams)
{
	resolve_by_files();

	struct servent *service = find_service(true, true);

	FOR_EACH_FAMILY(family) {
		struct address address;
		int listener = listening_socket(family, 5, &address);

		assert_connects(uri("%s://%s:%d", service->s_name, host_of(family), port_of(&address)), family, SOCK_STREAM,
		                port_of(&address));
		close_all(1, &listener);
	}
}
END_TEST

START_TEST(refused_streams_are_not_replaced_by_a_datagram_socket)
{
	resolve_by_files();

	struct servent *service = find_service(true, true);

	FOR_EACH_FAMILY(family) {
		struct address address;
		int silent = silent_socket(family, &address), datagrams = serve(SOCK_DGRAM, &address);

		assert_fails(mm_create_sockclient(uri("%s://%s:%d", service->s_name, host_of(family), port_of(&address))),
		             ECONNREFUSED);
		ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), uri("%s:%d", host_of(family), port_of(&address))));
		close_all(2, (int[]){silent, datagrams});
	}
}
END_TEST

START_TEST(refused_streams_of_all_addresses_are_an_error)
{
	if (!enter_own_network())
		return;

	struct address first = address_of("many", false, BOTH_PORT), last = address_of("many", true, BOTH_PORT);
	int datagrams[] = {serve(SOCK_DGRAM, &first), serve(SOCK_DGRAM, &last)};
	char text[INET6_ADDRSTRLEN];

	ck_assert_int_eq(getnameinfo(&last.any, last.size, text, sizeof(text), NULL, 0, NI_NUMERICHOST), 0);
	assert_fails(mm_create_sockclient("both://many"), ECONNREFUSED);
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), uri("%s:%d", text, BOTH_PORT)));
	assert_fails(mm_create_sockclient("both://many:4711"), ECONNREFUSED);
	assert_fails(mm_create_sockclient("both://127.0.0.1"), ECONNREFUSED);
	assert_fails(mm_create_sockclient("stream://many"), ECONNREFUSED);
	assert_fails(mm_create_sockclient("tcp://many:4711"), ECONNREFUSED);
	close_all(2, datagrams);
	leave_own_network();
}
END_TEST

START_TEST(the_stream_of_a_later_address_is_preferred_to_a_datagram)
{
	if (!enter_own_network())
		return;

	struct address first = address_of("many", false, BOTH_PORT), last = address_of("many", true, BOTH_PORT);
	struct address other = address_of("many", true, 4711);
	int fds[] = {serve(SOCK_DGRAM, &first), serve(SOCK_STREAM, &last), serve(SOCK_STREAM, &other)};

	assert_connects_to("both://many", SOCK_STREAM, &last);
	assert_connects_to("both://many:4711", SOCK_STREAM, &other);
	assert_connects_to("tcp://many:4711", SOCK_STREAM, &other);
	/* The first one that takes it. */
	int nearer = serve(SOCK_STREAM, &first);

	assert_connects_to("both://many", SOCK_STREAM, &first);
	close_all(4, (int[]){fds[0], fds[1], fds[2], nearer});
	leave_own_network();
}
END_TEST

START_TEST(a_datagram_socket_is_for_services_and_schemes_without_streams)
{
	if (!enter_own_network())
		return;

	struct address by_service = address_of("many", false, UDP_PORT), by_uri = address_of("many", false, 4711);
	int streams[] = {serve(SOCK_STREAM, &by_service), serve(SOCK_STREAM, &by_uri)};

	assert_connects_to("datagram://many", SOCK_DGRAM, &by_service);
	assert_connects_to("datagram://many:4711", SOCK_DGRAM, &by_uri);
	assert_connects_to("udp://many:4711", SOCK_DGRAM, &by_uri);
	close_all(2, streams);
	leave_own_network();
}
END_TEST

START_TEST(an_address_that_does_not_answer_is_given_up_by_the_kernel_alone)
{
	if (!enter_own_network())
		return;

	struct address first = address_of("many", false, TCP_PORT), last = address_of("many", true, TCP_PORT);
	int clients[2], fds[2] = {mm_socket(first.any.sa_family, SOCK_STREAM, 0), serve(SOCK_STREAM, &last)};
	int64_t start;

	/* About two minutes otherwise. */
	ck_assert(write_setting("/proc/sys/net/ipv4/tcp_syn_retries", "1"));
	ck_assert_int_eq(mm_bind(fds[0], &first.any, first.size), 0);
	fill_queue(fds[0], &first, clients);
	start = now_ms();
	assert_connects_to("stream://many", SOCK_STREAM, &last);
	ck_assert_int_ge(now_ms() - start, 1000);
	close_all(2, clients);
	close_all(2, fds);
	leave_own_network();
}
END_TEST

START_TEST(the_error_is_that_of_the_last_address)
{
	resolve_by_files();
	/* The broadcast address of this machine takes no streams, and no datagrams without SO_BROADCAST. */
	assert_fails(mm_create_sockclient("tcp://127.255.255.255:9"), ENETUNREACH);
	assert_fails(mm_create_sockclient("udp://127.255.255.255:9"), EACCES);
	assert_fails(mm_create_sockclient(uri("%s://127.255.255.255:9", find_service(true, true)->s_name)), ENETUNREACH);
	if (!enter_own_network())
		return;
	assert_fails(mm_create_sockclient("tcp://127.0.0.1:9"), ECONNREFUSED);
	assert_fails(mm_create_sockclient("tcp://halfway:9"), ENETUNREACH);
	leave_own_network();
}
END_TEST

START_TEST(no_number_for_a_descriptor_is_an_error)
{
	struct rlimit before, none;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){0, before.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_fails(mm_create_sockclient("udp://127.0.0.1:9"), EMFILE);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}
END_TEST

START_TEST(a_signal_ends_it_although_addresses_are_left)
{
	if (!enter_own_network())
		return;

	struct address first = address_of("many", false, TCP_PORT), last = address_of("many", true, TCP_PORT);
	int clients[2], fds[2] = {mm_socket(first.any.sa_family, SOCK_STREAM, 0), serve(SOCK_STREAM, &last)};

	ck_assert_int_eq(mm_bind(fds[0], &first.any, first.size), 0);
	fill_queue(fds[0], &first, clients);

	pthread_t interrupter = start_interrupting();

	assert_fails(mm_create_sockclient("stream://many"), EINTR);
	stop_interrupting(interrupter);
	close_all(2, clients);
	close_all(2, fds);
	leave_own_network();
}
END_TEST

START_TEST(a_signal_ends_a_wait_for_the_only_address)
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

SUITE(a_stream_is_connected_to_its_server, a_datagram_socket_is_connected_without_asking,
      a_service_tells_the_type_and_the_port, the_port_of_a_uri_goes_before_that_of_the_service, ports_are_numbers_of_c,
      nobody_listens_to_port_0, uris_that_cannot_be_understood_are_refused, what_is_not_known_is_told,
      uris_may_have_any_length, an_address_of_ipv6_may_have_a_zone, other_percent_escapes_are_not_decoded, a_refused_connection_tells_the_address,
      an_address_that_refuses_is_not_mentioned_if_another_takes_the_connection,
      refusals_of_all_addresses_are_logged_in_order,
      a_success_after_a_refusal_leaves_errno_alone, streams_are_tried_before_datagrams,
      refused_streams_are_not_replaced_by_a_datagram_socket, refused_streams_of_all_addresses_are_an_error,
      the_stream_of_a_later_address_is_preferred_to_a_datagram,
      a_datagram_socket_is_for_services_and_schemes_without_streams,
      an_address_that_does_not_answer_is_given_up_by_the_kernel_alone, the_error_is_that_of_the_last_address,
      no_number_for_a_descriptor_is_an_error, a_signal_ends_it_although_addresses_are_left,
      a_signal_ends_a_wait_for_the_only_address)
