// SPDX-License-Identifier: Apache-2.0
//! Entry points under the banner 'Network communication'.

use super::arg;
use super::ret::{ret, ret_preserving_errno};
use super::types::mm_sock_multimsg;
use crate::error::{Error, Result};
use crate::net::names::{self, Query};
use crate::net::{client, options};
use crate::os::ancillary;
use crate::os::resolver;
use crate::os::socket_option::{Value, ValueBuffer};
use crate::rt::fd::Fd;
use crate::sys::resolver::{NameBuffer, freeaddrinfo};
use crate::sys::{file, socket};
use core::ffi::{c_char, c_int, c_uint, c_void};

/// mm_socket() - create a socket
/// @domain:     address family: AF_INET, AF_INET6, AF_UNIX...
/// @type:       SOCK_STREAM, SOCK_DGRAM..., optionally combined with SOCK_NONBLOCK and SOCK_CLOEXEC
/// @protocol:   protocol, or 0 for the default protocol of @type
///
/// The close-on-exec flag is set on the file descriptor only if @type includes SOCK_CLOEXEC.
///
/// Return: a file descriptor (the lowest number available), to be closed with mm_close(); -1 on failure, and the error
///   state is set.
///
/// Errors:
///   EAFNOSUPPORT     the system does not support @domain
///   EINVAL           @type is invalid, or includes unknown flags
///   EPROTONOSUPPORT, ESOCKTNOSUPPORT  @domain does not support @type or @protocol
///   EACCES, EPERM    the caller does not have permission to create such a socket
///   @errors descriptors buffers
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
#[unsafe(no_mangle)]
pub extern "C" fn mm_socket(domain: c_int, r#type: c_int, protocol: c_int) -> c_int {
    ret("mm_socket", || {
        socket::socket(domain, r#type, protocol).map_err(|e| {
            Error::os(e, format_args!("cannot create a socket of domain {domain}, type {type} and protocol {protocol}"))
        })
    })
}

/// mm_bind() - bind a socket to an address
/// @sockfd:     file descriptor of the socket
/// @addr:       address; if its port is 0, the kernel chooses a free port, which mm_getsockname() returns
/// @addrlen:    size of @addr in bytes
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EADDRINUSE       the address is in use by another socket, or was until recently (see SO_REUSEADDR); or no free
///                    port is available
///   EADDRNOTAVAIL    the address is not an address of this machine
///   EINVAL           the socket already has an address, or @addrlen is too small
///   EAFNOSUPPORT     the address family differs from that of the socket
///   EACCES           the port is reserved for privileged users; or search or write permission is denied for a
///                    directory (AF_UNIX)
///   EPERM            a security policy forbids the operation
///   @errors socket buffers
///   EFAULT           @addr cannot be read
///   ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EROFS  the path cannot be used (AF_UNIX), for the reasons listed for
///                    mm_open()
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `addr` is null or points to `addrlen` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_bind(sockfd: c_int, addr: *const libc::sockaddr, addrlen: libc::socklen_t) -> c_int {
    ret("mm_bind", || {
        // SAFETY: the caller promised that addrlen bytes may be read; otherwise the kernel reports EFAULT.
        unsafe { socket::bind(Fd::from_c(sockfd), addr, addrlen) }.map_err(|e| {
            Error::os(e, format_args!("cannot bind file descriptor {sockfd} to an address of {addrlen} bytes"))
        })
    })
}

/// mm_getsockname() - get the address of a socket
/// @sockfd:     file descriptor of the socket
/// @addr:       receives the address, truncated if it does not fit
/// @addrlen:    size of @addr in bytes; receives the size of the address, which may be larger
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   @errors socket-address
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `addrlen` is valid, and `addr` for as many bytes as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_getsockname(
    sockfd: c_int,
    addr: *mut libc::sockaddr,
    addrlen: *mut libc::socklen_t,
) -> c_int {
    ret("mm_getsockname", || {
        // SAFETY: the caller promised that both may be written; otherwise the kernel reports EFAULT.
        unsafe { socket::getsockname(Fd::from_c(sockfd), addr, addrlen) }
            .map_err(|e| Error::os(e, format_args!("cannot get the local address of file descriptor {sockfd}")))
    })
}

/// mm_getpeername() - get the address of the peer of a socket
/// @sockfd:     file descriptor of the socket
/// @addr:       receives the address, truncated if it does not fit
/// @addrlen:    size of @addr in bytes; receives the size of the address, which may be larger
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   ENOTCONN         the socket is not connected
///   @errors socket-address
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `addrlen` is valid, and `addr` for as many bytes as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_getpeername(
    sockfd: c_int,
    addr: *mut libc::sockaddr,
    addrlen: *mut libc::socklen_t,
) -> c_int {
    ret("mm_getpeername", || {
        // SAFETY: the caller promised that both may be written; otherwise the kernel reports EFAULT.
        unsafe { socket::getpeername(Fd::from_c(sockfd), addr, addrlen) }
            .map_err(|e| Error::os(e, format_args!("cannot get the peer address of file descriptor {sockfd}")))
    })
}

