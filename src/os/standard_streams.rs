// SPDX-License-Identifier: Apache-2.0
//! File descriptors of the library are never 0, 1 or 2, even if the program has closed these. Otherwise a program that
//! redirects its standard streams would replace them.

use crate::rt::errno::PreservedErrno;
use crate::rt::fd::{Fd, OwnedFd};
use crate::sys::path::KernelPath;
use crate::sys::{Result, file};
use core::ffi::c_int;

/// The lowest file descriptor that the library uses internally.
const FIRST: c_int = libc::STDERR_FILENO + 1;

/// Returns the same open file as a file descriptor of 3 or more. If it must be moved, the new file descriptor is
/// close-on-exec.
pub fn move_above(fd: OwnedFd) -> Result<OwnedFd> {
    if fd.number() < FIRST { duplicate_above(fd.fd()) } else { Ok(fd) }
}

/// Like [`move_above`], but on failure, the file descriptor remains open and unchanged.
pub fn move_above_in_place(fd: &mut OwnedFd) -> Result<()> {
    if fd.number() < FIRST {
        *fd = duplicate_above(fd.fd())?;
    }
    Ok(())
}

/// Duplicates a file descriptor to one of 3 or more, close-on-exec.
pub fn duplicate_above(fd: Fd) -> Result<OwnedFd> {
    file::fcntl_dupfd(fd, FIRST, true)
}

/// Opens a file for internal use.
pub fn open_above(path: KernelPath, flags: c_int) -> Result<OwnedFd> {
    move_above(file::open(path, flags | libc::O_CLOEXEC, 0)?)
}

/// Opens a file relative to a directory for internal use.
pub fn openat_above(directory: Fd, path: KernelPath, flags: c_int) -> Result<OwnedFd> {
    move_above(file::openat(directory, path, flags | libc::O_CLOEXEC)?)
}

/// Converts a close-on-exec file descriptor for the C caller: the lowest one available, close-on-exec or not.
pub fn for_caller(fd: OwnedFd, is_close_on_exec: bool) -> Result<OwnedFd> {
    let lower = file::fcntl_dupfd(fd.fd(), 0, is_close_on_exec).ok().filter(|other| other.number() < fd.number());
    match lower {
        Some(lower) => Ok(lower),
        None if is_close_on_exec => Ok(fd),
        None => file::fcntl_setfd(fd.fd(), 0).map(|()| fd),
    }
}

/// While this exists, the C library cannot get 0, 1 or 2 for files that it opens. If the program has closed any of
/// them, they are opened as O_PATH, so that they can be neither read nor written. Dropping this closes them again,
/// unless the program has replaced them.
pub struct Reserved {
    is_reserved: [bool; FIRST as usize],
}

impl Reserved {
    /// errno is preserved, also by dropping this.
    pub fn new() -> Reserved {
        let _errno = PreservedErrno::new();
        let mut is_reserved = [false; FIRST as usize];
        let mut entries = [0, 1, 2].map(|fd| libc::pollfd { fd, events: 0, revents: 0 });
        if file::poll_slice(&mut entries, 0).is_ok_and(|found| found > 0) {
            for (entry, is_reserved) in entries.iter().zip(&mut is_reserved) {
                *is_reserved = entry.revents & libc::POLLNVAL != 0 && reserve(entry.fd);
            }
        }
        Reserved { is_reserved }
    }
}

/// Returns whether the file descriptor was reserved. Another thread may have opened it first.
fn reserve(fd: c_int) -> bool {
    let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
    match file::open(c"/".into(), flags, 0) {
        Ok(opened) if opened.number() == fd => {
            opened.into_raw();
            true
        }
        _ => false,
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let _errno = PreservedErrno::new();
        for (fd, _) in (0..).zip(self.is_reserved).filter(|(_, is_reserved)| *is_reserved) {
            let fd = Fd::from_c(fd);
            if file::fcntl_getfl(fd).is_ok_and(|flags| flags & libc::O_PATH != 0) {
                // SAFETY: reserve() opened it, unless the program has replaced it by an O_PATH file descriptor.
                let _ = unsafe { file::close(fd) };
            }
        }
    }
}
