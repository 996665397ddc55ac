// SPDX-License-Identifier: Apache-2.0
//! The environment. As with `getenv()` in C, the program must ensure that no other thread changes it concurrently.

use core::ffi::{CStr, c_char};

unsafe extern "C" {
    static mut environ: *const *const c_char;
    // The libc crate does not declare this for all targets.
    fn secure_getenv(name: *const c_char) -> *const c_char;
}

/// The name of the variable that is read when the library is loaded. It is stored next to addresses that the dynamic
/// linker relocates, so that loading the library does not read a page of constants.
pub fn max_log_level_variable() -> &'static CStr {
    // SAFETY: the section is for data that is constant after relocation.
    #[unsafe(link_section = ".data.rel.ro.max_log_level_variable")]
    static NAME: [u8; 16] = *b"MM_LOG_MAXLEVEL\0";
    // SAFETY: the string is terminated and contains no other NUL byte.
    unsafe { CStr::from_bytes_with_nul_unchecked(&NAME) }
}

/// Returns the environment array. Null: the C library has not initialised it yet.
pub fn environ_array() -> *const *const c_char {
    // SAFETY: the C library defines it.
    unsafe { environ }
}

/// Calls `use_value` with the value of a variable, None if it is not set.
pub fn getenv<T>(name: &CStr, use_value: impl FnOnce(Option<&[u8]>) -> T) -> T {
    // SAFETY: the name is terminated.
    let value = unsafe { libc::getenv(name.as_ptr()) };
    // SAFETY: the C library has returned it, and it is not used after this function returns.
    use_value(unsafe { as_bytes(value) })
}

/// Like [`getenv`], but ignores the variable in a program with more privileges than its caller.
pub fn secure_getenv_value<T>(name: &CStr, use_value: impl FnOnce(Option<&[u8]>) -> T) -> T {
    // SAFETY: the name is terminated.
    let value = unsafe { secure_getenv(name.as_ptr()) };
    // SAFETY: the C library has returned it, and it is not used after this function returns.
    use_value(unsafe { as_bytes(value) })
}

/// # Safety
/// `value` is null or a terminated string that outlives `'a`.
unsafe fn as_bytes<'a>(value: *const c_char) -> Option<&'a [u8]> {
    // SAFETY: not null, so a string as promised by the caller.
    (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) }.to_bytes())
}
