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
use crate::sys::{self, file, large_file};
use core::ffi::{c_char, c_int, c_void};
use errno::Errno;

/// mm_open() - open a file
/// @path:       pathname of the file
/// @oflag:      flags of open(): O_RDONLY, O_WRONLY or O_RDWR, combined with O_CREAT, O_EXCL, O_TRUNC, O_APPEND...
/// @mode:       permissions of a file that is created, such as MODE_DEF; ignored if no file is created
///
/// The close-on-exec flag is set on the file descriptor: O_CLOEXEC is always added to @oflag.
///
/// Return: a file descriptor (the lowest number available), to be closed with mm_close(); -1 on failure, and the error
///   state is set.
///
/// Errors:
///   EACCES, EPERM    the requested access to the file is not permitted, or search permission is denied for a component
///                    of the path prefix
///   EEXIST           the file exists, and @oflag includes O_CREAT and O_EXCL
///   EISDIR           the file is a directory, and @oflag requests writing
///   @errors path filesystem descriptors
///   ENXIO            the file is a FIFO that no process has open for reading, and @oflag includes O_WRONLY and
///                    O_NONBLOCK; or the file is a socket, or a device file whose device does not exist
///   EROFS            the filesystem is read-only, and @oflag requests writing or the creation of the file
///   ETXTBSY          the file is a program that is being executed, and @oflag requests writing
///   ENOSPC, EDQUOT   the file cannot be created, because the filesystem is full or the user's disk quota is exhausted
///   EINVAL           @oflag is an unsupported combination of flags
///   EOPNOTSUPP       the filesystem does not support O_TMPFILE
///   EINTR            the call was interrupted by a signal handler while waiting to open a FIFO or a device
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
            .map_err(|e| Error::io_described(e, format_args!("cannot open {} with flags {oflag:#o}", path.shown(e))))
    })
}

/// mm_rename() - rename a file
/// @oldpath:    pathname of the file
/// @newpath:    new pathname; a file that exists under this name is replaced atomically
///
/// If @oldpath or @newpath is a symbolic link, the link itself is renamed or replaced. If both are hard links to the
/// same file, the call succeeds and changes nothing.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EACCES, EPERM    write permission is denied for a directory, or search permission for a component of a path prefix
///   ENOTEMPTY, EEXIST  @newpath is a directory that is not empty
///   EISDIR           @newpath is a directory, and @oldpath is not
///   EXDEV            @oldpath and @newpath are on different filesystems
///   EINVAL           @oldpath is a directory that contains @newpath
///   EBUSY            a directory is in use by the system
///   EROFS            the filesystem is read-only
///   EMLINK, ENOSPC, EDQUOT  the directory of @newpath cannot hold a further entry
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
            .map_err(|e| Error::os(e, format_args!("cannot rename {} to {}", oldpath.shown(e), newpath.shown(e))))
    })
}

/// mm_close() - close a file descriptor
/// @fd:         file descriptor to close; -1 is accepted and does nothing
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EBADF            @fd is not open
///   EIO              an I/O error occurred; data written earlier may not have been stored
///   ENOSPC, EDQUOT   data written earlier could not be stored, because the filesystem is full or the quota is
///                    exhausted
/// Error notes: After a failure other than EBADF the file descriptor is closed nevertheless: do not call mm_close()
///   again.
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: differs from mmlib: the call does not fail with EINTR if a signal arrives, because the file
///   descriptor is closed in any case.
#[unsafe(no_mangle)]
pub extern "C" fn mm_close(fd: c_int) -> c_int {
    ret_preserving_errno("mm_close", || match fd {
        -1 => Ok(()),
        fd => match close(Fd::from_c(fd)) {
            Err(e) if e.0 != libc::EINTR => Err(Error::os(e, format_args!("cannot close file descriptor {fd}"))),
            _ => Ok(()),
        },
    })
}

fn close(fd: Fd) -> sys::Result<()> {
    fd_history::note_replaced(fd);
    // SAFETY: the C caller owns the file descriptor.
    unsafe { file::close(fd) }
}

