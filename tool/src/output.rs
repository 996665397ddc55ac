// SPDX-License-Identifier: Apache-2.0
//! Output for people: colours, and flushed writes.

use crate::failure::{Failure, Result, of_output};
use crate::sys::{self, Unwritten};
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

/// When to use colours.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    /// The value of --color.
    pub fn parse(text: &str) -> Option<Color> {
        match text {
            "auto" => Some(Color::Auto),
            "always" => Some(Color::Always),
            "never" => Some(Color::Never),
            _ => None,
        }
    }

    pub fn style(self) -> Style {
        let is_colored = match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                io::stdout().is_terminal()
                    && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                    && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
            }
        };
        Style { is_colored }
    }
}

/// The escape sequences of a terminal, or nothing.
#[derive(Clone, Copy)]
pub struct Style {
    is_colored: bool,
}

impl Style {
    fn code(self, code: &'static str) -> &'static str {
        if self.is_colored { code } else { "" }
    }

    pub fn bold(self) -> &'static str {
        self.code("\x1b[1m")
    }

    pub fn dim(self) -> &'static str {
        self.code("\x1b[2m")
    }

    pub fn yellow(self) -> &'static str {
        self.code("\x1b[33m")
    }

    pub fn cyan(self) -> &'static str {
        self.code("\x1b[36m")
    }

    pub fn reset(self) -> &'static str {
        self.code("\x1b[0m")
    }
}

/// Writes to standard output at once.
pub fn print(bytes: &[u8]) -> Result<()> {
    sys::write_output(io::stdout().as_fd(), bytes).map_err(|unwritten| match unwritten {
        Unwritten::Failed(error) => of_output(&error),
        Unwritten::Signal(signal) => Failure::Signal(signal),
    })
}

/// Writes a line to standard error. There is nobody to tell if that fails.
pub fn print_error(message: &str) {
    let _ = sys::write_output(io::stderr().as_fd(), format!("mmipc: {message}\n").as_bytes());
}

/// Prints why a command has failed.
pub fn report(failure: &Failure) {
    if let Failure::Message(_, message) = failure {
        print_error(message);
    }
}
