// SPDX-License-Identifier: Apache-2.0
//! File descriptors of the library that the program may have closed, for example because it closes all that it does not
//! know. The number may then refer to another file, which belongs to the program.

use crate::rt::errno::PreservedErrno;
use crate::rt::fd::{Fd, OwnedFd};
use crate::sys::{Result, file, notify, socket};
use core::mem::ManuallyDrop;
use errno::Errno;

/// A file descriptor that is recognised by its identity.
///
/// That of a socket is its cookie, a number that is never used for another socket in the network namespace. If the cookie
/// is unknown, the inode number replaces it. The kernel uses that again only after 2^32 others. Other files are recognised
/// by their kind alone.
pub struct IdentifiedFd {
    fd: ManuallyDrop<OwnedFd>,
    /// None if it was not requested, or the kernel does not report it.
    identity: Option<u64>,
}

/// Set in an identity that is an inode number. Cookies are counted from 1, and do not become so large.
const IS_INODE: u64 = 1 << 63;
/// The identity of each inotify file descriptor. Inode numbers of sockets do not become so large.
pub const INOTIFY: u64 = u64::MAX;
/// The identity of each file descriptor that was opened with O_PATH.
pub const NAME: u64 = u64::MAX - 1;

impl IdentifiedFd {
    /// A socket that is recognised only after [`IdentifiedFd::identify`].
    pub fn new(socket: OwnedFd) -> IdentifiedFd {
        IdentifiedFd { fd: ManuallyDrop::new(socket), identity: None }
    }

    /// Asks the kernel for the identity of the socket. errno stays as it is.
    pub fn identify(&mut self) -> Option<u64> {
        let _errno = PreservedErrno::new();
        // The cookie is unknown before Linux 4.12, or if a sandbox denies the call.
        self.identity = cookie(self.fd()).or_else(|_| inode(self.fd())).ok();
        self.identity
    }

    /// Records the kind of a file that is not a socket: [`INOTIFY`] or [`NAME`].
    pub fn identify_as(&mut self, kind: u64) {
        self.identity = Some(kind);
    }

    pub fn fd(&self) -> Fd {
        self.fd.fd()
    }

    /// Whether the number still refers to the file.
    pub fn is_intact(&self) -> bool {
        self.identity.is_none_or(|expected| is_file_with(self.fd(), Some(expected)))
    }

    pub fn into_fd(self) -> OwnedFd {
        let mut identified = ManuallyDrop::new(self);
        // SAFETY: `identified` is not dropped, so the file descriptor is taken only once.
        unsafe { ManuallyDrop::take(&mut identified.fd) }
    }
}

/// Whether the file descriptor has that identity. If it is not known, whether it is a socket.
pub fn is_file_with(fd: Fd, expected: Option<u64>) -> bool {
    let found = match expected {
        Some(INOTIFY) => notify::inotify_check(fd).map(|()| INOTIFY),
        Some(NAME) => file::fcntl_getfl(fd).map(|flags| if flags & libc::O_PATH != 0 { NAME } else { 0 }),
        Some(expected) if expected & IS_INODE != 0 => inode(fd),
        _ => cookie(fd),
    };
    match (found, expected) {
        (Ok(found), Some(expected)) => found == expected,
        (Ok(_), None) => true,
        // Any other failure comes from a sandbox, or from a kernel that has no cookies; for inotify, from its check.
        (Err(Errno(failure)), Some(INOTIFY)) => !matches!(failure, libc::EBADF | libc::EINVAL),
        (Err(Errno(failure)), _) => !matches!(failure, libc::EBADF | libc::ENOTSOCK),
    }
}

fn cookie(fd: Fd) -> Result<u64> {
    socket::getsockopt_value(fd, socket::SO_COOKIE)
}

fn inode(fd: Fd) -> Result<u64> {
    let status = file::fstat(fd)?;
    if status.st_mode & libc::S_IFMT == libc::S_IFSOCK {
        Ok(IS_INODE | status.st_ino as u64)
    } else {
        Err(Errno(libc::ENOTSOCK))
    }
}

impl Drop for IdentifiedFd {
    fn drop(&mut self) {
        if self.is_intact() {
            // SAFETY: self is not used afterwards.
            unsafe { ManuallyDrop::drop(&mut self.fd) }
        }
    }
}
