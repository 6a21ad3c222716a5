//! Pots: what goes back uncalled, who plays for how much, odd chips and the rake.
//!
//! Pure arithmetic over slices. In every slice a player is a place: the first is the first dealt seat
//! left of the button, the last is the button. That order is also the order of odd chips (R8), so no
//! function here needs to know the button. The sum of all stakes of a hand must fit a `u64`.

use alloc::vec::Vec;

/// What one player put into the pot in the whole hand, after any uncalled bet was returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stake {
    /// His own ante. It calls nothing but is matched chip by chip: who is all-in for part of it
    /// plays for that part of the others' antes (R12).
    pub ante: u64,
    /// Live chips of all streets: blinds, live posts, straddles, calls, bets and raises.
    pub live: u64,
    /// Dead blinds and the big-blind ante: whole into the main pot, matched by nobody (R7).
    pub dead: u64,
    /// He gave up his claim.
    pub folded: bool,
}

/// A pot and who may win it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pot {
    /// Chips, before rake. Never 0.
    pub amount: u64,
    /// Places that did not fold and matched this layer, in order. Never empty.
    pub contenders: Vec<usize>,
}

/// The bet of this street that nobody called: whose and how much (R6).
///
/// `street` holds the live chips of each place on the current street, those of folded players
/// included; antes, big-blind ante and dead blinds are not part of it.
pub fn uncalled(street: impl IntoIterator<Item = u64>) -> Option<(usize, u64)> {
    let (mut place, mut highest, mut second) = (0, 0, 0);
    for (other, chips) in street.into_iter().enumerate() {
        if chips > highest {
            (place, highest, second) = (other, chips, highest);
        } else {
            second = second.max(chips);
        }
    }
    (highest > second).then_some((place, highest - second))
}

/// The main pot first, then the side pots (R7). Their sum is the sum of all stakes, unless everybody
/// folded: then nobody can win anything and there is no pot.
///
/// A layer ends where a live player has no more chips in. Folded chips fill the layers up to their
/// amount; chips above the highest layer have no contender and go to the last pot.
pub fn pots(stakes: &[Stake]) -> Vec<Pot> {
    let mut layers: Vec<u64> = stakes
        .iter()
        .filter(|s| !s.folded)
        .map(Stake::matched)
        .collect();
    layers.sort_unstable();
    layers.dedup();
    let highest = layers.pop();

    let mut pots = Vec::with_capacity(layers.len() + 1);
    let mut whole: u64 = stakes.iter().map(|stake| stake.dead).sum();
    let mut floor = None;
    for ceiling in layers.into_iter().map(Some).chain(highest.map(|_| None)) {
        let part = |stake: &Stake| {
            let chips = stake.matched();
            ceiling.map_or(chips, |ceiling| chips.min(ceiling))
                - floor.map_or(0, |floor| chips.min(floor))
        };
        let amount = whole + stakes.iter().map(part).sum::<u64>();
        // A live player above the floor has chips up to the ceiling: ceilings are what they have in.
        let contends =
            |stake: &Stake| !stake.folded && floor.is_none_or(|floor| stake.matched() > floor);
        let contenders = (0..stakes.len())
            .filter(|place| contends(&stakes[*place]))
            .collect();
        if amount > 0 {
            pots.push(Pot { amount, contenders });
        }
        whole = 0;
        floor = ceiling;
    }
    pots
}

/// The shares of a pot among `winners` places, in the order in which they came: equal, and each odd
/// chip to the first, the second, … of them left of the button (R8). Without winners, no shares.
pub fn split(amount: u64, winners: &[usize]) -> Vec<(usize, u64)> {
    let count = winners.len() as u64;
    let Some(share) = amount.checked_div(count) else {
        return Vec::new();
    };
    let odd = amount % count;
    let left_of = |place: usize| winners.iter().filter(|other| **other < place).count() as u64;
    winners
        .iter()
        .map(|place| (*place, share + u64::from(left_of(*place) < odd)))
        .collect()
}

/// The cap for a hand of so many players dealt in: the first cap is for two players, the last
/// repeats, and without caps there is none.
pub fn rake_cap(caps: &[u64], players_dealt: usize) -> Option<u64> {
    caps.get(players_dealt.saturating_sub(2))
        .or(caps.last())
        .copied()
}

/// The rake of each pot (R16): `per_10_000` of all pots together, halves rounded to even, at most
/// `cap`. Pots are those after the uncalled return; the caller asks only when a flop was dealt.
///
/// Each pot bears its proportion: the pots up to the n-th together bear the rake times their part of
/// the whole, rounded down. So the parts add up, and no pot pays more than it has.
pub fn rake(pots: &[u64], per_10_000: u32, cap: Option<u64>) -> Vec<u64> {
    let whole: u128 = pots.iter().copied().map(u128::from).sum();
    let percentage = half_to_even(
        whole * u128::from(per_10_000.min(RATE_UNIT)),
        u128::from(RATE_UNIT),
    );
    let rake = cap.map_or(percentage, |cap| percentage.min(u128::from(cap)));

    let mut chips = 0;
    let mut taken = 0;
    let mut part = |pot: &u64| {
        chips += u128::from(*pot);
        let until = (rake * chips).checked_div(whole).unwrap_or(0);
        let part = until - taken;
        taken = until;
        u64::try_from(part).expect("the rake of a pot is at most the pot")
    };
    pots.iter().map(&mut part).collect()
}

impl Stake {
    /// The chips that others have to match to play for them. Antes come before blinds, so who has
    /// live chips in has a full ante in, and one sum orders both.
    fn matched(&self) -> u64 {
        self.ante + self.live
    }
}

fn half_to_even(numerator: u128, denominator: u128) -> u128 {
    let (quotient, twice) = (numerator / denominator, numerator % denominator * 2);
    let up = twice > denominator || (twice == denominator && quotient % 2 == 1);
    quotient + u128::from(up)
}

/// A rate of 10,000 takes the whole pot; more is taken as that.
const RATE_UNIT: u32 = 10_000;

#[cfg(test)]
mod tests;
