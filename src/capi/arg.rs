// SPDX-License-Identifier: Apache-2.0
//! Checking arguments from C.
//!
//! This defines the policy for NULL where mmlib crashed: EINVAL in the IPC functions and for memory that the library
//! itself reads ([`null`]), EFAULT for memory that the kernel would read or write ([`null_address`]).

use crate::error::{Error, Result};
use crate::rt::text::Text;
use crate::sys;
use core::ffi::{CStr, c_char, c_int};
use core::slice;

/// Converts a string. EINVAL: it is NULL.
///
/// # Safety
/// `string` is null or a terminated string that outlives `'a`.
#[track_caller]
pub unsafe fn string<'a>(string: *const c_char, name: &str) -> Result<&'a CStr> {
    // SAFETY: as promised by the caller.
    unsafe { optional_string(string) }.ok_or_else(|| null(name))
}

/// Converts a string. EFAULT: it is NULL.
///
/// # Safety
/// `string` is null or a terminated string that outlives `'a`.
#[track_caller]
pub unsafe fn string_at_address<'a>(string: *const c_char, name: &str) -> Result<&'a CStr> {
    // SAFETY: as promised by the caller.
    unsafe { optional_string(string) }.ok_or_else(|| null_address(name))
}

/// Converts a string. None: it is NULL.
///
/// # Safety
/// `string` is null or a terminated string that outlives `'a`.
pub unsafe fn optional_string<'a>(string: *const c_char) -> Option<&'a CStr> {
    // SAFETY: not null, so terminated as promised by the caller.
    (!string.is_null()).then(|| unsafe { CStr::from_ptr(string) })
}

/// Converts a pointer to a structure. EINVAL: it is NULL.
///
/// # Safety
/// `pointer` is null or valid for reading, and the structure does not change during `'a`.
#[inline]
#[track_caller]
pub unsafe fn structure<'a, T>(pointer: *const T, name: &str) -> Result<&'a T> {
    // SAFETY: as promised by the caller.
    unsafe { pointer.as_ref() }.ok_or_else(|| null(name))
}

/// Converts an array of `count` elements. EINVAL: `count` is negative, or it is not 0 and the array is NULL.
///
/// # Safety
/// `first` is null or points to `count` elements that do not change during `'a`.
#[inline]
#[track_caller]
pub unsafe fn array<'a, T>(first: *const T, count: c_int, name: &str) -> Result<&'a [T]> {
    match usize::try_from(count) {
        Ok(0) => Ok(&[]),
        Ok(_) if first.is_null() => Err(null(name)),
        // SAFETY: not null, so count elements as promised by the caller.
        Ok(count) => Ok(unsafe { slice::from_raw_parts(first, count) }),
        Err(_) => Err(negative(count, name)),
    }
}

/// Checks a pointer to memory for a result. EFAULT: it is NULL.
#[track_caller]
pub fn require_address<T>(pointer: *const T, name: &str) -> Result<()> {
    if pointer.is_null() { Err(null_address(name)) } else { Ok(()) }
}

/// Stores a result, unless the pointer is NULL.
///
/// # Safety
/// `pointer` is null or valid for writing.
pub unsafe fn store<T>(pointer: *mut T, value: T) {
    if !pointer.is_null() {
        // SAFETY: not null, so valid as promised by the caller.
        unsafe { pointer.write(value) };
    }
}

/// Copies the first `N - 1` bytes of a string, or `if_null` if it is NULL.
///
/// # Safety
/// `string` is null or a terminated string.
pub unsafe fn text<const N: usize>(string: *const c_char, if_null: &str) -> Text<N> {
    if string.is_null() {
        return Text::copied_from(if_null.as_bytes());
    }
    // SAFETY: the string is read up to its terminator, at most N bytes.
    let bytes = unsafe {
        let length = sys::strnlen(string, N);
        slice::from_raw_parts(string.cast(), length)
    };
    Text::copied_from(bytes)
}

#[cold]
#[inline(never)]
#[track_caller]
pub fn null(name: &str) -> Error {
    Error::new(libc::EINVAL, format_args!("argument {name} is NULL"))
}

#[cold]
#[inline(never)]
#[track_caller]
pub fn null_address(name: &str) -> Error {
    Error::new(libc::EFAULT, format_args!("argument {name} is NULL"))
}

#[cold]
#[inline(never)]
#[track_caller]
pub fn negative(count: c_int, name: &str) -> Error {
    Error::new(libc::EINVAL, format_args!("invalid number of elements in {name}: {count} is negative"))
}
