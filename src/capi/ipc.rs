// SPDX-License-Identifier: Apache-2.0
//! Entry points under the banner 'IPC'.

use super::arg;
use super::ret::{self, ret, ret_preserving_errno};
use super::types::{mm_ipc_msg, mm_ipc_srv};
use crate::error::{Error, Result};
use crate::ipc::address::Address;
use crate::ipc::connect::Connecting;
use crate::ipc::message;
use crate::ipc::server::Server;
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
/// @addr:       name to listen to: any bytes, at most 107
///
/// Clients of the same network namespace can connect from now on with mm_ipc_connect(@addr), whichever user runs
/// them: the name is an abstract socket address, which has neither a file nor permissions. Connections wait to be
/// accepted, up to 4097 of them, or net.core.somaxconn + 1 if that is lower.
///
/// A peer that does not use this library connects a SOCK_SEQPACKET socket to the same address: a NUL byte, @addr, and
/// NUL bytes up to sizeof(struct sockaddr_un). In Python, socket.connect(b"\0" + addr.ljust(107, b"\0")); with socat,
/// ABSTRACT-CONNECT:addr,type=5,unix-tightsocklen=0.
///
/// The listening descriptor is hidden and close-on-exec, and never 0, 1 or 2. A program that closes it together with
/// all descriptors that it does not know loses the server: mm_ipc_srv_accept() fails with EBADF then, and what has its
/// number is left alone.
///
/// Return: the server, to be released with mm_ipc_srv_destroy(); on failure NULL, and the error state is set.
///
/// Errors:
///   EADDRINUSE       another server, of any process, listens to @addr
///   ENAMETOOLONG     @addr has more than 107 bytes
///   EINVAL           @addr is NULL
///   @errors ipc-socket
///   EAFNOSUPPORT     the system has no Unix domain sockets
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: the listening descriptor is not inherited by executed programs, more than 6
///   connections may wait, and NULL does not crash.
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
/// @srv:        server to destroy; NULL does nothing
///
/// Clients are refused from now on. The name can be listened to again as soon as this returns, or, if threads are inside
/// mm_ipc_srv_accept(), as soon as these have returned: they fail with ECANCELED. Connections that were not accepted are
/// dropped: their clients get ECONNRESET. Accepted connections live on until they are closed.
///
/// After a fork() of whatever kind, clone() included, both processes have the server. The process that created it
/// stops it for all: clients are refused at once, also if another process still has a copy, but the name stays
/// taken until the last copy is closed. A process that did not create it releases its own copy, and stops the
/// server for all only if the process that created it has ended, or if one of its own threads is inside
/// mm_ipc_srv_accept().
///
/// errno and the error state are not changed.
///
/// Errors: none
///
/// Thread safety: MT-Safe: another thread may be inside mm_ipc_srv_accept(@srv), but none may use @srv afterwards
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: threads inside mm_ipc_srv_accept() are released, and clients are refused at once,
///   even if the listening descriptor was inherited by other processes.
///
/// # Safety
/// `srv` is null or came from mm_ipc_srv_create() and was not destroyed since.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_ipc_srv_destroy(srv: *mut mm_ipc_srv) {
    let Some(server) = NonNull::new(srv) else {
        return;
    };
    let _errno = PreservedErrno::new();
    let _whole = WithoutCancellation::new();
    // SAFETY: the reference of the owner, which calls this once: nobody uses the server afterwards, as the caller promised.
    let owner = unsafe { Reference::of_owner(server.cast::<Counted<Server>>()) };
    owner.value().stop(owner.is_shared());
}

