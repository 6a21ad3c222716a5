//! Not being dealt in, and being dealt in again (R11).

use alloc::vec;
use alloc::vec::Vec;

use super::draft::seat_of;
use crate::event::{Event, Fact};
use crate::ids::PlayerId;
use crate::reject::Reject;
use crate::seat::{Away, Entry, Owes};
use crate::table::Table;

pub(super) fn sit_out(table: &Table, player: PlayerId) -> Result<Vec<Event>, Reject> {
    let (no, seat) = seat_of(table, player)?;
    if seat.leaving {
        return Err(Reject::Leaving);
    }
    if seat.away.is_some() {
        return Err(Reject::AlreadySittingOut);
    }
    Ok(vec![Event::Public(Fact::SatOut {
        seat: no,
        reason: Away::Asked,
    })])
}

/// Also for a player who waits, to come in another way.
pub(super) fn sit_in(table: &Table, player: PlayerId, entry: Entry) -> Result<Vec<Event>, Reject> {
    let (no, seat) = seat_of(table, player)?;
    if seat.leaving {
        return Err(Reject::Leaving);
    }
    if seat.stack == 0 {
        return Err(Reject::NoChips);
    }
    if seat.away.is_none() && (seat.owes == Owes::Nothing || seat.entry == entry) {
        return Err(Reject::AlreadyPlaying);
    }
    Ok(vec![Event::Public(Fact::SatIn { seat: no, entry })])
}