/// mm_fsync() - flush a file to its storage device
/// @fd:         file descriptor of the file
///
/// Returns after the device has reported that all data and metadata of the file are stored.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EBADF            @fd is not open
///   EINVAL           @fd cannot be synchronized, for example because it refers to a pipe or a socket
///   EIO              an I/O error occurred
///   ENOSPC, EDQUOT   the filesystem is full, or the user's disk quota is exhausted
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
        file::fsync(Fd::from_c(fd))
            .map_err(|e| Error::os(e, format_args!("cannot flush file descriptor {fd} to the storage device")))
    })
}

/// mm_read() - read from a file descriptor
/// @fd:         file descriptor of a file, a pipe, a socket...
/// @buf:        receives the data
/// @nbyte:      size of @buf in bytes
///
/// Calls read() once. Fewer bytes than @nbyte may be read; this is not an error.
///
/// On an IPC endpoint the call receives one message. It discards the data that does not fit into @buf, and closes all
/// file descriptors of the message. To receive file descriptors, use mm_ipc_recvmsg().
///
/// Return: the number of bytes read; 0 at the end of the file or stream; -1 on failure, and the error state is set.
///
/// Errors:
///   EBADF            @fd is not open for reading
///   EISDIR           @fd is a directory
///   EFAULT           @buf cannot be written
///   EINVAL           @fd does not support reading
///   EINTR            the call was interrupted by a signal handler before data arrived
///   EAGAIN           no data is available, and @fd is non-blocking or its SO_RCVTIMEO has expired
///   ECONNRESET       the peer of the socket closed the connection before it had read all data sent to it
///   EIO              an I/O error occurred
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
        // SAFETY: the caller promised that nbyte bytes may be written; otherwise the kernel reports EFAULT.
        unsafe { file::read(Fd::from_c(fd), buf, nbyte) }
            .map_err(|e| Error::io(e, "cannot read {u} bytes from file descriptor {}", [nbyte.into(), fd.into()]))
    })
}

/// mm_write() - write to a file descriptor
/// @fd:         file descriptor of a file, a pipe, a socket...
/// @buf:        data to write
/// @nbyte:      size of the data in bytes
///
/// Calls write() once. Fewer bytes than @nbyte may be written; this is not an error. On an IPC endpoint the call sends
/// one message.
///
/// If the file offset has already reached the process's file size limit (RLIMIT_FSIZE), the SIGXFSZ signal is raised.
/// By default, this signal terminates the process. If it is caught, blocked or ignored, the call fails with EFBIG.
///
/// Return: the number of bytes written; -1 on failure, and the error state is set.
///
/// Errors:
///   EBADF            @fd is not open for writing
///   EFAULT           @buf cannot be read
///   EPIPE            the read end of the pipe, or the connection, is closed. SIGPIPE is raised first, except on an IPC
///                    endpoint
///   EINTR            the call was interrupted by a signal handler before any data was written
///   EAGAIN           there is no buffer space, and @fd is non-blocking or its SO_SNDTIMEO has expired
///   EMSGSIZE         the message is too large for the socket
///   ENOSPC, EDQUOT   the filesystem is full, or the user's disk quota is exhausted
///   EFBIG            the file has reached RLIMIT_FSIZE, or the maximum file size of the filesystem
///   EPERM            a file seal prevents writing
///   ECONNRESET       the peer of the socket closed the connection before it had read all data sent to it
///   EIO              an I/O error occurred
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
        // SAFETY: the caller promised that nbyte bytes may be read; otherwise the kernel reports EFAULT.
        unsafe { file::write(Fd::from_c(fd), buf, nbyte) }
            .map_err(|e| Error::io(e, "cannot write {u} bytes to file descriptor {}", [nbyte.into(), fd.into()]))
    })
}

