//! How an event changes a table. Total: an event that does not fit changes nothing or little, and never panics; whether a
//! table is sound is for `invariants::check` to say.

mod hand;

use crate::command::Phase;
use crate::event::{Cause, Event, Fact, Post, Secret};
use crate::hand::{Hand, InHand, Positions};
use crate::ids::{PlayerId, SeatNo};
use crate::seat::{Away, Entry, Name, Owes, Seat};
use crate::table::Table;

/// The table after the event.
pub fn evolve(table: &mut Table, event: &Event) {
    match event {
        Event::Public(fact) => apply(table, fact),
        Event::Private(Secret::Deck(deck)) => table.restore_secret(deck.clone()),
    }
}

pub(crate) fn apply(table: &mut Table, fact: &Fact) {
    match fact {
        Fact::SeatTaken {
            seat,
            player,
            name,
            buy_in,
            entry,
            owes,
        } => {
            take_seat(table, *seat, (*player, name, *buy_in), *entry, *owes);
        }
        Fact::SeatLeft {
            seat,
            player: _,
            cash_out,
            reason: _,
        } => {
            if table
                .space_mut(*seat)
                .is_some_and(|space| space.take().is_some())
            {
                table.ledger.chips_out = table.ledger.chips_out.saturating_add(*cash_out);
            }
        }
        Fact::LeaveAsked { seat } => in_seat(table, *seat, |taken| taken.leaving = true),
        Fact::TopUpQueued { seat, amount } => {
            let Some(taken) = table.seat_mut(*seat) else {
                return;
            };
            taken.queued_top_up = taken.queued_top_up.saturating_add(*amount);
            table.ledger.chips_in = table.ledger.chips_in.saturating_add(*amount);
        }
        Fact::ToppedUp {
            seat,
            player: _,
            amount,
            returned,
        } => {
            let Some(taken) = table.seat_mut(*seat) else {
                return;
            };
            taken.queued_top_up = 0;
            taken.stack = taken.stack.saturating_add(*amount);
            if taken.away == Some(Away::Broke) && taken.stack > 0 {
                taken.away = None;
            }
            table.ledger.chips_out = table.ledger.chips_out.saturating_add(*returned);
        }
        Fact::SatOut { seat, reason } => in_seat(table, *seat, |taken| taken.away = Some(*reason)),
        Fact::SatIn { seat, entry } => in_seat(table, *seat, |taken| {
            taken.away = None;
            taken.entry = *entry;
            taken.timeouts_in_row = 0;
            taken.absent_buttons = 0;
        }),
        Fact::ConnectionChanged { seat, connected } => {
            in_seat(table, *seat, |taken| taken.connected = *connected);
        }
        Fact::BlindsMissed { seat, owes } => in_seat(table, *seat, |taken| taken.owes = *owes),
        Fact::ButtonMissed { seat, times } => {
            in_seat(table, *seat, |taken| taken.absent_buttons = *times);
        }
        Fact::RunTwiceAsked { turn, seats } => in_hand(table, |hand| hand.asked(*turn, seats)),
        Fact::RunTwiceAnswered { seat, agree: _ } => in_hand(table, |hand| hand.answered(*seat)),
        Fact::RunTwiceSettled { twice } => in_hand(table, |hand| hand.settled(*twice)),
        Fact::SecondBoardDealt { street: _, cards } => {
            in_hand(table, |hand| hand.second_dealt(cards));
        }
        Fact::StraddleChosen { seat, on } => in_seat(table, *seat, |taken| taken.straddles = *on),
        Fact::HandStarted {
            hand,
            button,
            small_blind,
            big_blind,
            dealt,
        } => {
            let positions = Positions {
                button: *button,
                small_blind: *small_blind,
                big_blind: *big_blind,
            };
            hand::start(table, *hand, positions, dealt);
        }
        Fact::Posted { seat, post, amount } => {
            let straddle = table.settings.game.straddle;
            in_hand(table, |hand| {
                hand.posted(*seat, *post, *amount);
                if *post == Post::Straddle {
                    hand.straddled(straddle, *amount);
                }
            });
        }
        Fact::TurnStarted { seat, turn } => in_hand(table, |hand| {
            hand.to_act = Some(*seat);
            hand.turn = *turn;
            hand.phase = Phase::Action;
        }),
        Fact::ReconnectTimeStarted { seat, ms: _ } => in_hand(table, |hand| {
            hand.phase = Phase::Reconnect;
            of_player(hand, *seat, |player| player.reconnect_used = true);
        }),
        Fact::TimeBankStarted { seat: _, ms: _ } => in_hand(table, |hand| hand.phase = Phase::Bank),
        Fact::TimedOut { seat } => timed_out(table, *seat),
        Fact::Acted {
            seat,
            turn: _,
            action,
            to,
            added,
            bank_used_ms,
            cause,
        } => {
            time_used(table, *seat, *bank_used_ms, *cause);
            in_hand(table, |hand| hand.acted(*seat, *action, *to, *added));
        }
        Fact::UncalledReturned { seat, amount } => {
            in_hand(table, |hand| hand.returned(*seat, *amount))
        }
        Fact::StreetDealt { street, cards } => {
            in_hand(table, |hand| hand.street_dealt(*street, cards))
        }
        Fact::Shown { seat, cards } => {
            in_hand(table, |hand| {
                of_player(hand, *seat, |player| player.shown = Some(*cards))
            });
        }
        Fact::Mucked { seat: _ } => {}
        Fact::PotAwarded {
            pot: _,
            amount,
            rake,
            shares,
            part: _,
        } => {
            in_hand(table, |hand| hand.awarded(*amount, *rake, shares));
        }
        Fact::HandEnded { hand: _ } => hand::end(table),
        Fact::HandVoided { hand: _ } => hand::void(table),
        Fact::TableClosed => table.closed = true,
    }
}

