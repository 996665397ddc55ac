//! What comes from C, checked.

use crate::error::{Error, Result};
use crate::text::Text;
use std::ffi::{CStr, c_char, c_int};
use std::slice;

/// A string that must not be null.
///
/// # Safety
/// `string` is null or a terminated string that outlives `'a`.
#[track_caller]
pub unsafe fn string<'a>(string: *const c_char, name: &str) -> Result<&'a CStr> {
    if string.is_null() {
        return Err(null(name));
    }
    // SAFETY: not null, so terminated as promised by the caller.
    Ok(unsafe { CStr::from_ptr(string) })
}

/// A string, None if it is null.
///
/// # Safety
/// `string` is null or a terminated string that outlives `'a`.
pub unsafe fn optional_string<'a>(string: *const c_char) -> Option<&'a CStr> {
    // SAFETY: not null, so terminated as promised by the caller.
    (!string.is_null()).then(|| unsafe { CStr::from_ptr(string) })
}

/// What a pointer that must not be null points to.
///
/// # Safety
/// `pointer` is null or valid for reading.
#[inline]
#[track_caller]
pub unsafe fn value<T: Copy>(pointer: *const T, name: &str) -> Result<T> {
    if pointer.is_null() {
        return Err(null(name));
    }
    // SAFETY: not null, so valid as promised by the caller.
    Ok(unsafe { pointer.read() })
}

/// An array of `count` elements, EINVAL if that is negative, or not 0 and the array null.
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

/// A string of which only the first `N - 1` bytes matter, or what to use in place of null.
///
/// # Safety
/// `string` is null or a terminated string.
pub unsafe fn text<const N: usize>(string: *const c_char, if_null: &str) -> Text<N> {
    if string.is_null() {
        return Text::copied_from(if_null.as_bytes());
    }
    // SAFETY: the string is read up to its terminator, and no further than N bytes.
    let bytes = unsafe {
        let length = libc::strnlen(string, N);
        slice::from_raw_parts(string.cast(), length)
    };
    Text::copied_from(bytes)
}

#[cold]
#[track_caller]
pub fn null(name: &str) -> Error {
    Error::new(libc::EINVAL, format_args!("argument {name} is NULL"))
}

/// The same where the kernel would be asked to read or write there.
#[cold]
#[track_caller]
pub fn null_address(name: &str) -> Error {
    Error::new(libc::EFAULT, format_args!("argument {name} is NULL"))
}

#[cold]
#[track_caller]
pub fn negative(count: c_int, name: &str) -> Error {
    Error::new(libc::EINVAL, format_args!("{count} elements of {name}: a count cannot be negative"))
}
