// SPDX-License-Identifier: Apache-2.0
//! Servers whose address is a path in the file system.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::os::hidden::HiddenFd;
use crate::os::standard_streams::open_above;
use crate::rt::fd::{Fd, OwnedFd};
use crate::rt::text::{Quoted, Text};
use crate::sys::socket::{self, SocketPath};
use crate::sys::{self, file, large_file};
use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;
use core::fmt;
use errno::Errno;

/// The path of a server: a directory and a name in it.
pub struct PathAddress<'a> {
    path: &'a CStr,
}

impl<'a> PathAddress<'a> {
    /// ENOENT: the path is empty. EISDIR: it ends in a slash.
    pub fn new(path: &'a CStr) -> Result<PathAddress<'a>> {
        let address = PathAddress { path };
        match path.to_bytes() {
            [] => Err(Error::os(Errno(libc::ENOENT), format_args!("cannot use {address} as an IPC address"))),
            [.., b'/'] => Err(Error::os(Errno(libc::EISDIR), format_args!("cannot use {address} as an IPC address"))),
            _ => Ok(address),
        }
    }

    /// The directory, in the form in which the path contains it, with the slash.
    fn prefix(&self) -> &'a [u8] {
        let bytes = self.path.to_bytes();
        let length = bytes.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
        bytes.get(..length).unwrap_or_default()
    }

    /// The name in the directory.
    pub fn name(&self) -> &'a CStr {
        let bytes = self.path.to_bytes_with_nul();
        let name = bytes.get(self.prefix().len()..).unwrap_or_default();
        CStr::from_bytes_with_nul(name).unwrap_or(c"")
    }

    /// What the name refers to. A link is not followed.
    pub fn status(&self) -> sys::Result<large_file::stat> {
        file::lstat(self.path.into())
    }

    /// ENOENT, ENOTDIR: the directory does not exist.
    pub fn check_directory(&self) -> sys::Result<()> {
        file::stat(self.directory()?.as_c_str().into()).map(drop)
    }

    /// Opens the directory, only as a place for names.
    pub fn open_directory(&self) -> sys::Result<OwnedFd> {
        let directory = self.directory()?;
        open_above(directory.as_c_str().into(), libc::O_PATH | libc::O_DIRECTORY)
    }

    /// The path of the directory.
    pub fn directory(&self) -> sys::Result<CString> {
        match self.prefix() {
            [] => joined(b".", b""),
            prefix => joined(prefix, b"."),
        }
    }

    /// Returns the address of a name in the directory. If the path is too long for an address, `in_directory` is the
    /// directory, which is opened if necessary.
    pub fn socket_path(&self, name: &[u8], in_directory: &mut Option<OwnedFd>) -> sys::Result<SocketPath> {
        if let Some(address) = self.direct(name)? {
            return Ok(address);
        }
        let directory = match in_directory {
            Some(directory) => directory.fd(),
            None => in_directory.insert(self.open_directory()?).fd(),
        };
        indirect(directory, name)
    }

    /// None if the path is too long.
    pub fn direct(&self, name: &[u8]) -> sys::Result<Option<SocketPath>> {
        Ok(SocketPath::new(joined(self.prefix(), name)?.to_bytes()))
    }
}

/// The address of a name in an open directory. ENAMETOOLONG: the name is too long.
pub fn indirect(directory: Fd, name: &[u8]) -> sys::Result<SocketPath> {
    SocketPath::new(joined(through(directory).as_bytes(), name)?.to_bytes()).ok_or(Errno(libc::ENAMETOOLONG))
}

/// ENOENT: /proc is not mounted.
pub fn check_indirect(directory: Fd) -> sys::Result<()> {
    let path = joined(through(directory).as_bytes(), b".")?;
    file::stat(path.as_c_str().into()).map(drop)
}

/// Whether a process has the socket at a path. It need not listen yet.
pub fn is_in_use(path: &SocketPath) -> sys::Result<bool> {
    // A socket of another type does not connect, and so does not disturb the server.
    let flags = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    let probe = HiddenFd::create(|| socket::socket(libc::AF_UNIX, flags, 0))?;
    match socket::connect_to(probe.fd(), path) {
        Err(Errno(libc::ECONNREFUSED | libc::ENOENT)) => Ok(false),
        Ok(()) | Err(Errno(libc::EPROTOTYPE | libc::EPERM)) => Ok(true),
        Err(failure) => Err(failure),
    }
}

impl fmt::Display for PathAddress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Quoted(self.path.to_bytes()).fmt(f)
    }
}

/// The path of an open directory, with a slash at its end.
fn through(directory: Fd) -> Text<40> {
    Text::formatted(format_args!("/proc/self/fd/{directory}/"))
}

/// Joins two parts of a path. ENOMEM: memory is exhausted.
pub fn joined(first: &[u8], second: &[u8]) -> sys::Result<CString> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(first.len() + second.len() + 1).map_err(|_| Errno(libc::ENOMEM))?;
    bytes.extend_from_slice(first);
    bytes.extend_from_slice(second);
    bytes.push(0);
    CString::from_vec_with_nul(bytes).map_err(|_| Errno(libc::EINVAL))
}
