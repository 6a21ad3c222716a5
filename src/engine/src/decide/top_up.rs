//! Bringing chips. A stack is fixed during a hand: what is brought then waits for its end (R17).

use super::between_hands;
use super::draft::{Draft, seat_of};
use crate::event::Fact;
use crate::ids::PlayerId;
use crate::reject::Reject;

pub(super) fn top_up(draft: &mut Draft, player: PlayerId, amount: u64) -> Result<(), Reject> {
    let table = draft.table();
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
    let plays = table.hand().is_some_and(|hand| hand.player(no).is_some());
    draft.push(Fact::TopUpQueued { seat: no, amount });
    if !plays {
        between_hands::top_up(draft, no);
    }
    Ok(())
}
