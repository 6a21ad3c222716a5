//! The wire: code generated from `poker/v1/*.proto`, nothing else.

#![forbid(unsafe_code)]

/// Package `poker.v1`.
#[allow(
    clippy::large_enum_variant,
    reason = "generated; a frame is encoded where it is made"
)]
pub mod v1 {
    tonic::include_proto!("poker.v1");
}

mod rpc {
    include!(concat!(env!("OUT_DIR"), "/rpc.rs"));
}

pub use rpc::Rpc;

/// The encoded descriptors, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
