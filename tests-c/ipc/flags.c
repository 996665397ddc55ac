/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flags.c: the flags of the functions of mmipc.h, their arguments, errno and the log
 */
#include "servers.h"
#include "stderr.h"

static const int both[] = {0, MM_IPC_CLOEXEC, MM_IPC_NONBLOCK, MM_IPC_CLOEXEC | MM_IPC_NONBLOCK};

static void assert_flags(int fd, int flags)
{
	ck_assert_int_eq(is_cloexec(fd), (flags & MM_IPC_CLOEXEC) != 0);
	ck_assert_int_eq(is_nonblocking(fd), (flags & MM_IPC_NONBLOCK) != 0);
	/* No other status flag. */
	ck_assert_int_eq(fcntl(fd, F_GETFL) & ~O_NONBLOCK, O_RDWR);
}

START_TEST(unknown_flags_are_rejected)
{
	const char *name = unique_name();
	int before = count_open_descriptors(), fds[2];

	enter_scratch_directory();
	struct mm_ipc_srv *srv = create(name);
	int client = connect_to(name);

	for (unsigned bit = 0; bit < 32; bit++) {
		int flag = (int)(1u << bit);

		if (flag != MM_IPC_PATH) {
			assert_fails_with_null(mm_ipc_srv_create2("path", flag, 0), EINVAL);
			assert_fails_with_null(mm_ipc_srv_create2("path", flag | MM_IPC_PATH, 0600), EINVAL);
			assert_fails(mm_ipc_watch(name, flag), EINVAL);
			assert_fails(mm_ipc_watch("path", flag | MM_IPC_PATH), EINVAL);
		}
		if (flag != MM_IPC_CLOEXEC && flag != MM_IPC_NONBLOCK) {
			assert_fails(mm_ipc_srv_accept2(srv, flag, -1), EINVAL);
			assert_fails(mm_ipc_srv_accept2(srv, flag | MM_IPC_CLOEXEC, -1), EINVAL);
			assert_fails(mm_ipc_connected_pair2(fds, flag), EINVAL);
			assert_fails(mm_ipc_connected_pair2(fds, flag | MM_IPC_NONBLOCK), EINVAL);
			if (flag != MM_IPC_PATH)
				assert_fails(mm_ipc_connect2(name, flag, -1), EINVAL);
		}
	}
	ck_assert_int_eq(count_names("."), 0);
	/* The client has remained in the queue. */
	close_all(2, (int[]){accept2_from(srv, 0), client});
	mm_ipc_srv_destroy(srv);
	ck_assert_int_eq(count_open_descriptors(), before);
	leave_scratch_directory();
}
END_TEST

START_TEST(connections_have_exactly_the_requested_flags)
{
	static const int timeouts[] = {-1, 0, LONG_MS};

	enter_scratch_directory();
	FOR_EACH_PLACE(place) {
		struct mm_ipc_srv *srv = create_at(place);

		for (int i = 0; i < MM_NELEM(both) * MM_NELEM(timeouts); i++) {
			int flags = both[i / MM_NELEM(timeouts)], timeout = timeouts[i % MM_NELEM(timeouts)];
			int client = mm_ipc_connect2(place.address, place.flags | flags, timeout);
			int served = mm_ipc_srv_accept2(srv, flags, timeout);

			ck_assert_int_ge(client, 0);
			ck_assert_int_ge(served, 0);
			assert_flags(client, flags);
			assert_flags(served, flags);
			assert_connected(client, served);
			close_all(2, (int[]){client, served});
		}
		mm_ipc_srv_destroy(srv);
	}
	leave_scratch_directory();
}
END_TEST

static void *serve_late(void *arg)
{
	struct place *place = arg;

	sleep_ms(100);
	return create_at(*place);
}

