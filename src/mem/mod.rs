// SPDX-License-Identifier: Apache-2.0
//! Memory mappings and shared memory.
#![forbid(unsafe_code)]

pub mod map;
pub mod shared;
