// SPDX-License-Identifier: Apache-2.0
//! Entry points of mmerrno.h, which is maintained by hand and contains their documentation. Those that take `...` are
//! in `variadic.c`.
#![allow(missing_docs, reason = "mmerrno.h documents them")]
#![allow(clippy::missing_safety_doc, reason = "pointers are as the head of capi says")]

use super::arg;
use super::ret::ret;
use crate::error::number;
use crate::error::record::{self, Report, STATE_SIZE};
use crate::rt::text::Text;
use crate::sys;
use core::ffi::{c_char, c_int};
use core::ptr;
use errno::{Errno, set_errno};

#[unsafe(no_mangle)]
pub extern "C" fn mm_strerror(errnum: c_int) -> *const c_char {
    match number::message(errnum) {
        Some(message) => message.as_ptr(),
        None => sys::strerror_pointer(errnum),
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_strerror_r(errnum: c_int, buf: *mut c_char, buflen: usize) -> c_int {
    if buf.is_null() && buflen > 0 {
        set_errno(Errno(libc::EFAULT));
        return -1;
    }
    let Some(message) = number::message(errnum) else {
        // SAFETY: buf is null only if buflen is 0. Otherwise it is valid for writing the message or buflen bytes.
        return unsafe { sys::strerror_r(errnum, buf, buflen) };
    };
    let message = message.to_bytes();
    if let Some(most) = buflen.checked_sub(1) {
        let fitting = message.len().min(most);
        // The buffer is not converted to a slice, because C programs may pass a size that is larger than any object.
        // SAFETY: not null, and at most buflen bytes are written, as the caller promised. The message is a constant, so
        // it does not overlap.
        unsafe {
            ptr::copy_nonoverlapping(message.as_ptr().cast(), buf, fitting);
            buf.add(fitting).write(0);
        }
    }
    if message.len() < buflen {
        return 0;
    }
    set_errno(Errno(libc::ERANGE));
    -1
}

#[unsafe(no_mangle)]
pub extern "C" fn mm_error_set_flags(flags: c_int, mask: c_int) -> c_int {
    record::set_flags(flags, mask)
}

/// A saved error state. C declares the same structure.
#[repr(C)]
pub struct mm_error_state {
    data: [u8; STATE_SIZE],
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_save_errorstate(state: *mut mm_error_state) -> c_int {
    ret("mm_save_errorstate", || {
        arg::require_address(state, "state")?;
        // SAFETY: not null, so valid.
        unsafe { state.write(mm_error_state { data: record::save() }) };
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_set_errorstate(state: *const mm_error_state) -> c_int {
    ret("mm_set_errorstate", || {
        arg::require_address(state, "state")?;
        // SAFETY: not null, so valid.
        record::restore(&unsafe { state.read() }.data);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn mm_get_lasterror_number() -> c_int {
    record::number()
}

#[unsafe(no_mangle)]
pub extern "C" fn mm_get_lasterror_desc() -> *const c_char {
    record::string(|record| &record.description)
}

#[unsafe(no_mangle)]
pub extern "C" fn mm_get_lasterror_location() -> *const c_char {
    record::string(|record| &record.location)
}

#[unsafe(no_mangle)]
pub extern "C" fn mm_get_lasterror_extid() -> *const c_char {
    let extid = record::string(|record| &record.extid);
    // SAFETY: the field belongs to this thread and is always terminated.
    if unsafe { extid.read() } == 0 { ptr::null() } else { extid }
}

#[unsafe(no_mangle)]
pub extern "C" fn mm_get_lasterror_module() -> *const c_char {
    record::string(|record| &record.module)
}

/// Raises an error for variadic.c, which has formatted `desc`. The strings may be those of the thread's record, so they
/// are copied before the record is changed.
///
/// # Safety
/// All pointers are strings.
#[cfg_attr(not(jumps), unsafe(export_name = "mmsysio_raise"))]
pub(super) unsafe extern "C" fn raise_formatted(
    errnum: c_int,
    module: *const c_char,
    func: *const c_char,
    srcfile: *const c_char,
    srcline: c_int,
    extid: *const c_char,
    desc: *const c_char,
) -> c_int {
    const UNKNOWN: &str = "unknown";
    // SAFETY: strings, as the caller promised.
    let (module, func, srcfile, extid, description) = unsafe {
        (
            arg::text::<256>(module, UNKNOWN),
            arg::text::<256>(func, UNKNOWN),
            arg::text::<256>(srcfile, UNKNOWN),
            arg::text::<64>(extid, ""),
            arg::text::<256>(desc, ""),
        )
    };
    let mut location = Text::<256>::copied_from(func.as_bytes());
    location.push(b"() in ");
    location.push(srcfile.as_bytes());
    location.push(Text::<16>::formatted(format_args!(":{srcline}")).as_bytes());
    record::raise(&Report {
        number: Errno(errnum),
        module: module.as_bytes(),
        extid: extid.as_bytes(),
        location: location.as_bytes(),
        description: description.as_bytes(),
        is_logged: true,
    });
    -1
}
