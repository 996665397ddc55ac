// SPDX-License-Identifier: Apache-2.0
//! Connecting to a server.
#![forbid(unsafe_code)]

use super::seqpacket::seqpacket_socket;
use super::target::Target;
use super::timeout::Timeout;
use super::wait::{Obstacle, Waiting};
use crate::error::{Error, Result};
use crate::os::cancel::Cancellation;
use crate::os::hidden::HiddenFd;
use crate::os::standard_streams;
use crate::rt::fd::OwnedFd;
use crate::sys::{self, file};
use errno::Errno;

/// What the caller of a connecting function wants.
#[derive(Clone, Copy)]
pub struct Wanted {
    /// SOCK_CLOEXEC and SOCK_NONBLOCK, for the connection.
    pub flags: i32,
    pub timeout: Timeout,
    /// Whether it is logged that no server could be reached in time.
    pub is_timeout_logged: bool,
}

/// Everything that a connecting thread owns.
pub struct Connecting<'a> {
    /// The socket that is being connected. Each attempt uses a new socket, and no socket is kept during a wait.
    socket: Option<HiddenFd>,
    target: Target<'a>,
    wanted: Wanted,
    waiting: Waiting,
}

impl<'a> Connecting<'a> {
    pub fn new(target: Target<'a>, wanted: Wanted) -> Result<Connecting<'a>> {
        match Waiting::new(wanted.timeout) {
            Ok(waiting) => Ok(Connecting { socket: None, target, wanted, waiting }),
            Err(failure) => Err(not_waited(failure, &target)),
        }
    }

    /// Connects to the server at the address. If no server listens, waits for one. On return, the connection is
    /// established, but the server need not have accepted it yet.
    ///
    /// The thread can be cancelled here, so everything that needs a destructor is in `self` (see
    /// [`crate::os::cancel`]).
    pub fn connect(&mut self, cancellation: Cancellation) -> Result<OwnedFd> {
        loop {
            let failure = match self.try_once(cancellation)? {
                Ok(connection) => return Ok(connection),
                Err(failure) => failure,
            };
            let target = &self.target;
            let (obstacle, reason) = match failure.0 {
                libc::ECONNREFUSED => (Obstacle::NoServer, "no server is listening"),
                libc::EAGAIN => (Obstacle::FullQueue, "the server's queue of pending connections is full"),
                _ => return Err(Error::os(failure, format_args!("cannot connect to {target}"))),
            };
            if self.wanted.timeout == Timeout::Immediate {
                return Err(
                    self.in_time(Error::io_described(failure, format_args!("cannot connect to {target}: {reason}")))
                );
            }
            if self.waiting.is_over().map_err(|e| not_waited(e, target))? {
                let timeout = self.wanted.timeout;
                return Err(self.in_time(Error::new(
                    libc::ETIMEDOUT,
                    format_args!("cannot connect to {target} within {timeout}: {reason}"),
                )));
            }
            self.waiting.pause(obstacle, target, cancellation).map_err(|e| not_waited(e, target))?;
        }
    }

    /// The error of a server that was not reached in time.
    fn in_time(&self, error: Error) -> Error {
        if self.wanted.is_timeout_logged { error } else { error.not_logged() }
    }

    /// Makes one attempt to connect. If the wait has no limit, this blocks while the server's queue is full, unless the
    /// connection is to be non-blocking.
    fn try_once(&mut self, cancellation: Cancellation) -> Result<sys::Result<OwnedFd>> {
        if self.waiting.has_begun() {
            self.target.renew().map_err(|e| not_waited(e, &self.target))?;
        }
        let target = &self.target;
        let no_socket = |e| Error::os(e, format_args!("cannot create a socket to connect to {target}"));
        let (is_close_on_exec, is_non_blocking) =
            (self.wanted.flags & libc::SOCK_CLOEXEC != 0, self.wanted.flags & libc::SOCK_NONBLOCK != 0);
        let must_not_block = is_non_blocking || self.wanted.timeout != Timeout::Never;
        let is_first = !self.waiting.has_begun();
        // The socket is private to the library until it is returned, so it should be close-on-exec until then. But the
        // first attempt usually succeeds. Its socket is created as the caller wants it, so that no further system call
        // is needed to clear the flag.
        let flags = if is_first && !is_close_on_exec { 0 } else { libc::SOCK_CLOEXEC }
            | if must_not_block { libc::SOCK_NONBLOCK } else { 0 };
        let mut created_fd = None;
        let created = HiddenFd::create(|| {
            let socket = seqpacket_socket(flags)?;
            created_fd = Some(socket.fd());
            Ok(socket)
        });
        let hidden = self.socket.insert(created.map_err(no_socket)?);
        let fd = hidden.fd();
        let is_for_caller = is_first && created_fd == Some(fd);

        let connected = cancellation.point(&self.socket, || target.connect(fd));
        let Some(connection) = self.socket.take() else { return Ok(Err(Errno(libc::EBADF))) };
        if let Err(failure) = connected {
            return Ok(Err(target.reason(failure)));
        }
        let connection = connection.into_fd();
        self.waiting.end();
        if must_not_block && !is_non_blocking {
            file::fcntl_setfl(connection.fd(), 0).map_err(no_socket)?;
        }
        if is_for_caller {
            return Ok(Ok(connection));
        }
        standard_streams::for_caller(connection, is_close_on_exec).map(Ok).map_err(no_socket)
    }
}

#[cold]
#[track_caller]
fn not_waited(failure: Errno, target: &Target) -> Error {
    Error::os(failure, format_args!("cannot wait for a server to listen on {target}"))
}
