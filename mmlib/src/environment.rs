// SPDX-License-Identifier: Apache-2.0
//! Changing environment variables.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::rt::text::Quoted;
use crate::sys::env;
use crate::sys::memory::Joined;
use core::ffi::{CStr, c_int};

pub const MM_ENV_PRESERVE: c_int = 0;
pub const MM_ENV_OVERWRITE: c_int = 1;
pub const MM_ENV_PREPEND: c_int = 2;
pub const MM_ENV_APPEND: c_int = 3;

/// What happens if the variable exists.
#[derive(Clone, Copy)]
pub enum Action {
    Preserve,
    Overwrite,
    Prepend,
    Append,
}

impl Action {
    #[track_caller]
    pub fn from_c(action: c_int) -> Result<Action> {
        match action {
            MM_ENV_PRESERVE => Ok(Action::Preserve),
            MM_ENV_OVERWRITE => Ok(Action::Overwrite),
            MM_ENV_PREPEND => Ok(Action::Prepend),
            MM_ENV_APPEND => Ok(Action::Append),
            _ => Err(Error::new(
                libc::EINVAL,
                format_args!("cannot set an environment variable: {action} is not an action"),
            )),
        }
    }
}

#[track_caller]
pub fn set(name: &CStr, value: &CStr, action: Action) -> Result<()> {
    let failed = |number| not_changed("set", name, number);
    match action {
        Action::Preserve => env::setenv(name, value, false).map_err(failed),
        Action::Overwrite => env::setenv(name, value, true).map_err(failed),
        // The C library rejects an invalid name. There is no variable that getenv() could find by it.
        Action::Prepend | Action::Append => match env::getenv(name, |old| old.map(|old| joined(old, value, action))) {
            None => env::setenv(name, value, true).map_err(failed),
            Some(None) => Err(failed(libc::ENOMEM)),
            Some(Some(joined)) => env::setenv(name, joined.text(), true).map_err(failed),
        },
    }
}

/// A colon separates the values, even if one of them is empty.
fn joined(old: &CStr, new: &CStr, action: Action) -> Option<Joined> {
    let (old, new) = (old.to_bytes(), new.to_bytes());
    let (first, second) = if matches!(action, Action::Prepend) { (new, old) } else { (old, new) };
    Joined::new(&[first, b":", second])
}

#[track_caller]
pub fn unset(name: &CStr) -> Result<()> {
    env::unsetenv(name).map_err(|number| not_changed("unset", name, number))
}

#[cold]
#[track_caller]
fn not_changed(verb: &str, name: &CStr, number: c_int) -> Error {
    let reason = match number {
        libc::EINVAL => "the name is empty or contains '='",
        libc::ENOMEM => "out of memory",
        _ => "the C library refuses it",
    };
    Error::new(number, format_args!("cannot {verb} environment variable {}: {reason}", Quoted(name.to_bytes())))
}
