// SPDX-License-Identifier: Apache-2.0
//! Reading a path that came from C, after the kernel has read it.

use crate::rt::text::Quoted;
use crate::sys::path::KernelPath;
use crate::sys::{Result, file};
use core::ffi::CStr;
use core::fmt;
use errno::Errno;

impl<'a> KernelPath<'a> {
    /// The string; EFAULT if the kernel cannot read it, of which nothing is read here then. This is a system call.
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

    /// What lstat() reports, and the string if the kernel has read all of it.
    pub fn lstat(self) -> (Result<libc::stat>, Option<&'a CStr>) {
        let status = file::lstat(self);
        // SAFETY: a call with this path has given the result.
        (status, unsafe { self.string_after(&status) })
    }

    /// What mkdir() reports, and the string if the kernel has read all of it.
    pub fn mkdir(self, mode: libc::mode_t) -> (Result<()>, Option<&'a CStr>) {
        let made = file::mkdir(self, mode);
        // SAFETY: a call with this path has given the result.
        (made, unsafe { self.string_after(&made) })
    }

    /// # Safety
    /// `result` is that of a call with this path and no other.
    unsafe fn string_after<T>(self, result: &Result<T>) -> Option<&'a CStr> {
        match result {
            Err(Errno(libc::EFAULT | libc::ENAMETOOLONG)) => None,
            // SAFETY: a call with this path has not failed with EFAULT.
            _ => unsafe { self.as_string() },
        }
    }

    /// None if it is null: a sandbox may deny a call before the kernel looks at the path.
    ///
    /// # Safety
    /// A call with this path and no other has not failed with EFAULT.
    unsafe fn as_string(self) -> Option<&'a CStr> {
        // SAFETY: not null, and the kernel has found something there, so it is a string as from_c() was promised. (Where a
        // sandbox denies even access(), an address where nothing is mapped is not found out, and reading it crashes.)
        (!self.as_ptr().is_null()).then(|| unsafe { CStr::from_ptr(self.as_ptr()) })
    }

    /// The path for the message of an error. One that cannot be read is not read here either: the kernel may have had
    /// another reason to fail first, be it a flag or the other one of two paths.
    pub fn shown(self, error: Errno) -> Shown<'a> {
        Shown { path: self, is_unreadable: error.0 == libc::EFAULT }
    }
}

/// See [`KernelPath::shown`]. The kernel is asked only when the message is formatted.
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
    fn null_is_no_string_also_if_a_call_was_denied_for_another_reason() {
        // SAFETY: null is allowed.
        let null = unsafe { KernelPath::from_c(ptr::null()) };
        for failure in [libc::EPERM, libc::ENOSYS, libc::EFAULT] {
            // SAFETY: the result of a call that a sandbox denies.
            assert_eq!(unsafe { null.string_after::<()>(&Err(Errno(failure))) }, None);
        }
        assert_eq!(null.to_c_str(), Err(Errno(libc::EFAULT)));
    }
}
