/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.c: asks server.c for the number of lines of a file
 *
 * usage: client FILE
 *
 * The client may be started before the server: mm_ipc_connect() waits for it. The question is gathered from two
 * buffers, and the file descriptor of the open file is sent with it.
 */
#include <mmerrno.h>
#include <mmsysio.h>
#include <stdio.h>
#include <string.h>

#define ADDRESS "mmsysio-demo"

static int ask(int connection, const char *path, int file)
{
	static char question[] = "how many lines are in ";
	char answer[512];
	struct iovec out[2] = {{question, strlen(question)}, {(char *)path, strlen(path)}};
	struct iovec in = {answer, sizeof(answer) - 1};
	struct mm_ipc_msg msg = {.iov = out, .num_iov = 2, .fds = &file, .num_fds = 1};
	ssize_t size;

	if (mm_ipc_sendmsg(connection, &msg) < 0)
		return -1;
	msg = (struct mm_ipc_msg){.iov = &in, .num_iov = 1};
	size = mm_ipc_recvmsg(connection, &msg);
	if (size < 0)
		return -1;
	answer[size] = '\0';
	printf("client: asked about %s, received \"%s\"\n", path, answer);
	return 0;
}

int main(int argc, char *argv[])
{
	int connection, file, result;

	if (argc != 2) {
		fprintf(stderr, "usage: %s FILE\n", argv[0]);
		return 2;
	}
	file = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (file == -1) {
		perror(argv[1]);
		return 1;
	}
	printf("client: connecting, and waiting for the server if necessary\n");
	fflush(stdout);
	connection = mm_ipc_connect(ADDRESS);
	result = connection >= 0 ? ask(connection, argv[1], file) : -1;
	mm_close(connection);
	mm_close(file);
	if (result != 0)
		mm_print_lasterror("client: failed");
	return result == 0 ? 0 : 1;
}
