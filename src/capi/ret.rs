//! What goes back to C.

use crate::error::{Error, Result};
use crate::sys::numbers;
use std::alloc::{Layout, alloc};
use std::ffi::c_int;
use std::mem::needs_drop;
use std::os::fd::{IntoRawFd, OwnedFd};
use std::ptr;

/// A result of a room as C gets it.
pub trait IntoC {
    type C;
    /// What C gets if the call failed.
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

/// Memory or an object that C already knows how to dispose of.
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

/// The descriptor is the C caller's from here on.
impl IntoC for OwnedFd {
    type C = c_int;
    const FAILURE: c_int = -1;
    fn into_c(self) -> c_int {
        let fd = self.into_raw_fd();
        numbers::note_returned(fd);
        fd
    }
}

/// The object is the C caller's from here on.
impl<T> IntoC for Box<T> {
    type C = *mut T;
    const FAILURE: *mut T = ptr::null_mut();
    fn into_c(self) -> *mut T {
        Box::into_raw(self)
    }
}

/// Two descriptors that the kernel has stored where C wants them are its own from here on.
///
/// # Safety
/// The kernel has just written two elements at `fds`.
pub unsafe fn pair_returned(fds: *const c_int) {
    // SAFETY: as promised by the caller.
    let [first, second] = unsafe { fds.cast::<[c_int; 2]>().read() };
    numbers::note_returned(first);
    numbers::note_returned(second);
}

/// Moves a value to memory that C can hold; ENOMEM if there is none.
#[track_caller]
pub fn boxed<T>(value: T) -> Result<Box<T>> {
    const { assert!(size_of::<T>() != 0) };
    let layout = Layout::new::<T>();
    // SAFETY: the size is not 0.
    let memory = unsafe { alloc(layout) }.cast::<T>();
    if memory.is_null() {
        return Err(Error::new(libc::ENOMEM, format_args!("allocating {} bytes", layout.size())));
    }
    // SAFETY: the memory is new, of the layout that Box frees it with, and holds a value from here on.
    unsafe {
        memory.write(value);
        Ok(Box::from_raw(memory))
    }
}

/// The body of every door: the result of `body`, or the failure value with the error raised as that of the exported
/// `function`. To log that may cancel the thread: nothing is owned then, as sys::cancel wants it.
#[inline(always)]
pub fn ret<T: IntoC>(function: &str, body: impl FnOnce() -> Result<T>) -> T::C {
    match body() {
        Ok(value) => value.into_c(),
        Err(error) => {
            error.raise(function);
            T::FAILURE
        }
    }
}

/// The body of a door that stands on the path of every message. `quick` gives the result of the common case, or else what
/// `rest` goes on from, which is the body of an ordinary door. The two are kept apart, so that the common case pays
/// neither for the registers nor for the stack of the other.
#[inline(always)]
pub fn ret_quick<T: IntoC, Left>(
    function: &str,
    quick: impl FnOnce() -> std::result::Result<T, Left>,
    rest: impl FnOnce(Left) -> Result<T>,
) -> T::C {
    match quick() {
        Ok(value) => value.into_c(),
        Err(left) => apart(|| ret(function, || rest(left))),
    }
}

#[inline(never)]
fn apart<T>(body: impl FnOnce() -> T) -> T {
    body()
}

const _: () = assert!(!needs_drop::<Error>());
