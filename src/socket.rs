//! Sockets: what there is to decide about them.
#![forbid(unsafe_code)]

pub mod client;
pub mod names;
pub mod options;

mod uri;
