// SPDX-License-Identifier: Apache-2.0
//! Sockets.

use super::{Result, check, check_size, own, probe, size_as_socklen};
use crate::rt::fd::{Fd, OwnedFd};
use core::ffi::{c_char, c_int, c_uint, c_void};
use core::marker::PhantomData;
use core::mem;
use core::ptr;
use errno::Errno;

// --- addresses -----------------------------------------------------------------------------------------------------

/// A socket address of one family.
///
/// # Safety
/// The type begins with the fields of `struct sockaddr`. The first `size()` bytes are initialised.
pub unsafe trait Address: Sized {
    fn size(&self) -> libc::socklen_t {
        size_as_socklen::<Self>()
    }
}

// SAFETY: an address type of the C library without padding.
unsafe impl Address for libc::sockaddr_un {}
// SAFETY: as above.
unsafe impl Address for libc::sockaddr_in {}
// SAFETY: as above.
unsafe impl Address for libc::sockaddr_in6 {}

/// The address of a socket in the file system.
#[repr(C)]
pub struct SocketPath {
    native: libc::sockaddr_un,
    size: libc::socklen_t,
}

impl SocketPath {
    /// None: the path is empty or has more than 107 bytes.
    pub fn new(path: &[u8]) -> Option<SocketPath> {
        let mut native = libc::sockaddr_un { sun_family: libc::AF_UNIX as libc::sa_family_t, sun_path: [0; 108] };
        if path.is_empty() || path.len() >= native.sun_path.len() {
            return None;
        }
        for (to, from) in native.sun_path.iter_mut().zip(path) {
            *to = *from as c_char;
        }
        let size = mem::offset_of!(libc::sockaddr_un, sun_path) + path.len() + 1;
        Some(SocketPath { native, size: size as libc::socklen_t })
    }
}

// SAFETY: it begins with a sockaddr_un, whose size is not exceeded.
unsafe impl Address for SocketPath {
    fn size(&self) -> libc::socklen_t {
        self.size
    }
}

fn pointer_to<T: Address>(address: &T) -> *const libc::sockaddr {
    ptr::from_ref(address).cast()
}

// --- connections ---------------------------------------------------------------------------------------------------

pub fn socket(domain: c_int, kind: c_int, protocol: c_int) -> Result<OwnedFd> {
    // SAFETY: no pointer is passed.
    unsafe { own(libc::socket(domain, kind, protocol)) }
}

/// # Safety
/// The kernel may write two ints at `fds`, or fails with EFAULT.
pub unsafe fn socketpair(domain: c_int, kind: c_int, protocol: c_int, fds: *mut c_int) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::socketpair(domain, kind, protocol, fds) }).map(drop)
}

/// # Safety
/// The kernel may read `size` bytes at `address`, or fails with EFAULT.
pub unsafe fn bind(fd: Fd, address: *const libc::sockaddr, size: libc::socklen_t) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::bind(fd.number(), address, size) }).map(drop)
}

pub fn bind_to<T: Address>(fd: Fd, address: &T) -> Result<()> {
    // SAFETY: the size is that of the address.
    unsafe { bind(fd, pointer_to(address), address.size()) }
}

/// # Safety
/// The kernel may read `size` bytes at `address`, or fails with EFAULT.
pub unsafe fn connect(fd: Fd, address: *const libc::sockaddr, size: libc::socklen_t) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::connect(fd.number(), address, size) }).map(drop)
}

pub fn connect_to<T: Address>(fd: Fd, address: &T) -> Result<()> {
    // SAFETY: the size is that of the address.
    unsafe { connect(fd, pointer_to(address), address.size()) }
}

pub fn listen(fd: Fd, backlog: c_int) -> Result<()> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::listen(fd.number(), backlog) }).map(drop)
}

/// # Safety
/// The kernel may read and write `size`, and write `*size` bytes at `address`, or fails with EFAULT; both may be null.
pub unsafe fn accept(fd: Fd, address: *mut libc::sockaddr, size: *mut libc::socklen_t) -> Result<OwnedFd> {
    // SAFETY: as promised by the caller.
    unsafe { own(libc::accept(fd.number(), address, size)) }
}

/// The same with flags for the new socket, and without returning the address. Without flags, the call is accept(): a
/// sandbox may permit only that.
pub fn accept_any(fd: Fd, flags: c_int) -> Result<OwnedFd> {
    // SAFETY: null pointers mean that no address is requested.
    unsafe {
        match flags {
            0 => accept(fd, ptr::null_mut(), ptr::null_mut()),
            _ => own(libc::accept4(fd.number(), ptr::null_mut(), ptr::null_mut(), flags)),
        }
    }
}

