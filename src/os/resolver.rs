//! The C library's resolver: names of hosts and services, and the addresses behind them.

use super::standard_streams::Reserved;
use core::ffi::{CStr, c_char, c_int};
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use core::ptr::{self, NonNull};
use core::{iter, mem};
use errno::{Errno, errno};

/// Why the resolver failed: one of its own numbers, and errno as it left it.
#[derive(Clone, Copy)]
pub struct Failure {
    pub code: c_int,
    pub errno: Errno,
}

impl Failure {
    /// Hands the C library's text for it to `use_text`.
    pub fn with_text<T>(self, use_text: impl FnOnce(&[u8]) -> T) -> T {
        // SAFETY: gai_strerror() knows a terminated text for every number.
        use_text(unsafe { CStr::from_ptr(libc::gai_strerror(self.code)) }.to_bytes())
    }
}

fn check(code: c_int) -> Result<(), Failure> {
    if code == 0 { Ok(()) } else { Err(Failure { code, errno: errno() }) }
}

/// A list of addresses that the resolver made.
pub struct AddressList(*mut libc::addrinfo);

impl AddressList {
    /// For C, which releases it.
    pub fn into_raw(self) -> *mut libc::addrinfo {
        mem::ManuallyDrop::new(self).0
    }

    pub fn iter(&self) -> impl Iterator<Item = Candidate> {
        // SAFETY: the list is as the resolver made it: each entry is valid, and so is the one that it points to.
        let entries = iter::successors(unsafe { self.0.as_ref() }, |entry| unsafe { entry.ai_next.as_ref() });
        entries.filter_map(Candidate::from_entry)
    }
}

impl Drop for AddressList {
    fn drop(&mut self) {
        // SAFETY: a list of the resolver, and nobody else's.
        unsafe { release(self.0) };
    }
}

/// # Safety
/// `list` is null or a list that the resolver made and nobody uses any more.
pub unsafe fn release(list: *mut libc::addrinfo) {
    if !list.is_null() {
        // SAFETY: not null, so as promised by the caller.
        unsafe { libc::freeaddrinfo(list) };
    }
}

/// An address to try, and the type of socket to try it with.
pub struct Candidate {
    pub kind: c_int,
    pub address: SocketAddr,
}

impl Candidate {
    /// None for a family that the resolver does not have today.
    fn from_entry(entry: &libc::addrinfo) -> Option<Candidate> {
        let native = NonNull::new(entry.ai_addr)?;
        let address = match entry.ai_family {
            libc::AF_INET => {
                // SAFETY: the resolver made it an address of its family.
                let native = unsafe { native.cast::<libc::sockaddr_in>().as_ref() };
                let ip = Ipv4Addr::from(u32::from_be(native.sin_addr.s_addr));
                SocketAddr::V4(SocketAddrV4::new(ip, u16::from_be(native.sin_port)))
            }
            libc::AF_INET6 => {
                // SAFETY: the resolver made it an address of its family.
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
    let mut list = ptr::null_mut();
    let (node, service) = (node.map_or(ptr::null(), CStr::as_ptr), service.map_or(ptr::null(), CStr::as_ptr));
    let _reserved = Reserved::new();
    // SAFETY: null or terminated strings; null or a valid structure; the list is valid for writing.
    check(unsafe { libc::getaddrinfo(node, service, hints.map_or(ptr::null(), ptr::from_ref), &mut list) })?;
    Ok(AddressList(list))
}

/// Where the name of a host or of a service goes, null if it is not asked for.
pub struct NameBuffer {
    pub first: *mut c_char,
    pub size: libc::socklen_t,
}

/// # Safety
/// `size` bytes may be read at `address`; the buffers are null or may be written.
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
    // SAFETY: all bytes zero is a valid address, of no family.
    let mut copy: Terminated = unsafe { mem::zeroed() };
    if size > 0 {
        // The C library takes the name of a local socket for a terminated string, whatever the size is.
        // SAFETY: size bytes may be read, as promised by the caller, and fit.
        unsafe { (&raw mut copy.address).cast::<u8>().copy_from_nonoverlapping(address.cast(), size as usize) };
    }
    let address = (&raw const copy).cast();
    let _reserved = Reserved::new();
    // SAFETY: the address is valid for its size, the buffers as promised by the caller.
    check(unsafe { libc::getnameinfo(address, size, host.first, host.size, service.first, service.size, flags) })
}
