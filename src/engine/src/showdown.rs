//! Who shows, who may muck, and who wins what (R7, R8, R9).

use alloc::vec::Vec;

use crate::eval::{CardSet, Strength};
use crate::hand::{Hand, InHand, Street};
use crate::pot::{self, Pot, Stake};
use crate::settings::Rake;

/// A pot and what becomes of it; players are places in the hand.
pub(crate) struct Award {
    pub pot: u8,
    pub amount: u64,
    pub rake: u64,
    pub shares: Vec<(usize, u64)>,
}

/// What a player does with his cards at the showdown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turned {
    Up,
    Mucked,
}

/// The pots with all bets in them, the main pot first. What nobody called must have gone back before.
pub(crate) fn pots(hand: &Hand) -> Vec<Pot> {
    pots_of(hand, |p| p.bets)
}

/// The pots without the bets of this street.
pub(crate) fn collected(hand: &Hand) -> Vec<Pot> {
    pots_of(hand, |p| p.bets.saturating_sub(p.bet))
}

fn pots_of(hand: &Hand, live: fn(&InHand) -> u64) -> Vec<Pot> {
    let stake = |p: &InHand| Stake {
        ante: p.ante,
        live: live(p),
        dead: 0,
        folded: p.folded,
    };
    let mut stakes: Vec<Stake> = hand.players.iter().map(stake).collect();
    if let Some(first) = stakes.first_mut() {
        first.dead = hand.dead;
    }
    pot::pots(&stakes)
}

/// How good each live hand is, by place. The board must be whole.
pub(crate) fn strengths(hand: &Hand) -> Vec<Option<Strength>> {
    let board: CardSet = hand.board.iter().copied().collect();
    let strength = |seat| {
        Some(
            hand.hole(seat)?
                .cards()
                .iter()
                .copied()
                .fold(board, CardSet::with)
                .strength(),
        )
    };
    hand.players
        .iter()
        .map(|p| if p.folded { None } else { strength(p.seat) })
        .collect()
}

/// Who does what with his cards, in order, of those who have not shown yet: the last aggressor of the river first, or
/// else the first left of the button; the contenders of side pots before those of the main pot only. Who is beaten for
/// every pot by hands that are up mucks (R9).
///
/// A caller who paid to see the last aggressor's hand need not ask for it: nobody's bet of that street was higher, and
/// those who are still in were even before it, so the aggressor contends for the last side pot, is the first of all, and
/// finds no hand up that could beat him.
pub(crate) fn turn_up(
    hand: &Hand,
    pots: &[Pot],
    strengths: &[Option<Strength>],
) -> Vec<(usize, Turned)> {
    let count = hand.players.len();
    let first = hand
        .players
        .iter()
        .position(|p| Some(p.seat) == hand.aggressor && !p.folded)
        .unwrap_or(0);
    let mut up: Vec<bool> = hand.players.iter().map(|p| p.shown.is_some()).collect();
    let mut done = up.clone();
    let mut turned = Vec::with_capacity(count);
    for pot in pots.iter().rev() {
        for place in (0..count).map(|step| (first + step) % count) {
            if done[place] || !pot.contenders.contains(&place) {
                continue;
            }
            done[place] = true;
            let beaten = |pot: &Pot| {
                pot.contenders
                    .iter()
                    .any(|rival| up[*rival] && strengths[*rival] > strengths[place])
            };
            let mut contested = pots.iter().filter(|pot| pot.contenders.contains(&place));
            let mucks = contested.all(beaten);
            up[place] = !mucks;
            turned.push((place, if mucks { Turned::Mucked } else { Turned::Up }));
        }
    }
    turned
}

/// What becomes of each pot, the last side pot first. Without strengths nobody is compared: one player is left.
pub(crate) fn awards(
    hand: &Hand,
    pots: &[Pot],
    strengths: &[Option<Strength>],
    rake: &Rake,
) -> Vec<Award> {
    let raked: Vec<u64> = match hand.street {
        Street::Preflop => pots.iter().map(|_| 0).collect(),
        Street::Flop | Street::Turn | Street::River => {
            let amounts: Vec<u64> = pots.iter().map(|pot| pot.amount).collect();
            pot::rake(
                &amounts,
                rake.per_10_000,
                pot::rake_cap(&rake.caps, hand.players.len()),
            )
        }
    };
    let award = |((no, pot), rake): ((u8, &Pot), u64)| {
        let strength = |place: &usize| strengths.get(*place).copied().flatten();
        let best = pot.contenders.iter().map(strength).max().flatten();
        let winners: Vec<usize> = pot
            .contenders
            .iter()
            .copied()
            .filter(|place| strength(place) == best)
            .collect();
        Award {
            pot: no,
            amount: pot.amount,
            rake,
            shares: pot::split(pot.amount - rake, &winners),
        }
    };
    let mut awards: Vec<Award> = (0u8..).zip(pots).zip(raked).map(award).collect();
    awards.reverse();
    awards
}