/// mm_listen() - listen for connections on a socket
/// @sockfd:     file descriptor of the socket, of a connection-oriented type
/// @backlog:    one less than the number of connections that can wait to be accepted; if @backlog is negative or
///              greater than net.core.somaxconn, net.core.somaxconn is used
///
/// An AF_INET or AF_INET6 socket that has no address is bound to a free port.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EADDRINUSE       another socket is listening on the address, or no free port is available
///   EOPNOTSUPP       sockets of this type are not connection-oriented
///   EINVAL           the socket is connected, or has no address (AF_UNIX)
///   EACCES, EPERM    a security policy forbids the operation
///   @errors socket
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
#[unsafe(no_mangle)]
pub extern "C" fn mm_listen(sockfd: c_int, backlog: c_int) -> c_int {
    ret("mm_listen", || {
        socket::listen(Fd::from_c(sockfd), backlog).map_err(|e| {
            Error::os(e, format_args!("cannot listen on file descriptor {sockfd} with a backlog of {backlog}"))
        })
    })
}

/// mm_accept() - accept a connection on a socket
/// @sockfd:     file descriptor of a listening socket
/// @addr:       receives the address of the peer, truncated if it does not fit; or NULL
/// @addrlen:    size of @addr in bytes; receives the size of the address, which may be larger; NULL if @addr is NULL
///
/// Returns the first pending connection. If there is none, the call blocks until a client connects.
///
/// The file descriptor is blocking, and the close-on-exec flag is not set on it.
///
/// Return: the file descriptor of the connection (the lowest number available), to be closed with mm_close(); -1 on
///   failure, and the error state is set.
///
/// Errors:
///   EAGAIN           no connection is pending, and @sockfd is non-blocking or its SO_RCVTIMEO has expired
///   EINTR            the call was interrupted by a signal handler
///   EINVAL           the socket is not listening, or @addrlen, interpreted as an int, is negative
///   EOPNOTSUPP       sockets of this type are not connection-oriented
///   ECONNABORTED     the connection was aborted before it was accepted
///   @errors socket pending buffers
///   EFAULT           @addr or @addrlen cannot be written; the connection is lost
///   EPERM            a firewall or a security policy forbids the operation
///   EPROTO, ENETDOWN, EHOSTUNREACH...  a network error of the connection
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `addrlen` is valid, and `addr` is null or valid for as many bytes as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_accept(sockfd: c_int, addr: *mut libc::sockaddr, addrlen: *mut libc::socklen_t) -> c_int {
    ret("mm_accept", || {
        // SAFETY: the caller promised that both may be written, or are null; otherwise the kernel reports EFAULT.
        unsafe { socket::accept(Fd::from_c(sockfd), addr, addrlen) }
            .map_err(|e| Error::io(e, "cannot accept a connection on file descriptor {}", [sockfd.into()]))
    })
}

/// mm_connect() - connect a socket
/// @sockfd:     file descriptor of the socket
/// @addr:       address of the peer
/// @addrlen:    size of @addr in bytes
///
/// On a stream socket, the call blocks until the peer has answered. On a datagram socket, it sets the address that
/// datagrams are sent to and received from. A datagram socket can be connected again; an address of family AF_UNSPEC
/// dissolves the association.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   ECONNREFUSED     no socket is listening on the address
///   ETIMEDOUT        the peer did not answer in time
///   EHOSTUNREACH, ENETUNREACH  no route to the peer
///   EINPROGRESS      the socket is non-blocking, or its SO_SNDTIMEO has expired, and the attempt continues. Wait for
///                    POLLOUT with mm_poll(), then read the option SO_ERROR for its result
///   EINTR            the call was interrupted by a signal handler, and the attempt continues as for EINPROGRESS
///   EALREADY         a previous attempt has not completed
///   EISCONN          the socket is already connected
///   EADDRNOTAVAIL    the address is not available on this machine, or no free port is available
///   EADDRINUSE       a connection with the same addresses and ports already exists
///   EAFNOSUPPORT     the address family differs from that of the socket
///   EINVAL           @addrlen is too small, or 0
///   EACCES, EPERM    the address is a broadcast address and SO_BROADCAST is not set, or a firewall or a security
///                    policy forbids the connection
///   EAGAIN           the peer's queue of pending connections is full, and the socket is non-blocking (AF_UNIX)
///   EPROTOTYPE       the peer has another socket type (AF_UNIX)
///   @errors socket
///   EFAULT           @addr cannot be read
///   ENOMEM           not enough memory
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `addr` is null or points to `addrlen` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_connect(sockfd: c_int, addr: *const libc::sockaddr, addrlen: libc::socklen_t) -> c_int {
    ret("mm_connect", || {
        // SAFETY: the caller promised that addrlen bytes may be read; otherwise the kernel reports EFAULT.
        unsafe { socket::connect(Fd::from_c(sockfd), addr, addrlen) }.map_err(|e| {
            Error::io_described(
                e,
                format_args!("cannot connect file descriptor {sockfd} to an address of {addrlen} bytes"),
            )
        })
    })
}

