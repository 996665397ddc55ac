// SPDX-License-Identifier: Apache-2.0
//! Internet addresses in the form of the C library, and as text.
#![forbid(unsafe_code)]

use crate::rt::fd::Fd;
use crate::sys::{self, socket};
use core::array;
use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

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

/// An address in an error message. The text is that of the core library, whose code for it is several times as large.
pub struct Shown<'a>(pub &'a SocketAddr);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            SocketAddr::V4(address) => write_ipv4(f, *address.ip())?,
            SocketAddr::V6(address) => {
                f.write_str("[")?;
                write_ipv6(f, address.ip())?;
                if address.scope_id() != 0 {
                    write!(f, "%{}", address.scope_id())?;
                }
                f.write_str("]")?;
            }
        }
        write!(f, ":{}", u32::from(self.0.port()))
    }
}

fn write_ipv4(f: &mut fmt::Formatter<'_>, address: Ipv4Addr) -> fmt::Result {
    let [a, b, c, d] = address.octets().map(u32::from);
    write!(f, "{a}.{b}.{c}.{d}")
}

/// The first of the longest sequences of zeros is shortened, unless it is a single number.
fn write_ipv6(f: &mut fmt::Formatter<'_>, address: &Ipv6Addr) -> fmt::Result {
    if let Some(address) = address.to_ipv4_mapped() {
        f.write_str("::ffff:")?;
        return write_ipv4(f, address);
    }
    let bits = u128::from(*address);
    let numbers: [u16; 8] = array::from_fn(|at| (bits >> (112 - 16 * at)) as u16);
    let (mut start, mut length) = (0, 0);
    for at in 0..numbers.len() {
        let zeros = numbers.iter().skip(at).take_while(|number| **number == 0).count();
        if zeros > length {
            (start, length) = (at, zeros);
        }
    }
    if length <= 1 {
        return write_numbers(f, &numbers);
    }
    write_numbers(f, numbers.get(..start).unwrap_or_default())?;
    f.write_str("::")?;
    write_numbers(f, numbers.get(start + length..).unwrap_or_default())
}

fn write_numbers(f: &mut fmt::Formatter<'_>, numbers: &[u16]) -> fmt::Result {
    let mut separator = "";
    for number in numbers {
        write!(f, "{separator}{:x}", i32::from(*number))?;
        separator = ":";
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_as_by_the_core_library() {
        let agree = |address: SocketAddr| assert_eq!(Shown(&address).to_string(), address.to_string());
        for text in ["0.0.0.0:0", "127.0.0.1:80", "255.254.10.100:65535", "[::1.2.3.4]:1", "[::ffff:1.2.3.4]:1"] {
            agree(text.parse().unwrap());
        }
        // Each combination of zeros and other numbers.
        for zeros in 0..=u8::MAX {
            let numbers: [u16; 8] = array::from_fn(|at| if zeros >> at & 1 == 0 { 0 } else { 0xa0 << at });
            for scope in [0, 1, u32::MAX] {
                agree(SocketAddrV6::new(Ipv6Addr::from(numbers), 443, 7, scope).into());
            }
        }
    }
}
