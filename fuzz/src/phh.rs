//! Hand histories of strangers: read or refused, and what was read is replayed or refused.

use openrustpoker::phh::check::check;
use openrustpoker::phh::parse::parse;

/// As `orp phh check` does.
pub fn run(bytes: &[u8]) {
    let Ok(hands) = parse(&String::from_utf8_lossy(bytes)) else {
        return;
    };
    for hand in hands.iter().filter_map(|(_, hand)| hand.as_ref().ok()) {
        check(hand, None);
    }
}

/// A file of one hand, a file of two, and one with fractions and unknown cards.
pub fn seeds() -> Vec<Vec<u8>> {
    let two = format!("[1]\n{HAND}\n[2]\n{HAND}");
    let fractions = HAND.replace("200", "2.50").replace("JhTh", "????");
    [HAND.to_owned(), two, fractions]
        .map(String::into_bytes)
        .into()
}

const HAND: &str = "variant = 'NT'
antes = [0, 0, 0]
blinds_or_straddles = [1, 2, 0]
min_bet = 2
starting_stacks = [200, 200, 200]
actions = ['d dh p1 AsKs', 'd dh p2 QdQc', 'd dh p3 JhTh', 'p3 cbr 6', 'p1 cbr 20', 'p2 cc', 'p3 f', 'd db 2c7d9h', 'p1 cbr 180', 'p2 cc', 'd db 3s', 'd db 4s', 'p1 sm AsKs', 'p2 sm QdQc']
finishing_stacks = [0, 406, 194]
winnings = [0, 406, 0]
";
