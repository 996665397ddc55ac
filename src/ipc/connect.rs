//! The client's way to a server.
#![forbid(unsafe_code)]

use super::address::Address;
use super::wait::{Patience, Waiting};
use crate::error::{Error, Result};
use crate::sys::cancel::{self, Cancellation};
use crate::sys::{self, socket};
use errno::Errno;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// Connects to the server that listens to `address`, and waits for one if there is none.
///
/// A server has accepted the connection, or will: the kernel queues it. The socket stays inheritable, and is created
/// before anything that helps to wait, so that it gets the lowest number free.
pub fn connect(address: &Address) -> Result<OwnedFd> {
    // First, since it may log a line.
    let patience = Patience::of_this_process();
    let waiting = Waiting::new(address, patience).map_err(|e| not_waited(e, address))?;
    let connection = socket::unix_seqpacket_socket(0)
        .map_err(|e| Error::os(e, format_args!("creating a socket to connect to {address}")))?;
    cancel::owning(Attempt { connection: Some(connection), address, patience, waiting }, Attempt::succeed)
}

/// All that a thread owns which connects.
struct Attempt<'a> {
    /// Until it is connected.
    connection: Option<OwnedFd>,
    address: &'a Address<'a>,
    patience: Patience,
    waiting: Waiting<'a>,
}

impl Attempt<'_> {
    fn succeed(&mut self, cancellation: Cancellation) -> Result<OwnedFd> {
        let (address, patience) = (self.address, self.patience);
        loop {
            let failure = match self.try_once(cancellation) {
                Ok(connection) => {
                    self.waiting.end();
                    return Ok(connection);
                }
                Err(failure) => failure,
            };
            match failure.0 {
                libc::ECONNREFUSED if patience.is_none() => {
                    return Err(Error::os(failure, format_args!("connecting to {address}: no server listens")));
                }
                libc::ECONNREFUSED => {}
                // The queue of the server stayed full for as long as the socket's time-out lets connect wait.
                libc::EAGAIN if self.waiting.is_bounded() => {
                    return Err(timed_out(address, "the server accepts no connection", patience));
                }
                _ => return Err(Error::os(failure, format_args!("connecting to {address}"))),
            }
            if self.waiting.is_over().map_err(|e| not_waited(e, address))? {
                return Err(timed_out(address, "no server listens", patience));
            }
            self.waiting.pause(cancellation).map_err(|e| not_waited(e, address))?;
        }
    }

    /// One attempt. Where the time to wait is bounded, so is the time that a full queue of the server may take of it.
    fn try_once(&mut self, cancellation: Cancellation) -> sys::Result<OwnedFd> {
        let connection = self.connection.as_ref().ok_or(Errno(libc::EISCONN))?;
        let limit = self.waiting.time_left()?;
        if let Some(left) = limit {
            // A time-out of zero would mean none.
            socket::set_send_timeout(connection, left.max(Duration::from_micros(1)))?;
        }
        cancellation.point(|| socket::connect_unix(connection, self.address.native()))?;
        if limit.is_some() {
            socket::set_send_timeout(connection, Duration::ZERO)?;
        }
        self.connection.take().ok_or(Errno(libc::EISCONN))
    }
}

#[cold]
#[track_caller]
fn not_waited(failure: Errno, address: &Address) -> Error {
    Error::os(failure, format_args!("waiting for a server to listen to {address}"))
}

#[cold]
#[track_caller]
fn timed_out(address: &Address, reason: &str, patience: Patience) -> Error {
    Error::new(libc::ETIMEDOUT, format_args!("connecting to {address}: {reason}, after {patience}"))
}
