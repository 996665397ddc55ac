// SPDX-License-Identifier: Apache-2.0
//! Sockets whose file descriptor the program may have closed, for example because it closes all file descriptors that
//! it does not know. The file descriptor may then refer to another file, which belongs to the program.

use crate::rt::errno::PreservedErrno;
use crate::rt::fd::{Fd, OwnedFd};
use crate::sys::socket;
use core::mem::ManuallyDrop;
use errno::Errno;

/// A socket that is recognised by its cookie, a number that is never used for another socket in the network namespace.
pub struct IdentifiedSocket {
    socket: ManuallyDrop<OwnedFd>,
    /// None if it was not requested, or the kernel does not report it.
    cookie: Option<u64>,
}

impl IdentifiedSocket {
    /// A socket that is recognised only after [`IdentifiedSocket::identify`].
    pub fn new(socket: OwnedFd) -> IdentifiedSocket {
        IdentifiedSocket { socket: ManuallyDrop::new(socket), cookie: None }
    }

    /// Asks the kernel for the cookie. errno stays as it is.
    pub fn identify(&mut self) -> Option<u64> {
        let _errno = PreservedErrno::new();
        self.cookie = cookie(self.fd()).ok();
        self.cookie
    }

    pub fn fd(&self) -> Fd {
        self.socket.fd()
    }

    /// Whether the file descriptor still refers to the socket.
    pub fn is_intact(&self) -> bool {
        self.cookie.is_none_or(|expected| is_socket_with(self.fd(), Some(expected)))
    }

    pub fn into_fd(self) -> OwnedFd {
        let mut identified = ManuallyDrop::new(self);
        // SAFETY: `identified` is not dropped, so the socket is taken only once.
        unsafe { ManuallyDrop::take(&mut identified.socket) }
    }
}

/// Whether the descriptor is that of a socket; of the one with that cookie, if it is known.
pub fn is_socket_with(fd: Fd, expected: Option<u64>) -> bool {
    match (cookie(fd), expected) {
        (Ok(cookie), Some(expected)) => cookie == expected,
        (Ok(_), None) => true,
        // Any other failure comes from a sandbox, or from a kernel that has no cookies (before Linux 4.12).
        (Err(Errno(failure)), _) => !matches!(failure, libc::EBADF | libc::ENOTSOCK),
    }
}

fn cookie(fd: Fd) -> crate::sys::Result<u64> {
    socket::getsockopt_value(fd, socket::SO_COOKIE)
}

impl Drop for IdentifiedSocket {
    fn drop(&mut self) {
        if self.is_intact() {
            // SAFETY: self is not used afterwards.
            unsafe { ManuallyDrop::drop(&mut self.socket) }
        }
    }
}
