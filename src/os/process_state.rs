// SPDX-License-Identifier: Apache-2.0
//! Whether another process has terminated.

use super::standard_streams;
use crate::rt::text::Text;
use crate::sys::{file, process};
use core::ffi::CStr;
use errno::Errno;

/// Returns whether the process has terminated, including as a zombie. False if this cannot be determined.
pub fn has_exited(process: libc::pid_t) -> bool {
    match process::pidfd_open(process).and_then(standard_streams::move_above) {
        Ok(pidfd) => {
            let mut entry = [libc::pollfd { fd: pidfd.number(), events: libc::POLLIN, revents: 0 }];
            file::poll_slice(&mut entry, 0).is_ok_and(|ready| ready > 0)
        }
        Err(Errno(libc::ESRCH)) => true,
        // pidfd_open() fails before Linux 5.3, or if a sandbox denies it. kill() does not detect zombies.
        Err(_) => process::kill(process, 0) == Err(Errno(libc::ESRCH)) || is_zombie(process).unwrap_or(false),
    }
}

/// Returns what /proc reports, None if it is not available.
fn is_zombie(process: libc::pid_t) -> Option<bool> {
    let name = Text::<32>::formatted(format_args!("/proc/{process}/stat\0"));
    let name = CStr::from_bytes_with_nul(name.as_bytes()).ok()?;
    let status = standard_streams::open_above(name.into(), libc::O_RDONLY).ok()?;
    let mut text = [0_u8; 128];
    // SAFETY: the buffer is valid for writing its length.
    let length = unsafe { file::read(status.fd(), text.as_mut_ptr().cast(), text.len()) }.ok()?;
    Some(state_in(text.get(..length)?)? == b'Z')
}

/// Returns the state in a line of /proc/PID/stat: the letter after the name, which is in parentheses and may contain
/// any byte.
fn state_in(line: &[u8]) -> Option<u8> {
    let end_of_name = line.iter().rposition(|byte| *byte == b')')?;
    line.get(end_of_name + 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_follows_the_name() {
        assert_eq!(state_in(b"77 (sleep) S 1 77 77"), Some(b'S'));
        assert_eq!(state_in(b"77 (a) Z (b)) Z 1 77 77"), Some(b'Z'));
        assert_eq!(state_in(b"77 (sleep)"), None);
        assert_eq!(state_in(b"77"), None);
    }

    #[test]
    fn zombies_are_detected_by_proc() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id() as libc::pid_t;
        while is_zombie(pid) == Some(false) {
            std::thread::yield_now();
        }
        assert_eq!(is_zombie(pid), Some(true));
        child.wait().unwrap();
        assert_eq!(is_zombie(pid), None);
        assert_eq!(is_zombie(std::process::id() as libc::pid_t), Some(false));
    }
}
