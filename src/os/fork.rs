// SPDX-License-Identifier: Apache-2.0
//! Distinguishing a process from its forked children, whether they were created by fork(), _Fork() or clone().
//!
//! A page that the kernel clears in every child (MADV_WIPEONFORK, Linux 4.14) contains the data that must not survive a
//! fork: the generation of this process, and the list of [`super::hidden`] file descriptors. A child that shares its
//! parent's memory (CLONE_VM) counts as the same process.

use super::fd_list::FdList;
use crate::rt::fd::Fd;
use crate::sys::{memory, process};
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// All bytes zero is a valid value.
#[repr(C)]
pub(super) struct Wiped {
    generation: AtomicU32,
    pub(super) hidden: FdList,
}

/// Maps the page without touching it, so that no memory is used yet.
#[cold]
pub fn prepare() {
    wiped();
}

/// Returns the page, None if it could not be mapped. The result of the first call is permanent, because data that was
/// stored in the page must be found again.
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
                    // SAFETY: this call has mapped the page and not published it.
                    let _ = unsafe { memory::munmap(mapped.cast(), SIZE) };
                }
                of_other_thread
            }
        };
    }
    // SAFETY: the page is never unmapped; it is large enough and aligned, and all bytes zero is a valid value.
    (page != UNAVAILABLE).then(|| unsafe { &*ptr::with_exposed_provenance(page) })
}

const SIZE: usize = size_of::<Wiped>();

#[cold]
fn map_page() -> Option<NonNull<Wiped>> {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    let page = memory::mmap(SIZE, protection, flags, Fd::NONE, 0).ok()?;
    // SAFETY: the memory is new and not used.
    unsafe {
        if memory::madvise(page, SIZE, libc::MADV_WIPEONFORK).is_err() {
            let _ = memory::munmap(page, SIZE);
            return None;
        }
    }
    Some(page.cast())
}

/// Returns a number that differs between this process and all its ancestors. Without the page, it is the process ID.
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
    // Children inherit this, so each continues its parent's count.
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
    use core::ffi::{c_int, c_void};

    /// Returns the exit code of a child process.
    fn exit_code(child: libc::pid_t) -> c_int {
        let mut status = 0;
        // SAFETY: the status is valid for writing.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        libc::WEXITSTATUS(status)
    }

    extern "C" fn is_new_generation(parent: *mut c_void) -> c_int {
        c_int::from(generation() as usize != parent.addr() && generation() == generation())
    }

    #[test]
    fn fork_and_clone_change_the_generation() {
        let parent: *mut c_void = ptr::without_provenance_mut(generation() as usize);
        assert_eq!(generation() as usize, parent.addr());
        // SAFETY: the child only reads memory and terminates.
        let forked = unsafe { libc::fork() };
        if forked == 0 {
            // SAFETY: terminates the child without running the parent's exit handlers.
            unsafe { libc::_exit(is_new_generation(parent)) };
        }
        assert_eq!(exit_code(forked), 1);
        let mut stack = std::vec![0_u128; 4096];
        let (end, mut tid) = (stack.as_mut_ptr_range().end.cast(), 0);
        // SAFETY: as above. The child has a copy of the stack, which is large enough for it.
        let cloned = unsafe { process::clone(is_new_generation, end, libc::SIGCHLD, parent, &mut tid) };
        assert_eq!(exit_code(cloned.unwrap()), 1);
        assert_eq!(generation() as usize, parent.addr());
    }
}
