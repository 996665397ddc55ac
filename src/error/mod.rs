// SPDX-License-Identifier: Apache-2.0
//! Errors of the library's own functions.
#![forbid(unsafe_code)]

mod next;

pub mod log;
pub mod number;
pub mod record;

use crate::rt::fd::Fd;
use crate::sys;
use core::ffi::c_int;
use core::fmt::Arguments;
use core::panic::Location;
use errno::{Errno, set_errno};
use next::Snapshot;
use record::{Report, is_ignoring};

pub type Result<T> = core::result::Result<T, Error>;

/// The failure of a call. This is only a token: the errno value, the source location and the description are stored in
/// the thread. A result therefore fits in registers, and no memory is allocated.
///
/// A thread stores one error that has not been raised. Creating another error replaces it. A function that collects
/// several errors must [detach](Error::detached) them.
#[must_use]
pub struct Error(());

impl Error {
    /// Creates an error that the library itself has detected. EINTR is not logged, because callers expect it.
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub fn new(number: c_int, what: Arguments) -> Error {
        next::begin(number, number != libc::EINTR, Location::caller());
        // Formatting may make a system call, so it is skipped if the description would not be used.
        if !is_ignoring() {
            next::describe(what);
        }
        Error(())
    }

    /// Creates an error that a call on a file descriptor has reported, which may be non-blocking or have a timeout.
    /// EAGAIN, EINPROGRESS and EALREADY are not logged, because callers expect them. The description is `what`, with
    /// `numbers` in place of each `{}` (signed) and `{u}` (unsigned), and the system's message. It is made only if it is
    /// logged or asked for.
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub fn io<const N: usize>(number: Errno, what: &'static str, numbers: [Number; N]) -> Error {
        let is_logged = !matches!(number.0, libc::EINTR | libc::EAGAIN | libc::EINPROGRESS | libc::EALREADY);
        let mut values = [0; 3];
        for (to, from) in values.iter_mut().zip(numbers) {
            *to = from.0;
        }
        next::begin_constant(number.0, is_logged, Location::caller(), what, values);
        Error(())
    }

    /// Creates an error that a system call has reported. The system's message is appended to `what`, which says what
    /// failed.
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

    /// Like [`Error::io`], with a description that refers to more than numbers.
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub fn io_described(number: Errno, what: Arguments) -> Error {
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

    /// Creates an error and appends the message `reason`.
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

    /// Makes this the thread's last error, with the exported `function` in its location. errno is set even if the
    /// thread ignores errors, because calls that the library has made since the failure may have changed it.
    #[cold]
    #[inline(never)]
    pub fn raise(self, function: &'static str) {
        if is_ignoring() {
            set_errno(Errno(next::number()));
            return;
        }
        if next::is_constant() && !(next::is_logged() && record::is_logging() && log::is_enabled(log::ERROR)) {
            record::raise_unformatted(function);
            return;
        }
        let error = next::snapshot();
        record::raise(&Report {
            number: Errno(error.number),
            module: next::MODULE,
            extid: b"",
            location: next::location_text(function, error.location).as_bytes(),
            description: error.description.as_bytes(),
            is_logged: error.is_logged,
        });
    }

    /// Copies the error, so that it can be raised after other errors have been created.
    #[cold]
    pub fn detached(self) -> DetachedError {
        DetachedError(next::snapshot())
    }
}

/// A number in the description of an [`Error::io`].
#[derive(Clone, Copy)]
pub struct Number(usize);

impl From<usize> for Number {
    fn from(number: usize) -> Number {
        Number(number)
    }
}

impl From<u32> for Number {
    fn from(number: u32) -> Number {
        Number(number as usize)
    }
}

impl From<c_int> for Number {
    fn from(number: c_int) -> Number {
        Number(number as usize)
    }
}

impl From<Fd> for Number {
    fn from(fd: Fd) -> Number {
        fd.number().into()
    }
}

/// A number of bytes or an error: a `Result<usize>` in one register, for the functions on the path of each message.
#[must_use]
#[repr(transparent)]
pub struct ByteCount(isize);

impl ByteCount {
    /// The size of an object never exceeds isize::MAX.
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
    /// Stores the error in the thread again.
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
    fn an_ignored_error_sets_only_errno() {
        struct NeverShown;
        impl core::fmt::Display for NeverShown {
            fn fmt(&self, _: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                unreachable!("the description of an ignored error is formatted")
            }
        }
        restore(&[0; STATE_SIZE]);
        set_flags(IGNORE, IGNORE);
        let expected = save();
        Error::os(Errno(libc::EINVAL), format_args!("{NeverShown}")).raise("mm_nothing");
        assert_eq!((save(), errno()), (expected, Errno(libc::EINVAL)));
    }
}
