// SPDX-License-Identifier: Apache-2.0
//! The connection on which messages are measured.

use super::{Direction, LARGEST_SIZE};
use crate::failure::{Failure, Result, Status};
use crate::mmsysio;
use crate::sys::{self, Signals};
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// How long a call blocks before signals are checked. A signal usually ends the call. This is for one that has arrived
/// just before the call.
const LONGEST_BLOCK: Duration = Duration::from_millis(500);

/// Why messages can no longer be sent or received.
pub enum Stop {
    Signal(i32),
    /// The socket does not send messages of this size.
    TooLarge(String),
    Failed(Failure),
}

impl From<mmsysio::Error> for Stop {
    fn from(error: mmsysio::Error) -> Stop {
        match error {
            error if error.is(libc::EMSGSIZE) => Stop::TooLarge("exceeds the limit of the socket".to_owned()),
            // The kernel has no contiguous memory for it.
            error if error.is(libc::ENOBUFS) => Stop::TooLarge(error.to_string()),
            error if error.is_end() => {
                Stop::Failed(Failure::new(Status::PeerClosed, "the server has closed the connection"))
            }
            error => Stop::Failed(error.into()),
        }
    }
}

/// A call to send or to receive is one system call, whether there is a timeout or not.
pub struct Link<'a> {
    connection: BorrowedFd<'a>,
    direction: Direction,
    /// The timeout, and how many blocking calls it consists of.
    limit: Option<(Duration, u32)>,
    signals: &'a Signals,
    answer: Vec<u8>,
}

impl Link<'_> {
    /// With a timeout of 0 there is no limit: no server could answer in that time.
    pub fn new<'a>(
        connection: BorrowedFd<'a>,
        direction: Direction,
        timeout: Option<Duration>,
        signals: &'a Signals,
    ) -> Result<Link<'a>> {
        let limit = timeout.filter(|timeout| !timeout.is_zero()).map(|timeout| {
            let calls = timeout.as_nanos().div_ceil(LONGEST_BLOCK.as_nanos());
            (timeout, u32::try_from(calls).unwrap_or(u32::MAX))
        });
        let block = limit.map_or(LONGEST_BLOCK, |(timeout, calls)| (timeout / calls).min(LONGEST_BLOCK));
        sys::limit_blocking(connection, block)
            .map_err(|e| Failure::io("cannot set the timeout of the connection", &e))?;
        // Only those pages are used that are written to.
        Ok(Link { connection, direction, limit, signals, answer: vec![0; LARGEST_SIZE] })
    }

    pub fn send(&self, message: &[u8]) -> std::result::Result<(), Stop> {
        let mut calls = 0;
        loop {
            match mmsysio::send(self.connection, message, &[]) {
                Ok(()) => return Ok(()),
                Err(error) => self.handle(error, &mut calls, true)?,
            }
        }
    }

    /// Receives an answer, and returns its size.
    pub fn receive(&mut self) -> std::result::Result<usize, Stop> {
        let mut calls = 0;
        loop {
            match mmsysio::receive(self.connection, &mut self.answer) {
                Ok(message) if message.is_truncated => {
                    let text = format!("the server's answer has more than {LARGEST_SIZE} bytes");
                    return Err(Stop::Failed(Failure::new(Status::Failure, text)));
                }
                Ok(message) => return Ok(message.size),
                Err(error) => self.handle(error, &mut calls, false)?,
            }
        }
    }

    /// The answer that was received, of this size.
    pub fn answer(&self, size: usize) -> &[u8] {
        self.answer.get(..size).unwrap_or(&self.answer)
    }

    pub fn check_signal(&self) -> std::result::Result<(), Stop> {
        self.signals.next().map_or(Ok(()), |signal| Err(Stop::Signal(signal)))
    }

    /// Returns if the call can be repeated. `calls` is how many have blocked.
    fn handle(&self, error: mmsysio::Error, calls: &mut u32, is_sending: bool) -> std::result::Result<(), Stop> {
        // First, since the same signal may have ended the server.
        self.check_signal()?;
        if error.is(libc::EINTR) {
            return Ok(());
        }
        if !error.is(libc::EAGAIN) {
            return Err(error.into());
        }
        // The server may be blocked because it sends too.
        if is_sending && sys::next_size_now(self.connection).is_ok_and(|size| size > 0) {
            let text = match self.direction {
                Direction::RoundTrips => "the server does not read, and has sent more than one answer to a message",
                Direction::OneWay => "the server answers, but --one-way is for a server that only reads",
            };
            return Err(Stop::Failed(Failure::new(Status::Failure, text)));
        }
        *calls = calls.saturating_add(1);
        match self.limit {
            Some((timeout, limit)) if *calls >= limit => {
                let what = if is_sending { "read the messages" } else { "answered" };
                Err(Stop::Failed(Failure::timeout(format_args!("the server has not {what} within {timeout:?}"))))
            }
            _ => Ok(()),
        }
    }
}
