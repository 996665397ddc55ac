//! The local time, also where the C library cannot be asked for it.
//!
//! localtime_r() has a lock. A child that a thread forked while another one had the lock finds it locked for ever. Such a
//! child uses the offset from UTC that its parent last knew.

use super::fork;
use super::hidden::StandardStreams;
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};

unsafe extern "C" {
    // In threads.c.
    fn mmsysio_has_one_thread() -> libc::c_int;
}

/// Seconds east of UTC, and the time at which that was so.
static OFFSET: AtomicI64 = AtomicI64::new(0);
static OFFSET_KNOWN_AT: AtomicI64 = AtomicI64::new(NOT_KNOWN);
const NOT_KNOWN: i64 = i64::MIN;

/// No zone changes its offset except at a multiple of this.
const QUARTER_OF_AN_HOUR: i64 = 15 * 60;

/// The generation in which the lock is known to be whole, or one of these.
static WHOLE_IN: AtomicU32 = AtomicU32::new(NOT_ASKED);
const NOT_ASKED: u32 = 0;
const NEVER: u32 = u32::MAX;

/// The time now. Its date and time of day are set, nothing else.
pub fn local_time() -> libc::tm {
    let now = seconds_now();
    if is_lock_whole() {
        return ask(now);
    }
    broken_down(now.saturating_add(OFFSET.load(Ordering::Relaxed)))
}

#[allow(clippy::useless_conversion, reason = "it is shorter than i64 on some machines")]
fn seconds_now() -> i64 {
    // SAFETY: null asks for the result alone.
    unsafe { libc::time(ptr::null_mut()) }.into()
}

fn is_lock_whole() -> bool {
    let generation = fork::generation();
    match WHOLE_IN.load(Ordering::Relaxed) {
        NOT_ASKED => {
            WHOLE_IN.store(generation, Ordering::Relaxed);
            true
        }
        known => known == generation,
    }
}

#[allow(clippy::useless_conversion, reason = "a long is shorter than i64 on some machines")]
fn ask(now: i64) -> libc::tm {
    // SAFETY: all bytes zero is a valid tm, its time zone name a null pointer.
    let mut time: libc::tm = unsafe { mem::zeroed() };
    // The first time, the C library reads a file.
    let _kept_from_it = (OFFSET_KNOWN_AT.load(Ordering::Relaxed) == NOT_KNOWN).then(StandardStreams::occupy);
    // SAFETY: both pointers are valid for the call.
    unsafe { libc::localtime_r(&(now as libc::time_t), &mut time) };
    OFFSET.store(time.tm_gmtoff.into(), Ordering::Relaxed);
    OFFSET_KNOWN_AT.store(now, Ordering::Relaxed);
    time
}

/// Has the offset remembered before each fork of a program with threads. A child of a program without them may ask by
/// itself.
pub fn watch_forks() {
    static CHILD_MAY_ASK: AtomicBool = AtomicBool::new(false);

    extern "C" fn before_fork() {
        // SAFETY: it only reads a variable.
        let has_one_thread = unsafe { mmsysio_has_one_thread() } != 0;
        CHILD_MAY_ASK.store(has_one_thread, Ordering::Relaxed);
        if has_one_thread {
            return;
        }
        let errno_at_entry = errno::errno();
        let now = seconds_now();
        let known_at = OFFSET_KNOWN_AT.load(Ordering::Relaxed);
        if known_at.div_euclid(QUARTER_OF_AN_HOUR) != now.div_euclid(QUARTER_OF_AN_HOUR) && is_lock_whole() {
            ask(now);
        }
        errno::set_errno(errno_at_entry);
    }

    extern "C" fn in_child() {
        let whole_in = if CHILD_MAY_ASK.load(Ordering::Relaxed) { NOT_ASKED } else { NEVER };
        if WHOLE_IN.load(Ordering::Relaxed) != NEVER {
            WHOLE_IN.store(whole_in, Ordering::Relaxed);
        }
    }

    // SAFETY: the handlers ask for nothing, and stay loaded: the library is linked with -z nodelete.
    unsafe { libc::pthread_atfork(Some(before_fork), None, Some(in_child)) };
}

/// Seconds since 1970 as a date and a time of day.
fn broken_down(seconds: i64) -> libc::tm {
    const DAY: i64 = 24 * 60 * 60;
    // SAFETY: all bytes zero is a valid tm, its time zone name a null pointer.
    let mut time: libc::tm = unsafe { mem::zeroed() };
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

/// Year, month and day of the Gregorian calendar, from days since 1970. Years are counted from March on, so that the day
/// that is sometimes missing is their last, and in periods of 400, which are all alike.
fn date(days: i64) -> (i64, i64, i64) {
    const TO_MARCH_OF_YEAR_0: i64 = 719_468;
    const DAYS_OF_400_YEARS: i64 = 146_097;
    let days = days.saturating_add(TO_MARCH_OF_YEAR_0);
    let (period, day) = (days.div_euclid(DAYS_OF_400_YEARS), days.rem_euclid(DAYS_OF_400_YEARS));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Five months have 153 days, from March on and from August on.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (period * 400 + year + next_year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
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
            // SAFETY: all bytes zero is a valid tm.
            let mut expected: libc::tm = unsafe { mem::zeroed() };
            // SAFETY: both pointers are valid for the call.
            unsafe { libc::gmtime_r(&seconds, &mut expected) };
            let time = broken_down(seconds);
            let fields = |t: &libc::tm| [t.tm_year, t.tm_mon, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec];
            assert_eq!(fields(&time), fields(&expected), "{seconds}");
        }
    }
}
