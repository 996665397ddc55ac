// SPDX-License-Identifier: Apache-2.0
//! mmipc list --watch

use super::processes::Users;
use super::{Options, list, rendered};
use crate::failure::{Failure, Result};
use crate::output::print;
use crate::sys::{self, Signals};
use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileTypeExt;
use std::time::Duration;

/// The time between two listings.
const PERIOD: Duration = Duration::from_millis(500);

/// Moves to the top left, and clears the screen.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// Prints the listing whenever it has changed. Returns only when a signal arrives or an error occurs.
pub fn run(options: &Options, users: &mut Users) -> Result<()> {
    let signals =
        Signals::catch(&[libc::SIGINT, libc::SIGTERM]).map_err(|error| Failure::io("cannot handle signals", &error))?;
    let output = io::stdout();
    let is_screen =
        !options.is_json && output.is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
    let reader = is_write_end(output.as_fd()).then_some(output.as_fd());
    let mut previous = None;
    loop {
        let text = rendered(&list(&options.addresses, users)?, options, true);
        if previous.as_ref() != Some(&text) {
            let before = match previous {
                _ if is_screen => CLEAR,
                Some(_) if !options.is_json => "\n",
                _ => "",
            };
            print([before, &text].concat().as_bytes())?;
            previous = Some(text);
        }
        let fds: Vec<_> = [signals.fd()].into_iter().chain(reader).collect();
        let ready = sys::wait_readable(&fds, Some(PERIOD)).map_err(|error| Failure::io("cannot wait", &error))?;
        if let Some(signal) = signals.next() {
            return Err(Failure::Signal(signal));
        }
        // The write end of a pipe is only ready if nobody can read any more.
        if ready.get(1) == Some(&true) {
            return Err(Failure::Signal(libc::SIGPIPE));
        }
    }
}

/// Whether it is a pipe that can only be written.
fn is_write_end(output: BorrowedFd) -> bool {
    let is_pipe = || {
        let status = File::from(output.try_clone_to_owned().ok()?).metadata().ok()?;
        Some(status.file_type().is_fifo())
    };
    let is_written_only = sys::open_flags(output).is_ok_and(|flags| flags & libc::O_ACCMODE == libc::O_WRONLY);
    is_written_only && is_pipe() == Some(true)
}
