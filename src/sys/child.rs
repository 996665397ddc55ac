//! Becoming another program, and what runs in a child before it does.
//!
//! A child borrows the memory of its parent, of which the calling thread alone waits until the child has executed a
//! program or ended: CLONE_VM and CLONE_VFORK. So what it costs does not grow with the parent, and the parent just reads
//! what became of it: there is no descriptor for that which could collide with the program's own.
//!
//! Between clone() and execve() the child allocates nothing, takes no lock and runs no handler of a signal: other threads
//! of the parent may be anywhere. Everything that it needs is prepared in a [`Program`].

use super::descriptors::{self, Redirection};
use super::map::Mapping;
use super::{Result, check};
use errno::{Errno, errno, set_errno};
use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};
use std::time::Duration;

// --- programs ------------------------------------------------------------------------------------------------------

/// A program to be executed.
pub struct Program<'a> {
    /// Where it may be: paths with their terminators, one after the other. The first that can be executed is.
    pub candidates: &'a [u8],
    pub arguments: &'a Strings<'a>,
    pub environment: &'a Strings<'a>,
    /// For a program that is searched: arguments of a shell, which runs a file of unknown format.
    pub shell: Option<ShellArguments<'a>>,
    /// What it is given instead of every descriptor from 3 on; None leaves all as they are.
    pub redirections: Option<&'a [Redirection]>,
}

/// Arguments or an environment, on their way to the kernel.
pub struct Strings<'a> {
    source: Source,
    lifetime: PhantomData<&'a CStr>,
}

enum Source {
    Array(*const *const c_char),
    Only([*const c_char; 2]),
}

impl<'a> Strings<'a> {
    /// None for a null pointer.
    ///
    /// # Safety
    /// `array` is null, or points to strings that outlive `'a` and a null pointer after the last, or to memory that the
    /// process does not have.
    pub unsafe fn from_raw(array: *const *mut c_char) -> Option<Strings<'a>> {
        (!array.is_null()).then_some(Strings { source: Source::Array(array.cast()), lifetime: PhantomData })
    }

    pub fn only(string: &'a CStr) -> Strings<'a> {
        Strings { source: Source::Only([string.as_ptr(), ptr::null()]), lifetime: PhantomData }
    }

    /// The environment of this process as it is now.
    pub fn environment() -> Strings<'a> {
        unsafe extern "C" {
            static environ: *const *const c_char;
        }
        // SAFETY: the C library defines it. That no other thread changes the environment meanwhile is the program's
        // duty, as with every execv() of C.
        Strings { source: Source::Array(unsafe { environ }), lifetime: PhantomData }
    }

    fn as_ptr(&self) -> *const *const c_char {
        match &self.source {
            Source::Array(first) => *first,
            Source::Only(strings) => strings.as_ptr(),
        }
    }
}

/// The arguments of `/bin/sh` for a program that it is to run: the program's own after its path.
pub struct ShellArguments<'a> {
    pointers: Vec<Cell<*const c_char>>,
    lifetime: PhantomData<&'a CStr>,
}

const SHELL: &CStr = c"/bin/sh";

impl<'a> ShellArguments<'a> {
    /// ENOMEM if there is no memory for them.
    pub fn of(arguments: &Strings<'a>) -> Result<ShellArguments<'a>> {
        let first = arguments.as_ptr();
        // SAFETY: Strings are an array with a null pointer at its end, beyond which nothing is read.
        let count = (0..).take_while(|i| unsafe { !first.add(*i).read().is_null() }).count();
        let mut pointers = Vec::new();
        pointers.try_reserve_exact(count.max(1) + 2).map_err(|_| Errno(libc::ENOMEM))?;
        pointers.push(Cell::new(SHELL.as_ptr()));
        pointers.push(Cell::new(ptr::null()));
        // SAFETY: all of them are below count.
        pointers.extend((1..count).map(|i| Cell::new(unsafe { first.add(i).read() })));
        pointers.push(Cell::new(ptr::null()));
        Ok(ShellArguments { pointers, lifetime: PhantomData })
    }

    /// Executes the shell, for the program at `path`.
    fn execute(&self, path: &CStr, environment: &Strings) -> Errno {
        if let Some(slot) = self.pointers.get(1) {
            slot.set(path.as_ptr());
        }
        // SAFETY: terminated strings, each array with a null pointer at its end. A Cell is what is in it.
        unsafe { libc::execve(SHELL.as_ptr(), self.pointers.as_ptr().cast(), environment.as_ptr()) };
        errno()
    }
}

impl Program<'_> {
    /// Returns only if none of the candidates can be executed. What is not there, or not allowed, is passed over.
    fn execute(&self) -> Errno {
        let mut last = Errno(libc::ENOENT);
        let mut denied = None;
        for path in self.candidates.split_inclusive(|byte| *byte == 0) {
            let Ok(path) = CStr::from_bytes_with_nul(path) else { continue };
            // SAFETY: a terminated string; the arrays are as Strings::from_raw() was promised.
            unsafe { libc::execve(path.as_ptr(), self.arguments.as_ptr(), self.environment.as_ptr()) };
            last = errno();
            if let (libc::ENOEXEC, Some(shell)) = (last.0, &self.shell) {
                last = shell.execute(path, self.environment);
            }
            match last.0 {
                libc::EACCES => denied = Some(last),
                libc::ENOENT | libc::ENOTDIR | libc::ENAMETOOLONG | libc::ESTALE | libc::ENODEV | libc::ETIMEDOUT => {}
                _ => return last,
            }
        }
        let was_searched = self.shell.is_some();
        denied.unwrap_or(if was_searched { Errno(libc::ENOENT) } else { last })
    }

