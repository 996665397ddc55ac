// SPDX-License-Identifier: Apache-2.0
//! Directory streams of the C library.

use super::{Result, large_file};
use crate::rt::fd::OwnedFd;
use core::ffi::CStr;
use core::ptr::NonNull;
use errno::{Errno, errno, set_errno};

/// An open stream.
pub type Stream = NonNull<libc::DIR>;

/// On success, the stream owns the file descriptor. A failure returns it.
pub fn fdopendir(directory: OwnedFd) -> core::result::Result<Stream, (Errno, OwnedFd)> {
    // SAFETY: no pointer is passed; on success, the stream owns the file descriptor.
    match NonNull::new(unsafe { libc::fdopendir(directory.number()) }) {
        Some(stream) => {
            directory.into_raw();
            Ok(stream)
        }
        None => Err((errno(), directory)),
    }
}

/// Returns the name and the type of the next entry, None at the end. errno changes only on failure.
///
/// # Safety
/// The stream is open, and no other thread uses it. The entry is not used after the next call with the stream.
pub unsafe fn readdir<'a>(stream: Stream) -> Result<Option<(&'a CStr, u8)>> {
    let errno_at_entry = errno();
    set_errno(Errno(0));
    // SAFETY: as promised by the caller.
    let entry = unsafe { large_file::readdir(stream.as_ptr()) };
    if entry.is_null() && errno() != Errno(0) {
        return Err(errno());
    }
    set_errno(errno_at_entry);
    if entry.is_null() {
        return Ok(None);
    }
    // SAFETY: readdir() returned an entry, whose name is terminated. The entry may be shorter than the declared
    // structure, so no reference to the whole structure is created.
    unsafe { Ok(Some((CStr::from_ptr((&raw const (*entry).d_name).cast()), (*entry).d_type))) }
}

/// # Safety
/// The stream is open, and no other thread uses it.
pub unsafe fn rewinddir(stream: Stream) {
    // SAFETY: as promised by the caller.
    unsafe { libc::rewinddir(stream.as_ptr()) }
}

/// # Safety
/// The stream is open, and is not used afterwards.
pub unsafe fn closedir(stream: Stream) {
    // SAFETY: as promised by the caller.
    unsafe { libc::closedir(stream.as_ptr()) };
}
