// SPDX-License-Identifier: Apache-2.0
//! Entry points under the banner 'Memory'.

use super::ret::ret;
use crate::error::Error;
use core::ffi::c_void;
use core::ptr;

/// mm_aligned_alloc() - allocate memory at a multiple of an alignment
/// @alignment:  a power of two that is a multiple of sizeof(void *)
/// @size:       size of the block in bytes; 0 is accepted
///
/// Return: the block, which the caller releases with mm_aligned_free() or free(); NULL on failure, and the error state
///   is set.
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
        let mut block = ptr::null_mut();
        // SAFETY: the pointer is valid for writing; the function checks the alignment.
        match unsafe { libc::posix_memalign(&raw mut block, alignment, size) } {
            0 => Ok(block),
            number => {
                Err(Error::new(number, format_args!("cannot allocate {size} bytes at a multiple of {alignment}")))
            }
        }
    })
}
