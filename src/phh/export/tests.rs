use super::*;
use crate::phh::check::{Verdict, check};
use crate::phh::parse::parse;
use crate::phh::replay::{RakeSchedule, Script};

/// Plays a hand of a file and writes it again.
fn again(text: &str, rake: &RakeSchedule, known: &[(SeatNo, HoleCards)]) -> String {
    let hand = parse(text).unwrap().remove(0).1.unwrap();
    let script = Script::new(&hand, rake).unwrap();
    let mut facts = Vec::new();
    script.play(|fact| facts.push(fact.clone())).unwrap();
    let names: Vec<Name> = (0..hand.starting_stacks.len())
        .map(|n| Name::new(&format!("\"{n}\"")).unwrap())
        .collect();
    let settings = script.settings();
    export(&HandRecord {
        settings,
        table: Some("Rio"),
        facts: &facts,
        names: &names,
        known,
    })
    .unwrap()
}

fn card(text: &str) -> Card {
    text.parse().unwrap()
}

const ALL_IN: &str = "
variant = 'NT'
antes = [1, 1, 1]
blinds_or_straddles = [5, 10, 0]
min_bet = 10
starting_stacks = [500, 200, 300]
actions = ['d dh p1 2c3c', 'd dh p2 AsAd', 'd dh p3 KsKd', 'p3 cbr 30', 'p1 f', 'p2 cbr 199', 'p3 cc', 'p2 sm AsAd',
    'p3 sm KsKd', 'd db 7c8h9d', 'd db Js', 'd db 4h']
finishing_stacks = [494, 406, 100]
";

#[test]
fn a_hand_is_written_as_the_format_says() {
    let text = again(ALL_IN, &RakeSchedule::default(), &[]);
    assert_eq!(
        text,
        r#"variant = "NT"
ante_trimming_status = true
antes = [1, 1, 1]
blinds_or_straddles = [5, 10, 0]
min_bet = 10
starting_stacks = [500, 200, 300]
actions = ["d dh p1 ????", "d dh p2 AsAd", "d dh p3 KsKd", "p3 cbr 30", "p1 f", "p2 cbr 199", "p3 cc", "p2 sm AsAd", "p3 sm KsKd", "d db 7c8h9d", "d db Js", "d db 4h"]
hand = 1
seats = [1, 2, 3]
seat_count = 3
table = "Rio"
players = ['"0"', '"1"', '"2"']
finishing_stacks = [494, 406, 100]
winnings = [0, 406, 0]
_rake = 0
"#
    );
}

#[test]
fn what_is_written_reads_back_the_same() {
    let heads_up = "
variant = 'NT'
antes = [0, 10]
blinds_or_straddles = [5, 10]
min_bet = 10
starting_stacks = [500, 200]
actions = ['d dh p1 2c3c', 'd dh p2 AsAd', 'p2 cc', 'p1 cc', 'd db 7c8h9d', 'p1 cc', 'p2 cbr 20', 'p1 f']
";
    for text in [ALL_IN, heads_up] {
        let once = again(text, &RakeSchedule::default(), &[]);
        let hand = parse(&once).unwrap().remove(0).1.unwrap();
        assert_eq!(check(&hand, None), Verdict::Exact, "{once}");
        assert_eq!(again(&once, &RakeSchedule::default(), &[]), once);
    }
}

