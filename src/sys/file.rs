// SPDX-License-Identifier: Apache-2.0
//! Calls for files, directories and file descriptors of any type.

use super::large_file;
use super::path::KernelPath;
use super::{Result, check, check_long, check_size, own, probe};
use crate::rt::fd::{Fd, OwnedFd};
use alloc::vec::Vec;
use core::ffi::{CStr, c_char, c_int, c_uint, c_ulong, c_void};
use core::mem::MaybeUninit;
use core::ptr;
use errno::{Errno, errno, set_errno};

// Safety of each KernelPath: the kernel reads it up to its terminator, or fails with EFAULT.

// --- file descriptors ----------------------------------------------------------------------------------------------

pub fn open(path: KernelPath, flags: c_int, mode: libc::mode_t) -> Result<OwnedFd> {
    // SAFETY: a KernelPath.
    unsafe { own(large_file::open(path.as_ptr(), flags, mode)) }
}

pub fn openat(directory: Fd, path: KernelPath, flags: c_int) -> Result<OwnedFd> {
    // SAFETY: a KernelPath.
    unsafe { own(large_file::openat(directory.number(), path.as_ptr(), flags)) }
}

/// The same for a file that may be created.
pub fn openat_creating(directory: Fd, path: KernelPath, flags: c_int, mode: libc::mode_t) -> Result<OwnedFd> {
    // SAFETY: a KernelPath.
    unsafe { own(large_file::openat(directory.number(), path.as_ptr(), flags | libc::O_CREAT, mode as c_uint)) }
}

/// # Safety
/// The caller owns the file descriptor.
pub unsafe fn close(fd: Fd) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::close(fd.number()) }).map(drop)
}

pub fn dup(fd: Fd) -> Result<OwnedFd> {
    // SAFETY: no pointer is passed.
    unsafe { own(libc::dup(fd.number())) }
}

/// # Safety
/// If `new_fd` is open, the caller owns it: this closes it.
pub unsafe fn dup2(fd: Fd, new_fd: Fd) -> Result<c_int> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::dup2(fd.number(), new_fd.number()) })
}

/// Duplicates a file descriptor to the lowest one available from `lowest` on.
pub fn fcntl_dupfd(fd: Fd, lowest: c_int, is_close_on_exec: bool) -> Result<OwnedFd> {
    let command = if is_close_on_exec { libc::F_DUPFD_CLOEXEC } else { libc::F_DUPFD };
    // SAFETY: no pointer is passed.
    unsafe { own(libc::fcntl(fd.number(), command, lowest)) }
}

pub fn fcntl_getfd(fd: Fd) -> Result<c_int> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::fcntl(fd.number(), libc::F_GETFD) })
}

pub fn fcntl_setfd(fd: Fd, flags: c_int) -> Result<()> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::fcntl(fd.number(), libc::F_SETFD, flags) }).map(drop)
}

pub fn fcntl_getfl(fd: Fd) -> Result<c_int> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::fcntl(fd.number(), libc::F_GETFL) })
}

pub fn fcntl_setfl(fd: Fd, flags: c_int) -> Result<()> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::fcntl(fd.number(), libc::F_SETFL, flags) }).map(drop)
}

pub fn flock(fd: Fd, operation: c_int) -> Result<()> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::flock(fd.number(), operation) }).map(drop)
}

/// # Safety
/// The kernel may write two ints at `fds`, or fails with EFAULT.
pub unsafe fn pipe(fds: *mut c_int) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::pipe(fds) }).map(drop)
}

/// # Safety
/// The kernel may read and write `count` elements at `fds`, or fails with EFAULT.
pub unsafe fn poll(fds: *mut libc::pollfd, count: c_int, timeout_ms: c_int) -> Result<c_int> {
    // A negative count becomes a number above any limit, which the kernel rejects with EINVAL. SAFETY: as promised by
    // the caller.
    check(unsafe { libc::poll(fds, count as libc::nfds_t, timeout_ms) })
}

/// The same for a slice.
pub fn poll_slice(fds: &mut [libc::pollfd], timeout_ms: c_int) -> Result<c_int> {
    // SAFETY: the slice is valid.
    unsafe { poll(fds.as_mut_ptr(), fds.len() as c_int, timeout_ms) }
}

