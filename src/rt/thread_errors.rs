// SPDX-License-Identifier: Apache-2.0
//! What each thread has of its errors. It is defined in C (`thread.c`), since stable Rust has no thread-local variables
//! without the standard library.

use core::cell::Cell;
use core::ffi::{c_int, c_void};
use core::panic::Location;

unsafe extern "C" {
    // In thread.c.
    fn mmsysio_thread_errors() -> *const c_void;
    #[cfg(test)]
    static mmsysio_thread_errors_size: usize;
}

/// Without a destructor, and all zero at first: usable before main() and while a thread ends.
#[repr(C)]
pub struct ThreadErrors {
    pub last: LastError,
    pub next: NextError,
}

/// An error that has not been raised yet.
#[repr(C)]
pub struct NextError {
    pub number: Cell<c_int>,
    pub is_logged: Cell<c_int>,
    pub location: Cell<Option<&'static Location<'static>>>,
    /// The bytes of the description.
    pub length: Cell<c_int>,
    pub description: [Cell<u8>; 256],
}

/// The last error. Its layout is that of mmlib's record, since a saved state may come from another process.
#[repr(C)]
pub struct LastError {
    pub flags: Cell<c_int>,
    pub number: Cell<c_int>,
    pub extid: [Cell<u8>; 64],
    pub module: [Cell<u8>; 32],
    pub location: [Cell<u8>; 256],
    pub description: [Cell<u8>; 256],
}

impl LastError {
    pub const SIZE: usize = size_of::<LastError>();

    pub fn bytes(&self) -> &[Cell<u8>; Self::SIZE] {
        // SAFETY: numbers and bytes without padding, for which all bytes are valid.
        unsafe { &*core::ptr::from_ref(self).cast() }
    }
}

/// Passes the errors of the calling thread to `use_errors`.
#[inline]
pub fn with<T>(use_errors: impl FnOnce(&ThreadErrors) -> T) -> T {
    // SAFETY: they have this layout, live as long as the thread, and only the thread uses them: ThreadErrors cannot be
    // sent to another.
    use_errors(unsafe { &*mmsysio_thread_errors().cast() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structure_is_as_large_in_c() {
        // SAFETY: a constant.
        assert_eq!(unsafe { mmsysio_thread_errors_size }, size_of::<ThreadErrors>());
        assert_eq!(LastError::SIZE, 2 * size_of::<c_int>() + 64 + 32 + 256 + 256);
    }

    #[test]
    fn each_thread_has_its_own() {
        with(|errors| errors.last.number.set(5));
        std::thread::spawn(|| with(|errors| assert_eq!(errors.last.number.get(), 0))).join().unwrap();
        with(|errors| assert_eq!(errors.last.number.replace(0), 5));
    }
}