#[test]
fn only_cards_that_may_be_seen_are_written() {
    let hole = HoleCards::new(&[card("2c"), card("3c")]).unwrap();
    let own = [(SeatNo(0), hole)];
    let text = again(ALL_IN, &RakeSchedule::default(), &own);
    assert!(text.contains("d dh p1 2c3c"));
    let folded = ALL_IN.replace("'p3 cc'", "'p3 f'").replace(
        ", 'p2 sm AsAd',\n    'p3 sm KsKd', 'd db 7c8h9d', 'd db Js', 'd db 4h'",
        "",
    );
    let folded = folded.replace("finishing_stacks = [494, 406, 100]", "");
    let text = again(&folded, &RakeSchedule::default(), &own);
    assert!(
        text.contains(r#""d dh p1 2c3c", "d dh p2 ????", "d dh p3 ????""#),
        "{text}"
    );
    for hidden in ["As", "Ad", "Ks", "Kd"] {
        assert!(!text.contains(hidden), "{text}");
    }
}

/// He posts no blind, but the big blind is his, and with it the last word before the flop.
#[test]
fn who_is_all_in_for_the_ante_keeps_his_blind() {
    let text = "
variant = 'NT'
antes = [4, 4, 4]
blinds_or_straddles = [5, 10, 0]
min_bet = 10
starting_stacks = [100, 1, 100]
actions = ['p3 cc', 'p1 cc', 'd db 7c8h9d', 'p1 cbr 20', 'p3 f', 'd db Js', 'd db 4h']
";
    let text = again(text, &RakeSchedule::default(), &[]);
    assert!(text.contains("blinds_or_straddles = [5, 10, 0]"), "{text}");
}

#[test]
fn rake_is_written_beside_the_end_stacks() {
    let rake = RakeSchedule {
        per_10_000: 500,
        caps: Vec::new(),
    };
    let text = again(ALL_IN, &rake, &[]);
    assert!(
        text.contains("finishing_stacks = [494, 386, 100]"),
        "{text}"
    );
    assert!(text.contains("winnings = [0, 386, 0]"), "{text}");
    assert!(text.contains("_rake = 20"), "{text}");
}

#[test]
fn what_is_no_finished_hand_is_refused() {
    let settings = Settings::new(2, 5, 10);
    let started = Fact::HandStarted {
        hand: HandNo(7),
        button: SeatNo(0),
        small_blind: SeatNo(0),
        big_blind: SeatNo(1),
        dealt: Vec::new(),
    };
    let check = |facts: &[Fact], error| {
        let record = HandRecord {
            settings: &settings,
            table: None,
            facts,
            names: &[],
            known: &[],
        };
        assert_eq!(export(&record), Err(error));
    };
    check(&[], ExportError::NoStart);
    check(&[Fact::HandEnded { hand: HandNo(7) }], ExportError::NoStart);
    check(
        std::slice::from_ref(&started),
        ExportError::Unfinished(HandNo(7)),
    );
    check(
        &[started, Fact::HandVoided { hand: HandNo(7) }],
        ExportError::Voided(HandNo(7)),
    );
}

/// What is written of a game reads back to the same end, and a game without a code is told in words.
#[test]
fn every_game_reads_back() {
    let end = |hand: &str| {
        let written = again(hand, &RakeSchedule::default(), &[]);
        let read = parse(&written).unwrap().remove(0).1.unwrap();
        assert_eq!(check(&read, None), Verdict::Exact, "{written}");
        written
    };
    let limit = ALL_IN
        .replace("'NT'", "'FT'")
        .replace("min_bet = 10", "small_bet = 10\nbig_bet = 20");
    let limit = limit
        .replace("p3 cbr 30", "p3 cbr 20")
        .replace("p2 cbr 199", "p2 cbr 30");
    let limit = limit.replace(
        "'p2 sm AsAd',\n    'p3 sm KsKd', 'd db 7c8h9d', 'd db Js', 'd db 4h'",
        "'d db 7c8h9d', 'p2 cbr 10', 'p3 f'",
    );
    let written = end(&limit);
    assert!(written.contains("variant = \"FT\""));
    assert!(written.contains("small_bet = 10\nbig_bet = 20\n"));
    assert!(!written.contains("_game"));

    let omaha = "
variant = 'PO5/8'
antes = [0, 0, 0]
blinds_or_straddles = [5, 10, 20]
min_bet = 10
starting_stacks = [500, 200, 300]
actions = ['d dh p1 2c3c4c5cAc', 'd dh p2 2d3d4d5dAd', 'd dh p3 KsKdQsQdJs', 'p1 f', 'p2 cbr 65', 'p3 f']
";
    let written = end(omaha);
    assert!(written.contains("variant = \"PO5/8\""));
    assert!(written.contains("_game = \"pot-limit five-card Omaha hi-lo\""));
    assert!(written.contains("blinds_or_straddles = [5, 10, 20]"));

    let button = "
variant = 'NS'
antes = [10, 10]
blinds_or_straddles = [10, 0]
min_bet = 10
starting_stacks = [500, 200]
actions = ['p1 cbr 30', 'p2 f']
";
    assert!(end(button).contains("blinds_or_straddles = [10, 0]"));
}
