// SPDX-License-Identifier: Apache-2.0
//! The last error of each thread.
#![forbid(unsafe_code)]

use super::{log, next};
use crate::rt::errno::PreservedErrno;
use crate::rt::text::Text;
use crate::rt::thread_errors::{self, LastError, ThreadErrors};
use core::cell::Cell;
use core::ffi::{c_char, c_int};
use errno::{Errno, errno, set_errno};

/// Thread flag: raising an error does nothing. A failing function of the library sets only errno.
pub const IGNORE: c_int = 0x01;
/// Thread flag: a raised error is stored but not logged.
pub const NOLOG: c_int = 0x02;

/// The error to store and log. It is raised by the library or by a C program.
pub struct Report<'a> {
    pub number: Errno,
    pub module: &'a [u8],
    pub extid: &'a [u8],
    pub location: &'a [u8],
    pub description: &'a [u8],
    /// Whether a line is logged unless the thread has set [`NOLOG`].
    pub is_logged: bool,
}

/// Replaces the thread's last error, logs it, and sets errno to its number. If the number is 0, errno is preserved.
pub fn raise(report: &Report) {
    let flags = set_flags(0, 0);
    if flags & IGNORE != 0 {
        return;
    }
    let expected_errno = if report.number.0 == 0 { errno() } else { report.number };
    thread_errors::with(|errors| {
        let last = &errors.last;
        errors.unformatted.is_pending.set(0);
        last.number.set(report.number.0);
        LastError::set_field(&last.extid, report.extid);
        LastError::set_field(&last.module, report.module);
        LastError::set_field(&last.location, report.location);
        LastError::set_field(&last.description, report.description);
    });
    if report.is_logged && flags & NOLOG == 0 {
        let mut message = Text::<256>::copied_from(report.description);
        message.push(b" (");
        message.push(report.location);
        message.push(b")");
        log::line(log::ERROR, report.module, message.as_bytes());
    }
    set_errno(expected_errno);
}

/// Replaces the thread's last error by the one that has not been raised yet, whose description is constant, and sets
/// errno to its number. Its text is made by [`format_pending`].
pub fn raise_unformatted(function: &'static str) {
    thread_errors::with(|errors| {
        let (last, unformatted, next) = (&errors.last, &errors.unformatted, &errors.next);
        last.number.set(next.number.get());
        unformatted.function.set(function);
        unformatted.location.set(next.location.get());
        unformatted.what.set(next.what.get());
        unformatted.numbers.set(next.numbers.get());
        unformatted.is_pending.set(1);
        set_errno(Errno(next.number.get()));
    });
}

/// Makes the text of the last error, unless that has been done. errno is preserved.
fn format_pending(errors: &ThreadErrors) {
    let (last, unformatted) = (&errors.last, &errors.unformatted);
    if unformatted.is_pending.replace(0) != 0 {
        let _errno = PreservedErrno::new();
        let location = next::location_text(unformatted.function.get(), unformatted.location.get());
        let description = next::expanded(unformatted.what.get(), unformatted.numbers.get(), last.number.get());
        LastError::set_field(&last.extid, b"");
        LastError::set_field(&last.module, next::MODULE);
        LastError::set_field(&last.location, location.as_bytes());
        LastError::set_field(&last.description, description.as_bytes());
    }
}

/// Sets the flags in `mask` to their values in `flags`. Returns the previous flags.
pub fn set_flags(flags: c_int, mask: c_int) -> c_int {
    thread_errors::with(|errors| errors.last.flags.replace((flags & mask) | (errors.last.flags.get() & !mask)))
}

/// Whether the thread has set [`IGNORE`].
pub fn is_ignoring() -> bool {
    thread_errors::with(|errors| errors.last.flags.get() & IGNORE != 0)
}

/// Whether the thread has not set [`NOLOG`].
pub fn is_logging() -> bool {
    thread_errors::with(|errors| errors.last.flags.get() & NOLOG == 0)
}

pub fn number() -> c_int {
    thread_errors::with(|errors| errors.last.number.get())
}

/// Returns a pointer to a string of the record, valid as long as the thread exists.
pub fn string(field: impl FnOnce(&LastError) -> &[Cell<u8>]) -> *const c_char {
    thread_errors::with(|errors| {
        format_pending(errors);
        field(&errors.last).as_ptr().cast()
    })
}

/// Size of the public `struct mm_error_state`.
pub const STATE_SIZE: usize = 1024;

/// Returns the bytes of the record, padded with zeros.
pub fn save() -> [u8; STATE_SIZE] {
    let mut state = [0; STATE_SIZE];
    thread_errors::with(|errors| {
        format_pending(errors);
        let last = &errors.last;
        for (to, from) in state.iter_mut().zip(last.bytes()) {
            *to = from.get();
        }
    });
    state
}

/// Replaces the thread's record by a saved one. The bytes are not trusted, so every string is terminated.
pub fn restore(state: &[u8; STATE_SIZE]) {
    thread_errors::with(|errors| {
        errors.unformatted.is_pending.set(0);
        let last = &errors.last;
        for (to, from) in last.bytes().iter().zip(state) {
            to.set(*from);
        }
        for field in [last.extid.as_slice(), &last.module, &last.location, &last.description] {
            if let Some(last_byte) = field.last() {
                last_byte.set(0);
            }
        }
        set_errno(Errno(last.number.get()));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_record_has_the_layout_of_the_original() {
        restore(&[0; STATE_SIZE]);
        set_flags(-1, NOLOG);
        raise(&Report {
            number: Errno(0x0102_0304),
            module: b"module",
            extid: b"identifier",
            location: b"somewhere",
            description: b"something",
            is_logged: true,
        });
        let state = save();
        assert_eq!(state[0..4], NOLOG.to_ne_bytes());
        assert_eq!(state[4..8], 0x0102_0304_i32.to_ne_bytes());
        assert_eq!(&state[8..19], b"identifier\0");
        assert_eq!(&state[72..79], b"module\0");
        assert_eq!(&state[104..114], b"somewhere\0");
        assert_eq!(&state[360..370], b"something\0");
        assert!(state[616..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn restoring_terminates_every_string() {
        restore(&[b'x'; STATE_SIZE]);
        let state = save();
        for end in [8 + 64, 72 + 32, 104 + 256, 360 + 256] {
            assert_eq!(state[end - 2..end], [b'x', 0]);
        }
        assert_eq!(state[0..8], [b'x'; 8]);
    }
}
