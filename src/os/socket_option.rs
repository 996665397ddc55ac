// SPDX-License-Identifier: Apache-2.0
//! Options of sockets, and where C keeps their values.

use crate::rt::fd::Fd;
use crate::sys::{Result, socket};
use core::ffi::{c_int, c_void};
use core::marker::PhantomData;
use core::ptr;

/// The value of an option on its way to the kernel.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    first: *const c_void,
    size: libc::socklen_t,
    lifetime: PhantomData<&'a [u8]>,
}

impl Value<'_> {
    /// # Safety
    /// `first` points to `size` bytes that outlive `'a`. Where the kernel finds that it does not, a call fails and
    /// nothing is harmed.
    pub unsafe fn from_c<'a>(first: *const c_void, size: libc::socklen_t) -> Value<'a> {
        Value { first, size, lifetime: PhantomData }
    }

    pub fn size(&self) -> libc::socklen_t {
        self.size
    }

    /// The int that it is, None if it has another size or is null.
    pub fn as_int(&self) -> Option<c_int> {
        let is_int = self.size == size_of::<c_int>() as libc::socklen_t && !self.first.is_null();
        // SAFETY: not null, so it points to the bytes of an int, as from_c() was promised.
        is_int.then(|| unsafe { self.first.cast::<c_int>().read_unaligned() })
    }
}

/// An option that a C caller asks for, and where it wants the value and its size.
pub struct ValueBuffer<'a> {
    level: c_int,
    name: c_int,
    first: *mut c_void,
    size: *mut libc::socklen_t,
    lifetime: PhantomData<&'a mut [u8]>,
}

impl ValueBuffer<'_> {
    /// # Safety
    /// Each of the two pointers is null or valid during `'a`: `size` for reading and writing, `first` for writing the value
    /// of the option, and an int of which `*size` bytes are stored if they are fewer. How many bytes the former has for a
    /// given `*size`, the option decides. Where the kernel finds that it cannot write, a call fails and nothing is harmed.
    pub unsafe fn from_c<'a>(
        level: c_int,
        name: c_int,
        first: *mut c_void,
        size: *mut libc::socklen_t,
    ) -> ValueBuffer<'a> {
        ValueBuffer { level, name, first, size, lifetime: PhantomData }
    }

    pub fn level(&self) -> c_int {
        self.level
    }

    pub fn name(&self) -> c_int {
        self.name
    }

    /// The number of bytes that C has for a value of which the size is counted in bytes, None if `size` is null.
    pub fn capacity(&self) -> Option<libc::socklen_t> {
        // SAFETY: not null, so valid, as from_c() was promised.
        (!self.size.is_null()).then(|| unsafe { self.size.read() })
    }

    pub fn is_null(&self) -> bool {
        self.first.is_null()
    }

    /// Writes as many bytes of an int as fit, and their number.
    pub fn store_int(&mut self, value: c_int) {
        let Some(capacity) = self.capacity() else { return };
        let fitting = size_of::<c_int>().min(capacity as usize);
        // SAFETY: not null, and no more bytes than there are, as from_c() was promised.
        unsafe {
            if !self.is_null() {
                ptr::copy(ptr::from_ref(&value).cast::<u8>(), self.first.cast(), fitting);
            }
            self.size.write(fitting as libc::socklen_t);
        }
    }
}

pub fn set(fd: Fd, level: c_int, name: c_int, value: Value) -> Result<()> {
    // SAFETY: the value is as Value::from_c() was promised.
    unsafe { socket::setsockopt(fd, level, name, value.first, value.size) }
}

pub fn get(fd: Fd, buffer: &mut ValueBuffer) -> Result<()> {
    // SAFETY: the buffer is that of the option, as ValueBuffer::from_c() was promised.
    unsafe { socket::getsockopt(fd, buffer.level, buffer.name, buffer.first, buffer.size) }
}
