// SPDX-License-Identifier: Apache-2.0
//! Waiting for a client and accepting its connection, in several threads at the same time.
#![forbid(unsafe_code)]

use super::deadline::{Deadline, poll_timeout, sleep};
use super::server::{Origin, Server};
use super::stop::readable;
use super::timeout::Timeout;
use crate::error::{Error, Result};
use crate::os::cancel::Cancellation;
use crate::os::reference::Reference;
use crate::rt::fd::OwnedFd;
use crate::sys::{self, file, socket};
use core::time::Duration;
use errno::Errno;

/// What a thread that accepts a connection owns.
pub struct Accepting {
    server: Reference<Server>,
    /// The flags of accept4() for the connection.
    flags: i32,
    timeout: Timeout,
    has_turn: bool,
}

impl Accepting {
    const PAUSE: Duration = Duration::from_millis(1);

    pub fn new(server: Reference<Server>, flags: i32, timeout: Timeout) -> Accepting {
        Accepting { server, flags, timeout, has_turn: false }
    }

    /// Waits for the next connection.
    ///
    /// The thread can be cancelled here, so everything that needs a destructor is in `self` (see
    /// [`crate::os::cancel`]).
    pub fn accept(&mut self, cancellation: Cancellation) -> Result<OwnedFd> {
        self.server.value().check_intact("accept a connection")?;
        let deadline = Deadline::of(self.timeout).map_err(|e| not_accepted(e))?;
        // A socket that other processes use stays blocking or not, as it is.
        let mut must_wait_first = matches!(self.server.value().origin, Origin::Adopted { .. });
        if self.timeout != Timeout::Never {
            self.server.value().make_non_blocking().map_err(|e| not_accepted(e))?;
        }
        loop {
            if must_wait_first && !self.wait(&deadline, cancellation)? {
                return Err(match self.timeout {
                    Timeout::Immediate => Error::new(libc::EAGAIN, format_args!("no client is waiting to be accepted")),
                    timeout => Error::new(libc::ETIMEDOUT, format_args!("no client has connected within {timeout}")),
                }
                .not_logged());
            }
            must_wait_first = true;
            let (listener, flags) = (self.server.value().listener.fd(), self.flags);
            let accepted = cancellation.point(self, || socket::accept_any(listener, flags));
            self.end_turn();
            match accepted {
                Ok(connection) => return Ok(connection),
                // Another thread or process was faster. Or the listener is shut down and non-blocking: a wait reports
                // that.
                Err(Errno(libc::EAGAIN)) => {}
                // Only a shutdown of the listener gives EINVAL.
                Err(Errno(libc::EINVAL)) => return Err(destroyed()),
                Err(failure) => return Err(not_accepted(failure)),
            }
        }
    }

    /// Waits until a client has connected. Returns false if the time is over.
    fn wait(&mut self, deadline: &Deadline, cancellation: Cancellation) -> Result<bool> {
        loop {
            let left = deadline.time_left().map_err(|e| not_accepted(e))?;
            // The thread that has the turn looks once more: another one may have accepted the client before.
            let timeout_ms = if self.has_turn { 0 } else { poll_timeout(left) };
            match self.poll(timeout_ms, cancellation).map_err(|e| not_accepted(e))? {
                revents if revents & libc::POLLRDHUP != 0 => return Err(destroyed()),
                _ if self.server.value().is_stopped() => return Err(destroyed()),
                0 if self.has_turn => self.end_turn(),
                0 if left.is_zero() => return Ok(false),
                0 => {}
                _ if self.has_turn => return Ok(true),
                _ => match &self.server.value().origin {
                    Origin::Created { .. } => return Ok(true),
                    Origin::Adopted { turn, .. } => {
                        self.has_turn = turn.begin();
                        if !self.has_turn {
                            if left.is_zero() {
                                return Ok(false);
                            }
                            let pause = Self::PAUSE.min(left);
                            sleep(pause, self, cancellation).map_err(|e| not_accepted(e))?;
                        }
                    }
                },
            }
        }
    }

    /// Returns the events of the listener.
    fn poll(&self, timeout_ms: i32, cancellation: Cancellation) -> sys::Result<i16> {
        let listener = self.server.value().listener.fd();
        match &self.server.value().origin {
            Origin::Created { .. } => {
                let mut entries = [readable(listener)];
                cancellation.point(self, || file::poll_slice(&mut entries, timeout_ms))?;
                Ok(entries[0].revents)
            }
            Origin::Adopted { signal, .. } => signal.poll(listener, timeout_ms, self, cancellation),
        }
    }

    fn end_turn(&mut self) {
        if let (true, Origin::Adopted { turn, .. }) = (self.has_turn, &self.server.value().origin) {
            turn.end();
        }
        self.has_turn = false;
    }
}

impl Drop for Accepting {
    fn drop(&mut self) {
        self.end_turn();
    }
}

#[cold]
#[track_caller]
fn not_accepted(failure: Errno) -> Error {
    Error::io(failure, "cannot accept a connection", [])
}

#[cold]
#[track_caller]
fn destroyed() -> Error {
    Error::new(libc::ECANCELED, format_args!("cannot accept a connection: the server has been destroyed"))
}
