// SPDX-License-Identifier: Apache-2.0
//! The progress bar.

use std::io::{self, IsTerminal, Write};

const LABEL_WIDTH: usize = 20;
const BAR_WIDTH: usize = 40;

/// A line on standard error, if that is a terminal. It is removed when this is dropped.
pub struct Progress {
    is_shown: bool,
    label: String,
    /// How many measurements there are, and how many have ended.
    total: usize,
    ended: usize,
    /// The width of the line that the terminal shows.
    width: usize,
}

impl Progress {
    pub fn new(total: usize) -> Progress {
        Progress { is_shown: io::stderr().is_terminal(), label: String::new(), total, ended: 0, width: 0 }
    }

    /// A measurement begins.
    pub fn begin(&mut self, label: String) {
        self.label = label;
        self.show(0.0);
    }

    /// The measurement has ended.
    pub fn end(&mut self) {
        self.ended += 1;
    }

    /// Shows which part of the measurement has been done.
    pub fn show(&mut self, part: f64) {
        if self.is_shown {
            let done = ((self.ended as f64 + part.min(1.0)) / self.total.max(1) as f64).min(1.0);
            let line = line(&self.label, done);
            self.write(&format!("\r{line}"));
            self.width = line.len();
        }
    }

    /// The terminal may be in any state, and nobody needs to know that it cannot be written to.
    fn write(&self, text: &str) {
        let mut terminal = io::stderr().lock();
        let _ = terminal.write_all(text.as_bytes()).and_then(|()| terminal.flush());
    }
}

/// All lines have the same width, so that each replaces the one before.
fn line(label: &str, done: f64) -> String {
    let bar = "#".repeat((done * BAR_WIDTH as f64) as usize);
    format!("{label:<LABEL_WIDTH$} [{bar:<BAR_WIDTH$}] {:>3} %", (done * 100.0) as u8)
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.width > 0 {
            self.write(&format!("\r{:width$}\r", "", width = self.width));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_the_same_width() {
        let lines = [line("round trips, 16384K", 0.0), line("one way, 0", 0.5), line("", 1.0)];
        assert!(lines.iter().all(|line| line.len() == lines[0].len()), "{lines:?}");
        assert!(lines[1].ends_with("[####################                    ]  50 %"));
    }
}
