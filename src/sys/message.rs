//! Datagrams on their way to and from the kernel.

use super::cmsg::{Control, DescriptorRoom};
use super::readable::is_readable;
use super::{Result, check_size};
use std::ffi::c_int;
use std::mem;

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
    ///
    /// Only the kernel can look at an address that may be wrong. So the segment must be known to be readable: mostly it
    /// is, since a program declares it beside the message that `neighbour` is, or as a variable that lasts.
    #[inline]
    pub fn only<T>(&self, neighbour: &T) -> Option<OnlySegment> {
        if self.count != 1 || !is_readable(self.first, neighbour) {
            return None;
        }
        // SAFETY: it can be read, as was just found.
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
/// There are at most [`MAX_DESCRIPTORS`](super::cmsg::MAX_DESCRIPTORS) of `descriptors`.
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

impl Received {
    /// The flags that a caller is told: whether data or descriptors were cut off.
    #[inline]
    pub fn told_flags(&self) -> c_int {
        self.flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC)
    }
}

/// Receives one datagram without ancillary data: what comes with it is closed by the kernel.
#[inline]
pub fn recvmsg_data(fd: c_int, data: Segments) -> Result<Received> {
    let mut header = data.header();
    // SAFETY: the segments are as Segments::from_raw() was promised.
    let bytes = check_size(unsafe { libc::recvmsg(fd, &mut header, 0) })?;
    Ok(Received { bytes, flags: header.msg_flags, descriptors: 0, is_accompanied: false })
}

/// Receives one datagram. Descriptors that come with it are close-on-exec, and closed where there is no room for them.
#[inline]
pub fn recvmsg(fd: c_int, data: Segments, room: &DescriptorRoom, flags: c_int) -> Result<Received> {
    let mut control = Control::uninit();
    let mut header = data.header();
    control.offer(&mut header, room);
    // SAFETY: the control buffer outlives the call; the segments are as Segments::from_raw() was promised.
    let bytes = check_size(unsafe { libc::recvmsg(fd, &mut header, libc::MSG_CMSG_CLOEXEC | flags) })?;
    let is_accompanied = header.msg_controllen != 0;
    let descriptors = if is_accompanied { control.unpack(&mut header, room) } else { 0 };
    Ok(Received { bytes, flags: header.msg_flags, descriptors, is_accompanied })
}
