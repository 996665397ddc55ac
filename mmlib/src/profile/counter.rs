// SPDX-License-Identifier: Apache-2.0
//! Numbers that several threads may use without undefined behaviour.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// A signed number of 64 bits. Not every machine has atomic variables of that size, so it consists of two halves: if
/// threads use it at the same time, a reader may see halves of different numbers. Callers serialise their calls.
pub struct Counter {
    low: AtomicU32,
    high: AtomicU32,
}

impl Counter {
    pub const fn new() -> Counter {
        Counter { low: AtomicU32::new(0), high: AtomicU32::new(0) }
    }

    #[inline]
    pub fn get(&self) -> i64 {
        i64::from(self.high.load(Relaxed)) << 32 | i64::from(self.low.load(Relaxed))
    }

    #[inline]
    pub fn set(&self, number: i64) {
        self.low.store(number as u32, Relaxed);
        self.high.store((number >> 32) as u32, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_hold_all_numbers() {
        let counter = Counter::new();
        assert_eq!(counter.get(), 0);
        for number in [0, 1, -1, 1 << 31, 1 << 32, -(1 << 32), 0x1234_5678_9abc_def0, i64::MAX, i64::MIN] {
            counter.set(number);
            assert_eq!(counter.get(), number);
        }
    }
}
