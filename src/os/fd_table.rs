// SPDX-License-Identifier: Apache-2.0
//! The table of descriptors of a process that is about to execute a program: only async-signal-safe calls, and no
//! allocation, since this runs in the child of a vfork().

use crate::rt::fd::Fd;
use crate::sys::file::{self, DirectoryEntries};
use crate::sys::{Result, path::KernelPath};
use core::ffi::{c_int, c_ulong};
use core::mem::offset_of;

/// Has every descriptor from `first` on closed when a program is executed.
pub fn close_on_exec_from(first: Fd) {
    // Before Linux 5.11, or where a sandbox denies it.
    if file::close_range_cloexec(first).is_err() && mark_those_listed(c"/proc/self/fd".into(), first).is_err() {
        (first.number()..end_of_table()).for_each(mark);
    }
}

fn mark(fd: c_int) {
    // It may not be open.
    let _ = file::fcntl_setfd(Fd::from_c(fd), libc::FD_CLOEXEC);
}

// --- without help --------------------------------------------------------------------------------------------------

/// Descriptors from here on are not looked at. Linux creates none of them, unless fs.nr_open was raised.
const LIMIT: c_int = 1 << 20;

/// A number that is greater than those of all open descriptors, or [`LIMIT`].
///
/// RLIMIT_NOFILE is no such number: it may have been lowered since, and some systems set it to a billion. What can be
/// found out is the size of the kernel's table, which doubles as the numbers in use grow.
fn end_of_table() -> c_int {
    const SMALLEST_TABLE: c_int = 64;
    let mut size = SMALLEST_TABLE;
    while size < LARGEST_SET {
        if file::fcntl_getfd(Fd::from_c(size)).is_err() && is_beyond_table(size) {
            return size;
        }
        size *= 2;
    }
    LIMIT
}

const LARGEST_SET: c_int = 1 << 16;
const BITS: usize = c_ulong::BITS as usize;

/// Whether the kernel's table ends before the number, which is not open: select() ignores it then, and fails otherwise.
fn is_beyond_table(number: c_int) -> bool {
    let mut set: [c_ulong; LARGEST_SET as usize / BITS] = [0; LARGEST_SET as usize / BITS];
    let Some((at, word)) = usize::try_from(number).ok().and_then(|at| Some((at, set.get_mut(at / BITS)?))) else {
        return false;
    };
    *word = 1 << (at % BITS);
    file::select_readable(&mut set, number + 1) == Ok(0)
}

// --- with /proc ----------------------------------------------------------------------------------------------------

fn mark_those_listed(directory: KernelPath, first: Fd) -> Result<()> {
    let directory = file::open(directory, libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC, 0)?;
    let mut entries = DirectoryEntries([0; 2048]);
    loop {
        // The C library's readdir() allocates.
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

/// The name of the first entry of what getdents64() stored, and the entries after it.
fn split_entry(entries: &[u8]) -> Option<(&[u8], &[u8])> {
    const LENGTH_AT: usize = offset_of!(libc::dirent64, d_reclen);
    const NAME_AT: usize = offset_of!(libc::dirent64, d_name);
    let length = u16::from_ne_bytes(*entries.get(LENGTH_AT..)?.first_chunk()?);
    let (entry, next) = entries.split_at_checked(usize::from(length))?;
    let name = entry.get(NAME_AT..)?.split(|byte| *byte == 0).next()?;
    Some((name, next))
}

/// A descriptor's name in /proc; None for `.` and `..`.
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
    fn open_descriptors_are_listed_and_marked() {
        let (reader, writer) = std::io::pipe().unwrap();
        let (reader, writer) = (reader.as_raw_fd(), writer.as_raw_fd());
        let (low, high) = (Fd::from_c(reader.min(writer)), Fd::from_c(reader.max(writer)));
        file::fcntl_setfd(low, 0).unwrap();
        file::fcntl_setfd(high, 0).unwrap();
        mark_those_listed(c"/proc/self/fd".into(), high).unwrap();
        assert_eq!((file::fcntl_getfd(low), file::fcntl_getfd(high)), (Ok(0), Ok(libc::FD_CLOEXEC)));
        assert_eq!(mark_those_listed(c"/nowhere".into(), high), Err(errno::Errno(libc::ENOENT)));
    }

    #[test]
    fn the_end_of_the_table_is_found_wherever_it_is() {
        let null = std::fs::File::open("/dev/null").unwrap();
        for number in [500, 1023, 1024, 5000] {
            let fd = Fd::from_c(number);
            // SAFETY: the test has no descriptor of that number.
            if unsafe { file::dup2(Fd::from_c(null.as_raw_fd()), fd) }.is_err() {
                continue;
            }
            assert!(end_of_table() > number);
            // A table that has grown stays as large.
            assert!(end_of_table() <= 32768);
            // SAFETY: it was opened above.
            unsafe { file::close(fd) }.unwrap();
            assert!(!is_beyond_table(number));
        }
        assert!(is_beyond_table(LARGEST_SET - 1));
        assert!(!is_beyond_table(LARGEST_SET) && !is_beyond_table(-1));
    }

    #[test]
    fn entries_are_taken_one_by_one() {
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
