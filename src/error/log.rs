// SPDX-License-Identifier: Apache-2.0
//! Log lines on standard error.
#![forbid(unsafe_code)]

use crate::os::local_time::local_time;
use crate::os::stderr;
use crate::rt::errno::PreservedErrno;
use crate::rt::text::Text;
use crate::sys::env;
use core::ffi::c_int;
use core::sync::atomic::{AtomicI32, Ordering};

pub const NONE: c_int = -1;
pub const ERROR: c_int = 1;
pub const WARN: c_int = 2;
pub const INFO: c_int = 3;

/// Level names, indexed by level. The environment variable accepts the same names.
const NAMES: [&str; 5] = ["FATAL", "ERROR", "WARN", "INFO", "DEBUG"];

/// The maximum level has neither been set nor read from the environment.
const UNREAD: c_int = c_int::MIN;

static MAX_LEVEL: AtomicI32 = AtomicI32::new(UNREAD);

pub fn set_max_level(level: c_int) -> c_int {
    max_level();
    MAX_LEVEL.swap(level.max(UNREAD + 1), Ordering::Relaxed)
}

/// Returns the maximum level that was set, or else that of the environment.
///
/// The environment is read when the library is loaded, or at the first use if that is earlier, in a constructor of
/// another library. If the variable is not set, the level is INFO. If it has an unknown value, nothing is logged.
#[cold]
pub fn max_level() -> c_int {
    match MAX_LEVEL.load(Ordering::Relaxed) {
        // The C library has not initialised the environment yet.
        UNREAD if env::environ_array().is_null() => INFO,
        UNREAD => {
            let level =
                env::secure_getenv_value(env::max_log_level_variable(), |value| value.map_or(INFO, level_named));
            let stored = MAX_LEVEL.compare_exchange(UNREAD, level, Ordering::Relaxed, Ordering::Relaxed);
            // Another thread may have stored a value first.
            stored.map_or_else(|other| other, |_| level)
        }
        level => level,
    }
}

fn level_named(name: &[u8]) -> c_int {
    let position = NAMES.iter().position(|known| known.as_bytes() == name);
    position.and_then(|level| c_int::try_from(level).ok()).unwrap_or(NONE)
}

fn level_name(level: c_int) -> Option<&'static str> {
    NAMES.get(usize::try_from(level).ok()?).copied()
}

/// Whether a line of that level would be printed.
pub fn is_enabled(level: c_int) -> bool {
    level_name(level).is_some() && level <= max_level()
}

/// Logs a line. errno and the error state are preserved, even if the line cannot be written.
pub fn line(level: c_int, location: &[u8], message: &[u8]) {
    let Some(name) = level_name(level).filter(|_| is_enabled(level)) else {
        return;
    };
    let _errno = PreservedErrno::new();
    // The line is usually written by one system call, so that lines of several threads do not mix. Bytes that cannot be
    // written without waiting are lost.
    if let Some(target) = stderr::target() {
        target.write(composed(&local_time(), name, location, message).as_bytes());
    }
}

/// The length of "DD/MM/YY HH:MM:SS ".
const LEVEL_COLUMN: usize = 18;

/// Formats a line, at most 256 bytes: `DD/MM/YY HH:MM:SS LEVEL location         : message`.
fn composed(time: &libc::tm, level: &str, location: &[u8], message: &[u8]) -> Text<257> {
    let mut line = Text::<256>::new();
    let parts = [
        (time.tm_mday, b"/"),
        (time.tm_mon + 1, b"/"),
        (time.tm_year.rem_euclid(100), b" "),
        (time.tm_hour, b":"),
        (time.tm_min, b":"),
        (time.tm_sec, b" "),
    ];
    for (number, separator) in parts {
        line.push_two_digits(number);
        line.push(separator);
    }
    line.push(level.as_bytes());
    line.pad_to(LEVEL_COLUMN + 6);
    line.push(location);
    line.pad_to(LEVEL_COLUMN + 6 + 16);
    line.push(b" : ");
    line.push(message);
    let mut terminated = Text::copied_from(line.as_bytes());
    terminated.push(b"\n");
    terminated
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composed_at_noon(location: &[u8], message: &[u8]) -> Vec<u8> {
        let mut time = local_time();
        (time.tm_mday, time.tm_mon, time.tm_year) = (1, 8, 126);
        (time.tm_hour, time.tm_min, time.tm_sec) = (12, 0, 5);
        composed(&time, "WARN", location, message).as_bytes().to_vec()
    }

    #[test]
    fn a_line_has_fixed_columns() {
        let line = composed_at_noon(b"m", b"lvl 2");
        assert_eq!(line, b"01/09/26 12:00:05 WARN  m                : lvl 2\n");
        let line = composed_at_noon(b"a-module-of-20-bytes", b"x");
        assert_eq!(line, b"01/09/26 12:00:05 WARN  a-module-of-20-bytes : x\n");
    }

    #[test]
    fn a_long_line_is_truncated_to_256_bytes_with_its_newline() {
        let line = composed_at_noon(b"sixteen-byte-mod", &[b'z'; 1000]);
        assert_eq!(line.len(), 256);
        assert_eq!(line.iter().filter(|byte| **byte == b'z').count(), 212);
        assert_eq!(line.last(), Some(&b'\n'));
        let line = composed_at_noon(&[b'm'; 1000], b"message");
        assert_eq!((line.len(), line.last()), (256, Some(&b'\n')));
    }

    #[test]
    fn level_names_match_whole_words() {
        let levels = ["FATAL", "ERROR", "WARN", "INFO", "DEBUG", "NONE", "", "debug", "INFO ", "2"];
        let levels = levels.map(|name| level_named(name.as_bytes()));
        assert_eq!(levels, [0, 1, 2, 3, 4, -1, -1, -1, -1, -1]);
    }

    #[test]
    fn unknown_levels_are_never_printed() {
        let before = set_max_level(1000);
        assert_eq!([-1, 0, 4, 5, 1000].map(is_enabled), [false, true, true, false, false]);
        set_max_level(before);
    }
}
