// SPDX-License-Identifier: Apache-2.0
//! Datagrams, from the C caller's buffers to the kernel and back.

use super::ancillary::{self, Control, FdArray, SentFds};
use super::readable::{is_near, is_variable};
use crate::rt::fd::Fd;
use crate::sys::{Result, socket};
use core::ffi::c_int;
use core::marker::PhantomData;
use core::mem::needs_drop;

/// A message that a C caller sends.
pub trait Outgoing {
    fn buffers(&self) -> IovArray<'_>;
    fn descriptors(&self) -> SentFds<'_>;
}

/// A message that a C caller wants to receive.
pub trait Incoming {
    fn buffers(&self) -> IovArray<'_>;
    fn descriptors(&self) -> FdArray<'_>;
    /// Stores the number of received file descriptors and the flags.
    fn report(&self, descriptors: c_int, flags: c_int);
}

/// The iovec array of a C caller. In general, only the kernel reads it.
#[derive(Clone, Copy)]
pub struct IovArray<'a> {
    first: *mut libc::iovec,
    count: c_int,
    lifetime: PhantomData<&'a mut [u8]>,
}

impl<'a> IovArray<'a> {
    /// # Safety
    /// During `'a`, `first` points to `count` elements, and each of them to memory that the kernel may read (to send)
    /// or write (to receive). An address where nothing is mapped or a negative `count` is permitted, and makes the call
    /// fail.
    #[inline]
    pub const unsafe fn from_c(first: *mut libc::iovec, count: c_int) -> IovArray<'a> {
        IovArray { first, count, lifetime: PhantomData }
    }

    pub const fn count(&self) -> c_int {
        self.count
    }

    /// Returns the buffer if there is exactly one and its length is valid, so that `send` is equivalent to `sendmsg`.
    ///
    /// The address of the array may be invalid, so this reads the element only if it is known to be readable. That is
    /// usually the case, because most programs declare it next to the message, which is `neighbour`, or as a static
    /// variable.
    #[inline]
    pub fn only_buffer<T>(&self, neighbour: &T) -> Option<Buffer<'a>> {
        if self.count != 1 || !(is_near(self.first, neighbour) || is_variable(self.first)) {
            return None;
        }
        // SAFETY: the check above has shown that it is readable.
        let element = unsafe { self.first.read_unaligned() };
        (element.iov_len <= isize::MAX as usize).then_some(Buffer { element, lifetime: PhantomData })
    }

    /// A negative count becomes a number above any limit, which the kernel rejects with EMSGSIZE.
    #[inline]
    fn header(&self) -> libc::msghdr {
        let mut header = socket::empty_msghdr();
        header.msg_iov = self.first;
        header.msg_iovlen = self.count as _;
        header
    }
}

/// See [`IovArray::only_buffer_near`].
pub struct Buffer<'a> {
    element: libc::iovec,
    lifetime: PhantomData<&'a [u8]>,
}

/// Sends one datagram from one buffer.
#[inline]
pub fn send(fd: Fd, buffer: &Buffer, flags: c_int) -> Result<usize> {
    // SAFETY: IovArray::from_c() guarantees that the kernel may read there, or nothing is mapped.
    unsafe { socket::send(fd, buffer.element.iov_base, buffer.element.iov_len, flags) }
}

// The next two functions are inlined into their callers because each function that returns after the system call costs
// about 25 ns on a processor where the kernel must clear the prediction of return addresses.

/// Sends one datagram with at most [`ancillary::MAX_DESCRIPTORS`] file descriptors.
#[inline(always)]
pub fn sendmsg(fd: Fd, buffers: IovArray, descriptors: &[c_int], flags: c_int) -> Result<usize> {
    let mut control = Control::uninit();
    let mut header = buffers.header();
    control.pack(&mut header, descriptors);
    // SAFETY: the control buffer outlives the call; IovArray::from_c() guarantees the buffers.
    unsafe { socket::sendmsg(fd, &header, flags) }
}

/// The result of one receive.
pub struct Received {
    pub bytes: usize,
    /// The kernel's flags, and MSG_CTRUNC if a file descriptor did not fit.
    pub flags: c_int,
    /// The number of stored file descriptors.
    pub descriptors: c_int,
    /// Whether any ancillary data was received.
    pub has_ancillary_data: bool,
}

impl Received {
    pub fn without_control((bytes, flags): (usize, c_int)) -> Received {
        Received { bytes, flags, descriptors: 0, has_ancillary_data: false }
    }
}

/// Receives one datagram. Received file descriptors are close-on-exec. Those that do not fit are closed.
#[inline(always)]
pub fn recvmsg(fd: Fd, buffers: IovArray, array: &FdArray, flags: c_int) -> Result<Received> {
    if array.is_empty() {
        return recvmsg_data(fd, buffers, flags).map(Received::without_control);
    }
    let mut control = Control::uninit();
    let mut header = buffers.header();
    control.offer(&mut header);
    // SAFETY: the control buffer outlives the call; IovArray::from_c() guarantees the buffers.
    let bytes = unsafe { socket::recvmsg(fd, &mut header, flags | libc::MSG_CMSG_CLOEXEC) }?;
    let has_ancillary_data = header.msg_controllen != 0;
    let descriptors = if has_ancillary_data {
        // SAFETY: the kernel has written the control buffer.
        unsafe { ancillary::unpack(&mut header, array) }
    } else {
        0
    };
    Ok(Received { bytes, flags: header.msg_flags, descriptors, has_ancillary_data })
}

/// Receives the data of one datagram. Returns its size and the flags. There is no control buffer, so the kernel closes
/// file descriptors of the datagram.
#[inline]
pub fn recvmsg_data(fd: Fd, buffers: IovArray, flags: c_int) -> Result<(usize, c_int)> {
    let mut header = buffers.header();
    // SAFETY: IovArray::from_c() guarantees the buffers.
    let bytes = unsafe { socket::recvmsg(fd, &mut header, flags) }?;
    Ok((bytes, header.msg_flags))
}

/// The thread can be cancelled in these calls, so no value may have a destructor: see [`super::cancel`].
const _: () = assert!(
    !needs_drop::<Control>()
        && !needs_drop::<FdArray>()
        && !needs_drop::<SentFds>()
        && !needs_drop::<IovArray>()
        && !needs_drop::<Received>()
);
