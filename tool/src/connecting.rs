// SPDX-License-Identifier: Apache-2.0
//! What the commands that connect to a server have in common.

use crate::address::Address;
use crate::args::timeout_ms;
use crate::failure::{Failure, Result};
use crate::mmsysio;
use crate::sys::{self, Ready};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

/// Connects to a server. `flags` are MM_IPC_CLOEXEC and MM_IPC_NONBLOCK.
pub fn connect(address: &Address, flags: i32, timeout: Option<Duration>) -> Result<OwnedFd> {
    Ok(mmsysio::connect(address.as_c_str(), address.flags() | flags, timeout_ms(timeout))?)
}

/// Waits until a connection is ready. `what` did not happen in time if it is not.
pub fn wait_until(connection: &OwnedFd, ready: Ready, timeout: Option<Duration>, what: &str) -> Result<()> {
    let Some(timeout) = timeout else { return Ok(()) };
    let begin = Instant::now();
    loop {
        let left = timeout.saturating_sub(begin.elapsed());
        let is_ready = sys::wait_ready(&[(connection.as_fd(), ready)], Some(left))
            .map_err(|e| Failure::io("cannot wait for the server", &e))?;
        if is_ready.contains(&true) {
            return Ok(());
        }
        // A signal may have ended the wait.
        if left.is_zero() {
            return Err(Failure::timeout(format_args!("{what} within {timeout:?}")));
        }
    }
}

/// Waits until the server has received all messages, or has closed the connection.
pub fn wait_until_received(connection: &OwnedFd, timeout: Option<Duration>) -> Result<()> {
    let begin = Instant::now();
    while sys::unread_output(connection.as_fd()).unwrap_or(0) > 0 {
        if timeout.is_some_and(|timeout| begin.elapsed() >= timeout) {
            let timeout = timeout.unwrap_or_default();
            return Err(Failure::timeout(format_args!("the server did not receive a message within {timeout:?}")));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
