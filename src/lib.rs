//! libmmsysio: the C interface of mmlib's `mmsysio.h`, `mmerrno.h` and `mmlog.h`, in Rust.
//!
//! A door, a room, a floor. A door ([`capi`]) speaks C: it turns pointers into Rust values, makes one call, and turns
//! the `Result` into a return value and an error state. A room (every other file here) thinks, in safe Rust. The floor
//! ([`sys`]) calls the kernel and the C library, one function per call.
//!
//! Calls go one way: `capi → rooms → sys → libc`, and `capi, rooms → error → log → sys`. The C half, `variadic.c`,
//! holds the functions that take `...`; it is entered and left through [`capi::variadic`].

#[cfg(all(not(panic = "abort"), not(test)))]
compile_error!(
    "libmmsysio must be built with panic = \"abort\" (as the profiles of its Cargo.toml do): \
     a panic must not unwind into C code"
);

pub mod capi;

mod copy;
mod dir;
mod error;
mod file;
mod ipc;
mod log;
mod map;
mod mode;
mod process;
mod socket;
mod sys;
mod text;
mod time;
mod tree;
