// SPDX-License-Identifier: Apache-2.0
//! Entry points under the banner 'Environment'.

use super::arg;
use super::ret::ret;
use crate::environment::{self, Action};
use crate::sys::env;
use core::ffi::{c_char, c_int};

/// mm_getenv() - get the value of an environment variable
/// @name:       name of the variable
/// @default_value: result if the variable does not exist; may be NULL
///
/// A variable whose value is empty exists.
///
/// Return: the value, which belongs to the environment: it is valid until the variable is changed or removed;
///   @default_value if the variable does not exist, or if @name is NULL.
///
/// Errors: none
///
/// Thread safety: MT-Safe, if no thread changes the environment at the same time
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: NULL does not crash.
///
/// # Safety
/// `name` is a string; no other thread changes the environment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_getenv(name: *const c_char, default_value: *const c_char) -> *const c_char {
    // SAFETY: a string, as the caller promised.
    let value = unsafe { arg::optional_string(name) }.map(env::getenv_pointer);
    value.filter(|value| !value.is_null()).unwrap_or(default_value)
}

/// mm_setenv() - set an environment variable
/// @name:       name of the variable
/// @value:      value; it is copied
/// @action:     what to do if the variable exists: MM_ENV_PRESERVE (nothing), MM_ENV_OVERWRITE (replace its value),
///              MM_ENV_PREPEND or MM_ENV_APPEND (put @value before or after its value)
///
/// A variable that does not exist is set to @value. MM_ENV_PREPEND and MM_ENV_APPEND separate the values by a colon,
/// even if one of them is empty: in a list of directories, an empty element is the current directory. They do not
/// remove a value that the variable already contains.
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EINVAL           @action is not one of these; or @name is NULL, empty, or contains '='
///   EFAULT           @value is NULL
///   ENOMEM           not enough memory
///
/// Thread safety: not MT-Safe: no other thread must use the environment at the same time
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: NULL, and a lack of memory, do not crash.
///
/// # Safety
/// `name` and `value` are strings; no other thread uses the environment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_setenv(name: *const c_char, value: *const c_char, action: c_int) -> c_int {
    ret(c"mm_setenv", || {
        let action = Action::from_c(action)?;
        // SAFETY: strings, as the caller promised.
        let (name, value) = unsafe { (arg::optional_string(name), arg::optional_string(value)) };
        let name = name.ok_or_else(|| arg::null(libc::EINVAL, "name"))?;
        environment::set(name, value.ok_or_else(|| arg::null(libc::EFAULT, "value"))?, action)
    })
}

/// mm_unsetenv() - remove an environment variable
/// @name:       name of the variable; it need not exist
///
/// Return: 0 on success; -1 on failure, and the error state is set.
///
/// Errors:
///   EINVAL           @name is NULL, empty, or contains '='
///
/// Thread safety: not MT-Safe: no other thread must use the environment at the same time
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: the call returns -1 if it fails.
///
/// # Safety
/// `name` is a string; no other thread uses the environment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_unsetenv(name: *const c_char) -> c_int {
    ret(c"mm_unsetenv", || {
        // SAFETY: a string, as the caller promised.
        let name = unsafe { arg::optional_string(name) };
        environment::unset(name.ok_or_else(|| arg::null(libc::EINVAL, "name"))?)
    })
}

/// mm_get_environ() - get the environment
///
/// Return: an array of strings "NAME=VALUE", with NULL as its last element. It is that of the process, and valid until
///   the environment is changed. NULL after clearenv().
///
/// Errors: none
///
/// Thread safety: MT-Safe, if no thread changes the environment at the same time
/// Signal safety: async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
#[unsafe(no_mangle)]
pub extern "C" fn mm_get_environ() -> *const *const c_char {
    env::environ_pointer()
}
