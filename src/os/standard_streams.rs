// SPDX-License-Identifier: Apache-2.0
//! Descriptors of the library are never 0, 1 or 2, whatever a program has closed: a program that redirects its standard
//! streams must not hit them.

use crate::rt::errno::PreservedErrno;
use crate::rt::fd::{Fd, OwnedFd};
use crate::sys::path::KernelPath;
use crate::sys::{Result, file};
use core::ffi::c_int;

/// The lowest descriptor that the library uses for itself.
const FIRST: c_int = libc::STDERR_FILENO + 1;

/// The same open file at a descriptor from 3 on, close-on-exec if that is another one.
pub fn move_above(fd: OwnedFd) -> Result<OwnedFd> {
    if fd.number() < FIRST { duplicate_above(fd.fd()) } else { Ok(fd) }
}

/// The same. A failure leaves the descriptor where it is.
pub fn move_above_in_place(fd: &mut OwnedFd) -> Result<()> {
    if fd.number() < FIRST {
        *fd = duplicate_above(fd.fd())?;
    }
    Ok(())
}

/// The same open file at another descriptor from 3 on, close-on-exec.
pub fn duplicate_above(fd: Fd) -> Result<OwnedFd> {
    file::fcntl_dupfd(fd, FIRST, true)
}

/// A file that the library opens for itself.
pub fn open_above(path: KernelPath, flags: c_int) -> Result<OwnedFd> {
    move_above(file::open(path, flags | libc::O_CLOEXEC, 0)?)
}

/// The same for a path that starts from a directory.
pub fn openat_above(directory: Fd, path: KernelPath, flags: c_int) -> Result<OwnedFd> {
    move_above(file::openat(directory, path, flags | libc::O_CLOEXEC)?)
}

/// Makes a descriptor one for the C caller: inheritable, and the lowest number available.
pub fn for_caller(fd: OwnedFd) -> Result<OwnedFd> {
    if let Some(lower) = file::fcntl_dupfd(fd.fd(), 0, false).ok().filter(|other| other.number() < fd.number()) {
        return Ok(lower);
    }
    file::fcntl_setfd(fd.fd(), 0).map(|()| fd)
}

/// Keeps 0, 1 and 2 from what the C library opens for itself while this exists. Those that the program has closed refer
/// to something that can neither be read nor written; what the program opens there stays.
pub struct Reserved {
    is_reserved: [bool; FIRST as usize],
}

impl Reserved {
    /// errno stays as it is, also at the end.
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

/// Whether the descriptor is reserved now: another thread may have been faster.
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
                // SAFETY: it is what reserve() opened, unless the program has put an O_PATH descriptor of its own there.
                let _ = unsafe { file::close(fd) };
            }
        }
    }
}