/// mm_setsockopt() - set a socket option
/// @sockfd:     file descriptor of the socket; it may be an IPC endpoint
/// @level:      SOL_SOCKET, IPPROTO_TCP...
/// @optname:    option at @level
/// @optval:     value of the option
/// @optlen:     size of @optval in bytes
///
/// Behaves like setsockopt(), except for the timeouts SO_RCVTIMEO and SO_SNDTIMEO at level SOL_SOCKET: their value is
/// an int in milliseconds. The value 0 means no timeout. The kernel rounds a timeout up to a multiple of its clock
/// tick. When it expires, the receive or send fails with EAGAIN. A negative number of whole seconds makes every wait
/// end at once. All other options are passed to the kernel unchanged.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EINVAL           @optlen is not sizeof(int) for a timeout, or is too small for another option; or the value is
///                    invalid
///   EDOM             the timeout is negative and not a whole number of seconds
///   ENOPROTOOPT      the option is unknown at @level
///   @errors socket
///   EFAULT           @optval cannot be read
///   EACCES, EPERM    the caller does not have permission to set the option
///   ENOBUFS, ENOMEM, EADDRINUSE, EADDRNOTAVAIL, ENODEV...  an error of the individual option
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: NULL as the value of a timeout does not crash.
///
/// # Safety
/// `optval` is null or points to `optlen` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_setsockopt(
    sockfd: c_int,
    level: c_int,
    optname: c_int,
    optval: *const c_void,
    optlen: libc::socklen_t,
) -> c_int {
    ret("mm_setsockopt", || {
        // SAFETY: null or optlen bytes, as the caller promised.
        options::set(Fd::from_c(sockfd), level, optname, unsafe { Value::from_c(optval, optlen) })
    })
}

/// mm_getsockopt() - get a socket option
/// @sockfd:     file descriptor of the socket; it may be an IPC endpoint
/// @level:      SOL_SOCKET, IPPROTO_TCP...
/// @optname:    option at @level
/// @optval:     receives the value of the option
/// @optlen:     size of @optval in bytes; receives the size of the value
///
/// Behaves like getsockopt(), except for the timeouts SO_RCVTIMEO and SO_SNDTIMEO at level SOL_SOCKET: as for
/// mm_setsockopt(), their value is an int in milliseconds. It is 0 if no timeout is set, and INT_MAX if the timeout is
/// longer than that. If the value does not fit into @optval, it is truncated.
///
/// For all other options, @optval and @optlen are passed to the kernel unchanged, and their meaning depends on the
/// option. Most values that do not fit are truncated, and @optlen receives the number of bytes stored. SO_PEERGROUPS
/// fails with ERANGE instead, and NETLINK_LIST_MEMBERSHIPS succeeds; both store the required size in @optlen. SO_COOKIE
/// and SO_BINDTODEVICE fail with EINVAL. For SO_GET_FILTER, @optlen is a number of instructions of 8 bytes.
/// SO_PEERPIDFD returns a file descriptor, which the caller must close.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   ENOPROTOOPT, EOPNOTSUPP  the option is unknown at @level
///   @errors socket
///   EFAULT           @optval or @optlen is NULL or cannot be written; a NULL @optval is not an error if the option
///                    stores nothing there
///   EINVAL           @optlen, interpreted as an int, is negative, or it is too small for an option that is not
///                    truncated; or the option cannot be read at all, or cannot be read in the current state of the
///                    socket
///   ERANGE           @optval is too small for an option that is not truncated; @optlen receives the required size
///   EACCES, EPERM    the caller does not have permission to read the option
///   ENODATA, ENOTCONN, ENODEV, EMFILE, ENOMEM...  an error of the individual option
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: values of more than 16 bytes are not truncated to 16; a value that does not fit
///   is handled as by getsockopt(); long timeouts are not reported as negative; NULL does not crash.
///
/// # Safety
/// `optlen` is null or valid, and `optval` is null or valid for the value that the option stores for this `*optlen`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_getsockopt(
    sockfd: c_int,
    level: c_int,
    optname: c_int,
    optval: *mut c_void,
    optlen: *mut libc::socklen_t,
) -> c_int {
    ret("mm_getsockopt", || {
        // SAFETY: null or valid, as the caller promised.
        options::get(Fd::from_c(sockfd), &mut unsafe { ValueBuffer::from_c(level, optname, optval, optlen) })
    })
}

