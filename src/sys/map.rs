//! Memory maps, and objects in memory that can be mapped.

use super::{Result, check, own};
use errno::errno;
use std::ffi::{CStr, c_int, c_void};
use std::mem::ManuallyDrop;
use std::os::fd::OwnedFd;
use std::ptr::{self, NonNull};

/// Memory that was mapped; unmapped when dropped.
pub struct Mapping {
    first: NonNull<c_void>,
    size: usize,
}

impl Mapping {
    /// Of part of a file, where the kernel finds room.
    pub fn new(fd: c_int, offset: libc::off_t, size: usize, protection: c_int, flags: c_int) -> Result<Mapping> {
        // SAFETY: without MAP_FIXED no memory in use is replaced.
        let first = unsafe { libc::mmap(ptr::null_mut(), size, protection, flags & !libc::MAP_FIXED, fd, offset) };
        match NonNull::new(first) {
            Some(first) if first.as_ptr() != libc::MAP_FAILED => Ok(Mapping { first, size }),
            _ => Err(errno()),
        }
    }

    /// Whole pages of new memory: MAP_PRIVATE, or MAP_SHARED with children.
    pub fn memory(size: usize, sharing: c_int) -> Result<Mapping> {
        // SAFETY: no pointer is passed.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(1);
        let (size, protection) = (size.next_multiple_of(page), libc::PROT_READ | libc::PROT_WRITE);
        Mapping::new(-1, 0, size, protection, sharing | libc::MAP_ANONYMOUS)
    }

    pub fn first(&self) -> NonNull<c_void> {
        self.first
    }

    pub fn end(&self) -> NonNull<c_void> {
        // SAFETY: the end of the same mapping.
        unsafe { self.first.byte_add(self.size) }
    }

    pub fn address(&self) -> usize {
        self.first.addr().get()
    }

    /// It stays mapped.
    pub fn into_raw(self) -> *mut c_void {
        ManuallyDrop::new(self).first.as_ptr()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // It cannot fail for a whole mapping.
        let _ = Abandoned(self.first).unmap(self.size);
    }
}

/// Where memory begins that nobody uses any more.
pub struct Abandoned(NonNull<c_void>);

impl Abandoned {
    /// # Safety
    /// If something is mapped from there on, nobody uses it any more.
    pub unsafe fn from_raw(address: NonNull<c_void>) -> Abandoned {
        Abandoned(address)
    }

    pub fn address(&self) -> usize {
        self.0.addr().get()
    }

    pub fn unmap(self, size: usize) -> Result<()> {
        // SAFETY: nobody uses it, as from_raw() was promised.
        check(unsafe { libc::munmap(self.0.as_ptr(), size) }).map(drop)
    }
}

pub fn open_shared(name: &CStr, flags: c_int, mode: libc::mode_t) -> Result<OwnedFd> {
    // SAFETY: a terminated string.
    own(unsafe { libc::shm_open(name.as_ptr(), flags, mode) })
}

pub fn unlink_shared(name: &CStr) -> Result<()> {
    // SAFETY: a terminated string.
    check(unsafe { libc::shm_unlink(name.as_ptr()) }).map(drop)
}

/// A file that has no name and lives in memory; `name` is only shown in /proc.
pub fn anonymous_file(name: &CStr, flags: libc::c_uint) -> Result<OwnedFd> {
    // SAFETY: a terminated string.
    own(unsafe { libc::memfd_create(name.as_ptr(), flags) })
}
