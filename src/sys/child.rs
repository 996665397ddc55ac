//! Children, and what runs in them before they become a program.
//!
//! A child borrows the memory of its parent, of which the calling thread alone waits until the child has executed a
//! program or ended: CLONE_VM and CLONE_VFORK. So what it costs does not grow with the parent, and the parent just
//! reads what became of it: there is no descriptor for that which could collide with the program's own.
//!
//! Between clone() and execve() the child allocates nothing, takes no lock and runs no handler of a signal: other
//! threads of the parent may be anywhere. Everything that it needs is prepared in a [`Program`].

use super::cancel::WithoutCancellation;
use super::map::Mapping;
use super::program::{Failure, Program, Step};
use super::{Result, check};
use errno::{Errno, errno, set_errno};
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// Makes a child process that is that program when this returns.
pub fn spawn(program: &Program) -> std::result::Result<libc::pid_t, Failure> {
    Birth::give(program, run_program, false)
}

/// The same in a session of its own, without a umask, and as nobody's child.
pub fn spawn_daemon(program: &Program) -> std::result::Result<(), Failure> {
    Birth::give(program, run_daemon, true).map(drop)
}

/// What a child and its parent both see.
struct Birth<'a> {
    program: &'a Program<'a>,
    signal_mask: libc::sigset_t,
    /// How far the child came; a failure without an errno has not happened yet.
    progress: NonNull<Failure>,
    stacks: NonNull<c_void>,
    /// True for the parent as well as soon as a child that borrows its memory runs.
    is_borrowed: AtomicBool,
    /// The child of a child, while it borrows the memory: the kernel writes it, and clears it when it no longer does.
    tenant: AtomicU32,
}

/// Whether children of this process are known to borrow its memory. valgrind and some emulators make a fork() of the
/// clone(): until one has shown that it does not, children report in shared memory, which costs more.
static BORROWS: AtomicBool = AtomicBool::new(false);

const BEGUN: Failure = Failure { step: Step::Begin, errno: libc::EIO, position: 0 };
const EXECUTING: Failure = Failure { step: Step::Execute, errno: 0, position: 0 };

/// Enough for a child and all that it calls, the dynamic linker included.
const STACK: usize = 64 << 10;

/// The kernel keeps account of the child's use of the memory: see [`Birth::tenant`].
const TOLD_OF_END: c_int = libc::CLONE_PARENT_SETTID | libc::CLONE_CHILD_CLEARTID;

type Entry = extern "C" fn(*mut c_void) -> c_int;

unsafe extern "C" {
    // Not under the name clone(): ThreadSanitizer of clang intercepts that, and takes its child for one of fork(),
    // which would release the sanitizer's locks in memory of its own. glibc exports the second name on all
    // architectures.
    #[cfg_attr(target_env = "gnu", link_name = "__clone")]
    fn clone(entry: Entry, stack: *mut c_void, flags: c_int, argument: *mut c_void, ...) -> c_int;
}

