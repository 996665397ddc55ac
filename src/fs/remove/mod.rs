// SPDX-License-Identifier: Apache-2.0
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

mod failure;
mod spelling;
mod walk;

use super::flags::{DIR, RECURSIVE, type_of};
use crate::error::{Error, Result};
use crate::os::standard_streams;
use crate::rt::fd::OwnedFd;
use crate::rt::text::Quoted;
use crate::sys::path::KernelPath;
use crate::sys::{self, file};
use alloc::vec::Vec;
use core::ffi::{CStr, c_int};
use errno::Errno;
use failure::Failure;
use spelling::Spelling;
use walk::{Ended, MAX_ATTEMPTS, OPEN_DIRECTORY, empty};

pub fn remove(path: KernelPath, flags: c_int) -> Result<()> {
    let (looked, given) = path.lstat();
    let Some(given) = given else {
        let e = looked.err().unwrap_or(Errno(libc::EFAULT));
        return Err(Error::os(e, format_args!("cannot remove {}", path.shown(e))));
    };
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
            match file::lstat(name.into()) {
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
            Err(Error::new(number, format_args!("cannot remove {}: {what}", Quoted(given.to_bytes()))))
        }
    }
}

/// Removes what has a name, which may be a directory of which only the content goes.
fn remove_name(name: &CStr, mut looked: sys::Result<libc::stat>, flags: c_int, is_kept: bool) -> Result<()> {
    let mut looks = 1;
    loop {
        let kind = type_of(&looked.map_err(|e| Failure::OfTop(e).of(name))?);
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
            Err(failure) if failure.is_of_other_type() && looks < MAX_ATTEMPTS => {}
            // It existed, and now it does not.
            Err(failure) if failure.is_missing() => return Ok(()),
            removed => return removed.map_err(|failure| failure.of(name)),
        }
        looks += 1;
        looked = match file::lstat(name.into()) {
            Err(Errno(libc::ENOENT)) => return Ok(()),
            looked => looked,
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
