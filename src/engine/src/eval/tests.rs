//! The evaluator beside the arithmetic of card hands, two other crates, and counting by hand (`plain`).

mod plain;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::string::ToString;
use std::vec::Vec;

use rs_poker::core::Rankable;

use super::*;

#[test]
fn hands_have_names() {
    let check = |text, name| assert_eq!(evaluate(cards(text)).to_string(), name, "{text}");
    check("As Kd 9c 8h 4s 3d 2c", "ace high");
    check("9s 9d Ac Kh 4s 3d 2c", "pair of nines");
    check("9s 9d 4c 4h 2s 2d Ac", "two pair, nines and fours");
    check("6s 6d 6c Ah Ks 3d 2c", "three of a kind, sixes");
    check("As 2d 3c 4h 5s Kd Kc", "straight, five high");
    check("As Kd Qc Jh Ts 2d 2c", "straight, ace high");
    check("As Ks 9s 8s 4s 4d 4c", "flush, ace high");
    check("9s 9d 9c 4h 4s 4d Ac", "full house, nines over fours");
    check("9s 9d 9c 4h 4s Ad Ac", "full house, nines over aces");
    check("9s 9d 9c 9h 4s 4d 4c", "four of a kind, nines");
    check("As 2s 3s 4s 5s Kd Kc", "straight flush, five high");
    check("As Ks Qs Js Ts 9s 8s", "royal flush");
    check("As Kd", "ace high");
}

#[test]
fn hands_of_a_short_deck_have_names() {
    let check = |text, name| {
        assert_eq!(
            set(&cards(text)).short_deck_strength().to_string(),
            name,
            "{text}"
        )
    };
    check("As 6d 7c 8h 9s Kd Kc", "straight, nine high");
    check("As 6s 7s 8s 9s Kd Kc", "straight flush, nine high");
    check("As Ts 7s 8s 9s Kd Kc", "flush, ace high");
    check("As Ks Qs Js Ts 9s 8s", "royal flush");
    check("9s 9d 9c Th Ts Td Ac", "full house, tens over nines");
}

#[test]
fn lows_have_names() {
    let low = |text| set(&cards(text)).low().map(|low| low.to_string());
    let check = |text, name: &str| assert_eq!(low(text).as_deref(), Some(name), "{text}");
    check("8s 7d 6c 5h 4s", "eight-seven low");
    check("7s 5d 3c 2h As Kd Kc", "seven-five low");
    check("As 2s 3s 4s 5s 6d 7c", "five-four low");
    check("As Ad 2s 2d 8s 4d 3c", "eight-four low");
    for none in ["9s 5d 3c 2h As Kd Kc", "As Ad 2s 2d 3s 3d 4c", "As 2d 3c"] {
        assert_eq!(low(none), None, "{none}");
    }
}

#[test]
fn only_five_cards_count() {
    let check = |left, right, order| {
        let [l, r] = [left, right].map(|text| evaluate(cards(text)));
        assert_eq!(l.cmp(&r), order, "{left} and {right}");
    };
    use core::cmp::Ordering::{Equal, Greater, Less};
    check("As Kd Qc Jh 9s 3d 2c", "Ac Kh Qs Jd 9c 4d 3c", Equal);
    check("As Ad Kc Kh Qs Qd 2c", "Ac Ah Ks Kd Qc Qh 3c", Equal);
    check("As Ad Kc Kh Js Jd Qc", "Ac Ah Ks Kd Qh 3c 2d", Equal);
    check("As 2d 3c 4h 5s 9d 8c", "2d 3c 4h 5s 6c 9d 8c", Less);
    check("As Ks Qs Js 9s 2s 3d", "As Ks Qs Js 9s Kd Kc", Equal);
    check("9s 9d 9c 4h 4s 4d Ac", "9s 9d 9c 4h 4s 2d 2c", Equal);
    check("9s 9d 9c 9h As 4d 4c", "9s 9d 9c 9h Ks Kd Kc", Greater);
}

/// The number of hands of each category is known: it adds up to C(52, 5) = 2,598,960. Both other crates have the same 7,462
/// classes in the same order.
#[test]
fn every_five_card_hand_is_as_others_rank_it() {
    let deck: Vec<Card> = Card::all().collect();
    let (mut counts, mut in_aya, mut in_rs) = ([0; 9], Classes::default(), Classes::default());
    each_five(&deck, |five| {
        let ours = set(five).strength();
        counts[ours.category() as usize] += 1;
        in_aya.note(ours, aya_poker::poker_rank(&aya(five)), five);
        in_rs.note(ours, rs(five).rank(), five);
    });
    assert_eq!(
        counts,
        [
            1_302_540, 1_098_240, 123_552, 54_912, 10_200, 5_108, 3_744, 624, 40
        ]
    );
    assert_eq!((in_aya.in_order(), in_rs.in_order()), (7_462, 7_462));
}

