// SPDX-License-Identifier: Apache-2.0
//! Clocks.

use super::{Result, check, probe};
use core::mem;
use core::ptr;
use core::time::Duration;
use errno::Errno;

// The programs that call the library use the C compiler's time_t. See the Makefile.
const _: () = assert!(
    matches!(env!("SIZE_OF_TIME_T").as_bytes(), b"8") == (size_of::<libc::time_t>() == 8),
    "the C compiler's time_t has another size than that of the libc crate: build with make"
);

/// Returns a time. Seconds that do not fit into a time_t saturate. The nanoseconds are less than a second.
pub fn timespec(seconds: i64, nanoseconds: i64) -> libc::timespec {
    // SAFETY: all bytes zero is a valid timespec. On some machines, it has private fields for padding.
    let mut time: libc::timespec = unsafe { mem::zeroed() };
    time.tv_sec = libc::time_t::try_from(seconds).unwrap_or(libc::time_t::MAX);
    time.tv_nsec = nanoseconds as _;
    time
}

/// # Safety
/// `time` is valid for writing.
pub unsafe fn clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::clock_gettime(clock, time) }).map(drop)
}

pub fn clock_gettime_monotonic() -> Result<libc::timespec> {
    let mut time = timespec(0, 0);
    // SAFETY: the structure is valid for writing.
    unsafe { clock_gettime(libc::CLOCK_MONOTONIC, &mut time) }.map(|()| time)
}

/// # Safety
/// `resolution` is null or valid for writing, or the kernel fails with EFAULT.
pub unsafe fn clock_getres(clock: libc::clockid_t, resolution: *mut libc::timespec) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::clock_getres(clock, resolution) }).map(drop)
}

/// Sleeps until the clock reaches the time.
///
/// # Safety
/// The kernel may read a time at `time`, or fails with EFAULT.
pub unsafe fn clock_nanosleep(clock: libc::clockid_t, time: *const libc::timespec) -> Result<()> {
    probe::check_readable(time, 1)?;
    // SAFETY: as promised by the caller; the remaining time is not requested.
    match unsafe { libc::clock_nanosleep(clock, libc::TIMER_ABSTIME, time, ptr::null_mut()) } {
        0 => Ok(()),
        failure => Err(Errno(failure)),
    }
}

/// The same for a reference.
pub fn clock_nanosleep_until(clock: libc::clockid_t, time: &libc::timespec) -> Result<()> {
    // SAFETY: a reference is valid.
    unsafe { clock_nanosleep(clock, time) }
}

/// Sleeps. EINTR: interrupted by a signal handler.
pub fn nanosleep(time: Duration) -> Result<()> {
    let time = timespec(i64::try_from(time.as_secs()).unwrap_or(i64::MAX), time.subsec_nanos().into());
    // SAFETY: the time is valid for the call; the remaining time is not requested.
    check(unsafe { libc::nanosleep(&time, ptr::null_mut()) }).map(drop)
}

/// Returns the seconds since 1970.
#[allow(clippy::useless_conversion, reason = "it is shorter than i64 on some machines")]
pub fn time() -> i64 {
    // SAFETY: with null, only the result is returned.
    unsafe { libc::time(ptr::null_mut()) }.into()
}

pub fn localtime_r(seconds: i64) -> libc::tm {
    let mut time = zeroed_tm();
    // SAFETY: both pointers are valid for the call.
    unsafe { libc::localtime_r(&(seconds as libc::time_t), &mut time) };
    time
}

pub const fn zeroed_tm() -> libc::tm {
    // SAFETY: all bytes zero is a valid tm, with a null pointer as time zone name.
    unsafe { mem::zeroed() }
}
