/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c: socket options
 */
#include "loopback.h"

#include <grp.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/netlink.h>

/* Defined by the kernel, but not yet by some C libraries. */
#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

static const int timeouts[] = {SO_RCVTIMEO, SO_SNDTIMEO};

static bool is_timeout(int level, int name)
{
	return level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO);
}

START_TEST(option_is_returned_as_set)
{
	FOR_EACH_FAMILY(family) {
		int fd = mm_socket(family, SOCK_STREAM, 0);

		set_int_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
		ck_assert_int_eq(int_option(fd, SOL_SOCKET, SO_REUSEADDR), 1);
		set_int_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
		ck_assert_int_eq(int_option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
		set_int_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 77);
		ck_assert_int_eq(int_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 77);
		close_all(1, &fd);
	}
}
END_TEST

/* A function that gets options, and its result. Every byte that it writes is visible, including any beyond @size. */
typedef int getter(int fd, int level, int name, void *value, socklen_t *size);

struct answer {
	int result, error;
	socklen_t size;
	unsigned char bytes[600];
};

static struct answer ask(getter *get, int fd, int level, int name, socklen_t size)
{
	struct answer answer;

	memset(&answer, 0xAA, sizeof(answer));
	answer.size = size;
	suite_forget_error();
	errno = 0;
	answer.result = get(fd, level, name, answer.bytes, &answer.size);
	answer.error = errno;
	if (get == mm_getsockopt)
		ck_assert_int_eq(mm_get_lasterror_number(), answer.result == 0 ? 0 : answer.error);
	return answer;
}

/*
 * mm_getsockopt() must behave exactly like getsockopt(). Values that change spontaneously, such as counters, are not
 * compared.
 */
static struct answer assert_same_answer(int fd, int level, int name, socklen_t size)
{
	VALGRIND_DISABLE_ERROR_REPORTING; /* always uses the size as a number of bytes */
	struct answer before = ask(getsockopt, fd, level, name, size);
	struct answer ours = ask(mm_getsockopt, fd, level, name, size);
	struct answer after = ask(getsockopt, fd, level, name, size);

	VALGRIND_ENABLE_ERROR_REPORTING;
	ck_assert_msg(ours.result == before.result && ours.error == before.error && ours.size == before.size,
	              "option %d of level %d, %d bytes: getsockopt %d, %s, size %d; mm_getsockopt %d, %s, size %d",
	              name, level, (int)size, before.result, strerror(before.error), (int)before.size, ours.result,
	              strerror(ours.error), (int)ours.size);
	if (memcmp(before.bytes, after.bytes, sizeof(before.bytes)) == 0)
		ck_assert_msg(memcmp(ours.bytes, before.bytes, sizeof(before.bytes)) == 0,
		              "option %d of level %d, %d bytes: different bytes were written", name, level, (int)size);
	return ours;
}

/* Byte @from and all bytes after it are unchanged. */
static bool is_untouched(const struct answer *answer, size_t from)
{
	while (from < sizeof(answer->bytes) && answer->bytes[from] == 0xAA)
		from++;
	return from == sizeof(answer->bytes);
}

