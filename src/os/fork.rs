// SPDX-License-Identifier: Apache-2.0
//! Distinguishing a process from those that were forked from it, whatever kind of fork made them: fork(), _Fork(), or
//! clone().
//!
//! A page of memory that the kernel clears in every child (MADV_WIPEONFORK, Linux 4.14) holds what must not survive a
//! fork: the generation of this process, and the list of [`super::hidden`] descriptors. A child that shares all memory
//! with its parent (CLONE_VM) is the same process here.

use super::fd_list::FdList;
use crate::rt::fd::Fd;
use crate::sys::{memory, process};
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// Valid if all bytes are zero.
#[repr(C)]
pub(super) struct Wiped {
    generation: AtomicU32,
    pub(super) hidden: FdList,
}

/// Makes the page, but does not touch it: it costs no memory yet.
#[cold]
pub fn prepare() {
    wiped();
}

/// The page; None if it could not be made. The first answer stays: what is stored must be found again.
#[cold]
pub(super) fn wiped() -> Option<&'static Wiped> {
    const UNKNOWN: usize = 0;
    const UNAVAILABLE: usize = 1;
    static PAGE: AtomicUsize = AtomicUsize::new(UNKNOWN);

    let mut page = PAGE.load(Ordering::Acquire);
    if page == UNKNOWN {
        let mapped = map_page();
        let wanted = mapped.map_or(UNAVAILABLE, |page| page.as_ptr().expose_provenance());
        page = match PAGE.compare_exchange(UNKNOWN, wanted, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => wanted,
            Err(of_other_thread) => {
                if let Some(mapped) = mapped {
                    // SAFETY: this call has mapped it, and nobody else knows it.
                    let _ = unsafe { memory::munmap(mapped.cast(), SIZE) };
                }
                of_other_thread
            }
        };
    }
    // SAFETY: the page is mapped for the rest of the process, large enough, aligned and zeroed, which is valid.
    (page != UNAVAILABLE).then(|| unsafe { &*ptr::with_exposed_provenance(page) })
}

const SIZE: usize = size_of::<Wiped>();

#[cold]
fn map_page() -> Option<NonNull<Wiped>> {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    let page = memory::mmap(SIZE, protection, flags, Fd::NONE, 0).ok()?;
    // SAFETY: the memory is new.
    unsafe {
        if memory::madvise(page, SIZE, libc::MADV_WIPEONFORK).is_err() {
            let _ = memory::munmap(page, SIZE);
            return None;
        }
    }
    Some(page.cast())
}

/// A number that differs between this process and all that it was forked from. Without the page it is the process ID.
#[cold]
#[inline(never)]
pub fn generation() -> u32 {
    match wiped() {
        Some(wiped) => match wiped.generation.load(Ordering::Relaxed) {
            0 => first_generation(&wiped.generation),
            generation => generation,
        },
        None => process::getpid() as u32,
    }
}

#[cold]
fn first_generation(mark: &AtomicU32) -> u32 {
    // Inherited by children, so that each counts on from its parent.
    static LAST: AtomicU32 = AtomicU32::new(0);
    let next = LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1).max(1);
    match mark.compare_exchange(0, next, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => next,
        Err(of_another_thread) => of_another_thread,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `call` gives in a child process, as an exit status.
    fn in_child(fork: impl Fn() -> libc::pid_t, call: impl Fn() -> bool) -> bool {
        let child = fork();
        if child == 0 {
            // SAFETY: ends the child without running anything of the parent's.
            unsafe { libc::_exit(i32::from(call())) };
        }
        let mut status = 0;
        // SAFETY: the status may be written there.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        libc::WEXITSTATUS(status) == 1
    }

    #[test]
    fn every_kind_of_fork_makes_another_generation() {
        let parent = generation();
        assert_eq!(generation(), parent);
        // SAFETY: the children only look at memory and end.
        assert!(in_child(|| unsafe { libc::fork() }, || generation() != parent && generation() == generation()));
        let clone = || {
            // SAFETY: as above; a clone without a stack of its own goes on with a copy of this one.
            unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) as libc::pid_t }
        };
        assert!(in_child(clone, || generation() != parent));
        assert_eq!(generation(), parent);
    }
}
