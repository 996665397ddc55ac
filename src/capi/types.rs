// SPDX-License-Identifier: Apache-2.0
//! Structures that C programs see.

use crate::os::fd_map::FdMapEntry;
use crate::sys::large_file;
use core::ffi::{c_int, c_uint, c_void};
use core::mem::offset_of;

/// A message for mm_ipc_sendmsg() or mm_ipc_recvmsg().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mm_ipc_msg {
    /// Buffers for the data. A send gathers the data from them in order; a receive fills them in order.
    pub iov: *mut libc::iovec,
    /// File descriptors: those to send, or an array that receives them.
    pub fds: *mut c_int,
    /// Number of elements of iov: 0 to 1024.
    pub num_iov: c_int,
    /// Number of file descriptors: to send, 0 to 253. Set by every successful receive.
    pub num_fds: c_int,
    /// Ignored by a send. Set by every successful receive: MSG_TRUNC if data was discarded, MSG_CTRUNC if file
    /// descriptors were dropped, both, or 0.
    pub flags: c_int,
    /// Capacity of fds. Used only by a receive.
    pub num_fds_max: c_int,
    /// Neither read nor written.
    pub reserved: *mut c_void,
}

/// An IPC server: see mm_ipc_srv_create().
// The pointer refers to a Counted<Server>.
pub struct mm_ipc_srv(());

/// An element of the file descriptor map of a program: see mm_spawn().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mm_remap_fd {
    /// File descriptor in the program.
    pub child_fd: c_int,
    /// File descriptor in the caller. It is duplicated as child_fd, or kept if both are equal. The value -1 closes
    /// child_fd.
    pub parent_fd: c_int,
}

/// A message of mm_send_multimsg() or mm_recv_multimsg(), with the layout of struct mmsghdr.
#[repr(C)]
pub struct mm_sock_multimsg {
    /// The message, as for mm_sendmsg() or mm_recvmsg().
    pub msg: libc::msghdr,
    /// Set to the number of bytes that were sent or received.
    pub datalen: c_uint,
}

const _: () = {
    assert!(size_of::<mm_remap_fd>() == size_of::<FdMapEntry>());
    assert!(offset_of!(mm_remap_fd, child_fd) == offset_of!(FdMapEntry, child_fd));
    assert!(offset_of!(mm_remap_fd, parent_fd) == offset_of!(FdMapEntry, parent_fd));
    assert!(size_of::<mm_sock_multimsg>() == size_of::<libc::mmsghdr>());
    assert!(offset_of!(mm_sock_multimsg, datalen) == offset_of!(libc::mmsghdr, msg_len));
};

/// The status of a file, as returned by mm_stat() and mm_fstat().
#[repr(C)]
pub struct mm_stat {
    /// ID of the device that contains the file.
    pub dev: libc::dev_t,
    /// Inode number.
    pub ino: large_file::ino_t,
    /// File type and permissions.
    pub mode: libc::mode_t,
    /// Number of hard links.
    pub nlink: c_int,
    /// User ID of the owner.
    pub uid: libc::uid_t,
    /// Group ID of the owner.
    pub gid: libc::gid_t,
    /// Size in bytes. For a symbolic link, the size of the buffer that mm_readlink() needs.
    pub size: large_file::off_t,
    /// Time of last access, in seconds since the Epoch.
    pub atime: libc::time_t,
    /// Number of 512-byte blocks allocated.
    pub nblocks: usize,
    /// Time of last modification of the data, in seconds since the Epoch.
    pub mtime: libc::time_t,
    /// Time of last change of the data or the status, in seconds since the Epoch.
    pub ctime: libc::time_t,
}

// The layout that tests-c/abi/layout.h asserts for C.
const _: () = {
    const POINTER: usize = size_of::<*const c_void>();
    const TIME: usize = size_of::<libc::time_t>();
    assert!(size_of::<mm_ipc_msg>() == 3 * POINTER + 16);
    assert!(offset_of!(mm_ipc_msg, num_iov) == 2 * POINTER);
    assert!(offset_of!(mm_ipc_msg, reserved) == 2 * POINTER + 16);
    assert!(size_of::<mm_sock_multimsg>() == 8 * POINTER);
    assert!(size_of::<libc::timespec>() == 2 * TIME);
    assert!(offset_of!(mm_stat, ino) == 8 && offset_of!(mm_stat, mode) == 16 && offset_of!(mm_stat, size) == 32);
    assert!(offset_of!(mm_stat, atime) == 40 && offset_of!(mm_stat, nblocks) == 40 + TIME);
    let end_of_blocks = 40 + TIME + POINTER;
    let mtime_at = end_of_blocks.next_multiple_of(align_of::<libc::time_t>());
    assert!(offset_of!(mm_stat, mtime) == mtime_at && offset_of!(mm_stat, ctime) == mtime_at + TIME);
    assert!(size_of::<mm_stat>() == (mtime_at + 2 * TIME).next_multiple_of(align_of::<i64>()));
};
