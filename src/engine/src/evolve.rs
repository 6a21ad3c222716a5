//! How an event changes a table. Total: an event that does not fit changes nothing or little, and never panics; that a
//! table is sound is for `invariants::check` to say.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::cards::Cards;
use crate::command::{Action, Phase};
use crate::event::{Cause, Dealt, Event, Fact, Post, Secret};
use crate::hand::{Hand, InHand, Positions, Street};
use crate::ids::{HandNo, SeatNo, Turn};
use crate::seat::{Away, Seat};
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
            let bank_ms = table.settings.clock.bank_ms;
            let Some(space) = table.space_mut(*seat) else {
                return;
            };
            if space.is_some() {
                return;
            }
            *space = Some(Seat {
                player: *player,
                name: name.clone(),
                stack: *buy_in,
                queued_top_up: 0,
                away: None,
                owes: *owes,
                entry: *entry,
                leaving: false,
                connected: true,
                timeouts_in_row: 0,
                absent_buttons: 0,
                bank_ms,
            });
            table.ledger.chips_in = table.ledger.chips_in.saturating_add(*buy_in);
        }
        Fact::SeatLeft {
            seat,
            player: _,
            cash_out,
            reason: _,
        } => {
            let Some(space) = table.space_mut(*seat) else {
                return;
            };
            if space.take().is_some() {
                table.ledger.chips_out = table.ledger.chips_out.saturating_add(*cash_out);
            }
        }
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
        Fact::TableClosed => table.closed = true,
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
            start(table, *hand, positions, dealt);
        }
        Fact::HandEnded { hand: _ } => end(table),
        Fact::HandVoided { hand: _ } => void(table),
        Fact::LeaveAsked { .. }
        | Fact::SatOut { .. }
        | Fact::SatIn { .. }
        | Fact::ConnectionChanged { .. }
        | Fact::BlindsMissed { .. }
        | Fact::ButtonMissed { .. } => apply_to_seat(table, fact),
        Fact::Posted { .. }
        | Fact::TurnStarted { .. }
        | Fact::ReconnectTimeStarted { .. }
        | Fact::TimeBankStarted { .. }
        | Fact::TimedOut { .. }
        | Fact::Acted { .. }
        | Fact::UncalledReturned { .. }
        | Fact::StreetDealt { .. }
        | Fact::Shown { .. }
        | Fact::Mucked { .. }
        | Fact::PotAwarded { .. } => {
            time_taken(table, fact);
            if let Some(hand) = &mut table.hand {
                apply_to_hand(hand, fact);
            }
        }
    }
}

fn apply_to_seat(table: &mut Table, fact: &Fact) {
    let (Fact::LeaveAsked { seat }
    | Fact::SatOut { seat, .. }
    | Fact::SatIn { seat, .. }
    | Fact::ConnectionChanged { seat, .. }
    | Fact::BlindsMissed { seat, .. }
    | Fact::ButtonMissed { seat, .. }) = fact
    else {
        return;
    };
    let Some(taken) = table.seat_mut(*seat) else {
        return;
    };
    if let Fact::LeaveAsked { .. } = fact {
        taken.leaving = true;
    }
    if let Fact::SatOut { reason, .. } = fact {
        taken.away = Some(*reason);
    }
    if let Fact::SatIn { entry, .. } = fact {
        taken.away = None;
        taken.entry = *entry;
        taken.timeouts_in_row = 0;
        taken.absent_buttons = 0;
    }
    if let Fact::ConnectionChanged { connected, .. } = fact {
        taken.connected = *connected;
    }
    if let Fact::BlindsMissed { owes, .. } = fact {
        taken.owes = *owes;
    }
    if let Fact::ButtonMissed { times, .. } = fact {
        taken.absent_buttons = *times;
    }
}

fn start(table: &mut Table, no: HandNo, positions: Positions, dealt: &[Dealt]) {
    let mut players = Vec::with_capacity(dealt.len());
    let gain = table.settings.clock.bank_gain_ms;
    let full = table.settings.clock.bank_ms;
    for Dealt {
        seat,
        player,
        stack,
    } in dealt.iter().copied()
    {
        // Nobody is dealt in twice, so a hand never has more players than the table has seats.
        if players.iter().any(|p: &InHand| p.seat == seat) {
            continue;
        }
        let Some(taken) = table.seat_mut(seat) else {
            continue;
        };
        let owed = core::mem::take(&mut taken.owes);
        taken.absent_buttons = 0;
        taken.bank_ms = taken.bank_ms.saturating_add(gain).min(full);
        players.push(InHand {
            seat,
            player,
            start: stack,
            stack,
            bet: 0,
            bets: 0,
            ante: 0,
            folded: false,
            acted: false,
            reconnect_used: false,
            shown: None,
            owed,
        });
    }
    let big_blind = table.settings.big_blind;
    table.hand = Some(Box::new(Hand {
        no,
        positions,
        positions_before: table.positions,
        street: Street::Preflop,
        board: Cards::default(),
        players,
        current_bet: big_blind,
        min_bet: big_blind,
        last_full_raise: big_blind,
        aggressor: None,
        turn: Turn(0),
        to_act: None,
        phase: Phase::Action,
        dead: 0,
        awarded: 0,
        rake: 0,
        deck: None,
    }));
    table.positions = Some(positions);
    table.hands_started = no;
}

