// SPDX-License-Identifier: Apache-2.0
//! Waiting for a server that publishes a path. The kernel reports changes of the directory, also those that are made in
//! another network namespace.
#![forbid(unsafe_code)]

use super::deadline::{poll_timeout, sleep};
use super::path::PathAddress;
use super::target::PathTarget;
use crate::os::cancel::Cancellation;
use crate::os::hidden::HiddenFd;
use crate::os::identified;
use crate::rt::fd::{Fd, OwnedFd};
use crate::sys::{self, file, notify};
use core::ffi::{CStr, c_int};
use core::time::Duration;
use errno::Errno;

/// A new name in the directory, or the end of the directory.
const EVENTS: u32 = libc::IN_CREATE | libc::IN_MOVED_TO | libc::IN_DELETE_SELF | libc::IN_MOVE_SELF | libc::IN_ONLYDIR;

/// Creates an inotify file descriptor that watches nothing yet.
pub fn inotify() -> sys::Result<OwnedFd> {
    notify::inotify_init1(libc::IN_CLOEXEC | libc::IN_NONBLOCK)
}

/// Makes the file descriptor readable when the directory of the path gets a new name. Returns the number of the watch.
pub fn watch(inotify: Fd, path: &PathAddress) -> sys::Result<c_int> {
    notify::inotify_add_watch(inotify, path.directory()?.as_c_str().into(), EVENTS)
}

/// Whether there is no directory to wait in.
pub fn is_without_directory(failure: Errno) -> bool {
    matches!(failure.0, libc::ENOENT | libc::ENOTDIR | libc::ELOOP | libc::ENAMETOOLONG)
}

pub struct DirectoryWatch {
    /// None: the kernel refuses it, for example because the user has too many; or the program has closed it. The client
    /// then polls.
    inotify: Option<HiddenFd>,
    /// The number of its watch, until that is removed.
    watch: Option<c_int>,
    /// The next pause before an attempt without an event.
    pause: Duration,
}

impl DirectoryWatch {
    const INITIAL_PAUSE: Duration = Duration::from_millis(1);
    const MAX_PAUSE: Duration = Duration::from_millis(250);
    /// After this time, the client looks again without an event. The path may lead to another directory by now, or the
    /// program may have replaced the file descriptor, so that poll() would not return.
    const MAX_SLEEP: Duration = Duration::from_secs(5);
    /// The last part of a wait, in which the client polls. The kernel takes some milliseconds, often 20, to free a watch
    /// of inotify, and close() waits for that. The watch is therefore removed before the wait is over.
    const LAST_PART: Duration = Duration::from_millis(40);
    const LAST_PAUSE: Duration = Duration::from_millis(4);

    /// `left` is the time until the end of the wait.
    pub fn new(path: &PathAddress, left: Duration) -> sys::Result<DirectoryWatch> {
        let unwatched = DirectoryWatch { inotify: None, watch: None, pause: Self::INITIAL_PAUSE };
        if left <= Self::LAST_PART {
            return Ok(unwatched);
        }
        let Ok(inotify) = HiddenFd::create_of_kind(identified::INOTIFY, inotify) else { return Ok(unwatched) };
        match watch(inotify.fd(), path) {
            Ok(watch) => Ok(DirectoryWatch { inotify: Some(inotify), watch: Some(watch), ..unwatched }),
            Err(failure) if is_without_directory(failure) => Err(failure),
            Err(_) => Ok(unwatched),
        }
    }

