// SPDX-License-Identifier: Apache-2.0
//! Wrappers for system calls and functions of the C library. Each has the name of its call.
//!
//! A wrapper makes one call. It does not retry, log or change the error state, and returns the errno of a failure. A
//! function that dereferences a raw pointer, or that closes or replaces a file descriptor of the caller, is an `unsafe
//! fn`.

pub mod directory;
pub mod env;
pub mod file;
pub mod large_file;
pub mod memory;
pub mod notify;
pub mod path;
pub mod probe;
pub mod process;
pub mod resolver;
pub mod signal;
pub mod socket;
pub mod thread;
pub mod time;

use crate::rt::fd::OwnedFd;
use core::ffi::{c_char, c_int, c_long};
use errno::{Errno, errno};

pub type Result<T> = core::result::Result<T, Errno>;

/// Converts the result of most calls: a negative number means failure, with the reason in errno.
#[inline]
fn check(result: c_int) -> Result<c_int> {
    if result < 0 { Err(errno()) } else { Ok(result) }
}

/// The same for calls that return a number of bytes.
#[inline]
fn check_size(result: isize) -> Result<usize> {
    usize::try_from(result).map_err(|_| errno())
}

/// The same for `syscall()`, with results that fit into an int.
#[inline]
fn check_long(result: c_long) -> Result<c_int> {
    check(result as c_int)
}

/// Converts the result of a call that returns a new file descriptor.
///
/// # Safety
/// `result` is the result of a call that creates a file descriptor.
#[inline]
unsafe fn own(result: c_int) -> Result<OwnedFd> {
    // SAFETY: the kernel has just created the file descriptor for the caller.
    check(result).map(|fd| unsafe { OwnedFd::from_raw(fd) })
}

const fn size_as_socklen<T>() -> libc::socklen_t {
    size_of::<T>() as libc::socklen_t
}

/// Calls `use_message` with the C library's message for an errno value.
pub fn strerror(error: Errno, use_message: impl FnOnce(&[u8])) {
    let mut buffer = [0_u8; 256];
    // The string is terminated even for an unknown errno value or a short buffer. SAFETY: the buffer is valid for its
    // length.
    unsafe { strerror_r(error.0, buffer.as_mut_ptr().cast(), buffer.len()) };
    use_message(buffer.split(|byte| *byte == 0).next().unwrap_or_default());
}

/// Returns the message. Another call in any thread may change it.
pub fn strerror_pointer(error: c_int) -> *const c_char {
    // SAFETY: any number is allowed.
    unsafe { libc::strerror(error) }
}

/// Returns the length of a string, at most `limit`.
///
/// # Safety
/// `string` is terminated, or valid for reading `limit` bytes.
pub unsafe fn strnlen(string: *const c_char, limit: usize) -> usize {
    // SAFETY: as promised by the caller.
    unsafe { libc::strnlen(string, limit) }
}

/// Calls the POSIX version of strerror_r(). Returns its result: 0, ERANGE or EINVAL.
///
/// # Safety
/// `buffer` is valid for writing the terminated message, or its first `size` bytes.
pub unsafe fn strerror_r(error: c_int, buffer: *mut c_char, size: usize) -> c_int {
    // No message is longer. If the end of the buffer would be beyond the last address, glibc 2.41 drops the last
    // character of the message of an unknown number.
    let size = size.min(4096);
    // SAFETY: as promised by the caller; the C library does not write more than the message.
    unsafe { libc::strerror_r(error, buffer, size) }
}
