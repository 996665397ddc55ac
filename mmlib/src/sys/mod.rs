// SPDX-License-Identifier: Apache-2.0
//! Functions of the C library and of libmmsysio: one function for each, which decides nothing.

pub mod mmsysio;
