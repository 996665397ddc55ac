/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descriptors.c: descriptors sent with messages
 */
#include "suite.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define MOST 253

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

/* A connected pair, and more descriptors than a message can carry; all of the same pipe. */
struct ends {
	int fds[2];
	int pipe[2];
	int many[MOST + 2];
};

static void open_ends(struct ends *ends)
{
	ck_assert_int_eq(mm_ipc_connected_pair(ends->fds), 0);
	ck_assert_int_eq(pipe(ends->pipe), 0);
	for (size_t i = 0; i < MM_NELEM(ends->many); i++)
		ends->many[i] = ends->pipe[1];
}

static void close_ends(struct ends *ends)
{
	close_all(2, ends->fds);
	close_all(2, ends->pipe);
}

static ssize_t send_descriptors(int fd, const char *data, int *fds, int count)
{
	struct iovec iov = {(char *)data, strlen(data)};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1, .fds = fds, .num_fds = count, .num_fds_max = -7};

	return mm_ipc_sendmsg(fd, &msg);
}

/* Receives up to 16 bytes; the results are stored in msg. */
static ssize_t receive_descriptors(int fd, struct mm_ipc_msg *msg, int *fds, int capacity)
{
	static char data[16];
	static struct iovec iov = {data, sizeof(data)};

	*msg = (struct mm_ipc_msg){
		.iov = &iov, .num_iov = 1, .fds = fds, .num_fds_max = capacity, .num_fds = 77, .flags = 88};
	return mm_ipc_recvmsg(fd, msg);
}

