// SPDX-License-Identifier: Apache-2.0
//! The functions and types of the C library for files of any size.
//!
//! On 32-bit machines, glibc has two of each: those without 64 in their names fail for files of 2 GiB or more, and for
//! files with inode numbers that do not fit. Elsewhere, there is only one.

#[cfg(not(all(target_env = "gnu", target_pointer_width = "32")))]
pub use libc::{fstat, fstatat, ftruncate, ino_t, lseek, lstat, mmap, off_t, open, openat, readdir, stat};
#[cfg(all(target_env = "gnu", target_pointer_width = "32"))]
pub use libc::{
    fstat64 as fstat, fstatat64 as fstatat, ftruncate64 as ftruncate, ino64_t as ino_t, lseek64 as lseek,
    lstat64 as lstat, mmap64 as mmap, off64_t as off_t, open64 as open, openat64 as openat, readdir64 as readdir,
    stat64 as stat,
};

// The headers declare them with 64 bits.
const _: () = assert!(size_of::<off_t>() == 8 && size_of::<ino_t>() == 8);
