// SPDX-License-Identifier: Apache-2.0
//! The AF_UNIX sockets of this network namespace: see sock_diag(7).

use super::netlink::{Attributes, Messages, malformed, u32_at};
use crate::sys;
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

// linux/netlink.h and linux/sock_diag.h
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 0x001;
const NLM_F_DUMP_INTR: u16 = 0x010;
const NLM_F_DUMP: u16 = 0x300;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;

// linux/unix_diag.h
const UDIAG_SHOW_NAME: u32 = 0x01;
const UDIAG_SHOW_VFS: u32 = 0x02;
const UDIAG_SHOW_PEER: u32 = 0x04;
const UDIAG_SHOW_ICONS: u32 = 0x08;
const UDIAG_SHOW_RQLEN: u32 = 0x10;
const UDIAG_SHOW_UID: u32 = 0x40;
const UNIX_DIAG_NAME: u16 = 0;
const UNIX_DIAG_VFS: u16 = 1;
const UNIX_DIAG_PEER: u16 = 2;
const UNIX_DIAG_ICONS: u16 = 3;
const UNIX_DIAG_RQLEN: u16 = 4;
const UNIX_DIAG_UID: u16 = 7;

/// The size of struct unix_diag_msg.
const UNIX_DIAG_MSG: usize = 16;

/// Of the states of a socket, those that matter here: see include/net/tcp_states.h of Linux.
pub const ESTABLISHED: u8 = 1;
pub const LISTEN: u8 = 10;
const ALL_STATES: u32 = u32::MAX;

/// How often the sockets are read again, because the kernel says that they have changed while it listed them.
const REPETITIONS: usize = 5;

/// The kernel sends datagrams of up to 32 KiB.
const BUFFER: usize = 64 << 10;

/// The file of a socket that is bound to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct File {
    /// As the kernel encodes it: 12 bits for the major and 20 bits for the minor number.
    pub device: u32,
    /// The low 32 bits.
    pub inode: u32,
}

/// A socket. What the kernel does not report is None.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Socket {
    pub inode: u32,
    /// SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET.
    pub kind: u8,
    pub state: u8,
    /// An abstract name begins with a NUL byte. A path ends before a NUL byte.
    pub name: Option<Vec<u8>>,
    pub file: Option<File>,
    /// The socket at the other end. None: it has been closed, or has not been accepted.
    pub peer: Option<u32>,
    /// The clients' sockets of connections that have not been accepted. 0: it has been closed.
    pub pending: Option<Vec<u32>>,
    /// For a listening socket, the number of connections that have not been accepted.
    pub receive_queue: Option<u32>,
    /// For a listening socket, the backlog.
    pub send_queue: Option<u32>,
    pub uid: Option<u32>,
}

/// Returns all sockets.
pub fn sockets() -> io::Result<Vec<Socket>> {
    let socket = sys::sock_diag_socket()?;
    let show = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN | UDIAG_SHOW_UID;
    let mut sockets = dump(socket.as_fd(), ALL_STATES, show)?;
    // If a listing of clients exceeds the buffer of the kernel, the kernel ends the dump without an error. Therefore
    // they are asked for separately.
    if sockets.iter().any(|socket| socket.state == LISTEN && socket.receive_queue != Some(0)) {
        let listening = dump(socket.as_fd(), 1 << LISTEN, UDIAG_SHOW_ICONS)?;
        let mut pending: HashMap<_, _> = listening.into_iter().map(|socket| (socket.inode, socket.pending)).collect();
        for socket in &mut sockets {
            socket.pending = pending.remove(&socket.inode).flatten();
        }
    }
    Ok(sockets)
}

/// Returns the listening sockets, with their names only.
pub fn listeners() -> io::Result<Vec<Socket>> {
    dump(sys::sock_diag_socket()?.as_fd(), 1 << LISTEN, UDIAG_SHOW_NAME)
}

fn dump(socket: BorrowedFd, states: u32, show: u32) -> io::Result<Vec<Socket>> {
    let mut buffer = vec![0; BUFFER];
    let mut sequence = 0;
    loop {
        sequence += 1;
        sys::send_to_kernel(socket, &request(sequence, states, show))?;
        let mut answer = Answer::new(sequence);
        while !answer.is_complete {
            let size = match sys::receive_datagram(socket, &mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            };
            match buffer.get(..size) {
                Some(datagram) if size > 0 => answer.add(datagram)?,
                _ => return Err(malformed()),
            }
        }
        if !answer.is_inconsistent || sequence as usize > REPETITIONS {
            return Ok(answer.into_sockets());
        }
    }
}

