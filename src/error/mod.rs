// SPDX-License-Identifier: Apache-2.0
//! Errors of the library's own functions.
#![forbid(unsafe_code)]

mod next;

pub mod log;
pub mod number;
pub mod record;

use crate::rt::text::Text;
use crate::sys;
use core::ffi::c_int;
use core::fmt::Arguments;
use core::panic::Location;
use errno::{Errno, set_errno};
use next::Snapshot;
use record::{Report, is_ignoring};

/// The module that errors and log lines of the library carry: tools written for mmlib look for it.
const MODULE: &[u8] = b"mmlib";

pub type Result<T> = core::result::Result<T, Error>;

/// The failure of a call. This is a token: its number, source location and description are kept by the thread, so that a
/// result is returned in registers and nothing is allocated.
///
/// A thread keeps one error that has not been raised. To create another one replaces it: a function that collects errors
/// has them [`detached`](Error::detached).
#[must_use]
pub struct Error(());

impl Error {
    /// An error that the library itself found. That a signal handler interrupted a call is what the caller asked for, and
    /// is not logged.
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub fn new(number: c_int, what: Arguments) -> Error {
        next::begin(number, number != libc::EINTR, Location::caller());
        // To format an argument may be a system call: not for a description that nobody will see.
        if !is_ignoring() {
            next::describe(what);
        }
        Error(())
    }

    /// An error that a system call reported; its message is appended to `what` was tried.
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub fn os(number: Errno, what: Arguments) -> Error {
        let error = Error::new(number.0, what);
        if !is_ignoring() {
            sys::strerror(number, next::append_reason);
        }
        error
    }

    /// The same for a call on a descriptor that may be non-blocking or have a time-out: that the call would have had to
    /// wait longer is an expected outcome, and not logged.
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub fn io(number: Errno, what: Arguments) -> Error {
        let error = Error::os(number, what);
        match number.0 {
            libc::EAGAIN | libc::EINPROGRESS | libc::EALREADY => error.not_logged(),
            _ => error,
        }
    }

    #[cold]
    pub fn not_logged(self) -> Error {
        next::set_not_logged();
        self
    }

    /// An error whose reason has a message of its own, which is appended likewise.
    #[cold]
    #[track_caller]
    pub fn with_reason(number: c_int, what: Arguments, reason: &[u8]) -> Error {
        let error = Error::new(number, what);
        next::append_reason(reason);
        error
    }

    pub fn is(&self, number: c_int) -> bool {
        next::number() == number
    }

    /// Makes this the thread's last error, as that of the exported `function`. errno gets its number also if the thread
    /// ignores errors: what the library called since the failure may have changed it.
    #[cold]
    #[inline(never)]
    pub fn raise(self, function: &str) {
        if is_ignoring() {
            set_errno(Errno(next::number()));
            return;
        }
        let error = next::snapshot();
        let (file, line) = error.location.map_or(("", 0), |location| (location.file(), location.line()));
        record::raise(&Report {
            number: Errno(error.number),
            module: MODULE,
            extid: b"",
            location: Text::<256>::formatted(format_args!("{function}() in {file}:{line}")).as_bytes(),
            description: error.description.as_bytes(),
            is_logged: error.is_logged,
        });
    }

    /// The error with all that describes it, which the thread no longer keeps when it creates another one.
    #[cold]
    pub fn detached(self) -> DetachedError {
        DetachedError(next::snapshot())
    }
}

/// `Result<usize>` in one register, for what is on the path of each message: a number of bytes, or an error.
#[must_use]
#[repr(transparent)]
pub struct ByteCount(isize);

impl ByteCount {
    /// No object has more bytes than an isize can count.
    #[inline]
    pub fn new(bytes: usize) -> ByteCount {
        ByteCount((bytes & isize::MAX as usize) as isize)
    }

    #[inline]
    pub fn result(self) -> Result<usize> {
        usize::try_from(self.0).map_err(|_| Error(()))
    }
}

impl From<Error> for ByteCount {
    #[inline]
    fn from(Error(()): Error) -> ByteCount {
        ByteCount(-1)
    }
}

impl From<Result<usize>> for ByteCount {
    fn from(result: Result<usize>) -> ByteCount {
        result.map_or_else(ByteCount::from, ByteCount::new)
    }
}

/// See [`Error::detached`].
pub struct DetachedError(Snapshot);

impl DetachedError {
    /// The error, which the thread keeps again.
    #[cold]
    pub fn attached(self) -> Error {
        next::restore(&self.0);
        Error(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use errno::errno;
    use record::{IGNORE, STATE_SIZE, restore, save, set_flags};

    #[test]
    fn an_ignored_error_sets_errno_alone() {
        struct NeverShown;
        impl core::fmt::Display for NeverShown {
            fn fmt(&self, _: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                unreachable!("the text of an ignored error")
            }
        }
        restore(&[0; STATE_SIZE]);
        set_flags(IGNORE, IGNORE);
        let expected = save();
        Error::os(Errno(libc::EINVAL), format_args!("{NeverShown}")).raise("mm_nothing");
        assert_eq!((save(), errno()), (expected, Errno(libc::EINVAL)));
    }
}
