// SPDX-License-Identifier: Apache-2.0
//! Parsing `scheme://host:port` in a URI. The rest of the URI is ignored.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::rt::text::Quoted;

/// The parts of a URI. `scheme` and `host` are not empty.
#[derive(Debug, PartialEq)]
pub struct Uri<'a> {
    pub scheme: &'a [u8],
    /// A name or an address. For an IPv6 address, this is the part in brackets without the zone.
    pub host: &'a [u8],
    /// The zone of an IPv6 address. None if the address is not followed by `%`.
    pub zone: Option<&'a [u8]>,
    pub is_bracketed: bool,
    /// The number in the URI, at most 65535. A negative number counts as no port.
    pub port: Option<i64>,
}

impl<'a> Uri<'a> {
    /// EINVAL: the URI is invalid or not supported.
    pub fn parse(text: &'a [u8]) -> Result<Uri<'a>> {
        let invalid = |why| invalid(why, text);
        let (scheme, rest) = split_while(text, u8::is_ascii_lowercase);
        let rest =
            rest.strip_prefix(b"://").filter(|_| !scheme.is_empty()).ok_or_else(|| invalid("it has no scheme"))?;
        let (authority, _) = split_while(rest, |byte| !b"/?#".contains(byte));
        if authority.contains(&b'@') {
            return Err(invalid("user information is not supported"));
        }
        let is_bracketed = rest.starts_with(b"[");
        let (host, rest) = match is_bracketed {
            true => {
                bracketed_address(authority).ok_or_else(|| invalid("the host is not an IPv6 address in brackets"))?
            }
            false => split_while(rest, |byte| !b"/:".contains(byte)),
        };
        if host.is_empty() {
            return Err(invalid("it has no host"));
        }
        let (host, zone) = if is_bracketed { split_zone(host) } else { (host, None) };
        let port = rest.strip_prefix(b":").and_then(number);
        if port.is_some_and(|port| port > i64::from(u16::MAX)) {
            return Err(invalid("the port is greater than 65535"));
        }
        Ok(Uri { scheme, host, zone, is_bracketed, port })
    }
}

#[cold]
#[track_caller]
fn invalid(why: &str, text: &[u8]) -> Error {
    // The part before an @ may contain a password, which must not be logged.
    if text.contains(&b'@') {
        return Error::new(libc::EINVAL, format_args!("cannot parse a URI that contains @: {why}"));
    }
    Error::new(libc::EINVAL, format_args!("cannot parse URI {}: {why}", Quoted(text)))
}

fn split_while(text: &[u8], belongs: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    let length = text.iter().take_while(|byte| belongs(byte)).count();
    text.split_at_checked(length).unwrap_or((text, b""))
}

/// Splits `[address]` or `[address]:port` into the address and the part after the brackets. The address must contain a
/// colon, which a name or an IPv4 address does not. The resolver checks the rest.
fn bracketed_address(authority: &[u8]) -> Option<(&[u8], &[u8])> {
    let (address, rest) = split_while(authority.strip_prefix(b"[")?, |byte| *byte != b']');
    let rest = rest.strip_prefix(b"]")?;
    (address.contains(&b':') && matches!(rest.first(), None | Some(b':'))).then_some((address, rest))
}

/// Splits `address%zone` into the address and the zone.
///
/// RFC 6874 requires `%25` instead of `%`, and programs that generate URIs follow it. People usually write `%`. Only
/// digits after `%` are ambiguous. They are read as an interface index without escape, because the other reading could
/// select the wrong interface.
fn split_zone(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let (address, rest) = split_while(text, |byte| *byte != b'%');
    let Some(zone) = rest.strip_prefix(b"%") else {
        return (address, None);
    };
    let is_index = zone.iter().all(u8::is_ascii_digit);
    let escaped = zone.strip_prefix(b"25").filter(|_| !is_index);
    (address, Some(escaped.unwrap_or(zone)))
}

/// Parses the number at the beginning of a text as the `%i` of scanf(): white space and a sign may precede it; it is
/// hexadecimal after `0x`, octal after `0`, otherwise decimal. A number that is too large saturates.
fn number(text: &[u8]) -> Option<i64> {
    let (_, text) = split_while(text, |byte| b" \t\n\x0b\x0c\r".contains(byte));
    let (sign, text) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        _ => (1, text),
    };
    let (radix, digits) = match text {
        [b'0', b'x' | b'X', rest @ ..] => (16, rest),
        [b'0', ..] => (8, text),
        [b'1'..=b'9', ..] => (10, text),
        _ => return None,
    };
    let digits = digits.iter().map_while(|byte| char::from(*byte).to_digit(radix));
    let value =
        digits.fold(0_i64, |value, digit| value.saturating_mul(i64::from(radix)).saturating_add(i64::from(digit)));
    Some(sign * value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(uri: &str) -> Option<(&str, &str, Option<i64>)> {
        let uri = Uri::parse(uri.as_bytes()).ok()?;
        Some((std::str::from_utf8(uri.scheme).unwrap(), std::str::from_utf8(uri.host).unwrap(), uri.port))
    }

    #[test]
    fn a_uri_has_a_scheme_a_host_and_an_optional_port() {
        assert_eq!(parts("http://host"), Some(("http", "host", None)));
        assert_eq!(parts("http://host/path:80"), Some(("http", "host", None)));
        assert_eq!(parts("http://host:/path"), Some(("http", "host", None)));
        assert_eq!(parts("http://host:name"), Some(("http", "host", None)));
        assert_eq!(parts("tcp://host:80/path"), Some(("tcp", "host", Some(80))));
        assert_eq!(parts("tcp://127.0.0.1:80?query=a@b"), Some(("tcp", "127.0.0.1", Some(80))));
        assert_eq!(parts("tcp://h:99junk"), Some(("tcp", "h", Some(99))));
    }

    #[test]
    fn a_uri_without_scheme_or_host_is_refused() {
        for uri in ["", "localhost", "://h", "UDP://h:9", " udp://h:9", "h2://h", "udp:/h", "udp://", "udp:///p:99"] {
            assert_eq!(parts(uri), None, "{uri}");
        }
        for uri in ["udp://::1", "udp://:99"] {
            assert_eq!(parts(uri), None, "{uri}");
        }
    }

    #[test]
    fn ports_are_parsed_as_scanf_parses_integers() {
        let port = |text: &str| Uri::parse(format!("udp://h:{text}").as_bytes()).ok().map(|uri| uri.port);
        for (text, value) in [("0", 0), ("65535", 65535), ("010", 8), ("08", 0), ("0x50", 80), ("0Xff", 255)] {
            assert_eq!(port(text), Some(Some(value)), "{text}");
        }
        for (text, value) in [(" 99", 99), ("+99", 99), ("-4", -4), ("-0x10", -16), ("0x", 0), ("00012", 10)] {
            assert_eq!(port(text), Some(Some(value)), "{text}");
        }
        for text in ["", "-", "+", "- 4", "x", ":9"] {
            assert_eq!(port(text), Some(None), "{text}");
        }
        for text in ["65536", "70000", "0x10000", "4294967297", "99999999999999999999"] {
            assert_eq!(port(text), None, "{text}");
        }
        assert_eq!(port("-99999999999999999999"), Some(Some(-i64::MAX)));
    }

    #[test]
    fn ipv6_addresses_are_in_brackets() {
        assert_eq!(parts("tcp://[::1]:80"), Some(("tcp", "::1", Some(80))));
        assert_eq!(parts("http://[::1]/path"), Some(("http", "::1", None)));
        for uri in ["tcp://[]:80", "tcp://[::1", "tcp://[::1]80", "tcp://[host]:80", "tcp://[127.0.0.1]:80"] {
            assert_eq!(parts(uri), None, "{uri}");
        }
    }

    #[test]
    fn a_zone_follows_a_percent_sign_or_its_escape() {
        let zone = |text: &str| {
            let text = format!("udp://[fe80::1{text}]:9");
            let uri = Uri::parse(text.as_bytes()).ok().unwrap();
            assert_eq!(uri.host, b"fe80::1");
            uri.zone.map(|zone| String::from_utf8(zone.to_vec()).unwrap())
        };
        assert_eq!(zone(""), None);
        for (text, expected) in [
            ("%eth0", "eth0"),
            ("%25eth0", "eth0"),
            ("%2525eth0", "25eth0"),
            ("%250x1", "0x1"),
            // An interface index without escape.
            ("%2", "2"),
            ("%25", "25"),
            ("%252", "252"),
            ("%2525", "2525"),
            // Other escapes are not decoded.
            ("%", ""),
            ("%2eth0", "2eth0"),
            ("%2Feth0", "2Feth0"),
            ("%eth0%25", "eth0%25"),
            ("%25eth0%2e1", "eth0%2e1"),
        ] {
            assert_eq!(zone(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(Uri::parse(b"udp://host%25eth0:9").ok().unwrap().host, b"host%25eth0");
        assert_eq!(parts("tcp://[fe80::1%25eth0]:80/%25"), Some(("tcp", "fe80::1", Some(80))));
    }

    #[test]
    fn user_information_is_refused() {
        for uri in ["http://user:pw@h", "http://user@h:80", "http://@h", "http://h:80@x", "tcp://[::1]@h:80"] {
            assert_eq!(parts(uri), None, "{uri}");
        }
    }
}
