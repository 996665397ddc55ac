// SPDX-License-Identifier: Apache-2.0
//! Connecting a client to the host and service in a URI.
#![forbid(unsafe_code)]

use super::address;
use super::names::{self, Query};
use super::uri::Uri;
use crate::error::{DetachedError, Error, Result};
use crate::os::hidden::HiddenFd;
use crate::os::resolver::{AddressList, Candidate};
use crate::os::standard_streams;
use crate::rt::fd::OwnedFd;
use crate::rt::text::{Quoted, Text};
use crate::sys::socket;
use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::{CStr, c_int};
use core::ptr;

/// Tries each address that the resolver returns for the URI once, until one accepts the connection. If all fail,
/// returns the error of the last one, and logs the others before.
///
/// Connecting a datagram socket succeeds without contacting the host. A datagram candidate must therefore neither
/// precede the stream candidates of another address nor replace stream candidates that were all refused. If there is a
/// stream candidate, only stream candidates are tried.
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
            // An interrupted call must not try further addresses.
            Err(error) if error.is(libc::EINTR) => return Err(error),
            Err(error) => failures.add(error),
        }
    }
    drop(addresses);
    Err(failures.raise_earlier().unwrap_or_else(|| no_address(uri)))
}

/// The errors of the addresses that were tried. They are logged only if no address accepts the connection.
#[derive(Default)]
struct Failures {
    earlier: Vec<DetachedError>,
    last: Option<DetachedError>,
}

impl Failures {
    #[cold]
    fn add(&mut self, error: Error) {
        if let Some(before) = self.last.replace(error.detached()) {
            // If memory is exhausted, this error is not logged, but the reason of the failure remains correct.
            if self.earlier.try_reserve(1).is_ok() {
                self.earlier.push(before);
            }
        }
    }

    /// Raises all errors except the last, which is returned.
    #[cold]
    fn raise_earlier(self) -> Option<Error> {
        self.earlier.into_iter().for_each(|error| error.attached().raise("mm_create_sockclient"));
        self.last.map(DetachedError::attached)
    }
}

fn connect_to(candidate: &Candidate) -> Result<OwnedFd> {
    let family = if candidate.address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    // Connecting may take long, and the socket is private to the library until then.
    HiddenFd::create(|| socket::socket(family, candidate.kind | libc::SOCK_CLOEXEC, 0))
        .and_then(|socket| address::connect(socket.fd(), &candidate.address).map(|()| socket))
        .and_then(|socket| standard_streams::for_caller(socket.into_fd(), false))
        .map_err(|e| {
            let address = address::Shown(&candidate.address);
            Error::os(e, format_args!("cannot connect a socket of type {} to {address}", candidate.kind))
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

/// The query to the resolver, and the port to set in its result.
struct Target {
    host: CString,
    service: CString,
    hints: libc::addrinfo,
    port_to_set: Option<u16>,
}

impl Target {
    /// The schemes tcp and udp require a port. Any other scheme is the name of a service, which determines the port
    /// unless the URI contains one.
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
            "cannot connect to host {}: the URI has no port, but scheme {} requires one",
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

/// Concatenates the parts to a terminated name for the resolver.
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
