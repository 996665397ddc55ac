// SPDX-License-Identifier: Apache-2.0
//! Entry points under the banner 'IPC'.

use super::arg;
use super::ret::{self, ret, ret_preserving_errno};
use super::types::{mm_ipc_msg, mm_ipc_srv};
use crate::error::{Error, Result};
use crate::ipc::accept::Accepting;
use crate::ipc::address::Address;
use crate::ipc::connect::{Connecting, Wanted};
use crate::ipc::message;
use crate::ipc::server::Server;
use crate::ipc::target::Target;
use crate::ipc::timeout::Timeout;
use crate::os::ancillary::{FdArray, SentFds};
use crate::os::cancel::{self, WithoutCancellation};
use crate::os::message::{Incoming, IovArray, Outgoing};
use crate::os::reference::{Counted, Reference};
use crate::rt::errno::PreservedErrno;
use crate::rt::fd::Fd;
use crate::sys::socket;
use core::ffi::{c_char, c_int};
use core::ptr::NonNull;

/// mm_ipc_srv_create() - create an IPC server
/// @addr:       name to listen on: at most 107 bytes of any value except NUL
///
/// After this call, any process in the same network namespace can connect with mm_ipc_connect(@addr), regardless of its
/// user ID. The name is an abstract socket address: it has no file and no permissions. Up to 4097 connections, or
/// net.core.somaxconn + 1 if that is lower, can wait to be accepted.
///
/// A peer that does not use this library connects a SOCK_SEQPACKET socket to the same address: sun_path contains a NUL
/// byte and @addr, padded with NUL bytes to its full size, and the address length is sizeof(struct sockaddr_un). In
/// Python: socket.connect(b"\0" + addr.ljust(107, b"\0")). With socat:
/// ABSTRACT-CONNECT:addr,type=5,unix-tightsocklen=0.
///
/// The listening file descriptor is internal to the library. Its close-on-exec flag is set, and it is never 0, 1 or 2.
/// If the program closes it, for example in a loop over all file descriptors, the server becomes unusable:
/// mm_ipc_srv_accept() fails with EBADF. The library does not use another file descriptor that is later opened with the
/// same number.
///
/// Return: the server, to be released with mm_ipc_srv_destroy(); NULL on failure, and the error state is set.
///
/// Errors:
///   EADDRINUSE       another server, in this or another process, is listening on @addr
///   ENAMETOOLONG     @addr has more than 107 bytes
///   EINVAL           @addr is NULL
///   @errors ipc-socket
///   EAFNOSUPPORT     the system does not support Unix domain sockets
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: the close-on-exec flag is set on the listening file descriptor, more than 6
///   connections can wait to be accepted, and NULL does not crash.
///
/// # Safety
/// `addr` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_ipc_srv_create(addr: *const c_char) -> *mut mm_ipc_srv {
    ret("mm_ipc_srv_create", || {
        // SAFETY: a string, as the caller promised.
        let name = unsafe { arg::string(addr, "addr") }?;
        let server = Server::create(&Address::new(name)?)?;
        ret::boxed(Counted::new(server))
    })
    .cast()
}

/// mm_ipc_srv_destroy() - destroy an IPC server
/// @srv:        server to destroy; NULL is accepted and does nothing
///
/// After this call, connections are refused. mm_ipc_srv_accept() fails with ECANCELED in threads that are inside it.
/// The name can be used again as soon as this call and those threads have returned. Connections that have not been
/// accepted are closed, and their clients get ECONNRESET. Accepted connections are not affected.
///
/// After a fork of any kind, including clone(), both processes have the server. If the process that created it calls
/// this function, the server stops for all processes: connections are refused at once, even if another process still
/// has a copy, but the name remains in use until the last copy is closed. If another process calls it, only the copy of
/// that process is released, with two exceptions: the server stops for all processes if its creator has terminated, or
/// if a thread of the calling process is inside mm_ipc_srv_accept().
///
/// errno and the error state are not changed.
///
/// Errors: none
///
/// Thread safety: MT-Safe: other threads may be inside mm_ipc_srv_accept(@srv), but no thread may use @srv afterwards
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: threads inside mm_ipc_srv_accept() return, and connections are refused at once
///   even if other processes have inherited the listening file descriptor.
///
/// # Safety
/// `srv` is null or was returned by mm_ipc_srv_create() and has not been destroyed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_ipc_srv_destroy(srv: *mut mm_ipc_srv) {
    let Some(server) = NonNull::new(srv) else {
        return;
    };
    let _errno = PreservedErrno::new();
    let _no_cancellation = WithoutCancellation::new();
    // SAFETY: this is the only call for the reference of the owner, because the server is not used afterwards, as the
    // caller promised.
    let owner = unsafe { Reference::of_owner(server.cast::<Counted<Server>>()) };
    owner.value().stop(owner.is_shared());
}

