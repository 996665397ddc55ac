/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.c: clients and servers for which some system calls are denied
 *
 * A seccomp filter denies one call, or several. The library then uses an alternative, or omits the call; only what is
 * impossible fails. Filters cannot be removed, so every test uses child processes.
 */
#include "suite.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

/* A call to be denied; if this depends on its second argument, which bits of it must have which value. */
struct denied {
	const char *name;
	long number;
	unsigned mask;
	unsigned value;
};

static const struct denied datagram_sockets = {"datagram sockets", SYS_socket, 0xf, SOCK_DGRAM};
static const struct denied binding = {"bind", SYS_bind, 0, 0};
static const struct denied sending = {"sendto", SYS_sendto, 0, 0};
static const struct denied receiving = {"recvfrom", SYS_recvfrom, 0, 0};
static const struct denied setting = {"setsockopt", SYS_setsockopt, 0, 0};
static const struct denied asking = {"getsockopt", SYS_getsockopt, 0, 0};
static const struct denied advising = {"madvise", SYS_madvise, 0, 0};
static const struct denied shutting_down = {"shutdown", SYS_shutdown, 0, 0};
static const struct denied sleeping[] = {{"nanosleep", SYS_clock_nanosleep, 0, 0},
#ifdef SYS_nanosleep
                                         {"nanosleep", SYS_nanosleep, 0, 0}
#endif
};
static const struct denied polling[] = {{"poll", SYS_ppoll, 0, 0},
#ifdef SYS_poll
                                        {"poll", SYS_poll, 0, 0}
#endif
};

static void deny(const struct denied *call, int error)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call->number, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	                 offsetof(struct seccomp_data, args[1]) + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0)),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, call->mask),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call->value, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {MM_NELEM(filter), filter};

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/* The calls that are denied to a client or server. */
struct sandbox {
	const char *name;
	const struct denied *calls[4];
	const char *timeout;
};

static const struct sandbox client_sandboxes[] = {
	{"nothing", {NULL}, NULL},
	{"datagram sockets", {&datagram_sockets}, NULL},
	{"bind", {&binding}, NULL},
	{"recvfrom", {&receiving}, NULL},
	{"getsockopt", {&asking}, NULL},
	{"setsockopt", {&setting}, "60000"},
	{"poll", {&polling[0], &polling[MM_NELEM(polling) - 1]}, NULL},
	{"poll, with a timeout", {&polling[0], &polling[MM_NELEM(polling) - 1]}, "60000"},
	{"datagram sockets and nanosleep", {&datagram_sockets, &sleeping[0], &sleeping[MM_NELEM(sleeping) - 1]}, NULL},
	{"datagram sockets and poll", {&datagram_sockets, &polling[0], &polling[MM_NELEM(polling) - 1]}, "60000"},
	{"madvise", {&advising}, NULL},
	{"sendto", {&sending}, NULL},
};

static const struct sandbox server_sandboxes[] = {
	{"nothing", {NULL}, NULL},
	{"datagram sockets", {&datagram_sockets}, NULL},
	{"sendto", {&sending}, NULL},
	{"getsockopt", {&asking}, NULL},
	{"setsockopt", {&setting}, NULL},
	{"madvise", {&advising}, NULL},
	{"shutdown", {&shutting_down}, NULL},
	{"poll", {&polling[0], &polling[MM_NELEM(polling) - 1]}, NULL},
};

static const int errors[] = {EPERM, ENOSYS, EACCES};
static int error;
static const char *server_name;

static void enter(const struct sandbox *sandbox)
{
	if (sandbox->timeout != NULL)
		setenv("MMSYSIO_CONNECT_TIMEOUT_MS", sandbox->timeout, 1);
	for (size_t i = 0; i < MM_NELEM(sandbox->calls) && sandbox->calls[i] != NULL; i++)
		deny(sandbox->calls[i], error);
}

