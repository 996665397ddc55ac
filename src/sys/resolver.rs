// SPDX-License-Identifier: Apache-2.0
//! The resolver of the C library.

use core::ffi::{CStr, c_char, c_int};
use core::ptr;
use errno::{Errno, errno};

/// A failure of the resolver: its code, and the errno value after the call.
#[derive(Clone, Copy)]
pub struct Failure {
    pub code: c_int,
    pub errno: Errno,
}

fn check(code: c_int) -> Result<(), Failure> {
    if code == 0 { Ok(()) } else { Err(Failure { code, errno: errno() }) }
}

/// Returns a list, which must be freed by [`freeaddrinfo`].
pub fn getaddrinfo(
    node: Option<&CStr>,
    service: Option<&CStr>,
    hints: Option<&libc::addrinfo>,
) -> Result<*mut libc::addrinfo, Failure> {
    let mut list = ptr::null_mut();
    let (node, service) = (node.map_or(ptr::null(), CStr::as_ptr), service.map_or(ptr::null(), CStr::as_ptr));
    // SAFETY: null or terminated strings; null or a valid structure; the list is valid for writing.
    check(unsafe { libc::getaddrinfo(node, service, hints.map_or(ptr::null(), ptr::from_ref), &mut list) })?;
    Ok(list)
}

/// # Safety
/// `list` is null or a list from the resolver that is not used afterwards.
pub unsafe fn freeaddrinfo(list: *mut libc::addrinfo) {
    if !list.is_null() {
        // SAFETY: not null, so as promised by the caller.
        unsafe { libc::freeaddrinfo(list) };
    }
}

/// The buffer for the name of a host or a service. Null: the name is not requested.
pub struct NameBuffer {
    pub first: *mut c_char,
    pub size: libc::socklen_t,
}

/// # Safety
/// `address` is valid for reading `size` bytes; the buffers are null or valid for writing.
pub unsafe fn getnameinfo(
    address: *const libc::sockaddr,
    size: libc::socklen_t,
    host: &NameBuffer,
    service: &NameBuffer,
    flags: c_int,
) -> Result<(), Failure> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::getnameinfo(address, size, host.first, host.size, service.first, service.size, flags) })
}

/// Calls `use_message` with the C library's message for a code.
pub fn gai_strerror<T>(code: c_int, use_message: impl FnOnce(&[u8]) -> T) -> T {
    // SAFETY: gai_strerror() returns a terminated message for every number.
    use_message(unsafe { CStr::from_ptr(libc::gai_strerror(code)) }.to_bytes())
}
