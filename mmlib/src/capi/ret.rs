// SPDX-License-Identifier: Apache-2.0
//! Results for C.

use crate::error::{Error, Result};
use core::ffi::{CStr, c_int};
use core::ptr;

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

/// Runs the body of the entry point `function` and converts its result. If it fails, raises the error and returns the
/// failure value. Logging is a cancellation point, so nothing may be owned at that time.
#[inline(always)]
pub fn ret<T: IntoC>(function: &CStr, body: impl FnOnce() -> Result<T>) -> T::C {
    match body() {
        Ok(value) => value.into_c(),
        Err(error) => failed::<T>(function, error),
    }
}

#[cold]
#[inline(never)]
fn failed<T: IntoC>(function: &CStr, error: Error) -> T::C {
    error.raise(function);
    T::FAILURE
}
