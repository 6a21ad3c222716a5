//! Taking a seat.

use super::draft::Draft;
use crate::event::Fact;
use crate::ids::{HandNo, PlayerId, SeatNo};
use crate::reject::Reject;
use crate::seat::{Entry, Name, Owes};

pub(super) fn sit(
    draft: &mut Draft,
    player: PlayerId,
    name: &Name,
    seat: SeatNo,
    (buy_in, must_bring): (u64, u64),
    entry: Entry,
) -> Result<(), Reject> {
    let table = draft.table();
    if let Some((seat, _)) = table.seat_of(player) {
        return Err(Reject::AlreadySeated { seat });
    }
    if seat.0 >= table.settings.seats {
        return Err(Reject::NoSuchSeat {
            seats: table.settings.seats,
        });
    }
    if table.seat(seat).is_some() {
        return Err(Reject::SeatOccupied);
    }
    if buy_in < table.settings.buy_in_min {
        return Err(Reject::BuyInBelowMinimum {
            min: table.settings.buy_in_min,
        });
    }
    if buy_in < must_bring {
        return Err(Reject::Rathole { must_bring });
    }
    // What he took he may bring, also where it is more than others may (R17).
    let max = table.settings.buy_in_max.max(must_bring);
    if buy_in > max {
        return Err(Reject::BuyInAboveMaximum { max });
    }
    // Those who start a game owe nothing (R11).
    let owes = if table.hands_started == HandNo(0) {
        Owes::Nothing
    } else {
        Owes::BigBlind
    };
    draft.push(Fact::SeatTaken {
        seat,
        player,
        name: name.clone(),
        buy_in,
        entry,
        owes,
    });
    Ok(())
}