pub fn shutdown(fd: Fd, how: c_int) -> Result<()> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::shutdown(fd.number(), how) }).map(drop)
}

/// # Safety
/// The kernel may read and write `size`, and write `*size` bytes at `address`, or fails with EFAULT.
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
/// The kernel may read `size` bytes at `value`, or fails with EFAULT.
pub unsafe fn setsockopt(fd: Fd, level: c_int, name: c_int, value: *const c_void, size: libc::socklen_t) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::setsockopt(fd.number(), level, name, value, size) }).map(drop)
}

/// # Safety
/// The kernel may read and write `size`, and write the value of the option at `value`, or fails with EFAULT.
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

/// An option value that consists of integers.
///
/// # Safety
/// All byte patterns are valid, and there is no padding.
pub unsafe trait OptionValue: Copy {
    const ZERO: Self;
}

// SAFETY: an integer.
unsafe impl OptionValue for c_int {
    const ZERO: c_int = 0;
}
// SAFETY: an integer.
unsafe impl OptionValue for u64 {
    const ZERO: u64 = 0;
}
// SAFETY: integers without padding on all Linux architectures.
unsafe impl OptionValue for libc::timeval {
    const ZERO: libc::timeval = libc::timeval { tv_sec: 0, tv_usec: 0 };
}
// SAFETY: 32-bit integers.
unsafe impl OptionValue for libc::ucred {
    const ZERO: libc::ucred = libc::ucred { pid: 0, uid: 0, gid: 0 };
}

/// An option of level SOL_SOCKET with a value of type `T`. Only the constants below exist: for some other options, the
/// kernel counts the size in elements, and would write beyond the value.
#[derive(Clone, Copy)]
pub struct SocketOption<T> {
    name: c_int,
    value: PhantomData<T>,
}

pub const SO_DOMAIN: SocketOption<c_int> = SocketOption { name: libc::SO_DOMAIN, value: PhantomData };
pub const SO_ACCEPTCONN: SocketOption<c_int> = SocketOption { name: libc::SO_ACCEPTCONN, value: PhantomData };
pub const SO_TYPE: SocketOption<c_int> = SocketOption { name: libc::SO_TYPE, value: PhantomData };
pub const SO_COOKIE: SocketOption<u64> = SocketOption { name: libc::SO_COOKIE, value: PhantomData };
pub const SO_PEERCRED: SocketOption<libc::ucred> = SocketOption { name: libc::SO_PEERCRED, value: PhantomData };
pub const SO_RCVTIMEO: SocketOption<libc::timeval> = SocketOption { name: libc::SO_RCVTIMEO, value: PhantomData };
pub const SO_SNDTIMEO: SocketOption<libc::timeval> = SocketOption { name: libc::SO_SNDTIMEO, value: PhantomData };

pub fn setsockopt_value<T: OptionValue>(fd: Fd, option: SocketOption<T>, value: &T) -> Result<()> {
    // SAFETY: the value has the type of the option, and the size is that of the value.
    unsafe { setsockopt(fd, libc::SOL_SOCKET, option.name, ptr::from_ref(value).cast(), size_as_socklen::<T>()) }
}

pub fn getsockopt_value<T: OptionValue>(fd: Fd, option: SocketOption<T>) -> Result<T> {
    let mut value = T::ZERO;
    let mut size = size_as_socklen::<T>();
    // SAFETY: the value has the type of the option and is valid for writing; the size is that of the value in bytes.
    unsafe { getsockopt(fd, libc::SOL_SOCKET, option.name, (&raw mut value).cast(), &mut size) }.map(|()| value)
}

/// Returns a descriptor of the process at the other end.
pub fn getsockopt_peerpidfd(fd: Fd) -> Result<OwnedFd> {
    // The libc crate has it only for some architectures. On sparc and parisc, which the library does not support, it has
    // other numbers.
    const SO_PEERPIDFD: SocketOption<c_int> = SocketOption { name: 77, value: PhantomData };
    // SAFETY: the kernel has created the file descriptor for the caller.
    unsafe { own(getsockopt_value(fd, SO_PEERPIDFD)?) }
}

// --- data ----------------------------------------------------------------------------------------------------------

