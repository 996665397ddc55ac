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
/// @path:       name of the directory
///
/// Return: the directory, at its first entry, to be closed with mm_closedir(); or NULL, with the error state set to
///   ENOENT           there is no such directory, or the path is empty
///   ENOTDIR          it is no directory
///   EACCES           it may not be read, or a directory of the path not be searched
///   EPERM            a security policy forbids it
///   EMFILE, ENFILE   too many open descriptors, or files
///   ELOOP            too many symbolic links lead to each other
///   ENAMETOOLONG     the path has more than 4095 bytes, or a component more than 255
///   EFAULT           the path is NULL or cannot be read
///   EINTR            interrupted by a signal handler, on a filesystem that waits for its server
///   EIO              the filesystem failed
///   ENOMEM           not enough memory
///
/// MT-Safe. The descriptor behind it is closed in executed programs.
///
/// Differs from mmlib: NULL does not crash.
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
            DirStream::open(path).map_err(|e| Error::os(e, format_args!("opening directory {}", path.shown(e))))?;
        ret::boxed(MM_DIR::new(stream))
    })
}

/// mm_closedir() - close a directory
/// @dir:        directory to close; NULL does nothing
///
/// Every entry that was read from it is gone.
///
/// MT-Safe, with different directories.
///
/// # Safety
/// `dir` is null or came from mm_opendir() and was not closed since.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_closedir(dir: *mut MM_DIR) {
    if !dir.is_null() {
        // SAFETY: mm_opendir() made it a Box, and nobody uses it any more, as the caller promised.
        drop(unsafe { Box::from_raw(dir) });
    }
}

/// mm_rewinddir() - go back to the first entry of a directory
/// @dir:        directory; NULL raises EINVAL
///
/// What is read from then on is what the directory holds then.
///
/// MT-Safe, with different directories.
///
/// # Safety
/// `dir` is null or came from mm_opendir() and was not closed since.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_rewinddir(dir: *mut MM_DIR) {
    ret("mm_rewinddir", || {
        // SAFETY: null or open, as the caller promised.
        unsafe { open_directory(dir) }.map(MM_DIR::rewind)
    });
}

/// mm_readdir() - read the next entry of a directory
/// @dir:        directory
/// @status:     receives 0 if there was an entry or the end was reached, -1 after a failure; may be NULL
///
/// The entries . and .. are among them; the order is the filesystem's. What is created or removed meanwhile may be told
/// of or not.
///
/// Return: the entry, which changes when the next one is read and goes when the directory is closed; NULL at the end,
/// with errno and the error state as they were; or NULL, with the error state set to
///   EINVAL           @dir is NULL
///   ENOMEM           not enough memory; the entry is lost
///   EIO, ENOENT, ESTALE  the directory cannot be read
///
/// MT-Safe, with different directories.
///
/// Differs from mmlib: a failure to read is told from the end.
///
/// # Safety
/// `dir` is null or came from mm_opendir() and was not closed since; `status` is valid.
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
/// `dir` is null or came from mm_opendir(), was not closed since, and is not used by another thread during `'a`.
#[track_caller]
unsafe fn open_directory<'a>(dir: *mut MM_DIR) -> Result<&'a mut MM_DIR> {
    // SAFETY: as promised by the caller.
    unsafe { dir.as_mut() }.ok_or_else(|| arg::null("dir"))
}