/// struct nlmsghdr and struct unix_diag_req
fn request(sequence: u32, states: u32, show: u32) -> Vec<u8> {
    const SIZE: u32 = 40;
    let mut bytes = Vec::with_capacity(SIZE as usize);
    bytes.extend(SIZE.to_ne_bytes());
    bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes.extend((NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
    // The kernel fills in the port.
    bytes.extend([sequence, 0].map(u32::to_ne_bytes).concat());
    bytes.extend([libc::AF_UNIX as u8, 0, 0, 0]);
    // No inode, and the cookie of any socket.
    bytes.extend([states, 0, show, u32::MAX, u32::MAX].map(u32::to_ne_bytes).concat());
    bytes
}

/// The answer to one request, which may consist of several datagrams.
struct Answer {
    sequence: u32,
    sockets: Vec<Socket>,
    is_complete: bool,
    /// Sockets may be missing.
    is_inconsistent: bool,
}

impl Answer {
    fn new(sequence: u32) -> Answer {
        Answer { sequence, sockets: Vec::new(), is_complete: false, is_inconsistent: false }
    }

    fn add(&mut self, datagram: &[u8]) -> io::Result<()> {
        for message in Messages::of(datagram) {
            let message = message?;
            // An answer to an earlier request.
            if message.sequence != self.sequence {
                continue;
            }
            self.is_inconsistent |= message.flags & NLM_F_DUMP_INTR != 0;
            match message.kind {
                SOCK_DIAG_BY_FAMILY => self.sockets.extend(parsed(message.payload)),
                NLMSG_DONE | NLMSG_ERROR => {
                    // Both begin with a negative errno, or with 0.
                    let number = u32_at(message.payload, 0).map_or(0, |number| (number as i32).saturating_neg());
                    if number > 0 {
                        return Err(io::Error::from_raw_os_error(number));
                    }
                    if message.kind == NLMSG_DONE {
                        self.is_complete = true;
                        return Ok(());
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Without duplicates: a socket that is bound while the kernel lists the sockets may be reported twice.
    fn into_sockets(self) -> Vec<Socket> {
        let mut sockets = self.sockets;
        sockets.sort_by_key(|socket| socket.inode);
        // The later report is the newer one, and the sort is stable.
        sockets.reverse();
        sockets.dedup_by_key(|socket| socket.inode);
        sockets.reverse();
        sockets
    }
}

/// Parses struct unix_diag_msg and its attributes. None: it is too short.
fn parsed(payload: &[u8]) -> Option<Socket> {
    let header = payload.get(..UNIX_DIAG_MSG)?;
    let mut socket =
        Socket { kind: *header.get(1)?, state: *header.get(2)?, inode: u32_at(header, 4)?, ..Socket::default() };
    for (kind, value) in Attributes::of(payload.get(UNIX_DIAG_MSG..)?) {
        match kind {
            UNIX_DIAG_NAME => socket.name = Some(name_of(value)),
            UNIX_DIAG_VFS => {
                socket.file = u32_at(value, 0).zip(u32_at(value, 4)).map(|(inode, device)| File { device, inode });
            }
            UNIX_DIAG_PEER => socket.peer = u32_at(value, 0).filter(|inode| *inode != 0),
            UNIX_DIAG_ICONS => {
                socket.pending = Some((0..value.len() / 4).filter_map(|index| u32_at(value, index * 4)).collect());
            }
            UNIX_DIAG_RQLEN => {
                socket.receive_queue = u32_at(value, 0);
                socket.send_queue = u32_at(value, 4);
            }
            UNIX_DIAG_UID => socket.uid = u32_at(value, 0),
            _ => {}
        }
    }
    Some(socket)
}

fn name_of(value: &[u8]) -> Vec<u8> {
    match value.first() {
        Some(0) | None => value.to_vec(),
        Some(_) => value.split(|byte| *byte == 0).next().unwrap_or_default().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixListener};

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let size = u16::try_from(4 + value.len()).unwrap();
        let mut bytes = [&size.to_ne_bytes()[..], &kind.to_ne_bytes(), value].concat();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn numbers(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_ne_bytes()).collect()
    }

    fn message(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
        let size = u32::try_from(16 + payload.len()).unwrap();
        let mut bytes = [&size.to_ne_bytes()[..], &kind.to_ne_bytes(), &flags.to_ne_bytes()].concat();
        bytes.extend(numbers(&[1, 0]));
        bytes.extend(payload);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn payload(inode: u32, attributes: &[u8]) -> Vec<u8> {
        [&[1, 5, LISTEN, 0][..], &numbers(&[inode, 0, 0]), attributes].concat()
    }

    fn full() -> Vec<u8> {
        let attributes = [
            attribute(UNIX_DIAG_NAME, b"\0demo"),
            attribute(UNIX_DIAG_VFS, &numbers(&[7, 8])),
            attribute(UNIX_DIAG_PEER, &numbers(&[9])),
            attribute(UNIX_DIAG_ICONS, &numbers(&[10, 0, 11])),
            attribute(UNIX_DIAG_RQLEN, &numbers(&[3, 128])),
            attribute(99, b"unknown"),
            attribute(UNIX_DIAG_UID, &numbers(&[1000])),
        ];
        payload(6, &attributes.concat())
    }

    fn answer(datagram: &[u8]) -> io::Result<Answer> {
        let mut answer = Answer::new(1);
        answer.add(datagram)?;
        Ok(answer)
    }

    #[test]
    fn all_attributes_are_parsed() {
        let socket = Socket {
            inode: 6,
            kind: 5,
            state: LISTEN,
            name: Some(b"\0demo".to_vec()),
            file: Some(File { inode: 7, device: 8 }),
            peer: Some(9),
            pending: Some(vec![10, 0, 11]),
            receive_queue: Some(3),
            send_queue: Some(128),
            uid: Some(1000),
        };
        assert_eq!(parsed(&full()), Some(socket));
    }

    #[test]
    fn attributes_may_be_missing_or_truncated() {
        let bare = Socket { inode: 6, kind: 5, state: LISTEN, ..Socket::default() };
        assert_eq!(parsed(&payload(6, b"")), Some(bare.clone()));
        for kind in [UNIX_DIAG_VFS, UNIX_DIAG_PEER, UNIX_DIAG_RQLEN, UNIX_DIAG_UID] {
            assert_eq!(parsed(&payload(6, &attribute(kind, b"abc"))), Some(bare.clone()));
        }
        let bytes = full();
        for end in 0..bytes.len() {
            assert_eq!(parsed(&bytes[..end]).is_some(), end >= UNIX_DIAG_MSG);
        }
    }

    #[test]
    fn hostile_bytes_do_no_harm() {
        let good = message(SOCK_DIAG_BY_FAMILY, 0, &full());
        for position in 0..good.len() {
            for byte in [0, 1, 3, 0x7f, 0x80, 0xff] {
                let mut bytes = good.clone();
                bytes[position] = byte;
                let _ = answer(&bytes);
            }
        }
    }

    #[test]
    fn a_path_ends_before_its_nul_byte() {
        assert_eq!(name_of(b"/run/demo\0"), b"/run/demo");
        assert_eq!(name_of(b"/run/demo"), b"/run/demo");
        assert_eq!(name_of(b"\0a\0b\0"), b"\0a\0b\0");
        assert_eq!(name_of(b""), b"");
    }

    #[test]
    fn a_closed_peer_is_none() {
        let socket = parsed(&payload(6, &attribute(UNIX_DIAG_PEER, &numbers(&[0]))));
        assert_eq!(socket.unwrap().peer, None);
    }

    #[test]
    fn an_answer_ends_with_done() {
        let socket = |inode| message(SOCK_DIAG_BY_FAMILY, 0, &payload(inode, b""));
        let done = message(NLMSG_DONE, 0, &numbers(&[0]));
        let first = [socket(5), socket(3), socket(5)].concat();
        let mut answer = answer(&first).unwrap();
        assert!(!answer.is_complete);
        answer.add(&[socket(4), done, socket(9)].concat()).unwrap();
        assert!(answer.is_complete && !answer.is_inconsistent);
        let inodes: Vec<_> = answer.into_sockets().iter().map(|socket| socket.inode).collect();
        assert_eq!(inodes, [3, 4, 5]);
    }

    #[test]
    fn an_interrupted_dump_and_other_answers_are_noticed() {
        let interrupted = message(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP_INTR, &payload(1, b""));
        assert!(answer(&interrupted).unwrap().is_inconsistent);
        let mut other = Answer::new(2);
        other.add(&interrupted).unwrap();
        assert!(!other.is_inconsistent && other.sockets.is_empty());
    }

    #[test]
    fn errors_of_the_kernel_are_returned() {
        for kind in [NLMSG_ERROR, NLMSG_DONE] {
            let datagram = message(kind, 0, &numbers(&[(-libc::EPERM) as u32]));
            assert_eq!(answer(&datagram).err().unwrap().raw_os_error(), Some(libc::EPERM));
            assert!(answer(&message(kind, 0, &numbers(&[i32::MIN as u32]))).is_err());
            assert!(answer(&message(kind, 0, b"")).is_ok());
        }
        assert!(!answer(&message(NLMSG_ERROR, 0, &numbers(&[0]))).unwrap().is_complete);
        assert!(answer(b"short").is_err());
    }

    #[test]
    fn the_kernel_answers() {
        let name = format!("\0mmipc-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name[1..]).unwrap();
        let _listener = UnixListener::bind_addr(&address).unwrap();
        let sockets = sockets().unwrap();
        let found = sockets.iter().find(|socket| socket.name.as_deref() == Some(name.as_bytes())).unwrap();
        assert_eq!((i32::from(found.kind), found.state), (libc::SOCK_STREAM, LISTEN));
        assert_eq!(found.receive_queue, Some(0));
    }
}
