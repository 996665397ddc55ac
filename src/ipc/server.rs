// SPDX-License-Identifier: Apache-2.0
//! A listening server. It can be stopped while other threads are in accept() and after the process has forked.
#![forbid(unsafe_code)]

use super::address::Address;
use super::wakeup::Slots;
use crate::error::{Error, Result};
use crate::os::cancel::{Cancellation, WithoutCancellation};
use crate::os::identified::IdentifiedSocket;
use crate::os::{fork, process_state, standard_streams};
use crate::rt::fd::OwnedFd;
use crate::sys::{self, socket};
use errno::Errno;

/// The maximum number of pending connections. The kernel reduces it to net.core.somaxconn.
const BACKLOG: i32 = 4096;

pub struct Server {
    /// Close-on-exec: an executed program would not know that it has this file descriptor and would not close it, and
    /// the address would stay in use.
    listener: IdentifiedSocket,
    /// Fork generation of the process that created the server.
    created_in: u32,
}

impl Server {
    /// Starts to listen. EADDRINUSE: another server is listening on the address.
    pub fn create(address: &Address) -> Result<Server> {
        let _no_cancellation = WithoutCancellation::new();
        let listener = seqpacket_socket(libc::SOCK_CLOEXEC)
            .and_then(standard_streams::move_above)
            .map_err(|e| Error::os(e, format_args!("cannot create a socket for server {address}")))?;
        socket::bind_to(listener.fd(), address.native())
            .map_err(|e| Error::os(e, format_args!("cannot bind a server socket to {address}")))?;
        socket::listen(listener.fd(), BACKLOG).map_err(|e| Error::os(e, format_args!("cannot listen on {address}")))?;
        Slots::of(address).announce();
        let mut listener = IdentifiedSocket::new(listener);
        listener.identify();
        Ok(Server { listener, created_in: fork::generation() })
    }

    /// Waits for the next connection. The caller must have a reference to the server.
    pub fn accept(&self, cancellation: Cancellation) -> Result<OwnedFd> {
        if !self.listener.is_intact() {
            let what =
                format_args!("cannot accept a connection: the process has closed the file descriptor of the server");
            return Err(Error::os(Errno(libc::EBADF), what));
        }
        cancellation.point(self, || socket::accept_any(self.listener.fd())).map_err(|e| match e.0 {
            // The listener is private to the library, so EINVAL can only mean that it was shut down.
            libc::EINVAL => {
                Error::new(libc::ECANCELED, format_args!("cannot accept a connection: the server has been destroyed"))
            }
            _ => Error::os(e, format_args!("cannot accept a connection")),
        })
    }

    /// Stops the server before its owner drops its reference. `is_accepting`: whether a thread of this process is in
    /// accept().
    ///
    /// New clients are refused, and pending calls of accept() return. This requires a shutdown of the listener, which
    /// affects every process that has inherited it. A forked child therefore shuts it down only if one of its own
    /// threads is in accept(), or if the process that created the server has ended. Otherwise the server continues to
    /// listen for that process.
    pub fn stop(&self, is_accepting: bool) {
        if !self.listener.is_intact() {
            return;
        }
        if fork::generation() == self.created_in || is_accepting || self.is_orphaned() {
            // This fails only if the listener is already shut down.
            let _ = socket::shutdown(self.listener.fd(), libc::SHUT_RD);
        }
    }

    fn is_orphaned(&self) -> bool {
        let creator = socket::getsockopt_value(self.listener.fd(), socket::SO_PEERCRED);
        // The PID is 0 if the creator is not visible in this PID namespace.
        creator.is_ok_and(|creator| creator.pid > 0 && process_state::has_exited(creator.pid))
    }
}

/// Creates a socket for a server or a client.
pub fn seqpacket_socket(flags: i32) -> sys::Result<OwnedFd> {
    socket::socket(libc::AF_UNIX, libc::SOCK_SEQPACKET | flags, 0)
}
