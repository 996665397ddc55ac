// SPDX-License-Identifier: Apache-2.0
//! Datagrams and the file descriptors that they carry.
#![forbid(unsafe_code)]

use crate::error::{ByteCount, Error, Result};
use crate::os::ancillary::{FdArray, MAX_DESCRIPTORS};
use crate::os::fd_history::{self, History};
use crate::os::message::{self, Incoming, IovArray, Outgoing, Received};
use crate::rt::errno::PreservedErrno;
use crate::rt::fd::Fd;
use crate::sys::{self, file, socket};
use core::ffi::c_int;
use errno::Errno;

/// Sends one datagram, as a whole or not at all.
#[inline(always)]
#[track_caller]
pub fn send(fd: Fd, message: &impl Outgoing) -> ByteCount {
    let buffer = if message.descriptors().is_empty() { message.buffers().only_buffer(message) } else { None };
    let Some(buffer) = buffer else { return send_any(fd, message) };
    // send() costs the kernel less than sendmsg(). The peer cannot tell the difference.
    match message::send(fd, &buffer, libc::MSG_NOSIGNAL) {
        Ok(bytes) => ByteCount::new(bytes),
        Err(failure) => not_sent(failure, fd, 1, 0).into(),
    }
}

// Not inlined: the common case would otherwise save the registers and reserve the stack that only the other cases need.
#[inline(never)]
#[track_caller]
fn send_any(fd: Fd, message: &impl Outgoing) -> ByteCount {
    let (buffers, descriptors) = (message.buffers(), message.descriptors());
    let array = match descriptors.as_slice() {
        Some(array) if array.len() <= MAX_DESCRIPTORS => array,
        _ => return not_sendable(descriptors.count()).into(),
    };
    message::sendmsg(fd, buffers, array, libc::MSG_NOSIGNAL)
        .map_err(|failure| not_sent(failure, fd, buffers.count(), descriptors.count()))
        .into()
}