/// mm_shutdown() - shut down one or both directions of a connection
/// @sockfd:     file descriptor of the socket; it may be an IPC endpoint
/// @how:        SHUT_RD (no further receives), SHUT_WR (no further sends: the peer reads the end of the stream), or
///              SHUT_RDWR
///
/// The call affects the connection in all processes that have it open. The file descriptor must still be closed.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   ENOTCONN         the socket is not connected
///   EINVAL           @how is invalid
///   @errors socket
///
/// Thread safety: MT-Safe: if other threads are waiting for the socket, their calls return
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
#[unsafe(no_mangle)]
pub extern "C" fn mm_shutdown(sockfd: c_int, how: c_int) -> c_int {
    ret("mm_shutdown", || {
        socket::shutdown(Fd::from_c(sockfd), how)
            .map_err(|e| Error::os(e, format_args!("cannot shut down file descriptor {sockfd} (how {how})")))
    })
}

/// mm_send() - send data on a connected socket
/// @sockfd:     file descriptor of the socket; it may be an IPC endpoint
/// @buffer:     data to send
/// @length:     size of the data in bytes
/// @flags:      0, or flags of send(): MSG_DONTWAIT, MSG_NOSIGNAL, MSG_MORE, MSG_OOB...
///
/// On a stream socket, fewer bytes than @length may be sent. A datagram is sent as a whole or not at all; it may be
/// empty.
///
/// Return: the number of bytes sent; -1 on failure, and the error state is set.
///
/// Errors:
///   EPIPE            the connection has been shut down, or never existed; on a stream socket, SIGPIPE is raised first
///                    unless @flags includes MSG_NOSIGNAL
///   ECONNRESET       the peer has reset the connection
///   ECONNREFUSED     no socket was bound to the destination of this datagram or an earlier one
///   EMSGSIZE         the datagram is too large
///   EAGAIN           there is no buffer space, and the socket is non-blocking, @flags includes MSG_DONTWAIT, or
///                    SO_SNDTIMEO has expired
///   EINTR            the call was interrupted by a signal handler before there was buffer space
///   ENOTCONN         the socket is not connected
///   EDESTADDRREQ     the datagram socket is not connected
///   EOPNOTSUPP       the socket does not support @flags
///   @errors socket buffers
///   EFAULT           @buffer cannot be read
///   ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENETDOWN  a network error of the connection
///   EACCES, EPERM    a firewall or a security policy forbids the operation
///   EINVAL           the socket does not accept @flags or @length
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `buffer` is valid for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_send(sockfd: c_int, buffer: *const c_void, length: usize, flags: c_int) -> libc::ssize_t {
    ret("mm_send", || {
        // SAFETY: the caller promised that length bytes may be read; otherwise the kernel reports EFAULT.
        unsafe { socket::send(Fd::from_c(sockfd), buffer, length, flags) }.map_err(|e| {
            Error::io(e, "cannot send {u} bytes through file descriptor {}", [length.into(), sockfd.into()])
        })
    })
}

/// mm_recv() - receive data from a socket
/// @sockfd:     file descriptor of the socket; it may be an IPC endpoint
/// @buffer:     receives the data
/// @length:     size of @buffer in bytes
/// @flags:      0, or flags of recv(): MSG_DONTWAIT, MSG_PEEK, MSG_WAITALL, MSG_TRUNC...
///
/// On a stream socket, fewer bytes than @length may be received, unless @flags includes MSG_WAITALL. The part of a
/// datagram that does not fit into @buffer is discarded; with MSG_TRUNC in @flags, the real size of the datagram is
/// returned. If a message of an IPC endpoint contains file descriptors, these are closed: use mm_ipc_recvmsg() to
/// receive them.
///
/// Return: the number of bytes received; 0 at the end of the stream or for an empty datagram; -1 on failure, and the
///   error state is set.
///
/// Errors:
///   ECONNRESET       the peer has reset the connection
///   ECONNREFUSED     no socket was bound to the destination of an earlier datagram
///   EAGAIN           no data is available, and the socket is non-blocking, @flags includes MSG_DONTWAIT, or
///                    SO_RCVTIMEO has expired
///   EINTR            the call was interrupted by a signal handler before data arrived
///   ENOTCONN         the socket is not connected
///   EINVAL           the socket does not support @flags, or @flags includes MSG_OOB and there is no out-of-band data
///   @errors socket
///   EFAULT           @buffer cannot be written
///   ETIMEDOUT, EHOSTUNREACH, ENETUNREACH  a network error of the connection
///   ENOMEM           not enough memory
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `buffer` is valid for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_recv(sockfd: c_int, buffer: *mut c_void, length: usize, flags: c_int) -> libc::ssize_t {
    ret("mm_recv", || {
        // SAFETY: the caller promised that length bytes may be written; otherwise the kernel reports EFAULT.
        unsafe { socket::recv(Fd::from_c(sockfd), buffer, length, flags) }.map_err(|e| {
            Error::io(e, "cannot receive {u} bytes from file descriptor {}", [length.into(), sockfd.into()])
        })
    })
}

