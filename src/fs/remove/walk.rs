// SPDX-License-Identifier: Apache-2.0
//! Emptying a directory.
#![forbid(unsafe_code)]

use super::failure::{Below, Tail};
use crate::fs::flags::{DIR, FAILONERROR, UNKNOWN, type_of, type_of_entry};
use crate::os::directory::DirStream;
use crate::os::standard_streams;
use crate::rt::fd::{Fd, OwnedFd};
use crate::sys::{self, file, large_file};
use alloc::vec::Vec;
use core::ffi::{CStr, c_int};
use errno::Errno;

/// How often a name is retried if other processes change its type during the removal.
pub const MAX_ATTEMPTS: usize = 16;

pub const OPEN_DIRECTORY: c_int = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_NONBLOCK;

/// Removes the content of a directory. Returns whether the removal was stopped, and the first failure.
pub fn empty(name: &CStr, top: OwnedFd, flags: c_int) -> (Result<(), Ended>, Option<Below>) {
    let mut walk = Walk { name, flags, levels: Vec::new(), first_failure: None };
    (walk.empty(top), walk.first_failure)
}

/// A directory between the top directory and the current one, inclusive.
struct Level {
    /// None if the file descriptor was closed because the directory is a distant ancestor.
    directory: Option<OwnedFd>,
    device: libc::dev_t,
    inode: large_file::ino_t,
    /// The terminated names of subdirectories that have not been removed yet. The last one is removed next.
    subdirectories: Vec<u8>,
}

impl Level {
    fn is(&self, status: &large_file::stat) -> bool {
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

/// The walk stopped at a failure.
pub struct Ended;

struct Walk<'a> {
    name: &'a CStr,
    flags: c_int,
    levels: Vec<Level>,
    first_failure: Option<Below>,
}

impl Walk<'_> {
    /// The number of nearest ancestors whose file descriptors remain open.
    const MAX_OPEN_ANCESTORS: usize = 16;

