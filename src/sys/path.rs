//! Names of files as C gives them.

use crate::text::Quoted;
use errno::{Errno, errno};
use std::ffi::{CStr, c_char};
use std::fmt;
use std::marker::PhantomData;

/// A path on its way to the kernel, which finds out if it is null or cannot be read.
#[derive(Clone, Copy)]
pub struct Path<'a> {
    pointer: *const c_char,
    lifetime: PhantomData<&'a CStr>,
}

impl<'a> Path<'a> {
    /// # Safety
    /// `pointer` is null, a terminated string that outlives `'a`, or an address that the process does not have.
    pub unsafe fn from_raw(pointer: *const c_char) -> Path<'a> {
        Path { pointer, lifetime: PhantomData }
    }

    pub fn as_ptr(self) -> *const c_char {
        self.pointer
    }

    /// The string, None if it is null. Only for a path that a system call did not refuse to read.
    pub fn to_c_str(self) -> Option<&'a CStr> {
        // SAFETY: not null, so terminated, as from_raw() was promised.
        (!self.pointer.is_null()).then(|| unsafe { CStr::from_ptr(self.pointer) })
    }

    /// The path for the text of an error. One that cannot be read is not looked at here either: the kernel may have
    /// found another reason to fail first, be it a flag or the other one of two paths.
    pub fn shown(self, error: Errno) -> Shown<'a> {
        Shown { path: self, is_refused: error.0 == libc::EFAULT }
    }

    fn can_be_read(self) -> bool {
        // SAFETY: the kernel reads no further than the terminator, or refuses.
        let result = unsafe { libc::access(self.pointer, libc::F_OK) };
        result == 0 || errno().0 != libc::EFAULT
    }
}

impl<'a> From<&'a CStr> for Path<'a> {
    fn from(path: &'a CStr) -> Path<'a> {
        Path { pointer: path.as_ptr(), lifetime: PhantomData }
    }
}

/// See [`Path::shown`]. The kernel is asked only when the text is made.
pub struct Shown<'a> {
    path: Path<'a>,
    is_refused: bool,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_refused || !self.path.can_be_read() {
            return write!(f, "at address {:p}", self.path.pointer);
        }
        match self.path.to_c_str() {
            Some(path) => Quoted(path.to_bytes()).fmt(f),
            None => f.write_str("NULL"),
        }
    }
}
