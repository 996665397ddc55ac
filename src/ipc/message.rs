// SPDX-License-Identifier: Apache-2.0
//! Datagrams, and the file descriptors that travel with them.
#![forbid(unsafe_code)]

use crate::error::{ByteCount, Error, Result};
use crate::os::ancillary::{FdArray, MAX_DESCRIPTORS};
use crate::os::fd_history::{self, History};
use crate::os::message::{self, Buffer, Incoming, IovArray, Outgoing, Received};
use crate::rt::errno::PreservedErrno;
use crate::rt::fd::Fd;
use crate::sys::{self, file, socket};
use core::ffi::c_int;
use errno::Errno;

/// Sends one datagram, whole or not at all.
#[inline(always)]
#[track_caller]
pub fn send(fd: Fd, message: &impl Outgoing) -> ByteCount {
    if message.descriptors().is_empty()
        && let Some(buffer) = message.buffers().only_buffer_near(message)
    {
        return send_buffer(fd, &buffer);
    }
    send_any(fd, message)
}

/// send() is cheaper than sendmsg() for the kernel, and the peer sees no difference.
#[inline(always)]
#[track_caller]
fn send_buffer(fd: Fd, buffer: &Buffer) -> ByteCount {
    match message::send(fd, buffer, libc::MSG_NOSIGNAL) {
        Ok(bytes) => ByteCount::new(bytes),
        Err(failure) => not_sent(failure, fd, 1, 0).into(),
    }
}

// Not inlined, so that the common case does not pay for the registers and the stack of the others.
#[inline(never)]
#[track_caller]
fn send_any(fd: Fd, message: &impl Outgoing) -> ByteCount {
    let (buffers, descriptors) = (message.buffers(), message.descriptors());
    if descriptors.is_empty()
        && let Some(buffer) = buffers.only_buffer_in_variables()
    {
        return send_buffer(fd, &buffer);
    }
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
    let reason = match usize::try_from(count) {
        Err(_) => format_args!("the number is negative"),
        Ok(count) if count > MAX_DESCRIPTORS => format_args!("a message carries at most {MAX_DESCRIPTORS}"),
        Ok(_) => format_args!("argument msg->fds is NULL"),
    };
    Error::new(libc::EINVAL, format_args!("cannot send {count} file descriptors: {reason}"))
}

#[cold]
#[inline(never)]
#[track_caller]
fn not_sent(failure: Errno, fd: Fd, buffers: c_int, descriptors: c_int) -> Error {
    Error::io(
        failure,
        format_args!(
            "cannot send a datagram of {buffers} buffers and {descriptors} file descriptors through file descriptor {fd}"
        ),
    )
}

/// Receives one datagram, and reports what came with it: EPIPE at the end of the stream.
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
        outcome => endpoint.examine(outcome.map(Received::without_control), message).into(),
    }
}

/// The flags that C programs get: whether data or descriptors were truncated.
#[inline]
fn reported(flags: c_int) -> c_int {
    flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC)
}

/// A descriptor to receive from, and its history when the receive began. A receive may wait for long: another thread may
/// close the descriptor in that time, and open another file that gets its number. That number then says nothing about the
/// connection, and nothing may be received from it.
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
        self.examine(message::recvmsg(self.fd, message.buffers(), &descriptors, 0), message)
    }

    /// Distinguishes an empty datagram from the end of the stream and from a failure.
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn examine(self, outcome: sys::Result<Received>, message: &impl Incoming) -> Result<usize> {
        let received = match outcome {
            Ok(received) => {
                let _errno = PreservedErrno::new();
                self.datagram_or_end(received)?
            }
            Err(failure) => self.receive_after(failure, message.buffers(), &message.descriptors())?,
        };
        message.report(received.descriptors, reported(received.flags));
        Ok(received.bytes)
    }

    /// The end of the stream reads as 0 bytes, as an empty datagram does. Only a datagram can be truncated or have
    /// ancillary data; only a stream that ended has a peer that hung up, and nothing is queued at its end. (Empty
    /// datagrams without descriptors that are the last before the peer hangs up cannot be distinguished from that.)
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

    /// A signal that is pending interrupts also a poll() that does not wait. If it fails otherwise, the peer is taken as
    /// connected: an end that is taken for a datagram is found by the next receive, but a datagram that is taken for the
    /// end would be lost, and the connection as well.
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

    /// True if data is queued, or if the next datagram has descriptors.
    fn is_anything_queued(self) -> bool {
        socket::ioctl_fionread(self.fd).is_ok_and(|bytes| bytes > 0)
            || socket::recvmsg_flags(self.fd, libc::MSG_PEEK | libc::MSG_DONTWAIT)
                .is_ok_and(|flags| flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0)
    }

    /// If the peer closes the connection without reading all that was sent to it, the kernel reports ECONNRESET once,
    /// ahead of the datagrams that the peer had sent before: these are still to be received.
    #[track_caller]
    fn receive_after(self, failure: Errno, buffers: IovArray, descriptors: &FdArray) -> Result<Received> {
        if failure.0 == libc::ECONNRESET
            && matches!(self.state(), State::HungUp)
            && let Ok(received) = message::recvmsg(self.fd, buffers, descriptors, libc::MSG_DONTWAIT)
            && let Ok(received) = self.datagram_or_end(received)
        {
            return Ok(received);
        }
        let (fd, count) = (self.fd, buffers.count());
        Err(Error::io(
            failure,
            format_args!("cannot receive a datagram into {count} buffers from file descriptor {fd}"),
        ))
    }

    /// Every client that disconnects ends a stream: that is not logged.
    #[track_caller]
    fn ended(self) -> Error {
        let fd = self.fd;
        let what =
            format_args!("cannot receive a datagram from file descriptor {fd}: the peer has closed the connection");
        Error::os(Errno(libc::EPIPE), what).not_logged()
    }

    #[track_caller]
    fn closed(self) -> Error {
        let fd = self.fd;
        let what = format_args!("cannot receive a datagram from file descriptor {fd}: it was closed during the call");
        Error::os(Errno(libc::EBADF), what)
    }
}

/// Whether the descriptor is that of a socket, as far as can be found out.
fn is_socket(fd: Fd) -> bool {
    let kind = socket::getsockopt_value(fd, socket::SO_TYPE);
    !matches!(kind, Err(Errno(libc::EBADF | libc::ENOTSOCK)))
}

/// The state of an endpoint after a receive.
enum State {
    Connected,
    HungUp,
    /// The descriptor is not open any more, or refers to another file.
    Closed,
}