#[cold]
#[track_caller]
fn not_sendable(count: c_int) -> Error {
    match usize::try_from(count) {
        Err(_) => {
            Error::new(libc::EINVAL, format_args!("cannot send {count} file descriptors: the number is negative"))
        }
        Ok(count) if count > MAX_DESCRIPTORS => Error::new(
            libc::EINVAL,
            format_args!("cannot send {count} file descriptors: a message carries at most {MAX_DESCRIPTORS}"),
        ),
        Ok(_) => {
            Error::new(libc::EINVAL, format_args!("cannot send {count} file descriptors: argument msg->fds is NULL"))
        }
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn not_sent(failure: Errno, fd: Fd, buffers: c_int, descriptors: c_int) -> Error {
    Error::io(
        failure,
        "cannot send a datagram of {} buffers and {} file descriptors through file descriptor {}",
        [buffers.into(), descriptors.into(), fd.into()],
    )
}

/// Receives one datagram, and reports the number of file descriptors and the flags. EPIPE: the peer has closed the
/// connection.
#[inline(always)]
#[track_caller]
pub fn receive(fd: Fd, message: &impl Incoming) -> ByteCount {
    let endpoint = Endpoint { fd, history: fd_history::history(fd) };
    if !message.descriptors().is_empty() {
        return endpoint.receive_with_descriptors(message).into();
    }
    match message::recvmsg_data(fd, message.buffers(), 0) {
        Ok((bytes, flags)) if bytes > 0 => {
            message.report(0, reported(flags));
            ByteCount::new(bytes)
        }
        outcome => endpoint.complete(outcome.map(Received::without_control), message).into(),
    }
}

/// The flags that are reported to C programs: MSG_TRUNC and MSG_CTRUNC.
#[inline]
fn reported(flags: c_int) -> c_int {
    flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC)
}

/// Reports the number of file descriptors and the flags. Returns the number of bytes.
fn report(received: &Received, message: &impl Incoming) -> usize {
    message.report(received.descriptors, reported(received.flags));
    received.bytes
}

/// A file descriptor to receive from, and its history when the receive began.
///
/// While a receive waits, another thread may close the file descriptor and open another file that reuses it. The file
/// descriptor then no longer refers to the connection, and nothing must be received from it.
#[derive(Clone, Copy)]
struct Endpoint {
    fd: Fd,
    history: History,
}

impl Endpoint {
    #[inline(never)]
    #[track_caller]
    fn receive_with_descriptors(self, message: &impl Incoming) -> Result<usize> {
        let descriptors = message.descriptors();
        if descriptors.is_null() {
            return Err(Error::new(libc::EINVAL, format_args!("argument msg->fds is NULL")));
        }
        match message::recvmsg(self.fd, message.buffers(), &descriptors, 0) {
            Ok(received) if received.bytes > 0 => Ok(report(&received, message)),
            outcome => self.complete(outcome, message),
        }
    }

    /// Completes a receive that failed or returned 0 bytes. Zero bytes are either an empty datagram or the end of the
    /// stream. If the failure is ECONNRESET, datagrams may still be queued, so this tries to receive once more.
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn complete(self, outcome: sys::Result<Received>, message: &impl Incoming) -> Result<usize> {
        let received = match outcome {
            Ok(received) => {
                let _errno = PreservedErrno::new();
                self.datagram_or_end(received)?
            }
            Err(failure) => self.receive_after(failure, message.buffers(), &message.descriptors())?,
        };
        Ok(report(&received, message))
    }

    /// Both the end of the stream and an empty datagram read as 0 bytes. Only a datagram can be truncated or have
    /// ancillary data. At the end of the stream, the peer has hung up and nothing is queued. (After the peer has hung
    /// up, empty datagrams without file descriptors at the end of the queue cannot be distinguished from the end of the
    /// stream.)
    #[track_caller]
    fn datagram_or_end(self, received: Received) -> Result<Received> {
        if received.bytes > 0 || received.has_ancillary_data || reported(received.flags) != 0 {
            return Ok(received);
        }
        match self.state() {
            State::Connected => Ok(received),
            State::HungUp if self.is_anything_queued() => Ok(received),
            State::HungUp => Err(self.ended()),
            State::Closed => Err(self.closed()),
        }
    }

    /// A pending signal interrupts even a poll() with a timeout of 0, so EINTR is retried. If poll() fails for another
    /// reason, the peer counts as connected. If that is wrong, the next receive finds the end of the stream. The
    /// opposite mistake would lose a datagram and the connection.
    fn state(self) -> State {
        if fd_history::has_changed(self.fd, self.history) {
            return State::Closed;
        }
        let mut entry = libc::pollfd { fd: self.fd.number(), events: libc::POLLRDHUP, revents: 0 };
        while file::poll_slice(core::slice::from_mut(&mut entry), 0) == Err(Errno(libc::EINTR)) {}
        if entry.revents & libc::POLLNVAL != 0 {
            State::Closed
        } else if entry.revents & (libc::POLLRDHUP | libc::POLLHUP) != 0 {
            State::HungUp
        } else if is_socket(self.fd) {
            State::Connected
        } else {
            State::Closed
        }
    }

    /// Whether data is queued, or the next datagram has file descriptors.
    fn is_anything_queued(self) -> bool {
        socket::ioctl_fionread(self.fd).is_ok_and(|bytes| bytes > 0)
            || socket::recvmsg_flags(self.fd, libc::MSG_PEEK | libc::MSG_DONTWAIT)
                .is_ok_and(|flags| flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0)
    }

    /// If the peer closes the connection with unread data in its queue, the kernel reports ECONNRESET once. Datagrams
    /// that the peer sent before it closed the connection can still be received after that.
    #[track_caller]
    fn receive_after(self, failure: Errno, buffers: IovArray, descriptors: &FdArray) -> Result<Received> {
        if failure.0 == libc::ECONNRESET && matches!(self.state(), State::HungUp) {
            let again = message::recvmsg(self.fd, buffers, descriptors, libc::MSG_DONTWAIT);
            if let Ok(Ok(received)) = again.map(|received| self.datagram_or_end(received)) {
                return Ok(received);
            }
        }
        let (fd, count) = (self.fd, buffers.count());
        Err(Error::io(
            failure,
            "cannot receive a datagram into {} buffers from file descriptor {}",
            [count.into(), fd.into()],
        ))
    }

    /// The end of the stream. It is not logged, because it occurs whenever a client disconnects.
    #[track_caller]
    fn ended(self) -> Error {
        let fd = self.fd;
        Error::os(
            Errno(libc::EPIPE),
            format_args!("cannot receive a datagram from file descriptor {fd}: the peer has closed the connection"),
        )
        .not_logged()
    }

    #[track_caller]
    fn closed(self) -> Error {
        let fd = self.fd;
        Error::os(
            Errno(libc::EBADF),
            format_args!("cannot receive a datagram from file descriptor {fd}: it was closed during the call"),
        )
    }
}

/// Whether the file descriptor refers to a socket. Also true if a sandbox denies getsockopt().
fn is_socket(fd: Fd) -> bool {
    let kind = socket::getsockopt_value(fd, socket::SO_TYPE);
    !matches!(kind, Err(Errno(libc::EBADF | libc::ENOTSOCK)))
}

/// The state of an endpoint after a receive.
enum State {
    Connected,
    HungUp,
    /// The file descriptor is closed, or refers to another file.
    Closed,
}
