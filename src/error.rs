//! Errors of the rooms, and the record of its last error that each thread owns.
#![forbid(unsafe_code)]

use crate::log;
use crate::sys;
use crate::text::Text;
use errno::{Errno, errno, set_errno};
use std::cell::Cell;
use std::ffi::{c_char, c_int};
use std::fmt::Arguments;
use std::panic::Location;

/// The module that errors and log lines of the library carry: tools written for mmlib look for it.
const MODULE: &[u8] = b"mmlib";

/// Flag of a thread: raising an error changes nothing and prints nothing. A failing call of the library sets errno alone.
pub const IGNORE: c_int = 0x01;
/// Flag of a thread: a raised error is stored but not logged.
pub const NOLOG: c_int = 0x02;

pub type Result<T> = std::result::Result<T, Error>;

/// Why a call failed. It holds its text, so that making and passing it on never allocates.
pub struct Error {
    number: Errno,
    description: Text<256>,
    place: &'static Location<'static>,
    is_logged: bool,
}

impl Error {
    /// An error that the library itself found. That a signal handler interrupted a call is what the caller asked for, and
    /// is not logged.
    #[cold]
    #[track_caller]
    pub fn new(number: c_int, what: Arguments) -> Error {
        Error {
            number: Errno(number),
            // To show an argument may ask the kernel about it: not for a text that nobody will see.
            description: if is_ignoring() { Text::new() } else { Text::formatted(what) },
            place: Location::caller(),
            is_logged: number != libc::EINTR,
        }
    }

    /// An error that a system call reported; its text is appended to `what` was tried.
    #[cold]
    #[track_caller]
    pub fn os(number: Errno, what: Arguments) -> Error {
        let mut error = Error::new(number.0, what);
        if !is_ignoring() {
            error.description.push(b" ; ");
            sys::strerror(number, |text| error.description.push(text));
        }
        error
    }

    /// The same for a call on a descriptor that may be non-blocking or have a time-out: that the call would have had to
    /// wait longer is an expected outcome, and not logged.
    #[cold]
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
        Error { is_logged: false, ..self }
    }

    /// An error that something else explains; its text is appended likewise.
    #[cold]
    #[track_caller]
    pub fn explained(number: c_int, what: Arguments, text: &[u8]) -> Error {
        let mut error = Error::new(number, what);
        error.description.push(b" ; ");
        error.description.push(text);
        error
    }

    pub fn is(&self, number: c_int) -> bool {
        self.number.0 == number
    }

    /// Makes this the thread's last error, as that of the exported `function`. errno gets its number also if the thread
    /// ignores errors: what the library called since the failure may have changed it.
    #[cold]
    pub fn raise(&self, function: &str) {
        if is_ignoring() {
            set_errno(self.number);
            return;
        }
        raise(&Report {
            number: self.number,
            module: MODULE,
            extid: b"",
            location: &Text::formatted(format_args!("{function}() in {}:{}", self.place.file(), self.place.line())),
            description: &self.description,
            is_logged: self.is_logged,
        });
    }
}

/// What is stored and logged when an error is raised, be it by the library or by a C program.
pub struct Report<'a> {
    pub number: Errno,
    pub module: &'a [u8],
    pub extid: &'a [u8],
    pub location: &'a Text<256>,
    pub description: &'a Text<256>,
    /// Whether a line is logged if the thread wants that.
    pub is_logged: bool,
}

/// Replaces the thread's last error, logs it, and leaves errno equal to its number (untouched if that is 0).
pub fn raise(report: &Report) {
    let flags = set_flags(0, 0);
    if flags & IGNORE != 0 {
        return;
    }
    let expected_errno = if report.number.0 == 0 { errno() } else { report.number };
    LAST.with(|last| {
        last.number.set(report.number.0);
        last.extid.set(report.extid);
        last.module.set(report.module);
        last.location.set(report.location.as_bytes());
        last.description.set(report.description.as_bytes());
    });
    if report.is_logged && flags & NOLOG == 0 {
        let mut message = Text::<256>::copied_from(report.description.as_bytes());
        message.push(b" (");
        message.push(report.location.as_bytes());
        message.push(b")");
        log::line(log::ERROR, report.module, message.as_bytes());
    }
    set_errno(expected_errno);
}

