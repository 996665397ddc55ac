// SPDX-License-Identifier: Apache-2.0
//! Formatting of numbers by the C library, which knows the locale of the program.

use core::ffi::{CStr, c_char, c_int};

/// Formats a number with two decimals and its unit, right-aligned in 8 and 2 columns. Returns the length of the text, of
/// which the buffer receives what fits, with a terminator.
pub fn snprintf_cell(buffer: &mut [u8], value: f64, unit: &CStr) -> c_int {
    // SAFETY: the buffer is valid for its length, the strings are terminated, and the arguments are those of the format.
    unsafe {
        libc::snprintf(
            buffer.as_mut_ptr().cast::<c_char>(),
            buffer.len(),
            c"%8.2f %2s |".as_ptr(),
            value,
            unit.as_ptr(),
        )
    }
}
