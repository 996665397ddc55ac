// SPDX-License-Identifier: Apache-2.0
//! Entry points under the banner 'File manipulation'.

use super::arg;
use super::ret::{self, ret, ret_preserving_errno};
use super::types::mm_stat;
use crate::error::Error;
use crate::fs::flags::{NOFOLLOW, RECURSIVE};
use crate::fs::{copy, mkdir, mode, remove, status};
use crate::os::fd_history;
use crate::rt::fd::Fd;
use crate::sys::path::KernelPath;
use crate::sys::{self, file};
use core::ffi::{c_char, c_int, c_void};
use errno::Errno;

/// mm_open() - open a file
/// @path:       name of the file
/// @oflag:      flags of open(): O_RDONLY, O_WRONLY or O_RDWR, with O_CREAT, O_EXCL, O_TRUNC, O_APPEND...
/// @mode:       permissions of a file that is created, MODE_DEF among them; otherwise ignored
///
/// The file is closed in executed programs: O_CLOEXEC is always added.
///
/// Return: the descriptor, the lowest number available, to be closed with mm_close(); on failure -1, and the error
///   state is set.
///
/// Errors:
///   EACCES, EPERM    the file or a directory of the path may not be accessed in this way
///   EEXIST           the file exists, and O_CREAT and O_EXCL are given
///   EISDIR           a directory is to be written
///   @errors path filesystem descriptors
///   ENXIO            nobody reads the FIFO, or there is no such device, or it is a socket
///   EROFS            the filesystem is read-only
///   ETXTBSY          a program that runs is to be written
///   ENOSPC, EDQUOT   there is no space to create it
///   EINVAL           @oflag has a combination that is not supported
///   EOPNOTSUPP       the filesystem has no O_TMPFILE
///   EINTR            the call was interrupted by a signal handler while it waited for the FIFO or device
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `path` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_open(path: *const c_char, oflag: c_int, mode: c_int) -> c_int {
    ret("mm_open", || {
        // SAFETY: a string, as the caller promised.
        let path = unsafe { KernelPath::from_c(path) };
        file::open(path, oflag | libc::O_CLOEXEC, mode::translated(mode))
            .map_err(|e| Error::io(e, format_args!("opening {} with flags {oflag:#o}", path.shown(e))))
    })
}

/// mm_rename() - rename a file
/// @oldpath:    its name
/// @newpath:    its new name; what has it is replaced, in one step
///
/// Symbolic links are renamed themselves. Two names of one file stay as they are.
///
/// Return: 0 on success; on failure -1, and the error state is set.
///
/// Errors:
///   EACCES, EPERM    a directory may not be written or searched
///   ENOTEMPTY, EEXIST  @newpath is a directory that is not empty
///   EISDIR           @newpath is a directory, and @oldpath is not
///   EXDEV            the names are on different filesystems
///   EINVAL           a directory is to become part of itself
///   EBUSY            a directory is in use by the system
///   EROFS            the filesystem is read-only
///   EMLINK, ENOSPC, EDQUOT  there is no space for the new name
///   @errors path filesystem
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// Both are strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_rename(oldpath: *const c_char, newpath: *const c_char) -> c_int {
    ret("mm_rename", || {
        // SAFETY: strings, as the caller promised.
        let (oldpath, newpath) = unsafe { (KernelPath::from_c(oldpath), KernelPath::from_c(newpath)) };
        file::rename(oldpath, newpath)
            .map_err(|e| Error::os(e, format_args!("renaming {} to {}", oldpath.shown(e), newpath.shown(e))))
    })
}

/// mm_close() - close a descriptor
/// @fd:         descriptor to close; -1 does nothing, successfully
///
/// Return: 0 on success; on failure -1, and the error state is set.
///
/// Errors:
///   EBADF            @fd is not open
///   EIO              data written earlier could not be stored
///   ENOSPC, EDQUOT   the same, for want of space
/// Error notes: Except after EBADF the descriptor is closed even if -1 is returned: do not try again.
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: differs from mmlib: a signal that arrives while the descriptor is closed does not make the call fail
///   with EINTR, since the descriptor is closed nevertheless.
#[unsafe(no_mangle)]
pub extern "C" fn mm_close(fd: c_int) -> c_int {
    ret_preserving_errno("mm_close", || match fd {
        -1 => Ok(()),
        fd => match close(Fd::from_c(fd)) {
            Err(e) if e.0 != libc::EINTR => Err(Error::os(e, format_args!("closing descriptor {fd}"))),
            _ => Ok(()),
        },
    })
}

