//! The table of descriptors, on the way to another program: only async-signal-safe calls, and no allocation.
//!
//! What closes or replaces a descriptor asks the kernel itself: a tool that stands between the program and the C
//! library (ThreadSanitizer) keeps account of descriptors in memory that the child shares with its parent.

use super::{Result, check, own};
use std::ffi::{CStr, c_int, c_uint, c_ulong};
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr;

/// What a program finds at a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirection {
    /// What is there already, if anything is.
    Keep(c_int),
    /// Nothing.
    Close(c_int),
    /// What is at another one.
    Duplicate { from: c_int, to: c_int },
}

impl Redirection {
    pub fn apply(self) -> Result<()> {
        match self {
            Redirection::Keep(fd) => {
                set_flags(fd, 0);
                Ok(())
            }
            Redirection::Close(fd) => {
                // SAFETY: the C caller has named the number, and answers for it; in a child the table is its own.
                unsafe { libc::syscall(libc::SYS_close, fd) };
                Ok(())
            }
            Redirection::Duplicate { from, to } => {
                // SAFETY: the same.
                check(unsafe { libc::syscall(libc::SYS_dup3, from, to, 0) } as c_int).map(drop)
            }
        }
    }
}

/// Of a descriptor that may not be open.
fn set_flags(fd: c_int, flags: c_int) {
    // SAFETY: no pointer is passed.
    unsafe { libc::fcntl(fd, libc::F_SETFD, flags) };
}

/// Has every descriptor from `first` on closed when a program is executed.
pub fn close_on_exec_from(first: c_int) {
    // SAFETY: no pointer is passed. The C library's function is younger than some that are in use.
    let done = unsafe { libc::syscall(libc::SYS_close_range, first, c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    // Before Linux 5.11, or where a sandbox does not know it.
    if done != 0 && mark_those_listed(c"/proc/self/fd", first).is_err() {
        (first..end_of_table()).for_each(|fd| set_flags(fd, libc::FD_CLOEXEC));
    }
}

// --- without help -----------------------------------------------------------------------------------------------------

/// Numbers from here on are not looked at. Linux gives none of them, unless fs.nr_open was raised.
const MOST_NUMBERS: c_int = 1 << 20;

/// A number that is greater than those of all open descriptors, or [`MOST_NUMBERS`].
///
/// RLIMIT_NOFILE is no such number: it may have been lowered since, and some systems set it to a billion. What can be
/// found out is the size of the kernel's table, which doubles as the numbers in use grow.
fn end_of_table() -> c_int {
    const SMALLEST_TABLE: c_int = 64;
    let mut size = SMALLEST_TABLE;
    while size < LARGEST_SET {
        if !is_open(size) && is_beyond_table(size) {
            return size;
        }
        size *= 2;
    }
    MOST_NUMBERS
}

fn is_open(fd: c_int) -> bool {
    // SAFETY: no pointer is passed.
    unsafe { libc::fcntl(fd, libc::F_GETFD) != -1 }
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
    let (none, mut no_time) = (ptr::null_mut(), libc::timeval { tv_sec: 0, tv_usec: 0 });
    // SAFETY: the set has a bit for each number up to this one, and the kernel reads and writes no others.
    unsafe { libc::select(number + 1, set.as_mut_ptr().cast(), none, none, &mut no_time) == 0 }
}

// --- with /proc -------------------------------------------------------------------------------------------------------

#[repr(C, align(8))]
struct Entries([u8; 2048]);

fn mark_those_listed(directory: &CStr, first: c_int) -> Result<()> {
    // SAFETY: a terminated string.
    let directory =
        own(unsafe { libc::open(directory.as_ptr(), libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC) })?;
    let mut entries = Entries([0; 2048]);
    loop {
        let size = read_entries(&directory, &mut entries)?;
        let mut rest = entries.0.get(..size).unwrap_or_default();
        if rest.is_empty() {
            return Ok(());
        }
        while let Some((name, next)) = split_entry(rest) {
            if let Some(fd) = number(name).filter(|fd| *fd >= first) {
                set_flags(fd, libc::FD_CLOEXEC);
            }
            rest = next;
        }
    }
}

/// The C library's readdir() allocates.
fn read_entries(directory: &OwnedFd, entries: &mut Entries) -> Result<usize> {
    let (directory, buffer, size) = (directory.as_raw_fd(), entries.0.as_mut_ptr(), entries.0.len());
    // SAFETY: the buffer is valid for writing its size, and aligned.
    let result = unsafe { libc::syscall(libc::SYS_getdents64, directory, buffer, size) };
    usize::try_from(result).map_err(|_| errno::errno())
}

/// The name of the first entry of what getdents64() stored, and the entries after it.
fn split_entry(entries: &[u8]) -> Option<(&[u8], &[u8])> {
    const LENGTH_AT: usize = std::mem::offset_of!(libc::dirent64, d_reclen);
    const NAME_AT: usize = std::mem::offset_of!(libc::dirent64, d_name);
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
        let flags_of = |fd: c_int| {
            // SAFETY: no pointer is passed.
            unsafe { libc::fcntl(fd, libc::F_GETFD) }
        };
        let (low, high) = (reader.as_raw_fd().min(writer.as_raw_fd()), reader.as_raw_fd().max(writer.as_raw_fd()));
        set_flags(low, 0);
        set_flags(high, 0);
        mark_those_listed(c"/proc/self/fd", high).unwrap();
        assert_eq!((flags_of(low), flags_of(high)), (0, libc::FD_CLOEXEC));
        assert_eq!(mark_those_listed(c"/nowhere", high), Err(errno::Errno(libc::ENOENT)));
    }

    #[test]
    fn the_end_of_the_table_is_found_wherever_it_is() {
        let file = std::fs::File::open("/dev/null").unwrap();
        for number in [500, 1023, 1024, 5000] {
            // SAFETY: no pointer is passed, and the test has no descriptor of that number.
            if unsafe { libc::dup2(file.as_raw_fd(), number) } == -1 {
                continue;
            }
            assert!(end_of_table() > number);
            // A table that has grown stays as large.
            assert!(end_of_table() <= 32768);
            // SAFETY: no pointer is passed.
            unsafe { libc::close(number) };
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
