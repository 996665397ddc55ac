// SPDX-License-Identifier: Apache-2.0
//! The history of each file descriptor. A call that has waited uses it to check whether its file descriptor still
//! refers to the same file.

use super::stderr;
use crate::rt::fd::Fd;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// For each element, a stamp of the last change and the file descriptor that changed. File descriptors that differ by a
/// multiple of 256 share an element.
static CHANGES: [AtomicU64; 256] = [const { AtomicU64::new(0) }; 256];

/// A snapshot of the history of a file descriptor.
#[derive(Clone, Copy)]
pub struct History(u64);

#[inline]
pub fn history(fd: Fd) -> History {
    History(element(fd).map_or(0, |element| element.load(Ordering::Relaxed)))
}

/// Whether a function of the library has closed, replaced or returned the file descriptor since the snapshot.
#[inline(never)]
pub fn has_changed(fd: Fd, since: History) -> bool {
    let History(now) = history(fd);
    now != since.0 && now as u32 == fd.number() as u32
}

/// Must be called for each file descriptor that is returned to C as the lowest one available.
#[inline]
pub fn note_returned(fd: Fd) {
    note_change(fd);
    stderr::note_returned(fd);
}

/// Must be called when C closes or replaces a file descriptor.
#[inline]
pub fn note_replaced(fd: Fd) {
    note_change(fd);
    stderr::note_replaced(fd);
}

// Not inlined: a suppression for helgrind, which does not support atomic variables, refers to it by name.
#[inline(never)]
fn note_change(fd: Fd) {
    static STAMP: AtomicU32 = AtomicU32::new(0);
    if let Some(element) = element(fd) {
        let stamp = STAMP.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        element.store(u64::from(stamp) << 32 | u64::from(fd.number() as u32), Ordering::Relaxed);
    }
}

#[inline]
fn element(fd: Fd) -> Option<&'static AtomicU64> {
    CHANGES.get(fd.number() as usize % CHANGES.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_of_the_same_descriptor_are_noticed() {
        let (fd, next, sharing) = (Fd::from_c(1_000_000), Fd::from_c(1_000_001), Fd::from_c(1_000_256));
        let before = history(fd);
        note_replaced(next);
        note_returned(sharing);
        assert!(!has_changed(fd, before));
        note_returned(fd);
        assert!(has_changed(fd, before));
        assert!(!has_changed(fd, history(fd)));
        assert!(!has_changed(Fd::NONE, history(Fd::NONE)));
    }
}