START_TEST(getsockopt_passes_every_option_through)
{
	static const int levels[] = {SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPPROTO_UDP, SOL_NETLINK};
	static const int sizes[] = {4,  0,  1,  16, 3,   2,   5,   7,       8,  12,     15,
	                            17, 20, 40, 64, 104, 256, 599, INT_MAX, -1, INT_MIN};
	int fds[16], count = 0;

	connect_pair(AF_INET, SOCK_STREAM, &fds[count]);
	connect_pair(AF_INET, SOCK_DGRAM, &fds[count + 2]);
	ck_assert_int_eq(mm_ipc_connected_pair(&fds[count + 4]), 0);
	fds[count + 6] = mm_socket(AF_INET, SOCK_STREAM, 0);
	count += 7;
	if (has_family(AF_INET6)) {
		fds[count++] = mm_socket(AF_INET6, SOCK_STREAM, 0);
		fds[count++] = mm_socket(AF_INET6, SOCK_DGRAM, 0);
	}
	fds[count] = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	count += fds[count] != -1;
	for (int i = 0; i < count; i++) {
		for (int l = 0; l < MM_NELEM(levels); l++) {
			/* The range from 64 of these two levels belongs to netfilter, which loads modules. */
			int end = levels[l] == IPPROTO_IP || levels[l] == IPPROTO_IPV6 ? 64 : 100;

			for (int name = 0; name < end; name++) {
				if (is_timeout(levels[l], name) || (levels[l] == SOL_SOCKET && name == SO_PEERPIDFD))
					continue;
				for (int k = 0; k < (is_instrumented() ? 4 : MM_NELEM(sizes)); k++)
					assert_same_answer(fds[i], levels[l], name, (socklen_t)sizes[k]);
			}
		}
	}
	close_all(count, fds);
}
END_TEST

START_TEST(int_that_does_not_fit_is_truncated)
{
	static const int options[] = {SO_TYPE, SO_RCVTIMEO, SO_SNDTIMEO};
	int fd = mm_socket(AF_INET, SOCK_STREAM, 0), value;

	set_int_option(fd, SOL_SOCKET, SO_RCVTIMEO, 1000);
	set_int_option(fd, SOL_SOCKET, SO_SNDTIMEO, 2000);
	for (int i = 0; i < MM_NELEM(options); i++) {
		value = int_option(fd, SOL_SOCKET, options[i]);
		for (socklen_t capacity = 0; capacity <= 17; capacity++) {
			struct answer cut = ask(mm_getsockopt, fd, SOL_SOCKET, options[i], capacity);
			socklen_t fitting = capacity < sizeof(int) ? capacity : sizeof(int);

			ck_assert_int_eq(cut.result, 0);
			ck_assert_uint_eq(cut.size, fitting);
			ck_assert_mem_eq(cut.bytes, &value, fitting);
			ck_assert(is_untouched(&cut, fitting));
		}
		/* A capacity of zero is not an error. */
		socklen_t size = 0;

		ck_assert_int_eq(mm_getsockopt(fd, SOL_SOCKET, options[i], NULL, &size), 0);
		ck_assert_uint_eq(size, 0);
	}
	close_all(1, &fd);
}
END_TEST

START_TEST(timeout_accepts_any_size_as_capacity)
{
	static const socklen_t sizes[] = {sizeof(struct timeval), INT_MAX, (socklen_t)INT_MIN, (socklen_t)-1};
	int fd = mm_socket(AF_INET, SOCK_STREAM, 0), value = 1000;

	for (int t = 0; t < MM_NELEM(timeouts); t++) {
		set_int_option(fd, SOL_SOCKET, timeouts[t], value);
		for (int i = 0; i < MM_NELEM(sizes); i++) {
			struct answer answer = ask(mm_getsockopt, fd, SOL_SOCKET, timeouts[t], sizes[i]);

			ck_assert_int_eq(answer.result, 0);
			ck_assert_uint_eq(answer.size, sizeof(int));
			ck_assert_mem_eq(answer.bytes, &value, sizeof(value));
			ck_assert(is_untouched(&answer, sizeof(int)));
		}
	}
	close_all(1, &fd);
}
END_TEST

