// SPDX-License-Identifier: Apache-2.0
//! The error state of each thread. It is defined in C (`thread.c`), because stable Rust has no thread-local variables
//! without the standard library.

use crate::rt::text::Text;
use core::cell::Cell;
use core::ffi::{c_int, c_void};
use core::panic::Location;
use core::{ptr, slice};

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
    pub unformatted: Unformatted,
    pub next: NextError,
}

/// What the location and the description of the last error are made of. The fields of [`LastError`] get their text when
/// it is asked for, since most programs only look at the number of an error that they expect.
#[repr(C)]
pub struct Unformatted {
    /// Whether the text of the last error has yet to be made.
    pub is_pending: Cell<c_int>,
    pub function: Constant,
    pub location: Cell<Option<&'static Location<'static>>>,
    pub what: Constant,
    pub numbers: Cell<[usize; 3]>,
}

/// An error that has not been raised yet. Its description consists of `what`, with numbers in place of each `{}`, if that
/// is not empty, or else of `description`.
#[repr(C)]
pub struct NextError {
    pub number: Cell<c_int>,
    pub is_logged: Cell<c_int>,
    pub location: Cell<Option<&'static Location<'static>>>,
    pub what: Constant,
    pub numbers: Cell<[usize; 3]>,
    /// The number of bytes in the description.
    pub length: Cell<c_int>,
    pub description: [Cell<u8>; 256],
}

impl NextError {
    /// Appends to the description, which is truncated if it is too long. Its last byte is reserved for a terminator.
    pub fn push(&self, bytes: &[u8]) {
        let length = usize::try_from(self.length.get()).unwrap_or(0).min(self.description.len() - 1);
        let fitting = bytes.len().min(self.description.len() - 1 - length);
        let start = self.description.as_ptr().cast::<u8>().cast_mut();
        // SAFETY: as many bytes as fit into the field, which can be changed through its cells.
        unsafe { ptr::copy(bytes.as_ptr(), start.add(length), fitting) };
        self.length.set((length + fitting) as c_int);
    }

    pub fn description_text(&self) -> Text<256> {
        let length = usize::try_from(self.length.get()).unwrap_or(0).min(self.description.len());
        // SAFETY: the bytes are those of the field, and are copied at once.
        Text::copied_from(unsafe { slice::from_raw_parts(self.description.as_ptr().cast(), length) })
    }
}

/// A constant text, which is empty if all bytes of this are zero.
#[repr(C)]
pub struct Constant {
    start: Cell<*const u8>,
    length: Cell<usize>,
}

impl Constant {
    pub fn set(&self, text: &'static str) {
        self.start.set(text.as_ptr());
        self.length.set(text.len());
    }

    pub fn get(&self) -> &'static str {
        let start = self.start.get();
        if start.is_null() {
            return "";
        }
        // SAFETY: set() has stored the parts of a constant text.
        unsafe { core::str::from_utf8_unchecked(slice::from_raw_parts(start, self.length.get())) }
    }
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

    /// Sets a string, truncated if it is too long. The last byte of a field is always NUL.
    pub fn set_field<const N: usize>(field: &[Cell<u8>; N], text: &[u8]) {
        let length = text.len().min(N - 1);
        let start = field.as_ptr().cast::<u8>().cast_mut();
        // SAFETY: the field has N bytes, which can be changed through their cells. The text may be in the field itself.
        unsafe {
            ptr::copy(text.as_ptr(), start, length);
            start.add(length).write_bytes(0, N - length);
        }
    }

    pub fn bytes(&self) -> &[Cell<u8>; Self::SIZE] {
        // SAFETY: the fields are integers and bytes without padding, so every byte is initialised.
        unsafe { &*ptr::from_ref(self).cast() }
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
