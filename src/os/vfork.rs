// SPDX-License-Identifier: Apache-2.0
//! Children, and what runs in them before they execute a program.
//!
//! A child borrows the memory of its parent, of which the calling thread alone waits until the child has executed a
//! program or ended: CLONE_VM and CLONE_VFORK. So its cost does not grow with the parent, and the parent reads the result
//! from memory: no descriptor is needed that could collide with the program's own.
//!
//! Between clone() and execve() the child allocates nothing, takes no lock and runs no signal handler: other threads of
//! the parent may be anywhere. Everything that it needs is prepared in an [`Execution`].

use super::cancel::WithoutCancellation;
use super::exec::{Execution, Failure, Step};
use super::mapping::Mapping;
use crate::sys::process::Entry;
use crate::sys::signal::{self, SignalSet};
use crate::sys::{Result, process, thread, time};
use core::ffi::{c_int, c_void};
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use core::time::Duration;
use errno::Errno;

/// Creates a child process that has executed the program when this returns. The child's calls set the errno that it
/// shares.
pub fn spawn(execution: &Execution) -> core::result::Result<libc::pid_t, Failure> {
    Vfork::run(execution, run_program, false)
}

/// The same in a session of its own, with umask 0, and as no child of this process.
pub fn spawn_daemon(execution: &Execution) -> core::result::Result<(), Failure> {
    Vfork::run(execution, run_intermediate, true).map(drop)
}

/// What a child and its parent share.
struct Vfork<'a> {
    execution: &'a Execution<'a>,
    signal_mask: SignalSet,
    /// How far the child came; a failure without an errno has not happened yet.
    progress: NonNull<Failure>,
    stacks: NonNull<c_void>,
    /// True for the parent as well as soon as a child that borrows its memory runs.
    is_borrowed: AtomicBool,
    /// The TID of the child's child while it borrows the memory: the kernel writes it, and clears it afterwards.
    grandchild: AtomicU32,
}

/// Whether children of this process are known to borrow its memory. valgrind and some emulators make a fork() of the
/// clone(): until one has shown that it does not, children report in shared memory, which costs more.
static BORROWS: AtomicBool = AtomicBool::new(false);

const BEGUN: Failure = Failure { step: Step::Begin, errno: libc::EIO, position: 0 };
const EXECUTING: Failure = Failure { step: Step::Execute, errno: 0, position: 0 };

/// Enough for a child and all that it calls, the dynamic linker included.
const STACK_SIZE: usize = 64 << 10;

/// See [`Vfork::grandchild`].
const RECORD_TID: c_int = libc::CLONE_PARENT_SETTID | libc::CLONE_CHILD_CLEARTID;