/// mm_seek() - set the offset of a file
/// @fd:         file descriptor of the file
/// @offset:     number of bytes relative to @whence
/// @whence:     SEEK_SET (the start of the file), SEEK_CUR (the current offset), SEEK_END (the end of the file), or the
///              system's SEEK_DATA and SEEK_HOLE
///
/// Return: the resulting offset from the start of the file, in bytes; -1 on failure, and the error state is set.
///
/// Errors:
///   EBADF            @fd is not open
///   EINVAL           @whence is invalid, or the resulting offset would be negative
///   ESPIPE           @fd is a pipe, a socket or a terminal
///   ENXIO            @whence is SEEK_DATA or SEEK_HOLE, and @offset is at or beyond the end of the file; or @whence is
///                    SEEK_DATA, and there is no data at or after @offset
///   EOVERFLOW        the resulting offset cannot be represented. In /proc/PID/mem, where offsets of 2^63 and more
///                    exist, the offset of the file is changed nevertheless
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
#[unsafe(no_mangle)]
pub extern "C" fn mm_seek(fd: c_int, offset: large_file::off_t, whence: c_int) -> large_file::off_t {
    ret("mm_seek", || {
        file::lseek(Fd::from_c(fd), offset, whence).map_err(|e| {
            Error::os(e, format_args!("cannot seek to offset {offset} (whence {whence}) in file descriptor {fd}"))
        })
    })
}

/// mm_ftruncate() - set the size of a file
/// @fd:         file descriptor of the file, open for writing
/// @length:     new size in bytes; if the file grows, the added part reads as zeros
///
/// The offset of the file is not changed.
///
/// If @length is greater than both the size of the file and the process's file size limit (RLIMIT_FSIZE), the SIGXFSZ
/// signal is raised. By default, this signal terminates the process. If it is caught, blocked or ignored, the call
/// fails with EFBIG.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EBADF            @fd is not open
///   EINVAL           @length is negative; or @fd is not open for writing, or cannot be truncated, for example because
///                    it refers to a pipe or a socket
///   EFBIG            @length is greater than RLIMIT_FSIZE or the maximum file size of the filesystem
///   EPERM            a file seal prevents the change, or the file is append-only
///   EINTR            the call was interrupted by a signal handler
///   EIO, ENOSPC      an I/O error occurred, or the filesystem is full
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: as mmlib
#[unsafe(no_mangle)]
pub extern "C" fn mm_ftruncate(fd: c_int, length: large_file::off_t) -> c_int {
    ret("mm_ftruncate", || {
        file::ftruncate(Fd::from_c(fd), length)
            .map_err(|e| Error::os(e, format_args!("cannot set the size of file descriptor {fd} to {length} bytes")))
    })
}

/// mm_fstat() - get the status of an open file
/// @fd:         file descriptor of the file
/// @buf:        receives the status; not modified on failure
///
/// The size of a symbolic link (opened with O_PATH) includes the null byte that terminates its target.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
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
        let status = file::fstat(Fd::from_c(fd))
            .map_err(|e| Error::os(e, format_args!("cannot get the status of file descriptor {fd}")))?;
        arg::require_address(buf, "buf")?;
        // SAFETY: not null, so valid.
        unsafe { buf.write(reported(&status)) };
        Ok(())
    })
}

/// mm_stat() - get the status of a file
/// @path:       pathname of the file
/// @buf:        receives the status; not modified on failure
/// @flags:      MM_NOFOLLOW: if @path is a symbolic link, get the status of the link itself. Other bits are ignored
///
/// The size of a symbolic link includes the null byte that terminates its target: it is the size of the buffer that
/// mm_readlink() needs. The links in /proc are an exception: the kernel reports no size for them.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
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
        let status = status.map_err(|e| Error::os(e, format_args!("cannot get the status of {}", path.shown(e))))?;
        arg::require_address(buf, "buf")?;
        // SAFETY: not null, so valid.
        unsafe { buf.write(reported(&status)) };
        Ok(())
    })
}

