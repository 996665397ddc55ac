/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmipc.c: calls of the functions of mmipc.h
 *
 * A call that may wait is interrupted by a signal handler: see interrupt_waits(). After each call for a path, the names in
 * its directory are counted.
 */
#include "calls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int take_ipc_flags(struct input *in)
{
	static const int flags[] = {
		0,
		MM_IPC_PATH,
		MM_IPC_CLOEXEC,
		MM_IPC_PATH | MM_IPC_CLOEXEC | MM_IPC_NONBLOCK,
		MM_IPC_NONBLOCK,
		MM_IPC_CLOEXEC | MM_IPC_NONBLOCK,
		MM_IPC_PATH,
		-1,
	};

	return take_chance(in, 16) ? take_int(in) : TAKE_ONE(in, flags);
}

/* Flags for functions that create nothing but a server or a watch. */
static int take_address_flags(struct input *in)
{
	static const int flags[] = {0, MM_IPC_PATH, MM_IPC_PATH, MM_IPC_PATH};

	return take_chance(in, 8) ? take_ipc_flags(in) : TAKE_ONE(in, flags);
}

static int take_timeout(struct input *in)
{
	static const int timeouts[] = {0, 0, 0, 0, 0, 0, 0, 1, -1, INT_MAX, -2, INT_MIN};

	return TAKE_ONE(in, timeouts);
}

/* The library itself reads an address, so that it is never an invalid pointer. */
static char *take_address(struct input *in, int flags)
{
	static const char *const paths[] = {
		"s",    "t",  "d/s",    "/w/s",    "d/../s", "./s",    "x/s",        "l/s", "a",
		"d",    "d/", "l",      "loop",    "/w/d/s", "/bin/s", "/etc/hosts", "",    "li\nne\033[1m",
		"\xff", ".s", ".s.new", ".s.lock", "d//s",   "../w/s",
	};
	static const unsigned lengths[] = {47, 48, 49, 80, 81, 107, 108, 255, 256, 4095, 4096, 4999};
	const char *path;

	if (!(flags & MM_IPC_PATH))
		return take_ipc_name(in);
	switch (take_below(in, 8)) {
	default:
		path = TAKE_ONE(in, paths);
		return exact_string(path, strlen(path));
	case 6:
		return take_repeated(in, take_chance(in, 2) ? "long" : "d/./", lengths, MM_NELEM(lengths));
	case 7:
		path = take_path(in);
		return path == no_memory() ? NULL : (char *)path;
	}
}

/* --- the directories of paths --------------------------------------------------------------------------------------- */

/* The names in the directory of a path, also hidden ones: -1 if they cannot be counted. */
static int count_names(const char *path)
{
	char directory[PATH_MAX] = ".";
	const char *slash = path == NULL ? NULL : strrchr(path, '/');
	int count = 0;

	if (path == NULL || strlen(path) >= sizeof(directory))
		return -1;
	if (slash != NULL)
		snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path) + 1, path);
	DIR *dir = opendir(directory);

	while (dir != NULL && readdir(dir) != NULL)
		count++;
	if (dir == NULL)
		return -1;
	closedir(dir);
	return count;
}

/* --- servers -------------------------------------------------------------------------------------------------------- */

void call_mm_ipc_srv_create2(struct input *in)
{
	static const mode_t modes[] = {0600, 0700, 0, 0644, 0777, 01777, (mode_t)-1};
	struct mm_ipc_srv **place = &servers[next_place()];
	int flags = take_address_flags(in);
	mode_t mode = flags & MM_IPC_PATH || take_chance(in, 8) ? TAKE_ONE(in, modes) : 0;
	char *addr = take_address(in, flags);
	struct stat status;

	mm_ipc_srv_destroy(*place);
	int names = flags & MM_IPC_PATH ? count_names(addr) : -1;
	bool has_room = lowest_free_descriptor() >= 0;

	world_has_changed();
	*place = CALL_FAILING(NULL, mm_ipc_srv_create2, addr, flags, mode);
	if (*place == NULL) {
		CHECK(names == -1 || !has_room || count_names(addr) == -1 || count_names(addr) <= names,
		      "a failure left a name beside %s", addr);
		return;
	}
	CHECK((flags & ~MM_IPC_PATH) == 0, "flags %#x were accepted", (unsigned)flags);
	CHECK((mode & ~(flags & MM_IPC_PATH ? 0777U : 0U)) == 0, "mode %#o was accepted", mode);
	if (flags & MM_IPC_PATH) {
		CHECK(stat(addr, &status) == 0 && S_ISSOCK(status.st_mode), "%s is not a socket", addr);
		CHECK((status.st_mode & 07777) == mode, "%s has mode %#o, not %#o", addr, status.st_mode & 07777, mode);
		CHECK(names == -1 || count_names(addr) == -1 || count_names(addr) <= names + 1,
		      "another name was left beside %s", addr);
	}
}

void call_mm_ipc_srv_from_fd(struct input *in)
{
	struct mm_ipc_srv **place = &servers[next_place()];
	int fd = any_descriptor(in), is_listening = 0;
	socklen_t size = sizeof(is_listening);

	/* A standard stream would be missing afterwards. */
	if (fd <= 2 && fd >= 0)
		return;
	mm_ipc_srv_destroy(*place);
	*place = CALL_FAILING(NULL, mm_ipc_srv_from_fd, fd);
	if (*place != NULL) {
		disown(fd);
		CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC, "descriptor %d is not close-on-exec", fd);
		CHECK(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) == 0 && is_listening,
		      "descriptor %d is not listening", fd);
	}
}

