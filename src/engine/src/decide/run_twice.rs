//! Dealing the rest of the board twice: asking everybody who is in, their answers, and the second board.

use alloc::vec::Vec;

use super::draft::{Draft, open_hand, seat_of};
use super::flow::{acts_for_himself, go_on_after};
use crate::cards::Cards;
use crate::event::Fact;
use crate::hand::Street;
use crate::ids::{HandNo, PlayerId, SeatNo, Turn};
use crate::reject::Reject;

pub(super) fn run_twice(
    draft: &mut Draft,
    player: PlayerId,
    hand_no: HandNo,
    turn: Turn,
    agree: bool,
) -> Result<(), Reject> {
    let table = draft.table();
    let (seat, _) = seat_of(table, player)?;
    if !table.settings.game.run_twice {
        return Err(Reject::NeverRunTwice);
    }
    let now = (
        table.hands_started,
        table.hand().map_or(Turn(u32::MAX), |hand| hand.turn),
    );
    if (hand_no, turn) > now {
        return Err(Reject::RunTwiceNotAsked);
    }
    let hand = table.hand().filter(|_| (hand_no, turn) == now);
    let Some((hand, (open, _))) = hand.and_then(|hand| Some((hand, hand.run_twice_asked()?)))
    else {
        return Err(Reject::RunTwiceTooLate);
    };
    if !open.contains(&seat) {
        let in_hand = hand.live().any(|player| player.seat == seat);
        return Err(if in_hand {
            Reject::RunTwiceAnswered
        } else {
            Reject::RunTwiceNotInvolved
        });
    }
    open_hand(table)?;
    answer(draft, seat, agree);
    Ok(())
}

/// Asks everybody who is still in, if that is the table's custom and all are there to answer. Once a hand.
pub(super) fn asks(draft: &mut Draft) -> bool {
    let Some(hand) = draft.hand() else {
        return false;
    };
    let settled = hand.extra.run_twice.is_some() || hand.street == Street::River;
    if settled || !draft.table().settings.game.run_twice {
        return false;
    }
    let seats: Vec<SeatNo> = hand.live().map(|player| player.seat).collect();
    if !seats.iter().all(|seat| acts_for_himself(draft, *seat)) {
        return false;
    }
    let turn = Turn(hand.turn.0.saturating_add(1));
    draft.push(Fact::RunTwiceAsked { turn, seats });
    true
}

/// Who leaves while he is asked does not agree.
pub(super) fn left(draft: &mut Draft, seat: SeatNo) {
    let asked = draft.hand().and_then(|hand| hand.run_twice_asked());
    if asked.is_some_and(|(open, _)| open.contains(&seat)) {
        answer(draft, seat, false);
    }
}

/// The time is over: not all agreed.
pub(super) fn too_late(draft: &mut Draft) {
    settle(draft, false);
}

/// What the second board lacks, street by street.
pub(super) fn deal_second_board(draft: &mut Draft) {
    let variant = draft.table().settings.game.variant;
    let Some((hand, second)) = draft
        .hand()
        .and_then(|hand| Some((hand, hand.second_board()?)))
    else {
        return;
    };
    let shared = second.len();
    let board = hand
        .deck
        .as_ref()
        .and_then(|deck| deck.second_board(hand.players.len(), variant, shared));
    let board = board.expect(
        "a table that runs twice has seats for no more players than the deck has two boards for",
    );
    let mut from = shared;
    for street in [Street::Flop, Street::Turn, Street::River] {
        if street.board_len() > from {
            let cards = Cards::default().and(&board[from..street.board_len()]);
            draft.push(Fact::SecondBoardDealt { street, cards });
            from = street.board_len();
        }
    }
}

fn answer(draft: &mut Draft, seat: SeatNo, agree: bool) {
    draft.push(Fact::RunTwiceAnswered { seat, agree });
    let all = draft
        .hand()
        .and_then(|hand| hand.run_twice_asked())
        .is_some_and(|(open, _)| open.is_empty());
    if all || !agree {
        settle(draft, agree);
    }
}

fn settle(draft: &mut Draft, twice: bool) {
    draft.push(Fact::RunTwiceSettled { twice });
    let first = draft.hand().and_then(|hand| hand.players.first());
    if let Some(seat) = first.map(|player| player.seat) {
        go_on_after(draft, seat);
    }
}
