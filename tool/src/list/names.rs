// SPDX-License-Identifier: Apache-2.0
//! Names in the form that an ADDR argument has.

use crate::text::escaped;

/// What precedes an abstract name, so that the argument means that name. The empty name is not a valid argument, but is
/// seen in this way.
fn prefix(name: &[u8]) -> &'static str {
    if name.is_empty() || name.starts_with(b"@") || name.starts_with(b"path:") { "@" } else { "" }
}

/// An abstract name, with escapes.
pub fn shown(name: &[u8]) -> String {
    format!("{}{}", prefix(name), escaped(name))
}

/// An abstract name as an argument has it. If that is not possible, it is escaped.
pub fn argument(name: &[u8]) -> String {
    format!("{}{}", prefix(name), text_of(name))
}

/// The bytes as they are, if an argument and JSON can contain them; else with escapes.
pub fn text_of(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !bytes.contains(&0) => text.to_owned(),
        _ => escaped(bytes).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use std::ffi::OsStr;

    #[test]
    fn a_name_can_be_given_again() {
        for name in ["demo", "/run/demo", "@demo", "path:demo", "a b\n\u{1b}\u{e9}\\"] {
            let address = Address::parse(OsStr::new(&argument(name.as_bytes())));
            assert!(matches!(&address, Ok(Address::Name(text)) if text.to_bytes() == name.as_bytes()), "{name}");
            assert_eq!(address.map(|address| address.to_string()), Ok(shown(name.as_bytes())));
        }
    }

    #[test]
    fn other_names_are_escaped() {
        assert_eq!(argument(b"a\0b"), "a\\x00b");
        assert_eq!(argument(b"\xff\n"), "\\xff\\n");
        assert_eq!((argument(b""), shown(b"")), ("@".to_owned(), "@".to_owned()));
    }
}
