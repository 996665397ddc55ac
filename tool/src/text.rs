// SPDX-License-Identifier: Apache-2.0
//! Text from strangers, for terminals and for scripts.

use std::fmt::{self, Write};

/// Shows bytes on one line: control characters, backslashes and bytes that are not UTF-8 are escaped.
pub fn escaped(bytes: &[u8]) -> Escaped<'_> {
    Escaped { bytes, is_quoted: false }
}

/// Like [`escaped`], between double quotes, which are escaped too.
pub fn quoted(bytes: &[u8]) -> Escaped<'_> {
    Escaped { bytes, is_quoted: true }
}

pub struct Escaped<'a> {
    bytes: &'a [u8],
    is_quoted: bool,
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.is_quoted {
            f.write_char('"')?;
        }
        for chunk in self.bytes.utf8_chunks() {
            for character in chunk.valid().chars() {
                match character {
                    '\n' => f.write_str("\\n")?,
                    '\r' => f.write_str("\\r")?,
                    '\t' => f.write_str("\\t")?,
                    '\\' => f.write_str("\\\\")?,
                    '"' if self.is_quoted => f.write_str("\\\"")?,
                    _ if is_harmless(character) => f.write_char(character)?,
                    _ => {
                        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                            write!(f, "\\x{byte:02x}")?;
                        }
                    }
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        if self.is_quoted {
            f.write_char('"')?;
        }
        Ok(())
    }
}

/// Neither a control character nor one that changes the direction or the place of the text after it.
fn is_harmless(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_harmful_is_left() {
        assert_eq!(escaped(b"plain text").to_string(), "plain text");
        assert_eq!(escaped("caf\u{e9}".as_bytes()).to_string(), "caf\u{e9}");
        assert_eq!(escaped(b"a\nb\x1b[2J\0\xff\\\"").to_string(), "a\\nb\\x1b[2J\\x00\\xff\\\\\"");
        assert_eq!(quoted(b"say \"hi\"").to_string(), "\"say \\\"hi\\\"\"");
        assert_eq!(escaped("\u{202e}x\u{9b}".as_bytes()).to_string(), "\\xe2\\x80\\xaex\\xc2\\x9b");
    }
}
