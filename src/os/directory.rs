// SPDX-License-Identifier: Apache-2.0
//! Streams of directory entries.

use super::cancel::WithoutCancellation;
use super::standard_streams;
use crate::rt::fd::{Fd, OwnedFd};
use crate::sys::directory::{self, Stream};
use crate::sys::path::KernelPath;
use crate::sys::{Result, file};
use core::ffi::CStr;

/// An open stream. Dropping it closes it.
pub struct DirStream(Stream);

/// An entry of a stream. It is valid until the next one is read.
pub struct Entry<'a> {
    pub name: &'a CStr,
    /// A DT_ constant, DT_UNKNOWN if the file system does not report the type.
    pub kind: u8,
}

impl DirStream {
    pub fn open(path: KernelPath) -> Result<DirStream> {
        // opendir() would read the path itself, and crash where open() fails with EFAULT.
        let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NONBLOCK | libc::O_CLOEXEC;
        let directory = file::open(path, flags, 0)?;
        // Only open() may block for long. A thread that is cancelled there owns nothing.
        let _no_cancellation = WithoutCancellation::new();
        DirStream::reading(standard_streams::move_above(directory)?)
    }

    /// Opens a stream for an open directory. The caller keeps its file descriptor.
    pub fn of(directory: Fd) -> Result<DirStream> {
        DirStream::reading(standard_streams::duplicate_above(directory)?)
    }

    fn reading(directory: OwnedFd) -> Result<DirStream> {
        directory::fdopendir(directory).map(DirStream).map_err(|(failure, _closed)| failure)
    }

    /// Returns the next entry, None at the end. errno changes only on failure.
    #[inline]
    pub fn next_entry(&mut self) -> Result<Option<Entry<'_>>> {
        // SAFETY: the stream is open, and self is borrowed while the entry exists.
        unsafe { directory::readdir(self.0) }.map(|entry| entry.map(|(name, kind)| Entry { name, kind }))
    }

    pub fn rewind(&mut self) {
        // SAFETY: the stream is open.
        unsafe { directory::rewinddir(self.0) }
    }
}

impl Drop for DirStream {
    fn drop(&mut self) {
        // SAFETY: the stream is open, and is not used afterwards.
        unsafe { directory::closedir(self.0) };
    }
}
