// SPDX-License-Identifier: Apache-2.0
//! Flags of the functions that copy, create and remove files, and file types, which are also flags.
#![forbid(unsafe_code)]

use crate::sys::large_file;
use core::ffi::c_int;

/// Remove the content of a directory first; create missing parent directories.
pub const RECURSIVE: c_int = c_int::MIN;
/// Stop at the first failure below a directory.
pub const FAILONERROR: c_int = 1 << 30;
/// Do not follow a symbolic link.
pub const NOFOLLOW: c_int = 1 << 29;
/// Write every byte of a copy; do not share data.
pub const NOCOW: c_int = 1 << 28;
/// Share all data between the file and its copy.
pub const FORCECOW: c_int = 1 << 27;

pub const FIFO: c_int = 0x02;
pub const CHR: c_int = 0x04;
pub const BLK: c_int = 0x08;
pub const DIR: c_int = 0x10;
pub const REG: c_int = 0x20;
pub const LNK: c_int = 0x40;
pub const SOCK: c_int = 0x80;
/// The type is unknown.
pub const UNKNOWN: c_int = 0;

/// Returns the flag for the type in a directory entry.
pub fn type_of_entry(kind: u8) -> c_int {
    match kind {
        libc::DT_FIFO => FIFO,
        libc::DT_CHR => CHR,
        libc::DT_BLK => BLK,
        libc::DT_DIR => DIR,
        libc::DT_REG => REG,
        libc::DT_LNK => LNK,
        libc::DT_SOCK => SOCK,
        _ => UNKNOWN,
    }
}

/// Returns the flag for the type in a status.
pub fn type_of(status: &large_file::stat) -> c_int {
    match status.st_mode & libc::S_IFMT {
        libc::S_IFIFO => FIFO,
        libc::S_IFCHR => CHR,
        libc::S_IFBLK => BLK,
        libc::S_IFDIR => DIR,
        libc::S_IFREG => REG,
        libc::S_IFLNK => LNK,
        libc::S_IFSOCK => SOCK,
        _ => UNKNOWN,
    }
}
