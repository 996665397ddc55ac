// SPDX-License-Identifier: Apache-2.0
//! Entry points that take `...` or a `va_list`, which stable Rust cannot define.
//!
//! Each is a single jump to a C function in `variadic.c`, which gets the registers and the stack unchanged from the
//! caller. The C function formats the text and calls the callbacks below. The callbacks and the C functions are hidden,
//! so that only the entry points are exported, even from a shared library that is linked by cargo.
#![allow(missing_docs, reason = "mmerrno.h and mmlog.h document them")]
#![allow(clippy::missing_safety_doc, reason = "pointers are as the head of capi says")]

use super::{error, log};
use core::arch::{global_asm, naked_asm};

/// A jump to the operand that changes neither the arguments nor the return address.
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
    "libmmsysio cannot pass variable arguments to C on this architecture: \
     add its jump instruction to src/capi/variadic.rs"
);

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
                naked_asm!(jump!(), sym $c_function)
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
