// SPDX-License-Identifier: Apache-2.0
//! What the standard library would provide: owned file descriptors, memory from `malloc`, thread-local storage, a panic
//! handler, and text of bounded length.
//!
//! The crate is `no_std`: half of the size of the library, most of its start-up time and its dependency on libgcc_s came
//! from the machinery that prints a backtrace when a panic occurs.

pub mod errno;
pub mod fd;
pub mod text;
pub mod thread_errors;

#[cfg(not(test))]
mod allocator;
#[cfg(not(test))]
mod panic;
