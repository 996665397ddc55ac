// SPDX-License-Identifier: Apache-2.0
//! The results of `mmipc bench`, as tables and as JSON.

use super::histogram::Histogram;
use super::size_text;
use crate::address::Address;
use crate::json::Json;
use crate::output::Style;
use std::time::Duration;

/// The percentiles that are reported: their columns and members, and the thousandths of the round trips.
const PERCENTILES: [(&str, &str, u64); 6] = [
    ("MIN", "min_us", 0),
    ("P50", "p50_us", 500),
    ("P90", "p90_us", 900),
    ("P99", "p99_us", 990),
    ("P99.9", "p99_9_us", 999),
    ("MAX", "max_us", 1000),
];

/// The round trips of one size.
pub struct RoundTrips {
    count: u64,
    per_second: f64,
    /// Microseconds, for each of [`PERCENTILES`].
    times: [f64; PERCENTILES.len()],
}

impl RoundTrips {
    pub fn new(histogram: &Histogram, elapsed: Duration) -> RoundTrips {
        RoundTrips {
            count: histogram.count(),
            per_second: per_second(histogram.count() as f64, elapsed),
            times: PERCENTILES.map(|(_, _, permille)| histogram.percentile(permille) as f64 / 1000.0),
        }
    }
}

/// The messages of one size in one direction.
pub struct OneWay {
    count: u64,
    messages_per_second: f64,
    bytes_per_second: f64,
}

impl OneWay {
    pub fn new(count: u64, size: usize, elapsed: Duration) -> OneWay {
        let messages_per_second = per_second(count as f64, elapsed);
        OneWay { count, messages_per_second, bytes_per_second: messages_per_second * size as f64 }
    }
}

/// The clock may not have advanced.
fn per_second(count: f64, elapsed: Duration) -> f64 {
    count / elapsed.max(Duration::from_nanos(1)).as_secs_f64()
}

/// The result for a size, or why there is none.
pub struct Row<T> {
    pub size: usize,
    pub result: Result<T, String>,
}

/// The results so far.
#[derive(Default)]
pub struct Report {
    /// None: the direction was not measured.
    pub round_trips: Option<Vec<Row<RoundTrips>>>,
    pub one_way: Option<Vec<Row<OneWay>>>,
}

impl Report {
    pub fn is_empty(&self) -> bool {
        self.round_trips.as_ref().is_none_or(Vec::is_empty) && self.one_way.as_ref().is_none_or(Vec::is_empty)
    }

    /// The document of --json: an object with the members
    ///
    /// - `address`: the address of the server; null with --self
    /// - `time_s`: the time to measure each size and direction, in seconds (--time). A signal ends it earlier
    /// - `round_trips`: list, absent if round trips were not measured. The objects have, in the order of --size,
    ///   - `size`: the size of the message and of its answer, in bytes
    ///   - `count`: how many round trips were measured
    ///   - `per_second`: round trips in a second
    ///   - `min_us`, `p50_us`, `p90_us`, `p99_us`, `p99_9_us`, `max_us`: the shortest round trip, the percentiles, and
    ///     the longest one, in microseconds. The percentiles have an error of less than 1 %
    ///   - or in place of all these but `size`, `error`: why messages of this size cannot be sent
    /// - `one_way`: list, absent if this direction was not measured. The objects have, in the order of --size,
    ///   - `size`: the size of a message, in bytes
    ///   - `count`: how many messages were sent; with --self, and received
    ///   - `messages_per_second`, `bytes_per_second`
    ///   - or in place of all these but `size`, `error`: why messages of this size cannot be sent
    ///
    /// A list ends early if a signal or an error has ended the run.
    pub fn json(&self, address: Option<&Address>, time: Duration) -> Json {
        let mut members =
            vec![("address", Json::or_null(address, Json::text)), ("time_s", Json::Number(time.as_secs_f64()))];
        if let Some(rows) = &self.round_trips {
            members.push(("round_trips", list(rows, round_trips_members)));
        }
        if let Some(rows) = &self.one_way {
            members.push(("one_way", list(rows, one_way_members)));
        }
        Json::Object(members)
    }

    /// The tables for people.
    pub fn text(&self, style: Style) -> String {
        let mut tables = Vec::new();
        if let Some(rows) = self.round_trips.as_ref().filter(|rows| !rows.is_empty()) {
            let header = ["ROUND TRIPS/S"].into_iter().chain(PERCENTILES.map(|(column, _, _)| column));
            let cells = |row: &RoundTrips| {
                let times = row.times.iter().map(|time| format!("{time:.1}"));
                [format!("{:.0}", row.per_second)].into_iter().chain(times).collect()
            };
            tables.push(table("Round trips, times in microseconds", header.collect(), rows, cells, style));
        }
        if let Some(rows) = self.one_way.as_ref().filter(|rows| !rows.is_empty()) {
            let cells = |row: &OneWay| {
                let mebibytes = row.bytes_per_second / f64::from(1 << 20);
                vec![format!("{:.0}", row.messages_per_second), format!("{mebibytes:.1}")]
            };
            tables.push(table("One way", vec!["MESSAGES/S", "MiB/S"], rows, cells, style));
        }
        tables.join("\n")
    }
}

