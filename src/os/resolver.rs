// SPDX-License-Identifier: Apache-2.0
//! The C library's resolver, which converts between addresses and the names of hosts and services.

use super::standard_streams::Reserved;
use crate::sys::resolver::{self, Failure, NameBuffer};
use core::ffi::{CStr, c_char, c_int};
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use core::ptr::NonNull;
use core::{iter, mem};

/// A list of addresses from the resolver.
pub struct AddressList(*mut libc::addrinfo);

impl AddressList {
    /// Returns the list for a C caller, which must free it.
    pub fn into_raw(self) -> *mut libc::addrinfo {
        mem::ManuallyDrop::new(self).0
    }

    pub fn iter(&self) -> impl Iterator<Item = Candidate> {
        // SAFETY: the list is unchanged since the resolver created it, so each `ai_next` is null or valid.
        let entries = iter::successors(unsafe { self.0.as_ref() }, |entry| unsafe { entry.ai_next.as_ref() });
        entries.filter_map(Candidate::from_entry)
    }
}

impl Drop for AddressList {
    fn drop(&mut self) {
        // SAFETY: the list is from the resolver, and self owns it.
        unsafe { resolver::freeaddrinfo(self.0) };
    }
}

/// An address and the type of socket to connect to it.
pub struct Candidate {
    pub kind: c_int,
    pub address: SocketAddr,
}

impl Candidate {
    /// Returns None for a family other than IPv4 and IPv6.
    fn from_entry(entry: &libc::addrinfo) -> Option<Candidate> {
        let native = NonNull::new(entry.ai_addr)?;
        let address = match entry.ai_family {
            libc::AF_INET => {
                // SAFETY: an address from the resolver has the type of its family.
                let native = unsafe { native.cast::<libc::sockaddr_in>().as_ref() };
                let ip = Ipv4Addr::from(u32::from_be(native.sin_addr.s_addr));
                SocketAddr::V4(SocketAddrV4::new(ip, u16::from_be(native.sin_port)))
            }
            libc::AF_INET6 => {
                // SAFETY: an address from the resolver has the type of its family.
                let native = unsafe { native.cast::<libc::sockaddr_in6>().as_ref() };
                let ip = Ipv6Addr::from(native.sin6_addr.s6_addr);
                SocketAddr::V6(SocketAddrV6::new(ip, u16::from_be(native.sin6_port), 0, native.sin6_scope_id))
            }
            _ => return None,
        };
        Some(Candidate { kind: entry.ai_socktype, address })
    }
}

pub fn addresses(
    node: Option<&CStr>,
    service: Option<&CStr>,
    hints: Option<&libc::addrinfo>,
) -> Result<AddressList, Failure> {
    let _reserved = Reserved::new();
    resolver::getaddrinfo(node, service, hints).map(AddressList)
}

/// # Safety
/// `address` is valid for reading `size` bytes; the buffers are null or valid for writing.
pub unsafe fn names_of(
    address: *const libc::sockaddr,
    size: libc::socklen_t,
    host: NameBuffer,
    service: NameBuffer,
    flags: c_int,
) -> Result<(), Failure> {
    /// An address of any family, followed by zeros.
    #[repr(C)]
    struct Terminated {
        address: libc::sockaddr_storage,
        end: c_char,
    }

    let size = size.min(size_of::<libc::sockaddr_storage>() as libc::socklen_t);
    // SAFETY: all bytes zero is a valid address of family AF_UNSPEC.
    let mut copy: Terminated = unsafe { mem::zeroed() };
    if size > 0 {
        // The C library reads the name of a local socket as a terminated string, regardless of `size`. SAFETY: size
        // bytes are readable, as promised by the caller, and fit.
        unsafe { (&raw mut copy.address).cast::<u8>().copy_from_nonoverlapping(address.cast(), size as usize) };
    }
    let address = (&raw const copy).cast();
    let _reserved = Reserved::new();
    // SAFETY: the address is valid for its size; the buffers are as promised by the caller.
    unsafe { resolver::getnameinfo(address, size, &host, &service, flags) }
}
