/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dbus.c: D-Bus without a daemon, through sd-bus: a signal with an array of bytes that is built and read in place
 */
#include "../transport.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

static sd_bus *bus;

static int open_socket(struct sockaddr_un *address, const char *name)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	strncpy(address->sun_path + 1, name, sizeof(address->sun_path) - 2);
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void start(int fd, int is_server)
{
	sd_id128_t id;

	must(sd_bus_new(&bus) >= 0, "sd_bus_new");
	must(sd_bus_set_fd(bus, fd, fd) >= 0, "sd_bus_set_fd");
	if (is_server) {
		must(sd_id128_randomize(&id) >= 0, "sd_id128_randomize");
		must(sd_bus_set_server(bus, 1, id) >= 0, "sd_bus_set_server");
	}
	must(sd_bus_start(bus) >= 0, "sd_bus_start");
}

static sd_bus_message *receive_one(const char **data, size_t *size)
{
	for (;;) {
		sd_bus_message *message = NULL;
		int status = sd_bus_process(bus, &message);

		must(status >= 0, "sd_bus_process");
		if (message != NULL && sd_bus_message_is_signal(message, "org.bench", "Data") > 0) {
			must(sd_bus_message_read_array(message, 'y', (const void **)data, size) > 0,
			     "sd_bus_message_read_array");
			return message;
		}
		sd_bus_message_unref(message);
		if (status == 0)
			must((status = sd_bus_wait(bus, UINT64_MAX)) >= 0 || status == -EINTR, "sd_bus_wait");
	}
}

static void send_one(char kind, size_t size)
{
	sd_bus_message *message;
	void *space;

	must(sd_bus_message_new_signal(bus, &message, "/", "org.bench", "Data") >= 0, "sd_bus_message_new_signal");
	must(sd_bus_message_append_array_space(message, 'y', size, &space) >= 0, "sd_bus_message_append_array_space");
	*(char *)space = kind;
	must(sd_bus_send(bus, message, NULL) >= 0, "sd_bus_send");
	/* Messages that do not fit into the socket are queued without a limit; this waits until they are sent. */
	must(sd_bus_flush(bus) >= 0, "sd_bus_flush");
	sd_bus_message_unref(message);
}

static void serve(const char *name, void (*ready)(void), enum verdict (*handle)(char kind, size_t size))
{
	struct sockaddr_un address;
	int fd, listener = open_socket(&address, name);
	enum verdict verdict;

	must(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0, "bind");
	must(listen(listener, 1) == 0, "listen");
	ready();
	must((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0, "accept4");
	start(fd, 1);
	do {
		const char *data;
		size_t size;
		sd_bus_message *message = receive_one(&data, &size);
		char kind = data[0];

		sd_bus_message_unref(message);
		if ((verdict = handle(kind, size)) == REPLY)
			send_one(kind, size);
	} while (verdict != LEAVE);
}

static void connect_to(const char *name)
{
	struct sockaddr_un address;
	int fd = open_socket(&address, name);

	must(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "connect");
	start(fd, 0);
}

static void receive(size_t size)
{
	const char *data;
	size_t received;

	sd_bus_message_unref(receive_one(&data, &received));
	must(received == size, "receiving a whole message");
}

const struct transport transport_dbus = {"D-Bus (sd-bus)", MOST_BYTES, serve, connect_to, send_one, receive};
