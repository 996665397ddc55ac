// SPDX-License-Identifier: Apache-2.0
//! Mechanisms that consist of several system calls and need unsafe code.
//!
//! Some prevent conflicts between the library and the program: private file descriptors ([`hidden`],
//! [`standard_streams`], [`identified`]), file descriptors that are closed during a call ([`fd_history`]), forked
//! processes ([`fork`], [`fork_lock`]), log lines without side effects ([`stderr`], [`local_time`]), and cancelled
//! threads ([`cancel`]).

pub mod ancillary;
pub mod cancel;
pub mod directory;
pub mod exec;
pub mod fd_history;
pub mod fd_map;
pub mod fork;
pub mod fork_lock;
pub mod hidden;
pub mod identified;
pub mod local_time;
pub mod mapping;
pub mod message;
pub mod path;
pub mod process_state;
pub mod readable;
pub mod reference;
pub mod resolver;
pub mod socket_option;
pub mod standard_streams;
pub mod stderr;
pub mod vfork;

mod fd_list;
mod fd_table;
mod search;
