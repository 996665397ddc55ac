// SPDX-License-Identifier: Apache-2.0
//! Signals.

use super::time::timespec;
use super::{Result, check, check_long};
use core::ffi::c_int;
use core::mem;
use core::ptr;

/// A set of signals.
#[derive(Clone, Copy)]
pub struct SignalSet(libc::sigset_t);

impl SignalSet {
    /// All bytes are zero, because the functions of the C library only set those that the kernel uses.
    fn empty() -> SignalSet {
        // SAFETY: a sigset_t consists of integers.
        SignalSet(unsafe { mem::zeroed() })
    }

    pub fn full() -> SignalSet {
        let mut set = SignalSet::empty();
        // SAFETY: the set is valid for writing.
        unsafe { libc::sigfillset(&mut set.0) };
        set
    }

    pub fn of(signal: c_int) -> SignalSet {
        let mut set = SignalSet::empty();
        // SAFETY: the set is valid for reading and writing.
        unsafe { libc::sigaddset(&mut set.0, signal) };
        set
    }

    pub fn contains(&self, signal: c_int) -> bool {
        // SAFETY: a reference is valid.
        unsafe { libc::sigismember(&self.0, signal) == 1 }
    }
}

/// Changes the signal mask of the thread. Returns the previous mask. This cannot fail for the values of `how` that the
/// library uses.
pub fn pthread_sigmask(how: c_int, set: &SignalSet) -> SignalSet {
    let mut before = SignalSet::empty();
    // SAFETY: the first set is valid for reading, the second for writing.
    unsafe { libc::pthread_sigmask(how, &set.0, &mut before.0) };
    before
}

pub fn sigpending() -> Result<SignalSet> {
    let mut set = SignalSet::empty();
    // SAFETY: the set is valid for writing.
    check(unsafe { libc::sigpending(&mut set.0) }).map(|_| set)
}

/// Accepts a pending signal in the set, without waiting.
pub fn sigtimedwait_now(set: &SignalSet) -> Result<c_int> {
    let at_once = timespec(0, 0);
    // SAFETY: references are valid; no information is requested.
    check(unsafe { libc::sigtimedwait(&set.0, ptr::null_mut(), &at_once) })
}

/// The number of signals in the kernel.
pub const COUNT: c_int = 64;

const SET_SIZE: usize = COUNT as usize / 8;

/// Memory for the kernel's `struct sigaction`, at least as large as on any architecture. The handler is the first
/// field.
#[derive(Clone, Copy)]
pub struct KernelAction([usize; 8]);

impl KernelAction {
    /// All bytes zero is the default action without flags.
    pub const DEFAULT: KernelAction = KernelAction([libc::SIG_DFL; 8]);

    /// Whether a function handles the signal.
    pub fn is_handler(&self) -> bool {
        !matches!(self.0, [libc::SIG_DFL | libc::SIG_IGN, ..])
    }
}

/// Makes the system call directly. sigaction() of the C library may acquire a lock, and sanitizers intercept it to
/// record handlers in memory.
pub fn rt_sigaction_get(signal: c_int) -> Result<KernelAction> {
    let mut action = KernelAction::DEFAULT;
    let none = ptr::null_mut::<KernelAction>();
    // SAFETY: the structure is valid for writing.
    check_long(unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, none, &raw mut action, SET_SIZE) })?;
    Ok(action)
}

/// Sets the default action by a direct system call.
pub fn rt_sigaction_set_default(signal: c_int) -> Result<()> {
    let (action, none) = (KernelAction::DEFAULT, ptr::null_mut::<KernelAction>());
    // SAFETY: the structure is valid for reading.
    check_long(unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, &raw const action, none, SET_SIZE) }).map(drop)
}