START_TEST(connections_after_a_wait_have_exactly_the_requested_flags)
{
	enter_scratch_directory();
	for (int i = 0; i < MM_NELEM(both); i++) {
		FOR_EACH_PLACE(place) {
			for (int timeout = -1; timeout <= LONG_MS; timeout += LONG_MS + 1) {
				int spare = dup(0), other = dup(0);
				pthread_t thread = start_thread(serve_late, &place);

				close(spare);
				int client = mm_ipc_connect2(place.address, place.flags | both[i], timeout);
				struct mm_ipc_srv *srv = join_thread(thread);

				/* The lowest number, unless the server took it in the other thread. */
				ck_assert_msg(client >= 0, "%s", mm_get_lasterror_desc());
				ck_assert_int_le(client, other + 4);
				assert_flags(client, both[i]);
				close_all(3, (int[]){client, other, accept2_from(srv, 0)});
				mm_ipc_srv_destroy(srv);
			}
		}
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(accepted_connections_after_a_wait_have_exactly_the_requested_flags)
{
	for (int i = 0; i < MM_NELEM(both); i++) {
		const char *name = unique_name();
		struct waiter waiter = {.srv = create(name), .flags = both[i], .timeout_ms = i % 2 ? -1 : LONG_MS};
		pthread_t thread = start_waiter(&waiter);
		int client = connect_to(name);

		join_thread(thread);
		assert_flags(waiter.result, both[i]);
		assert_connected(client, waiter.result);
		close_all(2, (int[]){client, waiter.result});
		mm_ipc_srv_destroy(waiter.srv);
	}
}
END_TEST

START_TEST(nonblock_has_no_influence_on_whether_a_call_waits)
{
	enter_scratch_directory();
	FOR_EACH_PLACE(place) {
		struct waiter client = {.place = place, .flags = MM_IPC_NONBLOCK, .timeout_ms = -1};
		pthread_t thread = start_waiter(&client);
		struct mm_ipc_srv *srv = create_at(place);

		join_thread(thread);
		ck_assert_int_ge(client.result, 0);
		close_all(2, (int[]){client.result, accept2_from(srv, 0)});

		struct waiter server = {.srv = srv, .flags = MM_IPC_NONBLOCK, .timeout_ms = -1};

		thread = start_waiter(&server);
		client.result = connect_at(place, 0);
		join_thread(thread);
		ck_assert_int_ge(server.result, 0);
		close_all(2, (int[]){client.result, server.result});
		mm_ipc_srv_destroy(srv);
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(nonblocking_connect_without_limit_waits_at_a_full_queue)
{
	const char *name = unique_name();
	struct sockaddr_un address = name_address(name);
	int clients[64], listener, count = listen_with_full_queue(&address, &listener, clients);
	struct waiter waiter = {.place = {name, 0}, .flags = MM_IPC_NONBLOCK, .timeout_ms = -1};
	pthread_t thread = start_waiter(&waiter);

	for (int i = 0; i < count; i++) {
		int fd = accept(listener, NULL, NULL);

		ck_assert_int_ge(fd, 0);
		close_all(1, &fd);
		/* The last client of the queue is the waiter, or the one that found it full. */
		if (!is_readable(listener, 1000))
			break;
	}
	join_thread(thread);
	ck_assert_int_ge(waiter.result, 0);
	assert_flags(waiter.result, MM_IPC_NONBLOCK);
	close_all(count, clients);
	close_all(2, (int[]){listener, waiter.result});
}
END_TEST

START_TEST(connected_pair_has_exactly_the_requested_flags)
{
	for (int i = 0; i < MM_NELEM(both); i++) {
		int fds[2] = {-1, -1}, type;
		socklen_t size = sizeof(type);

		ck_assert_int_eq(mm_ipc_connected_pair2(fds, both[i]), 0);
		assert_flags(fds[0], both[i]);
		assert_flags(fds[1], both[i]);
		ck_assert_int_eq(getsockopt(fds[0], SOL_SOCKET, SO_TYPE, &type, &size), 0);
		ck_assert_int_eq(type, SOCK_SEQPACKET);
		assert_connected(fds[0], fds[1]);
		close_all(2, fds);
	}
}
END_TEST

START_TEST(connected_pair_gets_the_lowest_numbers)
{
	int spares[3] = {dup(0), dup(0), dup(0)}, fds[2];

	close(spares[0]);
	close(spares[2]);
	ck_assert_int_eq(mm_ipc_connected_pair2(fds, MM_IPC_CLOEXEC), 0);
	ck_assert_int_eq(fds[0], spares[0]);
	ck_assert_int_eq(fds[1], spares[2]);
	close_all(3, spares);
}
END_TEST

START_TEST(connected_pair_without_memory_for_the_result_is_efault)
{
	/* Volatile, so that the compiler does not detect them. */
	int *volatile nowhere[] = {NULL, (int *)8};

	for (int i = 0; i < MM_NELEM(nowhere); i++) {
		assert_fails_on_bad_memory(mm_ipc_connected_pair2(nowhere[i], MM_IPC_CLOEXEC), EFAULT);
		/* The flags are checked first. */
		assert_fails(mm_ipc_connected_pair2(nowhere[i], 8), EINVAL);
	}
}
END_TEST

START_TEST(null_and_invalid_arguments_are_rejected)
{
	struct mm_ipc_srv *srv = create(unique_name());
	static const int timeouts[] = {-2, -3, -60000, INT32_MIN};

	assert_fails_with_null(mm_ipc_srv_create2(NULL, 0, 0), EINVAL);
	assert_fails_with_null(mm_ipc_srv_create2(NULL, MM_IPC_PATH, 0600), EINVAL);
	assert_fails(mm_ipc_srv_release(NULL), EINVAL);
	assert_fails(mm_ipc_srv_fd(NULL), EINVAL);
	assert_fails(mm_ipc_srv_accept2(NULL, 0, 0), EINVAL);
	assert_fails(mm_ipc_connect2(NULL, 0, 0), EINVAL);
	assert_fails(mm_ipc_connect2(NULL, MM_IPC_PATH, -1), EINVAL);
	assert_fails(mm_ipc_watch(NULL, 0), EINVAL);
	assert_fails(mm_ipc_watch(NULL, MM_IPC_PATH), EINVAL);
	for (int i = 0; i < MM_NELEM(timeouts); i++) {
		assert_fails(mm_ipc_srv_accept2(srv, 0, timeouts[i]), EINVAL);
		assert_fails(mm_ipc_connect2("x", 0, timeouts[i]), EINVAL);
		assert_fails(mm_ipc_connect2("x", MM_IPC_PATH, timeouts[i]), EINVAL);
	}
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(mode_is_only_for_paths_and_at_most_0777)
{
	static const mode_t invalid[] = {01000, 02000, 04000, 07777, S_IFSOCK | 0600, 0100000, (mode_t)-1};
	const char *name = unique_name();

	enter_scratch_directory();
	for (int i = 0; i < MM_NELEM(invalid); i++) {
		assert_fails_with_null(mm_ipc_srv_create2("path", MM_IPC_PATH, invalid[i]), EINVAL);
		assert_fails_with_null(mm_ipc_srv_create2(name, 0, invalid[i]), EINVAL);
	}
	for (mode_t mode = 1; mode <= 0777; mode++)
		assert_fails_with_null(mm_ipc_srv_create2(name, 0, mode), EINVAL);
	ck_assert_int_eq(count_names("."), 0);
	leave_scratch_directory();
}
END_TEST

START_TEST(create2_without_flags_is_create)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = mm_ipc_srv_create2(name, 0, 0);
	char long_name[109];

	ck_assert_ptr_nonnull(srv);
	assert_fails_with_null(mm_ipc_srv_create(name), EADDRINUSE);
	assert_fails_with_null(mm_ipc_srv_create2(name, 0, 0), EADDRINUSE);
	int client = mm_ipc_connect(name), served = mm_ipc_srv_accept(srv);

	assert_connected(client, served);
	close_all(2, (int[]){client, served});
	mm_ipc_srv_destroy(srv);
	/* A name, although it looks like a path: nothing appears in the file system. */
	enter_scratch_directory();
	srv = mm_ipc_srv_create2("./mmsysio-test", 0, 0);
	ck_assert_ptr_nonnull(srv);
	ck_assert_int_eq(count_names("."), 0);
	mm_ipc_srv_destroy(srv);
	leave_scratch_directory();
	memset(long_name, 'n', 108);
	long_name[108] = '\0';
	assert_fails_with_null(mm_ipc_srv_create2(long_name, 0, 0), ENAMETOOLONG);
	assert_fails(mm_ipc_connect2(long_name, 0, 0), ENAMETOOLONG);
	assert_fails(mm_ipc_watch(long_name, 0), ENAMETOOLONG);
}
END_TEST

static void assert_errno_is_kept(const char *call)
{
	ck_assert_msg(errno == EDOM, "%s: errno %d", call, errno);
	ck_assert_msg(mm_get_lasterror_number() == ENOENT, "%s: error %d", call, mm_get_lasterror_number());
	ck_assert_str_eq(mm_get_lasterror_desc(), "kept");
}

#define SUCCEEDS(call)                       \
	({                                   \
		errno = EDOM;                \
		__typeof__(call) got = call; \
		assert_errno_is_kept(#call); \
		got;                         \
	})

START_TEST(success_leaves_errno_and_the_error_state_unchanged)
{
	enter_scratch_directory();
	mm_raise_error(ENOENT, "kept");
	FOR_EACH_PLACE(place) {
		struct mm_ipc_peer peer;
		int fds[2], client, served, watch, listener;
		/* With a leftover at the path. */
		if (place.flags == MM_IPC_PATH)
			close(listen_plainly(place.address, 1));
		struct mm_ipc_srv *srv =
			SUCCEEDS(mm_ipc_srv_create2(place.address, place.flags, place.flags == 0 ? 0 : 0600));

		ck_assert_ptr_nonnull(srv);
		ck_assert_int_ge(SUCCEEDS(mm_ipc_srv_fd(srv)), 0);
		client = SUCCEEDS(mm_ipc_connect2(place.address, place.flags, 1000));
		served = SUCCEEDS(mm_ipc_srv_accept2(srv, 0, 1000));
		assert_connected(client, served);
		ck_assert_int_eq(SUCCEEDS(mm_ipc_get_peer(served, &peer, sizeof(peer))), 0);
		watch = SUCCEEDS(mm_ipc_watch(place.address, place.flags));
		ck_assert_int_eq(SUCCEEDS(mm_ipc_connected_pair2(fds, 0)), 0);
		listener = SUCCEEDS(mm_ipc_srv_release(srv));
		srv = SUCCEEDS(mm_ipc_srv_from_fd(listener));
		close_all(5, (int[]){client, served, watch, fds[0], fds[1]});
		errno = EDOM;
		mm_ipc_srv_destroy(srv);
		assert_errno_is_kept("mm_ipc_srv_destroy");
		unlink("socket");
		srv = create_at(place);
		errno = EDOM;
		mm_ipc_srv_destroy(srv);
		assert_errno_is_kept("mm_ipc_srv_destroy");
	}
	leave_scratch_directory();
}
END_TEST

static void *create_after_a_moment(void *arg)
{
	sleep_ms(50);
	return create_at(*(struct place *)arg);
}

START_TEST(success_after_a_wait_leaves_errno_unchanged)
{
	enter_scratch_directory();
	mm_raise_error(ENOENT, "kept");
	FOR_EACH_PLACE(place) {
		pthread_t thread = start_thread(create_after_a_moment, &place);
		int client = SUCCEEDS(mm_ipc_connect2(place.address, place.flags, -1));
		struct mm_ipc_srv *srv = join_thread(thread);

		close_all(2, (int[]){client, accept2_from(srv, 0)});
		mm_ipc_srv_destroy(srv);
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(expected_failures_are_not_logged)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv = create(name);
	struct sockaddr_un address = name_address(unique_name());
	int clients[64], listener, count = listen_with_full_queue(&address, &listener, clients);
	pthread_t interrupter;

	enter_scratch_directory();
	collect_lines();
	assert_fails(mm_ipc_srv_accept2(srv, 0, 0), EAGAIN);
	assert_fails(mm_ipc_srv_accept2(srv, 0, 10), ETIMEDOUT);
	assert_fails(mm_ipc_connect2(address.sun_path + 1, 0, 0), EAGAIN);
	assert_fails(mm_ipc_connect2(address.sun_path + 1, 0, 10), ETIMEDOUT);
	FOR_EACH_PLACE(place) {
		assert_fails(mm_ipc_connect2(place.address, place.flags, 0), ECONNREFUSED);
		assert_fails(mm_ipc_connect2(place.address, place.flags, 10), ETIMEDOUT);
		interrupter = start_interrupting();
		assert_fails(mm_ipc_connect2(place.address, place.flags, -1), EINTR);
		stop_interrupting(interrupter);
	}
	interrupter = start_interrupting();
	assert_fails(mm_ipc_srv_accept2(srv, 0, -1), EINTR);
	assert_fails(mm_ipc_srv_accept2(srv, 0, LONG_MS), EINTR);
	stop_interrupting(interrupter);
	ck_assert_str_eq(collected(), "");

	/* Other failures are logged. */
	assert_fails(mm_ipc_srv_accept2(srv, 8, 0), EINVAL);
	ck_assert_ptr_nonnull(strstr(collected(), "mm_ipc_srv_accept2"));
	assert_fails(mm_ipc_connect2("no/directory", MM_IPC_PATH, 0), ENOENT);
	ck_assert_ptr_nonnull(strstr(collected(), "\"no/directory\""));
	assert_fails(mm_ipc_get_peer(-1, &(struct mm_ipc_peer){0}, 1), EBADF);
	ck_assert_ptr_nonnull(strstr(collected(), "mm_ipc_get_peer"));
	stop_collecting();
	close_all(count, clients);
	close_all(1, &listener);
	mm_ipc_srv_destroy(srv);
	leave_scratch_directory();
}
END_TEST

SUITE(unknown_flags_are_rejected, connections_have_exactly_the_requested_flags,
      connections_after_a_wait_have_exactly_the_requested_flags,
      accepted_connections_after_a_wait_have_exactly_the_requested_flags,
      nonblock_has_no_influence_on_whether_a_call_waits, nonblocking_connect_without_limit_waits_at_a_full_queue,
      connected_pair_has_exactly_the_requested_flags, connected_pair_gets_the_lowest_numbers,
      connected_pair_without_memory_for_the_result_is_efault, null_and_invalid_arguments_are_rejected,
      mode_is_only_for_paths_and_at_most_0777, create2_without_flags_is_create,
      success_leaves_errno_and_the_error_state_unchanged, success_after_a_wait_leaves_errno_unchanged,
      expected_failures_are_not_logged)
