// SPDX-License-Identifier: Apache-2.0
use super::*;
use crate::profile::table;

extern "C" fn nothing() {}

fn at(profile: &Profile, times: &[i64]) {
    let (first, rest) = times.split_first().unwrap();
    profile.tic(|| *first);
    rest.iter().for_each(|time| profile.toc(|| *time));
}

fn data(profile: &Profile, statistic: Statistic) -> Vec<i64> {
    (0..).map_while(|index| profile.data(index, statistic)).collect()
}

fn printed(profile: &Profile, mask: i32) -> String {
    let parts = (0..).map_while(|part| profile.part(mask, part));
    parts.map(|part| String::from_utf8(part.as_bytes().to_vec()).unwrap()).collect()
}

#[test]
fn statistics_include_the_current_iteration_once() {
    let profile = Profile::new();
    at(&profile, &[0, 10, 30]);
    for _ in 0..3 {
        assert_eq!(data(&profile, Statistic::Mean), [10, 20]);
        printed(&profile, 0x1f);
    }
    profile.toc(|| 60);
    assert_eq!(data(&profile, Statistic::Mean), [10, 20, 30]);
    at(&profile, &[100, 130]);
    assert_eq!(data(&profile, Statistic::Mean), [20, 20, 30]);
    assert_eq!(data(&profile, Statistic::Min), [10, 20, 30]);
    assert_eq!(data(&profile, Statistic::Max), [30, 20, 30]);
}

#[test]
fn current_is_0_for_points_that_the_iteration_has_not_reached() {
    let profile = Profile::new();
    at(&profile, &[0, 10, 30]);
    assert_eq!(data(&profile, Statistic::Current), [10, 20]);
    at(&profile, &[100]);
    assert_eq!(data(&profile, Statistic::Current), [0, 0]);
    profile.toc(|| 107);
    assert_eq!(data(&profile, Statistic::Current), [7, 0]);
}

#[test]
fn time_stamps_after_the_15th_are_ignored() {
    let profile = Profile::new();
    let times: Vec<i64> = (0..20).map(|time| time * time).collect();
    at(&profile, &times);
    assert_eq!(data(&profile, Statistic::Current), (0..14).map(|time| 2 * time + 1).collect::<Vec<i64>>());
    assert!(profile.next_unlabelled().is_none());
}

#[test]
fn a_first_toc_without_tic_is_the_first_time_stamp() {
    let profile = Profile::new();
    assert!(profile.next_unlabelled().is_none());
    profile.toc(|| 5);
    assert_eq!(data(&profile, Statistic::Current), []);
    assert_eq!(printed(&profile, 0x1), " | current    |\n---------------\ntoc overhead = 0 ns\n");
    profile.toc(|| 7);
    assert_eq!(data(&profile, Statistic::Current), [2]);
}

#[test]
fn the_overhead_is_subtracted_from_each_interval() {
    let profile = Profile::new();
    profile.overhead.set(7);
    at(&profile, &[0, 10, 15]);
    assert_eq!(data(&profile, Statistic::Current), [3, -2]);
    assert_eq!(data(&profile, Statistic::Max), [3, 0]);
    assert!(printed(&profile, 0x1).ends_with("\ntoc overhead = 7 ns\n"));
}

#[test]
fn a_reset_keeps_labels_if_requested() {
    let profile = Profile::new();
    let label = |profile: &Profile| profile.points[0].label.get().map(|label| label.as_bytes().to_vec());
    at(&profile, &[0]);
    profile.next_unlabelled().unwrap().label.set(b"first");
    profile.toc(|| 4);
    profile.reset(false, true, nothing, nothing);
    assert_eq!(data(&profile, Statistic::Current), []);
    assert_eq!(printed(&profile, 0x1).lines().count(), 1);
    assert_eq!(label(&profile), Some(b"first".to_vec()));
    at(&profile, &[0]);
    assert!(profile.next_unlabelled().is_none());
    profile.reset(true, false, nothing, nothing);
    assert_eq!(label(&profile), None);
    assert!(profile.on_cpu_clock.load(Relaxed));
    profile.reset(false, false, nothing, nothing);
    assert!(!profile.on_cpu_clock.load(Relaxed));
}

