/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qb.c: libqb, over its ring buffers in shared memory; at its fast rate a server processes many requests per wakeup
 */
#include "../transport.h"

#include <errno.h>
#include <qb/qbipcc.h>
#include <qb/qbipcs.h>
#include <qb/qbloop.h>
#include <sched.h>
#include <string.h>
#include <sys/uio.h>

static char buffer[MOST_BYTES + sizeof(struct qb_ipc_response_header)];

/* A name without slashes. */
static const char *service_name(const char *address)
{
	static char name[128];

	strncpy(name, address, sizeof(name) - 1);
	for (char *slash = name; (slash = strchr(slash, '/')) != NULL;)
		*slash = '-';
	return name;
}

/* --- the server --------------------------------------------------------------------------------------------------- */

static qb_loop_t *loop;
static enum verdict (*handle_message)(char kind, size_t size);

static int32_t add_job(enum qb_loop_priority priority, void *data, qb_loop_job_dispatch_fn job)
{
	return qb_loop_job_add(loop, priority, data, job);
}

static int32_t add_dispatch(enum qb_loop_priority priority, int32_t fd, int32_t events, void *data,
                            qb_ipcs_dispatch_fn_t dispatch)
{
	return qb_loop_poll_add(loop, priority, fd, events, data, dispatch);
}

static int32_t modify_dispatch(enum qb_loop_priority priority, int32_t fd, int32_t events, void *data,
                               qb_ipcs_dispatch_fn_t dispatch)
{
	return qb_loop_poll_mod(loop, priority, fd, events, data, dispatch);
}

static int32_t delete_dispatch(int32_t fd)
{
	return qb_loop_poll_del(loop, fd);
}

static int32_t accept_client(qb_ipcs_connection_t *connection, uid_t uid, gid_t gid)
{
	(void)connection, (void)uid, (void)gid;
	return 0;
}

static int32_t process(qb_ipcs_connection_t *connection, void *data, size_t all)
{
	struct qb_ipc_request_header *request = data;
	size_t size = (size_t)request->size - sizeof(*request);
	enum verdict verdict = handle_message(((char *)data)[sizeof(*request)], size);

	(void)all;
	if (verdict == REPLY) {
		struct qb_ipc_response_header response = {.size = (int32_t)(sizeof(response) + size)};
		struct iovec parts[2] = {{&response, sizeof(response)}, {request + 1, size}};

		must(qb_ipcs_response_sendv(connection, parts, 2) == response.size, "qb_ipcs_response_sendv");
	} else if (verdict == LEAVE) {
		qb_loop_stop(loop);
	}
	return 0;
}

static void serve(const char *address, void (*ready)(void), enum verdict (*handle)(char kind, size_t size))
{
	struct qb_ipcs_service_handlers handlers = {.connection_accept = accept_client, .msg_process = process};
	struct qb_ipcs_poll_handlers poll = {.job_add = add_job,
	                                     .dispatch_add = add_dispatch,
	                                     .dispatch_mod = modify_dispatch,
	                                     .dispatch_del = delete_dispatch};
	qb_ipcs_service_t *service;

	handle_message = handle;
	loop = qb_loop_create();
	must((service = qb_ipcs_create(service_name(address), 0, QB_IPC_SHM, &handlers)) != NULL, "qb_ipcs_create");
	qb_ipcs_poll_handlers_set(service, &poll);
	qb_ipcs_request_rate_limit(service, QB_IPCS_RATE_FAST);
	must(qb_ipcs_run(service) == 0, "qb_ipcs_run");
	ready();
	qb_loop_run(loop);
	qb_ipcs_destroy(service);
}

/* --- the client --------------------------------------------------------------------------------------------------- */

static qb_ipcc_connection_t *connection;

static void connect_to(const char *address)
{
	must((connection = qb_ipcc_connect(service_name(address), RING_BYTES)) != NULL, "qb_ipcc_connect");
}

static void send_one(char kind, size_t size)
{
	struct qb_ipc_request_header request = {.id = QB_IPC_MSG_USER_START, .size = (int32_t)(sizeof(request) + size)};
	struct iovec parts[2] = {{&request, sizeof(request)}, {buffer, size}};
	ssize_t sent;

	buffer[0] = kind;
	/* libqb offers nothing to wait on while the ring is full. */
	while ((sent = qb_ipcc_sendv(connection, parts, 2)) == -EAGAIN)
		sched_yield();
	must(sent == request.size, "qb_ipcc_sendv");
}

static void receive(size_t size)
{
	ssize_t received = qb_ipcc_recv(connection, buffer, sizeof(buffer), -1);

	must(received == (ssize_t)(sizeof(struct qb_ipc_response_header) + size), "qb_ipcc_recv of a whole message");
}

const struct transport transport_qb = {"libqb (shared memory)", MOST_BYTES, serve, connect_to, send_one, receive};
