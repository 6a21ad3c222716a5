//! OpenRustPoker: a distributed poker server that cannot lose a chip.
//!
//! Lowest layer first; who may name whom is tested in `tests/it/tidy.rs`.
//!
//! - `engine`, `supervisors`, `proto`: crates of their own
//! - [`ids`], [`store`]: names, and where truth is kept
//! - [`table`]: shards of tables as actors over the store's log
//! - [`cluster`]: several nodes: which shard is whose, and who takes over
//! - [`keep`]: checks, copies and moves of a whole store
//! - [`accounts`]: who is playing
//! - [`grpc`]: the edge
//! - [`tree`]: the supervision tree, on one page
//! - [`client`], [`cli`]: the other side of the wire, and the commands of `orp`
//! - [`phh`]: hand histories; [`config`], [`telemetry`]

#![forbid(unsafe_code)]

pub mod accounts;
pub mod cli;
pub mod client;
pub mod cluster;
pub mod config;
pub mod grpc;
pub mod ids;
pub mod keep;
pub mod phh;
pub mod store;
pub mod table;
pub mod telemetry;
pub mod tree;
