// SPDX-License-Identifier: Apache-2.0
//! IPC: datagrams and file descriptors between processes on one host.
#![forbid(unsafe_code)]

pub mod address;
pub mod connect;
pub mod message;
pub mod server;

mod timeout;
mod wait;
mod wakeup;
