// SPDX-License-Identifier: Apache-2.0
//! Programs that a command executes in place of the tool.

use crate::failure::{Failure, Result, Status};
use crate::mmsysio::Program;
use std::ffi::{CString, OsString};
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStringExt;

/// The arguments after "--".
pub fn arguments(rest: impl Iterator<Item = OsString>) -> Result<Vec<CString>> {
    rest.map(|argument| {
        CString::new(argument.into_vec()).map_err(|_| Failure::usage("an argument contains a NUL byte"))
    })
    .collect()
}

/// Executes a program. Returns only if that fails.
pub fn execute(argv: &[CString], fds: &[(RawFd, RawFd)], environment: Option<&[CString]>) -> Failure {
    let error = Program { argv, fds, environment }.execute();
    let status = if error.is(libc::ENOENT) { Status::NotFound } else { Status::NotExecutable };
    Failure::new(status, error)
}
