/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeouts.c: timeouts of sockets, in milliseconds
 */
#include "loopback.h"

#include <limits.h>

static const int timeouts[] = {SO_RCVTIMEO, SO_SNDTIMEO};

START_TEST(timeout_is_returned_in_milliseconds)
{
	int fd = mm_socket(AF_INET, SOCK_STREAM, 0);

	for (int t = 0; t < MM_NELEM(timeouts); t++) {
		struct timeval native;
		socklen_t size = sizeof(native);

		ck_assert_int_eq(int_option(fd, SOL_SOCKET, timeouts[t]), 0);
		set_int_option(fd, SOL_SOCKET, timeouts[t], 2000);
		ck_assert_int_eq(int_option(fd, SOL_SOCKET, timeouts[t]), 2000);
		ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, timeouts[t], &native, &size), 0);
		ck_assert_int_eq(native.tv_sec, 2);
		ck_assert_int_eq(native.tv_usec, 0);
		/* The kernel rounds up to its ticks, of which there are at least a hundred in a second. */
		set_int_option(fd, SOL_SOCKET, timeouts[t], 1);
		ck_assert_int_ge(int_option(fd, SOL_SOCKET, timeouts[t]), 1);
		ck_assert_int_le(int_option(fd, SOL_SOCKET, timeouts[t]), 10);
		set_int_option(fd, SOL_SOCKET, timeouts[t], 1999);
		ck_assert_int_ge(int_option(fd, SOL_SOCKET, timeouts[t]), 1999);
		ck_assert_int_le(int_option(fd, SOL_SOCKET, timeouts[t]), 2010);
		set_int_option(fd, SOL_SOCKET, timeouts[t], 0);
		ck_assert_int_eq(int_option(fd, SOL_SOCKET, timeouts[t]), 0);
		/* One does not change the other. */
		ck_assert_int_eq(int_option(fd, SOL_SOCKET, timeouts[!t]), 0);
	}
	close_all(1, &fd);
}
END_TEST

START_TEST(timeout_beyond_the_maximum_is_clamped)
{
	int fd = mm_socket(AF_INET, SOCK_STREAM, 0);

	for (int t = 0; t < MM_NELEM(timeouts); t++) {
		static const time_t seconds[] = {2147484, INT_MAX};

		for (int i = 0; i < MM_NELEM(seconds); i++) {
			struct timeval native = {.tv_sec = seconds[i]};

			ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, timeouts[t], &native, sizeof(native)), 0);
			ck_assert_int_eq(int_option(fd, SOL_SOCKET, timeouts[t]), INT_MAX);
		}
		set_int_option(fd, SOL_SOCKET, timeouts[t], INT_MAX);
		ck_assert_int_eq(int_option(fd, SOL_SOCKET, timeouts[t]), INT_MAX);
	}
	close_all(1, &fd);
}
END_TEST

START_TEST(timeout_must_be_an_int)
{
	struct timeval native = {.tv_sec = 1};
	int fd = mm_socket(AF_INET, SOCK_STREAM, 0);

	for (int t = 0; t < MM_NELEM(timeouts); t++) {
		set_int_option(fd, SOL_SOCKET, timeouts[t], 3000);
		assert_fails(mm_setsockopt(fd, SOL_SOCKET, timeouts[t], &native, sizeof(native)), EINVAL);
		assert_fails(mm_setsockopt(fd, SOL_SOCKET, timeouts[t], &native, 3), EINVAL);
		assert_fails(mm_setsockopt(fd, SOL_SOCKET, timeouts[t], NULL, 0), EINVAL);
		assert_fails(mm_setsockopt(fd, SOL_SOCKET, timeouts[t], NULL, sizeof(int)), EFAULT);
		/* The size is checked before the descriptor. */
		assert_fails(mm_setsockopt(-1, SOL_SOCKET, timeouts[t], &native, sizeof(native)), EINVAL);
		ck_assert_int_eq(int_option(fd, SOL_SOCKET, timeouts[t]), 3000);
	}
	close_all(1, &fd);
}
END_TEST

START_TEST(timeout_number_at_another_level_is_another_option)
{
	struct timeval native = {.tv_sec = 1};
	socklen_t size = sizeof(native);
	int fd = mm_socket(AF_INET, SOCK_STREAM, 0);

	assert_fails(mm_setsockopt(fd, 12345, SO_RCVTIMEO, &native, sizeof(native)), ENOPROTOOPT);
	ck_assert_int_eq(mm_getsockopt(fd, 12345, SO_RCVTIMEO, &native, &size), -1);
	ck_assert_int_eq(int_option(fd, SOL_SOCKET, SO_RCVTIMEO), 0);
	close_all(1, &fd);
}
END_TEST

START_TEST(negative_timeouts_behave_as_in_the_kernel)
{
	static const int refused[] = {-1, -500, -1500, INT_MIN};
	int fds[2];
	char byte;

	connect_pair(AF_INET, SOCK_DGRAM, fds);
	for (int i = 0; i < MM_NELEM(refused); i++)
		assert_fails(mm_setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &refused[i], sizeof(int)), EDOM);
	set_int_option(fds[0], SOL_SOCKET, SO_RCVTIMEO, -2000);
	assert_fails(mm_recv(fds[0], &byte, 1, 0), EAGAIN);
	ck_assert_int_eq(int_option(fds[0], SOL_SOCKET, SO_RCVTIMEO), 0);
	close_all(2, fds);
}
END_TEST

START_TEST(receive_or_send_ends_when_its_timeout_expires)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
	static char data[1 << 16];
	int fds[2];

	for (int t = 0; t < MM_NELEM(types); t++) {
		struct iovec iov = {data, sizeof(data)};
		struct mm_sock_multimsg multimsg = {.msg = {.msg_iov = &iov, .msg_iovlen = 1}};

		connect_pair(AF_INET, types[t], fds);
		set_int_option(fds[0], SOL_SOCKET, SO_RCVTIMEO, 30);
		assert_fails(mm_recv(fds[0], data, 1, 0), EAGAIN);
		assert_fails(mm_recvmsg(fds[0], &multimsg.msg, 0), EAGAIN);
		assert_fails(mm_recv_multimsg(fds[0], 1, &multimsg, 0, NULL), EAGAIN);
		assert_fails(mm_read(fds[0], data, 1), EAGAIN);
		close_all(2, fds);
	}
	ck_assert_int_eq(mm_ipc_connected_pair(fds), 0);
	set_int_option(fds[0], SOL_SOCKET, SO_SNDTIMEO, 30);
	while (mm_send(fds[0], data, sizeof(data), MSG_DONTWAIT) > 0)
		;
	assert_fails(mm_send(fds[0], data, sizeof(data), 0), EAGAIN);
	close_all(2, fds);
}
END_TEST

SUITE(timeout_is_returned_in_milliseconds, timeout_beyond_the_maximum_is_clamped, timeout_must_be_an_int,
      timeout_number_at_another_level_is_another_option, negative_timeouts_behave_as_in_the_kernel,
      receive_or_send_ends_when_its_timeout_expires)
