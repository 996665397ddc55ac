// SPDX-License-Identifier: Apache-2.0
//! Ancillary data: file descriptors that are sent with a message (SCM_RIGHTS).

use super::cancel::WithoutCancellation;
use super::fd_history;
use crate::rt::fd::{Fd, OwnedFd};
use core::ffi::{c_int, c_uint};
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::slice;

/// The maximum number of file descriptors in one message (the kernel's SCM_MAX_FD).
pub const MAX_DESCRIPTORS: usize = 253;

/// The size of a control buffer for all ancillary data that the kernel may deliver: the file descriptors of a message,
/// and the data that socket options request. The kernel stores the latter first, so a smaller buffer could lose file
/// descriptors.
const SPACE: usize = space(MAX_DESCRIPTORS * size_of::<c_int>())
    + space(size_of::<libc::ucred>())
    + space(size_of::<c_int>())
    + space(TIMESTAMP_SIZE)
    + space(3 * TIMESTAMP_SIZE)
    + space(MAX_LABEL_SIZE);

/// The size of a timeval or a timespec with 64-bit seconds, which a program may request on any machine.
const TIMESTAMP_SIZE: usize = size_of::<[i64; 2]>();

/// The maximum size of a security label, regardless of the page size.
const MAX_LABEL_SIZE: usize = 4096;

const fn space(size: usize) -> usize {
    // SAFETY: CMSG_SPACE is a pure computation.
    unsafe { libc::CMSG_SPACE(size as c_uint) as usize }
}

/// The type of the control message that contains a pidfd of the sending process.
const SCM_PIDFD: c_int = 4;

/// The file descriptors that a C caller sends.
#[derive(Clone, Copy)]
pub struct SentFds<'a> {
    first: *const c_int,
    count: c_int,
    lifetime: PhantomData<&'a [c_int]>,
}

impl<'a> SentFds<'a> {
    /// # Safety
    /// `first` is null, or points to `count` elements that do not change during `'a`. `count` may be negative.
    #[inline]
    pub unsafe fn from_c(first: *const c_int, count: c_int) -> SentFds<'a> {
        SentFds { first, count, lifetime: PhantomData }
    }

    pub fn count(&self) -> c_int {
        self.count
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The array. None: it is null, or its count is negative.
    pub fn as_slice(&self) -> Option<&'a [c_int]> {
        match usize::try_from(self.count) {
            Ok(0) => Some(&[]),
            // SAFETY: not null, so from_c() guarantees count elements.
            Ok(count) if !self.first.is_null() => Some(unsafe { slice::from_raw_parts(self.first, count) }),
            _ => None,
        }
    }
}

/// The array in which a C caller receives file descriptors.
pub struct FdArray<'a> {
    first: *mut c_int,
    capacity: usize,
    lifetime: PhantomData<&'a mut [c_int]>,
}

impl<'a> FdArray<'a> {
    /// An array for `capacity` file descriptors. A negative capacity counts as 0, one above [`MAX_DESCRIPTORS`] as
    /// that.
    ///
    /// # Safety
    /// `first` is null, or `capacity` ints may be written there during `'a`.
    #[inline]
    pub unsafe fn from_c(first: *mut c_int, capacity: c_int) -> FdArray<'a> {
        let capacity = usize::try_from(capacity).unwrap_or(0).min(MAX_DESCRIPTORS);
        FdArray { first, capacity, lifetime: PhantomData }
    }

    /// Whether the capacity is 0. Without a control buffer, the kernel closes the file descriptors of a message.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.capacity == 0
    }

    /// Whether the array is null although the capacity is not 0.
    pub fn is_null(&self) -> bool {
        self.first.is_null() && !self.is_empty()
    }

    /// Stores a file descriptor for the C caller, who then owns it. If the array is full, returns it.
    fn store(&self, position: usize, descriptor: OwnedFd) -> Result<(), OwnedFd> {
        if position >= self.capacity || self.first.is_null() {
            return Err(descriptor);
        }
        fd_history::note_returned(descriptor.fd());
        // SAFETY: not null, and position is below the capacity, so from_c() guarantees that it is valid for writing.
        unsafe { self.first.add(position).write(descriptor.into_raw()) };
        Ok(())
    }
}

/// The control buffer of one message.
#[repr(C)]
pub struct Control {
    alignment: [libc::cmsghdr; 0],
    bytes: MaybeUninit<[u8; SPACE]>,
}

impl Control {
    /// Not initialised, because every message with file descriptors needs one.
    #[inline]
    pub fn uninit() -> Control {
        Control { alignment: [], bytes: MaybeUninit::uninit() }
    }

