// SPDX-License-Identifier: Apache-2.0
//! Flags of the functions that copy and remove, and the types of files, which are flags as well.
#![forbid(unsafe_code)]

use core::ffi::c_int;

/// What is in a directory is removed first, and missing directories of a path are created.
pub const RECURSIVE: c_int = c_int::MIN;
/// The first failure below a directory ends its removal.
pub const FAILONERROR: c_int = 1 << 30;
/// A symbolic link is meant itself.
pub const NOFOLLOW: c_int = 1 << 29;
/// A copy is written byte by byte.
pub const NOCOW: c_int = 1 << 28;
/// A copy shares all data of the file.
pub const FORCECOW: c_int = 1 << 27;

pub const FIFO: c_int = 0x02;
pub const CHR: c_int = 0x04;
pub const BLK: c_int = 0x08;
pub const DIR: c_int = 0x10;
pub const REG: c_int = 0x20;
pub const LNK: c_int = 0x40;
pub const SOCK: c_int = 0x80;
/// The type is not known.
pub const UNKNOWN: c_int = 0;

/// The flag for a type in directory entries.
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

/// The flag for the type of a file.
pub fn type_of(status: &libc::stat) -> c_int {
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
