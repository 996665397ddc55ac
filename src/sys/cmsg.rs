//! Ancillary data: descriptors that travel with a message.

use super::cancel::WithoutCancellation;
use std::ffi::{c_int, c_uint};
use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};

/// The most descriptors that one message can carry (SCM_MAX_FD of the kernel).
pub const MAX_DESCRIPTORS: usize = 253;

const ALL_DESCRIPTORS: c_uint = (MAX_DESCRIPTORS * size_of::<c_int>()) as c_uint;

// SAFETY: these only compute.
const SPACE: usize = unsafe { libc::CMSG_SPACE(ALL_DESCRIPTORS) } as usize;

/// Linux's number for the ancillary message that brings a descriptor of the sending process.
const SCM_PIDFD: c_int = 4;

/// Where a C caller wants received descriptors: the array that it gave, and how many fit into it.
pub struct DescriptorRoom {
    first: *mut c_int,
    capacity: usize,
}

impl DescriptorRoom {
    /// Room for `capacity` descriptors, none if it is negative, and never more than a message can bring.
    ///
    /// # Safety
    /// `capacity` ints may be written at `first`.
    #[inline]
    pub unsafe fn from_raw(first: *mut c_int, capacity: c_int) -> DescriptorRoom {
        let capacity = usize::try_from(capacity).unwrap_or(0).min(MAX_DESCRIPTORS);
        DescriptorRoom { first, capacity }
    }

    /// Bytes of control data that hold exactly as many descriptors as there is room for. Space rounded up, as
    /// CMSG_SPACE gives it, would let one more in.
    #[inline]
    fn control_len(&self) -> usize {
        match self.capacity {
            0 => 0,
            // SAFETY: this only computes.
            capacity => unsafe { libc::CMSG_LEN((capacity * size_of::<c_int>()) as c_uint) as usize },
        }
    }

    /// Hands a descriptor out to the C caller; gives it back if the room is full.
    fn hand_out(&self, position: usize, descriptor: OwnedFd) -> Result<(), OwnedFd> {
        if position >= self.capacity {
            return Err(descriptor);
        }
        // SAFETY: position is below the capacity, for which from_raw() was promised memory.
        unsafe { self.first.add(position).write(descriptor.into_raw_fd()) };
        Ok(())
    }
}

/// Control data of one message, with room for as many descriptors as the kernel passes.
#[repr(C)]
pub struct Control {
    alignment: [libc::cmsghdr; 0],
    bytes: MaybeUninit<[u8; SPACE]>,
}

impl Control {
    /// Nothing is initialised: this stands on the path of every message.
    #[inline]
    pub fn uninit() -> Control {
        Control { alignment: [], bytes: MaybeUninit::uninit() }
    }

    /// Puts `descriptors` (at most [`MAX_DESCRIPTORS`]; the rest is left out) into the control data of `header`.
    pub fn pack(&mut self, header: &mut libc::msghdr, descriptors: &[c_int]) {
        let descriptors = descriptors.get(..MAX_DESCRIPTORS).unwrap_or(descriptors);
        if descriptors.is_empty() {
            return;
        }
        let size = size_of_val(descriptors);
        // SAFETY: the buffer is aligned for a cmsghdr and has SPACE bytes, enough for a header and size bytes of data.
        unsafe {
            // The length is not padded: this is how the original sends it.
            let len = libc::CMSG_LEN(size as c_uint);
            header.msg_control = self.bytes.as_mut_ptr().cast();
            header.msg_controllen = len as _;
            let message = self.bytes.as_mut_ptr().cast::<libc::cmsghdr>();
            (*message).cmsg_len = len as _;
            (*message).cmsg_level = libc::SOL_SOCKET;
            (*message).cmsg_type = libc::SCM_RIGHTS;
            libc::CMSG_DATA(message).copy_from_nonoverlapping(descriptors.as_ptr().cast(), size);
        }
    }

    /// Lets the kernel write control data for as many descriptors as there is room for.
    #[inline]
    pub fn offer(&mut self, header: &mut libc::msghdr, room: &DescriptorRoom) {
        header.msg_control = self.bytes.as_mut_ptr().cast();
        header.msg_controllen = room.control_len() as _;
    }

    /// Hands out the descriptors that a receive put into `header`, and says how many.
    ///
    /// Every control message is looked at: with SO_PASSCRED the descriptors are not in the first. One that does not
    /// fit is closed, with MSG_CTRUNC set; so is the descriptor of the sending process that SO_PASSPIDFD installs.
    #[cold]
    pub fn unpack(&self, header: &mut libc::msghdr, room: &DescriptorRoom) -> c_int {
        // To close one is a cancellation point, and nobody would know of the others.
        let _whole = WithoutCancellation::begin();
        let mut handed_out = 0;
        self.for_each_descriptor(header, |kind, descriptor| {
            if kind != libc::SCM_RIGHTS {
                return true;
            }
            let fits = room.hand_out(handed_out, descriptor).is_ok();
            handed_out += usize::from(fits);
            fits
        });
        handed_out as c_int
    }

