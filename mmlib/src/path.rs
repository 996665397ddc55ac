// SPDX-License-Identifier: Apache-2.0
//! The last component of a path, and what precedes it.
#![forbid(unsafe_code)]

use core::ops::Range;

/// A component of a path: a part of the path itself, or a dot.
#[derive(Debug, PartialEq)]
pub enum Component {
    Part(Range<usize>),
    Dot,
}

/// The end of the path without slashes at its end. At least the first byte remains.
fn end_without_slashes(path: &[u8]) -> usize {
    path.iter().rposition(|byte| *byte != b'/').map_or(path.len().min(1), |last| last + 1)
}

fn after_last_slash(path: &[u8]) -> usize {
    path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1)
}

pub fn basename(path: &[u8]) -> Component {
    let end = end_without_slashes(path);
    let trimmed = path.get(..end).unwrap_or_default();
    match trimmed {
        b"" => Component::Dot,
        b"/" => Component::Part(0..1),
        _ => Component::Part(after_last_slash(trimmed)..end),
    }
}

pub fn dirname(path: &[u8]) -> Component {
    let trimmed = path.get(..end_without_slashes(path)).unwrap_or_default();
    match after_last_slash(trimmed) {
        0 => Component::Dot,
        start => Component::Part(0..end_without_slashes(trimmed.get(..start).unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &str, component: Component) -> &str {
        match component {
            Component::Dot => ".",
            Component::Part(range) => &path[range],
        }
    }

    #[test]
    fn paths_are_split_as_mmlib_does() {
        let expected = [
            ("/a/b", "b", "/a"),
            ("/a/b//", "b", "/a"),
            ("/a", "a", "/"),
            ("/a/", "a", "/"),
            ("//a", "a", "/"),
            ("a", "a", "."),
            ("a//", "a", "."),
            ("/", "/", "/"),
            ("///", "/", "/"),
            (".", ".", "."),
            ("../", "..", "."),
            ("a//b", "b", "a"),
            ("//a//b//", "b", "//a"),
            ("./a", "a", "."),
            ("a/..", "..", "a"),
            ("/..", "..", "/"),
            ("a\\b", "a\\b", "."),
            ("", ".", "."),
        ];
        for (path, base, directory) in expected {
            assert_eq!(text(path, basename(path.as_bytes())), base, "{path}");
            assert_eq!(text(path, dirname(path.as_bytes())), directory, "{path}");
        }
    }
}
