// SPDX-License-Identifier: Apache-2.0
//! Waiting for a server to appear, or to accept connections.
#![forbid(unsafe_code)]

use super::address::Address;
use super::timeout::Timeout;
use super::wakeup::{Slot, Slots};
use crate::os::cancel::Cancellation;
use crate::sys::{self, file, thread, time};
use core::time::Duration;
use errno::Errno;

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
    /// On the monotonic clock.
    deadline: Option<Duration>,
    watch: Option<Watch>,
    /// The next pause while the queue is full. The kernel wakes only clients that block in connect(), and the time that
    /// these block cannot be bounded: with SO_SNDTIMEO, connect() fails with EINTR also if no signal handler has run.
    queue_pause: Duration,
    has_begun: bool,
}

impl<'a> Waiting<'a> {
    const FIRST_QUEUE_PAUSE: Duration = Duration::from_millis(1);
    const LONGEST_QUEUE_PAUSE: Duration = Duration::from_millis(32);

    pub fn new(address: &'a Address, timeout: Timeout) -> sys::Result<Waiting<'a>> {
        let deadline = match timeout {
            Timeout::After(limit) => monotonic()?.checked_add(limit),
            Timeout::AtOnce | Timeout::Never => None,
        };
        Ok(Waiting { address, deadline, watch: None, queue_pause: Self::FIRST_QUEUE_PAUSE, has_begun: false })
    }

    /// Whether there was any pause.
    pub fn has_begun(&self) -> bool {
        self.has_begun
    }

    fn time_left(&self) -> sys::Result<Duration> {
        match self.deadline {
            Some(deadline) => Ok(deadline.saturating_sub(monotonic()?)),
            None => Ok(Duration::MAX),
        }
    }

    pub fn is_over(&self) -> sys::Result<bool> {
        Ok(self.time_left()?.is_zero())
    }

    /// Waits until another attempt may succeed. The first time it returns at once: the server may have appeared between
    /// the last attempt and the acquisition of a wakeup slot, and has notified nobody then.
    pub fn pause(&mut self, obstacle: Obstacle, cancellation: Cancellation) -> sys::Result<()> {
        self.has_begun = true;
        let left = self.time_left()?;
        if obstacle == Obstacle::FullQueue {
            let pause = self.queue_pause.min(left);
            self.queue_pause = (self.queue_pause * 2).min(Self::LONGEST_QUEUE_PAUSE);
            return sleep(pause, self, cancellation);
        }
        match &mut self.watch {
            None => {
                self.watch = Some(Watch::new(self.address));
                Ok(())
            }
            Some(watch) => watch.sleep(left, cancellation),
        }
    }

    /// To be called when connected.
    pub fn end(&mut self) {
        if let Some(watch) = self.watch.take() {
            watch.end();
        }
    }
}

/// EINTR if a signal handler ran. If a sandbox denies one way to sleep, the other is used.
fn sleep<T>(time: Duration, owned: &T, cancellation: Cancellation) -> sys::Result<()> {
    match cancellation.point(owned, || time::nanosleep(time)) {
        Ok(()) => Ok(()),
        Err(Errno(libc::EINTR)) => Err(Errno(libc::EINTR)),
        Err(_) => cancellation.point(owned, || file::poll_slice(&mut [], rounded_up_to_ms(time))).map(drop),
    }
}

/// The time since a moment in the past that is the same for all processes.
fn monotonic() -> sys::Result<Duration> {
    let now = time::clock_gettime_monotonic()?;
    Ok(Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0)))
}

/// Sleeping until a server notifies its waiting clients. A server of mmlib does not, and all slots may be in use: so each
/// sleep has a time-out.
struct Watch {
    slots: Slots,
    slot: Option<Slot>,
    /// Whether the last sleep ended by a notification.
    is_notified: bool,
    /// The time-out of the next sleep.
    timeout: Duration,
    /// The next pause after a spurious wakeup, one without a server: these must not keep the client busy.
    backoff: Duration,
}

impl Watch {
    const FIRST_TIMEOUT: Duration = Duration::from_millis(10);
    const LONGEST_TIMEOUT: Duration = Duration::from_millis(250);
    const FIRST_BACKOFF: Duration = Duration::from_millis(1);
    const LONGEST_BACKOFF: Duration = Duration::from_millis(100);

    fn new(address: &Address) -> Watch {
        let slots = Slots::of(address);
        let slot = slots.acquire(spread()).ok();
        Watch { slots, slot, is_notified: false, timeout: Self::FIRST_TIMEOUT, backoff: Self::FIRST_BACKOFF }
    }

    fn sleep(&mut self, at_most: Duration, cancellation: Cancellation) -> sys::Result<()> {
        if self.is_notified {
            self.is_notified = false;
            let pause = self.backoff;
            self.backoff = (pause * 2).min(Self::LONGEST_BACKOFF);
            return sleep(pause.min(at_most), self, cancellation);
        }
        let timeout = self.timeout.min(at_most);
        let slept = self.slot.as_ref().map(|slot| slot.sleep(rounded_up_to_ms(timeout), cancellation));
        self.is_notified = match slept {
            Some(Ok(is_notified)) => is_notified,
            Some(Err(Errno(libc::EINTR))) => return Err(Errno(libc::EINTR)),
            Some(Err(_)) | None => {
                // A sandbox may deny waiting at the slot.
                self.slot = None;
                sleep(timeout, self, cancellation)?;
                false
            }
        };
        if !self.is_notified {
            self.timeout = (self.timeout * 2).min(Self::LONGEST_TIMEOUT);
            self.backoff = Self::FIRST_BACKOFF;
            self.move_to_the_front();
        }
        Ok(())
    }

    /// The clients in front may have released their slots by now, and a server notifies these first.
    fn move_to_the_front(&mut self) {
        if !self.slot.as_ref().is_some_and(Slot::is_in_front)
            && let Ok(slot) = self.slots.acquire_in_front(spread())
        {
            self.slot = Some(slot);
        }
    }

    fn end(self) {
        if !self.is_notified && self.slot.is_some_and(|slot| slot.is_in_front()) {
            self.slots.relay();
        }
    }
}

fn rounded_up_to_ms(time: Duration) -> i32 {
    let milliseconds = time.as_secs().saturating_mul(1000).saturating_add(time.subsec_micros().div_ceil(1000).into());
    milliseconds.try_into().unwrap_or(i32::MAX)
}

/// A number that differs between clients that wait at the same time.
fn spread() -> u8 {
    thread::gettid() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_beyond_the_end_of_time_never_ends() {
        let address = Address::new(c"any").ok().unwrap();
        let waiting = Waiting::new(&address, Timeout::After(Duration::MAX)).unwrap();
        assert_eq!(waiting.is_over(), Ok(false));
    }
}
