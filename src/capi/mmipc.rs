// SPDX-License-Identifier: Apache-2.0
//! Entry points of mmipc.h.

use super::arg;
use super::ret::{self, ret, ret_preserving_errno};
use super::types::mm_ipc_srv;
use crate::error::{Error, Result};
use crate::ipc::accept::Accepting;
use crate::ipc::address::Address;
use crate::ipc::connect::{Connecting, Wanted};
use crate::ipc::flags::{self, CLOEXEC, NONBLOCK, PATH};
use crate::ipc::path::PathAddress;
use crate::ipc::server::{Adoption, Server};
use crate::ipc::target::Target;
use crate::ipc::timeout::Timeout;
use crate::ipc::{peer, watch};
use crate::os::cancel::{self, WithoutCancellation};
use crate::os::reference::{Counted, Reference};
use crate::rt::fd::{Fd, OwnedFd};
use crate::sys::socket;
use alloc::boxed::Box;
use core::ffi::{CStr, c_char, c_int};
use core::mem::ManuallyDrop;
use core::ptr::{self, NonNull};

/// The process at the other end of a connection: see mm_ipc_get_peer().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mm_ipc_peer {
    /// Process ID, in the PID namespace of the caller; 0 if the process is not visible there.
    pub pid: libc::pid_t,
    /// Effective user ID.
    pub uid: libc::uid_t,
    /// Effective group ID.
    pub gid: libc::gid_t,
}

/// mm_ipc_srv_create2() - create an IPC server, with flags
/// @addr:       address to listen on: a name as for mm_ipc_srv_create(), or a path
/// @flags:      0 or MM_IPC_PATH
/// @mode:       permissions of the path, at most 0777; 0 without MM_IPC_PATH
///
/// Without MM_IPC_PATH, this is the same as mm_ipc_srv_create(@addr).
///
/// With MM_IPC_PATH, @addr is the path of a socket in the file system. Connecting to it requires write permission on
/// the socket, and search permission on its directories; @mode sets the permissions exactly, whatever the umask is. The
/// owner and the group of the socket are those of any new file: the effective user and group of the process, or the
/// group of the directory if that has the set-group-ID bit. The path appears in the directory when all of this is set
/// and the server is listening. Processes in other network namespaces can connect if they can reach the directory. The
/// path can have more than 107 bytes if /proc is mounted and its last component has at most 80 bytes.
///
/// Only one server can listen at a path. A socket that a terminated server has left there is replaced; any other file
/// is not. mm_ipc_srv_destroy() removes the path if it still belongs to the server, but not in a forked child. While
/// these functions create or remove the path, they use two other names in its directory: for the path NAME, .NAME.new
/// and .NAME.lock. They wait up to 5 seconds for another process that does the same; mm_ipc_srv_destroy() then leaves the
/// path, where clients are refused. The names of a killed process remain until its user creates a server at the path.
///
/// The listening file descriptor has the same properties as that of mm_ipc_srv_create(). A server at a path has a second
/// internal file descriptor, that of the directory. If the program closes it, mm_ipc_srv_destroy() leaves the path.
///
/// Return: the server, to be released with mm_ipc_srv_destroy() or mm_ipc_srv_release(); NULL on failure, and the error
///   state is set.
///
/// Errors:
///   EADDRINUSE       another server, in this or another process, is listening on @addr; or with MM_IPC_PATH, a file of
///                    another type exists there
///   ENAMETOOLONG     @addr is a name of more than 107 bytes, or a path that is too long
///   EINVAL           @addr is NULL; @flags contains an unknown flag; or @mode has bits outside 0777, or is not 0 without
///                    MM_IPC_PATH
///   EBUSY            for 5 seconds, another process has been creating or removing a server at the path
///   EACCES, EPERM, ENOSYS  the user may not create a file in the directory, or may not connect to the socket that exists
///                    at the path; or a killed process of another user has left its lock file, which the error
///                    description names; or a security policy forbids the operation
///   ENOENT, ENOTDIR, ELOOP  the directory of the path does not exist; or /proc is not mounted, and the path is too
///                    long, or the umask contains permissions of @mode
///   EISDIR           the path ends in a slash
///   EROFS, ENOSPC, EDQUOT, EIO  the file system cannot store the socket
///   ENOLCK           the file system cannot lock a file
///   @errors ipc2-socket
///   EAFNOSUPPORT     the system does not support Unix domain sockets
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: not in mmlib
///
/// # Safety
/// `addr` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_ipc_srv_create2(addr: *const c_char, flags: c_int, mode: libc::mode_t) -> *mut mm_ipc_srv {
    ret_preserving_errno("mm_ipc_srv_create2", || {
        // SAFETY: a string, as the caller promised.
        let addr = unsafe { arg::string(addr, "addr") }?;
        flags::check(flags, PATH)?;
        let most = if flags & PATH != 0 { 0o777 } else { 0 };
        if mode & !most != 0 {
            let reason = if most == 0 { "it must be 0 without MM_IPC_PATH" } else { "it must be at most 0777" };
            return Err(Error::new(libc::EINVAL, format_args!("invalid mode 0{mode:o}: {reason}")));
        }
        // A path that has been published must not be lost because memory is exhausted.
        let unused = ret::unused_box()?;
        let server = if flags & PATH != 0 {
            Server::create_at_path(&PathAddress::new(addr)?, mode)?
        } else {
            Server::create(&Address::new(addr)?)?
        };
        Ok(Box::into_raw(ret::filled(unused, Counted::new(server))).cast())
    })
}

