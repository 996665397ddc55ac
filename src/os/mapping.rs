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

    /// The memory, which stays mapped.
    pub fn into_raw(self) -> *mut c_void {
        ManuallyDrop::new(self).first.as_ptr()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // If that fails (the process would have too many maps), the memory stays mapped.
        let _ = UnusedMemory(self.first).unmap(self.size);
    }
}

/// The start of memory that nobody uses any more.
pub struct UnusedMemory(NonNull<c_void>);

impl UnusedMemory {
    /// # Safety
    /// If something is mapped from there on, nobody uses it any more.
    pub unsafe fn from_c(first: NonNull<c_void>) -> UnusedMemory {
        UnusedMemory(first)
    }

    pub fn address(&self) -> usize {
        self.0.addr().get()
    }

    /// Unmaps the size that mmap() was given.
    ///
    /// mmap() rounds it up to whole pages, and munmap() as well, but not to whole huge pages (hugetlbfs, MFD_HUGETLB):
    /// part of one is EINVAL. No file is left to ask how large they are. But a map of huge pages can be cut only
    /// between them, so that each size that is too small fails, and the first that does not is that of the map.
    pub fn unmap(self, size: usize) -> Result<()> {
        let errno = PreservedErrno::new();
        let mut unmapped = self.try_to_unmap(size);
        for page in self.possible_page_sizes() {
            match (unmapped, size.checked_next_multiple_of(page)) {
                (Err(Errno(libc::EINVAL)), Some(whole)) => unmapped = self.try_to_unmap(whole),
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

    fn try_to_unmap(&self, size: usize) -> Result<()> {
        // SAFETY: nobody uses it, as from_c() was promised.
        unsafe { memory::munmap(self.0, size) }
    }
}
