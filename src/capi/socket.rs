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
/// @domain:     family of addresses: AF_INET, AF_INET6, AF_UNIX...
/// @type:       SOCK_STREAM, SOCK_DGRAM..., with SOCK_NONBLOCK and SOCK_CLOEXEC if wanted
/// @protocol:   protocol, or 0 for the usual one of @type
///
/// Without SOCK_CLOEXEC the descriptor is inherited by executed programs.
///
/// Return: the descriptor, the lowest number available, to be closed with mm_close(); on failure -1, and the error
///   state is set.
///
/// Errors:
///   EAFNOSUPPORT     the system does not have @domain
///   EINVAL           @type is unknown, or has unknown flags
///   EPROTONOSUPPORT, ESOCKTNOSUPPORT  @domain does not have @type or @protocol
///   EACCES, EPERM    the caller may not create such a socket
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
            Error::os(e, format_args!("creating a socket of domain {domain}, type {type}, protocol {protocol}"))
        })
    })
}

/// mm_bind() - give a socket its address
/// @sockfd:     descriptor of the socket
/// @addr:       address; port 0 takes any that is free, which mm_getsockname() returns
/// @addrlen:    size of @addr in bytes
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EADDRINUSE       another socket has the address, or had it until shortly (SO_REUSEADDR), or no port is free
///   EADDRNOTAVAIL    the machine does not have the address
///   EINVAL           the socket has an address already, or @addrlen is too small
///   EAFNOSUPPORT     the address is of another family than the socket
///   EACCES           the port is reserved for privileged users; or a directory may not be searched or written
///                    (AF_UNIX)
///   EPERM            a security policy forbids it
///   @errors socket buffers
///   EFAULT           @addr cannot be read
///   ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EROFS  the path cannot be used (AF_UNIX): see mm_open()
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
        // SAFETY: the caller promised that addrlen bytes may be read; the kernel finds out where not.
        unsafe { socket::bind(Fd::from_c(sockfd), addr, addrlen) }
            .map_err(|e| Error::os(e, format_args!("binding descriptor {sockfd} to an address of {addrlen} bytes")))
    })
}

/// mm_getsockname() - tell the address of a socket
/// @sockfd:     descriptor of the socket
/// @addr:       receives the address, cut if it does not fit
/// @addrlen:    size of @addr in bytes; receives that of the address, which may be larger
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
        // SAFETY: the caller promised that both may be written; the kernel finds out where not.
        unsafe { socket::getsockname(Fd::from_c(sockfd), addr, addrlen) }
            .map_err(|e| Error::os(e, format_args!("asking for the address of descriptor {sockfd}")))
    })
}

/// mm_getpeername() - tell the address of a socket's peer
/// @sockfd:     descriptor of the socket
/// @addr:       receives the address, cut if it does not fit
/// @addrlen:    size of @addr in bytes; receives that of the address, which may be larger
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
        // SAFETY: the caller promised that both may be written; the kernel finds out where not.
        unsafe { socket::getpeername(Fd::from_c(sockfd), addr, addrlen) }
            .map_err(|e| Error::os(e, format_args!("asking for the address of the peer of descriptor {sockfd}")))
    })
}

/// mm_listen() - let a socket take connections
/// @sockfd:     descriptor of the socket, of a type that has connections
/// @backlog:    how many connections may wait to be accepted, and one more; a negative number, or one above
///              net.core.somaxconn, means that
///
/// A socket without an address gets one, with any port that is free.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EADDRINUSE       another socket listens to the address, or no port is free
///   EOPNOTSUPP       sockets of this type have no connections
///   EINVAL           the socket is connected, or has no address (AF_UNIX)
///   EACCES, EPERM    a security policy forbids it
///   @errors socket
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
#[unsafe(no_mangle)]
pub extern "C" fn mm_listen(sockfd: c_int, backlog: c_int) -> c_int {
    ret("mm_listen", || {
        socket::listen(Fd::from_c(sockfd), backlog)
            .map_err(|e| Error::os(e, format_args!("listening at descriptor {sockfd} with a backlog of {backlog}")))
    })
}