START_TEST(tcp_info_is_complete_at_any_size_that_the_kernel_accepts)
{
	struct answer whole, cut;
	int fds[2];

	connect_pair(AF_INET, SOCK_STREAM, fds);
	whole = assert_same_answer(fds[0], IPPROTO_TCP, TCP_INFO, 599);
	ck_assert_int_eq(whole.result, 0);
	ck_assert_uint_gt(whole.size, sizeof(struct tcp_info) - 1);
	ck_assert_uint_eq(((struct tcp_info *)whole.bytes)->tcpi_state, TCP_ESTABLISHED);
	ck_assert_uint_eq(assert_same_answer(fds[0], IPPROTO_TCP, TCP_INFO, INT_MAX).size, whole.size);
	cut = assert_same_answer(fds[0], IPPROTO_TCP, TCP_INFO, 20);
	ck_assert_uint_eq(cut.size, 20);
	ck_assert(is_untouched(&cut, 20));
	cut = assert_same_answer(fds[0], IPPROTO_TCP, TCP_INFO, 5);
	ck_assert_uint_eq(cut.size, 5);
	ck_assert(is_untouched(&cut, 5));
	/* Negative as an int. */
	ck_assert_int_eq(assert_same_answer(fds[0], IPPROTO_TCP, TCP_INFO, (socklen_t)-1).error, EINVAL);
	ck_assert_int_eq(assert_same_answer(fds[0], IPPROTO_TCP, TCP_INFO, (socklen_t)INT_MIN).error, EINVAL);
	close_all(2, fds);
}
END_TEST

START_TEST(get_filter_counts_instructions_instead_of_bytes)
{
	static const int counts[] = {1, 2, 3, 10, 15, 16, 17, 64};
	struct sock_filter code[64];
	const struct sock_filter end = BPF_STMT(BPF_RET | BPF_K, 0xffff);
	struct answer answer;
	int fds[2];

	connect_pair(AF_INET, SOCK_DGRAM, fds);
	for (int i = 0; i < MM_NELEM(counts); i++) {
		struct sock_fprog program = {(unsigned short)counts[i], code};
		socklen_t count = (socklen_t)counts[i], size = 0;
		size_t bytes = count * sizeof(code[0]);

		for (socklen_t k = 0; k < count; k++)
			code[k] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, 0x41410000 + k);
		code[count - 1] = end;
		ck_assert_int_eq(mm_setsockopt(fds[0], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)), 0);
		/* 0 requests their number. */
		ck_assert_int_eq(mm_getsockopt(fds[0], SOL_SOCKET, SO_GET_FILTER, NULL, &size), 0);
		ck_assert_uint_eq(size, count);
		answer = assert_same_answer(fds[0], SOL_SOCKET, SO_GET_FILTER, 0);
		ck_assert_uint_eq(answer.size, count);
		ck_assert(is_untouched(&answer, 0));
		for (socklen_t capacity = count; capacity <= 64; capacity += 9) {
			answer = assert_same_answer(fds[0], SOL_SOCKET, SO_GET_FILTER, capacity);
			ck_assert_int_eq(answer.result, 0);
			ck_assert_uint_eq(answer.size, count);
			ck_assert_mem_eq(answer.bytes, code, bytes);
			ck_assert(is_untouched(&answer, bytes));
		}
		if (count > 1)
			ck_assert_int_eq(assert_same_answer(fds[0], SOL_SOCKET, SO_GET_FILTER, count - 1).error,
			                 EINVAL);
	}
	close_all(2, fds);
}
END_TEST

START_TEST(peergroups_reports_the_required_size)
{
	static const gid_t groups[] = {100, 200, 300, 400, 500, 600};

	for (int count = 0; count <= MM_NELEM(groups); count += 2) {
		gid_t ours[64];
		int fds[2], number = setgroups((size_t)count, groups);

		/* An ordinary user keeps the current groups. */
		ck_assert(number == 0 || errno == EPERM);
		number = getgroups(MM_NELEM(ours), ours);
		ck_assert_int_ge(number, 0);
		socklen_t needed = (socklen_t)number * sizeof(gid_t);

		ck_assert_int_eq(mm_ipc_connected_pair(fds), 0);
		for (socklen_t size = 0; size <= needed + 8; size++) {
			struct answer answer = assert_same_answer(fds[0], SOL_SOCKET, SO_PEERGROUPS, size);

			if (answer.error == ENOPROTOOPT) {
				printf("# skipped, since the kernel does not support it: SO_PEERGROUPS\n");
				close_all(2, fds);
				return;
			}
			ck_assert_uint_eq(answer.size, needed);
			ck_assert_int_eq(answer.error, size < needed ? ERANGE : 0);
			if (answer.result == 0)
				ck_assert_mem_eq(answer.bytes, ours, needed);
		}
		close_all(2, fds);
	}
}
END_TEST

