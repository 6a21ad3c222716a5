//! Pot limit: the most is what the pot would be after a call (R14).

use crate::game::Blinds;
use crate::hand::{Hand, InHand, Street};
use crate::ids::SeatNo;
use crate::settings::{Ante, Settings};

/// The most that this player may raise to, if he has it.
pub(super) fn most(settings: &Settings, count_ante: bool, hand: &Hand, player: &InHand) -> u64 {
    let to_call = hand.current_bet.saturating_sub(player.bet);
    hand.current_bet
        .saturating_add(pot(settings, count_ante, hand))
        .saturating_add(to_call)
}

/// All that is bet. Before the flop as if both blinds were there in full, and without the big-blind ante unless the house
/// counts it.
fn pot(settings: &Settings, count_ante: bool, hand: &Hand) -> u64 {
    match hand.street {
        Street::Preflop => {
            let missing = missing(settings, hand);
            let uncounted = if count_ante { 0 } else { ante(settings, hand) };
            hand.pot().saturating_add(missing).saturating_sub(uncounted)
        }
        Street::Flop | Street::Turn | Street::River => hand.pot(),
    }
}

/// What the blinds are short of: of an empty seat all of it.
fn missing(settings: &Settings, hand: &Hand) -> u64 {
    let short = |seat, blind: u64| blind.saturating_sub(before_cards(hand, seat).min(blind));
    let big = short(hand.positions.big_blind, hand.min_bet);
    let small = match settings.game.blinds {
        Blinds::SmallAndBig => short(hand.positions.small_blind, settings.small_blind),
        Blinds::Button => 0,
    };
    big.saturating_add(small)
}

/// What the big blind paid for all: his blind came first.
fn ante(settings: &Settings, hand: &Hand) -> u64 {
    match settings.ante {
        Ante::None | Ante::Each(_) => 0,
        Ante::BigBlind(ante) => before_cards(hand, hand.positions.big_blind)
            .saturating_sub(hand.min_bet)
            .min(ante),
    }
}

/// What a player could post after his own ante; nothing where nobody is.
fn before_cards(hand: &Hand, seat: SeatNo) -> u64 {
    hand.player(seat)
        .map_or(0, |player| player.start.saturating_sub(player.ante))
}
