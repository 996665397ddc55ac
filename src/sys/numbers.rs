//! What becomes of the numbers of descriptors, as far as the library takes part: a call that has waited on a number looks
//! here whether the number still means what it did.

use super::stderr;
use std::ffi::c_int;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The last change of a number, and which number that was. Numbers share a place with those 256 above.
static CHANGES: [AtomicU64; 256] = [const { AtomicU64::new(0) }; 256];

/// The history of a number up to now, to be compared later.
#[derive(Clone, Copy)]
pub struct History(u64);

#[inline]
pub fn history(fd: c_int) -> History {
    History(place(fd).map_or(0, |place| place.load(Ordering::Relaxed)))
}

/// Whether a function of the library has closed, replaced or returned the number since then.
#[inline(never)]
pub fn has_changed(fd: c_int, since: History) -> bool {
    let History(now) = history(fd);
    now != since.0 && now as u32 == fd as u32
}

/// To be called for each descriptor that C gets because its number was available.
#[inline]
pub fn note_returned(fd: c_int) {
    note_change(fd);
    stderr::note_returned(fd);
}

/// To be called when C closes a descriptor, or has it replaced.
#[inline]
pub fn note_replaced(fd: c_int) {
    note_change(fd);
    stderr::note_replaced(fd);
}

// Not inlined, so that a suppression for helgrind, which does not know atomic variables, can name it.
#[inline(never)]
fn note_change(fd: c_int) {
    static STAMP: AtomicU32 = AtomicU32::new(0);
    if let Some(place) = place(fd) {
        let stamp = STAMP.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        place.store(u64::from(stamp) << 32 | u64::from(fd as u32), Ordering::Relaxed);
    }
}

#[inline]
fn place(fd: c_int) -> Option<&'static AtomicU64> {
    CHANGES.get(fd as usize % CHANGES.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_a_number_are_noticed_and_those_of_others_are_not() {
        let before = history(1_000_000);
        note_replaced(1_000_001);
        note_returned(1_000_000 + 256);
        assert!(!has_changed(1_000_000, before));
        note_returned(1_000_000);
        assert!(has_changed(1_000_000, before));
        assert!(!has_changed(1_000_000, history(1_000_000)));
        assert!(!has_changed(-1, history(-1)));
    }
}