START_TEST(list_memberships_reports_the_required_size)
{
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	if (fd == -1) {
		printf("# skipped, since there are no netlink sockets: %s\n", strerror(errno));
		return;
	}
	set_int_option(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 1);
	set_int_option(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 20);

	socklen_t needed = assert_same_answer(fd, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, 0).size;

	ck_assert_uint_ge(needed, 4);
	for (socklen_t size = 0; size <= needed + 8; size++) {
		struct answer answer = assert_same_answer(fd, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, size);

		ck_assert_int_eq(answer.result, 0);
		ck_assert_uint_eq(answer.size, needed);
		if (size >= 4)
			ck_assert_mem_eq(answer.bytes, &(uint32_t){1U << 0 | 1U << 19}, 4);
	}
	close_all(1, &fd);
}
END_TEST

/* The next descriptor that will be assigned. */
static int next_number(void)
{
	int fd = dup(STDIN_FILENO);

	close(fd);
	return fd;
}

START_TEST(peerpidfd_returns_one_descriptor_and_leaks_none)
{
	static const socklen_t refused[] = {(socklen_t)-1, (socklen_t)INT_MIN};
	int fds[2], number, pidfd = -1;
	socklen_t size = sizeof(pidfd);

	ck_assert_int_eq(mm_ipc_connected_pair(fds), 0);
	number = next_number();
	if (mm_getsockopt(fds[0], SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == -1) {
		printf("# skipped, since the kernel does not support it: SO_PEERPIDFD\n");
		ck_assert_int_eq(errno, ENOPROTOOPT);
		close_all(2, fds);
		return;
	}
	ck_assert_uint_eq(size, sizeof(pidfd));
	ck_assert_int_eq(pidfd, number);
	ck_assert_int_eq(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
	close_all(1, &pidfd);
	ck_assert_int_eq(next_number(), number);
	/* A failure leaves no descriptor. */
	for (int i = 0; i < 2; i++) {
		size = sizeof(pidfd);
		assert_fails_on_bad_memory(mm_getsockopt(fds[0], SOL_SOCKET, SO_PEERPIDFD, nowhere(i), &size), EFAULT);
		ck_assert_int_eq(next_number(), number);
	}
	assert_fails_on_bad_memory(mm_getsockopt(fds[0], SOL_SOCKET, SO_PEERPIDFD, &pidfd, nowhere(0)), EFAULT);
	ck_assert_int_eq(next_number(), number);
	for (int i = 0; i < MM_NELEM(refused); i++) {
		VALGRIND_DISABLE_ERROR_REPORTING;
		ck_assert_int_eq(ask(mm_getsockopt, fds[0], SOL_SOCKET, SO_PEERPIDFD, refused[i]).error, EINVAL);
		VALGRIND_ENABLE_ERROR_REPORTING;
		ck_assert_int_eq(next_number(), number);
	}
	/* The kernel creates the descriptor even if its number does not fit: one, not two. */
	for (size = 0; size <= 20; size++) {
		for (int i = 0; i < 2; i++) {
			struct answer answer =
				ask(i == 0 ? getsockopt : mm_getsockopt, fds[0], SOL_SOCKET, SO_PEERPIDFD, size);
			int fitting = size < sizeof(int) ? (int)size : (int)sizeof(int);

			ck_assert_int_eq(answer.result, 0);
			ck_assert_int_eq((int)answer.size, fitting);
			ck_assert_mem_eq(answer.bytes, &number, fitting);
			ck_assert(is_untouched(&answer, (size_t)fitting));
			ck_assert(is_open(number));
			close(number);
			ck_assert_int_eq(next_number(), number);
		}
	}
	close_all(2, fds);
}
END_TEST

START_TEST(structures_and_names_match_the_kernel)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 7};
	const unsigned char ip_options[] = {1, 1, 1, 1, 1, 1, 1, 0}; /* seven without effect, and the end */
	int fd = mm_socket(AF_INET, SOCK_STREAM, 0);
	struct answer answer;

	ck_assert_int_eq(mm_setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	ck_assert_int_eq(mm_setsockopt(fd, IPPROTO_IP, IP_OPTIONS, ip_options, sizeof(ip_options)), 0);
	set_int_option(fd, IPPROTO_IP, IP_TTL, 77);
	for (socklen_t size = 0; size <= 20; size++) {
		answer = assert_same_answer(fd, SOL_SOCKET, SO_LINGER, size);
		ck_assert_uint_eq(answer.size, size < sizeof(linger) ? size : sizeof(linger));
		ck_assert_mem_eq(answer.bytes, &linger, answer.size);
		ck_assert(is_untouched(&answer, answer.size));
		answer = assert_same_answer(fd, IPPROTO_IP, IP_OPTIONS, size);
		ck_assert_uint_eq(answer.size, size < sizeof(ip_options) ? size : sizeof(ip_options));
		ck_assert_mem_eq(answer.bytes, ip_options, answer.size);
		ck_assert(is_untouched(&answer, answer.size));
		/* If the size is less than an int, the value is one byte. */
		answer = assert_same_answer(fd, IPPROTO_IP, IP_TTL, size);
		ck_assert_uint_eq(answer.size, size == 0 ? 0 : size < sizeof(int) ? 1 : sizeof(int));
		ck_assert(size == 0 || answer.bytes[0] == 77);
		ck_assert(is_untouched(&answer, answer.size));
	}
	/* IPv4 accepts bytes as well as ints. */
	ck_assert_int_eq(mm_setsockopt(fd, IPPROTO_IP, IP_TTL, &(unsigned char){55}, 1), 0);
	ck_assert_int_eq(int_option(fd, IPPROTO_IP, IP_TTL), 55);
	/* A name of at most 16 bytes, for which a buffer of 16 bytes is required. */
	if (mm_setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) == 0) {
		answer = assert_same_answer(fd, SOL_SOCKET, SO_BINDTODEVICE, 16);
		ck_assert_uint_eq(answer.size, 3);
		ck_assert_str_eq((char *)answer.bytes, "lo");
		ck_assert_int_eq(assert_same_answer(fd, SOL_SOCKET, SO_BINDTODEVICE, 15).error, EINVAL);
		ck_assert_int_eq(assert_same_answer(fd, SOL_SOCKET, SO_BINDTODEVICE, 3).error, EINVAL);
	} else {
		ck_assert_int_eq(errno, EPERM);
	}
	/* An empty value is valid, too. */
	ck_assert_int_eq(mm_setsockopt(fd, IPPROTO_IP, IP_OPTIONS, NULL, 0), 0);
	ck_assert_uint_eq(assert_same_answer(fd, IPPROTO_IP, IP_OPTIONS, 40).size, 0);
	close_all(1, &fd);
}
END_TEST