/// C(36, 5) = 376,992 hands, in 1,404 classes: of nine ranks 120 flushes, 120 high cards, 6 straights of each kind, 504 pairs,
/// 252 two pairs, 252 trips, 72 full houses and 72 quads.
#[test]
fn every_hand_of_a_short_deck_is_as_others_rank_it() {
    let (mut counts, mut in_aya, mut counted) = ([0; 9], Classes::default(), Classes::default());
    each_five(&deck(SIX), |five| {
        let ours = set(five).short_deck_strength();
        counts[ours.category() as usize] += 1;
        in_aya.note(ours, aya_poker::short_deck_rank(&aya(five)), five);
        counted.note(ours, plain::strength(five, &plain::SHORT_DECK), five);
    });
    assert_eq!(
        counts,
        [122_400, 193_536, 36_288, 16_128, 6_120, 480, 1_728, 288, 24]
    );
    assert_eq!((in_aya.in_order(), counted.in_order()), (1_404, 1_404));
}

/// The 56 choices of five of eight ranks have 4^5 hands each.
#[test]
fn every_five_card_low_is_as_others_rank_it() {
    let (mut lows, mut in_aya, mut counted) = (0, Classes::default(), Classes::default());
    each_five(&deck(DEUCE), |five| {
        let ours = set(five).low();
        lows += u32::from(ours.is_some());
        in_aya.note(ours, aya_low(aya_poker::ace_five_rank(&aya(five))), five);
        counted.note(ours, plain::low(five), five);
    });
    assert_eq!(lows, 56 * 4u32.pow(5));
    assert_eq!((in_aya.in_order(), counted.in_order()), (57, 57));
}

#[test]
fn others_order_seven_cards_alike() {
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    let [mut in_aya, mut short_in_aya] = [Classes::default(), Classes::default()];
    let (mut in_rs, mut lows) = (Classes::default(), Classes::default());
    for _ in 0..RANDOM_HANDS {
        let seven = draw.cards(&deck(DEUCE), 7);
        in_aya.note(
            set(&seven).strength(),
            aya_poker::poker_rank(&aya(&seven)).0,
            &seven,
        );
        in_rs.note(set(&seven).strength(), rs(&seven).rank(), &seven);
        let low = aya_low(aya_poker::ace_five_rank(&aya(&seven)));
        lows.note(set(&seven).low(), low, &seven);

        let seven = draw.cards(&deck(SIX), 7);
        let theirs = aya_poker::short_deck_rank(&aya(&seven));
        short_in_aya.note(set(&seven).short_deck_strength(), theirs.0, &seven);
    }
    let classes = [in_aya.in_order(), in_rs.in_order(), short_in_aya.in_order()];
    assert!(
        classes[0] > 3_000 && classes[1] == classes[0] && classes[2] > 500,
        "{classes:?}"
    );
    assert_eq!(lows.in_order(), 57);
}

/// With four, five and six cards of one's own: the best of all choices as plain counting ranks them, and what two other
/// crates find.
#[test]
fn omaha_takes_two_and_three() {
    let mut draw = Draw(0x2545_f491_4f6c_dd1d);
    let (mut counted, mut in_rs, mut in_aya) =
        (Classes::default(), Classes::default(), Classes::default());
    let (mut lows_counted, mut lows_in_aya) = (Classes::default(), Classes::default());
    for hand in 0..OMAHA_HANDS {
        let drawn = draw.cards(&deck(DEUCE), 9 + hand % 3);
        let (board, hole) = drawn.split_at(5);
        let high = two_and_three(hole, board).map(CardSet::strength).max();
        let low = two_and_three(hole, board).filter_map(CardSet::low).max();

        let fives = plain::two_and_three(hole, board);
        let best = fives
            .iter()
            .map(|five| plain::strength(five, &plain::FULL_DECK));
        counted.note(high, best.max(), &drawn);
        let best = fives.iter().filter_map(|five| plain::low(five));
        lows_counted.note(low, best.max(), &drawn);

        let (hole_set, board_set) = (aya(hole), aya(board));
        in_aya.note(high, aya_poker::omaha_rank(&hole_set, &board_set), &drawn);
        let theirs = aya_poker::omaha_lo_rank(&hole_set, &board_set);
        lows_in_aya.note(low, aya_low(theirs), &drawn);
        let theirs = rs_poker::omaha::OmahaHand::new(rs(hole), rs(board)).unwrap();
        in_rs.note(high, theirs.rank(), &drawn);
    }
    let highs = [counted.in_order(), in_aya.in_order(), in_rs.in_order()];
    assert!(highs[0] > 1_000 && highs.iter().all(|classes| *classes == highs[0]));
    assert_eq!([lows_counted.in_order(), lows_in_aya.in_order()], [57, 57]);
}

