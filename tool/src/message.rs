// SPDX-License-Identifier: Apache-2.0
//! Printing of received messages.

use crate::failure::Result;
use crate::fds::Description;
use crate::json::Json;
use crate::mmsysio::{self, Received};
use crate::output::{print, print_error};
use crate::peer::Peer;
use crate::sys;
use crate::text::{escaped, quoted};
use std::fmt::Write;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// The value of --format.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Escaped, on a line of its own.
    Text,
    /// Escaped, between double quotes.
    Quoted,
    Hex,
    /// One document on each line.
    Json,
    /// The bytes of the message, and nothing else.
    Raw,
}

impl Format {
    pub fn parse(text: &str) -> Option<Format> {
        match text {
            "text" => Some(Format::Text),
            "quoted" => Some(Format::Quoted),
            "hex" => Some(Format::Hex),
            "json" => Some(Format::Json),
            "raw" => Some(Format::Raw),
            _ => None,
        }
    }
}

/// Receives messages of any size.
pub struct Receiver {
    buffer: Vec<u8>,
}

/// A message, whose data is in the buffer of the receiver.
pub struct Message<'a> {
    pub data: &'a [u8],
    pub received: Received,
}

impl Receiver {
    pub fn new() -> Receiver {
        Receiver { buffer: vec![0; 4096] }
    }

    /// Receives the next message.
    pub fn receive(&mut self, connection: BorrowedFd) -> mmsysio::Result<Message<'_>> {
        let size = loop {
            match sys::next_size(connection) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The kernel reports it once, before the messages of a peer that has closed without reading.
                Err(error) if error.raw_os_error() == Some(libc::ECONNRESET) => {}
                // What is wrong with the connection, the receive itself reports.
                result => break result.unwrap_or(0),
            }
        };
        if size > self.buffer.len() {
            self.buffer.resize(size, 0);
        }
        let received = mmsysio::receive(connection, &mut self.buffer)?;
        Ok(Message { data: self.buffer.get(..received.size).unwrap_or_default(), received })
    }
}

/// Whose message it is, for the output.
pub struct Origin<'a> {
    /// The number of the connection, in the order in which they were accepted.
    pub connection: u64,
    pub peer: &'a Peer,
}

/// Prints a message, and what its file descriptors refer to. A client prints the messages of its only server, without
/// origin.
pub fn print_message(format: Format, origin: Option<&Origin>, message: &Message) -> Result<()> {
    let descriptions: Vec<_> = message.received.fds.iter().map(|fd| Description::of(fd.as_fd())).collect();
    match format {
        Format::Raw => {
            print(message.data)?;
            for note in notes(message, &descriptions) {
                print_error(&note);
            }
            Ok(())
        }
        Format::Json => print(format!("{}\n", json(origin, message, &descriptions)).as_bytes()),
        Format::Text | Format::Quoted | Format::Hex => {
            let prefix = origin.map_or_else(String::new, |origin| format!("{}: ", origin.peer));
            let mut lines = prefix.clone();
            // Writing to a string does not fail.
            let _ = match format {
                Format::Quoted => write!(lines, "{}", quoted(message.data)),
                Format::Hex => write!(lines, "{}", hex(message.data)),
                // It must not look like a note.
                _ => match message.data.strip_prefix(b"[") {
                    Some(rest) => write!(lines, "\\x5b{}", escaped(rest)),
                    None => write!(lines, "{}", escaped(message.data)),
                },
            };
            lines.push('\n');
            for note in notes(message, &descriptions) {
                lines.push_str(&format!("{prefix}[{note}]\n"));
            }
            print(lines.as_bytes())
        }
    }
}

/// What the data does not show.
fn notes(message: &Message, descriptions: &[Description]) -> Vec<String> {
    let mut notes: Vec<_> = descriptions
        .iter()
        .enumerate()
        .map(|(index, description)| format!("descriptor {}: {description}", index + 1))
        .collect();
    if message.received.are_fds_dropped {
        notes.push("descriptors were dropped: the limit on open files has been reached".to_owned());
    }
    if message.received.is_truncated {
        notes.push("the message was truncated".to_owned());
    }
    notes
}

/// The members:
/// - `connection`, `peer`: only in the output of a server; see [`Peer::json`];
/// - `size`: number of bytes of data;
/// - `text`: the data, if it is UTF-8; `hex`: the data in hexadecimal digits, if it is not;
/// - `truncated`, `descriptors_dropped`: whether a part of the message was lost;
/// - `descriptors`: see [`Description::json`].
fn json(origin: Option<&Origin>, message: &Message, descriptions: &[Description]) -> Json {
    let mut members = Vec::new();
    if let Some(origin) = origin {
        members.push(("connection", Json::Integer(i64::try_from(origin.connection).unwrap_or(i64::MAX))));
        members.push(("peer", origin.peer.json()));
    }
    members.push(("size", Json::Integer(i64::try_from(message.data.len()).unwrap_or(i64::MAX))));
    members.push(match std::str::from_utf8(message.data) {
        Ok(text) => ("text", Json::text(text)),
        Err(_) => ("hex", Json::Text(hex(message.data))),
    });
    members.push(("truncated", Json::Bool(message.received.is_truncated)));
    members.push(("descriptors_dropped", Json::Bool(message.received.are_fds_dropped)));
    members.push(("descriptors", Json::List(descriptions.iter().map(Description::json).collect())));
    Json::Object(members)
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