/// mm_futimens() - set the timestamps of an open file
/// @fd:         file descriptor of the file; it need not be open for writing
/// @ts:         two elements: time of last access, time of last modification. NULL sets both to the current time. If
///              tv_nsec is UTIME_NOW, the timestamp is set to the current time; if it is UTIME_OMIT, the timestamp is
///              not changed
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EBADF            @fd is not open
///   EINVAL           a tv_nsec is neither UTIME_NOW nor UTIME_OMIT, and not in the range 0 to 999999999
///   EFAULT           @ts cannot be read
///   EACCES           @ts is NULL or requests the current time for both timestamps, and the caller neither owns the
///                    file nor has write permission
///   EPERM            @ts requests any other change, and the caller does not own the file or the file is append-only;
///                    or the file is immutable
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
        // musl passes AT_FDCWD to the kernel, for which that is not a file descriptor.
        let result = match fd {
            ..0 => Err(Errno(libc::EBADF)),
            // SAFETY: null or two elements, as the caller promised; otherwise the kernel reports EFAULT.
            _ => unsafe { file::futimens(Fd::from_c(fd), ts) },
        };
        result.map_err(|e| Error::os(e, format_args!("cannot set the timestamps of file descriptor {fd}")))
    })
}

/// mm_utimens() - set the timestamps of a file
/// @path:       pathname of the file
/// @ts:         two elements: time of last access, time of last modification. NULL sets both to the current time. If
///              tv_nsec is UTIME_NOW, the timestamp is set to the current time; if it is UTIME_OMIT, the timestamp is
///              not changed
/// @flags:      0, or MM_NOFOLLOW: if @path is a symbolic link, set the timestamps of the link itself
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EINVAL           @path is NULL, @flags has other bits set, or a tv_nsec is neither UTIME_NOW nor UTIME_OMIT and
///                    not in the range 0 to 999999999
///   EACCES           search permission is denied for a component of the path prefix; or @ts is NULL or requests the
///                    current time for both timestamps, and the caller neither owns the file nor has write permission
///   EPERM            @ts requests any other change, and the caller does not own the file or the file is append-only;
///                    or the file is immutable
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
            return Err(Error::new(
                libc::EINVAL,
                format_args!("cannot set timestamps with flags {flags:#x}: unknown flags"),
            ));
        }
        if path.as_ptr().is_null() {
            return Err(arg::null("path"));
        }
        let flags = if flags & NOFOLLOW != 0 { libc::AT_SYMLINK_NOFOLLOW } else { 0 };
        // SAFETY: null or two elements, as the caller promised; otherwise the kernel reports EFAULT.
        unsafe { file::utimensat(path, ts, flags) }
            .map_err(|e| Error::os(e, format_args!("cannot set the timestamps of {}", path.shown(e))))
    })
}

/// mm_check_access() - check the process's permissions for a file
/// @path:       pathname of the file; a symbolic link is followed
/// @amode:      F_OK, or a bitwise OR of R_OK, W_OK and X_OK
///
/// The check uses the real user ID and group ID of the process. Another process can change the permissions at any time,
/// so the result may already be out of date when the call returns.
///
/// Return: 0 if the access is permitted; ENOENT (a positive value) if the file does not exist; EACCES (a positive
///   value) if the access is denied. In these cases errno and the error state are not changed. On any other failure,
///   the call returns -1 and sets the error state.
///
/// Errors:
///   EINVAL           @amode has other bits set
///   @errors resolution filesystem
///   EROFS            the filesystem is read-only, and @amode includes W_OK
///   EPERM            the file is immutable, and @amode includes W_OK
///   ETXTBSY          the file is a program that is being executed, and @amode includes W_OK
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

/// mm_isatty() - test whether a file descriptor refers to a terminal
/// @fd:         file descriptor
///
/// Return: 1 if it does; 0 if it does not, and errno is not changed; -1 on failure, and the error state is set.
///
/// Errors:
///   EBADF            @fd is not open
///   EIO              the terminal has been hung up
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
#[unsafe(no_mangle)]
pub extern "C" fn mm_isatty(fd: c_int) -> c_int {
    ret_preserving_errno("mm_isatty", || status::is_a_terminal(Fd::from_c(fd)))
}

