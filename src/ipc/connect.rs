// SPDX-License-Identifier: Apache-2.0
//! Connecting to a server.
#![forbid(unsafe_code)]

use super::address::Address;
use super::server::seqpacket_socket;
use super::timeout::Timeout;
use super::wait::{Obstacle, Waiting};
use crate::error::{Error, Result};
use crate::os::cancel::Cancellation;
use crate::os::hidden::HiddenSocket;
use crate::os::standard_streams;
use crate::rt::fd::OwnedFd;
use crate::sys::{self, file, socket};
use errno::Errno;

/// Everything that a connecting thread owns.
pub struct Connecting<'a> {
    /// The socket that is being connected. Each attempt uses a new socket, and no socket is kept during a wait.
    socket: Option<HiddenSocket>,
    address: &'a Address<'a>,
    timeout: Timeout,
    waiting: Waiting<'a>,
}

impl<'a> Connecting<'a> {
    pub fn new(address: &'a Address) -> Result<Connecting<'a>> {
        // This may log a line, so it must come before anything is owned.
        let timeout = Timeout::from_environment();
        let waiting = Waiting::new(address, timeout).map_err(|e| not_waited(e, address))?;
        Ok(Connecting { socket: None, address, timeout, waiting })
    }

    /// Connects to the server at the address. If no server listens, waits for one. On return, the connection is
    /// established, but the server need not have accepted it yet.
    ///
    /// The thread can be cancelled here, so everything that needs a destructor is in `self` (see
    /// [`crate::os::cancel`]).
    pub fn connect(&mut self, cancellation: Cancellation) -> Result<OwnedFd> {
        let (address, timeout) = (self.address, self.timeout);
        loop {
            let failure = match self.try_once(cancellation)? {
                Ok(connection) => return Ok(connection),
                Err(failure) => failure,
            };
            let (obstacle, reason) = match failure.0 {
                libc::ECONNREFUSED => (Obstacle::NoServer, "no server is listening"),
                libc::EAGAIN => (Obstacle::FullQueue, "the server's queue of pending connections is full"),
                _ => return Err(Error::os(failure, format_args!("cannot connect to {address}"))),
            };
            if timeout == Timeout::Immediate {
                return Err(Error::io(failure, format_args!("cannot connect to {address}: {reason}")));
            }
            if self.waiting.is_over().map_err(|e| not_waited(e, address))? {
                return Err(Error::new(
                    libc::ETIMEDOUT,
                    format_args!("cannot connect to {address} within {timeout}: {reason}"),
                ));
            }
            self.waiting.pause(obstacle, cancellation).map_err(|e| not_waited(e, address))?;
        }
    }

    /// Makes one attempt to connect. If the wait has no limit, this blocks while the server's queue is full.
    fn try_once(&mut self, cancellation: Cancellation) -> Result<sys::Result<OwnedFd>> {
        let address = self.address;
        let no_socket = |e| Error::os(e, format_args!("cannot create a socket to connect to {address}"));
        let must_not_block = self.timeout != Timeout::Never;
        let is_first = !self.waiting.has_begun();
        // The socket is private to the library until it is returned, so it should be close-on-exec until then. But the
        // first attempt usually succeeds. Its socket is created without SOCK_CLOEXEC, so that no further system call is
        // needed to clear the flag for the caller.
        let flags =
            if is_first { 0 } else { libc::SOCK_CLOEXEC } | if must_not_block { libc::SOCK_NONBLOCK } else { 0 };
        let mut created_fd = None;
        let created = HiddenSocket::create(|| {
            let socket = seqpacket_socket(flags)?;
            created_fd = Some(socket.fd());
            Ok(socket)
        });
        let hidden = self.socket.insert(created.map_err(no_socket)?);
        let fd = hidden.fd();
        let is_for_caller = is_first && created_fd == Some(fd);

        let connected = cancellation.point(&self.socket, || socket::connect_to(fd, address.native()));
        let Some(connection) = self.socket.take() else { return Ok(Err(Errno(libc::EBADF))) };
        if let Err(failure) = connected {
            return Ok(Err(failure));
        }
        let connection = connection.into_fd();
        self.waiting.end();
        if must_not_block {
            file::fcntl_setfl(connection.fd(), 0).map_err(no_socket)?;
        }
        if is_for_caller {
            return Ok(Ok(connection));
        }
        standard_streams::for_caller(connection).map(Ok).map_err(no_socket)
    }
}

#[cold]
#[track_caller]
fn not_waited(failure: Errno, address: &Address) -> Error {
    Error::os(failure, format_args!("cannot wait for a server to listen on {address}"))
}