/// mm_accept() - accept a connection
/// @sockfd:     descriptor of a socket that listens
/// @addr:       receives the address of the peer, cut if it does not fit; or NULL
/// @addrlen:    size of @addr in bytes; receives that of the address, which may be larger; NULL if @addr is
///
/// Takes the first of the pending connections, and waits for one if there is none.
///
/// The descriptor is inherited by executed programs, and blocking.
///
/// Return: the descriptor of the connection, the lowest number available, to be closed with mm_close(); on failure -1,
///   and the error state is set.
///
/// Errors:
///   EAGAIN           no connection is pending, and @sockfd is non-blocking or its SO_RCVTIMEO ran out
///   EINTR            the call was interrupted by a signal handler
///   EINVAL           the socket does not listen, or @addrlen is negative, taken as an int
///   EOPNOTSUPP       sockets of this type have no connections
///   ECONNABORTED     the connection was aborted before it was accepted
///   @errors socket pending buffers
///   EFAULT           @addr or @addrlen cannot be written; the connection is lost
///   EPERM            a firewall or a security policy forbids it
///   EPROTO, ENETDOWN, EHOSTUNREACH...  what went wrong with the connection on the network
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
        // SAFETY: the caller promised that both may be written, or are null; the kernel finds out where not.
        unsafe { socket::accept(Fd::from_c(sockfd), addr, addrlen) }
            .map_err(|e| Error::io(e, format_args!("accepting a connection from descriptor {sockfd}")))
    })
}

/// mm_connect() - connect a socket
/// @sockfd:     descriptor of the socket
/// @addr:       address of the peer
/// @addrlen:    size of @addr in bytes
///
/// A stream socket waits until its peer has answered. A datagram socket only remembers whom to send to and to receive
/// from; it can be connected again, and an address of family AF_UNSPEC ends that.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   ECONNREFUSED     nobody listens to the address
///   ETIMEDOUT        the peer does not answer
///   EHOSTUNREACH, ENETUNREACH  there is no way to it
///   EINPROGRESS      the socket is non-blocking, or its SO_SNDTIMEO ran out: the attempt goes on. mm_poll() waits for
///                    POLLOUT, and the option SO_ERROR reports how it ended
///   EINTR            the call was interrupted by a signal handler: the attempt goes on, likewise
///   EALREADY         an attempt goes on
///   EISCONN          the socket is connected
///   EADDRNOTAVAIL    the machine does not have the address, or no port is free
///   EADDRINUSE       this very connection exists
///   EAFNOSUPPORT     the address is of another family than the socket
///   EINVAL           @addrlen is too small, or 0
///   EACCES, EPERM    a broadcast without SO_BROADCAST, or a firewall or a security policy forbids it
///   EAGAIN           the queue of the peer is full, and the socket is non-blocking (AF_UNIX)
///   EPROTOTYPE       the peer is of another type (AF_UNIX)
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
        // SAFETY: the caller promised that addrlen bytes may be read; the kernel finds out where not.
        unsafe { socket::connect(Fd::from_c(sockfd), addr, addrlen) }
            .map_err(|e| Error::io(e, format_args!("connecting descriptor {sockfd} to an address of {addrlen} bytes")))
    })
}

/// mm_setsockopt() - set an option of a socket
/// @sockfd:     descriptor of the socket, an IPC endpoint included
/// @level:      SOL_SOCKET, IPPROTO_TCP...
/// @optname:    option of @level
/// @optval:     its value
/// @optlen:     size of @optval in bytes
///
/// As setsockopt(), except that the time-outs SO_RCVTIMEO and SO_SNDTIMEO of SOL_SOCKET are an int of milliseconds.
/// With 0 they wait without limit. The kernel rounds up to its ticks. A receive or send whose time ran out fails with
/// EAGAIN. Negative whole seconds end every wait at once. Every other option goes to the kernel as it is.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EINVAL           @optlen is not sizeof(int) for a time-out, or too small for another option; or the value is
///                    invalid
///   EDOM             the time-out is negative, and not in whole seconds
///   ENOPROTOOPT      there is no such option
///   @errors socket
///   EFAULT           @optval cannot be read
///   EACCES, EPERM    the caller may not set it
///   ENOBUFS, ENOMEM, EADDRINUSE, EADDRNOTAVAIL, ENODEV...  what the option says
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: NULL for a time-out does not crash.
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
        // SAFETY: null or so many bytes, as the caller promised.
        options::set(Fd::from_c(sockfd), level, optname, unsafe { Value::from_c(optval, optlen) })
    })
}

