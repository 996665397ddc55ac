// SPDX-License-Identifier: Apache-2.0
//! Dynamic libraries.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::rt::text::Quoted;
use crate::sys::dl;
use crate::sys::memory::Joined;
use crate::sys::mmsysio::MM_ENOTFOUND;
use core::ffi::{CStr, c_int};
use core::fmt::{self, Write};

pub const MM_LD_LAZY: c_int = 1;
pub const MM_LD_NOW: c_int = 2;
pub const MM_LD_APPEND_EXT: c_int = 4;

/// The extension of libraries.
pub const EXTENSION: &CStr = c".so";

/// What mm_dlopen() opens.
pub struct Library {
    /// The path with the extension; None if the extension is not appended.
    pub path: Option<Joined>,
    /// The mode of dlopen().
    pub mode: c_int,
}

#[track_caller]
pub fn library(path: Option<&CStr>, flags: c_int) -> Result<Library> {
    if flags & MM_LD_LAZY != 0 && flags & MM_LD_NOW != 0 {
        return Err(Error::new(
            libc::EINVAL,
            format_args!("cannot open a library: MM_LD_LAZY and MM_LD_NOW exclude each other"),
        ));
    }
    let mode = if flags & MM_LD_NOW != 0 { libc::RTLD_NOW } else { libc::RTLD_LAZY };
    let Some(path) = path.filter(|_| flags & MM_LD_APPEND_EXT != 0) else {
        return Ok(Library { path: None, mode });
    };
    match Joined::new(&[path.to_bytes(), EXTENSION.to_bytes()]) {
        Some(path) => Ok(Library { path: Some(path), mode }),
        None => Err(Error::new(
            libc::ENOMEM,
            format_args!("cannot open library {}: out of memory", Quoted(path.to_bytes())),
        )),
    }
}

#[cold]
#[track_caller]
pub fn not_opened(path: Option<&CStr>) -> Error {
    let path = Quoted(path.unwrap_or_default().to_bytes());
    dl::error_message(|reason| {
        Error::new(libc::ELIBEXEC, format_args!("cannot open library {path}: {}", Reason(reason, "unknown reason")))
    })
}

#[cold]
#[track_caller]
pub fn no_symbol(symbol: &CStr) -> Error {
    let symbol = Quoted(symbol.to_bytes());
    dl::error_message(|reason| {
        Error::new(MM_ENOTFOUND, format_args!("cannot find symbol {symbol}: {}", Reason(reason, "its address is NULL")))
    })
}

/// The message of the dynamic linker, or the text that replaces a missing one.
struct Reason<'a>(Option<&'a CStr>, &'static str);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.0.map_or(self.1.as_bytes(), CStr::to_bytes);
        // It may contain the path.
        for chunk in reason.utf8_chunks() {
            for character in chunk.valid().chars() {
                if character.is_control() {
                    write!(f, "{}", character.escape_default())
                } else {
                    f.write_char(character)
                }?;
            }
            write!(f, "{}", chunk.invalid().escape_ascii())?;
        }
        Ok(())
    }
}
