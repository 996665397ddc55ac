// SPDX-License-Identifier: Apache-2.0
//! The statistics of a measure point.
#![forbid(unsafe_code)]

use super::counter::Counter;
use super::label::Label;

/// The bounds of the first step of the median estimate, in nanoseconds.
const LEAST_STEP: i64 = 1;
const GREATEST_STEP: i64 = 1_000_000_000;

/// All values are intervals in nanoseconds.
pub struct Point {
    pub label: Label,
    samples: Counter,
    sum: Counter,
    min: Counter,
    max: Counter,
    median: Counter,
    /// By how much the next sample may move the median.
    step: Counter,
}

impl Point {
    pub const fn new() -> Point {
        Point {
            label: Label::new(),
            samples: Counter::new(),
            sum: Counter::new(),
            min: Counter::new(),
            max: Counter::new(),
            median: Counter::new(),
            step: Counter::new(),
        }
    }

    /// Forgets all samples, not the label.
    pub fn clear(&self) {
        for counter in [&self.samples, &self.sum, &self.min, &self.max, &self.median, &self.step] {
            counter.set(0);
        }
    }

    pub fn add(&self, interval: i64) {
        let samples = self.samples.get();
        self.samples.set(samples.wrapping_add(1));
        self.sum.set(self.sum.get().wrapping_add(interval));
        // The maximum is never negative, as in mmlib.
        if interval > self.max.get() {
            self.max.set(interval);
        }
        if samples == 0 || interval < self.min.get() {
            self.min.set(interval);
        }
        if samples == 0 {
            self.median.set(interval);
            self.step.set(interval.saturating_abs().wrapping_div(2).clamp(LEAST_STEP, GREATEST_STEP));
        } else {
            self.move_median(interval);
        }
    }

    /// Moves the estimate towards the interval. The step is halved if the interval is nearer than it, and grows otherwise.
    fn move_median(&self, interval: i64) {
        let (median, step) = (self.median.get(), self.step.get());
        let distance = interval.wrapping_sub(median);
        self.median.set(median.wrapping_add(distance.signum().wrapping_mul(step)));
        self.step.set(if distance.saturating_abs() < step {
            step >> 1
        } else {
            step.saturating_add((step >> 4).max(1))
        });
    }

    pub fn min(&self) -> i64 {
        self.min.get()
    }

    pub fn max(&self) -> i64 {
        self.max.get()
    }

    pub fn median(&self) -> i64 {
        self.median.get()
    }

    /// 0 without samples.
    pub fn mean(&self) -> f64 {
        match self.samples.get() {
            0 => 0.0,
            samples => self.sum.get() as f64 / samples as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(intervals: &[i64]) -> Point {
        let point = Point::new();
        intervals.iter().for_each(|interval| point.add(*interval));
        point
    }

    #[test]
    fn statistics_without_samples_are_0() {
        let point = point(&[]);
        assert_eq!((point.min(), point.max(), point.median(), point.mean()), (0, 0, 0, 0.0));
    }

    #[test]
    fn the_maximum_is_never_negative() {
        let point = point(&[-30, -10]);
        assert_eq!((point.min(), point.max(), point.mean()), (-30, 0, -20.0));
    }

    #[test]
    fn the_median_moves_by_a_step_that_adapts() {
        // The first step is half of the first interval: 50, halved after 120 (a distance of 20), grown after 500.
        assert_eq!(point(&[100]).median(), 100);
        assert_eq!(point(&[100, 120]).median(), 150);
        assert_eq!(point(&[100, 120, 500]).median(), 175);
        assert_eq!(point(&[100, 120, 500, 500]).median(), 175 + 26);
        assert_eq!(point(&[100, 100]).median(), 100);
    }

    #[test]
    fn the_first_step_is_bounded() {
        assert_eq!(point(&[0, 5]).median(), 1);
        assert_eq!(point(&[1, 5]).median(), 2);
        assert_eq!(point(&[-100, 5]).median(), -50);
        assert_eq!(point(&[10_000_000_000, 20_000_000_000]).median(), 11_000_000_000);
    }

    #[test]
    fn the_median_approaches_the_middle() {
        let mut random = 1_u32;
        let point = Point::new();
        for _ in 0..5000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            point.add(i64::from(random >> 16) % 1000 + 1000);
        }
        assert!((1400..1600).contains(&point.median()), "{}", point.median());
    }

    #[test]
    fn no_interval_overflows() {
        let extremes = [i64::MAX, i64::MIN, i64::MAX, i64::MAX, i64::MIN, 0, -1, 1];
        for start in 0..extremes.len() {
            let point = point(&extremes[start..]);
            assert!(point.min() <= point.max());
        }
    }
}
