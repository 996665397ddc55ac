/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmsysio.h: one portable face to the operating system
 *
 * Generated from the sources of libmmsysio by `make header`: change it there.
 *
 * Unless a function says otherwise: a failing call describes its failure in the error state of the calling thread (see
 * mmerrno.h) and sets errno to the same number; a successful call touches neither the error state nor, beyond what the C
 * library does, errno. Pointers that are NULL or cannot be used by the kernel give an error. Nothing is retried when a
 * signal handler interrupts it.
 *
 * The comment of a function ends with labels. "as mm_other()" in a list of errors stands for all that are listed there.
 * If a failure is logged, writing the line is a cancellation point, also in a function that is not one otherwise.
 *
 * As mmlib's header, this one includes netinet/tcp.h, whose structures linux/tcp.h defines as well: a source file cannot
 * include both headers.
 */
#ifndef MMSYSIO_H
#define MMSYSIO_H

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mmpredefs.h"
#include "mmtime.h"

#ifdef __cplusplus
extern "C" {
/* mm_stat() has the name of a structure, as stat() has. */
#if defined(__GNUC__) || defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif
#endif

/*
 * File manipulation
 */

typedef off_t mm_off_t;
typedef dev_t mm_dev_t;
typedef ino_t mm_ino_t;

/*
 * Permissions of what is created, in place of a number: those that programs usually want, without and with the right to
 * execute a file or to search a directory. All other bits beside them are ignored. The umask applies.
 */
#define MODE_DEF (1 << 16)
#define MODE_EXEC (1 << 17)
#define MODE_XDEF (MODE_DEF | MODE_EXEC)

/* Types of files: in mm_dirent, and as flags of mm_remove(). */
#define MM_DT_UNKNOWN 0
#define MM_DT_FIFO 0x02
#define MM_DT_CHR 0x04
#define MM_DT_BLK 0x08
#define MM_DT_DIR 0x10
#define MM_DT_REG 0x20
#define MM_DT_LNK 0x40
#define MM_DT_SOCK 0x80
#define MM_DT_ANY 0xFF

/* Flags; each function says which of them it takes. */
#define MM_RECURSIVE (-0x7fffffff - 1) /* the highest bit of an int */
#define MM_FAILONERROR (1 << 30)
#define MM_NOFOLLOW (1 << 29)
#define MM_NOCOW (1 << 28)
#define MM_FORCECOW (1 << 27)

/** mm_ino_equal() - 1 if both inode numbers are the same, else 0 */
static inline int mm_ino_equal(mm_ino_t a, mm_ino_t b)
{
	return a == b;
}

/** What mm_stat() and mm_fstat() tell of a file. */
struct mm_stat {
	/** Device that holds the file. */
	mm_dev_t dev;
	/** Number of the file on its device. */
	mm_ino_t ino;
	/** Type and permissions. */
	mode_t mode;
	/** Number of names. */
	int nlink;
	/** User that owns it. */
	uid_t uid;
	/** Group that owns it. */
	gid_t gid;
	/** Size in bytes; of a symbolic link, the room that mm_readlink() needs. */
	mm_off_t size;
	/** Time of the last access, in seconds. */
	time_t atime;
	/** Blocks of 512 bytes that it occupies. */
	size_t nblocks;
	/** Time of the last change of the data, in seconds. */
	time_t mtime;
	/** Time of the last change of the data or of this, in seconds. */
	time_t ctime;
};

/**
 * mm_open() - open a file
 * @path:       name of the file
 * @oflag:      flags of open(): O_RDONLY, O_WRONLY or O_RDWR, with O_CREAT, O_EXCL, O_TRUNC, O_APPEND...
 * @mode:       permissions of a file that is created, MODE_DEF among them; otherwise ignored
 *
 * The file is closed in executed programs: O_CLOEXEC is always added.
 *
 * Return: the descriptor, the lowest number available, to be closed with mm_close(); on failure -1, and the error
 *   state is set.
 *
 * Errors:
 *   EACCES, EPERM    the file or a directory of the path may not be accessed in this way
 *   EEXIST           the file exists, and O_CREAT and O_EXCL are given
 *   EISDIR           a directory is to be written
 *   ENOENT           the file or a directory of the path does not exist, or the path is empty
 *   ENOTDIR          a component of the path prefix is not a directory; or the path ends in a slash and does not name a
 *                    directory
 *   ELOOP            too many symbolic links were encountered in resolving the path
 *   ENAMETOOLONG     the path has more than 4095 bytes, or a component of it has more than 255
 *   EFAULT           the path is NULL, or points outside the accessible address space
 *   EIO              an I/O error occurred
 *   ENOMEM           not enough memory
 *   EMFILE           the per-process limit on the number of open file descriptors has been reached
 *   ENFILE           the system-wide limit on the total number of open files has been reached
 *   ENXIO            nobody reads the FIFO, or there is no such device, or it is a socket
 *   EROFS            the filesystem is read-only
 *   ETXTBSY          a program that runs is to be written
 *   ENOSPC, EDQUOT   there is no space to create it
 *   EINVAL           @oflag has a combination that is not supported
 *   EOPNOTSUPP       the filesystem has no O_TMPFILE
 *   EINTR            the call was interrupted by a signal handler while it waited for the FIFO or device
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_open(const char *path, int oflag, int mode);

/**
 * mm_rename() - rename a file
 * @oldpath:    its name
 * @newpath:    its new name; what has it is replaced, in one step
 *
 * Symbolic links are renamed themselves. Two names of one file stay as they are.
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   EACCES, EPERM    a directory may not be written or searched
 *   ENOTEMPTY, EEXIST  @newpath is a directory that is not empty
 *   EISDIR           @newpath is a directory, and @oldpath is not
 *   EXDEV            the names are on different filesystems
 *   EINVAL           a directory is to become part of itself
 *   EBUSY            a directory is in use by the system
 *   EROFS            the filesystem is read-only
 *   EMLINK, ENOSPC, EDQUOT  there is no space for the new name
 *   ENOENT           the file or a directory of the path does not exist, or the path is empty
 *   ENOTDIR          a component of the path prefix is not a directory; or the path ends in a slash and does not name a
 *                    directory
 *   ELOOP            too many symbolic links were encountered in resolving the path
 *   ENAMETOOLONG     the path has more than 4095 bytes, or a component of it has more than 255
 *   EFAULT           the path is NULL, or points outside the accessible address space
 *   EIO              an I/O error occurred
 *   ENOMEM           not enough memory
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_rename(const char *oldpath, const char *newpath);

/**
 * mm_close() - close a descriptor
 * @fd:         descriptor to close; -1 does nothing, successfully
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   EBADF            @fd is not open
 *   EIO              data written earlier could not be stored
 *   ENOSPC, EDQUOT   the same, for want of space
 * Error notes: Except after EBADF the descriptor is closed even if -1 is returned: do not try again.
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: differs from mmlib: a signal that arrives while the descriptor is closed does not make the call fail
 *   with EINTR, since the descriptor is closed nevertheless.
 */
MMLIB_API int mm_close(int fd);

/**
 * mm_fsync() - store what was written to a file
 * @fd:         descriptor of the file
 *
 * Returns when the device has it.
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   EBADF            @fd is not open
 *   EINVAL           @fd has no storage: a pipe, a socket
 *   EIO              the device failed
 *   ENOSPC, EDQUOT   there is no space for it
 *   EROFS            the filesystem is read-only
 *   EINTR            the call was interrupted by a signal handler
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_fsync(int fd);

/**
 * mm_read() - read from a descriptor
 * @fd:         descriptor of a file, a pipe, a socket...
 * @buf:        receives the data
 * @nbyte:      size of @buf in bytes
 *
 * One read(): fewer bytes than asked for are no error. From an IPC endpoint it receives one message, of which it
 * discards what does not fit into @buf, and closes the descriptors: use mm_ipc_recvmsg() to get these.
 *
 * Return: the number of bytes read, 0 at the end of the file or stream; on failure -1, and the error state is set.
 *
 * Errors:
 *   EBADF            @fd is not open for reading
 *   EISDIR           @fd is a directory
 *   EFAULT           @buf cannot be written
 *   EINVAL           @fd cannot be read
 *   EINTR            the call was interrupted by a signal handler before data arrived
 *   EAGAIN           there is no data, and @fd is non-blocking or its SO_RCVTIMEO ran out
 *   ECONNRESET       the peer of the socket has closed the connection without reading all that was sent
 *   EIO              the device failed
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API ssize_t mm_read(int fd, void *buf, size_t nbyte);

/**
 * mm_write() - write to a descriptor
 * @fd:         descriptor of a file, a pipe, a socket...
 * @buf:        data to write
 * @nbyte:      size of the data in bytes
 *
 * One write(): fewer bytes may be written than asked for. To an IPC endpoint it sends one message.
 *
 * If the offset is at the process's limit of file sizes (RLIMIT_FSIZE) already, SIGXFSZ is raised, which terminates the
 * process unless it is caught, blocked or ignored; then the call fails with EFBIG.
 *
 * Return: the number of bytes written; on failure -1, and the error state is set.
 *
 * Errors:
 *   EBADF            @fd is not open for writing
 *   EFAULT           @buf cannot be read
 *   EPIPE            nobody can read any more; except from an IPC endpoint, SIGPIPE comes first
 *   EINTR            the call was interrupted by a signal handler before data was written
 *   EAGAIN           there is no space, and @fd is non-blocking or its SO_SNDTIMEO ran out
 *   EMSGSIZE         the message is too large for the socket
 *   ENOSPC, EDQUOT   the filesystem is full, or the user's quota is exhausted
 *   EFBIG            the file has reached RLIMIT_FSIZE, or the largest size of the filesystem
 *   EPERM            the file is sealed against it
 *   ECONNRESET       the peer of the socket has closed the connection without reading all that was sent
 *   EIO              the device failed
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API ssize_t mm_write(int fd, const void *buf, size_t nbyte);

/**
 * mm_seek() - move the offset of a file
 * @fd:         descriptor of the file
 * @offset:     bytes to move it by
 * @whence:     from where: SEEK_SET (the start), SEEK_CUR (where it is), SEEK_END (the end), or the
 *              system's SEEK_DATA and SEEK_HOLE
 *
 * Return: the offset from the start of the file; on failure -1, and the error state is set.
 *
 * Errors:
 *   EBADF            @fd is not open
 *   EINVAL           @whence is unknown, or the offset would be negative
 *   ESPIPE           @fd is a pipe, a socket or a terminal
 *   ENXIO            no data, or no file, follows
 *   EOVERFLOW        the resulting offset cannot be represented; in memory of another process (/proc/PID/mem), which
 *                    has offsets of 2^63 and more, the file has it nevertheless
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API mm_off_t mm_seek(int fd, mm_off_t offset, int whence);

/**
 * mm_ftruncate() - set the size of a file
 * @fd:         descriptor of the file, open for writing
 * @length:     its new size; what is added reads as zeros
 *
 * The offset stays where it is.
 *
 * If @length is greater than the size of the file and than the process's limit of file sizes (RLIMIT_FSIZE), SIGXFSZ is
 * raised, which terminates the process unless it is caught, blocked or ignored; then the call fails with EFBIG.
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   EBADF            @fd is not open
 *   EINVAL           @length is negative, or @fd is not open for writing, or has no size
 *   EFBIG            @length is greater than RLIMIT_FSIZE, or than the largest size of the filesystem
 *   EPERM            the file is sealed or may only grow
 *   EINTR            the call was interrupted by a signal handler
 *   EIO, ENOSPC      the filesystem failed
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_ftruncate(int fd, mm_off_t length);

/**
 * mm_fstat() - tell about an open file
 * @fd:         descriptor of the file
 * @buf:        receives what there is to tell; untouched after a failure
 *
 * Of a symbolic link (opened with O_PATH) the size counts the byte that terminates its target.
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   EBADF            @fd is not open
 *   EFAULT           @buf is NULL
 *   EOVERFLOW        a value does not fit into its member of @buf
 *   EIO              an I/O error occurred
 *   ENOMEM           not enough memory
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: NULL does not crash.
 */
MMLIB_API int mm_fstat(int fd, struct mm_stat *buf);

/**
 * mm_stat() - tell about a file
 * @path:       name of the file
 * @buf:        receives what there is to tell; untouched after a failure
 * @flags:      MM_NOFOLLOW to ask about a symbolic link itself; other bits are ignored
 *
 * Of a symbolic link the size counts the byte that terminates its target: it is the room that mm_readlink() needs, except
 * for the links of /proc, which report no size.
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   EOVERFLOW        a value does not fit into its member of @buf
 *   EFAULT           @path or @buf is NULL, or @path points outside the accessible address space
 *   EACCES           search permission is denied for a component of the path prefix
 *   ENOENT           the file or a directory of the path does not exist, or the path is empty
 *   ENOTDIR          a component of the path prefix is not a directory; or the path ends in a slash and does not name a
 *                    directory
 *   ELOOP            too many symbolic links were encountered in resolving the path
 *   ENAMETOOLONG     the path has more than 4095 bytes, or a component of it has more than 255
 *   EIO              an I/O error occurred
 *   ENOMEM           not enough memory
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: NULL does not crash.
 */
MMLIB_API int mm_stat(const char *path, struct mm_stat *buf, int flags);

/**
 * mm_futimens() - set the times of an open file
 * @fd:         descriptor of the file; it need not be open for writing
 * @ts:         time of access, then time of change; NULL for now, twice. With UTIME_NOW in tv_nsec a time
 *              becomes now, with UTIME_OMIT it stays
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   EBADF            @fd is not open
 *   EINVAL           a tv_nsec is neither special nor from 0 to 999999999
 *   EFAULT           @ts cannot be read
 *   EACCES           the file is another user's, may not be written, and @ts is NULL or UTIME_NOW
 *   EPERM            the file is another user's
 *   EROFS            the filesystem is read-only
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_futimens(int fd, const struct mm_timespec ts[2]);

/**
 * mm_utimens() - set the times of a file
 * @path:       name of the file
 * @ts:         time of access, then time of change; NULL for now, twice. With UTIME_NOW in tv_nsec a time
 *              becomes now, with UTIME_OMIT it stays
 * @flags:      MM_NOFOLLOW to set those of a symbolic link itself, or 0
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   EINVAL           @path is NULL, @flags has other bits, or a tv_nsec is neither special nor from 0 to 999999999
 *   EPERM            the file is another user's
 *   EROFS            the filesystem is read-only
 *   EFAULT           @path or @ts cannot be read
 *   EACCES           search permission is denied for a component of the path prefix
 *   ENOENT           the file or a directory of the path does not exist, or the path is empty
 *   ENOTDIR          a component of the path prefix is not a directory; or the path ends in a slash and does not name a
 *                    directory
 *   ELOOP            too many symbolic links were encountered in resolving the path
 *   ENAMETOOLONG     the path has more than 4095 bytes, or a component of it has more than 255
 *   EIO              an I/O error occurred
 *   ENOMEM           not enough memory
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_utimens(const char *path, const struct mm_timespec ts[2], int flags);

/**
 * mm_check_access() - ask what the process may do with a file
 * @path:       name of the file
 * @amode:      F_OK, or an OR of R_OK, W_OK and X_OK
 *
 * It is asked for the real user and group, and of what a symbolic link leads to. The answer may be out of date as
 * soon as it is there.
 *
 * Return: 0 if it may; ENOENT (positive) if there is no such file; EACCES (positive) if it may not. errno and the
 *   error state stay as they are in these cases. On any other failure -1, and the error state is set.
 *
 * Errors:
 *   EINVAL           @amode has other bits
 *   ENOTDIR          a component of the path prefix is not a directory; or the path ends in a slash and does not name a
 *                    directory
 *   ELOOP            too many symbolic links were encountered in resolving the path
 *   ENAMETOOLONG     the path has more than 4095 bytes, or a component of it has more than 255
 *   EFAULT           the path is NULL, or points outside the accessible address space
 *   EIO              an I/O error occurred
 *   ENOMEM           not enough memory
 *   EROFS            the filesystem is read-only, and W_OK is asked for
 *   EPERM            the file is immutable, and W_OK is asked for
 *   ETXTBSY          the file is a running program, and W_OK is asked for
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_check_access(const char *path, int amode);

/**
 * mm_isatty() - ask whether a descriptor is a terminal
 * @fd:         descriptor
 *
 * Return: 1 if it is, 0 if it is not, with errno as it was; on failure -1, and the error state is set.
 *
 * Errors:
 *   EBADF            @fd is not open
 *   EIO              the terminal has hung up
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_isatty(int fd);

/**
 * mm_dup() - duplicate a descriptor
 * @fd:         descriptor
 *
 * Both share offset and status flags. The new one is inherited by executed programs.
 *
 * Return: the new descriptor, the lowest number available, to be closed with mm_close(); on failure -1, and the error
 *   state is set.
 *
 * Errors:
 *   EBADF            @fd is not open
 *   EMFILE           the per-process limit on the number of open file descriptors has been reached
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_dup(int fd);

/**
 * mm_dup2() - duplicate a descriptor to a number
 * @fd:         descriptor
 * @newfd:      number to give it; what has it is closed
 *
 * Both share offset and status flags. The new one is inherited by executed programs, unless both are the same number:
 * then nothing changes.
 *
 * Return: @newfd; on failure -1, and the error state is set.
 *
 * Errors:
 *   EBADF            @fd is not open, or @newfd is negative or not below RLIMIT_NOFILE
 *   EMFILE           the per-process limit on the number of open file descriptors has been reached
 *   EBUSY            @newfd is being opened by another thread
 *   EINTR            the call was interrupted by a signal handler
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_dup2(int fd, int newfd);

/**
 * mm_pipe() - create a pipe
 * @pipefd:     receives the end to read from, then the end to write to
 *
 * Both are inherited by executed programs, and blocking.
 *
 * Return: 0 on success, with both descriptors, the lowest numbers available, to be closed with mm_close(); on failure
 *   -1, and the error state is set.
 *
 * Errors:
 *   EFAULT           @pipefd cannot be written, NULL included
 *   EMFILE           the per-process limit on the number of open file descriptors has been reached
 *   ENFILE           the system-wide limit on the total number of open files has been reached
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_pipe(int pipefd[2]);

/**
 * mm_unlink() - remove a name of a file
 * @path:       the name
 *
 * The file goes with its last name, when nobody has it open or mapped. A symbolic link is removed itself.
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   EISDIR           it is a directory
 *   EPERM            the directory is sticky and the file another user's, or it is immutable
 *   EBUSY            it is in use by the system
 *   EROFS            the filesystem is read-only
 *   EACCES           search permission is denied for a component of the path prefix
 *   ENOENT           the file or a directory of the path does not exist, or the path is empty
 *   ENOTDIR          a component of the path prefix is not a directory; or the path ends in a slash and does not name a
 *                    directory
 *   ELOOP            too many symbolic links were encountered in resolving the path
 *   ENAMETOOLONG     the path has more than 4095 bytes, or a component of it has more than 255
 *   EFAULT           the path is NULL, or points outside the accessible address space
 *   EIO              an I/O error occurred
 *   ENOMEM           not enough memory
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_unlink(const char *path);

/**
 * mm_link() - give a file another name
 * @oldpath:    a name that it has; a symbolic link itself gets the new name
 * @newpath:    the new name
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   EEXIST           @newpath exists
 *   EXDEV            the names are on different filesystems
 *   EPERM            it is a directory, or the system forbids it
 *   EMLINK           it has too many names
 *   EROFS, ENOSPC, EDQUOT  there is no space for the new name
 *   EACCES           search permission is denied for a component of the path prefix
 *   ENOENT           the file or a directory of the path does not exist, or the path is empty
 *   ENOTDIR          a component of the path prefix is not a directory; or the path ends in a slash and does not name a
 *                    directory
 *   ELOOP            too many symbolic links were encountered in resolving the path
 *   ENAMETOOLONG     the path has more than 4095 bytes, or a component of it has more than 255
 *   EFAULT           the path is NULL, or points outside the accessible address space
 *   EIO              an I/O error occurred
 *   ENOMEM           not enough memory
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_link(const char *oldpath, const char *newpath);

/**
 * mm_symlink() - create a symbolic link
 * @oldpath:    where it leads: any text; from where @newpath is, if it is relative
 * @newpath:    name of the link
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   EEXIST           @newpath exists
 *   EPERM            the filesystem has no symbolic links
 *   EROFS, ENOSPC, EDQUOT  there is no space for it
 *   ENOENT           a directory of @newpath does not exist, or @oldpath or @newpath is empty
 *   EACCES           search permission is denied for a component of the path prefix
 *   ENOTDIR          a component of the path prefix is not a directory; or the path ends in a slash and does not name a
 *                    directory
 *   ELOOP            too many symbolic links were encountered in resolving the path
 *   ENAMETOOLONG     the path has more than 4095 bytes, or a component of it has more than 255
 *   EFAULT           the path is NULL, or points outside the accessible address space
 *   EIO              an I/O error occurred
 *   ENOMEM           not enough memory
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_symlink(const char *oldpath, const char *newpath);

/**
 * mm_readlink() - tell where a symbolic link leads
 * @path:       name of the link
 * @buf:        receives the text, terminated
 * @bufsize:    size of @buf: one more than the text, as the size that mm_stat() reports
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   EOVERFLOW        it does not fit: @buf has its beginning
 *   EINVAL           @path is not a symbolic link, or @bufsize is 0
 *   EACCES           search permission is denied for a component of the path prefix
 *   ENOENT           the file or a directory of the path does not exist, or the path is empty
 *   ENOTDIR          a component of the path prefix is not a directory; or the path ends in a slash and does not name a
 *                    directory
 *   ELOOP            too many symbolic links were encountered in resolving the path
 *   ENAMETOOLONG     the path has more than 4095 bytes, or a component of it has more than 255
 *   EFAULT           the path is NULL, or points outside the accessible address space
 *   EIO              an I/O error occurred
 *   ENOMEM           not enough memory
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: the text is terminated also if it does not fit, and a @bufsize above INT_MAX is
 *   no error.
 */
MMLIB_API int mm_readlink(const char *path, char *buf, size_t bufsize);

/**
 * mm_copy() - copy a file
 * @src:        name of the file
 * @dst:        name of the copy, which must not exist
 * @flags:      0, or an OR of MM_NOFOLLOW (copy a symbolic link itself), and one of MM_NOCOW (write
 *              every byte anew) and MM_FORCECOW (share the data with the source, or fail)
 * @mode:       permissions of the copy, MODE_DEF among them, less the umask; ignored for a symbolic link
 *
 * Only the content is copied, which is what read() returns, whatever size the file reports: no owner, times or
 * attributes. Holes stay holes where the filesystem reports them. Without a flag the system may share the data or copy it
 * by itself. If another process changes the file at the same time, the copy may have parts of both; what is appended
 * is copied or not, and if the file is truncated the copy may end there.
 *
 * Only a regular file is copied, or with MM_NOFOLLOW a symbolic link. The type is checked first: a FIFO, a device or a
 * socket is not opened, and the call neither waits for one nor creates @dst.
 *
 * A set-user-ID, set-group-ID or sticky bit in @mode is set when all is written, or the call fails.
 *
 * A failure leaves no copy behind; a signal does not end it. If @dst has become the name of another file by then, that
 * file stays, unless it gets the name in the moment between the check and the removal.
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   EEXIST           @dst exists, be it a symbolic link that leads nowhere
 *   EINVAL           @flags has other bits, or both MM_NOCOW and MM_FORCECOW; or @src is a FIFO, a device or a socket;
 *                    or the filesystem does not accept the name of @dst
 *   EISDIR           @src is a directory
 *   EOPNOTSUPP, EXDEV, ENOTTY  MM_FORCECOW is given, and the data cannot be shared; EINVAL, EPERM, EBADF, EISDIR and
 *                    ETXTBSY may say so too; EOPNOTSUPP: or the filesystem does not support the operation
 *   EACCES           @src may not be read, or a directory of a path not searched, or that of @dst not written
 *   EPERM            a set-user-ID, set-group-ID or sticky bit of @mode cannot be set; or the filesystem has no
 *                    symbolic links; or a security policy, a seal or the immutable attribute of the directory forbids
 *                    it
 *   ETXTBSY          @src is in use as a swap file
 *   ENXIO            @src became a socket or a device while it was opened
 *   EAGAIN           another process has a lease on @src, and /proc, by which it would be waited for, is not mounted;
 *                    or @src never has data
 *   ENOTDIR          a component of the path prefix is not a directory; or the path ends in a slash and does not name a
 *                    directory
 *   ELOOP            too many symbolic links were encountered in resolving the path
 *   ENAMETOOLONG     the path has more than 4095 bytes, or a component of it has more than 255
 *   EFAULT           the path is NULL, or points outside the accessible address space
 *   EMFILE           the per-process limit on the number of open file descriptors has been reached
 *   ENFILE           the system-wide limit on the total number of open files has been reached
 *   ENOSPC, EDQUOT   the filesystem, or the quota of the user, has no space left
 *   EFBIG            the file exceeds the limit of the filesystem, or RLIMIT_FSIZE: then SIGXFSZ is raised first
 *   EROFS            the filesystem of @dst is read-only
 *   EOVERFLOW        the target of the symbolic link has more than 65535 bytes, or the size of a file does not fit
 *                    into an off_t
 *   ENOENT           @src, or a directory of a path, does not exist; or a path is empty
 *   EBADF, ESPIPE    the filesystem does not support reading, writing or seeking
 *   EIO              an I/O error occurred; it may concern data written before
 *   ENOMEM           not enough memory
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point; a thread that is cancelled here leaves the files open, and part of the copy
 * Compatibility: differs from mmlib: the flags do what they say, holes stay holes, errors of closing the copy are
 *   reported, a signal does not end it, a FIFO does not block it, and special bits of @mode are never lost without an
 *   error.
 */
MMLIB_API int mm_copy(const char *src, const char *dst, int flags, int mode);

/**
 * mm_mkdir() - create a directory
 * @path:       its name
 * @mode:       its permissions, MODE_XDEF among them (MODE_DEF makes one that cannot be searched)
 * @flags:      MM_RECURSIVE to create those above it that are missing as well, with the same permissions, and to
 *              succeed if it exists; other bits are ignored
 *
 * With MM_RECURSIVE, a directory that exists is a success also where none may be created: on a read-only filesystem, or
 * where a sandbox forbids mkdir().
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   EEXIST           the name exists; with MM_RECURSIVE, and is not a directory
 *   EPERM            the filesystem takes no directories
 *   EMLINK, ENOSPC, EDQUOT  there is no space for it
 *   EROFS            the filesystem is read-only
 *   ENOENT           a directory above it is missing, or is a symbolic link to a missing file; or the path is empty
 *   EACCES           a directory of the path may not be searched, or written
 *   ENOTDIR          a component of the path prefix is not a directory; or the path ends in a slash and does not name a
 *                    directory
 *   ELOOP            too many symbolic links were encountered in resolving the path
 *   ENAMETOOLONG     the path has more than 4095 bytes, or a component of it has more than 255
 *   EFAULT           the path is NULL, or points outside the accessible address space
 *   EIO              an I/O error occurred
 *   ENOMEM           not enough memory
 *   EOVERFLOW        with MM_RECURSIVE, the name exists, and its attributes cannot be represented (32-bit systems)
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: with MM_RECURSIVE, a name that is not a directory gives EEXIST, and a directory
 *   that exists is a success whatever reason mkdir() gives; another process may create the same directories at the
 *   same time; paths may go through . and .. and be of any length that the kernel accepts.
 */
MMLIB_API int mm_mkdir(const char *path, int mode, int flags);

/**
 * mm_chdir() - change the current directory
 * @path:       its name
 *
 * It is the one of the whole process.
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   ENOTDIR          a component of the path is not a directory
 *   EACCES           search permission is denied for a component of the path prefix
 *   ENOENT           the file or a directory of the path does not exist, or the path is empty
 *   ELOOP            too many symbolic links were encountered in resolving the path
 *   ENAMETOOLONG     the path has more than 4095 bytes, or a component of it has more than 255
 *   EFAULT           the path is NULL, or points outside the accessible address space
 *   EIO              an I/O error occurred
 *   ENOMEM           not enough memory
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_chdir(const char *path);

/**
 * mm_getcwd() - tell the current directory
 * @buffer:     receives the absolute path, terminated; NULL to get it in memory of its own
 * @size:       size of @buffer; ignored if that is NULL
 *
 * Return: @buffer, or memory that the caller releases with free(); on failure NULL, and the error state is set.
 *
 * Errors:
 *   ERANGE           it does not fit
 *   EINVAL           @size is 0, and @buffer is not NULL
 *   EFAULT           @buffer cannot be written
 *   ENAMETOOLONG     it has more than 4095 bytes, and the C library does not return longer ones
 *   ENOENT           the directory was removed
 *   EACCES           a directory above it may not be read
 *   ENOMEM           not enough memory
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API char *mm_getcwd(char *buffer, size_t size);

/**
 * mm_rmdir() - remove an empty directory
 * @path:       its name
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   ENOTEMPTY, EEXIST  it is not empty
 *   EINVAL           its last component is .
 *   EBUSY            it is in use by the system
 *   EPERM            the directory above is sticky and it is another user's
 *   EROFS            the filesystem is read-only
 *   ENOTDIR          a component of the path is not a directory
 *   EACCES           search permission is denied for a component of the path prefix
 *   ENOENT           the file or a directory of the path does not exist, or the path is empty
 *   ELOOP            too many symbolic links were encountered in resolving the path
 *   ENAMETOOLONG     the path has more than 4095 bytes, or a component of it has more than 255
 *   EFAULT           the path is NULL, or points outside the accessible address space
 *   EIO              an I/O error occurred
 *   ENOMEM           not enough memory
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_rmdir(const char *path);

/**
 * mm_remove() - remove a file, or a directory with all that is in it
 * @path:       its name
 * @flags:      the types that may be removed, an OR of MM_DT_REG, MM_DT_DIR..., or MM_DT_ANY; with MM_RECURSIVE
 *              what is in a directory goes first; with MM_FAILONERROR the first failure there ends it
 *
 * A symbolic link is removed itself, and never followed. What is in the directory and of another type stays, and
 * so do the directories that lead to it: without MM_FAILONERROR failures inside are passed over, and the directory
 * itself decides. The message of the error names the first file that could not be removed.
 *
 * How @path is spelled is decided before anything is removed. A path that ends in a slash must be the name of a
 * directory: a symbolic link with a slash behind it gives ENOTDIR, whatever it leads to, as another file does. The paths
 * "." and ".." lose only what they contain, with MM_RECURSIVE, and stay. Every other path that ends in . or .., with or
 * without slashes behind it, gives EINVAL. "/" gives EBUSY.
 *
 * Others may remove the same files at the same time: what existed when the call began, and does not exist any more, is
 * removed. A directory in which they create files may stay, with ENOTEMPTY.
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   EPERM            the type of @path is not among @flags; or the directory is sticky and the file another user's; or
 *                    the immutable or append-only attribute, or a security policy, forbids it
 *   EINVAL           @path ends in . or .., and is not one of these names alone with MM_RECURSIVE; or a directory
 *                    cannot be read
 *   ENOTEMPTY, EEXIST  the directory is not empty, or could not be emptied
 *   EBUSY            it is in use by the system, as a mount point or the root directory is
 *   EROFS            the filesystem is read-only
 *   ENAMETOOLONG     the path has more than 4095 bytes, or a component of it has more than 255
 *   EFAULT           the path is NULL, or points outside the accessible address space
 *   EMFILE           the per-process limit on the number of open file descriptors has been reached
 *   ENFILE           the system-wide limit on the total number of open files has been reached
 *   ENOENT           @path, or a directory of it, does not exist; or it is empty; or a directory far above the one
 *                    that was being emptied was moved
 *   EACCES           a directory may not be searched, read or written
 *   ENOTDIR          a component of the path prefix is not a directory; or @path ends in a slash, and is not a
 *                    directory
 *   EISDIR, ELOOP    the type of a file changed again and again while it was to be removed; ELOOP: or too many
 *                    symbolic links were encountered
 *   EINTR            the call was interrupted by a signal handler while a directory was opened: part may be removed
 *   EOVERFLOW        the size or inode number of a file does not fit into the structure for it
 *   EBADF, ESTALE    the filesystem does not support reading a directory, or has lost it
 *   EIO              an I/O error occurred
 *   ENOMEM           not enough memory
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point; a thread that is cancelled here leaves directories open
 * Compatibility: differs from mmlib: MM_FAILONERROR works and reports the first error; directories may be nested to
 *   any depth; nobody can lead it elsewhere by exchanging a directory for a link; "link/" is not followed, and a path
 *   that cannot be removed is not emptied; what others removed is no failure; a directory that is empty but not
 *   readable is removed; a success leaves the error state alone.
 */
MMLIB_API int mm_remove(const char *path, int flags);

/*
 * Directory navigation
 */

/** An open directory: see mm_opendir(). */
typedef struct mm_dirstream MM_DIR;

/** An entry of a directory. */
struct mm_dirent {
	/** Size of this record in bytes, its name included. */
	size_t reclen;
	/** MM_DT_REG, MM_DT_DIR...; MM_DT_UNKNOWN where the filesystem does not say: mm_stat() does. */
	int type;
	/** Always 0. */
	int id;
	/** Name, terminated: any bytes. */
#ifdef __cplusplus
	char name[1];
#else
	char name[];
#endif
};

/**
 * mm_opendir() - open a directory to read its entries
 * @path:       name of the directory
 *
 * The file descriptor of the directory is closed in executed programs.
 *
 * Return: the directory, at its first entry, to be closed with mm_closedir(); on failure NULL, and the error state is
 *   set.
 *
 * Errors:
 *   ENOENT           there is no such directory, or the path is empty
 *   ENOTDIR          a component of the path is not a directory
 *   EACCES           the directory may not be read, or a directory of the path may not be searched
 *   EPERM            a security policy forbids it
 *   ELOOP            too many symbolic links were encountered in resolving the path
 *   ENAMETOOLONG     the path has more than 4095 bytes, or a component of it has more than 255
 *   EFAULT           the path is NULL, or points outside the accessible address space
 *   EIO              an I/O error occurred
 *   ENOMEM           not enough memory
 *   EMFILE           the per-process limit on the number of open file descriptors has been reached
 *   ENFILE           the system-wide limit on the total number of open files has been reached
 *   EINTR            the call was interrupted by a signal handler, on a filesystem that waits for its server
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: differs from mmlib: NULL does not crash.
 */
MMLIB_API MM_DIR *mm_opendir(const char *path);

/**
 * mm_closedir() - close a directory
 * @dir:        directory to close; NULL does nothing
 *
 * Every entry that was read from it is gone.
 *
 * Errors: none
 *
 * Thread safety: MT-Safe, with different directories
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API void mm_closedir(MM_DIR *dir);

/**
 * mm_rewinddir() - go back to the first entry of a directory
 * @dir:        directory
 *
 * What is read from then on is what the directory holds then.
 *
 *
 * Errors:
 *   EINVAL           @dir is NULL
 *
 * Thread safety: MT-Safe, with different directories
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API void mm_rewinddir(MM_DIR *dir);

/**
 * mm_readdir() - read the next entry of a directory
 * @dir:        directory
 * @status:     receives 0 if there was an entry or the end was reached, -1 after a failure; may be NULL
 *
 * The entries . and .. are among them; the order is the filesystem's. An entry that is created or removed at the
 * same time may be returned or not.
 *
 * Return: the entry, which changes when the next one is read and goes when the directory is closed; NULL at the end,
 *   with errno and the error state as they were; on failure NULL, and the error state is set.
 *
 * Errors:
 *   EINVAL           @dir is NULL
 *   ENOMEM           not enough memory; the entry is lost
 *   EIO, ENOENT, ESTALE  the directory cannot be read
 *
 * Thread safety: MT-Safe, with different directories
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: a failure to read is distinguished from the end of the directory.
 */
MMLIB_API const struct mm_dirent *mm_readdir(MM_DIR *dir, int *status);

/*
 * Process spawning
 */

typedef pid_t mm_pid_t;

/* Flags of mm_spawn() and mm_execv(). */
#define MM_SPAWN_DAEMONIZE 0x1
#define MM_SPAWN_KEEP_FDS 0x2

/* What mm_wait_process() tells: one of the two flags, and the exit code or the number of the signal. */
#define MM_WSTATUS_CODEMASK 0x000000FF
#define MM_WSTATUS_EXITED 0x00000100
#define MM_WSTATUS_SIGNALED 0x00000200

/** What a program finds at one of its descriptors: see mm_spawn(). */
struct mm_remap_fd {
	/** Number in the program. */
	int child_fd;
	/** Number in the caller: it is duplicated, or kept if it is the same; -1 closes child_fd. */
	int parent_fd;
};

/**
 * mm_spawn() - execute a program in a new process
 * @child_pid:  receives the process ID, for mm_wait_process(); may be NULL
 * @path:       program to execute. If it has no slash, it is searched in the directories of the caller's PATH, or in
 *              /bin and /usr/bin if PATH is not set
 * @num_map:    number of elements of @fd_map; 0 or less means none
 * @fd_map:     file descriptors of the program
 * @flags:      0, or MM_SPAWN_DAEMONIZE, MM_SPAWN_KEEP_FDS, or both
 * @argv:       arguments, the program's name first, NULL last; NULL stands for the path alone
 * @envp:       environment, NULL last; NULL stands for the caller's
 *
 * Returns when the new process has executed the program. The program has the caller's directory, umask, blocked and
 * ignored signals, limits, process group, session and terminal.
 *
 * Its descriptors are 0, 1 and 2 of the caller, unless these are close-on-exec, and those of @fd_map. The elements of
 * @fd_map are applied in their order: each finds what the ones before it have left, as with redirections of a shell.
 * If parent_fd is -1, child_fd is closed; if both are equal, the descriptor is kept if it is open; else parent_fd is
 * duplicated as child_fd. All others are closed, also those above a limit that was lowered; but where the kernel has
 * no close_range() (before Linux 5.11) and /proc/self/fd cannot be read, only those below 1048576. The caller's own
 * descriptors stay as they are.
 *
 * With MM_SPAWN_KEEP_FDS @fd_map is ignored: the program has all of the caller's descriptors that are not
 * close-on-exec.
 *
 * With MM_SPAWN_DAEMONIZE the process is in a session of its own and in the directory /, its umask is 0, it is not a
 * child of the caller, and @child_pid is not written. The program is the same as without the flag: a relative @path or
 * directory of PATH starts from the caller's directory. It is executed by its absolute path, in which no symbolic link
 * is resolved; an absolute @path stays as it is. If no path leads to the caller's directory (it was removed, is
 * outside of the root directory, has a path of more than 4095 bytes, or one that may not be searched), programs that
 * start from it are executed by execveat(): not scripts and other files that need an interpreter, which give ENOENT,
 * or ENOEXEC if the shell would run them. While @path is looked up the directory is / already: /proc/self/cwd leads
 * there. Descriptors 0, 1 and 2 are treated as without the flag: use @fd_map to redirect them.
 *
 * A file whose format the kernel does not know is run by /bin/sh, if @path has no slash.
 *
 * Handlers of pthread_atfork() are not called: like posix_spawn(), it copies no memory, so that it costs a large
 * program no more than a small one.
 *
 * Return: 0 on success; on failure -1, with no process left behind and @child_pid untouched, and the error state is
 *   set.
 *
 * Errors:
 *   EINVAL           @path is NULL, @flags has other bits, or @num_map is positive and @fd_map NULL
 *   ENOENT           the program or its interpreter does not exist; @path is empty
 *   EACCES           the program may not be executed, is not a regular file, or a directory may not be searched
 *   ENOEXEC          the kernel does not know the format of the file, and @path has a slash
 *   ELIBBAD          the kernel does not know the format of the program's interpreter
 *   EISDIR           the program's interpreter is a directory
 *   EBADF            a parent_fd is not open, or a child_fd is negative or not below RLIMIT_NOFILE
 *   EBUSY, EINTR     a child_fd cannot be replaced: another thread is opening it (mm_execv() alone), or a signal
 *                    handler interrupted closing it
 *   EAGAIN           the limit on processes of the user (RLIMIT_NPROC) or of a group of processes has been reached
 *   E2BIG            @argv and @envp are too large
 *   EFAULT           @envp cannot be read, or @argv, if @path has a slash
 *   ENOTDIR          a component of the path prefix is not a directory; or, if @path has no slash, the last entry of
 *                    PATH
 *   ELOOP            too many symbolic links were encountered in resolving the path
 *   ENAMETOOLONG     the path has more than 4095 bytes, or a component of it has more than 255
 *   ETXTBSY          the file is open for writing
 *   EPERM            a security policy, or a tracer of a program with privileges, forbids it
 *   ENOMEM           not enough memory
 *   EMFILE, ENFILE   the limit on open file descriptors, or files, prevents opening the interpreter or, with
 *                    MM_SPAWN_DAEMONIZE, a directory to which no path leads
 *   ENOSYS           the kernel has no execveat() (before Linux 3.19), which MM_SPAWN_DAEMONIZE needs for such a
 *                    directory
 *   EIO              the process was killed before it could execute the program; or the file cannot be read
 *
 * Thread safety: MT-Safe; other threads must not change the environment or, with MM_SPAWN_DAEMONIZE, the directory at
 *   the same time
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: parent_fd -1 works; a failure is never taken for success, or written to a file of
 *   the program, whatever the descriptors of @fd_map; a signal that arrives before it returns does not make a started
 *   program an error; no output of the caller is printed twice; NULL for @fd_map does not crash; with
 *   MM_SPAWN_DAEMONIZE, symbolic links and files that were removed are executed by the path that was given, and
 *   relative directories of PATH are the caller's.
 */
MMLIB_API int mm_spawn(mm_pid_t *child_pid, const char *path, int num_map,
		       const struct mm_remap_fd *fd_map, int flags, char *const *argv, char *const *envp);

/**
 * mm_execv() - become another program
 * @path:       program to execute, as in mm_spawn()
 * @num_map:    number of elements of @fd_map; 0 or less means none
 * @fd_map:     descriptors of the program, as in mm_spawn()
 * @flags:      0 or MM_SPAWN_KEEP_FDS, as in mm_spawn()
 * @argv:       arguments, the program's name first, NULL last; NULL stands for the path alone
 * @envp:       environment, NULL last; NULL stands for the caller's
 *
 * The process and its number stay; all other threads end.
 *
 * Return: it does not return if it succeeds; on failure -1, and the error state is set. Then descriptors may have been
 *   changed, unless @flags has MM_SPAWN_KEEP_FDS: all from 3 on are close-on-exec, except those of @fd_map, which are
 *   redirected up to the element that failed.
 *
 * Errors:
 *   as mm_spawn()
 *
 * Thread safety: MT-Safe; other threads must not change the environment at the same time
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: parent_fd -1 works; NULL for @fd_map does not crash.
 */
MMLIB_API int mm_execv(const char *path, int num_map, const struct mm_remap_fd *fd_map,
		       int flags, char *const *argv, char *const *envp);

/**
 * mm_wait_process() - wait for a process to end
 * @pid:        number of a child, as from mm_spawn(); -1, 0 and below as in waitpid()
 * @status:     receives how it ended; may be NULL
 *
 * After a normal end @status is MM_WSTATUS_EXITED and the exit code, which MM_WSTATUS_CODEMASK picks out; after one
 * by a signal it is MM_WSTATUS_SIGNALED and the number of the signal. A process can be waited for once.
 *
 * Return: 0 on success; on failure -1, with @status untouched, and the error state is set.
 *
 * Errors:
 *   ECHILD           @pid is not a child of this process, or was waited for before, or SIGCHLD is ignored
 *   EINTR            the call was interrupted by a signal handler: call again
 *   ESRCH            @pid is the smallest of all numbers
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_wait_process(mm_pid_t pid, int *status);

/*
 * memory mapping
 */

/* Flags of mm_mapfile(). */
#define MM_MAP_READ 0x00000001
#define MM_MAP_WRITE 0x00000002
#define MM_MAP_EXEC 0x00000004
#define MM_MAP_SHARED 0x00000008
#define MM_MAP_PRIVATE 0x00000000
#define MM_MAP_RDWR (MM_MAP_READ | MM_MAP_WRITE)

/**
 * mm_mapfile() - map part of a file into memory
 * @fd:         descriptor of the file or shared memory; it may be closed afterwards
 * @offset:     where the part begins in the file, in bytes: a multiple of the page size
 * @len:        size of the part in bytes. Memory beyond the page in which the file ends must not be touched: SIGBUS
 * @mflags:     MM_MAP_READ, MM_MAP_WRITE, MM_MAP_EXEC, or several, or none; and MM_MAP_SHARED, so that what is written
 *              is seen by all who map the file, and reaches it, or MM_MAP_PRIVATE. Other bits are ignored
 *
 * Child processes have the map as well; programs that they execute have not.
 *
 * Return: the address of the memory, to be given back with mm_unmap(); on failure NULL, and the error state is set.
 *
 * Errors:
 *   EBADF            @fd is not open
 *   EACCES           @fd is not open for reading; or not for writing too, with MM_MAP_SHARED and MM_MAP_WRITE
 *   EINVAL           @len is 0, or @offset is not a multiple of the page size; of the size of its huge pages, if the
 *                    file is made of them
 *   EOVERFLOW        @offset is negative, or its sum with @len is too large
 *   ENODEV           @fd cannot be mapped: a directory, a pipe, a socket
 *   EPERM            with MM_MAP_EXEC, the filesystem may not hold programs; or the memory is sealed
 *   ENOMEM           not enough memory or free huge pages, or too many maps
 *   EAGAIN           the memory may not be locked (mlockall(), RLIMIT_MEMLOCK)
 *   ENFILE, ETXTBSY, EIO  the filesystem refuses
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API void *mm_mapfile(int fd, mm_off_t offset, size_t len, int mflags);

/**
 * mm_unmap() - give back memory of mm_mapfile()
 * @addr:       its address; NULL does nothing, successfully
 *
 * The whole map is undone, whatever the size of its pages.
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   EFAULT           mm_mapfile() did not return @addr, or it was unmapped since
 *   ENOMEM           the system would have too many maps; this one stays
 *
 * Thread safety: MT-Safe: of several threads that unmap the same memory one succeeds
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: after a failure other than EFAULT it can be tried again; a map of huge pages can
 *   be undone if its length is not a multiple of their size.
 */
MMLIB_API int mm_unmap(void *addr);

/**
 * mm_shm_open() - open named shared memory
 * @name:       its name: at most 255 bytes, without a slash, except that it may begin with some, which do not count
 * @oflag:      O_RDONLY or O_RDWR; and O_CREAT to create it if there is none, with O_EXCL to fail if there is one,
 *              O_TRUNC to empty it
 * @mode:       permissions of what is created, or MODE_DEF. The umask applies
 *
 * What is created has size 0: use mm_ftruncate(), then mm_mapfile(). It lives until its name is removed with
 * mm_shm_unlink() and nobody has it open or mapped any more, but not longer than the system runs.
 *
 * The descriptor is closed in executed programs.
 *
 * Return: the descriptor, the lowest number available, to be closed with mm_close(); on failure -1, and the error
 *   state is set.
 *
 * Errors:
 *   ENOENT           there is none of that name, and @oflag has no O_CREAT; or the system has no /dev/shm
 *   EEXIST           there is one, and @oflag has O_CREAT and O_EXCL
 *   EACCES           its permissions forbid it
 *   EPERM            a security policy forbids it
 *   EINVAL           @name is empty, "." or "..", too long, or has a slash after another character; or it is a
 *                    directory, which cannot be written
 *   EFAULT           @name is NULL
 *   ELOOP            it is a symbolic link
 *   EMFILE           the per-process limit on the number of open file descriptors has been reached
 *   ENFILE           the system-wide limit on the total number of open files has been reached
 *   ENOSPC           there is no space for it
 *   ENOMEM           not enough memory
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: NULL does not crash; "." and ".." are refused.
 */
MMLIB_API int mm_shm_open(const char *name, int oflag, int mode);

/**
 * mm_anon_shm() - create shared memory without a name
 *
 * It has size 0: use mm_ftruncate(), then mm_mapfile(). To share it, pass the descriptor on, with mm_spawn() or
 * mm_ipc_sendmsg(). It can be sealed, so that a receiver may rely on its size: fcntl(F_ADD_SEALS).
 *
 * The descriptor is closed in executed programs.
 *
 * Return: the descriptor, for reading and writing, the lowest number available, to be closed with mm_close(); on
 *   failure -1, and the error state is set.
 *
 * Errors:
 *   EMFILE           the per-process limit on the number of open file descriptors has been reached
 *   ENFILE           the system-wide limit on the total number of open files has been reached
 *   ENOMEM           not enough memory
 *   EACCES, EPERM    a security policy forbids it
 *   ENOSYS           the kernel is older than Linux 3.17
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: nobody can guess a name and take it first.
 */
MMLIB_API int mm_anon_shm(void);

/**
 * mm_shm_unlink() - remove the name of shared memory
 * @name:       its name, as in mm_shm_open()
 *
 * Those who have it open or mapped keep it.
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   ENOENT           there is none of that name, or the name is not valid
 *   EACCES, EPERM    it belongs to another user, or a security policy forbids it
 *   EFAULT           @name is NULL
 *   EISDIR           it is a directory
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: NULL does not crash.
 */
MMLIB_API int mm_shm_unlink(const char *name);

/*
 * IPC
 */

/** An IPC server: see mm_ipc_srv_create(). */
struct mm_ipc_srv;

/** A message, to be sent by mm_ipc_sendmsg() or received by mm_ipc_recvmsg(). */
struct mm_ipc_msg {
	/** Buffers of the data: gathered when sending, filled one after the other when receiving. */
	struct iovec *iov;
	/** Descriptors: to be duplicated for the peer, or room for those received. */
	int *fds;
	/** Number of elements of iov: 0 to 1024. */
	int num_iov;
	/** Number of descriptors: to send, 0 to 253; set by every successful receive. */
	int num_fds;
	/**
	 * Ignored when sending. Set by every successful receive: MSG_TRUNC if data was cut, MSG_CTRUNC
	 * if descriptors were dropped, or both, else 0.
	 */
	int flags;
	/** Number of descriptors that fit in fds. Used only when receiving. */
	int num_fds_max;
	/** Neither read nor written. */
	void *reserved;
};

/**
 * mm_ipc_srv_create() - create an IPC server
 * @addr:       name to listen to: any bytes, at most 107
 *
 * Clients of the same network namespace can connect from now on with mm_ipc_connect(@addr), whichever user runs
 * them: the name is an abstract socket address, which has neither a file nor permissions. Connections wait to be
 * accepted, up to 4097 of them, or net.core.somaxconn + 1 if that is lower.
 *
 * A peer that does not use this library connects a SOCK_SEQPACKET socket to the same address: a NUL byte, @addr, and
 * NUL bytes up to sizeof(struct sockaddr_un). In Python, socket.connect(b"\0" + addr.ljust(107, b"\0")); with socat,
 * ABSTRACT-CONNECT:addr,type=5,unix-tightsocklen=0.
 *
 * The listening descriptor is hidden and close-on-exec, and never 0, 1 or 2. A program that closes it together with
 * all descriptors that it does not know loses the server: mm_ipc_srv_accept() fails with EBADF then, and what has its
 * number is left alone.
 *
 * Return: the server, to be released with mm_ipc_srv_destroy(); on failure NULL, and the error state is set.
 *
 * Errors:
 *   EADDRINUSE       another server, of any process, listens to @addr
 *   ENAMETOOLONG     @addr has more than 107 bytes
 *   EINVAL           @addr is NULL
 *   EMFILE           the per-process limit on the number of open file descriptors has been reached
 *   ENFILE           the system-wide limit on the total number of open files has been reached
 *   ENOBUFS, ENOMEM  not enough memory
 *   EACCES, EPERM    a security policy forbids it
 *   EAFNOSUPPORT     the system has no Unix domain sockets
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: the listening descriptor is not inherited by executed programs, more than 6
 *   connections may wait, and NULL does not crash.
 */
MMLIB_API struct mm_ipc_srv *mm_ipc_srv_create(const char *addr);

/**
 * mm_ipc_srv_destroy() - destroy an IPC server
 * @srv:        server to destroy; NULL does nothing
 *
 * Clients are refused from now on. The name can be listened to again as soon as this returns, or, if threads are inside
 * mm_ipc_srv_accept(), as soon as these have returned: they fail with ECANCELED. Connections that were not accepted are
 * dropped: their clients get ECONNRESET. Accepted connections live on until they are closed.
 *
 * After a fork() of whatever kind, clone() included, both processes have the server. The process that created it
 * stops it for all: clients are refused at once, also if another process still has a copy, but the name stays
 * taken until the last copy is closed. A process that did not create it releases its own copy, and stops the
 * server for all only if the process that created it has ended, or if one of its own threads is inside
 * mm_ipc_srv_accept().
 *
 * errno and the error state are not changed.
 *
 * Errors: none
 *
 * Thread safety: MT-Safe: another thread may be inside mm_ipc_srv_accept(@srv), but none may use @srv afterwards
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: threads inside mm_ipc_srv_accept() are released, and clients are refused at once,
 *   even if the listening descriptor was inherited by other processes.
 */
MMLIB_API void mm_ipc_srv_destroy(struct mm_ipc_srv *srv);

/**
 * mm_ipc_srv_accept() - accept an incoming connection
 * @srv:        IPC server
 *
 * Takes the first of the pending connections, and waits for one if there is none.
 *
 * The descriptor is inherited by executed programs, and blocking.
 *
 * Return: the descriptor of the connection, the lowest number available, to be closed with mm_close(); on failure -1,
 *   and the error state is set.
 *
 * Errors:
 *   ECANCELED        the server was destroyed while this waited
 *   EINTR            the call was interrupted by a signal handler
 *   EBADF            the program has closed the hidden descriptor of @srv
 *   EINVAL           @srv is NULL
 *   EMFILE           the per-process limit on the number of open file descriptors has been reached; the connection stays
 *                    pending
 *   ENFILE           the system-wide limit on the total number of open files has been reached; the connection stays
 *                    pending
 *   ENOBUFS, ENOMEM  not enough memory
 *   ECONNABORTED     the connection was aborted
 *   EPERM            a security policy forbids it
 *
 * Thread safety: MT-Safe: several threads may accept from one server
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: differs from mmlib: mm_ipc_srv_destroy() releases it, and NULL does not crash.
 */
MMLIB_API int mm_ipc_srv_accept(struct mm_ipc_srv *srv);

/**
 * mm_ipc_connect() - connect to an IPC server
 * @addr:       name that the server listens to: any bytes, at most 107
 *
 * If no server listens to @addr, waits until one does, without using the processor: a server of this library notifies
 * its waiting clients, and for one of mmlib they look four times a second. If the queue of connections that the server
 * has not accepted is full, waits for a place in it.
 *
 * The environment variable MMSYSIO_CONNECT_TIMEOUT_MS, read when a process calls this for the first time, bounds both
 * waits of each call, in milliseconds; with 0 there is none. A call that is repeated after EINTR has the whole time
 * again. A program with the set-user-ID or set-group-ID bit does not look at the variable.
 *
 * The connection can be used at once, also before the server accepts it. Any process may listen to a name: ask
 * the connection for SO_PEERCRED to know whose server it is.
 *
 * The descriptor is inherited by executed programs, and blocking. The sockets of a call that waits for a server are
 * close-on-exec. That of a call that waits for a place in the queue is mostly the one that it returns, and is inherited
 * as well. None of them is 0, 1 or 2, and a child of fork() does not have them. (A child of clone(), or of a fork that
 * runs no handlers of pthread_atfork(), has those that are open at that moment.)
 *
 * Return: the descriptor of the connection, the lowest number available, to be closed with mm_close(); on failure -1,
 *   and the error state is set.
 *
 * Errors:
 *   ETIMEDOUT        no server listened, or none accepted connections, in the time of MMSYSIO_CONNECT_TIMEOUT_MS
 *   ECONNREFUSED     no server listens, and MMSYSIO_CONNECT_TIMEOUT_MS is 0
 *   EAGAIN           the queue of the server is full, and MMSYSIO_CONNECT_TIMEOUT_MS is 0
 *   ENAMETOOLONG     @addr has more than 107 bytes
 *   EINTR            the call was interrupted by a signal handler; never because the process was stopped and continued
 *   EINVAL           @addr is NULL
 *   EMFILE           the per-process limit on the number of open file descriptors has been reached
 *   ENFILE           the system-wide limit on the total number of open files has been reached
 *   ENOBUFS, ENOMEM  not enough memory
 *   EACCES, EPERM    a security policy forbids it
 *   EAFNOSUPPORT     the system has no Unix domain sockets
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point, which leaves no socket behind
 * Compatibility: differs from mmlib: it waits for a server, as was always documented, instead of failing with
 *   ECONNREFUSED; a name that is too long is refused, not cut; and NULL does not crash.
 */
MMLIB_API int mm_ipc_connect(const char *addr);

/**
 * mm_ipc_connected_pair() - create two connected IPC endpoints
 * @fds:        receives the two descriptors, the lowest numbers available
 *
 * What is sent through one is received from the other, both ways.
 *
 * The descriptors are inherited by executed programs, and blocking. After a failure @fds is unspecified.
 *
 * Return: 0 on success, with both descriptors to be closed with mm_close(); on failure -1, and the error state is set.
 *
 * Errors:
 *   EFAULT           @fds cannot be written, NULL included
 *   EMFILE           the per-process limit on the number of open file descriptors has been reached
 *   ENFILE           the system-wide limit on the total number of open files has been reached
 *   ENOBUFS, ENOMEM  not enough memory
 *   EACCES, EPERM    a security policy forbids it
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_ipc_connected_pair(int fds[2]);

/**
 * mm_ipc_sendmsg() - send a message through an IPC endpoint
 * @fd:         descriptor of the endpoint
 * @msg:        message: the data in @msg->iov, the descriptors in @msg->fds
 *
 * The data is one datagram: it is sent whole or not at all, and received alone. It may be empty. If the endpoint
 * has no room for it, waits for some. The descriptors are duplicated for the receiver; the caller keeps its own,
 * and may close them as soon as this returns. @msg is not modified.
 *
 * A sender that waits for room goes on only when its peer has read about three quarters of what is queued.
 *
 * Return: the number of bytes sent; on failure -1, with nothing sent, and the error state is set.
 *
 * Errors:
 *   EPIPE            the peer has closed the connection (never with a signal)
 *   ECONNRESET       the peer has closed the connection without reading all that was sent
 *   EMSGSIZE         the datagram is larger than SO_SNDBUF - 32 bytes (212960 by default), or @msg->num_iov is
 *                    negative or above 1024
 *   EINVAL           @msg is NULL; @msg->num_fds is negative or above 253, or positive with @msg->fds NULL; one of
 *                    @msg->fds is an io_uring instance, which cannot be sent
 *   EBADF            @fd, or one of @msg->fds, is not open
 *   ENOTSOCK         @fd is not a socket
 *   ENOTCONN         @fd is not connected
 *   EFAULT           the data, or the array @msg->iov, cannot be read
 *   EINTR            the call was interrupted by a signal handler before there was space
 *   EAGAIN           there is no space, and the endpoint is non-blocking or its SO_SNDTIMEO ran out
 *   ETOOMANYREFS     more descriptors of the user are under way than RLIMIT_NOFILE allows
 *   EACCES, EPERM    the receiver refuses descriptors, or a security policy forbids it
 *   EDESTADDRREQ, EISCONN, EOPNOTSUPP  @fd is a socket of another kind, which reports this
 *   ENOBUFS, ENOMEM  not enough memory. A datagram needs memory in one piece: with a large SO_SNDBUF one of more than
 *                    about 4 MiB (4263616 bytes) gets ENOBUFS always, and a smaller one may
 * Error notes: EAGAIN and EINTR are recorded in the error state, but not logged.
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe, but it only calls send() or sendmsg() if it succeeds
 * Cancellation: cancellation point
 * Compatibility: differs from mmlib: a number of descriptors out of range and NULL give an error instead of a crash;
 *   no SIGPIPE is raised on a stream socket either.
 */
MMLIB_API ssize_t mm_ipc_sendmsg(int fd, const struct mm_ipc_msg *msg);

/**
 * mm_ipc_recvmsg() - receive a message from an IPC endpoint
 * @fd:         descriptor of the endpoint
 * @msg:        message: room for the data in @msg->iov, for the descriptors in @msg->fds
 *
 * Receives one datagram, and waits for one if there is none. Data beyond the room in @msg->iov is discarded, and
 * MSG_TRUNC set in @msg->flags. Descriptors beyond @msg->num_fds_max are closed, and MSG_CTRUNC is set; so it is
 * if the process has no number free for them. At most 253 come with a message; a negative @msg->num_fds_max means 0.
 *
 * Other ancillary data that the endpoint was set up for (SO_PASSCRED, SO_PASSPIDFD, SO_PASSSEC, SO_TIMESTAMP) takes
 * nothing of that capacity, and is dropped. But with @msg->num_fds_max 0 the kernel drops all ancillary data without
 * saying of which kind it was: on such an endpoint, MSG_CTRUNC is then set also without descriptors.
 *
 * @msg->num_fds and @msg->flags are written by every success, and by no failure. The descriptors received are the
 * caller's, to be closed with mm_close(), and are not inherited by executed programs.
 *
 * Empty datagrams without descriptors that are the last before the peer closed the connection read as its end. An
 * empty datagram without descriptors is also what a receive would report whose descriptor another thread closes with
 * close() instead of mm_close(), if that thread at once gives the number to another connection by socket() or the
 * like: use the functions of the library for that.
 *
 * Return: the number of bytes stored, 0 for an empty datagram (which may bring descriptors); on failure -1, and the
 *   error state is set.
 *
 * Errors:
 *   EPIPE            the peer has closed the connection, and everything that it sent was received
 *   ECONNRESET       the same, and the peer had not read all that was sent to it, or never accepted the connection
 *   EINVAL           @msg is NULL; or @msg->num_fds_max is positive and @msg->fds NULL
 *   EMSGSIZE         @msg->num_iov is negative or above 1024
 *   EBADF            @fd is not open, or another thread has closed it while this waited
 *   ENOTSOCK         @fd is not a socket
 *   ENOTCONN         @fd is not connected
 *   ECONNREFUSED     @fd is a socket of another kind, which reports this
 *   EFAULT           the data cannot be stored: the message is lost; or the array @msg->iov cannot be read
 *   EINTR            the call was interrupted by a signal handler before a message arrived. If SO_RCVTIMEO is set, the
 *                    kernel gives it also when the process is stopped and continued, or traced
 *   EAGAIN           no message is there, and the endpoint is non-blocking or its SO_RCVTIMEO ran out
 *   ENOMEM           not enough memory
 * Error notes: EPIPE, EAGAIN and EINTR are recorded in the error state, but not logged.
 *
 * Thread safety: MT-Safe: several threads may receive from one endpoint, each message reaches one of them
 * Signal safety: not async-signal-safe, but it only calls recvmsg() if it receives data
 * Cancellation: cancellation point
 * Compatibility: differs from mmlib: an empty datagram is a message, and the end of the stream gives EPIPE instead of
 *   a stale number; @msg->num_fds is always written; no descriptor is lost if the datagram is empty, or if other
 *   ancillary data comes along; data that the peer sent before it closed the connection is received even if it had not
 *   read ours; a receive whose descriptor is closed does not succeed; a number out of range and NULL do not crash.
 */
MMLIB_API ssize_t mm_ipc_recvmsg(int fd, struct mm_ipc_msg *msg);

/*
 * Network communication
 */

/* An element of mm_poll()'s array: the system's own. */
#define mm_pollfd pollfd

/* For compilers in a mode of standard C alone, in which netdb.h hides it. */
struct addrinfo;

/** A message of mm_send_multimsg() or mm_recv_multimsg(): the system's struct mmsghdr. */
struct mm_sock_multimsg {
	/** The message, as for mm_sendmsg() or mm_recvmsg(). */
	struct msghdr msg;
	/** Set to the number of its bytes when it was sent or received. */
	unsigned int datalen;
};

/**
 * mm_socket() - create a socket
 * @domain:     family of addresses: AF_INET, AF_INET6, AF_UNIX...
 * @type:       SOCK_STREAM, SOCK_DGRAM..., with SOCK_NONBLOCK and SOCK_CLOEXEC if wanted
 * @protocol:   protocol, or 0 for the usual one of @type
 *
 * Without SOCK_CLOEXEC the descriptor is inherited by executed programs.
 *
 * Return: the descriptor, the lowest number available, to be closed with mm_close(); on failure -1, and the error
 *   state is set.
 *
 * Errors:
 *   EAFNOSUPPORT     the system does not have @domain
 *   EINVAL           @type is unknown, or has unknown flags
 *   EPROTONOSUPPORT, ESOCKTNOSUPPORT  @domain does not have @type or @protocol
 *   EACCES, EPERM    the caller may not create such a socket
 *   EMFILE           the per-process limit on the number of open file descriptors has been reached
 *   ENFILE           the system-wide limit on the total number of open files has been reached
 *   ENOBUFS, ENOMEM  not enough memory
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_socket(int domain, int type, int protocol);

/**
 * mm_bind() - give a socket its address
 * @sockfd:     descriptor of the socket
 * @addr:       address; port 0 takes any that is free, which mm_getsockname() returns
 * @addrlen:    size of @addr in bytes
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   EADDRINUSE       another socket has the address, or had it until shortly (SO_REUSEADDR), or no port is free
 *   EADDRNOTAVAIL    the machine does not have the address
 *   EINVAL           the socket has an address already, or @addrlen is too small
 *   EAFNOSUPPORT     the address is of another family than the socket
 *   EACCES           the port is reserved for privileged users; or a directory may not be searched or written
 *                    (AF_UNIX)
 *   EPERM            a security policy forbids it
 *   EBADF            @sockfd is not open
 *   ENOTSOCK         @sockfd is not a socket
 *   ENOBUFS, ENOMEM  not enough memory
 *   EFAULT           @addr cannot be read
 *   ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EROFS  the path cannot be used (AF_UNIX): see mm_open()
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen);

/**
 * mm_getsockname() - tell the address of a socket
 * @sockfd:     descriptor of the socket
 * @addr:       receives the address, cut if it does not fit
 * @addrlen:    size of @addr in bytes; receives that of the address, which may be larger
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   EBADF            @sockfd is not open
 *   ENOTSOCK         @sockfd is not a socket
 *   EINVAL           @addrlen is negative, taken as an int
 *   EFAULT           @addr or @addrlen cannot be written, NULL included
 *   ENOBUFS          not enough memory
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_getsockname(int sockfd, struct sockaddr *addr, socklen_t *addrlen);

/**
 * mm_getpeername() - tell the address of a socket's peer
 * @sockfd:     descriptor of the socket
 * @addr:       receives the address, cut if it does not fit
 * @addrlen:    size of @addr in bytes; receives that of the address, which may be larger
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   ENOTCONN         the socket is not connected
 *   EBADF            @sockfd is not open
 *   ENOTSOCK         @sockfd is not a socket
 *   EINVAL           @addrlen is negative, taken as an int
 *   EFAULT           @addr or @addrlen cannot be written, NULL included
 *   ENOBUFS          not enough memory
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_getpeername(int sockfd, struct sockaddr *addr, socklen_t *addrlen);

/**
 * mm_listen() - let a socket take connections
 * @sockfd:     descriptor of the socket, of a type that has connections
 * @backlog:    how many connections may wait to be accepted, and one more; a negative number, or one above
 *              net.core.somaxconn, means that
 *
 * A socket without an address gets one, with any port that is free.
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   EADDRINUSE       another socket listens to the address, or no port is free
 *   EOPNOTSUPP       sockets of this type have no connections
 *   EINVAL           the socket is connected, or has no address (AF_UNIX)
 *   EACCES, EPERM    a security policy forbids it
 *   EBADF            @sockfd is not open
 *   ENOTSOCK         @sockfd is not a socket
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_listen(int sockfd, int backlog);

/**
 * mm_accept() - accept a connection
 * @sockfd:     descriptor of a socket that listens
 * @addr:       receives the address of the peer, cut if it does not fit; or NULL
 * @addrlen:    size of @addr in bytes; receives that of the address, which may be larger; NULL if @addr is
 *
 * Takes the first of the pending connections, and waits for one if there is none.
 *
 * The descriptor is inherited by executed programs, and blocking.
 *
 * Return: the descriptor of the connection, the lowest number available, to be closed with mm_close(); on failure -1,
 *   and the error state is set.
 *
 * Errors:
 *   EAGAIN           no connection is pending, and @sockfd is non-blocking or its SO_RCVTIMEO ran out
 *   EINTR            the call was interrupted by a signal handler
 *   EINVAL           the socket does not listen, or @addrlen is negative, taken as an int
 *   EOPNOTSUPP       sockets of this type have no connections
 *   ECONNABORTED     the connection was aborted before it was accepted
 *   EBADF            @sockfd is not open
 *   ENOTSOCK         @sockfd is not a socket
 *   EMFILE           the per-process limit on the number of open file descriptors has been reached; the connection stays
 *                    pending
 *   ENFILE           the system-wide limit on the total number of open files has been reached; the connection stays
 *                    pending
 *   ENOBUFS, ENOMEM  not enough memory
 *   EFAULT           @addr or @addrlen cannot be written; the connection is lost
 *   EPERM            a firewall or a security policy forbids it
 *   EPROTO, ENETDOWN, EHOSTUNREACH...  what went wrong with the connection on the network
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_accept(int sockfd, struct sockaddr *addr, socklen_t *addrlen);

/**
 * mm_connect() - connect a socket
 * @sockfd:     descriptor of the socket
 * @addr:       address of the peer
 * @addrlen:    size of @addr in bytes
 *
 * A stream socket waits until its peer has answered. A datagram socket only remembers whom to send to and to receive
 * from; it can be connected again, and an address of family AF_UNSPEC ends that.
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   ECONNREFUSED     nobody listens to the address
 *   ETIMEDOUT        the peer does not answer
 *   EHOSTUNREACH, ENETUNREACH  there is no way to it
 *   EINPROGRESS      the socket is non-blocking, or its SO_SNDTIMEO ran out: the attempt goes on. mm_poll() waits for
 *                    POLLOUT, and the option SO_ERROR reports how it ended
 *   EINTR            the call was interrupted by a signal handler: the attempt goes on, likewise
 *   EALREADY         an attempt goes on
 *   EISCONN          the socket is connected
 *   EADDRNOTAVAIL    the machine does not have the address, or no port is free
 *   EADDRINUSE       this very connection exists
 *   EAFNOSUPPORT     the address is of another family than the socket
 *   EINVAL           @addrlen is too small, or 0
 *   EACCES, EPERM    a broadcast without SO_BROADCAST, or a firewall or a security policy forbids it
 *   EAGAIN           the queue of the peer is full, and the socket is non-blocking (AF_UNIX)
 *   EPROTOTYPE       the peer is of another type (AF_UNIX)
 *   EBADF            @sockfd is not open
 *   ENOTSOCK         @sockfd is not a socket
 *   EFAULT           @addr cannot be read
 *   ENOMEM           not enough memory
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_connect(int sockfd, const struct sockaddr *addr, socklen_t addrlen);

/**
 * mm_setsockopt() - set an option of a socket
 * @sockfd:     descriptor of the socket, an IPC endpoint included
 * @level:      SOL_SOCKET, IPPROTO_TCP...
 * @optname:    option of @level
 * @optval:     its value
 * @optlen:     size of @optval in bytes
 *
 * As setsockopt(), except that the time-outs SO_RCVTIMEO and SO_SNDTIMEO of SOL_SOCKET are an int of milliseconds.
 * With 0 they wait without limit. The kernel rounds up to its ticks. A receive or send whose time ran out fails with
 * EAGAIN. Negative whole seconds end every wait at once. Every other option goes to the kernel as it is.
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   EINVAL           @optlen is not sizeof(int) for a time-out, or too small for another option; or the value is
 *                    invalid
 *   EDOM             the time-out is negative, and not in whole seconds
 *   ENOPROTOOPT      there is no such option
 *   EBADF            @sockfd is not open
 *   ENOTSOCK         @sockfd is not a socket
 *   EFAULT           @optval cannot be read
 *   EACCES, EPERM    the caller may not set it
 *   ENOBUFS, ENOMEM, EADDRINUSE, EADDRNOTAVAIL, ENODEV...  what the option says
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: NULL for a time-out does not crash.
 */
MMLIB_API int mm_setsockopt(int sockfd, int level, int optname, const void *optval, socklen_t optlen);

/**
 * mm_getsockopt() - get an option of a socket
 * @sockfd:     descriptor of the socket, an IPC endpoint included
 * @level:      SOL_SOCKET, IPPROTO_TCP...
 * @optname:    option of @level
 * @optval:     receives its value
 * @optlen:     size of @optval in bytes; receives the size of the value
 *
 * As getsockopt(), except that the time-outs SO_RCVTIMEO and SO_SNDTIMEO of SOL_SOCKET are an int of milliseconds, as
 * mm_setsockopt() takes them: INT_MAX if the time-out is longer than that, 0 if there is none. A time-out that does
 * not fit is truncated.
 *
 * For every other option @optval and @optlen go to the kernel as they are, and the option decides what they mean. Most
 * values that do not fit are truncated, with the size of what was stored in @optlen. SO_PEERGROUPS fails with ERANGE
 * instead, and NETLINK_LIST_MEMBERSHIPS does not: both store the size that is needed. SO_COOKIE and SO_BINDTODEVICE
 * fail with EINVAL. SO_GET_FILTER counts instructions of 8 bytes in @optlen, and SO_PEERPIDFD returns a descriptor,
 * which the caller closes.
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   ENOPROTOOPT, EOPNOTSUPP  there is no such option
 *   EBADF            @sockfd is not open
 *   ENOTSOCK         @sockfd is not a socket
 *   EFAULT           @optval or @optlen cannot be written, NULL included; NULL for @optval is no error if the option
 *                    stores nothing there
 *   EINVAL           @optlen is negative, taken as an int, or too small for an option that is not truncated; or the
 *                    option cannot be read, or not in this state
 *   ERANGE           @optval is too small for an option that is not truncated; @optlen receives the size needed
 *   EACCES, EPERM    the caller may not know it
 *   ENODATA, ENOTCONN, ENODEV, EMFILE, ENOMEM...  what the option says
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: values of more than 16 bytes are not cut to 16; a value that does not fit is what
 *   getsockopt() makes of it; long time-outs are not negative; NULL does not crash.
 */
MMLIB_API int mm_getsockopt(int sockfd, int level, int optname, void *optval, socklen_t *optlen);

/**
 * mm_shutdown() - end one direction of a connection, or both
 * @sockfd:     descriptor of the socket, an IPC endpoint included
 * @how:        SHUT_RD (nothing more is received), SHUT_WR (nothing more is sent: the peer finds the end), or
 *              SHUT_RDWR
 *
 * It is the connection that ends, for all who have it; the descriptor is still to be closed.
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   ENOTCONN         the socket is not connected
 *   EINVAL           @how is unknown
 *   EBADF            @sockfd is not open
 *   ENOTSOCK         @sockfd is not a socket
 *
 * Thread safety: MT-Safe: threads that wait for the socket are released
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_shutdown(int sockfd, int how);

/**
 * mm_send() - send through a connected socket
 * @sockfd:     descriptor of the socket, an IPC endpoint included
 * @buffer:     data to send
 * @length:     size of the data in bytes
 * @flags:      0, or flags of send(): MSG_DONTWAIT, MSG_NOSIGNAL, MSG_MORE, MSG_OOB...
 *
 * From a stream socket fewer bytes may be sent than asked for; a datagram is sent whole or not at all. It may be
 * empty.
 *
 * Return: the number of bytes sent; on failure -1, and the error state is set.
 *
 * Errors:
 *   EPIPE            the connection is shut down, or there never was one; from a stream socket SIGPIPE comes first,
 *                    unless MSG_NOSIGNAL is given
 *   ECONNRESET       the peer has ended the connection
 *   ECONNREFUSED     nobody received an earlier datagram
 *   EMSGSIZE         the datagram is too large
 *   EAGAIN           there is no space, and the socket is non-blocking, MSG_DONTWAIT is given, or SO_SNDTIMEO ran out
 *   EINTR            the call was interrupted by a signal handler before there was space
 *   ENOTCONN         the socket is not connected
 *   EDESTADDRREQ     the same, for a datagram
 *   EOPNOTSUPP       the socket does not have these @flags
 *   EBADF            @sockfd is not open
 *   ENOTSOCK         @sockfd is not a socket
 *   ENOBUFS, ENOMEM  not enough memory
 *   EFAULT           @buffer cannot be read
 *   ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENETDOWN  what went wrong with the connection on the network
 *   EACCES, EPERM    a firewall or a security policy forbids it
 *   EINVAL           the socket does not take these @flags or this @length
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API ssize_t mm_send(int sockfd, const void *buffer, size_t length, int flags);

/**
 * mm_recv() - receive from a socket
 * @sockfd:     descriptor of the socket, an IPC endpoint included
 * @buffer:     receives the data
 * @length:     size of @buffer in bytes
 * @flags:      0, or flags of recv(): MSG_DONTWAIT, MSG_PEEK, MSG_WAITALL, MSG_TRUNC...
 *
 * From a stream socket fewer bytes may come than there is room for, unless MSG_WAITALL is given. Of a datagram what
 * does not fit is discarded; MSG_TRUNC gives its real size. Descriptors that come with a message of an IPC endpoint
 * are closed: use mm_ipc_recvmsg() to get these.
 *
 * Return: the number of bytes received, 0 at the end of the stream or for an empty datagram; on failure -1, and the
 *   error state is set.
 *
 * Errors:
 *   ECONNRESET       the peer has ended the connection
 *   ECONNREFUSED     nobody received an earlier datagram
 *   EAGAIN           there is no data, and the socket is non-blocking, MSG_DONTWAIT is given, or SO_RCVTIMEO ran out
 *   EINTR            the call was interrupted by a signal handler before data arrived
 *   ENOTCONN         the socket is not connected
 *   EINVAL           the socket does not have these @flags, or MSG_OOB is given and there is no such data
 *   EBADF            @sockfd is not open
 *   ENOTSOCK         @sockfd is not a socket
 *   EFAULT           @buffer cannot be written
 *   ETIMEDOUT, EHOSTUNREACH, ENETUNREACH  what went wrong with the connection on the network
 *   ENOMEM           not enough memory
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API ssize_t mm_recv(int sockfd, void *buffer, size_t length, int flags);

/**
 * mm_sendmsg() - send a message, from several buffers and with an address
 * @sockfd:     descriptor of the socket
 * @msg:        message: whom it is for (NULL for a connected socket), data and ancillary data
 * @flags:      as for mm_send()
 *
 * Return: the number of bytes sent; on failure -1, and the error state is set.
 *
 * Errors:
 *   EISCONN          the socket is connected, and @msg has an address
 *   EMSGSIZE         the datagram is too large, or the message has more than 1024 buffers
 *   EINVAL           the ancillary data or the address is malformed, or the sizes of the buffers make more than
 *                    SSIZE_MAX
 *   EAFNOSUPPORT     the address is of another family than the socket
 *   ETOOMANYREFS     more file descriptors than RLIMIT_NOFILE are sent and not yet received (AF_UNIX)
 *   EFAULT           @msg or what it points to cannot be read, NULL included
 *   as mm_send()
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API ssize_t mm_sendmsg(int sockfd, const struct msghdr *msg, int flags);

/**
 * mm_recvmsg() - receive a message, into several buffers and with its address
 * @sockfd:     descriptor of the socket
 * @msg:        message: room for the address of its sender, for data and for ancillary data. Receives the sizes of the
 *              addresses, and flags: MSG_TRUNC, MSG_CTRUNC, MSG_OOB...
 * @flags:      as for mm_recv(), and MSG_CMSG_CLOEXEC
 *
 * Without any buffer, the sender of an empty datagram is returned.
 *
 * Descriptors that come with the message are inherited by executed programs, unless MSG_CMSG_CLOEXEC is given.
 *
 * Return: the number of bytes received, 0 at the end of the stream or for an empty datagram; on failure -1, and the
 *   error state is set.
 *
 * Errors:
 *   EMSGSIZE         the message has more than 1024 buffers
 *   EINVAL           the size of the address is negative, taken as an int, or those of the buffers make more than
 *                    SSIZE_MAX
 *   EFAULT           @msg cannot be read and written, or what it points to cannot be written, NULL included
 *   as mm_recv()
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API ssize_t mm_recvmsg(int sockfd, struct msghdr *msg, int flags);

/**
 * mm_send_multimsg() - send several messages at once
 * @sockfd:     descriptor of the socket
 * @vlen:       number of elements of @msgvec; 1024 of them at most are sent
 * @msgvec:     messages, as for mm_sendmsg(); datalen of those that were sent is set, of the others not
 * @flags:      as for mm_send()
 *
 * Return: the number of messages sent, which is less than @vlen if one that is not the first could not be sent, or 0
 *   if @vlen is; on failure -1, and the error state is set.
 *
 * Errors:
 *   EINVAL           @vlen is negative
 *   EFAULT           @msgvec or what it points to cannot be read, or datalen not written
 *   as mm_sendmsg()  for the first message
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: differs from mmlib: a negative @vlen is an error, not 1024.
 */
MMLIB_API int mm_send_multimsg(int sockfd, int vlen, struct mm_sock_multimsg *msgvec, int flags);

/**
 * mm_recv_multimsg() - receive several messages at once
 * @sockfd:     descriptor of the socket
 * @vlen:       number of elements of @msgvec; 1024 of them at most are used
 * @msgvec:     messages, as for mm_recvmsg(); datalen of those that were received is set, of the others not
 * @flags:      as for mm_recvmsg(), and MSG_WAITFORONE to wait for the first message only
 * @timeout:    NULL, or a time after which no further message is waited for; receives what is left of it
 *
 * Waits until @vlen messages have come. The kernel looks at @timeout only when a message has come: if none comes, it
 * waits for ever. SO_RCVTIMEO bounds that. At the end of a stream the messages that remain are empty.
 *
 * Descriptors that come with a message are inherited by executed programs, unless MSG_CMSG_CLOEXEC is given.
 *
 * Return: the number of messages received, which is less than @vlen if time ran out, a signal handler was called or
 *   something failed after the first one (it is reported by the next call), or 0 if @vlen is; on failure -1, and the
 *   error state is set.
 *
 * Errors:
 *   EINVAL           @vlen is negative, or @timeout is no valid time
 *   EFAULT           @msgvec, what it points to, or @timeout cannot be read and written
 *   as mm_recvmsg()  for the first message
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: differs from mmlib: a negative @vlen is an error, not 1024.
 */
MMLIB_API int mm_recv_multimsg(int sockfd, int vlen,
			       struct mm_sock_multimsg *msgvec, int flags, struct mm_timespec *timeout);

/**
 * mm_getaddrinfo() - resolve names of a host and of a service to addresses
 * @node:       name of the host, or an address as text; NULL means this machine
 * @service:    name of the service, or a port as text; NULL leaves the port 0
 * @hints:      what is wanted: family, type of socket, protocol, flags AI_PASSIVE, AI_NUMERICHOST...; NULL means all
 * @res:        receives the list of addresses, to be released with mm_freeaddrinfo()
 *
 * This is the C library's getaddrinfo(): its files, its configuration and its order.
 *
 * Return: 0 on success; on failure -1, with @res unspecified, and the error state is set.
 *
 * Errors:
 *   MM_ENONAME       @node is not known, or, with AI_NUMERICHOST, no address
 *   MM_ENOTFOUND     @service is not known, or not for this type of socket
 *   EADDRNOTAVAIL    the host has no address of this family
 *   EAFNOSUPPORT     the family is not supported
 *   EPROTOTYPE       the type of socket is not supported, or does not fit the protocol
 *   EINVAL           both names are NULL; @hints has AI_CANONNAME and @node is NULL; it has AI_NUMERICSERV and
 *                    @service is not NULL and not made of digits; it has unknown flags; or @node is no valid
 *                    international name
 *   EFAULT           @res is NULL
 *   EAGAIN           a name server does not answer now
 *   EIO              a name server failed
 *   ENOMEM           not enough memory
 *   others           the errno value of a system call that failed in the resolver
 *   EOVERFLOW        a name is too long
 *
 * Thread safety: MT-Safe; other threads must not change the environment at the same time
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: differs from mmlib: a failure never has number 0 or one of an earlier failure; with AI_NUMERICSERV
 *   and no @service the reason of a failure is reported; NULL for @res does not crash.
 */
MMLIB_API int mm_getaddrinfo(const char *node, const char *service,
			     const struct addrinfo *hints, struct addrinfo **res);

/**
 * mm_getnameinfo() - tell the names of an address
 * @addr:       address
 * @addrlen:    size of @addr in bytes
 * @host:       receives the name of the host, terminated; or NULL
 * @hostlen:    size of @host in bytes
 * @serv:       receives the name of the service, terminated; or NULL
 * @servlen:    size of @serv in bytes
 * @flags:      0, or NI_NUMERICHOST, NI_NUMERICSERV, NI_NAMEREQD, NI_DGRAM...
 *
 * What has no name is written as a number, unless @flags has NI_NAMEREQD.
 *
 * Return: 0 on success; on failure -1, and the error state is set.
 *
 * Errors:
 *   EOVERFLOW        a name does not fit
 *   MM_ENONAME       the host has no name, and NI_NAMEREQD is given; or no name is asked for
 *   EAFNOSUPPORT     the family of the address is unknown, or @addrlen too small
 *   EINVAL           @flags has unknown flags
 *   EFAULT           @addr is NULL
 *   EAGAIN           a name server does not answer now
 *   EIO              a name server failed
 *   ENOMEM           not enough memory
 *   others           the errno value of a system call that failed in the resolver
 *
 * Thread safety: MT-Safe; other threads must not change the environment at the same time
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: differs from mmlib: NULL does not crash, and a failure never has number 0.
 */
MMLIB_API int mm_getnameinfo(const struct sockaddr *addr, socklen_t addrlen,
			     char *host, socklen_t hostlen, char *serv, socklen_t servlen, int flags);

/**
 * mm_freeaddrinfo() - release a list of addresses
 * @res:        list of mm_getaddrinfo(); NULL does nothing
 *
 * Errors: none
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API void mm_freeaddrinfo(struct addrinfo *res);

/**
 * mm_create_sockclient() - connect to what a URI names
 * @uri:        scheme://host, scheme://host:port, and anything behind it from a slash on, which is ignored
 *
 * The scheme is made of small letters. With tcp and udp the URI needs a port, which may be 0, although nobody
 * listens there; any other is the name of a service, which decides the type of socket, and the port unless the URI
 * has one above 0. The port is a number of C: 0x80 is hexadecimal, 010 is octal, what follows the digits is
 * ignored; text that does not begin with a number counts as no port. The host is a name, an IPv4 address, or an
 * IPv6 address between brackets, with its zone if it needs one: tcp://[fe80::1%eth0]:80. The percent sign before
 * the zone may be written as %25 (RFC 6874), except where digits alone follow it: [fe80::1%252] has zone 252. No
 * other percent escape is decoded, neither in a zone nor in a name.
 *
 * The addresses of the host are tried one after the other, each once, in the order of mm_getaddrinfo(), until one
 * takes the connection. If the service exists for streams, only streams are tried; a service for datagrams alone, and
 * udp, give a datagram socket, which is connected to the first address without asking anybody.
 *
 * Each attempt ends when mm_connect() does. Only the kernel bounds it: an address that does not answer takes about two
 * minutes (net.ipv4.tcp_syn_retries, for IPv6 as well) before the next is tried, since there is no socket of which
 * SO_SNDTIMEO could be set beforehand. Nor is there a bound for the resolver other than its own (resolv.conf(5)). A
 * program that needs another bound calls mm_getaddrinfo(), mm_socket(), mm_setsockopt() and mm_connect() itself, or
 * has a signal interrupt the attempt, with a handler that was installed without SA_RESTART.
 *
 * The descriptor is inherited by executed programs.
 *
 * Return: the descriptor, blocking, to be closed with mm_close(); on failure -1, and the error state is set.
 *
 * Errors:
 *   EINVAL           @uri is NULL; it has no scheme, no host, user information, or a port above 65535; brackets hold
 *                    no IPv6 address, or neither a colon nor the end follows them; or the port that tcp and udp need
 *                    is missing or negative
 *   MM_ENOTFOUND     the scheme is no service
 *   MM_ENONAME       the host is not known
 *   EINTR            the call was interrupted by a signal handler; no further address is tried
 *   ENOMEM           not enough memory
 *   as mm_getaddrinfo()
 *   as mm_socket(), mm_connect() for the last address, which the description of the error names
 * Error notes: If all addresses fail, a line is logged for each.
 *
 * Thread safety: MT-Safe; other threads must not change the environment at the same time
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point; a thread that is cancelled here leaves the list of addresses, and perhaps the
 *   socket, behind
 * Compatibility: differs from mmlib: the port goes to the peer in the right order of bytes; no datagram socket is
 *   returned if streams are refused, or tried before the streams of all addresses; ports above 65535 and user
 *   information are refused; a scheme may have any length; IPv6 addresses may be given; an attempt that fails is not
 *   logged if a later one succeeds; a signal ends it; nothing leaks.
 */
MMLIB_API int mm_create_sockclient(const char *uri);

/**
 * mm_poll() - wait for events on descriptors
 * @fds:        descriptors and the events wanted of each; the events found are stored there
 * @nfds:       number of elements of @fds
 * @timeout_ms: longest time to wait, in milliseconds; 0 does not wait, a negative number waits without limit
 *
 * As poll(): an element with a negative descriptor is passed over, one that is not open shows POLLNVAL. IPC
 * endpoints can be waited for as anything else.
 *
 * Return: the number of elements with events, 0 if the time ran out; on failure -1, and the error state is set.
 *
 * Errors:
 *   EINVAL           @nfds is negative or above RLIMIT_NOFILE
 *   EFAULT           @fds cannot be read and written
 *   EINTR            the call was interrupted by a signal handler
 *   ENOMEM           not enough memory
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API int mm_poll(struct mm_pollfd *fds, int nfds, int timeout_ms);

#ifdef __cplusplus
#if defined(__GNUC__) || defined(__clang__)
#pragma GCC diagnostic pop
#endif
}
#endif

#endif /* MMSYSIO_H */