/// mm_ipc_srv_accept() - accept an incoming connection
/// @srv:        IPC server
///
/// Takes the first of the pending connections, and waits for one if there is none.
///
/// The descriptor is inherited by executed programs, and blocking.
///
/// Return: the descriptor of the connection, the lowest number available, to be closed with mm_close(); on failure -1,
///   and the error state is set.
///
/// Errors:
///   ECANCELED        the server was destroyed while this waited
///   EINTR            the call was interrupted by a signal handler
///   EBADF            the program has closed the hidden descriptor of @srv
///   EINVAL           @srv is NULL
///   @errors pending buffers
///   ECONNABORTED     the connection was aborted
///   EPERM            a security policy forbids it
///
/// Thread safety: MT-Safe: several threads may accept from one server
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: differs from mmlib: mm_ipc_srv_destroy() releases it, and NULL does not crash.
///
/// # Safety
/// `srv` is null or came from mm_ipc_srv_create() and was not destroyed before this call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_ipc_srv_accept(srv: *mut mm_ipc_srv) -> c_int {
    ret("mm_ipc_srv_accept", || {
        let server = NonNull::new(srv).ok_or_else(|| arg::null("srv"))?;
        // SAFETY: the server was not destroyed, as the caller promised. Server::accept() has no value with a destructor.
        unsafe {
            let server = Reference::new(server.cast::<Counted<Server>>());
            cancel::owning(server, |server, cancellation| server.value().accept(cancellation))
        }
    })
}

/// mm_ipc_connect() - connect to an IPC server
/// @addr:       name that the server listens to: any bytes, at most 107
///
/// If no server listens to @addr, waits until one does, without using the processor: a server of this library notifies
/// its waiting clients, and for one of mmlib they look four times a second. If the queue of connections that the server
/// has not accepted is full, waits for a place in it.
///
/// The environment variable MMSYSIO_CONNECT_TIMEOUT_MS, read when a process calls this for the first time, bounds both
/// waits of each call, in milliseconds; with 0 there is none. A call that is repeated after EINTR has the whole time
/// again. A program with the set-user-ID or set-group-ID bit does not look at the variable.
///
/// The connection can be used at once, also before the server accepts it. Any process may listen to a name: ask
/// the connection for SO_PEERCRED to know whose server it is.
///
/// The descriptor is inherited by executed programs, and blocking. The sockets of a call that waits for a server are
/// close-on-exec. That of a call that waits for a place in the queue is mostly the one that it returns, and is inherited
/// as well. None of them is 0, 1 or 2, and a child of fork() does not have them. (A child of clone(), or of a fork that
/// runs no handlers of pthread_atfork(), has those that are open at that moment.)
///
/// Return: the descriptor of the connection, the lowest number available, to be closed with mm_close(); on failure -1,
///   and the error state is set.
///
/// Errors:
///   ETIMEDOUT        no server listened, or none accepted connections, in the time of MMSYSIO_CONNECT_TIMEOUT_MS
///   ECONNREFUSED     no server listens, and MMSYSIO_CONNECT_TIMEOUT_MS is 0
///   EAGAIN           the queue of the server is full, and MMSYSIO_CONNECT_TIMEOUT_MS is 0
///   ENAMETOOLONG     @addr has more than 107 bytes
///   EINTR            the call was interrupted by a signal handler; never because the process was stopped and continued
///   EINVAL           @addr is NULL
///   @errors ipc-socket
///   EAFNOSUPPORT     the system has no Unix domain sockets
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point, which leaves no socket behind
/// Compatibility: differs from mmlib: it waits for a server, as was always documented, instead of failing with
///   ECONNREFUSED; a name that is too long is refused, not cut; and NULL does not crash.
///
/// # Safety
/// `addr` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_ipc_connect(addr: *const c_char) -> c_int {
    ret_preserving_errno("mm_ipc_connect", || {
        // SAFETY: a string, as the caller promised.
        let name = unsafe { arg::string(addr, "addr") }?;
        let address = Address::new(name)?;
        // SAFETY: Connecting::connect() has all values with a destructor in what it is called with.
        unsafe { cancel::owning(Connecting::new(&address)?, Connecting::connect) }
    })
}

/// mm_ipc_connected_pair() - create two connected IPC endpoints
/// @fds:        receives the two descriptors, the lowest numbers available
///
/// What is sent through one is received from the other, both ways.
///
/// The descriptors are inherited by executed programs, and blocking. After a failure @fds is unspecified.
///
/// Return: 0 on success, with both descriptors to be closed with mm_close(); on failure -1, and the error state is set.
///
/// Errors:
///   EFAULT           @fds cannot be written, NULL included
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
        // SAFETY: the caller promised that both elements may be written; the kernel finds out where not.
        unsafe { socket::socketpair(libc::AF_UNIX, libc::SOCK_SEQPACKET, 0, fds) }
            .map_err(|e| Error::os(e, format_args!("creating a pair of connected endpoints")))?;
        // SAFETY: it has succeeded.
        unsafe { ret::note_pair(fds) };
        Ok(())
    })
}