/* True if fd is another descriptor of the pipe's end. */
static bool is_pipe(const struct ends *ends, int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstat(ends->pipe[1], &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

START_TEST(any_permitted_number_of_descriptors_is_received)
{
	static const int counts[] = {1, 2, 3, 4, 5, 16, 252, 253};
	struct mm_ipc_msg msg;
	struct ends ends;
	int received[MOST + 1];

	open_ends(&ends);
	int open_before = count_open_descriptors();

	for (size_t i = 0; i < MM_NELEM(counts); i++) {
		received[counts[i]] = 4711;
		ck_assert_int_eq(send_descriptors(ends.fds[0], "data", ends.many, counts[i]), 4);
		ck_assert_int_eq(receive_descriptors(ends.fds[1], &msg, received, counts[i]), 4);
		ck_assert_int_eq(msg.num_fds, counts[i]);
		ck_assert_int_eq(msg.flags, 0);
		ck_assert_int_eq(received[counts[i]], 4711);
		for (int k = 0; k < counts[i]; k++) {
			ck_assert(is_pipe(&ends, received[k]));
			ck_assert_int_eq(fcntl(received[k], F_GETFD), FD_CLOEXEC);
		}
		close_all(counts[i], received);
	}
	ck_assert_int_eq(count_open_descriptors(), open_before);
	close_ends(&ends);
}
END_TEST

START_TEST(message_without_descriptors_has_num_fds_zero)
{
	struct mm_ipc_msg msg;
	struct ends ends;
	int received[2] = {-1, -2};

	open_ends(&ends);
	ck_assert_int_eq(send_descriptors(ends.fds[0], "data", NULL, 0), 4);
	ck_assert_int_eq(receive_descriptors(ends.fds[1], &msg, received, 2), 4);
	ck_assert_int_eq(msg.num_fds, 0);
	ck_assert_int_eq(msg.flags, 0);
	ck_assert_int_eq(received[0], -1);
	ck_assert_int_eq(received[1], -2);
	close_ends(&ends);
}
END_TEST

START_TEST(number_of_descriptors_out_of_range_is_rejected)
{
	static const int wrong[] = {-1, -5, -1000000, INT_MIN, MOST + 1, MOST + 2};
	struct mm_ipc_msg msg;
	struct ends ends;

	open_ends(&ends);
	fcntl(ends.fds[1], F_SETFL, O_NONBLOCK);
	for (size_t i = 0; i < MM_NELEM(wrong); i++) {
		struct iovec iov = {"data", 4};

		msg = (struct mm_ipc_msg){.iov = &iov, .num_iov = 1, .fds = ends.many, .num_fds = wrong[i]};
		assert_fails(mm_ipc_sendmsg(ends.fds[0], &msg), EINVAL);
	}
	/* Huge numbers must not be used as a size. */
	static const int huge[] = {4096, 1 << 20, 1 << 28, INT_MAX};

	for (size_t i = 0; i < MM_NELEM(huge); i++) {
		msg = (struct mm_ipc_msg){.fds = ends.many, .num_fds = huge[i]};
		assert_fails(mm_ipc_sendmsg(ends.fds[0], &msg), EINVAL);
	}
	msg = (struct mm_ipc_msg){.fds = NULL, .num_fds = 1};
	assert_fails(mm_ipc_sendmsg(ends.fds[0], &msg), EINVAL);
	msg = (struct mm_ipc_msg){.fds = NULL, .num_fds_max = 1};
	assert_fails(mm_ipc_recvmsg(ends.fds[1], &msg), EINVAL);

	ck_assert_int_eq(receive_descriptors(ends.fds[1], &msg, NULL, 0), -1);
	ck_assert_int_eq(mm_get_lasterror_number(), EAGAIN);
	close_ends(&ends);
}
END_TEST

START_TEST(recvmsg_closes_descriptors_beyond_capacity)
{
	struct mm_ipc_msg msg;
	struct ends ends;
	int received[MOST];

	open_ends(&ends);
	int open_before = count_open_descriptors();

	for (int sent = 1; sent <= 9; sent++) {
		for (int capacity = -1; capacity < sent; capacity++) {
			int expected = capacity > 0 ? capacity : 0;

			ck_assert_int_eq(send_descriptors(ends.fds[0], "data", ends.many, sent), 4);
			ck_assert_int_eq(receive_descriptors(ends.fds[1], &msg, received, capacity), 4);
			ck_assert_int_eq(msg.num_fds, expected);
			ck_assert_int_eq(msg.flags, MSG_CTRUNC);
			ck_assert_int_eq(count_open_descriptors(), open_before + expected);
			close_all(expected, received);
		}
	}
	for (int capacity = 251; capacity < 253; capacity++) {
		ck_assert_int_eq(send_descriptors(ends.fds[0], "data", ends.many, 253), 4);
		ck_assert_int_eq(receive_descriptors(ends.fds[1], &msg, received, capacity), 4);
		ck_assert_int_eq(msg.num_fds, capacity);
		ck_assert_int_eq(msg.flags, MSG_CTRUNC);
		close_all(capacity, received);
	}
	ck_assert_int_eq(count_open_descriptors(), open_before);
	close_ends(&ends);
}
END_TEST

START_TEST(any_capacity_is_clamped)
{
	static const int capacities[] = {MOST + 1, 1000000, 1 << 28, INT_MAX};
	static const int no_capacities[] = {0, -1, -1000, INT_MIN};
	struct mm_ipc_msg msg;
	struct ends ends;
	int received[MOST];

	open_ends(&ends);
	for (size_t i = 0; i < MM_NELEM(capacities); i++) {
		ck_assert_int_eq(send_descriptors(ends.fds[0], "data", ends.many, 2), 4);
		ck_assert_int_eq(receive_descriptors(ends.fds[1], &msg, received, capacities[i]), 4);
		ck_assert_int_eq(msg.num_fds, 2);
		ck_assert_int_eq(msg.flags, 0);
		close_all(2, received);
	}
	for (size_t i = 0; i < MM_NELEM(no_capacities); i++) {
		ck_assert_int_eq(send_descriptors(ends.fds[0], "data", ends.many, 2), 4);
		ck_assert_int_eq(receive_descriptors(ends.fds[1], &msg, NULL, no_capacities[i]), 4);
		ck_assert_int_eq(msg.num_fds, 0);
		ck_assert_int_eq(msg.flags, MSG_CTRUNC);
	}
	close_ends(&ends);
}
END_TEST

START_TEST(empty_datagram_delivers_its_descriptors)
{
	struct mm_ipc_msg msg;
	struct ends ends;
	int received[2];

	open_ends(&ends);
	ck_assert_int_eq(send_descriptors(ends.fds[0], "", ends.many, 2), 0);
	ck_assert_int_eq(receive_descriptors(ends.fds[1], &msg, received, 2), 0);
	ck_assert_int_eq(msg.num_fds, 2);
	close_all(2, received);

	ck_assert_int_eq(send_descriptors(ends.fds[0], "", ends.many, 2), 0);
	ck_assert_int_eq(receive_descriptors(ends.fds[1], &msg, NULL, 0), 0);
	ck_assert_int_eq(msg.num_fds, 0);
	ck_assert_int_eq(msg.flags, MSG_CTRUNC);

	/* Also if the peer has closed by then: descriptors prove that the datagram is not the end of the stream. */
	ck_assert_int_eq(send_descriptors(ends.fds[0], "", ends.many, 1), 0);
	close(ends.fds[0]);
	ck_assert_int_eq(receive_descriptors(ends.fds[1], &msg, received, 2), 0);
	ck_assert_int_eq(msg.num_fds, 1);
	close_all(1, received);
	ck_assert_int_eq(receive_descriptors(ends.fds[1], &msg, received, 2), -1);
	ck_assert_int_eq(mm_get_lasterror_number(), EPIPE);
	close_all(3, (int[]){ends.fds[1], ends.pipe[0], ends.pipe[1]});
}
END_TEST

START_TEST(receive_at_the_descriptor_limit_keeps_the_data)
{
	struct mm_ipc_msg msg;
	struct rlimit limit, low;
	struct ends ends;
	int received[4];

	open_ends(&ends);
	int open_before = count_open_descriptors();

	getrlimit(RLIMIT_NOFILE, &limit);
	for (int slots = 0; slots < 4; slots++) {
		ck_assert_int_eq(send_descriptors(ends.fds[0], "data", ends.many, 4), 4);
		low = limit;
		low.rlim_cur = limit_with_free_numbers(slots);
		setrlimit(RLIMIT_NOFILE, &low);
		ssize_t size = receive_descriptors(ends.fds[1], &msg, received, 4);

		setrlimit(RLIMIT_NOFILE, &limit);
		ck_assert_int_eq(size, 4);
		/* Valgrind implements the limit itself. */
		if (!is_under_valgrind()) {
			ck_assert_int_eq(msg.num_fds, slots);
			ck_assert_int_eq(msg.flags, MSG_CTRUNC);
		}
		ck_assert_int_eq(count_open_descriptors(), open_before + msg.num_fds);
		close_all(msg.num_fds, received);
	}
	close_ends(&ends);
}
END_TEST

START_TEST(closed_descriptor_is_rejected_and_nothing_is_sent)
{
	struct mm_ipc_msg msg;
	struct ends ends;

	open_ends(&ends);
	fcntl(ends.fds[1], F_SETFL, O_NONBLOCK);
	ends.many[1] = -1;
	msg = (struct mm_ipc_msg){.fds = ends.many, .num_fds = 3};
	assert_fails(mm_ipc_sendmsg(ends.fds[0], &msg), EBADF);
	ends.many[1] = 4000;
	assert_fails(mm_ipc_sendmsg(ends.fds[0], &msg), EBADF);
	ck_assert_int_eq(receive_descriptors(ends.fds[1], &msg, NULL, 0), -1);
	ck_assert_int_eq(mm_get_lasterror_number(), EAGAIN);
	close_ends(&ends);
}
END_TEST

START_TEST(credentials_do_not_displace_descriptors)
{
	struct mm_ipc_msg msg;
	struct ends ends;
	int on = 1, received[16];

	open_ends(&ends);
	ck_assert_int_eq(setsockopt(ends.fds[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	int open_before = count_open_descriptors();

	ck_assert_int_eq(send_descriptors(ends.fds[0], "data", ends.many, 1), 4);
	ck_assert_int_eq(receive_descriptors(ends.fds[1], &msg, received, 16), 4);
	ck_assert_int_eq(msg.num_fds, 1);
	ck_assert(is_pipe(&ends, received[0]));
	close_all(1, received);

	/* Credentials take nothing of the capacity for descriptors. */
	for (int capacity = 1; capacity <= 16; capacity++) {
		ck_assert_int_eq(send_descriptors(ends.fds[0], "data", ends.many, 16), 4);
		ck_assert_int_eq(receive_descriptors(ends.fds[1], &msg, received, capacity), 4);
		ck_assert_int_eq(msg.num_fds, capacity);
		ck_assert_int_eq(msg.flags, capacity < 16 ? MSG_CTRUNC : 0);
		ck_assert_int_eq(count_open_descriptors(), open_before + capacity);
		close_all(msg.num_fds, received);
	}
	/* Without capacity the kernel drops all descriptors. */
	ck_assert_int_eq(send_descriptors(ends.fds[0], "data", ends.many, 16), 4);
	ck_assert_int_eq(receive_descriptors(ends.fds[1], &msg, received, 0), 4);
	ck_assert_int_eq(msg.flags, MSG_CTRUNC);
	close_ends(&ends);
}
END_TEST

/* Options of an endpoint that make the kernel add other ancillary data. */
static const int companions[] = {SO_PASSCRED, SO_PASSSEC, SO_TIMESTAMP, SO_TIMESTAMPNS, SO_PASSPIDFD};

static bool ask_for(int fd, unsigned which)
{
	int on = 1;

	for (size_t i = 0; i < MM_NELEM(companions); i++) {
		if (which & 1u << i && setsockopt(fd, SOL_SOCKET, companions[i], &on, sizeof(on)) != 0)
			return false;
	}
	return true;
}

START_TEST(other_ancillary_data_takes_no_capacity_of_descriptors)
{
	static const int counts[] = {0, 1, 2, 3, 252, 253};
	int received[MOST];

	for (unsigned which = 0; which < 1u << MM_NELEM(companions); which++) {
		struct mm_ipc_msg msg;
		struct ends ends;

		open_ends(&ends);
		if (ask_for(ends.fds[1], which)) {
			int open_before = count_open_descriptors();

			for (size_t i = 0; i < MM_NELEM(counts); i++) {
				int capacity = counts[i] > 0 ? counts[i] : 1;

				ck_assert_int_eq(send_descriptors(ends.fds[0], "data", ends.many, counts[i]), 4);
				ck_assert_int_eq(receive_descriptors(ends.fds[1], &msg, received, capacity), 4);
				ck_assert_int_eq(msg.num_fds, counts[i]);
				ck_assert_int_eq(msg.flags, 0);
				for (int k = 0; k < counts[i]; k++)
					ck_assert(is_pipe(&ends, received[k]));
				ck_assert_int_eq(count_open_descriptors(), open_before + counts[i]);
				close_all(counts[i], received);
			}
		}
		close_ends(&ends);
	}
}
END_TEST

START_TEST(pidfd_of_the_sender_is_closed)
{
	struct mm_ipc_msg msg;
	struct ends ends;
	int on = 1, received[16];

	open_ends(&ends);
	if (setsockopt(ends.fds[1], SOL_SOCKET, SO_PASSPIDFD, &on, sizeof(on)) == -1)
		ck_assert_int_eq(errno, ENOPROTOOPT); /* older than Linux 6.5: no pidfd is received */
	int open_before = count_open_descriptors();

	for (int count = 0; count < 3; count++) {
		ck_assert_int_eq(send_descriptors(ends.fds[0], "data", ends.many, count), 4);
		ck_assert_int_eq(receive_descriptors(ends.fds[1], &msg, received, 16), 4);
		ck_assert_int_eq(msg.num_fds, count);
		ck_assert_int_eq(count_open_descriptors(), open_before + count);
		close_all(count, received);
	}
	close_ends(&ends);
}
END_TEST

START_TEST(descriptors_of_every_kind_refer_to_the_same_object)
{
	struct mm_ipc_msg msg;
	char path[] = "/tmp/mmsysio-test-XXXXXX", text[16];
	struct ends ends;
	int file = mkstemp(path), memory = memfd_create("test", MFD_CLOEXEC), pair[2], received[4];

	unlink(path);
	open_ends(&ends);
	ck_assert_int_eq(mm_ipc_connected_pair(pair), 0);
	int sent[4] = {file, memory, ends.pipe[1], pair[0]};

	ck_assert_int_eq(send_descriptors(ends.fds[0], "data", sent, 4), 4);
	/* The sender may close its descriptor immediately. */
	close_all(1, &pair[0]);
	ck_assert_int_eq(receive_descriptors(ends.fds[1], &msg, received, 4), 4);
	ck_assert_int_eq(msg.num_fds, 4);

	ck_assert_int_eq(mm_write(received[0], "12345", 5), 5);
	ck_assert_int_eq(lseek(file, 0, SEEK_CUR), 5);
	ck_assert_int_eq(mm_write(received[1], "123", 3), 3);
	ck_assert_int_eq(lseek(memory, 0, SEEK_CUR), 3);
	ck_assert_int_eq(mm_write(received[2], "1", 1), 1);
	ck_assert_int_eq(mm_read(ends.pipe[0], text, sizeof(text)), 1);
	ck_assert_int_eq(mm_write(received[3], "1234", 4), 4);
	ck_assert_int_eq(mm_read(pair[1], text, sizeof(text)), 4);
	close_all(4, received);
	ck_assert_int_eq(mm_read(pair[1], text, sizeof(text)), 0);
	close_all(3, (int[]){file, memory, pair[1]});
	close_ends(&ends);
}
END_TEST

START_TEST(descriptors_are_sent_with_many_buffers)
{
	struct iovec iov[7];
	struct mm_ipc_msg msg = {.iov = iov, .num_iov = 7};
	char data[] = "buffers", result[8] = "";
	struct ends ends;
	int received[3];

	open_ends(&ends);
	for (int i = 0; i < 7; i++)
		iov[i] = (struct iovec){&data[i], 1};
	msg.fds = ends.many;
	msg.num_fds = 3;
	ck_assert_int_eq(mm_ipc_sendmsg(ends.fds[0], &msg), 7);
	for (int i = 0; i < 7; i++)
		iov[i] = (struct iovec){&result[i], 1};
	msg = (struct mm_ipc_msg){.iov = iov, .num_iov = 7, .fds = received, .num_fds_max = 3};
	ck_assert_int_eq(mm_ipc_recvmsg(ends.fds[1], &msg), 7);
	ck_assert_str_eq(result, "buffers");
	ck_assert_int_eq(msg.num_fds, 3);
	close_all(3, received);
	close_ends(&ends);
}
END_TEST

SUITE(any_permitted_number_of_descriptors_is_received, message_without_descriptors_has_num_fds_zero,
      number_of_descriptors_out_of_range_is_rejected, recvmsg_closes_descriptors_beyond_capacity,
      any_capacity_is_clamped, empty_datagram_delivers_its_descriptors, receive_at_the_descriptor_limit_keeps_the_data,
      closed_descriptor_is_rejected_and_nothing_is_sent, credentials_do_not_displace_descriptors,
      other_ancillary_data_takes_no_capacity_of_descriptors, pidfd_of_the_sender_is_closed,
      descriptors_of_every_kind_refer_to_the_same_object, descriptors_are_sent_with_many_buffers)