    /// Removes the content of a directory. Unless [`FAILONERROR`] is set, the walk continues after a failure. The
    /// parent directory of the remaining file then cannot be removed either.
    fn empty(&mut self, top: OwnedFd) -> Result<(), Ended> {
        self.enter(top)?;
        while let Some(level) = self.levels.last() {
            let (Some(directory), Some(name)) = (&level.directory, level.next_name()) else {
                if self.levels.len() == 1 {
                    break;
                }
                self.leave()?;
                continue;
            };
            match self.remove_entry(directory.fd(), name, Some(DIR)) {
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

    /// Records a failure at an entry of the current directory. None: at the directory that the next name of the current
    /// level refers to.
    fn note(&mut self, number: Errno, entry: Option<&CStr>) -> Result<(), Ended> {
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

    /// Removes an entry, or opens it if it is a directory, which may not be empty. `known` is its type, None if that
    /// must be determined.
    fn remove_entry(&self, directory: Fd, name: &CStr, mut known: Option<c_int>) -> sys::Result<Option<OwnedFd>> {
        let mut attempts = 0;
        loop {
            let kind = match known.take().map_or_else(|| self.file_type(directory, name), Ok) {
                Ok(kind) if kind & self.flags != 0 => kind,
                Ok(_) | Err(Errno(libc::ENOENT)) => return Ok(None),
                Err(e) => return Err(e),
            };
            let removed = if kind == DIR {
                standard_streams::openat_above(directory, name.into(), OPEN_DIRECTORY).map(Some).or_else(|e| {
                    // The directory may be empty.
                    match file::unlinkat(directory, name.into(), libc::AT_REMOVEDIR) {
                        Ok(()) => Ok(None),
                        Err(changed @ Errno(libc::ENOENT | libc::ENOTDIR)) => Err(changed),
                        Err(_) => Err(e),
                    }
                })
            } else {
                file::unlinkat(directory, name.into(), 0).map(|()| None)
            };
            match removed {
                Err(Errno(libc::ENOENT)) => return Ok(None),
                Err(Errno(libc::EISDIR | libc::ENOTDIR | libc::ELOOP)) if attempts < MAX_ATTEMPTS => attempts += 1,
                removed => return removed,
            }
        }
    }

    fn file_type(&self, directory: Fd, name: &CStr) -> sys::Result<c_int> {
        file::fstatat(directory, name.into(), libc::AT_SYMLINK_NOFOLLOW).map(|status| type_of(&status))
    }

    /// Enters a directory: removes its entries that are not directories, and collects its subdirectories.
    fn enter(&mut self, directory: OwnedFd) -> Result<(), Ended> {
        let status = file::fstat(directory.fd());
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
        self.remove_entries(directory.fd(), &mut subdirectories)?;
        // The file descriptor of the top directory always remains open.
        if let Some(level) = self
            .levels
            .len()
            .checked_sub(Self::MAX_OPEN_ANCESTORS)
            .filter(|far| *far > 0)
            .and_then(|far| self.levels.get_mut(far))
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

    fn remove_entries(&mut self, directory: Fd, subdirectories: &mut Vec<u8>) -> Result<(), Ended> {
        // Names are collected first, because the entries that readdir() returns are undefined while the directory
        // changes.
        let mut others = Vec::new();
        if let Err(e) = self.read_entries(directory, subdirectories, &mut others) {
            self.note(e, None)?;
        }
        for name in others.split_inclusive(|byte| *byte == 0) {
            let Ok(entry) = CStr::from_bytes_with_nul(name) else { continue };
            match file::unlinkat(directory, entry.into(), 0) {
                Ok(()) | Err(Errno(libc::ENOENT)) => {}
                // The file has been replaced by a directory.
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

    fn read_entries(&self, directory: Fd, subdirectories: &mut Vec<u8>, others: &mut Vec<u8>) -> sys::Result<()> {
        let mut stream = DirStream::of(directory)?;
        loop {
            let entry = match stream.next_entry() {
                Ok(Some(entry)) => entry,
                // A removed directory has no entries.
                Ok(None) | Err(Errno(libc::ENOENT)) => return Ok(()),
                Err(e) => return Err(e),
            };
            let name = entry.name.to_bytes_with_nul();
            if matches!(name, b".\0" | b"..\0") {
                continue;
            }
            let kind = match type_of_entry(entry.kind) {
                UNKNOWN => file::fstatat(directory, entry.name.into(), libc::AT_SYMLINK_NOFOLLOW)
                    .map_or(UNKNOWN, |status| type_of(&status)),
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

    /// Returns to the parent directory, and removes the directory that has been emptied.
    fn leave(&mut self) -> Result<(), Ended> {
        let emptied = self.levels.pop().and_then(|level| level.directory);
        let found = self.find_parent(emptied);
        let removed = found.and_then(|()| match self.levels.last() {
            Some(Level { directory: Some(parent), .. }) => self.remove_emptied(parent.fd()),
            _ => Ok(()),
        });
        let noted = removed.or_else(|e| self.note(e, None));
        match found {
            Ok(()) => self.forget_next_name(),
            // The parent cannot be reached, so the walk ends.
            Err(_) => self.levels.clear(),
        }
        noted
    }

    /// Opens the parent directory again if its file descriptor was closed.
    fn find_parent(&mut self, child: Option<OwnedFd>) -> sys::Result<()> {
        let (Some(parent), Some(child)) = (self.levels.last_mut(), child) else { return Ok(()) };
        if parent.directory.is_none() {
            let above = standard_streams::openat_above(child.fd(), c"..".into(), OPEN_DIRECTORY)?;
            // Another process may have moved the child. Its new parent must not be modified.
            if !parent.is(&file::fstat(above.fd())?) {
                return Err(Errno(libc::ENOENT));
            }
            parent.directory = Some(above);
        }
        Ok(())
    }

    /// Removes the next subdirectory, which should be empty.
    fn remove_emptied(&self, parent: Fd) -> sys::Result<()> {
        let Some(name) = self.levels.last().and_then(Level::next_name) else { return Ok(()) };
        match file::unlinkat(parent, name.into(), libc::AT_REMOVEDIR) {
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
    fn subdirectories_are_removed_from_the_end_of_the_list() {
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
}
