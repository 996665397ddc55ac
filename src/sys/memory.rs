// SPDX-License-Identifier: Apache-2.0
//! Memory mappings, and files in memory.

use super::{Result, check, large_file, own};
use crate::rt::fd::{Fd, OwnedFd};
use core::ffi::{CStr, c_int, c_uint, c_void};
use core::ptr::{self, NonNull};
use errno::{Errno, errno};

/// Maps memory at an address that the kernel chooses. MAP_FIXED is ignored, so that no memory in use is replaced.
pub fn mmap(
    size: usize,
    protection: c_int,
    flags: c_int,
    fd: Fd,
    offset: large_file::off_t,
) -> Result<NonNull<c_void>> {
    // SAFETY: without MAP_FIXED only new addresses are mapped.
    let first =
        unsafe { large_file::mmap(ptr::null_mut(), size, protection, flags & !libc::MAP_FIXED, fd.number(), offset) };
    match NonNull::new(first) {
        Some(first) if first.as_ptr() != libc::MAP_FAILED => Ok(first),
        _ => Err(reason(size, offset)),
    }
}

/// Returns errno after a failure of mmap(). On 32-bit machines, the kernel counts the offset in units of 4096 bytes, with
/// 32 bits. The C library rejects an offset beyond that with EINVAL; for the kernels of other machines it is EOVERFLOW.
fn reason(size: usize, offset: large_file::off_t) -> Errno {
    const UNIT: large_file::off_t = 4096;
    let is_beyond = cfg!(target_pointer_width = "32") && u32::try_from(offset / UNIT).is_err();
    let is_size_valid = size > 0 && offset % UNIT == 0;
    match errno() {
        Errno(libc::EINVAL) if is_beyond && is_size_valid => Errno(libc::EOVERFLOW),
        reason => reason,
    }
}

/// # Safety
/// The memory is not used afterwards.
pub unsafe fn munmap(first: NonNull<c_void>, size: usize) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::munmap(first.as_ptr(), size) }).map(drop)
}

/// # Safety
/// The advice does not change memory that is in use.
pub unsafe fn madvise(first: NonNull<c_void>, size: usize, advice: c_int) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::madvise(first.as_ptr(), size, advice) }).map(drop)
}

pub fn page_size() -> usize {
    // SAFETY: no pointer is passed.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(1)
}

pub fn shm_open(name: &CStr, flags: c_int, mode: libc::mode_t) -> Result<OwnedFd> {
    // SAFETY: a terminated string.
    unsafe { own(libc::shm_open(name.as_ptr(), flags, mode)) }
}

pub fn shm_unlink(name: &CStr) -> Result<()> {
    // SAFETY: a terminated string.
    check(unsafe { libc::shm_unlink(name.as_ptr()) }).map(drop)
}

/// `name` is shown in /proc and has no other effect.
pub fn memfd_create(name: &CStr, flags: c_uint) -> Result<OwnedFd> {
    // SAFETY: a terminated string.
    unsafe { own(libc::memfd_create(name.as_ptr(), flags)) }
}
