// SPDX-License-Identifier: Apache-2.0
//! System calls and functions of the C library: one function for each, named as the call.
//!
//! Nothing is decided here: no retry, no log line, no error state. A failure is the errno that the call left. A function
//! that trusts a raw pointer is an `unsafe fn`; so is one that closes or replaces a file descriptor of the caller.

pub mod directory;
pub mod env;
pub mod file;
pub mod memory;
pub mod path;
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

/// The convention of most calls: a negative result means that errno has the reason.
#[inline]
fn check(result: c_int) -> Result<c_int> {
    if result < 0 { Err(errno()) } else { Ok(result) }
}

/// The same for calls that count bytes.
#[inline]
fn check_size(result: isize) -> Result<usize> {
    usize::try_from(result).map_err(|_| errno())
}

/// The same for `syscall()`, whose results are ints here.
#[inline]
fn check_long(result: c_long) -> Result<c_int> {
    check(result as c_int)
}

/// Takes ownership of a descriptor that a call has returned.
///
/// # Safety
/// `result` is the result of a call that creates a descriptor.
#[inline]
unsafe fn own(result: c_int) -> Result<OwnedFd> {
    // SAFETY: the kernel has just created it for the caller.
    check(result).map(|fd| unsafe { OwnedFd::from_raw(fd) })
}

const fn size_as_socklen<T>() -> libc::socklen_t {
    size_of::<T>() as libc::socklen_t
}

/// Passes the C library's message for an errno value to `use_message`.
pub fn strerror(error: Errno, use_message: impl FnOnce(&[u8])) {
    let mut buffer = [0_u8; 256];
    // An unknown number or a short buffer still gives a terminated string.
    // SAFETY: the buffer is valid for its length.
    unsafe { strerror_r(error.0, buffer.as_mut_ptr().cast(), buffer.len()) };
    use_message(buffer.split(|byte| *byte == 0).next().unwrap_or_default());
}

/// The message, which the next call in the same thread may change, or one in another thread.
pub fn strerror_pointer(error: c_int) -> *const c_char {
    // SAFETY: any number is allowed.
    unsafe { libc::strerror(error) }
}

/// The bytes of a string before its terminator, of at most `limit`.
///
/// # Safety
/// `string` is a terminated string, or has `limit` bytes.
pub unsafe fn strnlen(string: *const c_char, limit: usize) -> usize {
    // SAFETY: as promised by the caller.
    unsafe { libc::strnlen(string, limit) }
}

/// The POSIX function, and its result: 0, ERANGE or EINVAL.
///
/// # Safety
/// The terminated message may be written at `buffer`, or `size` bytes of it if they are fewer.
pub unsafe fn strerror_r(error: c_int, buffer: *mut c_char, size: usize) -> c_int {
    // SAFETY: as promised by the caller: the C library writes no more than the message.
    unsafe { libc::strerror_r(error, buffer, size) }
}