/// mm_sendmsg() - send a message from several buffers
/// @sockfd:     file descriptor of the socket
/// @msg:        the message: destination address (NULL for a connected socket), data and ancillary data
/// @flags:      as for mm_send()
///
/// Return: the number of bytes sent; -1 on failure, and the error state is set.
///
/// Errors:
///   EISCONN          the socket is connected, and @msg has an address
///   EMSGSIZE         the datagram is too large, or the message has more than 1024 buffers
///   EINVAL           the ancillary data or the address is malformed, or the sum of the buffer sizes exceeds SSIZE_MAX
///   EAFNOSUPPORT     the address family differs from that of the socket
///   ETOOMANYREFS     more file descriptors than RLIMIT_NOFILE are in flight (sent and not yet received; AF_UNIX)
///   EFAULT           @msg is NULL, or @msg or memory that it points to cannot be read
///   as mm_send()
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `msg` is null or valid, with all that it points to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_sendmsg(sockfd: c_int, msg: *const libc::msghdr, flags: c_int) -> libc::ssize_t {
    ret("mm_sendmsg", || {
        // SAFETY: the caller promised that all of it may be read; otherwise the kernel reports EFAULT.
        unsafe { socket::sendmsg(Fd::from_c(sockfd), msg, flags) }
            .map_err(|e| Error::io(e, "cannot send a message through file descriptor {}", [sockfd.into()]))
    })
}

/// mm_recvmsg() - receive a message into several buffers
/// @sockfd:     file descriptor of the socket
/// @msg:        the message: buffers for the source address, the data and the ancillary data. Receives the sizes of the
///              address and the ancillary data, and flags: MSG_TRUNC, MSG_CTRUNC, MSG_OOB...
/// @flags:      as for mm_recv(), and MSG_CMSG_CLOEXEC
///
/// If @msg has no buffers, the call still receives a datagram: it discards the data, and returns the source address.
///
/// The close-on-exec flag is set on file descriptors received only if @flags includes MSG_CMSG_CLOEXEC.
///
/// Return: the number of bytes received; 0 at the end of the stream or for an empty datagram; -1 on failure, and the
///   error state is set.
///
/// Errors:
///   EMSGSIZE         the message has more than 1024 buffers
///   EINVAL           the size of the address, interpreted as an int, is negative, or the sum of the buffer sizes
///                    exceeds SSIZE_MAX
///   EFAULT           @msg is NULL, or cannot be read and written, or memory that it points to cannot be written
///   as mm_recv()
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `msg` is null or valid, with all that it points to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_recvmsg(sockfd: c_int, msg: *mut libc::msghdr, flags: c_int) -> libc::ssize_t {
    ret("mm_recvmsg", || {
        // SAFETY: the caller promised that all of it may be written; otherwise the kernel reports EFAULT.
        let received = unsafe { socket::recvmsg(Fd::from_c(sockfd), msg, flags) }
            .map_err(|e| Error::io(e, "cannot receive a message from file descriptor {}", [sockfd.into()]))?;
        // SAFETY: the call has succeeded.
        unsafe { note_descriptors(msg) };
        Ok(received)
    })
}