/// mm_getsockopt() - get an option of a socket
/// @sockfd:     descriptor of the socket, an IPC endpoint included
/// @level:      SOL_SOCKET, IPPROTO_TCP...
/// @optname:    option of @level
/// @optval:     receives its value
/// @optlen:     size of @optval in bytes; receives the size of the value
///
/// As getsockopt(), except that the time-outs SO_RCVTIMEO and SO_SNDTIMEO of SOL_SOCKET are an int of milliseconds, as
/// mm_setsockopt() takes them: INT_MAX if the time-out is longer than that, 0 if there is none. A time-out that does
/// not fit is truncated.
///
/// For every other option @optval and @optlen go to the kernel as they are, and the option decides what they mean. Most
/// values that do not fit are truncated, with the size of what was stored in @optlen. SO_PEERGROUPS fails with ERANGE
/// instead, and NETLINK_LIST_MEMBERSHIPS does not: both store the size that is needed. SO_COOKIE and SO_BINDTODEVICE
/// fail with EINVAL. SO_GET_FILTER counts instructions of 8 bytes in @optlen, and SO_PEERPIDFD returns a descriptor,
/// which the caller closes.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   ENOPROTOOPT, EOPNOTSUPP  there is no such option
///   @errors socket
///   EFAULT           @optval or @optlen cannot be written, NULL included; NULL for @optval is no error if the option
///                    stores nothing there
///   EINVAL           @optlen is negative, taken as an int, or too small for an option that is not truncated; or the
///                    option cannot be read, or not in this state
///   ERANGE           @optval is too small for an option that is not truncated; @optlen receives the size needed
///   EACCES, EPERM    the caller may not know it
///   ENODATA, ENOTCONN, ENODEV, EMFILE, ENOMEM...  what the option says
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: values of more than 16 bytes are not cut to 16; a value that does not fit is what
///   getsockopt() makes of it; long time-outs are not negative; NULL does not crash.
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

/// mm_shutdown() - end one direction of a connection, or both
/// @sockfd:     descriptor of the socket, an IPC endpoint included
/// @how:        SHUT_RD (nothing more is received), SHUT_WR (nothing more is sent: the peer finds the end), or
///              SHUT_RDWR
///
/// It is the connection that ends, for all who have it; the descriptor is still to be closed.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   ENOTCONN         the socket is not connected
///   EINVAL           @how is unknown
///   @errors socket
///
/// Thread safety: MT-Safe: threads that wait for the socket are released
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
#[unsafe(no_mangle)]
pub extern "C" fn mm_shutdown(sockfd: c_int, how: c_int) -> c_int {
    ret("mm_shutdown", || {
        socket::shutdown(Fd::from_c(sockfd), how)
            .map_err(|e| Error::os(e, format_args!("shutting down descriptor {sockfd} in the way {how}")))
    })
}

