/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.c: serves one client.c, then exits
 *
 * The server receives a datagram with a file descriptor, counts the lines of the file, and sends the number back. It
 * needs no permission to open the file by name.
 */
#include <mmerrno.h>
#include <mmsysio.h>
#include <stdio.h>

#define ADDRESS "mmsysio-demo"

/* The number of lines of a file, or -1 if it cannot be read. */
static long count_lines(int fd)
{
	char buffer[4096];
	ssize_t size;
	long lines = 0;

	while ((size = mm_read(fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t i = 0; i < size; i++)
			lines += buffer[i] == '\n';
	return size == 0 ? lines : -1;
}

static int serve(int connection)
{
	char question[256], answer[512];
	int file = -1, result = -1;
	struct iovec iov = {question, sizeof(question) - 1};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1, .fds = &file, .num_fds_max = 1};
	ssize_t size = mm_ipc_recvmsg(connection, &msg);

	if (size < 0)
		return -1;
	question[size] = '\0';
	printf("server: received \"%s\" and %d file descriptor\n", question, msg.num_fds);
	if (msg.num_fds == 1) {
		int length = snprintf(answer, sizeof(answer), "it has %ld lines", count_lines(file));

		iov = (struct iovec){answer, (size_t)length};
		msg = (struct mm_ipc_msg){.iov = &iov, .num_iov = 1};
		result = mm_ipc_sendmsg(connection, &msg) == length ? 0 : -1;
		printf("server: answered \"%s\"\n", answer);
	}
	mm_close(file);
	return result;
}

int main(void)
{
	struct mm_ipc_srv *srv = mm_ipc_srv_create(ADDRESS);
	int connection, result;

	if (srv == NULL)
		return 1;
	printf("server: listening on \"%s\"\n", ADDRESS);
	connection = mm_ipc_srv_accept(srv);
	result = connection >= 0 ? serve(connection) : -1;
	mm_close(connection);
	mm_ipc_srv_destroy(srv);
	if (result != 0)
		mm_print_lasterror("server: failed");
	return result == 0 ? 0 : 1;
}