/// mm_dup() - duplicate a file descriptor
/// @fd:         file descriptor
///
/// Both file descriptors refer to the same open file, and share its offset and status flags. The close-on-exec flag is
/// not set on the new one.
///
/// Return: the new file descriptor (the lowest number available), to be closed with mm_close(); -1 on failure, and the
///   error state is set.
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
    ret("mm_dup", || {
        file::dup(Fd::from_c(fd)).map_err(|e| Error::os(e, format_args!("cannot duplicate file descriptor {fd}")))
    })
}

/// mm_dup2() - duplicate a file descriptor to a given number
/// @fd:         file descriptor
/// @newfd:      number of the new file descriptor; if it is open, it is closed first
///
/// Both file descriptors refer to the same open file, and share its offset and status flags. The close-on-exec flag is
/// not set on the new one. If @fd equals @newfd, nothing changes.
///
/// Return: @newfd; -1 on failure, and the error state is set.
///
/// Errors:
///   EBADF            @fd is not open, or @newfd is negative or not below RLIMIT_NOFILE
///   EMFILE           the per-process limit on the number of open file descriptors has been reached
///   EBUSY            another thread is opening a file descriptor with the number @newfd
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
        // SAFETY: the C caller owns the file descriptor that is replaced.
        unsafe { file::dup2(Fd::from_c(fd), Fd::from_c(newfd)) }
            .map_err(|e| Error::os(e, format_args!("cannot duplicate file descriptor {fd} to {newfd}")))
    })
}

/// mm_pipe() - create a pipe
/// @pipefd:     receives two file descriptors: the read end, then the write end
///
/// Both file descriptors are blocking, and the close-on-exec flag is not set on them.
///
/// Return: 0 on success, and both file descriptors (the lowest numbers available) are to be closed with mm_close(); -1
///   on failure, and the error state is set.
///
/// Errors:
///   EFAULT           @pipefd is NULL or cannot be written
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
        // SAFETY: the caller promised that both elements may be written; otherwise the kernel reports EFAULT.
        unsafe { file::pipe(pipefd) }.map_err(|e| Error::os(e, format_args!("cannot create a pipe")))?;
        // SAFETY: the call has succeeded.
        unsafe { ret::note_pair(pipefd) };
        Ok(())
    })
}

/// mm_unlink() - remove a name of a file
/// @path:       pathname to remove
///
/// The file is deleted when its last link is removed and no process has it open or mapped. If @path is a symbolic link,
/// the link itself is removed.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EISDIR           @path is a directory
///   EACCES           write permission is denied for the directory of @path, or search permission for a component of
///                    the path prefix
///   EPERM            the directory is sticky and the file belongs to another user, or the file is immutable
///   EBUSY            the file is in use by the system
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
        file::unlink(path).map_err(|e| Error::os(e, format_args!("cannot unlink {}", path.shown(e))))
    })
}

/// mm_link() - create a hard link to a file
/// @oldpath:    pathname of the file; if it is a symbolic link, the new link refers to the symbolic link itself
/// @newpath:    pathname of the new link
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EEXIST           @newpath exists
///   EXDEV            @oldpath and @newpath are on different filesystems
///   EACCES           write permission is denied for the directory of @newpath, or search permission for a component of
///                    a path prefix
///   EPERM            @oldpath is a directory, or the system does not permit the link
///   EMLINK           the file already has the maximum number of links
///   EROFS, ENOSPC, EDQUOT  the filesystem is read-only or full, or the user's disk quota is exhausted
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
        file::link(oldpath, newpath).map_err(|e| {
            Error::os(e, format_args!("cannot create hard link {} to {}", newpath.shown(e), oldpath.shown(e)))
        })
    })
}

/// mm_symlink() - create a symbolic link
/// @oldpath:    target of the link: any string. A relative target is resolved from the directory of @newpath
/// @newpath:    pathname of the link
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EEXIST           @newpath exists
///   EACCES           write permission is denied for the directory of @newpath, or search permission for a component of
///                    the path prefix
///   EPERM            the filesystem does not support symbolic links
///   EROFS, ENOSPC, EDQUOT  the filesystem is read-only or full, or the user's disk quota is exhausted
///   ENOENT           a component of the path prefix of @newpath does not exist, or @oldpath or @newpath is empty
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
        file::symlink(oldpath, newpath).map_err(|e| {
            Error::os(e, format_args!("cannot create symbolic link {} to {}", newpath.shown(e), oldpath.shown(e)))
        })
    })
}

