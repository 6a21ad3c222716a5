//! OpenRustPoker.

pub mod ids;
pub mod store;
