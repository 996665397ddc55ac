// SPDX-License-Identifier: Apache-2.0
//! Entry points of mmtime.h, which is maintained by hand and contains their documentation.
#![allow(missing_docs, reason = "mmtime.h documents them")]
#![allow(clippy::missing_safety_doc, reason = "pointers are as the head of capi says")]

use super::ret::ret;
use crate::error::Error;
use crate::sys::time;
use crate::time::sleep_for;
use core::ffi::c_int;
use core::ptr;
use errno::Errno;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_gettime(clock_id: libc::clockid_t, ts: *mut libc::timespec) -> c_int {
    ret("mm_gettime", || {
        let read = if ts.is_null() {
            // The C library may write to the address without a system call, so null is not passed to it. An invalid
            // clock has precedence: EINVAL. SAFETY: null is permitted.
            unsafe { time::clock_getres(clock_id, ptr::null_mut()) }.and(Err(Errno(libc::EFAULT)))
        } else {
            // SAFETY: not null, so valid.
            unsafe { time::clock_gettime(clock_id, ts) }
        };
        read.map_err(|e| Error::os(e, format_args!("cannot read clock {clock_id}")))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_getres(clock_id: libc::clockid_t, res: *mut libc::timespec) -> c_int {
    ret("mm_getres", || {
        // SAFETY: null or valid.
        unsafe { time::clock_getres(clock_id, res) }
            .map_err(|e| Error::os(e, format_args!("cannot get the resolution of clock {clock_id}")))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_nanosleep(clock_id: libc::clockid_t, ts: *const libc::timespec) -> c_int {
    ret("mm_nanosleep", || {
        // SAFETY: null or valid; otherwise the kernel reports EFAULT.
        unsafe { time::clock_nanosleep(clock_id, ts) }
            .map_err(|e| Error::os(e, format_args!("cannot sleep until a time of clock {clock_id}")))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn mm_relative_sleep_ms(duration_ms: i64) -> c_int {
    ret("mm_relative_sleep_ms", || sleep_for(duration_ms, 1_000, "ms"))
}

#[unsafe(no_mangle)]
pub extern "C" fn mm_relative_sleep_us(duration_us: i64) -> c_int {
    ret("mm_relative_sleep_us", || sleep_for(duration_us, 1_000_000, "us"))
}

#[unsafe(no_mangle)]
pub extern "C" fn mm_relative_sleep_ns(duration_ns: i64) -> c_int {
    ret("mm_relative_sleep_ns", || sleep_for(duration_ns, 1_000_000_000, "ns"))
}
