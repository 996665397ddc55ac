// SPDX-License-Identifier: Apache-2.0
//! Threads.

use core::ffi::c_int;

unsafe extern "C" {
    // The libc crate does not declare this for glibc and musl.
    fn pthread_setcancelstate(state: c_int, old_state: *mut c_int) -> c_int;

    // In thread.c.
    fn mmsysio_has_one_thread() -> c_int;
}

/// The cancelability state of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CancelState(c_int);

impl CancelState {
    pub const DISABLED: CancelState = CancelState(1);
}

/// Sets the state. Returns the previous one. This is not a cancellation point, even if the new state enables
/// cancellation.
pub fn set_cancel_state(state: CancelState) -> CancelState {
    let mut before = CancelState::DISABLED.0;
    // SAFETY: the state is the constant above or one from the C library; the previous one is valid for writing.
    unsafe { pthread_setcancelstate(state.0, &mut before) };
    CancelState(before)
}

/// Whether the calling thread is known to be the only one.
pub fn has_one_thread() -> bool {
    // SAFETY: it only reads a variable.
    unsafe { mmsysio_has_one_thread() != 0 }
}

/// Returns the thread ID. This is not called through the C library, because older versions do not have gettid().
pub fn gettid() -> libc::pid_t {
    // SAFETY: no pointer is passed.
    unsafe { libc::syscall(libc::SYS_gettid) as libc::pid_t }
}

/// Returns a number that identifies the calling thread, without a system call: the address of its errno.
pub fn errno_address() -> usize {
    // SAFETY: only the address is used.
    unsafe { libc::__errno_location() }.addr()
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

/// A handler that is called in the forking thread.
pub type ForkHandler = Option<extern "C" fn()>;

/// Registers handlers that are called before each fork(), and after it in the parent and in the child. If memory is
/// exhausted, they are not registered.
pub fn pthread_atfork(before: ForkHandler, in_parent: ForkHandler, in_child: ForkHandler) {
    type CHandler = Option<unsafe extern "C" fn()>;
    let as_c = |handler: ForkHandler| -> CHandler { handler.map(|handler| handler as unsafe extern "C" fn()) };
    // SAFETY: the handlers are safe to call, and are never unloaded, because the library is linked with -z nodelete.
    unsafe { libc::pthread_atfork(as_c(before), as_c(in_parent), as_c(in_child)) };
}
