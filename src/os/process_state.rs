// SPDX-License-Identifier: Apache-2.0
//! Whether another process has terminated.

use super::standard_streams;
use crate::sys::{file, process};
use errno::Errno;

/// Returns whether the process has terminated, including as a zombie. False if this cannot be determined.
pub fn has_exited(process: libc::pid_t) -> bool {
    match process::pidfd_open(process).and_then(standard_streams::move_above) {
        Ok(pidfd) => {
            let mut entry = [libc::pollfd { fd: pidfd.number(), events: libc::POLLIN, revents: 0 }];
            file::poll_slice(&mut entry, 0).is_ok_and(|ready| ready > 0)
        }
        Err(Errno(libc::ESRCH)) => true,
        // pidfd_open() fails before Linux 5.3. kill() does not detect zombies.
        Err(_) => process::kill(process, 0) == Err(Errno(libc::ESRCH)),
    }
}
