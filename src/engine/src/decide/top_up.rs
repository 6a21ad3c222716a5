//! Bringing chips. A stack is fixed during a hand: what is brought then waits for its end (R17).

use alloc::vec::Vec;

use super::between_hands;
use super::draft::{Draft, seat_of};
use crate::event::{Event, Fact};
use crate::ids::PlayerId;
use crate::reject::Reject;
use crate::table::Table;

pub(super) fn top_up(table: &Table, player: PlayerId, amount: u64) -> Result<Vec<Event>, Reject> {
    let (no, seat) = seat_of(table, player)?;
    if seat.leaving {
        return Err(Reject::Leaving);
    }
    if amount == 0 {
        return Err(Reject::TopUpOfNothing);
    }
    let has = table
        .stack(no)
        .unwrap_or(seat.stack)
        .saturating_add(seat.queued_top_up);
    let max = table.settings.buy_in_max.saturating_sub(has);
    if amount > max {
        return Err(Reject::TopUpAboveMaximum { max });
    }
    let mut draft = Draft::new(table);
    draft.push(Fact::TopUpQueued { seat: no, amount });
    if table.hand().is_none_or(|hand| hand.player(no).is_none()) {
        between_hands::top_up(&mut draft, no);
    }
    Ok(draft.events())
}
