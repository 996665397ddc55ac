// SPDX-License-Identifier: Apache-2.0
//! Who the peer of a connection is.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::rt::fd::{Fd, OwnedFd};
use crate::sys::socket;
use errno::Errno;

/// The credentials that the peer had when it connected, or when it began to listen.
pub fn credentials(fd: Fd) -> Result<libc::ucred> {
    let failed = |e| Error::os(e, format_args!("cannot get the peer of file descriptor {fd}"));
    let credentials = socket::getsockopt_value(fd, socket::SO_PEERCRED).map_err(failed)?;
    // The kernel reports this for a socket without a peer, also for one of another family. For a listener, it reports
    // the process that listens.
    if credentials.uid == libc::uid_t::MAX || socket::getsockopt_value(fd, socket::SO_ACCEPTCONN) == Ok(1) {
        return Err(failed(Errno(libc::ENOTCONN)));
    }
    Ok(credentials)
}

/// A descriptor of the process whose credentials these are.
pub fn pidfd(fd: Fd) -> Result<OwnedFd> {
    credentials(fd)?;
    socket::getsockopt_peerpidfd(fd)
        .map_err(|e| Error::os(e, format_args!("cannot get the peer of file descriptor {fd}")))
}
