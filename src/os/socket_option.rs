// SPDX-License-Identifier: Apache-2.0
//! Socket options, with values in memory of the C caller.

use crate::rt::fd::Fd;
use crate::sys::{Result, socket};
use core::ffi::{c_int, c_void};
use core::marker::PhantomData;
use core::ptr;

/// The value of an option to set.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    first: *const c_void,
    size: libc::socklen_t,
    lifetime: PhantomData<&'a [u8]>,
}

impl Value<'_> {
    /// # Safety
    /// `first` points to `size` bytes that outlive `'a`, or to an address where nothing is mapped: the call then fails.
    /// [`Value::as_int`] reads the bytes, and requires that `first` is null or valid.
    pub unsafe fn from_c<'a>(first: *const c_void, size: libc::socklen_t) -> Value<'a> {
        Value { first, size, lifetime: PhantomData }
    }

    pub fn size(&self) -> libc::socklen_t {
        self.size
    }

    /// Returns the value as an int. None if it has another size or is null.
    pub fn as_int(&self) -> Option<c_int> {
        let is_int = self.size == size_of::<c_int>() as libc::socklen_t && !self.first.is_null();
        // SAFETY: not null, so from_c() guarantees the bytes of an int.
        is_int.then(|| unsafe { self.first.cast::<c_int>().read_unaligned() })
    }
}

/// The option that a C caller requests, and the memory for its value and size.
pub struct ValueBuffer<'a> {
    level: c_int,
    name: c_int,
    first: *mut c_void,
    size: *mut libc::socklen_t,
    lifetime: PhantomData<&'a mut [u8]>,
}

impl ValueBuffer<'_> {
    /// # Safety
    /// Each of the two pointers is null or valid during `'a`: `size` for reading and writing, and `first` for writing
    /// the value of the option, whose number of bytes for a given `*size` depends on the option. For a value that is an
    /// int, the first `*size` bytes of it are written if they are fewer. If the kernel cannot write to an address, the
    /// call fails.
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

    /// The size of the caller's buffer, for options whose size is counted in bytes. None if `size` is null.
    pub fn capacity(&self) -> Option<libc::socklen_t> {
        // SAFETY: not null, so from_c() guarantees that it is valid.
        (!self.size.is_null()).then(|| unsafe { self.size.read() })
    }

    pub fn is_null(&self) -> bool {
        self.first.is_null()
    }

    /// Stores as many bytes of an int as fit, and their number.
    pub fn store_int(&mut self, value: c_int) {
        let Some(capacity) = self.capacity() else { return };
        let fitting = size_of::<c_int>().min(capacity as usize);
        // SAFETY: not null, so from_c() guarantees that the bytes are valid for writing.
        unsafe {
            if !self.is_null() {
                ptr::copy(ptr::from_ref(&value).cast::<u8>(), self.first.cast(), fitting);
            }
            self.size.write(fitting as libc::socklen_t);
        }
    }
}

pub fn set(fd: Fd, level: c_int, name: c_int, value: Value) -> Result<()> {
    // SAFETY: guaranteed by Value::from_c().
    unsafe { socket::setsockopt(fd, level, name, value.first, value.size) }
}

pub fn get(fd: Fd, buffer: &mut ValueBuffer) -> Result<()> {
    // SAFETY: guaranteed by ValueBuffer::from_c().
    unsafe { socket::getsockopt(fd, buffer.level, buffer.name, buffer.first, buffer.size) }
}
