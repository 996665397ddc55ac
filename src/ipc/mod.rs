// SPDX-License-Identifier: Apache-2.0
//! IPC: datagrams and file descriptors between processes on one host.
#![forbid(unsafe_code)]

pub mod accept;
pub mod address;
pub mod connect;
pub mod flags;
pub mod message;
pub mod path;
pub mod peer;
pub mod server;
pub mod target;
pub mod timeout;
pub mod watch;

mod anchor;
mod deadline;
mod directory_watch;
mod name_watch;
mod publish;
mod seqpacket;
mod stop;
mod turn;
mod wait;
mod wakeup;
