//! How bots decide: pure functions of what the player sees and a roll of the dice. A new strategy is one variant and one
//! function. The move is always one that the server called legal.

use engine::Game;

use super::dice::Dice;
use super::sharp::{self, Temper};
use crate::client::card::Card;
use crate::client::game::cards_of;
use crate::client::model::{Move, Options, SeatModel, Street, TableModel, Turn};

/// A way to play.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strategy {
    /// Checks and calls, never raises, never folds.
    Caller,
    /// Plays good cards only, raises with the best.
    Tight,
    /// Raises whenever it may, most of the time.
    Aggressive,
    /// Any legal move, any legal amount.
    Random,
    /// All-in every few hands.
    AllIn,
    /// By the odds, as people who know the game do.
    Sharp(Temper),
}

/// What a bot looks at.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    /// What it may do.
    pub options: Options,
    /// Its cards.
    pub hole: &'a [Card],
    /// The board.
    pub board: &'a [Card],
    /// How far the hand is.
    pub street: Street,
    /// Everything in the middle.
    pub pot: u64,
    /// The game, as far as it says which hands are good.
    pub game: Game,
    /// How many others are in the hand.
    pub rivals: u8,
    /// Whether the player has the last word on this street.
    pub last: bool,
}

impl<'a> Sight<'a> {
    /// What the player to act sees.
    pub fn of(table: &'a TableModel, turn: &Turn, seat: &'a SeatModel) -> Sight<'a> {
        let others = table
            .taken()
            .filter(|(no, other)| *no != turn.seat && other.in_hand);
        Sight {
            options: turn.options,
            hole: &seat.cards,
            board: &table.board,
            street: table.street,
            pot: table.in_the_middle(),
            game: cards_of(&table.stakes.game),
            rivals: u8::try_from(others.count()).unwrap_or(u8::MAX),
            last: table.button == Some(turn.seat),
        }
    }
}

impl Strategy {
    /// Those that are quick, in the order in which bots that test a server take them.
    pub const ALL: [Strategy; 5] = [
        Strategy::Random,
        Strategy::Aggressive,
        Strategy::Caller,
        Strategy::Tight,
        Strategy::AllIn,
    ];

    /// The strategy of a bot at a table: each table has a mixture, and each bot plays each of them somewhere.
    pub fn of(table: u64, bot: u64) -> Strategy {
        let place = table.wrapping_add(bot) % 5;
        Strategy::ALL[usize::try_from(place).expect("it is below five")]
    }

    /// The move.
    pub fn decide(self, sight: &Sight<'_>, dice: &mut Dice) -> Move {
        match self {
            Strategy::Caller => passive(sight.options),
            Strategy::Tight => tight(sight, dice),
            Strategy::Aggressive => aggressive(sight, dice),
            Strategy::Random => random(sight.options, dice),
            Strategy::AllIn => all_in(sight.options, dice),
            Strategy::Sharp(temper) => sharp::decide(temper, sight, dice),
        }
    }
}

/// Check, else call.
fn passive(options: Options) -> Move {
    if options.check {
        Move::Check
    } else if options.call.is_some() {
        Move::Call
    } else {
        Move::Fold
    }
}

/// Check, else fold.
fn careful(options: Options) -> Move {
    if options.check {
        Move::Check
    } else {
        Move::Fold
    }
}

fn tight(sight: &Sight<'_>, dice: &mut Dice) -> Move {
    let strength = strength(sight.hole, sight.board);
    match (strength, sight.options.raise_to) {
        (Strength::Strong, Some((min, max))) if dice.percent(60) => {
            Move::RaiseTo(min.saturating_add(sight.pot / 2).min(max))
        }
        (Strength::Strong | Strength::Fair, _) => passive(sight.options),
        (Strength::Weak, _) => careful(sight.options),
    }
}

fn aggressive(sight: &Sight<'_>, dice: &mut Dice) -> Move {
    match sight.options.raise_to {
        Some((min, max)) if dice.percent(55) => {
            let more = dice.below(sight.pot.saturating_add(1));
            Move::RaiseTo(min.saturating_add(more).min(max))
        }
        _ if dice.percent(90) => passive(sight.options),
        _ => careful(sight.options),
    }
}

fn random(options: Options, dice: &mut Dice) -> Move {
    let mut moves = [Move::Fold; 4];
    let mut count = 0;
    let mut add = |one| {
        moves[count] = one;
        count += 1;
    };
    if options.check {
        add(Move::Check);
    } else {
        add(Move::Fold);
    }
    if options.call.is_some() {
        add(Move::Call);
    }
    if let Some((min, max)) = options.raise_to {
        let span = max.saturating_sub(min).saturating_add(1);
        add(Move::RaiseTo(min.saturating_add(dice.below(span))));
    }
    let count = u64::try_from(count).expect("there are at most three");
    moves[usize::try_from(dice.below(count)).expect("it is below four")]
}