/// Checks without waiting whether a file descriptor in `set` is readable. Bit 0 is file descriptor 0. The kernel
/// ignores bits beyond the file descriptor table of the process. EBADF: any other file descriptor in `set` is closed.
pub fn select_readable(set: &mut [c_ulong], count: c_int) -> Result<c_int> {
    if count < 0 || count as usize > set.len().saturating_mul(c_ulong::BITS as usize) {
        return Err(Errno(libc::EINVAL));
    }
    let (none, mut no_time) = (ptr::null_mut(), libc::timeval { tv_sec: 0, tv_usec: 0 });
    // SAFETY: the set has a bit for each file descriptor below count, and the kernel accesses no other bits.
    check(unsafe { libc::select(count, set.as_mut_ptr().cast(), none, none, &mut no_time) })
}

/// Marks all file descriptors from `first` on as close-on-exec. This is not called through the C library, because older
/// versions do not have the function.
pub fn close_range_cloexec(first: Fd) -> Result<()> {
    let (first, last, flags) = (first.number(), c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
    // SAFETY: no pointer is passed, and with this flag nothing is closed.
    check_long(unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) }).map(drop)
}

pub fn isatty(fd: Fd) -> Result<()> {
    // SAFETY: no pointer is passed.
    if unsafe { libc::isatty(fd.number()) } == 1 { Ok(()) } else { Err(errno()) }
}

// --- content -------------------------------------------------------------------------------------------------------

/// # Safety
/// The kernel may write `size` bytes at `buffer`, or fails with EFAULT.
#[inline]
pub unsafe fn read(fd: Fd, buffer: *mut c_void, size: usize) -> Result<usize> {
    // SAFETY: as promised by the caller.
    check_size(unsafe { libc::read(fd.number(), buffer, size) })
}

/// The same for a slice.
pub fn read_slice(fd: Fd, bytes: &mut [u8]) -> Result<usize> {
    // SAFETY: the slice is valid for writing.
    unsafe { read(fd, bytes.as_mut_ptr().cast(), bytes.len()) }
}

/// Appends up to `size` bytes to `buffer`, at most its spare capacity.
pub fn read_append(fd: Fd, buffer: &mut Vec<u8>, size: usize) -> Result<usize> {
    let spare = buffer.spare_capacity_mut();
    let size = size.min(spare.len());
    // SAFETY: the spare capacity is valid for writing.
    let length = unsafe { read(fd, spare.as_mut_ptr().cast(), size) }?;
    // SAFETY: the kernel has written that many bytes, at most size, after the old length.
    unsafe { buffer.set_len(buffer.len() + length) };
    Ok(length)
}

/// # Safety
/// The kernel may read `size` bytes at `buffer`, or fails with EFAULT.
#[inline]
pub unsafe fn write(fd: Fd, buffer: *const c_void, size: usize) -> Result<usize> {
    // SAFETY: as promised by the caller.
    check_size(unsafe { libc::write(fd.number(), buffer, size) })
}

pub fn write_slice(fd: Fd, bytes: &[u8]) -> Result<usize> {
    // SAFETY: the slice is valid for reading.
    unsafe { write(fd, bytes.as_ptr().cast(), bytes.len()) }
}

pub fn fsync(fd: Fd) -> Result<()> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::fsync(fd.number()) }).map(drop)
}

/// An offset of 2^63 or more (in a file for memory in /proc) is returned as a negative number without an errno.
/// EOVERFLOW is reported for it.
pub fn lseek(fd: Fd, offset: large_file::off_t, whence: c_int) -> Result<large_file::off_t> {
    let errno_at_entry = errno();
    set_errno(Errno(0));
    // SAFETY: no pointer is passed.
    let position = unsafe { large_file::lseek(fd.number(), offset, whence) };
    if position >= 0 {
        set_errno(errno_at_entry);
        return Ok(position);
    }
    match errno() {
        Errno(0) => Err(Errno(libc::EOVERFLOW)),
        failure => Err(failure),
    }
}

pub fn ftruncate(fd: Fd, length: large_file::off_t) -> Result<()> {
    // SAFETY: no pointer is passed.
    check(unsafe { large_file::ftruncate(fd.number(), length) }).map(drop)
}

/// Copies up to `size` bytes between the current offsets of the files.
pub fn copy_file_range(from: Fd, to: Fd, size: usize) -> Result<usize> {
    let (from, to) = (from.number(), to.number());
    // SAFETY: null pointers select the files' current offsets.
    check_size(unsafe { libc::copy_file_range(from, ptr::null_mut(), to, ptr::null_mut(), size, 0) })
}

