//! Tables: a shard's log, its tables as actors, and the handle to all of them.
//!
//! Others hold a [`Tables`], never an actor.

pub mod frame;
pub mod request;
