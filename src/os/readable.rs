// SPDX-License-Identifier: Apache-2.0
//! Detecting readable memory without a system call.
//!
//! An address from a C program may be invalid. The kernel reports that as EFAULT. If the library reads such memory
//! itself to save time, the memory must be on a page that is known to be mapped.

use crate::sys::process::getauxval;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

/// The address of the program's writable segment, which contains its static variables and is never unmapped, and the
/// number of addresses from there at which a value of [`MAX_SIZE`] bytes is entirely in the segment.
static DATA_START: AtomicUsize = AtomicUsize::new(0);
static DATA_PLACES: AtomicUsize = AtomicUsize::new(0);
const MAX_SIZE: usize = size_of::<libc::iovec>();

/// Whether a `U` at `pointer` is readable because it is on the page where `neighbour` begins.
#[inline]
pub fn is_near<T, U>(pointer: *const U, neighbour: &T) -> bool {
    // The minimum page size of all architectures.
    const PAGE_SIZE: usize = 4096;
    let page = ptr::from_ref(neighbour).addr() & !(PAGE_SIZE - 1);
    pointer.addr().wrapping_sub(page) <= PAGE_SIZE - size_of::<U>()
}

/// Whether a `U` at `pointer` is readable because it is in the program's static variables.
#[inline]
pub fn is_variable<U>(pointer: *const U) -> bool {
    const { assert!(size_of::<U>() <= MAX_SIZE) };
    pointer.addr().wrapping_sub(DATA_START.load(Ordering::Relaxed)) < DATA_PLACES.load(Ordering::Relaxed)
}

/// Finds the program's static variables. Must be called when the library is loaded. Makes no system call.
#[cold]
pub fn find_variables() {
    // SAFETY: the kernel passes the address of the program headers, which are never unmapped.
    unsafe {
        let headers = ptr::with_exposed_provenance::<Header>(getauxval(libc::AT_PHDR));
        let size = getauxval(libc::AT_PHENT);
        if headers.is_null() || size != size_of::<Header>() {
            return;
        }
        let headers = core::slice::from_raw_parts(headers, getauxval(libc::AT_PHNUM));
        // In a position-independent program, PT_PHDR contains the address of the headers relative to the load address.
        let bias = headers
            .iter()
            .find(|header| header.p_type == libc::PT_PHDR)
            .map(|header| ptr::from_ref(headers).addr().wrapping_sub(header.p_vaddr as usize));
        // Some linkers put data that is read-only after relocation into a segment of its own, before the writable one.
        let writable =
            headers.iter().rfind(|header| header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W != 0);
        if let (Some(bias), Some(data)) = (bias, writable) {
            DATA_START.store(bias.wrapping_add(data.p_vaddr as usize), Ordering::Relaxed);
            DATA_PLACES.store((data.p_memsz as usize).saturating_sub(MAX_SIZE - 1), Ordering::Relaxed);
        }
    }
}

#[cfg(target_pointer_width = "64")]
type Header = libc::Elf64_Phdr;
#[cfg(target_pointer_width = "32")]
type Header = libc::Elf32_Phdr;

#[cfg(test)]
mod tests {
    use super::*;
    use std::boxed::Box;

    #[test]
    fn variables_of_the_program_are_readable() {
        static VARIABLES: [AtomicUsize; 8] = [const { AtomicUsize::new(1) }; 8];
        find_variables();
        let first: *const [usize; 2] = ptr::from_ref(&VARIABLES).cast();
        assert!(is_variable(first));
        let (start, places) = (DATA_START.load(Ordering::Relaxed), DATA_PLACES.load(Ordering::Relaxed));
        let at = |address: usize| ptr::without_provenance::<[usize; 2]>(address);
        let end = start + places + MAX_SIZE - 1;
        assert!(is_variable(at(end - size_of::<[usize; 2]>())));
        for address in [end - size_of::<[usize; 2]>() + 1, end, start - 8, 0, usize::MAX - 7] {
            assert!(!is_variable(at(address)));
        }
    }

    #[test]
    fn memory_on_the_same_page_is_readable() {
        #[repr(C, align(4096))]
        struct Pages([[u64; 512]; 2]);

        let pages = Box::new(Pages([[0; 512]; 2]));
        let start = ptr::from_ref(&*pages).cast::<u64>();
        for neighbour in [&pages.0[0][0], &pages.0[0][7], &pages.0[0][511]] {
            let near = |offset: isize| is_near::<_, [u64; 2]>(start.wrapping_offset(offset).cast(), neighbour);
            for (offset, expected) in [(-1, false), (0, true), (510, true), (511, false), (512, false), (-512, false)] {
                assert_eq!(near(offset), expected, "{offset}");
            }
            assert!(is_near::<_, [u64; 2]>(start.wrapping_byte_add(4080).cast(), neighbour));
            assert!(!is_near::<_, [u64; 2]>(start.wrapping_byte_add(4081).cast(), neighbour));
            assert!(!is_near::<_, [u64; 2]>(ptr::null(), neighbour));
            assert!(!is_near::<_, [u64; 2]>(ptr::without_provenance(usize::MAX - 7), neighbour));
        }
    }
}
