//! OpenRustPoker: a distributed poker server that cannot lose a chip.

#![forbid(unsafe_code)]

pub mod cli;
pub mod ids;
pub mod phh;
pub mod store;
pub mod table;
