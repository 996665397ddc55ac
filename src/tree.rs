//! Removing files, and directories with all that is in them.
//!
//! How the path is spelled is decided first: nothing is removed by a path that the system would refuse in the end. Below
//! it, everything is done relative to descriptors of directories that are known to be such, so that nobody can lead the
//! removal elsewhere by a symbolic link, and no path is too long. Few descriptors are open at a time: those of directories
//! far above are closed, and found again through `..` on the way back.
//!
//! Others may remove the same files at the same time. What is not there any more is removed, and what has become of
//! another type is looked at again.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::sys::dir::DirStream;
use crate::sys::path::Path;
use crate::sys::{file, hidden};
use crate::text::Quoted;
use errno::{Errno, errno, set_errno};
use std::ffi::{CStr, c_int};
use std::fmt;
use std::os::fd::{AsRawFd, OwnedFd};

/// Flag: what is in a directory is removed first.
pub const RECURSIVE: c_int = c_int::MIN;
/// Flag: the first failure below ends the removal.
const FAILONERROR: c_int = 1 << 30;

/// Types of files, as flags.
const FIFO: c_int = 0x02;
const CHR: c_int = 0x04;
const BLK: c_int = 0x08;
const DIR: c_int = 0x10;
const REG: c_int = 0x20;
const LNK: c_int = 0x40;
const SOCK: c_int = 0x80;
/// The type is not known.
pub const UNKNOWN: c_int = 0;

/// The flag for a type as directory entries give it.
pub fn type_of_entry(kind: u8) -> c_int {
    match kind {
        libc::DT_FIFO => FIFO,
        libc::DT_CHR => CHR,
        libc::DT_BLK => BLK,
        libc::DT_DIR => DIR,
        libc::DT_REG => REG,
        libc::DT_LNK => LNK,
        libc::DT_SOCK => SOCK,
        _ => UNKNOWN,
    }
}

fn type_of(status: &libc::stat) -> c_int {
    match status.st_mode & libc::S_IFMT {
        libc::S_IFIFO => FIFO,
        libc::S_IFCHR => CHR,
        libc::S_IFBLK => BLK,
        libc::S_IFDIR => DIR,
        libc::S_IFREG => REG,
        libc::S_IFLNK => LNK,
        libc::S_IFSOCK => SOCK,
        _ => UNKNOWN,
    }
}

type Outcome<T> = std::result::Result<T, Errno>;

/// How often a name is looked at again whose type changes under the hands of the library.
const MOST_LOOKS: usize = 16;

pub fn remove(path: Path, flags: c_int) -> Result<()> {
    let errno_at_entry = errno();
    let looked = file::link_status_of(path);
    if let Err(e @ Errno(libc::EFAULT | libc::ENAMETOOLONG)) = looked {
        return Err(Error::os(e, format_args!("removing {}", path.shown(e))));
    }
    // The system has read the path, so it is a string.
    let given = path.to_c_str().unwrap_or_default();
    let mut shortened = Vec::new();
    match Spelling::of(given.to_bytes()) {
        Spelling::Name => remove_name(given, looked, flags, false),
        Spelling::Dot => remove_name(given, looked, flags, true),
        Spelling::Directory(name) => {
            let terminated = shortened.try_reserve_exact(name.len() + 1).ok().and_then(|()| {
                shortened.extend_from_slice(name);
                shortened.push(0);
                CStr::from_bytes_with_nul(&shortened).ok()
            });
            // With the slash, a symbolic link would be followed: by this look, and when the directory is opened.
            let Some(name) = terminated else { return Err(Failure::OfTop(Errno(libc::ENOMEM)).of(given)) };
            match file::link_status_of(name.into()) {
                Ok(status) if type_of(&status) != DIR => Err(Failure::OfTop(Errno(libc::ENOTDIR)).of(given)),
                looked => remove_name(name, looked, flags, false),
            }
        }
        refused => {
            let (number, what) = match refused {
                Spelling::Root => (libc::EBUSY, "it is the root directory"),
                _ => (libc::EINVAL, "its last component is . or .."),
            };
            looked.map_err(|e| Failure::OfTop(e).of(given))?;
            Err(Error::new(number, format_args!("removing {}: {what}", Quoted(given.to_bytes()))))
        }
    }?;
    set_errno(errno_at_entry);
    Ok(())
}

