// SPDX-License-Identifier: Apache-2.0
//! Threads.

use core::ffi::c_int;
use core::ptr;
use core::sync::atomic::AtomicU32;

unsafe extern "C" {
    // In glibc and musl; the libc crate does not declare it for them.
    fn pthread_setcancelstate(state: c_int, old_state: *mut c_int) -> c_int;

    // In thread.c.
    fn mmsysio_has_one_thread() -> c_int;
}

/// Whether a thread can be cancelled: a state of the C library.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CancelState(c_int);

impl CancelState {
    pub const DISABLED: CancelState = CancelState(1);
}

/// Sets the state; the one before. This is no cancellation point, also if the new state allows to be cancelled.
pub fn set_cancel_state(state: CancelState) -> CancelState {
    let mut before = CancelState::DISABLED.0;
    // SAFETY: the state is the one above or one that the C library gave; the old one may be written there.
    unsafe { pthread_setcancelstate(state.0, &mut before) };
    CancelState(before)
}

/// Whether the calling thread is known to be the only one.
pub fn has_one_thread() -> bool {
    // SAFETY: it only reads a variable.
    unsafe { mmsysio_has_one_thread() != 0 }
}

/// The kernel's number of the calling thread. The C library's gettid() is younger than some that are in use.
pub fn gettid() -> libc::pid_t {
    // SAFETY: no pointer is passed.
    unsafe { libc::syscall(libc::SYS_gettid) as libc::pid_t }
}

/// A number of the calling thread that costs no system call: the address of its errno.
pub fn errno_address() -> usize {
    // SAFETY: only the address is used.
    unsafe { libc::__errno_location() }.addr()
}

/// Sleeps until the word is woken, perhaps by another process. Returns at once if it is not equal to `expected`, and
/// may return at any moment.
pub fn futex_wait(word: &AtomicU32, expected: u32) {
    let no_timeout = ptr::null::<libc::timespec>();
    // SAFETY: the word is valid for the call, and the kernel only reads it.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, expected, no_timeout) };
}

/// # Safety
/// The mutex is of the default type, initialised, and never moved.
pub unsafe fn pthread_mutex_lock(mutex: *mut libc::pthread_mutex_t) {
    // SAFETY: as promised by the caller. This cannot fail.
    unsafe { libc::pthread_mutex_lock(mutex) };
}

/// # Safety
/// The calling thread has locked the mutex.
pub unsafe fn pthread_mutex_unlock(mutex: *mut libc::pthread_mutex_t) {
    // SAFETY: as promised by the caller.
    unsafe { libc::pthread_mutex_unlock(mutex) };
}

/// Called in the thread that forks.
pub type ForkHandler = Option<extern "C" fn()>;

/// Has these called before each fork(), and after it in the parent and in the child; not if memory is exhausted.
pub fn pthread_atfork(before: ForkHandler, in_parent: ForkHandler, in_child: ForkHandler) {
    type CHandler = Option<unsafe extern "C" fn()>;
    let as_c = |handler: ForkHandler| -> CHandler { handler.map(|handler| handler as unsafe extern "C" fn()) };
    // SAFETY: the handlers are safe to call, and stay loaded: the library is linked with -z nodelete.
    unsafe { libc::pthread_atfork(as_c(before), as_c(in_parent), as_c(in_child)) };
}
