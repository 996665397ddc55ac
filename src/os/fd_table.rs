// SPDX-License-Identifier: Apache-2.0
//! The file descriptor table of a process that is about to execute a program. This runs in a child of vfork(): it makes
//! only async-signal-safe calls and does not allocate memory.

use crate::rt::fd::Fd;
use crate::sys::file::{self, DirectoryEntries};
use crate::sys::{Result, path::KernelPath};
use core::ffi::{c_int, c_ulong};
use core::mem::offset_of;

/// Marks all file descriptors from `first` on as close-on-exec.
pub fn close_on_exec_from(first: Fd) {
    // close_range() fails before Linux 5.11, or if a sandbox denies it.
    if file::close_range_cloexec(first).is_err() && mark_listed(c"/proc/self/fd".into(), first).is_err() {
        (first.number()..end_of_table()).for_each(mark);
    }
}

fn mark(fd: c_int) {
    // EBADF is ignored: the file descriptor may be closed.
    let _ = file::fcntl_setfd(Fd::from_c(fd), libc::FD_CLOEXEC);
}

// --- without /proc --------------------------------------------------------------------------------------------------

/// File descriptors from here on are not examined. Linux creates them only if fs.nr_open has been raised.
const LIMIT: c_int = 1 << 20;

/// Returns a number greater than all open file descriptors, or [`LIMIT`].
///
/// RLIMIT_NOFILE is unsuitable: it may have been lowered after file descriptors were opened, and some systems set it to
/// a billion. Instead, this finds the size of the kernel's table, which doubles when it grows.
fn end_of_table() -> c_int {
    const MIN_TABLE_SIZE: c_int = 64;
    let mut size = MIN_TABLE_SIZE;
    while size < MAX_SET_SIZE {
        if file::fcntl_getfd(Fd::from_c(size)).is_err() && is_beyond_table(size) {
            return size;
        }
        size *= 2;
    }
    LIMIT
}

const MAX_SET_SIZE: c_int = 1 << 16;
const BITS: usize = c_ulong::BITS as usize;

/// Returns whether the kernel's table ends before `number`, which must be closed. select() ignores file descriptors
/// beyond the table, and fails with EBADF for closed ones in it.
fn is_beyond_table(number: c_int) -> bool {
    let mut set: [c_ulong; MAX_SET_SIZE as usize / BITS] = [0; MAX_SET_SIZE as usize / BITS];
    let Some((at, word)) = usize::try_from(number).ok().and_then(|at| Some((at, set.get_mut(at / BITS)?))) else {
        return false;
    };
    *word = 1 << (at % BITS);
    file::select_readable(&mut set, number + 1) == Ok(0)
}

// --- with /proc ----------------------------------------------------------------------------------------------------

fn mark_listed(directory: KernelPath, first: Fd) -> Result<()> {
    let directory = file::open(directory, libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC, 0)?;
    let mut entries = DirectoryEntries([0; 2048]);
    loop {
        // The C library's readdir() allocates memory.
        let size = file::getdents64(directory.fd(), &mut entries)?;
        let mut rest = entries.0.get(..size).unwrap_or_default();
        if rest.is_empty() {
            return Ok(());
        }
        while let Some((name, next)) = split_entry(rest) {
            if let Some(fd) = number(name).filter(|fd| *fd >= first.number()) {
                mark(fd);
            }
            rest = next;
        }
    }
}

/// Splits the first entry from the output of getdents64(). Returns its name and the remaining entries.
fn split_entry(entries: &[u8]) -> Option<(&[u8], &[u8])> {
    const LENGTH_AT: usize = offset_of!(libc::dirent64, d_reclen);
    const NAME_AT: usize = offset_of!(libc::dirent64, d_name);
    let length = u16::from_ne_bytes(*entries.get(LENGTH_AT..)?.first_chunk()?);
    let (entry, next) = entries.split_at_checked(usize::from(length))?;
    let name = entry.get(NAME_AT..)?.split(|byte| *byte == 0).next()?;
    Some((name, next))
}

/// Parses the name of a file descriptor in /proc. None for `.` and `..`.
fn number(name: &[u8]) -> Option<c_int> {
    name.iter().try_fold(0, |number: c_int, byte| {
        let digit = byte.is_ascii_digit().then(|| c_int::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;
    use std::vec::Vec;

    #[test]
    fn names_of_descriptors_are_numbers() {
        assert_eq!(number(b"0"), Some(0));
        assert_eq!(number(b"2147483647"), Some(c_int::MAX));
        assert_eq!(number(b"2147483648"), None);
        assert_eq!(number(b"."), None);
        assert_eq!(number(b"1a"), None);
    }

    #[test]
    fn listed_descriptors_are_marked_close_on_exec() {
        let (reader, writer) = UnixStream::pair().unwrap();
        let (reader, writer) = (reader.as_raw_fd(), writer.as_raw_fd());
        let (low, high) = (Fd::from_c(reader.min(writer)), Fd::from_c(reader.max(writer)));
        file::fcntl_setfd(low, 0).unwrap();
        file::fcntl_setfd(high, 0).unwrap();
        mark_listed(c"/proc/self/fd".into(), high).unwrap();
        assert_eq!((file::fcntl_getfd(low), file::fcntl_getfd(high)), (Ok(0), Ok(libc::FD_CLOEXEC)));
        assert_eq!(mark_listed(c"/nowhere".into(), high), Err(errno::Errno(libc::ENOENT)));
    }

    #[test]
    fn end_of_table_exceeds_all_open_descriptors() {
        let null = std::fs::File::open("/dev/null").unwrap();
        for number in [500, 1023, 1024, 5000] {
            let fd = Fd::from_c(number);
            // SAFETY: the test does not use that file descriptor.
            if unsafe { file::dup2(Fd::from_c(null.as_raw_fd()), fd) }.is_err() {
                continue;
            }
            assert!(end_of_table() > number);
            // The table does not shrink.
            assert!(end_of_table() <= 32768);
            // SAFETY: it was opened above.
            unsafe { file::close(fd) }.unwrap();
            assert!(!is_beyond_table(number));
        }
        assert!(is_beyond_table(MAX_SET_SIZE - 1));
        assert!(!is_beyond_table(MAX_SET_SIZE) && !is_beyond_table(-1));
    }

    #[test]
    fn split_entry_returns_one_entry_at_a_time() {
        let mut entries = Vec::new();
        for (name, length) in [("12", 24_u16), ("a-longer-name", 40)] {
            let start = entries.len();
            entries.resize(start + usize::from(length), 0);
            entries[start + 16..start + 18].copy_from_slice(&length.to_ne_bytes());
            entries[start + 19..start + 19 + name.len()].copy_from_slice(name.as_bytes());
        }
        let (name, rest) = split_entry(&entries).unwrap();
        assert_eq!(name, b"12");
        let (name, rest) = split_entry(rest).unwrap();
        assert_eq!(name, b"a-longer-name");
        assert!(split_entry(rest).is_none());
        assert!(split_entry(&entries[..20]).is_none());
    }
}
