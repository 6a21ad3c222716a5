//! The commands of `orp`.

pub mod phh;