/// mm_send() - send through a connected socket
/// @sockfd:     descriptor of the socket, an IPC endpoint included
/// @buffer:     data to send
/// @length:     size of the data in bytes
/// @flags:      0, or flags of send(): MSG_DONTWAIT, MSG_NOSIGNAL, MSG_MORE, MSG_OOB...
///
/// From a stream socket fewer bytes may be sent than asked for; a datagram is sent whole or not at all. It may be
/// empty.
///
/// Return: the number of bytes sent; on failure -1, and the error state is set.
///
/// Errors:
///   EPIPE            the connection is shut down, or there never was one; from a stream socket SIGPIPE comes first,
///                    unless MSG_NOSIGNAL is given
///   ECONNRESET       the peer has ended the connection
///   ECONNREFUSED     nobody received an earlier datagram
///   EMSGSIZE         the datagram is too large
///   EAGAIN           there is no space, and the socket is non-blocking, MSG_DONTWAIT is given, or SO_SNDTIMEO ran out
///   EINTR            the call was interrupted by a signal handler before there was space
///   ENOTCONN         the socket is not connected
///   EDESTADDRREQ     the same, for a datagram
///   EOPNOTSUPP       the socket does not have these @flags
///   @errors socket buffers
///   EFAULT           @buffer cannot be read
///   ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENETDOWN  what went wrong with the connection on the network
///   EACCES, EPERM    a firewall or a security policy forbids it
///   EINVAL           the socket does not take these @flags or this @length
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
        // SAFETY: the caller promised that length bytes may be read; the kernel finds out where not.
        unsafe { socket::send(Fd::from_c(sockfd), buffer, length, flags) }
            .map_err(|e| Error::io(e, format_args!("sending {length} bytes through descriptor {sockfd}")))
    })
}

/// mm_recv() - receive from a socket
/// @sockfd:     descriptor of the socket, an IPC endpoint included
/// @buffer:     receives the data
/// @length:     size of @buffer in bytes
/// @flags:      0, or flags of recv(): MSG_DONTWAIT, MSG_PEEK, MSG_WAITALL, MSG_TRUNC...
///
/// From a stream socket fewer bytes may come than there is room for, unless MSG_WAITALL is given. Of a datagram what
/// does not fit is discarded; MSG_TRUNC gives its real size. Descriptors that come with a message of an IPC endpoint
/// are closed: use mm_ipc_recvmsg() to get these.
///
/// Return: the number of bytes received, 0 at the end of the stream or for an empty datagram; on failure -1, and the
///   error state is set.
///
/// Errors:
///   ECONNRESET       the peer has ended the connection
///   ECONNREFUSED     nobody received an earlier datagram
///   EAGAIN           there is no data, and the socket is non-blocking, MSG_DONTWAIT is given, or SO_RCVTIMEO ran out
///   EINTR            the call was interrupted by a signal handler before data arrived
///   ENOTCONN         the socket is not connected
///   EINVAL           the socket does not have these @flags, or MSG_OOB is given and there is no such data
///   @errors socket
///   EFAULT           @buffer cannot be written
///   ETIMEDOUT, EHOSTUNREACH, ENETUNREACH  what went wrong with the connection on the network
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
        // SAFETY: the caller promised that length bytes may be written; the kernel finds out where not.
        unsafe { socket::recv(Fd::from_c(sockfd), buffer, length, flags) }
            .map_err(|e| Error::io(e, format_args!("receiving {length} bytes from descriptor {sockfd}")))
    })
}

/// mm_sendmsg() - send a message, from several buffers and with an address
/// @sockfd:     descriptor of the socket
/// @msg:        message: whom it is for (NULL for a connected socket), data and ancillary data
/// @flags:      as for mm_send()
///
/// Return: the number of bytes sent; on failure -1, and the error state is set.
///
/// Errors:
///   EISCONN          the socket is connected, and @msg has an address
///   EMSGSIZE         the datagram is too large, or the message has more than 1024 buffers
///   EINVAL           the ancillary data or the address is malformed, or the sizes of the buffers make more than
///                    SSIZE_MAX
///   EAFNOSUPPORT     the address is of another family than the socket
///   ETOOMANYREFS     more file descriptors than RLIMIT_NOFILE are sent and not yet received (AF_UNIX)
///   EFAULT           @msg or what it points to cannot be read, NULL included
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
        // SAFETY: the caller promised that all of it may be read; the kernel finds out where not.
        unsafe { socket::sendmsg(Fd::from_c(sockfd), msg, flags) }
            .map_err(|e| Error::io(e, format_args!("sending a message through descriptor {sockfd}")))
    })
}

