/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.c: resolving names of hosts and services, and looking up names of addresses
 */
#include "loopback.h"

#include <sys/mman.h>
#include <sys/un.h>

#define HINTS(...) (&(struct addrinfo){__VA_ARGS__})

START_TEST(numeric_address_and_port_are_resolved)
{
	FOR_EACH_FAMILY(family) {
		struct address expected = loopback(family, 32145);
		struct addrinfo *list = NULL;

		ck_assert_int_eq(
			mm_getaddrinfo(loopback_text(family), "32145",
		                       HINTS(.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV),
		                       &list),
			0);
		ck_assert_ptr_nonnull(list);
		ck_assert_int_eq(list->ai_family, family);
		ck_assert_int_eq(list->ai_socktype, SOCK_DGRAM);
		ck_assert_int_eq(list->ai_protocol, IPPROTO_UDP);
		ck_assert_uint_eq(list->ai_addrlen, expected.size);
		ck_assert_mem_eq(list->ai_addr, &expected, expected.size);
		ck_assert_ptr_null(list->ai_next);
		mm_freeaddrinfo(list);
	}
}
END_TEST

START_TEST(null_node_is_this_machine)
{
	struct addrinfo *list = NULL;
	struct address expected = loopback(AF_INET, 7);

	ck_assert_int_eq(mm_getaddrinfo(NULL, "7", HINTS(.ai_family = AF_INET, .ai_socktype = SOCK_STREAM), &list), 0);
	ck_assert_mem_eq(list->ai_addr, &expected, expected.size);
	mm_freeaddrinfo(list);
	ck_assert_int_eq(mm_getaddrinfo(NULL, "7",
	                                HINTS(.ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE),
	                                &list),
	                 0);
	expected.v4.sin_addr.s_addr = htonl(INADDR_ANY);
	ck_assert_mem_eq(list->ai_addr, &expected, expected.size);
	mm_freeaddrinfo(list);
}
END_TEST

START_TEST(list_is_that_of_the_c_library)
{
	static const struct addrinfo hints[] = {{0},
	                                        {.ai_family = AF_INET},
	                                        {.ai_socktype = SOCK_STREAM},
	                                        {.ai_flags = AI_CANONNAME},
	                                        {.ai_flags = AI_PASSIVE | AI_ADDRCONFIG}};
	static const char *const nodes[] = {"localhost", "127.0.0.1", "::1", "127.1"};

	resolve_by_files();

	const char *services[] = {find_service(true, false)->s_name, "0", "65535", "70000", "", NULL};

	for (int h = 0; h < MM_NELEM(hints); h++) {
		for (int n = 0; n < MM_NELEM(nodes); n++) {
			for (int s = 0; s < MM_NELEM(services); s++) {
				struct addrinfo *ours = NULL, *theirs = NULL;
				int code = getaddrinfo(nodes[n], services[s], &hints[h], &theirs);

				ck_assert_int_eq(mm_getaddrinfo(nodes[n], services[s], &hints[h], &ours),
				                 code == 0 ? 0 : -1);
				if (code != 0)
					continue;
				struct addrinfo *a = ours, *b = theirs;

				for (; a != NULL && b != NULL; a = a->ai_next, b = b->ai_next) {
					ck_assert_int_eq(a->ai_family, b->ai_family);
					ck_assert_int_eq(a->ai_socktype, b->ai_socktype);
					ck_assert_int_eq(a->ai_protocol, b->ai_protocol);
					ck_assert_uint_eq(a->ai_addrlen, b->ai_addrlen);
					ck_assert_mem_eq(a->ai_addr, b->ai_addr, a->ai_addrlen);
					ck_assert_pstr_eq(a->ai_canonname, b->ai_canonname);
				}
				ck_assert(a == NULL && b == NULL);
				mm_freeaddrinfo(ours);
				freeaddrinfo(theirs);
			}
		}
	}
}
END_TEST

START_TEST(service_has_its_socket_types_and_port)
{
	struct servent *service = find_service(true, false);
	struct addrinfo *list = NULL;
	int count = 0;

	ck_assert_int_eq(mm_getaddrinfo("127.0.0.1", service->s_name, NULL, &list), 0);
	for (struct addrinfo *entry = list; entry != NULL; entry = entry->ai_next) {
		ck_assert_int_eq(entry->ai_socktype, SOCK_STREAM);
		ck_assert_int_eq(((struct sockaddr_in *)entry->ai_addr)->sin_port, service->s_port);
		count++;
	}
	ck_assert_int_gt(count, 0);
	mm_freeaddrinfo(list);
	assert_fails(mm_getaddrinfo("127.0.0.1", service->s_name, HINTS(.ai_socktype = SOCK_DGRAM), &list),
	             MM_ENOTFOUND);
}
END_TEST

