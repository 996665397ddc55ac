// SPDX-License-Identifier: Apache-2.0
//! Text of bounded length, built without allocating.
#![forbid(unsafe_code)]

use core::fmt::{self, Write};

/// At most `N - 1` bytes of text; what does not fit is cut. It can always be terminated within `N` bytes.
pub struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Text<N> {
    pub const fn new() -> Text<N> {
        Text { bytes: [0; N], len: 0 }
    }

    pub fn copied_from(bytes: &[u8]) -> Text<N> {
        let mut text = Text::new();
        text.push(bytes);
        text
    }

    pub fn formatted(arguments: fmt::Arguments) -> Text<N> {
        let mut text = Text::new();
        // Only a Display that fails by itself could give an error; what it wrote until then stays.
        let _ = text.write_fmt(arguments);
        text
    }

    pub fn push(&mut self, bytes: &[u8]) {
        let space = self.bytes.get_mut(self.len..N.saturating_sub(1)).unwrap_or_default();
        self.len += copy_fitting(space, bytes);
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// Copies as many bytes as fit; their number.
fn copy_fitting(space: &mut [u8], bytes: &[u8]) -> usize {
    for (to, from) in space.iter_mut().zip(bytes) {
        *to = *from;
    }
    bytes.len().min(space.len())
}

impl<const N: usize> Write for Text<N> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.push(s.as_bytes());
        Ok(())
    }
}

/// A name that came from C, in quotes, on one line: control characters and bytes that are no UTF-8 are escaped, so
/// that no name can forge a line of a log or a sequence of a terminal.
pub struct Quoted<'a>(pub &'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for chunk in self.0.utf8_chunks() {
            write!(f, "{}", chunk.valid().escape_debug())?;
            write!(f, "{}", chunk.invalid().escape_ascii())?;
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_room_for_the_terminator() {
        let text = Text::<8>::copied_from(b"0123456789");
        assert_eq!(text.as_bytes(), b"0123456");
        let mut text = Text::<8>::copied_from(b"01234");
        text.push(b"");
        text.push(b"567");
        text.push(b"more");
        assert_eq!(text.as_bytes(), b"0123456");
    }

    #[test]
    fn formatted_text_is_cut_like_copied_text() {
        let text = Text::<8>::formatted(format_args!("{}-{}", 1234, "abcdef"));
        assert_eq!(text.as_bytes(), b"1234-ab");
    }

    #[test]
    fn quoted_names_stay_on_one_line() {
        let quote = |name: &[u8]| format!("{}", Quoted(name));
        assert_eq!(quote(b"plain"), r#""plain""#);
        assert_eq!(quote("caf\u{e9}".as_bytes()), "\"caf\u{e9}\"");
        assert_eq!(quote(b"a\nb\x1b[2J"), r#""a\nb\u{1b}[2J""#);
        assert_eq!(quote(b"\xff\xfe"), r#""\xff\xfe""#);
        assert_eq!(quote(b"say \"hi\""), r#""say \"hi\"""#);
    }
}
