// SPDX-License-Identifier: Apache-2.0
//! Cancellation of threads by pthread_cancel().
//!
//! A thread that is cancelled never returns from the call that it is in: the C library removes its frames, by unwinding
//! them or by a jump, and no destructor of Rust runs. Rust allows that for frames without a destructor to run, and for no
//! others. So each entry point of the library is of one of three kinds:
//!
//! - One that makes one system call, as those of messages do, costs nothing: between the entry point and the kernel no
//!   value has a destructor. The same holds for the log line of an error, which is written when the core has returned.
//! - One that waits while it owns something does so in [`owning`]: cancellation is disabled, except in the calls that
//!   wait, and what is owned is released by a cleanup handler of the C library.
//! - All others are [`WithoutCancellation`] if something in them is a cancellation point, as close() is.
//!
//! Functions that may take long and consist of many calls are none of these: mm_copy(), mm_remove(), and those that use
//! the resolver. A thread that is cancelled in them leaves descriptors and memory behind, as their pages say.
//!
//! The C library may cancel a thread whose call has just succeeded, before it returns; a descriptor that the kernel has
//! created is then lost (glibc's bug 12683). Nothing above the C library can prevent that.

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

/// The thread is not cancelled until this is dropped.
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

/// The right to be cancelled, which the body of [`owning`] has, and cannot keep beyond its end.
#[derive(Clone, Copy)]
pub struct Cancellation<'a> {
    state_of_caller: CancelState,
    lifetime: PhantomData<&'a ()>,
    stays_in_thread: PhantomData<*const ()>,
}

impl Cancellation<'_> {
    /// Makes a call that waits, as a cancellation point.
    ///
    /// `owned` is what the body owns, or a part of it: the cleanup handler must find all changes in memory. Without this, the
    /// compiler could keep them in registers, since nothing in Rust reads the memory during the call.
    pub fn point<T, R>(self, owned: &T, call: impl FnOnce() -> R) -> R {
        // SAFETY: C does nothing with the pointer.
        unsafe { mmsysio_publish(ptr::from_ref(owned).cast()) };
        set_cancel_state(self.state_of_caller);
        let result = call();
        set_cancel_state(CancelState::DISABLED);
        result
    }
}

/// Runs `body`, in which the thread is cancelled only at a [`Cancellation::point`]. What it owns is dropped at its end,
/// and also if the thread is cancelled.
///
/// # Safety
/// While `body` is at a [`Cancellation::point`], none of its frames, nor the call made there, has a value with a
/// destructor: everything that needs one is part of `owned`. Neither does the caller of this up to C.
pub unsafe fn owning<T, R>(owned: T, body: fn(&mut T, Cancellation<'_>) -> R) -> R {
    let state_of_caller = set_cancel_state(CancelState::DISABLED);
    let mut work = Work { owned: ManuallyDrop::new(owned), body, state_of_caller, result: MaybeUninit::uninit() };
    // SAFETY: both callbacks take a Work of these types, which stays where it is until the call returns. When it does,
    // the first has run to its end, and the second has not run: so there is a result, and what is owned still is.
    unsafe {
        mmsysio_run_with_cleanup(run::<T, R>, release::<T, R>, (&raw mut work).cast());
        ManuallyDrop::drop(&mut work.owned);
        set_cancel_state(state_of_caller);
        work.result.assume_init()
    }
}

/// Without a destructor itself, whatever T and R are.
struct Work<T, R> {
    owned: ManuallyDrop<T>,
    body: fn(&mut T, Cancellation<'_>) -> R,
    state_of_caller: CancelState,
    result: MaybeUninit<R>,
}

/// # Safety
/// `work` points to a Work of these types that nobody else uses, and that still owns something.
unsafe extern "C" fn run<T, R>(work: *mut c_void) {
    // SAFETY: as promised by the caller.
    let work = unsafe { &mut *work.cast::<Work<T, R>>() };
    let cancellation =
        Cancellation { state_of_caller: work.state_of_caller, lifetime: PhantomData, stays_in_thread: PhantomData };
    work.result.write((work.body)(&mut work.owned, cancellation));
}

/// # Safety
/// As for `run`, whose frames do not exist any more.
unsafe extern "C" fn release<T, R>(work: *mut c_void) {
    // SAFETY: as promised by the caller; nobody uses it after this.
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
    fn what_is_owned_is_dropped_once_before_cancellation_is_allowed_again() {
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
