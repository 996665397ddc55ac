// SPDX-License-Identifier: Apache-2.0
//! Processes: executing programs, and waiting for child processes to terminate.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::os::exec::{self, Execution, Failure, Program, Step};
use crate::os::vfork;
use crate::rt::text::Quoted;
use crate::sys::process;
use core::ffi::c_int;
use core::fmt::Arguments;
use errno::Errno;

/// Flag: run the child as a daemon.
pub const DAEMONIZE: c_int = 1;
/// Flag: the program inherits all file descriptors that are not close-on-exec, and the fd map is ignored.
pub const KEEP_FDS: c_int = 2;

/// EINVAL: `flags` has bits that are not in `allowed`.
pub fn check_flags(flags: c_int, allowed: c_int) -> Result<()> {
    match flags & !allowed {
        0 => Ok(()),
        unknown => Err(Error::new(
            libc::EINVAL,
            format_args!("cannot execute a program with flags {flags:#x}: unknown flags {unknown:#x}"),
        )),
    }
}

/// Executes a program in a child process. Returns the process ID of the child.
pub fn spawn(program: &Program) -> Result<libc::pid_t> {
    let execution = Execution::new(program).map_err(|e| not_prepared(e, program))?;
    vfork::spawn(&execution).map_err(|failure| not_executed(failure, program))
}

/// Executes a program as a daemon, with the root directory as the daemon's current directory.
pub fn spawn_daemon(program: &Program) -> Result<()> {
    let execution = Execution::in_root(program).map_err(|e| not_prepared(e, program))?;
    vfork::spawn_daemon(&execution).map_err(|failure| not_executed(failure, program))
}

/// Replaces the process image. Returns only on failure.
pub fn execute(program: &Program) -> Result<()> {
    let execution = Execution::new(program).map_err(|e| not_prepared(e, program))?;
    Err(not_executed(exec::execute(&execution), program))
}

#[cold]
#[track_caller]
fn not_prepared(failure: Errno, program: &Program) -> Error {
    Error::os(failure, format_args!("cannot execute {}", Quoted(program.path().to_bytes())))
}

#[cold]
#[track_caller]
fn not_executed(failure: Failure, program: &Program) -> Error {
    let path = Quoted(program.path().to_bytes());
    let os = |what: Arguments| Error::os(Errno(failure.errno), what);
    match failure.step {
        Step::Clone => os(format_args!("cannot create a process for {path}")),
        Step::Detach => os(format_args!("cannot run {path} as a daemon")),
        Step::Execute => os(format_args!("cannot execute {path}")),
        Step::Begin => os(format_args!("cannot execute {path}: the child process terminated before execve()")),
        Step::Redirect => match program.fd_map().and_then(|fd_map| fd_map.get(failure.position)) {
            Some(entry) => {
                let (from, to) = (entry.parent_fd, entry.child_fd);
                os(format_args!("cannot duplicate file descriptor {from} to {to} for {path}"))
            }
            None => os(format_args!("cannot apply the file descriptor map for {path}")),
        },
    }
}

/// Waits for a child to terminate. Returns its status as `mm_wait_process()` reports it.
pub fn wait(pid: libc::pid_t) -> Result<c_int> {
    loop {
        let status =
            process::waitpid(pid, 0).map_err(|e| Error::os(e, format_args!("cannot wait for process {pid}")))?;
        // waitpid() also reports a traced child that has stopped.
        if let Some(reported) = reported_status(status) {
            return Ok(reported);
        }
    }
}

/// Converts a status of waitpid() to the format that the public header defines. None: the process has not terminated.
fn reported_status(status: c_int) -> Option<c_int> {
    if libc::WIFEXITED(status) {
        Some(WSTATUS_EXITED | libc::WEXITSTATUS(status))
    } else if libc::WIFSIGNALED(status) {
        Some(WSTATUS_SIGNALED | libc::WTERMSIG(status))
    } else {
        None
    }
}

pub const WSTATUS_EXITED: c_int = 0x100;
pub const WSTATUS_SIGNALED: c_int = 0x200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reported_statuses_omit_the_core_dump_flag() {
        assert_eq!(reported_status(42 << 8), Some(0x100 | 42));
        assert_eq!(reported_status(libc::SIGABRT | 0x80), Some(0x200 | libc::SIGABRT));
        assert_eq!(reported_status(libc::SIGSTOP << 8 | 0x7f), None);
    }
}