fn close(fd: Fd) -> sys::Result<()> {
    fd_history::note_replaced(fd);
    // SAFETY: the descriptor is the C caller's.
    unsafe { file::close(fd) }
}

/// mm_fsync() - store what was written to a file
/// @fd:         descriptor of the file
///
/// Returns when the device has it.
///
/// Return: 0 on success; on failure -1, and the error state is set.
///
/// Errors:
///   EBADF            @fd is not open
///   EINVAL           @fd has no storage: a pipe, a socket
///   EIO              the device failed
///   ENOSPC, EDQUOT   there is no space for it
///   EROFS            the filesystem is read-only
///   EINTR            the call was interrupted by a signal handler
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: as mmlib
#[unsafe(no_mangle)]
pub extern "C" fn mm_fsync(fd: c_int) -> c_int {
    ret("mm_fsync", || {
        file::fsync(Fd::from_c(fd)).map_err(|e| Error::os(e, format_args!("storing the data of descriptor {fd}")))
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
/// Return: the number of bytes read, 0 at the end of the file or stream; on failure -1, and the error state is set.
///
/// Errors:
///   EBADF            @fd is not open for reading
///   EISDIR           @fd is a directory
///   EFAULT           @buf cannot be written
///   EINVAL           @fd cannot be read
///   EINTR            the call was interrupted by a signal handler before data arrived
///   EAGAIN           there is no data, and @fd is non-blocking or its SO_RCVTIMEO ran out
///   ECONNRESET       the peer of the socket has closed the connection without reading all that was sent
///   EIO              the device failed
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `buf` is valid for `nbyte` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_read(fd: c_int, buf: *mut c_void, nbyte: usize) -> libc::ssize_t {
    ret("mm_read", || {
        // SAFETY: the caller promised that nbyte bytes may be written; the kernel finds out where not.
        unsafe { file::read(Fd::from_c(fd), buf, nbyte) }
            .map_err(|e| Error::io(e, format_args!("reading {nbyte} bytes from descriptor {fd}")))
    })
}

/// mm_write() - write to a descriptor
/// @fd:         descriptor of a file, a pipe, a socket...
/// @buf:        data to write
/// @nbyte:      size of the data in bytes
///
/// One write(): fewer bytes may be written than asked for. To an IPC endpoint it sends one message.
///
/// If the offset is at the process's limit of file sizes (RLIMIT_FSIZE) already, SIGXFSZ is raised, which terminates the
/// process unless it is caught, blocked or ignored; then the call fails with EFBIG.
///
/// Return: the number of bytes written; on failure -1, and the error state is set.
///
/// Errors:
///   EBADF            @fd is not open for writing
///   EFAULT           @buf cannot be read
///   EPIPE            nobody can read any more; except from an IPC endpoint, SIGPIPE comes first
///   EINTR            the call was interrupted by a signal handler before data was written
///   EAGAIN           there is no space, and @fd is non-blocking or its SO_SNDTIMEO ran out
///   EMSGSIZE         the message is too large for the socket
///   ENOSPC, EDQUOT   the filesystem is full, or the user's quota is exhausted
///   EFBIG            the file has reached RLIMIT_FSIZE, or the largest size of the filesystem
///   EPERM            the file is sealed against it
///   ECONNRESET       the peer of the socket has closed the connection without reading all that was sent
///   EIO              the device failed
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `buf` is valid for `nbyte` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_write(fd: c_int, buf: *const c_void, nbyte: usize) -> libc::ssize_t {
    ret("mm_write", || {
        // SAFETY: the caller promised that nbyte bytes may be read; the kernel finds out where not.
        unsafe { file::write(Fd::from_c(fd), buf, nbyte) }
            .map_err(|e| Error::io(e, format_args!("writing {nbyte} bytes to descriptor {fd}")))
    })
}

/// mm_seek() - move the offset of a file
/// @fd:         descriptor of the file
/// @offset:     bytes to move it by
/// @whence:     from where: SEEK_SET (the start), SEEK_CUR (where it is), SEEK_END (the end), or the
///              system's SEEK_DATA and SEEK_HOLE
///
/// Return: the offset from the start of the file; on failure -1, and the error state is set.
///
/// Errors:
///   EBADF            @fd is not open
///   EINVAL           @whence is unknown, or the offset would be negative
///   ESPIPE           @fd is a pipe, a socket or a terminal
///   ENXIO            no data, or no file, follows
///   EOVERFLOW        the resulting offset cannot be represented; in memory of another process (/proc/PID/mem), which
///                    has offsets of 2^63 and more, the file has it nevertheless
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
#[unsafe(no_mangle)]
pub extern "C" fn mm_seek(fd: c_int, offset: libc::off_t, whence: c_int) -> libc::off_t {
    ret("mm_seek", || {
        file::lseek(Fd::from_c(fd), offset, whence)
            .map_err(|e| Error::os(e, format_args!("moving descriptor {fd} by {offset} from {whence}")))
    })
}

/// mm_ftruncate() - set the size of a file
/// @fd:         descriptor of the file, open for writing
/// @length:     its new size; what is added reads as zeros
///
/// The offset stays where it is.
///
/// If @length is greater than the size of the file and than the process's limit of file sizes (RLIMIT_FSIZE), SIGXFSZ is
/// raised, which terminates the process unless it is caught, blocked or ignored; then the call fails with EFBIG.
///
/// Return: 0 on success; on failure -1, and the error state is set.
///
/// Errors:
///   EBADF            @fd is not open
///   EINVAL           @length is negative, or @fd is not open for writing, or has no size
///   EFBIG            @length is greater than RLIMIT_FSIZE, or than the largest size of the filesystem
///   EPERM            the file is sealed or may only grow
///   EINTR            the call was interrupted by a signal handler
///   EIO, ENOSPC      the filesystem failed
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: as mmlib
#[unsafe(no_mangle)]
pub extern "C" fn mm_ftruncate(fd: c_int, length: libc::off_t) -> c_int {
    ret("mm_ftruncate", || {
        file::ftruncate(Fd::from_c(fd), length)
            .map_err(|e| Error::os(e, format_args!("setting the size of descriptor {fd} to {length}")))
    })
}

/// mm_fstat() - tell about an open file
/// @fd:         descriptor of the file
/// @buf:        receives what there is to tell; untouched after a failure
///
/// Of a symbolic link (opened with O_PATH) the size counts the byte that terminates its target.
///
/// Return: 0 on success; on failure -1, and the error state is set.
///
/// Errors:
///   EBADF            @fd is not open
///   EFAULT           @buf is NULL
///   EOVERFLOW        a value does not fit into its member of @buf
///   @errors filesystem
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: NULL does not crash.
///
/// # Safety
/// `buf` is valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_fstat(fd: c_int, buf: *mut mm_stat) -> c_int {
    ret("mm_fstat", || {
        let status =
            file::fstat(Fd::from_c(fd)).map_err(|e| Error::os(e, format_args!("asking about descriptor {fd}")))?;
        arg::require_address(buf, "buf")?;
        // SAFETY: not null, so valid.
        unsafe { buf.write(reported(&status)) };
        Ok(())
    })
}

/// mm_stat() - tell about a file
/// @path:       name of the file
/// @buf:        receives what there is to tell; untouched after a failure
/// @flags:      MM_NOFOLLOW to ask about a symbolic link itself; other bits are ignored
///
/// Of a symbolic link the size counts the byte that terminates its target: it is the room that mm_readlink() needs, except
/// for the links of /proc, which report no size.
///
/// Return: 0 on success; on failure -1, and the error state is set.
///
/// Errors:
///   EOVERFLOW        a value does not fit into its member of @buf
///   EFAULT           @path or @buf is NULL, or @path points outside the accessible address space
///   @errors path filesystem
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: NULL does not crash.
///
/// # Safety
/// `path` is a string, `buf` is valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_stat(path: *const c_char, buf: *mut mm_stat, flags: c_int) -> c_int {
    ret("mm_stat", || {
        // SAFETY: a string, as the caller promised.
        let path = unsafe { KernelPath::from_c(path) };
        let status = if flags & NOFOLLOW != 0 { file::lstat(path) } else { file::stat(path) };
        let status = status.map_err(|e| Error::os(e, format_args!("asking about {}", path.shown(e))))?;
        arg::require_address(buf, "buf")?;
        // SAFETY: not null, so valid.
        unsafe { buf.write(reported(&status)) };
        Ok(())
    })
}

/// mm_futimens() - set the times of an open file
/// @fd:         descriptor of the file; it need not be open for writing
/// @ts:         time of access, then time of change; NULL for now, twice. With UTIME_NOW in tv_nsec a time
///              becomes now, with UTIME_OMIT it stays
///
/// Return: 0 on success; on failure -1, and the error state is set.
///
/// Errors:
///   EBADF            @fd is not open
///   EINVAL           a tv_nsec is neither special nor from 0 to 999999999
///   EFAULT           @ts cannot be read
///   EACCES           the file is another user's, may not be written, and @ts is NULL or UTIME_NOW
///   EPERM            the file is another user's
///   EROFS            the filesystem is read-only
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
/// cbindgen:ptrs-as-arrays=[[ts;2]]
///
/// # Safety
/// `ts` is null or points to two elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_futimens(fd: c_int, ts: *const libc::timespec) -> c_int {
    ret("mm_futimens", || {
        // SAFETY: null or two elements, as the caller promised; the kernel finds out where not.
        unsafe { file::futimens(Fd::from_c(fd), ts) }
            .map_err(|e| Error::os(e, format_args!("setting the times of descriptor {fd}")))
    })
}

