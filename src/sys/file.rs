//! Calls on files and descriptors of any kind.

use super::path::Path;
use super::{Result, check, check_size, own};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr;

// Paths go to the kernel as they came: it reads no further than their terminator, or refuses with EFAULT. That is what
// "a path" means in the SAFETY comments below.

// --- descriptors ---------------------------------------------------------------------------------------------------

pub fn open(path: Path, flags: c_int, mode: libc::mode_t) -> Result<OwnedFd> {
    // SAFETY: a path.
    own(unsafe { libc::open(path.as_ptr(), flags, mode) })
}

pub fn open_at(directory: &OwnedFd, path: Path, flags: c_int) -> Result<OwnedFd> {
    // SAFETY: a path.
    own(unsafe { libc::openat(directory.as_raw_fd(), path.as_ptr(), flags) })
}

pub fn close(fd: c_int) -> Result<()> {
    // SAFETY: a C caller may close any number it likes; no OwnedFd of the library is ever known to C.
    check(unsafe { libc::close(fd) }).map(drop)
}

/// # Safety
/// The kernel may write to `size` bytes at `buffer`, or finds that it cannot.
pub unsafe fn read(fd: c_int, buffer: *mut c_void, size: usize) -> Result<usize> {
    // SAFETY: as promised by the caller.
    check_size(unsafe { libc::read(fd, buffer, size) })
}

/// Appends up to `size` bytes to `buffer`, and no more than its spare capacity takes.
pub fn read_append(fd: &OwnedFd, buffer: &mut Vec<u8>, size: usize) -> Result<usize> {
    let spare = buffer.spare_capacity_mut();
    let size = size.min(spare.len());
    // SAFETY: the spare capacity is valid for writing.
    let length = unsafe { read(fd.as_raw_fd(), spare.as_mut_ptr().cast(), size) }?;
    // SAFETY: the kernel has written that many bytes, at most size, behind the old length.
    unsafe { buffer.set_len(buffer.len() + length) };
    Ok(length)
}

/// # Safety
/// The kernel may read `size` bytes at `buffer`, or finds that it cannot.
pub unsafe fn write(fd: c_int, buffer: *const c_void, size: usize) -> Result<usize> {
    // SAFETY: as promised by the caller.
    check_size(unsafe { libc::write(fd, buffer, size) })
}

pub fn write_bytes(fd: c_int, bytes: &[u8]) -> Result<usize> {
    // SAFETY: the slice is valid for reading.
    unsafe { write(fd, bytes.as_ptr().cast(), bytes.len()) }
}

pub fn fsync(fd: c_int) -> Result<()> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::fsync(fd) }).map(drop)
}

/// An offset of 2^63 and more (of memory in /proc, which has them) comes back negative, but without an errno:
/// EOVERFLOW.
pub fn seek(fd: c_int, offset: libc::off_t, whence: c_int) -> Result<libc::off_t> {
    let errno_at_entry = errno::errno();
    errno::set_errno(errno::Errno(0));
    // SAFETY: no pointer is passed.
    let position = unsafe { libc::lseek(fd, offset, whence) };
    if position >= 0 {
        errno::set_errno(errno_at_entry);
        return Ok(position);
    }
    match errno::errno() {
        errno::Errno(0) => Err(errno::Errno(libc::EOVERFLOW)),
        failure => Err(failure),
    }
}

pub fn truncate(fd: c_int, length: libc::off_t) -> Result<()> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::ftruncate(fd, length) }).map(drop)
}

/// Sets the status flags of an open file, O_NONBLOCK among them.
pub fn set_status_flags(fd: &OwnedFd, flags: c_int) -> Result<()> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags) }).map(drop)
}

pub fn set_mode(fd: &OwnedFd, mode: libc::mode_t) -> Result<()> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::fchmod(fd.as_raw_fd(), mode) }).map(drop)
}

pub fn is_a_terminal(fd: c_int) -> Result<()> {
    // SAFETY: no pointer is passed.
    if unsafe { libc::isatty(fd) } == 1 { Ok(()) } else { Err(errno::errno()) }
}

/// The number is the C caller's.
pub fn dup(fd: c_int) -> Result<OwnedFd> {
    // SAFETY: no pointer is passed.
    own(unsafe { libc::dup(fd) })
}

/// The numbers are the C caller's, who also answers for what it closes by this.
pub fn dup2(fd: c_int, new_fd: c_int) -> Result<c_int> {
    // SAFETY: no pointer is passed; no OwnedFd of the library is ever known to C.
    check(unsafe { libc::dup2(fd, new_fd) })
}

/// # Safety
/// The kernel may write two ints at `fds`, or finds that it cannot.
pub unsafe fn pipe(fds: *mut c_int) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::pipe(fds) }).map(drop)
}

/// Copies up to `size` bytes from and to where both files stand.
pub fn copy_range(from: &OwnedFd, to: &OwnedFd, size: usize) -> Result<usize> {
    let (from, to) = (from.as_raw_fd(), to.as_raw_fd());
    // SAFETY: null pointers ask for the files' own offsets.
    check_size(unsafe { libc::copy_file_range(from, ptr::null_mut(), to, ptr::null_mut(), size, 0) })
}

/// Makes `to` share all data of `from` until one of them changes.
pub fn clone_file(from: &OwnedFd, to: &OwnedFd) -> Result<()> {
    // SAFETY: FICLONE takes a descriptor as its argument.
    check(unsafe { libc::ioctl(to.as_raw_fd(), libc::FICLONE, from.as_raw_fd()) }).map(drop)
}

// --- metadata ------------------------------------------------------------------------------------------------------

