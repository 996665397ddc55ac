// SPDX-License-Identifier: Apache-2.0
//! The end of a wait, on the monotonic clock.
#![forbid(unsafe_code)]

use super::timeout::Timeout;
use crate::os::cancel::Cancellation;
use crate::sys::{self, file, time};
use core::time::Duration;
use errno::Errno;

pub struct Deadline(Option<Duration>);

impl Deadline {
    /// Only a wait with a limit reads the clock.
    pub fn of(timeout: Timeout) -> sys::Result<Deadline> {
        Ok(Deadline(match timeout {
            Timeout::After(limit) => monotonic()?.checked_add(limit),
            Timeout::Immediate => Some(Duration::ZERO),
            Timeout::Never => None,
        }))
    }

    /// Zero if the wait is over.
    pub fn time_left(&self) -> sys::Result<Duration> {
        match self.0 {
            Some(Duration::ZERO) => Ok(Duration::ZERO),
            Some(end) => Ok(end.saturating_sub(monotonic()?)),
            None => Ok(Duration::MAX),
        }
    }
}

/// The time on the monotonic clock.
pub fn monotonic() -> sys::Result<Duration> {
    let now = time::clock_gettime_monotonic()?;
    Ok(Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0)))
}

/// The time for poll(): -1 if there is no limit, never shorter than `time`.
pub fn poll_timeout(time: Duration) -> i32 {
    if time == Duration::MAX {
        return -1;
    }
    let milliseconds = time.as_secs().saturating_mul(1000).saturating_add(time.subsec_micros().div_ceil(1000).into());
    milliseconds.try_into().unwrap_or(i32::MAX)
}

/// Sleeps. EINTR: interrupted by a signal handler. If a sandbox denies nanosleep(), poll() is used.
pub fn sleep<T>(time: Duration, owned: &T, cancellation: Cancellation) -> sys::Result<()> {
    match cancellation.point(owned, || time::nanosleep(time)) {
        Ok(()) => Ok(()),
        Err(Errno(libc::EINTR)) => Err(Errno(libc::EINTR)),
        Err(_) => cancellation.point(owned, || file::poll_slice(&mut [], poll_timeout(time))).map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_too_long_for_the_clock_means_no_limit() {
        assert_eq!(Deadline::of(Timeout::After(Duration::MAX)).unwrap().time_left(), Ok(Duration::MAX));
    }

    #[test]
    fn a_time_is_rounded_up_to_milliseconds() {
        let cases = [(0, 0), (1, 1), (999, 1), (1000, 1), (1001, 2), (2_147_483_648_000, i32::MAX)];
        for (microseconds, milliseconds) in cases {
            assert_eq!(poll_timeout(Duration::from_micros(microseconds)), milliseconds);
        }
        assert_eq!(poll_timeout(Duration::MAX), -1);
    }
}