/// Makes `to` share all data with `from` until one of them is changed.
pub fn ioctl_ficlone(from: Fd, to: Fd) -> Result<()> {
    // SAFETY: the argument of FICLONE is a file descriptor.
    check(unsafe { libc::ioctl(to.number(), libc::FICLONE, from.number()) }).map(drop)
}

// --- metadata ------------------------------------------------------------------------------------------------------

/// Returns the stat structure that `fill` has filled.
///
/// # Safety
/// If `fill` returns 0, it has filled the structure.
unsafe fn stored(fill: impl FnOnce(*mut large_file::stat) -> c_int) -> Result<large_file::stat> {
    let mut status = MaybeUninit::uninit();
    check(fill(status.as_mut_ptr()))?;
    // SAFETY: the call has succeeded.
    Ok(unsafe { status.assume_init() })
}

pub fn fstat(fd: Fd) -> Result<large_file::stat> {
    // SAFETY: the structure is valid for writing.
    unsafe { stored(|status| large_file::fstat(fd.number(), status)) }
}

pub fn stat(path: KernelPath) -> Result<large_file::stat> {
    // SAFETY: a KernelPath; the structure is valid for writing.
    unsafe { stored(|status| large_file::stat(path.as_ptr(), status)) }
}

pub fn lstat(path: KernelPath) -> Result<large_file::stat> {
    // SAFETY: a KernelPath; the structure is valid for writing.
    unsafe { stored(|status| large_file::lstat(path.as_ptr(), status)) }
}

pub fn fstatat(directory: Fd, path: KernelPath, flags: c_int) -> Result<large_file::stat> {
    // SAFETY: a KernelPath; the structure is valid for writing.
    unsafe { stored(|status| large_file::fstatat(directory.number(), path.as_ptr(), status, flags)) }
}

pub fn chmod(path: KernelPath, mode: libc::mode_t) -> Result<()> {
    // SAFETY: a KernelPath.
    check(unsafe { libc::chmod(path.as_ptr(), mode) }).map(drop)
}

pub fn fchmod(fd: Fd, mode: libc::mode_t) -> Result<()> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::fchmod(fd.number(), mode) }).map(drop)
}

/// # Safety
/// `times` is null, or the kernel may read two elements there, or fails with EFAULT.
pub unsafe fn futimens(fd: Fd, times: *const libc::timespec) -> Result<()> {
    check_times(times)?;
    // SAFETY: as promised by the caller.
    check(unsafe { libc::futimens(fd.number(), times) }).map(drop)
}

/// # Safety
/// `times` is null, or the kernel may read two elements there, or fails with EFAULT.
pub unsafe fn utimensat(path: KernelPath, times: *const libc::timespec, flags: c_int) -> Result<()> {
    check_times(times)?;
    // SAFETY: a KernelPath; the times as promised by the caller.
    check(unsafe { libc::utimensat(libc::AT_FDCWD, path.as_ptr(), times, flags) }).map(drop)
}

/// EFAULT: `times` is neither null nor the address of two readable elements.
fn check_times(times: *const libc::timespec) -> Result<()> {
    if times.is_null() { Ok(()) } else { probe::check_readable(times, 2) }
}

pub fn access(path: KernelPath, mode: c_int) -> Result<()> {
    // SAFETY: a KernelPath.
    check(unsafe { libc::access(path.as_ptr(), mode) }).map(drop)
}

// --- names ---------------------------------------------------------------------------------------------------------

pub fn rename(from: KernelPath, to: KernelPath) -> Result<()> {
    // SAFETY: KernelPaths.
    check(unsafe { libc::rename(from.as_ptr(), to.as_ptr()) }).map(drop)
}

pub fn unlink(path: KernelPath) -> Result<()> {
    // SAFETY: a KernelPath.
    check(unsafe { libc::unlink(path.as_ptr()) }).map(drop)
}

pub fn unlinkat(directory: Fd, path: KernelPath, flags: c_int) -> Result<()> {
    // SAFETY: a KernelPath.
    check(unsafe { libc::unlinkat(directory.number(), path.as_ptr(), flags) }).map(drop)
}

pub fn link(from: KernelPath, to: KernelPath) -> Result<()> {
    // SAFETY: KernelPaths.
    check(unsafe { libc::link(from.as_ptr(), to.as_ptr()) }).map(drop)
}

