// SPDX-License-Identifier: Apache-2.0
//! Sockets whose descriptor the program may have closed, as a program does that closes every descriptor which it does not
//! know. The number may then be that of another file, which belongs to the program.

use crate::rt::errno::PreservedErrno;
use crate::rt::fd::{Fd, OwnedFd};
use crate::sys::socket;
use core::mem::ManuallyDrop;
use errno::Errno;

/// A socket that is recognised by its cookie, a number that no other socket of the network namespace ever has.
pub struct IdentifiedSocket {
    socket: ManuallyDrop<OwnedFd>,
    /// None if it has not been asked for, or the kernel does not report it.
    cookie: Option<u64>,
}

impl IdentifiedSocket {
    /// A socket that is not recognised: it is worth no system call.
    pub fn unidentified(socket: OwnedFd) -> IdentifiedSocket {
        IdentifiedSocket { socket: ManuallyDrop::new(socket), cookie: None }
    }

    /// errno stays as it is.
    pub fn new(socket: OwnedFd) -> IdentifiedSocket {
        let _errno = PreservedErrno::new();
        let cookie = cookie(socket.fd()).ok();
        IdentifiedSocket { socket: ManuallyDrop::new(socket), cookie }
    }

    pub fn fd(&self) -> Fd {
        self.socket.fd()
    }

    /// Whether the descriptor is still that of the socket.
    pub fn is_intact(&self) -> bool {
        let Some(expected) = self.cookie else { return true };
        match cookie(self.fd()) {
            Ok(cookie) => cookie == expected,
            // Any other failure comes from a sandbox.
            Err(Errno(failure)) => !matches!(failure, libc::EBADF | libc::ENOTSOCK),
        }
    }

    pub fn into_fd(self) -> OwnedFd {
        let mut identified = ManuallyDrop::new(self);
        // SAFETY: taken once, since identified is not dropped.
        unsafe { ManuallyDrop::take(&mut identified.socket) }
    }
}

fn cookie(fd: Fd) -> crate::sys::Result<u64> {
    socket::getsockopt_value(fd, socket::SO_COOKIE)
}

impl Drop for IdentifiedSocket {
    fn drop(&mut self) {
        if self.is_intact() {
            // SAFETY: self is not used any more.
            unsafe { ManuallyDrop::drop(&mut self.socket) }
        }
    }
}