/// mm_ipc_srv_from_fd() - create an IPC server from a listening socket
/// @fd:         file descriptor of a Unix domain socket of type SOCK_SEQPACKET that is listening; not that of a server
///
/// The socket may have been created by a service manager (see sd_listen_fds(3)), by a parent process, or by another
/// process that has sent it with mm_ipc_sendmsg(). A server that is to be restarted without refusing a client passes
/// the descriptor of mm_ipc_srv_release() to its successor.
///
/// After a success, the server owns @fd, which keeps its number and becomes close-on-exec. Whether it is non-blocking is
/// not changed, because the open file description may be shared. If it is blocking and another process accepts
/// connections from it too, mm_ipc_srv_accept2() can wait longer than its timeout, and mm_ipc_srv_destroy() does not end
/// such a wait.
///
/// mm_ipc_srv_destroy() closes this copy, and nothing else: processes with another copy can continue to accept
/// connections, and a path is not removed. To its clients, mm_ipc_get_peer() still returns the process that called
/// listen().
///
/// mm_ipc_connect() reaches only sockets whose abstract name is padded with NUL bytes, which service managers do not
/// create. Use a path for them, and mm_ipc_connect2() with MM_IPC_PATH.
///
/// Return: the server, to be released with mm_ipc_srv_destroy() or mm_ipc_srv_release(); NULL on failure, and the error
///   state is set. After a failure, the caller still owns @fd.
///
/// Errors:
///   EBADF            @fd is not open
///   ENOTSOCK         @fd is not a socket
///   EINVAL           @fd is a socket of another domain or type, or is not listening
///   @errors ipc2-socket
///   EAFNOSUPPORT     a security policy forbids Unix domain sockets
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: not in mmlib
#[unsafe(no_mangle)]
pub extern "C" fn mm_ipc_srv_from_fd(fd: c_int) -> *mut mm_ipc_srv {
    ret("mm_ipc_srv_from_fd", || {
        let _no_cancellation = WithoutCancellation::new();
        let unused = ret::unused_box()?;
        let adoption = Adoption::prepare(Fd::from_c(fd))?;
        // SAFETY: the file descriptor is open, and the caller has passed the ownership to this function.
        let listener = unsafe { OwnedFd::from_raw(fd) };
        let server = ret::filled(unused, Counted::new(adoption.of(listener)));
        Ok(Box::into_raw(server).cast::<mm_ipc_srv>())
    })
}