START_TEST(setsockopt_passes_every_option_through)
{
	static const int levels[] = {SOL_SOCKET, IPPROTO_IP, IPPROTO_TCP, 12345};
	static const int sizes[] = {4, 0, 1, 2, 3, 5, 8, 16, 40, -1, INT_MIN};
	unsigned char value[64] = {1};

	for (int l = 0; l < MM_NELEM(levels); l++) {
		int end = levels[l] == IPPROTO_IP ? 64 : 100;

		for (int name = 0; name < end; name++) {
			/* Those load modules, or share their state between sockets. */
			if (is_timeout(levels[l], name) ||
			    (levels[l] == IPPROTO_TCP && (name == TCP_CONGESTION || name == 31 /* TCP_ULP */)))
				continue;
			for (int k = 0; k < 2 * MM_NELEM(sizes); k++) {
				const void *first = k % 2 == 0 ? value : NULL;
				socklen_t size = (socklen_t)sizes[k / 2];
				int fds[2] = {socket(AF_INET, SOCK_STREAM, 0), socket(AF_INET, SOCK_STREAM, 0)};

				if (is_instrumented() && k >= 4)
					size = 0;
				VALGRIND_DISABLE_ERROR_REPORTING;
				errno = 0;
				int theirs = setsockopt(fds[0], levels[l], name, first, size), their_errno = errno;

				errno = 0;
				int ours = mm_setsockopt(fds[1], levels[l], name, first, size), our_errno = errno;

				VALGRIND_ENABLE_ERROR_REPORTING;
				ck_assert_msg(
					ours == theirs && our_errno == their_errno,
					"option %d of level %d, %d bytes: setsockopt %d, %s; mm_setsockopt %d, %s",
					name, levels[l], (int)size, theirs, strerror(their_errno), ours,
					strerror(our_errno));
				close_all(2, fds);
				if (is_instrumented() && k >= 4)
					break;
			}
		}
	}
}
END_TEST

