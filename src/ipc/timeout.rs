// SPDX-License-Identifier: Apache-2.0
//! The maximum time that a client waits for a server.
#![forbid(unsafe_code)]

use crate::error::{Error, Result, log};
use crate::rt::text::{Quoted, Text};
use crate::sys::env;
use core::ffi::{CStr, c_int};
use core::fmt;
use core::num::NonZeroUsize;
use core::str;
use core::time::Duration;
use once_cell::race::OnceNonZeroUsize;

/// The environment variable that limits the wait, in milliseconds.
const TIMEOUT_VARIABLE: &CStr = c"MMSYSIO_CONNECT_TIMEOUT_MS";

/// How long a client waits for a server.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Timeout {
    Immediate,
    After(Duration),
    Never,
}

impl Timeout {
    /// -1: never; 0: immediate; otherwise milliseconds. EINVAL: another negative number.
    pub fn from_c(milliseconds: c_int) -> Result<Timeout> {
        match milliseconds {
            -1 => Ok(Timeout::Never),
            0 => Ok(Timeout::Immediate),
            _ => match milliseconds.try_into() {
                Ok(milliseconds) => Ok(Timeout::After(Duration::from_millis(milliseconds))),
                Err(_) => Err(Error::new(
                    libc::EINVAL,
                    format_args!("invalid timeout: {milliseconds} ms is negative and not -1"),
                )),
            },
        }
    }

    /// Returns the value that the variable had at the first call.
    pub fn from_environment() -> Timeout {
        // If several threads make the first call at the same time, each of them reads the variable, and all get the
        // same value. They do not wait for each other: a child that was forked during such a wait would hang.
        static TIMEOUT: OnceNonZeroUsize = OnceNonZeroUsize::new();
        Timeout::decoded(TIMEOUT.get_or_init(|| {
            let from_value = |value: Option<&[u8]>| value.map_or(Timeout::Never, Timeout::from_text);
            env::secure_getenv_value(TIMEOUT_VARIABLE, from_value).encoded()
        }))
    }

    /// Encodes the timeout as milliseconds plus one. The largest number means no limit.
    fn encoded(self) -> NonZeroUsize {
        let milliseconds = match self {
            Timeout::Immediate => 0,
            Timeout::After(limit) => milliseconds(limit).try_into().unwrap_or(usize::MAX),
            Timeout::Never => usize::MAX,
        };
        NonZeroUsize::MIN.saturating_add(milliseconds)
    }

    fn decoded(number: NonZeroUsize) -> Timeout {
        match number {
            NonZeroUsize::MIN => Timeout::Immediate,
            NonZeroUsize::MAX => Timeout::Never,
            _ => Timeout::After(Duration::from_millis(number.get() as u64 - 1)),
        }
    }

    fn from_text(text: &[u8]) -> Timeout {
        let number = str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        match number {
            Some(0) => Timeout::Immediate,
            Some(milliseconds) => Timeout::After(Duration::from_millis(milliseconds)),
            None => {
                let message = Text::<256>::formatted(format_args!(
                    "cannot limit the wait for a server: {} is not a number of milliseconds: {}",
                    TIMEOUT_VARIABLE.to_str().unwrap_or_default(),
                    Quoted(text)
                ));
                log::line(log::WARN, b"mmlib", message.as_bytes());
                Timeout::Never
            }
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    time.as_secs().saturating_mul(1000).saturating_add(time.subsec_millis().into())
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Timeout::Immediate => f.write_str("0 ms"),
            Timeout::After(time) => write!(f, "{} ms", milliseconds(*time)),
            Timeout::Never => f.write_str("an unlimited time"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_parsed_as_milliseconds() {
        let cases = [
            ("0", Timeout::Immediate),
            ("250", Timeout::After(Duration::from_millis(250))),
            ("18446744073709551615", Timeout::After(Duration::from_millis(u64::MAX))),
        ];
        for (text, timeout) in cases {
            assert_eq!(Timeout::from_text(text.as_bytes()), timeout);
        }
    }

    #[test]
    fn encoding_preserves_a_timeout() {
        for milliseconds in [1, 250, 86_400_000] {
            let timeout = Timeout::After(Duration::from_millis(milliseconds));
            assert_eq!(Timeout::decoded(timeout.encoded()), timeout);
        }
        for timeout in [Timeout::Immediate, Timeout::Never] {
            assert_eq!(Timeout::decoded(timeout.encoded()), timeout);
        }
        assert_eq!(Timeout::decoded(Timeout::After(Duration::MAX).encoded()), Timeout::Never);
    }

    #[test]
    fn an_invalid_timeout_means_no_limit() {
        for text in ["", "-1", "1s", " 5", "18446744073709551616", "0x10"] {
            assert_eq!(Timeout::from_text(text.as_bytes()), Timeout::Never);
        }
    }
}
