// SPDX-License-Identifier: Apache-2.0
//! Sockets, name resolution, and connecting to a URI.
#![forbid(unsafe_code)]

pub mod client;
pub mod names;
pub mod options;

mod address;
mod uri;
