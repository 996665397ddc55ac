// SPDX-License-Identifier: Apache-2.0
//! Entry points under the banner 'Process spawning'.

use super::arg;
use super::ret::{ret, ret_preserving_errno};
use super::types::mm_remap_fd;
use crate::error::Result;
use crate::os::exec::Program;
use crate::os::fd_map::{FdMap, FdMapEntry};
use crate::process;
use core::ffi::{c_char, c_int};

/// mm_spawn() - execute a program in a new process
/// @child_pid:  receives the process ID, to be passed to mm_wait_process(); may be NULL
/// @path:       program to execute. If it contains no slash, it is searched for in the directories of the caller's
///              PATH, or in /bin and /usr/bin if PATH is not set
/// @num_map:    number of elements of @fd_map; 0 or less means none
/// @fd_map:     file descriptors of the program
/// @flags:      0, or MM_SPAWN_DAEMONIZE, MM_SPAWN_KEEP_FDS, or both
/// @argv:       arguments: the program's name first, a NULL pointer last. If @argv is NULL, the only argument is @path
/// @envp:       environment, with a NULL pointer last; if @envp is NULL, the caller's environment is used
///
/// Returns when the new process has executed the program. The program inherits the caller's current directory, umask,
/// blocked and ignored signals, resource limits, process group, session and controlling terminal.
///
/// The program gets the caller's file descriptors 0, 1 and 2, unless their close-on-exec flag is set, and those of
/// @fd_map. The elements of @fd_map are applied in order, like the redirections of a shell: each sees the result of the
/// preceding ones. If parent_fd is -1, child_fd is closed. If parent_fd equals child_fd, that file descriptor is kept;
/// if it is not open, the element is ignored. Otherwise, parent_fd is duplicated as child_fd.
///
/// All other file descriptors are closed in the program, including those that were opened before RLIMIT_NOFILE was
/// lowered below their number. If the kernel does not support close_range() (before Linux 5.11) and /proc/self/fd
/// cannot be read, only file descriptors below 1048576 are closed. The file descriptors of the caller are not affected.
///
/// With MM_SPAWN_KEEP_FDS, @fd_map is ignored, and the program gets all of the caller's file descriptors whose
/// close-on-exec flag is not set.
///
/// With MM_SPAWN_DAEMONIZE, the process is in a new session, its current directory is / and its umask is 0. It is not a
/// child of the caller, and @child_pid is not written. File descriptors 0, 1 and 2 are treated as without the flag: use
/// @fd_map to redirect them.
///
/// MM_SPAWN_DAEMONIZE does not change which program is executed: a relative @path, or a relative directory in PATH, is
/// relative to the caller's current directory. The path of such a program is made absolute by prefixing the current
/// directory. Symbolic links in @path are not replaced by their targets, and an absolute @path is used unchanged. The
/// current directory of the process is already / while @path is looked up: /proc/self/cwd refers to /.
///
/// The caller's current directory has no usable path if it has been removed, is outside the root directory, has a path
/// of more than 4095 bytes, or has a path with a component that cannot be searched. With MM_SPAWN_DAEMONIZE, programs
/// relative to such a directory are executed by execveat(). Scripts, and other files that need an interpreter, cannot
/// be executed in this way: they fail with ENOENT, or with ENOEXEC if they would be executed by the shell.
///
/// If @path contains no slash and the kernel does not recognize the format of the file, /bin/sh executes it.
///
/// Handlers registered with pthread_atfork() are not called. Like posix_spawn(), the call does not copy the memory of
/// the caller, so its cost does not depend on the size of the calling process.
///
/// Return: 0 on success; -1 on failure, and the error state is set. After a failure no process remains, and @child_pid
///   is not modified.
///
/// Errors:
///   EINVAL           @path is NULL; @flags has other bits set; or @num_map is positive and @fd_map is NULL
///   ENOENT           the program or its interpreter does not exist, or @path is empty
///   EACCES           execute permission is denied for the program, the program is not a regular file, or search
///                    permission is denied for a component of the path prefix
///   ENOEXEC          the kernel does not recognize the format of the file, and @path contains a slash
///   ELIBBAD          the kernel does not recognize the format of the program's interpreter
///   EISDIR           the program's interpreter is a directory
///   EBADF            a parent_fd that is to be duplicated is not open; or its child_fd is negative, or not below
///                    RLIMIT_NOFILE
///   EBUSY, EINTR     a child_fd cannot be replaced. EBUSY: another thread is opening it (mm_execv() only). EINTR: a
///                    signal handler interrupted closing it
///   EAGAIN           the limit on the number of processes of the user (RLIMIT_NPROC) or of the control group has been
///                    reached
///   E2BIG            @argv and @envp are too large
///   EFAULT           @envp cannot be read; or @path contains a slash, and @argv cannot be read
///   ENOTDIR          a component of the path prefix is not a directory; or @path contains no slash, and the last entry
///                    of PATH is not a directory
///   @errors resolution
///   ETXTBSY          the program is open for writing
///   EPERM            a security policy forbids the execution, or the process is traced and the program would gain
///                    privileges
///   ENOMEM           not enough memory
///   EMFILE, ENFILE   the limit on open file descriptors or open files prevents opening the interpreter or, with
///                    MM_SPAWN_DAEMONIZE, a directory that has no usable path
///   ENOSYS           MM_SPAWN_DAEMONIZE needs execveat() for a directory that has no usable path, and the kernel does
///                    not support it (before Linux 3.19)
///   EIO              the process was killed before it executed the program, or an I/O error occurred while reading the
///                    file
///
/// Thread safety: MT-Safe; other threads must not change the environment or, with MM_SPAWN_DAEMONIZE, the current
///   directory at the same time
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: a parent_fd of -1 closes child_fd; a failure is never reported as a success or
///   written to one of the program's files, whatever file descriptors are in @fd_map; a signal that arrives before the
///   call returns does not turn a success into a failure; buffered output of the caller is not printed twice; NULL for
///   @fd_map does not crash; with MM_SPAWN_DAEMONIZE, programs are executed by the path that was given, even if it is a
///   symbolic link, or a link in /proc to a removed file; and relative directories in PATH are relative to the caller's
///   current directory.
///
/// # Safety
/// `child_pid` is valid; `path` is a string; `fd_map` and `num_map` are a pair of pointer and count; `argv` and `envp`
/// are null or arrays of strings with a null pointer after the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_spawn(
    child_pid: *mut libc::pid_t,
    path: *const c_char,
    num_map: c_int,
    fd_map: *const mm_remap_fd,
    flags: c_int,
    argv: *const *mut c_char,
    envp: *const *mut c_char,
) -> c_int {
    ret_preserving_errno("mm_spawn", || {
        let allowed = process::DAEMONIZE | process::KEEP_FDS;
        // SAFETY: as the caller promised.
        let program = unsafe { program(path, num_map, fd_map, flags, allowed, argv, envp) }?;
        if flags & process::DAEMONIZE != 0 {
            return process::spawn_daemon(&program);
        }
        let pid = process::spawn(&program)?;
        // SAFETY: null or valid, as the caller promised.
        unsafe { arg::store(child_pid, pid) };
        Ok(())
    })
}

