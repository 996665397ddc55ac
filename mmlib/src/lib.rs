// SPDX-License-Identifier: Apache-2.0
//! libmmlib: the rest of mmlib (`mmlib.h`, `mmthread.h`, `mmargparse.h`, `mmdlfcn.h` and `mmprofile.h`), on top of
//! libmmsysio.so.
//!
//! The layers, of which each uses only those after it, are those of libmmsysio:
//!
//! - [`capi`]: the entry points, which convert C arguments, make one call, and convert its result. Those that call a
//!   function of the program, or wait until another thread acts, are in C (`thread.c`, `argparse.c`, `dlfcn.c`,
//!   `profile.c`): an exception of C++ and the cancellation of a thread pass through their frames, which they must not
//!   do through those of Rust;
//! - the core in safe Rust, one module for each subject;
//! - [`sys`]: functions of the C library and of libmmsysio, one function for each;
//! - [`rt`]: what the standard library would provide.
#![cfg_attr(not(test), no_std)]

#[cfg(all(not(panic = "abort"), not(test)))]
compile_error!(
    "libmmlib must be built with panic = \"abort\" (as the profiles of the workspace do): \
     a panic must not unwind into C code"
);

pub mod capi;

mod argparse;
mod basedir;
mod dlfcn;
mod environment;
mod error;
mod path;
mod profile;

mod rt;
mod sys;
