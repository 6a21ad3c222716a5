//! Who shows, who may muck, and who wins what (R7, R8, R9).

use alloc::vec;
use alloc::vec::Vec;

use crate::card::Card;
use crate::eval::Made;
use crate::event::{Part, Run, Side};
use crate::game::Game;
use crate::hand::{Hand, InHand, Street};
use crate::pot::{self, Pot, Stake};
use crate::settings::Rake;

/// A pot and what becomes of it; players are places in the hand.
pub(crate) struct Award {
    pub pot: u8,
    pub part: Part,
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

/// How good the live hands are, by place. The board must be whole.
pub(crate) struct Standings {
    first: Vec<Option<Made>>,
    /// With the second board, if the hand was run twice.
    second: Option<Vec<Option<Made>>>,
}

impl Standings {
    pub(crate) fn of(hand: &Hand, game: &Game) -> Standings {
        Standings {
            first: made(hand, game, &hand.board),
            second: hand.second_board().map(|board| made(hand, game, &board)),
        }
    }

    /// Whether he gets nothing of the pot, as far as one sees who is up.
    fn beaten(&self, place: usize, pot: &Pot, up: &[bool]) -> bool {
        let mut runs = [Some(&self.first), self.second.as_ref()]
            .into_iter()
            .flatten();
        runs.all(|made| beaten(made, place, pot, up))
    }

    /// How a pot of so many chips is divided: the odd chip is for the first board (R8).
    fn parts(&self, pot: &Pot, chips: Chips) -> Vec<(Part, Chips, Vec<usize>)> {
        let Some(second) = &self.second else {
            return sides(&self.first, pot, chips, None);
        };
        let [half, other] = chips.halves();
        let mut parts = sides(&self.first, pot, half, Some(Run::First));
        parts.extend(sides(second, pot, other, Some(Run::Second)));
        parts
    }
}

/// Whether one board has nothing for him. Who has no low has nothing to win there.
fn beaten(made: &[Option<Made>], place: usize, pot: &Pot, up: &[bool]) -> bool {
    let Some(mine) = made[place] else {
        return true;
    };
    let rivals = || {
        let up = pot.contenders.iter().filter(|rival| up[**rival]);
        up.filter_map(|rival| made[*rival])
    };
    rivals().any(|rival| rival.high > mine.high)
        && (mine.low.is_none() || rivals().any(|rival| rival.low > mine.low))
}

/// How the chips of one board are divided between high and low.
fn sides(
    made: &[Option<Made>],
    pot: &Pot,
    chips: Chips,
    run: Option<Run>,
) -> Vec<(Part, Chips, Vec<usize>)> {
    let high = best(&pot.contenders, |place| made[place].map(|made| made.high));
    let low = best(&pot.contenders, |place| made[place]?.low);
    // Nobody has a low: high scoops (R23). The same players have both: they share the whole evenly (R8).
    if low.is_empty() || low == high {
        return vec![(Part { run, side: None }, chips, high)];
    }
    let [half, other] = chips.halves();
    let side = |side| Part {
        run,
        side: Some(side),
    };
    vec![
        (side(Side::High), half, high),
        (side(Side::Low), other, low),
    ]
}

/// What is divided of a pot: what the winners get, and what the house takes.
#[derive(Clone, Copy)]
struct Chips {
    won: u64,
    rake: u64,
}

impl Chips {
    /// The odd chip is in the first half (R8).
    fn halves(self) -> [Chips; 2] {
        let second = Chips {
            won: self.won / 2,
            rake: self.rake / 2,
        };
        let first = Chips {
            won: self.won - second.won,
            rake: self.rake - second.rake,
        };
        [first, second]
    }
}

fn made(hand: &Hand, game: &Game, board: &[Card]) -> Vec<Option<Made>> {
    let made = |seat| {
        let hole = hand.hole(seat, game.variant)?;
        Some(Made::of(game, hole.cards(), board))
    };
    let players = hand.players.iter();
    players
        .map(|p| if p.folded { None } else { made(p.seat) })
        .collect()
}

/// Who has the best of something; nobody if none of them has any.
fn best<T: Ord + Copy>(contenders: &[usize], of: impl Fn(usize) -> Option<T>) -> Vec<usize> {
    let Some(best) = contenders.iter().filter_map(|place| of(*place)).max() else {
        return Vec::new();
    };
    let has_it = |place: &usize| of(*place) == Some(best);
    contenders.iter().copied().filter(has_it).collect()
}

/// Who does what with his cards, in order, of those who have not shown yet: the last aggressor of the river first, or
/// else the first left of the button; the contenders of side pots before those of the main pot only. Who is beaten for
/// every pot by hands that are up mucks (R9).
///
/// A caller who paid to see the last aggressor's hand need not ask for it: nobody's bet of that street was higher, and
/// those who are still in were even before it, so the aggressor contends for the last side pot, is the first of all, and
/// finds no hand up that could beat him.
pub(crate) fn turn_up(hand: &Hand, pots: &[Pot], standings: &Standings) -> Vec<(usize, Turned)> {
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
            let mut contested = pots.iter().filter(|pot| pot.contenders.contains(&place));
            let mucks = contested.all(|pot| standings.beaten(place, pot, &up));
            up[place] = !mucks;
            turned.push((place, if mucks { Turned::Mucked } else { Turned::Up }));
        }
    }
    turned
}

/// What becomes of each pot, the last side pot first. Without standings nobody is compared: one player is left.
pub(crate) fn awards(
    hand: &Hand,
    pots: &[Pot],
    standings: Option<&Standings>,
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
    let mut awards = Vec::with_capacity(pots.len());
    for (no, (pot, rake)) in pots.iter().zip(raked).enumerate().rev() {
        let chips = Chips {
            won: pot.amount - rake,
            rake,
        };
        let parts = match standings {
            Some(standings) => standings.parts(pot, chips),
            None => vec![(Part::default(), chips, pot.contenders.clone())],
        };
        awards.extend(
            parts
                .into_iter()
                .map(|(part, Chips { won, rake }, winners)| Award {
                    pot: no as u8,
                    part,
                    amount: won + rake,
                    rake,
                    shares: pot::split(won, &winners),
                }),
        );
    }
    // One chip has no second half.
    awards.retain(|award| award.amount > 0);
    awards
}