    fn redirect(&self) -> std::result::Result<(), Failure> {
        let Some(redirections) = self.redirections else { return Ok(()) };
        descriptors::close_on_exec_from(libc::STDERR_FILENO + 1);
        for (position, redirection) in redirections.iter().enumerate() {
            redirection.apply().map_err(|Errno(errno)| Failure { step: Step::Redirect, errno, position })?;
        }
        Ok(())
    }
}

/// Where becoming a program failed, and why. Without padding: all of it is copied out of memory that a child has written.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Failure {
    pub step: Step,
    pub errno: c_int,
    /// Of the redirection that failed.
    pub position: usize,
}

#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The child was ended from outside before any of the others failed.
    Begin,
    /// Making a process.
    Clone,
    /// Leaving the directory and the session.
    Detach,
    Redirect,
    Execute,
}

impl Step {
    fn failed(self, Errno(errno): Errno) -> Failure {
        Failure { step: self, errno, position: 0 }
    }
}

/// Makes this process that program. What was redirected until it failed stays so.
pub fn execute(program: &Program) -> Failure {
    match program.redirect() {
        Ok(()) => Step::Execute.failed(program.execute()),
        Err(failure) => failure,
    }
}

// --- children ------------------------------------------------------------------------------------------------------

/// Makes a child process that is that program when this returns.
pub fn spawn(program: &Program) -> std::result::Result<libc::pid_t, Failure> {
    Birth::give(program, run_program).map(|(child, _)| child)
}

/// The same in a session of its own, in the root directory, without a umask, and as nobody's child.
pub fn spawn_daemon(program: &Program) -> std::result::Result<(), Failure> {
    let (child, is_reaped) = Birth::give(program, run_daemon)?;
    if !is_reaped {
        reap(child);
    }
    Ok(())
}

/// What a child and its parent both see.
struct Birth<'a> {
    program: &'a Program<'a>,
    signal_mask: libc::sigset_t,
    /// How far the child came; a failure without an errno has not happened yet.
    progress: NonNull<Failure>,
    stacks: NonNull<c_void>,
}

const BEGUN: Failure = Failure { step: Step::Begin, errno: libc::EIO, position: 0 };
const EXECUTING: Failure = Failure { step: Step::Execute, errno: 0, position: 0 };

/// Enough for a child and all that it calls, the dynamic linker included.
const STACK: usize = 64 << 10;

type Entry = extern "C" fn(*mut c_void) -> c_int;

