// SPDX-License-Identifier: Apache-2.0
//! libmmsysio: the C interface of mmlib's `mmsysio.h`, `mmerrno.h`, `mmlog.h` and `mmtime.h`, and `mmipc.h`, in Rust.
//!
//! The layers, of which each uses only those after it:
//!
//! - [`capi`]: the entry points, which convert C arguments, make one call, and convert its result;
//! - the core in safe Rust, one module per subsystem: [`ipc`], [`net`], [`fs`], [`process`], [`mem`], [`time`], and
//!   [`error`], which the others use;
//! - [`os`]: mechanisms that consist of several system calls and need unsafe code;
//! - [`sys`]: system calls, one function for each;
//! - [`rt`]: what the standard library would provide.
//!
//! docs/ARCHITECTURE.md describes them, and follows a message, a spawn and an error through them.
#![cfg_attr(not(test), no_std)]

#[cfg(all(not(panic = "abort"), not(test)))]
compile_error!(
    "libmmsysio must be built with panic = \"abort\" (as the profiles of its Cargo.toml do): \
     a panic must not unwind into C code"
);

extern crate alloc;

pub mod capi;

mod error;
mod fs;
mod ipc;
mod mem;
mod net;
mod process;
mod time;

mod os;
mod rt;
mod sys;