/// What a path is a spelling of, by its last component.
#[derive(Debug, PartialEq)]
enum Spelling<'a> {
    /// A name, of whatever it is.
    Name,
    /// The name of a directory, given here without the slashes behind it.
    Directory(&'a [u8]),
    /// The path is `.` or `..`, which only lose what they contain: mmlib's programs rely on that.
    Dot,
    /// A longer path that ends in `.` or `..`, by which no directory can be removed.
    Dots,
    Root,
}

impl Spelling<'_> {
    fn of(path: &[u8]) -> Spelling<'_> {
        let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
        let name = path.get(..end).unwrap_or_default();
        match name.rsplit(|byte| *byte == b'/').next().unwrap_or_default() {
            b"." | b".." if matches!(path, b"." | b"..") => Spelling::Dot,
            b"." | b".." => Spelling::Dots,
            b"" if !path.is_empty() => Spelling::Root,
            _ if end < path.len() => Spelling::Directory(name),
            _ => Spelling::Name,
        }
    }
}

/// Removes what has a name, which may be a directory of which only the content goes.
fn remove_name(name: &CStr, mut looked: Outcome<libc::stat>, flags: c_int, is_kept: bool) -> Result<()> {
    let mut looks = 1;
    loop {
        let kind = type_of(&looked.map_err(|e| Failure::OfTop(e).of(name))?);
        if kind & flags == 0 {
            let shown = Quoted(name.to_bytes());
            return Err(Error::new(
                libc::EPERM,
                format_args!("removing {shown}: its type is not among those to be removed"),
            ));
        }
        let removed = if kind != DIR {
            file::unlink(name.into()).map_err(Failure::OfTop)
        } else if flags & RECURSIVE == 0 {
            file::remove_directory(name.into()).map_err(Failure::OfTop)
        } else {
            remove_tree(name, flags, is_kept)
        };
        match removed {
            Err(failure) if failure.is_of_other_type() && looks < MOST_LOOKS => {}
            // It existed, and now it does not.
            Err(failure) if failure.is_missing() => return Ok(()),
            removed => return removed.map_err(|failure| failure.of(name)),
        }
        looks += 1;
        looked = match file::link_status_of(name.into()) {
            Err(Errno(libc::ENOENT)) => return Ok(()),
            looked => looked,
        };
    }
}

const OPEN_DIRECTORY: c_int = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_NONBLOCK;

fn remove_tree(name: &CStr, flags: c_int, is_kept: bool) -> std::result::Result<(), Failure> {
    if is_kept {
        let top = hidden::open(name.into(), OPEN_DIRECTORY).map_err(Failure::OfTop)?;
        return match empty(name, top, flags) {
            (Err(Ended), Some(below)) => Err(Failure::Below(below)),
            _ => Ok(()),
        };
    }
    let (parent, last) = open_parent(name).map_err(Failure::OfTop)?;
    let remove = || file::unlink_at(&parent, last.into(), libc::AT_REMOVEDIR);
    let top = match hidden::open_at(&parent, last.into(), OPEN_DIRECTORY) {
        Err(denied @ Errno(libc::EACCES)) => {
            // It may be empty all the same.
            return match remove() {
                Ok(()) | Err(Errno(libc::ENOENT)) => Ok(()),
                Err(_) => Err(Failure::OfTop(denied)),
            };
        }
        opened => opened.map_err(Failure::OfTop)?,
    };
    match empty(name, top, flags) {
        (Err(Ended), Some(below)) => Err(Failure::Below(below)),
        (_, Some(below)) => remove().map_err(|e| Failure::OfTopAfter(e, below)),
        (_, None) => remove().map_err(Failure::OfTop),
    }
}

