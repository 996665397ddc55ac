// SPDX-License-Identifier: Apache-2.0
//! Waiting for a server to listen or to accept connections.
#![forbid(unsafe_code)]

use super::address::Address;
use super::deadline::{Deadline, poll_timeout, sleep};
use super::directory_watch::DirectoryWatch;
use super::target::Target;
use super::timeout::Timeout;
use super::wakeup::{Slot, Slots};
use crate::os::cancel::Cancellation;
use crate::sys::{self, thread};
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
pub struct Waiting {
    deadline: Deadline,
    watch: Option<Watch>,
    /// The next pause while the queue is full. The kernel notifies only clients that block in connect(), and blocking
    /// cannot have a timeout: with SO_SNDTIMEO, connect() can fail with EINTR although no signal handler has run.
    queue_pause: Duration,
    has_begun: bool,
}

impl Waiting {
    const INITIAL_QUEUE_PAUSE: Duration = Duration::from_millis(1);
    const MAX_QUEUE_PAUSE: Duration = Duration::from_millis(32);

    pub fn new(timeout: Timeout) -> sys::Result<Waiting> {
        let deadline = Deadline::of(timeout)?;
        Ok(Waiting { deadline, watch: None, queue_pause: Self::INITIAL_QUEUE_PAUSE, has_begun: false })
    }

    /// Whether [`Waiting::pause`] has been called.
    pub fn has_begun(&self) -> bool {
        self.has_begun
    }

    pub fn is_over(&self) -> sys::Result<bool> {
        Ok(self.deadline.time_left()?.is_zero())
    }

    /// Waits until another attempt may succeed. The first call for [`Obstacle::NoServer`] begins to watch and returns
    /// immediately: a server that started before has not notified this client.
    pub fn pause(&mut self, obstacle: Obstacle, target: &Target, cancellation: Cancellation) -> sys::Result<()> {
        self.has_begun = true;
        let left = self.deadline.time_left()?;
        if obstacle == Obstacle::FullQueue {
            let pause = self.queue_pause.min(left);
            self.queue_pause = (self.queue_pause * 2).min(Self::MAX_QUEUE_PAUSE);
            return sleep(pause, self, cancellation);
        }
        match (&mut self.watch, target) {
            (Some(Watch::Slot(watch)), _) => watch.sleep(left, cancellation),
            (Some(Watch::Directory(watch)), Target::Path(target)) => {
                while !watch.sleep(target, self.deadline.time_left()?, cancellation)? {}
                Ok(())
            }
            (Some(Watch::Directory(_)), _) => Ok(()),
            (watch @ None, Target::Abstract(address)) => {
                *watch = Some(Watch::Slot(SlotWatch::new(address)));
                Ok(())
            }
            (watch @ None, Target::Path(target)) => {
                *watch = Some(Watch::Directory(DirectoryWatch::new(&target.path, left)?));
                Ok(())
            }
        }
    }

    /// Must be called when the client has connected.
    pub fn end(&mut self) {
        if let Some(Watch::Slot(watch)) = self.watch.take() {
            watch.end();
        }
    }
}

enum Watch {
    Slot(SlotWatch),
    Directory(DirectoryWatch),
}

/// Sleeps until a server notifies the client. Each sleep has a timeout, because a server that uses mmlib does not
/// notify clients, and because all wakeup slots may be in use.
struct SlotWatch {
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

impl SlotWatch {
    const INITIAL_TIMEOUT: Duration = Duration::from_millis(10);
    const MAX_TIMEOUT: Duration = Duration::from_millis(250);
    const INITIAL_BACKOFF: Duration = Duration::from_millis(1);
    const MAX_BACKOFF: Duration = Duration::from_millis(100);

    fn new(address: &Address) -> SlotWatch {
        let slots = Slots::of(address);
        let slot = slots.acquire(spread()).ok();
        SlotWatch { slots, slot, is_notified: false, timeout: Self::INITIAL_TIMEOUT, backoff: Self::INITIAL_BACKOFF }
    }

    fn sleep(&mut self, at_most: Duration, cancellation: Cancellation) -> sys::Result<()> {
        if self.is_notified {
            self.is_notified = false;
            let pause = self.backoff;
            self.backoff = (pause * 2).min(Self::MAX_BACKOFF);
            return sleep(pause.min(at_most), self, cancellation);
        }
        let timeout = self.timeout.min(at_most);
        let slept = self.slot.as_ref().map(|slot| slot.sleep(poll_timeout(timeout), cancellation));
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

/// A number that usually differs between concurrent clients.
fn spread() -> u8 {
    thread::gettid() as u8
}
