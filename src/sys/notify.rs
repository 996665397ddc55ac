// SPDX-License-Identifier: Apache-2.0
//! File descriptors that become readable at an event.

use super::path::KernelPath;
use super::{Result, check, own, time};
use crate::rt::fd::{Fd, OwnedFd};
use core::ffi::c_int;
use core::ptr;
use core::time::Duration;

pub fn inotify_init1(flags: c_int) -> Result<OwnedFd> {
    // SAFETY: no pointer is passed.
    unsafe { own(libc::inotify_init1(flags)) }
}

/// Returns the number of the watch.
pub fn inotify_add_watch(inotify: Fd, path: KernelPath, events: u32) -> Result<c_int> {
    // SAFETY: a KernelPath.
    check(unsafe { libc::inotify_add_watch(inotify.number(), path.as_ptr(), events) })
}

pub fn inotify_rm_watch(inotify: Fd, watch: c_int) -> Result<()> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::inotify_rm_watch(inotify.number(), watch) }).map(drop)
}

/// EBADF, EINVAL: the file descriptor is not that of an inotify instance. Otherwise, the kernel looks up the path, which
/// is empty, and the result is ENOENT, unless a sandbox denies the call.
pub fn inotify_check(fd: Fd) -> Result<()> {
    inotify_add_watch(fd, c"".into(), libc::IN_CREATE).map(drop)
}

pub fn timerfd_create(clock: libc::clockid_t, flags: c_int) -> Result<OwnedFd> {
    // SAFETY: no pointer is passed.
    unsafe { own(libc::timerfd_create(clock, flags)) }
}

/// Starts a timer that expires again and again.
pub fn timerfd_settime(timer: Fd, interval: Duration) -> Result<()> {
    let interval = time::timespec(interval.as_secs().try_into().unwrap_or(i64::MAX), interval.subsec_nanos().into());
    let times = libc::itimerspec { it_interval: interval, it_value: interval };
    // SAFETY: the times are valid for the call; the previous ones are not requested.
    check(unsafe { libc::timerfd_settime(timer.number(), 0, &times, ptr::null_mut()) }).map(drop)
}