/// The directory that has the last component of a path, and that. By the path, the directory may not be found again when it
/// is empty: a symbolic link on the way to it, or the current directory, may have been in it.
fn open_parent(path: &CStr) -> Outcome<(OwnedFd, &CStr)> {
    let bytes = path.to_bytes_with_nul();
    let start = bytes.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let (parent, last) = bytes.split_at_checked(start).unwrap_or_default();
    let last = CStr::from_bytes_with_nul(last).map_err(|_| Errno(libc::EINVAL))?;
    let mut terminated = Vec::new();
    terminated.try_reserve_exact(parent.len() + 2).map_err(|_| Errno(libc::ENOMEM))?;
    terminated.extend_from_slice(parent);
    terminated.extend_from_slice(b".\0");
    let parent = CStr::from_bytes_with_nul(&terminated).map_err(|_| Errno(libc::EINVAL))?;
    Ok((hidden::open(parent.into(), libc::O_PATH | libc::O_DIRECTORY)?, last))
}

/// Empties a directory, and gives the first failure, if there is one, and whether that ended it.
fn empty(name: &CStr, top: OwnedFd, flags: c_int) -> (std::result::Result<(), Ended>, Option<Below>) {
    let mut walk = Walk { name, flags, levels: Vec::new(), first_failure: None };
    (walk.empty(top), walk.first_failure)
}

// --- failures ------------------------------------------------------------------------------------------------------

enum Failure {
    /// Of the path that was given.
    OfTop(Errno),
    /// Of something in it, which ended the removal.
    Below(Below),
    /// Of the path that was given, after something in it was passed over.
    OfTopAfter(Errno, Below),
}

/// What could not be removed, and why.
struct Below {
    number: Errno,
    path: Tail<160>,
}

impl Failure {
    fn of_top(&self) -> Option<Errno> {
        match self {
            Failure::OfTop(number) | Failure::OfTopAfter(number, _) => Some(*number),
            Failure::Below(_) => None,
        }
    }

    /// Whether a file became a directory, or the other way around, after its type was asked for.
    fn is_of_other_type(&self) -> bool {
        matches!(self.of_top(), Some(Errno(libc::EISDIR | libc::ENOTDIR | libc::ELOOP)))
    }

    fn is_missing(&self) -> bool {
        matches!(self.of_top(), Some(Errno(libc::ENOENT)))
    }

    #[cold]
    #[track_caller]
    fn of(self, top: &CStr) -> Error {
        let top = Quoted(top.to_bytes());
        match self {
            Failure::OfTop(e) => Error::os(e, format_args!("removing {top}")),
            Failure::Below(below) => Error::os(below.number, format_args!("removing {}", below.path)),
            Failure::OfTopAfter(e, Below { number, path }) => {
                Error::os(e, format_args!("removing {top}: {path} is left ({number})"))
            }
        }
    }
}

/// The end of a path, as much of it as fits.
struct Tail<const N: usize> {
    bytes: [u8; N],
    start: usize,
    is_cut: bool,
}

impl<const N: usize> Tail<N> {
    fn new() -> Tail<N> {
        Tail { bytes: [0; N], start: N, is_cut: false }
    }

    /// Adds what comes before all that is there.
    fn push_front(&mut self, bytes: &[u8]) {
        let free = self.bytes.get_mut(..self.start).unwrap_or_default();
        for (to, from) in free.iter_mut().rev().zip(bytes.iter().rev()) {
            *to = *from;
        }
        self.is_cut |= bytes.len() > self.start;
        self.start = self.start.saturating_sub(bytes.len());
    }
}

impl<const N: usize> fmt::Display for Tail<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_cut { "..." } else { "" })?;
        Quoted(self.bytes.get(self.start..).unwrap_or_default()).fmt(f)
    }
}

// --- the walk ------------------------------------------------------------------------------------------------------