/// mm_utimens() - set the times of a file
/// @path:       name of the file
/// @ts:         time of access, then time of change; NULL for now, twice. With UTIME_NOW in tv_nsec a time
///              becomes now, with UTIME_OMIT it stays
/// @flags:      MM_NOFOLLOW to set those of a symbolic link itself, or 0
///
/// Return: 0 on success; on failure -1, and the error state is set.
///
/// Errors:
///   EINVAL           @path is NULL, @flags has other bits, or a tv_nsec is neither special nor from 0 to 999999999
///   EPERM            the file is another user's
///   EROFS            the filesystem is read-only
///   EFAULT           @path or @ts cannot be read
///   @errors path filesystem
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
/// cbindgen:ptrs-as-arrays=[[ts;2]]
///
/// # Safety
/// `path` is a string, `ts` is null or points to two elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_utimens(path: *const c_char, ts: *const libc::timespec, flags: c_int) -> c_int {
    ret("mm_utimens", || {
        // SAFETY: a string, as the caller promised.
        let path = unsafe { KernelPath::from_c(path) };
        if flags & !NOFOLLOW != 0 {
            return Err(Error::new(libc::EINVAL, format_args!("setting times with unknown flags {flags:#x}")));
        }
        if path.as_ptr().is_null() {
            return Err(arg::null("path"));
        }
        let flags = if flags & NOFOLLOW != 0 { libc::AT_SYMLINK_NOFOLLOW } else { 0 };
        // SAFETY: null or two elements, as the caller promised; the kernel finds out where not.
        unsafe { file::utimensat(path, ts, flags) }
            .map_err(|e| Error::os(e, format_args!("setting the times of {}", path.shown(e))))
    })
}

