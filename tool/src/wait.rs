// SPDX-License-Identifier: Apache-2.0
//! mmipc wait: waits until a server listens.

use crate::address::Address;
use crate::args::{duration, parsed};
use crate::failure::{Failure, Result, Status};
use crate::help::print_command;
use crate::list::is_listening;
use crate::mmsysio::{self, CLOEXEC};
use crate::program::{after_dashes, execute};
use crate::sys;
use lexopt::prelude::*;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

pub const HELP: &str = "\
Usage: mmipc wait ADDR [OPTION...] [-- CMD [ARGUMENT...]]

Waits until a server listens at ADDR, and then executes CMD. The server does not
notice it.

Options:
  --timeout T         wait no longer: a number of seconds, or a number with the
                      unit ms, s, m or h; 0 does not wait
";

/// How often to look again. Servers that do not use libmmsysio notify nobody.
const INTERVAL: Duration = Duration::from_millis(250);

pub fn run(mut parser: lexopt::Parser) -> Result<()> {
    let (mut address, mut timeout, mut argv) = (None, None, None);
    loop {
        if let Some(program) = after_dashes(&mut parser)? {
            argv = Some(program);
            break;
        }
        match parser.next()? {
            None => break,
            Some(Short('h') | Long("help")) => return print_command(HELP),
            Some(Long("timeout")) => timeout = Some(parsed(parser.value()?, "--timeout", duration)?),
            Some(Value(text)) if address.is_none() => address = Some(Address::parse(&text).map_err(Failure::usage)?),
            Some(other) => return Err(other.unexpected().into()),
        }
    }
    let Some(address) = address else { return Err(Failure::usage("no address; see 'mmipc wait --help'")) };
    if argv.as_ref().is_some_and(Vec::is_empty) {
        return Err(Failure::usage("no command after '--'; see 'mmipc wait --help'"));
    }
    wait(&address, timeout)?;
    argv.map_or(Ok(()), |argv| Err(execute(&argv, &[], None)))
}

fn wait(address: &Address, timeout: Option<Duration>) -> Result<()> {
    let begin = Instant::now();
    // The watch exists before the first look, so that no server is missed.
    let mut watch = File::from(mmsysio::watch(address.as_c_str(), address.flags())?);
    loop {
        if has_server(address)? {
            return Ok(());
        }
        let left = timeout.map(|timeout| timeout.saturating_sub(begin.elapsed()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(match timeout {
                Some(timeout) if !timeout.is_zero() => {
                    Failure::timeout(format_args!("no server listens on {address} within {timeout:?}"))
                }
                _ => Failure::new(Status::NoServer, format_args!("no server listens on {address}")),
            });
        }
        sys::wait_readable(&[watch.as_fd()], Some(left.map_or(INTERVAL, |left| left.min(INTERVAL))))
            .map_err(|e| Failure::io(format_args!("cannot wait for a server to listen on {address}"), &e))?;
        // It is cleared when a read would block; what is read has no meaning, and can be empty.
        let mut events = [0; 4096];
        while watch.read(&mut events).is_ok() {}
    }
}

fn has_server(address: &Address) -> Result<bool> {
    if let Ok(is_listening) = is_listening(address) {
        return Ok(is_listening);
    }
    // Without a list of sockets, a connection is the only way to know.
    match mmsysio::connect(address.as_c_str(), address.flags() | CLOEXEC, 0) {
        Ok(_) => Ok(true),
        Err(error) if error.is(libc::EAGAIN) => Ok(true),
        Err(error) if error.is(libc::ECONNREFUSED) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