/// mm_ipc_srv_accept() - accept a connection
/// @srv:        IPC server
///
/// Returns the first pending connection. If there is none, the call blocks until a client connects.
///
/// The file descriptor is blocking, and the close-on-exec flag is not set on it.
///
/// Return: the file descriptor of the connection (the lowest number available), to be closed with mm_close(); -1 on
///   failure, and the error state is set.
///
/// Errors:
///   ECANCELED        the server was destroyed during the call
///   EINTR            the call was interrupted by a signal handler
///   EBADF            the program has closed the internal file descriptor of @srv
///   EINVAL           @srv is NULL
///   @errors pending buffers
///   ECONNABORTED     the connection was aborted
///   EPERM            a security policy forbids the operation
///
/// Thread safety: MT-Safe: several threads may accept connections from the same server
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: differs from mmlib: mm_ipc_srv_destroy() makes the call return, and NULL does not crash.
///
/// # Safety
/// `srv` is null or was returned by mm_ipc_srv_create(), and was not destroyed before this call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_ipc_srv_accept(srv: *mut mm_ipc_srv) -> c_int {
    ret_preserving_errno("mm_ipc_srv_accept", || {
        let server = NonNull::new(srv).ok_or_else(|| arg::null("srv"))?;
        // SAFETY: the server was not destroyed, as the caller promised. In Accepting::accept(), all values with a
        // destructor are in self.
        unsafe {
            let server = Reference::new(server.cast::<Counted<Server>>());
            cancel::owning(Accepting::new(server, 0, Timeout::Never), Accepting::accept)
        }
    })
}

/// mm_ipc_connect() - connect to an IPC server
/// @addr:       name that the server listens on: at most 107 bytes of any value except NUL
///
/// If no server listens on @addr, the call blocks until one does. It does not busy-wait: a server of this library
/// notifies its waiting clients, of which there can be thousands. A server of mmlib does not; to detect it, up to four of
/// the clients that wait for a name check for a server four times a second, and wake the others. If another client is
/// stopped (SIGSTOP), it can delay a client that is woken by it for up to 7 seconds, but only if more than 200 clients
/// wait, or if the server is that of mmlib. If the server's queue of pending connections is full, the call blocks until
/// there is space.
///
/// The environment variable MMSYSIO_CONNECT_TIMEOUT_MS limits the total time that a call waits for a server and for
/// space in its queue, in milliseconds. If it is 0, the call does not block. If it is not set or is not a non-negative
/// integer, there is no limit. The variable is read when the process calls this function for the first time. A call
/// that is repeated after EINTR starts with the full timeout. A set-user-ID or set-group-ID program ignores the
/// variable.
///
/// The connection can be used at once, even before the server accepts it. Any process can listen on a name: use the
/// socket option SO_PEERCRED to identify the server process.
///
/// The file descriptor is blocking, and the close-on-exec flag is not set on it. While the call waits, it may have
/// internal sockets open. None of them is file descriptor 0, 1 or 2. The close-on-exec flag is set on them, with one
/// exception: while the call waits for space in the queue, it usually uses the socket that it will return, on which the
/// flag is not set. The internal sockets are closed in the child of a fork(), but not in the child of a clone() or of
/// any other fork that does not run pthread_atfork() handlers.
///
/// Return: the file descriptor of the connection (the lowest number available), to be closed with mm_close(); -1 on
///   failure, and the error state is set.
///
/// Errors:
///   ETIMEDOUT        the timeout MMSYSIO_CONNECT_TIMEOUT_MS expired before a server was listening, or before the
///                    server's queue had space
///   ECONNREFUSED     no server is listening, and MMSYSIO_CONNECT_TIMEOUT_MS is 0
///   EAGAIN           the server's queue of pending connections is full, and MMSYSIO_CONNECT_TIMEOUT_MS is 0
///   ENAMETOOLONG     @addr has more than 107 bytes
///   EINTR            the call was interrupted by a signal handler; never because the process was stopped and continued
///   EINVAL           @addr is NULL
///   @errors ipc-socket
///   EAFNOSUPPORT     the system does not support Unix domain sockets
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point; a thread that is cancelled here leaves no socket open
/// Compatibility: differs from mmlib: the call waits for a server, as mmlib's documentation has always said, instead of
///   failing with ECONNREFUSED; a name that is too long is an error instead of being truncated; NULL does not crash.
///
/// # Safety
/// `addr` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_ipc_connect(addr: *const c_char) -> c_int {
    ret_preserving_errno("mm_ipc_connect", || {
        // SAFETY: a string, as the caller promised.
        let name = unsafe { arg::string(addr, "addr") }?;
        let target = Target::Abstract(Address::new(name)?);
        // This may log a line, so it must come before anything is owned.
        let wanted = Wanted { flags: 0, timeout: Timeout::from_environment(), is_timeout_logged: true };
        // SAFETY: in Connecting::connect(), all values with a destructor are in self.
        unsafe { cancel::owning(Connecting::new(target, wanted)?, Connecting::connect) }
    })
}

