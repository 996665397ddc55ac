// SPDX-License-Identifier: Apache-2.0
//! Internet addresses in the form of the C library.
#![forbid(unsafe_code)]

use crate::rt::fd::Fd;
use crate::sys::{self, socket};
use core::net::{SocketAddr, SocketAddrV4, SocketAddrV6};

pub fn connect(fd: Fd, address: &SocketAddr) -> sys::Result<()> {
    match address {
        SocketAddr::V4(address) => socket::connect_to(fd, &sockaddr_in(address)),
        SocketAddr::V6(address) => socket::connect_to(fd, &sockaddr_in6(address)),
    }
}

fn sockaddr_in(address: &SocketAddrV4) -> libc::sockaddr_in {
    libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: address.port().to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from(*address.ip()).to_be() },
        sin_zero: [0; 8],
    }
}

fn sockaddr_in6(address: &SocketAddrV6) -> libc::sockaddr_in6 {
    libc::sockaddr_in6 {
        sin6_family: libc::AF_INET6 as libc::sa_family_t,
        sin6_port: address.port().to_be(),
        sin6_flowinfo: 0,
        sin6_addr: libc::in6_addr { s6_addr: address.ip().octets() },
        sin6_scope_id: address.scope_id(),
    }
}
