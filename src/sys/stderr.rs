//! Writing to standard error without side effects: no signal, no wait for a reader, and never into a descriptor that got
//! the number because the program had closed it.

use super::{Result, check, check_size};
use errno::{Errno, errno};
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const STDERR: c_int = libc::STDERR_FILENO;

/// Standard error as it is now; None if nothing may be written to it.
pub fn target() -> Option<Target> {
    let status = status().ok()?;
    (!is_returned(&status)).then_some(Target { kind: status.st_mode & libc::S_IFMT })
}

pub struct Target {
    kind: libc::mode_t,
}

impl Target {
    /// Writes all of it, or as much as can be written at once.
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
        let (first, size): (*const c_void, _) = (bytes.as_ptr().cast(), bytes.len());
        check_size(match self.kind {
            // SAFETY: the slice is valid for reading.
            libc::S_IFREG | libc::S_IFCHR => unsafe { libc::write(STDERR, first, size) },
            // SAFETY: the same.
            libc::S_IFSOCK => unsafe { libc::send(STDERR, first, size, libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT) },
            _ => return write_to_pipe(bytes),
        })
    }
}

fn status() -> Result<libc::stat> {
    let mut status = MaybeUninit::uninit();
    // SAFETY: the structure is valid for writing, and filled on success.
    unsafe {
        check(libc::fstat(STDERR, status.as_mut_ptr()))?;
        Ok(status.assume_init())
    }
}

/// A pipe that has no reader raises SIGPIPE, and one that is full waits for its reader.
fn write_to_pipe(bytes: &[u8]) -> Result<usize> {
    let mut entry = libc::pollfd { fd: STDERR, events: libc::POLLOUT, revents: 0 };
    // SAFETY: one valid element.
    check(unsafe { libc::poll(&mut entry, 1, 0) })?;
    if entry.revents & libc::POLLOUT == 0 {
        return Err(Errno(libc::EAGAIN));
    }
    without_sigpipe(|| {
        // SAFETY: the slice is valid for reading.
        check_size(unsafe { libc::write(STDERR, bytes.as_ptr().cast(), bytes.len()) })
    })
}

/// Makes a call of which SIGPIPE, should it raise that for the thread, is taken away again.
fn without_sigpipe(call: impl FnOnce() -> Result<usize>) -> Result<usize> {
    let (mut sigpipe, mut mask, mut pending) = (MaybeUninit::uninit(), MaybeUninit::uninit(), MaybeUninit::uninit());
    // SAFETY: all sets are valid for writing, and filled before they are read; the calls cannot fail with them.
    unsafe {
        libc::sigemptyset(sigpipe.as_mut_ptr());
        libc::sigaddset(sigpipe.as_mut_ptr(), libc::SIGPIPE);
        libc::pthread_sigmask(libc::SIG_BLOCK, sigpipe.as_ptr(), mask.as_mut_ptr());
        // Only a blocked signal can be pending already, and is then the program's.
        let is_blocked = libc::sigismember(mask.as_ptr(), libc::SIGPIPE) == 1;
        let was_pending = is_blocked
            && libc::sigpending(pending.as_mut_ptr()) == 0
            && libc::sigismember(pending.as_ptr(), libc::SIGPIPE) == 1;
        let result = call();
        if result == Err(Errno(libc::EPIPE)) && !was_pending {
            let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            libc::sigtimedwait(sigpipe.as_ptr(), ptr::null_mut(), &at_once);
        }
        if !is_blocked {
            libc::pthread_sigmask(libc::SIG_SETMASK, mask.as_ptr(), ptr::null_mut());
        }
        result
    }
}

// --- descriptor 2 as an ordinary one -------------------------------------------------------------------------------

/// Whether a function of the library has returned descriptor 2, and of which file.
static IS_RETURNED: AtomicBool = AtomicBool::new(false);
static DEVICE: AtomicU64 = AtomicU64::new(0);
static INODE: AtomicU64 = AtomicU64::new(0);

/// See [`super::numbers::note_returned`].
#[inline]
pub fn note_returned(fd: c_int) {
    if fd == STDERR {
        remember_as_returned();
    }
}

#[cold]
fn remember_as_returned() {
    let errno_at_entry = errno();
    if let Ok(status) = status() {
        let (device, inode) = identity(&status);
        DEVICE.store(device, Ordering::Relaxed);
        INODE.store(inode, Ordering::Relaxed);
        IS_RETURNED.store(true, Ordering::Release);
    }
    errno::set_errno(errno_at_entry);
}

/// See [`super::numbers::note_replaced`].
#[inline]
pub fn note_replaced(fd: c_int) {
    if fd == STDERR {
        IS_RETURNED.store(false, Ordering::Relaxed);
    }
}

/// The program may have redirected the number since, by calls that the library does not see: the file is another then.
fn is_returned(status: &libc::stat) -> bool {
    if !IS_RETURNED.load(Ordering::Acquire) {
        return false;
    }
    let is_same = (DEVICE.load(Ordering::Relaxed), INODE.load(Ordering::Relaxed)) == identity(status);
    if !is_same {
        IS_RETURNED.store(false, Ordering::Relaxed);
    }
    is_same
}

#[allow(clippy::useless_conversion, reason = "they are shorter than u64 on some machines")]
fn identity(status: &libc::stat) -> (u64, u64) {
    (status.st_dev.into(), status.st_ino.into())
}
