// SPDX-License-Identifier: Apache-2.0
//! Removing files, and directories with their content.
//!
//! The form of the path is checked first, so that nothing is removed if the system would reject the path in the end.
//! Below the path, all calls use names relative to file descriptors of directories. Therefore no symbolic link can
//! redirect the removal, and no path is too long. The number of open file descriptors is limited: those of distant
//! ancestors are closed, and opened again as `..` on the way back.
//!
//! Other processes may remove or replace the same files concurrently. A file that no longer exists counts as removed.
//! If the type of a file has changed, it is checked again.
#![forbid(unsafe_code)]

mod failure;
mod spelling;
mod walk;

use super::flags::{DIR, RECURSIVE, type_of};
use crate::error::{Error, Result};
use crate::os::standard_streams;
use crate::rt::fd::OwnedFd;
use crate::rt::text::Quoted;
use crate::sys::path::KernelPath;
use crate::sys::{self, file, large_file};
use alloc::vec::Vec;
use core::ffi::{CStr, c_int};
use errno::Errno;
use failure::Failure;
use spelling::Spelling;
use walk::{Ended, MAX_ATTEMPTS, OPEN_DIRECTORY, empty};

pub fn remove(path: KernelPath, flags: c_int) -> Result<()> {
    let (status, c_path) = path.lstat();
    let Some(c_path) = c_path else {
        let e = status.err().unwrap_or(Errno(libc::EFAULT));
        return Err(Error::os(e, format_args!("cannot remove {}", path.shown(e))));
    };
    let mut shortened = Vec::new();
    match Spelling::of(c_path.to_bytes()) {
        Spelling::Name => remove_name(c_path, status, flags, false),
        Spelling::Dot => remove_name(c_path, status, flags, true),
        Spelling::Directory(name) => {
            let terminated = shortened.try_reserve_exact(name.len() + 1).ok().and_then(|()| {
                shortened.extend_from_slice(name);
                shortened.push(0);
                CStr::from_bytes_with_nul(&shortened).ok()
            });
            // The trailing slash is removed, because lstat() and open() would follow a symbolic link with it.
            let Some(name) = terminated else { return Err(Failure::OfTop(Errno(libc::ENOMEM)).of(c_path)) };
            match file::lstat(name.into()) {
                Ok(status) if type_of(&status) != DIR => Err(Failure::OfTop(Errno(libc::ENOTDIR)).of(c_path)),
                status => remove_name(name, status, flags, false),
            }
        }
        refused => {
            let (number, what) = match refused {
                Spelling::Root => (libc::EBUSY, "it is the root directory"),
                _ => (libc::EINVAL, "its last component is . or .."),
            };
            status.map_err(|e| Failure::OfTop(e).of(c_path))?;
            Err(Error::new(number, format_args!("cannot remove {}: {what}", Quoted(c_path.to_bytes()))))
        }
    }
}

/// Removes the file `name`. If `is_kept`, it is a directory of which only the content is removed.
fn remove_name(name: &CStr, mut status: sys::Result<large_file::stat>, flags: c_int, is_kept: bool) -> Result<()> {
    let mut attempts = 1;
    loop {
        let kind = type_of(&status.map_err(|e| Failure::OfTop(e).of(name))?);
        if kind & flags == 0 {
            let shown = Quoted(name.to_bytes());
            return Err(Error::new(
                libc::EPERM,
                format_args!("cannot remove {shown}: the flags do not include its file type"),
            ));
        }
        let removed = if kind != DIR {
            file::unlink(name.into()).map_err(Failure::OfTop)
        } else if flags & RECURSIVE == 0 {
            file::rmdir(name.into()).map_err(Failure::OfTop)
        } else {
            remove_tree(name, flags, is_kept)
        };
        match removed {
            Err(failure) if failure.is_of_other_type() && attempts < MAX_ATTEMPTS => {}
            // Another process has removed the file.
            Err(failure) if failure.is_missing() => return Ok(()),
            removed => return removed.map_err(|failure| failure.of(name)),
        }
        attempts += 1;
        status = match file::lstat(name.into()) {
            Err(Errno(libc::ENOENT)) => return Ok(()),
            status => status,
        };
    }
}

fn remove_tree(name: &CStr, flags: c_int, is_kept: bool) -> core::result::Result<(), Failure> {
    if is_kept {
        let top = standard_streams::open_above(name.into(), OPEN_DIRECTORY).map_err(Failure::OfTop)?;
        return match empty(name, top, flags) {
            (Err(Ended), Some(below)) => Err(Failure::Below(below)),
            _ => Ok(()),
        };
    }
    let (parent, last) = open_parent(name).map_err(Failure::OfTop)?;
    let remove = || file::unlinkat(parent.fd(), last.into(), libc::AT_REMOVEDIR);
    let top = match standard_streams::openat_above(parent.fd(), last.into(), OPEN_DIRECTORY) {
        Err(denied @ Errno(libc::EACCES)) => {
            // The directory may be empty.
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

/// Opens the parent directory of a path. Returns it and the last component.
///
/// Once the directory is empty, the path may no longer lead to it, because a symbolic link in the path or the current
/// directory may have been in it.
fn open_parent(path: &CStr) -> sys::Result<(OwnedFd, &CStr)> {
    let bytes = path.to_bytes_with_nul();
    let start = bytes.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let (parent, last) = bytes.split_at_checked(start).unwrap_or_default();
    let last = CStr::from_bytes_with_nul(last).map_err(|_| Errno(libc::EINVAL))?;
    let mut terminated = Vec::new();
    terminated.try_reserve_exact(parent.len() + 2).map_err(|_| Errno(libc::ENOMEM))?;
    terminated.extend_from_slice(parent);
    terminated.extend_from_slice(b".\0");
    let parent = CStr::from_bytes_with_nul(&terminated).map_err(|_| Errno(libc::EINVAL))?;
    Ok((standard_streams::open_above(parent.into(), libc::O_PATH | libc::O_DIRECTORY)?, last))
}
