// SPDX-License-Identifier: Apache-2.0
//! JSON output.

use std::fmt::{self, Write};

/// A JSON value. The members of an object keep their order.
pub enum Json {
    Null,
    Bool(bool),
    Integer(i64),
    /// Must be finite.
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    pub fn text(text: impl fmt::Display) -> Json {
        Json::Text(text.to_string())
    }

    /// The value, or null.
    pub fn or_null<T>(value: Option<T>, make: impl FnOnce(T) -> Json) -> Json {
        value.map_or(Json::Null, make)
    }
}

impl From<u32> for Json {
    fn from(value: u32) -> Json {
        Json::Integer(value.into())
    }
}

/// Without line breaks.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Json::Null => f.write_str("null"),
            Json::Bool(value) => write!(f, "{value}"),
            Json::Integer(value) => write!(f, "{value}"),
            Json::Number(value) => write!(f, "{value}"),
            Json::Text(text) => write_string(f, text),
            Json::List(values) => {
                f.write_char('[')?;
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if index == 0 { "" } else { ", " })?;
                }
                f.write_char(']')
            }
            Json::Object(members) => {
                f.write_char('{')?;
                for (index, (name, value)) in members.iter().enumerate() {
                    write!(f, "{}\"{name}\": {value}", if index == 0 { "" } else { ", " })?;
                }
                f.write_char('}')
            }
        }
    }
}

fn write_string(f: &mut fmt::Formatter, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            // Others beyond ASCII could harm a terminal.
            ' '..='~' => f.write_char(character)?,
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(f, "\\u{unit:04x}")?;
                }
            }
        }
    }
    f.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_on_one_line() {
        let value = Json::Object(vec![
            ("name", Json::text("a\"b\\c\n\u{1b}\u{e9}\u{1f600}")),
            ("list", Json::List(vec![Json::Integer(-1), Json::Number(0.5), Json::Bool(true), Json::Null])),
            ("nothing", Json::Object(vec![])),
        ]);
        assert_eq!(
            value.to_string(),
            r#"{"name": "a\"b\\c\n\u001b\u00e9\ud83d\ude00", "list": [-1, 0.5, true, null], "nothing": {}}"#
        );
    }
}