    /// Stores `descriptors` in the control data of `header`. Those beyond [`MAX_DESCRIPTORS`] are omitted.
    pub fn pack(&mut self, header: &mut libc::msghdr, descriptors: &[c_int]) {
        let descriptors = descriptors.get(..MAX_DESCRIPTORS).unwrap_or(descriptors);
        if descriptors.is_empty() {
            return;
        }
        let size = size_of_val(descriptors);
        // SAFETY: the buffer is aligned for a cmsghdr and has SPACE bytes, enough for a header and size bytes of data.
        unsafe {
            // The length is not padded, as in mmlib.
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

    /// Makes the whole buffer available to the kernel. The size of the buffer cannot limit the number of received file
    /// descriptors, because other ancillary data also uses it. Instead, [`unpack`] closes those beyond the capacity.
    #[inline]
    pub fn offer(&mut self, header: &mut libc::msghdr) {
        header.msg_control = self.bytes.as_mut_ptr().cast();
        header.msg_controllen = SPACE as _;
    }
}

/// Stores the file descriptors from the control data of `header`. Returns their number.
///
/// Every control message is examined, because with SO_PASSCRED the file descriptors are not in the first. A file
/// descriptor beyond the capacity of the array is closed, and MSG_CTRUNC is set. A pidfd of the sending process
/// (SO_PASSPIDFD) is closed.
///
/// # Safety
/// The kernel has written `msg_controllen` bytes at `msg_control`, and nothing has used the file descriptors in them
/// yet.
#[cold]
pub unsafe fn unpack(header: &mut libc::msghdr, array: &FdArray) -> c_int {
    // close() is a cancellation point. If it were acted upon, the other file descriptors would leak.
    let _no_cancellation = WithoutCancellation::new();
    let (mut stored, mut truncated) = (0, false);
    // SAFETY: as promised by the caller. The kernel has just created the file descriptors, and nothing else owns them.
    unsafe {
        for_each_descriptor(header, |kind, fd| {
            let descriptor = OwnedFd::from_raw(fd);
            if kind == libc::SCM_RIGHTS {
                match array.store(stored, descriptor) {
                    Ok(()) => stored += 1,
                    Err(_closed) => truncated = true,
                }
            }
        });
    }
    if truncated {
        header.msg_flags |= libc::MSG_CTRUNC;
    }
    stored as c_int
}

/// Records the file descriptors that the kernel has stored in the control data of a C caller.
///
/// # Safety
/// The kernel has written `msg_controllen` bytes at `msg_control`.
#[cold]
pub unsafe fn note_received(header: &libc::msghdr) {
    // SAFETY: as promised by the caller.
    unsafe { for_each_descriptor(header, |_, fd| fd_history::note_returned(Fd::from_c(fd))) };
}

/// Calls `take` with each file descriptor in the control data and the type of its control message.
///
/// # Safety
/// `msg_control` is valid for reading `msg_controllen` bytes, which contain control messages as the kernel writes them.
/// The last one need not be padded.
unsafe fn for_each_descriptor(header: &libc::msghdr, mut take: impl FnMut(c_int, c_int)) {
    // SAFETY: the macros of the C library stay within the bytes that the caller promised. CMSG_DATA need not be aligned
    // for an int, so the read is unaligned.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(header);
        while !message.is_null() {
            let kind = (*message).cmsg_type;
            let size = ((*message).cmsg_len as usize).saturating_sub(libc::CMSG_LEN(0) as usize);
            if (*message).cmsg_level == libc::SOL_SOCKET && matches!(kind, libc::SCM_RIGHTS | SCM_PIDFD) {
                let first = libc::CMSG_DATA(message).cast::<c_int>();
                for position in 0..size / size_of::<c_int>() {
                    let fd = first.add(position).read_unaligned();
                    // If the kernel could not create the pidfd, it stores a negative number.
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
    use crate::sys::socket::empty_msghdr;
    use std::os::fd::IntoRawFd;
    use std::os::unix::net::UnixStream;
    use std::vec;
    use std::vec::Vec;

    /// Creates file descriptors that a test may transfer to the library.
    fn descriptors(count: usize) -> Vec<c_int> {
        (0..count).map(|_| UnixStream::pair().unwrap().0.into_raw_fd()).collect()
    }

    fn is_open(fd: c_int) -> bool {
        // SAFETY: no pointer is passed.
        unsafe { libc::fcntl(fd, libc::F_GETFD) != -1 }
    }

    #[test]
    fn no_descriptors_produce_no_control_data() {
        let mut header = empty_msghdr();
        Control::uninit().pack(&mut header, &[]);
        assert!(header.msg_control.is_null());
        assert_eq!(header.msg_controllen, 0);
    }

    #[test]
    fn packed_descriptors_have_a_length_without_padding() {
        for count in [1, 2, 3, MAX_DESCRIPTORS] {
            let (mut header, mut control) = (empty_msghdr(), Control::uninit());
            control.pack(&mut header, &vec![7; count]);
            assert_eq!(header.msg_controllen, (size_of::<libc::cmsghdr>() + 4 * count) as _);
        }
    }

    #[test]
    fn capacity_is_clamped() {
        for (capacity, expected) in [(-1, 0), (0, 0), (1, 1), (253, 253), (i32::MAX, 253)] {
            // SAFETY: nothing is stored.
            let array = unsafe { FdArray::from_c(std::ptr::null_mut(), capacity) };
            assert_eq!((array.capacity, array.is_empty()), (expected, expected == 0));
        }
    }

    /// A control message as the kernel writes it, without padding.
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

    /// Returns what for_each_descriptor() finds in these bytes. It must not read beyond them.
    fn found_in(bytes: &[u8]) -> Vec<(c_int, c_int)> {
        let mut memory = vec![0_u64; bytes.len().div_ceil(8)];
        let mut header = empty_msghdr();
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
    fn descriptors_are_found_in_every_control_message() {
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
    fn unpack_closes_descriptors_beyond_capacity() {
        let sent = descriptors(5);
        let (mut header, mut control) = (empty_msghdr(), Control::uninit());
        control.pack(&mut header, &sent);
        let mut received = [-1; 5];
        // SAFETY: the array has more than three elements; the control data has the kernel's format.
        let stored = unsafe { unpack(&mut header, &FdArray::from_c(received.as_mut_ptr(), 3)) };
        assert_eq!(stored, 3);
        assert_eq!(received, [sent[0], sent[1], sent[2], -1, -1]);
        assert_eq!(header.msg_flags, libc::MSG_CTRUNC);
        assert!(sent[..3].iter().all(|fd| is_open(*fd)));
        for fd in &received[..3] {
            // SAFETY: it was stored, so the test owns it.
            drop(unsafe { OwnedFd::from_raw(*fd) });
        }
    }
}
