/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.c: datagrams, their buffers, sizes and flags
 */
#include "endpoints.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* The largest datagram that a new endpoint can send. */
static size_t largest_datagram(int fd)
{
	int size;
	socklen_t length = sizeof(size);

	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length), 0);
	return (size_t)size - 32;
}

START_TEST(pair_is_connected_in_both_directions)
{
	int fds[2], flags;
	char text[16];

	connect_pair(fds);
	for (int way = 0; way < 2; way++) {
		ck_assert_int_eq(send_bytes(fds[way], "hello", 5), 5);
		ck_assert_int_eq(receive_bytes(fds[!way], text, sizeof(text), &flags), 5);
		ck_assert_mem_eq(text, "hello", 5);
		ck_assert_int_eq(flags, 0);
	}
	close_all(2, fds);
}
END_TEST

START_TEST(pair_has_the_lowest_descriptors_and_is_inheritable)
{
	int fds[2], spare = dup(0);

	close(spare);
	connect_pair(fds);
	ck_assert_int_eq(fds[0], spare);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(fcntl(fds[i], F_GETFD), 0);
	close_all(2, fds);
	/* Volatile, so that the compiler does not detect invalid arguments. */
	int *volatile nowhere[2] = {NULL, (int *)8};

	for (int i = 0; i < 2; i++)
		assert_fails_on_bad_memory(mm_ipc_connected_pair(nowhere[i]), EFAULT);
}
END_TEST

START_TEST(buffers_are_gathered_and_scattered)
{
	static const int counts[] = {1, 7, 1024};
	char data[4096], result[4096];
	int fds[2];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7);
	connect_pair(fds);
	for (size_t c = 0; c < MM_NELEM(counts); c++) {
		struct iovec out[1024], in[1024];
		int count = counts[c];
		size_t size = sizeof(data) / (size_t)count;

		for (int i = 0; i < count; i++) {
			out[i] = (struct iovec){data + (size_t)i * size, size};
			/* Into buffers of other sizes, one of them empty, in reverse order of the array. */
			in[i] = (struct iovec){result + (size_t)i * size, i == 3 ? 0 : size};
		}
		memset(result, 0, sizeof(result));
		struct mm_ipc_msg msg = {.iov = out, .num_iov = count, .flags = 99};

		ck_assert_int_eq(mm_ipc_sendmsg(fds[0], &msg), (ssize_t)size * count);
		ck_assert_int_eq(msg.flags, 99);
		msg = (struct mm_ipc_msg){.iov = in, .num_iov = count};
		if (count <= 3) {
			ck_assert_int_eq(mm_ipc_recvmsg(fds[1], &msg), (ssize_t)size * count);
			ck_assert_mem_eq(result, data, size * (size_t)count);
			continue;
		}
		ck_assert_int_eq(mm_ipc_recvmsg(fds[1], &msg), (ssize_t)size * (count - 1));
		ck_assert_int_eq(msg.flags, MSG_TRUNC);
		ck_assert_mem_eq(result, data, 3 * size);
		ck_assert_mem_eq(result + 4 * size, data + 3 * size, size * (size_t)(count - 4));
	}
	close_all(2, fds);
}
END_TEST

START_TEST(message_boundaries_are_preserved)
{
	static char data[8192], result[8192];
	uint32_t state = 1;
	int fds[2], flags;
	int rounds = is_instrumented() ? 1000 : 10000;

	connect_pair(fds);
	for (int i = 0; i < rounds; i++) {
		size_t sizes[4];

		for (int k = 0; k < 4; k++) {
			sizes[k] = 1 + next_random(&state) % sizeof(data);
			memset(data, 'a' + (int)(sizes[k] % 26), sizes[k]);
			ck_assert_int_eq(send_bytes(fds[i & 1], data, sizes[k]), (ssize_t)sizes[k]);
		}
		for (int k = 0; k < 4; k++) {
			memset(data, 'a' + (int)(sizes[k] % 26), sizes[k]);
			ck_assert_int_eq(receive_bytes(fds[!(i & 1)], result, sizeof(result), &flags),
			                 (ssize_t)sizes[k]);
			ck_assert_mem_eq(result, data, sizes[k]);
			ck_assert_int_eq(flags, 0);
		}
	}
	close_all(2, fds);
}
END_TEST

