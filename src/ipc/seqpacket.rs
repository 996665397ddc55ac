// SPDX-License-Identifier: Apache-2.0
//! The sockets of servers and clients.
#![forbid(unsafe_code)]

use crate::rt::fd::OwnedFd;
use crate::sys::{self, socket};

/// The maximum number of pending connections. The kernel reduces it to net.core.somaxconn.
pub const BACKLOG: i32 = 4096;

/// Creates a socket for a server or a client.
pub fn seqpacket_socket(flags: i32) -> sys::Result<OwnedFd> {
    socket::socket(libc::AF_UNIX, libc::SOCK_SEQPACKET | flags, 0)
}