/// mm_check_access() - ask what the process may do with a file
/// @path:       name of the file
/// @amode:      F_OK, or an OR of R_OK, W_OK and X_OK
///
/// It is asked for the real user and group, and of what a symbolic link leads to. The answer may be out of date as
/// soon as it is there.
///
/// Return: 0 if it may; ENOENT (positive) if there is no such file; EACCES (positive) if it may not. errno and the
///   error state stay as they are in these cases. On any other failure -1, and the error state is set.
///
/// Errors:
///   EINVAL           @amode has other bits
///   @errors resolution filesystem
///   EROFS            the filesystem is read-only, and W_OK is asked for
///   EPERM            the file is immutable, and W_OK is asked for
///   ETXTBSY          the file is a running program, and W_OK is asked for
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `path` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_check_access(path: *const c_char, amode: c_int) -> c_int {
    ret_preserving_errno("mm_check_access", || {
        // SAFETY: a string, as the caller promised.
        let path = unsafe { KernelPath::from_c(path) };
        status::check_access(path, amode)
    })
}

/// mm_isatty() - ask whether a descriptor is a terminal
/// @fd:         descriptor
///
/// Return: 1 if it is, 0 if it is not, with errno as it was; on failure -1, and the error state is set.
///
/// Errors:
///   EBADF            @fd is not open
///   EIO              the terminal has hung up
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
#[unsafe(no_mangle)]
pub extern "C" fn mm_isatty(fd: c_int) -> c_int {
    ret_preserving_errno("mm_isatty", || status::is_a_terminal(Fd::from_c(fd)))
}

/// mm_dup() - duplicate a descriptor
/// @fd:         descriptor
///
/// Both share offset and status flags. The new one is inherited by executed programs.
///
/// Return: the new descriptor, the lowest number available, to be closed with mm_close(); on failure -1, and the error
///   state is set.
///
/// Errors:
///   EBADF            @fd is not open
///   EMFILE           the per-process limit on the number of open file descriptors has been reached
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
#[unsafe(no_mangle)]
pub extern "C" fn mm_dup(fd: c_int) -> c_int {
    ret("mm_dup", || file::dup(Fd::from_c(fd)).map_err(|e| Error::os(e, format_args!("duplicating descriptor {fd}"))))
}

