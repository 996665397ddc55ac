// SPDX-License-Identifier: Apache-2.0
//! Sockets.

use super::{Result, check, check_size, own, size_as_socklen};
use crate::rt::fd::{Fd, OwnedFd};
use core::ffi::{c_int, c_uint, c_void};
use core::marker::PhantomData;
use core::mem;
use core::ptr;

// --- addresses -----------------------------------------------------------------------------------------------------

/// A socket address of one family.
///
/// # Safety
/// The type begins with the fields of `struct sockaddr`, and all of its bytes may be read.
pub unsafe trait Address {}

// SAFETY: addresses of the C library, without padding.
unsafe impl Address for libc::sockaddr_un {}
// SAFETY: as above.
unsafe impl Address for libc::sockaddr_in {}
// SAFETY: as above.
unsafe impl Address for libc::sockaddr_in6 {}

fn pointer_to<T: Address>(address: &T) -> *const libc::sockaddr {
    ptr::from_ref(address).cast()
}

// --- connections ---------------------------------------------------------------------------------------------------

pub fn socket(domain: c_int, kind: c_int, protocol: c_int) -> Result<OwnedFd> {
    // SAFETY: no pointer is passed.
    unsafe { own(libc::socket(domain, kind, protocol)) }
}

/// # Safety
/// The kernel may write two ints at `fds`, or finds that it cannot.
pub unsafe fn socketpair(domain: c_int, kind: c_int, protocol: c_int, fds: *mut c_int) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::socketpair(domain, kind, protocol, fds) }).map(drop)
}

/// # Safety
/// The kernel may read `size` bytes at `address`, or finds that it cannot.
pub unsafe fn bind(fd: Fd, address: *const libc::sockaddr, size: libc::socklen_t) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::bind(fd.number(), address, size) }).map(drop)
}

pub fn bind_to<T: Address>(fd: Fd, address: &T) -> Result<()> {
    // SAFETY: the address has its own size.
    unsafe { bind(fd, pointer_to(address), size_as_socklen::<T>()) }
}

/// # Safety
/// The kernel may read `size` bytes at `address`, or finds that it cannot.
pub unsafe fn connect(fd: Fd, address: *const libc::sockaddr, size: libc::socklen_t) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::connect(fd.number(), address, size) }).map(drop)
}

pub fn connect_to<T: Address>(fd: Fd, address: &T) -> Result<()> {
    // SAFETY: the address has its own size.
    unsafe { connect(fd, pointer_to(address), size_as_socklen::<T>()) }
}

pub fn listen(fd: Fd, backlog: c_int) -> Result<()> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::listen(fd.number(), backlog) }).map(drop)
}

/// # Safety
/// The kernel may read and write `size`, and write as many bytes as it says at `address`, or finds that it cannot; both
/// may be null.
pub unsafe fn accept(fd: Fd, address: *mut libc::sockaddr, size: *mut libc::socklen_t) -> Result<OwnedFd> {
    // SAFETY: as promised by the caller.
    unsafe { own(libc::accept(fd.number(), address, size)) }
}

/// The same without an address.
pub fn accept_any(fd: Fd) -> Result<OwnedFd> {
    // SAFETY: null pointers stand for no address.
    unsafe { accept(fd, ptr::null_mut(), ptr::null_mut()) }
}

pub fn shutdown(fd: Fd, how: c_int) -> Result<()> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::shutdown(fd.number(), how) }).map(drop)
}

/// # Safety
/// The kernel may read and write `size`, and write as many bytes as it says at `address`, or finds that it cannot.
pub unsafe fn getsockname(fd: Fd, address: *mut libc::sockaddr, size: *mut libc::socklen_t) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::getsockname(fd.number(), address, size) }).map(drop)
}

/// # Safety
/// As [`getsockname`].
pub unsafe fn getpeername(fd: Fd, address: *mut libc::sockaddr, size: *mut libc::socklen_t) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::getpeername(fd.number(), address, size) }).map(drop)
}

// --- options -------------------------------------------------------------------------------------------------------

/// # Safety
/// The kernel may read `size` bytes at `value`, or finds that it cannot.
pub unsafe fn setsockopt(fd: Fd, level: c_int, name: c_int, value: *const c_void, size: libc::socklen_t) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::setsockopt(fd.number(), level, name, value, size) }).map(drop)
}

/// # Safety
/// The kernel may read and write `size`, and write the value of the option at `value`, or finds that it cannot.
pub unsafe fn getsockopt(
    fd: Fd,
    level: c_int,
    name: c_int,
    value: *mut c_void,
    size: *mut libc::socklen_t,
) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::getsockopt(fd.number(), level, name, value, size) }).map(drop)
}

/// A value of an option that is made of numbers.
///
/// # Safety
/// Each value of the bytes is valid, and there is no padding.
pub unsafe trait OptionValue: Copy {
    const ZERO: Self;
}

// SAFETY: a number.
unsafe impl OptionValue for c_int {
    const ZERO: c_int = 0;
}
// SAFETY: a number.
unsafe impl OptionValue for u64 {
    const ZERO: u64 = 0;
}
// SAFETY: numbers, without padding on the architectures of Linux.
unsafe impl OptionValue for libc::timeval {
    const ZERO: libc::timeval = libc::timeval { tv_sec: 0, tv_usec: 0 };
}
// SAFETY: numbers of 32 bits.
unsafe impl OptionValue for libc::ucred {
    const ZERO: libc::ucred = libc::ucred { pid: 0, uid: 0, gid: 0 };
}

