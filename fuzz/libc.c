/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libc.c: the C library's functions as the library under test calls them
 *
 * The address sanitizer intercepts these functions and accesses their memory arguments itself, so that arguments that
 * are expected to give EFAULT, or are too long, would crash. The library is linked to these functions instead, under
 * the names given in fuzz.mk. They call the C library's functions directly.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void *find(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (function == NULL) {
		fprintf(stderr, "fuzz: the C library has no %s\n", name);
		abort();
	}
	return function;
}

#define OWN(type, name, parameters, arguments)     \
	type libc_##name parameters;               \
	type libc_##name parameters                \
	{                                          \
		static type(*function) parameters; \
		if (function == NULL)              \
			function = find(#name);    \
		return function arguments;         \
	}

OWN(int, accept, (int fd, struct sockaddr *address, socklen_t *size), (fd, address, size))
OWN(int, clock_getres, (clockid_t clock, struct timespec *time), (clock, time))
OWN(int, clock_gettime, (clockid_t clock, struct timespec *time), (clock, time))
OWN(int, getpeername, (int fd, struct sockaddr *address, socklen_t *size), (fd, address, size))
OWN(int, getsockname, (int fd, struct sockaddr *address, socklen_t *size), (fd, address, size))
OWN(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *size), (fd, level, name, value, size))
OWN(int, lstat, (const char *path, struct stat *status), (path, status))
OWN(DIR *, opendir, (const char *path), (path))
OWN(int, poll, (struct pollfd * fds, nfds_t count, int timeout), (fds, count, timeout))
OWN(ssize_t, read, (int fd, void *memory, size_t size), (fd, memory, size))
OWN(ssize_t, readlink, (const char *path, char *memory, size_t size), (path, memory, size))
OWN(char *, realpath, (const char *path, char *memory), (path, memory))
OWN(ssize_t, recv, (int fd, void *memory, size_t size, int flags), (fd, memory, size, flags))
OWN(int, recvmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout),
    (fd, messages, count, flags, timeout))
OWN(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))
OWN(ssize_t, send, (int fd, const void *memory, size_t size, int flags), (fd, memory, size, flags))
OWN(int, sendmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags), (fd, messages, count, flags))
OWN(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
OWN(ssize_t, sendto,
    (int fd, const void *memory, size_t size, int flags, const struct sockaddr *address, socklen_t length),
    (fd, memory, size, flags, address, length))
OWN(int, stat, (const char *path, struct stat *status), (path, status))
OWN(ssize_t, write, (int fd, const void *memory, size_t size), (fd, memory, size))
