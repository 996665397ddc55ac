// SPDX-License-Identifier: Apache-2.0
//! mmipc bench: measures round trips and rates, by the size of messages.

mod histogram;
mod link;
mod measure;
mod progress;
mod report;
mod server;

use crate::address::Address;
use crate::args::{duration, parsed, size, timeout_ms};
use crate::failure::{Failure, Result, Status};
use crate::help::print_command;
use crate::mmsysio::{self, CLOEXEC};
use crate::output::{Color, print};
use crate::sys::Signals;
use lexopt::prelude::*;
use link::{Link, Stop};
use measure::{Plan, Run};
use progress::Progress;
use report::{Report, Row};
use server::{LocalServer, Service};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

pub const HELP: &str = "\
Usage: mmipc bench ADDR | --self [OPTION...]

Measures how long a server takes to answer a message, by the size of messages.
The server must answer each message with one of the same size, as
'mmipc listen ADDR --echo' does. The times are those of the client: they
include its own system calls.

Options:
  --self            measure a connection to a server of the tool itself, in
                    another process: round trips, and messages in one direction
  --one-way         measure only messages in one direction. The server at ADDR
                    must read them and not answer; the rate is that at which
                    they are sent
  --size LIST       sizes in bytes, at most 16M
                    (default 64,1K,4K,16K,64K,128K)
  --time T          how long to measure each size (default 1s)
  --timeout T       wait at most T for a server, and then for each answer;
                    0 does not wait for a server
  --json            print a JSON document, see mmipc(1)
  --color WHEN      colours: auto (default), always or never

SIGINT and SIGTERM end the measurement. What was measured is printed.
";

/// 16M, far more than the kernel can send as one message.
const LARGEST_SIZE: usize = 16 << 20;

const DEFAULT_SIZES: [usize; 6] = [64, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 128 << 10];

/// These end the measurement.
const SIGNALS: [i32; 2] = [libc::SIGINT, libc::SIGTERM];

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    RoundTrips,
    OneWay,
}

struct Options {
    /// None for --self.
    address: Option<Address>,
    sizes: Vec<usize>,
    time: Duration,
    is_one_way: bool,
    timeout: Option<Duration>,
}

pub fn run(mut parser: lexopt::Parser) -> Result<()> {
    let (mut address, mut is_self, mut is_one_way, mut is_json) = (None, false, false, false);
    let (mut sizes, mut time, mut timeout) = (DEFAULT_SIZES.to_vec(), Duration::from_secs(1), None);
    let mut color = Color::Auto;
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return print_command(HELP),
            Long("serve") => return server::serve(parsed(parser.value()?, "--serve", Service::parse)?),
            Long("self") => is_self = true,
            Long("one-way") => is_one_way = true,
            Long("size") => sizes = parsed(parser.value()?, "--size", list_of_sizes)?,
            Long("time") => time = parsed(parser.value()?, "--time", positive_duration)?,
            Long("timeout") => timeout = Some(parsed(parser.value()?, "--timeout", duration)?),
            Long("json") => is_json = true,
            Long("color") => color = parsed(parser.value()?, "--color", Color::parse)?,
            Value(text) if address.is_none() => address = Some(Address::parse(&text).map_err(Failure::usage)?),
            other => return Err(other.unexpected().into()),
        }
    }
    match (&address, is_self) {
        (None, false) => return Err(Failure::usage("no address; see 'mmipc bench --help'")),
        (Some(_), true) => return Err(Failure::usage("an address and --self cannot be combined")),
        _ => {}
    }
    if let Some(size) = sizes.iter().find(|size| **size > LARGEST_SIZE) {
        let text = format!("the size {} of --size exceeds {}", size_text(*size), size_text(LARGEST_SIZE));
        return Err(Failure::usage(text));
    }

    let options = Options { address, sizes, time, is_one_way, timeout };
    let mut report = Report::default();
    let outcome = match &options.address {
        Some(address) => measure_server(address, &options, &mut report),
        None => measure_self(&options, &mut report),
    };
    // What was measured before an error remains true.
    let is_ended_by_user = matches!(outcome, Ok(()) | Err(Failure::Signal(_)));
    if is_json && (is_ended_by_user || !report.is_empty()) {
        print(format!("{}\n", report.json(options.address.as_ref(), options.time)).as_bytes())?;
    } else if !report.is_empty() {
        print(report.text(color.style()).as_bytes())?;
    }
    outcome
}

/// Sizes, separated by commas.
fn list_of_sizes(text: &str) -> Option<Vec<usize>> {
    text.split(',').map(size).collect()
}

fn positive_duration(text: &str) -> Option<Duration> {
    duration(text).filter(|time| !time.is_zero())
}

/// The form that --size takes, with the largest unit that is exact.
fn size_text(size: usize) -> String {
    match size {
        0 => "0".to_owned(),
        _ if size % (1 << 20) == 0 => format!("{}M", size >> 20),
        _ if size % (1 << 10) == 0 => format!("{}K", size >> 10),
        _ => size.to_string(),
    }
}

