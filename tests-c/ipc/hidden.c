/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hidden.c: descriptors that the library uses internally, and programs that close, redirect or use them
 */
#include "child.h"
#include "slots.h"

#include <dirent.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>

#define TIMEOUT_VARIABLE "MMSYSIO_CONNECT_TIMEOUT_MS"

/* The standard streams that are closed, one bit each. */
static int closed_streams;

static void close_streams(void)
{
	for (int fd = 0; fd < 3; fd++) {
		if (closed_streams & 1 << fd)
			close(fd);
	}
}

/* Runs a function in a child process for each set of closed streams. */
static void with_streams_closed(int (*run)(void *))
{
	for (closed_streams = 0; closed_streams < 8; closed_streams++)
		assert_child_succeeds(start_child(run, NULL));
}

/* True if the standard descriptors are open and closed as prepared. */
static bool are_streams_untouched(void)
{
	for (int fd = 0; fd < 3; fd++) {
		if (is_open(fd) == !!(closed_streams & 1 << fd))
			return false;
	}
	return true;
}

/* --- internal descriptors are never 0, 1 or 2 --------------------------------------------------------------------- */

static int serve_after_redirection(void *arg)
{
	const char *name = unique_name();
	int null = fcntl(open("/dev/null", O_RDWR), F_DUPFD, 50), client, served;

	(void)arg;
	close_streams();
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);

	ck_assert_ptr_nonnull(srv);
	ck_assert(are_streams_untouched());
	/* Like every daemon. */
	for (int fd = 0; fd < 3; fd++)
		ck_assert_int_eq(dup2(null, fd), fd);
	client = mm_ipc_connect(name);
	served = mm_ipc_srv_accept(srv);
	ck_assert_int_ge(served, 3);
	ck_assert_int_ge(client, 3);
	mm_ipc_srv_destroy(srv);
	for (int fd = 0; fd < 3; fd++)
		ck_assert(is_open(fd));
	return 0;
}

START_TEST(server_survives_the_redirection_of_the_standard_streams)
{
	with_streams_closed(serve_after_redirection);
}
END_TEST

static int spawn_with_streams(void *arg)
{
	static const struct mm_remap_fd map[] = {{0, 0}, {1, 1}, {2, 2}};
	const char *name = unique_name();
	mm_pid_t pid;

	(void)arg;
	close_streams();
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);

	assert_spawns(&pid, "/bin/sleep", 3, map, 0, ((char *[]){"sleep", "60", NULL}), NULL);
	mm_ipc_srv_destroy(srv);
	/*
	 * If the program had inherited the listener, the name would remain in use. execve() closes it shortly after the
	 * parent continues.
	 */
	for (int i = 0; i < 1000 && (srv = mm_ipc_srv_create(name)) == NULL; i++)
		sleep_ms(1);
	ck_assert_msg(srv != NULL, "%s", mm_get_lasterror_desc());
	mm_ipc_srv_destroy(srv);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}

START_TEST(spawned_program_with_the_standard_streams_does_not_get_the_listener)
{
	with_streams_closed(spawn_with_streams);
}
END_TEST

static void *connect_in_thread(void *name)
{
	return (void *)(intptr_t)mm_ipc_connect(name);
}

/* When a client of that name sleeps at its slot, it is some milliseconds before it creates another socket. */
static void wait_until_a_slot_is_taken(const char *name)
{
	struct sockaddr_un slot = slot_address(name, 0);
	char shown[128];

	/* Without the number of the slot. */
	snprintf(shown, sizeof(shown), "@%.33s", slot.sun_path + 1);
	for (int i = 0; i < 5000; i++) {
		char line[256];
		FILE *sockets = fopen("/proc/net/unix", "r");
		bool found = false;

		while (!found && fgets(line, sizeof(line), sockets) != NULL)
			found = strstr(line, shown) != NULL;
		fclose(sockets);
		if (found)
			return;
		sleep_ms(1);
	}
	ck_abort_msg("no client waits");
}

