/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cancel.c: pthread_cancel() of a thread inside the library
 *
 * A thread is cancelled in each blocking call while it blocks; and at the first cancellation point after a system call
 * of a function that is not a cancellation point. Nothing must be leaked: no descriptor, no reference, no lock.
 */
#include "suite.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

/*
 * A function that a cancelled thread never returns from. The address sanitizer would still guard its variables after
 * the thread has ended.
 */
#define ABANDONED __attribute__((no_sanitize_address))

/* --- in blocking calls -------------------------------------------------------------------------------------------- */

/* The objects on which the calls operate. */
static const char *name;
static struct mm_ipc_srv *srv;
static int ends[2] = {-1, -1};
static int listener = -1;
static struct sockaddr_un address;
static pid_t child;

struct cancelled {
	pid_t tid;
	void (*call)(void);
};

static void *make_call(void *arg)
{
	struct cancelled *cancelled = arg;

	__atomic_store_n(&cancelled->tid, thread_id(), __ATOMIC_RELEASE);
	cancelled->call();
	return NULL;
}

static pid_t tid_of(struct cancelled *cancelled)
{
	pid_t tid;

	while ((tid = __atomic_load_n(&cancelled->tid, __ATOMIC_ACQUIRE)) == 0)
		sleep_ms(1);
	return tid;
}

/* Everything that another thread could wait for works. */
static void assert_library_works(void)
{
	const char *other = unique_name();
	struct mm_ipc_srv *server = mm_ipc_srv_create(other);
	int client, served, shared = mm_anon_shm();
	char byte = 'x';

	ck_assert_ptr_nonnull(server);
	client = mm_ipc_connect(other);
	served = mm_ipc_srv_accept(server);
	ck_assert_int_eq(mm_write(client, &byte, 1), 1);
	ck_assert_int_eq(mm_read(served, &byte, 1), 1);
	mm_ipc_srv_destroy(server);
	ck_assert_int_eq(mm_ftruncate(shared, 1), 0);
	void *memory = mm_mapfile(shared, 0, 1, MM_MAP_READ | MM_MAP_SHARED);

	ck_assert_ptr_nonnull(memory);
	ck_assert_int_eq(mm_unmap(memory), 0);
	close_all(3, (int[]){client, served, shared});
	assert_fails(mm_close(-2), EBADF);
}

/* Cancels a thread that is blocked in the call. */
static void cancel_in(void (*call)(void))
{
	struct cancelled cancelled = {.call = call};
	int before = count_open_descriptors();
	pthread_t thread = start_thread(make_call, &cancelled);

	wait_until_asleep(tid_of(&cancelled));
	ck_assert_int_eq(pthread_cancel(thread), 0);
	ck_assert_ptr_eq(join_thread(thread), PTHREAD_CANCELED);
	ck_assert_int_eq(count_open_descriptors(), before);
	assert_library_works();
}

ABANDONED static void accept_from_srv(void)
{
	mm_ipc_srv_accept(srv);
}

START_TEST(cancelled_accept_leaks_no_reference_to_the_server)
{
	int before = count_open_descriptors();

	name = unique_name();
	srv = mm_ipc_srv_create(name);
	for (int i = 0; i < 3; i++)
		cancel_in(accept_from_srv);
	int client = mm_ipc_connect(name), served = mm_ipc_srv_accept(srv);

	close_all(2, (int[]){client, served});
	mm_ipc_srv_destroy(srv);
	ck_assert_int_eq(count_open_descriptors(), before);
	srv = mm_ipc_srv_create(name);
	ck_assert_ptr_nonnull(srv);
	mm_ipc_srv_destroy(srv);
}
END_TEST

ABANDONED static void connect_to_name(void)
{
	mm_ipc_connect(name);
}

START_TEST(cancelled_connect_leaks_no_socket_while_waiting_for_a_server)
{
	name = unique_name();
	for (int i = 0; i < 3; i++)
		cancel_in(connect_to_name);
}
END_TEST

START_TEST(cancelled_connect_leaks_no_socket_at_a_full_queue)
{
	int clients[64], count = 0;

	/* A server as the library creates it, but with the shortest queue. */
	name = unique_name();
	address = (struct sockaddr_un){.sun_family = AF_UNIX};
	strcpy(address.sun_path + 1, name);
	listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(listener, 0), 0);
	do {
		ck_assert_int_lt(count, 64);
		clients[count] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	} while (connect(clients[count++], (struct sockaddr *)&address, sizeof(address)) == 0);
	cancel_in(connect_to_name);
	close_all(count, clients);
	close_all(1, &listener);
}
END_TEST

static char data[1024];
static struct iovec iov = {data, sizeof(data)};

