//! A table as one viewer may see it, and a line of the table list.

use std::time::Duration;

use engine::{HandView, Legal, Phase, PlayerView, SeatNo, SeatView, View, pot};
use proto::v1;

use super::{cards, fact, settings};
use crate::table::request::{Summary, TableView};

/// The whole table.
pub fn table(table: &TableView) -> v1::TableView {
    let view = &table.view;
    let hand = view.hand.as_ref();
    v1::TableView {
        table_id: table.table.to_string(),
        name: table.name.as_ref().to_owned(),
        settings: Some(settings::wire(&view.settings)),
        seats: view
            .seats
            .iter()
            .flatten()
            .map(|taken| seat(taken, view))
            .collect(),
        hand: view.hands_started.0,
        hand_running: hand.is_some(),
        street: hand
            .map_or(v1::Street::Unspecified, |hand| fact::street(hand.street))
            .into(),
        board: hand.map_or_else(Vec::new, |hand| cards(&hand.board)),
        pots: hand.map_or_else(Vec::new, pots),
        button: hand.map(|hand| hand.positions.button.0.into()),
        small_blind: hand.and_then(small_blind),
        big_blind: hand.map(|hand| hand.positions.big_blind.0.into()),
        pot: hand.map_or(0, |hand| hand.pot),
        current_bet: hand.map_or(0, |hand| hand.current_bet),
        legal: hand.and_then(|hand| turn(hand, view, table.time_left)),
        your_seat: view.you.map(|seat| seat.0.into()),
        parked: table.parked,
        closed: view.closed,
        run_twice_asked: hand
            .and_then(|hand| hand.run_twice_asked.as_ref())
            .map(|(seats, turn)| fact::asked(*turn, seats, left_ms(hand, table.time_left))),
        second_board: hand
            .and_then(|hand| hand.second_board)
            .map_or_else(Vec::new, |second| cards(&second)),
    }
}

/// What is left of the clock that runs; all of it where nobody measures it.
fn left_ms(hand: Option<&HandView>, time_left: Option<Duration>) -> u32 {
    let promised = hand.and_then(|hand| hand.clock).map_or(0, |clock| clock.ms);
    time_left.map_or(promised, |left| {
        u32::try_from(left.as_millis()).unwrap_or(u32::MAX)
    })
}

/// None where only the button posts.
fn small_blind(hand: &HandView) -> Option<u32> {
    let at = hand.positions;
    (at.small_blind != at.big_blind).then_some(at.small_blind.0.into())
}

/// A line of the table list.
pub fn summary(summary: &Summary) -> v1::TableSummary {
    v1::TableSummary {
        table_id: summary.table.to_string(),
        name: summary.name.as_ref().to_owned(),
        settings: Some(settings::wire(&summary.settings)),
        players: summary.players.into(),
        hand: summary.hand.0,
    }
}

/// What the player to act may do, and how long he has.
pub fn legal(legal: Legal, phase: Phase, time_left_ms: u32, bank_ms: u32) -> v1::Legal {
    v1::Legal {
        seat: legal.seat.0.into(),
        turn: legal.turn.0,
        check: legal.check,
        call: legal.call.unwrap_or(0),
        raise_to_min: legal.raise_to.map_or(0, |bounds| bounds.min_to),
        raise_to_max: legal.raise_to.map_or(0, |bounds| bounds.max_to),
        time_left_ms,
        bank_ms,
        phase: match phase {
            Phase::Action => v1::ClockPhase::Action,
            Phase::Reconnect => v1::ClockPhase::Reconnect,
            Phase::Bank => v1::ClockPhase::Bank,
            Phase::RunTwice => v1::ClockPhase::RunTwice,
        }
        .into(),
    }
}

fn turn(hand: &HandView, view: &View, time_left: Option<Duration>) -> Option<v1::Legal> {
    let (legal_now, clock) = (hand.legal?, hand.clock?);
    let left = left_ms(Some(hand), time_left);
    let bank_ms = view
        .seats
        .iter()
        .flatten()
        .find(|seat| seat.seat == legal_now.seat)
        .map_or(0, |seat| seat.bank_ms);
    Some(legal(legal_now, clock.phase, left, bank_ms))
}

fn seat(taken: &SeatView, view: &View) -> v1::Seat {
    let player = view.hand.as_ref().and_then(|hand| player(hand, taken.seat));
    v1::Seat {
        seat: taken.seat.0.into(),
        player_id: taken.player.to_string(),
        display_name: taken.name.as_str().to_owned(),
        stack: taken.stack,
        status: status(taken, view.hand.is_some(), player.is_some()).into(),
        connected: taken.connected,
        in_hand: player.is_some_and(|player| !player.folded),
        all_in: player.is_some_and(|player| player.all_in),
        bet: player.map_or(0, |player| player.bet),
        cards: player.map_or_else(Vec::new, seen_cards),
        leaving: taken.leaving,
        dealt: player.is_some(),
        bank_ms: taken.bank_ms,
        queued_top_up: taken.queued_top_up,
        straddles: taken.straddles,
    }
}

fn status(taken: &SeatView, hand_running: bool, dealt: bool) -> v1::SeatStatus {
    if taken.away.is_some() {
        return v1::SeatStatus::SittingOut;
    }
    let owes_nothing = taken.owes == engine::Owes::Nothing;
    if dealt || (owes_nothing && !hand_running) {
        v1::SeatStatus::Playing
    } else {
        v1::SeatStatus::Waiting
    }
}

/// The own cards, or cards shown; the engine put there only what this viewer may see.
fn seen_cards(player: &PlayerView) -> Vec<String> {
    if let Some(own) = &player.own {
        return cards(own.cards());
    }
    player
        .shown
        .as_ref()
        .map_or_else(Vec::new, |shown| cards(shown))
}

fn player(hand: &HandView, seat: SeatNo) -> Option<&PlayerView> {
    hand.players.iter().find(|player| player.seat == seat)
}

/// The pots of the streets before this one. What is in the pot and was paid by nobody as a bet or an ante is dead money;
/// it belongs to the main pot whoever posted it, so it is written to the first.
fn pots(hand: &HandView) -> Vec<v1::Pot> {
    let paid = hand
        .players
        .iter()
        .map(|player| player.paid)
        .fold(0, u64::saturating_add);
    let dead = hand.pot.saturating_sub(paid);
    let stakes: Vec<pot::Stake> = (hand
        .players
        .iter()
        .zip(std::iter::once(dead).chain(std::iter::repeat(0))))
    .map(|(player, dead)| pot::Stake {
        ante: 0,
        live: player.paid.saturating_sub(player.bet),
        dead,
        folded: player.folded,
    })
    .collect();
    let seats = |pot: &pot::Pot| {
        pot.contenders
            .iter()
            .filter_map(|place| hand.players.get(*place))
            .map(|player| player.seat.0.into())
            .collect()
    };
    pot::pots(&stakes)
        .iter()
        .map(|pot| v1::Pot {
            amount: pot.amount,
            seats: seats(pot),
        })
        .collect()
}

#[cfg(test)]
mod tests;
