// SPDX-License-Identifier: Apache-2.0
//! What mm_dlopen(), which is in dlfcn.c, does before and after it calls the dynamic linker.

use super::arg;
use super::ret::ret;
use crate::dlfcn;
use crate::sys::memory::Joined;
use core::ffi::{c_char, c_int};
use core::ptr;

/// Checks the arguments of mm_dlopen(). `joined` receives the path with the extension, which the caller frees, or NULL if
/// `path` is the one to open. Returns 0; -1 on failure, and the error has been raised.
///
/// # Safety
/// `path` is a string; `joined` and `mode` are not null and valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mmlib_dlopen_arguments(
    path: *const c_char,
    flags: c_int,
    joined: *mut *mut c_char,
    mode: *mut c_int,
) -> c_int {
    ret(c"mm_dlopen", || {
        // SAFETY: a string, as the caller promised.
        let library = dlfcn::library(unsafe { arg::optional_string(path) }, flags)?;
        // SAFETY: as promised by the caller.
        unsafe {
            joined.write(library.path.map_or(ptr::null_mut(), Joined::into_raw));
            mode.write(library.mode);
        }
        Ok(())
    })
}

/// Raises the error of a dlopen() that has failed, for `joined` if that is not null, or else for `path`. Frees `joined`
/// before, since the thread may be cancelled while the error is logged.
///
/// # Safety
/// `path` is a string; `joined` is null or that of [`mmlib_dlopen_arguments`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mmlib_dlopen_failed(path: *const c_char, joined: *mut c_char) {
    // SAFETY: strings, as the caller promised.
    let opened = unsafe { arg::optional_string(joined).or(arg::optional_string(path)) };
    let error = dlfcn::not_opened(opened);
    // SAFETY: null or a block of the C allocator, which is not used afterwards.
    unsafe { libc::free(joined.cast()) };
    error.raise(c"mm_dlopen");
}
