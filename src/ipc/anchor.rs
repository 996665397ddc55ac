// SPDX-License-Identifier: Apache-2.0
//! Anchors, by which waiting clients wake each other.
//!
//! A server notifies wakeup slots, of which there are few, and it looks for clients only at the front slots. Up to four
//! clients of an address therefore have an anchor: a listening socket, whose owner never accepts. The others attach to
//! one by connecting to it. When the owner has found a server, or its call ends in any other way, even with the process,
//! the kernel closes the anchor and resets the connections, so that each attached client wakes.
#![forbid(unsafe_code)]

use super::seqpacket::BACKLOG;
use super::wakeup::{FRONT, Slots, bind_to_one_of};
use crate::os::hidden::HiddenFd;
use crate::rt::fd::{Fd, OwnedFd};
use crate::sys::{self, socket};
use errno::Errno;

/// What ties a client to the others.
pub struct Tie {
    socket: HiddenFd,
    /// The number of the client's own anchor. None: the client is attached to that of another.
    anchor: Option<u8>,
}

impl Tie {
    /// Acquires an anchor. If all are taken, attaches to one, to `first` if possible. This fails if the owners are about
    /// to begin or to end, if too many clients are attached, or in a sandbox.
    pub fn new(slots: &Slots, first: u8) -> sys::Result<Tie> {
        let socket = HiddenFd::create_identified(stream_socket)?;
        match bind_to_one_of(socket.fd(), slots, 0..FRONT) {
            Ok(number) => {
                socket::listen(socket.fd(), BACKLOG)?;
                return Ok(Tie { socket, anchor: Some(number) });
            }
            Err(Errno(libc::EADDRINUSE)) => {}
            Err(failure) => return Err(failure),
        }
        let mut failure = Errno(libc::ECONNREFUSED);
        for offset in 0..FRONT {
            match socket::connect_to(socket.fd(), &slots.address(first.wrapping_add(offset) % FRONT)) {
                Ok(()) => return Ok(Tie { socket, anchor: None }),
                Err(reason) => failure = reason,
            }
        }
        Err(failure)
    }

    /// The number of the anchor, None if the client is attached.
    pub fn anchor(&self) -> Option<u8> {
        self.anchor
    }

    /// Resets all connections to the anchor. The clients that are still attached wake and attach again.
    pub fn clear(&self) {
        if self.anchor.is_none() || !self.socket.is_intact() {
            return;
        }
        // New connections may be added all the time.
        for _ in 0..BACKLOG {
            if HiddenFd::create(|| socket::accept_any(self.socket.fd(), libc::SOCK_CLOEXEC)).is_err() {
                break;
            }
        }
    }

    /// The connection to the anchor of another client.
    pub fn attached_fd(&self) -> Option<Fd> {
        self.anchor.is_none().then(|| self.socket.fd())
    }
}

/// Creates a socket of a type that no server has.
fn stream_socket() -> sys::Result<OwnedFd> {
    socket::socket(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0)
}
