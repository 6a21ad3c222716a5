//! What a file says of stakes and decisions in the engine's terms.

use engine::{
    Ante, Betting, Blinds, CapOff, Game, Limits, Rake, Settings, Straddle, StraddleFrom,
    StraddleRaise,
};

use super::{Move, RakeSchedule, ReplayError, Unplayable};
use crate::phh::decimal::Decimal;
use crate::phh::model::{Hand, Step};
use crate::phh::variant::{Bets, Code};

/// The decimal places that hold every amount that is played with. What the file states as its result is not among
/// them: a half chip there is not a chip that could have been bet.
pub(super) fn places(hand: &Hand, rake: &RakeSchedule) -> u8 {
    let bets = hand.actions.iter().filter_map(|step| {
        if let Step::RaiseTo(_, to) = step {
            Some(*to)
        } else {
            None
        }
    });
    let stacks = hand.starting_stacks.iter().flatten().copied();
    let posts = hand
        .antes
        .iter()
        .chain(&hand.blinds)
        .chain(&hand.min_bet)
        .chain(&hand.small_bet)
        .chain(&hand.big_bet)
        .chain(&rake.caps)
        .copied();
    bets.chain(stacks)
        .chain(posts)
        .map(Decimal::places)
        .max()
        .unwrap_or(0)
}

pub(super) fn settings(
    hand: &Hand,
    code: Code,
    rake: &RakeSchedule,
    stacks: &[u64],
    unit: impl Fn(Decimal) -> Result<u64, Unplayable>,
) -> Result<Settings, Unplayable> {
    if hand.posts.iter().any(|post| !post.is_zero()) {
        return Err(Unplayable::Post);
    }
    let (blinds, [small, big]) = blinds(hand)?;
    let (small, big) = (unit(small)?, unit(big)?);
    let seats = u8::try_from(stacks.len()).or(Err(Unplayable::Amounts))?;
    let caps = rake
        .caps
        .iter()
        .map(|cap| unit(*cap))
        .collect::<Result<_, _>>()?;
    let mut settings = Settings::new(seats, small, big);
    settings.ante = ante(hand, &unit)?;
    settings.rake = Rake {
        per_10_000: rake.per_10_000,
        caps,
    };
    settings.game = Game {
        variant: code.variant,
        low: code.low,
        betting: betting(hand, code.bets, &settings, &unit)?,
        blinds,
        straddle: straddle(hand, &settings, stacks, &unit)?,
        run_twice: false,
    };
    Ok(settings)
}

/// Who posts, and the small and the big blind. Heads-up the arrays are reversed: the first value is the big blind's, who is
/// the button where only the button posts.
fn blinds(hand: &Hand) -> Result<(Blinds, [Decimal; 2]), Unplayable> {
    let [first, second, others @ ..] = hand.blinds.as_slice() else {
        return Err(Unplayable::Blinds);
    };
    match (first.is_zero(), second.is_zero(), others) {
        (true, true, [between @ .., button]) if between.iter().all(|post| post.is_zero()) => {
            Ok((Blinds::Button, [*button; 2]))
        }
        (false, true, []) => Ok((Blinds::Button, [*first; 2])),
        (_, false, _) => Ok((Blinds::SmallAndBig, [*first, *second])),
        _ => Err(Unplayable::Blinds),
    }
}

/// Who posts a third blind, if anybody does.
pub(super) fn straddler(hand: &Hand) -> Option<usize> {
    let [first, second, others @ ..] = hand.blinds.as_slice() else {
        return None;
    };
    let third = others.iter().position(|post| !post.is_zero())?;
    (!first.is_zero() || !second.is_zero()).then_some(2 + third)
}

