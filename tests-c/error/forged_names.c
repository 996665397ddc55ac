/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forged_names.c: names that would forge a log line, or act as a printf() format
 */
#include "suite.h"

#include <fcntl.h>

/* A second line, terminal control sequences in 7 bits, 8 bits and UTF-8, right-to-left text, printf() conversions. */
#define FORGED "x\nFATAL\r\t\x1b[2J\x9b\xc2\x9b\xe2\x80\xae%n%s%99999d\x7f"
#define MISSING "/dev/null/" FORGED

static void connect_to_forged(void)
{
	setenv("MMSYSIO_CONNECT_TIMEOUT_MS", "0", 1);
	mm_ipc_connect(FORGED);
}

/* The process does not read the timeout from the environment again. */
static void connect_with_forged_timeout(void)
{
	struct mm_ipc_srv *srv = mm_ipc_srv_create("mmsysio-test-timeout");

	setenv("MMSYSIO_CONNECT_TIMEOUT_MS", FORGED, 1);
	mm_close(mm_ipc_connect("mmsysio-test-timeout"));
	mm_ipc_srv_destroy(srv);
}

static void create_forged_twice(void)
{
	struct mm_ipc_srv *srv = mm_ipc_srv_create(FORGED);

	ck_assert_ptr_null(mm_ipc_srv_create(FORGED));
	mm_ipc_srv_destroy(srv);
}

static char too_long[300];

static void create_too_long(void)
{
	mm_ipc_srv_create(too_long);
}

static void connect_too_long(void)
{
	mm_ipc_connect(too_long);
}

static void call_spawn(void)
{
	mm_spawn(NULL, MISSING, 0, NULL, 0, NULL, NULL);
}

static void call_spawn_daemon(void)
{
	mm_spawn(NULL, MISSING, 0, NULL, MM_SPAWN_DAEMONIZE, NULL, NULL);
}

static void call_spawn_searched(void)
{
	mm_spawn(NULL, FORGED, 0, NULL, 0, NULL, NULL);
}

static void call_execv(void)
{
	mm_execv(MISSING, 0, NULL, MM_SPAWN_KEEP_FDS, NULL, NULL);
}

static void call_open(void)
{
	mm_open(MISSING, O_RDONLY, 0);
}

static void call_rename(void)
{
	mm_rename(MISSING, "y");
}

static void call_rename_to(void)
{
	mm_rename("/dev/null", MISSING);
}

static void call_stat(void)
{
	struct mm_stat status;

	mm_stat(MISSING, &status, 0);
}

static void call_utimens(void)
{
	mm_utimens(MISSING, NULL, 0);
}

static void call_check_access(void)
{
	mm_check_access(MISSING, 0x100);
}

static void call_unlink(void)
{
	mm_unlink(MISSING);
}

static void call_link(void)
{
	mm_link(MISSING, "y");
}

static void call_symlink(void)
{
	mm_symlink("\n" FORGED, MISSING);
}

static void call_readlink(void)
{
	char text[8];

	mm_readlink(MISSING, text, sizeof(text));
}

static void call_copy(void)
{
	mm_copy(MISSING, "y", 0, 0600);
}

static void call_copy_to(void)
{
	mm_copy(SOURCE_DIR "/Makefile", MISSING, 0, 0600);
}

static void call_mkdir(void)
{
	mm_mkdir(MISSING, 0700, 0);
}

static void call_mkdir_recursive(void)
{
	mm_mkdir(MISSING, 0700, MM_RECURSIVE);
}

static void call_chdir(void)
{
	mm_chdir(MISSING);
}

static void call_rmdir(void)
{
	mm_rmdir(MISSING);
}

static void call_remove(void)
{
	mm_remove(MISSING, MM_DT_ANY | MM_RECURSIVE);
}

static void call_opendir(void)
{
	mm_opendir(MISSING);
}

static void call_shm_open(void)
{
	mm_shm_open(MISSING, O_RDONLY, 0);
}

static void call_shm_unlink(void)
{
	mm_shm_unlink(MISSING);
}

static void call_create_sockclient(void)
{
	mm_create_sockclient(FORGED);
}

static void call_create_sockclient_host(void)
{
	mm_create_sockclient("tcp://" FORGED);
}

static void call_getaddrinfo(void)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST}, *list;

	mm_getaddrinfo(FORGED, FORGED, &hints, &list);
}

struct logged {
	void (*call)(void);
	const char *what;
};

static int call_alone(void *arg)
{
	const struct logged *logged = arg;
	int output[2];
	char text[1024];
	ssize_t size;

	ck_assert_int_eq(pipe2(output, O_NONBLOCK), 0);
	ck_assert_int_eq(dup2(output[1], STDERR_FILENO), STDERR_FILENO);
	mm_log_set_maxlvl(MM_LOG_DEBUG);
	logged->call();
	size = read(output[0], text, sizeof(text) - 1);
	ck_assert_msg(size > 0, "%s logs nothing", logged->what);
	text[size] = '\0';
	ck_assert_msg(strchr(text, '\n') == text + size - 1, "%s: not one line: %s", logged->what, text);
	for (ssize_t i = 0; i < size - 1; i++)
		ck_assert_msg(text[i] >= ' ' && text[i] <= '~', "%s: byte %#x in %s", logged->what, text[i] & 0xff,
		              text);
	ck_assert_msg(strstr(text, "\"x\\nFATAL") != NULL || strstr(text, "/x\\nFATAL") != NULL, "%s: %s", logged->what,
	              text);
	/* Text that does not fit is truncated. */
	ck_assert_msg(strstr(text, "%n%s%99999d") != NULL || size == 256, "%s: %s", logged->what, text);
	return 0;
}

#define LOGGED(call)        \
	{                   \
		call, #call \
	}

START_TEST(no_name_forges_a_log_line_or_acts_as_a_format)
{
	struct logged all[] = {
		LOGGED(connect_to_forged),
		LOGGED(connect_with_forged_timeout),
		LOGGED(create_forged_twice),
		LOGGED(create_too_long),
		LOGGED(connect_too_long),
		LOGGED(call_spawn),
		LOGGED(call_spawn_daemon),
		LOGGED(call_spawn_searched),
		LOGGED(call_execv),
		LOGGED(call_open),
		LOGGED(call_rename),
		LOGGED(call_rename_to),
		LOGGED(call_stat),
		LOGGED(call_utimens),
		LOGGED(call_check_access),
		LOGGED(call_unlink),
		LOGGED(call_link),
		LOGGED(call_symlink),
		LOGGED(call_readlink),
		LOGGED(call_copy),
		LOGGED(call_copy_to),
		LOGGED(call_mkdir),
		LOGGED(call_mkdir_recursive),
		LOGGED(call_chdir),
		LOGGED(call_rmdir),
		LOGGED(call_remove),
		LOGGED(call_opendir),
		LOGGED(call_shm_open),
		LOGGED(call_shm_unlink),
		LOGGED(call_create_sockclient),
		LOGGED(call_create_sockclient_host),
		LOGGED(call_getaddrinfo),
	};

	memset(too_long, 'n', sizeof(too_long) - 1);
	memcpy(too_long, FORGED, strlen(FORGED));
	for (size_t i = 0; i < MM_NELEM(all); i++)
		assert_child_succeeds(start_child(call_alone, &all[i]));
}
END_TEST

SUITE(no_name_forges_a_log_line_or_acts_as_a_format)
