// SPDX-License-Identifier: Apache-2.0
//! mmipc list

mod diag;
mod json;
mod model;
#[cfg(test)]
mod model_tests;
mod names;
mod netlink;
mod paths;
mod presence;
mod processes;
mod slots;
mod table;
mod waiting;
mod watch;

use crate::address::Address;
use crate::args::parsed;
use crate::failure::{Failure, Result, Status};
use crate::help;
use crate::output::{Color, Style, print, report};
use lexopt::prelude::*;
use model::Listing;
use processes::Users;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;

pub use presence::is_listening;

pub const HELP: &str = "\
Usage: mmipc list [OPTION...] [ADDR...]

Lists the servers of this network namespace, or those at the ADDRs: the
processes that have the listening socket, the used part of the backlog, the
connections and their peers. Clients that wait for a server are listed too.
Processes of other users are shown only to root.

Options:
  -j, --json        print JSON: see mmipc(1)
  -w, --watch       print again at each change, until interrupted
      --color WHEN  auto (the default), always or never
  -h, --help        print this help

Below a server:
  connection        an accepted connection, with the process of the peer
  closed            an accepted connection that the peer has closed
  pending           a client whose connection has not been accepted

The exit status is 3 if no server listens on one of the ADDRs.
";

struct Options {
    is_json: bool,
    is_watching: bool,
    style: Style,
    addresses: Vec<Address>,
}

pub fn run(parser: lexopt::Parser) -> Result<()> {
    let Some(options) = read_options(parser)? else { return help::print_command(HELP) };
    let mut users = Users::default();
    if options.is_watching {
        return watch::run(&options, &mut users);
    }
    let listing = list(&options.addresses, &mut users)?;
    print(rendered(&listing, &options, options.addresses.is_empty()).as_bytes())?;
    let is_found = options.addresses.iter().zip(&listing.found);
    let missing: Vec<_> = is_found.filter(|(_, is_found)| !**is_found).map(|(address, _)| missing(address)).collect();
    missing.iter().for_each(report);
    // The first one decides the exit status.
    match missing.first() {
        Some(Failure::Message(status, _)) => Err(Failure::Silent(*status)),
        _ => Ok(()),
    }
}

/// Why there is no server at an address.
fn missing(address: &Address) -> Failure {
    if let Address::Path(path) = address {
        match std::fs::metadata(OsStr::from_bytes(path.to_bytes())) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Failure::io(format_args!("cannot access {address}"), &error);
            }
            _ => {}
        }
    }
    Failure::new(Status::NoServer, format_args!("no server listens on {address}"))
}

/// None: --help
fn read_options(mut parser: lexopt::Parser) -> Result<Option<Options>> {
    let mut color = Color::Auto;
    let (mut is_json, mut is_watching, mut addresses) = (false, false, Vec::new());
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Short('j') | Long("json") => is_json = true,
            Short('w') | Long("watch") => is_watching = true,
            Long("color") => color = parsed(parser.value()?, "--color", Color::parse)?,
            Value(text) => addresses.push(Address::parse(&text).map_err(Failure::usage)?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(Options { is_json, is_watching, style: color.style(), addresses }))
}

fn list(addresses: &[Address], users: &mut Users) -> Result<Listing> {
    let sockets = diag::sockets().map_err(|error| match error.raw_os_error() {
        // The answer if the module is not available.
        Some(libc::ENOENT | libc::EPROTONOSUPPORT) => {
            Failure::new(Status::Failure, "cannot list the sockets: the kernel does not support it (CONFIG_UNIX_DIAG)")
        }
        _ => Failure::io("cannot list the sockets", &error),
    })?;
    Ok(model::listing(&sockets, addresses, users, processes::find))
}

fn rendered(listing: &Listing, options: &Options, is_header_wanted: bool) -> String {
    if options.is_json {
        format!("{}\n", json::document(listing))
    } else {
        table::render(listing, options.style, is_header_wanted)
    }
}