void call_mm_ipc_srv_release(struct input *in)
{
	struct mm_ipc_srv **place = &servers[take_below(in, KEPT)];
	int is_listening = 0, fd = CALL(mm_ipc_srv_release, *place);
	socklen_t size = sizeof(is_listening);

	if (fd >= 0) {
		*place = NULL;
		adopt(fd);
		CHECK(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) == 0 && is_listening,
		      "descriptor %d is not listening", fd);
	}
}

void call_mm_ipc_srv_fd(struct input *in)
{
	int is_listening = 0, fd = CALL(mm_ipc_srv_fd, servers[take_below(in, KEPT)]);
	socklen_t size = sizeof(is_listening);

	if (fd >= 0)
		CHECK(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) == 0 && is_listening &&
		              !is_owned(fd) && (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0,
		      "descriptor %d is not that of a server", fd);
}

/* A new descriptor has the flags that were requested. */
static int adopt_with(int fd, int flags)
{
	if (fd >= 0) {
		CHECK((flags & ~(MM_IPC_CLOEXEC | MM_IPC_NONBLOCK | MM_IPC_PATH)) == 0, "flags %#x were accepted",
		      (unsigned)flags);
		CHECK(fcntl(fd, F_GETFD) == (flags & MM_IPC_CLOEXEC ? FD_CLOEXEC : 0), "descriptor %d: close-on-exec",
		      fd);
		CHECK(!(fcntl(fd, F_GETFL) & O_NONBLOCK) == !(flags & MM_IPC_NONBLOCK), "descriptor %d: non-blocking",
		      fd);
	}
	return adopt(fd);
}

void call_mm_ipc_srv_accept2(struct input *in)
{
	struct mm_ipc_srv *server = servers[take_below(in, KEPT)];
	int flags = take_ipc_flags(in), timeout_ms = take_timeout(in);

	if (timeout_ms != 0)
		interrupt_waits(true);
	int fd = CALL(mm_ipc_srv_accept2, server, flags, timeout_ms), error = errno;

	interrupt_waits(false);
	adopt_with(fd, flags);
	CHECK(fd >= 0 || error != EAGAIN || timeout_ms == 0, "it should have waited");
	CHECK(fd >= 0 || error != EINTR || timeout_ms != 0, "it should not have waited");
}

/* --- clients -------------------------------------------------------------------------------------------------------- */

void call_mm_ipc_connect2(struct input *in)
{
	int flags = take_ipc_flags(in), timeout_ms = take_timeout(in);
	char *addr = take_address(in, flags);

	if (timeout_ms != 0)
		interrupt_waits(true);
	int fd = CALL(mm_ipc_connect2, addr, flags, timeout_ms), error = errno;

	interrupt_waits(false);
	adopt_with(fd, flags);
	CHECK(fd >= 0 || (error != EAGAIN && error != ECONNREFUSED) || timeout_ms == 0, "it should have waited");
	CHECK(fd >= 0 || error != EINTR || timeout_ms != 0, "it should not have waited");
}

void call_mm_ipc_connected_pair2(struct input *in)
{
	int *fds = take_chance(in, 16) ? take_chance(in, 2) ? no_memory() : NULL : exact_memory(2 * sizeof(*fds));
	int flags = take_ipc_flags(in);

	if (CALL(mm_ipc_connected_pair2, fds, flags) == 0) {
		adopt_with(fds[0], flags);
		adopt_with(fds[1], flags);
	}
}

void call_mm_ipc_watch(struct input *in)
{
	int flags = take_address_flags(in), fd = CALL(mm_ipc_watch, take_address(in, flags), flags);

	if (fd >= 0) {
		CHECK((flags & ~MM_IPC_PATH) == 0, "flags %#x were accepted", (unsigned)flags);
		adopt_with(fd, MM_IPC_CLOEXEC | MM_IPC_NONBLOCK);
	}
}

/* --- peers ---------------------------------------------------------------------------------------------------------- */

void call_mm_ipc_get_peer(struct input *in)
{
	static const unsigned sizes[] = {sizeof(struct mm_ipc_peer), 0, 1, 4, 7, 11, 13, 64, 4096};
	unsigned size = TAKE_ONE(in, sizes);
	char *memory = exact_memory(size);
	int fd = any_descriptor(in);
	struct mm_ipc_peer peer;

	memset(memory, 0xa5, size);
	if (take_chance(in, 16))
		memory = NULL;
	if (CALL(mm_ipc_get_peer, fd, (struct mm_ipc_peer *)memory, size) != 0)
		return;
	for (unsigned i = sizeof(peer); i < size; i++)
		CHECK(memory[i] == 0, "byte %u of the peer is not 0", i);
	if (size >= sizeof(peer)) {
		memcpy(&peer, memory, sizeof(peer));
		/* All sockets of the world were created by this process. */
		CHECK(peer.pid == getpid() && peer.uid == geteuid() && peer.gid == getegid(),
		      "the peer is process %d, user %u, group %u", (int)peer.pid, peer.uid, peer.gid);
	}
}

void call_mm_ipc_get_peer_pidfd(struct input *in)
{
	int fd = CALL(mm_ipc_get_peer_pidfd, any_descriptor(in));

	if (fd >= 0) {
		CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC, "a process descriptor is not close-on-exec");
		adopt(fd);
	}
}
