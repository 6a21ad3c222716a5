use std::string::{String, ToString};
use std::vec::Vec;

use super::*;

fn cards(text: &str) -> Vec<Card> {
    text.split(' ').map(|card| card.parse().unwrap()).collect()
}

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

/// The number of five-card hands of each category is known: it adds up to C(52, 5).
#[test]
fn every_five_card_hand_has_its_category() {
    let mut counts = [0u32; 9];
    let sets: Vec<CardSet> = Card::all()
        .map(|card| CardSet::default().with(card))
        .collect();
    let both = |a: CardSet, b: &CardSet| CardSet(a.0 | b.0);
    for (a, first) in sets.iter().enumerate() {
        for (b, second) in sets.iter().enumerate().take(a) {
            for (c, third) in sets.iter().enumerate().take(b) {
                for (d, fourth) in sets.iter().enumerate().take(c) {
                    let four = both(both(both(*first, second), third), fourth);
                    for fifth in sets.iter().take(d) {
                        counts[both(four, fifth).strength().category() as usize] += 1;
                    }
                }
            }
        }
    }
    assert_eq!(
        counts,
        [
            1_302_540, 1_098_240, 123_552, 54_912, 10_200, 5_108, 3_744, 624, 40
        ]
    );
}

/// Draws seven cards; a small xorshift is enough, and it is the same on every run.
fn seven(state: &mut u64) -> Vec<Card> {
    let mut drawn = Vec::new();
    while drawn.len() < 7 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        let card = Card::new((*state % 52) as u8).unwrap();
        if !drawn.contains(&card) {
            drawn.push(card);
        }
    }
    drawn
}

fn text(cards: &[Card], separator: &str) -> String {
    cards
        .iter()
        .map(Card::to_string)
        .collect::<Vec<_>>()
        .join(separator)
}

const RANDOM_HANDS: usize = 200_000;

#[test]
fn others_order_seven_cards_alike() {
    use aya_poker::base::Hand;
    use rs_poker::core::{FlatHand, Rankable};

    let mut state = 0x9e37_79b9_7f4a_7c15;
    let mut previous = None;
    for _ in 0..RANDOM_HANDS {
        let drawn = seven(&mut state);
        let ours = evaluate(drawn.iter().copied());
        let aya = aya_poker::poker_rank(&text(&drawn, " ").parse::<Hand>().unwrap());
        let rs = FlatHand::new_from_str(&text(&drawn, "")).unwrap().rank();
        if let Some((last, last_ours, last_aya, last_rs)) =
            previous.replace((drawn.clone(), ours, aya, rs))
        {
            let order = ours.cmp(&last_ours);
            assert_eq!(
                order,
                aya.cmp(&last_aya),
                "aya_poker: {drawn:?} and {last:?}"
            );
            assert_eq!(order, rs.cmp(&last_rs), "rs_poker: {drawn:?} and {last:?}");
        }
    }
}
