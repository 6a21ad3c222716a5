//! Playing by the odds, in every game: what part of the pot the hand takes on average, against what it costs to go on.
//!
//! The part is counted over boards and hands that might be dealt, so a new game needs nothing here. Where one speaks and
//! what one faces moves the line a little, the temper a little more.

use engine::eval::Made;
use engine::{Card, Game};

use super::dice::Dice;
use super::strategy::Sight;
use crate::client::model::{Move, Street};

/// How a player leans.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Temper {
    /// Goes on with something only.
    Careful,
    /// By the odds.
    Even,
    /// Stays in with less, and bets with nothing now and then.
    Bold,
}

impl Temper {
    /// What it asks for beyond the odds, in thousandths of the pot, and how often of a hundred times it bluffs.
    fn leaning(self) -> (i64, u64) {
        match self {
            Temper::Careful => (50, 3),
            Temper::Even => (10, 8),
            Temper::Bold => (-40, 20),
        }
    }
}

pub(super) fn decide(temper: Temper, sight: &Sight<'_>, dice: &mut Dice) -> Move {
    let (caution, bluffs) = temper.leaning();
    let rivals = sight.rivals.clamp(1, RIVALS_MAX);
    let cards: Vec<Card> = sight.hole.iter().filter_map(engine_card).collect();
    let board: Vec<Card> = sight.board.iter().filter_map(engine_card).collect();
    let mut part = share(&sight.game, &cards, &board, rivals, dice);
    let price = sight.options.call.unwrap_or(0);
    // Who bets holds more than somebody who was dealt any cards.
    if price > sight.pot / 4 {
        part = part * 85 / 100;
    }
    if sight.last {
        part += LAST_WORD;
    }
    let fair = WHOLE / (i64::from(rivals) + 1);
    let strong = part > (fair * 3 / 2).min(MONSTER);
    let bluff = sight.last && sight.options.check && dice.percent(bluffs);
    if let Some((min, max)) = sight.options.raise_to
        && (bluff || (strong && dice.percent(70)))
    {
        let more = sight.pot / 10 * (3 + dice.below(6));
        return Move::RaiseTo(min.saturating_add(more).min(max));
    }
    if sight.options.check {
        return Move::Check;
    }
    if sight.options.call.is_some() && part >= needed(sight, price) + caution {
        return Move::Call;
    }
    Move::Fold
}

/// The part of the pot that a call pays, in thousandths: what the hand must take on average. Before the flop less: most of
/// what may be won comes later.
fn needed(sight: &Sight<'_>, price: u64) -> i64 {
    let pot = i128::from(sight.pot) + i128::from(price);
    let odds = (i128::from(price) * i128::from(WHOLE))
        .checked_div(pot)
        .and_then(|odds| i64::try_from(odds).ok())
        .unwrap_or(WHOLE);
    match sight.street {
        Street::Preflop => odds * 9 / 10,
        Street::Flop | Street::Turn | Street::River => odds,
    }
}

/// What part of the pot these cards take on average against so many hands of any cards, in thousandths.
fn share(game: &Game, hole: &[Card], board: &[Card], rivals: u8, dice: &mut Dice) -> i64 {
    let each = usize::from(game.variant.hole_len());
    let unseen: Vec<Card> = game
        .variant
        .cards()
        .filter(|card| !hole.contains(card) && !board.contains(card))
        .collect();
    let wanted = each * usize::from(rivals) + BOARD.saturating_sub(board.len());
    if hole.len() != each || unseen.len() < wanted {
        return 0;
    }
    let mut taken = 0;
    for _ in 0..TRIALS {
        let mut cards = unseen.clone();
        for place in 0..wanted {
            let left = u64::try_from(cards.len() - place).unwrap_or(1);
            let other = place + usize::try_from(dice.below(left)).unwrap_or(0);
            cards.swap(place, other);
        }
        let (others, rest) = cards[..wanted].split_at(each * usize::from(rivals));
        let whole: Vec<Card> = board.iter().chain(rest).copied().collect();
        let mine = Made::of(game, hole, &whole);
        let theirs: Vec<Made> = others
            .chunks(each)
            .map(|hole| Made::of(game, hole, &whole))
            .collect();
        taken += won(&mine, &theirs);
    }
    taken / TRIALS
}

/// What part of the pot I win, in thousandths.
fn won(mine: &Made, theirs: &[Made]) -> i64 {
    let high = half(&mine.high, theirs.iter().map(|made| &made.high));
    let some_low = mine.low.is_some() || theirs.iter().any(|made| made.low.is_some());
    match (some_low, mine.low) {
        (false, _) => high,
        (true, None) => high / 2,
        (true, Some(low)) => {
            let lows = theirs.iter().filter_map(|made| made.low.as_ref());
            i64::midpoint(high, half(&low, lows))
        }
    }
}

fn half<'a, T: Ord + 'a>(mine: &T, theirs: impl Iterator<Item = &'a T>) -> i64 {
    let mut equal = 1;
    for other in theirs {
        if other > mine {
            return 0;
        }
        equal += i64::from(other == mine);
    }
    WHOLE / equal
}

fn engine_card(card: &crate::client::card::Card) -> Option<Card> {
    card.to_string().parse().ok()
}

/// The whole pot.
const WHOLE: i64 = 1_000;
/// As good as any hand gets against somebody who goes on.
const MONSTER: i64 = 750;
/// What the last word is worth.
const LAST_WORD: i64 = 20;
/// Against more than these the count says little: most of them fold.
const RIVALS_MAX: u8 = 3;
/// Enough to tell good from bad, few enough to be done while a person would think.
const TRIALS: i64 = 100;
/// Cards of a whole board.
const BOARD: usize = 5;

#[cfg(test)]
mod tests {
    use engine::Variant;

    use super::*;

    fn part(variant: Variant, low: bool, hole: &str, board: &str) -> i64 {
        let cards = |text: &str| -> Vec<Card> {
            let words = text.split_whitespace();
            words.map(|card| card.parse().unwrap()).collect()
        };
        let game = Game {
            variant,
            low,
            ..Game::default()
        };
        let mut dice = Dice::new(1, 2, 3);
        share(&game, &cards(hole), &cards(board), 1, &mut dice)
    }

    #[test]
    fn good_hands_take_more_in_every_game() {
        let check = |variant, low, good: &str, bad: &str, board: &str| {
            let (good_part, bad_part) = (
                part(variant, low, good, board),
                part(variant, low, bad, board),
            );
            assert!(
                good_part > bad_part + 100,
                "{variant:?}: {good} {good_part}, {bad} {bad_part}"
            );
        };
        check(Variant::Holdem, false, "As Ad", "7h 2c", "");
        check(Variant::ShortDeck, false, "Ah Kh", "9c 6d", "Th 8h 7h");
        check(Variant::Omaha4, false, "As Ad Ks Kd", "2c 2d 2h 7s", "");
        check(
            Variant::Omaha6,
            true,
            "As 2d 3s 4d Kh Kc",
            "9c 9d 9h Ts Th Tc",
            "5c 6h Jd",
        );
    }

    #[test]
    fn the_nuts_take_all_and_halves_are_halves() {
        assert_eq!(
            part(Variant::Holdem, false, "As Ks", "Qs Js Ts 2d 3c"),
            WHOLE
        );
        // The low half is lost to nobody, since nobody can have a low.
        assert_eq!(
            part(Variant::Omaha4, true, "As Ks 2d 3d", "Qs Js Ts Td 9c"),
            WHOLE
        );
        // Cards of another game are worth nothing.
        assert_eq!(part(Variant::Omaha4, false, "As Ks", ""), 0);
    }
}