START_TEST(data_beyond_the_buffers_is_discarded_and_flagged)
{
	int fds[2], flags;
	char text[] = "................";

	connect_pair(fds);
	send_bytes(fds[0], "0123456789", 10);
	send_bytes(fds[0], "next", 4);
	ck_assert_int_eq(receive_bytes(fds[1], text, 4, &flags), 4);
	ck_assert_int_eq(flags, MSG_TRUNC);
	ck_assert_mem_eq(text, "0123....", 8);
	ck_assert_int_eq(receive_bytes(fds[1], text, sizeof(text), &flags), 4);
	ck_assert_mem_eq(text, "next", 4);
	ck_assert_int_eq(flags, 0);

	/* No buffer at all: the message is consumed; its flag distinguishes it from the end of the stream. */
	struct mm_ipc_msg msg = {.iov = NULL, .num_iov = 0, .num_fds = 5};

	send_bytes(fds[0], "lost", 4);
	ck_assert_int_eq(mm_ipc_recvmsg(fds[1], &msg), 0);
	ck_assert_int_eq(msg.flags, MSG_TRUNC);
	ck_assert_int_eq(msg.num_fds, 0);
	close_all(2, fds);
}
END_TEST

START_TEST(empty_datagram_is_a_message)
{
	struct mm_ipc_msg none = {.iov = NULL, .num_iov = 0};
	int fds[2], flags;
	char text[8];

	connect_pair(fds);
	ck_assert_int_eq(send_bytes(fds[0], "", 0), 0);
	ck_assert_int_eq(send_bytes(fds[0], NULL, 0), 0);
	ck_assert_int_eq(mm_ipc_sendmsg(fds[0], &none), 0);
	ck_assert_int_eq(send_bytes(fds[0], "xyz", 3), 3);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(receive_bytes(fds[1], text, sizeof(text), &flags), 0);
		ck_assert_int_eq(flags, 0);
	}
	ck_assert_int_eq(receive_bytes(fds[1], text, sizeof(text), &flags), 3);
	close_all(2, fds);
}
END_TEST

START_TEST(datagram_that_is_too_large_is_not_sent)
{
	int fds[2], flags;
	char byte;

	connect_pair(fds);
	size_t largest = largest_datagram(fds[0]);
	char *data = calloc(1, largest + 1), *result = malloc(largest + 1);
	struct iovec iov = {data, largest + 1};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1};

	data[largest - 1] = 'z';
	assert_fails_on_bad_memory(mm_ipc_sendmsg(fds[0], &msg), EMSGSIZE);
	ck_assert_int_eq(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	iov = (struct iovec){&byte, 1};
	assert_fails(mm_ipc_recvmsg(fds[1], &msg), EAGAIN);

	ck_assert_int_eq(send_bytes(fds[0], data, largest), (ssize_t)largest);
	ck_assert_int_eq(receive_bytes(fds[1], result, largest + 1, &flags), (ssize_t)largest);
	ck_assert_mem_eq(result, data, largest);
	free(data);
	free(result);
	close_all(2, fds);
}
END_TEST

static void *send_until_error(void *arg)
{
	int fd = *(int *)arg;
	static char data[1000];

	for (int i = 0; i < 1000; i++) {
		memcpy(data, &i, sizeof(i));
		ck_assert_int_eq(send_bytes(fd, data, sizeof(data)), sizeof(data));
	}
	return NULL;
}

START_TEST(blocked_send_resumes_when_the_queue_has_space)
{
	int fds[2], flags, number;
	char result[1000];

	connect_pair(fds);
	pthread_t thread = start_thread(send_until_error, &fds[0]);

	sleep_ms(100);
	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(receive_bytes(fds[1], result, sizeof(result), &flags), sizeof(result));
		memcpy(&number, result, sizeof(number));
		ck_assert_int_eq(number, i);
	}
	join_thread(thread);
	close_all(2, fds);
}
END_TEST

START_TEST(non_blocking_endpoint_returns_eagain)
{
	struct iovec iov = {(char[100]){0}, 100};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1};
	int fds[2], sent = 0;

	connect_pair(fds);
	ck_assert_int_eq(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	assert_fails(mm_ipc_recvmsg(fds[0], &msg), EAGAIN);
	while (mm_ipc_sendmsg(fds[0], &msg) == 100)
		sent++;
	ck_assert_int_gt(sent, 10);
	assert_fails(mm_ipc_sendmsg(fds[0], &msg), EAGAIN);
	close_all(2, fds);
}
END_TEST