/// mm_readlink() - read the target of a symbolic link
/// @path:       pathname of the link
/// @buf:        receives the target, terminated by a null byte
/// @bufsize:    size of @buf in bytes, including the null byte: the size that mm_stat() reports with MM_NOFOLLOW
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EOVERFLOW        @buf is too small; the part of the target that fits is stored
///   EINVAL           @path is not a symbolic link, or @bufsize is 0
///   @errors path filesystem
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: the target is terminated even if it is truncated, and a @bufsize greater than
///   INT_MAX is accepted.
///
/// # Safety
/// `path` is a string, `buf` is valid for `bufsize` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_readlink(path: *const c_char, buf: *mut c_char, bufsize: usize) -> c_int {
    ret("mm_readlink", || {
        // SAFETY: a string, as the caller promised.
        let path = unsafe { KernelPath::from_c(path) };
        let size = bufsize.min(c_int::MAX as usize);
        // The kernel rejects a size of 0, but the function of musl does not.
        let result = match size {
            0 => Err(Errno(libc::EINVAL)),
            // SAFETY: the caller promised that size bytes may be written; otherwise the kernel reports EFAULT.
            _ => unsafe { file::readlink(path, buf, size) },
        };
        let length = result.map_err(|e| Error::os(e, format_args!("cannot read symbolic link {}", path.shown(e))))?;
        // SAFETY: the kernel has written length bytes, at most size, which is not 0.
        unsafe { buf.add(length.min(size - 1)).write(0) };
        if length < size {
            return Ok(());
        }
        let shown = path.shown(Errno(libc::EOVERFLOW));
        Err(Error::new(
            libc::EOVERFLOW,
            format_args!("cannot read symbolic link {shown}: its target does not fit into {bufsize} bytes"),
        ))
    })
}

