// SPDX-License-Identifier: Apache-2.0
//! Entry points under the banner 'Path components'.

use super::arg;
use crate::path::{self, Component};
use core::ffi::{c_char, c_int};
use core::ptr;

/// mm_basename() - get the last component of a path
/// @dst:        receives the component and a terminator: at least strlen(@path) + 1 bytes, and at least 2; it may be
///              @path, or overlap it; may be NULL
/// @path:       path
///
/// Slashes at the end of @path are ignored. The component is "/" if @path consists of slashes, and "." if it is empty or
/// NULL. No file is accessed.
///
/// Return: the length of the component in bytes, without the terminator. The call cannot fail.
///
/// Errors: none
///
/// Thread safety: MT-Safe
/// Signal safety: async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `path` is a string. `dst` is null or has space for its component.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_basename(dst: *mut c_char, path: *const c_char) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe { store(dst, path, path::basename) }
}

/// mm_dirname() - get the directory part of a path
/// @dst:        receives the directory and a terminator: at least strlen(@path) + 1 bytes, and at least 2; it may be
///              @path, or overlap it; may be NULL
/// @path:       path
///
/// The directory is what precedes the component that mm_basename() returns, without slashes at its end. It is "/" if only
/// slashes precede the component, and "." if nothing does. No file is accessed.
///
/// Return: the length of the directory in bytes, without the terminator. The call cannot fail.
///
/// Errors: none
///
/// Thread safety: MT-Safe
/// Signal safety: async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `path` is a string. `dst` is null or has space for its directory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_dirname(dst: *mut c_char, path: *const c_char) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe { store(dst, path, path::dirname) }
}

/// # Safety
/// `path` is a string. `dst` is null or has space for its component.
unsafe fn store(dst: *mut c_char, path: *const c_char, component: fn(&[u8]) -> Component) -> c_int {
    // SAFETY: a string, as the caller promised. It is not used after the copy, which may change it.
    let bytes = unsafe { arg::optional_string(path) }.map_or(b"".as_slice(), |path| path.to_bytes());
    let (start, length) = match component(bytes) {
        Component::Dot => (c".".as_ptr(), 1),
        Component::Part(range) => (path.wrapping_add(range.start), range.len()),
    };
    if !dst.is_null() {
        // SAFETY: a part of the path or the constant; dst has space for it, as the caller promised.
        unsafe {
            ptr::copy(start, dst, length);
            dst.add(length).write(0);
        }
    }
    length as c_int
}
