// SPDX-License-Identifier: Apache-2.0
//! Reading a path from C after the kernel has read it.

use crate::rt::text::Quoted;
use crate::sys::path::KernelPath;
use crate::sys::{Result, file, large_file};
use core::ffi::CStr;
use core::fmt;
use errno::Errno;

impl<'a> KernelPath<'a> {
    /// Returns the string. This makes a system call. EFAULT: the kernel cannot read the path. It is not read here
    /// either then.
    pub fn to_c_str(self) -> Result<&'a CStr> {
        if self.as_ptr().is_null() {
            return Err(Errno(libc::EFAULT));
        }
        match file::access(self, libc::F_OK) {
            Err(unreadable @ Errno(libc::EFAULT)) => Err(unreadable),
            // SAFETY: a call with this path has not failed with EFAULT.
            _ => unsafe { self.as_string() }.ok_or(Errno(libc::EFAULT)),
        }
    }

    /// Returns the result of lstat(), and the string if the kernel has read all of it.
    pub fn lstat(self) -> (Result<large_file::stat>, Option<&'a CStr>) {
        let status = file::lstat(self);
        // SAFETY: this is the result of a call with this path.
        (status, unsafe { self.string_after(&status) })
    }

    /// Returns the result of mkdir(), and the string if the kernel has read all of it.
    pub fn mkdir(self, mode: libc::mode_t) -> (Result<()>, Option<&'a CStr>) {
        let made = file::mkdir(self, mode);
        // SAFETY: this is the result of a call with this path.
        (made, unsafe { self.string_after(&made) })
    }

    /// # Safety
    /// `result` is the result of a call whose only path is this one.
    unsafe fn string_after<T>(self, result: &Result<T>) -> Option<&'a CStr> {
        match result {
            Err(Errno(libc::EFAULT | libc::ENAMETOOLONG)) => None,
            // SAFETY: a call with this path has not failed with EFAULT.
            _ => unsafe { self.as_string() },
        }
    }

    /// Returns None for null: a sandbox may deny a call before the kernel reads the path.
    ///
    /// # Safety
    /// A call whose only path is this one has not failed with EFAULT.
    unsafe fn as_string(self) -> Option<&'a CStr> {
        // SAFETY: not null, and the kernel could read the address, so from_c() guarantees a string. (If a sandbox
        // denies even access(), an address where nothing is mapped is not detected, and reading it crashes.)
        (!self.as_ptr().is_null()).then(|| unsafe { CStr::from_ptr(self.as_ptr()) })
    }

    /// Returns the path for an error message. An unreadable path is shown as an address. `error` alone does not prove
    /// that the path is readable: the kernel may have failed before it read the path, because of a flag or another
    /// path.
    pub fn shown(self, error: Errno) -> Shown<'a> {
        Shown { path: self, is_unreadable: error.0 == libc::EFAULT }
    }
}

/// See [`KernelPath::shown`]. The system call that tests the path is made only if the message is formatted.
pub struct Shown<'a> {
    path: KernelPath<'a>,
    is_unreadable: bool,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_unreadable {
            return write!(f, "at address {:p}", self.path.as_ptr());
        }
        match self.path.to_c_str() {
            Ok(path) => Quoted(path.to_bytes()).fmt(f),
            Err(_) => write!(f, "at address {:p}", self.path.as_ptr()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ptr;

    #[test]
    fn null_is_never_read_as_a_string() {
        // SAFETY: null is allowed.
        let null = unsafe { KernelPath::from_c(ptr::null()) };
        for failure in [libc::EPERM, libc::ENOSYS, libc::EFAULT] {
            // SAFETY: this is the result of a call that a sandbox denies.
            assert_eq!(unsafe { null.string_after::<()>(&Err(Errno(failure))) }, None);
        }
        assert_eq!(null.to_c_str(), Err(Errno(libc::EFAULT)));
    }
}
