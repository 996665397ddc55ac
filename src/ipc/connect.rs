//! The client's way to a server.
#![forbid(unsafe_code)]

use super::address::Address;
use super::wait::{Obstacle, Timeout, Waiting};
use crate::error::{Error, Result};
use crate::sys::cancel::{self, Cancellation};
use crate::sys::hidden::{self, Hidden};
use crate::sys::{self, socket};
use errno::Errno;
use std::os::fd::{AsRawFd, OwnedFd};

/// Connects to the server that listens to `address`, and waits for one if there is none.
///
/// A server has accepted the connection, or will: the kernel queues it.
pub fn connect(address: &Address) -> Result<OwnedFd> {
    // First, since it may log a line.
    let timeout = Timeout::of_this_process();
    let waiting = Waiting::new(address, timeout).map_err(|e| not_waited(e, address))?;
    cancel::owning(Attempt { socket: None, address, timeout, waiting }, Attempt::succeed)
}

/// All that a connecting thread owns.
struct Attempt<'a> {
    /// While it is being connected. No socket is kept during a wait: each attempt has one of its own.
    socket: Option<Hidden>,
    address: &'a Address<'a>,
    timeout: Timeout,
    waiting: Waiting<'a>,
}

impl Attempt<'_> {
    fn succeed(&mut self, cancellation: Cancellation) -> Result<OwnedFd> {
        let (address, timeout) = (self.address, self.timeout);
        loop {
            let failure = match self.try_once(cancellation)? {
                Ok(connection) => return Ok(connection),
                Err(failure) => failure,
            };
            let (obstacle, reason) = match failure.0 {
                libc::ECONNREFUSED => (Obstacle::NoServer, "no server is listening"),
                libc::EAGAIN => (Obstacle::FullQueue, "the server does not accept connections, and its queue is full"),
                _ => return Err(Error::os(failure, format_args!("connecting to {address}"))),
            };
            if timeout == Timeout::AtOnce {
                return Err(Error::io(failure, format_args!("connecting to {address}: {reason}")));
            }
            if self.waiting.is_over().map_err(|e| not_waited(e, address))? {
                let what = format_args!("connecting to {address}: {reason}, after {timeout}");
                return Err(Error::new(libc::ETIMEDOUT, what));
            }
            self.waiting.pause(obstacle, cancellation).map_err(|e| not_waited(e, address))?;
        }
    }

    /// One attempt. It blocks in front of a full queue unless the time to wait is bounded.
    fn try_once(&mut self, cancellation: Cancellation) -> Result<sys::Result<OwnedFd>> {
        let address = self.address;
        let no_socket = |e| Error::os(e, format_args!("creating a socket to connect to {address}"));
        let must_not_block = self.timeout != Timeout::Never;
        let is_first = !self.waiting.has_begun();
        // Until it is returned, nobody but the library knows the socket. The first is mostly returned as it is.
        let flags =
            if is_first { 0 } else { libc::SOCK_CLOEXEC } | if must_not_block { libc::SOCK_NONBLOCK } else { 0 };
        let mut number = None;
        let created = Hidden::create(|| {
            let socket = socket::unix_seqpacket_socket(flags)?;
            number = Some(socket.as_raw_fd());
            Ok(socket)
        });
        let hidden = self.socket.insert(created.map_err(no_socket)?);
        let is_for_caller = is_first && number == Some(hidden.as_raw_fd());

        let connected = cancellation.point(|| socket::connect_unix(hidden, address.native()));
        let Some(connection) = self.socket.take() else { return Ok(Err(Errno(libc::EBADF))) };
        if let Err(failure) = connected {
            return Ok(Err(failure));
        }
        let connection = connection.into_fd();
        self.waiting.end();
        if must_not_block {
            socket::set_blocking(&connection).map_err(no_socket)?;
        }
        if is_for_caller { Ok(Ok(connection)) } else { hidden::for_caller(connection).map(Ok).map_err(no_socket) }
    }
}

#[cold]
#[track_caller]
fn not_waited(failure: Errno, address: &Address) -> Error {
    Error::os(failure, format_args!("waiting for a server to listen to {address}"))
}
