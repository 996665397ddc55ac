// SPDX-License-Identifier: Apache-2.0
//! libmmsysio, through its C interface. The types and prototypes are those of mmsysio.h, mmipc.h and mmerrno.h.

use crate::failure::{Failure, Status};
use crate::sys;
use crate::text::escaped;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fmt;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr::{self, NonNull};

/// MM_IPC_CLOEXEC
pub const CLOEXEC: c_int = 0x01;
/// MM_IPC_NONBLOCK
pub const NONBLOCK: c_int = 0x02;
/// MM_IPC_PATH
pub const PATH: c_int = 0x04;

/// The most file descriptors that a message can contain.
pub const MOST_FDS: usize = 253;

/// MM_ERROR_NOLOG
const ERROR_NOLOG: c_int = 0x02;
/// MM_ERROR_SET
const ERROR_SET: c_int = -1;
/// MM_WSTATUS_EXITED and MM_WSTATUS_CODEMASK
const EXITED: c_int = 0x100;
const CODE_MASK: c_int = 0xff;

#[repr(C)]
struct mm_ipc_srv {
    _private: [u8; 0],
}

#[repr(C)]
struct mm_ipc_msg {
    iov: *mut libc::iovec,
    fds: *mut c_int,
    num_iov: c_int,
    num_fds: c_int,
    flags: c_int,
    num_fds_max: c_int,
    reserved: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct mm_ipc_peer {
    pub pid: libc::pid_t,
    pub uid: libc::uid_t,
    pub gid: libc::gid_t,
}

#[repr(C)]
struct mm_remap_fd {
    child_fd: c_int,
    parent_fd: c_int,
}

#[link(name = "mmsysio")]
unsafe extern "C" {
    fn mm_ipc_srv_create2(addr: *const c_char, flags: c_int, mode: libc::mode_t) -> *mut mm_ipc_srv;
    fn mm_ipc_srv_release(srv: *mut mm_ipc_srv) -> c_int;
    fn mm_ipc_srv_destroy(srv: *mut mm_ipc_srv);
    fn mm_ipc_srv_fd(srv: *const mm_ipc_srv) -> c_int;
    fn mm_ipc_srv_accept2(srv: *mut mm_ipc_srv, flags: c_int, timeout_ms: c_int) -> c_int;
    fn mm_ipc_connect2(addr: *const c_char, flags: c_int, timeout_ms: c_int) -> c_int;
    fn mm_ipc_connected_pair2(fds: *mut c_int, flags: c_int) -> c_int;
    fn mm_ipc_watch(addr: *const c_char, flags: c_int) -> c_int;
    fn mm_ipc_get_peer(fd: c_int, peer: *mut mm_ipc_peer, size: usize) -> c_int;
    fn mm_ipc_sendmsg(fd: c_int, msg: *const mm_ipc_msg) -> isize;
    fn mm_ipc_recvmsg(fd: c_int, msg: *mut mm_ipc_msg) -> isize;
    fn mm_spawn(
        child_pid: *mut libc::pid_t,
        path: *const c_char,
        num_map: c_int,
        fd_map: *const mm_remap_fd,
        flags: c_int,
        argv: *const *const c_char,
        envp: *const *const c_char,
    ) -> c_int;
    fn mm_execv(
        path: *const c_char,
        num_map: c_int,
        fd_map: *const mm_remap_fd,
        flags: c_int,
        argv: *const *const c_char,
        envp: *const *const c_char,
    ) -> c_int;
    fn mm_wait_process(pid: libc::pid_t, status: *mut c_int) -> c_int;
    fn mm_error_set_flags(flags: c_int, mask: c_int) -> c_int;
    fn mm_get_lasterror_number() -> c_int;
    fn mm_get_lasterror_desc() -> *const c_char;
}

/// The error state of the thread, after a call has failed.
pub struct Error {
    number: c_int,
    description: String,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    fn last() -> Error {
        // SAFETY: the description is a string of the thread.
        let (number, description) = unsafe { (mm_get_lasterror_number(), CStr::from_ptr(mm_get_lasterror_desc())) };
        Error { number, description: escaped_description(description.to_bytes()) }
    }

    pub fn is(&self, number: c_int) -> bool {
        self.number == number
    }

    /// Whether the peer has closed the connection.
    pub fn is_end(&self) -> bool {
        self.is(libc::EPIPE) || self.is(libc::ECONNRESET)
    }
}

/// The library has escaped the names. What is still harmful comes from elsewhere. The library separates the message of
/// the system by a semicolon.
fn escaped_description(description: &[u8]) -> String {
    let text = escaped(description).to_string().replace("\\\\", "\\");
    match text.rsplit_once(" ; ") {
        Some((what, reason)) => format!("{what}: {reason}"),
        None => text,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.description)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let status = match error.number {
            libc::ECONNREFUSED => Status::NoServer,
            libc::ETIMEDOUT | libc::EAGAIN => Status::Timeout,
            libc::EPIPE | libc::ECONNRESET => Status::PeerClosed,
            libc::EACCES | libc::EPERM => Status::Refused,
            _ => Status::Failure,
        };
        Failure::new(status, error)
    }
}

