//! Leaving the table: at once, or after the hand that one is in (R18).

use alloc::vec::Vec;

use super::draft::{Draft, open_hand, seat_of};
use super::flow;
use crate::event::{Cause, Event, Fact, LeaveReason};
use crate::ids::PlayerId;
use crate::reject::Reject;
use crate::table::Table;

pub(super) fn leave(table: &Table, player: PlayerId) -> Result<Vec<Event>, Reject> {
    let (no, seat) = seat_of(table, player)?;
    if seat.leaving {
        return Err(Reject::Leaving);
    }
    let mut draft = Draft::new(table);
    if table.hand().is_none_or(|hand| hand.player(no).is_none()) {
        let cash_out = seat.stack.saturating_add(seat.queued_top_up);
        draft.push(Fact::SeatLeft {
            seat: no,
            player,
            cash_out,
            reason: LeaveReason::Asked,
        });
        return Ok(draft.events());
    }
    let hand = open_hand(table)?;
    let at_turn = hand.to_act == Some(no);
    draft.push(Fact::LeaveAsked { seat: no });
    if at_turn {
        flow::act_for(&mut draft, no, Cause::Away);
        flow::go_on_after(&mut draft, no);
    }
    Ok(draft.events())
}
