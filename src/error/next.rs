// SPDX-License-Identifier: Apache-2.0
//! The error of a thread that has not been raised yet: see [`super::Error`].
#![forbid(unsafe_code)]

use crate::rt::text::Text;
use crate::rt::thread_errors::{self, NextError};
use core::ffi::c_int;
use core::fmt::{self, Arguments, Write};
use core::panic::Location;

/// A copy of the error.
pub struct Snapshot {
    pub number: c_int,
    pub is_logged: bool,
    pub location: Option<&'static Location<'static>>,
    pub description: Text<256>,
}

/// Replaces the error by a new one without a description.
pub fn begin(number: c_int, is_logged: bool, location: &'static Location<'static>) {
    thread_errors::with(|errors| {
        errors.next.number.set(number);
        errors.next.is_logged.set(is_logged.into());
        errors.next.location.set(Some(location));
        errors.next.length.set(0);
    });
}

/// Appends to the description, which is truncated if it is too long.
pub fn describe(what: Arguments) {
    // Description itself never fails. If a Display implementation fails, the text that it has written remains.
    thread_errors::with(|errors| Description(&errors.next).write_fmt(what)).unwrap_or_default();
}

pub fn append_reason(reason: &[u8]) {
    thread_errors::with(|errors| {
        Description(&errors.next).push(b" ; ");
        Description(&errors.next).push(reason);
    });
}

pub fn set_not_logged() {
    thread_errors::with(|errors| errors.next.is_logged.set(0));
}

pub fn number() -> c_int {
    thread_errors::with(|errors| errors.next.number.get())
}

pub fn snapshot() -> Snapshot {
    thread_errors::with(|errors| {
        let next = &errors.next;
        let mut bytes = [0; 256];
        for (to, from) in bytes.iter_mut().zip(&next.description) {
            *to = from.get();
        }
        let length = usize::try_from(next.length.get()).unwrap_or(0);
        Snapshot {
            number: next.number.get(),
            is_logged: next.is_logged.get() != 0,
            location: next.location.get(),
            description: Text::copied_from(bytes.get(..length).unwrap_or_default()),
        }
    })
}

pub fn restore(snapshot: &Snapshot) {
    thread_errors::with(|errors| {
        let next = &errors.next;
        next.number.set(snapshot.number);
        next.is_logged.set(snapshot.is_logged.into());
        next.location.set(snapshot.location);
        next.length.set(0);
        Description(next).push(snapshot.description.as_bytes());
    });
}

struct Description<'a>(&'a NextError);

impl Description<'_> {
    fn push(&mut self, bytes: &[u8]) {
        let Description(next) = self;
        let mut length = usize::try_from(next.length.get()).unwrap_or(0);
        // The last byte is reserved for the terminator.
        let capacity = next.description.len() - 1;
        for (to, from) in next.description.iter().take(capacity).skip(length).zip(bytes) {
            to.set(*from);
            length += 1;
        }
        next.length.set(length as c_int);
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
