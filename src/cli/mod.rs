//! The commands of `orp`.

pub mod phh;
pub mod serve;
