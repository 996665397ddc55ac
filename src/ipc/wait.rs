// SPDX-License-Identifier: Apache-2.0
//! Waiting for a server to listen or to accept connections.
#![forbid(unsafe_code)]

use super::address::Address;
use super::timeout::Timeout;
use super::wakeup::{Slot, Slots};
use crate::os::cancel::Cancellation;
use crate::sys::{self, file, thread, time};
use core::time::Duration;
use errno::Errno;

/// Why a client has to wait.
#[derive(Clone, Copy, PartialEq)]
pub enum Obstacle {
    /// No server listens.
    NoServer,
    /// The server's queue of pending connections is full.
    FullQueue,
}

/// The state of the wait in one call. The call may succeed without any wait.
pub struct Waiting<'a> {
    address: &'a Address<'a>,
    /// On the monotonic clock.
    deadline: Option<Duration>,
    watch: Option<Watch>,
    /// The next pause while the queue is full. The kernel notifies only clients that block in connect(), and blocking
    /// cannot have a timeout: with SO_SNDTIMEO, connect() can fail with EINTR although no signal handler has run.
    queue_pause: Duration,
    has_begun: bool,
}

impl<'a> Waiting<'a> {
    const INITIAL_QUEUE_PAUSE: Duration = Duration::from_millis(1);
    const MAX_QUEUE_PAUSE: Duration = Duration::from_millis(32);

    pub fn new(address: &'a Address, timeout: Timeout) -> sys::Result<Waiting<'a>> {
        let deadline = match timeout {
            Timeout::After(limit) => monotonic()?.checked_add(limit),
            Timeout::Immediate | Timeout::Never => None,
        };
        Ok(Waiting { address, deadline, watch: None, queue_pause: Self::INITIAL_QUEUE_PAUSE, has_begun: false })
    }

    /// Whether [`Waiting::pause`] has been called.
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

    /// Waits until another attempt may succeed. The first call for [`Obstacle::NoServer`] acquires a wakeup slot and
    /// returns immediately: a server that started before the slot was acquired has not notified it.
    pub fn pause(&mut self, obstacle: Obstacle, cancellation: Cancellation) -> sys::Result<()> {
        self.has_begun = true;
        let left = self.time_left()?;
        if obstacle == Obstacle::FullQueue {
            let pause = self.queue_pause.min(left);
            self.queue_pause = (self.queue_pause * 2).min(Self::MAX_QUEUE_PAUSE);
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

    /// Must be called when the client has connected.
    pub fn end(&mut self) {
        if let Some(watch) = self.watch.take() {
            watch.end();
        }
    }
}

/// Sleeps. EINTR: interrupted by a signal handler. If a sandbox denies nanosleep(), poll() is used.
fn sleep<T>(time: Duration, owned: &T, cancellation: Cancellation) -> sys::Result<()> {
    match cancellation.point(owned, || time::nanosleep(time)) {
        Ok(()) => Ok(()),
        Err(Errno(libc::EINTR)) => Err(Errno(libc::EINTR)),
        Err(_) => cancellation.point(owned, || file::poll_slice(&mut [], round_up_to_ms(time))).map(drop),
    }
}

/// The time on the monotonic clock.
fn monotonic() -> sys::Result<Duration> {
    let now = time::clock_gettime_monotonic()?;
    Ok(Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0)))
}

/// Sleeps until a server notifies the client. Each sleep has a timeout, because a server that uses mmlib does not
/// notify clients, and because all wakeup slots may be in use.
struct Watch {
    slots: Slots,
    slot: Option<Slot>,
    /// Whether a notification ended the last sleep.
    is_notified: bool,
    /// The timeout of the next sleep.
    timeout: Duration,
    /// The next pause after a spurious notification: one after which no server was listening. It prevents a busy loop
    /// if such notifications are frequent.
    backoff: Duration,
}

impl Watch {
    const INITIAL_TIMEOUT: Duration = Duration::from_millis(10);
    const MAX_TIMEOUT: Duration = Duration::from_millis(250);
    const INITIAL_BACKOFF: Duration = Duration::from_millis(1);
    const MAX_BACKOFF: Duration = Duration::from_millis(100);

    fn new(address: &Address) -> Watch {
        let slots = Slots::of(address);
        let slot = slots.acquire(spread()).ok();
        Watch { slots, slot, is_notified: false, timeout: Self::INITIAL_TIMEOUT, backoff: Self::INITIAL_BACKOFF }
    }

    fn sleep(&mut self, at_most: Duration, cancellation: Cancellation) -> sys::Result<()> {
        if self.is_notified {
            self.is_notified = false;
            let pause = self.backoff;
            self.backoff = (pause * 2).min(Self::MAX_BACKOFF);
            return sleep(pause.min(at_most), self, cancellation);
        }
        let timeout = self.timeout.min(at_most);
        let slept = self.slot.as_ref().map(|slot| slot.sleep(round_up_to_ms(timeout), cancellation));
        self.is_notified = match slept {
            Some(Ok(is_notified)) => is_notified,
            Some(Err(Errno(libc::EINTR))) => return Err(Errno(libc::EINTR)),
            Some(Err(_)) | None => {
                // A sandbox may deny poll().
                self.slot = None;
                sleep(timeout, self, cancellation)?;
                false
            }
        };
        if !self.is_notified {
            self.timeout = (self.timeout * 2).min(Self::MAX_TIMEOUT);
            self.backoff = Self::INITIAL_BACKOFF;
            self.move_to_front();
        }
        Ok(())
    }

    /// Tries to acquire a front slot if the client has none. One may be free by now, and a server notifies the front
    /// slots first.
    fn move_to_front(&mut self) {
        if self.slot.as_ref().is_some_and(Slot::is_in_front) {
            return;
        }
        if let Ok(slot) = self.slots.acquire_in_front(spread()) {
            self.slot = Some(slot);
        }
    }

    fn end(self) {
        if !self.is_notified && self.slot.is_some_and(|slot| slot.is_in_front()) {
            self.slots.relay();
        }
    }
}

fn round_up_to_ms(time: Duration) -> i32 {
    let milliseconds = time.as_secs().saturating_mul(1000).saturating_add(time.subsec_micros().div_ceil(1000).into());
    milliseconds.try_into().unwrap_or(i32::MAX)
}

/// A number that usually differs between concurrent clients.
fn spread() -> u8 {
    thread::gettid() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_too_long_for_the_clock_means_no_limit() {
        let address = Address::new(c"any").ok().unwrap();
        let waiting = Waiting::new(&address, Timeout::After(Duration::MAX)).unwrap();
        assert_eq!(waiting.is_over(), Ok(false));
    }
}