START_TEST(resolver_failures_have_error_numbers)
{
	struct addrinfo *list;

	resolve_by_files();
	assert_fails(mm_getaddrinfo(UNKNOWN_HOST, "7", NULL, &list), MM_ENONAME);
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), "\"" UNKNOWN_HOST "\""));
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), "\"7\""));
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), gai_strerror(EAI_NONAME)));
	assert_fails(mm_getaddrinfo(UNKNOWN_HOST, NULL, NULL, &list), MM_ENONAME);
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), "NULL"));
	assert_fails(mm_getaddrinfo("127.0.0.1", "no-such-service", NULL, &list), MM_ENOTFOUND);
	assert_fails(mm_getaddrinfo("localhost", "7", HINTS(.ai_flags = AI_NUMERICHOST), &list), MM_ENONAME);
	assert_fails(mm_getaddrinfo("127.0.0.1", "7", HINTS(.ai_family = AF_INET6), &list), EADDRNOTAVAIL);
	assert_fails(mm_getaddrinfo("::1", "7", HINTS(.ai_family = AF_INET), &list), EADDRNOTAVAIL);
	assert_fails(mm_getaddrinfo("127.0.0.1", "7", HINTS(.ai_family = 77), &list), EAFNOSUPPORT);
	assert_fails(mm_getaddrinfo("127.0.0.1", "7", HINTS(.ai_socktype = 77), &list), EPROTOTYPE);
	assert_fails(
		mm_getaddrinfo("127.0.0.1", "7", HINTS(.ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_UDP), &list),
		EPROTOTYPE);
	assert_fails(mm_getaddrinfo("127.0.0.1", "7", HINTS(.ai_flags = 0x100000), &list), EINVAL);
}
END_TEST

START_TEST(invalid_arguments_are_reported_as_the_cause)
{
	static const char *const no_numbers[] = {"", "ssh", "1x", "-1", " 1"};
	struct addrinfo *list;

	resolve_by_files();
	assert_fails(mm_getaddrinfo(NULL, NULL, NULL, &list), EINVAL);
	assert_fails(mm_getaddrinfo(NULL, NULL, HINTS(.ai_family = 77), &list), EINVAL);
	assert_fails(mm_getaddrinfo(NULL, "7", HINTS(.ai_flags = AI_CANONNAME), &list), EINVAL);
	/* Before the error of the resolver. */
	assert_fails(mm_getaddrinfo(NULL, "7", HINTS(.ai_flags = AI_CANONNAME, .ai_family = 77), &list), EINVAL);
	for (int i = 0; i < MM_NELEM(no_numbers); i++)
		assert_fails(mm_getaddrinfo(UNKNOWN_HOST, no_numbers[i], HINTS(.ai_flags = AI_NUMERICSERV), &list),
		             EINVAL);
	assert_fails(mm_getaddrinfo(UNKNOWN_HOST, "1", HINTS(.ai_flags = AI_NUMERICSERV), &list), MM_ENONAME);
	/* Without a service the flag has no effect. */
	assert_fails(mm_getaddrinfo(UNKNOWN_HOST, NULL, HINTS(.ai_flags = AI_NUMERICSERV), &list), MM_ENONAME);
	/* Arguments with which the call succeeds are not checked. */
	ck_assert_int_eq(mm_getaddrinfo("127.0.0.1", NULL, HINTS(.ai_flags = AI_NUMERICSERV), &list), 0);
	mm_freeaddrinfo(list);
}
END_TEST

/* Names in other encodings are an extension of glibc. */
#ifdef AI_IDN
START_TEST(badly_encoded_name_has_a_separate_error_number)
{
	struct addrinfo *list;

	resolve_by_files();
	errno = 0;
	assert_fails(mm_getaddrinfo("\xff\xfe.invalid", "7", HINTS(.ai_flags = AI_IDN), &list), EINVAL);
	errno = ENOTTY;
	assert_fails(mm_getaddrinfo("\xff\xfe.invalid", "7", HINTS(.ai_flags = AI_IDN), &list), EINVAL);
}
END_TEST

#define ENCODING_TESTS , badly_encoded_name_has_a_separate_error_number
#else
#define ENCODING_TESTS
#endif

START_TEST(address_list_can_be_modified_and_released)
{
	struct addrinfo *list = NULL;

	assert_fails(mm_getaddrinfo("127.0.0.1", "7", NULL, NULL), EFAULT);
	mm_freeaddrinfo(NULL);
	ck_assert_int_eq(mm_getaddrinfo("127.0.0.1", "7", NULL, &list), 0);
	/* The caller owns its entries: only the first, with another port, is kept. */
	struct addrinfo *rest = list->ai_next;

	list->ai_next = NULL;
	((struct sockaddr_in *)list->ai_addr)->sin_port = htons(8);
	mm_freeaddrinfo(rest);
	mm_freeaddrinfo(list);
}
END_TEST

