// SPDX-License-Identifier: Apache-2.0
//! A list of descriptors in memory that is cleared in the child of a fork, so that it is empty and unlocked there.

use super::fork_lock::{ForkLock, Guard};
use crate::rt::fd::Fd;
use crate::sys::thread::errno_address;
use core::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

/// Descriptors that do not fit are not listed.
pub const CAPACITY: usize = 64;

/// Empty and unlocked if all bytes are zero.
#[repr(C)]
pub struct FdList {
    lock: ForkLock,
    entries: [Entry; CAPACITY],
}

#[repr(C)]
struct Entry {
    /// 0 if the entry is free: that descriptor is never listed.
    fd: AtomicI32,
    thread: AtomicUsize,
}

impl FdList {
    /// See [`ForkLock::lock`].
    pub fn lock(&'static self) -> Option<Guard> {
        self.lock.lock()
    }

    pub fn lock_for_fork(&'static self) {
        self.lock.lock_for_fork();
    }

    pub fn unlock_after_fork(&'static self) {
        self.lock.unlock_after_fork();
    }

    /// # Safety
    /// Until it is removed, the descriptor belongs to a call of this thread, so that nobody uses it in the child of a
    /// fork by another thread, which closes it.
    pub unsafe fn add(&self, fd: Fd) {
        if let Some(entry) = self.entries.iter().find(|entry| entry.fd.load(Ordering::Relaxed) == 0) {
            entry.thread.store(errno_address(), Ordering::Relaxed);
            entry.fd.store(fd.number(), Ordering::Relaxed);
        }
    }

    pub fn remove(&self, fd: Fd) {
        if let Some(entry) = self.entries.iter().find(|entry| entry.fd.load(Ordering::Relaxed) == fd.number()) {
            entry.fd.store(0, Ordering::Relaxed);
        }
    }

    /// For each entry, the descriptor that another thread has added, or 0.
    pub fn of_other_threads(&self) -> impl Iterator<Item = i32> + '_ {
        let this_thread = errno_address();
        self.entries.iter().map(move |entry| {
            let is_of_other = entry.thread.load(Ordering::Relaxed) != this_thread;
            if is_of_other { entry.fd.load(Ordering::Relaxed) } else { 0 }
        })
    }
}