fn all_in(options: Options, dice: &mut Dice) -> Move {
    match options.raise_to {
        Some((_, max)) if dice.percent(15) => Move::RaiseTo(max),
        _ if dice.percent(50) => passive(options),
        _ => careful(options),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Strength {
    Weak,
    Fair,
    Strong,
}

/// A rule of thumb: pairs, high cards, and what the board made of them.
fn strength(hole: &[Card], board: &[Card]) -> Strength {
    let mut ranks: Vec<u8> = hole.iter().map(|card| card.rank()).collect();
    ranks.sort_unstable();
    // Of more than two cards the two highest of one rank, or else the two highest.
    let pair = ranks.windows(2).rev().find(|two| two[0] == two[1]);
    let Some(&[low, high]) = pair.or(ranks.windows(2).next_back()) else {
        return Strength::Weak;
    };
    let paired = board
        .iter()
        .any(|card| card.rank() == high || card.rank() == low);
    let pair = high == low;
    if (pair && high >= 10) || (paired && high >= 11) || (pair && paired) {
        Strength::Strong
    } else if pair || paired || low >= 10 || (high == 14 && board.is_empty()) {
        Strength::Fair
    } else {
        Strength::Weak
    }
}

#[cfg(test)]
mod tests {
    use engine::Game;

    use super::{Sight, Strategy, Temper};
    use crate::client::bots::dice::Dice;
    use crate::client::card::Card;
    use crate::client::model::{Move, Options, Street};

    fn options(check: bool, call: Option<u64>, raise_to: Option<(u64, u64)>) -> Options {
        Options {
            check,
            call,
            raise_to,
        }
    }

    fn cards(text: &str) -> Vec<Card> {
        text.split_whitespace()
            .map(|card| card.parse().unwrap())
            .collect()
    }

    fn decide(strategy: Strategy, options: Options, hole: &str, seed: u64) -> Move {
        let hole = cards(hole);
        let sight = Sight {
            options,
            hole: &hole,
            board: &[],
            street: Street::Preflop,
            pot: 150,
            game: Game::default(),
            rivals: 2,
            last: seed.is_multiple_of(2),
        };
        strategy.decide(&sight, &mut Dice::new(seed, 0, 0))
    }

    fn is_legal(what: Move, options: Options) -> bool {
        match what {
            Move::Fold => true,
            Move::Check => options.check,
            Move::Call => options.call.is_some(),
            Move::RaiseTo(to) => options
                .raise_to
                .is_some_and(|(min, max)| (min..=max).contains(&to)),
        }
    }

    #[test]
    fn every_move_is_legal() {
        let all = [
            options(true, None, Some((100, 10_000))),
            options(true, None, None),
            options(false, Some(50), Some((200, 200))),
            options(false, Some(u64::MAX), Some((0, u64::MAX))),
            options(false, Some(1), None),
            options(false, None, None),
        ];
        let tempers = [Temper::Careful, Temper::Even, Temper::Bold].map(Strategy::Sharp);
        for strategy in Strategy::ALL.into_iter().chain(tempers) {
            for options in all {
                for seed in 0..200 {
                    let what = decide(strategy, options, "As Ad", seed);
                    assert!(is_legal(what, options), "{strategy:?} {options:?} {what:?}");
                }
            }
        }
    }

    #[test]
    fn the_same_seed_decides_the_same() {
        let open = options(false, Some(50), Some((200, 5_000)));
        for strategy in Strategy::ALL
            .into_iter()
            .chain([Strategy::Sharp(Temper::Even)])
        {
            for seed in 0..50 {
                let once = decide(strategy, open, "7h 2c", seed);
                assert_eq!(once, decide(strategy, open, "7h 2c", seed));
            }
        }
    }

    #[test]
    fn characters() {
        let facing = options(false, Some(50), Some((200, 5_000)));
        let count = |strategy, hole, wanted: fn(Move) -> bool| {
            (0..300)
                .filter(|seed| wanted(decide(strategy, facing, hole, *seed)))
                .count()
        };
        let raises = |what| matches!(what, Move::RaiseTo(_));
        assert_eq!(
            count(Strategy::Caller, "7h 2c", |what| what == Move::Call),
            300
        );
        assert_eq!(
            count(Strategy::Tight, "7h 2c", |what| what == Move::Fold),
            300
        );
        assert_eq!(
            count(Strategy::Tight, "Kh Kc", |what| what == Move::Fold),
            0
        );
        let folds = |what| what == Move::Fold;
        let sharp = Strategy::Sharp(Temper::Even);
        assert!(count(sharp, "7h 2c", folds) > 150);
        assert!(count(sharp, "As Ad", raises) > 150);
        assert!(
            count(Strategy::Sharp(Temper::Bold), "9h 8h", folds)
                < count(Strategy::Sharp(Temper::Careful), "9h 8h", folds)
        );
        assert!(count(Strategy::Aggressive, "7h 2c", raises) > 100);
        assert!(
            count(Strategy::AllIn, "7h 2c", |what| what
                == Move::RaiseTo(5_000))
                > 10
        );
        assert!(count(Strategy::Random, "7h 2c", |what| what == Move::Fold) > 50);
    }

    #[test]
    fn each_table_has_a_mixture() {
        for table in 0..10 {
            let mut seen: Vec<_> = (0..5)
                .map(|bot| format!("{:?}", Strategy::of(table, bot)))
                .collect();
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), 5);
        }
    }
}
