// SPDX-License-Identifier: Apache-2.0
//! Relative sleep.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::sys::time;

/// Sleeps for `duration` units, of which `per_second` are one second. Returns immediately if `duration` is not
/// positive. An end beyond the range of the clock saturates.
pub fn sleep_for(duration: i64, per_second: i64, unit: &str) -> Result<()> {
    if duration <= 0 {
        return Ok(());
    }
    let failed = |e| Error::os(e, format_args!("cannot sleep for {duration} {unit}"));
    let now = time::clock_gettime_monotonic().map_err(failed)?;
    time::clock_nanosleep_until(libc::CLOCK_MONOTONIC, &after(now, duration, per_second)).map_err(failed)
}

const NS_IN_SEC: i64 = 1_000_000_000;

#[allow(clippy::useless_conversion, reason = "they are shorter than i64 on some machines")]
fn after(start: libc::timespec, duration: i64, per_second: i64) -> libc::timespec {
    let nanoseconds = i64::from(start.tv_nsec) + duration % per_second * (NS_IN_SEC / per_second);
    let seconds = duration / per_second + nanoseconds / NS_IN_SEC;
    time::timespec(i64::from(start.tv_sec).saturating_add(seconds), nanoseconds % NS_IN_SEC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after_start(duration: i64, per_second: i64) -> (i64, i64) {
        let end = after(time::timespec(10, 999_999_999), duration, per_second);
        (end.tv_sec, end.tv_nsec)
    }

    #[test]
    fn durations_are_added_with_carry() {
        assert_eq!(after_start(1, NS_IN_SEC), (11, 0));
        assert_eq!(after_start(2_500, 1000), (13, 499_999_999));
        assert_eq!(after_start(1_000_001, 1_000_000), (12, 999));
    }

    #[test]
    fn an_end_beyond_the_range_of_time_t_saturates() {
        assert_eq!(after_start(i64::MAX, 1000).0, 10 + i64::MAX / 1000 + 1);
        let late = time::timespec(i64::MAX - 1, 0);
        assert_eq!(after(late, i64::MAX, 1000).tv_sec, i64::MAX);
    }
}
