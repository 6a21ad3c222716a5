//! What a command does: the events that it causes, or the rule that refuses it.

use alloc::vec::Vec;

use crate::command::Command;
use crate::event::Event;
use crate::reject::Reject;
use crate::table::Table;

/// The events of a command, up to the next decision of a player; or why it is refused. Changes nothing: the caller
/// evolves a copy, checks it, keeps the events, and only then believes them.
pub fn decide(_table: &Table, _command: &Command) -> Result<Vec<Event>, Reject> {
    Err(Reject::NoHand)
}
