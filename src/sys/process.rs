// SPDX-License-Identifier: Apache-2.0
//! Processes.

use super::{Result, check, check_long, own};
use crate::rt::fd::{Fd, OwnedFd};
use core::ffi::{CStr, c_char, c_int, c_ulong, c_void};
use core::mem::MaybeUninit;
use core::sync::atomic::AtomicU32;
use errno::{Errno, errno};

/// The function that a child of [`clone`] runs on its stack.
pub type Entry = extern "C" fn(*mut c_void) -> c_int;

mod c {
    use super::{Entry, c_int, c_void};

    unsafe extern "C" {
        // The name __clone() is used because clang's ThreadSanitizer intercepts clone(). It treats the child as one of
        // fork(), and releases its locks, which the parent still holds in the shared memory. glibc exports __clone() on
        // all architectures.
        #[cfg_attr(target_env = "gnu", link_name = "__clone")]
        pub fn clone(entry: Entry, stack: *mut c_void, flags: c_int, argument: *mut c_void, ...) -> c_int;
    }
}

/// With the flag CLONE_PARENT_SETTID, the kernel stores the TID of the child in `child_tid`.
///
/// # Safety
/// `stack` is the end of memory that only the child uses and that is large enough for it. `argument` is valid for
/// `entry`, and `child_tid` for writing. With CLONE_VM, the child shares all memory.
pub unsafe fn clone(
    entry: Entry,
    stack: *mut c_void,
    flags: c_int,
    argument: *mut c_void,
    child_tid: *mut u32,
) -> Result<libc::pid_t> {
    let no_tls = core::ptr::null_mut::<c_void>();
    // SAFETY: as promised by the caller.
    check(unsafe { c::clone(entry, stack, flags, argument, child_tid, no_tls, no_tls) })
}

/// Makes the kernel write 0 to the word and wake threads that wait for it, when the calling process executes a program
/// or terminates while another process shares its memory.
///
/// # Safety
/// The word is valid until then. The calling process is a child of [`clone`], for which the C library has not requested
/// this.
pub unsafe fn set_tid_address(word: &AtomicU32) -> Result<()> {
    // SAFETY: as promised by the caller.
    check_long(unsafe { libc::syscall(libc::SYS_set_tid_address, word.as_ptr()) }).map(drop)
}

/// Returns only on failure.
///
/// # Safety
/// `arguments` and `environment` are arrays of strings terminated by a null pointer, or the kernel fails with EFAULT.
pub unsafe fn execve(path: &CStr, arguments: *const *const c_char, environment: *const *const c_char) -> Errno {
    // SAFETY: as promised by the caller.
    unsafe { libc::execve(path.as_ptr(), arguments, environment) };
    errno()
}

/// The same for a path relative to a directory.
///
/// # Safety
/// As [`execve`].
pub unsafe fn execveat(
    directory: Fd,
    path: &CStr,
    arguments: *const *const c_char,
    environment: *const *const c_char,
) -> Errno {
    let (directory, path) = (directory.number(), path.as_ptr());
    // SAFETY: as promised by the caller.
    unsafe { libc::syscall(libc::SYS_execveat, directory, path, arguments, environment, 0) };
    errno()
}

pub fn waitpid(child: libc::pid_t, flags: c_int) -> Result<c_int> {
    let mut status = 0;
    // SAFETY: the status is valid for writing.
    check(unsafe { libc::waitpid(child, &mut status, flags) })?;
    Ok(status)
}

/// Returns the process that waitid() reports, 0 if there is none.
pub fn waitid(child: libc::pid_t, flags: c_int) -> Result<libc::pid_t> {
    let mut report = MaybeUninit::<libc::siginfo_t>::zeroed();
    // SAFETY: the structure is valid for writing. All bytes zero is a valid structure, which reports no child.
    unsafe {
        check(libc::waitid(libc::P_PID, child as libc::id_t, report.as_mut_ptr(), flags))?;
        Ok(report.assume_init_ref().si_pid())
    }
}

/// Terminates the process by the system call, bypassing interceptors of _exit() such as that of ThreadSanitizer.
pub fn exit_group(code: c_int) -> ! {
    loop {
        // SAFETY: no pointer is passed.
        unsafe { libc::syscall(libc::SYS_exit_group, code) };
    }
}

pub fn getpid() -> libc::pid_t {
    // SAFETY: no pointer is passed.
    unsafe { libc::getpid() }
}

pub fn kill(process: libc::pid_t, signal: c_int) -> Result<()> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::kill(process, signal) }).map(drop)
}

pub fn pidfd_open(process: libc::pid_t) -> Result<OwnedFd> {
    // SAFETY: no pointer is passed.
    unsafe { own(libc::syscall(libc::SYS_pidfd_open, process, 0) as c_int) }
}

/// Returns a value that the kernel has passed to the process, 0 if there is none of that type.
pub fn getauxval(kind: c_ulong) -> usize {
    // SAFETY: no pointer is passed.
    unsafe { libc::getauxval(kind) as usize }
}

pub fn setpgid(process: libc::pid_t, group: libc::pid_t) -> Result<()> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::setpgid(process, group) }).map(drop)
}

pub fn getsid(process: libc::pid_t) -> Result<libc::pid_t> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::getsid(process) })
}

pub fn setsid() -> Result<()> {
    // SAFETY: no pointer is passed.
    check(unsafe { libc::setsid() }).map(drop)
}

pub fn umask(mask: libc::mode_t) -> libc::mode_t {
    // SAFETY: no pointer is passed.
    unsafe { libc::umask(mask) }
}

/// Makes the system call close() directly: see [`dup3`].
///
/// # Safety
/// The caller owns the file descriptor.
pub unsafe fn close_directly(fd: Fd) -> Result<()> {
    // SAFETY: as promised by the caller.
    check_long(unsafe { libc::syscall(libc::SYS_close, fd.number()) }).map(drop)
}

/// Makes the system call directly. ThreadSanitizer intercepts the function of the C library and records file
/// descriptors in memory, which a child of vfork() shares with its parent.
///
/// # Safety
/// If `new_fd` is open, the caller owns it: this closes it.
pub unsafe fn dup3(fd: Fd, new_fd: Fd, flags: c_int) -> Result<()> {
    // SAFETY: as promised by the caller.
    check_long(unsafe { libc::syscall(libc::SYS_dup3, fd.number(), new_fd.number(), flags) }).map(drop)
}
