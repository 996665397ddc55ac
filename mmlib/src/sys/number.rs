// SPDX-License-Identifier: Apache-2.0
//! Converting text to numbers, with the base that the text says.

use core::ffi::{CStr, c_char, c_int, c_longlong, c_ulonglong};
use core::ptr;
use errno::{Errno, errno, set_errno};

/// The number that a text begins with.
pub struct Parsed<T> {
    pub number: T,
    /// Whether the whole text is a number.
    pub is_complete: bool,
    pub has_overflowed: bool,
}

pub fn strtoll(text: &CStr) -> Parsed<c_longlong> {
    parsed(text, libc::strtoll)
}

pub fn strtoull(text: &CStr) -> Parsed<c_ulonglong> {
    parsed(text, libc::strtoull)
}

type Function<T> = unsafe extern "C" fn(*const c_char, *mut *mut c_char, c_int) -> T;

/// Preserves errno.
fn parsed<T>(text: &CStr, function: Function<T>) -> Parsed<T> {
    let errno_at_entry = errno();
    let mut end = ptr::null_mut();
    set_errno(Errno(0));
    // SAFETY: a string, and a valid pointer for the end of the number in it.
    let (number, rest) = unsafe {
        let number = function(text.as_ptr(), &raw mut end, 0);
        (number, end.read())
    };
    let has_overflowed = errno().0 == libc::ERANGE;
    set_errno(errno_at_entry);
    Parsed { number, is_complete: rest == 0 && !ptr::eq(end, text.as_ptr()), has_overflowed }
}

/// Whether the C library skips the byte in front of a number.
pub fn is_space(byte: u8) -> bool {
    // SAFETY: every byte is allowed.
    unsafe { libc::isspace(byte.into()) != 0 }
}

/// Passes the system's message for an errno value to `use_message`.
pub fn strerror<T>(number: c_int, use_message: impl FnOnce(&[u8]) -> T) -> T {
    let mut buffer = [0_u8; 256];
    // SAFETY: the buffer is valid for its length. libc declares the function that POSIX defines.
    unsafe { libc::strerror_r(number, buffer.as_mut_ptr().cast(), buffer.len()) };
    use_message(CStr::from_bytes_until_nul(&buffer).unwrap_or_default().to_bytes())
}
