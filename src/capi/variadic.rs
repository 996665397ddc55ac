// SPDX-License-Identifier: Apache-2.0
//! Entry points that take `...` or a `va_list`, which stable Rust cannot define.
//!
//! Each is a single jump to its C half in `variadic.c`, which finds the registers and the stack as the caller left them.
//! The C half formats and comes back through the callbacks below. These and the C halves are hidden: a shared library
//! exports the entry points alone, also the one that cargo links by itself.
#![allow(missing_docs, reason = "mmerrno.h and mmlog.h document them")]
#![allow(clippy::missing_safety_doc, reason = "pointers are as the head of capi says")]

use super::{error, log};
use core::arch::{global_asm, naked_asm};

/// The instruction that jumps to its operand and changes no argument, nor where the callee returns to.
#[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
macro_rules! jump {
    () => {
        "jmp {}"
    };
}
#[cfg(any(target_arch = "aarch64", target_arch = "arm", target_arch = "loongarch64"))]
macro_rules! jump {
    () => {
        "b {}"
    };
}
#[cfg(any(target_arch = "riscv64", target_arch = "riscv32"))]
macro_rules! jump {
    () => {
        "tail {}"
    };
}
#[cfg(target_arch = "s390x")]
macro_rules! jump {
    () => {
        "jg {}"
    };
}
#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "x86",
    target_arch = "aarch64",
    target_arch = "arm",
    target_arch = "loongarch64",
    target_arch = "riscv64",
    target_arch = "riscv32",
    target_arch = "s390x"
)))]
compile_error!(
    "libmmsysio does not know how to pass variable arguments on to C on this architecture: \
     add its jump instruction to src/capi/variadic.rs"
);

/// Exported names, each with its C half. C callers use the prototypes of the headers.
macro_rules! entry_points {
    ($($entry_point:ident => $c_half:ident;)*) => {
        // Declared without their arguments, which no Rust code passes.
        unsafe extern "C" {
            $(fn $c_half();)*
        }
        $(
            #[unsafe(naked)]
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $entry_point() {
                naked_asm!(jump!(), sym $c_half)
            }
        )*
    };
}

entry_points! {
    mm_raise_error_full => mmsysio_raise_error_full;
    mm_raise_error_vfull => mmsysio_raise_error_vfull;
    mm_raise_from_errno_full => mmsysio_raise_from_errno_full;
    mm_print_lasterror => mmsysio_print_lasterror;
    mm_log => mmsysio_log;
}

/// Names for Rust functions that variadic.c calls. A `no_mangle` function would be exported; a label need not be.
macro_rules! callbacks {
    ($($name:literal => $function:path;)*) => {
        $(
            global_asm!(
                concat!(".pushsection .text.", $name, ",\"ax\",%progbits"),
                concat!(".globl ", $name),
                concat!(".hidden ", $name),
                concat!(".type ", $name, ",%function"),
                concat!($name, ":"),
                jump!(),
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
