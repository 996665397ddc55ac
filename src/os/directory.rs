// SPDX-License-Identifier: Apache-2.0
//! Streams of directory entries.

use super::cancel::WithoutCancellation;
use super::standard_streams;
use crate::rt::fd::{Fd, OwnedFd};
use crate::sys::directory::{self, Stream};
use crate::sys::path::KernelPath;
use crate::sys::{Result, file};
use core::ffi::CStr;

/// An open stream, closed when dropped.
pub struct DirStream(Stream);

/// An entry of a stream, until the next one is read.
pub struct Entry<'a> {
    pub name: &'a CStr,
    /// A DT_ constant; DT_UNKNOWN if the file system does not report it.
    pub kind: u8,
}

impl DirStream {
    pub fn open(path: KernelPath) -> Result<DirStream> {
        // Not by opendir(), which reads the path itself and crashes where the kernel would report EFAULT.
        let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NONBLOCK | libc::O_CLOEXEC;
        let directory = file::open(path, flags, 0)?;
        // Only opening may wait for long: a thread that is cancelled then owns nothing.
        let _no_cancellation = WithoutCancellation::new();
        DirStream::reading(standard_streams::move_above(directory)?)
    }

    /// A stream of the directory that is open. The descriptor stays the caller's.
    pub fn of(directory: Fd) -> Result<DirStream> {
        DirStream::reading(standard_streams::duplicate_above(directory)?)
    }

    fn reading(directory: OwnedFd) -> Result<DirStream> {
        directory::fdopendir(directory).map(DirStream).map_err(|(failure, _closed)| failure)
    }

    /// The next entry, None at the end. errno changes only if this fails.
    pub fn next_entry(&mut self) -> Result<Option<Entry<'_>>> {
        // SAFETY: the stream is open, and the borrow of self keeps it from being used.
        unsafe { directory::readdir(self.0) }.map(|entry| entry.map(|(name, kind)| Entry { name, kind }))
    }

    pub fn rewind(&mut self) {
        // SAFETY: the stream is open.
        unsafe { directory::rewinddir(self.0) }
    }
}

impl Drop for DirStream {
    fn drop(&mut self) {
        // SAFETY: the stream is open, and nobody uses it any more.
        unsafe { directory::closedir(self.0) };
    }
}