/// mm_send_multimsg() - send several messages with one call
/// @sockfd:     file descriptor of the socket
/// @vlen:       number of elements of @msgvec; at most 1024 of them are sent
/// @msgvec:     messages, as for mm_sendmsg(). In each message that was sent, datalen is set; in the others it is not
///              modified
/// @flags:      as for mm_send()
///
/// Return: the number of messages sent. It is less than @vlen if a message after the first could not be sent, and 0 if
///   @vlen is 0. On failure, the call returns -1 and sets the error state.
///
/// Errors:
///   EINVAL           @vlen is negative
///   EFAULT           @msgvec or memory that it points to cannot be read, or a datalen cannot be written
///   as mm_sendmsg()  for the first message
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: differs from mmlib: a negative @vlen is an error instead of meaning 1024.
///
/// # Safety
/// `msgvec` and `vlen` are a pair of pointer and count, each element valid with all that it points to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_send_multimsg(
    sockfd: c_int,
    vlen: c_int,
    msgvec: *mut mm_sock_multimsg,
    flags: c_int,
) -> c_int {
    ret("mm_send_multimsg", || {
        let count = number_of_messages(vlen)?;
        // SAFETY: the caller promised that all of it may be read; otherwise the kernel reports EFAULT.
        unsafe { socket::sendmmsg(Fd::from_c(sockfd), msgvec.cast(), count, flags) }.map_err(|e| {
            Error::io(e, "cannot send {u} messages through file descriptor {}", [count.into(), sockfd.into()])
        })
    })
}

/// mm_recv_multimsg() - receive several messages with one call
/// @sockfd:     file descriptor of the socket
/// @vlen:       number of elements of @msgvec; at most 1024 of them are used
/// @msgvec:     messages, as for mm_recvmsg(). In each message that was received, datalen is set; in the others it is
///              not modified
/// @flags:      as for mm_recvmsg(), and MSG_WAITFORONE to block only until the first message has been received
/// @timeout:    NULL, or the interval after which the call stops waiting for further messages; receives the remaining
///              time
///
/// The call blocks until @vlen messages have been received. The kernel checks @timeout only after receiving a message:
/// if no message arrives, the call blocks indefinitely. Set SO_RCVTIMEO to limit that wait. At the end of a stream the
/// remaining messages are empty.
///
/// The close-on-exec flag is set on file descriptors received only if @flags includes MSG_CMSG_CLOEXEC.
///
/// Return: the number of messages received. It is less than @vlen if the timeout expired, if @flags includes
///   MSG_WAITFORONE and no further message was available, or if a signal handler or an error interrupted the call after
///   the first message (the next call reports the error). It is 0 if @vlen is 0. On failure, the call returns -1 and
///   sets the error state.
///
/// Errors:
///   EINVAL           @vlen is negative, or @timeout is not a valid time
///   EFAULT           @msgvec, memory that it points to, or @timeout cannot be read and written
///   as mm_recvmsg()  for the first message
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: differs from mmlib: a negative @vlen is an error instead of meaning 1024.
///
/// # Safety
/// `msgvec` and `vlen` are a pair of pointer and count, each element valid with all that it points to; `timeout` is
/// valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_recv_multimsg(
    sockfd: c_int,
    vlen: c_int,
    msgvec: *mut mm_sock_multimsg,
    flags: c_int,
    timeout: *mut libc::timespec,
) -> c_int {
    ret("mm_recv_multimsg", || {
        let count = number_of_messages(vlen)?;
        // SAFETY: the caller promised that all of it may be written; otherwise the kernel reports EFAULT.
        let received =
            unsafe { socket::recvmmsg(Fd::from_c(sockfd), msgvec.cast(), count, flags, timeout) }.map_err(|e| {
                Error::io(e, "cannot receive {u} messages from file descriptor {}", [count.into(), sockfd.into()])
            })?;
        for position in 0..usize::try_from(received).unwrap_or(0) {
            // SAFETY: the kernel has written this element.
            unsafe { note_descriptors(&raw const (*msgvec.add(position)).msg) };
        }
        Ok(received)
    })
}

/// # Safety
/// The kernel has just stored a received message in `msg`.
#[inline]
unsafe fn note_descriptors(msg: *const libc::msghdr) {
    // SAFETY: as promised by the caller.
    let msg = unsafe { msg.read() };
    if msg.msg_controllen != 0 {
        // SAFETY: the kernel has written msg_controllen bytes.
        unsafe { ancillary::note_received(&msg) };
    }
}

/// Limits the number of messages to that of one system call. EINVAL: the number is negative.
#[inline]
#[track_caller]
fn number_of_messages(vlen: c_int) -> Result<c_uint> {
    const MAX_MESSAGES: c_uint = 1024;
    match c_uint::try_from(vlen) {
        Ok(count) => Ok(count.min(MAX_MESSAGES)),
        Err(_) => Err(arg::negative(vlen, "msgvec")),
    }
}

