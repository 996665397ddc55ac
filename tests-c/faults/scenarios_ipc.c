/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scenarios_ipc.c: the banner 'IPC'
 */
#include "scenario.h"
#include "slot_address.h"

#include <poll.h>
#include <time.h>

static struct mm_ipc_srv *server(void)
{
	struct mm_ipc_srv *server = mm_ipc_srv_create(ipc_name());

	require(server != NULL);
	return server;
}

static void make_pair(int fds[2])
{
	require(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == 0);
}

static void close_pair(const int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

/* --- servers and connections -------------------------------------------------------------------------------------- */

static void create_listens(void)
{
	struct mm_ipc_srv *created;

	if (TRY_POINTER(created, mm_ipc_srv_create(ipc_name())))
		mm_ipc_srv_destroy(created);
}

static void create_wakes_a_client(void)
{
	struct sockaddr_un slot = slot_address(ipc_name(), 0);
	int client = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	require(bind(client, (struct sockaddr *)&slot, sizeof(slot)) == 0);
	create_listens();
	close(client);
}

static void destroy_destroys(void)
{
	struct mm_ipc_srv *created = server();

	TRY_VOID(mm_ipc_srv_destroy(created));
}

static void accept_accepts(void)
{
	struct mm_ipc_srv *created = server();
	int client = mm_ipc_connect(ipc_name()), fd;

	require(client >= 0);
	if (TRY(fd, mm_ipc_srv_accept(created)))
		close(fd);
	close(client);
	mm_ipc_srv_destroy(created);
}

static void connect_to_a_server(void)
{
	struct mm_ipc_srv *created = server();
	int fd;

	if (TRY(fd, mm_ipc_connect(ipc_name())))
		close(fd);
	mm_ipc_srv_destroy(created);
}

static void connect_for(const char *milliseconds)
{
	int fd;

	require(setenv("MMSYSIO_CONNECT_TIMEOUT_MS", milliseconds, 1) == 0);
	TRY(fd, mm_ipc_connect(ipc_name()));
}

static void connect_without_waiting(void)
{
	connect_for("0");
}

static void connect_waits_a_while(void)
{
	connect_for("30");
}

static void connect_waits_attached_to_another_client(void)
{
	int slots[FRONT_SLOTS], anchors[FRONT_SLOTS];

	for (unsigned i = 0; i < FRONT_SLOTS; i++) {
		struct sockaddr_un address = slot_address(ipc_name(), i);

		slots[i] = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		anchors[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		require(bind(slots[i], (struct sockaddr *)&address, sizeof(address)) == 0 &&
		        bind(anchors[i], (struct sockaddr *)&address, sizeof(address)) == 0 &&
		        listen(anchors[i], 8) == 0);
	}
	connect_for("30");
	for (unsigned i = 0; i < FRONT_SLOTS; i++) {
		close(slots[i]);
		close(anchors[i]);
	}
}

static void connect_is_woken(void)
{
	int fd, gate[2];
	pid_t pid;

	require(pipe(gate) == 0);
	pid = fork();
	require(pid != -1);
	if (pid == 0) {
		char byte;

		nanosleep(&(struct timespec){.tv_nsec = 15000000}, NULL);
		struct mm_ipc_srv *created = server();
		close(gate[1]);
		if (read(gate[0], &byte, 1) == 0)
			mm_ipc_srv_destroy(created);
		_exit(0);
	}
	if (TRY(fd, mm_ipc_connect(ipc_name())))
		close(fd);
	close_pair(gate);
	require(waitpid(pid, NULL, 0) == pid);
}

static void pair_is_connected(void)
{
	int fds[2], result;

	if (TRY(result, mm_ipc_connected_pair(fds)))
		close_pair(fds);
}

/* --- messages ----------------------------------------------------------------------------------------------------- */

static char text[16] = "fifteen letters";
static struct iovec text_buffer = {.iov_base = text, .iov_len = sizeof(text)};

static void send_with(int *fds, int num_fds)
{
	struct mm_ipc_msg message = {.iov = &text_buffer, .num_iov = 1, .fds = fds, .num_fds = num_fds};
	char received[32];
	ssize_t size;
	int pair[2];

	make_pair(pair);
	if (TRY(size, mm_ipc_sendmsg(pair[0], &message)))
		require(recv(pair[1], received, sizeof(received), MSG_DONTWAIT) == size);
	else
		require(recv(pair[1], received, sizeof(received), MSG_DONTWAIT) == -1);
	close_pair(pair);
}

static void send_data(void)
{
	send_with(NULL, 0);
}

static void send_descriptors(void)
{
	send_with((int[]){0, 1}, 2);
}

static ssize_t receive(int fd, int num_fds_max)
{
	int fds[4] = {-1, -1, -1, -1};
	struct mm_ipc_msg message = {.iov = &text_buffer, .num_iov = 1, .fds = fds, .num_fds_max = num_fds_max};
	ssize_t size;

	if (TRY(size, mm_ipc_recvmsg(fd, &message)))
		for (int i = 0; i < message.num_fds; i++)
			require(close(fds[i]) == 0);
	return size;
}

static void receive_data(void)
{
	int pair[2];

	make_pair(pair);
	require(send(pair[1], text, sizeof(text), 0) == sizeof(text));
	receive(pair[0], 0);
	close_pair(pair);
}

static void receive_descriptors(void)
{
	struct mm_ipc_msg message = {.iov = &text_buffer, .num_iov = 1, .fds = (int[]){0, 1}, .num_fds = 2};
	int pair[2];

	make_pair(pair);
	require(mm_ipc_sendmsg(pair[1], &message) == sizeof(text));
	receive(pair[0], 4);
	close_pair(pair);
}

static void receive_an_empty_datagram(void)
{
	int pair[2];

	make_pair(pair);
	require(send(pair[1], NULL, 0, 0) == 0);
	receive(pair[0], 0);
	close_pair(pair);
}

static void receive_the_end(void)
{
	int pair[2];

	make_pair(pair);
	close(pair[1]);
	receive(pair[0], 0);
	close(pair[0]);
}

/* The kernel reports ECONNRESET before the message. */
static void receive_after_a_reset(void)
{
	int pair[2];

	make_pair(pair);
	require(send(pair[0], text, 1, 0) == 1);
	require(send(pair[1], text, sizeof(text), 0) == sizeof(text));
	close(pair[1]);
	receive(pair[0], 0);
	close(pair[0]);
}

const struct scenario ipc_scenarios[] = {
	{"mm_ipc_srv_create", "listens", create_listens},
	{"mm_ipc_srv_create", "wakes", create_wakes_a_client},
	{"mm_ipc_srv_destroy", "server", destroy_destroys},
	{"mm_ipc_srv_accept", "client", accept_accepts},
	{"mm_ipc_connect", "server", connect_to_a_server},
	{"mm_ipc_connect", "no_wait", connect_without_waiting, .ends_with = ECONNREFUSED},
	{"mm_ipc_connect", "waits", connect_waits_a_while, .ends_with = ETIMEDOUT},
	{"mm_ipc_connect", "waits_attached", connect_waits_attached_to_another_client, .ends_with = ETIMEDOUT},
	{"mm_ipc_connect", "woken", connect_is_woken},
	{"mm_ipc_connected_pair", "pair", pair_is_connected},
	{"mm_ipc_sendmsg", "data", send_data},
	{"mm_ipc_sendmsg", "descriptors", send_descriptors},
	{"mm_ipc_recvmsg", "data", receive_data},
	{"mm_ipc_recvmsg", "descriptors", receive_descriptors},
	{"mm_ipc_recvmsg", "empty", receive_an_empty_datagram},
	{"mm_ipc_recvmsg", "end", receive_the_end, .ends_with = EPIPE},
	{"mm_ipc_recvmsg", "reset", receive_after_a_reset},
	{NULL},
};