/// mm_dup2() - duplicate a descriptor to a number
/// @fd:         descriptor
/// @newfd:      number to give it; what has it is closed
///
/// Both share offset and status flags. The new one is inherited by executed programs, unless both are the same number:
/// then nothing changes.
///
/// Return: @newfd; on failure -1, and the error state is set.
///
/// Errors:
///   EBADF            @fd is not open, or @newfd is negative or not below RLIMIT_NOFILE
///   EMFILE           the per-process limit on the number of open file descriptors has been reached
///   EBUSY            @newfd is being opened by another thread
///   EINTR            the call was interrupted by a signal handler
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
#[unsafe(no_mangle)]
pub extern "C" fn mm_dup2(fd: c_int, newfd: c_int) -> c_int {
    ret("mm_dup2", || {
        if fd != newfd {
            fd_history::note_replaced(Fd::from_c(newfd));
        }
        // SAFETY: the descriptor that is replaced is the C caller's.
        unsafe { file::dup2(Fd::from_c(fd), Fd::from_c(newfd)) }
            .map_err(|e| Error::os(e, format_args!("duplicating descriptor {fd} to {newfd}")))
    })
}

/// mm_pipe() - create a pipe
/// @pipefd:     receives the end to read from, then the end to write to
///
/// Both are inherited by executed programs, and blocking.
///
/// Return: 0 on success, with both descriptors, the lowest numbers available, to be closed with mm_close(); on failure
///   -1, and the error state is set.
///
/// Errors:
///   EFAULT           @pipefd cannot be written, NULL included
///   @errors descriptors
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
/// cbindgen:ptrs-as-arrays=[[pipefd;2]]
///
/// # Safety
/// `pipefd` is null or valid for two elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_pipe(pipefd: *mut c_int) -> c_int {
    ret("mm_pipe", || {
        // SAFETY: the caller promised that both elements may be written; the kernel finds out where not.
        unsafe { file::pipe(pipefd) }.map_err(|e| Error::os(e, format_args!("creating a pipe")))?;
        // SAFETY: it has succeeded.
        unsafe { ret::note_pair(pipefd) };
        Ok(())
    })
}

/// mm_unlink() - remove a name of a file
/// @path:       the name
///
/// The file goes with its last name, when nobody has it open or mapped. A symbolic link is removed itself.
///
/// Return: 0 on success; on failure -1, and the error state is set.
///
/// Errors:
///   EISDIR           it is a directory
///   EPERM            the directory is sticky and the file another user's, or it is immutable
///   EBUSY            it is in use by the system
///   EROFS            the filesystem is read-only
///   @errors path filesystem
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `path` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_unlink(path: *const c_char) -> c_int {
    ret("mm_unlink", || {
        // SAFETY: a string, as the caller promised.
        let path = unsafe { KernelPath::from_c(path) };
        file::unlink(path).map_err(|e| Error::os(e, format_args!("removing the name {}", path.shown(e))))
    })
}

/// mm_link() - give a file another name
/// @oldpath:    a name that it has; a symbolic link itself gets the new name
/// @newpath:    the new name
///
/// Return: 0 on success; on failure -1, and the error state is set.
///
/// Errors:
///   EEXIST           @newpath exists
///   EXDEV            the names are on different filesystems
///   EPERM            it is a directory, or the system forbids it
///   EMLINK           it has too many names
///   EROFS, ENOSPC, EDQUOT  there is no space for the new name
///   @errors path filesystem
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// Both are strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_link(oldpath: *const c_char, newpath: *const c_char) -> c_int {
    ret("mm_link", || {
        // SAFETY: strings, as the caller promised.
        let (oldpath, newpath) = unsafe { (KernelPath::from_c(oldpath), KernelPath::from_c(newpath)) };
        file::link(oldpath, newpath)
            .map_err(|e| Error::os(e, format_args!("linking {} as {}", oldpath.shown(e), newpath.shown(e))))
    })
}

/// mm_symlink() - create a symbolic link
/// @oldpath:    where it leads: any text; from where @newpath is, if it is relative
/// @newpath:    name of the link
///
/// Return: 0 on success; on failure -1, and the error state is set.
///
/// Errors:
///   EEXIST           @newpath exists
///   EPERM            the filesystem has no symbolic links
///   EROFS, ENOSPC, EDQUOT  there is no space for it
///   ENOENT           a directory of @newpath does not exist, or @oldpath or @newpath is empty
///   @errors path filesystem
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// Both are strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_symlink(oldpath: *const c_char, newpath: *const c_char) -> c_int {
    ret("mm_symlink", || {
        // SAFETY: strings, as the caller promised.
        let (oldpath, newpath) = unsafe { (KernelPath::from_c(oldpath), KernelPath::from_c(newpath)) };
        file::symlink(oldpath, newpath)
            .map_err(|e| Error::os(e, format_args!("creating link {} to {}", newpath.shown(e), oldpath.shown(e))))
    })
}

