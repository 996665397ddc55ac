//! The client's way to a server.
#![forbid(unsafe_code)]

use super::address::Address;
use super::wait::{Patience, Waiting};
use crate::error::{Error, Result};
use crate::sys::{self, socket};
use std::os::fd::OwnedFd;
use std::time::Duration;

/// Connects to the server that listens to `address`, and waits for one if there is none.
///
/// A server has accepted the connection, or will: the kernel queues it. The socket stays inheritable, and is created
/// before anything that helps to wait, so that it gets the lowest number free.
pub fn connect(address: &Address) -> Result<OwnedFd> {
    let connection = socket::unix_seqpacket_socket(0)
        .map_err(|e| Error::os(e, format_args!("creating a socket to connect to {address}")))?;
    let patience = Patience::of_this_process();
    let not_waited = |e| Error::os(e, format_args!("waiting for a server to listen to {address}"));
    let mut waiting = Waiting::new(address, patience).map_err(not_waited)?;
    loop {
        let failure = match try_once(&connection, address, &waiting) {
            Ok(()) => {
                waiting.end();
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
            libc::EAGAIN if waiting.is_bounded() => {
                return Err(timed_out(address, "the server accepts no connection", patience));
            }
            _ => return Err(Error::os(failure, format_args!("connecting to {address}"))),
        }
        if waiting.is_over().map_err(not_waited)? {
            return Err(timed_out(address, "no server listens", patience));
        }
        waiting.pause().map_err(not_waited)?;
    }
}

/// One attempt. Where the time to wait is bounded, so is the time that a full queue of the server may take of it.
fn try_once(connection: &OwnedFd, address: &Address, waiting: &Waiting) -> sys::Result<()> {
    let Some(left) = waiting.time_left()? else {
        return socket::connect_unix(connection, address.native());
    };
    // A time-out of zero would mean none.
    socket::set_send_timeout(connection, left.max(Duration::from_micros(1)))?;
    socket::connect_unix(connection, address.native())?;
    socket::set_send_timeout(connection, Duration::ZERO)
}

#[cold]
#[track_caller]
fn timed_out(address: &Address, reason: &str, patience: Patience) -> Error {
    Error::new(libc::ETIMEDOUT, format_args!("connecting to {address}: {reason}, after {patience}"))
}
