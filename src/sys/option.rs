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

/// Room for the value of an option, and for its size.
pub struct Room<'a> {
    first: *mut c_void,
    size: *mut libc::socklen_t,
    lifetime: PhantomData<&'a mut [u8]>,
}

impl Room<'_> {
    /// # Safety
    /// `size` is null or valid for reading and writing during `'a`, and `first` points to as many bytes as it says,
    /// which may be written. Where the kernel finds that they cannot, a call fails and nothing is harmed.
    pub unsafe fn from_raw<'a>(first: *mut c_void, size: *mut libc::socklen_t) -> Room<'a> {
        Room { first, size, lifetime: PhantomData }
    }

    /// Its size, None if there is no place for that.
    pub fn size(&self) -> Option<libc::socklen_t> {
        // SAFETY: not null, so valid, as from_raw() was promised.
        (!self.size.is_null()).then(|| unsafe { self.size.read() })
    }

    pub fn is_null(&self) -> bool {
        self.first.is_null()
    }

    pub fn set_size(&mut self, size: libc::socklen_t) {
        if !self.size.is_null() {
            // SAFETY: not null, so valid, as from_raw() was promised.
            unsafe { self.size.write(size) };
        }
    }

    /// Writes as much of a value as fits. There must be room for its size, and a place for what fits.
    pub fn store(&mut self, value: &[u8]) {
        let fitting = value.len().min(self.size().unwrap_or(0) as usize);
        if fitting > 0 && !self.is_null() {
            // SAFETY: no more bytes than the size says, and not null, as from_raw() was promised.
            unsafe { ptr::copy(value.as_ptr(), self.first.cast(), fitting) };
        }
        self.set_size(fitting as libc::socklen_t);
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

pub fn get(fd: c_int, level: c_int, name: c_int, room: &mut Room) -> Result<()> {
    // SAFETY: the room is as Room::from_raw() was promised.
    check(unsafe { libc::getsockopt(fd, level, name, room.first, room.size) }).map(drop)
}

/// The value as far as it fits into `buffer`.
pub fn get_bytes(fd: c_int, level: c_int, name: c_int, buffer: &mut [u8]) -> Result<&[u8]> {
    let mut size = buffer.len() as libc::socklen_t;
    // SAFETY: the slice is valid for writing, and the size its own.
    check(unsafe { libc::getsockopt(fd, level, name, buffer.as_mut_ptr().cast(), &mut size) })?;
    Ok(buffer.get(..size as usize).unwrap_or_default())
}

pub fn timeout(fd: c_int, name: c_int) -> Result<libc::timeval> {
    let mut timeout = MaybeUninit::<libc::timeval>::zeroed();
    let mut size = size_as_socklen::<libc::timeval>();
    // SAFETY: the structure is valid for writing, and the size its own.
    check(unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, name, timeout.as_mut_ptr().cast(), &mut size) })?;
    // SAFETY: all bytes zero are a valid timeval, and so is what the kernel wrote over them.
    Ok(unsafe { timeout.assume_init() })
}
