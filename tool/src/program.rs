// SPDX-License-Identifier: Apache-2.0
//! Programs that a command executes in place of the tool.

use crate::failure::{Failure, Result, Status};
use crate::mmsysio::Program;
use std::ffi::{CString, OsStr, OsString};
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStringExt;

/// The program after "--", if that is the next argument. What follows is not for the tool, even if it looks like an
/// option.
pub fn after_dashes(parser: &mut lexopt::Parser) -> Result<Option<Vec<CString>>> {
    let Some(mut rest) = parser.try_raw_args() else { return Ok(None) };
    if rest.peek().is_none_or(|argument| argument != "--") {
        return Ok(None);
    }
    rest.next();
    rest.map(c_string).collect::<Result<_>>().map(Some)
}

pub fn c_string(text: OsString) -> Result<CString> {
    CString::new(text.into_vec()).map_err(|_| Failure::usage("an argument contains a NUL byte"))
}

/// The environment of the tool, in which some variables are replaced.
pub fn environment(is_replaced: impl Fn(&OsStr) -> bool, added: [String; 3]) -> Vec<CString> {
    let inherited = std::env::vars_os()
        .filter(|(name, _)| !is_replaced(name))
        .map(|(name, value)| [name.into_vec(), value.into_vec()].join(&b'='));
    inherited.chain(added.map(String::into_bytes)).filter_map(|entry| CString::new(entry).ok()).collect()
}

/// Executes a program. Returns only if that fails.
pub fn execute(argv: &[CString], fds: &[(RawFd, RawFd)], environment: Option<&[CString]>) -> Failure {
    let error = Program { argv, fds, environment }.execute();
    let status = if error.is(libc::ENOENT) { Status::NotFound } else { Status::NotExecutable };
    Failure::new(status, error)
}
