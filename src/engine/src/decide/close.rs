//! The table closes for good.

use alloc::vec::Vec;

use super::draft::Draft;
use crate::event::{Fact, LeaveReason};
use crate::reject::Reject;

pub(super) fn close(draft: &mut Draft) -> Result<(), Reject> {
    if let Some(hand) = draft.hand() {
        return Err(Reject::HandInProgress { hand: hand.no });
    }
    let seats = draft.table().seats();
    let leaving: Vec<Fact> = seats
        .map(|(seat, taken)| Fact::SeatLeft {
            seat,
            player: taken.player,
            cash_out: taken.stack.saturating_add(taken.queued_top_up),
            reason: LeaveReason::Closed,
        })
        .collect();
    for left in leaving {
        draft.push(left);
    }
    draft.push(Fact::TableClosed);
    Ok(())
}
