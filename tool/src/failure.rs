// SPDX-License-Identifier: Apache-2.0
//! Why a command ends without success, and its exit status.

use crate::text::escaped;
use std::fmt;
use std::io;

/// The exit statuses. mmipc(1) documents them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Success = 0,
    Failure = 1,
    Usage = 2,
    NoServer = 3,
    Timeout = 4,
    PeerClosed = 5,
    Refused = 6,
    /// A program cannot be executed.
    NotExecutable = 126,
    /// A program does not exist.
    NotFound = 127,
}

pub enum Failure {
    /// The message is printed, after "mmipc: ".
    Message(Status, String),
    /// Nothing is printed, for example because it has been printed.
    Silent(Status),
    /// The process ends by this signal, after its destructors have run. SIGPIPE is that of a closed standard output.
    Signal(i32),
}

pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub fn new(status: Status, message: impl fmt::Display) -> Failure {
        Failure::Message(status, message.to_string())
    }

    pub fn usage(message: impl fmt::Display) -> Failure {
        Failure::new(Status::Usage, message)
    }

    pub fn timeout(message: impl fmt::Display) -> Failure {
        Failure::new(Status::Timeout, message)
    }

    /// `what` is what has failed, for example "cannot open "file"".
    pub fn io(what: impl fmt::Display, error: &io::Error) -> Failure {
        let status = match error.kind() {
            io::ErrorKind::PermissionDenied => Status::Refused,
            _ => Status::Failure,
        };
        Failure::new(status, format_args!("{what}: {}", reason(error)))
    }
}

/// The system's message, without the number that Rust appends.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(end) => text.get(..end).unwrap_or(&text).to_owned(),
        None => text,
    }
}

/// The failure of a write to standard output.
pub fn of_output(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::Signal(libc::SIGPIPE),
        _ => Failure::io("cannot write to standard output", error),
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Failure {
        Failure::usage(escaped(error.to_string().as_bytes()))
    }
}
