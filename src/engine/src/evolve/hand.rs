//! How an event changes the open hand.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::bet::limit::Round;
use crate::card::Card;
use crate::cards::Cards;
use crate::command::{Action, Phase};
use crate::event::{Dealt, Post};
use crate::game::{Betting, Straddle, StraddleRaise};
use crate::hand::{Extra, Hand, InHand, Positions, RunTwice, Street};
use crate::ids::{HandNo, SeatNo, Turn};
use crate::table::Table;

/// The chips of the players move into the hand; those in their seats stay as they were, for `void`.
pub(super) fn start(table: &mut Table, no: HandNo, positions: Positions, dealt: &[Dealt]) {
    let gain = table.settings.clock.bank_gain_ms;
    let full = table.settings.clock.bank_ms;
    let seats = table.seats_mut();
    let mut players: Vec<InHand> = Vec::with_capacity(dealt.len());
    for Dealt {
        seat,
        player,
        stack,
    } in dealt.iter().copied()
    {
        // Nobody is dealt in twice, so a hand never has more players than the table has seats.
        if players.iter().any(|p| p.seat == seat) {
            continue;
        }
        let Some(Some(taken)) = seats.get_mut(usize::from(seat.0)) else {
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
    let limit = match table.settings.game.betting {
        Betting::NoLimit | Betting::PotLimit { .. } => None,
        Betting::FixedLimit(limits) => Some(Round::new(limits, big_blind, players.len())),
    };
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
        paid_out: 0,
        rake: 0,
        extra: Extra {
            limit,
            run_twice: None,
        },
        deck: None,
    }));
    table.positions = Some(positions);
    table.hands_started = no;
}

pub(super) fn end(table: &mut Table) {
    let Some(hand) = table.hand.take() else {
        return;
    };
    let seats = table.seats_mut();
    for player in &hand.players {
        if let Some(Some(taken)) = seats.get_mut(usize::from(player.seat.0)) {
            taken.stack = player.stack;
        }
    }
    table.ledger.rake = table.ledger.rake.saturating_add(hand.rake);
}

/// The stacks in the seats are still those of the hand's start.
pub(super) fn void(table: &mut Table) {
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

impl Hand {
    pub(super) fn posted(&mut self, seat: SeatNo, post: Post, amount: u64) {
        let Some(player) = self.player_mut(seat) else {
            return;
        };
        player.stack = player.stack.saturating_sub(amount);
        match post {
            Post::SmallBlind | Post::BigBlind | Post::LiveBlind | Post::Straddle => {
                player.bet = player.bet.saturating_add(amount);
                player.bets = player.bets.saturating_add(amount);
            }
            Post::Ante => player.ante = player.ante.saturating_add(amount),
            Post::BigBlindAnte | Post::DeadBlind => self.dead = self.dead.saturating_add(amount),
        }
    }

    /// A straddle is the bet to match, as if it were the big blind (R13).
    pub(super) fn straddled(&mut self, straddle: Option<Straddle>, amount: u64) {
        self.current_bet = self.current_bet.max(amount);
        self.last_full_raise = match straddle.map(|straddle| straddle.min_raise) {
            Some(StraddleRaise::ByStraddle) => self.last_full_raise.max(amount),
            Some(StraddleRaise::ByBigBlind) | None => self.last_full_raise,
        };
    }

    pub(super) fn acted(&mut self, seat: SeatNo, action: Action, to: u64, added: u64) {
        self.to_act = None;
        self.phase = Phase::Action;
        let Some(player) = self.player_mut(seat) else {
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
                // An all-in for less than a full raise does not change what a full raise is (R2).
                self.last_full_raise = self
                    .last_full_raise
                    .max(to.saturating_sub(self.current_bet));
                self.current_bet = to;
                self.aggressor = Some(seat);
                if let Some(round) = &mut self.extra.limit {
                    round.raised(to);
                }
            }
        }
    }

    pub(super) fn returned(&mut self, seat: SeatNo, amount: u64) {
        let Some(player) = self.player_mut(seat) else {
            return;
        };
        player.bet = player.bet.saturating_sub(amount);
        player.bets = player.bets.saturating_sub(amount);
        player.stack = player.stack.saturating_add(amount);
    }

    pub(super) fn street_dealt(&mut self, street: Street, cards: &[Card]) {
        self.street = street;
        self.board = self.board.and(cards);
        self.current_bet = 0;
        self.last_full_raise = self.min_bet;
        self.aggressor = None;
        let live = self.live().count();
        if let Some(round) = &mut self.extra.limit {
            round.begin(street, live);
        }
        for player in &mut self.players {
            player.bet = 0;
            player.acted = false;
        }
    }

    pub(super) fn asked(&mut self, turn: Turn, seats: &[SeatNo]) {
        self.to_act = None;
        self.turn = turn;
        self.phase = Phase::RunTwice;
        self.extra.run_twice = Some(RunTwice::Asked(seats.into()));
    }

    pub(super) fn answered(&mut self, seat: SeatNo) {
        if let Some(RunTwice::Asked(open)) = &mut self.extra.run_twice {
            open.retain(|other| *other != seat);
        }
    }

    /// Up to here both boards are the same.
    pub(super) fn settled(&mut self, twice: bool) {
        self.phase = Phase::Action;
        self.extra.run_twice = Some(if twice {
            RunTwice::Twice(self.board)
        } else {
            RunTwice::Once
        });
    }

    pub(super) fn second_dealt(&mut self, cards: &[Card]) {
        if let Some(RunTwice::Twice(second)) = &mut self.extra.run_twice {
            *second = second.and(cards);
        }
    }

    pub(super) fn awarded(&mut self, amount: u64, rake: u64, shares: &[(SeatNo, u64)]) {
        self.paid_out = self.paid_out.saturating_add(amount);
        self.rake = self.rake.saturating_add(rake);
        for (seat, share) in shares {
            if let Some(player) = self.player_mut(*seat) {
                player.stack = player.stack.saturating_add(*share);
            }
        }
    }
}
