//! Doors under the banner 'File manipulation'.

use super::ret::ret;
use crate::error::Error;
use crate::sys::file;
use std::ffi::{c_int, c_void};

/// mm_close() - close a descriptor
/// @fd:         descriptor to close; -1 does nothing, successfully
///
/// Return: 0; or -1, with the error state set to
///   EBADF            @fd is not open
///   EIO              data written earlier could not be stored
///   ENOSPC, EDQUOT   the same, for want of space
/// Except after EBADF the descriptor is closed even if -1 is returned: do not try again.
///
/// MT-Safe. Cancellation point.
///
/// Differs from mmlib: a signal that arrives meanwhile does not make it fail with EINTR, since the descriptor is
/// closed by then.
#[unsafe(no_mangle)]
pub extern "C" fn mm_close(fd: c_int) -> c_int {
    ret("mm_close", || match fd {
        -1 => Ok(()),
        fd => match file::close(fd) {
            Err(e) if e.0 != libc::EINTR => Err(Error::os(e, format_args!("closing descriptor {fd}"))),
            _ => Ok(()),
        },
    })
}

/// mm_read() - read from a descriptor
/// @fd:         descriptor of a file, a pipe, a socket...
/// @buf:        receives the data
/// @nbyte:      size of @buf in bytes
///
/// One read(): fewer bytes than asked for are no error. From an IPC endpoint it receives one message, of which it
/// discards what does not fit into @buf, and closes the descriptors: use mm_ipc_recvmsg() to get these.
///
/// Return: the number of bytes read, 0 at the end of the file or stream; or -1, with the error state set to
///   EBADF            @fd is not open for reading
///   EISDIR           @fd is a directory
///   EFAULT           @buf cannot be written
///   EINVAL           @fd cannot be read
///   EINTR            a signal handler was called before data came
///   EAGAIN           there is no data, and @fd is non-blocking or its SO_RCVTIMEO ran out
///   ECONNRESET       the peer of the socket has closed the connection without reading all that was sent
///   EIO              the device failed
///
/// MT-Safe. Cancellation point.
///
/// # Safety
/// `buf` is valid for `nbyte` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_read(fd: c_int, buf: *mut c_void, nbyte: usize) -> libc::ssize_t {
    ret("mm_read", || {
        // SAFETY: the caller promised that nbyte bytes may be written; the kernel finds out where not.
        unsafe { file::read(fd, buf, nbyte) }
            .map_err(|e| Error::os(e, format_args!("reading {nbyte} bytes from descriptor {fd}")))
    })
}

/// mm_write() - write to a descriptor
/// @fd:         descriptor of a file, a pipe, a socket...
/// @buf:        data to write
/// @nbyte:      size of the data in bytes
///
/// One write(): fewer bytes may be written than asked for. To an IPC endpoint it sends one message.
///
/// Return: the number of bytes written; or -1, with the error state set to
///   EBADF            @fd is not open for writing
///   EFAULT           @buf cannot be read
///   EPIPE            nobody can read any more; except from an IPC endpoint, SIGPIPE comes first
///   EINTR            a signal handler was called before data was written
///   EAGAIN           there is no room, and @fd is non-blocking or its SO_SNDTIMEO ran out
///   EMSGSIZE         the message is too large for the socket
///   ENOSPC, EDQUOT, EFBIG the file cannot grow
///   ECONNRESET       the peer of the socket has closed the connection without reading all that was sent
///   EIO              the device failed
///
/// MT-Safe. Cancellation point.
///
/// # Safety
/// `buf` is valid for `nbyte` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_write(fd: c_int, buf: *const c_void, nbyte: usize) -> libc::ssize_t {
    ret("mm_write", || {
        // SAFETY: the caller promised that nbyte bytes may be read; the kernel finds out where not.
        unsafe { file::write(fd, buf, nbyte) }
            .map_err(|e| Error::os(e, format_args!("writing {nbyte} bytes to descriptor {fd}")))
    })
}
