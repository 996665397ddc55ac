// SPDX-License-Identifier: Apache-2.0
//! Whether a server listens, without a connection that the server would notice.

use super::diag::{self, Socket};
use super::model::{Place, abstract_place};
use super::paths::{self, has_name_of};
use crate::address::Address;
use std::ffi::{CStr, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

/// Returns whether a server listens at the address. Err: the kernel does not list sockets, or not that one.
pub fn is_listening(address: &Address) -> io::Result<bool> {
    match address {
        Address::Name(wanted) => Ok(diag::listeners()?.iter().any(|socket| {
            is_server(socket)
                && matches!(abstract_place(socket), Some(Place::Name { name, is_padded: true }) if name == wanted.to_bytes())
        })),
        Address::Path(path) => is_listening_at(path),
    }
}

fn is_server(socket: &Socket) -> bool {
    i32::from(socket.kind) == libc::SOCK_SEQPACKET && socket.state == diag::LISTEN
}

fn is_listening_at(path: &CStr) -> io::Result<bool> {
    let bytes = path.to_bytes();
    let path = Path::new(OsStr::from_bytes(bytes));
    match std::fs::metadata(path) {
        Ok(status) if status.file_type().is_socket() => {}
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error),
        _ => return Ok(false),
    }
    let Some(wanted) = paths::file_at(path) else { return Ok(false) };
    // Some file systems report another device to programs: the name must then be the same.
    let is_there = |socket: &&Socket| {
        socket.file.is_some_and(|file| {
            file.inode == wanted.inode
                && (file.device == wanted.device || socket.name.as_deref().is_some_and(|name| has_name_of(name, bytes)))
        })
    };
    let sockets = diag::sockets()?;
    let mut here = sockets.iter().filter(is_there).peekable();
    if here.peek().is_some() {
        return Ok(here.any(is_server));
    }
    // No process of this network namespace has it. A process of another one may: the kernel then says that its socket is
    // of another type than this one.
    match UnixDatagram::unbound()?.connect(path) {
        Err(error) if error.raw_os_error() == Some(libc::EPROTOTYPE) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Err(error),
        _ => Ok(false),
    }
}
