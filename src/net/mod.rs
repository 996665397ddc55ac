// SPDX-License-Identifier: Apache-2.0
//! Sockets, and connecting to what a URI names.
#![forbid(unsafe_code)]

pub mod client;
pub mod names;
pub mod options;

mod address;
mod uri;
