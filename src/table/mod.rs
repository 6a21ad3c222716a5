//! Tables: a shard's log, its tables as actors, and the handle to all of them.
//!
//! Others hold a [`Tables`], never an actor.

pub mod actor;
mod admin;
pub mod clock;
pub mod codec;
mod decide;
mod departures;
#[cfg(feature = "faults")]
pub mod fault;
pub mod frame;
mod handle;
pub mod level;
mod refusals;
pub mod request;
pub mod seal;
pub mod shard;
pub mod shuffle;
pub mod state;
#[cfg(test)]
mod tests;
pub mod watch;

pub use admin::{AdminPage, AdminTable, BadStanding, Standing};
pub use handle::{NewTable, Tables, Totals};
pub use watch::{Orphan, Orphanage};
