// SPDX-License-Identifier: Apache-2.0
//! Breaking text into lines, counted in bytes. The output of programs depends on every detail.

const WIDTH: usize = 80;

/// Writes the text in lines of at most 80 bytes. The first line begins with `first`, which replaces the indent, the others
/// with `indent` blanks. An empty text is one line.
pub fn wrap(text: &[u8], first: &[&[u8]], indent: usize, write: &mut impl FnMut(&[u8])) {
    let mut rest = text;
    let mut is_first = true;
    while is_first || !rest.is_empty() {
        if is_first {
            first.iter().for_each(|part| write(part));
            let length = first.iter().map(|part| part.len()).sum();
            blanks(indent.saturating_sub(length), write);
        } else {
            blanks(indent, write);
        }
        is_first = false;
        let (line, after) = rest.split_at_checked(line_length(rest, WIDTH - indent)).unwrap_or((rest, b""));
        write(line);
        write(b"\n");
        rest = after.strip_prefix(b"\n").unwrap_or(after);
        while let Some(after_blank) = rest.strip_prefix(b" ") {
            rest = after_blank;
        }
    }
}

/// The length of the first line: up to the last blank at which it fits, or to the width if there is none.
fn line_length(text: &[u8], width: usize) -> usize {
    let paragraph = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    if paragraph < width {
        return paragraph;
    }
    (1..=width).rev().find(|end| text.get(*end) == Some(&b' ')).unwrap_or(width)
}

pub fn blanks(count: usize, write: &mut impl FnMut(&[u8])) {
    (0..count).for_each(|_| write(b" "));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, first: &str, indent: usize) -> String {
        let mut bytes = Vec::new();
        wrap(text.as_bytes(), &[first.as_bytes()], indent, &mut |part| bytes.extend_from_slice(part));
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_of_exactly_the_width_needs_a_blank_after_it() {
        let words = |last: usize| format!("{} {}", "a".repeat(39), "b".repeat(last));
        assert_eq!(wrapped(&words(39), "", 0), format!("{} {}\n", "a".repeat(39), "b".repeat(39)));
        assert_eq!(wrapped(&words(40), "", 0), format!("{}\n{}\n", "a".repeat(39), "b".repeat(40)));
        assert_eq!(wrapped(&(words(40) + " c"), "", 0), format!("{}\nc\n", words(40)));
    }

    #[test]
    fn a_long_word_is_cut() {
        assert_eq!(wrapped(&"a".repeat(170), "", 0), format!("{0}\n{0}\n{1}\n", "a".repeat(80), "a".repeat(10)));
    }

    #[test]
    fn line_breaks_are_kept_and_blanks_after_them_are_not() {
        assert_eq!(wrapped("a\n  b\n\nc\n", "", 2), "  a\n  b\n  \n  c\n");
        assert_eq!(wrapped("  a", "-x", 4), "-x    a\n");
        assert_eq!(wrapped("", "-x", 4), "-x  \n");
    }
}
