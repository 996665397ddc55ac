//! Structures that C programs see.

use crate::ipc::server::Server;
use std::ffi::{c_int, c_void};

/// A message, to be sent by mm_ipc_sendmsg() or received by mm_ipc_recvmsg().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mm_ipc_msg {
    /// Segments of the data: gathered when sending, filled one after the other when receiving.
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
pub struct mm_ipc_srv(pub(super) Server);
