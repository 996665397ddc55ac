// SPDX-License-Identifier: Apache-2.0
//! Wakeup slots: how clients that wait for a server are notified.
//!
//! A client that finds no server binds a datagram socket of its own to one of the slots of the address, an abstract name
//! that is computed from it, and sleeps. A server that has begun to listen sends an empty datagram to each slot. Nobody
//! keeps a resource for others: the kernel releases the slot of a client that dies, and one that is stopped delays only
//! itself. Every version of the library computes the same names, so they never change.
#![forbid(unsafe_code)]

use super::address::Address;
use crate::os::cancel::Cancellation;
use crate::os::hidden::HiddenSocket;
use crate::os::standard_streams;
use crate::rt::errno::PreservedErrno;
use crate::rt::fd::{Fd, OwnedFd};
use crate::rt::text::Text;
use crate::sys::{self, file, socket};
use core::ffi::c_char;
use core::fmt::Arguments;
use core::ops::Range;
use errno::Errno;

/// Slots of an address.
const COUNT: u8 = 255;

/// Slots that are acquired first. A server that finds nobody at these does not notify the others.
const FRONT: u8 = 4;

/// The slots of one address.
pub struct Slots(libc::sockaddr_un);

impl Slots {
    pub fn of(address: &Address) -> Slots {
        let mut native = *address.native();
        let hash = fnv1a(native.sun_path.iter().map(|byte| *byte as u8));
        native.sun_path = [0; 108];
        set_text(&mut native, format_args!("mmsysio-waiting/{hash:016x}/"), 0);
        Slots(native)
    }

    fn address(&self, slot: u8) -> libc::sockaddr_un {
        const AFTER_HASH: usize = "mmsysio-waiting/0123456789abcdef/".len();
        let mut native = self.0;
        set_text(&mut native, format_args!("{slot:02x}"), AFTER_HASH);
        native
    }

    /// Acquires a free slot, one in front if there is any. With different values of `spread`, clients that come together
    /// begin their search behind the front at different slots.
    pub fn acquire(&self, spread: u8) -> sys::Result<Slot> {
        let behind = FRONT..COUNT;
        let start = FRONT + spread % (COUNT - FRONT);
        let slots = (0..FRONT).chain(start..behind.end).chain(behind.start..start);
        self.acquire_one_of(slots)
    }

    /// Acquires a slot in front for a client behind it, if the one that it tries is free.
    pub fn acquire_in_front(&self, spread: u8) -> sys::Result<Slot> {
        let slot = spread % FRONT;
        self.acquire_one_of(slot..slot + 1)
    }

    fn acquire_one_of(&self, numbers: impl Iterator<Item = u8>) -> sys::Result<Slot> {
        let socket = HiddenSocket::create_identified(datagram_socket)?;
        for number in numbers {
            match socket::bind_to(socket.fd(), &self.address(number)) {
                Ok(()) => return Ok(Slot { socket, number }),
                Err(Errno(libc::EADDRINUSE)) => {}
                // A sandbox forbids it, perhaps.
                Err(failure) => return Err(failure),
            }
        }
        Err(Errno(libc::EADDRINUSE))
    }

    /// Notifies every waiting client that a server listens now. It is not a failure that nobody waits: errno stays.
    pub fn announce(&self) {
        let _errno = PreservedErrno::new();
        if let Ok(socket) = sender()
            && self.wake(socket.fd(), 0..FRONT)
        {
            self.wake(socket.fd(), FRONT..COUNT);
        }
    }

    /// Notifies the clients behind the front, in place of the server. A client does so that has found the server by itself
    /// and releases a slot in front: the server may notify the front only after that, would find nobody, and stop there.
    pub fn relay(&self) {
        if let Ok(socket) = sender() {
            self.wake(socket.fd(), FRONT..COUNT);
        }
    }

    /// True if somebody may be at one of the slots. Only ECONNREFUSED means that nobody is: a full queue wakes as well, and
    /// if this process may not send to the slot (a sandbox, or a socket that its owner has connected), others may be
    /// reached.
    fn wake(&self, sender: Fd, slots: Range<u8>) -> bool {
        let mut found = false;
        for slot in slots {
            let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
            found |= socket::sendto_empty(sender, flags, &self.address(slot)) != Err(Errno(libc::ECONNREFUSED));
        }
        found
    }
}

fn sender() -> sys::Result<OwnedFd> {
    standard_streams::move_above(datagram_socket()?)
}

/// A socket for datagrams that are at most signals between processes: it never blocks and is not inherited.
fn datagram_socket() -> sys::Result<OwnedFd> {
    socket::socket(libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0)
}

/// A slot that a client has acquired.
pub struct Slot {
    socket: HiddenSocket,
    number: u8,
}

impl Slot {
    pub fn is_in_front(&self) -> bool {
        self.number < FRONT
    }

    /// Sleeps until it is notified, or the time-out expires; whether it was notified.
    pub fn sleep(&self, timeout_ms: i32, cancellation: Cancellation) -> sys::Result<bool> {
        let mut entries = [libc::pollfd { fd: self.socket.fd().number(), events: libc::POLLIN, revents: 0 }];
        let is_notified = cancellation.point(self, || file::poll_slice(&mut entries, timeout_ms))? > 0;
        if is_notified && self.socket.is_intact() {
            // More than the kernel queues: a peer that sends on cannot keep the client here.
            for _ in 0..64 {
                if socket::recv_nothing(self.socket.fd(), libc::MSG_DONTWAIT).is_err() {
                    break;
                }
            }
        }
        Ok(is_notified)
    }
}

/// Writes text into an abstract name, behind the NUL byte that begins it and `offset` more bytes.
fn set_text(native: &mut libc::sockaddr_un, text: Arguments, offset: usize) {
    // It fits: the longest text is half as long.
    let text = Text::<64>::formatted(text);
    for (to, from) in native.sun_path.iter_mut().skip(1 + offset).zip(text.as_bytes()) {
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
    use std::borrow::ToOwned;
    use std::ffi::CString;
    use std::string::String;

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
