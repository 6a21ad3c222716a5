//! OpenRustPoker.

pub mod cli;
pub mod client;
