// SPDX-License-Identifier: Apache-2.0
//! Checking arguments from C.

use crate::error::Error;
use core::ffi::{CStr, c_char, c_int};

/// Converts a string. None: it is NULL.
///
/// # Safety
/// `string` is null or a terminated string that outlives `'a`.
pub unsafe fn optional_string<'a>(string: *const c_char) -> Option<&'a CStr> {
    // SAFETY: not null, so terminated as promised by the caller.
    (!string.is_null()).then(|| unsafe { CStr::from_ptr(string) })
}

/// The error for an argument that is NULL.
#[cold]
#[inline(never)]
#[track_caller]
pub fn null(number: c_int, name: &str) -> Error {
    Error::new(number, format_args!("argument {name} is NULL"))
}
