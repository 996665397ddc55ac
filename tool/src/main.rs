// SPDX-License-Identifier: Apache-2.0
//! mmipc: lists the servers of libmmsysio's IPC, and exchanges messages and file descriptors with them.
#![deny(unsafe_code)]

mod address;
mod args;
mod bench;
mod client;
mod connect;
mod connecting;
mod failure;
mod fds;
mod help;
mod json;
mod list;
mod listen;
mod message;
#[allow(unsafe_code)]
mod mmsysio;
mod output;
mod pass;
mod peer;
mod program;
mod send;
#[allow(unsafe_code)]
mod sys;
mod text;
mod wait;

use failure::{Failure, Result, Status};
use lexopt::prelude::*;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use text::quoted;

fn main() -> ExitCode {
    sys::handle_sigpipe();
    mmsysio::disable_log();
    let status = match run() {
        Ok(()) => Status::Success,
        Err(Failure::Signal(signal)) => sys::die_by(signal),
        Err(failure) => {
            output::report(&failure);
            match failure {
                Failure::Message(status, _) | Failure::Silent(status) => status,
                Failure::Signal(_) => Status::Failure,
            }
        }
    };
    ExitCode::from(status as u8)
}

fn run() -> Result<()> {
    let mut parser = lexopt::Parser::from_env();
    match parser.next()? {
        Some(Value(command)) => match command.to_str() {
            Some("list") => list::run(parser),
            Some("listen") => listen::run(parser),
            Some("send") => send::run(parser),
            Some("connect") => connect::run(parser),
            Some("wait") => wait::run(parser),
            Some("pass") => pass::run(parser),
            Some("bench") => bench::run(parser),
            Some("help") => print_help(parser),
            _ => Err(unknown(&command)),
        },
        Some(Short('h') | Long("help")) => help::print_overview(),
        Some(Short('V') | Long("version")) => {
            output::print(concat!("mmipc ", env!("CARGO_PKG_VERSION"), "\n").as_bytes())
        }
        Some(argument) => Err(argument.unexpected().into()),
        None => Err(Failure::usage("no command; see 'mmipc --help'")),
    }
}

fn unknown(command: &OsStr) -> Failure {
    Failure::usage(format_args!("unknown command {}; see 'mmipc --help'", quoted(command.as_bytes())))
}

/// `mmipc help [COMMAND]`
fn print_help(mut parser: lexopt::Parser) -> Result<()> {
    let Some(argument) = parser.next()? else { return help::print_overview() };
    let Value(command) = argument else { return Err(argument.unexpected().into()) };
    let text = match command.to_str() {
        Some("list") => list::HELP,
        Some("listen") => listen::HELP,
        Some("send") => send::HELP,
        Some("connect") => connect::HELP,
        Some("wait") => wait::HELP,
        Some("pass") => pass::HELP,
        Some("bench") => bench::HELP,
        _ => return Err(unknown(&command)),
    };
    help::print_command(text)
}
