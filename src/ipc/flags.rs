// SPDX-License-Identifier: Apache-2.0
//! Flags of the functions of mmipc.h.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use core::ffi::c_int;

/// The returned file descriptor is close-on-exec.
pub const CLOEXEC: c_int = 0x01;
/// The returned file descriptor is non-blocking.
pub const NONBLOCK: c_int = 0x02;
/// The address is a path in the file system.
pub const PATH: c_int = 0x04;

/// EINVAL: `flags` has bits that are not in `allowed`.
pub fn check(flags: c_int, allowed: c_int) -> Result<()> {
    match flags & !allowed {
        0 => Ok(()),
        other => Err(Error::new(libc::EINVAL, format_args!("invalid flags {flags:#x}: {other:#x} is not supported"))),
    }
}

/// The flags for a new socket.
pub fn of_socket(flags: c_int) -> c_int {
    let if_set = |flag, value| if flags & flag != 0 { value } else { 0 };
    if_set(CLOEXEC, libc::SOCK_CLOEXEC) | if_set(NONBLOCK, libc::SOCK_NONBLOCK)
}
