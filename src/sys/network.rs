//! Calls on sockets that C knows by their number: addresses, buffers and sizes stay where C has them, and the kernel
//! finds out where it cannot read or write.

use super::{Result, check, check_size, own};
use std::ffi::{c_int, c_uint, c_void};
use std::mem;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};

// --- connections ---------------------------------------------------------------------------------------------------

pub fn socket(domain: c_int, kind: c_int, protocol: c_int) -> Result<OwnedFd> {
    // SAFETY: no pointer is passed.
    own(unsafe { libc::socket(domain, kind, protocol) })
}

/// # Safety
/// The kernel may read `size` bytes at `address`, or finds that it cannot.
pub unsafe fn bind(fd: c_int, address: *const libc::sockaddr, size: libc::socklen_t) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::bind(fd, address, size) }).map(drop)
}

/// # Safety
/// The kernel may read and write `size`, and write as many bytes as it says at `address`, or finds that it cannot.
pub unsafe fn own_address(fd: c_int, address: *mut libc::sockaddr, size: *mut libc::socklen_t) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::getsockname(fd, address, size) }).map(drop)
}

/// # Safety
/// As [`own_address`].
pub unsafe fn peer_address(fd: c_int, address: *mut libc::sockaddr, size: *mut libc::socklen_t) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::getpeername(fd, address, size) }).map(drop)
}

pub fn listen(fd: c_int, backlog: c_int) -> Result<()> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::listen(fd, backlog) }).map(drop)
}

/// # Safety
/// As [`own_address`]; `address` may be null.
pub unsafe fn accept(fd: c_int, address: *mut libc::sockaddr, size: *mut libc::socklen_t) -> Result<OwnedFd> {
    // SAFETY: as promised by the caller.
    own(unsafe { libc::accept(fd, address, size) })
}

/// # Safety
/// The kernel may read `size` bytes at `address`, or finds that it cannot.
pub unsafe fn connect(fd: c_int, address: *const libc::sockaddr, size: libc::socklen_t) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::connect(fd, address, size) }).map(drop)
}

pub fn connect_to(socket: &OwnedFd, address: &SocketAddr) -> Result<()> {
    match address {
        SocketAddr::V4(v4) => {
            // SAFETY: all bytes zero is a valid sockaddr_in.
            let mut native: libc::sockaddr_in = unsafe { mem::zeroed() };
            native.sin_family = libc::AF_INET as libc::sa_family_t;
            native.sin_port = v4.port().to_be();
            native.sin_addr.s_addr = u32::from(*v4.ip()).to_be();
            connect_to_native(socket, &native)
        }
        SocketAddr::V6(v6) => {
            // SAFETY: all bytes zero is a valid sockaddr_in6.
            let mut native: libc::sockaddr_in6 = unsafe { mem::zeroed() };
            native.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            native.sin6_port = v6.port().to_be();
            native.sin6_addr.s6_addr = v6.ip().octets();
            native.sin6_scope_id = v6.scope_id();
            connect_to_native(socket, &native)
        }
    }
}

fn connect_to_native<T>(socket: &OwnedFd, address: &T) -> Result<()> {
    // SAFETY: the address has its own size.
    unsafe { connect(socket.as_raw_fd(), std::ptr::from_ref(address).cast(), super::size_as_socklen::<T>()) }
}

pub fn shutdown(fd: c_int, how: c_int) -> Result<()> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::shutdown(fd, how) }).map(drop)
}

// --- data ----------------------------------------------------------------------------------------------------------

/// # Safety
/// The kernel may read `size` bytes at `data`, or finds that it cannot.
#[inline]
pub unsafe fn send(fd: c_int, data: *const c_void, size: usize, flags: c_int) -> Result<usize> {
    // SAFETY: as promised by the caller.
    check_size(unsafe { libc::send(fd, data, size, flags) })
}

/// # Safety
/// The kernel may write `size` bytes at `data`, or finds that it cannot.
#[inline]
pub unsafe fn recv(fd: c_int, data: *mut c_void, size: usize, flags: c_int) -> Result<usize> {
    // SAFETY: as promised by the caller.
    check_size(unsafe { libc::recv(fd, data, size, flags) })
}

/// # Safety
/// The kernel may read the message and what it points to, or finds that it cannot.
#[inline]
pub unsafe fn sendmsg(fd: c_int, message: *const libc::msghdr, flags: c_int) -> Result<usize> {
    // SAFETY: as promised by the caller.
    check_size(unsafe { libc::sendmsg(fd, message, flags) })
}

/// # Safety
/// The kernel may read and write the message, and write what it points to, or finds that it cannot.
#[inline]
pub unsafe fn recvmsg(fd: c_int, message: *mut libc::msghdr, flags: c_int) -> Result<usize> {
    // SAFETY: as promised by the caller.
    check_size(unsafe { libc::recvmsg(fd, message, flags) })
}

/// # Safety
/// As [`sendmsg`], for each of `count` messages; their sizes may be written.
#[inline]
pub unsafe fn sendmmsg(fd: c_int, messages: *mut libc::mmsghdr, count: c_uint, flags: c_int) -> Result<c_int> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::sendmmsg(fd, messages, count, flags as _) })
}

/// # Safety
/// As [`recvmsg`], for each of `count` messages; `timeout` is null, or may be read and written.
#[inline]
pub unsafe fn recvmmsg(
    fd: c_int,
    messages: *mut libc::mmsghdr,
    count: c_uint,
    flags: c_int,
    timeout: *mut libc::timespec,
) -> Result<c_int> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::recvmmsg(fd, messages, count, flags as _, timeout) })
}