/// A C string of at most `N - 1` bytes; its last byte is never anything but NUL.
#[repr(transparent)]
struct Field<const N: usize>([Cell<u8>; N]);

impl<const N: usize> Field<N> {
    const fn new() -> Field<N> {
        Field([const { Cell::new(0) }; N])
    }

    fn set(&self, text: &[u8]) {
        let text = text.iter().take(N - 1).copied().chain(std::iter::repeat(0));
        for (to, from) in self.0.iter().zip(text) {
            to.set(from);
        }
    }

    fn as_ptr(&self) -> *const c_char {
        self.0.as_ptr().cast()
    }
}

/// The thread's record. Its layout is that of the original: a saved state may come from another process.
struct Record {
    flags: Cell<c_int>,
    number: Cell<c_int>,
    extid: Field<64>,
    module: Field<32>,
    location: Field<256>,
    description: Field<256>,
}

thread_local! {
    // Constant and without a destructor: usable before main and while a thread ends, and nothing is left to run
    // when the library is unloaded.
    static LAST: Record = const {
        Record {
            flags: Cell::new(0),
            number: Cell::new(0),
            extid: Field::new(),
            module: Field::new(),
            location: Field::new(),
            description: Field::new(),
        }
    };
}

/// Sets the flags that `mask` names to those in `flags`, and gives all of them as they were.
pub fn set_flags(flags: c_int, mask: c_int) -> c_int {
    LAST.with(|last| last.flags.replace((flags & mask) | (last.flags.get() & !mask)))
}

/// Whether no error of the thread is stored or logged.
pub fn is_ignoring() -> bool {
    LAST.with(|last| last.flags.get() & IGNORE != 0)
}

pub fn last_number() -> c_int {
    LAST.with(|last| last.number.get())
}

/// The strings below live as long as the thread.
pub fn last_extid() -> *const c_char {
    LAST.with(|last| last.extid.as_ptr())
}

pub fn last_module() -> *const c_char {
    LAST.with(|last| last.module.as_ptr())
}

pub fn last_location() -> *const c_char {
    LAST.with(|last| last.location.as_ptr())
}

pub fn last_description() -> *const c_char {
    LAST.with(|last| last.description.as_ptr())
}

/// Size of the public `struct mm_error_state`.
pub const STATE_SIZE: usize = 1024;

/// The thread's record as it travels: the fields in order without padding, then zeros.
pub fn save() -> [u8; STATE_SIZE] {
    LAST.with(|last| {
        let numbers = [last.flags.get(), last.number.get()].map(c_int::to_ne_bytes);
        let strings: [&[Cell<u8>]; 4] = [&last.extid.0, &last.module.0, &last.location.0, &last.description.0];
        let record = numbers
            .into_iter()
            .flatten()
            .chain(strings.into_iter().flatten().map(Cell::get))
            .chain(std::iter::repeat(0));
        let mut state = [0; STATE_SIZE];
        for (to, from) in state.iter_mut().zip(record) {
            *to = from;
        }
        state
    })
}

/// Makes a saved record the thread's own. The bytes are not trusted: every string gets its terminator.
pub fn restore(state: &[u8; STATE_SIZE]) {
    fn take<'a>(rest: &mut &'a [u8], size: usize) -> &'a [u8] {
        let (head, tail) = rest.split_at_checked(size).unwrap_or_default();
        *rest = tail;
        head
    }
    fn take_number(rest: &mut &[u8]) -> c_int {
        let bytes = take(rest, size_of::<c_int>());
        bytes.first_chunk().map_or(0, |bytes| c_int::from_ne_bytes(*bytes))
    }
    let mut rest = state.as_slice();
    LAST.with(|last| {
        last.flags.set(take_number(&mut rest));
        last.number.set(take_number(&mut rest));
        last.extid.set(take(&mut rest, last.extid.0.len()));
        last.module.set(take(&mut rest, last.module.0.len()));
        last.location.set(take(&mut rest, last.location.0.len()));
        last.description.set(take(&mut rest, last.description.0.len()));
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
            location: &Text::copied_from(b"somewhere"),
            description: &Text::copied_from(b"something"),
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

    #[test]
    fn an_ignored_error_sets_errno_alone() {
        struct NeverShown;
        impl std::fmt::Display for NeverShown {
            fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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
