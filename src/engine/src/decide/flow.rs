//! What follows from a decision without anybody being asked: the next turn, the next street, the showdown, the end of the
//! hand.

use alloc::vec;
use alloc::vec::Vec;

use super::between_hands::between_hands;
use super::draft::Draft;
use super::run_twice;
use crate::bet::{call_target, must_act};
use crate::cards::Cards;
use crate::command::Action;
use crate::event::{Cause, Fact};
use crate::hand::{Hand, Street};
use crate::ids::{SeatNo, Turn};
use crate::pot::{self, Pot};
use crate::seat::Away;
use crate::showdown::{self, Standings, Turned};

/// Goes on until a player must decide, all are asked whether to run it twice, or the hand is over. The first to be asked is left of `seat`.
pub(super) fn go_on_after(draft: &mut Draft, seat: SeatNo) {
    let place = |hand: &Hand| hand.players.iter().position(|p| p.seat == seat);
    let mut from = draft.hand().and_then(place).map_or(0, |place| place + 1);
    while let Some(hand) = draft.hand() {
        if hand.run_twice_asked().is_some() {
            return;
        }
        if hand.live().nth(1).is_none() {
            end_uncontested(draft);
        } else if let Some(place) = next_to_act(hand, from) {
            let seat = hand.players[place].seat;
            let turn = Turn(hand.turn.0.saturating_add(1));
            draft.push(Fact::TurnStarted { seat, turn });
            if !acts_for_himself(draft, seat) {
                act_for(draft, seat, Cause::Away);
                from = place + 1;
                continue;
            }
            return;
        } else {
            end_street(draft);
            from = 0;
        }
    }
}

/// Checks for the player to act if that is free, else folds (R18, R19).
pub(super) fn act_for(draft: &mut Draft, seat: SeatNo, cause: Cause) {
    let Some(hand) = draft.hand() else { return };
    let Some(player) = hand.player(seat) else {
        return;
    };
    let free = call_target(hand, player) <= player.bet;
    let action = if free { Action::Check } else { Action::Fold };
    let (turn, to) = (hand.turn, player.bet);
    draft.push(Fact::Acted {
        seat,
        turn,
        action,
        to,
        added: 0,
        bank_used_ms: 0,
        cause,
    });
}

fn next_to_act(hand: &Hand, from: usize) -> Option<usize> {
    let count = hand.players.len();
    (from..count)
        .chain(0..from)
        .find(|place| must_act(hand, &hand.players[*place]))
}

pub(super) fn acts_for_himself(draft: &Draft, seat: SeatNo) -> bool {
    draft
        .table()
        .seat(seat)
        .is_some_and(|seat| !seat.leaving && seat.away != Some(Away::TimedOut))
}

fn end_street(draft: &mut Draft) {
    return_uncalled(draft);
    let show_all_in = draft.table().settings.show_all_in;
    let Some(hand) = draft.hand() else { return };
    let all_in = hand.live().any(|p| p.stack == 0);
    let closed = hand.live().filter(|p| p.stack > 0).nth(1).is_none();
    let street = hand.street;
    if show_all_in && all_in && closed {
        show_all(draft);
    }
    match street.next() {
        Some(_) if all_in && closed && run_twice::asks(draft) => {}
        Some(next) => deal_street(draft, next),
        None => {
            run_twice::deal_second_board(draft);
            end_at_showdown(draft);
        }
    }
}

fn deal_street(draft: &mut Draft, street: Street) {
    let variant = draft.table().settings.game.variant;
    let Some(hand) = draft.hand() else { return };
    let board = hand
        .deck
        .as_ref()
        .and_then(|deck| deck.board(hand.players.len(), variant));
    let board = board.expect("a hand goes on only with its deck, and a table has seats for no more players than that is for");
    let cards = Cards::default().and(&board[hand.street.board_len()..street.board_len()]);
    draft.push(Fact::StreetDealt { street, cards });
}

fn return_uncalled(draft: &mut Draft) {
    let Some(hand) = draft.hand() else { return };
    let Some((place, amount)) = pot::uncalled(hand.players.iter().map(|p| p.bet)) else {
        return;
    };
    let owner = hand.players[place];
    // Who folded gave up what he had bet.
    if !owner.folded {
        draft.push(Fact::UncalledReturned {
            seat: owner.seat,
            amount,
        });
    }
}

fn show_all(draft: &mut Draft) {
    let Some(hand) = draft.hand() else { return };
    let hidden: Vec<SeatNo> = hand
        .live()
        .filter(|p| p.shown.is_none())
        .map(|p| p.seat)
        .collect();
    for seat in hidden {
        show(draft, seat);
    }
}

fn show(draft: &mut Draft, seat: SeatNo) {
    let variant = draft.table().settings.game.variant;
    if let Some(cards) = draft.hand().and_then(|hand| hand.hole(seat, variant)) {
        draft.push(Fact::Shown {
            seat,
            cards: Cards::default().and(cards.cards()),
        });
    }
}

fn end_uncontested(draft: &mut Draft) {
    return_uncalled(draft);
    let Some(hand) = draft.hand() else { return };
    // One player contends for every layer, so there is one pot; none if all that was bet went back to him.
    let winner = hand.players.iter().position(|p| !p.folded);
    let pot = winner.map(|winner| Pot {
        amount: hand.pot(),
        contenders: vec![winner],
    });
    let pot = pot.filter(|pot| pot.amount > 0);
    let awards = showdown::awards(hand, pot.as_slice(), None, &draft.table().settings.rake);
    end_hand(draft, awards);
}

fn end_at_showdown(draft: &mut Draft) {
    let Some(hand) = draft.hand() else { return };
    let pots = showdown::pots(hand);
    let settings = &draft.table().settings;
    let standings = Standings::of(hand, &settings.game);
    let turned = showdown::turn_up(hand, &pots, &standings);
    let turned: Vec<(SeatNo, Turned)> = turned
        .into_iter()
        .map(|(place, turned)| (hand.players[place].seat, turned))
        .collect();
    let awards = showdown::awards(hand, &pots, Some(&standings), &settings.rake);
    for (seat, turned) in turned {
        match turned {
            Turned::Up => show(draft, seat),
            Turned::Mucked => draft.push(Fact::Mucked { seat }),
        }
    }
    end_hand(draft, awards);
}

fn end_hand(draft: &mut Draft, awards: Vec<showdown::Award>) {
    let Some(hand) = draft.hand() else { return };
    let no = hand.no;
    let seats: Vec<SeatNo> = hand.players.iter().map(|p| p.seat).collect();
    for showdown::Award {
        pot,
        part,
        amount,
        rake,
        shares,
    } in awards
    {
        let shares = shares
            .into_iter()
            .map(|(place, share)| (seats[place], share))
            .collect();
        draft.push(Fact::PotAwarded {
            pot,
            amount,
            rake,
            shares,
            part,
        });
    }
    draft.push(Fact::HandEnded { hand: no });
    between_hands(draft);
}
