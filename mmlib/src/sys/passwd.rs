// SPDX-License-Identifier: Apache-2.0
//! The password database.

use core::ffi::{CStr, c_char, c_int};
use core::mem::MaybeUninit;
use core::ptr;

/// The database has no entry for the user, or it cannot be read.
pub const NO_ENTRY: c_int = 0;

/// Passes the home directory of the real user to `use_home`. The error is ENOMEM, or [`NO_ENTRY`].
pub fn home_of_real_user<T>(use_home: impl FnOnce(&CStr) -> T) -> Result<T, c_int> {
    const SIZES: [usize; 4] = [1 << 10, 1 << 14, 1 << 17, 1 << 20];
    for size in SIZES {
        let buffer = Buffer::new(size).ok_or(libc::ENOMEM)?;
        let mut entry = MaybeUninit::<libc::passwd>::uninit();
        let mut found = ptr::null_mut();
        // SAFETY: all pointers are valid for writing, the buffer for its size.
        let status = unsafe { libc::getpwuid_r(libc::getuid(), entry.as_mut_ptr(), buffer.0, size, &raw mut found) };
        match status {
            libc::ERANGE => {}
            libc::ENOMEM => return Err(libc::ENOMEM),
            _ if found.is_null() => return Err(NO_ENTRY),
            _ => {
                // SAFETY: the entry has been found; its strings are in the buffer.
                let home = unsafe { (*found).pw_dir };
                // SAFETY: not null, so a string of the entry.
                return (!home.is_null()).then(|| use_home(unsafe { CStr::from_ptr(home) })).ok_or(NO_ENTRY);
            }
        }
    }
    Err(NO_ENTRY)
}

struct Buffer(*mut c_char);

impl Buffer {
    fn new(size: usize) -> Option<Buffer> {
        // SAFETY: any size is allowed.
        let memory = unsafe { libc::malloc(size) };
        (!memory.is_null()).then_some(Buffer(memory.cast()))
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: the memory is that of new(), and this owns it.
        unsafe { libc::free(self.0.cast()) };
    }
}