impl Birth<'_> {
    /// Makes a child that runs `entry`, and gives its number and whether it was reaped. One that fails always is.
    fn give(program: &Program, entry: Entry) -> std::result::Result<(libc::pid_t, bool), Failure> {
        let errno_at_entry = errno();
        let _state = WithoutCancellation::begin();
        // Shared memory, although the child shares all: valgrind and some emulators make a fork() of the clone().
        let memory = Mapping::shared_memory(size_of::<Failure>() + 2 * STACK).map_err(|e| Step::Clone.failed(e))?;
        let signals = BlockedSignals::block();
        let birth = Birth {
            program,
            signal_mask: signals.mask_before,
            // The stacks end where the memory does, at the end of a page, which is aligned enough.
            progress: memory.first().cast(),
            stacks: memory.end(),
        };
        birth.report(BEGUN);
        let child = birth.clone_onto_stack(0, entry);
        drop(signals);
        let child = child.map_err(|e| Step::Clone.failed(e))?;
        let is_reaped = birth.await_progress(child);
        let progress = birth.progress();
        if progress.errno != 0 {
            if !is_reaped {
                reap(child);
            }
            return Err(progress);
        }
        // The child's calls have set the errno that it shared.
        set_errno(errno_at_entry);
        Ok((child, is_reaped))
    }

    /// Makes a child of the calling process that runs `entry` on one of the two stacks.
    fn clone_onto_stack(&self, number: usize, entry: Entry) -> Result<libc::pid_t> {
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        // SAFETY: stacks grow down from the end of the memory, which has room for two. Self, and all that it refers to,
        // stays as it is until the child no longer uses it, since the caller waits for that.
        check(unsafe {
            let stack = self.stacks.byte_sub(number * STACK);
            libc::clone(entry, stack.as_ptr(), flags, ptr::from_ref(self).cast_mut().cast())
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

    /// Waits until there is progress, or the child has ended without any and was reaped: then true. The kernel has done
    /// all the waiting when clone() returns, but an emulator may not.
    fn await_progress(&self, child: libc::pid_t) -> bool {
        while self.progress().step == Step::Begin {
            match wait(child, libc::WNOHANG) {
                Ok(None) => drop(super::sleep(Duration::from_millis(1))),
                Err(Errno(libc::EINTR)) => {}
                _ => return true,
            }
        }
        false
    }

    /// Ends as the program, or with its failure reported.
    fn run(&self) -> c_int {
        reset_handlers();
        if let Err(failure) = self.program.redirect() {
            self.report(failure);
            return 127;
        }
        set_signal_mask(&self.signal_mask);
        self.report(EXECUTING);
        self.report(Step::Execute.failed(self.program.execute()));
        127
    }

    /// Ends when its own child has become the program, or with the failure reported. All signals stay blocked.
    fn run_intermediate(&self) -> c_int {
        let made = detach()
            .map_err(|e| Step::Detach.failed(e))
            .and_then(|()| self.clone_onto_stack(1, run_program).map_err(|e| Step::Clone.failed(e)));
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
    // SAFETY: clone_onto_stack() passes a Birth. _exit() runs nothing of the parent's.
    unsafe { libc::_exit((*birth.cast::<Birth>()).run()) }
}

extern "C" fn run_daemon(birth: *mut c_void) -> c_int {
    // SAFETY: clone_onto_stack() passes a Birth. _exit() runs nothing of the parent's.
    unsafe { libc::_exit((*birth.cast::<Birth>()).run_intermediate()) }
}

fn detach() -> Result<()> {
    // SAFETY: a terminated string; the others take none.
    unsafe {
        check(libc::chdir(c"/".as_ptr()))?;
        libc::umask(0);
        check(libc::setsid()).map(drop)
    }
}

// --- signals and cancellation --------------------------------------------------------------------------------------

/// Signals that are caught get their default action: no handler may run in a child that borrows the parent's memory.
/// execve() would do the same to them. Those that are ignored stay so.
fn reset_handlers() {
    for signal in 1..=libc::SIGRTMAX() {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: the structure is valid for reading and writing, and all bytes zero are the default action. Numbers
        // that the C library keeps for itself are refused, and need nothing.
        unsafe {
            let is_known = libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) == 0;
            let handler = action.assume_init_ref().sa_sigaction;
            if is_known && handler != libc::SIG_DFL && handler != libc::SIG_IGN {
                libc::sigaction(signal, MaybeUninit::zeroed().as_ptr(), ptr::null_mut());
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

unsafe extern "C" {
    // In glibc and musl; the libc crate does not declare it for them.
    fn pthread_setcancelstate(state: c_int, old_state: *mut c_int) -> c_int;
}

const PTHREAD_CANCEL_DISABLE: c_int = 1;

/// The thread is not cancelled until this is dropped: a child would be, in its place.
struct WithoutCancellation {
    state_before: c_int,
}

impl WithoutCancellation {
    fn begin() -> WithoutCancellation {
        let mut state_before = 0;
        // SAFETY: the old state may be written there.
        unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &mut state_before) };
        WithoutCancellation { state_before }
    }
}

impl Drop for WithoutCancellation {
    fn drop(&mut self) {
        // SAFETY: the state is one that the C library gave; the old one may be written there.
        unsafe { pthread_setcancelstate(self.state_before, &mut 0) };
    }
}

// --- waiting -------------------------------------------------------------------------------------------------------

/// Waits for a child, and gives its number and status; None if WNOHANG is set and it has not ended.
pub fn wait(child: libc::pid_t, flags: c_int) -> Result<Option<c_int>> {
    let mut status = 0;
    // SAFETY: the status may be written there.
    let ended = check(unsafe { libc::waitpid(child, &mut status, flags) })?;
    Ok((ended != 0).then_some(status))
}

/// Waits for a child that is about to end. Somebody else may have done so: the program's handler of SIGCHLD.
fn reap(child: libc::pid_t) {
    while wait(child, 0) == Err(Errno(libc::EINTR)) {}
}
