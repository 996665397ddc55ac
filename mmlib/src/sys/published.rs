// SPDX-License-Identifier: Apache-2.0
//! Values that are computed once, and then belong to the process until it ends.

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

/// There is no lock, which a fork could leave held: several threads may compute the value, and one of them publishes it.
pub struct Published<T: 'static>(AtomicPtr<T>);

impl<T: Sync> Published<T> {
    pub const fn new() -> Published<T> {
        Published(AtomicPtr::new(ptr::null_mut()))
    }

    pub fn get(&self) -> Option<&'static T> {
        // SAFETY: null, or published by set() and never released.
        unsafe { self.0.load(Ordering::Acquire).as_ref() }
    }

    /// Publishes the value, unless another thread has done so before. None: not enough memory.
    pub fn set(&self, value: T) -> Option<&'static T> {
        // SAFETY: any size is allowed.
        let memory = unsafe { libc::malloc(size_of::<T>()) }.cast::<T>();
        if memory.is_null() {
            return None;
        }
        // SAFETY: the memory is new, large enough, and aligned for every type without a stricter alignment.
        unsafe { memory.write(value) };
        if self.0.compare_exchange(ptr::null_mut(), memory, Ordering::AcqRel, Ordering::Acquire).is_err() {
            // SAFETY: the value was written above, and nobody else knows it.
            unsafe {
                ptr::drop_in_place(memory);
                libc::free(memory.cast());
            }
        }
        self.get()
    }
}