START_TEST(receive_and_send_are_interrupted_by_a_signal)
{
	struct iovec iov = {(char[1000]){0}, 1000};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1};
	pthread_t interrupter;
	int fds[2];

	connect_pair(fds);
	interrupter = start_interrupting();
	assert_fails(mm_ipc_recvmsg(fds[0], &msg), EINTR);
	stop_interrupting(interrupter);

	ck_assert_int_eq(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	while (mm_ipc_sendmsg(fds[0], &msg) == 1000)
		;
	ck_assert_int_eq(fcntl(fds[0], F_SETFL, 0), 0);
	interrupter = start_interrupting();
	assert_fails(mm_ipc_sendmsg(fds[0], &msg), EINTR);
	stop_interrupting(interrupter);
	close_all(2, fds);
}
END_TEST

START_TEST(descriptors_that_are_not_endpoints_are_rejected)
{
	struct iovec iov = {(char[8]){0}, 8};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1};
	int unconnected = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	int file = open("/dev/null", O_RDWR);
	static const int not_open[] = {-1, -2, INT_MIN, INT_MAX, 4000};

	for (size_t i = 0; i < MM_NELEM(not_open); i++) {
		assert_fails(mm_ipc_sendmsg(not_open[i], &msg), EBADF);
		assert_fails(mm_ipc_recvmsg(not_open[i], &msg), EBADF);
	}
	assert_fails(mm_ipc_sendmsg(file, &msg), ENOTSOCK);
	assert_fails(mm_ipc_recvmsg(file, &msg), ENOTSOCK);
	assert_fails(mm_ipc_sendmsg(unconnected, &msg), ENOTCONN);
	assert_fails(mm_ipc_recvmsg(unconnected, &msg), ENOTCONN);
	close_all(2, (int[]){unconnected, file});
}
END_TEST

