//! Waiting for a server to appear.
#![forbid(unsafe_code)]

use super::address::Address;
use super::slot::{Place, Slots};
use crate::log;
use crate::sys::cancel::Cancellation;
use crate::sys::{self, time};
use crate::text::{Quoted, Text};
use errno::{Errno, errno, set_errno};
use once_cell::race::OnceNonZeroUsize;
use std::ffi::CStr;
use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

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
        // Threads that come first at the same time each ask, and agree: none waits for another, which a child that was
        // forked meanwhile would do for ever.
        static PATIENCE: OnceNonZeroUsize = OnceNonZeroUsize::new();
        Patience::decoded(PATIENCE.get_or_init(|| {
            let patience = sys::with_environment_variable(LIMIT_VARIABLE, Patience::from_text);
            patience.unwrap_or(Patience::Endless).encoded()
        }))
    }

    /// Milliseconds and one; the largest number stands for no limit.
    fn encoded(self) -> NonZeroUsize {
        let milliseconds = match self {
            Patience::None => 0,
            Patience::Bounded(limit) => limit.as_millis().try_into().unwrap_or(usize::MAX),
            Patience::Endless => usize::MAX,
        };
        NonZeroUsize::MIN.saturating_add(milliseconds)
    }

    fn decoded(number: NonZeroUsize) -> Patience {
        match number {
            NonZeroUsize::MIN => Patience::None,
            NonZeroUsize::MAX => Patience::Endless,
            _ => Patience::Bounded(Duration::from_millis(number.get() as u64 - 1)),
        }
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

/// The wait of one call, if it comes to one.
pub struct Waiting<'a> {
    address: &'a Address<'a>,
    /// On the monotonic clock. (The standard library's Instant panics where a sandbox takes that away.)
    deadline: Option<Duration>,
    watch: Option<Watch>,
    errno_at_entry: Errno,
}

impl<'a> Waiting<'a> {
    pub fn new(address: &'a Address, patience: Patience) -> sys::Result<Waiting<'a>> {
        let deadline = match patience {
            Patience::Bounded(limit) => time::monotonic()?.checked_add(limit),
            Patience::None | Patience::Endless => None,
        };
        Ok(Waiting { address, deadline, watch: None, errno_at_entry: errno() })
    }

    pub fn is_bounded(&self) -> bool {
        self.deadline.is_some()
    }

    /// None if the wait is not bounded.
    pub fn time_left(&self) -> sys::Result<Option<Duration>> {
        self.deadline.map(|deadline| Ok(deadline.saturating_sub(time::monotonic()?))).transpose()
    }

    pub fn is_over(&self) -> sys::Result<bool> {
        Ok(self.time_left()?.is_some_and(|left| left.is_zero()))
    }

    /// Lets time pass until another attempt is worth while. The first time there is none to lose: the server may have
    /// appeared between the last attempt and the beginning of the watch, and has told nobody then.
    pub fn pause(&mut self, cancellation: Cancellation) -> sys::Result<()> {
        let left = self.time_left()?.unwrap_or(Duration::MAX);
        match &mut self.watch {
            None => {
                self.watch = Some(Watch::begin(self.address));
                Ok(())
            }
            Some(watch) => watch.sleep(left, cancellation),
        }
    }

    /// To be called when connected. The attempts before were no failures: errno is as if they had not been made.
    pub fn end(&mut self) {
        if let Some(watch) = self.watch.take() {
            watch.end();
            set_errno(self.errno_at_entry);
        }
    }
}

/// Sleeping until a server tells of itself. Since one that is not ours does not, and a slot may not be had, each sleep
/// has a time-out.
struct Watch {
    slots: Slots,
    place: Option<Place>,
    /// Whether the last sleep ended because somebody told of a server.
    was_told: bool,
    /// The time-out of the next sleep.
    timeout: Duration,
    /// Rest before the next sleep if there was no server: whoever tells of servers that are none must not keep us busy.
    rest: Duration,
}

impl Watch {
    const FIRST_TIMEOUT: Duration = Duration::from_millis(10);
    const LONGEST_TIMEOUT: Duration = Duration::from_millis(250);
    const FIRST_REST: Duration = Duration::from_millis(1);
    const LONGEST_REST: Duration = Duration::from_millis(100);

    fn begin(address: &Address) -> Watch {
        let slots = Slots::of(address);
        let place = slots.take(spread()).ok();
        Watch { slots, place, was_told: false, timeout: Self::FIRST_TIMEOUT, rest: Self::FIRST_REST }
    }

    fn sleep(&mut self, at_most: Duration, cancellation: Cancellation) -> sys::Result<()> {
        if self.was_told {
            self.was_told = false;
            let rest = self.rest;
            self.rest = (rest * 2).min(Self::LONGEST_REST);
            return cancellation.point(|| sys::sleep(rest.min(at_most)));
        }
        let timeout = self.timeout.min(at_most);
        self.was_told = match &self.place {
            Some(place) => place.sleep(rounded_up_to_ms(timeout), cancellation)?,
            None => cancellation.point(|| sys::sleep(timeout)).map(|()| false)?,
        };
        if !self.was_told {
            self.timeout = (self.timeout * 2).min(Self::LONGEST_TIMEOUT);
            self.rest = Self::FIRST_REST;
            self.move_to_the_front();
        }
        Ok(())
    }

    /// Those in front may be gone by now, and a server looks there first.
    fn move_to_the_front(&mut self) {
        if !self.place.as_ref().is_some_and(Place::is_in_front)
            && let Ok(place) = self.slots.take_in_front(spread())
        {
            self.place = Some(place);
        }
    }

    fn end(self) {
        if !self.was_told && self.place.is_some_and(|place| place.is_in_front()) {
            self.slots.pass_on();
        }
    }
}

fn rounded_up_to_ms(time: Duration) -> i32 {
    time.as_micros().div_ceil(1000).try_into().unwrap_or(i32::MAX)
}

/// A number that differs between clients that wait at the same time.
fn spread() -> u8 {
    sys::thread_id() as u8
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
    fn patience_is_remembered_as_it_is() {
        for milliseconds in [1, 250, 86_400_000] {
            let patience = Patience::Bounded(Duration::from_millis(milliseconds));
            assert_eq!(Patience::decoded(patience.encoded()), patience);
        }
        for patience in [Patience::None, Patience::Endless] {
            assert_eq!(Patience::decoded(patience.encoded()), patience);
        }
        assert_eq!(Patience::decoded(Patience::Bounded(Duration::MAX).encoded()), Patience::Endless);
    }

    #[test]
    fn patience_that_is_no_number_is_endless() {
        for text in ["", "-1", "1s", " 5", "18446744073709551616", "0x10"] {
            assert_eq!(Patience::from_text(text.as_bytes()), Patience::Endless);
        }
    }

    #[test]
    fn a_bound_beyond_the_end_of_time_is_none() {
        let address = Address::new(c"any").ok().unwrap();
        let waiting = Waiting::new(&address, Patience::Bounded(Duration::MAX)).unwrap();
        assert!(!waiting.is_bounded());
    }
}