    /// Sleeps until the directory changes, or for a pause if a server may begin to listen without that. Returns whether
    /// another attempt may succeed.
    pub fn sleep(&mut self, target: &PathTarget, at_most: Duration, cancellation: Cancellation) -> sys::Result<bool> {
        let until_last_part = at_most.saturating_sub(Self::LAST_PART);
        if until_last_part.is_zero() {
            self.remove_watch();
            return sleep(at_most.min(Self::LAST_PAUSE), self, cancellation).map(|()| true);
        }
        let pause = self.pause.min(until_last_part);
        let must_poll = self.inotify.is_none() || target.can_change_unnoticed();
        let timeout = if must_poll { pause } else { until_last_part.min(Self::MAX_SLEEP) };
        if must_poll {
            self.pause = (self.pause * 2).min(Self::MAX_PAUSE);
        }
        let polled = self.inotify.as_ref().map(|inotify| {
            let mut entries = [libc::pollfd { fd: inotify.fd().number(), events: libc::POLLIN, revents: 0 }];
            cancellation.point(self, || file::poll_slice(&mut entries, poll_timeout(timeout)))
        });
        match polled {
            Some(Ok(0)) if timeout == Self::MAX_SLEEP => *self = DirectoryWatch::new(&target.path, at_most)?,
            Some(Ok(0)) => {}
            Some(Ok(_)) => match self.read_events(target.path.name()) {
                Change::None => return Ok(must_poll || self.inotify.is_none()),
                Change::OfName => self.pause = Self::INITIAL_PAUSE,
                // ENOENT: there is no other directory at the path.
                Change::OfDirectory => *self = DirectoryWatch::new(&target.path, at_most)?,
            },
            Some(Err(Errno(libc::EINTR))) => return Err(Errno(libc::EINTR)),
            Some(Err(_)) | None => {
                // A sandbox may deny poll().
                self.inotify = None;
                sleep(pause, self, cancellation)?;
            }
        }
        Ok(true)
    }

    fn remove_watch(&mut self) {
        match (&self.inotify, self.watch.take()) {
            (Some(inotify), Some(watch)) if inotify.is_intact() => {
                let _ = notify::inotify_rm_watch(inotify.fd(), watch);
            }
            _ => {}
        }
    }

    fn read_events(&mut self, name: &CStr) -> Change {
        let mut buffer = [0; 4096];
        let read = match &self.inotify {
            Some(inotify) if inotify.is_intact() => file::read_slice(inotify.fd(), &mut buffer),
            _ => Err(Errno(libc::EBADF)),
        };
        let Ok(length) = read else {
            // The program has closed the file descriptor, or a sandbox denies read().
            self.inotify = None;
            return Change::None;
        };
        let mut rest = buffer.get(..length).unwrap_or_default();
        let mut change = Change::None;
        while let Some((event, following)) = Event::first_in(rest) {
            if event.mask & (libc::IN_DELETE_SELF | libc::IN_MOVE_SELF | libc::IN_IGNORED | libc::IN_UNMOUNT) != 0 {
                return Change::OfDirectory;
            }
            if event.mask & libc::IN_Q_OVERFLOW != 0 || event.name == name.to_bytes() {
                change = Change::OfName;
            }
            rest = following;
        }
        change
    }
}

/// What the events report.
enum Change {
    None,
    /// The name may be new.
    OfName,
    /// The directory has been removed or renamed.
    OfDirectory,
}

/// An event as the kernel writes it.
struct Event<'a> {
    mask: u32,
    name: &'a [u8],
}

impl<'a> Event<'a> {
    /// Returns the first event, and the bytes after it.
    fn first_in(bytes: &'a [u8]) -> Option<(Event<'a>, &'a [u8])> {
        let number = |at| Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?));
        let (mask, length) = (number(4)?, number(12)? as usize);
        let (event, following) = bytes.get(16..)?.split_at_checked(length)?;
        let name = event.split(|byte| *byte == 0).next().unwrap_or_default();
        Some((Event { mask, name }, following))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn event(mask: u32, name: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for number in [1, mask, 0, name.len() as u32] {
            bytes.extend(number.to_ne_bytes());
        }
        bytes.extend(name);
        bytes
    }

    #[test]
    fn events_are_read_one_after_the_other() {
        let mut bytes = event(libc::IN_CREATE, b"name\0\0\0\0");
        bytes.extend(event(libc::IN_Q_OVERFLOW, b""));
        let (first, rest) = Event::first_in(&bytes).unwrap();
        assert_eq!((first.mask, first.name), (libc::IN_CREATE, &b"name"[..]));
        let (second, rest) = Event::first_in(rest).unwrap();
        assert_eq!((second.mask, second.name, rest), (libc::IN_Q_OVERFLOW, &b""[..], &b""[..]));
    }

    #[test]
    fn a_truncated_event_is_ignored() {
        let bytes = event(libc::IN_CREATE, b"name\0\0\0\0");
        for length in 0..bytes.len() {
            assert!(Event::first_in(&bytes[..length]).is_none());
        }
    }
}
