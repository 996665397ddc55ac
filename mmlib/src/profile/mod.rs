// SPDX-License-Identifier: Apache-2.0
//! Measuring the time of pieces of code: time stamps, and the statistics of the intervals between them.
//!
//! The functions are not synchronised. If a program does not serialise its calls, the statistics are wrong, but no
//! behaviour is undefined: all numbers are atomic variables. They take the clock as an argument.
#![forbid(unsafe_code)]

mod counter;
mod label;
mod point;
pub mod table;

use crate::sys::clock;
use core::hint::black_box;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use counter::Counter;
use point::Point;

/// The measure points, which lie between two time stamps.
pub const POINTS: usize = 14;
const STAMPS: usize = POINTS + 1;

/// How often the overhead of a time stamp is measured. The first round fills the caches, and is ignored.
const OVERHEAD_ROUNDS: usize = 1000;

/// The profile of the process.
pub static PROFILE: Profile = Profile::new();

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Statistic {
    Current,
    Mean,
    Min,
    Max,
    Median,
}

pub struct Profile {
    on_cpu_clock: AtomicBool,
    /// The time that a time stamp takes, in nanoseconds.
    overhead: Counter,
    /// The time stamps of the current iteration, in nanoseconds.
    stamps: [Counter; STAMPS],
    taken: AtomicUsize,
    /// How many intervals of the current iteration are in the statistics.
    folded: AtomicUsize,
    /// Whether a time stamp was taken since the last reset.
    started: AtomicBool,
    /// How many points have samples.
    used: AtomicUsize,
    points: [Point; POINTS],
}

impl Profile {
    pub const fn new() -> Profile {
        Profile {
            on_cpu_clock: AtomicBool::new(false),
            overhead: Counter::new(),
            stamps: [const { Counter::new() }; STAMPS],
            taken: AtomicUsize::new(0),
            folded: AtomicUsize::new(0),
            started: AtomicBool::new(false),
            used: AtomicUsize::new(0),
            points: [const { Point::new() }; POINTS],
        }
    }

    /// The time of the selected clock, in nanoseconds.
    #[inline]
    #[allow(clippy::useless_conversion, reason = "they are shorter than i64 on some machines")]
    pub fn now(&self) -> i64 {
        let time = if self.on_cpu_clock.load(Relaxed) {
            clock::clock_gettime_cpu_process()
        } else {
            clock::clock_gettime_monotonic()
        };
        i64::from(time.tv_sec).wrapping_mul(1_000_000_000).wrapping_add(i64::from(time.tv_nsec))
    }

    /// Begins an iteration.
    #[inline]
    pub fn tic(&self, now: impl FnOnce() -> i64) {
        self.fold();
        self.started.store(true, Relaxed);
        self.folded.store(0, Relaxed);
        self.taken.store(1, Relaxed);
        let [first, ..] = &self.stamps;
        first.set(now());
    }

    /// Takes the next time stamp of the iteration. Without an iteration it is the first one. Those after the 15th are
    /// ignored.
    #[inline]
    pub fn toc(&self, now: impl FnOnce() -> i64) {
        let index = self.taken.load(Relaxed);
        if let Some(stamp) = self.stamps.get(index) {
            stamp.set(now());
            self.taken.store(index + 1, Relaxed);
            self.started.store(true, Relaxed);
        }
    }

    /// The point that the next time stamp ends, if it has no label.
    pub fn next_unlabelled(&self) -> Option<&Point> {
        let index = self.taken.load(Relaxed).checked_sub(1)?;
        self.points.get(index).filter(|point| !point.label.is_set())
    }

    /// How many intervals the current iteration has.
    fn intervals(&self) -> usize {
        self.taken.load(Relaxed).saturating_sub(1)
    }

    fn interval(&self, index: usize) -> Option<i64> {
        let [begin, end] = self.stamps.get(index..index.checked_add(2)?)? else { return None };
        Some(end.get().wrapping_sub(begin.get()).wrapping_sub(self.overhead.get()))
    }

    /// Adds the intervals of the current iteration to the statistics, each once.
    #[inline]
    fn fold(&self) {
        let intervals = self.intervals();
        let folded = self.folded.load(Relaxed);
        for (index, point) in self.points.iter().enumerate().take(intervals).skip(folded) {
            if let Some(interval) = self.interval(index) {
                point.add(interval);
            }
        }
        self.folded.store(intervals, Relaxed);
        if intervals > self.used.load(Relaxed) {
            self.used.store(intervals, Relaxed);
        }
    }

    /// Forgets all time stamps and samples, selects a clock, and measures the overhead of a time stamp on it. The
    /// arguments are the functions of the program's interface: the time to call them belongs to the overhead.
    pub fn reset(&self, on_cpu_clock: bool, keeps_labels: bool, tic: extern "C" fn(), toc: extern "C" fn()) {
        self.on_cpu_clock.store(on_cpu_clock, Relaxed);
        self.clear(keeps_labels);
        let overhead = self.measured_overhead(tic, toc);
        self.clear(true);
        self.overhead.set(overhead);
    }

    fn clear(&self, keeps_labels: bool) {
        self.overhead.set(0);
        self.taken.store(0, Relaxed);
        self.folded.store(0, Relaxed);
        self.started.store(false, Relaxed);
        self.used.store(0, Relaxed);
        for point in &self.points {
            point.clear();
            if !keeps_labels {
                point.label.clear();
            }
        }
    }

    fn measured_overhead(&self, tic: extern "C" fn(), toc: extern "C" fn()) -> i64 {
        let mut least = i64::MAX;
        for round in 0..OVERHEAD_ROUNDS {
            black_box(tic)();
            black_box(toc)();
            black_box(toc)();
            if round > 0 {
                least = (0..2).filter_map(|index| self.interval(index)).fold(least, i64::min);
            }
        }
        least
    }

    /// The number of points with samples.
    fn used(&self) -> usize {
        self.fold();
        self.used.load(Relaxed).min(POINTS)
    }

    /// A statistic of a point, in nanoseconds. None: the point has no samples.
    pub fn statistic(&self, index: usize, statistic: Statistic) -> Option<f64> {
        let point = self.points.get(..self.used())?.get(index)?;
        Some(match statistic {
            Statistic::Mean => point.mean(),
            _ => self.integer(index, point, statistic) as f64,
        })
    }

    /// The same as an integer.
    pub fn data(&self, index: usize, statistic: Statistic) -> Option<i64> {
        let point = self.points.get(..self.used())?.get(index)?;
        Some(self.integer(index, point, statistic))
    }

    fn integer(&self, index: usize, point: &Point, statistic: Statistic) -> i64 {
        match statistic {
            Statistic::Current if index < self.intervals() => self.interval(index).unwrap_or(0),
            Statistic::Current => 0,
            Statistic::Mean => point.mean() as i64,
            Statistic::Min => point.min(),
            Statistic::Max => point.max(),
            Statistic::Median => point.median(),
        }
    }
}

#[cfg(test)]
mod tests;
