/* SPDX-License-Identifier: Apache-2.0 */
/*
 * servers.h: shared by the tests of mmipc.h: servers at names and paths, and peers that do not use the library
 */
#ifndef SERVERS_H
#define SERVERS_H

#include "endpoints.h"

#include <dirent.h>
#include <fcntl.h>
#include <mmipc.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { NOBODY = 65534 };

/* Longer than any delay of a loaded machine, shorter than the timeout of a test. */
enum { LONG_MS = 60000 };

static inline bool is_root(const char *what)
{
	if (geteuid() != 0)
		printf("# skipped, since it requires root: %s\n", what);
	return geteuid() == 0;
}

/* An address: a name or, with MM_IPC_PATH, a path. */
struct place {
	const char *address;
	int flags;
};

/* A loop over both kinds of addresses, each new; requires a scratch directory. */
#define FOR_EACH_PLACE(place)                                                \
	for (struct place place = {unique_name(), 0}; place.address != NULL; \
	     place = place.flags == 0 ? (struct place){"socket", MM_IPC_PATH} : (struct place){0})

static inline struct mm_ipc_srv *create_at(struct place place)
{
	struct mm_ipc_srv *srv = mm_ipc_srv_create2(place.address, place.flags, place.flags == 0 ? 0 : 0600);

	ck_assert_msg(srv != NULL, "%s: %s", place.address, mm_get_lasterror_desc());
	return srv;
}

static inline struct mm_ipc_srv *create_path(const char *path, mode_t mode)
{
	struct mm_ipc_srv *srv = mm_ipc_srv_create2(path, MM_IPC_PATH, mode);

	ck_assert_msg(srv != NULL, "%s: %s", path, mm_get_lasterror_desc());
	return srv;
}

static inline int connect_at(struct place place, int flags)
{
	int fd = mm_ipc_connect2(place.address, place.flags | flags, LONG_MS);

	ck_assert_msg(fd >= 0, "%s: %s", place.address, mm_get_lasterror_desc());
	return fd;
}

static inline int connect_path(const char *path)
{
	return connect_at((struct place){path, MM_IPC_PATH}, 0);
}

static inline int accept2_from(struct mm_ipc_srv *srv, int flags)
{
	int fd = mm_ipc_srv_accept2(srv, flags, LONG_MS);

	ck_assert_msg(fd >= 0, "%s", mm_get_lasterror_desc());
	return fd;
}

static inline struct mm_ipc_srv *adopt(int fd)
{
	struct mm_ipc_srv *srv = mm_ipc_srv_from_fd(fd);

	ck_assert_msg(srv != NULL, "%s", mm_get_lasterror_desc());
	return srv;
}

/* One client connects, and both ends work. */
static inline void assert_serves(struct mm_ipc_srv *srv, struct place place)
{
	int client = connect_at(place, 0), served = accept2_from(srv, 0);

	assert_connected(client, served);
	close_all(2, (int[]){client, served});
}

static inline void assert_serves_path(struct mm_ipc_srv *srv, const char *path)
{
	assert_serves(srv, (struct place){path, MM_IPC_PATH});
}

/* --- peers that do not use the library ---------------------------------------------------------------------------- */

static inline struct sockaddr_un path_address(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
	strcpy(address.sun_path, path);
	return address;
}

static inline int bind_plainly(const char *path, int type)
{
	struct sockaddr_un address = path_address(path);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	ck_assert_msg(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "bind: %s", strerror(errno));
	return fd;
}

static inline int listen_plainly(const char *path, int backlog)
{
	int fd = bind_plainly(path, SOCK_SEQPACKET);

	ck_assert_int_eq(listen(fd, backlog), 0);
	return fd;
}

/* The padded abstract name of a server of this library or of mmlib. */
static inline struct sockaddr_un name_address(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	strcpy(address.sun_path + 1, name);
	return address;
}

/* A listener at such a name, with flags of socket(). */
static inline int listen_at_name(const char *name, int flags)
{
	struct sockaddr_un address = name_address(name);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | flags, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 32), 0);
	return fd;
}

/* Returns the socket, or -1 with errno. */
static inline int connect_plainly(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), error;

	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* A listener with the shortest queue, which the clients have filled. Returns how many of them there are. */
static inline int listen_with_full_queue(const struct sockaddr_un *address, int *listener, int clients[64])
{
	int count = 0;

	*listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(*listener, (const struct sockaddr *)address, sizeof(*address)), 0);
	ck_assert_int_eq(listen(*listener, 0), 0);
	do {
		ck_assert_int_lt(count, 64);
		clients[count] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	} while (connect(clients[count++], (const struct sockaddr *)address, sizeof(*address)) == 0);
	return count;
}

/* --- observation -------------------------------------------------------------------------------------------------- */

static inline bool is_cloexec(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	ck_assert_int_ne(flags, -1);
	return (flags & FD_CLOEXEC) != 0;
}

static inline bool is_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	ck_assert_int_ne(flags, -1);
	return (flags & O_NONBLOCK) != 0;
}

static inline bool is_readable(int fd, int timeout_ms)
{
	struct pollfd entry = {.fd = fd, .events = POLLIN};
	int ready;

	do
		ready = poll(&entry, 1, timeout_ms);
	while (ready == -1 && errno == EINTR);
	ck_assert_int_ge(ready, 0);
	ck_assert_int_eq(entry.revents & POLLNVAL, 0);
	return ready == 1;
}

/* The number of names in a directory, besides "." and "..". */
static inline int count_names(const char *path)
{
	DIR *dir = opendir(path);
	int count = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count - 2;
}

/* How often a process or thread has slept. */
static inline unsigned long count_sleeps(pid_t tid)
{
	char path[64], line[128];
	unsigned long count = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	FILE *status = fopen(path, "r");

	ck_assert_ptr_nonnull(status);
	while (fgets(line, sizeof(line), status) != NULL)
		sscanf(line, "voluntary_ctxt_switches: %lu", &count);
	fclose(status);
	ck_assert_uint_gt(count, 0);
	return count;
}

/* --- a call in a thread ------------------------------------------------------------------------------------------- */

/* A thread that makes one call, of accept2 if there is a server, otherwise of connect2. */
struct waiter {
	struct mm_ipc_srv *srv;
	struct place place;
	int flags, timeout_ms;
	pid_t tid;
	int result, error;
};

static inline void *wait_in_thread(void *arg)
{
	struct waiter *waiter = arg;

	__atomic_store_n(&waiter->tid, thread_id(), __ATOMIC_RELEASE);
	if (waiter->srv != NULL)
		waiter->result = mm_ipc_srv_accept2(waiter->srv, waiter->flags, waiter->timeout_ms);
	else
		waiter->result =
			mm_ipc_connect2(waiter->place.address, waiter->place.flags | waiter->flags, waiter->timeout_ms);
	waiter->error = waiter->result == -1 ? mm_get_lasterror_number() : 0;
	return NULL;
}

/* Returns when the thread sleeps, or has returned if its timeout is short. */
static inline pthread_t start_waiter(struct waiter *waiter)
{
	pthread_t thread = start_thread(wait_in_thread, waiter);
	pid_t tid;

	while ((tid = __atomic_load_n(&waiter->tid, __ATOMIC_ACQUIRE)) == 0)
		sleep_ms(1);
	if (waiter->timeout_ms == -1 || waiter->timeout_ms >= LONG_MS)
		wait_until_asleep(tid);
	return thread;
}

#endif
