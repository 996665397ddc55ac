// SPDX-License-Identifier: Apache-2.0
//! A list of file descriptors. It is in memory that the kernel clears in a forked child, so that it is empty and
//! unlocked there.

use super::fork_lock::{ForkLock, Guard};
use crate::rt::fd::Fd;
use crate::sys::thread::errno_address;
use core::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering};

/// The maximum number of entries. Further file descriptors are not listed.
pub const CAPACITY: usize = 96;

/// All bytes zero is an empty, unlocked list.
#[repr(C)]
pub struct FdList {
    lock: ForkLock,
    entries: [Entry; CAPACITY],
}

#[repr(C)]
struct Entry {
    /// 0 means that the entry is free. File descriptor 0 is never listed.
    fd: AtomicI32,
    thread: AtomicUsize,
    /// The identity of the socket, 0 if it is not known.
    identity: AtomicU64,
}

/// A descriptor of the list.
#[derive(Clone, Copy)]
pub struct Listed {
    pub fd: Fd,
    pub identity: Option<u64>,
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
    /// Until it is removed, the file descriptor belongs to a call of this thread. If another thread forks, the child
    /// closes it.
    pub unsafe fn add(&self, fd: Fd) {
        if let Some(entry) = self.entries.iter().find(|entry| entry.fd.load(Ordering::Relaxed) == 0) {
            entry.thread.store(errno_address(), Ordering::Relaxed);
            entry.identity.store(0, Ordering::Relaxed);
            entry.fd.store(fd.number(), Ordering::Relaxed);
        }
    }

    /// Remembers the identity of a socket that this thread has added.
    pub fn identify(&self, fd: Fd, identity: u64) {
        if let Some(entry) = self.own_entry(fd) {
            entry.identity.store(identity, Ordering::Relaxed);
        }
    }

    /// Removes a descriptor that this thread has added.
    pub fn remove(&self, fd: Fd) {
        if let Some(entry) = self.own_entry(fd) {
            entry.fd.store(0, Ordering::Relaxed);
        }
    }

    /// Another thread may have listed the same number, if the program has closed one of the descriptors.
    fn own_entry(&self, fd: Fd) -> Option<&Entry> {
        let this_thread = errno_address();
        self.entries.iter().find(|entry| {
            entry.fd.load(Ordering::Relaxed) == fd.number() && entry.thread.load(Ordering::Relaxed) == this_thread
        })
    }

    /// For each entry, the descriptor if another thread has added it.
    pub fn of_other_threads(&self) -> impl Iterator<Item = Option<Listed>> + '_ {
        let this_thread = errno_address();
        self.entries.iter().map(move |entry| {
            let (fd, identity) = (entry.fd.load(Ordering::Relaxed), entry.identity.load(Ordering::Relaxed));
            let is_of_other = fd != 0 && entry.thread.load(Ordering::Relaxed) != this_thread;
            is_of_other.then(|| Listed { fd: Fd::from_c(fd), identity: (identity != 0).then_some(identity) })
        })
    }
}