/// A directory on the way from the top to where the walk is.
struct Level {
    /// Open if it is near.
    directory: Option<OwnedFd>,
    device: libc::dev_t,
    inode: libc::ino_t,
    /// Names of the directories in it that are still to be emptied, each terminated. The last comes first.
    subdirectories: Vec<u8>,
}

impl Level {
    fn is(&self, status: &libc::stat) -> bool {
        status.st_dev == self.device && status.st_ino == self.inode
    }

    /// The name of the next subdirectory.
    fn next_name(&self) -> Option<&CStr> {
        let names = self.subdirectories.get(..self.subdirectories.len().checked_sub(1)?)?;
        let start = names.iter().rposition(|byte| *byte == 0).map_or(0, |end| end + 1);
        CStr::from_bytes_with_nul(self.subdirectories.get(start..)?).ok()
    }

    fn forget_next_name(&mut self) {
        let length = self.next_name().map_or(0, |name| name.count_bytes() + 1);
        self.subdirectories.truncate(self.subdirectories.len() - length);
    }
}

/// The walk ended at a failure.
struct Ended;

struct Walk<'a> {
    name: &'a CStr,
    flags: c_int,
    levels: Vec<Level>,
    first_failure: Option<Below>,
}

impl Walk<'_> {
    /// Directories whose descriptors stay open above the one that is being emptied.
    const NEAR: usize = 16;

    /// Empties a directory. Unless failures are to end the walk, it goes on behind them, and what was left behind shows
    /// by the directories that cannot be removed.
    fn empty(&mut self, top: OwnedFd) -> std::result::Result<(), Ended> {
        self.enter(top)?;
        while let Some(level) = self.levels.last() {
            let (Some(directory), Some(name)) = (&level.directory, level.next_name()) else {
                if self.levels.len() == 1 {
                    break;
                }
                self.leave()?;
                continue;
            };
            match self.remove_entry(directory, name, Some(DIR)) {
                Ok(Some(child)) => self.enter(child)?,
                Ok(None) => self.forget_next_name(),
                Err(e) => {
                    let failed = self.note(e, None);
                    self.forget_next_name();
                    failed?;
                }
            }
        }
        Ok(())
    }

    /// Notes a failure at an entry of the directory where the walk is; or at that itself, which has the next name of the
    /// level above it.
    fn note(&mut self, number: Errno, entry: Option<&CStr>) -> std::result::Result<(), Ended> {
        if self.first_failure.is_none() {
            let mut path = Tail::new();
            let directories = self.levels.iter().rev().filter_map(Level::next_name);
            for name in entry.into_iter().chain(directories) {
                path.push_front(name.to_bytes());
                path.push_front(b"/");
            }
            path.push_front(self.name.to_bytes());
            self.first_failure = Some(Below { number, path });
        }
        if self.flags & FAILONERROR != 0 { Err(Ended) } else { Ok(()) }
    }

    fn forget_next_name(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.forget_next_name();
        }
    }

    /// Removes an entry of that type, if it is known, or opens it if it is a directory that may have to be emptied.
    fn remove_entry(&self, directory: &OwnedFd, name: &CStr, mut known: Option<c_int>) -> Outcome<Option<OwnedFd>> {
        let mut looks = 0;
        loop {
            let kind = match known.take().map_or_else(|| self.look(directory, name), Ok) {
                Ok(kind) if kind & self.flags != 0 => kind,
                Ok(_) | Err(Errno(libc::ENOENT)) => return Ok(None),
                Err(e) => return Err(e),
            };
            let removed = if kind == DIR {
                hidden::open_at(directory, name.into(), OPEN_DIRECTORY).map(Some).or_else(|e| {
                    // It may be empty all the same.
                    match file::unlink_at(directory, name.into(), libc::AT_REMOVEDIR) {
                        Ok(()) => Ok(None),
                        Err(changed @ Errno(libc::ENOENT | libc::ENOTDIR)) => Err(changed),
                        Err(_) => Err(e),
                    }
                })
            } else {
                file::unlink_at(directory, name.into(), 0).map(|()| None)
            };
            match removed {
                Err(Errno(libc::ENOENT)) => return Ok(None),
                Err(Errno(libc::EISDIR | libc::ENOTDIR | libc::ELOOP)) if looks < MOST_LOOKS => looks += 1,
                removed => return removed,
            }
        }
    }

    fn look(&self, directory: &OwnedFd, name: &CStr) -> Outcome<c_int> {
        file::link_status_at(directory, name.into()).map(|status| type_of(&status))
    }

    /// Removes what is not a directory, and notes what is one.
    fn enter(&mut self, directory: OwnedFd) -> std::result::Result<(), Ended> {
        let status = file::status(directory.as_raw_fd());
        let reserved = self.levels.try_reserve(1).map_err(|_| Errno(libc::ENOMEM));
        let status = match status.and_then(|status| reserved.map(|()| status)) {
            Ok(status) => status,
            Err(e) => {
                let failed = self.note(e, None);
                self.forget_next_name();
                return failed;
            }
        };
        let mut subdirectories = Vec::new();
        self.remove_entries(&directory, &mut subdirectories)?;
        // That of the top stays open.
        if let Some(level) =
            self.levels.len().checked_sub(Self::NEAR).filter(|far| *far > 0).and_then(|far| self.levels.get_mut(far))
        {
            level.directory = None;
        }
        self.levels.push(Level {
            directory: Some(directory),
            device: status.st_dev,
            inode: status.st_ino,
            subdirectories,
        });
        Ok(())
    }

    fn remove_entries(&mut self, directory: &OwnedFd, subdirectories: &mut Vec<u8>) -> std::result::Result<(), Ended> {
        // Names are collected first: what a stream gives while its directory changes is not defined.
        let mut others = Vec::new();
        if let Err(e) = self.read_entries(directory, subdirectories, &mut others) {
            self.note(e, None)?;
        }
        for name in others.split_inclusive(|byte| *byte == 0) {
            let Ok(entry) = CStr::from_bytes_with_nul(name) else { continue };
            match file::unlink_at(directory, entry.into(), 0) {
                Ok(()) | Err(Errno(libc::ENOENT)) => {}
                // It has become a directory.
                Err(Errno(libc::EISDIR)) if self.flags & DIR == 0 => {}
                Err(Errno(libc::EISDIR)) => match subdirectories.try_reserve(name.len()) {
                    Ok(()) => subdirectories.extend_from_slice(name),
                    Err(_) => self.note(Errno(libc::ENOMEM), Some(entry))?,
                },
                Err(e) => self.note(e, Some(entry))?,
            }
        }
        Ok(())
    }

    fn read_entries(&self, directory: &OwnedFd, subdirectories: &mut Vec<u8>, others: &mut Vec<u8>) -> Outcome<()> {
        let mut stream = DirStream::of(directory)?;
        loop {
            let entry = match stream.next_entry() {
                Ok(Some(entry)) => entry,
                // A directory that was removed has no entries.
                Ok(None) | Err(Errno(libc::ENOENT)) => return Ok(()),
                Err(e) => return Err(e),
            };
            let name = entry.name.to_bytes_with_nul();
            if matches!(name, b".\0" | b"..\0") {
                continue;
            }
            let kind = match type_of_entry(entry.kind) {
                UNKNOWN => {
                    file::link_status_at(directory, entry.name.into()).map_or(UNKNOWN, |status| type_of(&status))
                }
                known => known,
            };
            if kind != UNKNOWN && kind & self.flags == 0 {
                continue;
            }
            let names = if kind == DIR { &mut *subdirectories } else { &mut *others };
            names.try_reserve(name.len()).map_err(|_| Errno(libc::ENOMEM))?;
            names.extend_from_slice(name);
        }
    }

    /// Goes back to the directory above, and removes the one that was emptied.
    fn leave(&mut self) -> std::result::Result<(), Ended> {
        let emptied = self.levels.pop().and_then(|level| level.directory);
        let found = self.find_parent(emptied);
        let removed = found.and_then(|()| match self.levels.last() {
            Some(Level { directory: Some(parent), .. }) => self.remove_emptied(parent),
            _ => Ok(()),
        });
        let noted = removed.or_else(|e| self.note(e, None));
        match found {
            Ok(()) => self.forget_next_name(),
            // There is no way back.
            Err(_) => self.levels.clear(),
        }
        noted
    }

    /// Opens the directory above again if it is far.
    fn find_parent(&mut self, child: Option<OwnedFd>) -> Outcome<()> {
        let (Some(parent), Some(child)) = (self.levels.last_mut(), child) else { return Ok(()) };
        if parent.directory.is_none() {
            let above = hidden::open_at(&child, c"..".into(), OPEN_DIRECTORY)?;
            // Somebody may have moved the child: what is above it then is not ours to touch.
            if !parent.is(&file::status(above.as_raw_fd())?) {
                return Err(Errno(libc::ENOENT));
            }
            parent.directory = Some(above);
        }
        Ok(())
    }

    /// Removes the next subdirectory, of which nothing should be left.
    fn remove_emptied(&self, parent: &OwnedFd) -> Outcome<()> {
        let Some(name) = self.levels.last().and_then(Level::next_name) else { return Ok(()) };
        match file::unlink_at(parent, name.into(), libc::AT_REMOVEDIR) {
            Err(Errno(libc::ENOENT)) => Ok(()),
            Err(changed @ Errno(libc::ENOTDIR)) => match self.remove_entry(parent, name, None)? {
                None => Ok(()),
                Some(_another) => Err(changed),
            },
            removed => removed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_component_decides_how_a_path_is_spelled() {
        let names: [&[u8]; 7] = [b"", b"a", b"/a", b"a/b", b"./a", b"../.a", b"..."];
        for path in names {
            assert_eq!(Spelling::of(path), Spelling::Name);
        }
        let directories: [(&[u8], &[u8]); 4] =
            [(b"a/", b"a"), (b"/a//", b"/a"), (b"a/b/", b"a/b"), (b"../.../", b"../...")];
        for (path, name) in directories {
            assert_eq!(Spelling::of(path), Spelling::Directory(name));
        }
        for path in [b".".as_slice(), b".."] {
            assert_eq!(Spelling::of(path), Spelling::Dot);
        }
        let dots: [&[u8]; 9] = [b"./", b"../", b".//", b"a/.", b"a/..", b"a/./", b"/.", b"/..", b"../.."];
        for path in dots {
            assert_eq!(Spelling::of(path), Spelling::Dots);
        }
        for path in [b"/".as_slice(), b"//", b"///"] {
            assert_eq!(Spelling::of(path), Spelling::Root);
        }
    }

    #[test]
    fn names_of_subdirectories_are_taken_from_the_end() {
        let subdirectories = b"first\0\n\0last\0".to_vec();
        let mut level = Level { directory: None, device: 0, inode: 0, subdirectories };
        for name in [c"last", c"\n", c"first"] {
            assert_eq!(level.next_name(), Some(name));
            level.forget_next_name();
        }
        assert_eq!(level.next_name(), None);
        level.forget_next_name();
        assert_eq!(level.next_name(), None);
    }

    #[test]
    fn a_long_path_keeps_its_end() {
        let mut path = Tail::<8>::new();
        path.push_front(b"name");
        path.push_front(b"/");
        assert_eq!(format!("{path}"), "\"/name\"");
        path.push_front(b"dir");
        assert_eq!(format!("{path}"), "\"dir/name\"");
        path.push_front(b"/");
        assert_eq!(format!("{path}"), "...\"dir/name\"");
        let mut path = Tail::<8>::new();
        path.push_front(b"a long name");
        path.push_front(b"x");
        assert_eq!(format!("{path}"), "...\"ong name\"");
    }
}