/// mm_copy() - copy a file
/// @src:        pathname of the file
/// @dst:        pathname of the copy, which must not exist
/// @flags:      0, or a bitwise OR of MM_NOFOLLOW (copy a symbolic link itself) and either MM_NOCOW (write all data) or
///              MM_FORCECOW (share the data with @src, or fail)
/// @mode:       permissions of the copy, such as MODE_DEF, modified by the umask; ignored for a symbolic link
///
/// Copies the content of a file: the data that read() returns, even if the file reports another size. Owner, timestamps
/// and extended attributes are not copied. Holes are preserved if the filesystem reports them. With neither MM_NOCOW
/// nor MM_FORCECOW, the system either shares the data or copies it.
///
/// If another process modifies the file at the same time, the copy may contain both old and new data. Data that is
/// appended may or may not be copied. If the file is truncated, the copy may end at that point.
///
/// Only a regular file or, with MM_NOFOLLOW, a symbolic link can be copied. The type is checked first: a FIFO, a device
/// or a socket is not opened, so the call does not wait for it and does not create @dst.
///
/// If @mode includes the set-user-ID, set-group-ID or sticky bit, it is set after all data has been written. If it
/// cannot be set, the call fails.
///
/// A signal does not interrupt the call. On failure, the call removes the incomplete copy. It first checks whether @dst
/// still names the copy, and does not remove another file. However, a file that another process renames to @dst between
/// this check and the removal is removed.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EEXIST           @dst exists; a dangling symbolic link counts as existing
///   EINVAL           @flags has other bits set, or both MM_NOCOW and MM_FORCECOW; @src is a FIFO, a device or a
///                    socket; or the filesystem does not accept the name of @dst
///   EISDIR           @src is a directory
///   EOPNOTSUPP, EXDEV, ENOTTY  MM_FORCECOW is given, and the data cannot be shared. Depending on the filesystem, this
///                    can also be reported as EINVAL, EPERM, EBADF, EISDIR or ETXTBSY. EOPNOTSUPP also means that the
///                    filesystem does not support the operation
///   EACCES           read permission is denied for @src, write permission for the directory of @dst, or search
///                    permission for a component of a path prefix
///   EPERM            the set-user-ID, set-group-ID or sticky bit of @mode cannot be set; the filesystem does not
///                    support symbolic links; or a security policy, a file seal or the immutable attribute of the
///                    directory prevents the copy
///   ETXTBSY          @src is in use as a swap file
///   ENXIO            @src was replaced by a socket or a device while it was being opened
///   EAGAIN           another process holds a lease on @src, and the call cannot wait for its release because /proc is
///                    not mounted; or reading @src fails with EAGAIN even in blocking mode
///   @errors resolution descriptors
///   ENOSPC, EDQUOT   the filesystem is full, or the user's disk quota is exhausted
///   EFBIG            the copy exceeds the maximum file size of the filesystem, or RLIMIT_FSIZE. In the latter case
///                    SIGXFSZ is raised first
///   EROFS            the filesystem of @dst is read-only
///   EOVERFLOW        the target of the symbolic link has more than 65535 bytes, or the size of a file does not fit
///                    into an off_t
///   ENOENT           @src, or a component of a path prefix, does not exist; or a path is empty
///   EBADF, ESPIPE    the filesystem does not support reading, writing or seeking
///   EIO              an I/O error occurred; it may concern data written earlier
///   ENOMEM           not enough memory
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point; a thread that is cancelled here leaves the files open and the copy incomplete
/// Compatibility: differs from mmlib: the flags have the documented effect; holes are preserved; errors of closing the
///   copy are reported; a signal does not interrupt the call; the call does not block on a FIFO; the special bits of
///   @mode are never dropped without an error.
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
/// @path:       pathname of the directory
/// @mode:       permissions of the directory, such as MODE_XDEF. A directory created with MODE_DEF cannot be searched
/// @flags:      MM_RECURSIVE: create missing parent directories too, with the same permissions, and succeed if @path is
///              an existing directory. Other bits are ignored
///
/// With MM_RECURSIVE, the call succeeds for an existing directory even if no directory could be created there: on a
/// read-only filesystem, or if a sandbox denies mkdir().
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EEXIST           @path exists; with MM_RECURSIVE, @path exists and is not a directory
///   EPERM            the filesystem does not support the creation of directories
///   EMLINK, ENOSPC, EDQUOT  the parent directory has the maximum number of links, the filesystem is full, or the
///                    user's disk quota is exhausted
///   EROFS            the filesystem is read-only
///   ENOENT           a parent directory does not exist or is a dangling symbolic link, or the path is empty
///   EACCES           write permission is denied for the parent directory, or search permission for a component of the
///                    path prefix
///   @errors path filesystem
///   EOVERFLOW        with MM_RECURSIVE, @path exists, and its status cannot be represented (32-bit systems)
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: with MM_RECURSIVE, the call fails with EEXIST if @path exists and is not a
///   directory, and succeeds for an existing directory, whatever error mkdir() reports; another process may create the
///   same directories at the same time; the path may contain . and .. and may have any length that the kernel accepts.
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
            return mkdir::create_with_parents(path, mode);
        }
        file::mkdir(path, mode).map_err(|e| Error::os(e, format_args!("cannot create directory {}", path.shown(e))))
    })
}

/// mm_chdir() - change the current directory
/// @path:       pathname of the directory
///
/// The current directory belongs to the process: all its threads share it.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
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
        file::chdir(path)
            .map_err(|e| Error::os(e, format_args!("cannot change the current directory to {}", path.shown(e))))
    })
}

/// mm_getcwd() - get the current directory
/// @buffer:     receives the absolute pathname, terminated by a null byte; or NULL to have memory allocated for it
/// @size:       size of @buffer in bytes; ignored if @buffer is NULL
///
/// Return: @buffer, or the allocated memory, to be released with free(); NULL on failure, and the error state is set.
///
/// Errors:
///   ERANGE           the pathname does not fit into @buffer
///   EINVAL           @size is 0, and @buffer is not NULL
///   EFAULT           @buffer cannot be written
///   ENAMETOOLONG     the pathname has more than 4095 bytes, and the C library does not return longer ones
///   ENOENT           the current directory has been removed
///   EACCES           permission to read or search a parent directory is denied
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
            .map_err(|e| Error::os(e, format_args!("cannot get the current directory with a buffer of {size} bytes")))
    })
}