/// mm_recvmsg() - receive a message, into several buffers and with its address
/// @sockfd:     descriptor of the socket
/// @msg:        message: room for the address of its sender, for data and for ancillary data. Receives the sizes of the
///              addresses, and flags: MSG_TRUNC, MSG_CTRUNC, MSG_OOB...
/// @flags:      as for mm_recv(), and MSG_CMSG_CLOEXEC
///
/// Without any buffer, the sender of an empty datagram is returned.
///
/// Descriptors that come with the message are inherited by executed programs, unless MSG_CMSG_CLOEXEC is given.
///
/// Return: the number of bytes received, 0 at the end of the stream or for an empty datagram; on failure -1, and the
///   error state is set.
///
/// Errors:
///   EMSGSIZE         the message has more than 1024 buffers
///   EINVAL           the size of the address is negative, taken as an int, or those of the buffers make more than
///                    SSIZE_MAX
///   EFAULT           @msg cannot be read and written, or what it points to cannot be written, NULL included
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
        // SAFETY: the caller promised that all of it may be written; the kernel finds out where not.
        let received = unsafe { socket::recvmsg(Fd::from_c(sockfd), msg, flags) }
            .map_err(|e| Error::io(e, format_args!("receiving a message from descriptor {sockfd}")))?;
        // SAFETY: it has succeeded.
        unsafe { note_descriptors(msg) };
        Ok(received)
    })
}

/// mm_send_multimsg() - send several messages at once
/// @sockfd:     descriptor of the socket
/// @vlen:       number of elements of @msgvec; 1024 of them at most are sent
/// @msgvec:     messages, as for mm_sendmsg(); datalen of those that were sent is set, of the others not
/// @flags:      as for mm_send()
///
/// Return: the number of messages sent, which is less than @vlen if one that is not the first could not be sent, or 0
///   if @vlen is; on failure -1, and the error state is set.
///
/// Errors:
///   EINVAL           @vlen is negative
///   EFAULT           @msgvec or what it points to cannot be read, or datalen not written
///   as mm_sendmsg()  for the first message
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: differs from mmlib: a negative @vlen is an error, not 1024.
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
        // SAFETY: the caller promised that all of it may be read; the kernel finds out where not.
        unsafe { socket::sendmmsg(Fd::from_c(sockfd), msgvec.cast(), count, flags) }
            .map_err(|e| Error::io(e, format_args!("sending {count} messages through descriptor {sockfd}")))
    })
}

/// mm_recv_multimsg() - receive several messages at once
/// @sockfd:     descriptor of the socket
/// @vlen:       number of elements of @msgvec; 1024 of them at most are used
/// @msgvec:     messages, as for mm_recvmsg(); datalen of those that were received is set, of the others not
/// @flags:      as for mm_recvmsg(), and MSG_WAITFORONE to wait for the first message only
/// @timeout:    NULL, or a time after which no further message is waited for; receives what is left of it
///
/// Waits until @vlen messages have come. The kernel looks at @timeout only when a message has come: if none comes, it
/// waits for ever. SO_RCVTIMEO bounds that. At the end of a stream the messages that remain are empty.
///
/// Descriptors that come with a message are inherited by executed programs, unless MSG_CMSG_CLOEXEC is given.
///
/// Return: the number of messages received, which is less than @vlen if time ran out, a signal handler was called or
///   something failed after the first one (it is reported by the next call), or 0 if @vlen is; on failure -1, and the
///   error state is set.
///
/// Errors:
///   EINVAL           @vlen is negative, or @timeout is no valid time
///   EFAULT           @msgvec, what it points to, or @timeout cannot be read and written
///   as mm_recvmsg()  for the first message
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: differs from mmlib: a negative @vlen is an error, not 1024.
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
        // SAFETY: the caller promised that all of it may be written; the kernel finds out where not.
        let received = unsafe { socket::recvmmsg(Fd::from_c(sockfd), msgvec.cast(), count, flags, timeout) }
            .map_err(|e| Error::io(e, format_args!("receiving {count} messages from descriptor {sockfd}")))?;
        for position in 0..usize::try_from(received).unwrap_or(0) {
            // SAFETY: the kernel has written so many elements.
            unsafe { note_descriptors(&raw const (*msgvec.add(position)).msg) };
        }
        Ok(received)
    })
}

