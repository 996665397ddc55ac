//! Datagrams on their way to and from the kernel.

use super::cmsg::{Control, DescriptorRoom};
use super::{Result, check_size};
use std::ffi::c_int;
use std::mem;
use std::ptr;

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
    /// Only the kernel can look at an address that may be wrong. So the segment must lie on a page that is known to be
    /// readable, since `readable` lies there too: as it does where a program declares both side by side.
    #[inline]
    pub fn only<T>(&self, readable: &T) -> Option<OnlySegment> {
        if self.count != 1 || !is_on_pages_of(readable, self.first) {
            return None;
        }
        // SAFETY: memory of a reference can be read, and so can the pages that it lies on.
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

#[inline]
fn is_on_pages_of<T, U>(readable: &T, pointer: *const U) -> bool {
    // No architecture has smaller ones.
    const PAGE: usize = 4096;
    let first_byte = ptr::from_ref(readable).addr();
    let pages = first_byte / PAGE..=(first_byte + size_of::<T>() - 1) / PAGE;
    let last_byte = pointer.addr().wrapping_add(size_of::<U>() - 1);
    pointer.is_aligned() && pages.contains(&(pointer.addr() / PAGE)) && pages.contains(&(last_byte / PAGE))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_shares_a_page_is_looked_at() {
        #[repr(C, align(4096))]
        struct Pages([[u64; 512]; 2]);

        let pages = Box::new(Pages([[0; 512]; 2]));
        let start = ptr::from_ref(&*pages).cast::<u64>();
        let near = |readable: &u64, offset: isize| {
            is_on_pages_of::<_, [u64; 2]>(readable, start.wrapping_offset(offset).cast())
        };
        let first = &pages.0[0][7];
        for (offset, expected) in [(-1, false), (0, true), (510, true), (511, false), (512, false), (-512, false)] {
            assert_eq!(near(first, offset), expected, "{offset}");
        }
        let both: &[u64; 4] = pages.0.as_flattened()[510..514].try_into().unwrap();
        assert!(is_on_pages_of::<_, [u64; 2]>(both, start.wrapping_add(511).cast()));
        assert!(is_on_pages_of::<_, [u64; 2]>(both, start.wrapping_add(1022).cast()));
        assert!(!is_on_pages_of::<_, [u64; 2]>(both, start.wrapping_add(1023).cast()));
        assert!(!is_on_pages_of::<_, [u64; 2]>(first, ptr::null()));
        assert!(!is_on_pages_of::<_, [u64; 2]>(first, ptr::without_provenance(usize::MAX - 7)));
        assert!(!is_on_pages_of::<_, [u64; 2]>(first, start.wrapping_byte_add(1).cast()));
    }
}
