// SPDX-License-Identifier: Apache-2.0
//! Memory that can be read without the risk of a crash, as far as that is known without a system call.
//!
//! An address that a C program gives may be wrong. The kernel finds that out and says EFAULT. Where it is cheaper to look
//! at the memory here, it must lie on a page that is known to be there.

use crate::sys::process::getauxval;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

/// The variables of the program, which are mapped for its whole life: where they begin, and their size.
static DATA_START: AtomicUsize = AtomicUsize::new(0);
static DATA_SIZE: AtomicUsize = AtomicUsize::new(0);

/// Whether a `U` can be read at `pointer` because it lies on the page where `neighbour` begins.
#[inline]
pub fn is_near<T, U>(pointer: *const U, neighbour: &T) -> bool {
    // No architecture has smaller pages.
    const PAGE_SIZE: usize = 4096;
    let page = ptr::from_ref(neighbour).addr() & !(PAGE_SIZE - 1);
    pointer.addr().wrapping_sub(page) <= PAGE_SIZE - size_of::<U>()
}

/// Whether a `U` can be read at `pointer` because it lies among the variables of the program.
#[inline]
pub fn is_variable<U>(pointer: *const U) -> bool {
    let offset = pointer.addr().wrapping_sub(DATA_START.load(Ordering::Relaxed));
    offset < DATA_SIZE.load(Ordering::Relaxed).saturating_sub(size_of::<U>() - 1)
}

/// Finds the variables of the program. To be called when the library is loaded; it makes no system call.
#[cold]
pub fn find_variables() {
    // SAFETY: the kernel has handed the program's own headers over, which are mapped for its whole life.
    unsafe {
        let headers = ptr::with_exposed_provenance::<Header>(getauxval(libc::AT_PHDR));
        let size = getauxval(libc::AT_PHENT);
        if headers.is_null() || size != size_of::<Header>() {
            return;
        }
        let headers = core::slice::from_raw_parts(headers, getauxval(libc::AT_PHNUM));
        // A program that may be loaded anywhere says where its headers would be at address 0.
        let bias = headers
            .iter()
            .find(|header| header.p_type == libc::PT_PHDR)
            .map(|header| ptr::from_ref(headers).addr().wrapping_sub(header.p_vaddr as usize));
        // Some linkers give those that are only written while the program starts a segment of their own, the first.
        let writable =
            headers.iter().rfind(|header| header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W != 0);
        if let (Some(bias), Some(data)) = (bias, writable) {
            DATA_START.store(bias.wrapping_add(data.p_vaddr as usize), Ordering::Relaxed);
            DATA_SIZE.store(data.p_memsz as usize, Ordering::Relaxed);
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
        let (start, size) = (DATA_START.load(Ordering::Relaxed), DATA_SIZE.load(Ordering::Relaxed));
        let at = |address: usize| ptr::without_provenance::<[usize; 2]>(address);
        let end = start + size;
        assert!(is_variable(at(end - size_of::<[usize; 2]>())));
        for address in [end - size_of::<[usize; 2]>() + 1, end, start - 8, 0, usize::MAX - 7] {
            assert!(!is_variable(at(address)));
        }
    }

    #[test]
    fn what_shares_a_page_is_readable() {
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
