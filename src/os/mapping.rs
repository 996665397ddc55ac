// SPDX-License-Identifier: Apache-2.0
//! Mapped memory as values.

use crate::rt::errno::PreservedErrno;
use crate::rt::fd::Fd;
use crate::sys::{Result, memory};
use core::ffi::{c_int, c_void};
use core::iter;
use core::mem::{self, ManuallyDrop};
use core::ptr::NonNull;
use errno::Errno;

/// Memory that was mapped; unmapped when dropped.
pub struct Mapping {
    first: NonNull<c_void>,
    size: usize,
}

impl Mapping {
    /// Of part of a file, where the kernel finds space.
    pub fn new(fd: Fd, offset: libc::off_t, size: usize, protection: c_int, flags: c_int) -> Result<Mapping> {
        memory::mmap(size, protection, flags, fd, offset).map(|first| Mapping { first, size })
    }

    /// Whole pages of new memory: MAP_PRIVATE, or MAP_SHARED with children.
    pub fn memory(size: usize, sharing: c_int) -> Result<Mapping> {
        let size = size.checked_next_multiple_of(memory::page_size()).ok_or(Errno(libc::ENOMEM))?;
        Mapping::new(Fd::NONE, 0, size, libc::PROT_READ | libc::PROT_WRITE, sharing | libc::MAP_ANONYMOUS)
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

    /// The memory for C, and a record of what was mapped: its size is needed to unmap it.
    pub fn into_c(self) -> (*mut c_void, LentMapping) {
        let first = self.first.as_ptr();
        (first, LentMapping(ManuallyDrop::new(self)))
    }

    /// Unmaps the size that mmap() was given. On success, errno stays as it is.
    ///
    /// mmap() rounds it up to whole pages, and munmap() as well, but not to whole huge pages (hugetlbfs, MFD_HUGETLB):
    /// part of one is EINVAL. No file is left to ask how large they are. But a map of huge pages can be cut only
    /// between them, so that each size that is too small fails, and the first that does not is that of the map.
    ///
    /// # Safety
    /// Nobody uses the memory any more, and if this succeeds, the mapping is not used again, nor dropped.
    unsafe fn unmap(&self) -> Result<()> {
        let errno = PreservedErrno::new();
        // SAFETY: as promised by the caller.
        let mut unmapped = unsafe { memory::munmap(self.first, self.size) };
        for page in self.possible_page_sizes() {
            match (unmapped, self.size.checked_next_multiple_of(page)) {
                (Err(Errno(libc::EINVAL)), Some(whole)) => {
                    // SAFETY: as above; memory of huge pages is mapped up to the end of the last.
                    unmapped = unsafe { memory::munmap(self.first, whole) };
                }
                _ => break,
            }
        }
        if unmapped.is_err() {
            mem::forget(errno);
        }
        unmapped
    }

    /// Sizes of pages with which a map can begin here, the smallest first.
    fn possible_page_sizes(&self) -> impl Iterator<Item = usize> {
        const LARGEST: u64 = 16 << 30;
        let address = self.address();
        let doubled = |page: &usize| page.checked_mul(2);
        let sizes = iter::successors(Some(memory::page_size()), doubled);
        sizes.take_while(move |page| address & (*page - 1) == 0 && *page as u64 <= LARGEST)
    }
}

// SAFETY: memory can be unmapped by any thread.
unsafe impl Send for Mapping {}

impl Drop for Mapping {
    fn drop(&mut self) {
        // If that fails (the process would have too many maps), the memory stays mapped.
        // SAFETY: the memory was not lent to C: nobody can use it any more.
        let _ = unsafe { self.unmap() };
    }
}

/// A mapping whose memory C has: it stays mapped when this is dropped.
pub struct LentMapping(ManuallyDrop<Mapping>);

impl LentMapping {
    pub fn address(&self) -> usize {
        self.0.address()
    }

    pub fn size(&self) -> usize {
        self.0.size
    }

    /// Unmaps the memory that C gives back. A failure returns the record; EINVAL if it is that of other memory.
    pub fn unmap(self, memory: UnusedMemory) -> core::result::Result<(), (Errno, LentMapping)> {
        if memory.address() != self.address() {
            return Err((Errno(libc::EINVAL), self));
        }
        // SAFETY: nobody uses it, as UnusedMemory::from_c() was promised, and self is given up on success.
        unsafe { self.0.unmap() }.map_err(|failure| (failure, self))
    }
}

/// The address of a mapping that C has given back.
pub struct UnusedMemory(NonNull<c_void>);

impl UnusedMemory {
    /// # Safety
    /// If a [`LentMapping`] begins there, nobody uses the memory that it covers any more.
    pub unsafe fn from_c(first: NonNull<c_void>) -> UnusedMemory {
        UnusedMemory(first)
    }

    pub fn address(&self) -> usize {
        self.0.addr().get()
    }
}

#[cfg(test)]
impl LentMapping {
    /// A record of memory that is not mapped, and must not be unmapped.
    pub fn of_nothing(address: usize, size: usize) -> LentMapping {
        let first = NonNull::new(core::ptr::without_provenance_mut(address)).unwrap();
        LentMapping(ManuallyDrop::new(Mapping { first, size }))
    }
}