/// mm_ipc_connected_pair() - create a pair of connected IPC endpoints
/// @fds:        receives two file descriptors (the lowest numbers available)
///
/// A message sent through one endpoint is received from the other, in both directions.
///
/// Both file descriptors are blocking, and the close-on-exec flag is not set on them. After a failure the content of
/// @fds is unspecified.
///
/// Return: 0 on success, and both file descriptors are to be closed with mm_close(); -1 on failure, and the error state
///   is set.
///
/// Errors:
///   EFAULT           @fds is NULL or cannot be written
///   @errors ipc-socket
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
/// cbindgen:ptrs-as-arrays=[[fds;2]]
///
/// # Safety
/// `fds` is null or valid for two elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_ipc_connected_pair(fds: *mut c_int) -> c_int {
    ret("mm_ipc_connected_pair", || {
        // SAFETY: the caller promised that both elements may be written; otherwise the kernel reports EFAULT.
        unsafe { socket::socketpair(libc::AF_UNIX, libc::SOCK_SEQPACKET, 0, fds) }
            .map_err(|e| Error::os(e, format_args!("cannot create a pair of connected sockets")))?;
        // SAFETY: the call has succeeded.
        unsafe { ret::note_pair(fds) };
        Ok(())
    })
}

/// mm_ipc_sendmsg() - send a message through an IPC endpoint
/// @fd:         file descriptor of the endpoint
/// @msg:        the message: @msg->iov describes the data, @msg->fds the file descriptors. The call does not modify it
///
/// The data forms one datagram: it is sent as a whole or not at all, and the receiver gets it separately from other
/// messages. It may be empty. The file descriptors are duplicated for the receiver. Those of the caller remain open,
/// and can be closed as soon as the call returns.
///
/// If there is no buffer space, the call blocks. A blocked sender continues only after the peer has read about three
/// quarters of the queued data.
///
/// Speed: a message of 128 KiB fills more than half of the default buffer, so that sender and receiver wait for each
/// other. If SO_SNDBUF is set to 512 KiB at the sending end, such messages are 1.2 to 1.4 times as fast; without privileges,
/// net.core.wmem_max limits the size. Large data is passed several times as fast in shared memory, in which a message
/// contains only the position of the data. For many small messages, mm_send_multimsg() with 32 messages in each call is
/// 1.2 to 1.4 times as fast. If records need not arrive one by one, collect several in one message: a message of 1 KiB
/// takes hardly longer than one of 64 bytes.
///
/// Return: the number of bytes sent; -1 on failure, and the error state is set. After a failure nothing has been sent.
///
/// Errors:
///   EPIPE            the peer has closed the connection; SIGPIPE is never raised
///   ECONNRESET       the peer closed the connection before it had read all data sent to it
///   EMSGSIZE         the datagram has more than SO_SNDBUF - 32 bytes (212960 by default), or @msg->num_iov is negative
///                    or greater than 1024
///   EINVAL           @msg is NULL; @msg->num_fds is negative or greater than 253, or it is positive and @msg->fds is
///                    NULL; or one of @msg->fds is an io_uring instance, which cannot be sent
///   EBADF            @fd or one of @msg->fds is not open
///   @errors endpoint
///   EFAULT           the data or the array @msg->iov cannot be read
///   EINTR            the call was interrupted by a signal handler before there was buffer space
///   EAGAIN           there is no buffer space, and the endpoint is non-blocking or its SO_SNDTIMEO has expired
///   ETOOMANYREFS     the user has more file descriptors in flight (sent and not yet received) than RLIMIT_NOFILE
///                    allows
///   EACCES, EPERM    the receiver does not accept file descriptors, or a security policy forbids the operation
///   EDESTADDRREQ, EISCONN, EOPNOTSUPP  @fd is a socket of another kind, which reports this error
///   ENOBUFS, ENOMEM  not enough memory. A datagram needs contiguous memory: with a large SO_SNDBUF, a datagram of more
///                    than about 4 MiB (4263616 bytes) always fails with ENOBUFS, and a smaller one may fail in the
///                    same way
/// Error notes: EAGAIN and EINTR are recorded in the error state but not logged.
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe; a successful call uses only send() or sendmsg()
/// Cancellation: cancellation point
/// Compatibility: differs from mmlib: an invalid number of file descriptors and NULL cause an error instead of a crash;
///   SIGPIPE is not raised, not even on a stream socket.
///
/// # Safety
/// `msg` is null or valid; its `iov` and `num_iov`, and its `fds` and `num_fds`, are pairs of pointer and count.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_ipc_sendmsg(fd: c_int, msg: *const mm_ipc_msg) -> libc::ssize_t {
    ret("mm_ipc_sendmsg", || {
        // SAFETY: null or valid, with pairs of pointer and count, as the caller promised.
        let message = unsafe { Sent::from_c(msg) }?;
        message::send(Fd::from_c(fd), message).result()
    })
}