fn in_seat(table: &mut Table, seat: SeatNo, change: impl FnOnce(&mut Seat)) {
    if let Some(taken) = table.seat_mut(seat) {
        change(taken);
    }
}

fn in_hand(table: &mut Table, change: impl FnOnce(&mut Hand)) {
    if let Some(hand) = &mut table.hand {
        change(hand);
    }
}

fn of_player(hand: &mut Hand, seat: SeatNo, change: impl FnOnce(&mut InHand)) {
    if let Some(player) = hand.player_mut(seat) {
        change(player);
    }
}

fn take_seat(
    table: &mut Table,
    seat: SeatNo,
    (player, name, stack): (PlayerId, &Name, u64),
    entry: Entry,
    owes: Owes,
) {
    let bank_ms = table.settings.clock.bank_ms;
    let Some(space @ None) = table.space_mut(seat) else {
        return;
    };
    *space = Some(Seat {
        player,
        name: name.clone(),
        stack,
        queued_top_up: 0,
        away: None,
        owes,
        entry,
        leaving: false,
        connected: true,
        timeouts_in_row: 0,
        absent_buttons: 0,
        bank_ms,
        straddles: false,
    });
    table.ledger.chips_in = table.ledger.chips_in.saturating_add(stack);
}

fn timed_out(table: &mut Table, seat: SeatNo) {
    let bank_ran = table.hand().is_some_and(|hand| hand.phase == Phase::Bank);
    in_seat(table, seat, |taken| {
        taken.timeouts_in_row = taken.timeouts_in_row.saturating_add(1);
        taken.bank_ms = if bank_ran { 0 } else { taken.bank_ms };
    });
}

/// Most actions change nothing here, and a seat that is not changed is not copied.
fn time_used(table: &mut Table, seat: SeatNo, bank_used_ms: u32, cause: Cause) {
    let row = table
        .seat(seat)
        .is_some_and(|taken| taken.timeouts_in_row > 0);
    if row && cause == Cause::Player {
        in_seat(table, seat, |taken| taken.timeouts_in_row = 0);
    }
    if bank_used_ms > 0 {
        in_seat(table, seat, |taken| {
            taken.bank_ms = taken.bank_ms.saturating_sub(bank_used_ms)
        });
    }
}
