// SPDX-License-Identifier: Apache-2.0
//! What completes an option on the command line: one candidate a line.

use super::name::Name;
use super::{MM_ARGPARSE_ERROR, find_key, help_forms, is_valid, print, print_usage_hint};
use crate::sys::options::{Parser, Requirement};
use crate::sys::stdio::Stream;
use core::ffi::{CStr, c_int};

/// Prints the candidates for a word that may not be an option. Returns the result of mm_arg_parse_complete().
pub fn print_candidates(parser: Parser, word: Option<&CStr>) -> c_int {
    if !is_valid(parser) {
        print_usage_hint();
        return MM_ARGPARSE_ERROR;
    }
    match word.map(CStr::to_bytes) {
        Some(b"" | b"-") => print_all(parser),
        Some([b'-', b'-', prefix @ ..]) => print_long(parser, prefix),
        Some([b'-', letters @ ..]) => print_cluster(parser, letters),
        _ => {}
    }
    0
}

/// Prints the short forms, and then the long ones.
pub fn print_all(parser: Parser) {
    let keys = parser.options().filter_map(|option| Name::of(option.name()).key);
    keys.chain(help_forms(parser).key).for_each(|key| print(Stream::Output, &[b"-", &[key]]));
    print_long(parser, b"");
}

/// Prints the long forms that begin with the prefix.
pub fn print_long(parser: Parser, prefix: &[u8]) {
    for option in parser.options() {
        let Some(long) = Name::of(option.name()).long.filter(|long| long.starts_with(prefix)) else { continue };
        let requirement = option.requirement();
        if requirement != Requirement::Forbidden {
            print(Stream::Output, &[b"--", long, b"="]);
        }
        if requirement != Requirement::Needed {
            print(Stream::Output, &[b"--", long]);
        }
    }
    if let Some(help) = help_forms(parser).long.filter(|help| help.starts_with(prefix)) {
        print(Stream::Output, &[b"--", help]);
    }
}

/// Prints a cluster of short options again, if all of them exist.
pub fn print_cluster(parser: Parser, letters: &[u8]) {
    if letters.iter().all(|letter| find_key(parser, *letter).is_some()) {
        print(Stream::Output, &[b"-", letters]);
    }
}