ABANDONED static void receive_message(void)
{
	int fds[4];
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1, .fds = fds, .num_fds_max = 4};

	mm_ipc_recvmsg(ends[0], &msg);
}

ABANDONED static void send_message(void)
{
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1};

	mm_ipc_sendmsg(ends[1], &msg);
}

ABANDONED static void send_message_with_descriptor(void)
{
	int fds[1] = {0};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1, .fds = fds, .num_fds = 1};

	mm_ipc_sendmsg(ends[1], &msg);
}

static void receive(void)
{
	mm_recv(ends[0], data, sizeof(data), 0);
}

ABANDONED static void receive_through_header(void)
{
	struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};

	mm_recvmsg(ends[0], &header, 0);
}

ABANDONED static void receive_several(void)
{
	struct mm_sock_multimsg several[2] = {{.msg = {.msg_iov = &iov, .msg_iovlen = 1}}, {.msg = {.msg_iov = &iov}}};

	mm_recv_multimsg(ends[0], 2, several, 0, NULL);
}

static void read_data(void)
{
	mm_read(ends[0], data, sizeof(data));
}

ABANDONED static void poll_for_data(void)
{
	struct pollfd wanted = {.fd = ends[0], .events = POLLIN};

	mm_poll(&wanted, 1, -1);
}

static void send_data(void)
{
	mm_send(ends[1], data, sizeof(data), 0);
}

ABANDONED static void send_through_header(void)
{
	struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};

	mm_sendmsg(ends[1], &header, 0);
}

ABANDONED static void send_several(void)
{
	struct mm_sock_multimsg several[2] = {{.msg = {.msg_iov = &iov, .msg_iovlen = 1}}, {.msg = {.msg_iov = &iov}}};

	mm_send_multimsg(ends[1], 2, several, 0);
}

static void write_data(void)
{
	mm_write(ends[1], data, sizeof(data));
}

START_TEST(cancelled_receive_leaks_nothing)
{
	void (*const calls[])(void) = {receive_message, receive,   receive_through_header,
	                               receive_several, read_data, poll_for_data};

	ck_assert_int_eq(mm_ipc_connected_pair(ends), 0);
	for (size_t i = 0; i < MM_NELEM(calls); i++)
		cancel_in(calls[i]);
	/* The connection is unchanged. */
	ck_assert_int_eq(mm_write(ends[1], "x", 1), 1);
	ck_assert_int_eq(mm_read(ends[0], data, sizeof(data)), 1);
	close_all(2, ends);
}
END_TEST

START_TEST(cancelled_send_leaks_nothing)
{
	void (*const calls[])(void) = {
		send_message, send_message_with_descriptor, send_data, send_through_header, send_several, write_data};
	int sent = 0;

	ck_assert_int_eq(mm_ipc_connected_pair(ends), 0);
	while (send(ends[1], data, sizeof(data), MSG_DONTWAIT) == sizeof(data))
		sent++;
	for (size_t i = 0; i < MM_NELEM(calls); i++)
		cancel_in(calls[i]);
	/* Neither a message nor a descriptor was sent. */
	while (recv(ends[0], data, sizeof(data), MSG_DONTWAIT) == sizeof(data))
		sent--;
	ck_assert_int_eq(sent, 0);
	close_all(2, ends);
}
END_TEST

static void accept_from_listener(void)
{
	mm_accept(listener, NULL, NULL);
}

static int connecting = -1;

static void connect_to_listener(void)
{
	mm_connect(connecting, (struct sockaddr *)&address, sizeof(address));
}

