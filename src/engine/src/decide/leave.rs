//! Leaving the table: at once, or after the hand that one is in (R18).

use super::draft::{Draft, open_hand, seat_of};
use super::{flow, run_twice};
use crate::event::{Cause, Fact, LeaveReason};
use crate::ids::PlayerId;
use crate::reject::Reject;

pub(super) fn leave(draft: &mut Draft, player: PlayerId) -> Result<(), Reject> {
    let table = draft.table();
    let (no, seat) = seat_of(table, player)?;
    if seat.leaving {
        return Err(Reject::Leaving);
    }
    if table.hand().is_none_or(|hand| hand.player(no).is_none()) {
        let cash_out = seat.stack.saturating_add(seat.queued_top_up);
        draft.push(Fact::SeatLeft {
            seat: no,
            player,
            cash_out,
            reason: LeaveReason::Asked,
        });
        return Ok(());
    }
    let hand = open_hand(table)?;
    let at_turn = hand.to_act == Some(no);
    draft.push(Fact::LeaveAsked { seat: no });
    if at_turn {
        flow::act_for(draft, no, Cause::Away);
        flow::go_on_after(draft, no);
    } else {
        run_twice::left(draft, no);
    }
    Ok(())
}
