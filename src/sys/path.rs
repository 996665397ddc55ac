// SPDX-License-Identifier: Apache-2.0
//! Paths from C.

use core::ffi::{CStr, c_char};
use core::marker::PhantomData;

/// A path for the kernel. If it is null or unreadable, the kernel fails with EFAULT.
#[derive(Clone, Copy)]
pub struct KernelPath<'a> {
    pointer: *const c_char,
    lifetime: PhantomData<&'a CStr>,
}

impl<'a> KernelPath<'a> {
    /// # Safety
    /// `pointer` is null, a terminated string that outlives `'a`, or an address where nothing is mapped during `'a`.
    pub unsafe fn from_c(pointer: *const c_char) -> KernelPath<'a> {
        KernelPath { pointer, lifetime: PhantomData }
    }

    pub fn as_ptr(self) -> *const c_char {
        self.pointer
    }
}

impl<'a> From<&'a CStr> for KernelPath<'a> {
    fn from(path: &'a CStr) -> KernelPath<'a> {
        KernelPath { pointer: path.as_ptr(), lifetime: PhantomData }
    }
}
