// SPDX-License-Identifier: Apache-2.0
//! Clocks.

use core::mem;

/// Returns the time of a clock. It is zero if the clock cannot be read.
#[inline]
fn clock_gettime(clock: libc::clockid_t) -> libc::timespec {
    // SAFETY: all bytes zero is a valid timespec. On some machines, it has private fields for padding.
    let mut time: libc::timespec = unsafe { mem::zeroed() };
    // SAFETY: the structure is valid for writing. A call that fails leaves it unchanged.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    time
}

#[inline]
pub fn clock_gettime_monotonic() -> libc::timespec {
    clock_gettime(libc::CLOCK_MONOTONIC)
}

#[inline]
pub fn clock_gettime_cpu_process() -> libc::timespec {
    clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID)
}
