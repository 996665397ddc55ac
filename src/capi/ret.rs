// SPDX-License-Identifier: Apache-2.0
//! Results for C.

use crate::error::{Error, Result};
use crate::os::cancel::WithoutCancellation;
use crate::os::fd_history;
use crate::rt::fd::{Fd, OwnedFd};
use alloc::alloc::{Layout, alloc};
use alloc::boxed::Box;
use core::ffi::c_int;
use core::mem::{MaybeUninit, needs_drop};
use core::ptr;
use errno::{errno, set_errno};

/// Conversion of a result for C.
pub trait IntoC {
    type C;
    /// The value that C gets if the call has failed.
    const FAILURE: Self::C;
    fn into_c(self) -> Self::C;
}

impl IntoC for () {
    type C = c_int;
    const FAILURE: c_int = -1;
    fn into_c(self) -> c_int {
        0
    }
}

impl IntoC for c_int {
    type C = c_int;
    const FAILURE: c_int = -1;
    fn into_c(self) -> c_int {
        self
    }
}

impl IntoC for usize {
    type C = libc::ssize_t;
    const FAILURE: libc::ssize_t = -1;
    fn into_c(self) -> libc::ssize_t {
        self as libc::ssize_t
    }
}

/// An offset in a file.
impl IntoC for i64 {
    type C = i64;
    const FAILURE: i64 = -1;
    fn into_c(self) -> i64 {
        self
    }
}

/// Memory or an object that C releases with an existing function.
impl<T> IntoC for *mut T {
    type C = *mut T;
    const FAILURE: *mut T = ptr::null_mut();
    fn into_c(self) -> *mut T {
        self
    }
}

impl<T> IntoC for *const T {
    type C = *const T;
    const FAILURE: *const T = ptr::null();
    fn into_c(self) -> *const T {
        self
    }
}

/// Transfers the file descriptor to the C caller.
impl IntoC for OwnedFd {
    type C = c_int;
    const FAILURE: c_int = -1;
    fn into_c(self) -> c_int {
        fd_history::note_returned(self.fd());
        self.into_raw()
    }
}

/// Transfers the object to the C caller.
impl<T> IntoC for Box<T> {
    type C = *mut T;
    const FAILURE: *mut T = ptr::null_mut();
    fn into_c(self) -> *mut T {
        Box::into_raw(self)
    }
}

/// Records two file descriptors that the kernel has stored for the C caller, who owns them.
///
/// # Safety
/// The kernel has just written two elements at `fds`.
pub unsafe fn note_pair(fds: *const c_int) {
    // SAFETY: as promised by the caller.
    let [first, second] = unsafe { fds.cast::<[c_int; 2]>().read() };
    fd_history::note_returned(Fd::from_c(first));
    fd_history::note_returned(Fd::from_c(second));
}

/// Moves a value to a Box that C can own. ENOMEM: memory is exhausted.
#[track_caller]
pub fn boxed<T>(value: T) -> Result<Box<T>> {
    match unused_box() {
        Ok(unused) => Ok(filled(unused, value)),
        Err(error) => {
            // The destructor may close a file descriptor, which is a cancellation point.
            let _no_cancellation = WithoutCancellation::new();
            drop(value);
            Err(error)
        }
    }
}

/// Allocates a Box for [`filled`]. ENOMEM: memory is exhausted.
#[track_caller]
pub fn unused_box<T>() -> Result<Box<MaybeUninit<T>>> {
    const { assert!(size_of::<T>() != 0) };
    let layout = Layout::new::<T>();
    // SAFETY: the size is not 0.
    let memory = unsafe { alloc(layout) }.cast::<MaybeUninit<T>>();
    if memory.is_null() {
        return Err(Error::new(libc::ENOMEM, format_args!("cannot allocate {} bytes: out of memory", layout.size())));
    }
    // SAFETY: the memory is new and has the layout that Box expects. Its content need not be initialised.
    Ok(unsafe { Box::from_raw(memory) })
}

/// Moves a value to an unused Box.
pub fn filled<T>(mut unused: Box<MaybeUninit<T>>, value: T) -> Box<T> {
    unused.write(value);
    // SAFETY: the value has been written.
    unsafe { Box::from_raw(Box::into_raw(unused).cast()) }
}

/// Runs the body of the entry point `function` and converts its result. If it fails, raises the error and returns the
/// failure value. Logging is a cancellation point, so nothing may be owned at that time (see [`crate::os::cancel`]).
#[inline(always)]
pub fn ret<T: IntoC>(function: &'static str, body: impl FnOnce() -> Result<T>) -> T::C {
    match body() {
        Ok(value) => value.into_c(),
        Err(error) => failed::<T>(function, error),
    }
}

#[cold]
#[inline(never)]
fn failed<T: IntoC>(function: &'static str, error: Error) -> T::C {
    error.raise(function);
    T::FAILURE
}

/// Like [`ret`], but preserves errno on success, for a body in which a call may fail although the function succeeds.
pub fn ret_preserving_errno<T: IntoC>(function: &'static str, body: impl FnOnce() -> Result<T>) -> T::C {
    let errno_at_entry = errno();
    ret(function, || {
        let value = body()?;
        set_errno(errno_at_entry);
        Ok(value)
    })
}

const _: () = assert!(!needs_drop::<Error>());