fn end(table: &mut Table) {
    let Some(hand) = table.hand.take() else {
        return;
    };
    for player in &hand.players {
        if let Some(taken) = table.seat_mut(player.seat) {
            taken.stack = player.stack;
        }
    }
    table.ledger.rake = table.ledger.rake.saturating_add(hand.rake);
}

/// The stacks of the seats are still those of the hand's start.
fn void(table: &mut Table) {
    let Some(hand) = table.hand.take() else {
        return;
    };
    for player in &hand.players {
        if let Some(taken) = table.seat_mut(player.seat) {
            taken.owes = player.owed;
        }
    }
    table.positions = hand.positions_before;
}

/// What a decision, or its absence, does to the player's clocks (R19).
fn time_taken(table: &mut Table, fact: &Fact) {
    let (Fact::Acted { seat, .. } | Fact::TimedOut { seat }) = fact else {
        return;
    };
    let bank_ran = table.hand().is_some_and(|hand| hand.phase == Phase::Bank);
    if let Fact::TimedOut { .. } = fact
        && let Some(taken) = table.seat_mut(*seat)
    {
        taken.timeouts_in_row = taken.timeouts_in_row.saturating_add(1);
        taken.bank_ms = if bank_ran { 0 } else { taken.bank_ms };
    }
    if let Fact::Acted {
        bank_used_ms,
        cause,
        ..
    } = fact
    {
        let ends_row = *cause == Cause::Player
            && table
                .seat(*seat)
                .is_some_and(|taken| taken.timeouts_in_row > 0);
        // Most actions change nothing here, and a seat that is not changed is not copied.
        if (ends_row || *bank_used_ms > 0)
            && let Some(taken) = table.seat_mut(*seat)
        {
            taken.bank_ms = taken.bank_ms.saturating_sub(*bank_used_ms);
            taken.timeouts_in_row = if ends_row { 0 } else { taken.timeouts_in_row };
        }
    }
}

fn apply_to_hand(hand: &mut Hand, fact: &Fact) {
    if let Fact::Posted { seat, post, amount } = fact {
        posted(hand, *seat, *post, *amount);
    }
    if let Fact::TurnStarted { seat, turn } = fact {
        hand.to_act = Some(*seat);
        hand.turn = *turn;
        hand.phase = Phase::Action;
    }
    if let Fact::ReconnectTimeStarted { seat, ms: _ } = fact {
        hand.phase = Phase::Reconnect;
        if let Some(player) = hand.player_mut(*seat) {
            player.reconnect_used = true;
        }
    }
    if let Fact::TimeBankStarted { .. } = fact {
        hand.phase = Phase::Bank;
    }
    if let Fact::Acted {
        seat,
        action,
        to,
        added,
        ..
    } = fact
    {
        acted(hand, *seat, *action, *to, *added);
    }
    if let Fact::UncalledReturned { seat, amount } = fact
        && let Some(player) = hand.player_mut(*seat)
    {
        player.bet = player.bet.saturating_sub(*amount);
        player.bets = player.bets.saturating_sub(*amount);
        player.stack = player.stack.saturating_add(*amount);
    }
    if let Fact::StreetDealt { street, cards } = fact {
        hand.street = *street;
        hand.board = hand.board.and(cards);
        hand.current_bet = 0;
        hand.last_full_raise = hand.min_bet;
        hand.aggressor = None;
        for player in &mut hand.players {
            player.bet = 0;
            player.acted = false;
        }
    }
    if let Fact::Shown { seat, cards } = fact
        && let Some(player) = hand.player_mut(*seat)
    {
        player.shown = Some(*cards);
    }
    if let Fact::PotAwarded {
        pot: _,
        amount,
        rake,
        shares,
    } = fact
    {
        hand.awarded = hand.awarded.saturating_add(*amount);
        hand.rake = hand.rake.saturating_add(*rake);
        for (seat, share) in shares {
            if let Some(player) = hand.player_mut(*seat) {
                player.stack = player.stack.saturating_add(*share);
            }
        }
    }
}

fn posted(hand: &mut Hand, seat: SeatNo, post: Post, amount: u64) {
    let Some(player) = hand.player_mut(seat) else {
        return;
    };
    player.stack = player.stack.saturating_sub(amount);
    match post {
        Post::SmallBlind | Post::BigBlind | Post::LiveBlind => {
            player.bet = player.bet.saturating_add(amount);
            player.bets = player.bets.saturating_add(amount);
        }
        Post::Ante => player.ante = player.ante.saturating_add(amount),
        Post::BigBlindAnte | Post::DeadBlind => hand.dead = hand.dead.saturating_add(amount),
    }
}

fn acted(hand: &mut Hand, seat: SeatNo, action: Action, to: u64, added: u64) {
    let (current_bet, last_full_raise) = (hand.current_bet, hand.last_full_raise);
    hand.to_act = None;
    hand.phase = Phase::Action;
    let Some(player) = hand.player_mut(seat) else {
        return;
    };
    player.acted = true;
    player.stack = player.stack.saturating_sub(added);
    player.bet = player.bet.saturating_add(added);
    player.bets = player.bets.saturating_add(added);
    match action {
        Action::Fold => player.folded = true,
        Action::Check | Action::Call => {}
        Action::RaiseTo { .. } => {
            hand.aggressor = Some(seat);
            hand.current_bet = to;
            // An all-in for less than a full raise does not change what a full raise is (R2).
            hand.last_full_raise = last_full_raise.max(to.saturating_sub(current_bet));
        }
    }
}
