// SPDX-License-Identifier: Apache-2.0
//! The text of `--help`.

use super::help_forms;
use super::name::Name;
use super::wrap::wrap;
use crate::sys::memory::Buffer;
use crate::sys::options::{Opt, Parser, Requirement, Type};
use core::ffi::CStr;

/// The column of the descriptions.
const COLUMN: usize = 30;

pub fn write_help(parser: Parser, write: &mut impl FnMut(&[u8])) {
    let program = parser.program().unwrap_or(c"PROGRAM").to_bytes();
    write(b"Usage:\n");
    let mut rest = parser.arguments().unwrap_or(c"[options] args...").to_bytes();
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let (line, after) = rest.split_at_checked(end).unwrap_or((rest, b""));
        [b"  ", program, b" ", line, b"\n"].iter().for_each(|part| write(part));
        rest = after;
        while let Some(next) = rest.strip_prefix(b"\n") {
            rest = next;
        }
    }
    if let Some(description) = parser.description().map(CStr::to_bytes) {
        write(b"\n");
        wrap(description, &[], 0, write);
        write(b"\n");
    }
    write(b"\nOptions:\n");
    for option in parser.options() {
        write_option(option, &Name::of(option.name()), write);
    }
    let help = help_forms(parser);
    if help.key.is_some() || help.long.is_some() {
        write_option(Opt::help(), &help, write);
    }
}

fn write_option(option: Opt, name: &Name, write: &mut impl FnMut(&[u8])) {
    let description = option.description();
    let value = value_name(description);
    let shown_value = value.unwrap_or(b"VALUE");
    let (short_value, long_value): ([&[u8]; 3], [&[u8]; 3]) = match option.requirement() {
        Requirement::Forbidden => ([b"", b"", b""], [b"", b"", b""]),
        Requirement::Needed => ([b" ", shown_value, b""], [b"=", shown_value, b""]),
        Requirement::Optional => ([b" [", shown_value, b"]"], [b"[=", shown_value, b"]"]),
    };
    let key = [name.key.unwrap_or_default()];
    let mut synopsis: [&[u8]; 12] = [b""; 12];
    let mut parts = synopsis.iter_mut();
    let mut add = |part| parts.next().into_iter().for_each(|slot| *slot = part);
    add(b"  ".as_slice());
    if name.key.is_some() {
        [b"-", key.as_slice()].into_iter().chain(short_value).for_each(&mut add);
    }
    if name.key.is_some() && name.long.is_some() {
        add(b", ");
    }
    if let Some(long) = name.long {
        [b"--", long].into_iter().chain(long_value).for_each(&mut add);
    }

    let text = full_description(option, value, shown_value);
    let text = text.as_ref().map_or(description, Buffer::as_bytes);
    if synopsis.iter().map(|part| part.len()).sum::<usize>() >= COLUMN {
        synopsis.iter().for_each(|part| write(part));
        write(b"\n");
        wrap(text, &[], COLUMN, write);
    } else {
        wrap(text, &synopsis, COLUMN, write);
    }
}

/// The description with the name of the value, and with the type of the value. None: not enough memory.
fn full_description(option: Opt, value: Option<&[u8]>, shown_value: &[u8]) -> Option<Buffer> {
    const INTEGER: &[u8] = b" must be an integer.";
    const NON_NEGATIVE: &[u8] = b" must be a non negative integer.";
    let description = option.description();
    let mut text = Buffer::new(description.len() + 1 + shown_value.len() + NON_NEGATIVE.len())?;
    write_with_value_name(description, value, &mut |part| text.push(part));
    let kind = match option.value_type() {
        _ if option.requirement() == Requirement::Forbidden => return Some(text),
        Type::String => return Some(text),
        Type::UnsignedInt | Type::UnsignedLongLong => NON_NEGATIVE,
        Type::Int | Type::LongLong | Type::Unknown => INTEGER,
    };
    if !description.is_empty() {
        text.push(b" ");
    }
    text.push(shown_value);
    text.push(kind);
    Some(text)
}

/// The bytes of a name after an `@`; empty if the `@` follows a letter or a digit.
fn name_at(text: &[u8], at: usize) -> &[u8] {
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    if text.get(at) != Some(&b'@') || before.is_some_and(u8::is_ascii_alphanumeric) {
        return b"";
    }
    let rest = text.get(at + 1..).unwrap_or_default();
    let is_in_name = |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_');
    rest.get(..rest.iter().take_while(|byte| is_in_name(byte)).count()).unwrap_or_default()
}

/// The first name of 1 to 15 bytes after an `@`.
fn value_name(description: &[u8]) -> Option<&[u8]> {
    let mut names = (0..description.len()).map(|at| name_at(description, at));
    names.find(|name| (1..=15).contains(&name.len()))
}

/// Writes the description without the `@` in front of each occurrence of the name.
fn write_with_value_name(description: &[u8], value: Option<&[u8]>, write: &mut impl FnMut(&[u8])) {
    for (at, byte) in description.iter().enumerate() {
        if value.is_none() || value != Some(name_at(description, at)) {
            write(&[*byte]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(description: &str) -> (Option<&str>, String) {
        let value = value_name(description.as_bytes());
        let mut bytes = Vec::new();
        write_with_value_name(description.as_bytes(), value, &mut |part| bytes.extend_from_slice(part));
        (value.map(|name| str::from_utf8(name).unwrap()), String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn the_first_name_after_an_at_sign_is_the_value() {
        let all = "mail user@HOST, see @HOST-A. @HOST-A is @HOST";
        assert_eq!(shown(all), (Some("HOST-A"), "mail user@HOST, see HOST-A. HOST-A is @HOST".into()));
        assert_eq!(shown("@N x"), (Some("N"), "N x".into()));
        assert_eq!(shown("to @FILE"), (Some("FILE"), "to FILE".into()));
        assert_eq!(shown("@ABCDEFGHIJKLMNO"), (Some("ABCDEFGHIJKLMNO"), "ABCDEFGHIJKLMNO".into()));
        for unchanged in ["@ABCDEFGHIJKLMNOP", "@name", "@", "no name", "1@A"] {
            assert_eq!(shown(unchanged), (None, unchanged.into()));
        }
    }
}
