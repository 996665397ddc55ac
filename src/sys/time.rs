//! Clocks.

use super::{Result, check};
use errno::Errno;
use std::mem::MaybeUninit;
use std::ptr;
use std::time::Duration;

/// # Safety
/// The time may be written at `time`.
pub unsafe fn now(clock: libc::clockid_t, time: *mut libc::timespec) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::clock_gettime(clock, time) }).map(drop)
}

pub fn monotonic_now() -> Result<libc::timespec> {
    let mut time = MaybeUninit::uninit();
    // SAFETY: the structure is valid for writing, and filled on success.
    unsafe {
        now(libc::CLOCK_MONOTONIC, time.as_mut_ptr())?;
        Ok(time.assume_init())
    }
}

/// How long it is since a moment in the past, the same for all processes.
pub fn monotonic() -> Result<Duration> {
    let now = monotonic_now()?;
    Ok(Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0)))
}

/// # Safety
/// The time may be written at `resolution`, the kernel finds that it cannot, or it is null.
pub unsafe fn resolution(clock: libc::clockid_t, resolution: *mut libc::timespec) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::clock_getres(clock, resolution) }).map(drop)
}

/// Sleeps until the clock shows that time.
///
/// # Safety
/// The kernel may read a time at `time`, or finds that it cannot.
pub unsafe fn sleep_until(clock: libc::clockid_t, time: *const libc::timespec) -> Result<()> {
    // SAFETY: as promised by the caller; the time that remains is not asked for.
    match unsafe { libc::clock_nanosleep(clock, libc::TIMER_ABSTIME, time, ptr::null_mut()) } {
        0 => Ok(()),
        failure => Err(Errno(failure)),
    }
}

pub fn sleep_until_monotonic(time: &libc::timespec) -> Result<()> {
    // SAFETY: a reference is valid.
    unsafe { sleep_until(libc::CLOCK_MONOTONIC, time) }
}
