/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scenarios_mmipc.c: the functions of mmipc.h
 *
 * Paths are relative to the scratch directory, which is the working directory. The driver counts the names in it, also
 * hidden ones, before and after a call that fails.
 */
#include "scenario.h"
#include "shim.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#define SOCKET "server"
/* The path has more than 107 bytes. */
#define DEEP "a-directory-with-a-name-of-sixty-bytes-that-is-used-twice-0123"
#define DEEP_SOCKET DEEP "/" DEEP "/server"

static struct mm_ipc_srv *server_at(const char *addr, int flags)
{
	struct mm_ipc_srv *created = mm_ipc_srv_create2(addr, flags, flags & MM_IPC_PATH ? 0600 : 0);

	require(created != NULL);
	return created;
}

static void make_deep(void)
{
	require(mkdir(DEEP, 0700) == 0 && mkdir(DEEP "/" DEEP, 0700) == 0);
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	strcpy(address.sun_path, path);
	return address;
}

/* The socket of a server that was killed. */
static void make_leftover(const char *path)
{
	struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	require(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 1) == 0);
	close(fd);
}

static bool is_listening(const char *path)
{
	struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	bool is_connected = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

	require(fd >= 0 && close(fd) == 0);
	return is_connected;
}

static int hidden_names(const char *directory)
{
	DIR *dir = opendir(directory);
	int count = 0;

	require(dir != NULL);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		count += entry->d_name[0] == '.' && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return count;
}

/* What a fault may have left beside the path has gone when the next server has used it. */
static void require_clean(const char *path)
{
	char directory[200] = "./";

	mm_ipc_srv_destroy(server_at(path, MM_IPC_PATH));
	strcat(directory, path);
	*strrchr(directory, '/') = '\0';
	require(!exists(path) && hidden_names(directory) == 0);
}

/* --- mm_ipc_srv_create2() ------------------------------------------------------------------------------------------ */

static void create_with(const char *addr, int flags, mode_t mode)
{
	struct mm_ipc_srv *created;
	struct stat status;

	if (!TRY_POINTER(created, mm_ipc_srv_create2(addr, flags, mode))) {
		/* The next attempt succeeds. */
		created = mm_ipc_srv_create2(addr, flags, mode);
		require(created != NULL);
	}
	if (flags & MM_IPC_PATH) {
		require(stat(addr, &status) == 0 && S_ISSOCK(status.st_mode) && (status.st_mode & 07777) == mode);
		require(strlen(addr) > 107 || is_listening(addr));
	}
	mm_ipc_srv_destroy(created);
	if (flags & MM_IPC_PATH) {
		require(!exists(addr));
		require_clean(addr);
	}
}

static void create2_listens(void)
{
	create_with(ipc_name(), 0, 0);
}

static void create2_at_a_path(void)
{
	create_with(SOCKET, MM_IPC_PATH, 0600);
}

static void create2_replaces_a_leftover(void)
{
	make_leftover(SOCKET);
	create_with(SOCKET, MM_IPC_PATH, 0600);
}

static void create2_replaces_old_temporary_files(void)
{
	make_leftover("." SOCKET ".new");
	make_file("." SOCKET ".lock", 0);
	create_with(SOCKET, MM_IPC_PATH, 0600);
}

static void create2_at_a_long_path(void)
{
	make_deep();
	create_with(DEEP_SOCKET, MM_IPC_PATH, 0600);
}

static void create2_replaces_a_leftover_at_a_long_path(void)
{
	make_deep();
	require(chdir(DEEP "/" DEEP) == 0);
	make_leftover(SOCKET);
	require(chdir("../..") == 0);
	create_with(DEEP_SOCKET, MM_IPC_PATH, 0600);
}

static void create2_sets_all_permissions(void)
{
	mode_t before = umask(077);

	create_with(SOCKET, MM_IPC_PATH, 0666);
	umask(before);
}

/* The file system does not support RENAME_NOREPLACE. */
static void create2_links(void)
{
	shim_refuse_renameat2(true);
	create_with(SOCKET, MM_IPC_PATH, 0600);
	shim_refuse_renameat2(false);
}

