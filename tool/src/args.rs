// SPDX-License-Identifier: Apache-2.0
//! Values of options.

use crate::failure::{Failure, Result};
use crate::text::quoted;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// Reads a value with a function that returns None if it is invalid.
pub fn parsed<T>(value: OsString, option: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T> {
    value
        .to_str()
        .and_then(parse)
        .ok_or_else(|| Failure::usage(format_args!("invalid value {} of {option}", quoted(value.as_bytes()))))
}

/// A duration: a number of seconds, or a number with one of the units ms, s, m and h.
pub fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = match text.find(|c: char| !c.is_ascii_digit() && c != '.') {
        Some(end) => text.split_at(end),
        None => (text, "s"),
    };
    let scale = match unit {
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * scale).ok()
}

/// A timeout in milliseconds for the library. What is greater than 0 stays so.
pub fn timeout_ms(timeout: Option<Duration>) -> i32 {
    timeout.map_or(-1, |timeout| i32::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX))
}

/// A size in bytes, with an optional unit K or M (1024 bytes and 1024 KiB).
pub fn size(text: &str) -> Option<usize> {
    let (number, scale) = match text.strip_suffix(['K', 'k']) {
        Some(number) => (number, 1 << 10),
        None => text.strip_suffix(['M', 'm']).map_or((text, 1), |number| (number, 1 << 20)),
    };
    decimal::<usize>(number)?.checked_mul(scale)
}

/// A decimal number without sign.
pub fn decimal<T: std::str::FromStr>(text: &str) -> Option<T> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// A number that is at least 1.
pub fn positive(text: &str) -> Option<u64> {
    decimal(text).filter(|number| *number > 0)
}

/// Permissions of a path, in octal digits.
pub fn mode(text: &str) -> Option<u32> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        let ms = |text| duration(text).map(|duration| duration.as_millis());
        assert_eq!(ms("2"), Some(2000));
        assert_eq!(ms("0.5"), Some(500));
        assert_eq!(ms("250ms"), Some(250));
        assert_eq!(ms("1.5s"), Some(1500));
        assert_eq!(ms("2m"), Some(120_000));
        assert_eq!(ms("1h"), Some(3_600_000));
        for text in ["", "s", "-1", "1d", "1 s", "nan", "inf", "1e3", ".", "1.2.3"] {
            assert_eq!(duration(text), None, "{text}");
        }
        assert_eq!(timeout_ms(None), -1);
        assert_eq!(timeout_ms(Some(Duration::ZERO)), 0);
        assert_eq!(timeout_ms(Some(Duration::from_nanos(1))), 1);
        assert_eq!(timeout_ms(Some(Duration::MAX)), i32::MAX);
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("64"), Some(64));
        assert_eq!(size("4K"), Some(4096));
        assert_eq!(size("1M"), Some(1 << 20));
        for text in ["", "K", "-1", "+1", "1G", "99999999999999999999", "99999999999999999K"] {
            assert_eq!(size(text), None, "{text}");
        }
    }

    #[test]
    fn modes_are_octal() {
        assert_eq!(mode("600"), Some(0o600));
        assert_eq!(mode("0660"), Some(0o660));
        for text in ["", "8", "1777", "+7", "rw"] {
            assert_eq!(mode(text), None, "{text}");
        }
    }
}
