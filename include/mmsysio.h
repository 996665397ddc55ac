/*
 * mmsysio.h: one portable face to the operating system
 *
 * Generated from the sources of libmmsysio by `make header`: change it there.
 *
 * Unless a function says otherwise: a failing call describes its failure in the error state of the calling thread (see
 * mmerrno.h) and sets errno to the same number; a successful call touches neither the error state nor, beyond what the C
 * library does, errno. Pointers that are NULL or cannot be used by the kernel give an error. Nothing is retried when a
 * signal handler interrupts it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef MMSYSIO_H
#define MMSYSIO_H

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mmpredefs.h"
#include "mmtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * File manipulation
 */

/**
 * mm_close() - close a descriptor
 * @fd:         descriptor to close; -1 does nothing, successfully
 *
 * Return: 0; or -1, with the error state set to
 *   EBADF            @fd is not open
 *   EIO              data written earlier could not be stored
 *   ENOSPC, EDQUOT   the same, for want of space
 * Except after EBADF the descriptor is closed even if -1 is returned: do not try again.
 *
 * MT-Safe. Cancellation point.
 *
 * Differs from mmlib: a signal that arrives meanwhile does not make it fail with EINTR, since the descriptor is
 * closed by then.
 */
MMLIB_API int mm_close(int fd);

/**
 * mm_read() - read from a descriptor
 * @fd:         descriptor of a file, a pipe, a socket...
 * @buf:        receives the data
 * @nbyte:      size of @buf in bytes
 *
 * One read(): fewer bytes than asked for are no error. From an IPC endpoint it receives one message, of which it
 * discards what does not fit into @buf, and closes the descriptors: use mm_ipc_recvmsg() to get these.
 *
 * Return: the number of bytes read, 0 at the end of the file or stream; or -1, with the error state set to
 *   EBADF            @fd is not open for reading
 *   EISDIR           @fd is a directory
 *   EFAULT           @buf cannot be written
 *   EINVAL           @fd cannot be read
 *   EINTR            a signal handler was called before data came
 *   EAGAIN           there is no data, and @fd is non-blocking or its SO_RCVTIMEO ran out
 *   ECONNRESET       the peer of the socket has closed the connection without reading all that was sent
 *   EIO              the device failed
 *
 * MT-Safe. Cancellation point.
 */
MMLIB_API ssize_t mm_read(int fd, void *buf, size_t nbyte);

/**
 * mm_write() - write to a descriptor
 * @fd:         descriptor of a file, a pipe, a socket...
 * @buf:        data to write
 * @nbyte:      size of the data in bytes
 *
 * One write(): fewer bytes may be written than asked for. To an IPC endpoint it sends one message.
 *
 * Return: the number of bytes written; or -1, with the error state set to
 *   EBADF            @fd is not open for writing
 *   EFAULT           @buf cannot be read
 *   EPIPE            nobody can read any more; except from an IPC endpoint, SIGPIPE comes first
 *   EINTR            a signal handler was called before data was written
 *   EAGAIN           there is no room, and @fd is non-blocking or its SO_SNDTIMEO ran out
 *   EMSGSIZE         the message is too large for the socket
 *   ENOSPC, EDQUOT, EFBIG the file cannot grow
 *   ECONNRESET       the peer of the socket has closed the connection without reading all that was sent
 *   EIO              the device failed
 *
 * MT-Safe. Cancellation point.
 */
MMLIB_API ssize_t mm_write(int fd, const void *buf, size_t nbyte);

/*
 * IPC
 */

/** An IPC server: see mm_ipc_srv_create(). */
struct mm_ipc_srv;