/// mm_ipc_recvmsg() - receive a message from an IPC endpoint
/// @fd:         file descriptor of the endpoint
/// @msg:        the message: @msg->iov describes the buffers for the data, @msg->fds the array for the file descriptors
///
/// Receives one datagram. If there is none, the call blocks until one arrives. If the data does not fit into @msg->iov,
/// the rest is discarded, and MSG_TRUNC is set in @msg->flags. File descriptors beyond @msg->num_fds_max are closed,
/// and MSG_CTRUNC is set. MSG_CTRUNC is also set if file descriptors are dropped because the process has reached its
/// limit on open file descriptors. A message contains at most 253 file descriptors; a negative @msg->num_fds_max means
/// 0.
///
/// Other ancillary data that is enabled on the endpoint (SO_PASSCRED, SO_PASSPIDFD, SO_PASSSEC, SO_TIMESTAMP) does not
/// reduce this capacity, and is discarded. If @msg->num_fds_max is 0, however, the kernel discards all ancillary data
/// without reporting its type: on such an endpoint, MSG_CTRUNC is then set even if the message contains no file
/// descriptors.
///
/// On success, @msg->num_fds and @msg->flags are set; on failure they are not modified. The caller owns the file
/// descriptors received, and closes them with mm_close(). Their close-on-exec flag is set.
///
/// If the last datagrams that the peer sent before it closed the connection are empty and contain no file descriptors,
/// they cannot be distinguished from the end of the connection, and are reported as such.
///
/// Use the functions of this library to close a file descriptor that another thread is receiving from. If a thread
/// closes it with close() instead of mm_close(), and socket() or a similar call immediately reuses the number for
/// another connection, the receiving call may report an empty datagram without file descriptors.
///
/// Return: the number of bytes stored, or 0 for an empty datagram, which may contain file descriptors; -1 on failure,
///   and the error state is set.
///
/// Errors:
///   EPIPE            the peer has closed the connection, and all its messages have been received
///   ECONNRESET       the same as EPIPE, but the peer closed the connection before it had read all data sent to it, or
///                    without having accepted it
///   EINVAL           @msg is NULL, or @msg->num_fds_max is positive and @msg->fds is NULL
///   EMSGSIZE         @msg->num_iov is negative or greater than 1024
///   EBADF            @fd is not open, or another thread closed it during the call
///   @errors endpoint
///   ECONNREFUSED     @fd is a socket of another kind, which reports this error
///   EFAULT           the data cannot be stored, and the message is lost; or the array @msg->iov cannot be read
///   EINTR            the call was interrupted by a signal handler before a message arrived. If SO_RCVTIMEO is set, the
///                    kernel also reports this error if the process is traced, or stopped and continued
///   EAGAIN           no message is available, and the endpoint is non-blocking or its SO_RCVTIMEO has expired
///   ENOMEM           not enough memory
/// Error notes: EPIPE, EAGAIN and EINTR are recorded in the error state but not logged.
///
/// Thread safety: MT-Safe: several threads may receive from the same endpoint, and each message is received by one of
///   them
/// Signal safety: not async-signal-safe; a call that receives data uses only recvmsg()
/// Cancellation: cancellation point
/// Compatibility: differs from mmlib: an empty datagram is a message, and the end of the connection is reported as
///   EPIPE instead of a stale errno value; @msg->num_fds is always set on success; no file descriptor is lost if the
///   datagram is empty or other ancillary data is received; data that the peer sent before it closed the connection is
///   received even if the peer had not read all data sent to it; the call fails if another thread closes @fd; an
///   invalid number of file descriptors and NULL cause an error instead of a crash.
///
/// # Safety
/// `msg` is null or valid; its `iov` and `num_iov`, and its `fds` and `num_fds_max`, are pairs of pointer and count.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_ipc_recvmsg(fd: c_int, msg: *mut mm_ipc_msg) -> libc::ssize_t {
    ret("mm_ipc_recvmsg", || {
        // SAFETY: null or valid, with pairs of pointer and count, as the caller promised.
        let message = unsafe { Requested::from_c(msg) }?;
        message::receive(Fd::from_c(fd), &message).result()
    })
}

