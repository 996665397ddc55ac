// SPDX-License-Identifier: Apache-2.0
//! A histogram of times. Its size does not depend on the number of samples.

use std::time::Duration;

/// Each power of two is divided into this many buckets, so that a bucket is narrower than 1/128 of its values. What is
/// reported is its middle: the error is less than 0.4 %.
const SUBDIVISIONS: u64 = 1 << BITS;
const BITS: u32 = 7;

/// Values below 128 have a bucket each; each further power of two has 128.
const BUCKETS: usize = (1 + (u64::BITS - BITS) as usize) * SUBDIVISIONS as usize;

pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    /// In nanoseconds, and exact.
    minimum: u64,
    maximum: u64,
}

impl Histogram {
    pub fn new() -> Histogram {
        Histogram { buckets: vec![0; BUCKETS], count: 0, minimum: u64::MAX, maximum: 0 }
    }

    pub fn record(&mut self, time: Duration) {
        let value = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get_mut(index_of(value)) {
            *bucket += 1;
        }
        self.count += 1;
        self.minimum = self.minimum.min(value);
        self.maximum = self.maximum.max(value);
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// The smallest value that at least `permille` thousandths of the samples do not exceed, in nanoseconds. 0 thousandths
    /// is the minimum, and 1000 is the maximum; both are exact. Without samples, it is 0.
    pub fn percentile(&self, permille: u64) -> u64 {
        match permille {
            _ if self.count == 0 => return 0,
            0 => return self.minimum,
            1000.. => return self.maximum,
            _ => {}
        }
        let rank = (u128::from(self.count) * u128::from(permille)).div_ceil(1000);
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += u128::from(*count);
            if seen >= rank {
                return middle_of(index).clamp(self.minimum, self.maximum);
            }
        }
        self.maximum
    }
}

/// The bucket of a value.
fn index_of(value: u64) -> usize {
    let shift = shift_of(value);
    (u64::from(shift) * SUBDIVISIONS + (value >> shift)) as usize
}

/// How many of the last bits of a value are dropped.
fn shift_of(value: u64) -> u32 {
    (u64::BITS - value.leading_zeros()).saturating_sub(BITS + 1)
}

/// The middle of a bucket.
fn middle_of(index: usize) -> u64 {
    let index = index as u64;
    let shift = (index / SUBDIVISIONS).saturating_sub(1);
    let first = (index - shift * SUBDIVISIONS) << shift;
    first + ((1 << shift) - 1) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(values: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::new();
        values.into_iter().for_each(|value| histogram.record(Duration::from_nanos(value)));
        histogram
    }

    /// Values at and near all powers of two, and some between.
    fn values() -> impl Iterator<Item = u64> {
        let powers = (0..u64::BITS).map(|exponent| 1 << exponent);
        let near = powers.flat_map(|power: u64| [power - 1, power, power + 1, power + power / 3, power + power / 2]);
        near.chain([u64::MAX - 1, u64::MAX])
    }

    #[test]
    fn each_value_has_a_bucket() {
        for value in values() {
            assert!(index_of(value) < BUCKETS, "{value}");
        }
        assert_eq!(index_of(0), 0);
        assert_eq!(index_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn buckets_are_in_order_and_have_no_gaps() {
        let mut last = 0;
        for value in 1..=1 << 17 {
            let index = index_of(value);
            assert!(index == last || index == last + 1, "{value}");
            last = index;
        }
        for index in 1..BUCKETS {
            assert!(middle_of(index - 1) < middle_of(index), "{index}");
            assert_eq!(index_of(middle_of(index)), index);
        }
    }

    #[test]
    fn the_error_is_below_one_percent() {
        for value in values() {
            let reported = middle_of(index_of(value));
            assert!(reported.abs_diff(value) as f64 <= value as f64 * 0.004, "{value}: {reported}");
        }
    }

    #[test]
    fn small_values_are_exact() {
        let histogram = histogram(1..=100);
        assert_eq!(histogram.count(), 100);
        for (permille, value) in [(0, 1), (1, 1), (10, 1), (11, 2), (500, 50), (900, 90), (990, 99), (999, 100)] {
            assert_eq!(histogram.percentile(permille), value, "{permille}");
        }
        assert_eq!(histogram.percentile(1000), 100);
    }

    #[test]
    fn percentiles_are_near_those_of_the_samples() {
        let histogram = histogram((1..=1_000_000).map(|value| value * 7));
        for permille in [1, 500, 900, 990, 999] {
            let exact = permille * 7_000;
            assert!(histogram.percentile(permille).abs_diff(exact) * 100 < exact, "{permille}");
        }
    }

    #[test]
    fn percentiles_are_between_minimum_and_maximum() {
        for value in values() {
            let histogram = histogram([value]);
            for permille in [0, 500, 999, 1000] {
                assert_eq!(histogram.percentile(permille), value);
            }
        }
        let histogram = histogram([1_000_003, 5, 1_000_001]);
        let reported = [0, 500, 900, 990, 999, 1000].map(|permille| histogram.percentile(permille));
        assert!(reported.is_sorted(), "{reported:?}");
        assert_eq!((reported[0], reported[5]), (5, 1_000_003));
    }

    #[test]
    fn a_rare_value_is_a_high_percentile() {
        let histogram = histogram((0..999).map(|_| 10).chain([100]));
        assert_eq!(histogram.percentile(999), 10);
        assert_eq!(histogram.percentile(1000), 100);
    }

    #[test]
    fn without_samples_all_is_zero() {
        let histogram = Histogram::new();
        assert_eq!([0, 500, 1000].map(|permille| histogram.percentile(permille)), [0; 3]);
        assert_eq!(histogram.count(), 0);
    }

    #[test]
    fn a_long_time_is_recorded() {
        let mut histogram = Histogram::new();
        histogram.record(Duration::MAX);
        assert_eq!(histogram.percentile(500), u64::MAX);
    }
}
