// SPDX-License-Identifier: Apache-2.0
//! The error state of each thread. It is defined in C (`thread.c`), because stable Rust has no thread-local variables
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

/// It has no destructor and is initially zero, so it is usable before main() and during thread exit.
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
    /// The number of bytes in the description.
    pub length: Cell<c_int>,
    pub description: [Cell<u8>; 256],
}

/// The last error. The layout is that of mmlib, because a saved state may come from another process.
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
        // SAFETY: the fields are integers and bytes without padding, so every byte is initialised.
        unsafe { &*core::ptr::from_ref(self).cast() }
    }
}

/// Passes the errors of the calling thread to `use_errors`.
#[inline]
pub fn with<T>(use_errors: impl FnOnce(&ThreadErrors) -> T) -> T {
    // SAFETY: the C structure has this layout and exists as long as the thread. Only the thread uses it, because
    // ThreadErrors is not Sync.
    use_errors(unsafe { &*mmsysio_thread_errors().cast() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structure_has_the_same_size_in_c() {
        // SAFETY: a constant.
        assert_eq!(unsafe { mmsysio_thread_errors_size }, size_of::<ThreadErrors>());
        assert_eq!(LastError::SIZE, 2 * size_of::<c_int>() + 64 + 32 + 256 + 256);
    }

    #[test]
    fn each_thread_has_its_own_state() {
        with(|errors| errors.last.number.set(5));
        std::thread::spawn(|| with(|errors| assert_eq!(errors.last.number.get(), 0))).join().unwrap();
        with(|errors| assert_eq!(errors.last.number.replace(0), 5));
    }
}
