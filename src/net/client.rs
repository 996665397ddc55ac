// SPDX-License-Identifier: Apache-2.0
//! The way of a client to what a URI names.
#![forbid(unsafe_code)]

use super::address;
use super::names::{self, Query};
use super::uri::Uri;
use crate::error::{DetachedError, Error, Result};
use crate::os::hidden::HiddenSocket;
use crate::os::resolver::{AddressList, Candidate};
use crate::os::standard_streams;
use crate::rt::fd::OwnedFd;
use crate::rt::text::{Quoted, Text};
use crate::sys::socket;
use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::{CStr, c_int};
use core::ptr;

/// Connects to the first address that takes the connection, of those that the resolver has for the URI, each tried
/// once. The error is that of the last one; if all fail, those of the others are logged before it.
///
/// A datagram socket is "connected" without asking anybody. So no datagram candidate may come before the streams of
/// another address, nor stand in for streams that are all refused: where the service has a stream, only that is tried.
pub fn connect(uri: &CStr) -> Result<OwnedFd> {
    let uri = &Uri::parse(uri.to_bytes())?;
    let target = Target::of(uri)?;
    let addresses = target.resolve()?;
    let is_stream = |candidate: &Candidate| candidate.kind == libc::SOCK_STREAM;
    let has_stream = addresses.iter().any(|candidate| is_stream(&candidate));
    let mut failures = Failures::default();
    for mut candidate in addresses.iter().filter(|candidate| is_stream(candidate) || !has_stream) {
        if let Some(port) = target.port_to_set {
            candidate.address.set_port(port);
        }
        match connect_to(&candidate) {
            Ok(socket) => return Ok(socket),
            // Who interrupts it wants it to end.
            Err(error) if error.is(libc::EINTR) => return Err(error),
            Err(error) => failures.add(error),
        }
    }
    drop(addresses);
    Err(failures.raise_earlier().unwrap_or_else(|| no_address(uri)))
}

/// Why the addresses did not take the connection: known only in the end to be worth a line each in the log.
#[derive(Default)]
struct Failures {
    earlier: Vec<DetachedError>,
    last: Option<DetachedError>,
}

impl Failures {
    #[cold]
    fn add(&mut self, error: Error) {
        if let Some(before) = self.last.replace(error.detached()) {
            // Without memory its line is lost, which is better than to fail for another reason.
            if self.earlier.try_reserve(1).is_ok() {
                self.earlier.push(before);
            }
        }
    }

    /// Raises all but the last, which is left to the caller.
    #[cold]
    fn raise_earlier(self) -> Option<Error> {
        self.earlier.into_iter().for_each(|error| error.attached().raise("mm_create_sockclient"));
        self.last.map(DetachedError::attached)
    }
}

fn connect_to(candidate: &Candidate) -> Result<OwnedFd> {
    let family = if candidate.address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    // Nobody but the library knows the socket until it is connected, which may take long.
    HiddenSocket::create(|| socket::socket(family, candidate.kind | libc::SOCK_CLOEXEC, 0))
        .and_then(|socket| address::connect(socket.fd(), &candidate.address).map(|()| socket))
        .and_then(|socket| standard_streams::for_caller(socket.into_fd()))
        .map_err(|e| {
            Error::os(e, format_args!("cannot connect a socket of type {} to {}", candidate.kind, candidate.address))
        })
}

#[cold]
#[track_caller]
fn no_address(uri: &Uri) -> Error {
    Error::new(
        libc::EADDRNOTAVAIL,
        format_args!("cannot connect to host {}: it has no IPv4 or IPv6 address", Quoted(uri.host)),
    )
}

/// What the resolver is asked for, and what is changed in its answer.
struct Target {
    host: CString,
    service: CString,
    hints: libc::addrinfo,
    port_to_set: Option<u16>,
}

impl Target {
    /// The schemes tcp and udp need a port. Any other is the name of a service, which has a port of its own; one that
    /// the URI gives goes before it.
    fn of(uri: &Uri) -> Result<Target> {
        let kind = match uri.scheme {
            b"tcp" => Some(libc::SOCK_STREAM),
            b"udp" => Some(libc::SOCK_DGRAM),
            _ => None,
        };
        let port = uri.port.and_then(|port| u16::try_from(port).ok());
        let host_flags = if uri.is_bracketed { libc::AI_NUMERICHOST } else { 0 };
        let zone_mark: &[u8] = if uri.zone.is_some() { b"%" } else { b"" };
        let host = terminated(&[uri.host, zone_mark, uri.zone.unwrap_or_default()])?;
        match (kind, port) {
            (None, _) => Ok(Target {
                host,
                service: terminated(&[uri.scheme])?,
                hints: hints(host_flags, 0),
                port_to_set: port.filter(|port| *port != 0),
            }),
            (Some(kind), Some(port)) => Ok(Target {
                host,
                service: terminated(&[decimal(port).as_bytes()])?,
                hints: hints(host_flags | libc::AI_NUMERICSERV, kind),
                port_to_set: None,
            }),
            (Some(_), None) => Err(no_port(uri)),
        }
    }

    fn resolve(&self) -> Result<AddressList> {
        names::resolve(Query { node: Some(&self.host), service: Some(&self.service), hints: Some(&self.hints) })
    }
}

#[cold]
#[track_caller]
fn no_port(uri: &Uri) -> Error {
    Error::new(
        libc::EINVAL,
        format_args!(
            "cannot connect to host {}: the URI has no port, which scheme {} requires",
            Quoted(uri.host),
            Quoted(uri.scheme)
        ),
    )
}

const fn hints(flags: c_int, kind: c_int) -> libc::addrinfo {
    libc::addrinfo {
        ai_flags: flags,
        ai_family: libc::AF_UNSPEC,
        ai_socktype: kind,
        ai_protocol: 0,
        ai_addrlen: 0,
        ai_addr: ptr::null_mut(),
        ai_canonname: ptr::null_mut(),
        ai_next: ptr::null_mut(),
    }
}

fn decimal(port: u16) -> Text<8> {
    Text::formatted(format_args!("{port}"))
}

/// A name made of these parts, for the resolver; ENOMEM if there is no memory for it.
fn terminated(parts: &[&[u8]]) -> Result<CString> {
    let size = parts.iter().map(|part| part.len()).sum::<usize>() + 1;
    let mut name = Vec::new();
    name.try_reserve_exact(size).map_err(|_| {
        Error::new(libc::ENOMEM, format_args!("cannot allocate {size} bytes for a name: out of memory"))
    })?;
    for part in parts {
        name.extend_from_slice(part);
    }
    name.push(0);
    CString::from_vec_with_nul(name).map_err(|_| {
        Error::new(libc::EINVAL, format_args!("cannot resolve a name of {size} bytes: it contains a NUL byte"))
    })
}
