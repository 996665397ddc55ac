//! The floor: every call of the kernel and of the C library, one function each, nothing decided.
//!
//! A function that trusts a raw pointer is an `unsafe fn`, or takes a type whose constructor is. Nothing here retries,
//! logs or raises: a failure is the errno it came with.

pub mod cmsg;

use cmsg::{Control, DescriptorRoom};
use errno::{Errno, errno};
use std::ffi::{CStr, c_int, c_void};
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

pub type Result<T> = std::result::Result<T, Errno>;

/// The convention of most calls: a negative result means that errno says why.
fn check(result: c_int) -> Result<c_int> {
    if result < 0 { Err(errno()) } else { Ok(result) }
}

/// The same for calls that count bytes.
fn check_size(result: isize) -> Result<usize> {
    usize::try_from(result).map_err(|_| errno())
}

/// Takes ownership of a descriptor that a call has just returned.
fn own(result: c_int) -> Result<OwnedFd> {
    let fd = check(result)?;
    // SAFETY: the kernel has just allocated fd for this call, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

const fn size_as_socklen<T>() -> libc::socklen_t {
    size_of::<T>() as libc::socklen_t
}

// --- files ---------------------------------------------------------------------------------------------------------

pub fn close(fd: c_int) -> Result<()> {
    // SAFETY: a C caller may close any number it likes; no OwnedFd of the library is ever known to C.
    check(unsafe { libc::close(fd) }).map(drop)
}

/// # Safety
/// The kernel may write to `size` bytes at `buffer`, or finds that it cannot.
pub unsafe fn read(fd: c_int, buffer: *mut c_void, size: usize) -> Result<usize> {
    // SAFETY: as promised by the caller.
    check_size(unsafe { libc::read(fd, buffer, size) })
}

/// # Safety
/// The kernel may read `size` bytes at `buffer`, or finds that it cannot.
pub unsafe fn write(fd: c_int, buffer: *const c_void, size: usize) -> Result<usize> {
    // SAFETY: as promised by the caller.
    check_size(unsafe { libc::write(fd, buffer, size) })
}

pub fn write_bytes(fd: c_int, bytes: &[u8]) -> Result<usize> {
    // SAFETY: the slice is valid for reading.
    unsafe { write(fd, bytes.as_ptr().cast(), bytes.len()) }
}

// --- sockets -------------------------------------------------------------------------------------------------------

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

// --- messages ------------------------------------------------------------------------------------------------------

/// The buffers of a C caller on their way to the kernel, which alone looks into them.
#[derive(Clone, Copy)]
pub struct Segments {
    first: *mut libc::iovec,
    count: c_int,
}

impl Segments {
    /// # Safety
    /// `first` points to `count` elements, and each of them to memory that the kernel may read (to send) or write (to
    /// receive). Where the kernel finds that it cannot, or `count` is negative, the call fails and nothing is harmed.
    pub const unsafe fn from_raw(first: *mut libc::iovec, count: c_int) -> Segments {
        Segments { first, count }
    }

    pub const fn count(&self) -> c_int {
        self.count
    }

    /// The only segment, where `send` means the same as `sendmsg`: there is exactly one, of a possible length.
    #[inline]
    pub fn only(&self) -> Option<OnlySegment> {
        if self.count != 1 || self.first.is_null() {
            return None;
        }
        // SAFETY: from_raw() was promised that first points to count elements, and there is one.
        let segment = unsafe { self.first.read() };
        (segment.iov_len <= isize::MAX as usize).then_some(OnlySegment(segment))
    }

    /// A negative count becomes one that is larger than any limit, which the kernel refuses with EMSGSIZE.
    fn header(&self) -> libc::msghdr {
        // SAFETY: all bytes zero is a valid msghdr: null pointers and zero lengths.
        let mut header: libc::msghdr = unsafe { mem::zeroed() };
        header.msg_iov = self.first;
        header.msg_iovlen = self.count as _;
        header
    }
}

/// See [`Segments::only`].
pub struct OnlySegment(libc::iovec);

/// Sends one datagram. A peer that is gone gives EPIPE, never a signal.
#[inline]
pub fn send(fd: c_int, segment: &OnlySegment) -> Result<usize> {
    let (base, size) = (segment.0.iov_base, segment.0.iov_len);
    // SAFETY: Segments::from_raw() was promised that the kernel may read there, or finds that it cannot.
    check_size(unsafe { libc::send(fd, base, size, libc::MSG_NOSIGNAL) })
}

/// Sends one datagram with descriptors. A peer that is gone gives EPIPE, never a signal.
///
/// There are at most [`cmsg::MAX_DESCRIPTORS`] of `descriptors`.
pub fn sendmsg(fd: c_int, data: Segments, descriptors: &[c_int]) -> Result<usize> {
    let mut control = Control::uninit();
    let mut header = data.header();
    control.pack(&mut header, descriptors);
    // SAFETY: the control buffer outlives the call; the segments are as Segments::from_raw() was promised.
    check_size(unsafe { libc::sendmsg(fd, &header, libc::MSG_NOSIGNAL) })
}

/// What one receive brought.
pub struct Received {
    pub bytes: usize,
    /// The kernel's flags, MSG_CTRUNC added where descriptors were refused here.
    pub flags: c_int,
    /// How many descriptors were handed out through the room given.
    pub descriptors: c_int,
    /// Whether any ancillary data came with it.
    pub is_accompanied: bool,
}

/// Receives one datagram. Descriptors that come with it are close-on-exec, and closed where there is no room for them.
#[inline]
pub fn recvmsg(fd: c_int, data: Segments, room: &DescriptorRoom) -> Result<Received> {
    let mut control = Control::uninit();
    let mut header = data.header();
    control.offer(&mut header, room);
    // SAFETY: the control buffer outlives the call; the segments are as Segments::from_raw() was promised.
    let bytes = check_size(unsafe { libc::recvmsg(fd, &mut header, libc::MSG_CMSG_CLOEXEC) })?;
    let is_accompanied = header.msg_controllen != 0;
    let descriptors = if is_accompanied { control.unpack(&mut header, room) } else { 0 };
    Ok(Received { bytes, flags: header.msg_flags, descriptors, is_accompanied })
}

// --- environment, time, text ---------------------------------------------------------------------------------------

/// Hands the value of an environment variable to `use_value`, None if there is none or the program runs with more
/// privileges than its caller, who must not steer it.
pub fn with_environment_variable<T>(name: &CStr, use_value: impl FnOnce(&[u8]) -> T) -> Option<T> {
    // SAFETY: name is terminated. That no other thread changes the environment meanwhile is the program's duty, as
    // with every getenv() of C.
    let value = unsafe { secure_getenv(name.as_ptr()) };
    // SAFETY: a value that is not null is a terminated string, used before this returns.
    (!value.is_null()).then(|| use_value(unsafe { CStr::from_ptr(value) }.to_bytes()))
}

unsafe extern "C" {
    // In glibc and musl; the libc crate does not declare it for all of its targets.
    fn secure_getenv(name: *const libc::c_char) -> *const libc::c_char;
}

/// The time now, local; all zero if it cannot be told.
pub fn local_time() -> libc::tm {
    // SAFETY: all bytes zero is a valid tm, its time zone name a null pointer.
    let mut broken_down: libc::tm = unsafe { mem::zeroed() };
    // SAFETY: both pointers are valid for the call.
    unsafe {
        let now = libc::time(ptr::null_mut());
        libc::localtime_r(&now, &mut broken_down);
    }
    broken_down
}

/// Pauses the calling thread; a signal handler that runs meanwhile ends the pause with EINTR.
pub fn sleep(time: Duration) -> Result<()> {
    let time = libc::timespec {
        tv_sec: libc::time_t::try_from(time.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: time.subsec_nanos() as _,
    };
    // SAFETY: time is valid for the call; the time that remains is not asked for.
    check(unsafe { libc::nanosleep(&time, ptr::null_mut()) }).map(drop)
}

/// Hands the C library's text for an errno value to `use_text`.
pub fn strerror(error: Errno, use_text: impl FnOnce(&[u8])) {
    let mut buffer = [0; 256];
    // An unknown number or a short buffer still gives a terminated text.
    strerror_r(error.0, &mut buffer);
    use_text(buffer.split(|byte| *byte == 0).next().unwrap_or_default());
}

/// The POSIX strerror_r, and its result: 0, ERANGE or EINVAL.
pub fn strerror_r(error: c_int, buffer: &mut [u8]) -> c_int {
    // SAFETY: the buffer is valid for its length.
    unsafe { libc::strerror_r(error, buffer.as_mut_ptr().cast(), buffer.len()) }
}

// --- processes -----------------------------------------------------------------------------------------------------

static FORKS: AtomicU32 = AtomicU32::new(0);

/// Counts the forks between the program that loaded the library and this process, from the first call on. Two equal
/// counts taken in one process or its ancestors mean that no fork lies between them.
pub fn fork_generation() -> u32 {
    extern "C" fn count() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }
    static REGISTERED: once_cell::sync::OnceCell<()> = once_cell::sync::OnceCell::new();
    REGISTERED.get_or_init(|| {
        // SAFETY: count() is async-signal-safe and stays loaded: the library is linked with -z nodelete. Where memory
        // is too short to register it, the count stays as it is.
        unsafe { libc::pthread_atfork(None, None, Some(count)) };
    });
    FORKS.load(Ordering::Relaxed)
}
