//! Options of sockets, and where C keeps their values.

use super::{Result, check, size_as_socklen};
use std::ffi::{c_int, c_void};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr;

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
    pub unsafe fn from_raw<'a>(first: *const c_void, size: libc::socklen_t) -> Value<'a> {
        Value { first, size, lifetime: PhantomData }
    }

    pub fn size(&self) -> libc::socklen_t {
        self.size
    }

    /// The int that it is, None if it has another size or is null.
    pub fn as_int(&self) -> Option<c_int> {
        let is_int = self.size == size_as_socklen::<c_int>() && !self.first.is_null();
        // SAFETY: not null, so it points to the bytes of an int, as from_raw() was promised.
        is_int.then(|| unsafe { self.first.cast::<c_int>().read_unaligned() })
    }
}

/// Where C wants the value of an option, and the size of it.
pub struct ValueBuffer<'a> {
    first: *mut c_void,
    size: *mut libc::socklen_t,
    lifetime: PhantomData<&'a mut [u8]>,
}

impl ValueBuffer<'_> {
    /// # Safety
    /// Each of the two is null or valid during `'a`: `size` for reading and writing, `first` for writing the value of
    /// the option asked for. How many bytes that is for a given `*size`, the option decides. Where the kernel finds
    /// that it cannot write, a call fails and nothing is harmed.
    pub unsafe fn from_raw<'a>(first: *mut c_void, size: *mut libc::socklen_t) -> ValueBuffer<'a> {
        ValueBuffer { first, size, lifetime: PhantomData }
    }

    /// The number of bytes that C has for a value of which the size is counted in bytes, None if `size` is null.
    pub fn capacity(&self) -> Option<libc::socklen_t> {
        // SAFETY: not null, so valid, as from_raw() was promised.
        (!self.size.is_null()).then(|| unsafe { self.size.read() })
    }

    pub fn is_null(&self) -> bool {
        self.first.is_null()
    }

    /// Writes as many bytes of a value as fit, and their number.
    pub fn store(&mut self, value: &[u8]) {
        let Some(capacity) = self.capacity() else { return };
        let fitting = value.len().min(capacity as usize);
        // SAFETY: not null, and no more bytes than there are, as from_raw() was promised.
        unsafe {
            if !self.is_null() {
                ptr::copy(value.as_ptr(), self.first.cast(), fitting);
            }
            self.size.write(fitting as libc::socklen_t);
        }
    }
}

pub fn set(fd: c_int, level: c_int, name: c_int, value: Value) -> Result<()> {
    // SAFETY: the value is as Value::from_raw() was promised.
    check(unsafe { libc::setsockopt(fd, level, name, value.first, value.size) }).map(drop)
}

pub fn set_timeout(fd: c_int, name: c_int, timeout: libc::timeval) -> Result<()> {
    let size = size_as_socklen::<libc::timeval>();
    // SAFETY: the value has the size given.
    check(unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, name, ptr::from_ref(&timeout).cast(), size) }).map(drop)
}

pub fn get(fd: c_int, level: c_int, name: c_int, buffer: &mut ValueBuffer) -> Result<()> {
    // SAFETY: the buffer is as ValueBuffer::from_raw() was promised.
    check(unsafe { libc::getsockopt(fd, level, name, buffer.first, buffer.size) }).map(drop)
}

pub fn timeout(fd: c_int, name: c_int) -> Result<libc::timeval> {
    let mut timeout = MaybeUninit::<libc::timeval>::zeroed();
    let mut size = size_as_socklen::<libc::timeval>();
    // SAFETY: the structure is valid for writing, and the size its own.
    check(unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, name, timeout.as_mut_ptr().cast(), &mut size) })?;
    // SAFETY: all bytes zero are a valid timeval, and so is what the kernel wrote over them.
    Ok(unsafe { timeout.assume_init() })
}
