// SPDX-License-Identifier: Apache-2.0
//! Thread cancellation (pthread_cancel()).
//!
//! A cancelled thread does not return from the call that it is in. The C library removes its frames, by unwinding or by
//! a jump, and Rust destructors do not run. Rust permits this only for frames that have no destructor to run. Each
//! entry point of the library therefore belongs to one of three kinds:
//!
//! - An entry point that makes one system call, such as those for messages, needs no precaution: no value between it
//!   and the kernel has a destructor. The log line of an error is written when the core has returned, so the same
//!   applies to it.
//! - An entry point that waits while it owns a resource does so in [`owning`]. Cancellation is enabled only in the
//!   calls that wait, and a cleanup handler of the C library releases the resource.
//! - All others use [`WithoutCancellation`] if they contain a cancellation point, such as close().
//!
//! Exceptions are functions that may take long and make many calls: mm_copy(), mm_remove(), and those that use the
//! resolver. A thread that is cancelled in them leaks file descriptors and memory, as their manual pages state.
//!
//! The C library may cancel a thread after its system call has succeeded, but before the call returns. A file
//! descriptor that the kernel has created then leaks (glibc bug 12683). This cannot be prevented outside the C library.

use crate::sys::thread::{CancelState, set_cancel_state};
use core::ffi::c_void;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ptr;

unsafe extern "C" {
    // In thread.c.
    fn mmsysio_run_with_cleanup(run: Callback, clean_up: Callback, argument: *mut c_void);
    fn mmsysio_publish(object: *const c_void);
}

type Callback = unsafe extern "C" fn(*mut c_void);

/// Disables cancellation of the thread until it is dropped.
pub struct WithoutCancellation {
    state_before: CancelState,
    stays_in_thread: PhantomData<*const ()>,
}

impl WithoutCancellation {
    #[must_use]
    pub fn new() -> WithoutCancellation {
        WithoutCancellation { state_before: set_cancel_state(CancelState::DISABLED), stays_in_thread: PhantomData }
    }
}

impl Drop for WithoutCancellation {
    fn drop(&mut self) {
        set_cancel_state(self.state_before);
    }
}

/// Permission to enable cancellation. The body of [`owning`] gets it, and cannot keep it after its return.
#[derive(Clone, Copy)]
pub struct Cancellation<'a> {
    state_of_caller: CancelState,
    lifetime: PhantomData<&'a ()>,
    stays_in_thread: PhantomData<*const ()>,
}

impl Cancellation<'_> {
    /// Makes a call during which the thread can be cancelled.
    ///
    /// `owned` is the value that the body owns, or a part of it. The cleanup handler must find all changes to it in
    /// memory. Otherwise the compiler could keep them in registers, because no Rust code reads the memory during the
    /// call.
    pub fn point<T, R>(self, owned: &T, call: impl FnOnce() -> R) -> R {
        // SAFETY: the C function does not use the pointer.
        unsafe { mmsysio_publish(ptr::from_ref(owned).cast()) };
        set_cancel_state(self.state_of_caller);
        let result = call();
        set_cancel_state(CancelState::DISABLED);
        result
    }
}

/// Runs `body`, in which the thread can be cancelled only at a [`Cancellation::point`]. `owned` is dropped when `body`
/// returns or the thread is cancelled.
///
/// # Safety
/// While `body` is at a [`Cancellation::point`], no frame has a value with a destructor: neither those of `body` and of
/// the call made there, nor those between the C caller and this function. Everything that needs a destructor is part of
/// `owned`.
pub unsafe fn owning<T, R>(owned: T, body: fn(&mut T, Cancellation<'_>) -> R) -> R {
    let state_of_caller = set_cancel_state(CancelState::DISABLED);
    let mut work = Work { owned: ManuallyDrop::new(owned), body, state_of_caller, result: MaybeUninit::uninit() };
    // SAFETY: both callbacks take a Work of these types, which is not moved until the call returns. On return, the
    // first callback has completed and the second has not run, so the result is initialised and `owned` has not been
    // dropped.
    unsafe {
        mmsysio_run_with_cleanup(run::<T, R>, release::<T, R>, (&raw mut work).cast());
        ManuallyDrop::drop(&mut work.owned);
        set_cancel_state(state_of_caller);
        work.result.assume_init()
    }
}

/// Has no destructor, regardless of T and R.
struct Work<T, R> {
    owned: ManuallyDrop<T>,
    body: fn(&mut T, Cancellation<'_>) -> R,
    state_of_caller: CancelState,
    result: MaybeUninit<R>,
}

/// # Safety
/// `work` points to a Work of these types, nothing else uses it, and its `owned` has not been dropped.
unsafe extern "C" fn run<T, R>(work: *mut c_void) {
    // SAFETY: as promised by the caller.
    let work = unsafe { &mut *work.cast::<Work<T, R>>() };
    let cancellation =
        Cancellation { state_of_caller: work.state_of_caller, lifetime: PhantomData, stays_in_thread: PhantomData };
    work.result.write((work.body)(&mut work.owned, cancellation));
}

/// # Safety
/// As for `run`, which must have returned or whose frames must have been removed.
unsafe extern "C" fn release<T, R>(work: *mut c_void) {
    // SAFETY: as promised by the caller; it is not used afterwards.
    unsafe { ManuallyDrop::drop(&mut (*work.cast::<Work<T, R>>()).owned) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::string::ToString;

    struct Counted<'a>(&'a Cell<u32>);

    impl Drop for Counted<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }

    fn state() -> CancelState {
        set_cancel_state(CancelState::DISABLED)
    }

    #[test]
    fn owned_value_is_dropped_once_while_cancellation_is_disabled() {
        let drops = Cell::new(0);
        // SAFETY: the thread is not cancelled.
        let text = unsafe {
            owning(Counted(&drops), |counted, cancellation| {
                assert_eq!(state(), CancelState::DISABLED);
                assert_ne!(cancellation.point(&(), state), CancelState::DISABLED);
                counted.0.get().to_string()
            })
        };
        assert_eq!((text.as_str(), drops.get()), ("0", 1));
        let _off = WithoutCancellation::new();
        // SAFETY: the thread is not cancelled.
        unsafe {
            owning((), |(), cancellation| {
                assert_eq!(cancellation.point(&(), state), CancelState::DISABLED);
            });
        }
    }
}
