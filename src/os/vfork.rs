// SPDX-License-Identifier: Apache-2.0
//! Child processes, and the code that runs in them before they execute a program.
//!
//! A child shares the memory of its parent (CLONE_VM), and the calling thread is suspended until the child has executed
//! a program or terminated (CLONE_VFORK). The cost of a child therefore does not depend on the size of the parent. The
//! parent reads the result from memory, so that no file descriptor is needed that could conflict with those of the
//! program.
//!
//! Between clone() and execve(), the child does not allocate memory, acquire locks or run signal handlers, because
//! other threads of the parent may hold any lock. An [`Execution`] contains everything that the child needs.

use super::cancel::WithoutCancellation;
use super::exec::{Execution, Failure, Step};
use super::mapping::Mapping;
use super::process_state;
use crate::sys::process::Entry;
use crate::sys::signal::{self, SignalSet};
use crate::sys::{Result, process, time};
use core::ffi::{c_int, c_void};
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use core::time::Duration;
use errno::Errno;

/// Creates a child process, and returns once the child has executed the program. The child's system calls change the
/// errno of the calling thread, which it shares.
pub fn spawn(execution: &Execution) -> core::result::Result<libc::pid_t, Failure> {
    Vfork::run(execution, program_entry, false)
}

/// Executes the program in a new session, with umask 0. The process is not a child of this process.
pub fn spawn_daemon(execution: &Execution) -> core::result::Result<(), Failure> {
    Vfork::run(execution, intermediate_entry, true).map(drop)
}

/// The state that a child and its parent share.
struct Vfork<'a> {
    execution: &'a Execution<'a>,
    signal_mask: SignalSet,
    /// The last step that the child has reported. `errno` is 0 if that step has not failed.
    progress: NonNull<Failure>,
    stacks: NonNull<c_void>,
    /// Set by the child. The parent sees this only if the child shares its memory.
    is_shared_with_child: AtomicBool,
    /// The same for a grandchild and its parent.
    is_shared_with_grandchild: AtomicBool,
    /// The TID of the grandchild while it shares the memory. The kernel writes it when it creates the grandchild. Its
    /// parent clears it; or, if that is killed, the kernel on the grandchild's request.
    grandchild: AtomicU32,
    /// Set by the grandchild if the kernel has accepted its request.
    is_clearing_requested: AtomicBool,
}

/// Whether children of this process are known to share its memory. valgrind and some emulators implement this clone()
/// as fork(). Until a child has proved that it shares the memory, progress is reported in a MAP_SHARED mapping, which
/// is slower.
static SHARES_MEMORY: AtomicBool = AtomicBool::new(false);

const BEGUN: Failure = Failure { step: Step::Begin, errno: libc::EIO, position: 0 };
const EXECUTING: Failure = Failure { step: Step::Execute, errno: 0, position: 0 };

/// Enough for everything that a child calls, including the dynamic linker.
const STACK_SIZE: usize = 64 << 10;

