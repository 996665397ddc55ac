//! Waiting for a server to appear.
#![forbid(unsafe_code)]

use crate::log;
use crate::sys;
use crate::text::{Quoted, Text};
use once_cell::sync::OnceCell;
use std::ffi::CStr;
use std::fmt;
use std::time::{Duration, Instant};

/// Environment variable that bounds the wait, in milliseconds.
const LIMIT_VARIABLE: &CStr = c"MMSYSIO_CONNECT_TIMEOUT_MS";

/// How long a client waits for a server.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Patience {
    None,
    Bounded(Duration),
    Endless,
}

impl Patience {
    /// What the environment said when it was first asked.
    pub fn of_this_process() -> Patience {
        static PATIENCE: OnceCell<Patience> = OnceCell::new();
        *PATIENCE.get_or_init(|| {
            sys::with_environment_variable(LIMIT_VARIABLE, Patience::from_text).unwrap_or(Patience::Endless)
        })
    }

    fn from_text(text: &[u8]) -> Patience {
        let number = str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        match number {
            Some(0) => Patience::None,
            Some(milliseconds) => Patience::Bounded(Duration::from_millis(milliseconds)),
            None => {
                let message = Text::<256>::formatted(format_args!(
                    "{} is no number of milliseconds, so connecting waits without limit: {}",
                    LIMIT_VARIABLE.to_str().unwrap_or_default(),
                    Quoted(text)
                ));
                log::line(log::WARN, b"mmlib", message.as_bytes());
                Patience::Endless
            }
        }
    }

    pub fn is_none(self) -> bool {
        self == Patience::None
    }
}

impl fmt::Display for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Patience::None => f.write_str("no wait"),
            Patience::Bounded(time) => write!(f, "{} ms", time.as_millis()),
            Patience::Endless => f.write_str("an endless wait"),
        }
    }
}

/// The wait of one call.
pub struct Waiting {
    deadline: Option<Instant>,
    pause: Duration,
}

impl Waiting {
    const LONGEST_PAUSE: Duration = Duration::from_millis(100);

    pub fn new(patience: Patience) -> Waiting {
        let deadline = match patience {
            Patience::Bounded(time) => Instant::now().checked_add(time),
            Patience::None | Patience::Endless => None,
        };
        Waiting { deadline, pause: Duration::from_millis(1) }
    }

    /// None if the wait is not bounded.
    pub fn time_left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    pub fn is_over(&self) -> bool {
        self.time_left().is_some_and(|left| left.is_zero())
    }

    /// Lets some time pass before the next attempt, more each time.
    pub fn pause(&mut self) -> sys::Result<()> {
        let pause = self.time_left().map_or(self.pause, |left| left.min(self.pause));
        self.pause = (self.pause * 2).min(Self::LONGEST_PAUSE);
        sys::sleep(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_a_number_of_milliseconds() {
        let cases = [
            ("0", Patience::None),
            ("250", Patience::Bounded(Duration::from_millis(250))),
            ("18446744073709551615", Patience::Bounded(Duration::from_millis(u64::MAX))),
        ];
        for (text, patience) in cases {
            assert_eq!(Patience::from_text(text.as_bytes()), patience);
        }
    }

    #[test]
    fn patience_that_is_no_number_is_endless() {
        for text in ["", "-1", "1s", " 5", "18446744073709551616", "0x10"] {
            assert_eq!(Patience::from_text(text.as_bytes()), Patience::Endless);
        }
    }

    #[test]
    fn a_bound_beyond_the_end_of_time_is_none() {
        let waiting = Waiting::new(Patience::Bounded(Duration::MAX));
        assert_eq!(waiting.time_left(), None);
    }
}
