// SPDX-License-Identifier: Apache-2.0
//! Entry points under the banner 'Directory navigation'.

use super::arg;
use super::ret::{self, ret};
use super::stream::{MM_DIR, mm_dirent};
use crate::error::{Error, Result};
use crate::os::directory::DirStream;
use crate::sys::path::KernelPath;
use alloc::boxed::Box;
use core::ffi::{c_char, c_int};

/// mm_opendir() - open a directory to read its entries
/// @path:       pathname of the directory
///
/// The close-on-exec flag is set on the file descriptor of the directory.
///
/// Return: the directory, positioned at its first entry, to be closed with mm_closedir(); NULL on failure, and the
///   error state is set.
///
/// Errors:
///   ENOENT           the directory does not exist, or the path is empty
///   ENOTDIR          a component of the path is not a directory
///   EACCES           read permission is denied for the directory, or search permission for a component of the path
///                    prefix
///   EPERM            a security policy forbids the operation
///   @errors path filesystem descriptors
///   EINTR            the call was interrupted by a signal handler while the filesystem was waiting for its server
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: differs from mmlib: NULL does not crash.
///
/// # Safety
/// `path` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_opendir(path: *const c_char) -> *mut MM_DIR {
    ret("mm_opendir", || {
        arg::require_address(path, "path")?;
        // SAFETY: a string, as the caller promised.
        let path = unsafe { KernelPath::from_c(path) };
        let stream =
            DirStream::open(path).map_err(|e| Error::os(e, format_args!("cannot open directory {}", path.shown(e))))?;
        ret::boxed(MM_DIR::new(stream))
    })
}

/// mm_closedir() - close a directory
/// @dir:        directory to close; NULL is accepted and does nothing
///
/// All entries returned by mm_readdir() for @dir become invalid.
///
/// Errors: none
///
/// Thread safety: MT-Safe if each thread uses a different directory
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `dir` is null or was returned by mm_opendir() and has not been closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_closedir(dir: *mut MM_DIR) {
    if !dir.is_null() {
        // SAFETY: mm_opendir() has created the Box, and it is not used afterwards, as the caller promised.
        drop(unsafe { Box::from_raw(dir) });
    }
}

/// mm_rewinddir() - reset a directory to its first entry
/// @dir:        directory
///
/// The next call to mm_readdir() reads the directory anew: entries created since mm_opendir() are included, and entries
/// removed since then are not.
///
/// Errors:
///   EINVAL           @dir is NULL
///
/// Thread safety: MT-Safe if each thread uses a different directory
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `dir` is null or was returned by mm_opendir() and has not been closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_rewinddir(dir: *mut MM_DIR) {
    ret("mm_rewinddir", || {
        // SAFETY: null or open, as the caller promised.
        unsafe { open_directory(dir) }.map(MM_DIR::rewind)
    });
}

/// mm_readdir() - read the next entry of a directory
/// @dir:        directory
/// @status:     receives 0 if an entry was read or the end was reached, -1 on failure; may be NULL
///
/// The entries "." and ".." are returned too. The filesystem determines the order. An entry that is created or removed
/// at the same time may or may not be returned.
///
/// Return: the entry, which is valid until the next call to mm_readdir() or mm_closedir() for @dir; NULL at the end of
///   the directory, and errno and the error state are not changed; NULL on failure, and the error state is set.
///
/// Errors:
///   EINVAL           @dir is NULL
///   ENOMEM           not enough memory; the entry is skipped
///   EIO, ENOENT, ESTALE  the directory cannot be read
///
/// Thread safety: MT-Safe if each thread uses a different directory
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: a read failure is distinguished from the end of the directory.
///
/// # Safety
/// `dir` is null or was returned by mm_opendir() and has not been closed; `status` is valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_readdir(dir: *mut MM_DIR, status: *mut c_int) -> *const mm_dirent {
    // SAFETY: null or valid, as the caller promised.
    let report = |value| unsafe { arg::store(status, value) };
    ret("mm_readdir", || {
        report(-1);
        // SAFETY: null or open, as the caller promised.
        let entry = unsafe { open_directory(dir) }?.next_entry()?;
        report(0);
        Ok(entry)
    })
}

/// # Safety
/// `dir` is null or was returned by mm_opendir(), has not been closed, and is not used by another thread during `'a`.
#[track_caller]
unsafe fn open_directory<'a>(dir: *mut MM_DIR) -> Result<&'a mut MM_DIR> {
    // SAFETY: as promised by the caller.
    unsafe { dir.as_mut() }.ok_or_else(|| arg::null("dir"))
}
