// SPDX-License-Identifier: Apache-2.0
//! Files and directories.
#![forbid(unsafe_code)]

pub mod copy;
pub mod flags;
pub mod mkdir;
pub mod mode;
pub mod remove;
pub mod status;
