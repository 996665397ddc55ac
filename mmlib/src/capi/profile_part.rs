// SPDX-License-Identifier: Apache-2.0
//! What `profile.c` calls: mm_profile_print() writes, and writing is a cancellation point.

use crate::profile::PROFILE;
use core::ffi::{c_char, c_int};

/// Stores a part of the table at `text`. Returns its length; 0: there are no more parts.
///
/// # Safety
/// `text` is valid for writing `size` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn mmlib_profile_part(mask: c_int, part: usize, text: *mut c_char, size: usize) -> usize {
    let Some(part) = PROFILE.part(mask, part) else { return 0 };
    let bytes = part.as_bytes();
    let length = bytes.len().min(size);
    // SAFETY: the length is not greater than that of either, and the part is a variable of this function.
    unsafe { text.copy_from_nonoverlapping(bytes.as_ptr().cast(), length) };
    length
}