/// mm_getaddrinfo() - resolve a host name and a service name to addresses
/// @node:       host name, or numeric address as a string; NULL means this machine
/// @service:    service name, or port number as a string; NULL leaves the port 0
/// @hints:      requested address family, socket type, protocol and flags (AI_PASSIVE, AI_NUMERICHOST...); NULL means
///              any
/// @res:        receives the list of addresses, to be released with mm_freeaddrinfo()
///
/// Calls the getaddrinfo() of the C library, which determines the configuration files that are read and the order of
/// the addresses.
///
/// Return: 0 on success; -1 on failure, and the error state is set. After a failure the content of @res is unspecified.
///
/// Errors:
///   MM_ENONAME       the host @node is unknown; or @node is not a numeric address, and AI_NUMERICHOST is given
///   MM_ENOTFOUND     the service @service is unknown, or not available for the socket type
///   EADDRNOTAVAIL    the host has no address of the requested family
///   EAFNOSUPPORT     the address family is not supported
///   EPROTOTYPE       the socket type is not supported, or does not match the protocol
///   EINVAL           @node and @service are both NULL; @hints has AI_CANONNAME, and @node is NULL; @hints has
///                    AI_NUMERICSERV, and @service is neither NULL nor a decimal number; @hints has unknown flags; or
///                    @node is not a valid internationalized name
///   EFAULT           @res is NULL
///   EOVERFLOW        a name is too long
///   @errors resolver
///
/// Thread safety: MT-Safe; other threads must not change the environment at the same time
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point; a thread that is cancelled here leaves what the resolver has allocated and opened
/// Compatibility: differs from mmlib: the error number of a failure is never 0 or that of an earlier failure; with
///   AI_NUMERICSERV and a NULL @service, the cause of a failure is reported; NULL for @res does not crash.
///
/// # Safety
/// `node` and `service` are strings, `hints` and `res` are valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_getaddrinfo(
    node: *const c_char,
    service: *const c_char,
    hints: *const libc::addrinfo,
    res: *mut *mut libc::addrinfo,
) -> c_int {
    ret("mm_getaddrinfo", || {
        arg::require_address(res, "res")?;
        // SAFETY: null, strings or valid, as the caller promised.
        let (node, service, hints) =
            unsafe { (arg::optional_string(node), arg::optional_string(service), hints.as_ref()) };
        let list = names::resolve(Query { node, service, hints })?;
        // SAFETY: not null, so valid.
        unsafe { res.write(list.into_raw()) };
        Ok(())
    })
}

/// mm_getnameinfo() - get the host name and service name of an address
/// @addr:       address
/// @addrlen:    size of @addr in bytes
/// @host:       receives the host name, terminated by a null byte; or NULL
/// @hostlen:    size of @host in bytes
/// @serv:       receives the service name, terminated by a null byte; or NULL
/// @servlen:    size of @serv in bytes
/// @flags:      0, or NI_NUMERICHOST, NI_NUMERICSERV, NI_NAMEREQD, NI_DGRAM...
///
/// A host or service that has no name is returned in numeric form, unless @flags includes NI_NAMEREQD.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EOVERFLOW        a name does not fit into its buffer
///   MM_ENONAME       the host has no name, and @flags includes NI_NAMEREQD; or neither name is requested
///   EAFNOSUPPORT     the address family is unknown, or @addrlen is too small
///   EINVAL           @flags has unknown flags
///   EFAULT           @addr is NULL
///   @errors resolver
///
/// Thread safety: MT-Safe; other threads must not change the environment at the same time
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point; a thread that is cancelled here leaves what the resolver has allocated and opened
/// Compatibility: differs from mmlib: NULL does not crash, and the error number of a failure is never 0.
///
/// # Safety
/// `addr` is null or points to `addrlen` bytes, `host` is null or valid for `hostlen` bytes, `serv` for `servlen`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_getnameinfo(
    addr: *const libc::sockaddr,
    addrlen: libc::socklen_t,
    host: *mut c_char,
    hostlen: libc::socklen_t,
    serv: *mut c_char,
    servlen: libc::socklen_t,
    flags: c_int,
) -> c_int {
    ret("mm_getnameinfo", || {
        if addr.is_null() && addrlen > 0 {
            return Err(arg::null_address("addr"));
        }
        let (host, service) = (NameBuffer { first: host, size: hostlen }, NameBuffer { first: serv, size: servlen });
        // SAFETY: as the caller promised. The resolver reads nothing if the size is 0.
        unsafe { resolver::names_of(addr, addrlen, host, service, flags) }
            .map_err(|e| names::error(e, format_args!("cannot look up the names of an address of {addrlen} bytes")))
    })
}

/// mm_freeaddrinfo() - release a list of addresses
/// @res:        list returned by mm_getaddrinfo(); NULL is accepted and does nothing
///
/// Errors: none
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `res` is null or was returned by mm_getaddrinfo(), has not been released, and is no longer used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_freeaddrinfo(res: *mut libc::addrinfo) {
    // SAFETY: as the caller promised.
    unsafe { freeaddrinfo(res) }
}

