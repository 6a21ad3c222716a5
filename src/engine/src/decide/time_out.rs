//! A clock ran out: the next clock of the turn starts, or the player checks or folds (R18, R19).

use super::act::open_turn;
use super::draft::{Draft, open_hand};
use super::{flow, run_twice};
use crate::command::Phase;
use crate::event::{Cause, Fact};
use crate::hand::Hand;
use crate::ids::{HandNo, SeatNo, Turn};
use crate::reject::Reject;
use crate::seat::{Away, Seat};
use crate::table::Table;

pub(super) fn time_out(
    draft: &mut Draft,
    hand_no: HandNo,
    turn: Turn,
    phase: Phase,
) -> Result<(), Reject> {
    let table = draft.table();
    let hand = open_hand(table)?;
    let asked = hand.run_twice_asked().is_some();
    if asked && (hand.no, hand.turn, hand.phase) == (hand_no, turn, phase) {
        run_twice::too_late(draft);
        return Ok(());
    }
    let no = open_turn(hand, hand_no, turn)?;
    if hand.phase != phase {
        return Err(Reject::StaleClock { phase: hand.phase });
    }
    let seat = table.seat(no).ok_or(Reject::NotSeated)?;
    let limit = table.settings.timeouts_to_sit_out;
    let sits_out = limit > 0 && seat.timeouts_in_row.saturating_add(1) >= limit;
    if let Some(more) = more_time(table, hand, no, seat) {
        draft.push(more);
        return Ok(());
    }
    draft.push(Fact::TimedOut { seat: no });
    flow::act_for(draft, no, Cause::TimeOut);
    if sits_out {
        draft.push(Fact::SatOut {
            seat: no,
            reason: Away::TimedOut,
        });
    }
    flow::go_on_after(draft, no);
    Ok(())
}

/// The clock after the one that ran out.
fn more_time(table: &Table, hand: &Hand, no: SeatNo, seat: &Seat) -> Option<Fact> {
    let bank = (seat.bank_ms > 0).then_some(Fact::TimeBankStarted {
        seat: no,
        ms: seat.bank_ms,
    });
    match hand.phase {
        Phase::Action => {
            let ms = table.settings.clock.reconnect_ms;
            let reconnect_used = hand.player(no).is_none_or(|p| p.reconnect_used);
            if seat.connected || reconnect_used || ms == 0 {
                return bank;
            }
            Some(Fact::ReconnectTimeStarted { seat: no, ms })
        }
        Phase::Reconnect => bank,
        Phase::Bank | Phase::RunTwice => None,
    }
}
