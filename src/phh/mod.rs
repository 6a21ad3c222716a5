//! PHH, the open hand-history format: reading, replaying, checking and writing it.
//!
//! A file is parsed once into a [`model::Hand`], with every amount exact. [`replay`] plays it through the same
//! `engine::decide` and `engine::evolve` that serve players, [`check`] compares what came out with what the file
//! states, and [`export`] writes a hand that was played here.

pub mod check;
pub mod decimal;
pub mod export;
pub mod model;
pub mod ohh;
pub mod parse;
pub mod replay;
pub mod variant;
