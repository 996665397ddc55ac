// SPDX-License-Identifier: Apache-2.0
//! The environment of the process, which the C library owns: programs change it without Rust.

use core::ffi::{CStr, c_char, c_int};

unsafe extern "C" {
    static environ: *const *const c_char;
}

/// The live array of the environment.
pub fn environ_pointer() -> *const *const c_char {
    // SAFETY: the program does not change the environment at the same time, as it must not for getenv() either.
    unsafe { environ }
}

/// The value of a variable, or null. It belongs to the environment.
pub fn getenv_pointer(name: &CStr) -> *const c_char {
    // SAFETY: as above.
    unsafe { libc::getenv(name.as_ptr()) }
}

/// Passes the value of a variable to `use_value`, as long as it exists.
pub fn getenv<T>(name: &CStr, use_value: impl FnOnce(Option<&CStr>) -> T) -> T {
    let value = getenv_pointer(name);
    // SAFETY: null or terminated, and unchanged as long as the program does not change the environment.
    use_value((!value.is_null()).then(|| unsafe { CStr::from_ptr(value) }))
}

pub fn setenv(name: &CStr, value: &CStr, overwrite: bool) -> Result<(), c_int> {
    // SAFETY: both are strings.
    result(unsafe { libc::setenv(name.as_ptr(), value.as_ptr(), overwrite.into()) })
}

pub fn unsetenv(name: &CStr) -> Result<(), c_int> {
    // SAFETY: a string.
    result(unsafe { libc::unsetenv(name.as_ptr()) })
}

fn result(status: c_int) -> Result<(), c_int> {
    if status == 0 { Ok(()) } else { Err(errno::errno().0) }
}
