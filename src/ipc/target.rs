// SPDX-License-Identifier: Apache-2.0
//! What a client connects to: an abstract name or a path.
#![forbid(unsafe_code)]

use super::address::Address;
use super::path::{self, PathAddress};
use crate::error::{Error, Result};
use crate::os::hidden::HiddenFd;
use crate::os::identified;
use crate::rt::fd::Fd;
use crate::sys;
use crate::sys::socket::{self, SocketPath};
use core::fmt;
use errno::Errno;

pub enum Target<'a> {
    Abstract(Address<'a>),
    Path(PathTarget<'a>),
}

pub struct PathTarget<'a> {
    pub path: PathAddress<'a>,
    socket: SocketPath,
    /// The directory, if the path is too long for a socket address.
    directory: Option<HiddenFd>,
}

impl<'a> PathTarget<'a> {
    fn new(path: PathAddress<'a>) -> Result<PathTarget<'a>> {
        match PathTarget::addressed(&path) {
            Ok((socket, directory)) => Ok(PathTarget { path, socket, directory }),
            Err(failure) => Err(Error::os(failure, format_args!("cannot connect to {path}"))),
        }
    }

    fn addressed(path: &PathAddress) -> sys::Result<(SocketPath, Option<HiddenFd>)> {
        let name = path.name().to_bytes();
        if let Some(socket) = path.direct(name)? {
            return Ok((socket, None));
        }
        // Opening it may take long on a file system that does not answer, and no other thread may have to wait for that.
        let directory = path.open_directory()?;
        let directory = HiddenFd::create_of_kind(identified::NAME, || Ok(directory))?;
        Ok((path::indirect(directory.fd(), name)?, Some(directory)))
    }

    /// ENOENT, ENOTDIR: no socket can be reached in the directory.
    fn check_directory(&self) -> sys::Result<()> {
        self.path.check_directory()?;
        self.directory.as_ref().map_or(Ok(()), |directory| path::check_indirect(directory.fd()))
    }

    /// Whether a server may begin to listen without a change of the directory: a process has the socket already, or the
    /// path is a link.
    pub fn can_change_unnoticed(&self) -> bool {
        self.path.status().is_ok_and(|status| match status.st_mode & libc::S_IFMT {
            libc::S_IFSOCK => path::is_in_use(&self.socket) != Ok(false),
            libc::S_IFLNK => true,
            _ => false,
        })
    }
}

impl<'a> Target<'a> {
    pub fn path(path: PathAddress<'a>) -> Result<Target<'a>> {
        PathTarget::new(path).map(Target::Path)
    }

    /// Prepares another attempt: the path may lead to another directory by now, and the program may have closed the file
    /// descriptor that the address contains.
    pub fn renew(&mut self) -> sys::Result<()> {
        match self {
            Target::Path(target) if target.directory.is_some() => {
                (target.socket, target.directory) = PathTarget::addressed(&target.path)?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Connects a socket. This makes a single call, because the thread can be cancelled in it.
    pub fn connect(&self, fd: Fd) -> sys::Result<()> {
        match self {
            Target::Abstract(address) => socket::connect_to(fd, address.native()),
            Target::Path(target) => socket::connect_to(fd, &target.socket),
        }
    }

    /// Returns why [`Target::connect`] has failed. ECONNREFUSED: no server listens, also if no server has created the path
    /// yet. Without its directory, or without /proc if the path is too long, none can.
    pub fn reason(&self, failure: Errno) -> Errno {
        match self {
            Target::Path(target) if failure.0 == libc::ENOENT => {
                target.check_directory().err().unwrap_or(Errno(libc::ECONNREFUSED))
            }
            _ => failure,
        }
    }
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Abstract(address) => address.fmt(f),
            Target::Path(target) => target.path.fmt(f),
        }
    }
}
