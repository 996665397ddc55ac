// SPDX-License-Identifier: Apache-2.0
//! mmipc pass: runs a program with a connection, or with a listening socket.

use crate::address::Address;
use crate::args::{duration, mode, parsed};
use crate::connecting::connect;
use crate::failure::{Failure, Result};
use crate::help::print_command;
use crate::mmsysio::{CLOEXEC, Server};
use crate::program::{after_dashes, environment, execute};
use lexopt::prelude::*;
use std::ffi::CString;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStringExt;

pub const HELP: &str = "\
Usage: mmipc pass ADDR [OPTION...] -- CMD [ARGUMENT...]

Connects to the server at ADDR, and executes CMD with the connection as file
descriptor 3.

Options:
  --timeout T         for the connection: a number of seconds, or a number with
                      the unit ms, s, m or h
  --listen            create a server in place of a connection: its listening
                      socket is descriptor 3, and LISTEN_PID, LISTEN_FDS and
                      LISTEN_FDNAMES are set as by a service manager
  --mode MODE         permissions of a path, in octal digits (default 600)
";

/// The first descriptor after the standard streams.
const PASSED: i32 = 3;

pub fn run(mut parser: lexopt::Parser) -> Result<()> {
    let (mut address, mut timeout, mut is_listening, mut permissions) = (None, None, false, None);
    let mut argv = Vec::new();
    loop {
        if let Some(program) = after_dashes(&mut parser)? {
            argv = program;
            break;
        }
        match parser.next()? {
            None => break,
            Some(Short('h') | Long("help")) => return print_command(HELP),
            Some(Long("timeout")) => timeout = Some(parsed(parser.value()?, "--timeout", duration)?),
            Some(Long("listen")) => is_listening = true,
            Some(Long("mode")) => permissions = Some(parsed(parser.value()?, "--mode", mode)?),
            Some(Value(text)) if address.is_none() => address = Some(Address::parse(&text).map_err(Failure::usage)?),
            Some(other) => return Err(other.unexpected().into()),
        }
    }
    let Some(address) = address else { return Err(Failure::usage("no address; see 'mmipc pass --help'")) };
    if argv.is_empty() {
        return Err(Failure::usage("no command after '--'; see 'mmipc pass --help'"));
    }
    if is_listening && timeout.is_some() {
        return Err(Failure::usage("--timeout cannot be combined with --listen, which does not wait"));
    }
    if is_listening {
        return listen(&address, permissions, &argv);
    }
    if permissions.is_some() {
        return Err(Failure::usage("--mode needs --listen"));
    }
    let connection = connect(&address, CLOEXEC, timeout)?;
    Err(execute(&argv, &[(PASSED, connection.as_raw_fd())], None))
}

fn listen(address: &Address, permissions: Option<u32>, argv: &[CString]) -> Result<()> {
    let mode = address.mode(permissions)?;
    let environment = listening_environment();
    let listener = Server::create(address.as_c_str(), address.flags(), mode)?.release()?;
    let failure = execute(argv, &[(PASSED, listener.as_raw_fd())], Some(&environment));
    if let Address::Path(path) = address {
        // Nobody serves there.
        let _ = std::fs::remove_file(std::ffi::OsString::from_vec(path.to_bytes().to_vec()));
    }
    Err(failure)
}

/// The environment with the variables of sd_listen_fds(3). The process ID is the same after the execution.
fn listening_environment() -> Vec<CString> {
    environment(
        |name| ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"].iter().any(|listen| name == *listen),
        [format!("LISTEN_PID={}", std::process::id()), "LISTEN_FDS=1".to_owned(), "LISTEN_FDNAMES=mmipc".to_owned()],
    )
}
