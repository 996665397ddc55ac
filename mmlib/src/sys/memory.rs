// SPDX-License-Identifier: Apache-2.0
//! The C allocator.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem;
use core::ptr::{self, NonNull};
use core::slice;

/// Allocates memory. The error is the number that the C library returns. errno is not changed.
pub fn posix_memalign(alignment: usize, size: usize) -> Result<NonNull<c_void>, c_int> {
    let mut block = ptr::null_mut();
    // SAFETY: the pointer is valid for writing. The function checks the alignment.
    match unsafe { libc::posix_memalign(&raw mut block, alignment, size) } {
        0 => NonNull::new(block).ok_or(libc::ENOMEM),
        number => Err(number),
    }
}

/// A string in a block of the C allocator, which this owns.
pub struct Joined(NonNull<c_char>);

// SAFETY: the text does not change, and any thread may release it.
unsafe impl Send for Joined {}
// SAFETY: as above.
unsafe impl Sync for Joined {}

impl Joined {
    /// Copies the parts, one after the other. None: not enough memory.
    pub fn new(parts: &[&[u8]]) -> Option<Joined> {
        let length = parts.iter().try_fold(1_usize, |length, part| length.checked_add(part.len()))?;
        // SAFETY: any size is allowed.
        let text = NonNull::new(unsafe { libc::malloc(length) })?.cast::<u8>();
        let mut end = text;
        for part in parts {
            // SAFETY: the block has space for all parts and the terminator, and is new, so that nothing overlaps.
            unsafe {
                ptr::copy_nonoverlapping(part.as_ptr(), end.as_ptr(), part.len());
                end = end.add(part.len());
            }
        }
        // SAFETY: as above.
        unsafe { end.write(0) };
        Some(Joined(text.cast()))
    }

    pub fn text(&self) -> &CStr {
        // SAFETY: new() has terminated it.
        unsafe { CStr::from_ptr(self.0.as_ptr()) }
    }

    /// Transfers the block to the C caller, who releases it with free().
    pub fn into_raw(self) -> *mut c_char {
        let text = self.0.as_ptr();
        mem::forget(self);
        text
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        // SAFETY: the block is that of new(), and this owns it.
        unsafe { libc::free(self.0.as_ptr().cast()) };
    }
}

/// Bytes in a block of the C allocator, whose size is fixed.
pub struct Buffer {
    start: NonNull<u8>,
    length: usize,
    capacity: usize,
}

impl Buffer {
    /// None: not enough memory.
    pub fn new(capacity: usize) -> Option<Buffer> {
        // SAFETY: any size is allowed. A size of 0 may give NULL, so it is not requested.
        let start = NonNull::new(unsafe { libc::malloc(capacity.max(1)) })?.cast();
        Some(Buffer { start, length: 0, capacity })
    }

    /// Appends the bytes, or those that fit.
    pub fn push(&mut self, bytes: &[u8]) {
        let fitting = bytes.len().min(self.capacity - self.length);
        // SAFETY: the block has space for them. They are not in it, since this is borrowed mutably.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.start.as_ptr().add(self.length), fitting) };
        self.length += fitting;
    }

    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: push() has written these bytes.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: the block is that of new(), and this owns it.
        unsafe { libc::free(self.start.as_ptr().cast()) };
    }
}
