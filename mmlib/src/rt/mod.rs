// SPDX-License-Identifier: Apache-2.0
//! Replacements for parts of the standard library. The files are those of libmmsysio.

#[path = "../../../src/rt/errno.rs"]
pub mod errno;
#[path = "../../../src/rt/text.rs"]
#[allow(dead_code, reason = "libmmsysio uses all of it")]
pub mod text;

#[cfg(not(test))]
#[path = "../../../src/rt/panic.rs"]
mod panic;