static void create2_renames(void)
{
	make_leftover(SOCKET);
	create2_links();
}

/* Descriptors of the library are never standard streams. */
static void create2_without_standard_input(void)
{
	int saved = dup(0);

	require(saved >= 0 && close(0) == 0);
	create_with(SOCKET, MM_IPC_PATH, 0600);
	require(dup2(saved, 0) == 0 && close(saved) == 0);
}

static void create2_where_a_server_is(void)
{
	struct mm_ipc_srv *first = server_at(SOCKET, MM_IPC_PATH), *second;

	TRY_POINTER(second, mm_ipc_srv_create2(SOCKET, MM_IPC_PATH, 0600));
	require(is_listening(SOCKET));
	mm_ipc_srv_destroy(first);
	require(!exists(SOCKET));
	require_clean(SOCKET);
}

static void create2_where_a_file_is(void)
{
	struct mm_ipc_srv *created;

	make_file(SOCKET, 1);
	TRY_POINTER(created, mm_ipc_srv_create2(SOCKET, MM_IPC_PATH, 0600));
	require(exists(SOCKET));
}

static void create2_without_a_directory(void)
{
	struct mm_ipc_srv *created;

	TRY_POINTER(created, mm_ipc_srv_create2("missing/" SOCKET, MM_IPC_PATH, 0600));
}

/* --- mm_ipc_srv_destroy() of a path ---------------------------------------------------------------------------------- */

static void destroy_removes_the_path(void)
{
	struct mm_ipc_srv *created = server_at(SOCKET, MM_IPC_PATH);

	TRY_VOID(mm_ipc_srv_destroy(created));
	/* Whatever has failed, nobody listens, and the next server starts. */
	require(!is_listening(SOCKET));
	require_clean(SOCKET);
}

/* The path belongs to another server by now. */
static void destroy_keeps_a_successor(void)
{
	struct mm_ipc_srv *created = server_at(SOCKET, MM_IPC_PATH), *successor;

	require(unlink(SOCKET) == 0);
	successor = server_at(SOCKET, MM_IPC_PATH);
	TRY_VOID(mm_ipc_srv_destroy(created));
	require(is_listening(SOCKET));
	mm_ipc_srv_destroy(successor);
	require_clean(SOCKET);
}

static int released_listener(void)
{
	int fd = mm_ipc_srv_release(server_at(ipc_name(), 0));

	require(fd >= 0);
	return fd;
}

static struct mm_ipc_srv *adopted_server(void)
{
	struct mm_ipc_srv *server = mm_ipc_srv_from_fd(released_listener());

	require(server != NULL);
	return server;
}

static void destroy_closes_an_adopted_socket(void)
{
	struct mm_ipc_srv *server = adopted_server();

	TRY_VOID(mm_ipc_srv_destroy(server));
}

/* --- the listening descriptor -------------------------------------------------------------------------------------- */

static void from_fd_adopts(void)
{
	int fd = released_listener();
	struct mm_ipc_srv *server;

	if (TRY_POINTER(server, mm_ipc_srv_from_fd(fd))) {
		require(mm_ipc_srv_fd(server) == fd);
		mm_ipc_srv_destroy(server);
	} else {
		require(close(fd) == 0);
	}
}

static void from_fd_of(int fd)
{
	struct mm_ipc_srv *server;

	require(fd >= 0);
	TRY_POINTER(server, mm_ipc_srv_from_fd(fd));
	require(close(fd) == 0);
}

static void from_fd_refuses_a_client(void)
{
	from_fd_of(socket(AF_UNIX, SOCK_SEQPACKET, 0));
}

static void from_fd_refuses_a_stream(void)
{
	from_fd_of(socket(AF_UNIX, SOCK_STREAM, 0));
}

static void release_with(struct mm_ipc_srv *server, const char *path)
{
	int fd;

	if (TRY(fd, mm_ipc_srv_release(server))) {
		require(path == NULL || (is_listening(path) && unlink(path) == 0));
		require(close(fd) == 0);
	} else {
		mm_ipc_srv_destroy(server);
	}
}

