// SPDX-License-Identifier: Apache-2.0
//! Entry points under the banner 'Memory'.

use super::ret::ret;
use crate::error::Error;
use crate::sys::memory::posix_memalign;
use core::ffi::c_void;
use core::ptr::NonNull;

/// mm_aligned_alloc() - allocate memory at a multiple of an alignment
/// @alignment:  a power of two that is a multiple of sizeof(void *)
/// @size:       size of the block in bytes; 0 is accepted
///
/// Return: the block, to be released with mm_aligned_free() or free(); NULL on failure, and the error state is set.
///
/// Errors:
///   EINVAL           @alignment is not a power of two, or not a multiple of sizeof(void *)
///   ENOMEM           not enough memory
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
#[unsafe(no_mangle)]
pub extern "C" fn mm_aligned_alloc(alignment: usize, size: usize) -> *mut c_void {
    ret(c"mm_aligned_alloc", || {
        posix_memalign(alignment, size).map(NonNull::as_ptr).map_err(|number| {
            Error::new(number, format_args!("cannot allocate {size} bytes at a multiple of {alignment} bytes"))
        })
    })
}

/// mm_aligned_free() - release memory of mm_aligned_alloc()
/// @ptr:        block to release; NULL is accepted and does nothing
///
/// Errors: none
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `ptr` is null or a block of the C allocator that is no longer used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_aligned_free(ptr: *mut c_void) {
    // SAFETY: as promised by the caller.
    unsafe { libc::free(ptr) };
}

unsafe extern "C" {
    /// In memory.c: MM_STK_ALIGN of a program that is compiled with the default options.
    safe static mmlib_stack_alignment: usize;
}

/// See memory.h, where the inline function that calls it must find its declaration.
#[unsafe(no_mangle)]
pub extern "C" fn _mm_malloca_on_heap(size: usize) -> *mut c_void {
    ret(c"_mm_malloca_on_heap", || {
        let block = size
            .checked_add(2 * mmlib_stack_alignment)
            .and_then(|with_offset| posix_memalign(2 * mmlib_stack_alignment, with_offset).ok())
            .ok_or_else(|| Error::new(libc::ENOMEM, format_args!("cannot allocate {size} bytes: out of memory")))?;
        Ok(block.as_ptr().wrapping_byte_add(mmlib_stack_alignment))
    })
}

/// See memory.h.
///
/// # Safety
/// `ptr` is null, or was returned by _mm_malloca_on_heap() and is no longer used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _mm_freea_on_heap(ptr: *mut c_void) {
    if !ptr.is_null() {
        // SAFETY: the block begins before the address that _mm_malloca_on_heap() has returned.
        unsafe { libc::free(ptr.wrapping_byte_sub(mmlib_stack_alignment)) };
    }
}
