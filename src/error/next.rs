// SPDX-License-Identifier: Apache-2.0
//! The error of a thread that has not been raised yet: see [`super::Error`].
#![forbid(unsafe_code)]

use crate::rt::text::Text;
use crate::rt::thread_errors::{self, NextError};
use crate::sys;
use core::ffi::c_int;
use core::fmt::{self, Arguments, Write};
use core::panic::Location;
use errno::Errno;

/// The module name in errors and log lines of the library. Tools written for mmlib search for it.
pub const MODULE: &[u8] = b"mmlib";

/// A copy of the error.
pub struct Snapshot {
    pub number: c_int,
    pub is_logged: bool,
    pub location: Option<&'static Location<'static>>,
    pub description: Text<256>,
}

/// Replaces the error by a new one without a description.
pub fn begin(number: c_int, is_logged: bool, location: &'static Location<'static>) {
    begin_constant(number, is_logged, location, "", [0; 3]);
}

/// Replaces the error by a new one, whose description is that of [`expanded`].
pub fn begin_constant(
    number: c_int,
    is_logged: bool,
    location: &'static Location<'static>,
    what: &'static str,
    numbers: [usize; 3],
) {
    thread_errors::with(|errors| {
        let next = &errors.next;
        next.number.set(number);
        next.is_logged.set(is_logged.into());
        next.location.set(Some(location));
        next.what.set(what);
        next.numbers.set(numbers);
        next.length.set(0);
    });
}

/// Appends to the description, which is truncated if it is too long.
pub fn describe(what: Arguments) {
    // Description itself never fails. If a Display implementation fails, the text that it has written remains.
    thread_errors::with(|errors| Description(&errors.next).write_fmt(what)).unwrap_or_default();
}

pub fn append_reason(reason: &[u8]) {
    thread_errors::with(|errors| {
        Description(&errors.next).push(SEPARATOR);
        Description(&errors.next).push(reason);
    });
}

const SEPARATOR: &[u8] = b" ; ";

/// The text `what` with numbers in place of each `{}` (signed) and `{u}` (unsigned), followed by the system's message for
/// the errno value.
pub fn expanded(what: &str, numbers: [usize; 3], number: c_int) -> Text<256> {
    let mut text = Text::new();
    let mut parts = what.as_bytes().split(|byte| *byte == b'{');
    text.push(parts.next().unwrap_or_default());
    for (part, number) in parts.zip(numbers) {
        match part {
            [b'}', rest @ ..] => {
                if (number as isize) < 0 {
                    text.push(b"-");
                }
                text.push_decimal((number as isize).unsigned_abs());
                text.push(rest);
            }
            [b'u', b'}', rest @ ..] => {
                text.push_decimal(number);
                text.push(rest);
            }
            _ => {
                text.push(b"{");
                text.push(part);
            }
        }
    }
    text.push(SEPARATOR);
    sys::strerror(Errno(number), |reason| text.push(reason));
    text
}

/// Formats the source location of an error.
pub fn location_text(function: &str, location: Option<&Location>) -> Text<256> {
    let (file, line) = location.map_or(("", 0), |location| (location.file(), location.line()));
    let mut text = Text::copied_from(function.as_bytes());
    text.push(b"() in ");
    text.push(file.as_bytes());
    text.push(b":");
    text.push_decimal(line as usize);
    text
}

pub fn set_not_logged() {
    thread_errors::with(|errors| errors.next.is_logged.set(0));
}

pub fn number() -> c_int {
    thread_errors::with(|errors| errors.next.number.get())
}

/// Whether the description is that of [`expanded`].
pub fn is_constant() -> bool {
    thread_errors::with(|errors| !errors.next.what.get().is_empty())
}

pub fn is_logged() -> bool {
    thread_errors::with(|errors| errors.next.is_logged.get() != 0)
}

pub fn snapshot() -> Snapshot {
    thread_errors::with(|errors| {
        let next = &errors.next;
        let what = next.what.get();
        Snapshot {
            number: next.number.get(),
            is_logged: next.is_logged.get() != 0,
            location: next.location.get(),
            description: if what.is_empty() {
                next.description_text()
            } else {
                expanded(what, next.numbers.get(), next.number.get())
            },
        }
    })
}

pub fn restore(snapshot: &Snapshot) {
    thread_errors::with(|errors| {
        let next = &errors.next;
        next.number.set(snapshot.number);
        next.is_logged.set(snapshot.is_logged.into());
        next.location.set(snapshot.location);
        next.what.set("");
        next.length.set(0);
        Description(next).push(snapshot.description.as_bytes());
    });
}

struct Description<'a>(&'a NextError);

impl Description<'_> {
    fn push(&mut self, bytes: &[u8]) {
        self.0.push(bytes);
    }
}

impl Write for Description<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.push(s.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    fn begin_here() {
        begin(5, true, Location::caller());
    }

    #[test]
    fn a_description_is_replaced_extended_and_truncated() {
        begin_here();
        describe(format_args!("a {} description", "long"));
        begin_here();
        describe(format_args!("number {}", 1));
        append_reason(b"because");
        assert_eq!(snapshot().description.as_bytes(), b"number 1 ; because");
        begin_here();
        describe(format_args!("{}", String::from_utf8(std::vec![b'x'; 300]).unwrap()));
        append_reason(b"because");
        assert_eq!(snapshot().description.as_bytes(), [b'x'; 255]);
    }

    #[test]
    fn numbers_replace_the_markers_of_a_constant() {
        let reason = String::from(" ; ") + &std::io::Error::from_raw_os_error(5).to_string();
        let reason = reason.strip_suffix(" (os error 5)").unwrap();
        let text = |what, numbers| String::from_utf8(expanded(what, numbers, 5).as_bytes().to_vec()).unwrap();
        assert_eq!(text("no number", [1, 2, 3]), String::from("no number") + reason);
        assert_eq!(text("{} and {u}: {}", [usize::MAX, usize::MAX, 7]), format!("-1 and {}: 7{reason}", usize::MAX));
        assert_eq!(text("{", [1, 2, 3]), String::from("{") + reason);
    }

    #[test]
    fn a_snapshot_is_restored() {
        begin_here();
        describe(format_args!("first"));
        let first = snapshot();
        begin(7, false, Location::caller());
        describe(format_args!("second"));
        restore(&first);
        let restored = snapshot();
        assert_eq!(
            (restored.number, restored.is_logged, restored.description.as_bytes()),
            (5, true, b"first".as_slice())
        );
        assert_eq!(restored.location, first.location);
    }
}
