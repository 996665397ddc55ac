// SPDX-License-Identifier: Apache-2.0
//! Detecting that memory of a C caller cannot be accessed, for functions of the C library that access it themselves.
//!
//! On 32-bit machines, the C library converts times and control messages, and musl also reads them on other machines: at
//! an invalid address it crashes, where the kernel would fail with EFAULT. There, the functions that pass such memory to
//! the C library call these first. Elsewhere, these do nothing.

use super::{Result, check_long};
use core::ffi::{c_int, c_void};
use core::ptr;
use errno::Errno;

const IS_NEEDED: bool = cfg!(any(target_pointer_width = "32", target_env = "musl"));

/// The minimum page size of all architectures.
const PAGE_SIZE: usize = 4096;

/// The size of the kernel's set of signals, which the probes read or write.
const SET_SIZE: usize = 8;

/// EFAULT: a `T` at `first` cannot be read. `T` is not smaller than a set of signals.
pub fn check_readable<T>(first: *const T, count: usize) -> Result<()> {
    if readable_count(first, count) < count { Err(Errno(libc::EFAULT)) } else { Ok(()) }
}

/// Returns how many of `count` elements can be read. `T` is not smaller than a set of signals.
pub fn readable_count<T>(first: *const T, count: usize) -> usize {
    const { assert!(size_of::<T>() >= SET_SIZE) };
    if !IS_NEEDED {
        return count;
    }
    let (start, size) = (first.addr(), count.saturating_mul(size_of::<T>()));
    let mut readable = 0;
    while readable < size {
        let address = start.wrapping_add(readable);
        if !can_read(ptr::without_provenance(address)) {
            break;
        }
        readable += PAGE_SIZE - address % PAGE_SIZE;
    }
    readable.min(size) / size_of::<T>()
}

/// EFAULT: the memory cannot be read and written.
///
/// # Safety
/// No other thread accesses the memory. An invalid address is permitted.
pub unsafe fn check_writable<T: Copy>(memory: *mut T) -> Result<()> {
    const { assert!(size_of::<T>() % SET_SIZE == 0) };
    if !IS_NEEDED {
        return Ok(());
    }
    check_readable(memory, 1)?;
    // SAFETY: it is readable, and a T is valid there because the caller would let the C library use it.
    let value = unsafe { memory.read_unaligned() };
    let sets = (0..size_of::<T>() / SET_SIZE).map(|set| memory.wrapping_byte_add(set * SET_SIZE));
    let written = sets.map(|set| can_write(set.cast())).take_while(|can_write| *can_write).count();
    let saved = ptr::from_ref(&value).cast::<u8>();
    // SAFETY: the kernel has just written these bytes.
    unsafe { ptr::copy(saved, memory.cast(), written * SET_SIZE) };
    if written * SET_SIZE < size_of::<T>() { Err(Errno(libc::EFAULT)) } else { Ok(()) }
}

/// Whether the kernel can read a set of signals. It reads the set before it rejects the first argument.
fn can_read(set: *const c_void) -> bool {
    !set.is_null() && rt_sigprocmask(-1, set, ptr::null_mut()) != Err(Errno(libc::EFAULT))
}

/// Whether the kernel can write a set of signals.
fn can_write(set: *mut c_void) -> bool {
    rt_sigprocmask(libc::SIG_BLOCK, ptr::null(), set) != Err(Errno(libc::EFAULT))
}

/// Makes the system call directly: the C library would access the sets.
fn rt_sigprocmask(how: c_int, set: *const c_void, before: *mut c_void) -> Result<()> {
    let before_call = errno::errno();
    // SAFETY: the kernel fails if it cannot access the memory. No signal is blocked or unblocked: `how` is invalid, or
    // there is no new set.
    let result = check_long(unsafe { libc::syscall(libc::SYS_rt_sigprocmask, how, set, before, SET_SIZE) }).map(drop);
    errno::set_errno(before_call);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_find_what_is_mapped() {
        let mut value = [1_u64, 2];
        assert!(can_read(ptr::from_ref(&value).cast()));
        assert!(can_write((&raw mut value).cast()));
        assert_eq!(value.get(1), Some(&2));
        for address in [0, 8, usize::MAX - 7] {
            assert!(!can_read(ptr::without_provenance(address)), "{address}");
        }
        let constant: *const u64 = &raw const CONSTANT;
        assert!(can_read(constant.cast()));
        assert!(!can_write(constant.cast_mut().cast()));
    }

    static CONSTANT: u64 = 3;
}