/** A message, to be sent by mm_ipc_sendmsg() or received by mm_ipc_recvmsg(). */
struct mm_ipc_msg {
	/** Segments of the data: gathered when sending, filled one after the other when receiving. */
	struct iovec *iov;
	/** Descriptors: to be duplicated for the peer, or room for those received. */
	int *fds;
	/** Number of elements of iov: 0 to 1024. */
	int num_iov;
	/** Number of descriptors: to send, 0 to 253; set by every successful receive. */
	int num_fds;
	/**
	 * Ignored when sending. Set by every successful receive: MSG_TRUNC if data was cut, MSG_CTRUNC
	 * if descriptors were dropped, or both, else 0.
	 */
	int flags;
	/** Number of descriptors that fit in fds. Used only when receiving. */
	int num_fds_max;
	/** Neither read nor written. */
	void *reserved;
};

/**
 * mm_ipc_srv_create() - create an IPC server
 * @addr:       name to listen to: any bytes, at most 107
 *
 * Clients of the same network namespace can connect from now on with mm_ipc_connect(@addr), whichever user runs
 * them: the name is an abstract socket address, which has neither a file nor permissions. Connections wait to be
 * accepted, up to 4097 of them, or net.core.somaxconn + 1 if that is lower.
 *
 * Return: the server, to be released with mm_ipc_srv_destroy(); or NULL, with the error state set to
 *   EADDRINUSE       another server, of any process, listens to @addr
 *   ENAMETOOLONG     @addr has more than 107 bytes
 *   EINVAL           @addr is NULL
 *   EMFILE           the process has too many open descriptors
 *   ENFILE           the system has too many open files
 *   ENOBUFS, ENOMEM  not enough memory
 *   EACCES, EPERM    a security policy forbids it
 *
 * MT-Safe. Not async-signal-safe. The listening descriptor is hidden, and close-on-exec.
 *
 * Differs from mmlib: the listening descriptor is not inherited by executed programs, more than 6 connections
 * may wait, and NULL does not crash.
 */
MMLIB_API struct mm_ipc_srv *mm_ipc_srv_create(const char *addr);

/**
 * mm_ipc_srv_destroy() - destroy an IPC server
 * @srv:        server to destroy; NULL does nothing
 *
 * The name can be listened to again as soon as this returns, or, if threads are inside mm_ipc_srv_accept(), as soon
 * as these have returned: they fail with ECANCELED. Connections that were not accepted are dropped: their clients
 * get ECONNRESET. Accepted connections live on until they are closed.
 *
 * After a fork() both processes have the server. If one that did not create it destroys it, it only gives up its
 * own share, unless one of its threads is inside mm_ipc_srv_accept(): then the server stops for all.
 *
 * MT-Safe: another thread may be inside mm_ipc_srv_accept(@srv), but none may use @srv afterwards. Not
 * async-signal-safe. errno and the error state are not changed.
 *
 * Differs from mmlib: threads inside mm_ipc_srv_accept() are released, and clients are refused at once, even if
 * the listening descriptor was inherited by other processes.
 */
MMLIB_API void mm_ipc_srv_destroy(struct mm_ipc_srv *srv);

/**
 * mm_ipc_srv_accept() - accept an incoming connection
 * @srv:        IPC server
 *
 * Takes the first of the pending connections, and waits for one if there is none.
 *
 * Return: the descriptor of the connection, the lowest number available, to be closed with mm_close(); or -1, with
 * the error state set to
 *   ECANCELED        the server was destroyed meanwhile
 *   EINTR            a signal handler was called meanwhile
 *   EINVAL           @srv is NULL
 *   EMFILE           the process has too many open descriptors; the connection stays pending
 *   ENFILE           the system has too many open files; the connection stays pending
 *   ENOBUFS, ENOMEM  not enough memory
 *   ECONNABORTED     the connection was given up meanwhile
 *   EPERM            a security policy forbids it
 *
 * MT-Safe: several threads may accept from one server. Cancellation point. Not async-signal-safe. The descriptor is
 * inherited by executed programs, and blocking.
 *
 * Differs from mmlib: mm_ipc_srv_destroy() releases it, and NULL does not crash.
 */
MMLIB_API int mm_ipc_srv_accept(struct mm_ipc_srv *srv);

