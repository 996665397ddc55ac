// SPDX-License-Identifier: Apache-2.0
//! A client of `mmipc listen`.

use crate::message::{Message, Receiver};
use crate::mmsysio;
use crate::peer::Peer;
use crate::sys::Ready;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// How messages are answered.
pub enum Reply {
    Nothing,
    Text(Vec<u8>),
    Echo,
}

pub struct Client {
    connection: OwnedFd,
    pub peer: Peer,
    /// Its number, in the order of acceptance.
    pub number: u64,
    /// An answer that the client has no space for. Until it is sent, no other message is received.
    pending: Option<Vec<u8>>,
    is_closed: bool,
}

pub enum Event<'a> {
    Nothing,
    Message(Message<'a>),
    /// The connection is closed.
    Failed(mmsysio::Error),
}

impl Client {
    pub fn new(connection: OwnedFd, peer: Peer, number: u64) -> Client {
        Client { connection, peer, number, pending: None, is_closed: false }
    }

    pub fn waits_for(&self) -> (BorrowedFd<'_>, Ready) {
        (self.connection.as_fd(), if self.pending.is_some() { Ready::ToWrite } else { Ready::ToRead })
    }

    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Whether an answer is still to be sent.
    pub fn has_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Receives a message and answers it, or sends the answer that is pending. The connection is non-blocking.
    pub fn serve<'a>(&mut self, receiver: &'a mut Receiver, reply: &Reply) -> Event<'a> {
        if let Some(answer) = self.pending.take() {
            return self.answer(answer).map_or(Event::Nothing, Event::Failed);
        }
        let message = match receiver.receive(self.connection.as_fd()) {
            Ok(message) => message,
            Err(error) if error.is(libc::EAGAIN) || error.is(libc::EINTR) => return Event::Nothing,
            Err(error) => {
                self.is_closed = true;
                return if error.is_end() { Event::Nothing } else { Event::Failed(error) };
            }
        };
        let answer = match reply {
            Reply::Nothing => return Event::Message(message),
            Reply::Text(text) => text.clone(),
            Reply::Echo => message.data.to_vec(),
        };
        // The message is printed even if it cannot be answered. The next event then reports why, if it still matters.
        if let Some(error) = self.answer(answer) {
            crate::output::print_error(&format!("{}: {error}", self.peer));
        }
        Event::Message(message)
    }

    fn answer(&mut self, answer: Vec<u8>) -> Option<mmsysio::Error> {
        match mmsysio::send(self.connection.as_fd(), &answer, &[]) {
            Ok(()) => None,
            Err(error) if error.is(libc::EAGAIN) || error.is(libc::EINTR) => {
                self.pending = Some(answer);
                None
            }
            // A client that has left, with messages in its queue that are still to be received.
            Err(error) if error.is_end() => None,
            Err(error) => {
                self.is_closed = true;
                Some(error)
            }
        }
    }
}
