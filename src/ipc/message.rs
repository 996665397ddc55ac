//! Datagrams, with the descriptors that travel along.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::sys::cmsg::{DescriptorRoom, MAX_DESCRIPTORS};
use crate::sys::message::{self, Received, Segments};
use crate::sys::numbers::{self, History};
use crate::sys::{self, socket};
use errno::Errno;
use std::ffi::c_int;

/// Sends one datagram, whole or not at all.
#[track_caller]
pub fn send(fd: c_int, data: Segments, descriptors: &[c_int]) -> Result<usize> {
    if descriptors.len() > MAX_DESCRIPTORS {
        return Err(too_many(descriptors.len()));
    }
    message::sendmsg(fd, data, descriptors).map_err(|failure| not_sent(failure, fd, data.count(), descriptors.len()))
}

#[cold]
#[track_caller]
fn too_many(count: usize) -> Error {
    Error::new(libc::EINVAL, format_args!("sending {count} descriptors: a message carries {MAX_DESCRIPTORS} at most"))
}

#[cold]
#[track_caller]
pub fn not_sent(failure: Errno, fd: c_int, segments: c_int, descriptors: usize) -> Error {
    Error::io(
        failure,
        format_args!("sending a datagram of {segments} segments and {descriptors} descriptors through descriptor {fd}"),
    )
}

/// What the outcome of a receive means: a datagram, or EPIPE at the end of the stream, or a failure.
#[track_caller]
pub fn received(
    outcome: sys::Result<Received>,
    endpoint: Endpoint,
    data: Segments,
    room: &DescriptorRoom,
) -> Result<Received> {
    match outcome {
        Ok(received) => endpoint.not_the_end(received),
        Err(failure) => endpoint.receive_after(failure, data, room),
    }
}

/// A descriptor to receive from, and what had become of its number when the receive began. A receive may wait for long.
/// Another thread may close the descriptor, and open another one that has its number: nothing is then learned by looking
/// at that number, let alone received from it.
#[derive(Clone, Copy)]
pub struct Endpoint {
    fd: c_int,
    history: History,
}

impl Endpoint {
    #[inline]
    pub fn new(fd: c_int) -> Endpoint {
        Endpoint { fd, history: numbers::history(fd) }
    }

    /// Tells an empty datagram from the end of the stream, which reads as 0 bytes too. Only a datagram can be cut or
    /// bring ancillary data, only a stream that ended has a peer that hung up, and nothing is queued at its end. (Empty
    /// datagrams without descriptors that are the last before the peer hangs up cannot be told from that.)
    #[cold]
    #[track_caller]
    fn not_the_end(self, received: Received) -> Result<Received> {
        if received.bytes > 0 || received.is_accompanied || received.told_flags() != 0 {
            return Ok(received);
        }
        match self.state() {
            State::Connected => Ok(received),
            State::HungUp if self.is_anything_queued() => Ok(received),
            State::HungUp => Err(self.ended()),
            State::Closed => Err(self.closed()),
        }
    }

    /// A signal that is pending interrupts also a poll that does not wait. If it fails otherwise, nobody has hung up: an
    /// end taken for a datagram is found by the next receive, a datagram taken for the end would be lost, and the
    /// connection.
    fn state(self) -> State {
        if numbers::has_changed(self.fd, self.history) {
            return State::Closed;
        }
        let events = loop {
            match socket::pending_events(self.fd, libc::POLLRDHUP) {
                Err(Errno(libc::EINTR)) => {}
                events => break events.unwrap_or(0),
            }
        };
        if events & libc::POLLNVAL != 0 {
            State::Closed
        } else if events & (libc::POLLRDHUP | libc::POLLHUP) != 0 {
            State::HungUp
        } else if socket::is_socket(self.fd) {
            State::Connected
        } else {
            State::Closed
        }
    }

    /// True if data is queued, or a datagram with descriptors comes next.
    fn is_anything_queued(self) -> bool {
        socket::bytes_queued(self.fd).is_ok_and(|bytes| bytes > 0)
            || socket::flags_of_next_datagram(self.fd)
                .is_ok_and(|flags| flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0)
    }

    /// A peer that went without reading all that we sent makes the kernel report ECONNRESET once, ahead of the datagrams
    /// that it had sent before: these are still to be received.
    #[cold]
    #[track_caller]
    fn receive_after(self, failure: Errno, data: Segments, room: &DescriptorRoom) -> Result<Received> {
        if failure.0 == libc::ECONNRESET
            && matches!(self.state(), State::HungUp)
            && let Ok(received) = message::recvmsg(self.fd, data, room, libc::MSG_DONTWAIT)
            && let Ok(received) = self.not_the_end(received)
        {
            return Ok(received);
        }
        let (fd, count) = (self.fd, data.count());
        Err(Error::io(failure, format_args!("receiving a datagram into {count} segments from descriptor {fd}")))
    }

    /// Every client that leaves ends a stream: that is nothing to be logged.
    #[cold]
    #[track_caller]
    fn ended(self) -> Error {
        let fd = self.fd;
        let what = format_args!("receiving a datagram from descriptor {fd}: the peer has closed the connection");
        Error::os(Errno(libc::EPIPE), what).not_logged()
    }

    #[cold]
    #[track_caller]
    fn closed(self) -> Error {
        let fd = self.fd;
        let what = format_args!("receiving a datagram from descriptor {fd}: another thread has closed it");
        Error::os(Errno(libc::EBADF), what)
    }
}

/// Of the descriptor of an endpoint, after a receive.
enum State {
    Connected,
    HungUp,
    /// It is not open any more, or was replaced by another one.
    Closed,
}