START_TEST(invalid_fields_of_a_message_are_rejected)
{
	struct iovec iov[2] = {{"data", 4}, {NULL, 4}};
	int fds[2], flags;
	char text[8] = "";

	if (is_under_helgrind())
		return;
	/* An unmapped address. */
	char *wild = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	connect_pair(fds);
	ck_assert_int_eq(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	assert_fails(mm_ipc_sendmsg(fds[0], NULL), EINVAL);
	assert_fails(mm_ipc_recvmsg(fds[0], NULL), EINVAL);

	struct mm_ipc_msg msg = {.iov = iov, .num_iov = -1};
	assert_fails_on_bad_memory(mm_ipc_sendmsg(fds[0], &msg), EMSGSIZE);
	assert_fails_on_bad_memory(mm_ipc_recvmsg(fds[1], &msg), EMSGSIZE);
	msg.num_iov = INT_MIN;
	assert_fails_on_bad_memory(mm_ipc_sendmsg(fds[0], &msg), EMSGSIZE);
	msg.num_iov = 1025;
	assert_fails_on_bad_memory(mm_ipc_sendmsg(fds[0], &msg), EMSGSIZE);
	assert_fails_on_bad_memory(mm_ipc_recvmsg(fds[1], &msg), EMSGSIZE);
	msg = (struct mm_ipc_msg){.iov = NULL, .num_iov = 1};
	assert_fails_on_bad_memory(mm_ipc_sendmsg(fds[0], &msg), EFAULT);
	msg = (struct mm_ipc_msg){.iov = iov, .num_iov = 2};
	assert_fails_on_bad_memory(mm_ipc_sendmsg(fds[0], &msg), EFAULT);
	iov[0].iov_base = wild;
	msg.num_iov = 1;
	assert_fails_on_bad_memory(mm_ipc_sendmsg(fds[0], &msg), EFAULT);
	iov[0] = (struct iovec){text, (size_t)SSIZE_MAX + 1};
	assert_fails_on_bad_memory(mm_ipc_sendmsg(fds[0], &msg), EINVAL);
	iov[0].iov_len = SIZE_MAX;
	assert_fails_on_bad_memory(mm_ipc_sendmsg(fds[0], &msg), EINVAL);

	/* None of them was sent, and the endpoint still works. */
	iov[0] = (struct iovec){text, sizeof(text)};
	assert_fails(mm_ipc_recvmsg(fds[1], &msg), EAGAIN);
	ck_assert_int_eq(send_bytes(fds[0], "ok", 2), 2);
	ck_assert_int_eq(receive_bytes(fds[1], text, sizeof(text), &flags), 2);

	/*
	 * A receive that fails because of its arguments leaves the message queued; one whose buffer cannot be written
	 * loses it.
	 */
	send_bytes(fds[0], "kept", 4);
	msg.num_iov = 1025;
	assert_fails_on_bad_memory(mm_ipc_recvmsg(fds[1], &msg), EMSGSIZE);
	ck_assert_int_eq(receive_bytes(fds[1], text, sizeof(text), &flags), 4);
	send_bytes(fds[0], "lost", 4);
	iov[0] = (struct iovec){wild, 8};
	msg.num_iov = 1;
	assert_fails_on_bad_memory(mm_ipc_recvmsg(fds[1], &msg), EFAULT);
	munmap(wild, 4096);
	close_all(2, fds);
}
END_TEST

START_TEST(unreadable_array_of_buffers_is_efault)
{
	size_t size = page_size();
	int ends[2];

	/* The sanitizer reads the arguments of a system call, and crashes. */
	if (is_under_valgrind())
		return;
	char *page = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec *const wrong[] = {NULL,
	                               (struct iovec *)8,
	                               (struct iovec *)(page + size),
	                               (struct iovec *)(page + size - sizeof(struct iovec) / 2),
	                               (struct iovec *)(page + size - sizeof(struct iovec) + 1),
	                               (struct iovec *)-8,
	                               (struct iovec *)UINTPTR_MAX};

	ck_assert_int_eq(mprotect(page + size, size, PROT_NONE), 0);
	ck_assert_int_eq(mm_ipc_connected_pair(ends), 0);
	for (int count = 1; count <= 3; count++) {
		for (size_t i = 0; i < MM_NELEM(wrong); i++) {
			struct mm_ipc_msg msg = {.iov = wrong[i], .num_iov = count};
			/* As in a program whose message is at the end of mapped memory. */
			struct mm_ipc_msg *at_the_end = (struct mm_ipc_msg *)(page + size - sizeof(msg));

			*at_the_end = msg;
			assert_fails_on_bad_memory(mm_ipc_sendmsg(ends[0], &msg), EFAULT);
			assert_fails_on_bad_memory(mm_ipc_sendmsg(ends[0], at_the_end), EFAULT);
			assert_fails_on_bad_memory(mm_ipc_recvmsg(ends[1], &msg), EFAULT);
		}
	}
	close_all(2, ends);
	munmap(page, 2 * size);
}
END_TEST

START_TEST(array_of_buffers_may_be_at_any_address)
{
	/* Next to the message, on another page, across two pages. */
	char *pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct mm_ipc_msg *msg = (struct mm_ipc_msg *)(pages + 4096 + 64);
	int ends[2];
	char byte;

	ck_assert_int_eq(mm_ipc_connected_pair(ends), 0);
	for (size_t offset = 0; offset <= 3 * 4096 - sizeof(struct iovec); offset += sizeof(void *)) {
		struct iovec *iov = (struct iovec *)(pages + offset);

		if (offset > 4096 - sizeof(*iov) + 64 && offset < 4096 + 64 + sizeof(*msg))
			continue;
		*iov = (struct iovec){"x", 1};
		*msg = (struct mm_ipc_msg){.iov = iov, .num_iov = 1};
		ck_assert_int_eq(mm_ipc_sendmsg(ends[0], msg), 1);
		ck_assert_int_eq(recv(ends[1], &byte, 1, MSG_DONTWAIT), 1);
		memset(iov, 0, sizeof(*iov));
	}
	close_all(2, ends);
	munmap(pages, 3 * 4096);
}
END_TEST

START_TEST(reserved_field_is_neither_read_nor_written)
{
	struct iovec iov = {(char[8]){0}, 8};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1, .reserved = (void *)8};
	int fds[2];

	connect_pair(fds);
	ck_assert_int_eq(mm_ipc_sendmsg(fds[0], &msg), 8);
	ck_assert_int_eq(mm_ipc_recvmsg(fds[1], &msg), 8);
	ck_assert_ptr_eq(msg.reserved, (void *)8);
	close_all(2, fds);
}
END_TEST

