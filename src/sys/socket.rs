//! Calls on sockets, and waiting for them.

use super::{Result, check, check_size, own, size_as_socklen};
use errno::Errno;
use std::ffi::c_int;
use std::mem;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr;

pub fn unix_seqpacket_socket(flags: c_int) -> Result<OwnedFd> {
    // SAFETY: no pointer is passed.
    own(unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_SEQPACKET | flags, 0) })
}

/// A socket for datagrams that are at most signals between processes: it never blocks and is not inherited.
pub fn unix_datagram_socket() -> Result<OwnedFd> {
    let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: no pointer is passed.
    own(unsafe { libc::socket(libc::AF_UNIX, kind, 0) })
}

/// Sends a datagram without data.
pub fn send_empty_to(socket: &OwnedFd, address: &libc::sockaddr_un) -> Result<()> {
    let size = size_as_socklen::<libc::sockaddr_un>();
    // SAFETY: address points to size bytes; no byte of data is read.
    let sent = unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            ptr::null(),
            0,
            libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT,
            ptr::from_ref(address).cast(),
            size,
        )
    };
    check_size(sent).map(drop)
}

/// Receives a datagram that nobody wants to see; EAGAIN if there is none.
pub fn discard_datagram(socket: &OwnedFd) -> Result<()> {
    // SAFETY: no byte is written to the buffer.
    let received = unsafe { libc::recv(socket.as_raw_fd(), ptr::null_mut(), 0, libc::MSG_DONTWAIT) };
    check_size(received).map(drop)
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

/// Makes a socket that was created with SOCK_NONBLOCK a blocking one.
pub fn set_blocking(socket: &OwnedFd) -> Result<()> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_SETFL, 0) }).map(drop)
}

/// # Safety
/// The kernel may read and write `count` elements at `fds`, or finds that it cannot.
pub unsafe fn poll(fds: *mut libc::pollfd, count: c_int, timeout_ms: c_int) -> Result<c_int> {
    // A negative count becomes one that is larger than any limit, which the kernel refuses with EINVAL.
    // SAFETY: as promised by the caller.
    check(unsafe { libc::poll(fds, count as libc::nfds_t, timeout_ms) })
}

/// Waits until there is something to receive; false if the time ran out.
pub fn wait_readable(socket: &OwnedFd, timeout_ms: c_int) -> Result<bool> {
    let mut entry = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: entry is one valid element.
    unsafe { poll(&mut entry, 1, timeout_ms) }.map(|ready| ready > 0)
}

/// Waits for that time, if no signal handler runs.
pub fn wait_for_nothing(timeout_ms: c_int) -> Result<()> {
    // SAFETY: there is no element.
    unsafe { poll(ptr::null_mut(), 0, timeout_ms) }.map(drop)
}

/// What poll reports of one descriptor now, among `events` and those that are always reported.
pub fn pending_events(fd: c_int, events: i16) -> Result<i16> {
    let mut entry = libc::pollfd { fd, events, revents: 0 };
    // SAFETY: entry is one valid element.
    unsafe { poll(&mut entry, 1, 0) }?;
    Ok(entry.revents)
}

/// Whether that is the number of a socket, as far as can be found out.
pub fn is_socket(fd: c_int) -> bool {
    !matches!(get_option::<c_int>(fd, libc::SO_TYPE), Err(Errno(libc::EBADF | libc::ENOTSOCK)))
}

/// A number that no other socket of the network namespace ever has.
pub fn cookie(fd: c_int) -> Result<u64> {
    get_option(fd, libc::SO_COOKIE)
}

/// The process that created or listens to the socket, 0 if it is not visible here.
pub fn process_of(socket: &OwnedFd) -> Result<libc::pid_t> {
    get_option::<Credentials>(socket.as_raw_fd(), libc::SO_PEERCRED).map(|credentials| credentials.pid)
}

/// The kernel's struct ucred.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Credentials {
    pid: libc::pid_t,
    uid: libc::uid_t,
    gid: libc::gid_t,
}

/// An option of level SOL_SOCKET whose value is made of numbers.
fn get_option<T: Copy + Default>(fd: c_int, name: c_int) -> Result<T> {
    let mut value = T::default();
    let mut size = size_as_socklen::<T>();
    // SAFETY: the value is valid for writing, and the size its own; every value of the bytes is a valid one.
    check(unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, name, (&raw mut value).cast(), &mut size) })?;
    Ok(value)
}

/// Bytes of data in all datagrams that are queued.
pub fn bytes_queued(fd: c_int) -> Result<c_int> {
    let mut bytes = 0;
    // SAFETY: FIONREAD writes one int.
    check(unsafe { libc::ioctl(fd, libc::FIONREAD, &raw mut bytes) })?;
    Ok(bytes)
}

/// The flags with which the next datagram would be received without room for data or descriptors. It stays queued.
pub fn flags_of_next_datagram(fd: c_int) -> Result<c_int> {
    // SAFETY: all bytes zero is a valid msghdr: null pointers and zero lengths.
    let mut header: libc::msghdr = unsafe { mem::zeroed() };
    // SAFETY: the header gives the kernel nothing to write to.
    check_size(unsafe { libc::recvmsg(fd, &mut header, libc::MSG_PEEK | libc::MSG_DONTWAIT) })?;
    Ok(header.msg_flags)
}
