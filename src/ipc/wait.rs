//! Waiting for a server to appear.
#![forbid(unsafe_code)]

use super::address::Address;
use super::slot::{Place, Slots};
use crate::log;
use crate::sys::cancel::Cancellation;
use crate::sys::{self, socket, time};
use crate::text::{Quoted, Text};
use errno::{Errno, errno, set_errno};
use once_cell::race::OnceNonZeroUsize;
use std::ffi::CStr;
use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

/// Environment variable that bounds the wait, in milliseconds.
const TIMEOUT_VARIABLE: &CStr = c"MMSYSIO_CONNECT_TIMEOUT_MS";

/// How long a client waits for a server.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Timeout {
    AtOnce,
    After(Duration),
    Never,
}

impl Timeout {
    /// What the environment said when it was first asked.
    pub fn of_this_process() -> Timeout {
        // Threads that come first at the same time each ask, and agree: none waits for another, which a forked child
        // would do for ever.
        static TIMEOUT: OnceNonZeroUsize = OnceNonZeroUsize::new();
        Timeout::decoded(TIMEOUT.get_or_init(|| {
            let timeout = sys::with_environment_variable(TIMEOUT_VARIABLE, Timeout::from_text);
            timeout.unwrap_or(Timeout::Never).encoded()
        }))
    }

    /// Milliseconds and one; the largest number stands for no limit.
    fn encoded(self) -> NonZeroUsize {
        let milliseconds = match self {
            Timeout::AtOnce => 0,
            Timeout::After(limit) => limit.as_millis().try_into().unwrap_or(usize::MAX),
            Timeout::Never => usize::MAX,
        };
        NonZeroUsize::MIN.saturating_add(milliseconds)
    }

    fn decoded(number: NonZeroUsize) -> Timeout {
        match number {
            NonZeroUsize::MIN => Timeout::AtOnce,
            NonZeroUsize::MAX => Timeout::Never,
            _ => Timeout::After(Duration::from_millis(number.get() as u64 - 1)),
        }
    }

    fn from_text(text: &[u8]) -> Timeout {
        let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        match number {
            Some(0) => Timeout::AtOnce,
            Some(milliseconds) => Timeout::After(Duration::from_millis(milliseconds)),
            None => {
                let message = Text::<256>::formatted(format_args!(
                    "{} is not a number of milliseconds, so connecting waits without limit: {}",
                    TIMEOUT_VARIABLE.to_str().unwrap_or_default(),
                    Quoted(text)
                ));
                log::line(log::WARN, b"mmlib", message.as_bytes());
                Timeout::Never
            }
        }
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Timeout::AtOnce => f.write_str("0 ms"),
            Timeout::After(time) => write!(f, "{} ms", time.as_millis()),
            Timeout::Never => f.write_str("an endless wait"),
        }
    }
}

/// What a client waits for.
#[derive(Clone, Copy, PartialEq)]
pub enum Obstacle {
    /// No server listens.
    NoServer,
    /// The queue of connections that the server has not accepted is full.
    FullQueue,
}

/// The wait of one call, if it comes to one.
pub struct Waiting<'a> {
    address: &'a Address<'a>,
    /// On the monotonic clock. (The standard library's Instant panics where a sandbox denies the clock.)
    deadline: Option<Duration>,
    watch: Option<Watch>,
    /// The next pause in front of a full queue. The kernel wakes nobody there who does not block in connect(), and that
    /// cannot be bounded: with SO_SNDTIMEO it gives EINTR also where no signal handler has run.
    queue_pause: Duration,
    has_begun: bool,
    errno_at_entry: Errno,
}

impl<'a> Waiting<'a> {
    const FIRST_QUEUE_PAUSE: Duration = Duration::from_millis(1);
    const LONGEST_QUEUE_PAUSE: Duration = Duration::from_millis(32);

