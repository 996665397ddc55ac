//! Where clients wait to be told of a server that appears.
//!
//! A client that finds no server binds a datagram socket of its own to one of the slots of the address, an abstract name
//! that follows from it, and sleeps. A server that has begun to listen sends an empty datagram to each slot. Nobody
//! holds anything for others: the kernel frees the slot of a client that dies, and one that is stopped delays only
//! itself. The names are known to every version of the library, so they never change.
#![forbid(unsafe_code)]

use super::address::Address;
use crate::sys::cancel::Cancellation;
use crate::sys::hidden::{self, Hidden};
use crate::sys::{self, socket};
use errno::{Errno, errno, set_errno};
use std::ffi::c_char;
use std::io::Write;
use std::ops::Range;
use std::os::fd::OwnedFd;

/// Slots of an address.
const COUNT: u8 = 255;

/// Slots that are taken first. A server that finds all of these empty does not look at the others.
const FRONT: u8 = 4;

/// The slots of one address.
pub struct Slots(libc::sockaddr_un);

impl Slots {
    pub fn of(address: &Address) -> Slots {
        let mut native = *address.native();
        let hash = fnv1a(native.sun_path.iter().map(|byte| *byte as u8));
        native.sun_path = [0; _];
        set_text(&mut native, format_args!("mmsysio-waiting/{hash:016x}/"), 0);
        Slots(native)
    }

    fn address(&self, slot: u8) -> libc::sockaddr_un {
        const BEHIND_HASH: usize = "mmsysio-waiting/0123456789abcdef/".len();
        let mut native = self.0;
        set_text(&mut native, format_args!("{slot:02x}"), BEHIND_HASH);
        native
    }

    /// Takes a free slot, one in front if there is any. `spread` makes clients that come together begin their search
    /// behind the front at different places.
    pub fn take(&self, spread: u8) -> sys::Result<Place> {
        let behind = FRONT..COUNT;
        let start = FRONT + spread % (COUNT - FRONT);
        let slots = (0..FRONT).chain(start..behind.end).chain(behind.start..start);
        self.take_one_of(slots)
    }

    /// A place in front for a client behind it, if the one that it looks at has become free.
    pub fn take_in_front(&self, spread: u8) -> sys::Result<Place> {
        let slot = spread % FRONT;
        self.take_one_of(slot..slot + 1)
    }

    fn take_one_of(&self, slots: impl Iterator<Item = u8>) -> sys::Result<Place> {
        let socket = Hidden::create_identified(socket::unix_datagram_socket)?;
        for slot in slots {
            match socket::bind_unix(&socket, &self.address(slot)) {
                Ok(()) => return Ok(Place { socket, slot }),
                Err(Errno(libc::EADDRINUSE)) => {}
                // A sandbox forbids it, perhaps.
                Err(failure) => return Err(failure),
            }
        }
        Err(Errno(libc::EADDRINUSE))
    }

    /// Tells every waiting client that a server listens now. That nobody waits is no failure: errno stays.
    pub fn announce(&self) {
        let errno_at_entry = errno();
        if let Ok(socket) = sender()
            && self.wake(&socket, 0..FRONT)
        {
            self.wake(&socket, FRONT..COUNT);
        }
        set_errno(errno_at_entry);
    }

    /// What a client does that found the server by itself and leaves a place in front: the server may come to look at
    /// the front only after that, and would then not look behind it.
    pub fn pass_on(&self) {
        if let Ok(socket) = sender() {
            self.wake(&socket, FRONT..COUNT);
        }
    }

    /// True if anybody was there. Only ECONNREFUSED says that nobody is: a full queue wakes as well, and where this process
    /// may not send to the slot (a sandbox, or a socket that its owner has connected), others behind it may be reached.
    fn wake(&self, sender: &OwnedFd, slots: Range<u8>) -> bool {
        let mut found = false;
        for slot in slots {
            found |= socket::send_empty_to(sender, &self.address(slot)) != Err(Errno(libc::ECONNREFUSED));
        }
        found
    }
}

fn sender() -> sys::Result<OwnedFd> {
    hidden::above_standard_streams(socket::unix_datagram_socket()?)
}

/// A slot that a client has taken.
pub struct Place {
    socket: Hidden,
    slot: u8,
}

impl Place {
    pub fn is_in_front(&self) -> bool {
        self.slot < FRONT
    }

    /// Sleeps until told of a server, or for that long; says which.
    pub fn sleep(&self, timeout_ms: i32, cancellation: Cancellation) -> sys::Result<bool> {
        let is_told = cancellation.point(|| socket::wait_readable(&self.socket, timeout_ms))?;
        if is_told && self.socket.is_intact() {
            // More than the kernel queues: nobody can keep us here by sending on.
            for _ in 0..64 {
                if socket::discard_datagram(&self.socket).is_err() {
                    break;
                }
            }
        }
        Ok(is_told)
    }
}

/// Writes text into an abstract name, behind the NUL byte that begins it and `offset` more bytes.
fn set_text(native: &mut libc::sockaddr_un, text: std::fmt::Arguments, offset: usize) {
    let mut bytes = [0; 64];
    let mut rest = bytes.as_mut_slice();
    // It fits: the longest text is half as long.
    let _ = rest.write_fmt(text);
    let unused = rest.len();
    let text = bytes.iter().take(bytes.len() - unused);
    for (to, from) in native.sun_path.iter_mut().skip(1 + offset).zip(text) {
        *to = *from as c_char;
    }
}

/// A hash that every version and build of the library computes alike.
fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    fn name(address: &str, slot: u8) -> String {
        let name = CString::new(address).unwrap();
        let native = Slots::of(&Address::new(&name).ok().unwrap()).address(slot);
        assert_eq!(native.sun_path[0], 0);
        let text = native.sun_path[1..].iter().map(|byte| *byte as u8 as char);
        text.collect::<String>().trim_end_matches('\0').to_owned()
    }

    #[test]
    fn slots_have_names_that_never_change() {
        // Other versions of the library compute the same.
        assert_eq!(name("demo", 0), "mmsysio-waiting/f68bac12fd23e11c/00");
        assert_eq!(name("demo", 254), "mmsysio-waiting/f68bac12fd23e11c/fe");
    }

    #[test]
    fn slots_of_different_addresses_differ() {
        let long = "x".repeat(106);
        let names = ["", "a", "b", "ab", "ba", &(long.clone() + "1"), &(long + "2")].map(|address| name(address, 0));
        for (position, name) in names.iter().enumerate() {
            assert!(!names[..position].contains(name));
        }
    }

    #[test]
    fn fnv1a_is_that_of_its_authors() {
        assert_eq!(fnv1a("".bytes()), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("foobar".bytes()), 0x8594_4171_f739_67e8);
    }
}