fn measure_server(address: &Address, options: &Options, report: &mut Report) -> Result<()> {
    let flags = address.flags() | CLOEXEC;
    let connection = mmsysio::connect(address.as_c_str(), flags, timeout_ms(options.timeout))?;
    // Until here, a signal ends the tool at once.
    let signals = catch_signals()?;
    let direction = if options.is_one_way { Direction::OneWay } else { Direction::RoundTrips };
    let mut progress = Progress::new(options.sizes.len());
    measure_sizes(connection.as_fd(), direction, options, &signals, &mut progress, report)?;
    late_signal(&signals)
}

fn measure_self(options: &Options, report: &mut Report) -> Result<()> {
    let signals = catch_signals()?;
    let directions: &[_] =
        if options.is_one_way { &[Direction::OneWay] } else { &[Direction::RoundTrips, Direction::OneWay] };
    let mut progress = Progress::new(options.sizes.len() * directions.len());
    for direction in directions {
        let service = if *direction == Direction::OneWay { Service::Sink } else { Service::Echo };
        let server = LocalServer::start(service, &SIGNALS)?;
        let result = match server.connection() {
            Some(connection) => measure_sizes(connection, *direction, options, &signals, &mut progress, report),
            None => Ok(()),
        };
        let status = server.end();
        match result {
            Err(Failure::Message(Status::PeerClosed, _)) => {
                let text = format!("the server's process has ended early, with status {status}");
                return Err(Failure::new(Status::PeerClosed, text));
            }
            result => result?,
        }
    }
    late_signal(&signals)
}

/// A signal that has arrived when everything was measured.
fn late_signal(signals: &Signals) -> Result<()> {
    signals.next().map_or(Ok(()), |signal| Err(Failure::Signal(signal)))
}

fn catch_signals() -> Result<Signals> {
    Signals::catch(&SIGNALS).map_err(|e| Failure::io("cannot catch signals", &e))
}

/// Measures all sizes on a connection.
fn measure_sizes(
    connection: BorrowedFd,
    direction: Direction,
    options: &Options,
    signals: &Signals,
    progress: &mut Progress,
    report: &mut Report,
) -> Result<()> {
    let mut link = Link::new(connection, direction, options.timeout, signals)?;
    // Not zeros, since pages of zeros that have never been written to are one page of the kernel.
    let data = vec![b'x'; options.sizes.iter().copied().max().unwrap_or(0)];
    let is_confirmed = options.address.is_none();
    let (mut round_trips, mut one_way) = (Vec::new(), Vec::new());
    let mut result = Ok(());
    for size in &options.sizes {
        let message = data.get(..*size).unwrap_or(&data);
        let name = if direction == Direction::OneWay { "one way" } else { "round trips" };
        progress.begin(format!("{name}, {}", size_text(*size)));
        let mut plan = Plan { time: options.time, progress };
        result = match direction {
            Direction::RoundTrips => {
                add_row(&mut round_trips, *size, measure::round_trips(&mut link, message, &mut plan))
            }
            Direction::OneWay => {
                add_row(&mut one_way, *size, measure::one_way(&mut link, message, is_confirmed, &mut plan))
            }
        };
        if result.is_err() {
            break;
        }
        progress.end();
    }
    match direction {
        Direction::RoundTrips => report.round_trips = Some(round_trips),
        Direction::OneWay => report.one_way = Some(one_way),
    }
    result
}

/// Adds what was measured. Err: the measurement ends.
fn add_row<T>(rows: &mut Vec<Row<T>>, size: usize, run: std::result::Result<Run<T>, Stop>) -> Result<()> {
    match run {
        Ok(Run { measured, signal }) => {
            rows.extend(measured.map(|measured| Row { size, result: Ok(measured) }));
            signal.map_or(Ok(()), |signal| Err(Failure::Signal(signal)))
        }
        Err(Stop::TooLarge(reason)) => {
            rows.push(Row { size, result: Err(reason) });
            Ok(())
        }
        Err(Stop::Signal(signal)) => Err(Failure::Signal(signal)),
        Err(Stop::Failed(failure)) => Err(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_as_they_can_be_given() {
        for text in ["0", "1", "1023", "1K", "1025", "1000K", "1M", "1025K", "16M"] {
            assert_eq!(size(text).map(size_text).as_deref(), Some(text));
        }
        assert_eq!(size_text(1024 << 10), "1M");
    }

    #[test]
    fn a_list_has_at_least_one_size() {
        assert_eq!(list_of_sizes("64,0,4K,64"), Some(vec![64, 0, 4096, 64]));
        for text in ["", ",", "64,", ",64", "64,,64", "64 ,64", "64;64", "-1"] {
            assert_eq!(list_of_sizes(text), None, "{text}");
        }
    }
}
