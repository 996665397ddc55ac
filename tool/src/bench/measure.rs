// SPDX-License-Identifier: Apache-2.0
//! The measurements.

use super::histogram::Histogram;
use super::link::{Link, Stop};
use super::progress::Progress;
use super::report::{OneWay, RoundTrips};
use super::server::end_of_run;
use crate::failure::{Failure, Status};
use std::time::{Duration, Instant};

/// The part of the time that precedes a measurement, and is not counted.
const WARM_UP: f64 = 0.05;

/// How often signals are checked, and the progress is shown.
const PERIOD: Duration = Duration::from_millis(50);

/// The most messages between two looks at the clock, and the time above which there are fewer of them.
const LARGEST_BATCH: u64 = 64;
const LONGEST_BATCH: Duration = Duration::from_micros(100);

/// What was measured before the time was over, or before a signal arrived.
pub struct Run<T> {
    /// None: nothing was measured.
    pub measured: Option<T>,
    pub signal: Option<i32>,
}

/// How long to measure.
pub struct Plan<'a> {
    pub time: Duration,
    pub progress: &'a mut Progress,
}

impl Plan<'_> {
    fn warm_up(&self) -> Timer<'static> {
        Timer::start(self.time.mul_f64(WARM_UP), None)
    }

    fn measurement(&mut self) -> Timer<'_> {
        Timer::start(self.time, Some(self.progress))
    }
}

struct Timer<'a> {
    start: Instant,
    time: Duration,
    /// When signals are checked next, after the start.
    next_check: Duration,
    progress: Option<&'a mut Progress>,
}

impl Timer<'_> {
    fn start(time: Duration, progress: Option<&mut Progress>) -> Timer<'_> {
        Timer { start: Instant::now(), time, next_check: PERIOD.min(time), progress }
    }

    /// Whether the time is over.
    fn is_over(&mut self, now: Instant, link: &Link) -> Result<bool, Stop> {
        let elapsed = now - self.start;
        if elapsed < self.next_check {
            return Ok(false);
        }
        link.check_signal()?;
        if let Some(progress) = &mut self.progress {
            progress.show(elapsed.as_secs_f64() / self.time.as_secs_f64());
        }
        self.next_check = elapsed.saturating_add(PERIOD).min(self.time);
        Ok(elapsed >= self.time)
    }
}

/// A signal ends a measurement like the time does. Err: there is no result.
fn signal_of(result: Result<(), Stop>) -> Result<Option<i32>, Stop> {
    match result {
        Ok(()) => Ok(None),
        Err(Stop::Signal(signal)) => Ok(Some(signal)),
        Err(stop) => Err(stop),
    }
}

/// Measures how long it takes until a message is answered.
pub fn round_trips(link: &mut Link, message: &[u8], plan: &mut Plan) -> Result<Run<RoundTrips>, Stop> {
    if let Some(signal) = signal_of(exchange(link, message, plan.warm_up(), |_, _| {}))? {
        return Ok(Run { measured: None, signal: Some(signal) });
    }
    let mut histogram = Histogram::new();
    let mut last = Duration::ZERO;
    let result = exchange(link, message, plan.measurement(), |round_trip, elapsed| {
        histogram.record(round_trip);
        last = elapsed;
    });
    let signal = signal_of(result)?;
    let measured = (histogram.count() > 0).then(|| RoundTrips::new(&histogram, last));
    Ok(Run { measured, signal })
}

/// Sends messages and receives their answers. `record` gets the time of each round trip, and that since the start.
fn exchange(
    link: &mut Link,
    message: &[u8],
    mut timer: Timer,
    mut record: impl FnMut(Duration, Duration),
) -> Result<(), Stop> {
    loop {
        let before = Instant::now();
        link.send(message)?;
        let size = link.receive()?;
        let after = Instant::now();
        if size != message.len() {
            let text = format!("the server's answer has {size} bytes instead of {}", message.len());
            return Err(Stop::Failed(Failure::new(Status::Failure, text)));
        }
        record(after - before, after - timer.start);
        if timer.is_over(after, link)? {
            return Ok(());
        }
    }
}

/// Measures how many messages are sent. If `is_confirmed`, the server is a [`super::server::Service::Sink`], and the
/// time is that in which it has received them.
pub fn one_way(link: &mut Link, message: &[u8], is_confirmed: bool, plan: &mut Plan) -> Result<Run<OneWay>, Stop> {
    let mut run = stream(link, message, is_confirmed, plan.warm_up())?;
    if run.signal.is_some() {
        run.measured = None;
        return Ok(run);
    }
    stream(link, message, is_confirmed, plan.measurement())
}

fn stream(link: &mut Link, message: &[u8], is_confirmed: bool, mut timer: Timer) -> Result<Run<OneWay>, Stop> {
    let mut count = 0;
    let result = send_batches(link, message, &mut timer, &mut count);
    let mut elapsed = timer.start.elapsed();
    // What is in the queue has not been received.
    if is_confirmed && count > 0 && !matches!(result, Err(Stop::Failed(_))) {
        if let Some(signal) = signal_of(confirm(link, message.len(), count))? {
            return Ok(Run { measured: None, signal: Some(signal) });
        }
        elapsed = timer.start.elapsed();
    }
    let signal = signal_of(result)?;
    Ok(Run { measured: (count > 0).then(|| OneWay::new(count, message.len(), elapsed)), signal })
}

fn send_batches(link: &Link, message: &[u8], timer: &mut Timer, count: &mut u64) -> Result<(), Stop> {
    let mut batch = 1;
    let mut before = timer.start;
    loop {
        for _ in 0..batch {
            link.send(message)?;
            *count += 1;
        }
        let now = Instant::now();
        if timer.is_over(now, link)? {
            return Ok(());
        }
        batch = if now - before < LONGEST_BATCH { (batch * 2).min(LARGEST_BATCH) } else { (batch / 2).max(1) };
        before = now;
    }
}

/// Waits until the server has received all messages.
fn confirm(link: &mut Link, size: usize, count: u64) -> Result<(), Stop> {
    link.send(end_of_run(size))?;
    let answer_size = link.receive()?;
    let failed = |text| Err(Stop::Failed(Failure::new(Status::Failure, text)));
    match <[u8; 8]>::try_from(link.answer(answer_size)).map(u64::from_le_bytes) {
        Ok(received) if received == count => Ok(()),
        Ok(received) => failed(format!("the server has received {received} of {count} messages of {size} bytes")),
        Err(_) => failed(format!("the server has confirmed the messages with {answer_size} bytes instead of 8")),
    }
}
