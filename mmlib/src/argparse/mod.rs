// SPDX-License-Identifier: Apache-2.0
//! The argument parser.
//!
//! - [`parse`][]: the walk over the arguments, which returns to C for each call of the program;
//! - [`name`][]: names of options, and what looks like an option;
//! - [`convert`][]: values;
//! - [`help`] and [`wrap`]: the text of `--help`;
//! - [`candidates`][]: what completes an option.
#![forbid(unsafe_code)]

pub mod candidates;
pub mod parse;

mod convert;
mod help;
mod name;
mod wrap;

use crate::rt::errno::PreservedErrno;
use crate::sys::options::{Opt, Parser};
use crate::sys::stdio::{Stream, fwrite};
use name::Name;

/// Results of a parse.
pub const MM_ARGPARSE_ERROR: core::ffi::c_int = -1;
pub const MM_ARGPARSE_STOP: core::ffi::c_int = -2;
pub const MM_ARGPARSE_COMPLETE: core::ffi::c_int = -3;

/// Prints a line whose parts follow each other.
fn print(stream: Stream, parts: &[&[u8]]) {
    parts.iter().for_each(|part| fwrite(stream, part));
    fwrite(stream, b"\n");
}

fn print_error(parts: &[&[u8]]) {
    let _errno = PreservedErrno::new();
    print(Stream::Error, parts);
}

/// Checks the names of all options. Prints the error of the first that is invalid.
fn is_valid(parser: Parser) -> bool {
    let invalid = parser.options().find(|option| !name::is_valid(option.name()));
    match invalid.map(Opt::name) {
        None => return true,
        Some(b"") => print_error(&[b"name in mm_arg_opt must be set"]),
        Some(name) => print_error(&[b"invalid short or long name for option ", name]),
    }
    false
}

fn print_usage_hint() {
    print_error(&[b"Use -h or --help to display usage."]);
}

/// Finds the first option with this key or long name: those of the program, and then the built-in one.
fn find<'a>(parser: Parser<'a>, is_wanted: impl Fn(&Name) -> bool) -> Option<Opt<'a>> {
    let mut options = parser.options().chain([Opt::help()]);
    options.find(|option| is_wanted(&Name::of(option.name())))
}

fn find_key(parser: Parser, key: u8) -> Option<Opt> {
    find(parser, |name| name.key == Some(key))
}

fn find_long<'a>(parser: Parser<'a>, long: &[u8]) -> Option<Opt<'a>> {
    find(parser, |name| name.long == Some(long))
}

/// The forms of the built-in option that no option of the program replaces.
fn help_forms(parser: Parser) -> Name<'static> {
    let is_built_in = |option: Option<Opt>| option.is_some_and(Opt::is_help);
    Name {
        key: is_built_in(find_key(parser, b'h')).then_some(b'h'),
        long: is_built_in(find_long(parser, b"help")).then_some(b"help"),
    }
}
