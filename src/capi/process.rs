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
/// @child_pid:  receives the process ID, for mm_wait_process(); may be NULL
/// @path:       program to execute. If it has no slash, it is searched in the directories of the caller's PATH, or in
///              /bin and /usr/bin if PATH is not set
/// @num_map:    number of elements of @fd_map; 0 or less means none
/// @fd_map:     file descriptors of the program
/// @flags:      0, or MM_SPAWN_DAEMONIZE, MM_SPAWN_KEEP_FDS, or both
/// @argv:       arguments, the program's name first, NULL last; NULL stands for the path alone
/// @envp:       environment, NULL last; NULL stands for the caller's
///
/// Returns when the new process has executed the program. The program has the caller's directory, umask, blocked and
/// ignored signals, limits, process group, session and terminal.
///
/// Its descriptors are 0, 1 and 2 of the caller, unless these are close-on-exec, and those of @fd_map. The elements of
/// @fd_map are applied in their order: each finds what the ones before it have left, as with redirections of a shell.
/// If parent_fd is -1, child_fd is closed; if both are equal, the descriptor is kept if it is open; else parent_fd is
/// duplicated as child_fd. All others are closed, also those above a limit that was lowered; but where the kernel has
/// no close_range() (before Linux 5.11) and /proc/self/fd cannot be read, only those below 1048576. The caller's own
/// descriptors stay as they are.
///
/// With MM_SPAWN_KEEP_FDS @fd_map is ignored: the program has all of the caller's descriptors that are not
/// close-on-exec.
///
/// With MM_SPAWN_DAEMONIZE the process is in a session of its own and in the directory /, its umask is 0, it is not a
/// child of the caller, and @child_pid is not written. The program is the same as without the flag: a relative @path or
/// directory of PATH starts from the caller's directory. It is executed by its absolute path, in which no symbolic link
/// is resolved; an absolute @path stays as it is. If no path leads to the caller's directory (it was removed, is
/// outside of the root directory, has a path of more than 4095 bytes, or one that may not be searched), programs that
/// start from it are executed by execveat(): not scripts and other files that need an interpreter, which give ENOENT,
/// or ENOEXEC if the shell would run them. While @path is looked up the directory is / already: /proc/self/cwd leads
/// there. Descriptors 0, 1 and 2 are treated as without the flag: use @fd_map to redirect them.
///
/// A file whose format the kernel does not know is run by /bin/sh, if @path has no slash.
///
/// Handlers of pthread_atfork() are not called: like posix_spawn(), it copies no memory, so that it costs a large
/// program no more than a small one.
///
/// Return: 0 on success; on failure -1, with no process left behind and @child_pid untouched, and the error state is
///   set.
///
/// Errors:
///   EINVAL           @path is NULL, @flags has other bits, or @num_map is positive and @fd_map NULL
///   ENOENT           the program or its interpreter does not exist; @path is empty
///   EACCES           the program may not be executed, is not a regular file, or a directory may not be searched
///   ENOEXEC          the kernel does not know the format of the file, and @path has a slash
///   ELIBBAD          the kernel does not know the format of the program's interpreter
///   EISDIR           the program's interpreter is a directory
///   EBADF            a parent_fd is not open, or a child_fd is negative or not below RLIMIT_NOFILE
///   EBUSY, EINTR     a child_fd cannot be replaced: another thread is opening it (mm_execv() alone), or a signal
///                    handler interrupted closing it
///   EAGAIN           the limit on processes of the user (RLIMIT_NPROC) or of a group of processes has been reached
///   E2BIG            @argv and @envp are too large
///   EFAULT           @envp cannot be read, or @argv, if @path has a slash
///   ENOTDIR          a component of the path prefix is not a directory; or, if @path has no slash, the last entry of
///                    PATH
///   @errors resolution
///   ETXTBSY          the file is open for writing
///   EPERM            a security policy, or a tracer of a program with privileges, forbids it
///   ENOMEM           not enough memory
///   EMFILE, ENFILE   the limit on open file descriptors, or files, prevents opening the interpreter or, with
///                    MM_SPAWN_DAEMONIZE, a directory to which no path leads
///   ENOSYS           the kernel has no execveat() (before Linux 3.19), which MM_SPAWN_DAEMONIZE needs for such a
///                    directory
///   EIO              the process was killed before it could execute the program; or the file cannot be read
///
/// Thread safety: MT-Safe; other threads must not change the environment or, with MM_SPAWN_DAEMONIZE, the directory at
///   the same time
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: parent_fd -1 works; a failure is never taken for success, or written to a file of
///   the program, whatever the descriptors of @fd_map; a signal that arrives before it returns does not make a started
///   program an error; no output of the caller is printed twice; NULL for @fd_map does not crash; with
///   MM_SPAWN_DAEMONIZE, symbolic links and files that were removed are executed by the path that was given, and
///   relative directories of PATH are the caller's.
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

/// mm_execv() - become another program
/// @path:       program to execute, as in mm_spawn()
/// @num_map:    number of elements of @fd_map; 0 or less means none
/// @fd_map:     descriptors of the program, as in mm_spawn()
/// @flags:      0 or MM_SPAWN_KEEP_FDS, as in mm_spawn()
/// @argv:       arguments, the program's name first, NULL last; NULL stands for the path alone
/// @envp:       environment, NULL last; NULL stands for the caller's
///
/// The process and its number stay; all other threads end.
///
/// Return: it does not return if it succeeds; on failure -1, and the error state is set. Then descriptors may have been
///   changed, unless @flags has MM_SPAWN_KEEP_FDS: all from 3 on are close-on-exec, except those of @fd_map, which are
///   redirected up to the element that failed.
///
/// Errors:
///   as mm_spawn()
///
/// Thread safety: MT-Safe; other threads must not change the environment at the same time
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: parent_fd -1 works; NULL for @fd_map does not crash.
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

/// mm_wait_process() - wait for a process to end
/// @pid:        number of a child, as from mm_spawn(); -1, 0 and below as in waitpid()
/// @status:     receives how it ended; may be NULL
///
/// After a normal end @status is MM_WSTATUS_EXITED and the exit code, which MM_WSTATUS_CODEMASK picks out; after one
/// by a signal it is MM_WSTATUS_SIGNALED and the number of the signal. A process can be waited for once.
///
/// Return: 0 on success; on failure -1, with @status untouched, and the error state is set.
///
/// Errors:
///   ECHILD           @pid is not a child of this process, or was waited for before, or SIGCHLD is ignored
///   EINTR            the call was interrupted by a signal handler: call again
///   ESRCH            @pid is the smallest of all numbers
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

/// What is to be executed. Strings of `argv` and `envp` are not read, so that EFAULT stays EFAULT.
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
        // SAFETY: a pair of pointer and count, as the caller promised; the types have the same layout. The caller answers
        // for the descriptors that it names.
        Some(unsafe { FdMap::from_c(arg::array(fd_map.cast::<FdMapEntry>(), num_map.max(0), "fd_map")?) })
    };
    // SAFETY: null or arrays, as the caller promised.
    Ok(unsafe { Program::from_c(path, argv, envp, fd_map) })
}
