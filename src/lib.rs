//! OpenRustPoker.

pub mod cli;
pub mod phh;