static void release_returns(void)
{
	release_with(server_at(ipc_name(), 0), NULL);
}

static void release_keeps_the_path(void)
{
	release_with(server_at(SOCKET, MM_IPC_PATH), SOCKET);
}

static void release_returns_an_adopted_socket(void)
{
	release_with(adopted_server(), NULL);
}

static void fd_is_returned(void)
{
	struct mm_ipc_srv *created = server_at(ipc_name(), 0);
	int fd;

	if (TRY(fd, mm_ipc_srv_fd(created)))
		require((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	mm_ipc_srv_destroy(created);
}

/* --- mm_ipc_srv_accept2() -------------------------------------------------------------------------------------------- */

static void accept_from(struct mm_ipc_srv *server, const char *addr, int addr_flags, int flags, int timeout_ms)
{
	int client = addr == NULL ? -1 : mm_ipc_connect2(addr, addr_flags, 0), fd;

	require(addr == NULL || client >= 0);
	if (TRY(fd, mm_ipc_srv_accept2(server, flags, timeout_ms)))
		close(fd);
	if (client >= 0)
		close(client);
	mm_ipc_srv_destroy(server);
}

static void accept2_accepts(void)
{
	accept_from(server_at(ipc_name(), 0), ipc_name(), 0, 0, -1);
}

static void accept2_accepts_at_once(void)
{
	accept_from(server_at(ipc_name(), 0), ipc_name(), 0, MM_IPC_CLOEXEC | MM_IPC_NONBLOCK, 0);
}

static void accept2_accepts_in_time(void)
{
	accept_from(server_at(ipc_name(), 0), ipc_name(), 0, 0, 10000);
}

static void accept2_accepts_at_a_path(void)
{
	accept_from(server_at(SOCKET, MM_IPC_PATH), SOCKET, MM_IPC_PATH, MM_IPC_CLOEXEC, -1);
}

static void accept2_accepts_from_an_adopted_socket(void)
{
	accept_from(adopted_server(), ipc_name(), 0, 0, -1);
}

static void accept2_without_a_client(void)
{
	accept_from(server_at(ipc_name(), 0), NULL, 0, 0, 0);
}

static void accept2_waits_a_while(void)
{
	accept_from(server_at(ipc_name(), 0), NULL, 0, 0, 20);
}

static void accept2_waits_for_an_adopted_socket(void)
{
	accept_from(adopted_server(), NULL, 0, 0, 20);
}

/* --- mm_ipc_connect2() ----------------------------------------------------------------------------------------------- */

static void connect_with(const char *addr, int flags, int timeout_ms)
{
	int fd;

	if (TRY(fd, mm_ipc_connect2(addr, flags, timeout_ms)))
		close(fd);
}

static void connect_to_server(const char *addr, int flags, int timeout_ms)
{
	struct mm_ipc_srv *created = server_at(addr, flags & MM_IPC_PATH);

	connect_with(addr, flags, timeout_ms);
	mm_ipc_srv_destroy(created);
}

static void connect2_to_a_server(void)
{
	connect_to_server(ipc_name(), MM_IPC_CLOEXEC, -1);
}

static void connect2_in_time(void)
{
	connect_to_server(ipc_name(), 0, 10000);
}

static void connect2_to_a_path(void)
{
	connect_to_server(SOCKET, MM_IPC_PATH | MM_IPC_NONBLOCK, -1);
}

static void connect2_to_a_long_path(void)
{
	make_deep();
	connect_to_server(DEEP_SOCKET, MM_IPC_PATH, 10000);
}

static void connect2_without_waiting(void)
{
	connect_with(ipc_name(), 0, 0);
}

static void connect2_to_a_path_without_waiting(void)
{
	connect_with(SOCKET, MM_IPC_PATH, 0);
}

static void connect2_waits_a_while(void)
{
	connect_with(ipc_name(), 0, 30);
}

static void connect2_waits_for_a_path(void)
{
	connect_with(SOCKET, MM_IPC_PATH, 70);
}

static void connect2_without_a_directory(void)
{
	connect_with("missing/" SOCKET, MM_IPC_PATH, 10000);
}

/* The server starts when the client is waiting. */
static void connect_is_woken(const char *addr, int flags)
{
	int gate[2];
	pid_t pid;

	require(pipe(gate) == 0);
	pid = fork();
	require(pid != -1);
	if (pid == 0) {
		char byte;

		nanosleep(&(struct timespec){.tv_nsec = 15000000}, NULL);
		struct mm_ipc_srv *created = server_at(addr, flags & MM_IPC_PATH);
		close(gate[1]);
		if (read(gate[0], &byte, 1) == 0)
			mm_ipc_srv_destroy(created);
		_exit(0);
	}
	connect_with(addr, flags, 10000);
	close(gate[0]);
	close(gate[1]);
	require(waitpid(pid, NULL, 0) == pid);
}

static void connect2_is_woken(void)
{
	connect_is_woken(ipc_name(), 0);
}

static void connect2_is_woken_at_a_path(void)
{
	connect_is_woken(SOCKET, MM_IPC_PATH);
}

/* --- mm_ipc_watch() -------------------------------------------------------------------------------------------------- */

static void watch_with(const char *addr, int flags)
{
	struct mm_ipc_srv *created;
	struct pollfd entry = {.events = POLLIN};

	if (TRY(entry.fd, mm_ipc_watch(addr, flags))) {
		created = server_at(addr, flags);
		require(poll(&entry, 1, 10000) == 1 && entry.revents == POLLIN);
		mm_ipc_srv_destroy(created);
		close(entry.fd);
	}
}

static void watch_of_a_name(void)
{
	watch_with(ipc_name(), 0);
}

static void watch_of_a_path(void)
{
	watch_with(SOCKET, MM_IPC_PATH);
}

static void watch_of_a_name_that_many_watch(void)
{
	int others[4];

	for (int i = 0; i < MM_NELEM(others); i++)
		require((others[i] = mm_ipc_watch(ipc_name(), 0)) >= 0);
	watch_with(ipc_name(), 0);
	for (int i = 0; i < MM_NELEM(others); i++)
		close(others[i]);
}

static void watch_without_a_directory(void)
{
	int fd;

	if (TRY(fd, mm_ipc_watch("missing/" SOCKET, MM_IPC_PATH)))
		close(fd);
}

/* --- pairs and peers ------------------------------------------------------------------------------------------------- */

static void pair2_is_connected(void)
{
	int fds[2], result;

	if (TRY(result, mm_ipc_connected_pair2(fds, MM_IPC_CLOEXEC | MM_IPC_NONBLOCK))) {
		close(fds[0]);
		close(fds[1]);
	}
}

static void peer_is_told(void)
{
	struct mm_ipc_peer peer;
	int pair[2], result;

	require(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	if (TRY(result, mm_ipc_get_peer(pair[0], &peer, sizeof(peer))))
		require(peer.pid == getpid() && peer.uid == geteuid() && peer.gid == getegid());
	close(pair[0]);
	close(pair[1]);
}

static void pidfd_is_returned(void)
{
	int pair[2], fd;

	require(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	if (TRY(fd, mm_ipc_get_peer_pidfd(pair[0])))
		close(fd);
	close(pair[0]);
	close(pair[1]);
}

const struct scenario mmipc_scenarios[] = {
	{"mm_ipc_srv_create2", "name", create2_listens},
	{"mm_ipc_srv_create2", "path", create2_at_a_path},
	{"mm_ipc_srv_create2", "leftover", create2_replaces_a_leftover},
	{"mm_ipc_srv_create2", "temporary", create2_replaces_old_temporary_files, .leaves_names = true},
	{"mm_ipc_srv_create2", "long_path", create2_at_a_long_path},
	{"mm_ipc_srv_create2", "long_leftover", create2_replaces_a_leftover_at_a_long_path},
	{"mm_ipc_srv_create2", "umask", create2_sets_all_permissions},
	{"mm_ipc_srv_create2", "links", create2_links},
	{"mm_ipc_srv_create2", "plain_leftover", create2_renames},
	{"mm_ipc_srv_create2", "no_stdin", create2_without_standard_input},
	{"mm_ipc_srv_create2", "used", create2_where_a_server_is, .ends_with = EADDRINUSE},
	{"mm_ipc_srv_create2", "file", create2_where_a_file_is, .ends_with = EADDRINUSE},
	{"mm_ipc_srv_create2", "missing", create2_without_a_directory, .ends_with = ENOENT},
	{"mm_ipc_srv_destroy", "path", destroy_removes_the_path},
	{"mm_ipc_srv_destroy", "successor", destroy_keeps_a_successor},
	{"mm_ipc_srv_destroy", "adopted", destroy_closes_an_adopted_socket},
	{"mm_ipc_srv_from_fd", "listener", from_fd_adopts},
	{"mm_ipc_srv_from_fd", "client", from_fd_refuses_a_client, .ends_with = EINVAL},
	{"mm_ipc_srv_from_fd", "stream", from_fd_refuses_a_stream, .ends_with = EINVAL},
	{"mm_ipc_srv_release", "name", release_returns},
	{"mm_ipc_srv_release", "path", release_keeps_the_path},
	{"mm_ipc_srv_release", "adopted", release_returns_an_adopted_socket},
	{"mm_ipc_srv_fd", "first", fd_is_returned},
	{"mm_ipc_srv_accept2", "client", accept2_accepts},
	{"mm_ipc_srv_accept2", "at_once", accept2_accepts_at_once},
	{"mm_ipc_srv_accept2", "in_time", accept2_accepts_in_time},
	{"mm_ipc_srv_accept2", "path", accept2_accepts_at_a_path},
	{"mm_ipc_srv_accept2", "adopted", accept2_accepts_from_an_adopted_socket},
	{"mm_ipc_srv_accept2", "no_client", accept2_without_a_client, .ends_with = EAGAIN},
	{"mm_ipc_srv_accept2", "waits", accept2_waits_a_while, .ends_with = ETIMEDOUT},
	{"mm_ipc_srv_accept2", "adopted_waits", accept2_waits_for_an_adopted_socket, .ends_with = ETIMEDOUT},
	{"mm_ipc_connect2", "server", connect2_to_a_server},
	{"mm_ipc_connect2", "in_time", connect2_in_time},
	{"mm_ipc_connect2", "path", connect2_to_a_path},
	{"mm_ipc_connect2", "long_path", connect2_to_a_long_path},
	{"mm_ipc_connect2", "no_wait", connect2_without_waiting, .ends_with = ECONNREFUSED},
	{"mm_ipc_connect2", "no_wait_path", connect2_to_a_path_without_waiting, .ends_with = ECONNREFUSED},
	{"mm_ipc_connect2", "waits", connect2_waits_a_while, .ends_with = ETIMEDOUT},
	{"mm_ipc_connect2", "waits_path", connect2_waits_for_a_path, .ends_with = ETIMEDOUT},
	{"mm_ipc_connect2", "missing", connect2_without_a_directory, .ends_with = ENOENT},
	{"mm_ipc_connect2", "woken", connect2_is_woken},
	{"mm_ipc_connect2", "woken_path", connect2_is_woken_at_a_path, .leaves_names = true},
	{"mm_ipc_watch", "name", watch_of_a_name},
	{"mm_ipc_watch", "path", watch_of_a_path},
	{"mm_ipc_watch", "timer", watch_of_a_name_that_many_watch},
	{"mm_ipc_watch", "missing", watch_without_a_directory, .ends_with = ENOENT},
	{"mm_ipc_connected_pair2", "pair", pair2_is_connected},
	{"mm_ipc_get_peer", "pair", peer_is_told},
	{"mm_ipc_get_peer_pidfd", "pair", pidfd_is_returned, .may_lack = ENOPROTOOPT},
	{NULL},
};
