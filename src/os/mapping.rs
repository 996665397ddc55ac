// SPDX-License-Identifier: Apache-2.0
//! Memory mappings.

use crate::rt::errno::PreservedErrno;
use crate::rt::fd::Fd;
use crate::sys::{Result, large_file, memory};
use core::ffi::{c_int, c_void};
use core::iter;
use core::mem::{self, ManuallyDrop};
use core::ptr::NonNull;
use errno::Errno;

/// A memory mapping. Dropping it unmaps the memory.
pub struct Mapping {
    first: NonNull<c_void>,
    size: usize,
}

impl Mapping {
    /// Maps part of a file at an address that the kernel chooses.
    pub fn new(fd: Fd, offset: large_file::off_t, size: usize, protection: c_int, flags: c_int) -> Result<Mapping> {
        memory::mmap(size, protection, flags, fd, offset).map(|first| Mapping { first, size })
    }

    /// Maps whole pages of anonymous memory. `sharing` is MAP_PRIVATE or MAP_SHARED (with child processes).
    pub fn memory(size: usize, sharing: c_int) -> Result<Mapping> {
        let size = size.checked_next_multiple_of(memory::page_size()).ok_or(Errno(libc::ENOMEM))?;
        Mapping::new(Fd::NONE, 0, size, libc::PROT_READ | libc::PROT_WRITE, sharing | libc::MAP_ANONYMOUS)
    }

    pub fn first(&self) -> NonNull<c_void> {
        self.first
    }

    pub fn end(&self) -> NonNull<c_void> {
        // SAFETY: the result is the end of the same mapping.
        unsafe { self.first.byte_add(self.size) }
    }

    pub fn address(&self) -> usize {
        self.first.addr().get()
    }

    /// Returns the memory for C, and a record with the size, which is needed to unmap it.
    pub fn into_c(self) -> (*mut c_void, LentMapping) {
        let first = self.first.as_ptr();
        (first, LentMapping(ManuallyDrop::new(self)))
    }

    /// Unmaps the memory. On success, errno is preserved.
    ///
    /// mmap() rounds the size up to whole pages, and for a file of huge pages (hugetlbfs, MFD_HUGETLB) up to whole huge
    /// pages. munmap() rounds only to normal pages, and fails with EINVAL for part of a huge page. The size of the huge
    /// pages is not known here, so the possible sizes are tried in ascending order. A mapping of huge pages can be
    /// split only between them, so a size that is too small fails, and the first call that succeeds unmaps the whole
    /// mapping.
    ///
    /// # Safety
    /// The memory is no longer used. After success, the mapping is neither used nor dropped.
    unsafe fn unmap(&self) -> Result<()> {
        let errno = PreservedErrno::new();
        // SAFETY: as promised by the caller.
        let mut unmapped = unsafe { memory::munmap(self.first, self.size) };
        for page in self.possible_page_sizes() {
            match (unmapped, self.size.checked_next_multiple_of(page)) {
                (Err(Errno(libc::EINVAL)), Some(whole)) => {
                    // SAFETY: as above; a mapping of huge pages extends to the end of the last one.
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

    /// The page sizes to which the address is aligned, in ascending order.
    fn possible_page_sizes(&self) -> impl Iterator<Item = usize> {
        const MAX_PAGE_SIZE: u64 = 16 << 30;
        let address = self.address();
        let doubled = |page: &usize| page.checked_mul(2);
        let sizes = iter::successors(Some(memory::page_size()), doubled);
        sizes.take_while(move |page| address & (*page - 1) == 0 && *page as u64 <= MAX_PAGE_SIZE)
    }
}

// SAFETY: any thread can unmap the memory.
unsafe impl Send for Mapping {}

impl Drop for Mapping {
    fn drop(&mut self) {
        // If this fails (the process would have too many mappings), the memory remains mapped. SAFETY: the memory was
        // not lent to C, so nothing can use it.
        let _ = unsafe { self.unmap() };
    }
}

/// A mapping whose memory is lent to C. Dropping this does not unmap it.
pub struct LentMapping(ManuallyDrop<Mapping>);

impl LentMapping {
    pub fn address(&self) -> usize {
        self.0.address()
    }

    pub fn size(&self) -> usize {
        self.0.size
    }

    /// Unmaps memory that C returns. A failure returns the record. EINVAL: the record is that of other memory.
    pub fn unmap(self, memory: UnusedMemory) -> core::result::Result<(), (Errno, LentMapping)> {
        if memory.address() != self.address() {
            return Err((Errno(libc::EINVAL), self));
        }
        // SAFETY: UnusedMemory::from_c() guarantees that nothing uses the memory, and on success self is not used
        // again.
        unsafe { self.0.unmap() }.map_err(|failure| (failure, self))
    }
}

/// The address of a mapping that C has returned.
pub struct UnusedMemory(NonNull<c_void>);

impl UnusedMemory {
    /// # Safety
    /// If a [`LentMapping`] begins there, the memory that it covers is no longer used.
    pub unsafe fn from_c(first: NonNull<c_void>) -> UnusedMemory {
        UnusedMemory(first)
    }

    pub fn address(&self) -> usize {
        self.0.addr().get()
    }
}

#[cfg(test)]
impl LentMapping {
    /// A record of memory that is not mapped and must not be unmapped.
    pub fn of_nothing(address: usize, size: usize) -> LentMapping {
        let first = NonNull::new(core::ptr::without_provenance_mut(address)).unwrap();
        LentMapping(ManuallyDrop::new(Mapping { first, size }))
    }
}
