//! A player's connection comes or goes. What it changes is the time that he has (R18).

use alloc::vec;
use alloc::vec::Vec;

use super::draft::seat_of;
use crate::event::{Event, Fact};
use crate::ids::PlayerId;
use crate::reject::Reject;
use crate::table::Table;

pub(super) fn connection(
    table: &Table,
    player: PlayerId,
    connected: bool,
) -> Result<Vec<Event>, Reject> {
    let (seat, taken) = seat_of(table, player)?;
    if taken.connected == connected {
        return Err(Reject::ConnectionUnchanged);
    }
    Ok(vec![Event::Public(Fact::ConnectionChanged {
        seat,
        connected,
    })])
}
