// SPDX-License-Identifier: Apache-2.0
//! Entry points of mmlog.h, which is maintained by hand and contains their documentation. `mm_log` itself is in
//! `variadic.c`.
#![allow(missing_docs, reason = "mmlog.h documents them")]

use super::arg;
use crate::error::log;
use core::ffi::{c_char, c_int};

#[unsafe(no_mangle)]
pub extern "C" fn mm_log_set_maxlvl(lvl: c_int) -> c_int {
    log::set_max_level(lvl)
}

/// Returns, for variadic.c, whether a line must be formatted.
#[cfg_attr(not(jumps), unsafe(export_name = "mmsysio_log_is_enabled"))]
pub(super) extern "C" fn is_enabled(lvl: c_int) -> c_int {
    c_int::from(log::is_enabled(lvl))
}

/// Logs a line for variadic.c, which has formatted `msg`.
///
/// # Safety
/// Both pointers are strings.
#[cfg_attr(not(jumps), unsafe(export_name = "mmsysio_log_line"))]
pub(super) unsafe extern "C" fn line(lvl: c_int, location: *const c_char, msg: *const c_char) {
    // SAFETY: strings, as the caller promised.
    let (location, msg) = unsafe { (arg::text::<256>(location, "(null)"), arg::text::<256>(msg, "")) };
    log::line(lvl, location.as_bytes(), msg.as_bytes());
}
