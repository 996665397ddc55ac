//! Streams of directory entries.

use super::cancel::WithoutCancellation;
use super::standard_streams;
use crate::rt::fd::{Fd, OwnedFd};
use crate::sys::Result;
use crate::sys::path::KernelPath;
use core::ffi::CStr;
use core::ptr::NonNull;
use errno::{Errno, errno, set_errno};

/// An open stream, closed when dropped.
pub struct DirStream(NonNull<libc::DIR>);

/// An entry of a stream, until the next one is read.
pub struct Entry<'a> {
    pub name: &'a CStr,
    /// A DT_ constant; DT_UNKNOWN where the filesystem does not say.
    pub kind: u8,
}

impl DirStream {
    pub fn open(path: KernelPath) -> Result<DirStream> {
        // Not by opendir(), which looks at the path itself and crashes where the kernel would say EFAULT.
        DirStream::reading(standard_streams::open_above(path, libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NONBLOCK)?)
    }

    /// A stream of the directory that is open. The descriptor stays the caller's.
    pub fn of(directory: Fd) -> Result<DirStream> {
        DirStream::reading(standard_streams::duplicate_above(directory)?)
    }

    fn reading(directory: OwnedFd) -> Result<DirStream> {
        // SAFETY: no pointer is passed; on success the stream owns the descriptor.
        let stream = unsafe { libc::fdopendir(directory.number()) };
        let Some(stream) = NonNull::new(stream) else {
            let failure = errno();
            // Closing is a cancellation point.
            let _whole = WithoutCancellation::new();
            drop(directory);
            return Err(failure);
        };
        directory.into_raw();
        Ok(DirStream(stream))
    }

    /// The next entry, None at the end. errno changes only if this fails.
    pub fn next_entry(&mut self) -> Result<Option<Entry<'_>>> {
        let errno_at_entry = errno();
        set_errno(Errno(0));
        // SAFETY: the stream is open, and used by one thread.
        let entry = unsafe { libc::readdir(self.0.as_ptr()) };
        if entry.is_null() {
            return match errno() {
                Errno(0) => {
                    set_errno(errno_at_entry);
                    Ok(None)
                }
                failure => Err(failure),
            };
        }
        set_errno(errno_at_entry);
        // SAFETY: readdir gave an entry that is valid until it is called again, which the borrow of self prevents. Its
        // name is terminated, and need not fill the declared array: no reference to the whole structure is made.
        unsafe {
            let name = CStr::from_ptr((&raw const (*entry).d_name).cast());
            Ok(Some(Entry { name, kind: (*entry).d_type }))
        }
    }

    pub fn rewind(&mut self) {
        // SAFETY: the stream is open.
        unsafe { libc::rewinddir(self.0.as_ptr()) }
    }
}

impl Drop for DirStream {
    fn drop(&mut self) {
        // SAFETY: the stream is open, and nobody uses it any more.
        unsafe { libc::closedir(self.0.as_ptr()) };
    }
}