/// # Safety
/// The kernel has just received into `msg`.
#[inline]
unsafe fn note_descriptors(msg: *const libc::msghdr) {
    // SAFETY: as promised by the caller.
    let msg = unsafe { msg.read() };
    if msg.msg_controllen != 0 {
        // SAFETY: the kernel has written as much.
        unsafe { ancillary::note_received(&msg) };
    }
}

/// As many messages as one call handles; EINVAL for a negative number.
#[inline]
#[track_caller]
fn number_of_messages(vlen: c_int) -> Result<c_uint> {
    const MOST: c_uint = 1024;
    match c_uint::try_from(vlen) {
        Ok(count) => Ok(count.min(MOST)),
        Err(_) => Err(arg::negative(vlen, "msgvec")),
    }
}

/// mm_getaddrinfo() - resolve names of a host and of a service to addresses
/// @node:       name of the host, or an address as text; NULL means this machine
/// @service:    name of the service, or a port as text; NULL leaves the port 0
/// @hints:      what is wanted: family, type of socket, protocol, flags AI_PASSIVE, AI_NUMERICHOST...; NULL means all
/// @res:        receives the list of addresses, to be released with mm_freeaddrinfo()
///
/// This is the C library's getaddrinfo(): its files, its configuration and its order.
///
/// Return: 0 on success; on failure -1, with @res unspecified, and the error state is set.
///
/// Errors:
///   MM_ENONAME       @node is not known, or, with AI_NUMERICHOST, no address
///   MM_ENOTFOUND     @service is not known, or not for this type of socket
///   EADDRNOTAVAIL    the host has no address of this family
///   EAFNOSUPPORT     the family is not supported
///   EPROTOTYPE       the type of socket is not supported, or does not fit the protocol
///   EINVAL           both names are NULL; @hints has AI_CANONNAME and @node is NULL; it has AI_NUMERICSERV and
///                    @service is not NULL and not made of digits; it has unknown flags; or @node is no valid
///                    international name
///   EFAULT           @res is NULL
///   @errors resolver
///   EOVERFLOW        a name is too long
///
/// Thread safety: MT-Safe; other threads must not change the environment at the same time
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: differs from mmlib: a failure never has number 0 or one of an earlier failure; with AI_NUMERICSERV
///   and no @service the reason of a failure is reported; NULL for @res does not crash.
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

/// mm_getnameinfo() - tell the names of an address
/// @addr:       address
/// @addrlen:    size of @addr in bytes
/// @host:       receives the name of the host, terminated; or NULL
/// @hostlen:    size of @host in bytes
/// @serv:       receives the name of the service, terminated; or NULL
/// @servlen:    size of @serv in bytes
/// @flags:      0, or NI_NUMERICHOST, NI_NUMERICSERV, NI_NAMEREQD, NI_DGRAM...
///
/// What has no name is written as a number, unless @flags has NI_NAMEREQD.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EOVERFLOW        a name does not fit
///   MM_ENONAME       the host has no name, and NI_NAMEREQD is given; or no name is asked for
///   EAFNOSUPPORT     the family of the address is unknown, or @addrlen too small
///   EINVAL           @flags has unknown flags
///   EFAULT           @addr is NULL
///   @errors resolver
///
/// Thread safety: MT-Safe; other threads must not change the environment at the same time
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: differs from mmlib: NULL does not crash, and a failure never has number 0.
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
        // SAFETY: the caller promised all of it, and the resolver does not look at 0 bytes.
        unsafe { resolver::names_of(addr, addrlen, host, service, flags) }
            .map_err(|e| names::error(e, format_args!("asking for the names of an address of {addrlen} bytes")))
    })
}

/// mm_freeaddrinfo() - release a list of addresses
/// @res:        list of mm_getaddrinfo(); NULL does nothing
///
/// Errors: none
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `res` is null or came from mm_getaddrinfo(), was not released since, and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_freeaddrinfo(res: *mut libc::addrinfo) {
    // SAFETY: as the caller promised.
    unsafe { freeaddrinfo(res) }
}

