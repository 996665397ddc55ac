//! Telling a process from those that were forked from it, whatever kind of fork made them: fork(), _Fork(), or clone().
//!
//! A page of memory that the kernel clears in every child (MADV_WIPEONFORK, Linux 4.14) holds what must not survive a
//! fork: the mark of this process, and the list of descriptors of [`super::hidden`]. A child that shares all memory with
//! its parent (CLONE_VM) is the same process here.

use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::hidden::{self, Listed};
use super::{check, own, socket};
use errno::Errno;

/// Valid when all of it is zero.
#[repr(C)]
pub struct Wiped {
    generation: AtomicU32,
    pub listed: Listed,
}

/// The page, if it could be made. The first answer holds for ever: what is kept must be found again.
pub fn wiped() -> Option<&'static Wiped> {
    const UNKNOWN: usize = 0;
    const UNAVAILABLE: usize = 1;
    static PAGE: AtomicUsize = AtomicUsize::new(UNKNOWN);

    let mut page = PAGE.load(Ordering::Acquire);
    if page == UNKNOWN {
        let made = map_page();
        let wanted = made.map_or(UNAVAILABLE, |page| page.as_ptr().expose_provenance());
        page = match PAGE.compare_exchange(UNKNOWN, wanted, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => wanted,
            Err(other) => {
                if let Some(made) = made {
                    unmap_page(made);
                }
                other
            }
        };
    }
    // SAFETY: the page is mapped for the rest of the process, large enough, aligned and zeroed, which is valid.
    (page != UNAVAILABLE).then(|| unsafe { &*ptr::with_exposed_provenance(page) })
}

const SIZE: usize = size_of::<Wiped>();

fn map_page() -> Option<NonNull<Wiped>> {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: without MAP_FIXED no memory in use is replaced; the advice is for the new memory alone.
    unsafe {
        let page = libc::mmap(ptr::null_mut(), SIZE, protection, flags, -1, 0);
        if page == libc::MAP_FAILED {
            return None;
        }
        let made = NonNull::new(page.cast::<Wiped>())?;
        if libc::madvise(page, SIZE, libc::MADV_WIPEONFORK) != 0 {
            unmap_page(made);
            return None;
        }
        Some(made)
    }
}

fn unmap_page(page: NonNull<Wiped>) {
    // SAFETY: the caller has just mapped it, and gives it to nobody.
    unsafe { libc::munmap(page.as_ptr().cast(), SIZE) };
}

/// A number that differs between this process and all that it was forked from. Without the page it is the process id.
#[inline(never)]
pub fn generation() -> u32 {
    match wiped() {
        Some(wiped) => match wiped.generation.load(Ordering::Relaxed) {
            0 => first_generation(&wiped.generation),
            generation => generation,
        },
        None => std::process::id(),
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

/// Whether that process has ended, be it waited for or not. False if that cannot be found out.
pub fn has_exited(process: libc::pid_t) -> bool {
    // SAFETY: no pointer is passed.
    let opened = own(unsafe { libc::syscall(libc::SYS_pidfd_open, process, 0) as libc::c_int });
    match opened.and_then(hidden::above_standard_streams) {
        Ok(pidfd) => socket::wait_readable(&pidfd, 0) == Ok(true),
        Err(Errno(libc::ESRCH)) => true,
        // Before Linux 5.3. One that was not waited for exists here.
        // SAFETY: no pointer is passed, and no signal is sent.
        Err(_) => check(unsafe { libc::kill(process, 0) }) == Err(Errno(libc::ESRCH)),
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