    /// Gives every descriptor in the control data to `take`, with the type of its control message. Where `take`
    /// refuses one, MSG_CTRUNC is set.
    fn for_each_descriptor(&self, header: &mut libc::msghdr, mut take: impl FnMut(c_int, OwnedFd) -> bool) {
        let mut truncated = false;
        // SAFETY: the kernel has filled msg_controllen bytes at msg_control, which is this buffer, with control messages
        // whose lengths are true; the macros of the C library walk them. The descriptors in them are new, nobody
        // else's; CMSG_DATA need not be aligned for them.
        unsafe {
            let mut message = libc::CMSG_FIRSTHDR(header);
            while !message.is_null() {
                let kind = (*message).cmsg_type;
                let size = ((*message).cmsg_len as usize).saturating_sub(libc::CMSG_LEN(0) as usize);
                let brings_descriptors =
                    (*message).cmsg_level == libc::SOL_SOCKET && matches!(kind, libc::SCM_RIGHTS | SCM_PIDFD);
                if brings_descriptors {
                    let first = libc::CMSG_DATA(message).cast::<c_int>();
                    for position in 0..size / size_of::<c_int>() {
                        let fd = first.add(position).read_unaligned();
                        // A pidfd that could not be installed is a negative number.
                        if fd >= 0 {
                            truncated |= !take(kind, OwnedFd::from_raw_fd(fd));
                        }
                    }
                }
                message = libc::CMSG_NXTHDR(header, message);
            }
        }
        if truncated {
            header.msg_flags |= libc::MSG_CTRUNC;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem;
    use std::os::fd::AsRawFd;
    use std::ptr;

    fn empty_header() -> libc::msghdr {
        // SAFETY: all bytes zero is a valid msghdr.
        unsafe { mem::zeroed() }
    }

    /// Descriptors that may be given away.
    fn descriptors(count: usize) -> Vec<c_int> {
        (0..count).map(|_| std::io::pipe().unwrap().0.into_raw_fd()).collect()
    }

    fn is_open(fd: c_int) -> bool {
        // SAFETY: no pointer is passed.
        unsafe { libc::fcntl(fd, libc::F_GETFD) != -1 }
    }

    #[test]
    fn no_descriptors_make_no_control_data() {
        let mut header = empty_header();
        Control::uninit().pack(&mut header, &[]);
        assert!(header.msg_control.is_null());
        assert_eq!(header.msg_controllen, 0);
    }

    #[test]
    fn packed_descriptors_have_a_length_without_padding() {
        for count in [1, 2, 3, MAX_DESCRIPTORS] {
            let (mut header, mut control) = (empty_header(), Control::uninit());
            control.pack(&mut header, &vec![7; count]);
            assert_eq!(header.msg_controllen, (size_of::<libc::cmsghdr>() + 4 * count) as _);
        }
    }

    #[test]
    fn room_is_offered_for_exactly_what_fits() {
        let header_size = size_of::<libc::cmsghdr>();
        let cases = [(-1, 0), (0, 0), (1, header_size + 4), (3, header_size + 12), (i32::MAX, header_size + 4 * 253)];
        for (capacity, expected) in cases {
            // SAFETY: nothing is received.
            let room = unsafe { DescriptorRoom::from_raw(ptr::null_mut(), capacity) };
            assert_eq!(room.control_len(), expected);
        }
    }

    #[test]
    fn unpacking_hands_out_what_fits_and_closes_the_rest() {
        let sent = descriptors(5);
        let (mut header, mut control) = (empty_header(), Control::uninit());
        control.pack(&mut header, &sent);
        let mut received = [-1; 5];
        // SAFETY: there is room for three and more.
        let room = unsafe { DescriptorRoom::from_raw(received.as_mut_ptr(), 3) };
        assert_eq!(control.unpack(&mut header, &room), 3);
        assert_eq!(received, [sent[0], sent[1], sent[2], -1, -1]);
        assert_eq!(header.msg_flags, libc::MSG_CTRUNC);
        assert!(sent[..3].iter().all(|fd| is_open(*fd)));
        for fd in &received[..3] {
            // SAFETY: it was handed out, so it is ours.
            drop(unsafe { OwnedFd::from_raw_fd(fd.as_raw_fd()) });
        }
    }
}