static int wait_beside_redirections(void *arg)
{
	const char *name = unique_name();
	int null = fcntl(open("/dev/null", O_RDWR), F_DUPFD, 50);

	(void)arg;
	close_streams();
	pthread_t thread = start_thread(connect_in_thread, (void *)name);

	wait_until_a_slot_is_taken(name);
	ck_assert(are_streams_untouched());
	for (int fd = 0; fd < 3; fd++)
		ck_assert_int_eq(dup2(null, fd), fd);
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);
	int client = (int)(intptr_t)join_thread(thread), served = mm_ipc_srv_accept(srv);

	ck_assert_int_ge(client, 3);
	ck_assert_int_ge(served, 3);
	ck_assert_int_eq(fcntl(client, F_GETFD), 0);
	ck_assert_int_eq(fcntl(client, F_GETFL) & O_NONBLOCK, 0);
	mm_ipc_srv_destroy(srv);
	return 0;
}

START_TEST(waiting_connect_uses_no_standard_descriptor)
{
	with_streams_closed(wait_beside_redirections);
}
END_TEST

static int connect_to_lowest(void *arg)
{
	const char *name = unique_name();
	struct mm_ipc_srv *srv;
	int client, lowest = 0;
	bool waits = arg != NULL;

	close_streams();
	while (is_open(lowest))
		lowest++;
	if (waits) {
		pthread_t thread = start_thread(connect_in_thread, (void *)name);

		sleep_ms(30);
		srv = mm_ipc_srv_create(name);
		client = (int)(intptr_t)join_thread(thread);
	} else {
		srv = mm_ipc_srv_create(name);
		client = mm_ipc_connect(name);
	}
	/* The descriptor of a listener is 3 or higher. */
	if (lowest < 3)
		ck_assert_int_eq(client, lowest);
	ck_assert_int_eq(fcntl(client, F_GETFD), 0);
	ck_assert_int_eq(mm_write(client, "x", 1), 1);
	mm_ipc_srv_destroy(srv);
	return 0;
}

static int connect_to_lowest_after_a_wait(void *arg)
{
	(void)arg;
	return connect_to_lowest("waits");
}

static int connect_to_lowest_in_time(void *arg)
{
	setenv(TIMEOUT_VARIABLE, "60000", 1);
	return connect_to_lowest(arg);
}

START_TEST(connection_gets_the_lowest_descriptor_whatever_is_closed)
{
	with_streams_closed(connect_to_lowest);
	with_streams_closed(connect_to_lowest_after_a_wait);
	with_streams_closed(connect_to_lowest_in_time);
}
END_TEST

static int read_directory(void *arg)
{
	const struct mm_dirent *entry;
	int status, count = 0;

	(void)arg;
	close_streams();
	MM_DIR *dir = mm_opendir("/");

	ck_assert_ptr_nonnull(dir);
	ck_assert(are_streams_untouched());
	while ((entry = mm_readdir(dir, &status)) != NULL)
		count++;
	ck_assert_int_gt(count, 2);
	mm_closedir(dir);
	ck_assert(are_streams_untouched());
	return 0;
}

START_TEST(directory_stream_uses_no_standard_descriptor)
{
	with_streams_closed(read_directory);
}
END_TEST

/* The standard streams as another thread sees them: closed. */
static volatile bool stops;

static void *watch_streams(void *arg)
{
	char byte;

	while (!stops) {
		/*
		 * Files that the resolver of the C library opens must not be readable or writable as standard streams
		 * either.
		 */
		ssize_t written = write(STDERR_FILENO, "x", 1);
		int write_failure = errno;
		ssize_t count = read(STDIN_FILENO, &byte, 1);
		int read_failure = errno;

		/* The first assertion of a thread allocates memory, which may change errno. */
		ck_assert_int_eq(written, -1);
		ck_assert_int_eq(write_failure, EBADF);
		ck_assert_int_eq(count, -1);
		ck_assert_int_eq(read_failure, EBADF);
	}
	return arg;
}