/// mm_execv() - replace the process image with another program
/// @path:       program to execute, as for mm_spawn()
/// @num_map:    number of elements of @fd_map; 0 or less means none
/// @fd_map:     file descriptors of the program, as for mm_spawn()
/// @flags:      0 or MM_SPAWN_KEEP_FDS, as for mm_spawn()
/// @argv:       arguments: the program's name first, a NULL pointer last. If @argv is NULL, the only argument is @path
/// @envp:       environment, with a NULL pointer last; if @envp is NULL, the caller's environment is used
///
/// The process keeps its process ID. All its other threads are terminated.
///
/// Return: does not return on success; -1 on failure, and the error state is set. After a failure, unless @flags
///   includes MM_SPAWN_KEEP_FDS, file descriptors may have changed: @fd_map may have been applied up to the element
///   that failed, and the close-on-exec flag may be set on all other file descriptors from 3 upwards.
///
/// Errors:
///   as mm_spawn()
///
/// Thread safety: MT-Safe; other threads must not change the environment at the same time
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: a parent_fd of -1 closes child_fd; NULL for @fd_map does not crash.
///
/// # Safety
/// `path` is a string; `fd_map` and `num_map` are a pair of pointer and count; `argv` and `envp` are null or arrays of
/// strings with a null pointer after the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_execv(
    path: *const c_char,
    num_map: c_int,
    fd_map: *const mm_remap_fd,
    flags: c_int,
    argv: *const *mut c_char,
    envp: *const *mut c_char,
) -> c_int {
    ret("mm_execv", || {
        // SAFETY: as the caller promised.
        let program = unsafe { program(path, num_map, fd_map, flags, process::KEEP_FDS, argv, envp) }?;
        process::execute(&program)
    })
}

/// mm_wait_process() - wait for a process to terminate
/// @pid:        process ID of a child, for example from mm_spawn(); -1, 0 and other negative numbers have the same
///              meaning as for waitpid()
/// @status:     receives the termination status; may be NULL
///
/// If the process exited, @status is MM_WSTATUS_EXITED combined with the exit code. If a signal terminated it, @status
/// is MM_WSTATUS_SIGNALED combined with the signal number. MM_WSTATUS_CODEMASK extracts the code or signal number. A
/// process can be waited for only once.
///
/// Return: 0 on success; -1 on failure, and the error state is set. After a failure @status is not modified.
///
/// Errors:
///   ECHILD           @pid is not a child of the calling process, has already been waited for, or SIGCHLD is ignored
///   EINTR            the call was interrupted by a signal handler; it can be repeated
///   ESRCH            @pid is INT_MIN
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `status` is valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_wait_process(pid: libc::pid_t, status: *mut c_int) -> c_int {
    ret("mm_wait_process", || {
        let how = process::wait(pid)?;
        // SAFETY: null or valid, as the caller promised.
        unsafe { arg::store(status, how) };
        Ok(())
    })
}

/// What is to be executed. Strings of `argv` and `envp` are not read here: the kernel reports EFAULT for those that it
/// cannot read.
///
/// # Safety
/// As for mm_spawn(); everything outlives `'a`.
#[track_caller]
unsafe fn program<'a>(
    path: *const c_char,
    num_map: c_int,
    fd_map: *const mm_remap_fd,
    flags: c_int,
    allowed_flags: c_int,
    argv: *const *mut c_char,
    envp: *const *mut c_char,
) -> Result<Program<'a>> {
    // SAFETY: a string, as the caller promised.
    let path = unsafe { arg::string(path, "path") }?;
    process::check_flags(flags, allowed_flags)?;
    let fd_map = if flags & process::KEEP_FDS != 0 {
        None
    } else {
        // SAFETY: a pair of pointer and count, as the caller promised; the types have the same layout. The caller is
        // responsible for the file descriptors in the map.
        Some(unsafe { FdMap::from_c(arg::array(fd_map.cast::<FdMapEntry>(), num_map.max(0), "fd_map")?) })
    };
    // SAFETY: null or arrays, as the caller promised.
    Ok(unsafe { Program::from_c(path, argv, envp, fd_map) })
}