#[test]
fn the_table_has_the_format_of_mmlib() {
    let profile = Profile::new();
    profile.overhead.set(20);
    at(&profile, &[0]);
    profile.next_unlabelled().unwrap().label.set(b"lbl");
    profile.toc(|| 1_090_020);
    profile.toc(|| 2_185_041);
    assert_eq!(
        printed(&profile, 0x31f),
        "    | current    |    mean    |     min    |     max    |  median    |\n\
         ----------------------------------------------------------------------\n\
         lbl |    1.09 ms |    1.09 ms |    1.09 ms |    1.09 ms |    1.09 ms |\n\
         \u{20} 2 |    1.10 ms |    1.10 ms |    1.10 ms |    1.10 ms |    1.10 ms |\n\
         toc overhead = 20 ns\n"
    );
}

fn unit_of(intervals: &[i64], mask: i32) -> String {
    let profile = Profile::new();
    let times = intervals.iter().scan(0, |time, interval| {
        *time += interval;
        Some(*time)
    });
    at(&profile, &[0].into_iter().chain(times).collect::<Vec<i64>>());
    let line = printed(&profile, mask | 1).lines().nth(2).unwrap().to_owned();
    line.trim_end_matches('|').trim().rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn the_unit_fits_all_values() {
    assert_eq!(unit_of(&[99, 9_999], 0), "ns");
    assert_eq!(unit_of(&[100, 9_999], 0), "us");
    assert_eq!(unit_of(&[99, 10_000], 0), "us");
    assert_eq!(unit_of(&[99_999, 9_999_999], 0), "us");
    assert_eq!(unit_of(&[99_999, 10_000_000], 0), "ms");
    assert_eq!(unit_of(&[100_000, 9_999_999], 0), "ms");
    assert_eq!(unit_of(&[99_999_999, 9_999_999_999], 0), "ms");
    assert_eq!(unit_of(&[100_000_000, 9_999_999_999], 0), "s");
    // Equal values are in nanoseconds, nearly equal ones in the unit in which they are.
    assert_eq!(unit_of(&[5_000_000_000, 5_000_000_000], 0), "ns");
    assert_eq!(unit_of(&[5_000_000_000, 5_000_000_999], 0), "us");
    assert_eq!(unit_of(&[5_000_000_000, 5_000_001_000], 0), "ms");
    for (mask, unit) in [(0x100, "ns"), (0x200, "us"), (0x300, "ms"), (0x400, "s"), (0x500, "us"), (0x700, "us")] {
        assert_eq!(unit_of(&[100, 20_000], mask), unit);
    }
}

/// A model of the statistics that keeps all intervals.
#[derive(Default)]
struct Model {
    points: Vec<(Option<String>, Vec<i64>)>,
    stamps: Vec<i64>,
    overhead: i64,
}

impl Model {
    fn stamp(&mut self, now: i64, label: Option<&str>) {
        if self.stamps.len() == 15 {
            return;
        }
        if let (Some(last), index) = (self.stamps.last(), self.stamps.len()) {
            self.points.resize_with(self.points.len().max(index), Default::default);
            let point = &mut self.points[index - 1];
            point.1.push(now - last - self.overhead);
            point.0 = point.0.take().or(label.map(|label| label[..label.len().min(63)].to_owned()));
        }
        self.stamps.push(now);
    }

    fn tic(&mut self, now: i64) {
        self.stamps = vec![now];
    }

    fn median(samples: &[i64]) -> i64 {
        let mut estimate = samples[0];
        let mut step = (estimate.abs() / 2).clamp(1, 1_000_000_000);
        for sample in &samples[1..] {
            let distance = sample - estimate;
            if distance > 0 {
                estimate += step;
            } else if distance < 0 {
                estimate -= step;
            }
            step = if distance.abs() < step { step / 2 } else { step + (step / 16).max(1) };
        }
        estimate
    }

    fn values(&self, index: usize) -> [f64; 5] {
        let samples = &self.points[index].1;
        let current = if index + 1 < self.stamps.len() { *samples.last().unwrap() } else { 0 };
        [
            current as f64,
            samples.iter().sum::<i64>() as f64 / samples.len() as f64,
            *samples.iter().min().unwrap() as f64,
            (*samples.iter().max().unwrap()).max(0) as f64,
            Self::median(samples) as f64,
        ]
    }

    fn printed(&self, mask: i32) -> String {
        let mut text = String::new();
        let points = 0..self.points.len();
        let columns: Vec<usize> = (0..5).filter(|column| mask & [1, 8, 2, 4, 16][*column] != 0).collect();
        if !self.stamps.is_empty() {
            let width = self.points.iter().map(|point| point.0.as_ref().map_or(2, String::len)).max();
            let width = width.unwrap_or(0);
            let cells: Vec<f64> = points
                .clone()
                .flat_map(|index| columns.iter().map(move |column| self.values(index)[*column]))
                .collect();
            let least = cells.iter().copied().fold(f64::MAX, f64::min);
            let most = cells.iter().copied().fold(0.0, f64::max);
            let unit = match mask & 0x700 {
                0x100 => 0,
                0x200 => 1,
                0x300 => 2,
                0x400 => 3,
                _ => (0..3)
                    .find(|power| {
                        let unit = 1000_f64.powi(*power);
                        (least < 100.0 * unit && most < 10000.0 * unit) || most - least < unit
                    })
                    .unwrap_or(3),
            };
            let mut line = " ".repeat(width) + " |";
            for column in &columns {
                line += ["| current    |", "|    mean    |", "|     min    |", "|     max    |", "|  median    |"]
                    [*column]
                    .trim_start_matches('|');
            }
            text += &format!("{line}\n{}\n", "-".repeat(line.len()));
            for index in points {
                let label = self.points[index].0.clone().unwrap_or((index + 1).to_string());
                text += &" ".repeat(width - label.len());
                text += &format!("{label} |");
                for column in &columns {
                    let value = self.values(index)[*column] / 1000_f64.powi(unit);
                    text += &format!("{value:8.2} {:>2} |", ["ns", "us", "ms", "s"][unit as usize]);
                }
                text += "\n";
            }
        }
        text + &format!("toc overhead = {} ns\n", self.overhead)
    }
}

/// The same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[test]
fn random_scripts_agree_with_a_model() {
    for seed in 0..2000 {
        let mut random = Random(seed);
        let (profile, mut model) = (Profile::new(), Model::default());
        let mut now = 0;
        let magnitude = 10_i64.pow(random.below(10) as u32 + 1);
        for _ in 0..random.below(120) {
            now += random.below(magnitude.unsigned_abs()) as i64;
            let label = ["a", "", "of seven", &"x".repeat(70)][random.below(4) as usize].to_owned();
            match random.below(12) {
                0..4 => {
                    profile.tic(|| now);
                    model.tic(now);
                }
                4..8 => {
                    profile.toc(|| now);
                    model.stamp(now, None);
                }
                8 | 9 => {
                    if let Some(point) = profile.next_unlabelled() {
                        point.label.set(label.as_bytes());
                    }
                    profile.toc(|| now);
                    model.stamp(now, Some(&label));
                }
                10 => {
                    let mask = random.below(0x800) as i32;
                    assert_eq!(printed(&profile, mask), model.printed(mask), "seed {seed}");
                    for (index, _) in model.points.iter().enumerate() {
                        for (bit, value) in [1, 8, 2, 4, 16].into_iter().zip(model.values(index)) {
                            let statistic = table::statistic(bit).unwrap();
                            assert_eq!(profile.data(index, statistic), Some(value as i64), "seed {seed}");
                        }
                    }
                    assert_eq!(profile.data(model.points.len(), Statistic::Mean), None);
                }
                _ if random.below(8) == 0 => {
                    profile.reset(random.below(2) == 0, false, nothing, nothing);
                    model = Model { overhead: random.below(50) as i64, ..Model::default() };
                    profile.overhead.set(model.overhead);
                }
                _ => {}
            }
        }
    }
}
