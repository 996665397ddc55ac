// SPDX-License-Identifier: Apache-2.0
//! Whether another process still runs.

use super::standard_streams;
use crate::sys::{file, process};
use errno::Errno;

/// Whether the process has ended, waited for or not. False if that cannot be found out.
pub fn has_exited(process: libc::pid_t) -> bool {
    match process::pidfd_open(process).and_then(standard_streams::move_above) {
        Ok(pidfd) => {
            let mut entry = [libc::pollfd { fd: pidfd.number(), events: libc::POLLIN, revents: 0 }];
            file::poll_slice(&mut entry, 0).is_ok_and(|ready| ready > 0)
        }
        Err(Errno(libc::ESRCH)) => true,
        // Before Linux 5.3. A process that was not waited for exists here.
        Err(_) => process::kill(process, 0) == Err(Errno(libc::ESRCH)),
    }
}