impl Vfork<'_> {
    /// Creates a child that runs `entry`, and ends at once if it `is_intermediate`. Then, or if it fails, it is reaped.
    fn run(execution: &Execution, entry: Entry, is_intermediate: bool) -> core::result::Result<libc::pid_t, Failure> {
        // A child would be cancelled in place of the thread.
        let _whole = WithoutCancellation::new();
        let sharing = if BORROWS.load(Ordering::Relaxed) { libc::MAP_PRIVATE } else { libc::MAP_SHARED };
        let size = size_of::<Failure>() + 2 * STACK_SIZE;
        let memory = Mapping::memory(size, sharing).map_err(|e| Step::Clone.failed(e))?;
        let signals = BlockedSignals::new();
        let vfork = Vfork {
            execution,
            signal_mask: signals.mask_before,
            // The stacks end where the memory does, at the end of a page, which is aligned enough.
            progress: memory.first().cast(),
            stacks: memory.end(),
            is_borrowed: AtomicBool::new(false),
            grandchild: AtomicU32::new(0),
        };
        vfork.report(BEGUN);
        let child = vfork.clone_onto_stack(0, entry, 0).map_err(|e| Step::Clone.failed(e))?;
        vfork.await_progress(child);
        if vfork.is_borrowed.load(Ordering::Relaxed) {
            BORROWS.store(true, Ordering::Relaxed);
        }
        if is_intermediate {
            reap(child);
            vfork.await_grandchild();
        }
        let progress = vfork.progress();
        if !is_intermediate && progress.errno != 0 {
            reap(child);
        }
        if progress.errno != 0 {
            return Err(progress);
        }
        Ok(child)
    }

    /// Creates a child of the calling process that runs `entry` on one of the two stacks.
    fn clone_onto_stack(&self, number: usize, entry: Entry, more_flags: c_int) -> Result<libc::pid_t> {
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD | more_flags;
        // SAFETY: stacks grow down from the end of the memory, which has space for two. Self, and all that it refers to,
        // stays as it is until the child no longer uses it: the kernel has the caller wait for that, and
        // await_grandchild() if the caller is an intermediate child that is killed while it waits.
        unsafe {
            let stack = self.stacks.byte_sub(number * STACK_SIZE).as_ptr();
            process::clone(entry, stack, flags, ptr::from_ref(self).cast_mut().cast(), self.grandchild.as_ptr())
        }
    }

    fn progress(&self) -> Failure {
        // SAFETY: it lies in memory that lives as long as self, and was written before it is read. Volatile, since the
        // child writes it.
        unsafe { self.progress.read_volatile() }
    }

    fn report(&self, progress: Failure) {
        // SAFETY: it lies in memory that lives as long as self.
        unsafe { self.progress.write_volatile(progress) }
    }

    /// Waits until there is progress, or the child has ended without any. The kernel has done all the waiting when
    /// clone() returns, but an emulator may not.
    fn await_progress(&self, child: libc::pid_t) {
        while self.progress().step == Step::Begin && !has_ended(child) {
            let _ = time::nanosleep(Duration::from_millis(1));
        }
    }

    /// Waits until the child of an intermediate child no longer uses the memory. It does not, unless the latter was
    /// killed.
    fn await_grandchild(&self) {
        loop {
            let tid = self.grandchild.load(Ordering::Acquire);
            if tid == 0 {
                return;
            }
            // The kernel wakes a thread that waits here when it clears the number.
            thread::futex_wait(&self.grandchild, tid);
        }
    }

    /// Executes the program, or reports its failure.
    fn run_program(&self) -> c_int {
        self.is_borrowed.store(true, Ordering::Relaxed);
        reset_handlers();
        let start = match self.execution.prepare() {
            Ok(start) => start,
            Err(failure) => {
                self.report(failure);
                return 127;
            }
        };
        signal::pthread_sigmask(libc::SIG_SETMASK, &self.signal_mask);
        self.report(EXECUTING);
        self.report(Step::Execute.failed(self.execution.execute(&start)));
        127
    }

    /// Ends when its own child has executed the program, or reports the failure. All signals stay blocked.
    fn run_intermediate(&self) -> c_int {
        self.is_borrowed.store(true, Ordering::Relaxed);
        process::umask(0);
        let created = process::setsid()
            .map_err(|e| Step::Detach.failed(e))
            .and_then(|()| self.clone_onto_stack(1, run_program, RECORD_TID).map_err(|e| Step::Clone.failed(e)));
        match created {
            Ok(child) => {
                self.await_progress(child);
                0
            }
            Err(failure) => {
                self.report(failure);
                127
            }
        }
    }
}

extern "C" fn run_program(vfork: *mut c_void) -> c_int {
    // SAFETY: clone_onto_stack() passes a Vfork.
    process::exit_group(unsafe { (*vfork.cast::<Vfork>()).run_program() })
}

extern "C" fn run_intermediate(vfork: *mut c_void) -> c_int {
    // SAFETY: clone_onto_stack() passes a Vfork.
    process::exit_group(unsafe { (*vfork.cast::<Vfork>()).run_intermediate() })
}

// --- signals -------------------------------------------------------------------------------------------------------

/// Signals that are caught get their default action: no handler may run in a child that borrows the parent's memory.
/// execve() would do the same to them. Those that are ignored stay ignored.
fn reset_handlers() {
    for number in 1..=signal::COUNT {
        if signal::rt_sigaction_get(number).is_ok_and(|action| action.is_handler()) {
            let _ = signal::rt_sigaction_set_default(number);
        }
    }
}

/// All signals of the thread are blocked until this is dropped.
struct BlockedSignals {
    mask_before: SignalSet,
}

impl BlockedSignals {
    fn new() -> BlockedSignals {
        BlockedSignals { mask_before: signal::pthread_sigmask(libc::SIG_SETMASK, &SignalSet::full()) }
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        signal::pthread_sigmask(libc::SIG_SETMASK, &self.mask_before);
    }
}

// --- waiting -------------------------------------------------------------------------------------------------------

/// Waits for a child that is about to end. Somebody else may have done so: the program's handler of SIGCHLD.
fn reap(child: libc::pid_t) {
    while process::waitpid(child, 0) == Err(Errno(libc::EINTR)) {}
}

/// Whether a child has ended; it can still be waited for.
fn has_ended(child: libc::pid_t) -> bool {
    process::waitid(child, libc::WEXITED | libc::WNOHANG | libc::WNOWAIT) != Ok(0)
}