/**
 * mm_ipc_connect() - connect to an IPC server
 * @addr:       name that the server listens to: any bytes, at most 107
 *
 * If no server listens to @addr, waits until one does, without using the processor: a server of this library tells
 * its waiting clients, and for one of mmlib they look four times a second. The environment variable
 * MMSYSIO_CONNECT_TIMEOUT_MS, read when a process calls this for the first time, bounds the wait in milliseconds; with
 * 0 there is none. A program with the set-user-ID or set-group-ID bit does not look at it.
 *
 * The connection can be used at once, also before the server accepts it. Any process may listen to a name: ask
 * the connection for SO_PEERCRED to know whose server it is.
 *
 * Return: the descriptor of the connection, the lowest number available, to be closed with mm_close(); or -1, with
 * the error state set to
 *   ETIMEDOUT        no server listened, or none accepted connections, in the time of MMSYSIO_CONNECT_TIMEOUT_MS
 *   ECONNREFUSED     no server listens, and MMSYSIO_CONNECT_TIMEOUT_MS is 0
 *   ENAMETOOLONG     @addr has more than 107 bytes
 *   EINTR            a signal handler was called meanwhile
 *   EINVAL           @addr is NULL
 *   EMFILE           the process has too many open descriptors
 *   ENFILE           the system has too many open files
 *   ENOBUFS, ENOMEM  not enough memory
 *   EACCES, EPERM    a security policy forbids it
 *
 * MT-Safe. Cancellation point; a thread that is cancelled here may leave the socket being connected open. Not
 * async-signal-safe. The descriptor is inherited by executed programs, and blocking.
 *
 * Differs from mmlib: it waits for a server, as was always documented, instead of failing with ECONNREFUSED; a name
 * that is too long is refused, not cut; and NULL does not crash.
 */
MMLIB_API int mm_ipc_connect(const char *addr);

/**
 * mm_ipc_connected_pair() - create two connected IPC endpoints
 * @fds:        receives the two descriptors, the lowest numbers available
 *
 * What is sent through one is received from the other, both ways.
 *
 * Return: 0, with both descriptors to be closed with mm_close(); or -1, with the error state set to
 *   EFAULT           @fds cannot be written, NULL included
 *   EMFILE           the process has too many open descriptors
 *   ENFILE           the system has too many open files
 *   ENOBUFS, ENOMEM  not enough memory
 *
 * MT-Safe. Not async-signal-safe. The descriptors are inherited by executed programs, and blocking. After a
 * failure @fds is unspecified.
 */
MMLIB_API int mm_ipc_connected_pair(int fds[2]);

/**
 * mm_ipc_sendmsg() - send a message through an IPC endpoint
 * @fd:         descriptor of the endpoint
 * @msg:        message: the data in @msg->iov, the descriptors in @msg->fds
 *
 * The data is one datagram: it is sent whole or not at all, and received alone. It may be empty. If the endpoint
 * has no room for it, waits for some. The descriptors are duplicated for the receiver; the caller keeps its own,
 * and may close them as soon as this returns. @msg is not modified.
 *
 * Return: the number of bytes sent; or -1 with nothing sent and the error state set to
 *   EPIPE            the peer has closed the connection (never with a signal)
 *   ECONNRESET       the peer has closed the connection without reading all that was sent
 *   EMSGSIZE         the datagram is larger than SO_SNDBUF - 32 bytes (212960 by default), or @msg->num_iov is
 *                    negative or above 1024
 *   EINVAL           @msg is NULL; @msg->num_fds is negative or above 253, or positive with @msg->fds NULL
 *   EBADF            @fd, or one of @msg->fds, is not open
 *   ENOTSOCK         @fd is not a socket
 *   ENOTCONN         @fd is not connected
 *   EFAULT           the data cannot be read
 *   EINTR            a signal handler was called before there was room
 *   EAGAIN           there is no room, and the endpoint is non-blocking or its SO_SNDTIMEO ran out
 *   ETOOMANYREFS     more descriptors of the user are under way than RLIMIT_NOFILE allows
 *   EPERM            the receiver refuses descriptors
 *   ENOBUFS, ENOMEM  not enough memory
 *
 * A sender that waits for room goes on only when its peer has read about three quarters of what is queued.
 *
 * MT-Safe. Cancellation point. Not async-signal-safe, but it only calls send() or sendmsg() if it succeeds.
 *
 * Differs from mmlib: a number of descriptors out of range and NULL give an error instead of a crash; no SIGPIPE
 * is raised on a stream socket either.
 */
