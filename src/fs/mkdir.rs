// SPDX-License-Identifier: Apache-2.0
//! Creating directories with their parents.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::sys::path::KernelPath;
use crate::sys::{self, file};
use alloc::vec::Vec;
use core::ffi::CStr;
use errno::Errno;

/// Creates the directory and its missing parents. It is not an error if the directory exists. Other processes may
/// create the same directories concurrently.
pub fn create_with_parents(path: KernelPath, mode: libc::mode_t) -> Result<()> {
    create(path, mode)
        .map_err(|e| Error::os(e, format_args!("cannot create directory {} and its parents", path.shown(e))))
}

fn create(path: KernelPath, mode: libc::mode_t) -> sys::Result<()> {
    let created = match path.mkdir(mode) {
        (Err(Errno(libc::ENOENT)), Some(path)) => create_from_first_missing(path, mode),
        (created, _) => created,
    };
    created.or_else(|failure| accept_directory(path, failure))
}

/// Succeeds if the directory exists, regardless of the errno of mkdir(): a read-only filesystem, a sandbox or a
/// security policy may deny mkdir() before the kernel checks whether the name exists.
fn accept_directory(path: KernelPath, failure: Errno) -> sys::Result<()> {
    match file::stat(path) {
        Ok(status) if status.st_mode & libc::S_IFMT == libc::S_IFDIR => Ok(()),
        // The name exists, is not a dangling symbolic link, and its status cannot be read.
        Err(unknown) if failure.0 == libc::EEXIST && unknown.0 != libc::ENOENT => Err(unknown),
        _ => Err(failure),
    }
}

/// Searches the parents upwards for the first one that exists or can be created, then creates the directories below it.
fn create_from_first_missing(path: &CStr, mode: libc::mode_t) -> sys::Result<()> {
    let ends = component_ends(path.to_bytes());
    let last = ends.clone().next_back().unwrap_or_default();
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(path.count_bytes() + 1).map_err(|_| Errno(libc::ENOMEM))?;
    let mut create_prefix = |end: usize| {
        buffer.clear();
        buffer.extend(path.to_bytes().iter().take(end));
        buffer.push(0);
        let prefix = CStr::from_bytes_with_nul(&buffer).map_err(|_| Errno(libc::EINVAL))?;
        match file::mkdir(prefix.into(), mode) {
            // If it is not a directory, creating the next component fails with ENOTDIR.
            Err(Errno(libc::EEXIST)) if end != last => Ok(()),
            made => made,
        }
    };
    let mut missing = 1;
    while let Some(end) = ends.clone().nth_back(missing) {
        match create_prefix(end) {
            Err(Errno(libc::ENOENT)) => missing += 1,
            made => {
                made?;
                break;
            }
        }
    }
    let all = ends.clone().count();
    if missing >= all {
        return Err(Errno(libc::ENOENT));
    }
    ends.skip(all - missing).try_for_each(create_prefix)
}

/// Returns the end of each component of a path, in order.
fn component_ends(path: &[u8]) -> impl DoubleEndedIterator<Item = usize> + Clone + '_ {
    let is_slash = |at: usize| path.get(at).is_none_or(|byte| *byte == b'/');
    (1..=path.len()).filter(move |end| is_slash(*end) && !is_slash(*end - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes(path: &str) -> Vec<&str> {
        component_ends(path.as_bytes()).map(|end| &path[..end]).collect()
    }

    #[test]
    fn a_path_has_a_prefix_for_each_component() {
        assert_eq!(prefixes("a/b/c"), ["a", "a/b", "a/b/c"]);
        assert_eq!(prefixes("/a//b///c//"), ["/a", "/a//b", "/a//b///c"]);
        assert_eq!(prefixes("new/../x"), ["new", "new/..", "new/../x"]);
        assert_eq!(prefixes("/"), [""; 0]);
        assert_eq!(prefixes(""), [""; 0]);
    }
}
