// SPDX-License-Identifier: Apache-2.0
//! The structure of netlink datagrams: see netlink(7).

use std::io;

/// The size of struct nlmsghdr.
const HEADER: usize = 16;
/// The size of struct nlattr.
const ATTRIBUTE_HEADER: usize = 4;
/// NLA_TYPE_MASK
const TYPE_MASK: u16 = 0x3fff;

pub fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(offset..)?.first_chunk().copied()?))
}

pub fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(offset..)?.first_chunk().copied()?))
}

pub fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the answer of the kernel is malformed")
}

pub struct Message<'a> {
    pub kind: u16,
    pub flags: u16,
    pub sequence: u32,
    pub payload: &'a [u8],
}

/// The messages of a datagram. The last item is an error if the datagram is malformed.
pub struct Messages<'a> {
    rest: &'a [u8],
}

impl Messages<'_> {
    pub fn of(datagram: &[u8]) -> Messages<'_> {
        Messages { rest: datagram }
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = io::Result<Message<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let bytes = self.rest;
        let message = u32_at(bytes, 0).and_then(|size| {
            let size = size as usize;
            let message = Message {
                kind: u16_at(bytes, 4)?,
                flags: u16_at(bytes, 6)?,
                sequence: u32_at(bytes, 8)?,
                payload: bytes.get(HEADER..size)?,
            };
            self.rest = after(bytes, size);
            Some(message)
        });
        if message.is_none() {
            self.rest = &[];
        }
        Some(message.ok_or_else(malformed))
    }
}

/// The attributes of a message: their types and values. The iteration ends where they are malformed.
pub struct Attributes<'a> {
    rest: &'a [u8],
}

impl Attributes<'_> {
    pub fn of(bytes: &[u8]) -> Attributes<'_> {
        Attributes { rest: bytes }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let size: usize = u16_at(self.rest, 0)?.into();
        let kind = u16_at(self.rest, 2)?;
        let value = self.rest.get(ATTRIBUTE_HEADER..size)?;
        self.rest = after(self.rest, size);
        Some((kind & TYPE_MASK, value))
    }
}

/// What follows an element of that size, which is at least that of its header. The padding of the last one may be
/// missing.
fn after(bytes: &[u8], size: usize) -> &[u8] {
    bytes.get(size.next_multiple_of(4)..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(size: u16, kind: u16, value: &[u8]) -> Vec<u8> {
        [&size.to_ne_bytes()[..], &kind.to_ne_bytes(), value].concat()
    }

    fn message(size: u32, payload: &[u8]) -> Vec<u8> {
        [&size.to_ne_bytes()[..], &[20, 0, 0, 0], &[0; 8], payload].concat()
    }

    #[test]
    fn attributes_are_aligned() {
        let bytes = [attribute(5, 0, b"a\0\0\0"), attribute(8, 0x8002, b"wxyz"), attribute(6, 3, b"bc")].concat();
        let values: Vec<_> = Attributes::of(&bytes).collect();
        assert_eq!(values, [(0, &b"a"[..]), (2, b"wxyz"), (3, b"bc")]);
    }

    #[test]
    fn attributes_end_where_they_are_malformed() {
        let good = attribute(8, 1, b"good");
        for size in [0, 1, 3, 9, 100, u16::MAX] {
            let bytes = [good.clone(), attribute(size, 2, b"evil")].concat();
            assert_eq!(Attributes::of(&bytes).collect::<Vec<_>>(), [(1, &b"good"[..])], "{size}");
        }
        for end in 0..good.len() {
            assert_eq!(Attributes::of(&good[..end]).count(), 0);
        }
        assert_eq!(Attributes::of(&attribute(4, 1, b"")).collect::<Vec<_>>(), [(1, &b""[..])]);
    }

    #[test]
    fn messages_end_with_an_error_where_they_are_malformed() {
        for size in [0, 1, 15, 21, u32::MAX - 2, u32::MAX] {
            let bytes = [message(20, b"good"), message(size, b"evil")].concat();
            let payloads: Vec<_> = Messages::of(&bytes).map(|item| item.ok().map(|message| message.payload)).collect();
            assert_eq!(payloads, [Some(&b"good"[..]), None], "{size}");
        }
        let bytes = message(18, b"ab");
        assert_eq!(Messages::of(&bytes).flatten().count(), 1);
        for end in 1..bytes.len() {
            assert!(Messages::of(&bytes[..end]).all(|item| item.is_err()));
            assert_eq!(Messages::of(&bytes[..end]).count(), 1);
        }
    }
}
