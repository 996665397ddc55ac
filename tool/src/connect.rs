// SPDX-License-Identifier: Apache-2.0
//! mmipc connect: sends the lines of standard input, and prints the messages of the server.

use crate::address::Address;
use crate::args::{duration, parsed};
use crate::connecting::connect;
use crate::failure::{Failure, Result, Status};
use crate::help::print_command;
use crate::message::{Format, Receiver, print_message};
use crate::mmsysio::{self, CLOEXEC, NONBLOCK};
use crate::sys::{self, Ready};
use lexopt::prelude::*;
use std::collections::VecDeque;
use std::io::{self, BufRead};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

pub const HELP: &str = "\
Usage: mmipc connect ADDR [OPTION...]

Sends each line of standard input as a message, and prints the messages of the
server. After the end of standard input (Ctrl-D on a terminal), nothing more is
sent, and the command ends when the server closes the connection.

Options:
  --format FORMAT     text (default), quoted, hex, json, or raw
  --timeout T         for the connection: a number of seconds, or a number with
                      the unit ms, s, m or h
";

pub fn run(mut parser: lexopt::Parser) -> Result<()> {
    let (mut address, mut format, mut timeout) = (None, Format::Text, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return print_command(HELP),
            Long("format") => format = parsed(parser.value()?, "--format", Format::parse)?,
            Long("timeout") => timeout = Some(parsed(parser.value()?, "--timeout", duration)?),
            Value(text) if address.is_none() => address = Some(Address::parse(&text).map_err(Failure::usage)?),
            other => return Err(other.unexpected().into()),
        }
    }
    let Some(address) = address else { return Err(Failure::usage("no address; see 'mmipc connect --help'")) };
    let connection = connect(&address, CLOEXEC | NONBLOCK, timeout)?;
    Talk {
        connection,
        format,
        input: Input::default(),
        receiver: Receiver::new(),
        has_lost: false,
        is_last_empty: false,
    }
    .run()
}

/// Lines that have been read and not sent.
#[derive(Default)]
struct Input {
    lines: VecDeque<Vec<u8>>,
    /// The beginning of the next line.
    rest: Vec<u8>,
    is_over: bool,
}

impl Input {
    /// Reads what is there, and does not block if standard input is readable.
    fn read(&mut self) -> io::Result<()> {
        let mut input = io::stdin().lock();
        let bytes = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            // Another process has made it non-blocking.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            result => result?,
        };
        let size = bytes.len();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(part);
            if self.rest.last() == Some(&b'\n') {
                self.rest.pop();
                self.lines.push_back(std::mem::take(&mut self.rest));
            }
        }
        input.consume(size);
        if size == 0 {
            self.is_over = true;
            if !self.rest.is_empty() {
                self.lines.push_back(std::mem::take(&mut self.rest));
            }
        }
        Ok(())
    }
}

struct Talk {
    connection: OwnedFd,
    format: Format,
    input: Input,
    receiver: Receiver,
    /// The server has closed the connection before it received all lines.
    has_lost: bool,
    /// The last line was empty.
    is_last_empty: bool,
}

impl Talk {
    fn run(&mut self) -> Result<()> {
        let stdin = io::stdin();
        let mut is_sending = true;
        loop {
            let mut waits = vec![(self.connection.as_fd(), Ready::ToRead)];
            let mut pause = None;
            // No more lines are read until the server has received these.
            if !self.input.lines.is_empty() {
                waits.push((self.connection.as_fd(), Ready::ToWrite));
            } else if !self.input.is_over {
                waits.push((stdin.as_fd(), Ready::ToRead));
            } else if is_sending && self.is_last_empty && sys::unread_output(self.connection.as_fd()).unwrap_or(0) > 0 {
                // The server cannot distinguish an empty message from the end, so it has to receive it before.
                pause = Some(Duration::from_millis(5));
            } else if is_sending {
                is_sending = false;
                // If the server has closed the connection, the next receive reports it.
                let _ = sys::shutdown_sending(self.connection.as_fd());
            }
            let ready = sys::wait_ready(&waits, pause).map_err(|e| Failure::io("cannot wait for the server", &e))?;
            if ready.first() == Some(&true) && !self.print_next()? {
                return if is_sending || self.has_lost {
                    Err(Failure::new(Status::PeerClosed, "the server closed the connection"))
                } else {
                    Ok(())
                };
            }
            if ready.get(1) == Some(&true) {
                if self.input.lines.is_empty() {
                    self.input.read().map_err(|e| Failure::io("cannot read standard input", &e))?;
                }
                self.send_lines()?;
            }
        }
    }

    /// Returns false if the server has closed the connection.
    fn print_next(&mut self) -> Result<bool> {
        match self.receiver.receive(self.connection.as_fd()) {
            Ok(message) => print_message(self.format, None, &message).map(|()| true),
            Err(error) if error.is_end() => Ok(false),
            Err(error) if error.is(libc::EAGAIN) || error.is(libc::EINTR) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    fn send_lines(&mut self) -> Result<()> {
        while let Some(line) = self.input.lines.front() {
            match mmsysio::send(self.connection.as_fd(), line, &[]) {
                Ok(()) => {
                    self.is_last_empty = line.is_empty();
                    self.input.lines.pop_front();
                }
                Err(error) if error.is(libc::EAGAIN) || error.is(libc::EINTR) => return Ok(()),
                // Messages of the server may be left; the end comes after them.
                Err(error) if error.is_end() => {
                    self.input.lines.clear();
                    self.has_lost = true;
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
