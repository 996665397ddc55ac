// SPDX-License-Identifier: Apache-2.0
//! The exported functions of libmmsysio.so.

use core::ffi::{CStr, c_char, c_int};
use core::ptr;
use errno::{Errno, set_errno};

#[link(name = "mmsysio")]
unsafe extern "C" {
    safe fn mm_error_set_flags(flags: c_int, mask: c_int) -> c_int;
    fn mm_raise_error_full(
        errnum: c_int,
        module: *const c_char,
        func: *const c_char,
        srcfile: *const c_char,
        srcline: c_int,
        extid: *const c_char,
        desc_fmt: *const c_char,
        ...
    ) -> c_int;
}

/// The module name in errors and log lines of mmlib. Tools search for it.
const MODULE: &CStr = c"mmlib";

/// Error numbers of mmerrno.h.
pub const MM_ENOTFOUND: c_int = 1005;

const MM_ERROR_IGNORE: c_int = 1;

/// Whether a failing function only sets errno.
pub fn ignores_errors() -> bool {
    mm_error_set_flags(0, 0) & MM_ERROR_IGNORE != 0
}

/// Raises an error and logs it. errno is set even if the thread ignores errors.
pub fn raise_error(number: c_int, function: &CStr, file: &CStr, line: u32, description: &[u8]) {
    set_errno(Errno(number));
    let line = c_int::try_from(line).unwrap_or(0);
    let length = c_int::try_from(description.len()).unwrap_or(0);
    // SAFETY: the strings are terminated, and the arguments are those of the format. The number of bytes is that of the
    // description.
    unsafe {
        mm_raise_error_full(
            number,
            MODULE.as_ptr(),
            function.as_ptr(),
            file.as_ptr(),
            line,
            ptr::null(),
            c"%.*s".as_ptr(),
            length,
            description.as_ptr(),
        );
    }
}
