// SPDX-License-Identifier: Apache-2.0
//! Text of bounded length, without memory allocation.
#![forbid(unsafe_code)]

use core::ffi::c_int;
use core::fmt::{self, Write};

/// At most `N - 1` bytes of text, so that a terminator fits into `N` bytes. Longer text is truncated.
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
        text.push_formatted(arguments);
        text
    }

    #[inline]
    pub fn push(&mut self, bytes: &[u8]) {
        let space = self.bytes.get_mut(self.len..N.saturating_sub(1)).unwrap_or_default();
        self.len += copy_fitting(space, bytes);
    }

    fn push_formatted(&mut self, arguments: fmt::Arguments) {
        let space = self.bytes.get_mut(self.len..N.saturating_sub(1)).unwrap_or_default();
        self.len += format_fitting(space, arguments);
    }

    /// Appends the number with at least two digits.
    pub fn push_two_digits(&mut self, number: c_int) {
        match u8::try_from(number) {
            Ok(number @ 0..=99) => self.push(&[b'0' + number / 10, b'0' + number % 10]),
            _ => self.push_formatted(format_args!("{number:02}")),
        }
    }

    /// Appends the number. The formatter of the core library takes several times as long.
    pub fn push_decimal(&mut self, number: usize) {
        let mut digits = [0; 20];
        let (mut rest, mut start) = (number, digits.len());
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            start -= 1;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.push(digits.get(start..).unwrap_or_default());
    }

    /// Appends spaces until the text has `length` bytes.
    pub fn pad_to(&mut self, length: usize) {
        let end = length.min(N.saturating_sub(1));
        self.bytes.get_mut(self.len..end).unwrap_or_default().fill(b' ');
        self.len = self.len.max(end);
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// Copies as many bytes as fit. Returns their number.
fn copy_fitting(space: &mut [u8], bytes: &[u8]) -> usize {
    let fitting = bytes.len().min(space.len());
    if let (Some(to), Some(from)) = (space.get_mut(..fitting), bytes.get(..fitting)) {
        to.copy_from_slice(from);
    }
    fitting
}

/// Formats as many bytes as fit. Returns their number. All sizes of [`Text`] share this code.
fn format_fitting(space: &mut [u8], arguments: fmt::Arguments) -> usize {
    struct Writer<'a> {
        space: &'a mut [u8],
        len: usize,
    }

    impl Write for Writer<'_> {
        fn write_str(&mut self, s: &str) -> fmt::Result {
            self.len += copy_fitting(self.space.get_mut(self.len..).unwrap_or_default(), s.as_bytes());
            Ok(())
        }
    }

    let mut writer = Writer { space, len: 0 };
    // The writer itself never fails. If a Display implementation fails, the text that it has written remains.
    let _ = writer.write_fmt(arguments);
    writer.len
}

impl<const N: usize> Write for Text<N> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.push(s.as_bytes());
        Ok(())
    }
}

/// A name from C, quoted and on one line. Control characters and bytes that are not UTF-8 are escaped, so that a name
/// cannot forge a log line or a terminal escape sequence.
pub struct Quoted<'a>(pub &'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        // Formatting the iterators instead would take more than twice as much code.
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().escape_debug() {
                f.write_char(character)?;
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_leaves_space_for_the_terminator() {
        let text = Text::<8>::copied_from(b"0123456789");
        assert_eq!(text.as_bytes(), b"0123456");
        let mut text = Text::<8>::copied_from(b"01234");
        text.push(b"");
        text.push(b"567");
        text.push(b"more");
        assert_eq!(text.as_bytes(), b"0123456");
    }

    #[test]
    fn decimal_numbers_are_those_of_the_formatter() {
        for number in [0, 9, 10, 99, 100, 4_294_967_295, usize::MAX - 1, usize::MAX] {
            let mut text = Text::<32>::new();
            text.push_decimal(number);
            assert_eq!(text.as_bytes(), std::format!("{number}").as_bytes());
        }
    }

    #[test]
    fn formatted_text_is_truncated() {
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
