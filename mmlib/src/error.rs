// SPDX-License-Identifier: Apache-2.0
//! Errors of the library's own functions. They are raised through libmmsysio, which has the error state of each thread.
#![forbid(unsafe_code)]

use crate::rt::text::Text;
use crate::sys::mmsysio;
use core::ffi::{CStr, c_int};
use core::fmt::Arguments;
use core::panic::Location;

pub type Result<T> = core::result::Result<T, Error>;

/// The failure of a call.
#[must_use]
pub struct Error {
    number: c_int,
    location: &'static Location<'static>,
    /// Empty if the thread ignores errors.
    description: Text<256>,
}

impl Error {
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub fn new(number: c_int, what: Arguments) -> Error {
        let description = if mmsysio::ignores_errors() { Text::new() } else { Text::formatted(what) };
        Error { number, location: Location::caller(), description }
    }

    /// Makes this the thread's last error, with the exported `function` in its location.
    #[cold]
    #[inline(never)]
    pub fn raise(self, function: &CStr) {
        let file = Text::<256>::formatted(format_args!("{}\0", self.location.file()));
        let file = CStr::from_bytes_until_nul(file.as_bytes()).unwrap_or(c"unknown");
        mmsysio::raise_error(self.number, function, file, self.location.line(), self.description.as_bytes());
    }
}
