//! Not being dealt in, and being dealt in again (R11).

use super::draft::{Draft, seat_of};
use crate::event::Fact;
use crate::ids::PlayerId;
use crate::reject::Reject;
use crate::seat::{Away, Entry, Owes};

pub(super) fn sit_out(draft: &mut Draft, player: PlayerId) -> Result<(), Reject> {
    let (no, seat) = seat_of(draft.table(), player)?;
    if seat.leaving {
        return Err(Reject::Leaving);
    }
    if seat.away.is_some() {
        return Err(Reject::AlreadySittingOut);
    }
    draft.push(Fact::SatOut {
        seat: no,
        reason: Away::Asked,
    });
    Ok(())
}

/// Also for a player who waits, to come in another way.
pub(super) fn sit_in(draft: &mut Draft, player: PlayerId, entry: Entry) -> Result<(), Reject> {
    let (no, seat) = seat_of(draft.table(), player)?;
    if seat.leaving {
        return Err(Reject::Leaving);
    }
    if seat.stack == 0 {
        return Err(Reject::NoChips);
    }
    if seat.away.is_none() && (seat.owes == Owes::Nothing || seat.entry == entry) {
        return Err(Reject::AlreadyPlaying);
    }
    draft.push(Fact::SatIn { seat: no, entry });
    Ok(())
}
