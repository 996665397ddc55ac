// SPDX-License-Identifier: Apache-2.0
//! The listing for people.

use super::model::{Endpoint, Listing, Place, Server, Waiting};
use super::names::shown;
use super::processes::{Process, User};
use crate::output::Style;
use crate::text::escaped;
use std::fmt::Write;

const COLUMNS: usize = 6;
const HEADER: [&str; COLUMNS] = ["ADDRESS", "PID", "PROGRAM", "USER", "BACKLOG", "CONNECTIONS"];
const WAITING_HEADER: [&str; COLUMNS] = ["WAITING FOR", "PID", "PROGRAM", "USER", "", ""];

/// A longer cell moves the others of its line, but not those of other lines.
const MOST_WIDTH: usize = 48;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Header,
    Server,
    Connection,
    Note,
    Empty,
}

struct Line {
    kind: Kind,
    cells: [String; COLUMNS],
}

/// Renders the listing. Without servers, there is a header only if `is_header_wanted`.
pub fn render(listing: &Listing, style: Style, is_header_wanted: bool) -> String {
    let mut lines = Vec::new();
    if is_header_wanted || !listing.servers.is_empty() {
        lines.push(line(Kind::Header, HEADER.map(str::to_owned)));
    }
    for server in &listing.servers {
        add_server(&mut lines, server);
    }
    if !listing.waiting.is_empty() {
        if !lines.is_empty() {
            lines.push(line(Kind::Empty, Default::default()));
        }
        lines.push(line(Kind::Header, WAITING_HEADER.map(str::to_owned)));
    }
    for waiting in &listing.waiting {
        add_waiting(&mut lines, waiting);
    }
    aligned(&lines, style)
}

fn line(kind: Kind, cells: [String; COLUMNS]) -> Line {
    Line { kind, cells }
}

fn add_server(lines: &mut Vec<Line>, server: &Server) {
    let backlog = match (server.pending, server.maximum) {
        (Some(pending), Some(maximum)) => format!("{pending}/{maximum}"),
        _ => "-".to_owned(),
    };
    let connections = server.connections.len().to_string();
    add_endpoint(lines, Kind::Server, &address(&server.place), Some(&server.socket), [backlog, connections]);
    if let Some(note) = note(&server.place) {
        lines.push(line(
            Kind::Note,
            [format!("  {note}"), String::new(), String::new(), String::new(), String::new(), String::new()],
        ));
    }
    for connection in &server.connections {
        let label = if connection.peer.is_some() { "  connection" } else { "  closed" };
        add_endpoint(lines, Kind::Connection, label, connection.peer.as_ref(), Default::default());
    }
    for client in &server.clients {
        add_endpoint(lines, Kind::Connection, "  pending", Some(client), Default::default());
    }
}

fn add_waiting(lines: &mut Vec<Line>, waiting: &Waiting) {
    let name = match &waiting.name {
        Some(name) => shown(name),
        None => format!("?{:016x}", waiting.hash),
    };
    add_endpoint(lines, Kind::Server, &name, Some(&waiting.socket), Default::default());
}

/// Adds a line for each process. The first one has what concerns the socket.
fn add_endpoint(lines: &mut Vec<Line>, kind: Kind, label: &str, endpoint: Option<&Endpoint>, rest: [String; 2]) {
    let [backlog, connections] = rest;
    let processes = endpoint.map_or(&[][..], |endpoint| &endpoint.processes);
    let owner = endpoint.and_then(|endpoint| endpoint.owner.as_deref());
    let [pid, program, user] = match processes.first() {
        Some(process) => cells_of(process),
        None => ["-".to_owned(), "-".to_owned(), user_cell(owner)],
    };
    lines.push(line(kind, [label.to_owned(), pid, program, user, backlog, connections]));
    for process in processes.iter().skip(1) {
        let [pid, program, user] = cells_of(process);
        lines.push(line(kind, [String::new(), pid, program, user, String::new(), String::new()]));
    }
}

fn cells_of(process: &Process) -> [String; 3] {
    let program = process.program.as_ref().map_or("-".to_owned(), |program| escaped(program).to_string());
    [process.pid.to_string(), program, user_cell(process.user.as_deref())]
}

fn user_cell(user: Option<&User>) -> String {
    match user {
        Some(User { name: Some(name), .. }) => escaped(name.as_bytes()).to_string(),
        Some(user) => user.id.to_string(),
        None => "-".to_owned(),
    }
}

fn address(place: &Place) -> String {
    match place {
        Place::Name { name, .. } => shown(name),
        Place::Path(location) => format!("path:{}", escaped(&location.path)),
    }
}

/// Why clients cannot connect.
fn note(place: &Place) -> Option<&'static str> {
    match place {
        Place::Name { is_padded: false, .. } => Some("not padded: libmmsysio cannot connect"),
        Place::Name { name, .. } if name.contains(&0) => Some("contains a NUL byte: libmmsysio cannot connect"),
        Place::Path(location) if location.is_found == Some(false) => Some("not found at this path"),
        _ => None,
    }
}

fn aligned(lines: &[Line], style: Style) -> String {
    let mut widths = [0; COLUMNS];
    for line in lines.iter().filter(|line| line.kind != Kind::Note) {
        for (width, cell) in widths.iter_mut().zip(&line.cells) {
            let characters = cell.chars().count();
            *width = if characters > MOST_WIDTH { *width } else { characters.max(*width) };
        }
    }
    let mut text = String::new();
    for line in lines {
        write_line(&mut text, line, &widths, style);
    }
    text
}

fn write_line(text: &mut String, line: &Line, widths: &[usize; COLUMNS], style: Style) {
    let (first, others) = match line.kind {
        Kind::Header => (style.bold(), style.bold()),
        Kind::Server => (style.cyan(), ""),
        Kind::Connection => (style.dim(), style.dim()),
        Kind::Note => (style.yellow(), ""),
        Kind::Empty => ("", ""),
    };
    let count = line.cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
    let mut padding = 0;
    for (index, (cell, width)) in line.cells.iter().zip(widths).take(count).enumerate() {
        let color = if index == 0 { first } else { others };
        let reset = if color.is_empty() || cell.is_empty() { "" } else { style.reset() };
        let color = if reset.is_empty() { "" } else { color };
        let missing = width.saturating_sub(cell.chars().count());
        // IDs are aligned on the right. Nothing follows the last cell.
        let (before, after) = if index == 1 { (padding + missing, 0) } else { (padding, missing) };
        // Writing to a string cannot fail.
        let _ = write!(text, "{:before$}{color}{cell}{reset}", "");
        padding = after + 2;
    }
    text.push('\n');
}
