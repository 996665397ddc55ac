// SPDX-License-Identifier: Apache-2.0
//! Entry points under the banner 'Dynamic libraries'.

use super::arg;
use super::ret::ret;
use crate::dlfcn;
use crate::sys::dl;
use core::ffi::{c_char, c_int, c_void};
use core::ptr::NonNull;

/// C knows no member of it.
pub type mm_dynlib_t = c_void;

// In dlfcn.c. The header is generated from these declarations.
#[allow(dead_code, reason = "only C calls them")]
unsafe extern "C" {
    /// mm_dlopen() - open a dynamic library
    /// @path:       path of the library; without a slash, the dynamic linker searches for it (see dlopen(3)); NULL or "" for
    ///              the main program
    /// @flags:      a bitwise OR of any of MM_LD_LAZY (a function is resolved when it is called first; the default),
    ///              MM_LD_NOW (all functions are resolved at once), and MM_LD_APPEND_EXT (the extension that
    ///              mm_dl_fileext() returns is appended to @path, unless @path is NULL); other bits are ignored
    ///
    /// If the library is already loaded, the call returns its handle again. The functions that the library executes when it
    /// is loaded are called in the calling thread. Its symbols are not available to libraries that are loaded later
    /// (RTLD_LOCAL). For the search, libmmlib counts as the caller: a search path of the program itself (DT_RUNPATH) is not
    /// used.
    ///
    /// Return: the handle of the library, to be closed with mm_dlclose(); it is that of dlopen(). NULL on failure, and the
    ///   error state is set.
    ///
    /// Errors:
    ///   EINVAL           @flags includes MM_LD_LAZY and MM_LD_NOW
    ///   ELIBEXEC         the library cannot be opened; the description says why
    ///   ENOMEM           not enough memory
    ///
    /// Thread safety: MT-Safe
    /// Signal safety: not async-signal-safe
    /// Cancellation: not a cancellation point
    /// Compatibility: as mmlib
    ///
    /// # Safety
    /// `path` is a string. The library may be loaded into the process.
    pub unsafe fn mm_dlopen(path: *const c_char, flags: c_int) -> *mut mm_dynlib_t;

    /// mm_dlclose() - close a dynamic library
    /// @handle:     handle of mm_dlopen(); NULL is accepted and does nothing
    ///
    /// The library is unloaded when it has been closed as often as it was opened, and nothing else needs it. The call does not
    /// report whether that has happened.
    ///
    /// Errors: none
    ///
    /// Thread safety: MT-Safe
    /// Signal safety: not async-signal-safe
    /// Cancellation: not a cancellation point
    /// Compatibility: as mmlib
    ///
    /// # Safety
    /// `handle` is null or open, and not used afterwards.
    pub unsafe fn mm_dlclose(handle: *mut mm_dynlib_t);
}

/// mm_dlsym() - get the address of a symbol
/// @handle:     handle of mm_dlopen()
/// @symbol:     name of the symbol
///
/// The symbol is searched in the library and in those that it needs; with the handle of the main program, in all
/// libraries that were loaded with it.
///
/// Return: the address, which is valid until the library is unloaded; NULL on failure, and the error state is set.
///
/// Errors:
///   EINVAL           @handle or @symbol is NULL
///   MM_ENOTFOUND     the symbol does not exist, or its address is NULL
///
/// Thread safety: MT-Safe
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
///
/// # Safety
/// `handle` is null or open; `symbol` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_dlsym(handle: *mut mm_dynlib_t, symbol: *const c_char) -> *mut c_void {
    ret(c"mm_dlsym", || {
        let handle = NonNull::new(handle).ok_or_else(|| arg::null(libc::EINVAL, "handle"))?;
        // SAFETY: a string, as the caller promised.
        let symbol = unsafe { arg::optional_string(symbol) }.ok_or_else(|| arg::null(libc::EINVAL, "symbol"))?;
        // Otherwise a symbol whose address is NULL would have the message of an earlier failure.
        dl::error_message(|_| ());
        // SAFETY: open, as the caller promised.
        unsafe { dl::dlsym(handle, symbol) }.map(NonNull::as_ptr).ok_or_else(|| dlfcn::no_symbol(symbol))
    })
}

/// mm_dl_fileext() - get the extension of dynamic libraries
///
/// Return: ".so", which must not be changed or released. The call cannot fail.
///
/// Errors: none
///
/// Thread safety: MT-Safe
/// Signal safety: async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
#[unsafe(no_mangle)]
pub extern "C" fn mm_dl_fileext() -> *const c_char {
    dlfcn::EXTENSION.as_ptr()
}
