// SPDX-License-Identifier: Apache-2.0
//! Whether a file may be accessed, is a terminal, and how large it is.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::rt::fd::Fd;
use crate::sys::file;
use crate::sys::path::KernelPath;
use core::ffi::c_int;
use errno::Errno;

/// The size that callers see. A symbolic link's counts the byte that terminates its target: it is what mm_readlink()
/// needs.
pub fn reported_size(status: &libc::stat) -> libc::off_t {
    match status.st_mode & libc::S_IFMT {
        libc::S_IFLNK => status.st_size.saturating_add(1),
        _ => status.st_size,
    }
}

/// 0 if access is granted, ENOENT or EACCES if it is not; anything else is an error.
pub fn check_access(path: KernelPath, mode: c_int) -> Result<c_int> {
    match file::access(path, mode) {
        Ok(()) => Ok(0),
        Err(Errno(answer @ (libc::ENOENT | libc::EACCES))) => Ok(answer),
        Err(e) => Err(Error::os(e, format_args!("cannot check access {mode:#o} to {}", path.shown(e)))),
    }
}

/// 1 for a terminal, 0 for anything else that is open.
pub fn is_a_terminal(fd: Fd) -> Result<c_int> {
    match file::isatty(fd) {
        Ok(()) => Ok(1),
        Err(Errno(libc::ENOTTY | libc::EINVAL)) => Ok(0),
        Err(e) => Err(Error::os(e, format_args!("cannot determine whether file descriptor {fd} is a terminal"))),
    }
}