/// mm_ipc_srv_release() - free an IPC server, and keep its listening file descriptor
/// @srv:        server to free
///
/// Nothing is stopped: clients can connect, and wait to be accepted. The path of the server remains. This is the
/// opposite of mm_ipc_srv_from_fd(). The file descriptor can be sent to another process with mm_ipc_sendmsg(), or passed
/// to a program with mm_spawn(); the caller owns it and closes it with mm_close(). It is close-on-exec, and non-blocking
/// unless it comes from mm_ipc_srv_from_fd(). Connections that have been accepted are not affected.
///
/// Return: the file descriptor; -1 on failure, and the error state is set. After a failure, the server is unchanged.
///
/// Errors:
///   EINVAL           @srv is NULL
///   EBUSY            another thread is in mm_ipc_srv_accept() or mm_ipc_srv_accept2()
///   EBADF            the program has closed the file descriptor of @srv
///   @errors denied
///
/// Thread safety: MT-Safe: no thread may use @srv afterwards
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: not in mmlib
///
/// # Safety
/// `srv` is null, or a server that has not been destroyed or released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_ipc_srv_release(srv: *mut mm_ipc_srv) -> c_int {
    ret("mm_ipc_srv_release", || {
        let _no_cancellation = WithoutCancellation::new();
        let server = NonNull::new(srv).ok_or_else(|| arg::null("srv"))?.cast::<Counted<Server>>();
        // SAFETY: this is the only successful call for the reference of the owner, as the caller promised. After a
        // failure, the owner keeps it.
        let owner = ManuallyDrop::new(unsafe { Reference::of_owner(server) });
        owner.value().listener("release the server")?;
        match ManuallyDrop::into_inner(owner).into_value() {
            Ok(server) => Ok(server.into_listener()),
            Err(owner) => {
                let _owner = ManuallyDrop::new(owner);
                Err(Error::new(
                    libc::EBUSY,
                    format_args!("cannot release the server: another thread is accepting a connection"),
                ))
            }
        }
    })
}

/// mm_ipc_srv_fd() - return the listening file descriptor of an IPC server
/// @srv:        IPC server
///
/// The file descriptor is for poll(), epoll and similar functions, and for lists of file descriptors that are not to be
/// closed. It is readable (POLLIN) when a client is waiting to be accepted. Another thread or process may accept that
/// client first: in an event loop, call mm_ipc_srv_accept2() with a timeout of 0 until it fails with EAGAIN.
///
/// The server still owns the file descriptor: do not close it, and do not change its flags. The call sets O_NONBLOCK,
/// but not for a server of mm_ipc_srv_from_fd(). This has no influence on mm_ipc_srv_accept(), which waits nevertheless.
///
/// Return: the file descriptor; -1 on failure, and the error state is set.
///
/// Errors:
///   EINVAL           @srv is NULL
///   EBADF            the program has closed the file descriptor of @srv
///   @errors denied
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: not in mmlib
///
/// # Safety
/// `srv` is null, or a server that has not been destroyed or released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_ipc_srv_fd(srv: *const mm_ipc_srv) -> c_int {
    ret("mm_ipc_srv_fd", || {
        let server = NonNull::new(srv.cast_mut()).ok_or_else(|| arg::null("srv"))?.cast::<Counted<Server>>();
        // SAFETY: the server was not destroyed, as the caller promised.
        let server = unsafe { Reference::new(server) };
        server.value().listener("return the file descriptor of the server").map(Fd::number)
    })
}

