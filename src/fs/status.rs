// SPDX-License-Identifier: Apache-2.0
//! Access checks, terminal checks and file sizes.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::rt::fd::Fd;
use crate::sys::path::KernelPath;
use crate::sys::{file, large_file};
use core::ffi::c_int;
use errno::Errno;

/// Returns the size that is reported to C. For a symbolic link, it includes the terminator of the target, because
/// mm_readlink() needs a buffer of that size.
pub fn reported_size(status: &large_file::stat) -> large_file::off_t {
    match status.st_mode & libc::S_IFMT {
        libc::S_IFLNK => status.st_size.saturating_add(1),
        _ => status.st_size,
    }
}

/// Returns 0 if access is permitted, ENOENT or EACCES if it is not. Anything else is an error.
pub fn check_access(path: KernelPath, mode: c_int) -> Result<c_int> {
    match file::access(path, mode) {
        Ok(()) => Ok(0),
        Err(Errno(answer @ (libc::ENOENT | libc::EACCES))) => Ok(answer),
        Err(e) => Err(Error::os(e, format_args!("cannot check access {mode:#o} to {}", path.shown(e)))),
    }
}

/// Returns 1 for a terminal, 0 for any other open file.
pub fn is_a_terminal(fd: Fd) -> Result<c_int> {
    match file::isatty(fd) {
        Ok(()) => Ok(1),
        Err(Errno(libc::ENOTTY | libc::EINVAL)) => Ok(0),
        Err(e) => Err(Error::os(e, format_args!("cannot determine whether file descriptor {fd} is a terminal"))),
    }
}
