// SPDX-License-Identifier: Apache-2.0
//! Private files of calls that wait: sockets, inotify instances and directories. The program does not know their file descriptors. If another thread forks during
//! such a call, the child therefore closes them. fork() runs the handlers that do this; _Fork() and clone() do not.

use super::fd_list::{CAPACITY, FdList};
use super::fork::wiped;
use super::fork_lock::register_handlers;
use super::identified::{IdentifiedFd, is_file_with};
use super::standard_streams;
use crate::rt::errno::PreservedErrno;
use crate::rt::fd::{Fd, OwnedFd};
use crate::sys::{Result, file};
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use once_cell::race::OnceBool;

/// A file that forked children do not keep. It cannot be sent to another thread, because the list records which
/// thread created it.
pub struct HiddenFd {
    file: ManuallyDrop<IdentifiedFd>,
    stays_in_thread: PhantomData<*const ()>,
}

impl HiddenFd {
    /// Creates a socket by `create`, while no other thread can fork.
    pub fn create(create: impl FnOnce() -> Result<OwnedFd>) -> Result<HiddenFd> {
        while_no_thread_forks(|list| {
            let socket = standard_streams::move_above(create()?)?;
            if let Some(list) = list {
                // SAFETY: only the HiddenFd uses the file descriptor until into_fd() or drop() removes it from the
                // list.
                unsafe { list.add(socket.fd()) };
            }
            let socket = ManuallyDrop::new(IdentifiedFd::new(socket));
            Ok(HiddenFd { file: socket, stays_in_thread: PhantomData })
        })
    }

    /// Like [`HiddenFd::create`], but the socket is identified, for long waits during which the program may close
    /// its file descriptor.
    pub fn create_identified(create: impl FnOnce() -> Result<OwnedFd>) -> Result<HiddenFd> {
        let mut hidden = HiddenFd::create(create)?;
        if let Some(identity) = hidden.file.identify() {
            while_no_thread_forks(|list| {
                if let Some(list) = list {
                    list.identify(hidden.fd(), identity);
                }
            });
        }
        Ok(hidden)
    }

    /// The same for a file of a kind that [`IdentifiedFd::identify_as`] describes.
    pub fn create_of_kind(kind: u64, create: impl FnOnce() -> Result<OwnedFd>) -> Result<HiddenFd> {
        while_no_thread_forks(|list| {
            let mut file = IdentifiedFd::new(standard_streams::move_above(create()?)?);
            file.identify_as(kind);
            if let Some(list) = list {
                // SAFETY: as in create().
                unsafe { list.add(file.fd()) };
                list.identify(file.fd(), kind);
            }
            Ok(HiddenFd { file: ManuallyDrop::new(file), stays_in_thread: PhantomData })
        })
    }

    pub fn fd(&self) -> Fd {
        self.file.fd()
    }

    pub fn is_intact(&self) -> bool {
        self.file.is_intact()
    }

    /// Returns the file descriptor, which is then no longer private to the library.
    pub fn into_fd(self) -> OwnedFd {
        let mut hidden = ManuallyDrop::new(self);
        while_no_thread_forks(|list| {
            if let Some(list) = list {
                list.remove(hidden.fd());
            }
        });
        // SAFETY: `hidden` is not dropped, so the file is taken only once.
        unsafe { ManuallyDrop::take(&mut hidden.file) }.into_fd()
    }
}

impl Drop for HiddenFd {
    fn drop(&mut self) {
        // Removing the entry and closing the file must not be separated by a fork: the child would keep the file,
        // or close another file that has reused its file descriptor.
        while_no_thread_forks(|list| {
            if let Some(list) = list {
                list.remove(self.fd());
            }
            // SAFETY: self is not used afterwards.
            unsafe { ManuallyDrop::drop(&mut self.file) }
        });
    }
}

/// Calls `call` with the list, if it exists.
fn while_no_thread_forks<T>(call: impl FnOnce(Option<&FdList>) -> T) -> T {
    let list = list();
    let _guard = list.and_then(FdList::lock);
    call(list)
}

fn list() -> Option<&'static FdList> {
    static HANDLERS: OnceBool = OnceBool::new();
    let list = &wiped()?.hidden;
    register_handlers(&HANDLERS, before_fork, after_fork_in_parent, after_fork_in_child);
    Some(list)
}

/// The file descriptors that a child must close, with the identities of their sockets. A file descriptor of 0 is an empty
/// entry, an identity of 0 is unknown. The list itself is cleared in the child.
static FOR_CHILD: [(AtomicI32, AtomicU64); CAPACITY] = [const { (AtomicI32::new(0), AtomicU64::new(0)) }; CAPACITY];

extern "C" fn before_fork() {
    let Some(wiped) = wiped() else { return };
    wiped.hidden.lock_for_fork();
    // If a signal handler forks during a call, the call continues in the child and closes its own socket there.
    for ((fd, identity), listed) in FOR_CHILD.iter().zip(wiped.hidden.of_other_threads()) {
        fd.store(listed.map_or(0, |listed| listed.fd.number()), Ordering::Relaxed);
        identity.store(listed.and_then(|listed| listed.identity).unwrap_or(0), Ordering::Relaxed);
    }
}

extern "C" fn after_fork_in_parent() {
    if let Some(wiped) = wiped() {
        wiped.hidden.unlock_after_fork();
    }
}

extern "C" fn after_fork_in_child() {
    let _errno = PreservedErrno::new();
    for (fd, identity) in &FOR_CHILD {
        let (fd, identity) = (fd.swap(0, Ordering::Relaxed), identity.load(Ordering::Relaxed));
        // The program may have closed the file descriptor, and another file may have reused it.
        if fd != 0 && is_file_with(Fd::from_c(fd), (identity != 0).then_some(identity)) {
            // SAFETY: it belongs to a call that does not exist in this process, as FdList::add() requires.
            let _ = unsafe { file::close(Fd::from_c(fd)) };
        }
    }
}