/// mm_ipc_srv_accept2() - accept a connection, with flags and a timeout
/// @srv:        IPC server
/// @flags:      0, or MM_IPC_CLOEXEC, MM_IPC_NONBLOCK or both, for the returned file descriptor
/// @timeout_ms: maximum time to wait for a client in milliseconds; 0 does not wait, -1 waits without limit
///
/// Returns the first pending connection. If there is none, the call waits until a client connects. The time is that of
/// the monotonic clock. MM_IPC_NONBLOCK has no influence on whether the call waits.
///
/// Return: the file descriptor of the connection (the lowest number available), to be closed with mm_close(); -1 on
///   failure, and the error state is set.
///
/// Errors:
///   EAGAIN           @timeout_ms is 0, and no client is waiting; or another thread is about to accept the client
///   ETIMEDOUT        no client has connected within @timeout_ms
///   ECANCELED        the server was destroyed during the call
///   EINTR            the call was interrupted by a signal handler
///   EBADF            the program has closed the file descriptor of @srv
///   EINVAL           @srv is NULL, @flags contains an unknown flag, or @timeout_ms is less than -1
///   @errors pending buffers
///   ECONNABORTED     the connection was aborted
///   @errors denied
/// Error notes: EAGAIN, ETIMEDOUT and EINTR are recorded in the error state but not logged.
///
/// Thread safety: MT-Safe: several threads may accept connections from the same server
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: not in mmlib
///
/// # Safety
/// `srv` is null, or a server that was not destroyed or released before this call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_ipc_srv_accept2(srv: *mut mm_ipc_srv, flags: c_int, timeout_ms: c_int) -> c_int {
    ret_preserving_errno("mm_ipc_srv_accept2", || {
        let server = NonNull::new(srv).ok_or_else(|| arg::null("srv"))?;
        flags::check(flags, CLOEXEC | NONBLOCK)?;
        let timeout = Timeout::from_c(timeout_ms)?;
        // SAFETY: the server was not destroyed, as the caller promised. In Accepting::accept(), all values with a
        // destructor are in self.
        unsafe {
            let server = Reference::new(server.cast::<Counted<Server>>());
            cancel::owning(Accepting::new(server, flags::of_socket(flags), timeout), Accepting::accept)
        }
    })
}

/// mm_ipc_connect2() - connect to an IPC server, with flags and a timeout
/// @addr:       address of the server: a name as for mm_ipc_connect(), or a path
/// @flags:      0, or any of MM_IPC_CLOEXEC, MM_IPC_NONBLOCK and MM_IPC_PATH
/// @timeout_ms: maximum time to wait in milliseconds; 0 does not wait, -1 waits without limit
///
/// If no server listens on @addr, or if the server's queue of pending connections is full, the call waits. A server of
/// this library notifies the clients that wait for its name. For a path, the kernel reports changes of the directory; if
/// it cannot, because the directory cannot be read or the user has too many inotify instances, the call checks four times
/// a second. The time is that of the monotonic clock. The environment variable MMSYSIO_CONNECT_TIMEOUT_MS has no
/// influence. A call that is repeated after EINTR starts with the full timeout.
///
/// MM_IPC_CLOEXEC and MM_IPC_NONBLOCK concern the returned file descriptor; they have no influence on whether the call
/// waits. A path can have more than 107 bytes if /proc is mounted and its last component has at most 80 bytes.
///
/// Other properties of the connection, and of the internal file descriptors that the call uses while it waits, are those
/// of mm_ipc_connect(). If it waits for a path, one of these is an inotify file descriptor. For a path of more than 107
/// bytes, one is that of its directory; a child that another thread forks while the directory is being opened keeps it,
/// and the returned number need not be the lowest one.
///
/// Return: the file descriptor of the connection (the lowest number available), to be closed with mm_close(); -1 on
///   failure, and the error state is set.
///
/// Errors:
///   ECONNREFUSED     no server is listening, and @timeout_ms is 0
///   EAGAIN           the server's queue of pending connections is full, and @timeout_ms is 0
///   ETIMEDOUT        @timeout_ms expired before a server was listening, or before the server's queue had space
///   ENAMETOOLONG     @addr is a name of more than 107 bytes, or a path that is too long
///   EINTR            the call was interrupted by a signal handler; never because the process was stopped and continued
///   EINVAL           @addr is NULL, @flags contains an unknown flag, or @timeout_ms is less than -1
///   ENOENT, ENOTDIR, ELOOP  the path is empty; its directory does not exist, or has been removed or renamed during the
///                    wait; or /proc is not mounted, and the path is too long
///   EISDIR           the path ends in a slash
///   EACCES, EPERM, ENOSYS  the user may not write to the socket at the path, or may not search one of its directories; or
///                    a security policy forbids the operation
///   EPROTOTYPE       the socket at the path is not of type SOCK_SEQPACKET
///   @errors ipc2-socket
///   EAFNOSUPPORT     the system does not support Unix domain sockets
/// Error notes: ECONNREFUSED, EAGAIN, ETIMEDOUT and EINTR are recorded in the error state but not logged.
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point; a thread that is cancelled here leaves no file descriptor open
/// Compatibility: not in mmlib
///
/// # Safety
/// `addr` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_ipc_connect2(addr: *const c_char, flags: c_int, timeout_ms: c_int) -> c_int {
    ret_preserving_errno("mm_ipc_connect2", || {
        // SAFETY: a string, as the caller promised.
        let addr = unsafe { arg::string(addr, "addr") }?;
        flags::check(flags, CLOEXEC | NONBLOCK | PATH)?;
        let timeout = Timeout::from_c(timeout_ms)?;
        let wanted = Wanted { flags: flags::of_socket(flags), timeout, is_timeout_logged: false };
        let connecting = {
            // Opening the directory of a long path is a cancellation point.
            let _no_cancellation = WithoutCancellation::new();
            Connecting::new(target(addr, flags)?, wanted)?
        };
        // SAFETY: in Connecting::connect(), all values with a destructor are in self.
        unsafe { cancel::owning(connecting, Connecting::connect) }
    })
}