/// A message to send. All its pointers and counts satisfy the documentation of mm_ipc_sendmsg().
#[repr(transparent)]
struct Sent(mm_ipc_msg);

impl Sent {
    /// # Safety
    /// `msg` is null or valid during `'a`; its `iov` and `num_iov`, and its `fds` and `num_fds`, are pairs of pointer and
    /// count.
    #[inline]
    #[track_caller]
    unsafe fn from_c<'a>(msg: *const mm_ipc_msg) -> Result<&'a Sent> {
        // SAFETY: as promised by the caller.
        unsafe { arg::structure(msg.cast::<Sent>(), "msg") }
    }
}

impl Outgoing for Sent {
    #[inline]
    fn buffers(&self) -> IovArray<'_> {
        // SAFETY: guaranteed by from_c().
        unsafe { IovArray::from_c(self.0.iov, self.0.num_iov) }
    }

    #[inline]
    fn descriptors(&self) -> SentFds<'_> {
        // SAFETY: guaranteed by from_c().
        unsafe { SentFds::from_c(self.0.fds, self.0.num_fds) }
    }
}

/// A message to receive. All its pointers and counts satisfy the documentation of mm_ipc_recvmsg(). The fields are
/// accessed one by one through the pointer, because the buffers may overlap the fields that report the result.
struct Requested(NonNull<mm_ipc_msg>);

impl Requested {
    /// # Safety
    /// `msg` is null or valid as long as this exists; its `iov` and `num_iov`, and its `fds` and `num_fds_max`, are pairs
    /// of pointer and count.
    #[inline]
    #[track_caller]
    unsafe fn from_c(msg: *mut mm_ipc_msg) -> Result<Requested> {
        NonNull::new(msg).map(Requested).ok_or_else(|| arg::null("msg"))
    }
}

impl Incoming for Requested {
    #[inline]
    fn buffers(&self) -> IovArray<'_> {
        let msg = self.0.as_ptr();
        // SAFETY: guaranteed by from_c().
        unsafe { IovArray::from_c((*msg).iov, (*msg).num_iov) }
    }

    #[inline]
    fn descriptors(&self) -> FdArray<'_> {
        let msg = self.0.as_ptr();
        // SAFETY: guaranteed by from_c().
        unsafe { FdArray::from_c((*msg).fds, (*msg).num_fds_max) }
    }

    #[inline]
    fn report(&self, descriptors: c_int, flags: c_int) {
        let msg = self.0.as_ptr();
        // SAFETY: guaranteed by from_c().
        unsafe {
            (*msg).num_fds = descriptors;
            (*msg).flags = flags;
        }
    }
}