pub fn linkat(directory: Fd, from: &CStr, to: &CStr) -> Result<()> {
    let directory = directory.number();
    // SAFETY: the strings are valid.
    check(unsafe { libc::linkat(directory, from.as_ptr(), directory, to.as_ptr(), 0) }).map(drop)
}

/// Replaces the file at the new name.
pub fn renameat(directory: Fd, from: &CStr, to: &CStr) -> Result<()> {
    let directory = directory.number();
    // SAFETY: the strings are valid.
    check(unsafe { libc::renameat(directory, from.as_ptr(), directory, to.as_ptr()) }).map(drop)
}

/// Makes the system call directly, because musl and older versions of glibc do not have the function. EINVAL: the file
/// system does not support one of the flags.
pub fn renameat2(directory: Fd, from: &CStr, to: &CStr, flags: c_uint) -> Result<()> {
    let directory = directory.number();
    // SAFETY: the strings are valid.
    check_long(unsafe { libc::syscall(libc::SYS_renameat2, directory, from.as_ptr(), directory, to.as_ptr(), flags) })
        .map(drop)
}

pub fn symlink(target: KernelPath, path: KernelPath) -> Result<()> {
    // SAFETY: KernelPaths.
    check(unsafe { libc::symlink(target.as_ptr(), path.as_ptr()) }).map(drop)
}

/// # Safety
/// The kernel may write `size` bytes at `buffer`, or fails with EFAULT.
pub unsafe fn readlink(path: KernelPath, buffer: *mut c_char, size: usize) -> Result<usize> {
    // SAFETY: a KernelPath; the buffer as promised by the caller.
    check_size(unsafe { libc::readlink(path.as_ptr(), buffer, size) })
}

pub fn readlink_slice(path: KernelPath, bytes: &mut [u8]) -> Result<usize> {
    // SAFETY: the slice is valid for writing.
    unsafe { readlink(path, bytes.as_mut_ptr().cast(), bytes.len()) }
}

// --- directories ---------------------------------------------------------------------------------------------------

pub fn mkdir(path: KernelPath, mode: libc::mode_t) -> Result<()> {
    // SAFETY: a KernelPath.
    check(unsafe { libc::mkdir(path.as_ptr(), mode) }).map(drop)
}

pub fn rmdir(path: KernelPath) -> Result<()> {
    // SAFETY: a KernelPath.
    check(unsafe { libc::rmdir(path.as_ptr()) }).map(drop)
}

pub fn chdir(path: KernelPath) -> Result<()> {
    // SAFETY: a KernelPath.
    check(unsafe { libc::chdir(path.as_ptr()) }).map(drop)
}

/// Stores the path in `buffer`. If that is null, the C library allocates memory with malloc().
///
/// # Safety
/// `buffer` is null or valid for writing `size` bytes.
pub unsafe fn getcwd(buffer: *mut c_char, size: usize) -> Result<*mut c_char> {
    let size = if buffer.is_null() { 0 } else { size };
    // SAFETY: as promised by the caller.
    let path = unsafe { libc::getcwd(buffer, size) };
    if path.is_null() { Err(errno()) } else { Ok(path) }
}

/// Makes the system call directly. The path begins with a slash if it leads from the root directory of the process to
/// the current directory. If there is no such path, the function of the C library would search the parent directories.
pub fn getcwd_slice(buffer: &mut [u8]) -> Result<&CStr> {
    // SAFETY: the buffer is valid for writing its size.
    check_long(unsafe { libc::syscall(libc::SYS_getcwd, buffer.as_mut_ptr(), buffer.len()) })?;
    CStr::from_bytes_until_nul(buffer).map_err(|_| Errno(libc::ENAMETOOLONG))
}

/// Stores as many entries as fit, in the kernel's format. Returns their size, 0 at the end.
pub fn getdents64(directory: Fd, entries: &mut DirectoryEntries) -> Result<usize> {
    let (buffer, size) = (entries.0.as_mut_ptr(), entries.0.len());
    // SAFETY: the buffer is valid for writing its size, and aligned.
    let length = check_long(unsafe { libc::syscall(libc::SYS_getdents64, directory.number(), buffer, size) })?;
    Ok(usize::try_from(length).unwrap_or(0))
}

/// A buffer for [`getdents64`].
#[repr(C, align(8))]
pub struct DirectoryEntries(pub [u8; 2048]);