fn target(addr: &CStr, flags: c_int) -> Result<Target<'_>> {
    if flags & PATH != 0 { Target::path(PathAddress::new(addr)?) } else { Address::new(addr).map(Target::Abstract) }
}

/// mm_ipc_connected_pair2() - create a pair of connected IPC endpoints, with flags
/// @fds:        receives two file descriptors (the lowest numbers available)
/// @flags:      0, or MM_IPC_CLOEXEC, MM_IPC_NONBLOCK or both, for the two file descriptors
///
/// This is mm_ipc_connected_pair() with flags. After a failure the content of @fds is unspecified.
///
/// Return: 0 on success, and both file descriptors are to be closed with mm_close(); -1 on failure, and the error state
///   is set.
///
/// Errors:
///   EFAULT           @fds is NULL or cannot be written
///   EINVAL           @flags contains an unknown flag
///   @errors ipc2-socket
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: not in mmlib
/// cbindgen:ptrs-as-arrays=[[fds;2]]
///
/// # Safety
/// `fds` is null or valid for two elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_ipc_connected_pair2(fds: *mut c_int, flags: c_int) -> c_int {
    ret("mm_ipc_connected_pair2", || {
        flags::check(flags, CLOEXEC | NONBLOCK)?;
        // SAFETY: the caller promised that both elements may be written; otherwise the kernel reports EFAULT.
        unsafe { socket::socketpair(libc::AF_UNIX, libc::SOCK_SEQPACKET | flags::of_socket(flags), 0, fds) }
            .map_err(|e| Error::os(e, format_args!("cannot create a pair of connected sockets")))?;
        // SAFETY: the call has succeeded.
        unsafe { ret::note_pair(fds) };
        Ok(())
    })
}

/// mm_ipc_watch() - watch for an IPC server, in an event loop
/// @addr:       address of the server: a name as for mm_ipc_connect(), or a path
/// @flags:      0 or MM_IPC_PATH
///
/// The returned file descriptor, the watch, becomes readable (POLLIN) when a server may have begun to listen on @addr. It
/// can also become readable without a server. No server is missed if the watch is created first: then call
/// mm_ipc_connect2() with a timeout of 0, and if that fails with ECONNREFUSED, wait until the watch is readable, clear
/// it, and try again. To clear it, read from it into a buffer of at least 4096 bytes until mm_read() fails with EAGAIN.
/// What is read has no meaning, and can be empty. Close the watch when the connection is established, or keep it, to
/// connect again when the server has restarted. If the directory of a path is removed or renamed, the watch becomes
/// readable for the last time: close it, and create another one when the directory exists. Closing the watch of a path
/// takes the kernel some milliseconds.
///
/// Servers of mmlib do not notify watches. At a path, the watch reports that a name appears in the directory; a server
/// that does not use this library may begin to listen only after that. To connect to such servers, also try from time to
/// time. The same holds for a path that is a symbolic link to a socket in another directory. The server's queue of
/// pending connections is not watched: if mm_ipc_connect2() fails with EAGAIN, try again after a pause.
///
/// A name has four places for watches and waiting clients, of which watches can use three. A further watch is a timer that
/// becomes readable four times a second, as is that of a path if the kernel cannot report changes of the directory.
///
/// The file descriptor is non-blocking and close-on-exec.
///
/// Return: the file descriptor, to be closed with mm_close(); -1 on failure, and the error state is set.
///
/// Errors:
///   ENAMETOOLONG     @addr is a name of more than 107 bytes, or a path that is too long
///   EINVAL           @addr is NULL, or @flags contains an unknown flag
///   ENOENT, ENOTDIR, ELOOP  the directory of the path does not exist
///   EISDIR           the path ends in a slash
///   @errors ipc2-socket
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: not in mmlib
///
/// # Safety
/// `addr` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_ipc_watch(addr: *const c_char, flags: c_int) -> c_int {
    ret_preserving_errno("mm_ipc_watch", || {
        let _no_cancellation = WithoutCancellation::new();
        // SAFETY: a string, as the caller promised.
        let addr = unsafe { arg::string(addr, "addr") }?;
        flags::check(flags, PATH)?;
        if flags & PATH != 0 { watch::path(&PathAddress::new(addr)?) } else { watch::name(&Address::new(addr)?) }
    })
}