static int64_t processor_ms(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

static int wait_in_sandbox(void *sandbox)
{
	char byte;

	enter(sandbox);
	int64_t before = processor_ms();
	int fd = mm_ipc_connect(server_name);

	ck_assert_msg(fd >= 0, "without %s: %s", ((struct sandbox *)sandbox)->name, mm_get_lasterror_desc());
	/* It has waited for half a second, without busy waiting. */
	if (!is_instrumented())
		ck_assert_int_lt(processor_ms() - before, 100);
	ck_assert_int_eq(read(fd, &byte, 1), 1);
	ck_assert_int_eq(mm_close(fd), 0);
	return 0;
}

START_TEST(client_waits_without_the_denied_calls)
{
	pid_t children[MM_NELEM(client_sandboxes)];

	/* The tool would make these calls for its own purposes, here and below. */
	if (is_under_valgrind())
		return;
	for (size_t i = 0; i < MM_NELEM(errors); i++) {
		error = errors[i];
		server_name = unique_name();
		for (size_t k = 0; k < MM_NELEM(client_sandboxes); k++)
			children[k] = start_child(wait_in_sandbox, (void *)&client_sandboxes[k]);
		sleep_ms(500);
		struct mm_ipc_srv *srv = mm_ipc_srv_create(server_name);

		for (size_t k = 0; k < MM_NELEM(client_sandboxes); k++) {
			int fd = mm_ipc_srv_accept(srv);

			ck_assert_int_eq(write(fd, "x", 1), 1);
			close_all(1, &fd);
		}
		for (size_t k = 0; k < MM_NELEM(client_sandboxes); k++)
			assert_child_succeeds(children[k]);
		mm_ipc_srv_destroy(srv);
	}
}
END_TEST

static int connect_to_server(void *name)
{
	char byte;
	int fd = mm_ipc_connect(name);

	return fd >= 0 && mm_read(fd, &byte, 1) == 1 && mm_close(fd) == 0 ? 0 : 1;
}

static int serve_in_sandbox(void *sandbox)
{
	const char *what = ((struct sandbox *)sandbox)->name;

	enter(sandbox);
	struct mm_ipc_srv *srv = mm_ipc_srv_create(server_name);

	ck_assert_msg(srv != NULL, "without %s: %s", what, mm_get_lasterror_desc());
	for (int i = 0; i < 2; i++) {
		int fd = mm_ipc_srv_accept(srv);

		ck_assert_msg(fd >= 0, "without %s: %s", what, mm_get_lasterror_desc());
		ck_assert_int_eq(mm_write(fd, "x", 1), 1);
		ck_assert_int_eq(mm_close(fd), 0);
	}
	mm_ipc_srv_destroy(srv);
	srv = mm_ipc_srv_create(server_name);
	ck_assert_msg(srv != NULL, "without %s: %s", what, mm_get_lasterror_desc());
	mm_ipc_srv_destroy(srv);
	return 0;
}

START_TEST(server_works_without_the_denied_calls)
{
	if (is_under_valgrind())
		return;
	for (size_t i = 0; i < MM_NELEM(errors); i++) {
		error = errors[i];
		for (size_t k = 0; k < MM_NELEM(server_sandboxes); k++) {
			server_name = unique_name();
			pid_t waiting = start_child(connect_to_server, (void *)server_name);

			wait_until_asleep(waiting);
			pid_t server = start_child(serve_in_sandbox, (void *)&server_sandboxes[k]);

			assert_child_succeeds(start_child(connect_to_server, (void *)server_name));
			assert_child_succeeds(waiting);
			assert_child_succeeds(server);
		}
	}
}
END_TEST

static int be_interrupted_in_sandbox(void *sandbox)
{
	pthread_t interrupter = start_interrupting();

	enter(sandbox);
	assert_fails(mm_ipc_connect(server_name), EINTR);
	stop_interrupting(interrupter);
	return 0;
}

START_TEST(signal_handler_still_interrupts_the_wait)
{
	if (is_under_valgrind())
		return;
	error = EPERM;
	for (size_t k = 0; k < MM_NELEM(client_sandboxes); k++) {
		server_name = unique_name();
		assert_child_succeeds(start_child(be_interrupted_in_sandbox, (void *)&client_sandboxes[k]));
	}
}
END_TEST

SUITE(client_waits_without_the_denied_calls, server_works_without_the_denied_calls,
      signal_handler_still_interrupts_the_wait)
