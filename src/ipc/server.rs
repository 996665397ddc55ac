// SPDX-License-Identifier: Apache-2.0
//! A listening server. It can be stopped while other threads are in accept() and after the process has forked.
#![forbid(unsafe_code)]

use super::address::Address;
use super::path::PathAddress;
use super::publish::Publication;
use super::seqpacket::{BACKLOG, seqpacket_socket};
use super::stop::StopSignal;
use super::turn::Turn;
use super::wakeup::Slots;
use crate::error::{Error, Result};
use crate::os::cancel::WithoutCancellation;
use crate::os::identified::IdentifiedFd;
use crate::os::{fork, process_state, standard_streams};
use crate::rt::fd::{Fd, OwnedFd};
use crate::sys::{self, file, socket};
use core::sync::atomic::{AtomicBool, Ordering};
use errno::Errno;

pub struct Server {
    /// Close-on-exec: an executed program would not know that it has this file descriptor and would not close it, and
    /// the address would stay in use.
    pub(super) listener: IdentifiedFd,
    pub(super) origin: Origin,
}

pub(super) enum Origin {
    Created {
        /// Fork generation of the process that created the server.
        in_generation: u32,
        is_non_blocking: AtomicBool,
        /// If the address is a path.
        publication: Option<Publication>,
    },
    /// The program has passed the listening socket. Other processes may use it, so it is never shut down.
    Adopted { signal: StopSignal, turn: Turn },
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
        Ok(Server::created(listener, false, None))
    }

    /// Starts to listen at a path, with exactly these permissions.
    pub fn create_at_path(address: &PathAddress, mode: libc::mode_t) -> Result<Server> {
        let _no_cancellation = WithoutCancellation::new();
        let (listener, publication) = Publication::publish(address, mode)?;
        Ok(Server::created(listener, true, Some(publication)))
    }

    fn created(listener: OwnedFd, is_non_blocking: bool, publication: Option<Publication>) -> Server {
        let mut listener = IdentifiedFd::new(listener);
        listener.identify();
        let (in_generation, is_non_blocking) = (fork::generation(), AtomicBool::new(is_non_blocking));
        Server { listener, origin: Origin::Created { in_generation, is_non_blocking, publication } }
    }

    /// Several threads may wait for one client. Those that do not get it must not block.
    pub(super) fn make_non_blocking(&self) -> sys::Result<()> {
        match &self.origin {
            Origin::Created { is_non_blocking, .. } if !is_non_blocking.load(Ordering::Relaxed) => {
                file::fcntl_setfl(self.listener.fd(), libc::O_NONBLOCK)?;
                is_non_blocking.store(true, Ordering::Relaxed);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The listening file descriptor, for poll() in the program.
    pub fn listener(&self, what: &str) -> Result<Fd> {
        self.check_intact(what)?;
        self.make_non_blocking()
            .map_err(|e| Error::os(e, format_args!("cannot make the file descriptor of the server non-blocking")))?;
        Ok(self.listener.fd())
    }

    /// Returns the listening socket, which stays as it is.
    pub fn into_listener(self) -> OwnedFd {
        self.listener.into_fd()
    }

    /// EBADF: the program has closed the listening file descriptor.
    #[track_caller]
    pub fn check_intact(&self, what: &str) -> Result<()> {
        if self.listener.is_intact() {
            return Ok(());
        }
        Err(Error::os(
            Errno(libc::EBADF),
            format_args!("cannot {what}: the process has closed the file descriptor of the server"),
        ))
    }

    pub(super) fn is_stopped(&self) -> bool {
        matches!(&self.origin, Origin::Adopted { signal, .. } if signal.is_stopped())
    }

    /// Stops the server before its owner drops its reference. `is_accepting`: whether a thread of this process is in
    /// accept().
    ///
    /// New clients are refused, and pending calls of accept() return. This requires a shutdown of the listener, which
    /// affects every process that has inherited it. A forked child therefore shuts it down only if one of its own
    /// threads is in accept(), or if the process that created the server has ended. Otherwise the server continues to
    /// listen for that process.
    pub fn stop(&self, is_accepting: bool) {
        match &self.origin {
            Origin::Adopted { signal, .. } if is_accepting => signal.stop(),
            Origin::Adopted { .. } => {}
            Origin::Created { in_generation, publication, .. } => {
                // If the program has closed the listener, another file at the path can have its inode number by now.
                if !self.listener.is_intact() {
                    return;
                }
                let is_creator = fork::generation() == *in_generation;
                if is_creator || is_accepting || self.is_orphaned() {
                    // This fails only if the listener is already shut down.
                    let _ = socket::shutdown(self.listener.fd(), libc::SHUT_RD);
                }
                if let Some(publication) = publication.as_ref().filter(|_| is_creator) {
                    publication.withdraw();
                }
            }
        }
    }

    fn is_orphaned(&self) -> bool {
        let creator = socket::getsockopt_value(self.listener.fd(), socket::SO_PEERCRED);
        // The PID is 0 if the creator is not visible in this PID namespace.
        creator.is_ok_and(|creator| creator.pid > 0 && process_state::has_exited(creator.pid))
    }
}

/// What is needed to serve on a listening socket of the program. The program still owns the socket.
pub struct Adoption(StopSignal);

impl Adoption {
    /// ENOTSOCK, EINVAL: the file descriptor is not a listening socket of this kind.
    pub fn prepare(fd: Fd) -> Result<Adoption> {
        let failed = |e| Error::os(e, format_args!("cannot serve on file descriptor {fd}"));
        let value = |option| socket::getsockopt_value(fd, option).map_err(failed);
        let reason = if value(socket::SO_DOMAIN)? != libc::AF_UNIX || value(socket::SO_TYPE)? != libc::SOCK_SEQPACKET {
            "it is not a Unix domain socket of type SOCK_SEQPACKET"
        } else if value(socket::SO_ACCEPTCONN)? == 0 {
            "it is not listening"
        } else {
            let signal = StopSignal::new().map_err(failed)?;
            file::fcntl_setfd(fd, libc::FD_CLOEXEC).map_err(failed)?;
            return Ok(Adoption(signal));
        };
        Err(Error::new(libc::EINVAL, format_args!("cannot serve on file descriptor {fd}: {reason}")))
    }

    /// `listener` is the socket that was checked.
    pub fn of(self, listener: OwnedFd) -> Server {
        let mut listener = IdentifiedFd::new(listener);
        listener.identify();
        Server { listener, origin: Origin::Adopted { signal: self.0, turn: Turn::new() } }
    }
}
