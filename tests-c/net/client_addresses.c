/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_addresses.c: URIs whose host has several addresses: which one is connected to, and what is logged
 */
#include "client.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

/*
 * A private network, with hosts of several addresses and services of each kind, including their ports. It requires
 * kernel namespaces: false if they are not available. leave_own_network() ends it.
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

/* The first or last address that is tried of a host, in the order of the resolver. */
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

/* A socket with that address, which listens unless it is a datagram socket. */
static int serve(int type, const struct address *address)
{
	int fd = mm_socket(address->any.sa_family, type, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(mm_bind(fd, &address->any, address->size), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(mm_listen(fd, 5), 0);
	return fd;
}

/* The log lines of a call. The write cannot block: a pipe holds several lines. */
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

START_TEST(refusing_address_is_not_logged_if_another_accepts_the_connection)
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

/* Checks that the log has a line for each address, in the order of the resolver, and returns their number. */
static int assert_a_line_for_each_address(char *log)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	char host[64];
	int count = 0;

	ck_assert_int_eq(mm_getaddrinfo("many", uri("%d", TCP_PORT), &hints, &list), 0);
	for (struct addrinfo *entry = list; entry != NULL; entry = entry->ai_next, count++) {
		char *line = strsep(&log, "\n");

		ck_assert_int_eq(
			mm_getnameinfo(entry->ai_addr, entry->ai_addrlen, host, sizeof(host), NULL, 0, NI_NUMERICHOST),
			0);
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

	/* The last address has a different error. */
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

START_TEST(success_after_a_refusal_leaves_errno_unchanged)
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

		assert_connects(uri("%s://%s:%d", service->s_name, host_of(family), port_of(&address)), family,
		                SOCK_STREAM, port_of(&address));
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

		assert_fails(
			mm_create_sockclient(uri("%s://%s:%d", service->s_name, host_of(family), port_of(&address))),
			ECONNREFUSED);
		ck_assert_ptr_nonnull(
			strstr(mm_get_lasterror_desc(), uri("%s:%d", host_of(family), port_of(&address))));
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

START_TEST(stream_of_a_later_address_is_preferred_to_a_datagram)
{
	if (!enter_own_network())
		return;

	struct address first = address_of("many", false, BOTH_PORT), last = address_of("many", true, BOTH_PORT);
	struct address other = address_of("many", true, 4711);
	int fds[] = {serve(SOCK_DGRAM, &first), serve(SOCK_STREAM, &last), serve(SOCK_STREAM, &other)};

	assert_connects_to("both://many", SOCK_STREAM, &last);
	assert_connects_to("both://many:4711", SOCK_STREAM, &other);
	assert_connects_to("tcp://many:4711", SOCK_STREAM, &other);
	/* The first address that accepts it. */
	int nearer = serve(SOCK_STREAM, &first);

	assert_connects_to("both://many", SOCK_STREAM, &first);
	close_all(4, (int[]){fds[0], fds[1], fds[2], nearer});
	leave_own_network();
}
END_TEST

START_TEST(datagram_socket_is_used_for_services_and_schemes_without_streams)
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

START_TEST(only_the_kernel_times_out_an_address_that_does_not_answer)
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

START_TEST(error_is_that_of_the_last_address)
{
	resolve_by_files();
	/* The broadcast address of this machine accepts no streams, and no datagrams without SO_BROADCAST. */
	assert_fails(mm_create_sockclient("tcp://127.255.255.255:9"), ENETUNREACH);
	assert_fails(mm_create_sockclient("udp://127.255.255.255:9"), EACCES);
	assert_fails(mm_create_sockclient(uri("%s://127.255.255.255:9", find_service(true, true)->s_name)),
	             ENETUNREACH);
	if (!enter_own_network())
		return;
	assert_fails(mm_create_sockclient("tcp://127.0.0.1:9"), ECONNREFUSED);
	assert_fails(mm_create_sockclient("tcp://halfway:9"), ENETUNREACH);
	leave_own_network();
}
END_TEST

START_TEST(signal_interrupts_although_addresses_are_left)
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

SUITE(refusing_address_is_not_logged_if_another_accepts_the_connection, refusals_of_all_addresses_are_logged_in_order,
      success_after_a_refusal_leaves_errno_unchanged, streams_are_tried_before_datagrams,
      refused_streams_are_not_replaced_by_a_datagram_socket, refused_streams_of_all_addresses_are_an_error,
      stream_of_a_later_address_is_preferred_to_a_datagram,
      datagram_socket_is_used_for_services_and_schemes_without_streams,
      only_the_kernel_times_out_an_address_that_does_not_answer, error_is_that_of_the_last_address,
      signal_interrupts_although_addresses_are_left)