impl Birth<'_> {
    /// Makes a child that runs `entry`, and ends at once if it `is_intermediate`. Then, or if it fails, it is reaped.
    fn give(program: &Program, entry: Entry, is_intermediate: bool) -> std::result::Result<libc::pid_t, Failure> {
        let errno_at_entry = errno();
        // A child would be cancelled, in place of the thread.
        let _whole = WithoutCancellation::begin();
        let sharing = if BORROWS.load(Ordering::Relaxed) { libc::MAP_PRIVATE } else { libc::MAP_SHARED };
        let memory = Mapping::memory(size_of::<Failure>() + 2 * STACK, sharing).map_err(|e| Step::Clone.failed(e))?;
        let signals = BlockedSignals::block();
        let birth = Birth {
            program,
            signal_mask: signals.mask_before,
            // The stacks end where the memory does, at the end of a page, which is aligned enough.
            progress: memory.first().cast(),
            stacks: memory.end(),
            is_borrowed: AtomicBool::new(false),
            tenant: AtomicU32::new(0),
        };
        birth.report(BEGUN);
        let child = birth.clone_onto_stack(0, entry, 0).map_err(|e| Step::Clone.failed(e))?;
        birth.await_progress(child);
        if birth.is_borrowed.load(Ordering::Relaxed) {
            BORROWS.store(true, Ordering::Relaxed);
        }
        if is_intermediate {
            reap(child);
            birth.await_tenant();
        }
        let progress = birth.progress();
        if !is_intermediate && progress.errno != 0 {
            reap(child);
        }
        if progress.errno != 0 {
            return Err(progress);
        }
        // The child's calls have set the errno that it shared.
        set_errno(errno_at_entry);
        Ok(child)
    }

    /// Makes a child of the calling process that runs `entry` on one of the two stacks.
    fn clone_onto_stack(&self, number: usize, entry: Entry, more_flags: c_int) -> Result<libc::pid_t> {
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD | more_flags;
        let (tenant, no_tls) = (self.tenant.as_ptr(), ptr::null_mut::<c_void>());
        // SAFETY: stacks grow down from the end of the memory, which has room for two. Self, and all that it refers to,
        // stays as it is until the child no longer uses it: the kernel has the caller wait for that, and await_tenant()
        // if the caller is an intermediate child that is killed meanwhile.
        check(unsafe {
            let stack = self.stacks.byte_sub(number * STACK);
            let argument = ptr::from_ref(self).cast_mut().cast();
            clone(entry, stack.as_ptr(), flags, argument, tenant, no_tls, tenant)
        })
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
            let _interrupted_or_not = super::sleep(Duration::from_millis(1));
        }
    }

    /// Waits until the child of an intermediate child is out of the memory. It is, unless the latter was killed.
    fn await_tenant(&self) {
        loop {
            let tenant = self.tenant.load(Ordering::Acquire);
            if tenant == 0 {
                return;
            }
            // The kernel wakes one who waits here when it clears the number.
            super::wait_while_equal(&self.tenant, tenant);
        }
    }

    /// Ends as the program, or with its failure reported.
    fn run(&self) -> c_int {
        self.is_borrowed.store(true, Ordering::Relaxed);
        reset_handlers();
        let start = match self.program.prepare() {
            Ok(start) => start,
            Err(failure) => {
                self.report(failure);
                return 127;
            }
        };
        set_signal_mask(&self.signal_mask);
        self.report(EXECUTING);
        self.report(Step::Execute.failed(self.program.execute(&start)));
        127
    }

    /// Ends when its own child has become the program, or with the failure reported. All signals stay blocked.
    fn run_intermediate(&self) -> c_int {
        self.is_borrowed.store(true, Ordering::Relaxed);
        let made = detach()
            .map_err(|e| Step::Detach.failed(e))
            .and_then(|()| self.clone_onto_stack(1, run_program, TOLD_OF_END).map_err(|e| Step::Clone.failed(e)));
        match made {
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

extern "C" fn run_program(birth: *mut c_void) -> c_int {
    // SAFETY: clone_onto_stack() passes a Birth.
    end(unsafe { (*birth.cast::<Birth>()).run() })
}

extern "C" fn run_daemon(birth: *mut c_void) -> c_int {
    // SAFETY: clone_onto_stack() passes a Birth.
    end(unsafe { (*birth.cast::<Birth>()).run_intermediate() })
}

/// Nothing of the parent's runs, not even what a tool (ThreadSanitizer) has put in front of _exit().
fn end(code: c_int) -> ! {
    loop {
        // SAFETY: no pointer is passed.
        unsafe { libc::syscall(libc::SYS_exit_group, code) };
    }
}

fn detach() -> Result<()> {
    // SAFETY: no pointer is passed.
    unsafe {
        libc::umask(0);
        check(libc::setsid()).map(drop)
    }
}

// --- signals -------------------------------------------------------------------------------------------------------

/// Signals that are caught get their default action: no handler may run in a child that borrows the parent's memory.
/// execve() would do the same to them. Those that are ignored stay so.
///
/// The kernel is asked itself: the C library's sigaction() may take a lock, or be that of a tool which remembers
/// handlers in memory, and would forget those of the parent.
fn reset_handlers() {
    /// The handler comes first in the kernel's structure. All zero, that is the default action without flags.
    type Action = [usize; 8];
    const SIGNALS: c_int = 64;
    const SET_SIZE: usize = SIGNALS as usize / 8;
    let default: Action = [libc::SIG_DFL; 8];
    for signal in 1..=SIGNALS {
        let mut action = default;
        let none = ptr::null_mut::<Action>();
        // SAFETY: the arrays are larger than the structure, and valid for reading and writing.
        unsafe {
            let is_known = libc::syscall(libc::SYS_rt_sigaction, signal, none, &raw mut action, SET_SIZE) == 0;
            if is_known && !matches!(action, [libc::SIG_DFL | libc::SIG_IGN, ..]) {
                libc::syscall(libc::SYS_rt_sigaction, signal, &raw const default, none, SET_SIZE);
            }
        }
    }
}

fn set_signal_mask(mask: &libc::sigset_t) {
    // SAFETY: a reference is valid; the old mask is not asked for.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, mask, ptr::null_mut()) };
}

/// All signals of the thread are blocked until this is dropped.
struct BlockedSignals {
    mask_before: libc::sigset_t,
}

impl BlockedSignals {
    fn block() -> BlockedSignals {
        let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        // SAFETY: both are valid for writing, and filled by the calls, which cannot fail with these arguments.
        unsafe {
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
            BlockedSignals { mask_before: before.assume_init() }
        }
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        set_signal_mask(&self.mask_before);
    }
}

// --- waiting -------------------------------------------------------------------------------------------------------

/// Waits for a child, and gives its status.
pub fn wait(child: libc::pid_t) -> Result<c_int> {
    let mut status = 0;
    // SAFETY: the status may be written there.
    check(unsafe { libc::waitpid(child, &mut status, 0) })?;
    Ok(status)
}

/// Waits for a child that is about to end. Somebody else may have done so: the program's handler of SIGCHLD.
fn reap(child: libc::pid_t) {
    while wait(child) == Err(Errno(libc::EINTR)) {}
}

/// Whether a child has ended; it can still be waited for.
fn has_ended(child: libc::pid_t) -> bool {
    let mut ended = MaybeUninit::<libc::siginfo_t>::zeroed();
    let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: the structure is valid for writing, and all bytes zero are a valid one, that of no child.
    unsafe {
        let result = libc::waitid(libc::P_PID, child as libc::id_t, ended.as_mut_ptr(), flags);
        result != 0 || ended.assume_init_ref().si_pid() != 0
    }
}