/// The library must not log errors to standard error: the tool prints them itself.
pub fn disable_log() {
    // SAFETY: the call has no preconditions.
    unsafe { mm_error_set_flags(ERROR_SET, ERROR_NOLOG) };
}

fn checked(result: c_int) -> Result<c_int> {
    if result < 0 { Err(Error::last()) } else { Ok(result) }
}

fn owned(fd: c_int) -> Result<OwnedFd> {
    // SAFETY: after a success, the caller owns the file descriptor.
    checked(fd).map(|fd| unsafe { OwnedFd::from_raw_fd(fd) })
}

pub struct Server(NonNull<mm_ipc_srv>);

impl Server {
    pub fn create(addr: &CStr, flags: c_int, mode: libc::mode_t) -> Result<Server> {
        // SAFETY: addr is a string.
        NonNull::new(unsafe { mm_ipc_srv_create2(addr.as_ptr(), flags, mode) }).map(Server).ok_or_else(Error::last)
    }

    pub fn fd(&self) -> Result<BorrowedFd<'_>> {
        // SAFETY: the server exists. Its file descriptor is open as long as it does.
        checked(unsafe { mm_ipc_srv_fd(self.0.as_ptr()) }).map(|fd| unsafe { BorrowedFd::borrow_raw(fd) })
    }

    pub fn accept(&self, flags: c_int, timeout_ms: c_int) -> Result<OwnedFd> {
        // SAFETY: the server exists.
        owned(unsafe { mm_ipc_srv_accept2(self.0.as_ptr(), flags, timeout_ms) })
    }

    /// Returns the listening file descriptor. The server at its address remains.
    pub fn release(self) -> Result<OwnedFd> {
        // SAFETY: the server exists, and is not used again after a success.
        let fd = owned(unsafe { mm_ipc_srv_release(self.0.as_ptr()) })?;
        std::mem::forget(self);
        Ok(fd)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SAFETY: the server exists, and is not used afterwards.
        unsafe { mm_ipc_srv_destroy(self.0.as_ptr()) }
    }
}

pub fn connect(addr: &CStr, flags: c_int, timeout_ms: c_int) -> Result<OwnedFd> {
    // SAFETY: addr is a string.
    owned(unsafe { mm_ipc_connect2(addr.as_ptr(), flags, timeout_ms) })
}

pub fn connected_pair(flags: c_int) -> Result<(OwnedFd, OwnedFd)> {
    let mut fds = [-1; 2];
    // SAFETY: fds has two elements.
    checked(unsafe { mm_ipc_connected_pair2(fds.as_mut_ptr(), flags) })?;
    Ok((owned(fds[0])?, owned(fds[1])?))
}

pub fn watch(addr: &CStr, flags: c_int) -> Result<OwnedFd> {
    // SAFETY: addr is a string.
    owned(unsafe { mm_ipc_watch(addr.as_ptr(), flags) })
}

pub fn peer(connection: BorrowedFd) -> Result<mm_ipc_peer> {
    let mut peer = mm_ipc_peer { pid: 0, uid: 0, gid: 0 };
    // SAFETY: peer has that size.
    checked(unsafe { mm_ipc_get_peer(connection.as_raw_fd(), &mut peer, size_of::<mm_ipc_peer>()) })?;
    Ok(peer)
}

/// Sends one message.
pub fn send(connection: BorrowedFd, data: &[u8], fds: &[RawFd]) -> Result<()> {
    let mut iov = libc::iovec { iov_base: data.as_ptr().cast_mut().cast(), iov_len: data.len() };
    let message = mm_ipc_msg {
        iov: &mut iov,
        fds: fds.as_ptr().cast_mut(),
        num_iov: 1,
        num_fds: c_int::try_from(fds.len()).unwrap_or(c_int::MAX),
        flags: 0,
        num_fds_max: 0,
        reserved: ptr::null_mut(),
    };
    // SAFETY: the message describes data and fds, which the call only reads.
    if unsafe { mm_ipc_sendmsg(connection.as_raw_fd(), &message) } >= 0 {
        return Ok(());
    }
    let mut error = Error::last();
    if error.is(libc::EMSGSIZE) {
        error.description =
            format!("cannot send a message of {} bytes: it exceeds the limit of the socket", data.len());
    }
    Err(error)
}

