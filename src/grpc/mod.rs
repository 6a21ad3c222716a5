//! The edge: `poker.v1` over gRPC and gRPC-Web, and the ops port.
//!
//! Services hold no logic: they parse ([`convert`]), ask a handle, and answer ([`status`] when it refused). Prost types and
//! `tonic` go no further than this folder.
//!
//! - [`server`]: [`serve`] and [`serve_ops`], the limits of a connection, health, reflection, CORS
//! - [`auth`], `gate`: who may call what; the layer that sees to it
//! - `session`, `table`, `watch`, `hand`, `admin`: one service each

mod admin;
pub mod auth;
pub mod convert;
mod gate;
mod hand;
pub mod options;
pub mod server;
mod session;
pub mod status;
mod table;
pub mod watch;

pub use admin::{Tree, TreeLine};
pub use auth::Operators;
pub use options::{Options, Origins};
pub use server::{OpsServices, ServeError, Services, serve, serve_ops};
pub use watch::WatchLimits;

#[cfg(test)]
mod tests;
