//! The edge: `poker.v1` over gRPC and gRPC-Web, and the ops port.
//!
//! Services hold no logic: they parse ([`convert`]), ask a handle, and answer ([`status`] when it refused). Prost types and
//! `tonic` go no further than this folder.
//!
//! - [`server`]: [`serve`] and [`serve_ops`], the limits of a connection, health, reflection, CORS
//! - [`forward`], [`peers`]: calls for tables of other nodes, and the listener that they come in by
//! - [`connections`]: how many there may be
//! - [`auth`], `gate`: who may call what; the layer that sees to it
//! - `session`, `table`, `watch`, `hand`, `admin`: one service each

mod admin;
pub mod auth;
pub mod connections;
pub mod convert;
pub mod forward;
mod gate;
mod hand;
pub mod options;
pub mod peers;
pub mod server;
mod session;
pub mod status;
mod table;
pub mod watch;

pub use admin::{ClusterView, Mailbox, Tree, TreeKind, TreeLine};
pub use auth::Operators;
pub use connections::ConnectionLimits;
pub use forward::Ways;
pub use options::{Options, Origins};
pub use peers::{Incoming, serve_peers};
pub use server::{OpsServices, ServeError, Services, serve, serve_ops};
pub use watch::{WatchLimits, Watches};

#[cfg(test)]
mod tests;
