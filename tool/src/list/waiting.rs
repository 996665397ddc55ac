// SPDX-License-Identifier: Apache-2.0
//! Waiting clients, each of which may have several sockets.
//!
//! A client can have a slot. It can also have an anchor, or be attached to the anchor of another client: see the
//! library's src/ipc/anchor.rs. Thus it has one or two sockets, and the kernel does not say which ones belong to the
//! same client.
//!
//! Therefore each anchor and each attached connection is assigned to a slot of the same address and process that has
//! none yet. A slot is then a client, and so is each socket for which no slot is left. An attached client never has a
//! front slot, so one of those is assigned to an anchor only: the client that has it may be a watch.
//!
//! No client is counted twice. Two are counted once if they are of the same process, and one has only a slot and the
//! other one none.

use super::diag::{LISTEN, Socket};
use super::model::{Place, abstract_place};
use super::slots::Slot;

/// What a socket is to its client. In this order, each kind is assigned to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Slot(u8),
    Anchor,
    Attached,
}

/// A socket of a waiting client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// That of the address.
    pub hash: u64,
    role: Role,
    pub inode: u32,
}

impl Part {
    pub fn slot(&self) -> Option<u8> {
        match self.role {
            Role::Slot(number) => Some(number),
            Role::Anchor | Role::Attached => None,
        }
    }

    /// Whether a client that has this slot may have the other socket.
    fn allows(&self, other: &Part) -> bool {
        other.role == Role::Anchor || self.slot().is_some_and(|number| !Slot::is_in_front(number))
    }
}

/// Returns the sockets of waiting clients, sorted.
pub fn parts(sockets: &[Socket]) -> Vec<Part> {
    let mut parts = Vec::new();
    for socket in sockets {
        let Some(Slot { hash, number }) = name_of(socket) else { continue };
        let mut add = |role, inode| parts.push(Part { hash, role, inode });
        match i32::from(socket.kind) {
            libc::SOCK_DGRAM => add(Role::Slot(number), socket.inode),
            libc::SOCK_STREAM if socket.state == LISTEN && Slot::is_in_front(number) => {
                add(Role::Anchor, socket.inode);
                // No connection is ever accepted. A client that has ended leaves one without an inode.
                let attached = socket.pending.iter().flatten().filter(|inode| **inode != 0);
                attached.for_each(|inode| add(Role::Attached, *inode));
            }
            _ => {}
        }
    }
    parts.sort_unstable();
    parts
}

/// Returns a socket of each client, in the order of the sorted sockets: that of its slot, if it has one.
pub fn clients(parts: &[Part], have_same_process: impl Fn(u32, u32) -> bool) -> Vec<Part> {
    let mut clients = Vec::new();
    for parts in parts.chunk_by(|a, b| a.hash == b.hash) {
        let (slots, others) = parts.split_at(parts.partition_point(|part| part.slot().is_some()));
        clients.extend(slots);
        let mut free = slots.to_vec();
        for other in others {
            match free.iter().position(|slot| slot.allows(other) && have_same_process(slot.inode, other.inode)) {
                // The others remain sorted, front slots first.
                Some(index) => drop(free.remove(index)),
                None => clients.push(*other),
            }
        }
    }
    clients
}

/// Clients and servers use only padded names.
fn name_of(socket: &Socket) -> Option<Slot> {
    match abstract_place(socket)? {
        Place::Name { name, is_padded: true } => Slot::parse(&name),
        _ => None,
    }
}
