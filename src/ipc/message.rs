//! Datagrams, with the descriptors that travel along.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::sys::cmsg::{DescriptorRoom, MAX_DESCRIPTORS};
use crate::sys::message::{self, Received, Segments};
use crate::sys::socket;
use errno::Errno;
use std::ffi::c_int;

/// Sends one datagram, whole or not at all.
#[inline]
pub fn send(fd: c_int, data: Segments, descriptors: &[c_int]) -> Result<usize> {
    // send() is cheaper than sendmsg() for the kernel, and the peer sees no difference.
    let sent = match data.only() {
        Some(segment) if descriptors.is_empty() => message::send(fd, &segment),
        _ if descriptors.len() > MAX_DESCRIPTORS => return Err(too_many(descriptors.len())),
        _ => message::sendmsg(fd, data, descriptors),
    };
    sent.map_err(|failure| not_sent(failure, fd, data, descriptors))
}

#[cold]
#[track_caller]
fn too_many(count: usize) -> Error {
    Error::new(libc::EINVAL, format_args!("sending {count} descriptors: a message carries {MAX_DESCRIPTORS} at most"))
}

#[cold]
#[track_caller]
fn not_sent(failure: Errno, fd: c_int, data: Segments, descriptors: &[c_int]) -> Error {
    Error::os(
        failure,
        format_args!(
            "sending a datagram of {} segments and {} descriptors through descriptor {fd}",
            data.count(),
            descriptors.len()
        ),
    )
}

/// Flags of a receive that its caller is told.
const TOLD_FLAGS: c_int = libc::MSG_TRUNC | libc::MSG_CTRUNC;

/// What a caller learns of a datagram.
pub struct Message {
    pub bytes: usize,
    pub flags: c_int,
    pub descriptors: c_int,
}

/// Receives one datagram; EPIPE at the end of the stream.
#[inline]
pub fn receive(fd: c_int, data: Segments, room: &DescriptorRoom) -> Result<Message> {
    match message::recvmsg(fd, data, room) {
        Ok(received) if received.bytes > 0 || is_datagram(fd, &received) => Ok(told(received)),
        Ok(_) => Err(ended(fd)),
        Err(failure) => receive_after(failure, fd, data, room).map(told),
    }
}

fn told(received: Received) -> Message {
    Message { bytes: received.bytes, flags: received.flags & TOLD_FLAGS, descriptors: received.descriptors }
}

/// Tells an empty datagram from the end of the stream, which reads as 0 bytes too. Only a datagram can be cut or bring
/// ancillary data, and only a stream that ended has a peer that hung up. (A peer that sends an empty datagram, alone,
/// and hangs up before it is read cannot be told from one that only hangs up.)
#[cold]
fn is_datagram(fd: c_int, received: &Received) -> bool {
    received.is_accompanied
        || received.flags & TOLD_FLAGS != 0
        || socket::pending_events(fd, libc::POLLRDHUP)
            .is_ok_and(|events| events & (libc::POLLRDHUP | libc::POLLHUP) == 0)
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
