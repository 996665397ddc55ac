// SPDX-License-Identifier: Apache-2.0
//! mmipc send: sends messages and file descriptors, and prints the answers.

use crate::address::Address;
use crate::args::{decimal, duration, parsed, positive};
use crate::connecting::{connect, wait_until, wait_until_received};
use crate::failure::{Failure, Result, Status};
use crate::fds::shown;
use crate::help::print_command;
use crate::message::{Format, Receiver, print_message};
use crate::mmsysio::{self, CLOEXEC};
use crate::sys::{self, Ready};
use lexopt::prelude::*;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::Duration;

pub const HELP: &str = "\
Usage: mmipc send ADDR [DATA...] [OPTION...]

Sends each DATA as a message. Without DATA, the messages are the lines of
standard input, or one empty message if there are descriptors to send.

Options:
  --lines             one message for each line of standard input
  --null              one message for each record that ends in a NUL byte
  --whole             one message: all of standard input
  --fd N              send the open file descriptor N; can be repeated
  --open FILE[:rw]    open FILE for reading, or for reading and writing, and
                      send its descriptor; can be repeated
  --wait-reply[=N]    wait for N answers (1) to each message, and print them
  --format FORMAT     of the answers: text (default), quoted, hex, json, or raw
  --timeout T         for the connection, and for each message and answer
  --count N           send the messages N times
  --interval T        pause between two messages

The descriptors are part of the first message. T is a number of seconds, or a
number with the unit ms, s, m or h.
";

/// Where the messages come from.
enum Source {
    Arguments(Vec<Vec<u8>>),
    /// Standard input, in records that end in this byte.
    Records(u8),
    Whole,
}

struct Options {
    source: Source,
    fds: Vec<OwnedFd>,
    replies: u64,
    format: Format,
    timeout: Option<Duration>,
    count: u64,
    interval: Duration,
}

pub fn run(mut parser: lexopt::Parser) -> Result<()> {
    let (mut address, mut data, mut from_input) = (None, Vec::new(), None);
    let mut attachments = Vec::new();
    let mut options = Options {
        source: Source::Whole,
        fds: Vec::new(),
        replies: 0,
        format: Format::Text,
        timeout: None,
        count: 1,
        interval: Duration::ZERO,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return print_command(HELP),
            Long("lines") => from_input = Some(Source::Records(b'\n')),
            Long("null") => from_input = Some(Source::Records(0)),
            Long("whole") => from_input = Some(Source::Whole),
            Long("fd") => attachments.push(Attachment::Inherited(parsed(parser.value()?, "--fd", decimal)?)),
            Long("open") => attachments.push(Attachment::File(parser.value()?)),
            Long("wait-reply") => {
                let number = parser.optional_value();
                options.replies = number.map_or(Ok(1), |number| parsed(number, "--wait-reply", positive))?;
            }
            Long("format") => options.format = parsed(parser.value()?, "--format", Format::parse)?,
            Long("timeout") => options.timeout = Some(parsed(parser.value()?, "--timeout", duration)?),
            Long("count") => options.count = parsed(parser.value()?, "--count", positive)?,
            Long("interval") => options.interval = parsed(parser.value()?, "--interval", duration)?,
            Value(text) if address.is_none() => address = Some(Address::parse(&text).map_err(Failure::usage)?),
            Value(text) => data.push(text.into_vec()),
            other => return Err(other.unexpected().into()),
        }
    }
    let Some(address) = address else { return Err(Failure::usage("no address; see 'mmipc send --help'")) };
    if attachments.len() > mmsysio::MOST_FDS {
        return Err(Failure::usage(format_args!("a message contains at most {} descriptors", mmsysio::MOST_FDS)));
    }
    options.fds = attach(&attachments)?;
    options.source = match (from_input, data.is_empty()) {
        (Some(_), false) => return Err(Failure::usage("DATA cannot be combined with --lines, --null or --whole")),
        (Some(source), true) => source,
        (None, true) if options.fds.is_empty() => Source::Records(b'\n'),
        (None, true) => Source::Arguments(vec![Vec::new()]),
        (None, false) => Source::Arguments(data),
    };
    let connection = connect(&address, CLOEXEC, options.timeout)?;
    let mut sending =
        Sending { connection, receiver: Receiver::new(), is_first: true, is_last_empty: false, options: &options };
    sending.send_all()?;
    // The server cannot distinguish such a message from the end of the connection.
    if sending.is_last_empty { wait_until_received(&sending.connection, options.timeout) } else { Ok(()) }
}

