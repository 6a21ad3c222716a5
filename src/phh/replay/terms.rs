//! What a file says of stakes and decisions in the engine's terms.

use engine::{Ante, Rake, Settings};

use super::{Move, RakeSchedule, ReplayError, Unplayable};
use crate::phh::decimal::Decimal;
use crate::phh::model::{Hand, Step};

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
    rake: &RakeSchedule,
    stacks: &[u64],
    unit: impl Fn(Decimal) -> Result<u64, Unplayable>,
) -> Result<Settings, Unplayable> {
    let [small, big, others @ ..] = hand.blinds.as_slice() else {
        return Err(Unplayable::Blinds);
    };
    if others.iter().any(|post| !post.is_zero()) {
        return Err(Unplayable::Blinds);
    }
    if hand.posts.iter().any(|post| !post.is_zero()) {
        return Err(Unplayable::Post);
    }
    if hand.min_bet != Some(*big) {
        return Err(Unplayable::MinBet);
    }
    let seats = u8::try_from(stacks.len()).or(Err(Unplayable::Amounts))?;
    let caps = rake
        .caps
        .iter()
        .map(|cap| unit(*cap))
        .collect::<Result<_, _>>()?;
    let mut settings = Settings::new(seats, unit(*small)?, unit(*big)?);
    settings.ante = ante(hand, unit)?;
    settings.rake = Rake {
        per_10_000: rake.per_10_000,
        caps,
    };
    Ok(settings)
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
