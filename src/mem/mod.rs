//! Memory maps and shared memory.
#![forbid(unsafe_code)]

pub mod map;
pub mod shared;
