//! OpenRustPoker: a distributed poker server that cannot lose a chip.

#![forbid(unsafe_code)]

pub mod ids;
pub mod store;
pub mod table;
