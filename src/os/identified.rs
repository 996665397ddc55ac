// SPDX-License-Identifier: Apache-2.0
//! Sockets whose file descriptor the program may have closed, for example because it closes all file descriptors that
//! it does not know. The file descriptor may then refer to another file, which belongs to the program.

use crate::rt::errno::PreservedErrno;
use crate::rt::fd::{Fd, OwnedFd};
use crate::sys::{Result, file, socket};
use core::mem::ManuallyDrop;
use errno::Errno;

/// A socket that is recognised by its cookie, a number that is never used for another socket in the network namespace.
/// If the cookie is unknown, the inode number replaces it. The kernel uses that again only after 2^32 others.
pub struct IdentifiedSocket {
    socket: ManuallyDrop<OwnedFd>,
    /// None if it was not requested, or the kernel does not report it.
    identity: Option<u64>,
}

/// Set in an identity that is an inode number. Cookies are counted from 1, and do not become so large.
const IS_INODE: u64 = 1 << 63;

impl IdentifiedSocket {
    /// A socket that is recognised only after [`IdentifiedSocket::identify`].
    pub fn new(socket: OwnedFd) -> IdentifiedSocket {
        IdentifiedSocket { socket: ManuallyDrop::new(socket), identity: None }
    }

    /// Asks the kernel for the identity. errno stays as it is.
    pub fn identify(&mut self) -> Option<u64> {
        let _errno = PreservedErrno::new();
        // The cookie is unknown before Linux 4.12, or if a sandbox denies the call.
        self.identity = cookie(self.fd()).or_else(|_| inode(self.fd())).ok();
        self.identity
    }

    pub fn fd(&self) -> Fd {
        self.socket.fd()
    }

    /// Whether the file descriptor still refers to the socket.
    pub fn is_intact(&self) -> bool {
        self.identity.is_none_or(|expected| is_socket_with(self.fd(), Some(expected)))
    }

    pub fn into_fd(self) -> OwnedFd {
        let mut identified = ManuallyDrop::new(self);
        // SAFETY: `identified` is not dropped, so the socket is taken only once.
        unsafe { ManuallyDrop::take(&mut identified.socket) }
    }
}

/// Whether the descriptor is that of a socket; of the one with that identity, if it is known.
pub fn is_socket_with(fd: Fd, expected: Option<u64>) -> bool {
    let found = if expected.is_some_and(|expected| expected & IS_INODE != 0) { inode(fd) } else { cookie(fd) };
    match (found, expected) {
        (Ok(found), Some(expected)) => found == expected,
        (Ok(_), None) => true,
        // Any other failure comes from a sandbox, or from a kernel that has no cookies.
        (Err(failure), _) => !is_no_socket(failure),
    }
}

fn is_no_socket(failure: Errno) -> bool {
    matches!(failure.0, libc::EBADF | libc::ENOTSOCK)
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

impl Drop for IdentifiedSocket {
    fn drop(&mut self) {
        if self.is_intact() {
            // SAFETY: self is not used afterwards.
            unsafe { ManuallyDrop::drop(&mut self.socket) }
        }
    }
}