/// What a received message contains besides the data.
pub struct Received {
    /// The number of bytes in the buffer.
    pub size: usize,
    pub fds: Vec<OwnedFd>,
    /// Data was discarded.
    pub is_truncated: bool,
    /// File descriptors were dropped.
    pub are_fds_dropped: bool,
}

/// Closing a file must not block, whatever the peer has sent.
impl Drop for Received {
    fn drop(&mut self) {
        self.fds.drain(..).for_each(sys::close_without_waiting);
    }
}

/// Receives one message. Err with [`Error::is_end`]: the peer has closed the connection.
pub fn receive(connection: BorrowedFd, buffer: &mut [u8]) -> Result<Received> {
    let mut iov = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let mut fds = [-1; MOST_FDS];
    let mut message = mm_ipc_msg {
        iov: &mut iov,
        fds: fds.as_mut_ptr(),
        num_iov: 1,
        num_fds: 0,
        flags: 0,
        num_fds_max: MOST_FDS as c_int,
        reserved: ptr::null_mut(),
    };
    // SAFETY: the message describes the buffer and fds, with their sizes.
    let size = unsafe { mm_ipc_recvmsg(connection.as_raw_fd(), &mut message) };
    let Ok(size) = usize::try_from(size) else { return Err(Error::last()) };
    let count = usize::try_from(message.num_fds).unwrap_or(0);
    Ok(Received {
        size,
        // SAFETY: the first num_fds elements are file descriptors that the caller owns.
        fds: fds.iter().take(count).map(|fd| unsafe { OwnedFd::from_raw_fd(*fd) }).collect(),
        is_truncated: message.flags & libc::MSG_TRUNC != 0,
        are_fds_dropped: message.flags & libc::MSG_CTRUNC != 0,
    })
}

/// Sends an answer to each message, and returns when the peer closes the connection. Nothing is allocated.
pub fn echo(connection: BorrowedFd, buffer: &mut [u8]) -> Result<()> {
    loop {
        match receive(connection, buffer) {
            Ok(message) => send(connection, buffer.get(..message.size).unwrap_or(buffer), &[])?,
            Err(end) if end.is_end() => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// A program with its arguments, and the file descriptors that replace those of the tool.
pub struct Program<'a> {
    pub argv: &'a [CString],
    /// Pairs: the number in the program, and a file descriptor of this process.
    pub fds: &'a [(RawFd, RawFd)],
    /// The environment; None for that of the tool.
    pub environment: Option<&'a [CString]>,
}

impl Program<'_> {
    fn map(&self) -> Vec<mm_remap_fd> {
        self.fds
            .iter()
            .map(|(child_fd, parent_fd)| mm_remap_fd { child_fd: *child_fd, parent_fd: *parent_fd })
            .collect()
    }

    /// Calls a function with the path, the arguments and the environment.
    fn with_pointers(
        &self,
        call: impl FnOnce(*const c_char, *const *const c_char, *const *const c_char) -> c_int,
    ) -> c_int {
        let terminated = |strings: &[CString]| -> Vec<*const c_char> {
            strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
        };
        let argv = terminated(self.argv);
        let environment = self.environment.map(terminated);
        let path = argv.first().copied().unwrap_or(ptr::null());
        call(path, argv.as_ptr(), environment.as_ref().map_or(ptr::null(), |environment| environment.as_ptr()))
    }

    /// Executes the program in a new process.
    pub fn spawn(&self) -> Result<libc::pid_t> {
        let mut pid = 0;
        let map = self.map();
        checked(self.with_pointers(|path, argv, envp| {
            // SAFETY: the arrays end with a null pointer, and the map has that many elements.
            unsafe { mm_spawn(&mut pid, path, map.len() as c_int, map.as_ptr(), 0, argv, envp) }
        }))?;
        Ok(pid)
    }

    /// Replaces the tool by the program. Returns only if that fails.
    pub fn execute(&self) -> Error {
        let map = self.map();
        self.with_pointers(|path, argv, envp| {
            // SAFETY: the arrays end with a null pointer, and the map has that many elements.
            unsafe { mm_execv(path, map.len() as c_int, map.as_ptr(), 0, argv, envp) }
        });
        Error::last()
    }
}

/// Waits for a child. Returns its exit status as a shell does: 128 and the signal's number if a signal has killed it.
pub fn wait_process(pid: libc::pid_t) -> Result<c_int> {
    let mut status = 0;
    // SAFETY: status can be written.
    checked(unsafe { mm_wait_process(pid, &mut status) })?;
    Ok(if status & EXITED != 0 { status & CODE_MASK } else { 128 + (status & CODE_MASK) })
}
