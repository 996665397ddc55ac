/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cancel_ipc.c: pthread_cancel() of a thread inside a function of mmipc.h
 *
 * A thread is cancelled in each wait; and by each system call of a function that is not a cancellation point. Nothing
 * must be leaked: no descriptor, no reference, no file.
 */
#include "servers.h"

#include <sys/syscall.h>

/* A path that is too long for a socket address, so that a client keeps its directory. */
static const char *long_path(void)
{
	static char path[300];

	memset(path, 'd', 100);
	path[100] = '\0';
	ck_assert(mkdir(path, 0700) == 0 || errno == EEXIST);
	strcat(path, "/socket-with-a-long-name");
	return path;
}

/* Cancels a thread in its wait. */
static void cancel_wait(struct waiter waiter)
{
	int before = count_open_descriptors();
	pthread_t thread = start_waiter(&waiter);

	ck_assert_int_eq(pthread_cancel(thread), 0);
	ck_assert_ptr_eq(join_thread(thread), PTHREAD_CANCELED);
	ck_assert_int_eq(count_open_descriptors(), before);
}

static const int timeouts[] = {-1, LONG_MS};

START_TEST(cancelled_accept_leaks_no_reference_to_the_server)
{
	enter_scratch_directory();
	for (int kind = 0; kind < 4; kind++) {
		int before = count_open_descriptors();
		const char *name = unique_name();
		struct place place = {kind == 1 ? "socket" : name, kind == 1 ? MM_IPC_PATH : 0};
		struct mm_ipc_srv *srv =
			kind < 2 ? create_at(place) : adopt(listen_at_name(name, kind == 2 ? 0 : SOCK_NONBLOCK));

		for (int i = 0; i < MM_NELEM(timeouts); i++)
			cancel_wait((struct waiter){.srv = srv, .timeout_ms = timeouts[i]});
		assert_serves(srv, place);
		/* With another reference, this would be EBUSY. */
		int listener = mm_ipc_srv_release(srv);

		ck_assert_int_ge(listener, 0);
		mm_ipc_srv_destroy(adopt(listener));
		ck_assert_int_eq(count_open_descriptors(), before);
		unlink("socket");
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(cancelled_connect_leaks_no_descriptor)
{
	enter_scratch_directory();
	struct place places[] = {{unique_name(), 0}, {"socket", MM_IPC_PATH}, {long_path(), MM_IPC_PATH}};

	for (int i = 0; i < MM_NELEM(places) * MM_NELEM(timeouts); i++) {
		struct place place = places[i / MM_NELEM(timeouts)];

		cancel_wait((struct waiter){.place = place, .timeout_ms = timeouts[i % MM_NELEM(timeouts)]});
		struct mm_ipc_srv *srv = create_at(place);

		assert_serves(srv, place);
		mm_ipc_srv_destroy(srv);
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(cancelled_connect_leaks_no_descriptor_at_a_full_queue)
{
	enter_scratch_directory();
	FOR_EACH_PLACE(place) {
		struct sockaddr_un address =
			place.flags == 0 ? name_address(place.address) : path_address(place.address);
		int clients[64], listener, count = listen_with_full_queue(&address, &listener, clients);

		for (int i = 0; i < MM_NELEM(timeouts); i++) {
			cancel_wait((struct waiter){.place = place, .timeout_ms = timeouts[i]});
			cancel_wait(
				(struct waiter){.place = place, .flags = MM_IPC_NONBLOCK, .timeout_ms = timeouts[i]});
		}
		close_all(count, clients);
		close_all(1, &listener);
	}
	leave_scratch_directory();
}
END_TEST

static void *connect_with_pending_cancellation(void *place)
{
	pthread_cancel(pthread_self());
	mm_ipc_connect2(((struct place *)place)->address, ((struct place *)place)->flags, -1);
	return NULL;
}

static void *accept_with_pending_cancellation(void *srv)
{
	pthread_cancel(pthread_self());
	mm_ipc_srv_accept2(srv, 0, -1);
	return NULL;
}

START_TEST(pending_cancellation_takes_effect_where_nothing_is_leaked)
{
	enter_scratch_directory();
	struct place places[] = {{unique_name(), 0}, {"socket", MM_IPC_PATH}, {long_path(), MM_IPC_PATH}};

	for (int i = 0; i < MM_NELEM(places); i++) {
		int before = count_open_descriptors();

		/* Without a server, and with one. */
		ck_assert_ptr_eq(join_thread(start_thread(connect_with_pending_cancellation, &places[i])),
		                 PTHREAD_CANCELED);
		ck_assert_int_eq(count_open_descriptors(), before);
		struct mm_ipc_srv *server = create_at(places[i]);

		ck_assert_ptr_eq(join_thread(start_thread(connect_with_pending_cancellation, &places[i])),
		                 PTHREAD_CANCELED);
		ck_assert_ptr_eq(join_thread(start_thread(accept_with_pending_cancellation, server)), PTHREAD_CANCELED);
		/* No lock is left, of which fork() would wait for one. */
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		assert_child_succeeds(child);
		/* The cancelled client may have connected before. */
		for (int served; (served = mm_ipc_srv_accept2(server, 0, 0)) != -1;)
			close_all(1, &served);
		assert_serves(server, places[i]);
		mm_ipc_srv_destroy(server);
		ck_assert_int_eq(count_open_descriptors(), before);
	}
	leave_scratch_directory();
}
END_TEST

/* --- while other system calls are made ---------------------------------------------------------------------------- */

/* A thread that requests it is cancelled as soon as one of these calls of the library has returned. */
static __thread bool is_cancelled_by_call;

static void cancel_if_asked(void)
{
	if (is_cancelled_by_call) {
		is_cancelled_by_call = false;
		pthread_cancel(pthread_self());
	}
}

int bind(int fd, const struct sockaddr *address, socklen_t size)
{
	int result = (int)syscall(SYS_bind, fd, address, size);

	cancel_if_asked();
	return result;
}

int getsockopt(int fd, int level, int option, void *value, socklen_t *size)
{
	int result = (int)syscall(SYS_getsockopt, fd, level, option, value, size);

	cancel_if_asked();
	return result;
}

static struct place place;
static struct mm_ipc_srv *srv;
static int fd;
static bool has_returned;

static void *create_cancelled(void *arg)
{
	is_cancelled_by_call = true;
	srv = mm_ipc_srv_create2(place.address, place.flags, place.flags == 0 ? 0 : 0600);
	has_returned = srv != NULL;
	pthread_testcancel();
	return arg;
}

static void *release_cancelled(void *arg)
{
	is_cancelled_by_call = true;
	fd = mm_ipc_srv_release(srv);
	has_returned = fd >= 0;
	pthread_testcancel();
	return arg;
}

static void *adopt_cancelled(void *arg)
{
	is_cancelled_by_call = true;
	srv = mm_ipc_srv_from_fd(fd);
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

static void *watch_cancelled(void *arg)
{
	/* A watch of a path makes none of the calls. */
	pthread_cancel(pthread_self());
	fd = mm_ipc_watch(place.address, place.flags);
	has_returned = fd >= 0;
	pthread_testcancel();
	return arg;
}

static void assert_returns(void *(*call)(void *))
{
	has_returned = false;
	ck_assert_ptr_eq(join_thread(start_thread(call, NULL)), PTHREAD_CANCELED);
	ck_assert(has_returned);
}

START_TEST(other_functions_are_not_cancellation_points)
{
	const char *name = unique_name();

	enter_scratch_directory();
	for (int is_path = 0; is_path < 2; is_path++) {
		int before = count_open_descriptors();

		place = is_path ? (struct place){"socket", MM_IPC_PATH} : (struct place){name, 0};
		assert_returns(create_cancelled);
		assert_serves(srv, place);
		assert_returns(destroy_cancelled);
		ck_assert_int_eq(count_names("."), 0);
		assert_returns(create_cancelled);
		assert_returns(release_cancelled);
		assert_returns(adopt_cancelled);
		assert_serves(srv, place);
		assert_returns(destroy_cancelled);
		assert_returns(watch_cancelled);
		close_all(1, &fd);
		ck_assert_int_eq(count_open_descriptors(), before);
		unlink("socket");
	}
	leave_scratch_directory();
}
END_TEST

SUITE(cancelled_accept_leaks_no_reference_to_the_server, cancelled_connect_leaks_no_descriptor,
      cancelled_connect_leaks_no_descriptor_at_a_full_queue, pending_cancellation_takes_effect_where_nothing_is_leaked,
      other_functions_are_not_cancellation_points)
