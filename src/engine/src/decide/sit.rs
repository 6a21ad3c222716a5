//! Taking a seat.

use alloc::vec;
use alloc::vec::Vec;

use crate::event::{Event, Fact};
use crate::ids::{HandNo, PlayerId, SeatNo};
use crate::reject::Reject;
use crate::seat::{Entry, Name, Owes};
use crate::table::Table;

pub(super) fn sit(
    table: &Table,
    player: PlayerId,
    name: &Name,
    seat: SeatNo,
    buy_in: u64,
    entry: Entry,
) -> Result<Vec<Event>, Reject> {
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
    if buy_in > table.settings.buy_in_max {
        return Err(Reject::BuyInAboveMaximum {
            max: table.settings.buy_in_max,
        });
    }
    // Those who start a game owe nothing (R11).
    let owes = if table.hands_started == HandNo(0) {
        Owes::Nothing
    } else {
        Owes::BigBlind
    };
    Ok(vec![Event::Public(Fact::SeatTaken {
        seat,
        player,
        name: name.clone(),
        buy_in,
        entry,
        owes,
    })])
}