/// mm_rmdir() - remove an empty directory
/// @path:       pathname of the directory
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   ENOTEMPTY, EEXIST  the directory is not empty
///   EINVAL           the last component of @path is "."
///   EBUSY            the directory is in use by the system
///   EACCES           write permission is denied for the parent directory, or search permission for a component of the
///                    path prefix
///   EPERM            the parent directory is sticky, and the directory belongs to another user
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
        file::rmdir(path).map_err(|e| Error::os(e, format_args!("cannot remove directory {}", path.shown(e))))
    })
}

/// mm_remove() - remove a file, or a directory and its contents
/// @path:       pathname of the file
/// @flags:      types of files that may be removed: a bitwise OR of MM_DT_REG, MM_DT_DIR..., or MM_DT_ANY.
///              MM_RECURSIVE: remove the contents of a directory before the directory. MM_FAILONERROR: stop at the
///              first failure inside a directory
///
/// A symbolic link is never followed: the link itself is removed. Inside a directory, files of other types are kept,
/// and so are the directories that contain them. Without MM_FAILONERROR, failures inside a directory are ignored, and
/// the call fails only if @path itself cannot be removed. The error description names the first file that could not be
/// removed.
///
/// The form of @path is checked before anything is removed. A path with a trailing slash must name a directory: for any
/// other file, including a symbolic link to a directory, the call fails with ENOTDIR. For the paths "." and "..",
/// MM_RECURSIVE removes the contents but not the directory. Any other path whose last component is . or .., with or
/// without trailing slashes, fails with EINVAL. The path "/" fails with EBUSY.
///
/// Other processes may remove the same files at the same time: a file that existed when the call began and no longer
/// exists counts as removed. A directory in which other processes create files may remain; the call then fails with
/// ENOTEMPTY.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EPERM            the type of @path is not in @flags; the directory is sticky, and the file belongs to another
///                    user; or the immutable or append-only attribute, or a security policy, prevents the removal
///   EINVAL           the last component of @path is . or .., and @path is not "." or ".." with MM_RECURSIVE; or a
///                    directory cannot be read
///   ENOTEMPTY, EEXIST  the directory is not empty, or could not be emptied
///   EBUSY            the file is in use by the system, for example as a mount point or the root directory
///   EROFS            the filesystem is read-only
///   @errors resolution descriptors
///   ENOENT           @path, or a component of its path prefix, does not exist; @path is empty; or an ancestor of the
///                    directory being emptied was moved during the call
///   EACCES           search, read or write permission is denied for a directory
///   ENOTDIR          a component of the path prefix is not a directory; or @path ends in a slash and does not name a
///                    directory
///   EISDIR, ELOOP    the type of a file changed repeatedly while the file was being removed. ELOOP also means that too
///                    many symbolic links were encountered
///   EINTR            the call was interrupted by a signal handler while opening a directory; some files may have been
///                    removed
///   EOVERFLOW        the size or inode number of a file does not fit into the structure that the system reports it in
///   EBADF, ESTALE    the filesystem does not support reading directories, or the directory is no longer accessible
///   EIO              an I/O error occurred
///   ENOMEM           not enough memory
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point; a thread that is cancelled here leaves directories open
/// Compatibility: differs from mmlib: MM_FAILONERROR is effective and reports the first error; directories may be
///   nested to any depth; replacing a directory with a symbolic link during the call does not redirect the removal;
///   "link/" is not followed; a directory that cannot be removed because of the form of its path is not emptied; a file
///   that another process has removed is not an error; an empty directory without read permission is removed; a success
///   does not change the error state.
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

/// A structure to be written must not be null; the kernel would report EFAULT.
fn reported(status: &large_file::stat) -> mm_stat {
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