/// A file descriptor to send.
enum Attachment {
    Inherited(RawFd),
    File(OsString),
}

fn attach(attachments: &[Attachment]) -> Result<Vec<OwnedFd>> {
    let failed = |number: RawFd, e: &io::Error| Failure::io(format_args!("cannot send file descriptor {number}"), e);
    // First, since the tool's own file descriptors get the numbers of those that are not open.
    for attachment in attachments {
        if let Attachment::Inherited(number) = attachment {
            sys::check_open(*number).map_err(|e| failed(*number, &e))?;
        }
    }
    attachments
        .iter()
        .map(|attachment| match attachment {
            Attachment::Inherited(number) => sys::duplicate(*number).map_err(|e| failed(*number, &e)),
            Attachment::File(argument) => opened(argument),
        })
        .collect()
}

fn opened(argument: &OsString) -> Result<OwnedFd> {
    let (path, is_writable) = match argument.as_bytes().strip_suffix(b":rw") {
        Some(path) => (path, true),
        None => (argument.as_bytes(), false),
    };
    let path = Path::new(std::ffi::OsStr::from_bytes(path));
    OpenOptions::new()
        .read(true)
        .write(is_writable)
        .open(path)
        .map(OwnedFd::from)
        .map_err(|e| Failure::io(format_args!("cannot open {}", shown(path)), &e))
}

struct Sending<'a> {
    connection: OwnedFd,
    receiver: Receiver,
    is_first: bool,
    /// Whether the last message had neither data nor descriptors.
    is_last_empty: bool,
    options: &'a Options,
}

impl Sending<'_> {
    fn send_all(&mut self) -> Result<()> {
        let failed = |e: &io::Error| Failure::io("cannot read standard input", e);
        let mut input = BufReader::new(Input);
        match &self.options.source {
            Source::Arguments(messages) => self.repeat(messages),
            Source::Whole => {
                let mut data = Vec::new();
                input.read_to_end(&mut data).map_err(|e| failed(&e))?;
                self.repeat(&[data])
            }
            // Each record is sent when it has been read.
            Source::Records(end) if self.options.count == 1 => {
                let mut record = Vec::new();
                while read_record(&mut input, *end, &mut record).map_err(|e| failed(&e))? {
                    self.send(&record)?;
                }
                Ok(())
            }
            Source::Records(end) => {
                let (mut records, mut record) = (Vec::new(), Vec::new());
                while read_record(&mut input, *end, &mut record).map_err(|e| failed(&e))? {
                    records.push(record.clone());
                }
                self.repeat(&records)
            }
        }
    }

    fn repeat(&mut self, messages: &[Vec<u8>]) -> Result<()> {
        for _ in 0..self.options.count {
            for message in messages {
                self.send(message)?;
            }
        }
        Ok(())
    }

    /// Sends a message, and prints the answers to it.
    fn send(&mut self, data: &[u8]) -> Result<()> {
        let timeout = self.options.timeout;
        if !self.is_first && !self.options.interval.is_zero() {
            std::thread::sleep(self.options.interval);
        }
        let fds: Vec<_> =
            if self.is_first { self.options.fds.iter().map(AsRawFd::as_raw_fd).collect() } else { Vec::new() };
        self.is_first = false;
        wait_until(&self.connection, Ready::ToWrite, timeout, "the server did not receive a message")?;
        mmsysio::send(self.connection.as_fd(), data, &fds)?;
        self.is_last_empty = data.is_empty() && fds.is_empty();
        for count in 0..self.options.replies {
            wait_until(&self.connection, Ready::ToRead, timeout, "the server did not answer")?;
            match self.receiver.receive(self.connection.as_fd()) {
                Ok(answer) => print_message(self.options.format, None, &answer)?,
                Err(error) if error.is_end() => {
                    let replies = self.options.replies;
                    return Err(Failure::new(
                        Status::PeerClosed,
                        format_args!("the server closed the connection after {count} of {replies} answers"),
                    ));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Standard input. Another process may have made it non-blocking.
struct Input;

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let stdin = io::stdin();
        loop {
            match stdin.lock().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    sys::wait_readable(&[stdin.as_fd()], None)?;
                }
                result => return result,
            }
        }
    }
}

/// Reads a record without its end. Returns false after the last one.
fn read_record(input: &mut impl BufRead, end: u8, record: &mut Vec<u8>) -> io::Result<bool> {
    record.clear();
    let size = input.read_until(end, record)?;
    if record.last() == Some(&end) {
        record.pop();
    }
    Ok(size > 0)
}