START_TEST(read_write_and_poll_work_on_endpoints)
{
	int fds[2];
	char text[8];

	connect_pair(fds);
	struct mm_pollfd polled[2] = {{.fd = fds[1], .events = POLLIN}, {.fd = -1, .events = POLLIN, .revents = 7}};

	ck_assert_int_eq(mm_poll(polled, 2, 0), 0);
	ck_assert_int_eq(polled[1].revents, 0);
	ck_assert_int_eq(mm_write(fds[0], "one", 3), 3);
	ck_assert_int_eq(mm_write(fds[0], "three", 5), 5);
	ck_assert_int_eq(mm_poll(polled, 2, -1), 1);
	ck_assert_int_eq(polled[0].revents, POLLIN);
	ck_assert_int_eq(mm_read(fds[1], text, sizeof(text)), 3);
	ck_assert_int_eq(mm_read(fds[1], text, sizeof(text)), 5);
	close_all(1, &fds[0]);
	ck_assert_int_eq(mm_poll(polled, 1, 1000), 1);
	ck_assert(polled[0].revents & POLLHUP);
	ck_assert_int_eq(mm_read(fds[1], text, sizeof(text)), 0);
	close_all(1, &fds[1]);
	ck_assert_int_eq(mm_poll(polled, 1, 1000), 1);
	ck_assert_int_eq(polled[0].revents, POLLNVAL);
}
END_TEST

START_TEST(poll_rejects_invalid_arguments)
{
	ck_assert_int_eq(mm_poll(NULL, 0, 1), 0);
	assert_fails_on_bad_memory(mm_poll(NULL, 1, 0), EFAULT);
	/* Valgrind would check every element. */
	if (!is_under_valgrind()) {
		assert_fails(mm_poll(NULL, -1, 0), EINVAL);
		assert_fails(mm_poll(NULL, INT_MAX, 0), EINVAL);
	}
}
END_TEST

START_TEST(close_read_and_write_report_their_errors)
{
	char byte = 0;
	int fds[2];

	ck_assert_int_eq(mm_close(-1), 0);
	assert_fails(mm_close(-2), EBADF);
	assert_fails(mm_close(INT_MAX), EBADF);
	assert_fails(mm_read(-1, &byte, 1), EBADF);
	assert_fails(mm_write(-1, &byte, 1), EBADF);
	ck_assert_int_eq(pipe(fds), 0);
	assert_fails(mm_read(fds[1], &byte, 1), EBADF);
	assert_fails(mm_write(fds[0], &byte, 1), EBADF);
	assert_fails_on_bad_memory(mm_write(fds[1], (void *)8, 1), EFAULT);
	ck_assert_int_eq(mm_write(fds[1], NULL, 0), 0);
	close_all(2, fds);
	assert_fails(mm_close(fds[0]), EBADF);
}
END_TEST

START_TEST(success_changes_neither_errno_nor_the_error_state)
{
	struct iovec iov = {(char[8]){0}, 8};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1};
	int fds[2];

	mm_raise_error(ENOENT, "kept");
	errno = EBUSY;
	ck_assert_int_eq(mm_ipc_connected_pair(fds), 0);
	ck_assert_int_eq(mm_ipc_sendmsg(fds[0], &msg), 8);
	ck_assert_int_eq(mm_ipc_recvmsg(fds[1], &msg), 8);
	close_all(2, fds);
	ck_assert_int_eq(errno, EBUSY);
	ck_assert_str_eq(mm_get_lasterror_desc(), "kept");
}
END_TEST

SUITE(pair_is_connected_in_both_directions, pair_has_the_lowest_descriptors_and_is_inheritable,
      buffers_are_gathered_and_scattered, message_boundaries_are_preserved,
      data_beyond_the_buffers_is_discarded_and_flagged, empty_datagram_is_a_message,
      datagram_that_is_too_large_is_not_sent, blocked_send_resumes_when_the_queue_has_space,
      non_blocking_endpoint_returns_eagain, receive_and_send_are_interrupted_by_a_signal,
      descriptors_that_are_not_endpoints_are_rejected, invalid_fields_of_a_message_are_rejected,
      unreadable_array_of_buffers_is_efault, array_of_buffers_may_be_at_any_address,
      reserved_field_is_neither_read_nor_written, read_write_and_poll_work_on_endpoints, poll_rejects_invalid_arguments,
      close_read_and_write_report_their_errors, success_changes_neither_errno_nor_the_error_state)