static int copy_and_remove(void *arg)
{
	(void)arg;
	write_file("source", "content");
	close_streams();
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(mm_mkdir("tree/a/b", 0777, MM_RECURSIVE), 0);
		ck_assert_int_eq(mm_copy("source", "tree/copy", i == 0 ? MM_NOCOW : 0, 0600), 0);
		ck_assert(are_streams_untouched());
		ck_assert(has_text("tree/copy", "content"));
		ck_assert_int_eq(mm_remove("tree", MM_DT_ANY | MM_RECURSIVE), 0);
		ck_assert(are_streams_untouched());
	}
	return 0;
}

START_TEST(copying_and_removing_leave_closed_streams_closed)
{
	enter_scratch_directory();
	with_streams_closed(copy_and_remove);
	leave_scratch_directory();
}
END_TEST

static int resolve(void *arg)
{
	struct addrinfo *list = NULL;
	char host[64];
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	(void)arg;
	close_streams();
	if (mm_getaddrinfo("localhost", NULL, NULL, &list) == 0)
		mm_freeaddrinfo(list);
	mm_getnameinfo((struct sockaddr *)&address, sizeof(address), host, sizeof(host), NULL, 0, 0);
	mm_create_sockclient("tcp://127.0.0.1:1");
	ck_assert(are_streams_untouched());
	return 0;
}

START_TEST(resolver_leaves_closed_streams_closed)
{
	with_streams_closed(resolve);
}
END_TEST

static int resolve_beside_writers(void *arg)
{
	closed_streams = 7;
	close_streams();
	pthread_t thread = start_thread(watch_streams, NULL);

	for (int i = 0; i < (is_instrumented() ? 3 : 100); i++) {
		struct addrinfo *list = NULL;

		if (mm_getaddrinfo("localhost", "http", NULL, &list) == 0)
			mm_freeaddrinfo(list);
	}
	stops = true;
	join_thread(thread);
	(void)arg;
	return 0;
}

START_TEST(resolver_opens_no_file_as_a_closed_stream)
{
	assert_child_succeeds(start_child(resolve_beside_writers, NULL));
}
END_TEST

/* --- descriptors closed by the program ---------------------------------------------------------------------------- */

static int tcp_listener(struct sockaddr_in *address)
{
	socklen_t size = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	ck_assert_int_eq(bind(fd, (struct sockaddr *)address, size), 0);
	ck_assert_int_eq(listen(fd, 5), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)address, &size), 0);
	return fd;
}

/* The descriptor of the only socket. */
static int number_of_listener(void)
{
	for (int fd = 3; fd < 100; fd++) {
		struct stat status;

		if (fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode))
			return fd;
	}
	return -1;
}

START_TEST(destroy_leaves_a_reused_descriptor_of_its_listener_open)
{
	struct mm_ipc_srv *srv = mm_ipc_srv_create(unique_name());
	struct sockaddr_in address;
	int client, hidden = number_of_listener();

	close(hidden);
	assert_fails(mm_ipc_srv_accept(srv), EBADF);

	int listener = tcp_listener(&address);

	ck_assert_int_eq(listener, hidden);
	client = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_fails(mm_ipc_srv_accept(srv), EBADF);
	mm_ipc_srv_destroy(srv);

	/* The program's listener still accepts. */
	int served = accept(listener, NULL, NULL);

	ck_assert_int_ge(served, 0);
	close_all(3, (int[]){served, client, listener});
}
END_TEST

START_TEST(destroy_leaves_another_server_at_its_descriptor_open)
{
	const char *name = unique_name();
	struct mm_ipc_srv *old = mm_ipc_srv_create(name), *new;

	close(number_of_listener());
	/* With the same name and descriptor. */
	new = mm_ipc_srv_create(name);
	ck_assert_ptr_nonnull(new);
	assert_fails(mm_ipc_srv_accept(old), EBADF);
	mm_ipc_srv_destroy(old);
	int client = mm_ipc_connect(name), served = mm_ipc_srv_accept(new);

	ck_assert_int_ge(served, 0);
	mm_ipc_srv_destroy(new);
	close_all(2, (int[]){client, served});
}
END_TEST

