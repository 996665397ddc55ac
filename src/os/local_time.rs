// SPDX-License-Identifier: Apache-2.0
//! The local time, even if localtime_r() cannot be called.
//!
//! localtime_r() acquires a lock. If a thread forks while another thread holds the lock, it is never released in the
//! child. Such a child uses the offset from UTC that its parent knew last.

use super::fork;
use super::standard_streams::Reserved;
use crate::rt::errno::PreservedErrno;
use crate::sys::thread::{has_one_thread, pthread_atfork};
use crate::sys::time;
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};

/// Seconds east of UTC, and the time at which this offset was determined.
static OFFSET: AtomicI64 = AtomicI64::new(0);
static OFFSET_KNOWN_AT: AtomicI64 = AtomicI64::new(NOT_KNOWN);
const NOT_KNOWN: i64 = i64::MIN;

/// Time zones change their offset only at a multiple of this.
const QUARTER_OF_AN_HOUR: i64 = 15 * 60;

/// The fork generation in which the lock is known to be usable, or one of the constants below.
static USABLE_IN: AtomicU32 = AtomicU32::new(NOT_USED);
const NOT_USED: u32 = 0;
const NEVER: u32 = u32::MAX;

/// Returns the current local time. Only the date and the time of day are set.
pub fn local_time() -> libc::tm {
    let now = time::time();
    if is_lock_usable() {
        return local_time_of_c_library(now);
    }
    broken_down(now.saturating_add(OFFSET.load(Ordering::Relaxed)))
}

fn is_lock_usable() -> bool {
    let generation = fork::generation();
    match USABLE_IN.load(Ordering::Relaxed) {
        NOT_USED => {
            USABLE_IN.store(generation, Ordering::Relaxed);
            true
        }
        known => known == generation,
    }
}

#[allow(clippy::useless_conversion, reason = "a long is shorter than i64 on some machines")]
fn local_time_of_c_library(now: i64) -> libc::tm {
    // At the first call, the C library opens the file of the time zone.
    let is_first = OFFSET_KNOWN_AT.load(Ordering::Relaxed) == NOT_KNOWN;
    let _reserved = is_first.then(Reserved::new);
    let time = time::localtime_r(now);
    OFFSET.store(time.tm_gmtoff.into(), Ordering::Relaxed);
    OFFSET_KNOWN_AT.store(now, Ordering::Relaxed);
    time
}

/// Updates the offset before each fork of a multithreaded program. A child of a single-threaded program may call
/// localtime_r().
#[cold]
pub fn watch_forks() {
    static CHILD_MAY_CALL_C_LIBRARY: AtomicBool = AtomicBool::new(false);

    extern "C" fn before_fork() {
        let has_one_thread = has_one_thread();
        CHILD_MAY_CALL_C_LIBRARY.store(has_one_thread, Ordering::Relaxed);
        if has_one_thread {
            return;
        }
        let _errno = PreservedErrno::new();
        let now = time::time();
        let known_at = OFFSET_KNOWN_AT.load(Ordering::Relaxed);
        if known_at.div_euclid(QUARTER_OF_AN_HOUR) != now.div_euclid(QUARTER_OF_AN_HOUR) && is_lock_usable() {
            local_time_of_c_library(now);
        }
    }

    extern "C" fn in_child() {
        let usable_in = if CHILD_MAY_CALL_C_LIBRARY.load(Ordering::Relaxed) { NOT_USED } else { NEVER };
        if USABLE_IN.load(Ordering::Relaxed) != NEVER {
            USABLE_IN.store(usable_in, Ordering::Relaxed);
        }
    }

    pthread_atfork(Some(before_fork), None, Some(in_child));
}

/// Converts seconds since 1970 to a date and a time of day.
fn broken_down(seconds: i64) -> libc::tm {
    const DAY: i64 = 24 * 60 * 60;
    let mut time = time::zeroed_tm();
    let (days, second_of_day) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (year, month, day) = date(days);
    time.tm_year = i32::try_from(year - 1900).unwrap_or(i32::MAX);
    time.tm_mon = (month - 1) as i32;
    time.tm_mday = day as i32;
    time.tm_hour = (second_of_day / 3600) as i32;
    time.tm_min = (second_of_day / 60 % 60) as i32;
    time.tm_sec = (second_of_day % 60) as i32;
    time
}

/// Converts days since 1970 to year, month and day in the Gregorian calendar. Years begin in March here, so that a leap
/// day is the last day of its year. The calculation uses periods of 400 years, which all have the same length.
fn date(days: i64) -> (i64, i64, i64) {
    const TO_MARCH_OF_YEAR_0: i64 = 719_468;
    const DAYS_OF_400_YEARS: i64 = 146_097;
    let days = days.saturating_add(TO_MARCH_OF_YEAR_0);
    let (period, day) = (days.div_euclid(DAYS_OF_400_YEARS), days.rem_euclid(DAYS_OF_400_YEARS));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // March to July have 153 days, and so have August to December.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (period * 400 + year + next_year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_converted_to_dates() {
        let cases = [
            (0, (1970, 1, 1)),
            (-1, (1969, 12, 31)),
            (58, (1970, 2, 28)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (20_783, (2026, 11, 26)),
            (47_540, (2100, 2, 28)),
            (47_541, (2100, 3, 1)),
            (-719_468, (0, 3, 1)),
        ];
        for (days, expected) in cases {
            assert_eq!(date(days), expected, "{days}");
        }
    }

    #[test]
    fn dates_agree_with_the_c_library() {
        for seconds in (-4_000_000_000..8_000_000_000_i64).step_by(86_400 * 17 + 4321) {
            let mut expected = time::zeroed_tm();
            // SAFETY: both pointers are valid for the call.
            unsafe { libc::gmtime_r(&seconds, &mut expected) };
            let time = broken_down(seconds);
            let fields = |t: &libc::tm| [t.tm_year, t.tm_mon, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec];
            assert_eq!(fields(&time), fields(&expected), "{seconds}");
        }
    }
}
