// SPDX-License-Identifier: Apache-2.0
//! File descriptors.

use core::ffi::c_int;
use core::fmt;
use errno::{Errno, errno};

/// A file descriptor as an argument of a system call: that of an [`OwnedFd`], or an int from C.
///
/// An int from C may be negative, closed, or refer to a file of any type. An `Fd` does not own the file descriptor, so
/// no safe function closes or replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Fd(c_int);

impl Fd {
    /// The current directory, for functions that take the file descriptor of a directory.
    pub const CURRENT_DIRECTORY: Fd = Fd(libc::AT_FDCWD);
    /// No file descriptor.
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

/// An open file descriptor that the library owns. Dropping it closes it.
#[derive(Debug)]
pub struct OwnedFd(Fd);

impl OwnedFd {
    /// # Safety
    /// The file descriptor is open, and no other code closes it.
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

    /// Returns the file descriptor without closing it.
    #[inline]
    pub fn into_raw(self) -> c_int {
        core::mem::ManuallyDrop::new(self).number()
    }

    /// Closes the file descriptor, even if an error is returned. An error means that data could not be written.
    pub fn close(self) -> Result<(), Errno> {
        // SAFETY: the file descriptor is open, and self owns it.
        if unsafe { libc::close(self.into_raw()) } < 0 { Err(errno()) } else { Ok(()) }
    }
}

impl Drop for OwnedFd {
    fn drop(&mut self) {
        // SAFETY: the file descriptor is open, and self owns it.
        unsafe { libc::close(self.number()) };
    }
}