/// mm_create_sockclient() - connect to the host and service of a URI
/// @uri:        scheme://host or scheme://host:port; a slash after that, and everything that follows it, is ignored
///
/// The scheme is written in lower case. If it is tcp or udp, the URI must contain a port. The port may be 0, but no
/// server can listen on it. Any other scheme is a service name: it determines the socket type, and also the port unless
/// the URI contains a port greater than 0. The port is written as an integer constant in C: 0x80 is hexadecimal, 010 is
/// octal. Characters after the digits are ignored, and text that does not begin with a number counts as a missing port.
///
/// The host is a name, an IPv4 address, or an IPv6 address in brackets, with a zone if it needs one:
/// tcp://[fe80::1%eth0]:80. The percent sign before the zone may be written as %25 (RFC 6874), unless only digits
/// follow it: the zone of [fe80::1%252] is 252. No other percent-encoding is decoded, neither in zones nor in names.
///
/// The addresses of the host are tried once each, in the order of mm_getaddrinfo(), until a connection succeeds. If the
/// service is available for stream sockets, only these are tried. With udp, or a service that is available for datagram
/// sockets only, the result is a datagram socket that is connected to the first address; no packet is sent.
///
/// Only the kernel limits the duration of each attempt, as for mm_connect(): if an address does not answer, the next
/// one is tried after about two minutes (net.ipv4.tcp_syn_retries, for IPv6 too). SO_SNDTIMEO cannot be set in advance,
/// because the call creates the socket. Name resolution is limited only by the resolver's own timeouts
/// (resolv.conf(5)). A program that needs other limits calls mm_getaddrinfo(), mm_socket(), mm_setsockopt() and
/// mm_connect() itself, or interrupts the call with a signal whose handler was installed without SA_RESTART.
///
/// The close-on-exec flag is not set on the file descriptor.
///
/// Return: a file descriptor in blocking mode, to be closed with mm_close(); -1 on failure, and the error state is set.
///
/// Errors:
///   EINVAL           @uri is NULL; it has no scheme or no host; it contains user information or a port greater than
///                    65535; the text in brackets is not an IPv6 address, or the closing bracket is followed by neither
///                    a colon nor the end of the host; or the scheme is tcp or udp, and the port is missing or negative
///   MM_ENOTFOUND     the scheme is not a known service
///   MM_ENONAME       the host is unknown
///   EINTR            the call was interrupted by a signal handler; no further address is tried
///   ENOMEM           not enough memory
///   as mm_getaddrinfo()
///   as mm_socket(), mm_connect()  for the last address, which the error description names
/// Error notes: If all addresses fail, a line is logged for each.
///
/// Thread safety: MT-Safe; other threads must not change the environment at the same time
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point; a thread that is cancelled here leaves the address list allocated, and possibly
///   the socket open
/// Compatibility: differs from mmlib: the port is sent in network byte order; a datagram socket is neither returned
///   when stream connections are refused nor tried before the stream sockets of all addresses; ports greater than 65535
///   and user information are errors; a scheme may have any length; IPv6 addresses are accepted; a failed attempt is
///   not logged if a later one succeeds; a signal handler interrupts the call; no memory or file descriptor leaks.
///
/// # Safety
/// `uri` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_create_sockclient(uri: *const c_char) -> c_int {
    ret_preserving_errno("mm_create_sockclient", || {
        // SAFETY: a string, as the caller promised.
        client::connect(unsafe { arg::string(uri, "uri") }?)
    })
}

/// mm_poll() - wait for events on file descriptors
/// @fds:        file descriptors and their requested events; receives the events that occurred
/// @nfds:       number of elements of @fds
/// @timeout_ms: maximum time to wait, in milliseconds; 0 does not wait, a negative number waits without limit
///
/// Behaves like poll(): an element with a negative file descriptor is ignored, and one whose file descriptor is not
/// open gets POLLNVAL. IPC endpoints can be polled like any other file descriptor.
///
/// Return: the number of elements with events; 0 if the timeout expired; -1 on failure, and the error state is set.
///
/// Errors:
///   EINVAL           @nfds is negative or greater than RLIMIT_NOFILE
///   EFAULT           @fds cannot be read and written
///   EINTR            the call was interrupted by a signal handler
///   ENOMEM           not enough memory
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `fds` and `nfds` are a pair of pointer and count.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_poll(fds: *mut libc::pollfd, nfds: c_int, timeout_ms: c_int) -> c_int {
    ret("mm_poll", || {
        // SAFETY: the caller promised that the elements may be read and written; otherwise the kernel reports EFAULT.
        unsafe { file::poll(fds, nfds, timeout_ms) }
            .map_err(|e| Error::os(e, format_args!("cannot poll {nfds} file descriptors for {timeout_ms} ms")))
    })
}