START_TEST(waiting_connect_does_not_read_from_a_reused_descriptor)
{
	const char *name = unique_name();
	pthread_t thread = start_thread(connect_in_thread, (void *)name);
	int slot = -1, pair[2];
	char byte;

	/* The slot is the only socket while the client waits. */
	while (slot == -1) {
		for (int fd = 3; fd < 100; fd++) {
			struct stat status;
			struct sockaddr_un address;
			socklen_t size = sizeof(address);

			if (fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) &&
			    getsockname(fd, (struct sockaddr *)&address, &size) == 0 && size > 20)
				slot = fd;
		}
		sleep_ms(1);
	}
	sleep_ms(30);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	int mine = fcntl(pair[0], F_DUPFD, 100);

	ck_assert_int_eq(dup2(pair[0], slot), slot);
	close(pair[0]);
	ck_assert_int_eq(send(pair[1], "x", 1, 0), 1);
	/* Longer than any of its sleeps. */
	sleep_ms(600);
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);
	int client = (int)(intptr_t)join_thread(thread), served = mm_ipc_srv_accept(srv);

	ck_assert_int_ge(client, 0);
	ck_assert_int_eq(recv(mine, &byte, 1, MSG_DONTWAIT), 1);
	/* The program's descriptor is still open. */
	ck_assert(is_open(slot));
	close_all(5, (int[]){slot, mine, pair[1], client, served});
	mm_ipc_srv_destroy(srv);
}
END_TEST

/* --- forked children ---------------------------------------------------------------------------------------------- */

static bool is_socket_of_type(int fd, int expected)
{
	int type = 0;
	socklen_t size = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == expected;
}

static int count_sockets(void)
{
	int count = 0;

	for (int fd = 0; fd < 200; fd++) {
		struct stat status;

		count += fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
	}
	return count;
}

START_TEST(child_forked_during_a_waiting_connect_has_none_of_its_sockets)
{
	const char *name = unique_name();
	pthread_t threads[3];
	int received[3];
	char byte;

	/* Without it, the library does not know in the child which sockets are those of its parent's calls. */
	if (madvise(NULL, 0, MADV_WIPEONFORK) == -1) {
		printf("# skipped, since the kernel does not support it: MADV_WIPEONFORK\n");
		return;
	}
	for (int i = 0; i < 3; i++)
		threads[i] = start_thread(connect_in_thread, (void *)name);
	wait_until_a_slot_is_taken(name);
	sleep_ms(50);
	pid_t child = fork();

	if (child == 0) {
		/* Not even if the child is itself waiting in connect: it continues until it is killed. */
		if (count_sockets() != 0)
			_exit(1);
		mm_ipc_connect(name);
		_exit(2);
	}
	wait_until_asleep(child);
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);

	for (int i = 0; i < 3; i++) {
		received[i] = (int)(intptr_t)join_thread(threads[i]);
		ck_assert_int_ge(received[i], 0);
		close_all(1, &received[i]);
	}
	/*
	 * Every connection ends as soon as the parent closes it; the child's own connection is open until the child
	 * ends.
	 */
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 2 << 8);
	for (int i = 0; i < 4; i++) {
		int fd = mm_ipc_srv_accept(srv);

		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(mm_read(fd, &byte, 1), 0);
		close_all(1, &fd);
	}
	mm_ipc_srv_destroy(srv);
}
END_TEST

