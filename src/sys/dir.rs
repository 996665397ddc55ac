//! Streams of directory entries.

use super::path::Path;
use super::{Result, hidden};
use errno::{Errno, errno, set_errno};
use std::ffi::CStr;
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
use std::ptr::NonNull;

/// An open stream, closed when dropped.
pub struct DirStream(NonNull<libc::DIR>);

/// An entry of a stream, until the next one is read.
pub struct Entry<'a> {
    pub name: &'a CStr,
    /// A DT_ constant; DT_UNKNOWN where the filesystem does not say.
    pub kind: u8,
}

impl DirStream {
    pub fn open(path: Path) -> Result<DirStream> {
        // Not by opendir(), which looks at the path itself and crashes where the kernel would say EFAULT.
        DirStream::reading(hidden::open(path, libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NONBLOCK)?)
    }

    /// A stream of the directory that is open. The descriptor stays the caller's.
    pub fn of(directory: &OwnedFd) -> Result<DirStream> {
        DirStream::reading(hidden::duplicate(directory)?)
    }

    fn reading(directory: OwnedFd) -> Result<DirStream> {
        // SAFETY: no pointer is passed; on success the stream owns the descriptor.
        let stream = unsafe { libc::fdopendir(directory.as_raw_fd()) };
        let stream = NonNull::new(stream).ok_or_else(errno)?;
        let _owned_by_the_stream = directory.into_raw_fd();
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
