// SPDX-License-Identifier: Apache-2.0
//! Thread cancellation. A cancelled thread runs no destructors, so nothing may be owned at a cancellation point.

use core::ffi::c_int;
use core::marker::PhantomData;
use core::ptr;

unsafe extern "C" {
    fn pthread_setcancelstate(state: c_int, old_state: *mut c_int) -> c_int;
}

const PTHREAD_CANCEL_DISABLE: c_int = 1;

/// Disables cancellation of the thread until it is dropped.
pub struct WithoutCancellation {
    state_before: c_int,
    stays_in_thread: PhantomData<*const ()>,
}

impl WithoutCancellation {
    #[must_use]
    pub fn new() -> WithoutCancellation {
        let mut state_before = PTHREAD_CANCEL_DISABLE;
        // SAFETY: the pointer is valid for writing.
        unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &raw mut state_before) };
        WithoutCancellation { state_before, stays_in_thread: PhantomData }
    }
}

impl Drop for WithoutCancellation {
    fn drop(&mut self) {
        // SAFETY: NULL is allowed.
        unsafe { pthread_setcancelstate(self.state_before, ptr::null_mut()) };
    }
}
