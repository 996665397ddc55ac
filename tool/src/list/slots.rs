// SPDX-License-Identifier: Apache-2.0
//! The names of the sockets of waiting clients. The library's src/ipc/wakeup.rs defines them, and they never change.

/// The size of `sun_path` of a socket address.
const PATH_SIZE: usize = 108;

/// The number of slots of an address.
const COUNT: u8 = 255;

/// The number of front slots. There are as many anchors, which have the same names.
const FRONT: u8 = 4;

/// What the name of a waiting client's socket says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// That of the address: see [`hash`].
    pub hash: u64,
    pub number: u8,
}

impl Slot {
    /// Parses a name without its padding.
    pub fn parse(name: &[u8]) -> Option<Slot> {
        let (hash, number) = std::str::from_utf8(name.strip_prefix(b"mmsysio-waiting/")?).ok()?.split_once('/')?;
        let number = u8::try_from(hexadecimal(number, 2)?).ok()?;
        (number < COUNT).then_some(Slot { hash: hexadecimal(hash, 16)?, number })
    }

    pub fn is_in_front(number: u8) -> bool {
        number < FRONT
    }
}

fn hexadecimal(text: &str, size: usize) -> Option<u64> {
    let is_valid = text.len() == size && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_valid { u64::from_str_radix(text, 16).ok() } else { None }
}

/// The hash of an abstract name. None: the name is too long for a server.
pub fn hash(name: &[u8]) -> Option<u64> {
    // A NUL byte, the name, and NUL bytes up to the end.
    let padding = (PATH_SIZE - 1).checked_sub(name.len())?;
    let bytes = [0].into_iter().chain(name.iter().copied()).chain(std::iter::repeat_n(0, padding));
    Some(fnv1a(bytes))
}

fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fnv1a_matches_the_published_test_vectors() {
        assert_eq!(fnv1a("".bytes()), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("a".bytes()), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a("foobar".bytes()), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn hashes_are_those_of_the_library() {
        // A test of the library has the same value.
        assert_eq!(hash(b"demo"), Some(0xf68b_ac12_fd23_e11c));
        assert!(hash(&[b'x'; 107]).is_some());
        assert_eq!(hash(&[b'x'; 108]), None);
    }

    #[test]
    fn only_names_of_slots_are_parsed() {
        let slot = Slot { hash: 0xf68b_ac12_fd23_e11c, number: 0xfe };
        assert_eq!(Slot::parse(b"mmsysio-waiting/f68bac12fd23e11c/fe"), Some(slot));
        for name in [
            &b"mmsysio-waiting/f68bac12fd23e11c/ff"[..],
            b"mmsysio-waiting/f68bac12fd23e11c/FE",
            b"mmsysio-waiting/f68bac12fd23e11c/0",
            b"mmsysio-waiting/f68bac12fd23e11c/",
            b"mmsysio-waiting/f68bac12fd23e11c/00\0",
            b"mmsysio-waiting/f68bac12fd23e11c/+1",
            b"mmsysio-waiting/f68bac12fd23e11c",
            b"mmsysio-waiting/68bac12fd23e11c/00",
            b"mmsysio-waiting/\xff\xff",
            b"mmsysio-waiting/",
            b"other",
            b"",
        ] {
            assert_eq!(Slot::parse(name), None);
        }
    }
}
