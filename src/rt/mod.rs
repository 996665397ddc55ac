// SPDX-License-Identifier: Apache-2.0
//! Replacements for parts of the standard library: owned file descriptors, an allocator, thread-local storage, a panic
//! handler, and text of bounded length.
//!
//! The crate is `no_std`, because the standard library contains code that prints a backtrace when a panic occurs. That
//! code caused half of the size of the library, most of its start-up time and its dependency on libgcc_s.

pub mod errno;
pub mod fd;
pub mod text;
pub mod thread_errors;

#[cfg(not(test))]
mod allocator;
#[cfg(not(test))]
mod panic;
