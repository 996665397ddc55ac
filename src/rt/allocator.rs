// SPDX-License-Identifier: Apache-2.0
//! `Box` and `Vec` use `malloc`, because C programs may free the memory.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr;

#[global_allocator]
static MALLOC: Malloc = Malloc;

struct Malloc;

/// The alignment that `malloc` guarantees on every architecture.
const GUARANTEED_ALIGNMENT: usize = 2 * size_of::<usize>();

// SAFETY: the functions of the C library satisfy the contract of GlobalAlloc for layouts up to the guaranteed
// alignment. The library has no type with a stricter alignment. A request for one fails instead of returning misaligned
// memory.
unsafe impl GlobalAlloc for Malloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() > GUARANTEED_ALIGNMENT {
            return ptr::null_mut();
        }
        // SAFETY: any size is allowed.
        unsafe { libc::malloc(layout.size()).cast() }
    }

    unsafe fn dealloc(&self, memory: *mut u8, _layout: Layout) {
        // SAFETY: the caller promises memory from this allocator, so it is from malloc().
        unsafe { libc::free(memory.cast()) }
    }

    unsafe fn realloc(&self, memory: *mut u8, _layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as above; the alignment is unchanged and was checked when the memory was allocated.
        unsafe { libc::realloc(memory.cast(), new_size).cast() }
    }
}