/// mm_readlink() - tell where a symbolic link leads
/// @path:       name of the link
/// @buf:        receives the text, terminated
/// @bufsize:    size of @buf: one more than the text, as the size that mm_stat() reports
///
/// Return: 0 on success; on failure -1, and the error state is set.
///
/// Errors:
///   EOVERFLOW        it does not fit: @buf has its beginning
///   EINVAL           @path is not a symbolic link, or @bufsize is 0
///   @errors path filesystem
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: the text is terminated also if it does not fit, and a @bufsize above INT_MAX is
///   no error.
///
/// # Safety
/// `path` is a string, `buf` is valid for `bufsize` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_readlink(path: *const c_char, buf: *mut c_char, bufsize: usize) -> c_int {
    ret("mm_readlink", || {
        // SAFETY: a string, as the caller promised.
        let path = unsafe { KernelPath::from_c(path) };
        let size = bufsize.min(c_int::MAX as usize);
        // SAFETY: the caller promised that so many bytes may be written; the kernel finds out where not.
        let length = unsafe { file::readlink(path, buf, size) }
            .map_err(|e| Error::os(e, format_args!("reading link {}", path.shown(e))))?;
        // SAFETY: the kernel has written length bytes of at most size, which is not 0: it refuses that.
        unsafe { buf.add(length.min(size - 1)).write(0) };
        if length < size {
            return Ok(());
        }
        let shown = path.shown(Errno(libc::EOVERFLOW));
        Err(Error::new(libc::EOVERFLOW, format_args!("reading link {shown}: it does not fit into {bufsize} bytes")))
    })
}

/// mm_copy() - copy a file
/// @src:        name of the file
/// @dst:        name of the copy, which must not exist
/// @flags:      0, or an OR of MM_NOFOLLOW (copy a symbolic link itself), and one of MM_NOCOW (write
///              every byte anew) and MM_FORCECOW (share the data with the source, or fail)
/// @mode:       permissions of the copy, MODE_DEF among them, less the umask; ignored for a symbolic link
///
/// Only the content is copied, which is what read() returns, whatever size the file reports: no owner, times or
/// attributes. Holes stay holes where the filesystem reports them. Without a flag the system may share the data or copy it
/// by itself. If another process changes the file at the same time, the copy may have parts of both; what is appended
/// is copied or not, and if the file is truncated the copy may end there.
///
/// Only a regular file is copied, or with MM_NOFOLLOW a symbolic link. The type is checked first: a FIFO, a device or a
/// socket is not opened, and the call neither waits for one nor creates @dst.
///
/// A set-user-ID, set-group-ID or sticky bit in @mode is set when all is written, or the call fails.
///
/// A failure leaves no copy behind; a signal does not end it. If @dst has become the name of another file by then, that
/// file stays, unless it gets the name in the moment between the check and the removal.
///
/// Return: 0 on success; on failure -1, and the error state is set.
///
/// Errors:
///   EEXIST           @dst exists, be it a symbolic link that leads nowhere
///   EINVAL           @flags has other bits, or both MM_NOCOW and MM_FORCECOW; or @src is a FIFO, a device or a socket;
///                    or the filesystem does not accept the name of @dst
///   EISDIR           @src is a directory
///   EOPNOTSUPP, EXDEV, ENOTTY  MM_FORCECOW is given, and the data cannot be shared; EINVAL, EPERM, EBADF, EISDIR and
///                    ETXTBSY may say so too; EOPNOTSUPP: or the filesystem does not support the operation
///   EACCES           @src may not be read, or a directory of a path not searched, or that of @dst not written
///   EPERM            a set-user-ID, set-group-ID or sticky bit of @mode cannot be set; or the filesystem has no
///                    symbolic links; or a security policy, a seal or the immutable attribute of the directory forbids
///                    it
///   ETXTBSY          @src is in use as a swap file
///   ENXIO            @src became a socket or a device while it was opened
///   EAGAIN           another process has a lease on @src, and /proc, by which it would be waited for, is not mounted;
///                    or @src never has data
///   @errors resolution descriptors
///   ENOSPC, EDQUOT   the filesystem, or the quota of the user, has no space left
///   EFBIG            the file exceeds the limit of the filesystem, or RLIMIT_FSIZE: then SIGXFSZ is raised first
///   EROFS            the filesystem of @dst is read-only
///   EOVERFLOW        the target of the symbolic link has more than 65535 bytes, or the size of a file does not fit
///                    into an off_t
///   ENOENT           @src, or a directory of a path, does not exist; or a path is empty
///   EBADF, ESPIPE    the filesystem does not support reading, writing or seeking
///   EIO              an I/O error occurred; it may concern data written before
///   ENOMEM           not enough memory
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point; a thread that is cancelled here leaves the files open, and part of the copy
/// Compatibility: differs from mmlib: the flags do what they say, holes stay holes, errors of closing the copy are
///   reported, a signal does not end it, a FIFO does not block it, and special bits of @mode are never lost without an
///   error.
///
/// # Safety
/// `src` and `dst` are strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_copy(src: *const c_char, dst: *const c_char, flags: c_int, mode: c_int) -> c_int {
    ret_preserving_errno("mm_copy", || {
        // SAFETY: strings, as the caller promised.
        let (src, dst) = unsafe { (KernelPath::from_c(src), KernelPath::from_c(dst)) };
        copy::copy(src, dst, flags, mode)
    })
}

