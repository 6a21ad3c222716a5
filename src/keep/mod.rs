//! What keeps a store: checks, copies and moves of everything in it, over the store's trait and the log protocol.
//!
//! - [`verify`]: checks everything without owning anything; [`audit`] and [`archive`] are its folds, [`flaw`] its findings
//! - [`backup`], [`restore`]: to a [`file`](mod@file) and back, log by log
//! - [`migrate`]: into another store, table by table
//! - [`retention`]: old hands are forgotten

pub mod archive;
pub mod audit;
pub mod backup;
pub mod file;
pub mod flaw;
pub mod migrate;
pub mod restore;
pub mod retention;
pub mod verify;

#[cfg(test)]
mod tests;
