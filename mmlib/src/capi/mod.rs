// SPDX-License-Identifier: Apache-2.0
//! The entry points in Rust.
//!
//! Each that can fail has one shape: its documentation, its C signature, and
//! `ret(c"mm_name", || { arguments; one call })`.
//!
//! # Safety
//!
//! Pointers come from C. In the `# Safety` section of a function, a *valid* pointer is null or satisfies the
//! requirements of `ptr::read` (for `const`) or `ptr::write`. A *string* is null or satisfies those of
//! `CStr::from_ptr`.
#![allow(non_camel_case_types)]
#![allow(clippy::tabs_in_doc_comments, reason = "code in the headers is indented by tabs")]

mod arg;
mod profile_part;
mod ret;

pub mod argparse;
pub mod basedir;
pub mod dlfcn;
mod dlopen;
pub mod environment;
pub mod memory;
pub mod path;
pub mod profile;
