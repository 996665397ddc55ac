// SPDX-License-Identifier: Apache-2.0
//! Anchors, by which waiting clients wake each other.
//!
//! A server notifies wakeup slots, of which there are few, and it looks for clients only at the front slots. A client
//! that has a front slot therefore also has an anchor: a listening socket at which it never accepts. The others attach to
//! one by connecting to it. When the owner has found a server, or its call ends in any other way, even with the process,
//! the kernel closes the anchor and resets the connections, so that each attached client wakes.
#![forbid(unsafe_code)]

use super::seqpacket::BACKLOG;
use super::wakeup::{FRONT, Slot, Slots};
use crate::os::hidden::HiddenFd;
use crate::rt::fd::{Fd, OwnedFd};
use crate::sys::{self, socket};
use errno::Errno;

/// The anchor of a front slot. It exists only while the slot is taken, so that a server that finds all front slots free
/// knows that no client is attached.
pub struct Anchor(HiddenFd);

impl Anchor {
    /// EADDRINUSE: the previous owner is about to end.
    pub fn of(slot: &Slot, slots: &Slots) -> sys::Result<Anchor> {
        let socket = HiddenFd::create_identified(stream_socket)?;
        socket::bind_to(socket.fd(), &slots.address(slot.number()))?;
        socket::listen(socket.fd(), BACKLOG)?;
        Ok(Anchor(socket))
    }

    /// Resets all connections. The clients that are still attached wake and attach again.
    pub fn clear(&self) {
        if !self.0.is_intact() {
            return;
        }
        // New connections may be added all the time.
        for _ in 0..BACKLOG {
            if HiddenFd::create(|| socket::accept_any(self.0.fd(), libc::SOCK_CLOEXEC)).is_err() {
                break;
            }
        }
    }
}

/// The connection of a client to the anchor of another. It becomes readable when it ends.
pub struct Attachment(HiddenFd);

impl Attachment {
    /// Attaches to an anchor, to that of slot `first` if possible. This fails if no client has one, if too many clients
    /// are attached, or in a sandbox.
    pub fn new(slots: &Slots, first: u8) -> sys::Result<Attachment> {
        let socket = HiddenFd::create_identified(stream_socket)?;
        let mut failure = Errno(libc::ECONNREFUSED);
        for offset in 0..FRONT {
            match socket::connect_to(socket.fd(), &slots.address(first.wrapping_add(offset) % FRONT)) {
                Ok(()) => return Ok(Attachment(socket)),
                Err(reason) => failure = reason,
            }
        }
        Err(failure)
    }

    pub fn fd(&self) -> Fd {
        self.0.fd()
    }
}

/// Creates a socket of a type that no server has.
fn stream_socket() -> sys::Result<OwnedFd> {
    socket::socket(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0)
}