impl Vfork<'_> {
    /// Creates a child that runs `entry`. If the child fails or `is_intermediate`, it terminates and is reaped here.
    fn run(execution: &Execution, entry: Entry, is_intermediate: bool) -> core::result::Result<libc::pid_t, Failure> {
        // A cancellation request would take effect in the child, which shares the thread's state.
        let _no_cancellation = WithoutCancellation::new();
        let sharing = if SHARES_MEMORY.load(Ordering::Relaxed) { libc::MAP_PRIVATE } else { libc::MAP_SHARED };
        let size = size_of::<Failure>() + 2 * STACK_SIZE;
        let memory = Mapping::memory(size, sharing).map_err(|e| Step::Clone.failed(e))?;
        let signals = BlockedSignals::new();
        let vfork = Vfork {
            execution,
            signal_mask: signals.mask_before,
            progress: memory.first().cast(),
            // The end of a page, which is sufficiently aligned for a stack.
            stacks: memory.end(),
            is_shared_with_child: AtomicBool::new(false),
            is_shared_with_grandchild: AtomicBool::new(false),
            grandchild: AtomicU32::new(0),
            is_clearing_requested: AtomicBool::new(false),
        };
        vfork.report(BEGUN);
        let child = vfork.clone_onto_stack(0, entry, 0).map_err(|e| Step::Clone.failed(e))?;
        if is_intermediate {
            reap(child);
            vfork.await_grandchild();
        } else {
            vfork.await_execution(child, &vfork.is_shared_with_child);
        }
        if vfork.is_shared_with_child.load(Ordering::Relaxed) {
            SHARES_MEMORY.store(true, Ordering::Relaxed);
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

    /// Creates a child that runs `entry` on stack `number`, 0 or 1.
    fn clone_onto_stack(&self, number: usize, entry: Entry, more_flags: c_int) -> Result<libc::pid_t> {
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD | more_flags;
        // SAFETY: stacks grow down from the end of the memory, which has space for two. `self` and everything that it
        // refers to remain valid while the child uses them: the kernel suspends the caller until then, and
        // await_grandchild() waits if the caller is an intermediate child that is killed in the meantime.
        unsafe {
            let stack = self.stacks.byte_sub(number * STACK_SIZE).as_ptr();
            process::clone(entry, stack, flags, ptr::from_ref(self).cast_mut().cast(), self.grandchild.as_ptr())
        }
    }

    fn progress(&self) -> Failure {
        // SAFETY: the memory is mapped as long as self exists, and was written before. Volatile, because the child
        // writes it.
        unsafe { self.progress.read_volatile() }
    }

    fn report(&self, progress: Failure) {
        // SAFETY: the memory is mapped as long as self exists.
        unsafe { self.progress.write_volatile(progress) }
    }

    /// Waits until the child has executed the program, reported a failure, or terminated. The kernel suspends the parent
    /// in clone() until then, so this returns immediately. If clone() was a fork(), it has returned earlier.
    fn await_execution(&self, child: libc::pid_t, is_shared: &AtomicBool) {
        if is_shared.load(Ordering::Relaxed) {
            return;
        }
        let is_visible = is_execution_visible();
        loop {
            let progress = self.progress();
            let is_executing = progress.step == Step::Execute && progress.errno == 0;
            let is_done = if is_executing { !is_visible || has_executed(child) } else { progress.step != Step::Begin };
            if is_done || has_ended(child) {
                return;
            }
            let _ = time::nanosleep(Duration::from_millis(1));
        }
    }

    /// Waits until the grandchild no longer uses the memory. It can still use it only if the intermediate child was
    /// killed.
    fn await_grandchild(&self) {
        loop {
            let tid = self.grandchild.load(Ordering::Acquire);
            if tid == 0 {
                return;
            }
            let _ = time::nanosleep(Duration::from_millis(1));
            // The kernel does not clear the TID of a grandchild that was killed before it requested this, or whose
            // request a sandbox denies. Otherwise, no call that may fail is made, because the grandchild uses the same
            // errno.
            let is_requested = self.is_clearing_requested.load(Ordering::Acquire);
            if !is_requested && process_state::has_exited(tid as libc::pid_t) {
                return;
            }
        }
    }

    /// Executes the program, or reports the failure.
    fn run_program(&self) -> c_int {
        reset_handlers();
        let base = match self.execution.prepare() {
            Ok(base) => base,
            Err(failure) => {
                self.report(failure);
                return 127;
            }
        };
        signal::pthread_sigmask(libc::SIG_SETMASK, &self.signal_mask);
        self.report(EXECUTING);
        self.report(Step::Execute.failed(self.execution.execute(&base)));
        127
    }

    /// Creates the grandchild, and returns once it has executed the program. Otherwise reports the failure. All signals
    /// remain blocked.
    fn run_intermediate(&self) -> c_int {
        process::umask(0);
        let created = process::setsid().map_err(|e| Step::Detach.failed(e)).and_then(|()| {
            // Not CLONE_CHILD_CLEARTID, which the function of musl rejects.
            let record_tid = libc::CLONE_PARENT_SETTID;
            self.clone_onto_stack(1, grandchild_entry, record_tid).map_err(|e| Step::Clone.failed(e))
        });
        match created {
            Ok(child) => {
                self.await_execution(child, &self.is_shared_with_grandchild);
                self.grandchild.store(0, Ordering::Release);
                0
            }
            Err(failure) => {
                self.report(failure);
                127
            }
        }
    }
}

extern "C" fn program_entry(argument: *mut c_void) -> c_int {
    // SAFETY: clone_onto_stack() passes a Vfork.
    let vfork = unsafe { &*argument.cast::<Vfork>() };
    vfork.is_shared_with_child.store(true, Ordering::Relaxed);
    process::exit_group(vfork.run_program())
}

extern "C" fn intermediate_entry(argument: *mut c_void) -> c_int {
    // SAFETY: as in program_entry().
    let vfork = unsafe { &*argument.cast::<Vfork>() };
    vfork.is_shared_with_child.store(true, Ordering::Relaxed);
    process::exit_group(vfork.run_intermediate())
}

extern "C" fn grandchild_entry(argument: *mut c_void) -> c_int {
    // SAFETY: as in program_entry().
    let vfork = unsafe { &*argument.cast::<Vfork>() };
    // SAFETY: the word exists until await_grandchild() has read it.
    let is_requested = unsafe { process::set_tid_address(&vfork.grandchild) }.is_ok();
    vfork.is_clearing_requested.store(is_requested, Ordering::Release);
    vfork.is_shared_with_grandchild.store(true, Ordering::Relaxed);
    process::exit_group(vfork.run_program())
}

// --- signals -------------------------------------------------------------------------------------------------------

/// Resets caught signals to their default action, as execve() does: a handler must not run in a child that shares the
/// parent's memory. Ignored signals remain ignored.
fn reset_handlers() {
    for number in 1..=signal::COUNT {
        if signal::rt_sigaction_get(number).is_ok_and(|action| action.is_handler()) {
            let _ = signal::rt_sigaction_set_default(number);
        }
    }
}

/// Blocks all signals of the thread until it is dropped.
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

/// Waits for a child that is about to terminate. This may fail with ECHILD: the program's SIGCHLD handler may have
/// waited for the child.
fn reap(child: libc::pid_t) {
    while process::waitpid(child, 0) == Err(Errno(libc::EINTR)) {}
}

/// Returns whether a child has terminated, without waiting for it. The child is not reaped.
fn has_ended(child: libc::pid_t) -> bool {
    process::waitid(child, libc::WEXITED | libc::WNOHANG | libc::WNOWAIT) != Ok(0)
}

/// Returns whether a child has executed a program. The kernel then refuses to change its process group, whatever the
/// new group is. A program may have created a session of its own, which gives another errno.
fn has_executed(child: libc::pid_t) -> bool {
    process::setpgid(child, NO_PROCESS_GROUP) == Err(Errno(libc::EACCES))
        || process::getsid(child) != process::getsid(0)
}

/// More than the largest process ID.
const NO_PROCESS_GROUP: libc::pid_t = libc::pid_t::MAX;

/// Returns whether [`has_executed`] can be relied on. A sandbox may deny the call that it makes.
fn is_execution_visible() -> bool {
    process::setpgid(0, -1) == Err(Errno(libc::EINVAL))
}
