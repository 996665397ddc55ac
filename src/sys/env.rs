// SPDX-License-Identifier: Apache-2.0
//! The environment. That no other thread changes it at the same time is the program's duty, as with `getenv()` in C.

use core::ffi::{CStr, c_char};

unsafe extern "C" {
    static mut environ: *const *const c_char;
    // In glibc and musl; the libc crate does not declare it for all of its targets.
    fn secure_getenv(name: *const c_char) -> *const c_char;
}

/// The name of the variable that is read when the library is loaded. It is stored beside addresses that the dynamic linker
/// relocates, so that a program that does not use the library has no page of constants in memory.
pub fn max_log_level_variable() -> &'static CStr {
    // SAFETY: the section is for data that is constant after relocation.
    #[unsafe(link_section = ".data.rel.ro.max_log_level_variable")]
    static NAME: [u8; 16] = *b"MM_LOG_MAXLEVEL\0";
    // SAFETY: terminated, with no other NUL byte.
    unsafe { CStr::from_bytes_with_nul_unchecked(&NAME) }
}

/// The array of the environment; null before the C library has it.
pub fn environ_array() -> *const *const c_char {
    // SAFETY: the C library defines it.
    unsafe { environ }
}

/// Passes the value of a variable to `use_value`, None if it is not set.
pub fn getenv<T>(name: &CStr, use_value: impl FnOnce(Option<&[u8]>) -> T) -> T {
    // SAFETY: the name is terminated.
    let value = unsafe { libc::getenv(name.as_ptr()) };
    // SAFETY: as the C library returned it, and used before this returns.
    use_value(unsafe { as_bytes(value) })
}

/// The same for a variable that must not influence a program with more privileges than its caller.
pub fn secure_getenv_value<T>(name: &CStr, use_value: impl FnOnce(Option<&[u8]>) -> T) -> T {
    // SAFETY: the name is terminated.
    let value = unsafe { secure_getenv(name.as_ptr()) };
    // SAFETY: as the C library returned it, and used before this returns.
    use_value(unsafe { as_bytes(value) })
}

/// # Safety
/// `value` is null or a terminated string that outlives `'a`.
unsafe fn as_bytes<'a>(value: *const c_char) -> Option<&'a [u8]> {
    // SAFETY: not null, so a string as promised by the caller.
    (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) }.to_bytes())
}