    pub fn new(address: &'a Address, timeout: Timeout) -> sys::Result<Waiting<'a>> {
        let deadline = match timeout {
            Timeout::After(limit) => time::monotonic()?.checked_add(limit),
            Timeout::AtOnce | Timeout::Never => None,
        };
        Ok(Waiting {
            address,
            deadline,
            watch: None,
            queue_pause: Self::FIRST_QUEUE_PAUSE,
            has_begun: false,
            errno_at_entry: errno(),
        })
    }

    /// Whether there was any pause.
    pub fn has_begun(&self) -> bool {
        self.has_begun
    }

    fn time_left(&self) -> sys::Result<Duration> {
        match self.deadline {
            Some(deadline) => Ok(deadline.saturating_sub(time::monotonic()?)),
            None => Ok(Duration::MAX),
        }
    }

    pub fn is_over(&self) -> sys::Result<bool> {
        Ok(self.time_left()?.is_zero())
    }

    /// Lets time pass until another attempt is worth while. The first time there is none to lose: the server may have
    /// appeared between the last attempt and the beginning of the watch, and has notified nobody then.
    pub fn pause(&mut self, obstacle: Obstacle, cancellation: Cancellation) -> sys::Result<()> {
        self.has_begun = true;
        let left = self.time_left()?;
        if obstacle == Obstacle::FullQueue {
            let pause = self.queue_pause.min(left);
            self.queue_pause = (self.queue_pause * 2).min(Self::LONGEST_QUEUE_PAUSE);
            return sleep(pause, cancellation);
        }
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
        }
        if self.has_begun {
            set_errno(self.errno_at_entry);
        }
    }
}

/// EINTR if a signal handler ran. Where a sandbox denies one way to sleep, the other is taken.
fn sleep(time: Duration, cancellation: Cancellation) -> sys::Result<()> {
    match cancellation.point(|| sys::sleep(time)) {
        Ok(()) => Ok(()),
        Err(Errno(libc::EINTR)) => Err(Errno(libc::EINTR)),
        Err(_) => cancellation.point(|| socket::wait_for_nothing(rounded_up_to_ms(time))),
    }
}

/// Sleeping until a server notifies its waiting clients. Since a server of mmlib does not, and no slot may be available,
/// each sleep has a time-out.
struct Watch {
    slots: Slots,
    place: Option<Place>,
    /// Whether the last sleep ended by a notification.
    is_notified: bool,
    /// The time-out of the next sleep.
    timeout: Duration,
    /// Pause after a notification without a server: false ones must not keep the client busy.
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
        Watch { slots, place, is_notified: false, timeout: Self::FIRST_TIMEOUT, rest: Self::FIRST_REST }
    }

    fn sleep(&mut self, at_most: Duration, cancellation: Cancellation) -> sys::Result<()> {
        if self.is_notified {
            self.is_notified = false;
            let rest = self.rest;
            self.rest = (rest * 2).min(Self::LONGEST_REST);
            return sleep(rest.min(at_most), cancellation);
        }
        let timeout = self.timeout.min(at_most);
        let slept = self.place.as_ref().map(|place| place.sleep(rounded_up_to_ms(timeout), cancellation));
        self.is_notified = match slept {
            Some(Ok(is_notified)) => is_notified,
            Some(Err(Errno(libc::EINTR))) => return Err(Errno(libc::EINTR)),
            Some(Err(_)) | None => {
                // Also where a sandbox denies to wait at the slot.
                self.place = None;
                sleep(timeout, cancellation)?;
                false
            }
        };
        if !self.is_notified {
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
        if !self.is_notified && self.place.is_some_and(|place| place.is_in_front()) {
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
    fn a_timeout_is_a_number_of_milliseconds() {
        let cases = [
            ("0", Timeout::AtOnce),
            ("250", Timeout::After(Duration::from_millis(250))),
            ("18446744073709551615", Timeout::After(Duration::from_millis(u64::MAX))),
        ];
        for (text, timeout) in cases {
            assert_eq!(Timeout::from_text(text.as_bytes()), timeout);
        }
    }

    #[test]
    fn a_timeout_is_remembered_as_it_is() {
        for milliseconds in [1, 250, 86_400_000] {
            let timeout = Timeout::After(Duration::from_millis(milliseconds));
            assert_eq!(Timeout::decoded(timeout.encoded()), timeout);
        }
        for timeout in [Timeout::AtOnce, Timeout::Never] {
            assert_eq!(Timeout::decoded(timeout.encoded()), timeout);
        }
        assert_eq!(Timeout::decoded(Timeout::After(Duration::MAX).encoded()), Timeout::Never);
    }

    #[test]
    fn a_timeout_that_is_not_a_number_never_ends() {
        for text in ["", "-1", "1s", " 5", "18446744073709551616", "0x10"] {
            assert_eq!(Timeout::from_text(text.as_bytes()), Timeout::Never);
        }
    }

    #[test]
    fn a_timeout_beyond_the_end_of_time_never_ends() {
        let address = Address::new(c"any").ok().unwrap();
        let waiting = Waiting::new(&address, Timeout::After(Duration::MAX)).unwrap();
        assert_eq!(waiting.is_over(), Ok(false));
    }
}
