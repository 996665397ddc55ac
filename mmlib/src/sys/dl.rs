// SPDX-License-Identifier: Apache-2.0
//! The dynamic linker.

use core::ffi::{CStr, c_void};
use core::ptr::NonNull;

/// Returns the address of a symbol. On failure, [`error_message`] has the reason.
///
/// # Safety
/// The handle has been returned by dlopen(), and is open.
pub unsafe fn dlsym(handle: NonNull<c_void>, symbol: &CStr) -> Option<NonNull<c_void>> {
    // SAFETY: as promised by the caller.
    NonNull::new(unsafe { libc::dlsym(handle.as_ptr(), symbol.as_ptr()) })
}

/// Passes the message of the thread's last failure to `use_message`, and discards it.
pub fn error_message<T>(use_message: impl FnOnce(Option<&CStr>) -> T) -> T {
    // SAFETY: null or a string, which is valid until the thread calls the dynamic linker again.
    let message = unsafe { libc::dlerror() };
    // SAFETY: as above.
    use_message((!message.is_null()).then(|| unsafe { CStr::from_ptr(message) }))
}
