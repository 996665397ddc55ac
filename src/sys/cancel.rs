//! Cancellation of threads by pthread_cancel().
//!
//! A thread that is cancelled never returns from the call that it is in: the C library leaves its frames, by unwinding
//! them or by a jump, and no destructor of Rust runs. Rust allows that for frames that have no destructor to run, and for
//! no others. So each function of the library is of one of three kinds:
//!
//! - A door that makes one system call, as those of messages do, costs nothing: between the door and the kernel no value
//!   has a destructor. The same holds for the log line of an error, which is written when the room has returned.
//! - A door that waits while it owns something does so by [`owning`]: cancellation is off, except in the calls that wait,
//!   and what is owned stands where C cleans it up.
//! - All others are [`WithoutCancellation`], if something in them would be a cancellation point: close() is one.
//!
//! The C library may cancel a thread whose call has just succeeded, before it returns; a descriptor that the kernel has
//! made is then lost (glibc's bug 12683). This cannot be mended above it.

use super::cmsg::{Control, DescriptorRoom};
use super::message::{Received, Segments};
use std::ffi::{c_int, c_void};
use std::mem::{ManuallyDrop, MaybeUninit, needs_drop};

unsafe extern "C" {
    // In glibc and musl; the libc crate does not declare it for them.
    fn pthread_setcancelstate(state: c_int, old_state: *mut c_int) -> c_int;

    // In cancel.c.
    fn mmsysio_run_with_cleanup(run: Callback, clean_up: Callback, argument: *mut c_void);
}

type Callback = unsafe extern "C" fn(*mut c_void);

const PTHREAD_CANCEL_DISABLE: c_int = 1;

/// The state before. This is no cancellation point, also when the new state allows to be cancelled.
fn set_state(state: c_int) -> c_int {
    let mut state_before = PTHREAD_CANCEL_DISABLE;
    // SAFETY: the state is the one above or one that the C library gave; the old one may be written there.
    unsafe { pthread_setcancelstate(state, &mut state_before) };
    state_before
}

/// The thread is not cancelled until this is dropped.
pub struct WithoutCancellation {
    state_before: c_int,
}

impl WithoutCancellation {
    pub fn begin() -> WithoutCancellation {
        WithoutCancellation { state_before: set_state(PTHREAD_CANCEL_DISABLE) }
    }
}

impl Drop for WithoutCancellation {
    fn drop(&mut self) {
        set_state(self.state_before);
    }
}

/// Whether the caller of [`owning`] lets itself be cancelled.
#[derive(Clone, Copy)]
pub struct Cancellation {
    state_of_caller: c_int,
}

impl Cancellation {
    /// Makes a call that waits, as a cancellation point. From `owning` down to here no frame may have a value with a
    /// destructor: what needs one belongs to what is owned.
    pub fn point<T>(self, call: impl FnOnce() -> T) -> T {
        set_state(self.state_of_caller);
        let result = call();
        set_state(PTHREAD_CANCEL_DISABLE);
        result
    }
}

/// Runs `body`, in which the thread is cancelled only at a [`Cancellation::point`]. What it owns is dropped at its end,
/// and also if the thread is cancelled.
pub fn owning<T, R>(owned: T, body: fn(&mut T, Cancellation) -> R) -> R {
    let cancellation = Cancellation { state_of_caller: set_state(PTHREAD_CANCEL_DISABLE) };
    let mut work = Work { owned: ManuallyDrop::new(owned), body, cancellation, result: MaybeUninit::uninit() };
    // SAFETY: both callbacks take a Work of these types, which stays where it is until the call returns. When it does,
    // the first has run to its end, and the second has not run: so there is a result, and what is owned still is.
    unsafe {
        mmsysio_run_with_cleanup(run::<T, R>, give_up::<T, R>, (&raw mut work).cast());
        ManuallyDrop::drop(&mut work.owned);
        set_state(cancellation.state_of_caller);
        work.result.assume_init()
    }
}

/// Without a destructor itself, whatever T and R are.
struct Work<T, R> {
    owned: ManuallyDrop<T>,
    body: fn(&mut T, Cancellation) -> R,
    cancellation: Cancellation,
    result: MaybeUninit<R>,
}

/// # Safety
/// `work` points to a Work of these types that nobody else uses, and that still owns something.
unsafe extern "C" fn run<T, R>(work: *mut c_void) {
    // SAFETY: as promised by the caller.
    let work = unsafe { &mut *work.cast::<Work<T, R>>() };
    work.result.write((work.body)(&mut work.owned, work.cancellation));
}

/// # Safety
/// As for `run`, whose frames are gone.
unsafe extern "C" fn give_up<T, R>(work: *mut c_void) {
    // SAFETY: as promised by the caller; nobody uses it after this.
    unsafe { ManuallyDrop::drop(&mut (*work.cast::<Work<T, R>>()).owned) }
}

/// What stands in the frames of a door of messages while the kernel is asked, beside references and numbers.
const _: () = assert!(
    !needs_drop::<Control>()
        && !needs_drop::<DescriptorRoom>()
        && !needs_drop::<Segments>()
        && !needs_drop::<Received>()
);

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    struct Counted<'a>(&'a Cell<u32>);

    impl Drop for Counted<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }

    #[test]
    fn what_is_owned_is_dropped_once_before_cancellation_is_allowed_again() {
        let drops = Cell::new(0);
        let text = owning(Counted(&drops), |counted, cancellation| {
            assert_eq!(set_state(PTHREAD_CANCEL_DISABLE), PTHREAD_CANCEL_DISABLE);
            assert_ne!(cancellation.point(|| set_state(PTHREAD_CANCEL_DISABLE)), PTHREAD_CANCEL_DISABLE);
            counted.0.get().to_string()
        });
        assert_eq!((text.as_str(), drops.get()), ("0", 1));
        let _off = WithoutCancellation::begin();
        owning((), |(), cancellation| {
            assert_eq!(cancellation.point(|| set_state(PTHREAD_CANCEL_DISABLE)), PTHREAD_CANCEL_DISABLE);
        });
    }
}
