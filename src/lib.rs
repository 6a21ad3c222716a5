//! OpenRustPoker.

pub mod accounts;
pub mod grpc;
pub mod ids;
pub mod store;
pub mod table;
