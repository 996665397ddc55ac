// SPDX-License-Identifier: Apache-2.0
//! Writing to standard error without side effects: this raises no signal, does not wait for a reader, and does not
//! write to another file that was opened as file descriptor 2 after the program closed standard error.

use crate::rt::errno::PreservedErrno;
use crate::rt::fd::Fd;
use crate::sys::signal::{self, SignalSet};
use crate::sys::{Result, file, large_file, socket};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use errno::Errno;

const STDERR: Fd = Fd::from_c(libc::STDERR_FILENO);

/// Returns the current standard error. None if nothing may be written to it.
pub fn target() -> Option<Target> {
    // Whatever has an offset needs no care, and fstat() takes three times as long as the write to /dev/null.
    if !IS_RETURNED.load(Ordering::Acquire) && file::lseek(STDERR, 0, libc::SEEK_CUR).is_ok() {
        return Some(Target { kind: libc::S_IFREG });
    }
    let status = file::fstat(STDERR).ok()?;
    (!is_returned(&status)).then_some(Target { kind: status.st_mode & libc::S_IFMT })
}

pub struct Target {
    kind: libc::mode_t,
}

impl Target {
    /// Writes all bytes, or as many as can be written without waiting.
    pub fn write(&self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match self.write_once(bytes) {
                Ok(0) => return,
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(Errno(libc::EINTR)) => {}
                Err(_) => return,
            }
        }
    }

    fn write_once(&self, bytes: &[u8]) -> Result<usize> {
        match self.kind {
            libc::S_IFREG | libc::S_IFCHR => file::write_slice(STDERR, bytes),
            libc::S_IFSOCK => {
                let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
                // SAFETY: the slice is valid for reading.
                unsafe { socket::send(STDERR, bytes.as_ptr().cast(), bytes.len(), flags) }
            }
            _ => write_to_pipe(bytes),
        }
    }
}

/// Writing to a pipe raises SIGPIPE if it has no reader, and blocks if it is full. This avoids both.
fn write_to_pipe(bytes: &[u8]) -> Result<usize> {
    let mut entries = [libc::pollfd { fd: STDERR.number(), events: libc::POLLOUT, revents: 0 }];
    file::poll_slice(&mut entries, 0)?;
    if entries.iter().all(|entry| entry.revents & libc::POLLOUT == 0) {
        return Err(Errno(libc::EAGAIN));
    }
    without_sigpipe(|| file::write_slice(STDERR, bytes))
}

/// Makes a call, and discards a SIGPIPE that it raises for the thread.
fn without_sigpipe(call: impl FnOnce() -> Result<usize>) -> Result<usize> {
    let sigpipe = SignalSet::of(libc::SIGPIPE);
    let mask_before = signal::pthread_sigmask(libc::SIG_BLOCK, &sigpipe);
    // If SIGPIPE is already pending, it must be blocked, and belongs to the program.
    let is_blocked = mask_before.contains(libc::SIGPIPE);
    let was_pending = is_blocked && signal::sigpending().is_ok_and(|pending| pending.contains(libc::SIGPIPE));
    let result = call();
    if result == Err(Errno(libc::EPIPE)) && !was_pending {
        let _ = signal::sigtimedwait_now(&sigpipe);
    }
    if !is_blocked {
        signal::pthread_sigmask(libc::SIG_SETMASK, &mask_before);
    }
    result
}

// --- file descriptor 2 as an ordinary file -------------------------------------------------------------------------

/// Whether a function of the library has returned file descriptor 2, and the file that it refers to.
static IS_RETURNED: AtomicBool = AtomicBool::new(false);
static DEVICE: AtomicU64 = AtomicU64::new(0);
static INODE: AtomicU64 = AtomicU64::new(0);

/// Must be called for each file descriptor that is returned to C as the lowest one available.
#[inline]
pub fn note_returned(fd: Fd) {
    if fd == STDERR {
        remember_as_returned();
    }
}

#[cold]
fn remember_as_returned() {
    let _errno = PreservedErrno::new();
    if let Ok(status) = file::fstat(STDERR) {
        let (device, inode) = identity(&status);
        DEVICE.store(device, Ordering::Relaxed);
        INODE.store(inode, Ordering::Relaxed);
        IS_RETURNED.store(true, Ordering::Release);
    }
}

/// Must be called when C closes or replaces a file descriptor.
#[inline]
pub fn note_replaced(fd: Fd) {
    if fd == STDERR {
        IS_RETURNED.store(false, Ordering::Relaxed);
    }
}

/// Compares the file, because the program may have redirected the file descriptor by calls that the library does not
/// see.
fn is_returned(status: &large_file::stat) -> bool {
    if !IS_RETURNED.load(Ordering::Acquire) {
        return false;
    }
    let is_same = (DEVICE.load(Ordering::Relaxed), INODE.load(Ordering::Relaxed)) == identity(status);
    if !is_same {
        IS_RETURNED.store(false, Ordering::Relaxed);
    }
    is_same
}

fn identity(status: &large_file::stat) -> (u64, u64) {
    (status.st_dev, status.st_ino)
}
