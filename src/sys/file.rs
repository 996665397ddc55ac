//! Calls on files and descriptors of any kind.

use super::{Result, check, check_size};
use std::ffi::{c_int, c_void};

pub fn close(fd: c_int) -> Result<()> {
    // SAFETY: a C caller may close any number it likes; no OwnedFd of the library is ever known to C.
    check(unsafe { libc::close(fd) }).map(drop)
}

/// # Safety
/// The kernel may write to `size` bytes at `buffer`, or finds that it cannot.
pub unsafe fn read(fd: c_int, buffer: *mut c_void, size: usize) -> Result<usize> {
    // SAFETY: as promised by the caller.
    check_size(unsafe { libc::read(fd, buffer, size) })
}

/// # Safety
/// The kernel may read `size` bytes at `buffer`, or finds that it cannot.
pub unsafe fn write(fd: c_int, buffer: *const c_void, size: usize) -> Result<usize> {
    // SAFETY: as promised by the caller.
    check_size(unsafe { libc::write(fd, buffer, size) })
}

pub fn write_bytes(fd: c_int, bytes: &[u8]) -> Result<usize> {
    // SAFETY: the slice is valid for reading.
    unsafe { write(fd, bytes.as_ptr().cast(), bytes.len()) }
}