START_TEST(forked_child_keeps_a_file_at_the_descriptor_of_a_waiting_connect)
{
	const char *name = unique_name();
	pthread_t thread = start_thread(connect_in_thread, (void *)name);
	int mine[2], slot = 3, status;

	wait_until_a_slot_is_taken(name);
	while (!is_socket_of_type(slot, SOCK_DGRAM))
		ck_assert_int_lt(slot++, 200);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, mine), 0);
	int replacements[] = {open("/dev/null", O_RDWR), mine[0]};

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(dup2(replacements[i], slot), slot);
		pid_t child = fork();

		if (child == 0)
			_exit(is_open(slot) ? 0 : 1);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_int_eq(status, 0);
	}
	struct mm_ipc_srv *srv = mm_ipc_srv_create(name);
	int client = (int)(intptr_t)join_thread(thread), served = mm_ipc_srv_accept(srv);

	ck_assert_int_ge(client, 0);
	ck_assert(is_open(slot));
	close_all(6, (int[]){slot, replacements[0], mine[0], mine[1], client, served});
	mm_ipc_srv_destroy(srv);
}
END_TEST

static pid_t forked = -1;

static void interrupt(int signal)
{
	(void)signal;
}

static void fork_in_handler(int signal)
{
	static const struct itimerval often = {{0, 10000}, {0, 10000}};
	struct sigaction action = {.sa_handler = interrupt};

	(void)signal;
	if (forked != -1)
		return;
	forked = fork();
	if (forked == 0) {
		/*
		 * The child returns into the connect of its parent's thread, which is interrupted if the signal arrived
		 * too early to interrupt it.
		 */
		sigaction(SIGALRM, &action, NULL);
		setitimer(ITIMER_REAL, &often, NULL);
	}
}

START_TEST(child_forked_by_a_handler_inside_connect_interrupts_that_connect)
{
	struct sigaction action = {.sa_handler = fork_in_handler};
	pid_t parent = getpid();
	int status;

	int open_before = count_open_descriptors();
	pthread_t interrupter = start_interrupting();

	sigaction(SIGUSR1, &action, NULL);
	int result = mm_ipc_connect(unique_name());

	if (getpid() != parent)
		_exit(result == -1 && errno == EINTR && count_open_descriptors() == open_before ? 0 : 1);
	stop_interrupting(interrupter);
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(waitpid(forked, &status, 0), forked);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(fork_during_many_waiting_connects_does_not_block)
{
	const char *name = unique_name();
	enum { THREADS = 80 }; /* more than the list holds */
	pthread_t threads[THREADS];
	struct mm_ipc_srv *srv;

	for (int i = 0; i < THREADS; i++)
		threads[i] = start_thread(connect_in_thread, (void *)name);
	for (int i = 0; i < 50; i++) {
		pid_t child = fork();
		int status;

		if (child == 0)
			_exit(0);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_int_eq(status, 0);
	}
	srv = mm_ipc_srv_create(name);
	for (int i = 0; i < THREADS; i++) {
		int fds[2] = {mm_ipc_srv_accept(srv), (int)(intptr_t)join_thread(threads[i])};

		close_all(2, fds);
	}
	mm_ipc_srv_destroy(srv);
}
END_TEST

SUITE(server_survives_the_redirection_of_the_standard_streams,
      spawned_program_with_the_standard_streams_does_not_get_the_listener, waiting_connect_uses_no_standard_descriptor,
      connection_gets_the_lowest_descriptor_whatever_is_closed, directory_stream_uses_no_standard_descriptor,
      copying_and_removing_leave_closed_streams_closed, resolver_leaves_closed_streams_closed,
      resolver_opens_no_file_as_a_closed_stream, destroy_leaves_a_reused_descriptor_of_its_listener_open,
      destroy_leaves_another_server_at_its_descriptor_open, waiting_connect_does_not_read_from_a_reused_descriptor,
      child_forked_during_a_waiting_connect_has_none_of_its_sockets,
      forked_child_keeps_a_file_at_the_descriptor_of_a_waiting_connect,
      child_forked_by_a_handler_inside_connect_interrupts_that_connect,
      fork_during_many_waiting_connects_does_not_block)
