//! Ancillary data: descriptors that travel with a message.

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
