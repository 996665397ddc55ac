// SPDX-License-Identifier: Apache-2.0
//! Entry points under the banner 'memory mapping'.

use super::arg;
use super::ret::{ret, ret_preserving_errno};
use crate::fs::mode;
use crate::mem::{map, shared};
use crate::os::mapping::UnusedMemory;
use crate::rt::fd::Fd;
use core::ffi::{c_char, c_int, c_void};
use core::ptr::NonNull;

/// mm_mapfile() - map part of a file into memory
/// @fd:         descriptor of the file or shared memory; it may be closed afterwards
/// @offset:     where the part begins in the file, in bytes: a multiple of the page size
/// @len:        size of the part in bytes. Memory beyond the page in which the file ends must not be touched: SIGBUS
/// @mflags:     MM_MAP_READ, MM_MAP_WRITE, MM_MAP_EXEC, or several, or none; and MM_MAP_SHARED, so that what is written
///              is seen by all who map the file, and reaches it, or MM_MAP_PRIVATE. Other bits are ignored
///
/// Child processes have the map as well; programs that they execute have not.
///
/// Return: the address of the memory, to be given back with mm_unmap(); on failure NULL, and the error state is set.
///
/// Errors:
///   EBADF            @fd is not open
///   EACCES           @fd is not open for reading; or not for writing too, with MM_MAP_SHARED and MM_MAP_WRITE
///   EINVAL           @len is 0, or @offset is not a multiple of the page size; of the size of its huge pages, if the
///                    file is made of them
///   EOVERFLOW        @offset is negative, or its sum with @len is too large
///   ENODEV           @fd cannot be mapped: a directory, a pipe, a socket
///   EPERM            with MM_MAP_EXEC, the filesystem may not hold programs; or the memory is sealed
///   ENOMEM           not enough memory or free huge pages, or too many maps
///   EAGAIN           the memory may not be locked (mlockall(), RLIMIT_MEMLOCK)
///   ENFILE, ETXTBSY, EIO  the filesystem refuses
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
#[unsafe(no_mangle)]
pub extern "C" fn mm_mapfile(fd: c_int, offset: libc::off_t, len: usize, mflags: c_int) -> *mut c_void {
    ret("mm_mapfile", || map::map_file(Fd::from_c(fd), offset, len, mflags))
}

/// mm_unmap() - give back memory of mm_mapfile()
/// @addr:       its address; NULL does nothing, successfully
///
/// The whole map is undone, whatever the size of its pages.
///
/// Return: 0 on success; on failure -1, and the error state is set.
///
/// Errors:
///   EFAULT           mm_mapfile() did not return @addr, or it was unmapped since
///   ENOMEM           the system would have too many maps; this one stays
///
/// Thread safety: MT-Safe: of several threads that unmap the same memory one succeeds
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: after a failure other than EFAULT it can be tried again; a map of huge pages can
///   be undone if its length is not a multiple of their size.
///
/// # Safety
/// Nobody uses the memory at `addr` any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_unmap(addr: *mut c_void) -> c_int {
    ret("mm_unmap", || match NonNull::new(addr) {
        None => Ok(()),
        // SAFETY: nobody uses it, as the caller promised.
        Some(address) => map::unmap(unsafe { UnusedMemory::from_c(address) }),
    })
}

/// mm_shm_open() - open named shared memory
/// @name:       its name: at most 255 bytes, without a slash, except that it may begin with some, which do not count
/// @oflag:      O_RDONLY or O_RDWR; and O_CREAT to create it if there is none, with O_EXCL to fail if there is one,
///              O_TRUNC to empty it
/// @mode:       permissions of what is created, or MODE_DEF. The umask applies
///
/// What is created has size 0: use mm_ftruncate(), then mm_mapfile(). It lives until its name is removed with
/// mm_shm_unlink() and nobody has it open or mapped any more, but not longer than the system runs.
///
/// The descriptor is closed in executed programs.
///
/// Return: the descriptor, the lowest number available, to be closed with mm_close(); on failure -1, and the error
///   state is set.
///
/// Errors:
///   ENOENT           there is none of that name, and @oflag has no O_CREAT; or the system has no /dev/shm
///   EEXIST           there is one, and @oflag has O_CREAT and O_EXCL
///   EACCES           its permissions forbid it
///   EPERM            a security policy forbids it
///   EINVAL           @name is empty, "." or "..", too long, or has a slash after another character; or it is a
///                    directory, which cannot be written
///   EFAULT           @name is NULL
///   ELOOP            it is a symbolic link
///   @errors descriptors
///   ENOSPC           there is no space for it
///   ENOMEM           not enough memory
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: NULL does not crash; "." and ".." are refused.
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

/// mm_anon_shm() - create shared memory without a name
///
/// It has size 0: use mm_ftruncate(), then mm_mapfile(). To share it, pass the descriptor on, with mm_spawn() or
/// mm_ipc_sendmsg(). It can be sealed, so that a receiver may rely on its size: fcntl(F_ADD_SEALS).
///
/// The descriptor is closed in executed programs.
///
/// Return: the descriptor, for reading and writing, the lowest number available, to be closed with mm_close(); on
///   failure -1, and the error state is set.
///
/// Errors:
///   @errors descriptors
///   ENOMEM           not enough memory
///   EACCES, EPERM    a security policy forbids it
///   ENOSYS           the kernel is older than Linux 3.17
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: nobody can guess a name and take it first.
#[unsafe(no_mangle)]
pub extern "C" fn mm_anon_shm() -> c_int {
    ret_preserving_errno("mm_anon_shm", shared::anonymous)
}

/// mm_shm_unlink() - remove the name of shared memory
/// @name:       its name, as in mm_shm_open()
///
/// Those who have it open or mapped keep it.
///
/// Return: 0 on success; on failure -1, and the error state is set.
///
/// Errors:
///   ENOENT           there is none of that name, or the name is not valid
///   EACCES, EPERM    it belongs to another user, or a security policy forbids it
///   EFAULT           @name is NULL
///   EISDIR           it is a directory
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