MMLIB_API ssize_t mm_ipc_sendmsg(int fd, const struct mm_ipc_msg *msg);

/**
 * mm_ipc_recvmsg() - receive a message from an IPC endpoint
 * @fd:         descriptor of the endpoint
 * @msg:        message: room for the data in @msg->iov, for the descriptors in @msg->fds
 *
 * Receives one datagram, and waits for one if there is none. Data beyond the room in @msg->iov is discarded, and
 * MSG_TRUNC set in @msg->flags. Descriptors beyond @msg->num_fds_max are closed, and MSG_CTRUNC is set; so it is
 * if the process has no number free for them. At most 253 come with a message; a negative @msg->num_fds_max means 0.
 *
 * @msg->num_fds and @msg->flags are written by every success, and by no failure. The descriptors received are the
 * caller's, to be closed with mm_close(), and are not inherited by executed programs.
 *
 * Return: the number of bytes stored, 0 for an empty datagram (which may bring descriptors); or -1, with the error
 * state set to
 *   EPIPE            the peer has closed the connection, and everything that it sent was received
 *   ECONNRESET       the same, and the peer had not read all that was sent to it, or never accepted the connection
 *   EINVAL           @msg is NULL; or @msg->num_fds_max is positive and @msg->fds NULL
 *   EMSGSIZE         @msg->num_iov is negative or above 1024
 *   EBADF            @fd is not open
 *   ENOTSOCK         @fd is not a socket
 *   ENOTCONN         @fd is not connected
 *   EFAULT           the data cannot be stored; the message is lost
 *   EINTR            a signal handler was called before a message came
 *   EAGAIN           no message is there, and the endpoint is non-blocking or its SO_RCVTIMEO ran out
 *   ENOMEM           not enough memory
 *
 * An empty datagram that was sent just before the peer closed the connection reads as its end, unless it brings
 * descriptors.
 *
 * MT-Safe: several threads may receive from one endpoint, each message reaches one of them. Cancellation point. Not
 * async-signal-safe, but it only calls recvmsg() if it receives data.
 *
 * Differs from mmlib: an empty datagram is a message, and the end of the stream gives EPIPE instead of a stale
 * number; @msg->num_fds is always written; no descriptor is lost if credentials come along (SO_PASSCRED) or
 * the datagram is empty; data that the peer sent before it closed the connection is received even if it had not
 * read ours; a number out of range and NULL do not crash.
 */
MMLIB_API ssize_t mm_ipc_recvmsg(int fd, struct mm_ipc_msg *msg);

/*
 * Network communication
 */

/* An element of mm_poll()'s array: the system's own. */
#define mm_pollfd pollfd

/**
 * mm_poll() - wait for events on descriptors
 * @fds:        descriptors and the events wanted of each; the events found are stored there
 * @nfds:       number of elements of @fds
 * @timeout_ms: longest time to wait, in milliseconds; 0 does not wait, a negative number waits without limit
 *
 * As poll(): an element with a negative descriptor is passed over, one that is not open shows POLLNVAL. IPC
 * endpoints can be waited for as anything else.
 *
 * Return: the number of elements with events, 0 if the time ran out; or -1, with the error state set to
 *   EINVAL           @nfds is negative or above RLIMIT_NOFILE
 *   EFAULT           @fds cannot be read and written
 *   EINTR            a signal handler was called meanwhile
 *   ENOMEM           not enough memory
 *
 * MT-Safe. Cancellation point.
 */
MMLIB_API int mm_poll(struct mm_pollfd *fds, int nfds, int timeout_ms);

#ifdef __cplusplus
}
#endif

#endif /* MMSYSIO_H */