/// # Safety
/// The kernel may read `size` bytes at `data`, or fails with EFAULT.
#[inline]
pub unsafe fn send(fd: Fd, data: *const c_void, size: usize, flags: c_int) -> Result<usize> {
    // SAFETY: as promised by the caller.
    check_size(unsafe { libc::send(fd.number(), data, size, flags) })
}

/// Sends a datagram without data.
pub fn sendto_empty<T: Address>(fd: Fd, flags: c_int, address: &T) -> Result<()> {
    let (address, size) = (pointer_to(address), address.size());
    // SAFETY: the size is that of the address; no data is read.
    check_size(unsafe { libc::sendto(fd.number(), ptr::null(), 0, flags, address, size) }).map(drop)
}

/// # Safety
/// The kernel may write `size` bytes at `data`, or fails with EFAULT.
#[inline]
pub unsafe fn recv(fd: Fd, data: *mut c_void, size: usize, flags: c_int) -> Result<usize> {
    // SAFETY: as promised by the caller.
    check_size(unsafe { libc::recv(fd.number(), data, size, flags) })
}

/// Receives a datagram and discards its data.
pub fn recv_discard(fd: Fd, flags: c_int) -> Result<()> {
    // SAFETY: the buffer has size 0.
    unsafe { recv(fd, ptr::null_mut(), 0, flags) }.map(drop)
}

/// # Safety
/// The kernel may read the message and the memory that it refers to, or fails with EFAULT.
#[inline]
pub unsafe fn sendmsg(fd: Fd, message: *const libc::msghdr, flags: c_int) -> Result<usize> {
    // SAFETY: as promised by the caller.
    check_size(unsafe { libc::sendmsg(fd.number(), message, flags) })
}

/// # Safety
/// The kernel may read and write the message, and write to the memory that it refers to, or fails with EFAULT.
#[inline]
pub unsafe fn recvmsg(fd: Fd, message: *mut libc::msghdr, flags: c_int) -> Result<usize> {
    // SAFETY: as promised by the caller.
    check_size(unsafe { c::recvmsg(fd.number(), message, flags) })
}

mod c {
    use super::c_int;

    unsafe extern "C" {
        // On 32-bit machines with 64-bit times, the libc crate calls __recvmsg64(), which reads the message itself.
        pub fn recvmsg(fd: c_int, message: *mut libc::msghdr, flags: c_int) -> isize;
    }
}

/// Receives without a buffer for data or ancillary data. Returns the flags.
pub fn recvmsg_flags(fd: Fd, flags: c_int) -> Result<c_int> {
    let mut header = empty_msghdr();
    // SAFETY: the header contains no buffer to write to.
    unsafe { recvmsg(fd, &mut header, flags) }.map(|_| header.msg_flags)
}

pub const fn empty_msghdr() -> libc::msghdr {
    // SAFETY: all bytes zero is a valid msghdr: null pointers and zero lengths.
    unsafe { mem::zeroed() }
}

/// # Safety
/// As [`sendmsg`], for each of `count` messages. Their sizes are valid for writing.
#[inline]
pub unsafe fn sendmmsg(fd: Fd, messages: *mut libc::mmsghdr, count: c_uint, flags: c_int) -> Result<c_int> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::sendmmsg(fd.number(), messages, count, flags as _) })
}

/// # Safety
/// As [`recvmsg`], for each of `count` messages. `timeout` is null, or valid for reading and writing.
#[inline]
pub unsafe fn recvmmsg(
    fd: Fd,
    messages: *mut libc::mmsghdr,
    count: c_uint,
    flags: c_int,
    timeout: *mut libc::timespec,
) -> Result<c_int> {
    if !timeout.is_null() {
        // SAFETY: the caller promised that the kernel may write there.
        unsafe { probe::check_writable(timeout) }?;
    }
    // Like the kernel, this receives no message after the first one that is not accessible.
    let readable = probe::readable_count(messages, count as usize) as c_uint;
    if readable == 0 && count != 0 {
        return Err(Errno(libc::EFAULT));
    }
    let count = readable;
    // SAFETY: as promised by the caller.
    check(unsafe { libc::recvmmsg(fd.number(), messages, count, flags as _, timeout) })
}

/// Returns the number of queued bytes.
pub fn ioctl_fionread(fd: Fd) -> Result<c_int> {
    let mut bytes = 0;
    // SAFETY: FIONREAD writes one int.
    check(unsafe { libc::ioctl(fd.number(), libc::FIONREAD, &raw mut bytes) })?;
    Ok(bytes)
}