#[test]
fn two_of_ones_own_cards_count_in_omaha_and_no_more() {
    let check = |hole, board, name: &str| {
        let sets = two_and_three(&cards(hole), &cards(board)).map(CardSet::strength);
        assert_eq!(sets.max().unwrap().to_string(), name, "{hole} on {board}");
    };
    check("As Ah Ad Ac", "Ks 9d 7h 5c 2s", "pair of aces");
    check("As Kd 9h 2c", "Qs 9s 7s 5s 3s", "pair of nines");
    check("As Ks 9h 2c", "Qs 9s 7s 5s 3d", "flush, ace high");
    check("As Qh 9h 2c", "Kd Kc Ks 4c 4d", "three of a kind, kings");
    check(
        "As Ah 9h 2c 7c 3c",
        "Ad Ks Kd Qs Qd",
        "full house, aces over kings",
    );
    check("As Ah 9h 9c", "", "pair of aces");
    check("As Ah 9h 9c", "9d 2c 3d", "three of a kind, nines");
}

/// What others call each class of ours.
struct Classes<Ours, Theirs>(BTreeMap<Ours, Theirs>);

impl<Ours, Theirs> Default for Classes<Ours, Theirs> {
    fn default() -> Self {
        Classes(BTreeMap::new())
    }
}

impl<Ours: Ord + Debug, Theirs: Ord + Debug> Classes<Ours, Theirs> {
    /// What is one class here is one class there.
    fn note(&mut self, ours: Ours, theirs: Theirs, cards: &[Card]) {
        match self.0.get(&ours) {
            Some(known) => assert_eq!(*known, theirs, "{cards:?} is {ours:?}"),
            None => drop(self.0.insert(ours, theirs)),
        }
    }

    /// How many classes there are, in the same order there.
    fn in_order(&self) -> usize {
        let theirs: Vec<&Theirs> = self.0.values().collect();
        assert!(theirs.is_sorted_by(|low, high| low < high));
        theirs.len()
    }
}

/// Draws cards without looking; a small xorshift is enough, and it is the same on every run.
struct Draw(u64);

impl Draw {
    fn cards(&mut self, deck: &[Card], count: usize) -> Vec<Card> {
        let mut drawn = Vec::new();
        while drawn.len() < count {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            let card = deck[(self.0 % deck.len() as u64) as usize];
            if !drawn.contains(&card) {
                drawn.push(card);
            }
        }
        drawn
    }
}

/// Every five cards of a deck, once.
fn each_five(deck: &[Card], mut with: impl FnMut(&[Card])) {
    for (a, first) in deck.iter().enumerate() {
        for (b, second) in deck.iter().enumerate().take(a) {
            for (c, third) in deck.iter().enumerate().take(b) {
                for (d, fourth) in deck.iter().enumerate().take(c) {
                    for fifth in deck.iter().take(d) {
                        with(&[*first, *second, *third, *fourth, *fifth]);
                    }
                }
            }
        }
    }
}

/// The cards from a rank up.
fn deck(from: u8) -> Vec<Card> {
    Card::all().filter(|card| card.rank() >= from).collect()
}

fn set(cards: &[Card]) -> CardSet {
    cards.iter().copied().collect()
}

fn cards(text: &str) -> Vec<Card> {
    text.split_whitespace()
        .map(|card| card.parse().unwrap())
        .collect()
}

fn aya(cards: &[Card]) -> aya_poker::base::Hand {
    let cards = cards
        .iter()
        .map(|card| aya_poker::base::CARDS[usize::from(card.index())]);
    cards.collect()
}

/// Lows that do not qualify are all the same.
fn aya_low(rank: aya_poker::AceFiveHandRank) -> u16 {
    rank.to_lo_8_rank().0
}

fn rs(cards: &[Card]) -> rs_poker::core::CardBitSet {
    let card = |card: &Card| rs_poker::core::Card {
        value: rs_poker::core::Value::from_u8(card.rank()),
        suit: rs_poker::core::Suit::from_u8(card.suit()),
    };
    cards.iter().map(card).collect()
}

const DEUCE: u8 = 0;
const SIX: u8 = 4;
const RANDOM_HANDS: usize = 200_000;
const OMAHA_HANDS: usize = 10_000;
