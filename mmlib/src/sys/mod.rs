// SPDX-License-Identifier: Apache-2.0
//! Functions of the C library and of libmmsysio: one function for each, which decides nothing.

pub mod cell;
pub mod clock;
pub mod dl;
pub mod env;
pub mod memory;
pub mod mmsysio;
pub mod number;
pub mod options;
pub mod passwd;
pub mod published;
pub mod stdio;
pub mod thread;
