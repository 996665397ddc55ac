// SPDX-License-Identifier: Apache-2.0
//! What is listed: servers with their connections, and waiting clients.

use super::diag::{ESTABLISHED, File, LISTEN, Socket};
use super::paths::{self, Location, has_name_of};
use super::processes::{Process, Processes, User, Users};
use super::slots;
use super::waiting::{self, Part};
use crate::address::Address;
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;

/// The bytes of an abstract name after its leading NUL byte, if it has the full size.
pub const FULL_NAME: usize = 107;

/// A socket, and the processes that have it.
#[derive(Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub inode: u32,
    /// The owner of the socket, if the kernel reports it.
    pub owner: Option<Rc<User>>,
    /// Empty: they may not be examined, or are in another PID namespace.
    pub processes: Vec<Rc<Process>>,
}

/// An accepted connection.
#[derive(Debug, PartialEq, Eq)]
pub struct Connection {
    pub socket: Endpoint,
    /// None: the peer has closed it.
    pub peer: Option<Endpoint>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    /// Without padding.
    Name {
        name: Vec<u8>,
        is_padded: bool,
    },
    Path(Location),
}

#[derive(Debug, PartialEq, Eq)]
pub struct Server {
    pub place: Place,
    pub socket: Endpoint,
    /// The number of connections that have not been accepted.
    pub pending: Option<u32>,
    /// The backlog.
    pub maximum: Option<u32>,
    /// The clients of these connections, as far as they are known.
    pub clients: Vec<Endpoint>,
    pub connections: Vec<Connection>,
}

/// A client that waits for a server, or watches for it.
#[derive(Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The abstract name of the server, if it is known.
    pub name: Option<Vec<u8>>,
    /// That of the address.
    pub hash: u64,
    /// The number of its slot, if it has one.
    pub slot: Option<u8>,
    /// That of its slot, if it has one.
    pub socket: Endpoint,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Listing {
    pub servers: Vec<Server>,
    pub waiting: Vec<Waiting>,
    /// For each address that was asked for, whether there is a server.
    pub found: Vec<bool>,
}

impl Place {
    /// Splits an abstract name into the name and its padding.
    fn of_name(bytes: &[u8]) -> Place {
        let is_padded = bytes.len() == FULL_NAME;
        let padding = if is_padded { bytes.iter().rev().take_while(|byte| **byte == 0).count() } else { 0 };
        let name = bytes.get(..bytes.len() - padding).unwrap_or_default().to_vec();
        Place::Name { name, is_padded }
    }
}

/// A listening socket and those that belong to it.
struct Group<'a> {
    listener: &'a Socket,
    accepted: Vec<&'a Socket>,
}

/// Builds the listing of all servers, or of those at the addresses. `find` finds the processes that have sockets.
pub fn listing(
    sockets: &[Socket],
    addresses: &[Address],
    users: &mut Users,
    find: impl FnOnce(&HashSet<u32>, &mut Users) -> Processes,
) -> Listing {
    let groups = grouped(sockets);
    let matchers: Vec<_> = addresses.iter().map(Matcher::new).collect();
    let found = matchers.iter().map(|matcher| groups.iter().any(|group| matcher.matches(group.listener))).collect();
    let is_wanted = |group: &Group| matchers.is_empty() || matchers.iter().any(|one| one.matches(group.listener));

    let mut names = HashMap::new();
    for name in addresses.iter().filter_map(abstract_name) {
        names.extend(slots::hash(name).map(|hash| (hash, name.to_vec())));
    }
    if addresses.is_empty() {
        for group in &groups {
            if let Some(Place::Name { name, is_padded: true }) = abstract_place(group.listener) {
                names.extend(slots::hash(&name).map(|hash| (hash, name)));
            }
        }
    }
    let mut parts = waiting::parts(sockets);
    parts.retain(|part| addresses.is_empty() || names.contains_key(&part.hash));

    let groups: Vec<_> = groups.into_iter().filter(is_wanted).collect();
    let mut inodes: HashSet<u32> = parts.iter().map(|part| part.inode).collect();
    for group in &groups {
        inodes.insert(group.listener.inode);
        inodes.extend(group.listener.pending.iter().flatten());
        inodes.extend(group.accepted.iter().flat_map(|socket| [Some(socket.inode), socket.peer]).flatten());
    }
    let processes = find(&inodes, users);
    let mut endpoints = Endpoints { processes, uids: uids(sockets), users };

    let mut servers: Vec<_> = groups.iter().filter_map(|group| endpoints.server(group)).collect();
    servers.sort_by(|a, b| key(&a.place).cmp(&key(&b.place)).then(a.socket.inode.cmp(&b.socket.inode)));
    let clients = waiting::clients(&parts, |a, b| endpoints.have_same_process(a, b));
    let waiting = |part: &Part| Waiting {
        name: names.get(&part.hash).cloned(),
        hash: part.hash,
        slot: part.slot(),
        socket: endpoints.endpoint(part.inode),
    };
    let mut waiting: Vec<_> = clients.iter().map(waiting).collect();
    // The sort is stable: those of the same address remain sorted.
    waiting.sort_by(|a, b| waiting_key(a).cmp(&waiting_key(b)));
    Listing { servers, waiting, found }
}