/// mm_mkdir() - create a directory
/// @path:       its name
/// @mode:       its permissions, MODE_XDEF among them (MODE_DEF makes one that cannot be searched)
/// @flags:      MM_RECURSIVE to create those above it that are missing as well, with the same permissions, and to
///              succeed if it exists; other bits are ignored
///
/// With MM_RECURSIVE, a directory that exists is a success also where none may be created: on a read-only filesystem, or
/// where a sandbox forbids mkdir().
///
/// Return: 0 on success; on failure -1, and the error state is set.
///
/// Errors:
///   EEXIST           the name exists; with MM_RECURSIVE, and is not a directory
///   EPERM            the filesystem takes no directories
///   EMLINK, ENOSPC, EDQUOT  there is no space for it
///   EROFS            the filesystem is read-only
///   ENOENT           a directory above it is missing, or is a symbolic link to a missing file; or the path is empty
///   EACCES           a directory of the path may not be searched, or written
///   @errors path filesystem
///   EOVERFLOW        with MM_RECURSIVE, the name exists, and its attributes cannot be represented (32-bit systems)
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: with MM_RECURSIVE, a name that is not a directory gives EEXIST, and a directory
///   that exists is a success whatever reason mkdir() gives; another process may create the same directories at the
///   same time; paths may go through . and .. and be of any length that the kernel accepts.
///
/// # Safety
/// `path` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_mkdir(path: *const c_char, mode: c_int, flags: c_int) -> c_int {
    ret_preserving_errno("mm_mkdir", || {
        // SAFETY: a string, as the caller promised.
        let path = unsafe { KernelPath::from_c(path) };
        let mode = mode::translated(mode);
        if flags & RECURSIVE != 0 {
            return mkdir::make_with_parents(path, mode);
        }
        file::mkdir(path, mode).map_err(|e| Error::os(e, format_args!("making directory {}", path.shown(e))))
    })
}

/// mm_chdir() - change the current directory
/// @path:       its name
///
/// It is the one of the whole process.
///
/// Return: 0 on success; on failure -1, and the error state is set.
///
/// Errors:
///   ENOTDIR          a component of the path is not a directory
///   @errors path filesystem
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `path` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_chdir(path: *const c_char) -> c_int {
    ret("mm_chdir", || {
        // SAFETY: a string, as the caller promised.
        let path = unsafe { KernelPath::from_c(path) };
        file::chdir(path).map_err(|e| Error::os(e, format_args!("changing to directory {}", path.shown(e))))
    })
}