/// mm_ipc_get_peer() - return the process at the other end of a connection
/// @fd:         file descriptor of the endpoint
/// @peer:       receives the process
/// @size:       sizeof(struct mm_ipc_peer)
///
/// For the endpoint of a server, the result is the process that called connect(); for that of a client, the process that
/// called listen(); for a pair of connected endpoints, the process that created the pair. The kernel recorded it at that
/// time: the process may since have terminated, have changed its user, or have passed the connection to another process.
/// The process ID may have been reused: see mm_ipc_get_peer_pidfd().
///
/// Later versions of the library may add fields to the structure. If @size is less than the size that the library knows,
/// only the first @size bytes are stored; if it is greater, the rest is set to 0.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EBADF            @fd is not open
///   ENOTSOCK         @fd is not a socket
///   ENOTCONN         @fd is not connected, or is not a Unix domain socket
///   EFAULT           @peer is NULL
///   EINVAL           @size is 0
///   @errors denied
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: not in mmlib
///
/// # Safety
/// `peer` is null or valid for writing `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_ipc_get_peer(fd: c_int, peer: *mut mm_ipc_peer, size: usize) -> c_int {
    ret("mm_ipc_get_peer", || {
        arg::require_address(peer, "peer")?;
        if size == 0 {
            return Err(Error::new(libc::EINVAL, format_args!("argument size is 0")));
        }
        let credentials = peer::credentials(Fd::from_c(fd))?;
        let known = mm_ipc_peer { pid: credentials.pid, uid: credentials.uid, gid: credentials.gid };
        let fitting = size.min(size_of::<mm_ipc_peer>());
        let bytes = peer.cast::<u8>();
        // SAFETY: size bytes are valid for writing, as the caller promised, and at most that many are written.
        unsafe {
            ptr::copy_nonoverlapping((&raw const known).cast::<u8>(), bytes, fitting);
            bytes.add(fitting).write_bytes(0, size - fitting);
        }
        Ok(())
    })
}

/// mm_ipc_get_peer_pidfd() - return a file descriptor of the process at the other end of a connection
/// @fd:         file descriptor of the endpoint
///
/// The process is that of mm_ipc_get_peer(). Unlike a process ID, a process file descriptor refers to the same process
/// for ever: see pidfd_open(2). It is close-on-exec.
///
/// Return: the file descriptor, to be closed with mm_close(); -1 on failure, and the error state is set.
///
/// Errors:
///   EBADF            @fd is not open
///   ENOTSOCK         @fd is not a socket
///   ENOTCONN         @fd is not connected, or is not a Unix domain socket
///   ENOPROTOOPT      the kernel is older than Linux 6.5
///   ESRCH, EINVAL    the process has terminated and was waited for; newer kernels return a file descriptor
///   EMFILE, ENFILE   too many open file descriptors in the process or in the system
///   ENOMEM           not enough memory
///   @errors denied
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: not in mmlib
#[unsafe(no_mangle)]
pub extern "C" fn mm_ipc_get_peer_pidfd(fd: c_int) -> c_int {
    ret("mm_ipc_get_peer_pidfd", || peer::pidfd(Fd::from_c(fd)))
}
