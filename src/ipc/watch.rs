// SPDX-License-Identifier: Apache-2.0
//! File descriptors that tell an event loop when it should try to connect.
#![forbid(unsafe_code)]

use super::address::Address;
use super::directory_watch;
use super::path::PathAddress;
use super::wakeup::Slots;
use crate::error::{Error, Result};
use crate::rt::fd::OwnedFd;
use crate::sys::{self, notify};
use core::time::Duration;

/// The period of the timer that replaces a notification.
const PERIOD: Duration = Duration::from_millis(250);

/// Watches an abstract name. A server looks for clients at the front slots first, and skips the others if it finds none.
/// A watch must therefore have a front slot: another one could be released without notice.
pub fn name(address: &Address) -> Result<OwnedFd> {
    Slots::of(address)
        .front_socket()
        .or_else(|_| periodic())
        .map_err(|e| Error::os(e, format_args!("cannot watch for a server on {address}")))
}

/// Watches a path. ENOENT: its directory does not exist. ENAMETOOLONG: no server can have the path.
pub fn path(path: &PathAddress) -> Result<OwnedFd> {
    let begin =
        || directory_watch::inotify().and_then(|inotify| directory_watch::watch(inotify.fd(), path).map(|_| inotify));
    let watch = || match begin() {
        // The kernel refuses it, for example because the user has too many.
        Err(failure) if !directory_watch::is_without_directory(failure) => match path.check_directory() {
            Err(failure) if directory_watch::is_without_directory(failure) => Err(failure),
            _ => periodic(),
        },
        result => result,
    };
    let address = path.socket_path(path.name().to_bytes(), &mut None);
    address.and_then(|_| watch()).map_err(|e| Error::os(e, format_args!("cannot watch for a server at {path}")))
}

/// A timer: the caller then polls.
fn periodic() -> sys::Result<OwnedFd> {
    let timer = notify::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_CLOEXEC | libc::TFD_NONBLOCK)?;
    notify::timerfd_settime(timer.fd(), PERIOD)?;
    Ok(timer)
}
