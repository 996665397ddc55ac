// SPDX-License-Identifier: Apache-2.0
//! Entry points under the banner 'memory mapping'.

use super::arg;
use super::ret::{ret, ret_preserving_errno};
use crate::fs::mode;
use crate::mem::{map, shared};
use crate::os::mapping::UnusedMemory;
use crate::rt::fd::Fd;
use crate::sys::large_file;
use core::ffi::{c_char, c_int, c_void};
use core::ptr::NonNull;

/// mm_mapfile() - map part of a file into memory
/// @fd:         file descriptor of the file or shared memory object; it may be closed after the call
/// @offset:     start of the part in the file, in bytes: a multiple of the page size
/// @len:        size of the part in bytes. Accessing memory beyond the page that contains the end of the file raises
///              SIGBUS
/// @mflags:     a bitwise OR of any of MM_MAP_READ, MM_MAP_WRITE and MM_MAP_EXEC (with none of them, the memory cannot
///              be accessed) and either MM_MAP_SHARED (changes are written to the file, and visible to all processes
///              that map it) or MM_MAP_PRIVATE (changes are visible only to this process). Other bits are ignored
///
/// Child processes inherit the mapping. Execution of a program removes it.
///
/// Return: the address of the mapping, to be released with mm_unmap(); NULL on failure, and the error state is set.
///
/// Errors:
///   EBADF            @fd is not open
///   EACCES           @fd is not open for reading; or @mflags has MM_MAP_SHARED and MM_MAP_WRITE, and @fd is not open
///                    for both reading and writing
///   EINVAL           @len is 0, or @offset is not a multiple of the page size (for a file backed by huge pages, of the
///                    huge page size)
///   EOVERFLOW        @offset is negative, or @offset + @len is too large
///   ENODEV           @fd refers to an object that cannot be mapped, such as a directory, a pipe or a socket
///   EPERM            @mflags has MM_MAP_EXEC, and the filesystem is mounted with the noexec option; or a file seal
///                    prevents the mapping
///   ENOMEM           not enough memory or free huge pages, or the process has too many mappings
///   EAGAIN           the memory cannot be locked (mlockall(), RLIMIT_MEMLOCK)
///   ENFILE, ETXTBSY, EIO  the filesystem does not permit the mapping
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
#[unsafe(no_mangle)]
pub extern "C" fn mm_mapfile(fd: c_int, offset: large_file::off_t, len: usize, mflags: c_int) -> *mut c_void {
    ret("mm_mapfile", || map::map_file(Fd::from_c(fd), offset, len, mflags))
}

/// mm_unmap() - release a mapping of mm_mapfile()
/// @addr:       address that mm_mapfile() returned; NULL is accepted and does nothing
///
/// The whole mapping is removed, whatever the size of its pages.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EFAULT           @addr was not returned by mm_mapfile(), or has already been unmapped
///   ENOMEM           the process would have too many mappings; the mapping still exists
///
/// Thread safety: MT-Safe: if several threads unmap the same address, one of them succeeds
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: the call can be repeated after a failure other than EFAULT; a mapping of huge
///   pages whose length is not a multiple of the huge page size can be removed.
///
/// # Safety
/// The memory at `addr` is no longer used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_unmap(addr: *mut c_void) -> c_int {
    ret("mm_unmap", || match NonNull::new(addr) {
        None => Ok(()),
        // SAFETY: the memory is not used afterwards, as the caller promised.
        Some(address) => map::unmap(unsafe { UnusedMemory::from_c(address) }),
    })
}

/// mm_shm_open() - open a named shared memory object
/// @name:       name of the object: at most 255 bytes, without slashes; leading slashes are allowed and not counted
/// @oflag:      O_RDONLY or O_RDWR, combined with any of O_CREAT (create the object if it does not exist), O_EXCL (with
///              O_CREAT, fail if it exists) and O_TRUNC (truncate it to size 0)
/// @mode:       permissions of an object that is created, such as MODE_DEF, modified by the umask
///
/// A new object has size 0: set its size with mm_ftruncate() before mapping it with mm_mapfile(). The object is deleted
/// when its name has been removed with mm_shm_unlink() and no process has it open or mapped. It does not persist after
/// a reboot.
///
/// The close-on-exec flag is set on the file descriptor.
///
/// Return: a file descriptor (the lowest number available), to be closed with mm_close(); -1 on failure, and the error
///   state is set.
///
/// Errors:
///   ENOENT           the object does not exist, and @oflag does not include O_CREAT; or the system has no /dev/shm
///   EEXIST           the object exists, and @oflag includes O_CREAT and O_EXCL
///   EACCES           the permissions of the object do not allow the access
///   EPERM            a security policy forbids the operation
///   EINVAL           @name is empty, ".", ".." or too long, or contains a slash other than a leading one; or it names
///                    a directory, and @oflag is not O_RDONLY
///   EFAULT           @name is NULL
///   ELOOP            @name is a symbolic link
///   @errors descriptors
///   ENOSPC           no space is left for a new object
///   ENOMEM           not enough memory
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: NULL does not crash; "." and ".." are errors.
///
/// # Safety
/// `name` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_shm_open(name: *const c_char, oflag: c_int, mode: c_int) -> c_int {
    ret("mm_shm_open", || {
        // SAFETY: a string, as the caller promised.
        shared::open(unsafe { arg::string_at_address(name, "name") }?, oflag, mode::translated(mode))
    })
}

/// mm_anon_shm() - create an anonymous shared memory object
///
/// The object has size 0: set its size with mm_ftruncate() before mapping it with mm_mapfile(). To share it, pass the
/// file descriptor to another process with mm_spawn() or mm_ipc_sendmsg(). With fcntl(F_ADD_SEALS) its size can be
/// sealed, so that a receiver can rely on it.
///
/// The close-on-exec flag is set on the file descriptor.
///
/// Return: a file descriptor open for reading and writing (the lowest number available), to be closed with
///   mm_close(); -1 on failure, and the error state is set.
///
/// Errors:
///   @errors descriptors
///   ENOMEM           not enough memory
///   EACCES, EPERM    a security policy forbids the operation
///   ENOSYS           the kernel is older than Linux 3.17
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: the object never has a name that another process could guess and use first.
#[unsafe(no_mangle)]
pub extern "C" fn mm_anon_shm() -> c_int {
    ret_preserving_errno("mm_anon_shm", shared::anonymous)
}

/// mm_shm_unlink() - remove the name of a shared memory object
/// @name:       name of the object, as for mm_shm_open()
///
/// Processes that have the object open or mapped can continue to use it.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   ENOENT           the object does not exist, or @name is invalid
///   EACCES, EPERM    the object belongs to another user, or a security policy forbids the operation
///   EFAULT           @name is NULL
///   EISDIR           @name is a directory
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: NULL does not crash.
///
/// # Safety
/// `name` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_shm_unlink(name: *const c_char) -> c_int {
    ret("mm_shm_unlink", || {
        // SAFETY: a string, as the caller promised.
        shared::unlink(unsafe { arg::string_at_address(name, "name") }?)
    })
}
