//! Comparing what a file says came out with what the rules make of its actions.
//!
//! `finishing_stacks` are compared as they are. `winnings` are what a site collected into stacks: pots after rake,
//! with or without the bet that nobody called. Files do not state the rake, so winnings that are below the pots can
//! be compared only with a schedule from outside; without one such a hand is skipped, never counted as right.

use std::fmt;

use super::decimal::Decimal;
use super::model::Hand;
use super::replay::{Illegal, Played, RakeSchedule, ReplayError, Unplayable, replay};

/// What is to be said about one hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every stated amount is what the rules say.
    Exact,
    /// The file states parts of a chip, and each is at most half a chip off.
    WithinHalf,
    /// The rules do not allow what happened, or something else comes out.
    Wrong(Wrong),
    /// Nothing could be compared.
    Skipped(Skipped),
}

/// How a hand is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The file does what the rules do not allow.
    #[error(transparent)]
    Illegal(#[from] Illegal),
    /// Another amount comes out.
    #[error("p{player} has {what} {stated} in the file and {ours} by the rules")]
    Amount {
        /// Whose, from 1.
        player: usize,
        /// Which amount: `end stack` or `winnings`.
        what: &'static str,
        /// What the file states.
        stated: Decimal,
        /// What the rules say.
        ours: Decimal,
    },
}

/// Why a hand was not compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Skipped {
    /// It cannot be played here.
    #[error(transparent)]
    Unplayable(#[from] Unplayable),
    /// The file states no result. Its actions were legal.
    #[error("all actions are legal, but the file states neither end stacks nor winnings")]
    NothingStated,
    /// The winner hangs on cards that the file does not know. Its actions were legal.
    #[error("all actions are legal, but the showdown hangs on cards that the file does not know")]
    UnknownCards,
    /// The right players won, less than the pots: the file does not state the rake.
    #[error(
        "the right players won, but {taken} of {pots} was taken and the file does not state the rake"
    )]
    UnstatedRake {
        /// What is missing.
        taken: Decimal,
        /// The pots by the rules.
        pots: Decimal,
    },
    /// The same without a flop, when no rake is due: the file leaves something out (R16).
    #[error(
        "the right players won, but {taken} of {pots} is missing though without a flop there is no rake"
    )]
    Incomplete {
        /// What is missing.
        taken: Decimal,
        /// The pots by the rules.
        pots: Decimal,
    },
}

/// How many hands there were of each kind. Its text is the report's last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// All of them.
    pub hands: usize,
    /// [`Verdict::Exact`].
    pub exact: usize,
    /// [`Verdict::WithinHalf`].
    pub within_half: usize,
    /// [`Verdict::Wrong`].
    pub wrong: usize,
    /// [`Verdict::Skipped`].
    pub skipped: usize,
}

/// Replays a hand and compares what came out.
pub fn check(hand: &Hand, rake: Option<&RakeSchedule>) -> Verdict {
    let played = match replay(hand, rake.unwrap_or(&RakeSchedule::default())) {
        Ok(played) => played,
        Err(ReplayError::Unplayable(reason)) => return Verdict::Skipped(reason.into()),
        Err(ReplayError::Illegal(reason)) => return Verdict::Wrong(reason.into()),
    };
    if hand.finishing_stacks.is_none() && hand.winnings.is_none() {
        return Verdict::Skipped(Skipped::NothingStated);
    }
    if played.guessed {
        return Verdict::Skipped(Skipped::UnknownCards);
    }
    if let Some(stated) = &hand.finishing_stacks {
        return compare(END_STACK, stated, &played.stacks, played.places);
    }
    let stated = hand.winnings.as_deref().unwrap_or_default();
    winnings(stated, &played, rake.is_some())
}

impl Tally {
    /// Counts a hand.
    pub fn add(&mut self, verdict: &Verdict) {
        self.hands += 1;
        let kind = match verdict {
            Verdict::Exact => &mut self.exact,
            Verdict::WithinHalf => &mut self.within_half,
            Verdict::Wrong(_) => &mut self.wrong,
            Verdict::Skipped(_) => &mut self.skipped,
        };
        *kind += 1;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally {
            hands,
            exact,
            within_half,
            wrong,
            skipped,
        } = self;
        write!(
            f,
            "{hands} hands, {exact} exact, {within_half} within half a chip, {wrong} wrong, {skipped} skipped"
        )
    }
}

fn winnings(stated: &[Decimal], played: &Played, rake_known: bool) -> Verdict {
    let with_returned: Vec<u64> = played
        .collected
        .iter()
        .zip(&played.returned)
        .map(|(won, back)| won + back)
        .collect();
    let compared = compare(WINNINGS, stated, &played.collected, played.places);
    let Verdict::Wrong(_) = compared else {
        return compared;
    };
    if compare(WINNINGS, stated, &with_returned, played.places) == Verdict::Exact {
        return Verdict::Exact;
    }
    match taken(stated, played).filter(|_| !rake_known) {
        Some(taken) => {
            let pots = Decimal::new(played.collected.iter().sum(), played.places);
            Verdict::Skipped(if played.flop {
                Skipped::UnstatedRake { taken, pots }
            } else {
                Skipped::Incomplete { taken, pots }
            })
        }
        None => compared,
    }
}

/// What is missing from the winnings, if the players who won are the right ones and none of them won too much.
fn taken(stated: &[Decimal], played: &Played) -> Option<Decimal> {
    let places = stated
        .iter()
        .map(|amount| amount.places())
        .max()?
        .max(played.places);
    let mut taken = 0;
    for (stated, ours) in stated.iter().zip(&played.collected) {
        if stated.is_zero() != (*ours == 0) {
            return None;
        }
        taken += Decimal::new(*ours, played.places)
            .scaled(places)?
            .checked_sub(stated.scaled(places)?)?;
    }
    Some(Decimal::new(taken, places))
}

/// Exact, at most half a chip off everywhere, or the first player whose amount is another.
fn compare(what: &'static str, stated: &[Decimal], ours: &[u64], places: u8) -> Verdict {
    let mut verdict = Verdict::Exact;
    for (at, (stated, ours)) in stated.iter().zip(ours).enumerate() {
        let ours = Decimal::new(*ours, places);
        if *stated == ours {
            continue;
        }
        if !within_half(*stated, ours, places) {
            return Verdict::Wrong(Wrong::Amount {
                player: at + 1,
                what,
                stated: *stated,
                ours,
            });
        }
        verdict = Verdict::WithinHalf;
    }
    verdict
}

/// At most half of `10^-places` apart.
fn within_half(stated: Decimal, ours: Decimal, places: u8) -> bool {
    let fine = stated.places().max(places);
    let (Some(stated), Some(ours), Some(chip)) = (
        stated.scaled(fine),
        ours.scaled(fine),
        Decimal::new(1, places).scaled(fine),
    ) else {
        return false;
    };
    stated.abs_diff(ours) <= chip / 2
}

const END_STACK: &str = "end stack";
const WINNINGS: &str = "winnings";

#[cfg(test)]
mod tests;
