// SPDX-License-Identifier: Apache-2.0
//! Wakeup slots, through which a server notifies waiting clients.
//!
//! Each server address has a fixed set of wakeup slots. A slot is an abstract socket name computed from the address. If
//! no server listens, a client binds a datagram socket to a free slot and sleeps. A server that starts to listen sends
//! an empty datagram to each slot.
//!
//! No process depends on another: if a client dies, the kernel releases its slot, and a stopped client delays only
//! itself. The names must never change, because processes may use different versions of the library.
#![forbid(unsafe_code)]

use super::address::Address;
use crate::os::cancel::Cancellation;
use crate::os::hidden::HiddenFd;
use crate::os::standard_streams;
use crate::rt::errno::PreservedErrno;
use crate::rt::fd::{Fd, OwnedFd};
use crate::rt::text::Text;
use crate::sys::{self, file, socket};
use core::ffi::c_char;
use core::fmt::Arguments;
use core::ops::Range;
use errno::Errno;

/// The number of slots of an address.
const COUNT: u8 = 255;

/// The number of front slots, which clients acquire first. If a server finds no client at the front slots, it skips the
/// others.
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

    /// Acquires a free slot, a front slot if possible. `spread` selects where the search among the other slots begins,
    /// so that concurrent clients try different slots.
    pub fn acquire(&self, spread: u8) -> sys::Result<Slot> {
        let behind = FRONT..COUNT;
        let start = FRONT + spread % (COUNT - FRONT);
        let slots = (0..FRONT).chain(start..behind.end).chain(behind.start..start);
        self.acquire_one_of(slots)
    }

    /// Binds a socket for the program to a front slot. EADDRINUSE: all are taken.
    pub fn front_socket(&self) -> sys::Result<OwnedFd> {
        let socket = datagram_socket()?;
        for number in 0..FRONT {
            match socket::bind_to(socket.fd(), &self.address(number)) {
                Err(Errno(libc::EADDRINUSE)) => {}
                result => return result.map(|()| socket),
            }
        }
        Err(Errno(libc::EADDRINUSE))
    }

    /// Acquires a front slot for a client that has another slot or none. Only the front slot that `spread` selects is
    /// tried.
    pub fn acquire_in_front(&self, spread: u8) -> sys::Result<Slot> {
        let slot = spread % FRONT;
        self.acquire_one_of(slot..slot + 1)
    }

    fn acquire_one_of(&self, numbers: impl Iterator<Item = u8>) -> sys::Result<Slot> {
        let socket = HiddenFd::create_identified(datagram_socket)?;
        for number in numbers {
            match socket::bind_to(socket.fd(), &self.address(number)) {
                Ok(()) => return Ok(Slot { socket, number }),
                Err(Errno(libc::EADDRINUSE)) => {}
                // For example, a sandbox denies bind().
                Err(failure) => return Err(failure),
            }
        }
        Err(Errno(libc::EADDRINUSE))
    }

    /// Notifies every waiting client that a server is listening. errno is preserved, because it is not an error if no
    /// client waits.
    pub fn announce(&self) {
        let _errno = PreservedErrno::new();
        if let Ok(socket) = sender() {
            let is_any_waiting = self.wake(socket.fd(), 0..FRONT);
            if is_any_waiting {
                self.wake(socket.fd(), FRONT..COUNT);
            }
        }
    }

    /// Notifies the clients in the slots after the front slots, in place of the server. A client calls this when it has
    /// connected without being notified and is about to release its front slot: the server could then find no client at
    /// the front slots and skip the other slots.
    pub fn relay(&self) {
        if let Ok(socket) = sender() {
            self.wake(socket.fd(), FRONT..COUNT);
        }
    }

    /// Returns whether a client may be at one of the slots. Only ECONNREFUSED proves that a slot is free. EAGAIN means
    /// that its queue is full, so the client is woken as well. Any other errno means that this process cannot send to
    /// the slot: a sandbox denies it, or the process that bound the slot has connected the socket to another one. Other
    /// slots may still be reachable.
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
    pub fn is_in_front(&self) -> bool {
        self.number < FRONT
    }

    /// Sleeps until a notification or the timeout. Returns whether there was a notification.
    pub fn sleep(&self, timeout_ms: i32, cancellation: Cancellation) -> sys::Result<bool> {
        let mut entries = [libc::pollfd { fd: self.socket.fd().number(), events: libc::POLLIN, revents: 0 }];
        let is_notified = cancellation.point(self, || file::poll_slice(&mut entries, timeout_ms))? > 0;
        if is_notified && self.socket.is_intact() {
            // Discards queued notifications. Their number is limited, so that a peer that keeps sending cannot keep the
            // client here. The limit exceeds the kernel's default queue length.
            for _ in 0..64 {
                if socket::recv_discard(self.socket.fd(), libc::MSG_DONTWAIT).is_err() {
                    break;
                }
            }
        }
        Ok(is_notified)
    }
}

/// Writes text into an abstract name, after its leading NUL byte and `offset` more bytes.
fn set_text(native: &mut libc::sockaddr_un, text: Arguments, offset: usize) {
    // The longest text has 33 bytes.
    let text = Text::<64>::formatted(text);
    for (to, from) in native.sun_path.iter_mut().skip(1 + offset).zip(text.as_bytes()) {
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