/// One straddle of two big blinds, left of the big blind or on the button. Files do not say by how much it must be raised;
/// the smallest house rule allows every raise that the other does.
fn straddle(
    hand: &Hand,
    settings: &Settings,
    stacks: &[u64],
    unit: impl Fn(Decimal) -> Result<u64, Unplayable>,
) -> Result<Option<Straddle>, Unplayable> {
    let Some(place) = straddler(hand) else {
        return Ok(None);
    };
    let from = match place {
        2 => StraddleFrom::UnderTheGun,
        place if place + 1 == stacks.len() => StraddleFrom::Button,
        _ => return Err(Unplayable::Blinds),
    };
    let later = hand.blinds.iter().skip(place + 1);
    let amount = unit(hand.blinds[place])?;
    let whole = Some(amount) == settings.big_blind.checked_mul(2);
    let ante = match settings.ante {
        Ante::Each(ante) => ante,
        Ante::None | Ante::BigBlind(_) => 0,
    };
    let short = stacks[place] < amount.saturating_add(ante);
    if !whole || short || later.copied().any(|post| !post.is_zero()) {
        return Err(Unplayable::Blinds);
    }
    Ok(Some(Straddle {
        from,
        min_raise: StraddleRaise::ByBigBlind,
        players_min: Straddle::PLAYERS_MIN,
    }))
}

/// Files do not say how many raises a house allows, nor what it counts to the pot: what any house allows is right.
fn betting(
    hand: &Hand,
    bets: Bets,
    settings: &Settings,
    unit: impl Fn(Decimal) -> Result<u64, Unplayable>,
) -> Result<Betting, Unplayable> {
    let is_big_blind = |bet: Option<Decimal>| {
        let bet = bet.map(&unit).transpose()?;
        Ok::<bool, Unplayable>(bet == Some(settings.big_blind))
    };
    if bets == Bets::FixedLimit {
        let big_bet = hand.big_bet.map(&unit).transpose()?;
        let big_bet = big_bet.filter(|_| hand.small_bet.is_some());
        let big_bet = big_bet.ok_or(Unplayable::Limits)?;
        if !is_big_blind(hand.small_bet)? {
            return Err(Unplayable::Limits);
        }
        return Ok(Betting::FixedLimit(Limits {
            big_bet,
            raises_max: Limits::RAISES_MAX,
            cap_off: CapOff::StreetHeadsUp,
        }));
    }
    if !is_big_blind(hand.min_bet)? {
        return Err(Unplayable::MinBet);
    }
    let count_ante = matches!(settings.ante, Ante::BigBlind(_));
    Ok(match bets {
        Bets::PotLimit => Betting::PotLimit { count_ante },
        Bets::NoLimit | Bets::FixedLimit => Betting::NoLimit,
    })
}

/// The antes of the file. Heads-up they are reversed like the blinds, so the second is the big blind's always.
fn ante(
    hand: &Hand,
    unit: impl Fn(Decimal) -> Result<u64, Unplayable>,
) -> Result<Ante, Unplayable> {
    let [first, second, others @ ..] = hand.antes.as_slice() else {
        return Err(Unplayable::Antes);
    };
    let rest = others.iter().find(|ante| !ante.is_zero());
    if hand.antes.iter().all(|ante| ante.is_zero()) {
        Ok(Ante::None)
    } else if hand.antes.iter().all(|ante| ante == first) {
        Ok(Ante::Each(unit(*first)?))
    } else if first.is_zero() && rest.is_none() {
        Ok(Ante::BigBlind(unit(*second)?))
    } else {
        Err(Unplayable::Antes)
    }
}

pub(super) fn steps(
    hand: &Hand,
    unit: impl Fn(Decimal) -> Result<u64, Unplayable>,
) -> Result<Vec<(usize, Move)>, ReplayError> {
    let mut board = 0;
    let mut steps = Vec::with_capacity(hand.actions.len());
    for (at, step) in hand.actions.iter().enumerate() {
        let step = match step {
            Step::Fold(place) => Move::Fold(*place),
            Step::CheckOrCall(place) => Move::CheckOrCall(*place),
            Step::RaiseTo(place, to) => Move::RaiseTo(*place, unit(*to)?),
            Step::DealBoard(cards) => {
                board += cards.len();
                Move::Board(board)
            }
            Step::Foreign(verb) => return Err(Unplayable::Variant(format!("with {verb}")).into()),
            // The engine deals the hole cards and turns the hands up by itself.
            Step::DealHole(..) | Step::Show(..) | Step::Comment => continue,
        };
        steps.push((at + 1, step));
    }
    Ok(steps)
}
