//! How fast hands are evaluated, beside two other crates on the same hands in the same run.
//!
//! `cargo bench -p orp-engine --bench evaluator`: millions of hands a second on one core, from cards in an array to a strength. The clock is
//! processor time: what else runs on the machine hardly changes it. Only ratios travel.

use std::hint::black_box;
use std::time::{Duration, Instant};

use engine::eval::{CardSet, two_and_three};
use engine::{Card, Variant};
use rs_poker::core::{Card as Theirs, CardBitSet, Rankable, Suit, Value};
use rs_poker::omaha::OmahaHand;

fn main() {
    let sevens: Vec<Vec<Card>> = draw(Variant::Holdem, 7);
    let rs_sevens: Vec<Vec<Theirs>> = sevens.iter().map(|cards| rs_cards(cards)).collect();
    line(
        "seven cards",
        per_second(&sevens, |cards| set(cards).strength()),
        &[
            ("rs_poker", per_second(&rs_sevens, |cards| cards.rank())),
            (
                "aya_poker",
                per_second(&sevens, |cards| aya_poker::poker_rank(&aya(cards))),
            ),
        ],
    );
    let shorts = draw(Variant::ShortDeck, 7);
    line(
        "seven cards, short deck",
        per_second(&shorts, |cards| set(cards).short_deck_strength()),
        &[(
            "aya_poker",
            per_second(&shorts, |cards| aya_poker::short_deck_rank(&aya(cards))),
        )],
    );
    let nines = draw(Variant::Omaha4, 9);
    let rs_nines: Vec<[CardBitSet; 2]> = nines
        .iter()
        .map(|cards| [&cards[..4], &cards[4..]].map(|cards| rs_cards(cards).into_iter().collect()))
        .collect();
    line(
        "Omaha, four and five",
        per_second(&nines, |cards| {
            let sets = two_and_three(&cards[..4], &cards[4..]);
            sets.map(CardSet::strength).max()
        }),
        &[
            (
                "rs_poker",
                per_second(&rs_nines, |[hole, board]| {
                    OmahaHand::new(*hole, *board).map(|hand| hand.rank()).ok()
                }),
            ),
            (
                "aya_poker",
                per_second(&nines, |cards| {
                    aya_poker::omaha_rank(&aya(&cards[..4]), &aya(&cards[4..]))
                }),
            ),
        ],
    );
    line(
        "Omaha, eight-or-better low",
        per_second(&nines, |cards| {
            two_and_three(&cards[..4], &cards[4..])
                .filter_map(CardSet::low)
                .max()
        }),
        &[(
            "aya_poker",
            per_second(&nines, |cards| {
                aya_poker::omaha_lo_rank(&aya(&cards[..4]), &aya(&cards[4..]))
            }),
        )],
    );
}

fn line(what: &str, ours: u128, others: &[(&str, u128)]) {
    let others: Vec<String> = others
        .iter()
        .map(|(name, theirs)| {
            let ratio = ours * 100 / theirs.max(&1);
            format!("{name} {theirs}, ratio {}.{:02}", ratio / 100, ratio % 100)
        })
        .collect();
    println!("{what}: {ours} hands/s; {}", others.join("; "));
}

fn per_second<H, R>(hands: &[H], evaluate: impl Fn(&H) -> R) -> u128 {
    let (mut evaluated, start, used) = (0, Instant::now(), processor_nanos());
    while start.elapsed() < RUN {
        for hand in hands {
            black_box(evaluate(black_box(hand)));
        }
        evaluated += hands.len() as u128;
    }
    evaluated * 1_000_000_000 / (processor_nanos() - used).max(1)
}

/// The same hands on every run; a small xorshift is enough.
fn draw(variant: Variant, count: usize) -> Vec<Vec<Card>> {
    let deck: Vec<Card> = variant.cards().collect();
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut hand = || {
        let mut cards = Vec::with_capacity(count);
        while cards.len() < count {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let card = deck[(state % deck.len() as u64) as usize];
            if !cards.contains(&card) {
                cards.push(card);
            }
        }
        cards
    };
    (0..HANDS).map(|_| hand()).collect()
}

fn set(cards: &[Card]) -> CardSet {
    cards.iter().copied().collect()
}

fn aya(cards: &[Card]) -> aya_poker::base::Hand {
    let cards = cards.iter();
    cards
        .map(|card| aya_poker::base::CARDS[usize::from(card.index())])
        .collect()
}

fn rs_cards(cards: &[Card]) -> Vec<Theirs> {
    let card = |card: &Card| Theirs {
        value: Value::from_u8(card.rank()),
        suit: Suit::from_u8(card.suit()),
    };
    cards.iter().map(card).collect()
}

/// The time that the main thread, which does all the work here, was on a processor.
fn processor_nanos() -> u128 {
    let text = std::fs::read_to_string("/proc/self/schedstat").expect("Linux tells it");
    let nanos = text.split_whitespace().next().map(str::parse);
    nanos
        .and_then(Result::ok)
        .expect("its first number is the time on a processor")
}

const HANDS: usize = 20_000;
const RUN: Duration = Duration::from_secs(1);
