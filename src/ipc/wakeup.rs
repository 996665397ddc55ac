// SPDX-License-Identifier: Apache-2.0
//! Wakeup slots, through which a server notifies waiting clients.
//!
//! Each server address has a fixed set of wakeup slots. A slot is an abstract socket name computed from the address. If
//! no server listens, a client binds a datagram socket to a free slot and sleeps. A server that starts to listen sends
//! an empty datagram to each slot. The other clients that wait learn of it from these: see [`super::anchor`].
//!
//! If a client dies, the kernel releases its slot, and a stopped client delays no other client that has a slot. The
//! names must never change, because processes may use different versions of the library.
#![forbid(unsafe_code)]

use super::address::Address;
use crate::os::hidden::HiddenFd;
use crate::os::standard_streams;
use crate::rt::errno::PreservedErrno;
use crate::rt::fd::{Fd, OwnedFd};
use crate::rt::text::Text;
use crate::sys::{self, socket};
use core::ffi::c_char;
use core::fmt::Arguments;
use errno::Errno;

/// The number of slots of an address.
const COUNT: u8 = 255;

/// The number of front slots. If a server finds no client at the front slots, it skips the others.
pub const FRONT: u8 = 4;

/// The number of slots that a client tries behind the front slots. If they are taken, most are.
const PROBES: u8 = 32;

/// The slots of one address.
pub struct Slots(libc::sockaddr_un);

impl Slots {
    pub fn of(address: &Address) -> Slots {
        let mut native = *address.native();
        let hash = fnv1a(native.sun_path.iter().map(|byte| *byte as u8));
        native.sun_path = [0; 108];
        set_text(&mut native, format_args!("mmsysio-waiting/{hash:016x}/00"));
        Slots(native)
    }

    /// The name of a slot. That of an anchor is the same: the kernel distinguishes the types of sockets.
    pub fn address(&self, number: u8) -> libc::sockaddr_un {
        const NUMBER_AT: usize = "\0mmsysio-waiting/0123456789abcdef/".len();
        let mut native = self.0;
        native.sun_path[NUMBER_AT] = hexadecimal_digit(number >> 4);
        native.sun_path[NUMBER_AT + 1] = hexadecimal_digit(number & 15);
        native
    }

    pub fn acquire_in_front(&self) -> sys::Result<Slot> {
        self.acquire_one_of(0..FRONT)
    }

    /// Acquires a slot behind the front slots. `spread` selects the slots that are tried, so that concurrent clients try
    /// different ones.
    pub fn acquire_behind(&self, spread: u8) -> sys::Result<Slot> {
        const BEHIND: u16 = (COUNT - FRONT) as u16;
        // Concurrent clients often have consecutive numbers.
        const STEP: u16 = 37;
        self.acquire_one_of((0..u16::from(PROBES)).map(|probe| {
            let behind = (u16::from(spread) + probe * STEP) % BEHIND;
            FRONT + behind as u8
        }))
    }

    /// Binds a socket for the program to a front slot, but not to the first: that is left to a client, so that others can
    /// attach to it. EADDRINUSE: the others are taken.
    pub fn front_socket(&self) -> sys::Result<OwnedFd> {
        let socket = datagram_socket()?;
        bind_to_one_of(socket.fd(), self, (1..FRONT).rev()).map(|_| socket)
    }

    fn acquire_one_of(&self, numbers: impl Iterator<Item = u8>) -> sys::Result<Slot> {
        let socket = HiddenFd::create_identified(datagram_socket)?;
        let number = bind_to_one_of(socket.fd(), self, numbers)?;
        Ok(Slot { socket, number })
    }

    /// Notifies every waiting client that a server is listening. errno is preserved, because it is not an error if no
    /// client waits.
    ///
    /// Only ECONNREFUSED proves that a front slot is free. Any other errno means that this process cannot send to the
    /// slot: a sandbox denies it, or the process that bound the slot has connected the socket to another one. Other slots
    /// may still be reachable.
    pub fn announce(&self) {
        let _errno = PreservedErrno::new();
        let Ok(sender) = sender() else { return };
        // Unlike a datagram to the slot, a connection needs no memory for a message.
        let is_taken = |slot| socket::connect_to(sender.fd(), &self.address(slot)) != Err(Errno(libc::ECONNREFUSED));
        if (0..FRONT).any(is_taken) {
            (0..COUNT).for_each(|slot| self.wake(sender.fd(), slot));
        }
    }

    /// Notifies the other waiting clients in place of the server. A client calls this when it has connected without being
    /// notified: the server may be one that notifies nobody, and when the client releases its front slot, a server that is
    /// about to notify could find no client at the front slots and skip the others.
    ///
    /// A client that is notified does not relay. The front slots are last, so that it knows that all others have been
    /// notified, even if this process is stopped or killed now.
    pub fn relay(&self) {
        if let Ok(sender) = sender() {
            (0..COUNT).rev().for_each(|slot| self.wake(sender.fd(), slot));
        }
    }

    /// If the queue of the slot is full, its client is woken as well.
    fn wake(&self, sender: Fd, slot: u8) {
        let _ = socket::sendto_empty(sender, libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT, &self.address(slot));
    }
}

/// Binds a socket to the first name that is free, and returns its number. EADDRINUSE: all are taken.
fn bind_to_one_of(socket: Fd, slots: &Slots, numbers: impl Iterator<Item = u8>) -> sys::Result<u8> {
    for number in numbers {
        match socket::bind_to(socket, &slots.address(number)) {
            Ok(()) => return Ok(number),
            Err(Errno(libc::EADDRINUSE)) => {}
            // For example, a sandbox denies bind().
            Err(failure) => return Err(failure),
        }
    }
    Err(Errno(libc::EADDRINUSE))
}

fn sender() -> sys::Result<OwnedFd> {
    standard_streams::move_above(datagram_socket()?)
}

/// Creates a socket for notifications. It never blocks and is not inherited by executed programs.
fn datagram_socket() -> sys::Result<OwnedFd> {
    socket::socket(libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0)
}

/// A slot that a client has acquired.
pub struct Slot {
    socket: HiddenFd,
    number: u8,
}

impl Slot {
    pub fn number(&self) -> u8 {
        self.number
    }

    pub fn is_in_front(&self) -> bool {
        self.number < FRONT
    }

    pub fn fd(&self) -> Fd {
        self.socket.fd()
    }

    pub fn is_intact(&self) -> bool {
        self.socket.is_intact()
    }

    /// Discards queued notifications. Their number is limited, so that a peer that keeps sending cannot keep the client
    /// here. The limit exceeds the kernel's default queue length.
    pub fn clear(&self) {
        for _ in 0..64 {
            if socket::recv_discard(self.socket.fd(), libc::MSG_DONTWAIT).is_err() {
                break;
            }
        }
    }
}

fn hexadecimal_digit(value: u8) -> c_char {
    (if value < 10 { b'0' + value } else { b'a' + value - 10 }) as c_char
}

/// Writes text into an abstract name, after its leading NUL byte.
fn set_text(native: &mut libc::sockaddr_un, text: Arguments) {
    let text = Text::<64>::formatted(text);
    for (to, from) in native.sun_path.iter_mut().skip(1).zip(text.as_bytes()) {
        *to = *from as c_char;
    }
}

/// A hash that is the same in every version and build of the library.
pub(super) fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
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
        // Processes with other versions of the library use these names.
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
    fn fnv1a_matches_the_published_test_vectors() {
        assert_eq!(fnv1a("".bytes()), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("foobar".bytes()), 0x8594_4171_f739_67e8);
    }
}
