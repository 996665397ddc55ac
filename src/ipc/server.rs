// SPDX-License-Identifier: Apache-2.0
//! A listening server, and its end while threads may be inside accept() or after the process has forked.
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

/// Connections that may wait to be accepted. The kernel takes the smaller of this and net.core.somaxconn.
const BACKLOG: i32 = 4096;

pub struct Server {
    /// Close-on-exec, since nobody can name it to close it; a program that inherited it would keep the name taken.
    listener: IdentifiedSocket,
    /// Fork generation of the process that created the server.
    created_in: u32,
}

impl Server {
    /// Starts to listen; EADDRINUSE if another server has the address.
    pub fn create(address: &Address) -> Result<Server> {
        let _whole = WithoutCancellation::new();
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

    /// Waits for the next connection. The caller has a reference to the server.
    pub fn accept(&self, cancellation: Cancellation) -> Result<OwnedFd> {
        if !self.listener.is_intact() {
            let what =
                format_args!("cannot accept a connection: the process has closed the file descriptor of the server");
            return Err(Error::os(Errno(libc::EBADF), what));
        }
        cancellation.point(self, || socket::accept_any(self.listener.fd())).map_err(|e| match e.0 {
            // Nobody else knows the listener, so only shutting it down can have made it invalid.
            libc::EINVAL => {
                Error::new(libc::ECANCELED, format_args!("cannot accept a connection: the server has been destroyed"))
            }
            _ => Error::os(e, format_args!("cannot accept a connection")),
        })
    }

    /// Stops the server, before its owner drops its reference. `is_accepting` if a thread of this process is inside
    /// accept().
    ///
    /// Clients are refused from now on, and calls of accept() return. The listener is shut down for that, which affects
    /// every process that has it. So a forked child that only releases its copy must not do so: it shuts the listener
    /// down if it accepts connections itself at this moment, or if the process that created the server has ended, and
    /// otherwise leaves the server to that process.
    pub fn stop(&self, is_accepting: bool) {
        if !self.listener.is_intact() {
            return;
        }
        if fork::generation() == self.created_in || is_accepting || self.is_orphaned() {
            // It can only fail on a listener that is shut down already.
            let _ = socket::shutdown(self.listener.fd(), libc::SHUT_RD);
        }
    }

    fn is_orphaned(&self) -> bool {
        let creator = socket::getsockopt_value(self.listener.fd(), socket::SO_PEERCRED);
        // 0 if it is not visible here.
        creator.is_ok_and(|creator| creator.pid > 0 && process_state::has_exited(creator.pid))
    }
}

/// A socket of a server or a client.
pub fn seqpacket_socket(flags: i32) -> sys::Result<OwnedFd> {
    socket::socket(libc::AF_UNIX, libc::SOCK_SEQPACKET | flags, 0)
}