/// What servers are sorted by: names before paths.
fn key(place: &Place) -> (bool, &[u8]) {
    match place {
        Place::Name { name, .. } => (false, name),
        Place::Path(location) => (true, &location.path),
    }
}

/// Unknown addresses are the last ones.
fn waiting_key(waiting: &Waiting) -> (bool, Option<&[u8]>, u64) {
    (waiting.name.is_none(), waiting.name.as_deref(), waiting.hash)
}

/// The listening sockets, each with the sockets of its accepted connections, which have the same name and file.
fn grouped(sockets: &[Socket]) -> Vec<Group<'_>> {
    let seqpackets = || sockets.iter().filter(|socket| i32::from(socket.kind) == libc::SOCK_SEQPACKET);
    let mut groups = Vec::new();
    let mut indices = HashMap::new();
    for listener in seqpackets().filter(|socket| socket.state == LISTEN) {
        if let Some(identity) = identity(listener) {
            indices.entry(identity).or_insert(groups.len());
            groups.push(Group { listener, accepted: Vec::new() });
        }
    }
    for socket in seqpackets().filter(|socket| socket.state == ESTABLISHED) {
        let index = identity(socket).and_then(|identity| indices.get(&identity).copied());
        if let Some(group) = index.and_then(|index| groups.get_mut(index)) {
            group.accepted.push(socket);
        }
    }
    groups
}

fn identity(socket: &Socket) -> Option<(&[u8], Option<File>)> {
    Some((socket.name.as_deref()?, socket.file))
}

fn uids(sockets: &[Socket]) -> HashMap<u32, u32> {
    sockets.iter().filter_map(|socket| Some((socket.inode, socket.uid?))).collect()
}

/// The bytes after the leading NUL byte of an abstract name.
fn abstract_bytes(socket: &Socket) -> Option<&[u8]> {
    socket.name.as_deref()?.strip_prefix(b"\0")
}

pub fn abstract_place(socket: &Socket) -> Option<Place> {
    abstract_bytes(socket).map(Place::of_name)
}

fn abstract_name(address: &Address) -> Option<&[u8]> {
    match address {
        Address::Name(name) => Some(name.to_bytes()),
        Address::Path(_) => None,
    }
}

/// An address that was asked for.
enum Matcher<'a> {
    Name(&'a [u8]),
    Path { path: &'a [u8], file: Option<File> },
}

impl Matcher<'_> {
    fn new(address: &Address) -> Matcher<'_> {
        match address {
            Address::Name(name) => Matcher::Name(name.to_bytes()),
            Address::Path(path) => {
                let path = path.to_bytes();
                Matcher::Path { path, file: paths::file_at(Path::new(OsStr::from_bytes(path))) }
            }
        }
    }

    fn matches(&self, listener: &Socket) -> bool {
        match self {
            Matcher::Name(wanted) => {
                matches!(abstract_place(listener), Some(Place::Name { name, .. }) if name == *wanted)
            }
            Matcher::Path { path, file } => {
                let Some((wanted, file)) = file.as_ref().zip(listener.file) else { return false };
                // Some file systems report another device to programs: the name must then be the same.
                wanted.inode == file.inode
                    && (wanted.device == file.device
                        || listener.name.as_deref().is_some_and(|name| has_name_of(name, path)))
            }
        }
    }
}

struct Endpoints<'a> {
    processes: Processes,
    uids: HashMap<u32, u32>,
    users: &'a mut Users,
}

impl Endpoints<'_> {
    fn endpoint(&mut self, inode: u32) -> Endpoint {
        let owner = self.uids.get(&inode).map(|uid| self.users.get(*uid));
        Endpoint { inode, owner, processes: self.processes.get(&inode).cloned().unwrap_or_default() }
    }

    /// Whether a process has both sockets. The sockets of a user without known processes are those of one process.
    fn have_same_process(&self, a: u32, b: u32) -> bool {
        match (self.processes.get(&a), self.processes.get(&b)) {
            // A process that has called fork() may share one of the sockets only.
            (Some(a), Some(b)) => a.iter().any(|one| b.iter().any(|other| one.pid == other.pid)),
            (None, None) => self.uids.get(&a) == self.uids.get(&b),
            _ => false,
        }
    }

    fn server(&mut self, group: &Group) -> Option<Server> {
        let listener = group.listener;
        let socket = self.endpoint(listener.inode);
        let place = match abstract_place(listener) {
            Some(place) => place,
            None => Place::Path(paths::locate(listener.name.as_deref()?, listener.file, &socket.processes)),
        };
        let pending = listener.pending.iter().flatten().filter(|inode| **inode != 0);
        let clients = pending.map(|inode| self.endpoint(*inode)).collect();
        let mut connections: Vec<_> = group
            .accepted
            .iter()
            .map(|socket| Connection {
                socket: self.endpoint(socket.inode),
                peer: socket.peer.map(|inode| self.endpoint(inode)),
            })
            .collect();
        connections.sort_by_key(|connection| connection.socket.inode);
        let (pending, maximum) = (listener.receive_queue, listener.send_queue);
        Some(Server { place, socket, pending, maximum, clients, connections })
    }
}