/// mm_ipc_sendmsg() - send a message through an IPC endpoint
/// @fd:         descriptor of the endpoint
/// @msg:        message: the data in @msg->iov, the descriptors in @msg->fds
///
/// The data is one datagram: it is sent whole or not at all, and received alone. It may be empty. If the endpoint
/// has no room for it, waits for some. The descriptors are duplicated for the receiver; the caller keeps its own,
/// and may close them as soon as this returns. @msg is not modified.
///
/// A sender that waits for room goes on only when its peer has read about three quarters of what is queued.
///
/// Return: the number of bytes sent; on failure -1, with nothing sent, and the error state is set.
///
/// Errors:
///   EPIPE            the peer has closed the connection (never with a signal)
///   ECONNRESET       the peer has closed the connection without reading all that was sent
///   EMSGSIZE         the datagram is larger than SO_SNDBUF - 32 bytes (212960 by default), or @msg->num_iov is
///                    negative or above 1024
///   EINVAL           @msg is NULL; @msg->num_fds is negative or above 253, or positive with @msg->fds NULL; one of
///                    @msg->fds is an io_uring instance, which cannot be sent
///   EBADF            @fd, or one of @msg->fds, is not open
///   @errors endpoint
///   EFAULT           the data, or the array @msg->iov, cannot be read
///   EINTR            the call was interrupted by a signal handler before there was space
///   EAGAIN           there is no space, and the endpoint is non-blocking or its SO_SNDTIMEO ran out
///   ETOOMANYREFS     more descriptors of the user are under way than RLIMIT_NOFILE allows
///   EACCES, EPERM    the receiver refuses descriptors, or a security policy forbids it
///   EDESTADDRREQ, EISCONN, EOPNOTSUPP  @fd is a socket of another kind, which reports this
///   ENOBUFS, ENOMEM  not enough memory. A datagram needs memory in one piece: with a large SO_SNDBUF one of more than
///                    about 4 MiB (4263616 bytes) gets ENOBUFS always, and a smaller one may
/// Error notes: EAGAIN and EINTR are recorded in the error state, but not logged.
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe, but it only calls send() or sendmsg() if it succeeds
/// Cancellation: cancellation point
/// Compatibility: differs from mmlib: a number of descriptors out of range and NULL give an error instead of a crash;
///   no SIGPIPE is raised on a stream socket either.
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
/// @fd:         descriptor of the endpoint
/// @msg:        message: room for the data in @msg->iov, for the descriptors in @msg->fds
///
/// Receives one datagram, and waits for one if there is none. Data beyond the room in @msg->iov is discarded, and
/// MSG_TRUNC set in @msg->flags. Descriptors beyond @msg->num_fds_max are closed, and MSG_CTRUNC is set; so it is
/// if the process has no number free for them. At most 253 come with a message; a negative @msg->num_fds_max means 0.
///
/// Other ancillary data that the endpoint was set up for (SO_PASSCRED, SO_PASSPIDFD, SO_PASSSEC, SO_TIMESTAMP) takes
/// nothing of that capacity, and is dropped. But with @msg->num_fds_max 0 the kernel drops all ancillary data without
/// saying of which kind it was: on such an endpoint, MSG_CTRUNC is then set also without descriptors.
///
/// @msg->num_fds and @msg->flags are written by every success, and by no failure. The descriptors received are the
/// caller's, to be closed with mm_close(), and are not inherited by executed programs.
///
/// Empty datagrams without descriptors that are the last before the peer closed the connection read as its end. An
/// empty datagram without descriptors is also what a receive would report whose descriptor another thread closes with
/// close() instead of mm_close(), if that thread at once gives the number to another connection by socket() or the
/// like: use the functions of the library for that.
///
/// Return: the number of bytes stored, 0 for an empty datagram (which may bring descriptors); on failure -1, and the
///   error state is set.
///
/// Errors:
///   EPIPE            the peer has closed the connection, and everything that it sent was received
///   ECONNRESET       the same, and the peer had not read all that was sent to it, or never accepted the connection
///   EINVAL           @msg is NULL; or @msg->num_fds_max is positive and @msg->fds NULL
///   EMSGSIZE         @msg->num_iov is negative or above 1024
///   EBADF            @fd is not open, or another thread has closed it while this waited
///   @errors endpoint
///   ECONNREFUSED     @fd is a socket of another kind, which reports this
///   EFAULT           the data cannot be stored: the message is lost; or the array @msg->iov cannot be read
///   EINTR            the call was interrupted by a signal handler before a message arrived. If SO_RCVTIMEO is set, the
///                    kernel gives it also when the process is stopped and continued, or traced
///   EAGAIN           no message is there, and the endpoint is non-blocking or its SO_RCVTIMEO ran out
///   ENOMEM           not enough memory
/// Error notes: EPIPE, EAGAIN and EINTR are recorded in the error state, but not logged.
///
/// Thread safety: MT-Safe: several threads may receive from one endpoint, each message reaches one of them
/// Signal safety: not async-signal-safe, but it only calls recvmsg() if it receives data
/// Cancellation: cancellation point
/// Compatibility: differs from mmlib: an empty datagram is a message, and the end of the stream gives EPIPE instead of
///   a stale number; @msg->num_fds is always written; no descriptor is lost if the datagram is empty, or if other
///   ancillary data comes along; data that the peer sent before it closed the connection is received even if it had not
///   read ours; a receive whose descriptor is closed does not succeed; a number out of range and NULL do not crash.
///
/// # Safety
/// `msg` is null or valid; its `iov` and `num_iov`, and its `fds` and `num_fds_max`, are pairs of pointer and count.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_ipc_recvmsg(fd: c_int, msg: *mut mm_ipc_msg) -> libc::ssize_t {
    ret("mm_ipc_recvmsg", || {
        // SAFETY: null or valid, with pairs of pointer and count, as the caller promised.
        let message = unsafe { Wanted::from_c(msg) }?;
        message::receive(Fd::from_c(fd), &message).result()
    })
}

