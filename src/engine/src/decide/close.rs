//! The table closes for good.

use alloc::vec::Vec;

use super::draft::Draft;
use crate::event::{Event, Fact, LeaveReason};
use crate::reject::Reject;
use crate::table::Table;

pub(super) fn close(table: &Table) -> Result<Vec<Event>, Reject> {
    if let Some(hand) = table.hand() {
        return Err(Reject::HandInProgress { hand: hand.no });
    }
    let mut draft = Draft::new(table);
    for (seat, taken) in table.seats() {
        let cash_out = taken.stack.saturating_add(taken.queued_top_up);
        draft.push(Fact::SeatLeft {
            seat,
            player: taken.player,
            cash_out,
            reason: LeaveReason::Closed,
        });
    }
    draft.push(Fact::TableClosed);
    Ok(draft.events())
}
