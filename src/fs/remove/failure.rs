// SPDX-License-Identifier: Apache-2.0
//! Failures to remove a file or a tree.
#![forbid(unsafe_code)]

use crate::error::Error;
use crate::rt::text::Quoted;
use core::ffi::CStr;
use core::fmt;
use errno::Errno;

pub enum Failure {
    /// The given path could not be removed.
    OfTop(Errno),
    /// A file below the given path could not be removed, and the removal stopped there.
    Below(Below),
    /// The given path could not be removed, after a file below it could not be removed.
    OfTopAfter(Errno, Below),
}

/// The file that could not be removed, and why.
pub struct Below {
    pub number: Errno,
    pub path: Tail<160>,
}

impl Failure {
    fn of_top(&self) -> Option<Errno> {
        match self {
            Failure::OfTop(number) | Failure::OfTopAfter(number, _) => Some(*number),
            Failure::Below(_) => None,
        }
    }

    /// Whether the type of the file has changed between the check and the removal.
    pub fn is_of_other_type(&self) -> bool {
        matches!(self.of_top(), Some(Errno(libc::EISDIR | libc::ENOTDIR | libc::ELOOP)))
    }

    pub fn is_missing(&self) -> bool {
        matches!(self.of_top(), Some(Errno(libc::ENOENT)))
    }

    #[cold]
    #[track_caller]
    pub fn of(self, top: &CStr) -> Error {
        let top = Quoted(top.to_bytes());
        match self {
            Failure::OfTop(e) => Error::os(e, format_args!("cannot remove {top}")),
            Failure::Below(below) => Error::os(below.number, format_args!("cannot remove {}", below.path)),
            Failure::OfTopAfter(e, Below { number, path }) => {
                Error::os(e, format_args!("cannot remove {top}: {path} could not be removed ({number})"))
            }
        }
    }
}

/// The last `N` bytes of a path.
pub struct Tail<const N: usize> {
    bytes: [u8; N],
    start: usize,
    is_cut: bool,
}

impl<const N: usize> Tail<N> {
    pub fn new() -> Tail<N> {
        Tail { bytes: [0; N], start: N, is_cut: false }
    }

    /// Prepends bytes. Those that do not fit are dropped from the front.
    pub fn push_front(&mut self, bytes: &[u8]) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn a_long_path_is_truncated_at_its_start() {
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
