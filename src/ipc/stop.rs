// SPDX-License-Identifier: Apache-2.0
//! Ending the waits of this process's threads for a listening socket that other processes use too.
//!
//! The socket itself must not be shut down, because this would stop the server for all processes.
#![forbid(unsafe_code)]

use crate::os::cancel::Cancellation;
use crate::os::identified::IdentifiedFd;
use crate::os::{fork, standard_streams};
use crate::rt::fd::Fd;
use crate::sys::{self, file, socket};
use core::sync::atomic::{AtomicBool, Ordering};

pub struct StopSignal {
    is_stopped: AtomicBool,
    /// An unconnected socket. It becomes readable when it is shut down.
    socket: IdentifiedFd,
    /// Fork generation of the process that created the socket. A forked child shares it, so a child that shuts it down
    /// would wake its parent for ever.
    created_in: u32,
}

impl StopSignal {
    /// The interval at which a forked child looks whether it is stopped.
    const INTERVAL_MS: i32 = 100;

    pub fn new() -> sys::Result<StopSignal> {
        let socket = socket::socket(libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0)?;
        let mut socket = IdentifiedFd::new(standard_streams::move_above(socket)?);
        socket.identify();
        Ok(StopSignal { is_stopped: AtomicBool::new(false), socket, created_in: fork::generation() })
    }

    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::SeqCst);
        if self.can_wake() {
            let _ = socket::shutdown(self.socket.fd(), libc::SHUT_RD);
        }
    }

    pub fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::SeqCst)
    }

    /// Waits until a file descriptor is readable, and returns its events. There may be none: the wait also ends when the
    /// signal is given, and may end before the time has passed. `owned` is what the thread owns.
    pub fn poll<T>(&self, fd: Fd, timeout_ms: i32, owned: &T, cancellation: Cancellation) -> sys::Result<i16> {
        let can_wake = self.can_wake();
        let mut entries = [readable(fd), readable(if can_wake { self.socket.fd() } else { Fd::NONE })];
        let timeout_ms = match timeout_ms {
            _ if can_wake => timeout_ms,
            ..0 => Self::INTERVAL_MS,
            0.. => timeout_ms.min(Self::INTERVAL_MS),
        };
        cancellation.point(owned, || file::poll_slice(&mut entries, timeout_ms))?;
        Ok(entries[0].revents)
    }

    fn can_wake(&self) -> bool {
        fork::generation() == self.created_in && self.socket.is_intact()
    }
}

/// An entry for poll(), which also reports that a listener was shut down.
pub fn readable(fd: Fd) -> libc::pollfd {
    libc::pollfd { fd: fd.number(), events: libc::POLLIN | libc::POLLRDHUP, revents: 0 }
}
