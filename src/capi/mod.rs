// SPDX-License-Identifier: Apache-2.0
//! The entry points: the only Rust that defines exported names.
//!
//! Each that can fail has one shape: its documentation, its C signature, and `ret("mm_name", || { arguments; one call })`.
//!
//! # Safety
//!
//! Pointers come from C. In the `# Safety` section of a function, a *valid* pointer is null or satisfies the
//! requirements of `ptr::read` (for `const`) or `ptr::write`. A pair of pointer and count is null or satisfies those of
//! `slice::from_raw_parts`. A *string* is null or satisfies those of `CStr::from_ptr`. Null causes an error.
#![allow(non_camel_case_types)]

mod arg;
mod ret;

pub mod stream;
pub mod types;

pub mod dir;
pub mod file;
pub mod ipc;
pub mod map;
pub mod mmipc;
pub mod process;
pub mod socket;

pub mod error;
pub mod log;
pub mod time;

#[cfg(jumps)]
mod jumps;
mod load;

#[cfg(test)]
mod constants;