START_TEST(unknown_options_are_rejected)
{
	int fd = mm_socket(AF_INET, SOCK_STREAM, 0), value = 0;
	char large[64] = "";
	socklen_t size = sizeof(value);

	assert_fails(mm_setsockopt(fd, SOL_SOCKET, 9999, &value, sizeof(value)), ENOPROTOOPT);
	assert_fails(mm_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, 2), EINVAL);
	assert_fails(mm_getsockopt(fd, SOL_SOCKET, 9999, &value, &size), ENOPROTOOPT);
	ck_assert_uint_eq(size, sizeof(value));
	size = sizeof(large);
	assert_fails(mm_getsockopt(fd, SOL_SOCKET, 9999, large, &size), ENOPROTOOPT);
	ck_assert_uint_eq(size, sizeof(large));
	close_all(1, &fd);
}
END_TEST

START_TEST(invalid_value_addresses_are_efault)
{
	int fd = mm_socket(AF_INET, SOCK_STREAM, 0), value;
	static const int options[] = {SO_TYPE, SO_RCVTIMEO};

	for (int i = 0; i < MM_NELEM(options); i++) {
		socklen_t sizes[] = {1, sizeof(int), 64};

		for (int k = 0; k < MM_NELEM(sizes); k++) {
			socklen_t size = sizes[k];

			assert_fails_on_bad_memory(mm_getsockopt(fd, SOL_SOCKET, options[i], nowhere(0), &size),
			                           EFAULT);
			ck_assert_uint_eq(size, sizes[k]);
		}
		assert_fails_on_bad_memory(mm_getsockopt(fd, SOL_SOCKET, options[i], &value, nowhere(0)), EFAULT);
	}
	for (int i = 0; i < 2; i++) {
		socklen_t size = 64;

		assert_fails_on_bad_memory(mm_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, nowhere(i), sizeof(int)),
		                           EFAULT);
		/* The sanitizer accesses the value itself. */
		if (!is_instrumented()) {
			assert_fails(mm_getsockopt(fd, SOL_SOCKET, SO_TYPE, nowhere(i), &size), EFAULT);
			assert_fails(mm_getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, nowhere(i)), EFAULT);
		}
	}
	close_all(1, &fd);
}
END_TEST

SUITE(option_is_returned_as_set, getsockopt_passes_every_option_through, int_that_does_not_fit_is_truncated,
      timeout_accepts_any_size_as_capacity, tcp_info_is_complete_at_any_size_that_the_kernel_accepts,
      get_filter_counts_instructions_instead_of_bytes, peergroups_reports_the_required_size,
      list_memberships_reports_the_required_size, peerpidfd_returns_one_descriptor_and_leaks_none,
      structures_and_names_match_the_kernel, setsockopt_passes_every_option_through, unknown_options_are_rejected,
      invalid_value_addresses_are_efault)
