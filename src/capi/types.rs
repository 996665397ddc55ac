// SPDX-License-Identifier: Apache-2.0
//! Structures that C programs see.

use crate::os::fd_map::FdMapEntry;
use core::ffi::{c_int, c_uint, c_void};
use core::mem::offset_of;

/// A message, to be sent by mm_ipc_sendmsg() or received by mm_ipc_recvmsg().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mm_ipc_msg {
    /// Buffers of the data: gathered when sending, filled one after the other when receiving.
    pub iov: *mut libc::iovec,
    /// Descriptors: to be duplicated for the peer, or room for those received.
    pub fds: *mut c_int,
    /// Number of elements of iov: 0 to 1024.
    pub num_iov: c_int,
    /// Number of descriptors: to send, 0 to 253; set by every successful receive.
    pub num_fds: c_int,
    /// Ignored when sending. Set by every successful receive: MSG_TRUNC if data was cut, MSG_CTRUNC
    /// if descriptors were dropped, or both, else 0.
    pub flags: c_int,
    /// Number of descriptors that fit in fds. Used only when receiving.
    pub num_fds_max: c_int,
    /// Neither read nor written.
    pub reserved: *mut c_void,
}

/// An IPC server: see mm_ipc_srv_create().
// Behind its pointer is a Counted<Server>.
pub struct mm_ipc_srv(());

/// What a program finds at one of its descriptors: see mm_spawn().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mm_remap_fd {
    /// Number in the program.
    pub child_fd: c_int,
    /// Number in the caller: it is duplicated, or kept if it is the same; -1 closes child_fd.
    pub parent_fd: c_int,
}

/// A message of mm_send_multimsg() or mm_recv_multimsg(): the system's struct mmsghdr.
#[repr(C)]
pub struct mm_sock_multimsg {
    /// The message, as for mm_sendmsg() or mm_recvmsg().
    pub msg: libc::msghdr,
    /// Set to the number of its bytes when it was sent or received.
    pub datalen: c_uint,
}

const _: () = {
    assert!(size_of::<mm_remap_fd>() == size_of::<FdMapEntry>());
    assert!(offset_of!(mm_remap_fd, child_fd) == offset_of!(FdMapEntry, child_fd));
    assert!(offset_of!(mm_remap_fd, parent_fd) == offset_of!(FdMapEntry, parent_fd));
    assert!(size_of::<mm_sock_multimsg>() == size_of::<libc::mmsghdr>());
    assert!(offset_of!(mm_sock_multimsg, datalen) == offset_of!(libc::mmsghdr, msg_len));
};

/// What mm_stat() and mm_fstat() tell of a file.
#[repr(C)]
pub struct mm_stat {
    /// Device that holds the file.
    pub dev: libc::dev_t,
    /// Number of the file on its device.
    pub ino: libc::ino_t,
    /// Type and permissions.
    pub mode: libc::mode_t,
    /// Number of names.
    pub nlink: c_int,
    /// User that owns it.
    pub uid: libc::uid_t,
    /// Group that owns it.
    pub gid: libc::gid_t,
    /// Size in bytes; of a symbolic link, the room that mm_readlink() needs.
    pub size: libc::off_t,
    /// Time of the last access, in seconds.
    pub atime: libc::time_t,
    /// Blocks of 512 bytes that it occupies.
    pub nblocks: usize,
    /// Time of the last change of the data, in seconds.
    pub mtime: libc::time_t,
    /// Time of the last change of the data or of this, in seconds.
    pub ctime: libc::time_t,
}
