// SPDX-License-Identifier: Apache-2.0
//! Waiting for a server that listens on an abstract name.
#![forbid(unsafe_code)]

use super::address::Address;
use super::anchor::{Anchor, Attachment};
use super::deadline::{monotonic, poll_timeout, sleep};
use super::wakeup::{Slot, Slots};
use crate::os::cancel::Cancellation;
use crate::rt::fd::Fd;
use crate::sys::{self, file, thread};
use core::time::Duration;
use errno::Errno;

/// A client that waits. It has a front slot and its anchor, or it is attached to the anchor of another client and, if one
/// is free, has another slot. The caller tries to connect between any two calls, so that a server that started in between
/// is found.
///
/// Clients in front poll, because a server that uses mmlib notifies nobody, and wake the others. Attached clients sleep.
pub struct NameWatch {
    slots: Slots,
    // The order matters when they are dropped: nobody may be attached any more when a server finds the front slot free.
    anchor: Option<Anchor>,
    slot: Option<Slot>,
    attachment: Option<Attachment>,
    /// What ended the last sleep.
    woken: Option<Wakeup>,
    /// The timeout of the next sleep of a client that polls.
    timeout: Duration,
    /// The next pause after a spurious notification: one after which no server was listening. It prevents a busy loop
    /// if such notifications are frequent.
    backoff: Duration,
    /// The next pause of a client that is not settled.
    settling: Duration,
    /// When the anchor was last cleared, or zero before the first timeout.
    cleared: Duration,
    /// A number that usually differs between concurrent clients.
    spread: u8,
}

#[derive(Clone, Copy, PartialEq)]
enum Wakeup {
    /// A datagram arrived at the slot, or the anchor to which the client was attached was closed.
    Notified,
    Timeout,
}

impl NameWatch {
    const INITIAL_TIMEOUT: Duration = Duration::from_millis(10);
    const MAX_TIMEOUT: Duration = Duration::from_millis(250);
    /// The longest sleep of an attached client. Normally it is woken earlier: this is for the case that the owner of the
    /// anchor is stopped.
    const FALLBACK: Duration = Duration::from_secs(7);
    const INITIAL_BACKOFF: Duration = Duration::from_millis(1);
    const MAX_BACKOFF: Duration = Duration::from_millis(100);
    const INITIAL_SETTLING: Duration = Duration::from_millis(1);
    const MAX_SETTLING: Duration = Duration::from_millis(16);
    /// The kernel keeps the connection of an attached client that has ended until the anchor is cleared.
    const CLEARING: Duration = Duration::from_secs(30);

    pub fn new(address: &Address) -> NameWatch {
        let mut watch = NameWatch {
            slots: Slots::of(address),
            anchor: None,
            slot: None,
            attachment: None,
            woken: None,
            timeout: Self::INITIAL_TIMEOUT,
            backoff: Self::INITIAL_BACKOFF,
            settling: Self::INITIAL_SETTLING,
            cleared: Duration::ZERO,
            spread: thread::gettid() as u8,
        };
        watch.settle();
        watch
    }

    /// Sleeps until a server may be listening.
    pub fn sleep(&mut self, at_most: Duration, cancellation: Cancellation) -> sys::Result<()> {
        match self.woken.take() {
            Some(Wakeup::Notified) => {
                if let Some(slot) = self.slot.as_ref().filter(|slot| slot.is_intact()) {
                    slot.clear();
                }
                let pause = self.backoff;
                self.backoff = (pause * 2).min(Self::MAX_BACKOFF);
                sleep(pause.min(at_most), self, cancellation)?;
                self.settle();
                return Ok(());
            }
            Some(Wakeup::Timeout) | None => {}
        }
        if !self.is_settled() && self.settling <= Self::MAX_SETTLING {
            // The process that has the name of an anchor or of a front slot may be about to end, or to listen.
            let pause = self.settling;
            self.settling *= 2;
            sleep(pause.min(at_most), self, cancellation)?;
            self.settle();
            return Ok(());
        }
        let timeout = if self.attachment.is_some() { Self::FALLBACK } else { self.timeout }.min(at_most);
        let began = monotonic()?;
        let woken = self.poll(timeout, cancellation)?;
        self.woken = Some(woken);
        let now = monotonic()?;
        if now.saturating_sub(began) > Self::MAX_BACKOFF {
            self.backoff = Self::INITIAL_BACKOFF;
        }
        if woken == Wakeup::Timeout {
            self.timeout = (self.timeout * 2).min(Self::MAX_TIMEOUT);
            self.clear_anchor(now);
            self.settle();
        }
        Ok(())
    }

    fn poll(&mut self, timeout: Duration, cancellation: Cancellation) -> sys::Result<Wakeup> {
        let entry = |fd: Option<Fd>| libc::pollfd { fd: fd.map_or(-1, Fd::number), events: libc::POLLIN, revents: 0 };
        let mut entries =
            [entry(self.slot.as_ref().map(Slot::fd)), entry(self.attachment.as_ref().map(Attachment::fd))];
        if entries.iter().all(|entry| entry.fd < 0) {
            return sleep(timeout, self, cancellation).map(|()| Wakeup::Timeout);
        }
        match cancellation.point(self, || file::poll_slice(&mut entries, poll_timeout(timeout))) {
            Ok(0) => Ok(Wakeup::Timeout),
            Ok(_) => {
                let [slot, attached] = entries;
                if attached.revents != 0 {
                    self.attachment = None;
                }
                if slot.revents != 0 && self.slot.as_ref().is_some_and(|slot| !slot.is_intact()) {
                    (self.anchor, self.slot) = (None, None);
                }
                Ok(Wakeup::Notified)
            }
            Err(Errno(libc::EINTR)) => Err(Errno(libc::EINTR)),
            Err(_) => {
                // A sandbox may deny poll().
                (self.anchor, self.slot, self.attachment) = (None, None, None);
                sleep(timeout, self, cancellation).map(|()| Wakeup::Timeout)
            }
        }
    }

    fn is_in_front(&self) -> bool {
        self.slot.as_ref().is_some_and(Slot::is_in_front)
    }

    /// Whether a server will wake the client, and the client all those that need it.
    fn is_settled(&self) -> bool {
        if self.is_in_front() { self.anchor.is_some() } else { self.attachment.is_some() }
    }

    /// Acquires what the client needs and does not have. Names that are taken may be free by now.
    fn settle(&mut self) {
        if !self.is_settled() && !self.is_in_front() {
            match self.slots.acquire_in_front() {
                Ok(slot) => self.slot = Some(slot),
                Err(_) => self.attachment = Attachment::new(&self.slots, self.spread).ok(),
            }
        }
        match &self.slot {
            Some(slot) if slot.is_in_front() && self.anchor.is_none() => {
                self.anchor = Anchor::of(slot, &self.slots).ok();
            }
            Some(_) => {}
            None => self.slot = self.slots.acquire_behind(self.spread).ok(),
        }
        if self.is_settled() {
            self.settling = Self::INITIAL_SETTLING;
        }
    }

    /// `now`: the time on the monotonic clock.
    fn clear_anchor(&mut self, now: Duration) {
        if self.cleared.is_zero() {
            self.cleared = now;
        } else if now.saturating_sub(self.cleared) > Self::CLEARING {
            self.cleared = now;
            if let Some(anchor) = &self.anchor {
                anchor.clear();
            }
        }
    }

    /// Must be called when the client has connected.
    pub fn end(self) {
        match self.woken {
            Some(Wakeup::Timeout) => self.slots.relay(),
            None if self.is_in_front() => self.slots.relay(),
            _ => {}
        }
    }
}
