//! Datagrams, with the descriptors that travel along.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::sys::cmsg::{DescriptorRoom, MAX_DESCRIPTORS};
use crate::sys::message::{self, Received, Segments};
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
    Error::os(
        failure,
        format_args!("sending a datagram of {segments} segments and {descriptors} descriptors through descriptor {fd}"),
    )
}

/// What the outcome of a receive means: a datagram, or EPIPE at the end of the stream, or a failure.
#[track_caller]
pub fn received(outcome: sys::Result<Received>, fd: c_int, data: Segments, room: &DescriptorRoom) -> Result<Received> {
    match outcome {
        Ok(received) if received.bytes > 0 || is_datagram(fd, &received) => Ok(received),
        Ok(_) => Err(ended(fd)),
        Err(failure) => receive_after(failure, fd, data, room),
    }
}

/// Tells an empty datagram from the end of the stream, which reads as 0 bytes too. Only a datagram can be cut or bring
/// ancillary data, only a stream that ended has a peer that hung up, and nothing is queued at its end. (Empty datagrams
/// without descriptors that are the last before the peer hangs up cannot be told from that.)
#[cold]
fn is_datagram(fd: c_int, received: &Received) -> bool {
    received.is_accompanied || received.told_flags() != 0 || !has_hung_up(fd) || is_anything_queued(fd)
}

/// A signal that is pending interrupts also a poll that does not wait. If it fails otherwise, nobody has hung up: an end
/// taken for a datagram is found by the next receive, a datagram taken for the end would be lost, and the connection.
fn has_hung_up(fd: c_int) -> bool {
    loop {
        match socket::pending_events(fd, libc::POLLRDHUP) {
            Err(Errno(libc::EINTR)) => {}
            events => return events.is_ok_and(|events| events & (libc::POLLRDHUP | libc::POLLHUP) != 0),
        }
    }
}

/// True if data is queued, or a datagram with descriptors comes next.
fn is_anything_queued(fd: c_int) -> bool {
    socket::bytes_queued(fd).is_ok_and(|bytes| bytes > 0)
        || socket::flags_of_next_datagram(fd).is_ok_and(|flags| flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0)
}

/// A peer that went without reading all that we sent makes the kernel report ECONNRESET once, ahead of the datagrams
/// that it had sent before: these are still to be received.
#[cold]
#[track_caller]
fn receive_after(failure: Errno, fd: c_int, data: Segments, room: &DescriptorRoom) -> Result<Received> {
    if failure.0 == libc::ECONNRESET
        && let Ok(received) = message::recvmsg(fd, data, room)
        && (received.bytes > 0 || is_datagram(fd, &received))
    {
        return Ok(received);
    }
    Err(Error::os(failure, format_args!("receiving a datagram into {} segments from descriptor {fd}", data.count())))
}

#[cold]
#[track_caller]
fn ended(fd: c_int) -> Error {
    Error::os(
        Errno(libc::EPIPE),
        format_args!("receiving a datagram from descriptor {fd}: the peer has closed the connection"),
    )
}
