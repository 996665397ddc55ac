// SPDX-License-Identifier: Apache-2.0
//! The turns of several threads at one listener.
#![forbid(unsafe_code)]

use crate::os::fork;
use core::sync::atomic::{AtomicU64, Ordering};

/// The right to call accept4() on a listener that may be blocking: of several threads that are notified of one client,
/// only one may call it, and the others would block.
pub struct Turn(AtomicU64);

impl Turn {
    const FREE: u64 = 0;

    pub fn new() -> Turn {
        Turn(AtomicU64::new(Self::FREE))
    }

    /// Does not wait. A thread that had the turn when the process forked does not exist in the child.
    pub fn begin(&self) -> bool {
        let taken = 1 << 32 | u64::from(fork::generation());
        let current = self.0.load(Ordering::Relaxed);
        current != taken && self.0.compare_exchange(current, taken, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    pub fn end(&self) {
        self.0.store(Self::FREE, Ordering::Release);
    }
}