/// An option of the level SOL_SOCKET whose value is a `T`. There are no others than the constants below: the kernel counts
/// the size of some options in elements, and would write beyond a value of another type.
#[derive(Clone, Copy)]
pub struct SocketOption<T> {
    name: c_int,
    value: PhantomData<T>,
}

pub const SO_TYPE: SocketOption<c_int> = SocketOption { name: libc::SO_TYPE, value: PhantomData };
pub const SO_COOKIE: SocketOption<u64> = SocketOption { name: libc::SO_COOKIE, value: PhantomData };
pub const SO_PEERCRED: SocketOption<libc::ucred> = SocketOption { name: libc::SO_PEERCRED, value: PhantomData };
pub const SO_RCVTIMEO: SocketOption<libc::timeval> = SocketOption { name: libc::SO_RCVTIMEO, value: PhantomData };
pub const SO_SNDTIMEO: SocketOption<libc::timeval> = SocketOption { name: libc::SO_SNDTIMEO, value: PhantomData };

pub fn setsockopt_value<T: OptionValue>(fd: Fd, option: SocketOption<T>, value: &T) -> Result<()> {
    // SAFETY: the value is that of the option, and has its own size.
    unsafe { setsockopt(fd, libc::SOL_SOCKET, option.name, ptr::from_ref(value).cast(), size_as_socklen::<T>()) }
}

pub fn getsockopt_value<T: OptionValue>(fd: Fd, option: SocketOption<T>) -> Result<T> {
    let mut value = T::ZERO;
    let mut size = size_as_socklen::<T>();
    // SAFETY: the value is that of the option and valid for writing, and the size its own, in bytes.
    unsafe { getsockopt(fd, libc::SOL_SOCKET, option.name, (&raw mut value).cast(), &mut size) }.map(|()| value)
}

// --- data ----------------------------------------------------------------------------------------------------------

/// # Safety
/// The kernel may read `size` bytes at `data`, or finds that it cannot.
#[inline]
pub unsafe fn send(fd: Fd, data: *const c_void, size: usize, flags: c_int) -> Result<usize> {
    // SAFETY: as promised by the caller.
    check_size(unsafe { libc::send(fd.number(), data, size, flags) })
}

/// Sends a datagram without data.
pub fn sendto_empty<T: Address>(fd: Fd, flags: c_int, address: &T) -> Result<()> {
    let (address, size) = (pointer_to(address), size_as_socklen::<T>());
    // SAFETY: the address has its own size; no byte of data is read.
    check_size(unsafe { libc::sendto(fd.number(), ptr::null(), 0, flags, address, size) }).map(drop)
}

/// # Safety
/// The kernel may write `size` bytes at `data`, or finds that it cannot.
#[inline]
pub unsafe fn recv(fd: Fd, data: *mut c_void, size: usize, flags: c_int) -> Result<usize> {
    // SAFETY: as promised by the caller.
    check_size(unsafe { libc::recv(fd.number(), data, size, flags) })
}

/// Receives a datagram, and drops its data.
pub fn recv_nothing(fd: Fd, flags: c_int) -> Result<()> {
    // SAFETY: no byte is written to the buffer.
    unsafe { recv(fd, ptr::null_mut(), 0, flags) }.map(drop)
}

/// # Safety
/// The kernel may read the message and what it points to, or finds that it cannot.
#[inline]
pub unsafe fn sendmsg(fd: Fd, message: *const libc::msghdr, flags: c_int) -> Result<usize> {
    // SAFETY: as promised by the caller.
    check_size(unsafe { libc::sendmsg(fd.number(), message, flags) })
}

/// # Safety
/// The kernel may read and write the message, and write what it points to, or finds that it cannot.
#[inline]
pub unsafe fn recvmsg(fd: Fd, message: *mut libc::msghdr, flags: c_int) -> Result<usize> {
    // SAFETY: as promised by the caller.
    check_size(unsafe { libc::recvmsg(fd.number(), message, flags) })
}

/// The flags of a receive without a buffer for data or ancillary data.
pub fn recvmsg_flags(fd: Fd, flags: c_int) -> Result<c_int> {
    let mut header = empty_msghdr();
    // SAFETY: the header gives the kernel nothing to write to.
    unsafe { recvmsg(fd, &mut header, flags) }.map(|_| header.msg_flags)
}

pub const fn empty_msghdr() -> libc::msghdr {
    // SAFETY: all bytes zero is a valid msghdr: null pointers and zero lengths.
    unsafe { mem::zeroed() }
}

/// # Safety
/// As [`sendmsg`], for each of `count` messages; their sizes may be written.
#[inline]
pub unsafe fn sendmmsg(fd: Fd, messages: *mut libc::mmsghdr, count: c_uint, flags: c_int) -> Result<c_int> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::sendmmsg(fd.number(), messages, count, flags as _) })
}

/// # Safety
/// As [`recvmsg`], for each of `count` messages; `timeout` is null, or may be read and written.
#[inline]
pub unsafe fn recvmmsg(
    fd: Fd,
    messages: *mut libc::mmsghdr,
    count: c_uint,
    flags: c_int,
    timeout: *mut libc::timespec,
) -> Result<c_int> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::recvmmsg(fd.number(), messages, count, flags as _, timeout) })
}

/// The bytes of data in all datagrams that are queued.
pub fn ioctl_fionread(fd: Fd) -> Result<c_int> {
    let mut bytes = 0;
    // SAFETY: FIONREAD writes one int.
    check(unsafe { libc::ioctl(fd.number(), libc::FIONREAD, &raw mut bytes) })?;
    Ok(bytes)
}
