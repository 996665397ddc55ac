//! Memory maps, and objects in memory that can be mapped.

use super::{Result, check, own};
use errno::{Errno, errno, set_errno};
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
        let (size, protection) = (size.next_multiple_of(page_size()), libc::PROT_READ | libc::PROT_WRITE);
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
        // If that fails (the system would have too many maps), nobody is left who could try again.
        let _ = Abandoned(self.first).unmap(self.size);
    }
}

fn page_size() -> usize {
    // SAFETY: no pointer is passed.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(1)
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

    /// Of the size that mmap() was given.
    ///
    /// mmap() rounds it up to whole pages, and munmap() as well, but not to whole huge pages (hugetlbfs, MFD_HUGETLB):
    /// part of one is EINVAL. No file is left to ask how large they are. But a map of huge pages can be cut only
    /// between them, so that each size that is too small fails, and the first that does not is that of the map.
    pub fn unmap(self, size: usize) -> Result<()> {
        let errno_at_entry = errno();
        let mut unmapped = self.try_to_unmap(size);
        for page in self.possible_pages() {
            match (unmapped, size.checked_next_multiple_of(page)) {
                (Err(Errno(libc::EINVAL)), Some(whole)) => unmapped = self.try_to_unmap(whole),
                _ => break,
            }
        }
        if unmapped.is_ok() {
            set_errno(errno_at_entry);
        }
        unmapped
    }

    /// Sizes of pages with which a map can begin here, the smallest first.
    fn possible_pages(&self) -> impl Iterator<Item = usize> {
        const LARGEST: u64 = 16 << 30;
        let address = self.address();
        let doubled = |page: &usize| page.checked_mul(2);
        let pages = std::iter::successors(Some(page_size()), doubled);
        pages.take_while(move |page| address & (*page - 1) == 0 && *page as u64 <= LARGEST)
    }

    fn try_to_unmap(&self, size: usize) -> Result<()> {
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
