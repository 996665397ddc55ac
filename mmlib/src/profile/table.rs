// SPDX-License-Identifier: Apache-2.0
//! The table of statistics, in the format of mmlib.
#![forbid(unsafe_code)]

use super::{Profile, Statistic};
use crate::rt::text::Text;
use crate::sys::cell;
use core::ffi::{CStr, c_int};
use core::sync::atomic::Ordering::Relaxed;

/// The size of the longest part, the header of a table with the longest label and all columns, and of a terminator.
pub const PART_SIZE: usize = 512;
pub type Part = Text<PART_SIZE>;

/// The columns in order: the bit in the mask, the statistic, and the title.
const COLUMNS: [(c_int, Statistic, &str); 5] = [
    (0x01, Statistic::Current, "current"),
    (0x08, Statistic::Mean, "mean"),
    (0x02, Statistic::Min, "min"),
    (0x04, Statistic::Max, "max"),
    (0x10, Statistic::Median, "median"),
];

/// The units: the value in the mask that selects it, the name, and its length in nanoseconds.
const UNITS: [(c_int, &CStr, f64); 4] =
    [(0x100, c"ns", 1.0), (0x200, c"us", 1e3), (0x300, c"ms", 1e6), (0x400, c"s", 1e9)];
const UNIT_MASK: c_int = 0x700;

/// The statistic of exactly one bit.
pub fn statistic(bit: c_int) -> Option<Statistic> {
    COLUMNS.iter().find(|column| column.0 == bit).map(|column| column.1)
}

fn columns(mask: c_int) -> impl Iterator<Item = (Statistic, &'static str)> {
    COLUMNS.iter().filter(move |column| mask & column.0 != 0).map(|column| (column.1, column.2))
}

impl Profile {
    /// A part of the table, which is written at once: the two lines of the header, a line for each point, and the last
    /// line. None: there are no more parts.
    pub fn part(&self, mask: c_int, part: usize) -> Option<Part> {
        let points = self.used();
        // Without any time stamp, there is only the last line.
        let part = if self.started.load(Relaxed) { part } else { part.checked_add(points)?.checked_add(1)? };
        match part.checked_sub(1) {
            None => Some(self.header(mask, points)),
            Some(point) if point < points => Some(self.line(mask, points, point)),
            Some(point) if point == points => {
                Some(Text::formatted(format_args!("toc overhead = {} ns\n", self.overhead.get())))
            }
            Some(_) => None,
        }
    }

    fn header(&self, mask: c_int, points: usize) -> Part {
        let width = self.label_width(points);
        let mut text = Part::formatted(format_args!("{:width$} |", ""));
        for (_, title) in columns(mask) {
            // A cell has the width of those below: 8 columns for the value, and 2 for the unit.
            text.push(Text::<16>::formatted(format_args!("{title:>8} {:2} |", "")).as_bytes());
        }
        let length = text.as_bytes().len();
        text.push(b"\n");
        for _ in 0..length {
            text.push(b"-");
        }
        text.push(b"\n");
        text
    }

    fn line(&self, mask: c_int, points: usize, index: usize) -> Part {
        let width = self.label_width(points);
        let label = self.points.get(index).and_then(|point| point.label.get());
        let label = label.unwrap_or_else(|| Text::formatted(format_args!("{}", index + 1)));
        let mut text = Part::new();
        for _ in label.as_bytes().len()..width {
            text.push(b" ");
        }
        text.push(label.as_bytes());
        text.push(b" |");
        let (unit, length) = self.unit(mask, points);
        for (statistic, _) in columns(mask) {
            let value = self.statistic(index, statistic).unwrap_or(0.0);
            push_value(&mut text, value / length, unit);
        }
        text.push(b"\n");
        text
    }

    /// The length of the longest label. A point without label counts as two bytes, for its number.
    fn label_width(&self, points: usize) -> usize {
        let widths = self.points.iter().take(points);
        widths.map(|point| point.label.get().map_or(2, |label| label.as_bytes().len())).max().unwrap_or(0)
    }

    /// The unit that the mask selects, otherwise the first in which the columns are wide enough for all values, or in
    /// which their difference is less than 1.
    fn unit(&self, mask: c_int, points: usize) -> (&'static CStr, f64) {
        let (mut least, mut greatest) = (f64::INFINITY, 0.0_f64);
        for (statistic, _) in columns(mask) {
            for value in (0..points).filter_map(|index| self.statistic(index, statistic)) {
                least = least.min(value);
                greatest = greatest.max(value);
            }
        }
        let fits = |unit: f64| (least < 100.0 * unit && greatest < 10_000.0 * unit) || greatest - least < unit;
        let [.., seconds] = UNITS;
        let selected = UNITS.iter().find(|unit| unit.0 == mask & UNIT_MASK);
        let (_, name, length) = *selected.or(UNITS.iter().find(|unit| fits(unit.2))).unwrap_or(&seconds);
        (name, length)
    }
}

/// The longest value is that of i64::MIN in nanoseconds.
fn push_value(text: &mut Part, value: f64, unit: &CStr) {
    let mut cell = [0; 64];
    let length = cell::snprintf_cell(&mut cell, value, unit);
    text.push(usize::try_from(length).ok().and_then(|length| cell.get(..length)).unwrap_or_default());
}