/// What a call stored in a stat structure.
fn stored(fill: impl FnOnce(*mut libc::stat) -> c_int) -> Result<libc::stat> {
    let mut status = MaybeUninit::uninit();
    check(fill(status.as_mut_ptr()))?;
    // SAFETY: the call has succeeded, so it has filled it.
    Ok(unsafe { status.assume_init() })
}

pub fn status(fd: c_int) -> Result<libc::stat> {
    // SAFETY: the structure is valid for writing.
    stored(|status| unsafe { libc::fstat(fd, status) })
}

/// Of what the path leads to.
pub fn status_of(path: Path) -> Result<libc::stat> {
    // SAFETY: a path; the structure is valid for writing.
    stored(|status| unsafe { libc::stat(path.as_ptr(), status) })
}

/// Of a symbolic link itself.
pub fn link_status_of(path: Path) -> Result<libc::stat> {
    // SAFETY: a path; the structure is valid for writing.
    stored(|status| unsafe { libc::lstat(path.as_ptr(), status) })
}

/// Of an entry of a directory, a symbolic link itself.
pub fn link_status_at(directory: &OwnedFd, path: Path) -> Result<libc::stat> {
    let (directory, flags) = (directory.as_raw_fd(), libc::AT_SYMLINK_NOFOLLOW);
    // SAFETY: a path; the structure is valid for writing.
    stored(|status| unsafe { libc::fstatat(directory, path.as_ptr(), status, flags) })
}

/// # Safety
/// `times` is null, or the kernel may read two elements there, or finds that it cannot.
pub unsafe fn set_times(fd: c_int, times: *const libc::timespec) -> Result<()> {
    // SAFETY: as promised by the caller.
    check(unsafe { libc::futimens(fd, times) }).map(drop)
}

/// # Safety
/// `times` is null, or the kernel may read two elements there, or finds that it cannot.
pub unsafe fn set_times_of(path: Path, times: *const libc::timespec, flags: c_int) -> Result<()> {
    // SAFETY: a path; the times as promised by the caller.
    check(unsafe { libc::utimensat(libc::AT_FDCWD, path.as_ptr(), times, flags) }).map(drop)
}

pub fn access(path: Path, mode: c_int) -> Result<()> {
    // SAFETY: a path.
    check(unsafe { libc::access(path.as_ptr(), mode) }).map(drop)
}

// --- names ---------------------------------------------------------------------------------------------------------

pub fn rename(from: Path, to: Path) -> Result<()> {
    // SAFETY: paths.
    check(unsafe { libc::rename(from.as_ptr(), to.as_ptr()) }).map(drop)
}

pub fn unlink(path: Path) -> Result<()> {
    // SAFETY: a path.
    check(unsafe { libc::unlink(path.as_ptr()) }).map(drop)
}

/// Removes an entry of a directory: AT_REMOVEDIR in `flags` for a directory.
pub fn unlink_at(directory: &OwnedFd, path: Path, flags: c_int) -> Result<()> {
    // SAFETY: a path.
    check(unsafe { libc::unlinkat(directory.as_raw_fd(), path.as_ptr(), flags) }).map(drop)
}

pub fn link(from: Path, to: Path) -> Result<()> {
    // SAFETY: paths.
    check(unsafe { libc::link(from.as_ptr(), to.as_ptr()) }).map(drop)
}

pub fn symlink(target: Path, path: Path) -> Result<()> {
    // SAFETY: paths.
    check(unsafe { libc::symlink(target.as_ptr(), path.as_ptr()) }).map(drop)
}

/// # Safety
/// The kernel may write `size` bytes at `buffer`, or finds that it cannot.
pub unsafe fn read_link(path: Path, buffer: *mut c_char, size: usize) -> Result<usize> {
    // SAFETY: a path; the buffer as promised by the caller.
    check_size(unsafe { libc::readlink(path.as_ptr(), buffer, size) })
}

pub fn read_link_bytes(path: Path, bytes: &mut [u8]) -> Result<usize> {
    // SAFETY: the slice is valid for writing.
    unsafe { read_link(path, bytes.as_mut_ptr().cast(), bytes.len()) }
}

// --- directories ---------------------------------------------------------------------------------------------------

pub fn make_directory(path: Path, mode: libc::mode_t) -> Result<()> {
    // SAFETY: a path.
    check(unsafe { libc::mkdir(path.as_ptr(), mode) }).map(drop)
}

pub fn remove_directory(path: Path) -> Result<()> {
    // SAFETY: a path.
    check(unsafe { libc::rmdir(path.as_ptr()) }).map(drop)
}

pub fn change_directory(path: Path) -> Result<()> {
    // SAFETY: a path.
    check(unsafe { libc::chdir(path.as_ptr()) }).map(drop)
}

/// Into `buffer`, or into memory of malloc() if that is null.
///
/// # Safety
/// `size` bytes may be written at `buffer`, or it is null.
pub unsafe fn current_directory(buffer: *mut c_char, size: usize) -> Result<*mut c_char> {
    let size = if buffer.is_null() { 0 } else { size };
    // SAFETY: as promised by the caller.
    let path = unsafe { libc::getcwd(buffer, size) };
    if path.is_null() { Err(errno::errno()) } else { Ok(path) }
}

/// The path of the current directory, which begins with a slash if it leads there from the root of the process. The
/// kernel's own answer: where it has none, the C library would search the directories above.
pub fn path_of_current_directory(buffer: &mut [u8; libc::PATH_MAX as usize]) -> Result<&CStr> {
    // SAFETY: the buffer is valid for writing its size.
    check_size(unsafe { libc::syscall(libc::SYS_getcwd, buffer.as_mut_ptr(), buffer.len()) } as isize)?;
    CStr::from_bytes_until_nul(buffer).map_err(|_| errno::Errno(libc::ENAMETOOLONG))
}
