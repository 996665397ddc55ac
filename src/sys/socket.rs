//! Calls on sockets, and waiting for them.

use super::{Result, check, own, size_as_socklen};
use std::ffi::c_int;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr;
use std::time::Duration;

pub fn unix_seqpacket_socket(flags: c_int) -> Result<OwnedFd> {
    // SAFETY: no pointer is passed.
    own(unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_SEQPACKET | flags, 0) })
}

/// # Safety
/// The kernel may write two ints at `fds`, or finds that it cannot.
pub unsafe fn unix_seqpacket_pair(fds: *mut c_int) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_SEQPACKET, 0, fds) }).map(drop)
}

/// Binds to the whole address: its padding is part of an abstract name.
pub fn bind_unix(socket: &OwnedFd, address: &libc::sockaddr_un) -> Result<()> {
    let size = size_as_socklen::<libc::sockaddr_un>();
    // SAFETY: address points to size bytes.
    check(unsafe { libc::bind(socket.as_raw_fd(), ptr::from_ref(address).cast(), size) }).map(drop)
}

/// Connects to the whole address: its padding is part of an abstract name.
pub fn connect_unix(socket: &OwnedFd, address: &libc::sockaddr_un) -> Result<()> {
    let size = size_as_socklen::<libc::sockaddr_un>();
    // SAFETY: address points to size bytes.
    check(unsafe { libc::connect(socket.as_raw_fd(), ptr::from_ref(address).cast(), size) }).map(drop)
}

pub fn listen(socket: &OwnedFd, backlog: c_int) -> Result<()> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::listen(socket.as_raw_fd(), backlog) }).map(drop)
}

pub fn accept(listener: &OwnedFd) -> Result<OwnedFd> {
    // SAFETY: null pointers ask for no address.
    own(unsafe { libc::accept(listener.as_raw_fd(), ptr::null_mut(), ptr::null_mut()) })
}

pub fn shut_down_reading(socket: &OwnedFd) -> Result<()> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::shutdown(socket.as_raw_fd(), libc::SHUT_RD) }).map(drop)
}

/// Bounds the time that connect and send may block; zero means no bound.
pub fn set_send_timeout(socket: &OwnedFd, timeout: Duration) -> Result<()> {
    let value = libc::timeval {
        tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_usec: timeout.subsec_micros() as libc::suseconds_t,
    };
    // SAFETY: value is a timeval, as SO_SNDTIMEO wants, and the size is its own.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_SNDTIMEO,
            ptr::from_ref(&value).cast(),
            size_as_socklen::<libc::timeval>(),
        )
    };
    check(result).map(drop)
}

/// # Safety
/// The kernel may read and write `count` elements at `fds`, or finds that it cannot.
pub unsafe fn poll(fds: *mut libc::pollfd, count: c_int, timeout_ms: c_int) -> Result<c_int> {
    // A negative count becomes one that is larger than any limit, which the kernel refuses with EINVAL.
    // SAFETY: as promised by the caller.
    check(unsafe { libc::poll(fds, count as libc::nfds_t, timeout_ms) })
}

/// What poll reports of one descriptor now, among `events` and those that are always reported.
pub fn pending_events(fd: c_int, events: i16) -> Result<i16> {
    let mut entry = libc::pollfd { fd, events, revents: 0 };
    // SAFETY: entry is one valid element.
    unsafe { poll(&mut entry, 1, 0) }?;
    Ok(entry.revents)
}