START_TEST(cancelled_socket_calls_leak_nothing)
{
	int clients[64], count = 0;

	address = (struct sockaddr_un){.sun_family = AF_UNIX};
	strcpy(address.sun_path + 1, unique_name());
	listener = mm_socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(mm_bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(mm_listen(listener, 0), 0);
	cancel_in(accept_from_listener);
	do {
		ck_assert_int_lt(count, 64);
		clients[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	} while (connect(clients[count++], (struct sockaddr *)&address, sizeof(address)) == 0);
	connecting = mm_socket(AF_UNIX, SOCK_STREAM, 0);
	cancel_in(connect_to_listener);
	close_all(count, clients);
	close_all(2, (int[]){connecting, listener});
}
END_TEST

static void wait_for_child(void)
{
	mm_wait_process(child, NULL);
}

static void open_fifo(void)
{
	mm_open("fifo", O_RDONLY, 0);
}

static void sleep_long(void)
{
	mm_relative_sleep_ms(3600000);
}

ABANDONED static void sleep_until(void)
{
	struct mm_timespec time;

	mm_gettime(MM_CLK_MONOTONIC, &time);
	time.tv_sec += 3600;
	mm_nanosleep(MM_CLK_MONOTONIC, &time);
}

static int pause_for_ever(void *arg)
{
	(void)arg;
	while (true)
		pause();
	return 0;
}

START_TEST(other_cancelled_waits_leak_nothing)
{
	enter_scratch_directory();
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	cancel_in(open_fifo);
	leave_scratch_directory();
	cancel_in(sleep_long);
	cancel_in(sleep_until);
	child = start_child(pause_for_ever, NULL);
	cancel_in(wait_for_child);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	/* The child has not been waited for. */
	ck_assert_int_eq(mm_wait_process(child, NULL), 0);
}
END_TEST

/* --- after a system call ------------------------------------------------------------------------------------------ */

/*
 * The library's calls of these functions are redirected here. A thread that requests it is cancelled as soon as the
 * system call has returned.
 */
static __thread bool is_cancelled_by_call;

static void cancel_if_asked(void)
{
	if (is_cancelled_by_call) {
		is_cancelled_by_call = false;
		pthread_cancel(pthread_self());
	}
}

int listen(int fd, int backlog)
{
	int result = (int)syscall(SYS_listen, fd, backlog);

	cancel_if_asked();
	return result;
}

int shutdown(int fd, int how)
{
	int result = (int)syscall(SYS_shutdown, fd, how);

	cancel_if_asked();
	return result;
}

/* The headers may give the function another name, which the library does not use. */
ssize_t replaced_recvmsg(int fd, struct msghdr *header, int flags) __asm__("recvmsg");

/* A cancellation point, like the function that it replaces. */
ssize_t replaced_recvmsg(int fd, struct msghdr *header, int flags)
{
	ssize_t result;
	int type;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
	result = syscall(SYS_recvmsg, fd, header, flags);
	pthread_setcanceltype(type, NULL);
	cancel_if_asked();
	return result;
}

static bool has_returned;

static void *create_cancelled(void *arg)
{
	is_cancelled_by_call = true;
	srv = mm_ipc_srv_create(name);
	has_returned = srv != NULL;
	pthread_testcancel();
	return arg;
}

static void *destroy_cancelled(void *arg)
{
	is_cancelled_by_call = true;
	mm_ipc_srv_destroy(srv);
	has_returned = true;
	pthread_testcancel();
	return arg;
}

START_TEST(create_and_destroy_are_not_cancellation_points)
{
	int before = count_open_descriptors();

	name = unique_name();
	ck_assert_ptr_eq(join_thread(start_thread(create_cancelled, NULL)), PTHREAD_CANCELED);
	ck_assert(has_returned);
	has_returned = false;
	ck_assert_ptr_eq(join_thread(start_thread(destroy_cancelled, NULL)), PTHREAD_CANCELED);
	ck_assert(has_returned);
	ck_assert_int_eq(count_open_descriptors(), before);
}
END_TEST

static int received[8];

ABANDONED static void *receive_cancelled(void *arg)
{
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1, .fds = received, .num_fds_max = 8};

	is_cancelled_by_call = true;
	has_returned = mm_ipc_recvmsg(ends[0], &msg) == 1 && msg.num_fds == 1;
	pthread_testcancel();
	return arg;
}

START_TEST(arrived_message_is_received_completely)
{
	struct iovec byte = {data, 1};
	struct mm_ipc_msg msg = {.iov = &byte, .num_iov = 1, .fds = (int[]){0}, .num_fds = 1};
	int on = 1;

	ck_assert_int_eq(mm_ipc_connected_pair(ends), 0);
	/* A pidfd of the sender is also received. The library closes it, and close() is a cancellation point. */
	if (setsockopt(ends[0], SOL_SOCKET, SO_PASSPIDFD, &on, sizeof(on)) == -1)
		printf("# the kernel does not support SO_PASSPIDFD: the library closes no descriptor\n");
	ck_assert_int_eq(mm_ipc_sendmsg(ends[1], &msg), 1);
	ck_assert_ptr_eq(join_thread(start_thread(receive_cancelled, NULL)), PTHREAD_CANCELED);
	ck_assert(has_returned);
	close_all(1, received);
	close_all(2, ends);
}
END_TEST

SUITE(cancelled_accept_leaks_no_reference_to_the_server, cancelled_connect_leaks_no_socket_while_waiting_for_a_server,
      cancelled_connect_leaks_no_socket_at_a_full_queue, cancelled_receive_leaks_nothing, cancelled_send_leaks_nothing,
      cancelled_socket_calls_leak_nothing, other_cancelled_waits_leak_nothing,
      create_and_destroy_are_not_cancellation_points, arrived_message_is_received_completely)
