// SPDX-License-Identifier: Apache-2.0
//! Names that complete the shared library which cargo itself links. The product does not contain this module.
//!
//! Stable Rust cannot define functions that take `...` or a `va_list`: `variadic.c` does. The product exports them from
//! there, but rustc makes a shared library export only what Rust defines. With the feature `cdylib`, build.rs therefore
//! sets the cfg `jumps` where the compiler can define naked functions. The C functions then have other, hidden names,
//! and each public name is a single jump, which leaves the registers and the stack of the caller unchanged.
#![allow(missing_docs, reason = "mmerrno.h and mmlog.h document them")]
#![allow(clippy::missing_safety_doc, reason = "pointers are as the head of capi says")]

use super::{error, log};
use core::arch::{global_asm, naked_asm};

/// Defines exported names, each with its C function. C callers use the prototypes in the headers.
macro_rules! entry_points {
    ($($entry_point:ident => $c_function:ident;)*) => {
        // Declared without arguments, because Rust code does not call them.
        unsafe extern "C" {
            $(fn $c_function();)*
        }
        $(
            #[unsafe(naked)]
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $entry_point() {
                naked_asm!(env!("JUMP"), sym $c_function)
            }
        )*
    };
}

entry_points! {
    mm_raise_error_full => mmsysio_mm_raise_error_full;
    mm_raise_error_vfull => mmsysio_mm_raise_error_vfull;
    mm_raise_from_errno_full => mmsysio_mm_raise_from_errno_full;
    mm_print_lasterror => mmsysio_mm_print_lasterror;
    mm_log => mmsysio_mm_log;
}

/// Defines names by which variadic.c calls Rust functions. A `no_mangle` function would be exported; a label can be
/// hidden.
macro_rules! callbacks {
    ($($name:literal => $function:path;)*) => {
        $(
            global_asm!(
                concat!(".pushsection .text.", $name, ",\"ax\",%progbits"),
                concat!(".globl ", $name),
                concat!(".hidden ", $name),
                concat!(".type ", $name, ",%function"),
                concat!($name, ":"),
                env!("JUMP"),
                concat!(".size ", $name, ", . - ", $name),
                ".popsection",
                sym $function
            );
        )*
    };
}

callbacks! {
    "mmsysio_raise" => error::raise_formatted;
    "mmsysio_log_is_enabled" => log::is_enabled;
    "mmsysio_log_line" => log::line;
}
