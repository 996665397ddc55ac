// SPDX-License-Identifier: Apache-2.0
//! Error numbers of mmerrno.h that are not errno values.
#![forbid(unsafe_code)]

use core::ffi::{CStr, c_int};

pub const DISCONNECTED: c_int = 1000;
pub const WRONGSTATE: c_int = 1003;
pub const NOTFOUND: c_int = 1005;
pub const BADFMT: c_int = 1006;
pub const NONAME: c_int = 1010;

/// Returns the message, which is that of mmlib. None for an errno value.
pub fn message(number: c_int) -> Option<&'static CStr> {
    match number {
        DISCONNECTED => Some(c"The device has been disconnected."),
        WRONGSTATE => Some(c"Object in wrong state"),
        NOTFOUND => Some(c"Object not found"),
        BADFMT => Some(c"Bad format"),
        NONAME => Some(c"Specified hostname cannot be resolved"),
        _ => None,
    }
}
