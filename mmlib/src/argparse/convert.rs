// SPDX-License-Identifier: Apache-2.0
//! Conversion of a value to the type of its option.

use crate::sys::number::{is_space, strtoll, strtoull};
use crate::sys::options::{Type, mm_arg_val};
use core::ffi::{CStr, c_int, c_uint};
use core::ptr;

/// Converts a value. The error is EINVAL or ERANGE.
pub fn convert(text: Option<&CStr>, value_type: Type) -> Result<mm_arg_val, c_int> {
    let mut value = mm_arg_val::ZERO;
    if value_type == Type::String {
        value.str = text.map_or(ptr::null(), CStr::as_ptr);
        return Ok(value);
    }
    let text = text.filter(|text| !text.is_empty()).ok_or(libc::EINVAL)?;
    if value_type == Type::UnsignedLongLong {
        value.ull = unsigned(text)?;
        return Ok(value);
    }
    let parsed = strtoll(text);
    if !parsed.is_complete {
        return Err(libc::EINVAL);
    }
    if parsed.has_overflowed {
        return Err(libc::ERANGE);
    }
    match value_type {
        Type::Int => value.i = c_int::try_from(parsed.number).map_err(|_| libc::ERANGE)?,
        Type::UnsignedInt => value.ui = c_uint::try_from(parsed.number).map_err(|_| libc::ERANGE)?,
        Type::LongLong => value.ll = parsed.number,
        _ => return Err(libc::EINVAL),
    }
    Ok(value)
}

/// The C library would convert a negative number too.
fn unsigned(text: &CStr) -> Result<u64, c_int> {
    if text.to_bytes().iter().find(|byte| !is_space(**byte)) == Some(&b'-') {
        return Err(libc::ERANGE);
    }
    let parsed = strtoull(text);
    match parsed.is_complete {
        false => Err(libc::EINVAL),
        true if parsed.has_overflowed => Err(libc::ERANGE),
        true => Ok(parsed.number),
    }
}