/// mm_create_sockclient() - connect to what a URI names
/// @uri:        scheme://host, scheme://host:port, and anything behind it from a slash on, which is ignored
///
/// The scheme is made of small letters. With tcp and udp the URI needs a port, which may be 0, although nobody
/// listens there; any other is the name of a service, which decides the type of socket, and the port unless the URI
/// has one above 0. The port is a number of C: 0x80 is hexadecimal, 010 is octal, what follows the digits is
/// ignored; text that does not begin with a number counts as no port. The host is a name, an IPv4 address, or an
/// IPv6 address between brackets, with its zone if it needs one: tcp://[fe80::1%eth0]:80. The percent sign before
/// the zone may be written as %25 (RFC 6874), except where digits alone follow it: [fe80::1%252] has zone 252. No
/// other percent escape is decoded, neither in a zone nor in a name.
///
/// The addresses of the host are tried one after the other, each once, in the order of mm_getaddrinfo(), until one
/// takes the connection. If the service exists for streams, only streams are tried; a service for datagrams alone, and
/// udp, give a datagram socket, which is connected to the first address without asking anybody.
///
/// Each attempt ends when mm_connect() does. Only the kernel bounds it: an address that does not answer takes about two
/// minutes (net.ipv4.tcp_syn_retries, for IPv6 as well) before the next is tried, since there is no socket of which
/// SO_SNDTIMEO could be set beforehand. Nor is there a bound for the resolver other than its own (resolv.conf(5)). A
/// program that needs another bound calls mm_getaddrinfo(), mm_socket(), mm_setsockopt() and mm_connect() itself, or
/// has a signal interrupt the attempt, with a handler that was installed without SA_RESTART.
///
/// The descriptor is inherited by executed programs.
///
/// Return: the descriptor, blocking, to be closed with mm_close(); on failure -1, and the error state is set.
///
/// Errors:
///   EINVAL           @uri is NULL; it has no scheme, no host, user information, or a port above 65535; brackets hold
///                    no IPv6 address, or neither a colon nor the end follows them; or the port that tcp and udp need
///                    is missing or negative
///   MM_ENOTFOUND     the scheme is no service
///   MM_ENONAME       the host is not known
///   EINTR            the call was interrupted by a signal handler; no further address is tried
///   ENOMEM           not enough memory
///   as mm_getaddrinfo()
///   as mm_socket(), mm_connect()  for the last address, which the description of the error names
/// Error notes: If all addresses fail, a line is logged for each.
///
/// Thread safety: MT-Safe; other threads must not change the environment at the same time
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point; a thread that is cancelled here leaves the list of addresses, and perhaps the
///   socket, behind
/// Compatibility: differs from mmlib: the port goes to the peer in the right order of bytes; no datagram socket is
///   returned if streams are refused, or tried before the streams of all addresses; ports above 65535 and user
///   information are refused; a scheme may have any length; IPv6 addresses may be given; an attempt that fails is not
///   logged if a later one succeeds; a signal ends it; nothing leaks.
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

/// mm_poll() - wait for events on descriptors
/// @fds:        descriptors and the events wanted of each; the events found are stored there
/// @nfds:       number of elements of @fds
/// @timeout_ms: longest time to wait, in milliseconds; 0 does not wait, a negative number waits without limit
///
/// As poll(): an element with a negative descriptor is passed over, one that is not open shows POLLNVAL. IPC
/// endpoints can be waited for as anything else.
///
/// Return: the number of elements with events, 0 if the time ran out; on failure -1, and the error state is set.
///
/// Errors:
///   EINVAL           @nfds is negative or above RLIMIT_NOFILE
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
        // SAFETY: the caller promised that the elements may be read and written; the kernel finds out where not.
        unsafe { file::poll(fds, nfds, timeout_ms) }
            .map_err(|e| Error::os(e, format_args!("polling {nfds} descriptors for {timeout_ms} ms")))
    })
}
