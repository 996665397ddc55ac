// SPDX-License-Identifier: Apache-2.0
//! Names of options: `c`, `long-name` or `c|long-name`.

/// The forms of an option.
#[derive(Debug, PartialEq)]
pub struct Name<'a> {
    pub key: Option<u8>,
    pub long: Option<&'a [u8]>,
}

impl<'a> Name<'a> {
    pub fn of(name: &'a [u8]) -> Name<'a> {
        match name {
            [] => Name { key: None, long: None },
            [key] => Name { key: Some(*key), long: None },
            [key, b'|', long @ ..] => Name { key: Some(*key), long: Some(long) },
            long => Name { key: None, long: Some(long) },
        }
    }
}

pub fn is_valid(name: &[u8]) -> bool {
    let Name { key, long } = Name::of(name);
    !name.is_empty() && key.is_none_or(|key| key.is_ascii_alphabetic()) && long.is_none_or(is_long_name)
}

fn is_long_name(name: &[u8]) -> bool {
    let is_allowed = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    name.len() >= 2 && name.first().is_some_and(u8::is_ascii_lowercase) && name.iter().all(is_allowed)
}

/// Splits a long option, without its dashes, at the first `=`.
pub fn split(option: &[u8]) -> (&[u8], bool) {
    match option.iter().position(|byte| *byte == b'=') {
        Some(end) => (option.get(..end).unwrap_or_default(), true),
        None => (option, false),
    }
}

/// Whether an argument is not a value, because it has the form of an option, which need not exist.
pub fn looks_like_option(argument: &[u8]) -> bool {
    match argument {
        [b'-', b'-', long @ ..] => is_long_name(split(long).0),
        [b'-', key, ..] => key.is_ascii_alphabetic(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_letter_a_long_form_or_both() {
        for name in ["a", "Z", "ab", "x|yz", "ab-", "a|b-1"] {
            assert!(is_valid(name.as_bytes()), "{name}");
        }
        for name in ["", "1", "x|", "x|y", "xy|z", "A|Bc", "a|b_c", "-", "|ab", "a|2b", "a||b", "\u{e9}", "a\u{e9}"] {
            assert!(!is_valid(name.as_bytes()), "{name}");
        }
        assert_eq!(Name::of(b"n|count"), Name { key: Some(b'n'), long: Some(b"count") });
        assert_eq!(Name::of(b"count"), Name { key: None, long: Some(b"count") });
    }

    #[test]
    fn only_what_could_be_an_option_is_not_a_value() {
        for argument in ["-v", "-v5", "--foo", "--foo=1", "--fo=--bar"] {
            assert!(looks_like_option(argument.as_bytes()), "{argument}");
        }
        for argument in ["", "-", "--", "-5", "--x", "--Foo", "---a", "--=x", "word", "-\u{e9}"] {
            assert!(!looks_like_option(argument.as_bytes()), "{argument}");
        }
    }
}