START_TEST(address_is_converted_to_text)
{
	FOR_EACH_FAMILY(family) {
		struct address address = loopback(family, 32145);
		char host[64], service[16];

		ck_assert_int_eq(mm_getnameinfo(&address.any, address.size, host, sizeof(host), service,
		                                sizeof(service), NI_NUMERICHOST | NI_NUMERICSERV),
		                 0);
		ck_assert_str_eq(host, loopback_text(family));
		ck_assert_str_eq(service, "32145");
		/* One of them alone. */
		strcpy(host, "unchanged");
		ck_assert_int_eq(
			mm_getnameinfo(&address.any, address.size, NULL, 0, service, sizeof(service), NI_NUMERICSERV),
			0);
		ck_assert_int_eq(
			mm_getnameinfo(&address.any, address.size, host, sizeof(host), NULL, 0, NI_NUMERICHOST), 0);
		ck_assert_str_eq(host, loopback_text(family));
	}
}
END_TEST

START_TEST(local_address_is_not_read_beyond_its_size)
{
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	size_t page = page_size();
	char service[128];
	char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(memory, MAP_FAILED);
	ck_assert_int_eq(mprotect(memory + page, page, PROT_NONE), 0);
	memset(local.sun_path, 'x', sizeof(local.sun_path));
	for (size_t size = offsetof(struct sockaddr_un, sun_path); size <= sizeof(local); size++) {
		struct sockaddr *address = memcpy(memory + page - size, &local, size);

		ck_assert_int_eq(mm_getnameinfo(address, (socklen_t)size, NULL, 0, service, sizeof(service), 0), 0);
		ck_assert_uint_eq(strlen(service), size - offsetof(struct sockaddr_un, sun_path));
	}
	munmap(memory, 2 * page);
}
END_TEST

START_TEST(service_name_depends_on_the_socket_type)
{
	struct servent *service = find_service(false, true);
	struct address address = loopback(AF_INET, ntohs((uint16_t)service->s_port));
	char name[64], expected[64];

	resolve_by_files();
	for (int flags = 0; flags <= NI_DGRAM; flags += NI_DGRAM) {
		ck_assert_int_eq(getnameinfo(&address.any, address.size, NULL, 0, expected, sizeof(expected), flags),
		                 0);
		ck_assert_int_eq(mm_getnameinfo(&address.any, address.size, NULL, 0, name, sizeof(name), flags), 0);
		ck_assert_str_eq(name, expected);
	}
	/* The datagram service: its own name, or the first with its port. */
	ck_assert_ptr_nonnull(getservbyname(name, "udp"));
}
END_TEST

START_TEST(failures_to_look_up_a_name_have_error_numbers)
{
	struct address address = loopback(AF_INET, 32145);
	char host[64], service[16];

	resolve_by_files();
	/* An address without a name in the files. */
	address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 0x4d4d4c);
	assert_fails(mm_getnameinfo(&address.any, address.size, host, sizeof(host), NULL, 0, NI_NAMEREQD), MM_ENONAME);
	assert_fails(mm_getnameinfo(&address.any, address.size, host, 3, NULL, 0, NI_NUMERICHOST), EOVERFLOW);
	assert_fails(mm_getnameinfo(&address.any, address.size, NULL, 0, service, 2, NI_NUMERICSERV), EOVERFLOW);
	assert_fails(mm_getnameinfo(&address.any, 4, host, sizeof(host), NULL, 0, 0), EAFNOSUPPORT);
	assert_fails(mm_getnameinfo(&address.any, 0, host, sizeof(host), NULL, 0, 0), EAFNOSUPPORT);
	assert_fails(mm_getnameinfo(&address.any, address.size, host, sizeof(host), NULL, 0, 0x10000), EINVAL);
	assert_fails(mm_getnameinfo(NULL, address.size, host, sizeof(host), NULL, 0, 0), EFAULT);
	assert_fails(mm_getnameinfo(NULL, 0, host, sizeof(host), NULL, 0, 0), EAFNOSUPPORT);
	address.any.sa_family = 77;
	assert_fails(mm_getnameinfo(&address.any, address.size, host, sizeof(host), NULL, 0, 0), EAFNOSUPPORT);
}
END_TEST

START_TEST(success_leaves_the_error_state_unchanged)
{
	struct address address = loopback(AF_INET, 7);
	struct addrinfo *list;
	char host[64];

	mm_raise_error(MM_EBADFMT, "before");
	ck_assert_int_eq(mm_getaddrinfo("127.0.0.1", "7", NULL, &list), 0);
	mm_freeaddrinfo(list);
	ck_assert_int_eq(mm_getnameinfo(&address.any, address.size, host, sizeof(host), NULL, 0, NI_NUMERICHOST), 0);
	ck_assert_int_eq(mm_get_lasterror_number(), MM_EBADFMT);
	ck_assert_str_eq(mm_get_lasterror_desc(), "before");
}
END_TEST

SUITE(numeric_address_and_port_are_resolved, null_node_is_this_machine, list_is_that_of_the_c_library,
      service_has_its_socket_types_and_port, resolver_failures_have_error_numbers,
      invalid_arguments_are_reported_as_the_cause ENCODING_TESTS, address_list_can_be_modified_and_released,
      address_is_converted_to_text, local_address_is_not_read_beyond_its_size, service_name_depends_on_the_socket_type,
      failures_to_look_up_a_name_have_error_numbers, success_leaves_the_error_state_unchanged)
