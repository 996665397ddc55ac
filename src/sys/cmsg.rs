//! Ancillary data: descriptors that travel with a message.

use super::cancel::WithoutCancellation;
use super::numbers;
use std::ffi::{c_int, c_uint};
use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};

/// The most descriptors that one message can carry (SCM_MAX_FD of the kernel).
pub const MAX_DESCRIPTORS: usize = 253;

/// Bytes of control data for everything that the kernel may put beside data: all descriptors of a message, and whatever
/// options of the socket ask for. Those come first, and would leave less for the descriptors.
const SPACE: usize = space(MAX_DESCRIPTORS * size_of::<c_int>())
    + space(size_of::<libc::ucred>())
    + space(size_of::<c_int>())
    + space(size_of::<libc::timeval>())
    + space(3 * size_of::<libc::timespec>())
    + space(LONGEST_LABEL);

/// A security label has at most a page, and pages of the architectures that have longer ones hold no longer labels.
const LONGEST_LABEL: usize = 4096;

const fn space(size: usize) -> usize {
    // SAFETY: this only computes.
    unsafe { libc::CMSG_SPACE(size as c_uint) as usize }
}

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

    /// Where no descriptor is wanted, the kernel closes what comes. Where any is, it cannot be told how many may come,
    /// since what else comes takes of the same bytes: those beyond the capacity are closed here.
    #[inline]
    fn control_len(&self) -> usize {
        if self.capacity == 0 { 0 } else { SPACE }
    }

    /// Hands a descriptor out to the C caller; gives it back if the room is full.
    fn hand_out(&self, position: usize, descriptor: OwnedFd) -> Result<(), OwnedFd> {
        if position >= self.capacity {
            return Err(descriptor);
        }
        let fd = descriptor.into_raw_fd();
        numbers::note_returned(fd);
        // SAFETY: position is below the capacity, for which from_raw() was promised memory.
        unsafe { self.first.add(position).write(fd) };
        Ok(())
    }
}

/// Control data of one message.
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
        let (mut handed_out, mut truncated) = (0, false);
        // SAFETY: the kernel has filled msg_controllen bytes at msg_control, which is this buffer. The descriptors in it
        // are new, nobody else's.
        unsafe {
            for_each_descriptor(header, |kind, fd| {
                let descriptor = OwnedFd::from_raw_fd(fd);
                if kind == libc::SCM_RIGHTS {
                    match room.hand_out(handed_out, descriptor) {
                        Ok(()) => handed_out += 1,
                        Err(_closed) => truncated = true,
                    }
                }
            });
        }
        if truncated {
            header.msg_flags |= libc::MSG_CTRUNC;
        }
        handed_out as c_int
    }
}

/// Notes the descriptors that came with a message into the control data of a C caller, who takes them from there.
///
/// # Safety
/// The kernel has filled `msg_controllen` bytes at `msg_control`.
#[cold]
pub unsafe fn note_received(header: &libc::msghdr) {
    // SAFETY: as promised by the caller.
    unsafe { for_each_descriptor(header, |_, fd| numbers::note_returned(fd)) };
}

/// Gives each descriptor in the control data to `take`, with the type of its control message.
///
/// # Safety
/// `msg_controllen` bytes at `msg_control` may be read. They hold control messages as the kernel writes them: the last
/// one need not be padded.
unsafe fn for_each_descriptor(header: &libc::msghdr, mut take: impl FnMut(c_int, c_int)) {
    // SAFETY: the macros of the C library stay within what the caller promised. CMSG_DATA need not be aligned for an int.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(header);
        while !message.is_null() {
            let kind = (*message).cmsg_type;
            let size = ((*message).cmsg_len as usize).saturating_sub(libc::CMSG_LEN(0) as usize);
            if (*message).cmsg_level == libc::SOL_SOCKET && matches!(kind, libc::SCM_RIGHTS | SCM_PIDFD) {
                let first = libc::CMSG_DATA(message).cast::<c_int>();
                for position in 0..size / size_of::<c_int>() {
                    let fd = first.add(position).read_unaligned();
                    // A pidfd that could not be installed is a negative number.
                    if fd >= 0 {
                        take(kind, fd);
                    }
                }
            }
            message = libc::CMSG_NXTHDR(header, message);
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
    fn capacity_is_offered_for_everything_or_for_nothing() {
        for (capacity, expected) in [(-1, 0), (0, 0), (1, SPACE), (3, SPACE), (i32::MAX, SPACE)] {
            // SAFETY: nothing is received.
            let room = unsafe { DescriptorRoom::from_raw(ptr::null_mut(), capacity) };
            assert_eq!(room.control_len(), expected);
        }
    }

    /// A control message as the kernel writes it. Only what another follows is padded.
    fn raw_message(level: c_int, kind: c_int, data: &[u8]) -> Vec<u8> {
        let mut bytes = (size_of::<libc::cmsghdr>() + data.len()).to_ne_bytes().to_vec();
        bytes.extend(level.to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(data);
        bytes
    }

    fn padded(mut bytes: Vec<u8>) -> Vec<u8> {
        bytes.resize(bytes.len().next_multiple_of(size_of::<usize>()), 0xee);
        bytes
    }

    /// What the walk finds in these bytes, behind which nothing may be read.
    fn found_in(bytes: &[u8]) -> Vec<(c_int, c_int)> {
        let mut memory = vec![0_u64; bytes.len().div_ceil(8)];
        let mut header = empty_header();
        header.msg_control = memory.as_mut_ptr().cast();
        header.msg_controllen = bytes.len() as _;
        let mut found = Vec::new();
        // SAFETY: the memory is large enough for the bytes, which are control messages.
        unsafe {
            memory.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            for_each_descriptor(&header, |kind, fd| found.push((kind, fd)));
        }
        found
    }

    #[test]
    fn every_control_message_is_walked_also_the_last_without_padding() {
        let credentials = raw_message(libc::SOL_SOCKET, libc::SCM_CREDENTIALS, &[7; 12]);
        let rights = |fds: &[c_int]| {
            let data: Vec<u8> = fds.iter().flat_map(|fd| fd.to_ne_bytes()).collect();
            raw_message(libc::SOL_SOCKET, libc::SCM_RIGHTS, &data)
        };
        let pidfd = |fd: c_int| raw_message(libc::SOL_SOCKET, SCM_PIDFD, &fd.to_ne_bytes());
        for count in 1..=5 {
            let fds: Vec<c_int> = (10..10 + count).collect();
            let expected: Vec<_> = fds.iter().map(|fd| (libc::SCM_RIGHTS, *fd)).collect();
            assert_eq!(found_in(&rights(&fds)), expected);
            assert_eq!(found_in(&padded(rights(&fds))), expected);
            assert_eq!(found_in(&[padded(credentials.clone()), rights(&fds)].concat()), expected);
            let all = [padded(credentials.clone()), padded(rights(&fds)), pidfd(77)].concat();
            assert_eq!(found_in(&all), [expected, vec![(SCM_PIDFD, 77)]].concat());
        }
        assert_eq!(found_in(&pidfd(-9)), []);
        assert_eq!(found_in(&[]), []);
        assert_eq!(found_in(&raw_message(libc::SOL_TCP, libc::SCM_RIGHTS, &5_i32.to_ne_bytes())), []);
        assert_eq!(found_in(&rights(&[])), []);
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