fn list<T>(rows: &[Row<T>], members: impl Fn(&T) -> Vec<(&'static str, Json)>) -> Json {
    let object = |row: &Row<T>| {
        let mut object = vec![("size", Json::Integer(i64::try_from(row.size).unwrap_or(i64::MAX)))];
        match &row.result {
            Ok(result) => object.extend(members(result)),
            Err(reason) => object.push(("error", Json::text(reason))),
        }
        Json::Object(object)
    };
    Json::List(rows.iter().map(object).collect())
}

fn round_trips_members(row: &RoundTrips) -> Vec<(&'static str, Json)> {
    let times = PERCENTILES.iter().zip(row.times).map(|((_, member, _), time)| (*member, rounded(time)));
    [("count", count(row.count)), ("per_second", rounded(row.per_second))].into_iter().chain(times).collect()
}

fn one_way_members(row: &OneWay) -> Vec<(&'static str, Json)> {
    vec![
        ("count", count(row.count)),
        ("messages_per_second", rounded(row.messages_per_second)),
        ("bytes_per_second", rounded(row.bytes_per_second)),
    ]
}

fn count(count: u64) -> Json {
    Json::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Times are exact to a nanosecond.
fn rounded(value: f64) -> Json {
    Json::Number((value * 1000.0).round() / 1000.0)
}

/// A title, a header, and rows whose cells are aligned on the right.
fn table<T>(
    title: &str,
    header: Vec<&str>,
    rows: &[Row<T>],
    cells: impl Fn(&T) -> Vec<String>,
    style: Style,
) -> String {
    let sizes: Vec<String> = rows.iter().map(|row| size_text(row.size)).collect();
    let rows: Vec<Result<Vec<String>, &str>> =
        rows.iter().map(|row| row.result.as_ref().map(&cells).map_err(String::as_str)).collect();
    let size_width = sizes.iter().map(String::len).chain(["SIZE".len()]).max().unwrap_or(0);
    let widths: Vec<usize> = header
        .iter()
        .enumerate()
        .map(|(column, name)| {
            let lengths = rows.iter().flatten().filter_map(|cells| cells.get(column)).map(String::len);
            lengths.chain([name.len()]).max().unwrap_or(0)
        })
        .collect();
    let aligned = |cells: &mut dyn Iterator<Item = &str>| -> String {
        cells.zip(&widths).map(|(cell, width)| format!("  {cell:>width$}")).collect()
    };
    let (bold, dim, yellow, reset) = (style.bold(), style.dim(), style.yellow(), style.reset());
    let columns = aligned(&mut header.iter().copied());
    let mut text = format!("{dim}{title}{reset}\n{bold}{:>size_width$}{columns}{reset}\n", "SIZE");
    for (size, row) in sizes.iter().zip(&rows) {
        let rest = match row {
            Ok(cells) => aligned(&mut cells.iter().map(String::as_str)),
            Err(reason) => format!("  {yellow}{reason}{reset}"),
        };
        text.push_str(&format!("{size:>size_width$}{rest}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Color;

    fn report() -> Report {
        let mut histogram = Histogram::new();
        histogram.record(Duration::from_nanos(1_000));
        histogram.record(Duration::from_nanos(12_345));
        let round_trips = RoundTrips::new(&histogram, Duration::from_millis(1));
        let too_large = || Err("exceeds the limit of the socket".to_owned());
        Report {
            round_trips: Some(vec![
                Row { size: 64, result: Ok(round_trips) },
                Row { size: 16 << 20, result: too_large() },
            ]),
            one_way: Some(vec![Row { size: 1 << 20, result: Ok(OneWay::new(3, 1 << 20, Duration::from_secs(2))) }]),
        }
    }

    #[test]
    fn columns_are_aligned() {
        let expected = "\
Round trips, times in microseconds
SIZE  ROUND TRIPS/S  MIN  P50   P90   P99  P99.9   MAX
  64           2000  1.0  1.0  12.3  12.3   12.3  12.3
 16M  exceeds the limit of the socket

One way
SIZE  MESSAGES/S  MiB/S
  1M           2    1.5
";
        assert_eq!(report().text(Color::Never.style()), expected);
    }

    #[test]
    fn what_was_not_measured_is_absent() {
        let json = |report: Report| report.json(None, Duration::from_millis(500)).to_string();
        assert_eq!(json(Report::default()), r#"{"address": null, "time_s": 0.5}"#);
        assert!(Report::default().is_empty());
        assert_eq!(Report::default().text(Color::Never.style()), "");
        assert_eq!(
            json(Report { round_trips: None, ..report() }),
            r#"{"address": null, "time_s": 0.5, "one_way": [{"size": 1048576, "count": 3, "messages_per_second": 1.5, "bytes_per_second": 1572864}]}"#
        );
        let text = json(report());
        assert!(
            text.contains(r#"{"size": 64, "count": 2, "per_second": 2000, "min_us": 1, "p50_us": 1.001,"#),
            "{text}"
        );
        assert!(text.contains(r#"{"size": 16777216, "error": "exceeds the limit of the socket"}"#), "{text}");
    }

    #[test]
    fn no_time_is_not_infinitely_fast() {
        assert!(OneWay::new(1, 1, Duration::ZERO).bytes_per_second.is_finite());
    }
}