/// mm_getcwd() - tell the current directory
/// @buffer:     receives the absolute path, terminated; NULL to get it in memory of its own
/// @size:       size of @buffer; ignored if that is NULL
///
/// Return: @buffer, or memory that the caller releases with free(); on failure NULL, and the error state is set.
///
/// Errors:
///   ERANGE           it does not fit
///   EINVAL           @size is 0, and @buffer is not NULL
///   EFAULT           @buffer cannot be written
///   ENAMETOOLONG     it has more than 4095 bytes, and the C library does not return longer ones
///   ENOENT           the directory was removed
///   EACCES           a directory above it may not be read
///   ENOMEM           not enough memory
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `buffer` is null or valid for `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_getcwd(buffer: *mut c_char, size: usize) -> *mut c_char {
    ret("mm_getcwd", || {
        // SAFETY: null or valid, as the caller promised.
        unsafe { file::getcwd(buffer, size) }
            .map_err(|e| Error::os(e, format_args!("asking for the current directory, into {size} bytes")))
    })
}

/// mm_rmdir() - remove an empty directory
/// @path:       its name
///
/// Return: 0 on success; on failure -1, and the error state is set.
///
/// Errors:
///   ENOTEMPTY, EEXIST  it is not empty
///   EINVAL           its last component is .
///   EBUSY            it is in use by the system
///   EPERM            the directory above is sticky and it is another user's
///   EROFS            the filesystem is read-only
///   ENOTDIR          a component of the path is not a directory
///   @errors path filesystem
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `path` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_rmdir(path: *const c_char) -> c_int {
    ret("mm_rmdir", || {
        // SAFETY: a string, as the caller promised.
        let path = unsafe { KernelPath::from_c(path) };
        file::rmdir(path).map_err(|e| Error::os(e, format_args!("removing directory {}", path.shown(e))))
    })
}

/// mm_remove() - remove a file, or a directory with all that is in it
/// @path:       its name
/// @flags:      the types that may be removed, an OR of MM_DT_REG, MM_DT_DIR..., or MM_DT_ANY; with MM_RECURSIVE
///              what is in a directory goes first; with MM_FAILONERROR the first failure there ends it
///
/// A symbolic link is removed itself, and never followed. What is in the directory and of another type stays, and
/// so do the directories that lead to it: without MM_FAILONERROR failures inside are passed over, and the directory
/// itself decides. The message of the error names the first file that could not be removed.
///
/// How @path is spelled is decided before anything is removed. A path that ends in a slash must be the name of a
/// directory: a symbolic link with a slash behind it gives ENOTDIR, whatever it leads to, as another file does. The paths
/// "." and ".." lose only what they contain, with MM_RECURSIVE, and stay. Every other path that ends in . or .., with or
/// without slashes behind it, gives EINVAL. "/" gives EBUSY.
///
/// Others may remove the same files at the same time: what existed when the call began, and does not exist any more, is
/// removed. A directory in which they create files may stay, with ENOTEMPTY.
///
/// Return: 0 on success; on failure -1, and the error state is set.
///
/// Errors:
///   EPERM            the type of @path is not among @flags; or the directory is sticky and the file another user's; or
///                    the immutable or append-only attribute, or a security policy, forbids it
///   EINVAL           @path ends in . or .., and is not one of these names alone with MM_RECURSIVE; or a directory
///                    cannot be read
///   ENOTEMPTY, EEXIST  the directory is not empty, or could not be emptied
///   EBUSY            it is in use by the system, as a mount point or the root directory is
///   EROFS            the filesystem is read-only
///   @errors resolution descriptors
///   ENOENT           @path, or a directory of it, does not exist; or it is empty; or a directory far above the one
///                    that was being emptied was moved
///   EACCES           a directory may not be searched, read or written
///   ENOTDIR          a component of the path prefix is not a directory; or @path ends in a slash, and is not a
///                    directory
///   EISDIR, ELOOP    the type of a file changed again and again while it was to be removed; ELOOP: or too many
///                    symbolic links were encountered
///   EINTR            the call was interrupted by a signal handler while a directory was opened: part may be removed
///   EOVERFLOW        the size or inode number of a file does not fit into the structure for it
///   EBADF, ESTALE    the filesystem does not support reading a directory, or has lost it
///   EIO              an I/O error occurred
///   ENOMEM           not enough memory
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point; a thread that is cancelled here leaves directories open
/// Compatibility: differs from mmlib: MM_FAILONERROR works and reports the first error; directories may be nested to
///   any depth; nobody can lead it elsewhere by exchanging a directory for a link; "link/" is not followed, and a path
///   that cannot be removed is not emptied; what others removed is no failure; a directory that is empty but not
///   readable is removed; a success leaves the error state alone.
///
/// # Safety
/// `path` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_remove(path: *const c_char, flags: c_int) -> c_int {
    ret_preserving_errno("mm_remove", || {
        // SAFETY: a string, as the caller promised.
        let path = unsafe { KernelPath::from_c(path) };
        remove::remove(path, flags)
    })
}

/// A structure to be written must be there; EFAULT, as the kernel would say.
fn reported(status: &libc::stat) -> mm_stat {
    mm_stat {
        dev: status.st_dev,
        ino: status.st_ino,
        mode: status.st_mode,
        nlink: status.st_nlink as c_int,
        uid: status.st_uid,
        gid: status.st_gid,
        size: status::reported_size(status),
        atime: status.st_atime,
        nblocks: status.st_blocks as usize,
        mtime: status.st_mtime,
        ctime: status.st_ctime,
    }
}