/// A message of which all pointers and counts are as mm_ipc_sendmsg() documents them.
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
        // SAFETY: as from_c() was promised.
        unsafe { IovArray::from_c(self.0.iov, self.0.num_iov) }
    }

    #[inline]
    fn descriptors(&self) -> SentFds<'_> {
        // SAFETY: as from_c() was promised.
        unsafe { SentFds::from_c(self.0.fds, self.0.num_fds) }
    }
}

/// A message of which all pointers and counts are as mm_ipc_recvmsg() documents them. It is accessed field by field: the
/// data may lie over the fields that report the result.
struct Wanted(NonNull<mm_ipc_msg>);

impl Wanted {
    /// # Safety
    /// `msg` is null or valid as long as this exists; its `iov` and `num_iov`, and its `fds` and `num_fds_max`, are pairs
    /// of pointer and count.
    #[inline]
    #[track_caller]
    unsafe fn from_c(msg: *mut mm_ipc_msg) -> Result<Wanted> {
        NonNull::new(msg).map(Wanted).ok_or_else(|| arg::null("msg"))
    }
}

impl Incoming for Wanted {
    #[inline]
    fn buffers(&self) -> IovArray<'_> {
        let msg = self.0.as_ptr();
        // SAFETY: as from_c() was promised.
        unsafe { IovArray::from_c((*msg).iov, (*msg).num_iov) }
    }

    #[inline]
    fn descriptors(&self) -> FdArray<'_> {
        let msg = self.0.as_ptr();
        // SAFETY: as from_c() was promised.
        unsafe { FdArray::from_c((*msg).fds, (*msg).num_fds_max) }
    }

    #[inline]
    fn report(&self, descriptors: c_int, flags: c_int) {
        let msg = self.0.as_ptr();
        // SAFETY: as from_c() was promised.
        unsafe {
            (*msg).num_fds = descriptors;
            (*msg).flags = flags;
        }
    }
}
