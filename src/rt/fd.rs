// SPDX-License-Identifier: Apache-2.0
//! File descriptors.

use core::ffi::c_int;
use core::fmt;
use errno::{Errno, errno};

/// A file descriptor as an argument of a system call: that of an [`OwnedFd`], or an int that came from C.
///
/// An int from C may be negative, closed, or a file of any type: only the kernel knows. Nothing is owned, so no safe
/// function closes or replaces an `Fd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Fd(c_int);

impl Fd {
    /// The current directory, in place of the descriptor of a directory.
    pub const CURRENT_DIRECTORY: Fd = Fd(libc::AT_FDCWD);
    /// No file.
    pub const NONE: Fd = Fd(-1);

    #[inline]
    pub const fn from_c(number: c_int) -> Fd {
        Fd(number)
    }

    #[inline]
    pub const fn number(self) -> c_int {
        self.0
    }
}

impl fmt::Display for Fd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An open file descriptor that belongs to the library; closed when dropped.
#[derive(Debug)]
pub struct OwnedFd(Fd);

impl OwnedFd {
    /// # Safety
    /// The descriptor is open, and nobody else closes it.
    #[inline]
    pub unsafe fn from_raw(number: c_int) -> OwnedFd {
        OwnedFd(Fd(number))
    }

    #[inline]
    pub fn fd(&self) -> Fd {
        self.0
    }

    #[inline]
    pub fn number(&self) -> c_int {
        self.0.0
    }

    /// The descriptor, which stays open.
    #[inline]
    pub fn into_raw(self) -> c_int {
        core::mem::ManuallyDrop::new(self).number()
    }

    /// Closes the descriptor, also if an error is returned: of data that could not be stored.
    pub fn close(self) -> Result<(), Errno> {
        // SAFETY: open, and nobody else's.
        if unsafe { libc::close(self.into_raw()) } < 0 { Err(errno()) } else { Ok(()) }
    }
}

impl Drop for OwnedFd {
    fn drop(&mut self) {
        // SAFETY: open, and nobody else's.
        unsafe { libc::close(self.number()) };
    }
}
